/* Maps in lanes, word by word: pooling, and bits of one map without those of another. */
#include "bnn_lanes.h"

/* OR of n words of a row from word `first` on, first < segment. */
static uint32_t any(const uint32_t *row, uint32_t first, uint32_t n, uint32_t segment)
{
    const uint32_t *word = row + first;
    uint32_t ready = segment - first < n ? segment - first : n;
    uint32_t bits = 0;

    for (uint32_t lane = 0; n > 0u && lane < 32u; lane++, word = row) {
        uint32_t part = 0;
        n -= ready;
        for (; ready >= 2u; ready -= 2u, word += 2) {
            part |= word[0] | word[1];
        }
        bits |= (ready > 0u ? part | word[0] : part) >> lane;
        ready = segment < n ? segment : n;
    }
    return bits;
}

/* y[c, t] = OR_j x[c, t * stride + j], j < kernel.
 *
 * With x->segment = stride * y->segment, step j * y->segment + i of y begins at step j * x->segment + stride * i of x: the
 * same lane. So word i of y is the OR of `kernel` words of x from stride * i on; beyond the segment, word n of x is
 * word n - segment with each lane one lower. What that brings into lane 31 lies at or beyond 32 * segment >= x->length, where
 * no step of y looks.
 *
 *   x  the map layer->x
 *   y  the map layer->y with its margins. It may overlap x where row c of y, for all c, ends before row c of x begins
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
            row[layer->y->margin + i] = any(in, first, kernel, from->segment);
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
