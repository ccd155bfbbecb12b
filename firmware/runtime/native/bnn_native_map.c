/* What is done window by window or element by element: statistics, pools, thresholds of integers, margins; and reading maps back. */
#include "bnn_native_count.h"

void bnn_native_window_stats(const int16_t *x, uint32_t length, uint32_t frac, uint32_t count, int32_t *stats)
{
    for (uint32_t w = 0; w < count; w++) {
        bnn_window_stats(x + (size_t)w * length, length, frac, stats + 2u * w);
    }
}

/* Fill the margins of a map of bits with its pad values, and its vectors of zeros. */
void bnn_native_close(const bnn_native_map *shape, bnn_vector *map)
{
    const uint32_t steps = shape->length + 2u * shape->margin;

    for (uint32_t t = 0; t < steps; t++) {
        bnn_vector *const row = map + (size_t)t * shape->row;
        if (t < shape->margin || t >= shape->margin + shape->length) {
            for (uint32_t c = 0; c < shape->channels; c++) {
                row[c] = bnn_native_all(shape->pad ? 0u - (uint64_t)(shape->pad[c / 8u] >> c % 8u & 1u) : ~(uint64_t)0);
            }
        }
        if (shape->row > shape->channels) {
            row[shape->channels] = bnn_native_all(0);
        }
    }
}

/* y[c, t] = or of x[c, t * stride + j] over j < kernel. y must not overlap x. Defined by OrPool in the simulator. */
void bnn_native_or_pool(const bnn_native_pool *layer, const bnn_vector *x, bnn_vector *y)
{
    const uint32_t row = layer->x->row;
    bnn_vector *to = bnn_native_begin(y, layer->y);

    x += (size_t)layer->x->margin * row;
    for (uint32_t t = 0; t < layer->y->length; t++, to += layer->y->row, x += (size_t)layer->stride * row) {
        for (uint32_t c = 0; c < layer->y->channels; c++) {
            bnn_vector any = x[c];
            for (uint32_t j = 1; j < layer->kernel; j++) {
                any |= x[j * row + c];
            }
            to[c] = any;
        }
    }
    bnn_native_close(layer->y, y);
}

/* y = a and not b. y must not overlap a or b. Defined by AndNot in the simulator. */
void bnn_native_and_not(const bnn_native_pair_map *layer, const bnn_vector *a, const bnn_vector *b, bnn_vector *y)
{
    bnn_vector *to = bnn_native_begin(y, layer->y);

    a += (size_t)layer->a->margin * layer->a->row;
    b += (size_t)layer->b->margin * layer->b->row;
    for (uint32_t t = 0; t < layer->y->length; t++, to += layer->y->row, a += layer->a->row, b += layer->b->row) {
        for (uint32_t c = 0; c < layer->y->channels; c++) {
            to[c] = a[c] & ~b[c];
        }
    }
    bnn_native_close(layer->y, y);
}

/* best = max(best, x) for numbers of n planes. */
static void take_larger(bnn_vector *best, const bnn_vector *x, uint32_t n)
{
    const bnn_vector all = bnn_native_all(~(uint64_t)0);
    bnn_vector larger = bnn_native_all(0);

    for (uint32_t p = 0; p < n; p++) { /* x > best, plane by plane; of the signs the 0 is the larger */
        const bnn_vector flip = p + 1u < n ? bnn_native_all(0) : all;
        larger = bnn_carry(x[p] ^ flip, ~(best[p] ^ flip), larger);
    }
    for (uint32_t p = 0; p < n; p++) {
        best[p] ^= (best[p] ^ x[p]) & larger;
    }
}

/* y[c, t] = max of x[c, t * stride + j] over j < kernel. y must not overlap x. Defined by MaxPool in the simulator. */
void bnn_native_max_pool16(const bnn_native_pool *layer, const bnn_vector *x, bnn_vector *y)
{
    const uint32_t n = layer->x->planes;
    const uint32_t row = layer->x->channels * n;

    for (uint32_t t = 0; t < layer->y->length; t++, x += (size_t)layer->stride * row) {
        for (uint32_t c = 0; c < layer->y->channels; c++, y += n) {
            for (uint32_t p = 0; p < n; p++) {
                y[p] = x[c * n + p];
            }
            for (uint32_t j = 1; j < layer->kernel; j++) {
                take_larger(y, x + j * row + c * n, n);
            }
        }
    }
}

/* y[c, t] = x[c, t] >= t[c]. y must not overlap x. Defined by Threshold, without statistics, in the simulator. */
void bnn_native_threshold16(const bnn_native_threshold *layer, const bnn_vector *x, bnn_vector *y)
{
    const uint32_t n = layer->x->planes;
    bnn_vector *to = bnn_native_begin(y, layer->y);

    for (uint32_t t = 0; t < layer->y->length; t++, to += layer->y->row) {
        for (uint32_t c = 0; c < layer->y->channels; c++, x += n) {
            const int32_t half = (int32_t)1 << (n - 1u);
            const int32_t least = layer->t[c] + half; /* counted from the least number that n planes hold */
            uint64_t bits[32];
            bnn_vector moved[32];
            if (least <= 0 || least >= 2 * half) {
                to[c] = bnn_native_all(least <= 0 ? ~(uint64_t)0 : 0u);
                continue;
            }
            bnn_native_spread((uint32_t)least, n, bits);
            for (uint32_t p = 0; p < n; p++) {
                moved[p] = p + 1u < n ? x[p] : ~x[p];
            }
            to[c] = bnn_native_reaches(moved, n, bits);
        }
    }
    bnn_native_close(layer->y, y);
}

/* Bit `window` of a vector. */
static uint32_t bit_of(const bnn_vector *v, uint32_t window)
{
    return (uint32_t)((*v)[window / 64u] >> window % 64u) & 1u;
}

void bnn_native_show_bits(const bnn_native_map *shape, const bnn_vector *map, size_t first, uint32_t count, uint8_t *out)
{
    const bnn_vector *x = map + (size_t)shape->margin * shape->row;

    out += first * shape->channels * shape->length;
    for (uint32_t w = 0; w < count; w++) {
        for (uint32_t c = 0; c < shape->channels; c++) {
            for (uint32_t t = 0; t < shape->length; t++) {
                *out++ = (uint8_t)bit_of(x + (size_t)t * shape->row + c, w);
            }
        }
    }
}

void bnn_native_show_integers(const bnn_native_map *shape, const bnn_vector *map, size_t first, uint32_t count, int16_t *out)
{
    out += first * shape->channels * shape->length;
    for (uint32_t w = 0; w < count; w++) {
        for (uint32_t c = 0; c < shape->channels; c++) {
            for (uint32_t t = 0; t < shape->length; t++) {
                const bnn_vector *const x = map + ((size_t)t * shape->channels + c) * shape->planes;
                int32_t value = 0;
                for (uint32_t p = 0; p < shape->planes; p++) {
                    const int32_t weight = (int32_t)1 << p;
                    value += (int32_t)bit_of(x + p, w) * (p + 1u < shape->planes ? weight : -weight);
                }
                *out++ = (int16_t)value;
            }
        }
    }
}

void bnn_native_show_words(const int32_t *words, size_t first, uint32_t count, uint32_t n, int32_t *out)
{
    for (size_t i = 0; i < (size_t)count * n; i++) {
        out[first * n + i] = words[i];
    }
}
