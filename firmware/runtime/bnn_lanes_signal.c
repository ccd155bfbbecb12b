/* First layer into lanes: binary weights on raw samples. */
#include "bnn_lanes.h"

#define GROUP 4u              /* most taps of a group */
#define FAR 0x20000000        /* beyond every accumulator, and far from overflow */

/* One layer at work. The kernel is parted into a low group of taps and a high one. */
typedef struct {
    const bnn_lanes_signal *layer;
    const int16_t *x;
    const int32_t *stats;
    uint32_t low, high;  /* taps of the groups, at most GROUP each */
    int32_t *sums;       /* of 32 positions: 8 rows of the low group, then 8 of the high one */
    int32_t *bound;      /* one a channel, of centred sums */
} walk;

/* All sums x[0] +- x[1] +- .. of n taps: row r adds x[k] where bit k - 1 of r is set and takes it off where it is not.
 * Rows that start with -x[0] are these, negated. */
static void combine(const int16_t *x, uint32_t n, int32_t *sums)
{
    int32_t part[8];
    uint32_t rows = 1;

    part[0] = n > 0u ? x[0] : 0;
    for (uint32_t k = 1; k < n; k++, rows *= 2u) {
        const int32_t v = x[k];
        for (uint32_t r = 0; r < rows; r++) {
            part[r + rows] = part[r] + v;
            part[r] -= v;
        }
    }
    for (uint32_t r = 0; r < rows; r++) {
        sums[32u * r] = part[r];
    }
}

/* Whether position t lies wholly inside the samples. */
static uint32_t inside(const bnn_lanes_signal *layer, uint32_t t)
{
    const uint32_t first = t * layer->stride;

    return first >= layer->pad && first - layer->pad + layer->kernel <= layer->samples;
}

/* Taps `first` .. first + n - 1 of a row of weights: its row of sums, and whether that is to be negated. */
static uint32_t row_of(uint32_t weights, uint32_t first, uint32_t n, uint32_t *negated)
{
    const uint32_t bits = (weights >> first) & bnn_ones(n);

    *negated = n > 0u && !(bits & 1u);
    return ((*negated ? ~bits : bits) & bnn_ones(n)) >> 1;
}

/* Bits of 32 positions of one channel: sums[t] = +-(a[t] +- b[t]) >= bound. What is wanted is the sign of a +- b minus a bound;
 * -v >= bound is not v >= 1 - bound. */
static uint32_t decide(const int32_t *a, const int32_t *b, uint32_t minus, uint32_t negated, int32_t bound)
{
    const int32_t least = negated ? 1 - bound : bound;
    uint32_t below = 0;

    if (minus) {
        for (uint32_t j = 0; j < 32u; j++) {
            below = below >> 1 | ((uint32_t)(a[j] - b[j] - least) & 0x80000000u);
        }
    } else {
        for (uint32_t j = 0; j < 32u; j++) {
            below = below >> 1 | ((uint32_t)(a[j] + b[j] - least) & 0x80000000u);
        }
    }
    return negated ? below : ~below;
}

/* ceil(v / 2^frac) for |v| < 2^30 */
static int32_t ceiling(int32_t v, uint32_t frac)
{
    return (int32_t)(((uint32_t)(v + 0x40000000) + (1u << frac) - 1u) >> frac) - (0x40000000 >> frac);
}

/* The bound of plain sums of samples: sum w (2^frac x - mean) >= bound is sum w x >= (bound + mean sum w) / 2^frac. */
static int32_t raw_bound(const walk *w, uint32_t o, uint32_t weights)
{
    const int32_t balance = 2 * (int32_t)BNN_POPCOUNT(weights) - w->layer->kernel;
    const int32_t bound = w->bound[o] < -FAR ? -FAR : w->bound[o] > FAR ? FAR : w->bound[o];

    return ceiling(bound + w->stats[0] * balance, w->layer->frac);
}

/* Word i of every channel, but for the positions at the ends of the samples. */
static void word_of_rows(const walk *w, uint32_t i, uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;
    int32_t *high = w->sums + 8u * 32u;

    for (uint32_t j = 0, t = i; t < map->length; j++, t += map->segment) {
        if (inside(w->layer, t)) {
            const int16_t *x = w->x + (t * w->layer->stride - w->layer->pad);
            combine(x, w->low, w->sums + j);
            combine(x + w->low, w->high, high + j);
        }
    }
    for (uint32_t o = 0; o < map->channels; o++) {
        const uint32_t weights = bnn_take(w->layer->weights, o * w->layer->kernel, w->layer->kernel);
        uint32_t negated, other;
        const int32_t *a = w->sums + 32u * row_of(weights, 0u, w->low, &negated);
        const int32_t *b = high + 32u * row_of(weights, w->low, w->high, &other);
        bnn_row(y, map, o)[map->margin + i] = decide(a, b, negated ^ other, negated, raw_bound(w, o, weights));
    }
}

/* The positions at the ends, where standardised samples are 1: the formula, tap by tap. */
static void mend(const walk *w, uint32_t t, uint32_t *y)
{
    const bnn_lanes_signal *layer = w->layer;
    const uint32_t bit = 1u << (t / layer->y->segment);

    for (uint32_t o = 0; o < layer->y->channels; o++) {
        const uint32_t weights = bnn_take(layer->weights, o * layer->kernel, layer->kernel);
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
 * The taps form two groups of at most four. A group has at most eight sums up to sign, formed once a position and shared by
 * all channels: a channel is one of the low group plus or minus one of the high group, up to sign. Plain samples are
 * summed; their mean goes into the bound, once a channel. At most 8 taps of 16 bits and 8 fraction bits
 * keep |acc| and |mean sum w| below 2^27, so bounds are held at 2^29 and nothing overflows.
 *
 *   x            layer->samples samples, any int16
 *   stats        [mean, std] of the window
 *   bound_stats  what bnn_resolve_bounds() scales by; not read where the bounds are not scaled
 *   y            the map layer->y with its margins; must not overlap anything
 *   scratch      512 + y->channels words
 *
 * Defined by SignalConv and Threshold in the simulator.
 */
void bnn_lanes_signal_threshold(const bnn_lanes_signal *layer, const int16_t *x, const int32_t stats[2],
                                const int32_t *bound_stats, uint32_t *y, uint32_t *scratch)
{
    const bnn_lanes *map = layer->y;
    walk w = {layer, x, stats, 0u, 0u, (int32_t *)scratch, (int32_t *)scratch + 512};

    w.low = layer->kernel < GROUP ? layer->kernel : GROUP;
    w.high = layer->kernel - w.low;
    for (uint32_t i = 0; i < 512u; i++) {
        w.sums[i] = 0; /* lanes beyond the map, and a group of no taps */
    }
    bnn_resolve_bounds(&layer->bounds, map->channels, bound_stats, w.bound);
    for (uint32_t i = 0; i < map->segment; i++) {
        word_of_rows(&w, i, y);
    }
    for (uint32_t t = 0; t < map->length; t++) {
        if (!inside(layer, t)) {
            mend(&w, t, y);
        }
    }
    for (uint32_t o = 0; o < map->channels; o++) {
        bnn_close_row(bnn_row(y, map, o), map, o);
    }
    bnn_close_lanes(y, map);
}
