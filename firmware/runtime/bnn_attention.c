/* Softmax attention over the time steps (tokens) of a map. */
#include "bnn_integers.h"

/* sum_c a[c] * b[c] */
static int32_t dot(const int8_t *a, const int8_t *b, uint32_t n)
{
    int32_t sum = 0;

    for (uint32_t c = 0; c < n; c++) {
        sum += a[c] * b[c];
    }
    return sum;
}

/* From scores to e[j] = exp[min(round((largest - s[j]) * m / 2^shift), last entry)]; returns their sum, at least 2^14. */
static uint32_t weigh(const bnn_attention *layer, int32_t *s, uint32_t n)
{
    const uint64_t half = ((uint64_t)1 << layer->shift) >> 1;
    int32_t largest = s[0];
    uint32_t total = 0;

    for (uint32_t j = 1; j < n; j++) {
        largest = s[j] > largest ? s[j] : largest;
    }
    for (uint32_t j = 0; j < n; j++) {
        const uint64_t place = ((uint64_t)(uint32_t)(largest - s[j]) * layer->m + half) >> layer->shift;
        s[j] = layer->exp[place < layer->entries ? (uint32_t)place : layer->entries - 1u];
        total += (uint32_t)s[j];
    }
    return total;
}

/* y[c, i] = round(sum_j e[i, j] * v[c, j] * (2^30 / S) / 2^30) for each head, S = sum_j e[i, j] and
 *
 *     s[i, j] = sum over the head's channels of q[c, i] * k[c, j]
 *     e[i, j] = exp[min(round((max_j s[i, j] - s[i, j]) * m / 2^shift), last entry)]
 *
 *   q, k, v  maps of int8 of the shape of layer->x
 *   y        the same; must not overlap them
 *   scratch  x->length words
 *
 * With at most 512 tokens sum e v stays below 2^30, and 2^30 / S at 2^16. Defined by Attention in the simulator.
 */
void bnn_attend(const bnn_attention *layer, const int8_t *q, const int8_t *k, const int8_t *v, int8_t *y,
                uint32_t *scratch)
{
    const uint32_t n = layer->x->length, d = layer->y->channels, of_head = d / layer->heads;
    int32_t *const e = (int32_t *)scratch;

    for (uint32_t head = 0; head < d; head += of_head) {
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t j = 0; j < n; j++) {
                e[j] = dot(q + i * d + head, k + j * d + head, of_head);
            }
            const int32_t inverse = (int32_t)((1u << 30) / weigh(layer, e, n));
            for (uint32_t c = head; c < head + of_head; c++) {
                int32_t mixed = 0;
                for (uint32_t j = 0; j < n; j++) {
                    mixed += e[j] * v[j * d + c];
                }
                y[i * d + c] = (int8_t)(((int64_t)mixed * inverse + (1 << 29)) >> 30);
            }
        }
    }
}
