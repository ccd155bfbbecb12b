/* The first layer in vectors of eight positions: see bnn_lanes_signal.c, whose sums and bounds these are.
 *
 * Where samples lie near their mean, sums fit 16 bits, modulo 2^16, and position j of 32 is lane j / 4 of vector j % 4. A vector less its
 * bound has the answers in its lanes' highest bits. Shifted in from above, those of the four vectors end as the four highest bits of a lane,
 * in the order of positions, so that the lanes one after the other are the word.
 */
#include "bnn_lanes_vectors.h"

#ifdef BNN_VECTORS

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

#define TAPS 7u
#define PARTS 4u /* vectors of 32 positions */
#define LOW 8u   /* sums of taps 0 to 3, up to sign */

typedef uint16_t __attribute__((__vector_size__(16))) vector;
typedef int16_t __attribute__((__vector_size__(16))) offsets;
typedef uint32_t __attribute__((__vector_size__(16))) quads;
typedef uint16_t __attribute__((__vector_size__(16), __aligned__(4), __may_alias__)) halves; /* in memory, at any word */

BNN_INLINE vector gather(const int16_t *x, offsets at)
{
#if defined(__ARM_FEATURE_MVE)
    return (vector)vldrhq_gather_shifted_offset_s16(x, (uint16x8_t)at);
#else
    vector v;
    for (uint32_t i = 0; i < 8u; i++) {
        v[i] = (uint16_t)x[at[i]];
    }
    return v;
#endif
}

/* Offsets of eight positions, 4 * step apart, moved to between 0 and `last`. */
BNN_INLINE offsets inside(int32_t at, int32_t step, int32_t last)
{
    const offsets lane = {0, 4, 8, 12, 16, 20, 24, 28};
    const offsets v = lane * (int16_t)step + (int16_t)at;
    const offsets below = v < 0;
    const offsets above = v > (int16_t)last;

    return (v & ~below & ~above) | (above & (int16_t)last);
}

BNN_INLINE void put(uint32_t *sums, uint32_t number, vector v)
{
    *(halves *)(sums + number * 4u * PARTS) = v;
}

void bnn_sum_taps(const int16_t *x, int32_t at, int32_t step, int32_t last, uint32_t *sums)
{
    for (uint32_t part = 0; part < PARTS; part++, at += step, sums += 4) {
        const offsets where = inside(at, step, last);
        vector tap[TAPS];
        for (uint32_t k = 0; k < TAPS; k++) {
            tap[k] = gather(x + k, where);
        }
        const vector plus = tap[0] + tap[1];
        const vector minus = tap[0] - tap[1];
        const vector up = tap[2] + tap[3];
        const vector down = tap[2] - tap[3];
        put(sums, 0u, minus - up);
        put(sums, 1u, plus - up);
        put(sums, 2u, minus + down);
        put(sums, 3u, plus + down);
        put(sums, 4u, minus - down);
        put(sums, 5u, plus - down);
        put(sums, 6u, minus + up);
        put(sums, 7u, plus + up);
        put(sums, LOW, tap[4] - tap[5] - tap[6]);
        put(sums, LOW + 1u, tap[4] + tap[5] - tap[6]);
        put(sums, LOW + 2u, tap[4] - tap[5] + tap[6]);
        put(sums, LOW + 3u, tap[4] + tap[5] + tap[6]);
    }
}

uint32_t bnn_decide_sums(const uint32_t *sums, uint32_t low, uint32_t high, uint32_t minus, uint32_t least)
{
    const uint32_t *a = sums + low * 4u * PARTS;
    const uint32_t *b = sums + (LOW + high) * 4u * PARTS;
    const vector invert = (vector){0} + (uint16_t)(0u - minus); /* -b is ~b + 1 */
    const vector bound = (vector){0} + (uint16_t)(least - minus);
    vector bits = {0};

    for (uint32_t part = 0; part < PARTS; part++, a += 4, b += 4) {
        const vector v = *(const halves *)a + (*(const halves *)b ^ invert) - bound;
        bits = bits >> 1 | (v & 0x8000u);
    }
    const quads pairs = (quads)(bits >> 12);
    const quads bytes = (pairs | pairs >> 12) & 0xFFu;
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24;
}

#endif
