/* Binary convolution, many windows at once. Generated code includes this file and hands in constants, so that a compiler unrolls the loops
 * over bit planes and keeps counters in registers. The derivation is that of bnn_lanes_conv.c: with P the ones under the taps that an output
 * channel counts, S those under all taps, N the taps and n planes, where N < 2^(n - 1), a counter holds
 *
 *     D = 2 P - S + 2^(n - 1) - 1         in [0, 2^n - 2]
 *
 * and acc >= t is D >= bound, inverted where the channel counts its taps of weight -1. The integer itself is
 * acc = 2 D + 2 - W there, modulo 2^n, or ~(2 D) - 1 - W. The generator gives bound or summand, and parts the taps of two channels into lists.
 */
#ifndef BNN_NATIVE_CONV_H
#define BNN_NATIVE_CONV_H

#include "bnn_native_count.h"

#define BNN_MAX_PLANES 16u

/* S of the next position, as a window that slides over the sums of single time steps. */
typedef struct {
    bnn_vector sum[BNN_MAX_PLANES];
    bnn_vector *steps; /* BNN_MAX_PLANES planes for each of the last `kernel` time steps */
    uint32_t next;     /* time step to add */
} bnn_sliding;

BNN_INLINE void bnn_slide(bnn_sliding *w, const bnn_native_conv *layer, const bnn_vector *first, uint32_t end, uint32_t n)
{
    const uint32_t rounds = (layer->x->channels + 7u) / 8u;

    for (; w->next < end; w->next++) {
        bnn_vector *const step = w->steps + w->next % layer->kernel * BNN_MAX_PLANES;
        bnn_vector carry = bnn_native_all(w->next < layer->kernel ? 0u : ~(uint64_t)0);
        if (w->next >= layer->kernel) { /* sum -= step, which is sum + ~step + 1 */
            for (uint32_t p = 0; p < n; p++) {
                const bnn_vector a = w->sum[p], b = ~step[p];
                w->sum[p] = bnn_odd(a, b, carry);
                carry = bnn_carry(a, b, carry);
            }
        }
        for (uint32_t p = 0; p < n; p++) {
            step[p] = bnn_native_all(0);
        }
        bnn_native_count(first + (size_t)w->next * layer->x->row, layer->taps, rounds, step, n);
        carry = bnn_native_all(0);
        for (uint32_t p = 0; p < n; p++) {
            const bnn_vector a = w->sum[p], b = step[p];
            w->sum[p] = bnn_odd(a, b, carry);
            carry = bnn_carry(a, b, carry);
        }
    }
}

/* What becomes of a counter: one bit, or the n planes of the accumulator. */
BNN_INLINE void bnn_conv_put(const bnn_vector *d, const uint64_t *bits, uint32_t flip, uint32_t n, uint32_t planes, bnn_vector *y)
{
    const bnn_vector invert = bnn_native_all(0u - (uint64_t)flip);
    bnn_vector twice[BNN_MAX_PLANES];

    if (planes == 1u) {
        *y = bnn_native_reaches(d, n, bits) ^ invert;
        return;
    }
    for (uint32_t p = 0; p < n; p++) {
        twice[p] = (p > 0u ? d[p - 1u] : bnn_native_all(0)) ^ invert;
    }
    bnn_native_add(twice, n, bits, y);
}

/* All positions, and at each the output channels in pairs. A counter has n planes, an element of y `planes`. */
BNN_INLINE void bnn_conv_run(const bnn_native_conv *layer, const bnn_vector *x, bnn_vector *y, bnn_vector *scratch, const uint32_t n,
                             const uint32_t planes)
{
    const uint32_t channels = layer->y->channels;
    const bnn_vector *first = x + (size_t)(layer->x->margin - layer->pad) * layer->x->row;
    uint64_t *const bits = (uint64_t *)(void *)(scratch + layer->kernel * BNN_MAX_PLANES);
    bnn_sliding w = {.steps = scratch, .next = 0u};

    for (uint32_t o = 0; o < channels; o++) {
        bnn_native_spread(layer->bounds[o], n, bits + o * n);
    }
    y = bnn_native_begin(y, layer->y);
    for (uint32_t t = 0; t < layer->y->length; t++, y += (size_t)layer->y->row * planes) {
        const bnn_vector *base = first + (size_t)t * layer->stride * layer->x->row;
        const uint16_t *taps = layer->taps + (layer->x->channels + 7u) / 8u * 8u;
        const bnn_native_pair *pair = layer->pairs;
        bnn_vector start[BNN_MAX_PLANES];
        bnn_slide(&w, layer, first, t * layer->stride + layer->kernel, n);
        for (uint32_t p = 0; p < n; p++) {
            start[p] = p + 1u < n ? ~w.sum[p] : bnn_native_all(0);
        }
        for (uint32_t o = 0; o < channels; o += 2u, pair++) {
            bnn_vector d[BNN_MAX_PLANES], own[BNN_MAX_PLANES];
            for (uint32_t p = 0; p < n; p++) {
                d[p] = start[p];
            }
            bnn_native_count(base, taps, pair->both, d + 1, n - 1u);
            taps += 8u * pair->both;
            for (uint32_t p = 0; p < n; p++) {
                own[p] = d[p];
            }
            bnn_native_count(base, taps, pair->first, own + 1, n - 1u);
            taps += 8u * pair->first;
            bnn_conv_put(own, bits + o * n, pair->flip & 1u, n, planes, y + o * planes);
            if (o + 1u < channels) {
                bnn_native_count(base, taps, pair->second, d + 1, n - 1u);
                taps += 8u * pair->second;
                bnn_conv_put(d, bits + (o + 1u) * n, pair->flip >> 1, n, planes, y + (o + 1u) * planes);
            }
        }
    }
}

/* One binary convolution, thresholded back to bits: y[o, t] = acc[o, t] >= t[o].
 *
 *   x        the map layer->x, whose margin is at least `pad`, with its vectors of zeros
 *   y        the map layer->y with its margins; must not overlap x
 *   scratch  16 * kernel vectors, and 8 * y->channels * planes bytes
 *
 * At most 16 planes. Defined by BinaryConv and Threshold in the simulator.
 */
BNN_INLINE void bnn_native_conv_threshold(const bnn_native_conv *layer, const bnn_vector *x, bnn_vector *y, bnn_vector *scratch)
{
    bnn_conv_run(layer, x, y, scratch, layer->planes, 1u);
    bnn_native_close(layer->y, y);
}

/* The accumulators of the same convolution, y with layer->planes planes. Defined by BinaryConv in the simulator. */
BNN_INLINE void bnn_native_conv_sum(const bnn_native_conv *layer, const bnn_vector *x, bnn_vector *y, bnn_vector *scratch)
{
    bnn_conv_run(layer, x, y, scratch, layer->planes, layer->planes);
}

#endif
