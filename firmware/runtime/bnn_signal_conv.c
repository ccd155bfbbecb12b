/* First layer: binary weights on raw samples. */
#include "bnn_bits.h"

/* Samples under the kernel at position t, centred: d[k] of SignalConv. */
static void centre(const bnn_signal_conv *layer, const int16_t *x, const int32_t stats[2], uint32_t t, int32_t *d)
{
    const int32_t scale = 1 << layer->frac;
    /* Before the window the index wraps to a large number, so one comparison finds both edges. */
    uint32_t i = t * layer->stride - layer->pad;

    for (uint32_t k = 0; k < layer->kernel; k++, i++) {
        d[k] = i < layer->samples ? x[i] * scale - stats[0] : stats[1];
    }
}

/* Weights at one bit each become -1 and +1 at one byte each, so that the loops below read as the formula. */
static const int8_t *unpack_signs(const bnn_signal_conv *layer, uint32_t *scratch)
{
    int8_t *signs = (int8_t *)scratch;
    const uint32_t n = (uint32_t)layer->y->channels * layer->kernel;

    for (uint32_t i = 0; i < n; i++) {
        signs[i] = bnn_take(layer->weights, i, 1u) ? 1 : -1;
    }
    return signs;
}

/* sum_k w[k] * d[k] for one row of weights. */
static int32_t signed_sum(const int8_t *w, const int32_t *d, uint32_t kernel)
{
    int32_t acc = 0;

    for (uint32_t k = 0; k < kernel; k++) {
        acc += w[k] * d[k];
    }
    return acc;
}

/* Convolution of a window with binary weights, thresholded to bits.
 *
 *     d[i]      = 2^frac * x[i] - mean inside the window, std outside it
 *     acc[o, t] = sum_k w[o, k] * d[t * stride + k - pad]         bit 1 is +1, bit 0 is -1
 *     y[o, t]   = acc[o, t] >= bound[o]
 *
 *   x            layer->samples samples, any int16
 *   stats        [mean, std] of the window
 *   bound_stats  what bnn_resolve_bounds() scales by; not read where the bounds are not scaled
 *   y            the map layer->y with its margins; must not overlap anything
 *   scratch      kernel + y->channels + BNN_BYTE_WORDS(y->channels * kernel) words
 *
 * Defined by SignalConv and Threshold in the simulator.
 */
void bnn_signal_conv_threshold(const bnn_signal_conv *layer, const int16_t *x, const int32_t stats[2],
                               const int32_t *bound_stats, uint32_t *y, uint32_t *scratch)
{
    const uint32_t kernel = layer->kernel;
    const uint32_t channels = layer->y->channels;
    int32_t *d = (int32_t *)scratch;
    int32_t *bound = d + kernel;
    const int8_t *signs = unpack_signs(layer, scratch + kernel + channels);
    bnn_writer out = bnn_open_map(y, layer->y);

    bnn_resolve_bounds(&layer->bounds, channels, bound_stats, bound);
    for (uint32_t t = 0; t < layer->y->length; t++) {
        const int8_t *w = signs;
        centre(layer, x, stats, t, d);
        for (uint32_t o = 0; o < channels; o += 32u) {
            const uint32_t n = channels - o < 32u ? channels - o : 32u;
            uint32_t bits = 0;
            for (uint32_t j = 0; j < n; j++, w += kernel) {
                bits |= (uint32_t)(signed_sum(w, d, kernel) >= bound[o + j]) << j;
            }
            bnn_put(&out, bits, n);
        }
    }
    bnn_close_map(&out, layer->y);
}

/* The accumulators of the same convolution.
 *
 *   y        (y->channels, y->length) int32; must not overlap anything
 *   scratch  kernel + BNN_BYTE_WORDS(y->channels * kernel) words
 *
 * Defined by SignalConv in the simulator.
 */
void bnn_signal_conv_sum(const bnn_signal_conv *layer, const int16_t *x, const int32_t stats[2], int32_t *y,
                         uint32_t *scratch)
{
    const uint32_t kernel = layer->kernel;
    const uint32_t channels = layer->y->channels;
    int32_t *d = (int32_t *)scratch;
    const int8_t *signs = unpack_signs(layer, scratch + kernel);

    for (uint32_t t = 0; t < layer->y->length; t++) {
        const int8_t *w = signs;
        centre(layer, x, stats, t, d);
        for (uint32_t o = 0; o < channels; o++, w += kernel) {
            *y++ = signed_sum(w, d, kernel);
        }
    }
}
