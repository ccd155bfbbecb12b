/* Convolution of integers by weights of 8 bits: the small layers that a gate or a classifier has. */
#include "bnn_integers.h"

/* acc[o, t] = sum_ck w[o, c, k] * x[c, t * stride + k - pad], x 0 outside its map; then scaled, where the layer says so.
 *
 *   x        the map layer->x
 *   y        the map layer->y: int8 where it is scaled, else int16 or int32; must not overlap x
 *   scratch  kernel * x->channels + y->channels words
 *
 * Defined by IntConv and Scale in the simulator.
 */
void bnn_int_convolve(const bnn_int_conv *layer, const void *x, void *y, uint32_t *scratch)
{
    const uint32_t n_in = layer->x->channels, channels = layer->y->channels, taps = layer->kernel * n_in;
    int32_t *const window = (int32_t *)scratch;
    int32_t *const acc = window + taps;

    for (uint32_t t = 0; t < layer->y->length; t++) {
        const uint32_t first = (t * layer->stride - layer->pad) * n_in;
        const int8_t *w = layer->weights;
        bnn_get_window(x, layer->x_format, first, taps, layer->x->length * n_in, window);
        for (uint32_t o = 0; o < channels; o++, w += taps) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < taps; i++) {
                sum += w[i] * window[i];
            }
            acc[o] = sum;
        }
        if (layer->scale) {
            bnn_scale_row(layer->scale, channels, acc);
        }
        bnn_put_row(y, layer->y_format, t * channels, channels, acc);
    }
}
