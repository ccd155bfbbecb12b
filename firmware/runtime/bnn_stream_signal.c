/* First layer, row by row: binary weights on centred samples. */
#include "bnn_bits.h"
#include "bnn_stream.h"

#define GROUP 4u /* taps that share a table */

/* sums[i] = sum_k +-d[k] over n taps, GROUP at most, + where bit k of i is set: the four sums of two taps with each of the other two. */
static void all_sums(const int32_t *d, uint32_t n, int32_t *sums)
{
    const int32_t first = d[0];
    const int32_t second = n > 1u ? d[1] : 0;
    const int32_t third = n > 2u ? d[2] : 0;
    const int32_t fourth = n > 3u ? d[3] : 0;
    const int32_t both = first + second;
    const int32_t one = first - second;

    for (uint32_t i = 0; i < 4u; i++, sums += 4) {
        const int32_t rest = (i & 1u ? third : -third) + (i & 2u ? fourth : -fourth);
        sums[0] = rest - both;
        sums[1] = rest + one;
        sums[2] = rest - one;
        sums[3] = rest + both;
    }
}

/* acc[o] = sum_k w[o, k] * d[k]; all channels share the sums of four taps each.
 *
 *   x  kernel rows of layer 0: d, int32
 *   y  layer->channels integers, int32; must not overlap x
 *
 * Defined by SignalConv in the simulator.
 */
void bnn_row_signal_sum(const bnn_row_signal *layer, const uint32_t *x, uint32_t *y)
{
    const int32_t *d = (const int32_t *)x;
    int32_t *acc = (int32_t *)y;
    const uint8_t *signs = layer->signs;

    for (uint32_t k = 0; k < layer->kernel; k += GROUP) {
        int32_t sums[1u << GROUP];
        all_sums(d + k, layer->kernel - k, sums);
        for (uint32_t o = 0; o < layer->channels; o++) {
            acc[o] = (k > 0u ? acc[o] : 0) + sums[*signs++];
        }
    }
}

/* The same, thresholded: y[o] = acc[o] >= bounds[o].
 *
 *   bounds  layer->channels integers, int32
 *   sums    layer->channels words of scratch
 *   y       layer->channels bits
 *
 * Defined by SignalConv and Threshold in the simulator.
 */
void bnn_row_signal_threshold(const bnn_row_signal *layer, const uint32_t *x, const uint32_t *bounds, uint32_t *sums,
                              uint32_t *y)
{
    bnn_row_signal_sum(layer, x, sums);
    bnn_row_threshold32(layer->channels, sums, bounds, y);
}

/* y[c] = x[c] >= bounds[c] of one row.
 *
 *   x, bounds  `channels` integers, int32
 *   y          as many bits; must not overlap them
 *
 * Defined by Threshold in the simulator.
 */
void bnn_row_threshold32(uint32_t channels, const uint32_t *x, const uint32_t *bounds, uint32_t *y)
{
    const int32_t *value = (const int32_t *)x;
    const int32_t *bound = (const int32_t *)bounds;

    for (uint32_t c = 0; c < channels; c += 32u) {
        const uint32_t n = channels - c < 32u ? channels - c : 32u;
        uint32_t bits = 0;
        for (uint32_t j = 0; j < n; j++) {
            bits |= (uint32_t)(value[c + j] >= bound[c + j]) << j;
        }
        *y++ = bits;
    }
}
