/* Layer norm of each time step (token). */
#include "bnn_integers.h"

/* floor(sqrt(n)) for n < 2^48, one bit of the root at a time. */
static uint32_t square_root(uint64_t n)
{
    uint64_t rest = n;
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 46; bit > 0u; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* y[c, t] = round((m[c] * q[c, t] + b[c]) / 2^shift), held within int8, where for the n channels of a step
 *
 *     std  = max(1, floor(sqrt(n * sum x^2 - (sum x)^2)))
 *     q[c] = (n * x[c] - sum x) * (2^27 / std) >> 17
 *
 *   x        the map layer->x, int8, int16 or samples, of at most 255 channels
 *   y        the map layer->y, int8; may begin where x begins, or before it
 *   scratch  x->channels words
 *
 * n * sum x^2 is at most 255^2 2^30 < 2^46. Defined by LayerNorm in the simulator.
 */
void bnn_norm_rows(const bnn_layer_norm *layer, const void *x, int8_t *y, uint32_t *scratch)
{
    const uint32_t channels = layer->x->channels, size = layer->y->length * channels;
    const int32_t n = (int32_t)channels;
    const int64_t half = ((int64_t)1 << layer->shift) >> 1;
    int32_t *const row = (int32_t *)scratch;

    for (uint32_t i = 0; i < size; i += channels) {
        int32_t sum = 0;
        uint64_t squares = 0;
        bnn_get_row(x, layer->x_format, i, channels, row);
        for (uint32_t c = 0; c < channels; c++) {
            sum += row[c];
            squares += (uint32_t)(row[c] * row[c]);
        }
        const uint32_t std = square_root(channels * squares - (uint64_t)((int64_t)sum * sum));
        const int32_t inverse = (int32_t)((1u << 27) / (std > 0u ? std : 1u));
        for (uint32_t c = 0; c < channels; c++) {
            const int64_t q = ((int64_t)(n * row[c] - sum) * inverse) >> 17;
            const int64_t v = (layer->m[c] * q + layer->b[c] + half) >> layer->shift;
            row[c] = v < -128 ? -128 : v > 127 ? 127 : (int32_t)v;
        }
        bnn_put_row(y, BNN_INT8, i, channels, row);
    }
}
