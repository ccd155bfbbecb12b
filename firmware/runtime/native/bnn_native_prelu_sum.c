/* The last layer: sums over time in bit planes, then integers. */
#include "bnn_native_count.h"

#define SUM_PLANES 32u

/* sum += the n planes of x where `mask` has a bit set, the last of them a sign; modulo 2^32. */
static void add_masked(bnn_vector *sum, const bnn_vector *x, uint32_t n, bnn_vector mask, uint32_t planes)
{
    bnn_vector carry = bnn_native_all(0);

    for (uint32_t p = 0; p < planes; p++) {
        const bnn_vector a = sum[p], b = x[p < n ? p : n - 1u] & mask;
        sum[p] = bnn_odd(a, b, carry);
        carry = bnn_carry(a, b, carry);
    }
}

/* value[w] of 64 windows from the word `word` of the planes, the last of them a sign. */
static void integers_of(const bnn_vector *sum, uint32_t planes, uint32_t word, uint32_t *value)
{
    for (uint32_t w = 0; w < 64u; w++) {
        value[w] = 0u;
    }
    for (uint32_t p = 0; p < planes; p++) {
        const uint64_t plane = sum[p][word];
        const uint32_t weight = p + 1u < planes ? (uint32_t)1 << p : 0u - ((uint32_t)1 << p);
        for (uint32_t w = 0; w < 64u; w++) {
            value[w] += (uint32_t)(plane >> w & 1u) * weight;
        }
    }
}

/* Planes of a sum of `length` numbers of n planes. */
static uint32_t planes_of(uint32_t n, uint32_t length)
{
    while (length > 1u && n < SUM_PLANES) {
        n++;
        length = (length + 1u) / 2u;
    }
    return n;
}

/* logits[w, c] = rise[c] * sum max(x[c, t], 0) + fall[c] * sum min(x[c, t], 0) + bias[c] of the first `count` windows, modulo 2^32.
 * Defined by PReluSum in the simulator.
 */
void bnn_native_prelu_sum16(const bnn_native_prelu_sum *layer, const bnn_vector *x, uint32_t count, int32_t *logits)
{
    const uint32_t n = layer->x->planes;
    const uint32_t channels = layer->x->channels;
    const uint32_t planes = planes_of(n, layer->x->length);

    for (uint32_t c = 0; c < channels; c++) {
        bnn_vector up[SUM_PLANES] = {{0}}, down[SUM_PLANES] = {{0}};
        for (uint32_t t = 0; t < layer->x->length; t++) {
            const bnn_vector *const number = x + ((size_t)t * channels + c) * n;
            add_masked(up, number, n, ~number[n - 1u], planes);
            add_masked(down, number, n, number[n - 1u], planes);
        }
        for (uint32_t first = 0; first < count; first += 64u) {
            uint32_t high[64], low[64];
            integers_of(up, planes, first / 64u, high);
            integers_of(down, planes, first / 64u, low);
            for (uint32_t w = 0; w < 64u && first + w < count; w++) {
                const uint32_t value = (uint32_t)layer->rise[c] * high[w] + (uint32_t)layer->fall[c] * low[w];
                logits[(size_t)(first + w) * channels + c] = (int32_t)(value + (uint32_t)layer->bias[c]);
            }
        }
    }
}
