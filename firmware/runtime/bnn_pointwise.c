/* What is done to each value of a map on its own. */
#include "bnn_integers.h"

/* y[c, t] = round((m[c] * x[c, t] + b[c]) / 2^shift), held between lo and hi.
 *
 *   x        the map layer->x, of any format
 *   y        the map layer->y, int8; may begin where x begins, or before it
 *   scratch  x->channels words
 *
 * Defined by Scale in the simulator.
 */
void bnn_scale_map(const bnn_scale *layer, const void *x, int8_t *y, uint32_t *scratch)
{
    const uint32_t channels = layer->x->channels, size = layer->y->length * channels;
    int32_t *const row = (int32_t *)scratch;

    for (uint32_t i = 0; i < size; i += channels) {
        bnn_get_row(x, layer->x_format, i, channels, row);
        bnn_scale_row(&layer->factors, channels, row);
        bnn_put_row(y, BNN_INT8, i, channels, row);
    }
}

/* y = values[x + 128].   x, y  maps of int8; y may begin where x begins, or before it. Table in the simulator. */
void bnn_look_up(const bnn_table *layer, const int8_t *x, int8_t *y)
{
    const uint32_t size = layer->x->length * layer->y->channels;

    for (uint32_t i = 0; i < size; i++) {
        y[i] = layer->values[x[i] + 128];
    }
}

/* y[c, t] = round(x[c, t] * g[c, t] / 2^shift), held within int8.
 *
 *   x  the map layer->x
 *   g  the map layer->g; where it has one channel or one step, that one serves all
 *   y  the map layer->y; may begin where x begins, or before it; must not overlap g
 *
 * Defined by Multiply in the simulator.
 */
void bnn_multiply_maps(const bnn_multiply *layer, const int8_t *x, const int8_t *g, int8_t *y)
{
    const uint32_t channels = layer->x->channels;
    const uint32_t next = layer->g->channels > 1u ? 1u : 0u, next_row = layer->g->length > 1u ? layer->g->channels : 0u;
    const int32_t half = (1 << layer->shift) >> 1;

    for (uint32_t t = 0; t < layer->y->length; t++, g += next_row) {
        for (uint32_t c = 0; c < channels; c++) {
            const int32_t v = (*x++ * g[c * next] + half) >> layer->shift;
            *y++ = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
        }
    }
}

/* y = a * 2^left_a + b * 2^left_b.
 *
 *   a, b     maps of one shape, int8, int16 or samples
 *   y        the map layer->y, int16 or int32; must not overlap a or b
 *   scratch  2 * y->channels words
 *
 * Defined by Add in the simulator.
 */
void bnn_add_maps(const bnn_add *layer, const void *a, const void *b, void *y, uint32_t *scratch)
{
    const uint32_t channels = layer->a->channels, size = layer->b->length * layer->y->channels;
    int32_t *const row = (int32_t *)scratch;
    int32_t *const other = row + channels;

    for (uint32_t i = 0; i < size; i += channels) {
        bnn_get_row(a, layer->a_format, i, channels, row);
        bnn_get_row(b, layer->b_format, i, channels, other);
        for (uint32_t c = 0; c < channels; c++) {
            row[c] = row[c] * (1 << layer->left_a) + other[c] * (1 << layer->left_b);
        }
        bnn_put_row(y, layer->y_format, i, channels, row);
    }
}
