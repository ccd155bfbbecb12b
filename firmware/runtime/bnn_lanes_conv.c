/* Binary convolution on lanes: 32 positions at a time, counted in bit planes.
 *
 * With u = 0, 1 for the bits of x, P+ and P- the number of ones under weights +1 and -1, S = P+ + P-, N taps, n+ of them +1
 * and W = 2 n+ - N, the accumulator sum w (2 u - 1) is
 *
 *     acc = 2 (P+ - P-) - W = 4 P+ - 2 S - W = 2 S - 4 P- - W
 *
 * S is the same for all output channels, so each needs only one of P+ and P-: half of the taps. With a bound t,
 *
 *     acc >= t  is  2 P+ - S >= ceil((t + W) / 2)  or  not 2 P- - S >= floor(-(t + W) / 2) + 1
 *
 * Two output channels go together. Their weights part the taps into four classes; P of the first, up to its sign, is the
 * count of `both` plus `first`, that of the second `both` plus `second`, and the largest class is the one that neither
 * counts. So two channels cost at most three quarters of the taps, and `both` is counted once.
 *
 * Planes. Counters hold D = 2 P - S + 2^(n - 1) - 1, where N < 2^(n - 1). 2 P - S lies in [-N, N], hence D in [0, 2^n - 2]:
 * n planes hold every D that there can be. Before any tap D = 2^(n - 1) - 1 - S, which is S with n - 1 planes inverted.
 */
#include "bnn_lanes.h"

#include <stddef.h>

/* What the loops of one layer need. Scratch in this order; see bnn_lanes_conv_threshold() for its size. */
typedef struct {
    const bnn_lanes_conv *layer;
    uint32_t taps, words;    /* under the kernel, and words of a row of weights */
    uint32_t n, n_sum;       /* planes of D, and of a sum over the input channels */
    uint32_t *start;         /* D before any tap, n planes for each position of the pass */
    uint32_t *sum;           /* S of the position that is next, n planes */
    uint32_t *ring;          /* sums over the input channels, n_sum planes, of the last `kernel` words */
    uint32_t *shared;        /* D of the taps that both channels of a pair count, n planes for each position */
    uint32_t *planes;        /* D of one of the two: n planes; for each position where sums are stored */
    uint32_t *rows;          /* weights of two output channels, each from a word on */
    bnn_offset *list;
} walk;

/* The taps that two output channels count; `second` follows `first`, which follows `both`, in rounds of eight. */
typedef struct {
    uint32_t both, first, second; /* rounds */
    uint32_t flip[2];             /* all 1 where the channel counts the taps of weight -1 */
    int32_t balance[2];           /* W */
} pair;

static uint32_t planes_of(uint32_t count)
{
    uint32_t n = 4; /* what bnn_count() asks for */

    while (count >> n > 0u) {
        n++;
    }
    return n;
}

static walk begin(const bnn_lanes_conv *layer, uint32_t *scratch)
{
    walk w;

    w.layer = layer;
    w.taps = (uint32_t)layer->kernel * layer->x->channels;
    w.words = BNN_WORDS(w.taps);
    w.n = planes_of(w.taps) + 1u;
    w.n_sum = planes_of(layer->x->channels);
    w.start = scratch;
    w.sum = w.start + layer->pass * w.n;
    w.ring = w.sum + w.n;
    w.shared = w.ring + layer->kernel * w.n_sum;
    w.planes = w.shared + layer->pass * w.n;
    w.rows = w.planes + (layer->y ? 1u : layer->pass) * w.n;
    w.list = (bnn_offset *)(w.rows + 2u * w.words);
    return w;
}

/* Words of x under tap 0 at the first position. */
static const uint32_t *first_word(const walk *w, const uint32_t *x)
{
    return x + w->layer->x->margin - w->layer->pad;
}

/* Fill the last round of a list with the row of zeros. */
static bnn_offset *fill_round(const walk *w, bnn_offset *begin, bnn_offset *end)
{
    const bnn_lanes *x = w->layer->x;

    while ((end - begin) % 8 != 0) {
        *end++ = (bnn_offset)(x->channels * x->row);
    }
    return end;
}

/* sum += v for v of n_sum planes; or sum -= v, which is sum + ~v + 1, where `invert` is all 1. */
static void add_planes(const walk *w, const uint32_t *v, uint32_t invert)
{
    uint32_t carry = invert;

    for (uint32_t p = 0; p < w->n; p++) {
        const uint32_t a = w->sum[p];
        const uint32_t b = (p < w->n_sum ? v[p] : 0u) ^ invert;
        w->sum[p] = a ^ b ^ carry;
        carry = (a & b) | (carry & (a ^ b));
    }
}

/* Bring the sum over all taps to position i: a window that slides over the sums over channels. */
static void slide(const walk *w, const uint32_t *first, uint32_t i, uint32_t rounds)
{
    const uint32_t kernel = w->layer->kernel;

    for (uint32_t n = i == 0u ? 0u : i + kernel - 1u; n < i + kernel; n++) {
        uint32_t *v = w->ring + n % kernel * w->n_sum;
        if (n >= kernel) {
            add_planes(w, v, 0xFFFFFFFFu);
        }
        for (uint32_t p = 0; p < w->n_sum; p++) {
            v[p] = 0u;
        }
        const bnn_words words = {first + n, w->list, rounds};
        bnn_count(&words, 1u, 0u, v, v, w->n_sum, NULL);
        add_planes(w, v, 0u);
    }
}

/* D before any tap, for the positions from i to `end`. */
static void prepare(const walk *w, const uint32_t *first, uint32_t i, uint32_t end)
{
    const bnn_lanes *x = w->layer->x;
    bnn_offset *last = w->list;
    uint32_t *d = w->start;

    for (uint32_t c = 0; c < x->channels; c++) {
        *last++ = (bnn_offset)(c * x->row);
    }
    last = fill_round(w, w->list, last);
    for (; i < end; i++) {
        slide(w, first, i, (uint32_t)(last - w->list) / 8u);
        for (uint32_t p = 0; p + 1u < w->n; p++) {
            *d++ = ~w->sum[p];
        }
        *d++ = 0u;
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

/* List the taps that the two channels count. A flipped channel counts those of weight -1. */
static lists list_taps(const walk *w, const uint32_t flip[2], lists to)
{
    const uint32_t channels = w->layer->x->channels;
    const uint32_t row = w->layer->x->row;
    uint32_t bit = 0;

    for (uint32_t k = 0; k < w->layer->kernel; k++) {
        for (uint32_t c = 0; c < channels; c += 32u) {
            const uint32_t n = channels - c < 32u ? channels - c : 32u;
            const uint32_t a = bnn_take(w->rows, bit, n) ^ flip[0];
            const uint32_t b = bnn_take(w->rows + w->words, bit, n) ^ flip[1];
            to = list_bits(to, a, b, n, c * row + k, row);
            bit += n;
        }
    }
    return to;
}

static uint32_t rounds_of(uint32_t words)
{
    return (words + 7u) / 8u;
}

/* Choose signs so that the largest class of taps is left out, and list the other three. The second channel is
 * the first again where there is no second. */
static pair pair_of(const walk *w, uint32_t o, uint32_t other)
{
    const uint32_t *a = w->rows;
    const uint32_t *b = w->rows + w->words;
    uint32_t ones[2] = {0u, 0u};
    uint32_t size[4] = {0u, 0u, 0u, 0u}; /* of the classes; bit 0 is the first channel's weight, bit 1 the second's */
    uint32_t out = 0;
    pair p;

    bnn_gather(w->layer->weights, o * w->taps, w->taps, w->rows);
    bnn_gather(w->layer->weights, other * w->taps, w->taps, w->rows + w->words);
    for (uint32_t i = 0; i < w->words; i++) {
        ones[0] += BNN_POPCOUNT(a[i]);
        ones[1] += BNN_POPCOUNT(b[i]);
        size[3] += BNN_POPCOUNT(a[i] & b[i]);
    }
    size[1] = ones[0] - size[3];
    size[2] = ones[1] - size[3];
    size[0] = w->taps - ones[0] - size[2];
    for (uint32_t k = 1; k < 4u; k++) {
        out = size[k] > size[out] ? k : out;
    }
    for (uint32_t k = 0; k < 2u; k++) {
        p.flip[k] = 0u - ((out >> k) & 1u);
        p.balance[k] = 2 * (int32_t)ones[k] - (int32_t)w->taps;
    }
    p.both = rounds_of(size[out ^ 3u]);
    p.first = rounds_of(size[out ^ 1u]);
    p.second = rounds_of(size[out ^ 2u]);
    const lists begin = {w->list, w->list + 8u * p.both, w->list + 8u * (p.both + p.first)};
    const lists end = list_taps(w, p.flip, begin);
    fill_round(w, begin.both, end.both);
    fill_round(w, begin.first, end.first);
    fill_round(w, begin.second, end.second);
    return p;
}

/* floor(v / 2) */
static int32_t half(int32_t v)
{
    return (v - (int32_t)((uint32_t)v & 1u)) / 2;
}

/* The least D that channel k of the pair wants for acc >= t, or, where it is flipped, for acc < t. */
static uint32_t bound_of(const walk *w, const pair *p, uint32_t k, int32_t t)
{
    const int32_t v = t + p->balance[k];
    const int32_t least = (p->flip[k] ? half(-v) + 1 : half(v + 1)) + (1 << (w->n - 1u)) - 1;
    const int32_t top = (1 << w->n) - 1; /* above every D */

    return least < 0 ? 0u : least > top ? (uint32_t)top : (uint32_t)least;
}

/* acc = +-2 (D - 2^(n - 1) + 1) - W, of the 32 positions that begin with i. */
static void store_sums(const walk *w, const pair *p, uint32_t k, uint32_t o, uint32_t i, const uint32_t *planes, uint32_t *y)
{
    const bnn_map *map = w->layer->sums;
    const int32_t sign = p->flip[k] ? -2 : 2;

    for (uint32_t j = 0, t = i; t < map->length; j++, t += w->layer->x->segment) {
        const uint32_t at = t * map->channels + o;
        uint32_t d = 0;
        for (uint32_t n = w->n; n-- > 0u;) {
            d = d << 1 | ((planes[n] >> j) & 1u);
        }
        const int32_t acc = sign * ((int32_t)d - (1 << (w->n - 1u)) + 1) - p->balance[k];
        y[at / 2u] |= ((uint32_t)acc & 0xFFFFu) << (16u * (at % 2u));
    }
}

/* Channel o, which is the k-th of the pair, at the positions i .. end - 1 of the pass that begins at i: from what both count, and
 * its own words. */
static void run_channel(const walk *w, const bnn_words *own, const pair *p, uint32_t k, uint32_t o, uint32_t i, uint32_t end,
                        uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;

    if (map) {
        const bnn_decision decision = {bound_of(w, p, k, w->layer->t[o]), p->flip[k], bnn_row(y, map, o) + map->margin + i};
        bnn_count(own, end - i, 1u, w->shared, w->planes, w->n, &decision);
        return;
    }
    bnn_count(own, end - i, 1u, w->shared, w->planes, w->n, NULL);
    for (const uint32_t *planes = w->planes; i < end; i++, planes += w->n) {
        store_sums(w, p, k, o, i, planes, y);
    }
}

/* The channels o and o + 1 at the positions i .. end - 1 of the pass that begins at i. A tap counts twice: D has 2 P. */
static void run_pair(const walk *w, const uint32_t *first, uint32_t o, uint32_t i, uint32_t end, uint32_t *y)
{
    const uint32_t channels = w->layer->y ? w->layer->y->channels : w->layer->sums->channels;
    const uint32_t other = o + 1u < channels ? o + 1u : o;
    const pair p = pair_of(w, o, other);
    bnn_words words = {first + i, w->list, p.both};

    bnn_count(&words, end - i, 1u, w->start, w->shared, w->n, NULL);
    words.list += 8u * p.both;
    words.rounds = p.first;
    run_channel(w, &words, &p, 0u, o, i, end, y);
    if (other > o) {
        words.list += 8u * p.first;
        words.rounds = p.second;
        run_channel(w, &words, &p, 1u, other, i, end, y);
    }
}

static void run(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t channels, uint32_t *y, uint32_t *scratch)
{
    const walk w = begin(layer, scratch);
    const uint32_t *first = first_word(&w, x);

    for (uint32_t p = 0; p < w.n; p++) {
        w.sum[p] = 0u;
    }
    for (uint32_t i = 0; i < layer->x->segment; i += layer->pass) {
        const uint32_t left = layer->x->segment - i;
        const uint32_t end = i + (left < layer->pass ? left : layer->pass);
        prepare(&w, first, i, end);
        for (uint32_t o = 0; o < channels; o += 2u) {
            run_pair(&w, first, o, i, end, y);
        }
    }
}

/* One binary convolution of stride 1, thresholded back to bits: y[o, t] = acc[o, t] >= t[o], as derived above.
 *
 *   x        the map layer->x with a margin of at least `pad` words, rows of at least x->margin + segment + kernel - 1 - pad
 *            words, a row of zeros, and at most 65536 words in all
 *   y        the map layer->y with its margins; must not overlap x
 *   scratch  with n = max(4, bits of taps) + 1 and n_sum = max(4, bits of x->channels):
 *            (2 * pass + 2) * n + kernel * n_sum + 2 * BNN_WORDS(taps) words, and as many as hold 16-bit offsets of
 *            all input channels or of three quarters of the taps, and 24 more
 *
 * The taps are at most 32766. Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_lanes_conv_threshold(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    run(layer, x, layer->y->channels, y, scratch);
    for (uint32_t o = 0; o < layer->y->channels; o++) {
        bnn_close_row(bnn_row(y, layer->y, o), layer->y, o);
    }
    bnn_close_lanes(y, layer->y);
}

/* The accumulators of the same convolution.
 *
 *   y  the map layer->sums, int16, two to a word; must not overlap x
 *
 * x as above, and scratch with (pass - 1) * n words more. Defined by BinaryConv in the simulator.
 */
void bnn_lanes_conv_sum(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const uint32_t n = layer->sums->length * layer->sums->channels;

    for (uint32_t i = 0; i < (n + 1u) / 2u; i++) {
        y[i] = 0u;
    }
    run(layer, x, layer->sums->channels, y, scratch);
}
