/* Maps one after the other. */
#include "bnn_bits.h"
#include "bnn_integers.h"

/* Elements that a part gives in one go, and how often: all of it where time steps follow each other, else a row. */
static uint32_t width(const bnn_concat *layer, const bnn_map *x)
{
    return layer->axis == 1u ? x->length * x->channels : x->channels;
}

static uint32_t rounds(const bnn_concat *layer)
{
    return layer->axis == 1u ? 1u : layer->y->length;
}

/* y = the parts x[0], x[1] and on, joined along the axis.
 *
 *   x  layer->parts maps of int8
 *   y  the map layer->y, int8; must not overlap them
 *
 * Defined by Concat in the simulator.
 */
void bnn_concat_int8(const bnn_concat *layer, const int8_t *const *x, int8_t *y)
{
    for (uint32_t t = 0; t < rounds(layer); t++) {
        for (uint32_t p = 0; p < layer->parts; p++) {
            const uint32_t n = width(layer, layer->x[p]);
            for (uint32_t i = 0; i < n; i++) {
                *y++ = x[p][t * n + i];
            }
        }
    }
}

/* The same for bits: maps with their margins. Of one part along time it is a copy, which may have other channels: a
 * Reshape. Defined by Concat and Reshape in the simulator. */
void bnn_concat_bits(const bnn_concat *layer, const uint32_t *const *x, uint32_t *y)
{
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t t = 0; t < rounds(layer); t++) {
        for (uint32_t p = 0; p < layer->parts; p++) {
            const bnn_map *map = layer->x[p];
            const uint32_t size = width(layer, map), first = (uint32_t)map->margin * map->channels + t * size;
            for (uint32_t i = 0; i < size; i += 32u) {
                const uint32_t n = size - i < 32u ? size - i : 32u;
                bnn_put(&out, bnn_take(x[p], first + i, n), n);
            }
        }
    }
    bnn_close_map(&out, layer->y);
}
