/* Thresholds of integers that are stored, after pooling for example. */
#include "bnn_bits.h"

/* y[c, t] = x[c, t] >= t[c].
 *
 *   x  the map layer->x, int16, two to a word
 *   y  the map layer->y with its margins; must not overlap x
 *
 * The bounds are not scaled. Defined by Threshold in the simulator.
 */
void bnn_threshold16(const bnn_threshold *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t channels = layer->y->channels;
    bnn_writer out = bnn_open_map(y, layer->y);
    uint32_t i = 0;

    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c++, i++) {
            bnn_put(&out, bnn_int16_at(x, i) >= layer->bounds.t[c], 1u);
        }
    }
    bnn_close_map(&out, layer->y);
}

/* y[c, t] = x[c, t] >= bound[c], bounds as bnn_resolve_bounds() makes them.
 *
 *   x            the map layer->x, int32
 *   bound_stats  [mean, std] of the window; not read where the bounds are not scaled
 *   y            the map layer->y with its margins; must not overlap x
 *   scratch      y->channels words
 *
 * Defined by Threshold in the simulator.
 */
void bnn_threshold32(const bnn_threshold *layer, const int32_t *x, const int32_t *bound_stats, uint32_t *y,
                     uint32_t *scratch)
{
    const uint32_t channels = layer->y->channels;
    int32_t *bound = (int32_t *)scratch;
    bnn_writer out = bnn_open_map(y, layer->y);

    bnn_resolve_bounds(&layer->bounds, channels, bound_stats, bound);
    for (uint32_t t = 0; t < layer->y->length; t++) {
        for (uint32_t c = 0; c < channels; c++) {
            bnn_put(&out, *x++ >= bound[c], 1u);
        }
    }
    bnn_close_map(&out, layer->y);
}
