/* Counting in vectors, where a core has them. Private to the kernels. */
#ifndef BNN_LANES_VECTORS_H
#define BNN_LANES_VECTORS_H

#include "bnn_lanes.h"

/* Vectors of 128 bits in registers; a build for another machine may ask for them, too, as a test does. */
#if defined(__GNUC__) && defined(__ARM_FEATURE_MVE) && !defined(BNN_VECTORS)
#define BNN_VECTORS 1
#endif

/* Of a kernel: taps, at least so many that vectors stay inside the map. */
#define BNN_VECTOR_TAPS 4u

/* As bnn_count_lists(), for a list without a row and two with one, and n <= 16.
 *
 *   base   words that follow those of the positions, up to three, are read from every row
 *   start  (n + 1) * 3 words that follow it are read, too
 */
void bnn_count_vectors(const bnn_lists *lists, const uint32_t *base, uint32_t positions, const uint32_t *start, uint32_t n);

/* Samples of a first layer, at most, that the two functions below take: offsets fit 16 bits. */
#define BNN_VECTOR_SAMPLES 0x7FFF

/* Sums of 7 taps, in two groups, at 32 positions, `step` samples apart; the kernel of the first begins at x[at].
 *
 *   last  offset of the last kernel that lies in the samples; one before the first or behind the last counts some others
 *   sums  192 words
 *
 * |at| + 32 * step is at most BNN_VECTOR_SAMPLES.
 */
void bnn_sum_taps(const int16_t *x, int32_t at, int32_t step, int32_t last, uint32_t *sums);

/* The word that says where sum `low` of the first group plus, or minus where `minus` is 1, sum `high` of the second is at least a bound,
 * and less than 2^15 more; `least` is that bound less 2^15. */
uint32_t bnn_decide_sums(const uint32_t *sums, uint32_t low, uint32_t high, uint32_t minus, uint32_t least);

#endif
