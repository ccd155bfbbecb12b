/* One value of a whole row or channel. */
#include "bnn_integers.h"

/* The larger of two, or their sum. */
static int32_t joined(int32_t a, int32_t b, uint32_t summing)
{
    return summing ? a + b : a > b ? a : b;
}

static void reduce(const bnn_global *layer, const void *x, uint32_t x_format, void *y, uint32_t y_format,
                   uint32_t summing, uint32_t *scratch)
{
    const uint32_t channels = layer->x->channels;
    int32_t *const row = (int32_t *)scratch;
    int32_t *const all = row + channels;

    for (uint32_t t = 0; t < layer->x->length; t++) {
        bnn_get_row(x, x_format, t * channels, channels, t > 0u ? row : all);
        if (layer->axis == 0u) {
            int32_t *const of = t > 0u ? row : all;
            for (uint32_t c = 1; c < channels; c++) {
                of[0] = joined(of[0], of[c], summing);
            }
            bnn_put_row(y, y_format, t, 1u, of);
        } else if (t > 0u) {
            for (uint32_t c = 0; c < channels; c++) {
                all[c] = joined(all[c], row[c], summing);
            }
        }
    }
    if (layer->axis == 1u) {
        bnn_put_row(y, y_format, 0u, layer->y->channels, all);
    }
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
    reduce(layer, x, BNN_INT8, y, BNN_INT8, 0u, scratch);
}

/* The sum, from int8, int16 or samples to int16 or int32.   Else as above. Defined by GlobalSum in the simulator. */
void bnn_global_sum(const bnn_global *layer, const void *x, void *y, uint32_t *scratch)
{
    reduce(layer, x, layer->x_format, y, layer->y_format, 1u, scratch);
}
