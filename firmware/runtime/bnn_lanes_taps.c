/* From weights at one bit each to lists of the taps that two output channels count. */
#include "bnn_lanes.h"

/* Fill the last quad of a list with the row of zeros. */
static void fill_quad(const bnn_lanes *x, const bnn_offset *begin, bnn_offset *end)
{
    while ((end - begin) % 4 != 0) {
        *end++ = (bnn_offset)(x->channels * x->row);
    }
}

/* Where the lists of a pair of channels go on. */
typedef struct {
    bnn_offset *both, *first, *second;
} lists;

#ifdef BNN_LOWEST
static bnn_offset *list_set(bnn_offset *to, uint32_t bits, uint32_t offset, uint32_t row)
{
    for (; bits > 0u; bits &= bits - 1u) {
        *to++ = (bnn_offset)(offset + BNN_LOWEST(bits) * row);
    }
    return to;
}
#endif

/* List up to 32 taps, tap j at offset + j * row: a and b say which of them the two channels count. */
static lists list_bits(lists to, uint32_t a, uint32_t b, uint32_t n, uint32_t offset, uint32_t row)
{
#ifdef BNN_LOWEST
    const uint32_t mask = bnn_ones(n);

    to.both = list_set(to.both, a & b & mask, offset, row);
    to.first = list_set(to.first, a & ~b & mask, offset, row);
    to.second = list_set(to.second, b & ~a & mask, offset, row);
#else
    for (; n > 0u; n--, a >>= 1, b >>= 1, offset += row) {
        if (a & 1u) {
            if (b & 1u) {
                *to.both++ = (bnn_offset)offset;
            } else {
                *to.first++ = (bnn_offset)offset;
            }
        } else if (b & 1u) {
            *to.second++ = (bnn_offset)offset;
        }
    }
#endif
    return to;
}

/* List the taps that the two channels count, those of weight 1 in rows of weights a and b. */
static lists list_taps(const bnn_lanes_conv *layer, const uint32_t *a, const uint32_t *b, const uint32_t flip[2], lists to)
{
    const uint32_t channels = layer->x->channels;
    const uint32_t row = layer->x->row;
    uint32_t bit = 0;

    for (uint32_t k = 0; k < layer->kernel; k++) {
        for (uint32_t c = 0; c < channels; c += 32u) {
            const uint32_t n = channels - c < 32u ? channels - c : 32u;
            const uint32_t first = bnn_take(a, bit, n) ^ flip[0];
            const uint32_t second = bnn_take(b, bit, n) ^ flip[1];
            to = list_bits(to, first, second, n, c * row + k, row);
            bit += n;
        }
    }
    return to;
}

static uint16_t quads_of(uint32_t words)
{
    return (uint16_t)((words + 3u) / 4u);
}

/* Choose signs so that the largest class of taps is left out, and list the other three. Of the scratch it takes two rows of
 * weights, and what holds the list of three quarters of the taps and 9 more. */
const uint16_t *bnn_decode_taps(const bnn_lanes_conv *layer, uint32_t number, bnn_taps *held, uint32_t *scratch)
{
    const uint32_t taps = (uint32_t)layer->kernel * layer->x->channels;
    const uint32_t words = BNN_WORDS(taps);
    const uint32_t channels = layer->y ? layer->y->channels : layer->sums->channels;
    const uint32_t at = 2u * number;
    const uint32_t next = at + 1u < channels ? at + 1u : at;
    const uint32_t o = layer->order ? layer->order[at] : at;
    const uint32_t other = layer->order ? layer->order[next] : next;
    uint32_t *const a = scratch;
    uint32_t *const b = a + words;
    bnn_offset *const list = (bnn_offset *)(b + words);
    uint32_t ones[2] = {0u, 0u};
    uint32_t size[4] = {0u, 0u, 0u, 0u}; /* of the classes; bit 0 is the first channel's weight, bit 1 the second's */
    uint32_t out = 0;

    bnn_gather(layer->weights, o * taps, taps, a);
    bnn_gather(layer->weights, other * taps, taps, b);
    for (uint32_t i = 0; i < words; i++) {
        ones[0] += BNN_POPCOUNT(a[i]);
        ones[1] += BNN_POPCOUNT(b[i]);
        size[3] += BNN_POPCOUNT(a[i] & b[i]);
    }
    size[1] = ones[0] - size[3];
    size[2] = ones[1] - size[3];
    size[0] = taps - ones[0] - size[2];
    for (uint32_t k = 1; k < 4u; k++) {
        out = size[k] > size[out] ? k : out;
    }
    for (uint32_t k = 0; k < 2u; k++) {
        held->channel[k] = (uint16_t)(k == 0u ? o : other);
        held->balance[k] = (int16_t)(2 * (int32_t)ones[k] - (int32_t)taps);
    }
    held->flip = (uint16_t)out;
    held->both = quads_of(size[out ^ 3u]);
    held->first = quads_of(size[out ^ 1u]);
    held->second = quads_of(size[out ^ 2u]);
    const uint32_t flip[2] = {0u - (out & 1u), 0u - (out >> 1)};
    const lists begin = {list, list + 4u * held->both, list + 4u * ((uint32_t)held->both + held->first)};
    const lists end = list_taps(layer, a, b, flip, begin);
    fill_quad(layer->x, begin.both, end.both);
    fill_quad(layer->x, begin.first, end.first);
    fill_quad(layer->x, begin.second, end.second);
    return (const uint16_t *)list;
}
