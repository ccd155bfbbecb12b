/* From time-major bits to lanes and back. */
#include "bnn_lanes.h"

/* The map x in lanes.
 *
 *   x  the map layer->map
 *   y  the map layer->lanes with its margins; must not overlap x
 */
void bnn_lanes_pack(const bnn_lanes_copy *layer, const uint32_t *x, uint32_t *y)
{
    const bnn_lanes *to = layer->lanes;
    const uint32_t channels = to->channels;
    const uint32_t first = layer->map->margin * channels;

    for (uint32_t c = 0; c < channels; c++) {
        uint32_t *row = bnn_row(y, to, c);
        for (uint32_t i = 0; i < to->segment; i++) {
            uint32_t bits = 0;
            for (uint32_t j = bnn_steps_at(to, i); j-- > 0u;) {
                bits = bits << 1 | bnn_take(x, first + (j * to->segment + i) * channels + c, 1u);
            }
            row[to->margin + i] = bits;
        }
        bnn_close_row(row, to, c);
    }
    bnn_close_lanes(y, to);
}

/* The map x in time-major order.
 *
 *   x  the map layer->lanes
 *   y  the map layer->map with its margins; must not overlap x
 */
void bnn_lanes_unpack(const bnn_lanes_copy *layer, const uint32_t *x, uint32_t *y)
{
    const bnn_lanes *from = layer->lanes;
    bnn_writer out = bnn_open_map(y, layer->map);

    for (uint32_t j = 0; j * from->segment < from->length; j++) {
        const uint32_t left = from->length - j * from->segment;
        const uint32_t end = left < from->segment ? left : from->segment;
        for (uint32_t i = 0; i < end; i++) {
            const uint32_t *word = x + from->margin + i;
            for (uint32_t c = 0; c < from->channels; c++, word += from->row) {
                bnn_put(&out, (*word >> j) & 1u, 1u);
            }
        }
    }
    bnn_close_map(&out, layer->map);
}
