/* A binary network as its paper describes it: XOR and count, one word after the other. The measure of all else.
 *
 * Bit 1 is +1, bit 0 is -1. A map holds, step after step, the bits of its channels in whole words: channel c is bit
 * c % 32 of word c / 32, unused bits are 0. A factor that agrees counts +1 and one that differs -1, so that
 *
 *     acc[o, t] = taps - 2 * differing(t, o),      acc >= bound   where   differing <= (taps - bound) / 2, rounded down
 *
 * and thresholds need no accumulator. A threshold before a max-pool is the same as one behind it, so that pools are
 * an OR of words. Steps of padding are stored before and behind each map, so that the loops have no cases.
 * textbook_constants.h, which benchmarks/mcu/textbook.py writes from a graph, holds sizes, weights and bounds.
 */
#include "textbook_constants.h"

#ifdef BNN_TRACE
void bnn_trace(unsigned id, const void *data, unsigned long bytes);
#define TRACE(id, data, bytes) bnn_trace(id, data, bytes)
#else
#define TRACE(id, data, bytes) ((void)(id))
#endif

/* Henry S. Warren, Hacker's Delight, 5-1: sums in pairs, fours and bytes; the product adds the bytes. */
static uint32_t popcount(uint32_t v)
{
    v = v - ((v >> 1) & 0x55555555u);
    v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
    v = (v + (v >> 4)) & 0x0F0F0F0Fu;
    return (v * 0x01010101u) >> 24;
}

static uint32_t differing(const uint32_t *x, const uint32_t *w, uint32_t words)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < words; i++)
        count += popcount(x[i] ^ w[i]);
    return count;
}

static uint64_t square_root(uint64_t n)
{
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 62; bit > 0u; bit >>= 2) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

/* stats = [mean, standard deviation] of the samples, both with FRAC fraction bits. */
static void statistics(const int16_t *x, int32_t stats[2])
{
    const int64_t n = TEXTBOOK_SAMPLES;
    int64_t sum = 0;
    int64_t squares = 0;

    for (uint32_t i = 0; i < TEXTBOOK_SAMPLES; i++) {
        sum += x[i];
        squares += (int32_t)x[i] * x[i];
    }
    const int64_t twice = sum * (2 << FRAC) + n;
    const int64_t mean = twice / (2 * n) - (twice % (2 * n) < 0);
    const uint64_t spread = (uint64_t)(n * squares - sum * sum) << (2 * FRAC);
    const int32_t std = (int32_t)(square_root(spread) / TEXTBOOK_SAMPLES);

    stats[0] = (int32_t)mean;
    stats[1] = std > 0 ? std : 1;
}

/* The least sum that reaches `bound` standard deviations, which has FIRST_FRAC fraction bits. */
static int32_t scaled(int32_t bound, int32_t std)
{
    const int64_t scale = (int64_t)1 << FIRST_FRAC;
    const int64_t product = (int64_t)bound * std;
    const int64_t least = product / scale + (product % scale > 0);

    if (bound == INT16_MIN || least < INT32_MIN)
        return INT32_MIN;
    return bound == INT16_MAX || least > INT32_MAX ? INT32_MAX : (int32_t)least;
}

/* First layer: integers meet signs. Outside the window a sample is one standard deviation. */
static void first(const int16_t *x, const int32_t stats[2], uint32_t *bits)
{
    int32_t bounds[FIRST_CHANNELS];

    for (uint32_t o = 0; o < FIRST_CHANNELS; o++)
        bounds[o] = scaled(first_bounds[o], stats[1]);
    for (int32_t t = 0; t < FIRST_LENGTH; t++) {
        int32_t d[KERNEL];
        uint32_t word = 0;
        for (int32_t k = 0; k < KERNEL; k++) {
            const int32_t i = t * FIRST_STRIDE + k - PAD;
            d[k] = i >= 0 && i < TEXTBOOK_SAMPLES ? x[i] * (1 << FRAC) - stats[0] : stats[1];
        }
        for (uint32_t o = 0; o < FIRST_CHANNELS; o++) {
            const int8_t *signs = first_signs + o * KERNEL;
            int32_t sum = 0;
            for (uint32_t k = 0; k < KERNEL; k++)
                sum += signs[k] * d[k];
            if (sum >= bounds[o])
                word |= 1u << o;
        }
        bits[t] = word;
    }
}

/* OR of POOL steps, every second one, between PAD steps of padding. */
static void pool(const layer *l, const uint32_t *bits, uint32_t *map)
{
    const uint32_t words = l->in_words;

    for (uint32_t i = 0; i < PAD * words; i++) {
        map[i] = l->pad[i % words];
        map[(PAD + l->in_length) * words + i] = l->pad[i % words];
    }
    map += PAD * words;
    for (uint32_t t = 0; t < l->in_length; t++) {
        for (uint32_t i = 0; i < words; i++) {
            uint32_t any = 0;
            for (uint32_t j = 0; j < POOL; j++)
                any |= bits[(t * POOL_STRIDE + j) * words + i];
            *map++ = any;
        }
    }
}

static void convolution(const layer *l, const uint32_t *map, uint32_t *bits)
{
    const uint32_t words = KERNEL * l->in_words;

    for (uint32_t t = 0; t < l->out_length; t++) {
        const uint32_t *w = l->weights;
        for (uint32_t first_channel = 0; first_channel < l->channels; first_channel += 32) {
            const uint32_t n = l->channels - first_channel < 32u ? l->channels - first_channel : 32u;
            uint32_t word = 0;
            for (uint32_t o = 0; o < n; o++, w += words) {
                if ((int32_t)differing(map + t * l->in_words, w, words) <= l->most[first_channel + o])
                    word |= 1u << o;
            }
            *bits++ = word;
        }
    }
}

/* Last layer: sums stay integers. */
static void sums(const layer *l, const uint32_t *map, int16_t *acc)
{
    const uint32_t words = KERNEL * l->in_words;

    for (uint32_t t = 0; t < l->out_length; t++) {
        const uint32_t *w = l->weights;
        for (uint32_t o = 0; o < l->channels; o++, w += words)
            *acc++ = (int16_t)((int32_t)l->taps - 2 * (int32_t)differing(map + t * l->in_words, w, words));
    }
}

static void max_pool(const int16_t *x, int16_t *y)
{
    for (uint32_t t = 0; t < LAST_LENGTH; t++) {
        for (uint32_t c = 0; c < TEXTBOOK_CLASSES; c++) {
            int16_t best = x[t * POOL_STRIDE * TEXTBOOK_CLASSES + c];
            for (uint32_t j = 1; j < POOL; j++) {
                const int16_t v = x[(t * POOL_STRIDE + j) * TEXTBOOK_CLASSES + c];
                best = v > best ? v : best;
            }
            *y++ = best;
        }
    }
}

/* PReLU and batch normalisation, summed over time: two slopes and an offset a class. */
static void logits_of(const int16_t *x, int32_t *logits)
{
    for (uint32_t c = 0; c < TEXTBOOK_CLASSES; c++) {
        int32_t up = 0;
        int32_t down = 0;
        for (uint32_t t = 0; t < LAST_LENGTH; t++) {
            const int32_t v = x[t * TEXTBOOK_CLASSES + c];
            if (v > 0)
                up += v;
            else
                down += v;
        }
        logits[c] = (int32_t)((int64_t)rise[c] * up + (int64_t)fall[c] * down + bias[c]);
    }
}

int textbook_classify(textbook_context *context, const int16_t *samples, int32_t *logits)
{
    int32_t stats[2];
    unsigned id = 0;
    int winner = 0;

    statistics(samples, stats);
    TRACE(id++, stats, sizeof stats);
    first(samples, stats, context->bits.words);
    TRACE(id++, context->bits.words, FIRST_LENGTH * sizeof(uint32_t));
    for (uint32_t i = 0; i < LAYERS; i++) {
        const layer *l = &layers[i];
        pool(l, context->bits.words, context->map);
        TRACE(id++, context->map + PAD * l->in_words, (unsigned long)l->in_length * l->in_words * sizeof(uint32_t));
        if (i + 1 < LAYERS) {
            convolution(l, context->map, context->bits.words);
            TRACE(id++, context->bits.words,
                  (unsigned long)l->out_length * ((l->channels + 31u) / 32u) * sizeof(uint32_t));
        } else {
            sums(l, context->map, context->bits.sums);
            TRACE(id++, context->bits.sums, (unsigned long)l->out_length * l->channels * sizeof(int16_t));
        }
    }
    max_pool(context->bits.sums, context->pooled);
    TRACE(id++, context->pooled, sizeof context->pooled);
    logits_of(context->pooled, logits);
    TRACE(id++, logits, TEXTBOOK_CLASSES * sizeof *logits);
    for (int c = 1; c < TEXTBOOK_CLASSES; c++)
        winner = logits[c] > logits[winner] ? c : winner;
    return winner;
}
