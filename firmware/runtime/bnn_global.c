/* One value of a whole row or channel. */
#include "bnn_bits.h"
#include "bnn_integers.h"

/* The larger of two, or their sum. */
BNN_INLINE int32_t joined(int32_t a, int32_t b, uint32_t summing)
{
    return summing ? a + b : a > b ? a : b;
}

/* One value of each row. */
BNN_INLINE void over_channels(const bnn_global *layer, const void *x, uint32_t x_format, void *y, uint32_t y_format,
                              uint32_t summing, int32_t *row)
{
    const uint32_t channels = layer->x->channels;

    for (uint32_t t = 0; t < layer->y->length; t++) {
        bnn_get_row(x, x_format, t * channels, channels, row);
        int32_t all = row[0];
        for (uint32_t c = 1; c < channels; c++) {
            all = joined(all, row[c], summing);
        }
        bnn_put_row(y, y_format, t, 1u, &all);
    }
}

/* One value of each channel. */
BNN_INLINE void over_time(const bnn_global *layer, const void *x, uint32_t x_format, void *y, uint32_t y_format,
                          uint32_t summing, int32_t *row)
{
    const uint32_t channels = layer->x->channels;
    int32_t *const all = row + channels;

    bnn_get_row(x, x_format, 0u, channels, all);
    for (uint32_t t = 1; t < layer->x->length; t++) {
        bnn_get_row(x, x_format, t * channels, channels, row);
        for (uint32_t c = 0; c < channels; c++) {
            all[c] = joined(all[c], row[c], summing);
        }
    }
    bnn_put_row(y, y_format, 0u, layer->y->channels, all);
}

/* The largest of each row, axis 0, or of each channel, axis 1.
 *
 *   x        the map layer->x, int8
 *   y        the map layer->y, int8; must not overlap x
 *   scratch  2 * x->channels words
 *
 * Defined by GlobalMax in the simulator.
 */
void bnn_global_max(const bnn_global *layer, const int8_t *x, int8_t *y, uint32_t *scratch)
{
    if (layer->axis == 0u) {
        over_channels(layer, x, BNN_INT8, y, BNN_INT8, 0u, (int32_t *)scratch);
    } else {
        over_time(layer, x, BNN_INT8, y, BNN_INT8, 0u, (int32_t *)scratch);
    }
}

/* The sum, from int8, int16 or samples to int16 or int32.   Else as above. Defined by GlobalSum in the simulator. */
void bnn_global_sum(const bnn_global *layer, const void *x, void *y, uint32_t *scratch)
{
    if (layer->axis == 0u) {
        over_channels(layer, x, layer->x_format, y, layer->y_format, 1u, (int32_t *)scratch);
    } else {
        over_time(layer, x, layer->x_format, y, layer->y_format, 1u, (int32_t *)scratch);
    }
}
