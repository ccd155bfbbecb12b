/* Last layer: PReLU and batch normalisation, summed over time. */
#include "bnn_bits.h"

/* Logit of channel c. The graph's checker proves that it fits int32; what comes before it may wrap, so
 * it is kept unsigned. */
static int32_t logit(const bnn_prelu_sum *layer, uint32_t c, uint32_t up, uint32_t down)
{
    const uint32_t rise = (uint32_t)(int32_t)layer->rise[c];
    const uint32_t fall = (uint32_t)(int32_t)layer->fall[c];

    return bnn_int32(rise * up + fall * down + (uint32_t)layer->bias[c]);
}

/* y[c] = rise[c] * sum_t max(x[c, t], 0) + fall[c] * sum_t min(x[c, t], 0) + bias[c].
 *
 *   x  the map layer->x, int16, two to a word
 *   y  x->channels integers; must not overlap x
 *
 * Defined by PReluSum in the simulator.
 */
void bnn_prelu_sum16(const bnn_prelu_sum *layer, const uint32_t *x, int32_t *y)
{
    const uint32_t channels = layer->x->channels;

    for (uint32_t c = 0; c < channels; c++) {
        uint32_t up = 0;
        uint32_t down = 0;
        for (uint32_t t = 0; t < layer->x->length; t++) {
            const int32_t v = bnn_int16_at(x, t * channels + c);
            up += v > 0 ? (uint32_t)v : 0u;
            down += v < 0 ? (uint32_t)v : 0u;
        }
        y[c] = logit(layer, c, up, down);
    }
}

/* The same for a map of int32. Defined by PReluSum in the simulator. */
void bnn_prelu_sum32(const bnn_prelu_sum *layer, const int32_t *x, int32_t *y)
{
    const uint32_t channels = layer->x->channels;

    for (uint32_t c = 0; c < channels; c++) {
        uint32_t up = 0;
        uint32_t down = 0;
        for (uint32_t t = 0; t < layer->x->length; t++) {
            const int32_t v = x[t * channels + c];
            up += v > 0 ? (uint32_t)v : 0u;
            down += v < 0 ? (uint32_t)v : 0u;
        }
        y[c] = logit(layer, c, up, down);
    }
}
