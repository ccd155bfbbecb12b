/* Max-pooling of bits. */
#include "bnn_bits.h"

/* y[c, t] = OR_j x[c, t * stride + j], j < kernel.
 *
 *   x  the map layer->x
 *   y  the map layer->y with its margins. It may overlap x where, for all t, word
 *      ((y->margin + t + 1) * channels) / 32 of y is not above the word of x where step t * stride begins
 *
 * Defined by OrPool in the simulator.
 */
void bnn_or_pool(const bnn_pool *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t channels = layer->x->channels;
    bnn_writer out = bnn_open_map(y, layer->y);
    uint32_t first = layer->x->margin * channels;

    for (uint32_t t = 0; t < layer->y->length; t++, first += layer->stride * channels) {
        for (uint32_t c = 0; c < channels; c += 32u) {
            const uint32_t n = channels - c < 32u ? channels - c : 32u;
            uint32_t bits = 0;
            for (uint32_t j = 0; j < layer->kernel; j++) {
                bits |= bnn_take(x, first + c + j * channels, n);
            }
            bnn_put(&out, bits, n);
        }
    }
    bnn_close_map(&out, layer->y);
}
