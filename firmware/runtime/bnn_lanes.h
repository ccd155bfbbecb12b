/* Maps in lanes inside the runtime: rows, counters of words, windows of words. Private to the kernels.
 *
 * A word of a map in lanes holds 32 time steps of one channel, L = segment steps apart: word i of a row, counted
 * from its margin, has in bit j the step j * L + i. So one step later in time is the next word, and neither a convolution nor a
 * pool shifts bits; what pools with stride s into segments of L / s steps only takes every s-th word.
 */
#ifndef BNN_LANES_H
#define BNN_LANES_H

#include "bnn_bits.h"

/* Number of the lowest set bit of v > 0, on cores that count zeros. Elsewhere the builtin is a library call. */
#if defined(__GNUC__) && (defined(__ARM_FEATURE_CLZ) || defined(__x86_64__) || defined(__aarch64__))
#define BNN_LOWEST(v) ((uint32_t)__builtin_ctz(v))
#endif

/* Offsets in scratch memory, two to a word of it. */
#if defined(__GNUC__)
typedef uint16_t __attribute__((__may_alias__)) bnn_offset;
#else
typedef uint16_t bnn_offset;
#endif

/* Row c of a map. */
static inline uint32_t *bnn_row(uint32_t *y, const bnn_lanes *map, uint32_t c)
{
    return y + c * map->row;
}

/* Steps of time in word i, 0 <= i < segment: as many as there are lanes j with j * segment + i < length. */
static inline uint32_t bnn_steps_at(const bnn_lanes *map, uint32_t i)
{
    return (uint32_t)map->full - (i >= map->longer);
}

/* The bits of a row's words 0 .. segment - 1 are there: fill what lies outside the map, in lanes and in margins, with the
 * pad value of its channel. */
void bnn_close_row(uint32_t *row, const bnn_lanes *map, uint32_t channel);

/* The row of zeros behind the last channel, where the map has one. */
void bnn_close_lanes(uint32_t *y, const bnn_lanes *map);

/* Add 4 * quads words to counters, one a bit position: the words base[list[0]] .. base[list[4 * quads - 1]].
 *
 *     to(j) = from(j) + number of the words that have bit j set
 *
 *   from, to  counter(j) = sum_p bit j of plane p * 2^p, p < n; n is even and at least 4. Sums beyond 2^n - 1 wrap. `to` may be `from`.
 *             The word before `from` is read, and does not matter
 */
void bnn_count(const uint32_t *base, const bnn_offset *list, uint32_t quads, const uint32_t *from, uint32_t *to, uint32_t n);

/* One of the lists of two output channels. */
typedef struct {
    uint32_t quads;
    uint32_t *row;  /* a word a position: where the counters are at least the bound. NULL: the next lists go on from these counters */
    uint32_t bound; /* of 2 * counter + bit of the lowest plane */
    uint32_t flip;  /* all 1: the words are inverted */
} bnn_part;

/* What two output channels count: a list for both, then one for each. */
typedef struct {
    const bnn_offset *list; /* all of them, one after the other */
    uint32_t parts;
    bnn_part part[3];
} bnn_lists;

/* The counters of two output channels at positions one after the other, as bnn_count() counts.
 *
 *   base    of the first position; that of the next is one word on
 *   start   for each position, the lowest plane, which no word changes, and the n planes with which the first list begins
 *   planes  n words for every part without a row, which its counters at the last position remain in, and n for the others
 */
void bnn_count_lists(const bnn_lists *lists, const uint32_t *base, uint32_t positions, const uint32_t *start, uint32_t *planes, uint32_t n);

#endif
