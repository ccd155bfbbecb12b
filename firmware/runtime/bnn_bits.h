/* Strings of bits inside the runtime: take them from anywhere, write them in order. Private to the kernels.
 *
 * What runs once a time step or less is a function, defined in bnn_bits.c, so that the kernels stay small.
 */
#ifndef BNN_BITS_H
#define BNN_BITS_H

#include "bnn_runtime.h"

/* Number of 1 bits in a word. The builtin is a library call where the target has no such instruction. */
#ifndef BNN_POPCOUNT
#if defined(__POPCNT__) || defined(__riscv_zbb)
#define BNN_POPCOUNT(v) ((uint32_t)__builtin_popcount(v))
#else
#define BNN_POPCOUNT(v) bnn_popcount(v)
#endif
#endif

/* Counts in pairs, in fours, in bytes; the product's top byte is the sum of the four bytes. */
static inline uint32_t bnn_popcount(uint32_t v)
{
    v = v - ((v >> 1) & 0x55555555u);
    v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
    v = (v + (v >> 4)) & 0x0F0F0F0Fu;
    return (v * 0x01010101u) >> 24;
}

/* Of functions that are to be compiled anew for the constants that they are called with, whatever the optimisation. */
#if defined(__GNUC__)
#define BNN_INLINE static inline __attribute__((always_inline))
#else
#define BNN_INLINE static inline
#endif

/* The lowest n bits set; n <= 32. */
static inline uint32_t bnn_ones(uint32_t n)
{
    return n < 32u ? (1u << n) - 1u : 0xFFFFFFFFu;
}

/* The n bits that begin at bit `first` of x, 1 <= n <= 32. Reads no word that holds none of them. */
static inline uint32_t bnn_take(const uint32_t *x, uint32_t first, uint32_t n)
{
    const uint32_t *word = x + first / 32u;
    const uint32_t shift = first % 32u;
    uint32_t bits = word[0] >> shift;

    if (shift + n > 32u) {
        bits |= word[1] << (32u - shift);
    }
    return bits & bnn_ones(n);
}

/* Copy the n bits that begin at bit `first` of x to the start of `out`, BNN_WORDS(n) words whose unused bits
 * become 0. Reads no word that holds none of the bits. */
void bnn_gather(const uint32_t *x, uint32_t first, uint32_t n, uint32_t *out);

/* Rows of n bits, each beginning at a word: `rows` itself where the packed rows do so already, else a copy
 * in `copy`, n_rows * BNN_WORDS(n) words. */
const uint32_t *bnn_aligned_rows(const uint32_t *rows, uint32_t n_rows, uint32_t n, uint32_t *copy);

/* Appends values to an array of words, low bits first. A word is stored when it is full. */
typedef struct {
    uint32_t *next;
    uint32_t word; /* not stored yet */
    uint32_t fill; /* bits of `word` in use, 0 to 31 */
} bnn_writer;

/* Begin a map at y, and write its first margin. */
bnn_writer bnn_open_map(uint32_t *y, const bnn_map *map);

/* Append the n lowest bits of `bits`, 1 <= n <= 32; the others must be 0. */
void bnn_put(bnn_writer *out, uint32_t bits, uint32_t n);

/* Write the second margin, and what is left in the last word. */
void bnn_close_map(bnn_writer *out, const bnn_map *map);

/* Element i of packed 16-bit integers, sign extended. */
static inline int32_t bnn_int16_at(const uint32_t *x, uint32_t i)
{
    const uint32_t half = (x[i / 2u] >> (16u * (i % 2u))) & 0xFFFFu;

    return (int32_t)(half ^ 0x8000u) - 0x8000;
}

/* What the mismatches of channel o must stay below: `limits` has one byte a channel, of more taps than BNN_ONE_BYTE_TAPS two. */
static inline uint32_t bnn_limit(const uint8_t *limits, uint32_t taps, uint32_t o)
{
    return taps > BNN_ONE_BYTE_TAPS ? limits[2u * o] | (uint32_t)limits[2u * o + 1u] << 8 : limits[o];
}

/* The int32 of the same bits: sums that may wrap on the way are kept unsigned. */
static inline int32_t bnn_int32(uint32_t v)
{
    return v <= 0x7FFFFFFFu ? (int32_t)v : -(int32_t)(~v) - 1;
}

#endif
