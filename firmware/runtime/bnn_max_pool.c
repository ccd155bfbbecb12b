/* Max-pooling of integers. */
#include "bnn_bits.h"

/* y[c, t] = max_j x[c, t * stride + j], j < kernel.
 *
 *   x  the map layer->x, int16, two to a word
 *   y  the map layer->y, int16, two to a word; may begin where x begins, or before it
 *
 * Defined by MaxPool in the simulator.
 */
void bnn_max_pool16(const bnn_pool *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t channels = layer->x->channels;
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c++) {
            uint32_t i = t * layer->stride * channels + c;
            int32_t best = bnn_int16_at(x, i);
            for (uint32_t j = 1; j < layer->kernel; j++) {
                i += channels;
                best = bnn_int16_at(x, i) > best ? bnn_int16_at(x, i) : best;
            }
            bnn_put(&out, (uint32_t)best & 0xFFFFu, 16u);
        }
    }
    bnn_close_map(&out, layer->y);
}

/* The same for int32: y may begin where x begins, or before it. Defined by MaxPool in the simulator. */
void bnn_max_pool32(const bnn_pool *layer, const int32_t *x, int32_t *y)
{
    const uint32_t channels = layer->x->channels;

    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c++) {
            const int32_t *sample = x + t * layer->stride * channels + c;
            int32_t best = *sample;
            for (uint32_t j = 1; j < layer->kernel; j++) {
                sample += channels;
                best = *sample > best ? *sample : best;
            }
            *y++ = best;
        }
    }
}
