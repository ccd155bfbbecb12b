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

#endif
