/* First layer into lanes: binary weights on raw samples. */
#include "bnn_lanes.h"

#define FAR 0x20000000 /* beyond every accumulator, and far from overflow */

/* Sums of taps 0 to 3, and of taps 4 to 6, of 32 positions. */
#define LOW 8u
#define HIGH 4u

/* One channel at work: where its two sums stand in their rows, and the bound of low +- high. */
typedef struct {
    int32_t least;
    uint32_t low, high;
    uint32_t minus;   /* whether the high sum is taken off */
    uint32_t negated; /* whether low +- high is the sum, negated */
} channel;

/* One layer at work. */
typedef struct {
    const bnn_lanes_signal *layer;
    const int16_t *x;
    const int32_t *stats;
    int32_t *low, *high; /* LOW and HIGH sums of each position */
    int32_t *bound;      /* one a channel, of centred sums */
    uint32_t begin;      /* first position that lies wholly inside the samples */
    uint32_t inside;     /* number of those that do */
} walk;

/* Sample k of n taps; taps beyond the kernel count nothing. */
static inline int32_t tap(const int16_t *x, uint32_t k, uint32_t n)
{
    return k < n ? x[k] : 0;
}

/* Sums x[0] +- x[1] +- x[2] +- x[3], sum r with + x[k] where bit k - 1 of r is set. Those with -x[0] are these, negated. */
static inline void combine_low(const int16_t *x, uint32_t n, int32_t *sums)
{
    const int32_t plus = x[0] + tap(x, 1u, n);
    const int32_t minus = x[0] - tap(x, 1u, n);
    const int32_t up = tap(x, 2u, n) + tap(x, 3u, n);
    const int32_t down = tap(x, 2u, n) - tap(x, 3u, n);

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
static inline void combine_high(const int16_t *x, uint32_t n, int32_t *sums)
{
    const int32_t plus = tap(x, 4u, n) + tap(x, 5u, n);
    const int32_t minus = tap(x, 4u, n) - tap(x, 5u, n);
    const int32_t last = tap(x, 6u, n);

    sums[0] = minus - last;
    sums[1] = plus - last;
    sums[2] = minus + last;
    sums[3] = plus + last;
}

/* Shift in, from above, whether v < 0. */
#define SIGN_IN(word, v) ((word) = (word) >> 1 | ((uint32_t)(v) & 0x80000000u))

/* Bits of n positions, 4 at a time: +-(low +- high) >= bound. What is wanted is the sign of low +- high minus a bound;
 * -v >= bound is not v >= 1 - bound. */
static uint32_t decide(const walk *w, const channel *c, uint32_t n)
{
    const int32_t *a = w->low + c->low;
    const int32_t *b = w->high + c->high;
    const int32_t least = c->least;
    uint32_t below = 0;
    uint32_t left = n;

    if (c->minus) {
        for (; left > 0u; left -= 4u, a += 4u * LOW, b += 4u * HIGH) {
            SIGN_IN(below, a[0] - b[0] - least);
            SIGN_IN(below, a[LOW] - b[HIGH] - least);
            SIGN_IN(below, a[2u * LOW] - b[2u * HIGH] - least);
            SIGN_IN(below, a[3u * LOW] - b[3u * HIGH] - least);
        }
    } else {
        for (; left > 0u; left -= 4u, a += 4u * LOW, b += 4u * HIGH) {
            SIGN_IN(below, a[0] + b[0] - least);
            SIGN_IN(below, a[LOW] + b[HIGH] - least);
            SIGN_IN(below, a[2u * LOW] + b[2u * HIGH] - least);
            SIGN_IN(below, a[3u * LOW] + b[3u * HIGH] - least);
        }
    }
    below >>= 32u - n;
    return c->negated ? below : ~below;
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

/* Channel o. The bound of plain sums of samples: sum w (2^frac x - mean) >= bound is
 * sum w x >= (bound + mean sum w) / 2^frac. */
static channel channel_of(const walk *w, uint32_t o)
{
    const uint32_t weights = weights_of(w->layer, o);
    const int32_t balance = 2 * (int32_t)BNN_POPCOUNT(weights) - w->layer->kernel;
    const int32_t held = w->bound[o] < -FAR ? -FAR : w->bound[o] > FAR ? FAR : w->bound[o];
    const int32_t bound = ceiling(held + w->stats[0] * balance, w->layer->frac);
    const uint32_t low = weights & 1u ? weights : ~weights;
    const uint32_t high = weights & 16u ? weights : ~weights;
    channel c;

    c.negated = !(weights & 1u);
    c.minus = c.negated ^ !(weights & 16u);
    c.low = (low >> 1) & 7u;
    c.high = (high >> 5) & 3u;
    c.least = c.negated ? 1 - bound : bound;
    return c;
}

/* Word i of every channel, but for the positions at the ends of the samples. */
static void word_of_rows(const walk *w, const channel *channels, uint32_t i, uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;
    const uint32_t step = (uint32_t)map->segment * w->layer->stride;
    const uint32_t steps = bnn_steps_at(map, i);
    const uint32_t kernel = w->layer->kernel;
    uint32_t t = i;
    uint32_t first = i * w->layer->stride - w->layer->pad;

    for (uint32_t j = 0; j < steps; j++, t += map->segment, first += step) {
        if (t - w->begin < w->inside) { /* before `begin` it wraps to a large number */
            const int16_t *x = w->x + first;
            if (kernel == 7u) { /* the usual one, without a branch a tap */
                combine_low(x, 7u, w->low + LOW * j);
                combine_high(x, 7u, w->high + HIGH * j);
            } else {
                combine_low(x, kernel, w->low + LOW * j);
                combine_high(x, kernel, w->high + HIGH * j);
            }
        }
    }
    for (uint32_t o = 0; o < map->channels; o++) {
        y[o * map->row + map->margin + i] = steps > 0u ? decide(w, channels + o, (steps + 3u) / 4u * 4u) : 0u;
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
 *   x            layer->samples samples, any int16
 *   stats        [mean, std] of the window
 *   bound_stats  what bnn_resolve_bounds() scales by; not read where the bounds are not scaled
 *   y            the map layer->y with its margins; must not overlap anything
 *   scratch      384 + 6 * y->channels words
 *
 * Defined by SignalConv and Threshold in the simulator.
 */
void bnn_lanes_signal_threshold(const bnn_lanes_signal *layer, const int16_t *x, const int32_t stats[2],
                                const int32_t *bound_stats, uint32_t *y, uint32_t *scratch)
{
    const bnn_lanes *map = layer->y;
    int32_t *const sums = (int32_t *)scratch;
    walk w = {layer, x, stats, sums, sums + 32u * LOW, sums + 32u * (LOW + HIGH), 0u, 0u};
    channel *const channels = (channel *)(void *)(w.bound + map->channels);

    w.begin = (layer->pad + layer->stride - 1u) / layer->stride;
    if (w.begin * layer->stride + layer->kernel <= layer->samples + layer->pad) {
        w.inside = (layer->samples + layer->pad - layer->kernel) / layer->stride + 1u - w.begin;
    }
    for (uint32_t i = 0; i < 32u * (LOW + HIGH); i++) {
        sums[i] = 0; /* lanes that no position inside the samples ever takes */
    }
    bnn_resolve_bounds(&layer->bounds, map->channels, bound_stats, w.bound);
    for (uint32_t o = 0; o < map->channels; o++) {
        channels[o] = channel_of(&w, o);
    }
    for (uint32_t i = 0; i < map->segment; i++) {
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
