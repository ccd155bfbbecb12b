/* Max-pooling and thresholds of 8-bit integers. */
#include "bnn_bits.h"
#include "bnn_integers.h"

/* y[c, t] = max_j x[c, t * stride + j], j < kernel.
 *
 *   x  the map layer->x, int8
 *   y  the map layer->y, int8; may begin where x begins, or before it
 *
 * Defined by MaxPool in the simulator.
 */
void bnn_max_pool8(const bnn_pool *layer, const int8_t *x, int8_t *y)
{
    const uint32_t channels = layer->x->channels;

    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c++) {
            const int8_t *value = x + t * layer->stride * channels + c;
            int8_t best = *value;
            for (uint32_t j = 1; j < layer->kernel; j++) {
                value += channels;
                best = *value > best ? *value : best;
            }
            *y++ = best;
        }
    }
}

/* y[c, t] = x[c, t] >= t[c].
 *
 *   x  the map layer->x, int8
 *   y  the map layer->y with its margins; must not overlap x
 *
 * The bounds are not scaled. Defined by Threshold in the simulator.
 */
void bnn_threshold8(const bnn_threshold *layer, const int8_t *x, uint32_t *y)
{
    const uint32_t channels = layer->x->channels;
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c += 32u) {
            const uint32_t n = channels - c < 32u ? channels - c : 32u;
            uint32_t bits = 0;
            for (uint32_t j = 0; j < n; j++) {
                bits |= (uint32_t)(*x++ >= layer->bounds.t[c + j]) << j;
            }
            bnn_put(&out, bits, n);
        }
    }
    bnn_close_map(&out, layer->y);
}
