/* First layer into lanes: binary weights on raw samples. */
#include "bnn_lanes_vectors.h"

#define FAR 0x20000000 /* beyond every accumulator, and far from overflow */

/* Half of the range in which samples fit 16-bit sums, two to a word. */
#define HALF 2048

/* Sums of taps 0 to 3, and of taps 4 to 6, of 16 words of one or two positions each. */
#define LOW 8u
#define HIGH 4u
#define WORDS 16u

/* One channel at work: where its two sums stand in their rows, and what low +- high must reach. */
typedef struct {
    uint32_t least;   /* in every field of a word, with the field's highest bit taken off */
    uint32_t low, high;
    uint32_t minus;   /* whether the high sum is taken off */
    uint32_t flip;    /* all 1: low +- high is the sum, negated */
} channel;

/* One layer at work. */
typedef struct {
    const bnn_lanes_signal *layer;
    const int16_t *x;
    const int32_t *stats;
    uint32_t *low, *high; /* LOW and HIGH sums of each word */
    int32_t *bound;       /* one a channel, of centred sums */
    uint32_t begin;       /* first position that lies wholly inside the samples */
    uint32_t inside;      /* number of those that do */
    uint32_t unit, sign;  /* lowest and highest bit of the fields of a word: two of 16 bits, or one of 32 */
} walk;

/* What is read in place of a second position, where a word holds one. */
static const int16_t nothing[7];

/* Tap k of n at two positions, a field each; taps beyond the kernel count nothing. */
BNN_INLINE uint32_t tap(const int16_t *x, const int16_t *far, uint32_t k, uint32_t n)
{
    return k < n ? (uint32_t)(int32_t)x[k] + ((uint32_t)(int32_t)far[k] << 16) : 0u;
}

/* Sums x[0] +- x[1] +- x[2] +- x[3], sum r with + x[k] where bit k - 1 of r is set. Those with -x[0] are these, negated. */
BNN_INLINE void combine_low(const int16_t *x, const int16_t *far, uint32_t n, uint32_t *sums)
{
    const uint32_t plus = tap(x, far, 0u, n) + tap(x, far, 1u, n);
    const uint32_t minus = tap(x, far, 0u, n) - tap(x, far, 1u, n);
    const uint32_t up = tap(x, far, 2u, n) + tap(x, far, 3u, n);
    const uint32_t down = tap(x, far, 2u, n) - tap(x, far, 3u, n);

    sums[0] = minus - up;
    sums[1] = plus - up;
    sums[2] = minus + down;
    sums[3] = plus + down;
    sums[4] = minus - down;
    sums[5] = plus - down;
    sums[6] = minus + up;
    sums[7] = plus + up;
}

/* Sums x[4] +- x[5] +- x[6] in the same way. */
BNN_INLINE void combine_high(const int16_t *x, const int16_t *far, uint32_t n, uint32_t *sums)
{
    const uint32_t plus = tap(x, far, 4u, n) + tap(x, far, 5u, n);
    const uint32_t minus = tap(x, far, 4u, n) - tap(x, far, 5u, n);
    const uint32_t last = tap(x, far, 6u, n);

    sums[0] = minus - last;
    sums[1] = plus - last;
    sums[2] = minus + last;
    sums[3] = plus + last;
}

/* Shift in, from above, the highest bit of each field of v. */
#define SIGN_IN(word, v) ((word) = (word) >> 1 | ((v) & sign))

/* Whether +-(low +- high) >= bound, in WORDS words: of a word's field that ends at bit p, word j gives bit p + 1 - WORDS + j. */
static uint32_t decide(const walk *w, const channel *c)
{
    const uint32_t sign = w->sign;
    const uint32_t least = c->least;
    const uint32_t *a = w->low + c->low;
    const uint32_t *b = w->high + c->high;
    const uint32_t *const end = a + WORDS * LOW;
    uint32_t bits = 0;

    if (c->minus) {
        for (; a != end; a += 4u * LOW, b += 4u * HIGH) {
            SIGN_IN(bits, a[0] - b[0] - least);
            SIGN_IN(bits, a[LOW] - b[HIGH] - least);
            SIGN_IN(bits, a[2u * LOW] - b[2u * HIGH] - least);
            SIGN_IN(bits, a[3u * LOW] - b[3u * HIGH] - least);
        }
    } else {
        for (; a != end; a += 4u * LOW, b += 4u * HIGH) {
            SIGN_IN(bits, a[0] + b[0] - least);
            SIGN_IN(bits, a[LOW] + b[HIGH] - least);
            SIGN_IN(bits, a[2u * LOW] + b[2u * HIGH] - least);
            SIGN_IN(bits, a[3u * LOW] + b[3u * HIGH] - least);
        }
    }
    return bits ^ c->flip;
}

/* Whether all samples lie in the HALF steps on either side of `centre`: then x + HALF - centre has bits below 2 HALF alone. */
static uint32_t is_narrow(const int16_t *x, uint32_t n, int32_t centre)
{
    const int32_t least = centre - HALF;
    uint32_t any = 0;

    for (; n >= 4u; n -= 4u, x += 4) {
        any |= (uint32_t)(x[0] - least) | (uint32_t)(x[1] - least);
        any |= (uint32_t)(x[2] - least) | (uint32_t)(x[3] - least);
    }
    for (; n > 0u; n--, x++) {
        any |= (uint32_t)(*x - least);
    }
    return any < 2u * HALF;
}

/* ceil(v / 2^frac) for |v| < 2^30 */
static int32_t ceiling(int32_t v, uint32_t frac)
{
    return (int32_t)(((uint32_t)(v + 0x40000000) + (1u << frac) - 1u) >> frac) - (0x40000000 >> frac);
}

static uint32_t weights_of(const bnn_lanes_signal *layer, uint32_t o)
{
    return bnn_take(layer->weights, o * layer->kernel, layer->kernel);
}

/* The mean, in whole steps. */
static int32_t centre_of(const walk *w)
{
    return ceiling(w->stats[0], w->layer->frac);
}

static int32_t held(int32_t v, int32_t least, int32_t most)
{
    return v < least ? least : v > most ? most : v;
}

/* Channel o. The bound of plain sums of samples: sum w (2^frac x - mean) >= bound is sum w x >= (bound + mean sum w) / 2^frac,
 * and -v >= bound is not v >= 1 - bound. Beyond all sums that there are a bound is moved next to them, so that what
 * remains of sum - bound fits its field. */
static channel channel_of(const walk *w, uint32_t o)
{
    const uint32_t weights = weights_of(w->layer, o);
    const int32_t kernel = w->layer->kernel;
    const int32_t balance = 2 * (int32_t)BNN_POPCOUNT(weights) - kernel;
    const int32_t bound = ceiling(held(w->bound[o], -FAR, FAR) + w->stats[0] * balance, w->layer->frac);
    const uint32_t low = weights & 1u ? weights : ~weights;
    const uint32_t high = weights & 16u ? weights : ~weights;
    int32_t least = weights & 1u ? bound : 1 - bound;
    channel c;

    if (w->unit != 1u) {
        const int32_t middle = (weights & 1u ? balance : -balance) * centre_of(w);
        least = held(least, middle - kernel * HALF, middle + kernel * HALF + 1);
    }
    c.least = (uint32_t)least * w->unit - w->sign;
    c.low = (low >> 1) & 7u;
    c.high = (high >> 5) & 3u;
    c.minus = (weights & 1u) ^ ((weights >> 4) & 1u);
    c.flip = (weights & 1u) - 1u;
    return c;
}

/* An offset within the samples: where the kernel sticks out, some other one, since mend() does these positions. */
BNN_INLINE int32_t inside(int32_t at, int32_t last)
{
    return at < 0 ? 0 : at > last ? last : at;
}

/* All sums of WORDS positions, a segment apart, that begin with t; and in the upper fields of those that follow them. */
BNN_INLINE void combine(const walk *w, uint32_t t, uint32_t kernel)
{
    const int32_t step = (int32_t)((uint32_t)w->layer->y->segment * w->layer->stride);
    const int32_t last = (int32_t)(w->layer->samples - kernel);
    int32_t at = (int32_t)(t * w->layer->stride) - w->layer->pad;
    uint32_t *low = w->low;
    uint32_t *high = w->high;

    for (uint32_t j = 0; j < WORDS; j++, at += step, low += LOW, high += HIGH) {
        const int16_t *x = w->x + inside(at, last);
        const int16_t *far = w->unit == 1u ? nothing : w->x + inside(at + (int32_t)WORDS * step, last);
        combine_low(x, far, kernel, low);
        combine_high(x, far, kernel, high);
    }
}

/* The same; the usual kernel without a branch a tap. */
static void combine_all(const walk *w, uint32_t t)
{
    if (w->layer->kernel == 7u) {
        combine(w, t, 7u);
    } else {
        combine(w, t, w->layer->kernel);
    }
}

#ifdef BNN_VECTORS
/* Whether vectors of 16-bit fields serve. */
static uint32_t fits_vectors(const walk *w)
{
    const uint32_t reach = 32u * w->layer->y->segment * w->layer->stride + w->layer->pad;

    return w->unit != 1u && w->layer->kernel == 7u && reach <= BNN_VECTOR_SAMPLES && w->layer->samples <= BNN_VECTOR_SAMPLES;
}

static void word_by_vectors(const walk *w, const channel *channels, uint32_t i, uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;
    const int32_t stride = w->layer->stride;
    uint32_t *word = y + map->margin + i;

    bnn_sum_taps(w->x, (int32_t)i * stride - w->layer->pad, map->segment * stride, (int32_t)w->layer->samples - 7, w->low);
    for (const channel *c = channels; c != channels + map->channels; c++, word += map->row) {
        *word = bnn_decide_sums(w->low, c->low, c->high, c->minus, c->least) ^ c->flip;
    }
}
#endif

/* Word i of every channel, but for the positions at the ends of the samples: at once, or the lower half first. */
static void word_of_rows(const walk *w, const channel *channels, uint32_t i, uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;
    uint32_t *word = y + map->margin + i;

#ifdef BNN_VECTORS
    if (fits_vectors(w)) {
        word_by_vectors(w, channels, i, y);
        return;
    }
#endif
    combine_all(w, i);
    for (uint32_t o = 0; o < map->channels; o++) {
        word[o * map->row] = decide(w, channels + o);
    }
    if (w->unit == 1u) {
        combine_all(w, i + WORDS * map->segment);
        for (uint32_t o = 0; o < map->channels; o++) {
            const uint32_t upper = decide(w, channels + o);
            word[o * map->row] = word[o * map->row] >> WORDS | (upper >> WORDS << WORDS);
        }
    }
}

/* The positions at the ends, where standardised samples are 1: the formula, tap by tap. */
static void mend(const walk *w, uint32_t t, uint32_t *y)
{
    const bnn_lanes_signal *layer = w->layer;
    const uint32_t bit = 1u << (t / layer->y->segment);

    for (uint32_t o = 0; o < layer->y->channels; o++) {
        const uint32_t weights = weights_of(layer, o);
        uint32_t *word = bnn_row(y, layer->y, o) + layer->y->margin + t % layer->y->segment;
        uint32_t i = t * layer->stride - layer->pad;
        int32_t acc = 0;
        for (uint32_t k = 0; k < layer->kernel; k++, i++) {
            const int32_t d = i < layer->samples ? w->x[i] * (1 << layer->frac) - w->stats[0] : w->stats[1];
            acc += (weights >> k) & 1u ? d : -d;
        }
        *word = acc >= w->bound[o] ? *word | bit : *word & ~bit;
    }
}

/* Convolution of a window with binary weights, thresholded to bits in lanes.
 *
 *     d[i]      = 2^frac * x[i] - mean inside the window, std outside it
 *     acc[o, t] = sum_k w[o, k] * d[t * stride + k - pad]         bit 1 is +1, bit 0 is -1
 *     y[o, t]   = acc[o, t] >= bound[o]
 *
 * The taps form two groups, of four and of three. The groups have eight and four sums up to sign, formed once a position and
 * shared by all channels: a channel is one of the first plus or minus one of the second, up to sign. Plain samples are
 * summed; their mean goes into the bound, once a channel. At most 7 taps of 16 bits and 8 fraction bits
 * keep |acc| and |mean sum w| below 2^27, so bounds are held at 2^29 and nothing overflows.
 *
 * Two positions share a word where all samples lie within 2048 steps of their mean, as those of an ADC of 12 bits may: a word
 * p + 2^16 q for sums p and q is a linear function of words x + 2^16 x' of samples, modulo 2^32. With
 * sums and bounds within 7 * 2048 of their middle, |p - bound| < 2^15, so p - bound + 2^15 fits its field of 16 bits, borrows
 * nothing from q, and has the answer in its highest bit; and so has the other field. Other samples take a word a position.
 *
 *   x            layer->samples samples, any int16
 *   stats        [mean, std] of the window
 *   bound_stats  what bnn_resolve_bounds() scales by; not read where the bounds are not scaled
 *   y            the map layer->y with its margins; must not overlap anything
 *   scratch      192 + 6 * y->channels words
 *
 * Defined by SignalConv and Threshold in the simulator.
 */
void bnn_lanes_signal_threshold(const bnn_lanes_signal *layer, const int16_t *x, const int32_t stats[2],
                                const int32_t *bound_stats, uint32_t *y, uint32_t *scratch)
{
    const bnn_lanes *map = layer->y;
    int32_t *const bound = (int32_t *)(scratch + WORDS * (LOW + HIGH));
    channel *const channels = (channel *)(void *)(bound + map->channels);
    walk w = {layer, x, stats, scratch, scratch + WORDS * LOW, bound, 0u, 0u, 1u, 0x80000000u};

    w.begin = (layer->pad + layer->stride - 1u) / layer->stride;
    if (w.begin * layer->stride + layer->kernel <= layer->samples + layer->pad) {
        w.inside = (layer->samples + layer->pad - layer->kernel) / layer->stride + 1u - w.begin;
    }
    if (is_narrow(x, layer->samples, centre_of(&w))) {
        w.unit = 0x00010001u;
        w.sign = 0x80008000u;
    }
    bnn_resolve_bounds(&layer->bounds, map->channels, bound_stats, bound);
    for (uint32_t o = 0; o < map->channels; o++) {
        channels[o] = channel_of(&w, o);
    }
    for (uint32_t i = 0; w.inside > 0u && i < map->segment; i++) {
        word_of_rows(&w, channels, i, y);
    }
    for (uint32_t t = 0; t < w.begin && t < map->length; t++) {
        mend(&w, t, y);
    }
    for (uint32_t t = w.begin + w.inside; t < map->length; t++) {
        mend(&w, t, y);
    }
    for (uint32_t o = 0; o < map->channels; o++) {
        bnn_close_row(bnn_row(y, map, o), map, o);
    }
    bnn_close_lanes(y, map);
}
