/* First layer: raw samples of one window after the other, several positions at once, then turned into one window a bit.
 *
 * Generated code includes this file and hands in constants, so that a compiler unrolls the loops over taps and channels: what is left of
 * the weights is which sums are added and which taken off. Four taps make one of eight sums, up to sign, and channels share them.
 */
#ifndef BNN_NATIVE_SIGNAL_H
#define BNN_NATIVE_SIGNAL_H

#include "bnn_native_count.h"

#define BNN_POSITIONS (BNN_NATIVE_LANES / 32)

typedef int32_t bnn_integers __attribute__((vector_size(BNN_NATIVE_LANES / 8), may_alias));
typedef int32_t bnn_loaded __attribute__((vector_size(BNN_NATIVE_LANES / 8), aligned(4), may_alias));
typedef uint8_t bnn_bytes __attribute__((vector_size(BNN_POSITIONS), aligned(1), may_alias));

/* Numbers of a phase: those of all positions, up to a whole vector, and of the last taps. */
BNN_INLINE uint32_t bnn_phase_length(const bnn_native_signal *layer, uint32_t length)
{
    return (length + 15u) / 16u * 16u + layer->kernel;
}

/* Part the standardised window, times std, by stride: number i of phase p is d[i * stride + p - pad], and std outside the samples. */
BNN_INLINE void bnn_part(const bnn_native_signal *layer, const int16_t *x, const int32_t stats[2], size_t n, int32_t *phases)
{
    const size_t stride = layer->stride, total = layer->samples + layer->pad; /* pad and samples */
    const int32_t mean = stats[0], scale = 1 << layer->frac;

    for (size_t p = 0; p < stride; p++, phases += n) {
        const size_t padded = p < layer->pad ? (layer->pad - p + stride - 1u) / stride : 0u;
        const size_t begin = padded < n ? padded : n;
        const size_t after = total > p ? (total - p - 1u) / stride + 1u : 0u;
        const size_t end = after < begin ? begin : after < n ? after : n;
        const int16_t *const from = x + begin * stride + p - layer->pad;
        for (size_t i = 0; i < begin; i++) {
            phases[i] = stats[1];
        }
        for (size_t i = 0; i < end - begin; i++) {
            phases[begin + i] = scale * from[i * stride] - mean;
        }
        for (size_t i = end; i < n; i++) {
            phases[i] = stats[1];
        }
    }
}

/* a +- b +- c +- d; bits 1 to 3 of `signs` are those of b to d, 1 for plus. */
BNN_INLINE bnn_integers bnn_sum(bnn_integers a, bnn_integers b, bnn_integers c, bnn_integers d, uint32_t signs)
{
    const bnn_integers ab = signs & 2u ? a + b : a - b;
    const bnn_integers cd = (signs >> 2) % 3u == 0u ? c + d : c - d;

    return signs & 4u ? ab + cd : ab - cd;
}

/* Positions of eight channels or less, one byte a position: of each channel the sum of its groups of four taps, up to the sign of
 * tap 0, held against its bound. */
BNN_INLINE bnn_integers bnn_compare(const bnn_native_signal *layer, const bnn_integers *d, const int32_t *bounds, uint32_t first,
                                    uint32_t channels)
{
    const uint32_t groups = (layer->kernel + 3u) / 4u;
    bnn_integers byte = {0};

#pragma GCC unroll 8
    for (uint32_t o = 0; o < 8u; o++) {
        if (o < channels) {
            const uint8_t *const signs = layer->signs + (first + o) * groups;
            const uint32_t plus = signs[0] & 1u;
            bnn_integers acc = {0};
#pragma GCC unroll 16
            for (uint32_t g = 0; g < groups; g++) {
                const uint32_t same = (signs[g] & 1u) == plus;
                const uint32_t turned = signs[g] & 1u ? signs[g] : 15u - signs[g];
                const bnn_integers sum = bnn_sum(d[4u * g], d[4u * g + 1u], d[4u * g + 2u], d[4u * g + 3u], turned);
                acc = same ? acc + sum : acc - sum;
            }
            const bnn_integers bit = (bnn_integers)bnn_native_all((uint64_t)0x100000001u << o);
            byte |= (plus ? acc >= bounds[first + o] : acc <= bounds[first + o]) & bit;
        }
    }
    return byte;
}

/* Bits of the channels from `first` on, one byte a position. */
BNN_INLINE void bnn_signal_row(const bnn_native_signal *layer, const int32_t *phases, uint32_t n, const int32_t *bounds, uint32_t first,
                               uint32_t length, uint32_t channels, uint8_t *row)
{
    for (uint32_t t = 0; t < length; t += BNN_POSITIONS) {
        bnn_integers d[64];
#pragma GCC unroll 64
        for (uint32_t k = 0; k < (layer->kernel + 3u) / 4u * 4u; k++) {
            const int32_t *const from = phases + k % layer->stride * n + k / layer->stride + t;
            d[k] = k < layer->kernel ? (bnn_integers)*(const bnn_loaded *)from : (bnn_integers){0};
        }
        const bnn_integers byte = bnn_compare(layer, d, bounds, first, channels - first < 8u ? channels - first : 8u);
        *(bnn_bytes *)(row + t) = __builtin_convertvector(byte, bnn_bytes);
    }
}

/* y[o, t] = acc[o, t] >= bound[o] for acc[o, t] = sum_k w[o, k] d[t * stride + k - pad], d = 2^frac x - mean, or std outside the samples.
 *
 *   x        `count` windows of layer->samples samples
 *   stats    [mean, std] of each
 *   y        the map `shape`, with its margins; windows from `count` on are of no meaning
 *   scratch  bytes: 4 * channels rounded up to 64, 4 * stride * phase length rounded up to 64, and for every window and eight
 *            channels the length rounded up to 64
 *
 * Sums of at most 64 taps of 16 bits and 8 fraction bits fit 32 bits. Where tap 0 has weight -1, the sum is negated and so is the bound.
 * Defined by SignalConv and Threshold in the simulator.
 */
BNN_INLINE void bnn_native_signal_conv_threshold(const bnn_native_signal *layer, const bnn_native_map *shape, const int16_t *x,
                                                 uint32_t count, const int32_t *stats, bnn_vector *y, bnn_vector *scratch)
{
    const uint32_t n = bnn_phase_length(layer, shape->length), groups = (layer->kernel + 3u) / 4u;
    const size_t length = (shape->length + 63u) / 64u * 64u;
    int32_t *const bounds = (int32_t *)(void *)scratch;
    int32_t *const phases = bounds + (shape->channels + 15u) / 16u * 16u;
    uint8_t *const rows = (uint8_t *)(phases + (layer->stride * n + 15u) / 16u * 16u);

    for (uint32_t w = 0; w < count; w++) {
        bnn_part(layer, x + (size_t)w * layer->samples, stats + 2u * w, n, phases);
        bnn_resolve_bounds(&layer->bounds, shape->channels, stats + 2u * w, bounds);
        for (uint32_t o = 0; o < shape->channels; o++) {
            if ((layer->signs[o * groups] & 1u) == 0u) {
                bounds[o] = bounds[o] == INT32_MIN ? INT32_MAX : -bounds[o];
            }
        }
        for (uint32_t c = 0; c < shape->channels; c += 8u) {
            uint8_t *const row = rows + ((size_t)(c / 8u) * BNN_NATIVE_LANES + w) * length;
            bnn_signal_row(layer, phases, n, bounds, c, shape->length, shape->channels, row);
        }
    }
    for (uint32_t c = 0; c < shape->channels; c += 8u) {
        bnn_native_turn(rows + (size_t)(c / 8u) * BNN_NATIVE_LANES * length, length, c, shape, y);
    }
    bnn_native_close(shape, y);
}

#endif
