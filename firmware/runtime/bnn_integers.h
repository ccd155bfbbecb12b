/* Ops on integers that are not bits: gates, attention and what lies between them.
 *
 * A map of integers has one of the formats below, without margins; time-major, as bnn_runtime.h describes. Kernels turn
 * a row, one time step, into int32 and back, so that each takes every format that its op admits. A right shift of a
 * negative integer is arithmetic, as with every compiler for these cores.
 */
#ifndef BNN_INTEGERS_H
#define BNN_INTEGERS_H

#include "bnn_runtime.h"

/* How the elements of a map lie. */
#define BNN_SAMPLES 0u /* a signal, the caller's array of int16_t */
#define BNN_INT8 1u    /* an array of int8_t */
#define BNN_INT16 2u   /* two to a word, low half first */
#define BNN_INT32 3u   /* an array of int32_t */

/* y = round((m[c] * x + b[c]) / 2^shift), held between lo and hi. */
typedef struct {
    const int16_t *m;
    const int32_t *b;
    uint8_t shift; /* 0 to 31 */
    uint8_t wide;  /* 1: m x + b + half a unit may exceed 32 bits */
    int8_t lo, hi;
} bnn_factors;

/* Convolution of integers by weights -1 and +1. */
typedef struct {
    const bnn_map *x, *y;
    const uint32_t *weights;  /* tap (c, k) of a channel is its bit k * x->channels + c. For every 32 taps of a block a word of
                               * each channel, and then those of the next block; unused bits are 0 */
    const bnn_factors *scale; /* NULL: the accumulators are the output */
    uint16_t kernel, stride, pad;
    uint16_t block; /* taps: all, or a multiple of 32 */
    uint16_t sums;  /* words of scratch for the tables of a block */
    uint8_t shared; /* 1: of steps one after the other, whose windows are apart by a multiple of 4 less than a block */
    uint8_t x_format, y_format;
} bnn_sign_conv;

/* The same by weights of 8 bits. */
typedef struct {
    const bnn_map *x, *y;
    const int8_t *weights; /* y->channels rows, tap (c, k) at k * x->channels + c */
    const bnn_factors *scale;
    uint16_t kernel, stride, pad;
    uint8_t x_format, y_format;
} bnn_int_conv;

typedef struct {
    const bnn_map *x, *y;
    bnn_factors factors;
    uint8_t x_format;
} bnn_scale;

typedef struct {
    const bnn_map *x, *y;
    const int8_t *values; /* 256 */
} bnn_table;

typedef struct {
    const bnn_map *x, *g, *y;
    uint8_t shift; /* 0 to 15 */
} bnn_multiply;

typedef struct {
    const bnn_map *a, *b, *y;
    uint8_t left_a, left_b; /* 0 to 15 */
    uint8_t a_format, b_format, y_format;
} bnn_add;

/* One value of each row, axis 0, or of each channel, axis 1. */
typedef struct {
    const bnn_map *x, *y;
    uint8_t axis, x_format, y_format;
} bnn_global;

/* Maps one after the other: their channels, axis 0, or their time steps, axis 1. */
typedef struct {
    const bnn_map *const *x; /* `parts` of them */
    const bnn_map *y;
    uint16_t parts;
    uint16_t axis;
} bnn_concat;

typedef struct {
    const bnn_map *x, *y;
    const int16_t *exp; /* entries of them, from 2^14 down */
    uint16_t entries, heads;
    uint16_t m;    /* 1 to 32767 */
    uint8_t shift; /* 0 to 31 */
} bnn_attention;

typedef struct {
    const bnn_map *x, *y;
    const int16_t *m;
    const int32_t *b; /* at most 2^30 */
    uint8_t shift;    /* 0 to 31 */
    uint8_t x_format;
} bnn_layer_norm;

/* Each is described where it is defined. */

/* bnn_rows.c, which the kernels share */
void bnn_get_row(const void *x, uint32_t format, uint32_t first, uint32_t n, int32_t *row);
void bnn_get_window(const void *x, uint32_t format, uint32_t first, uint32_t n, uint32_t size, int32_t *row);
void bnn_put_row(void *y, uint32_t format, uint32_t first, uint32_t n, const int32_t *row);
void bnn_scale_row(const bnn_factors *factors, uint32_t n, int32_t *row);

/* bnn_sign_conv.c, bnn_int_conv.c */
void bnn_sign_convolve(const bnn_sign_conv *layer, const void *x, void *y, uint32_t *scratch);
void bnn_int_convolve(const bnn_int_conv *layer, const void *x, void *y, uint32_t *scratch);

/* bnn_pointwise.c */
void bnn_scale_map(const bnn_scale *layer, const void *x, int8_t *y, uint32_t *scratch);
void bnn_look_up(const bnn_table *layer, const int8_t *x, int8_t *y);
void bnn_multiply_maps(const bnn_multiply *layer, const int8_t *x, const int8_t *g, int8_t *y);
void bnn_add_maps(const bnn_add *layer, const void *a, const void *b, void *y, uint32_t *scratch);

/* bnn_global.c */
void bnn_global_max(const bnn_global *layer, const int8_t *x, int8_t *y, uint32_t *scratch);
void bnn_global_sum(const bnn_global *layer, const void *x, void *y, uint32_t *scratch);

/* bnn_concat.c */
void bnn_concat_int8(const bnn_concat *layer, const int8_t *const *x, int8_t *y);
void bnn_concat_bits(const bnn_concat *layer, const uint32_t *const *x, uint32_t *y);

/* bnn_attention.c, bnn_layer_norm.c */
void bnn_attend(const bnn_attention *layer, const int8_t *q, const int8_t *k, const int8_t *v, int8_t *y,
                uint32_t *scratch);
void bnn_norm_rows(const bnn_layer_norm *layer, const void *x, int8_t *y, uint32_t *scratch);

/* bnn_int8.c */
void bnn_max_pool8(const bnn_pool *layer, const int8_t *x, int8_t *y);
void bnn_threshold8(const bnn_threshold *layer, const int8_t *x, uint32_t *y);

#endif
