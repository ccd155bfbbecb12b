/* Maps in lanes, word by word: pooling, and bits of one map without those of another. */
#include "bnn_lanes.h"

/* y[c, t] = OR_j x[c, t * stride + j], j < kernel.
 *
 * With x->segment = stride * y->segment, step j * y->segment + i of y begins at step j * x->segment + stride * i of x: the
 * same lane. So word i of y is the OR of `kernel` words of x from stride * i on; beyond the segment, word n of x is
 * word n - segment with each lane one lower. What that brings into lane 31 lies at or beyond 32 * segment >= x->length, where
 * no step of y looks.
 *
 *   x  the map layer->x
 *   y  the map layer->y with its margins; must not overlap x
 *
 * Defined by OrPool in the simulator.
 */
void bnn_lanes_or_pool(const bnn_lanes_pool *layer, const uint32_t *x, uint32_t *y)
{
    const bnn_lanes *from = layer->x;
    const uint32_t kernel = layer->kernel;

    for (uint32_t c = 0; c < layer->y->channels; c++) {
        uint32_t *row = bnn_row(y, layer->y, c);
        const uint32_t *in = x + c * from->row + from->margin;
        for (uint32_t i = 0, first = 0; i < layer->y->segment; i++, first += layer->stride) {
            uint32_t bits = 0;
            uint32_t n = first;
            const uint32_t end = first + kernel < from->segment ? first + kernel : from->segment;
            for (; n < end; n++) {
                bits |= in[n];
            }
            for (uint32_t lane = 1; n < first + kernel; lane++) {
                for (uint32_t k = 0; k < from->segment && n < first + kernel; k++, n++) {
                    bits |= lane < 32u ? in[k] >> lane : 0u;
                }
            }
            row[layer->y->margin + i] = bits;
        }
        bnn_close_row(row, layer->y, c);
    }
    bnn_close_lanes(y, layer->y);
}

/* y = a and not b, bit by bit.
 *
 *   a, b  the maps layer->a and layer->b
 *   y     the map layer->y with its margins; of the shape and segment of a and b, though margins may differ.
 *         May overlap neither
 *
 * Defined by AndNot in the simulator.
 */
void bnn_lanes_and_not(const bnn_lanes_pair *layer, const uint32_t *a, const uint32_t *b, uint32_t *y)
{
    for (uint32_t c = 0; c < layer->y->channels; c++) {
        uint32_t *row = bnn_row(y, layer->y, c);
        const uint32_t *left = a + c * layer->a->row + layer->a->margin;
        const uint32_t *right = b + c * layer->b->row + layer->b->margin;
        for (uint32_t i = 0; i < layer->y->segment; i++) {
            row[layer->y->margin + i] = left[i] & ~right[i];
        }
        bnn_close_row(row, layer->y, c);
    }
    bnn_close_lanes(y, layer->y);
}
