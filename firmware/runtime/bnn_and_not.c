/* Bits of one map without those of another. */
#include "bnn_bits.h"

/* y = a and not b, bit by bit.
 *
 *   a, b  the maps layer->a and layer->b
 *   y     the map layer->y with its margins; of the shape of a and b, though margins may differ.
 *         May overlap neither
 *
 * Defined by AndNot in the simulator.
 */
void bnn_and_not(const bnn_pair *layer, const uint32_t *a, const uint32_t *b, uint32_t *y)
{
    const uint32_t channels = layer->y->channels;
    const uint32_t bits = layer->y->length * channels;
    const uint32_t first_a = layer->a->margin * channels;
    const uint32_t first_b = layer->b->margin * channels;
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t i = 0; i < bits; i += 32u) {
        const uint32_t n = bits - i < 32u ? bits - i : 32u;
        bnn_put(&out, bnn_take(a, first_a + i, n) & ~bnn_take(b, first_b + i, n), n);
    }
    bnn_close_map(&out, layer->y);
}
