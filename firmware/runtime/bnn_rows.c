/* Rows of integers, from any format to int32 and back. Private to the kernels of bnn_integers.h. */
#include "bnn_bits.h"
#include "bnn_integers.h"

/* row[i] = element first + i of x, for i < n. */
void bnn_get_row(const void *x, uint32_t format, uint32_t first, uint32_t n, int32_t *row)
{
    if (format == BNN_INT8) {
        const int8_t *from = (const int8_t *)x + first;
        for (uint32_t i = 0; i < n; i++) {
            row[i] = from[i];
        }
    } else if (format == BNN_SAMPLES) {
        const int16_t *from = (const int16_t *)x + first;
        for (uint32_t i = 0; i < n; i++) {
            row[i] = from[i];
        }
    } else if (format == BNN_INT16) {
        for (uint32_t i = 0; i < n; i++) {
            row[i] = bnn_int16_at((const uint32_t *)x, first + i);
        }
    } else {
        const int32_t *from = (const int32_t *)x + first;
        for (uint32_t i = 0; i < n; i++) {
            row[i] = from[i];
        }
    }
}

/* The same where x has `size` elements and is 0 outside. A `first` before 0 is one that has wrapped. */
void bnn_get_window(const void *x, uint32_t format, uint32_t first, uint32_t n, uint32_t size, int32_t *row)
{
    if (first < size && n <= size - first) {
        bnn_get_row(x, format, first, n, row);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        row[i] = 0;
        if (first + i < size) {
            bnn_get_row(x, format, first + i, 1u, row + i);
        }
    }
}

/* Element first + i of y = row[i], for i < n. Integers of 16 bits are to be written in order, since two share a word. */
void bnn_put_row(void *y, uint32_t format, uint32_t first, uint32_t n, const int32_t *row)
{
    if (format == BNN_INT8) {
        int8_t *to = (int8_t *)y + first;
        for (uint32_t i = 0; i < n; i++) {
            to[i] = (int8_t)row[i];
        }
    } else if (format == BNN_INT16) {
        uint32_t *words = (uint32_t *)y;
        for (uint32_t i = first; i < first + n; i++) {
            const uint32_t half = (uint32_t)row[i - first] & 0xFFFFu;
            words[i / 2u] = i % 2u ? words[i / 2u] | half << 16 : half;
        }
    } else {
        int32_t *to = (int32_t *)y + first;
        for (uint32_t i = 0; i < n; i++) {
            to[i] = row[i];
        }
    }
}

static int32_t held(int32_t v, int32_t lo, int32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* row[c] = round((m[c] * row[c] + b[c]) / 2^shift), held between lo and hi, for c < n.   Scale in the simulator. */
void bnn_scale_row(const bnn_factors *factors, uint32_t n, int32_t *row)
{
    const int32_t half = (int32_t)((1u << factors->shift) >> 1);

    if (!factors->wide) {
        for (uint32_t c = 0; c < n; c++) {
            row[c] = held((factors->m[c] * row[c] + factors->b[c] + half) >> factors->shift, factors->lo, factors->hi);
        }
        return;
    }
    for (uint32_t c = 0; c < n; c++) {
        const int64_t v = ((int64_t)factors->m[c] * row[c] + factors->b[c] + half) >> factors->shift;
        row[c] = v < factors->lo ? factors->lo : v > factors->hi ? factors->hi : (int32_t)v;
    }
}
