/* Last layer, row by row: PReLU and batch normalisation, summed over time. */
#include "bnn_bits.h"
#include "bnn_stream.h"

/* The sum of no rows: y[c] = bias[c].   y  x->channels words */
void bnn_row_bias(const bnn_prelu_sum *layer, uint32_t *y)
{
    for (uint32_t c = 0; c < layer->x->channels; c++) {
        y[c] = (uint32_t)layer->bias[c];
    }
}

/* rise * v for v > 0, fall * v for v < 0. The sum of all rows fits int32, as the graph's checker proves; what
 * comes before it may wrap, so it is kept unsigned. */
static uint32_t slope(const bnn_prelu_sum *layer, uint32_t c, int32_t v)
{
    return (uint32_t)(int32_t)(v > 0 ? layer->rise[c] : layer->fall[c]) * (uint32_t)v;
}

/* y[c] += rise[c] * max(x[c], 0) + fall[c] * min(x[c], 0) for one row.
 *
 *   x  x->channels integers, int16, two to a word
 *   y  x->channels words, the int32 logits in the end; must not overlap x
 *
 * Defined by PReluSum in the simulator.
 */
void bnn_row_prelu_sum16(const bnn_prelu_sum *layer, const uint32_t *x, uint32_t *y)
{
    for (uint32_t c = 0; c < layer->x->channels; c++) {
        y[c] += slope(layer, c, bnn_int16_at(x, c));
    }
}

/* The same for a row of int32. Defined by PReluSum in the simulator. */
void bnn_row_prelu_sum32(const bnn_prelu_sum *layer, const uint32_t *x, uint32_t *y)
{
    for (uint32_t c = 0; c < layer->x->channels; c++) {
        y[c] += slope(layer, c, bnn_int32(x[c]));
    }
}
