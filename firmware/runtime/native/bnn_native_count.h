/* Counting vectors: plane p of a counter holds, of every window, the bit of weight 2^p. Private to the kernels.
 *
 * A full adder takes three vectors of one weight to a sum of that weight and a carry of twice it. Eight vectors and the planes 0 to 2
 * take seven of them, and leave one carry of weight 8, which ripples through the planes above.
 */
#ifndef BNN_NATIVE_COUNT_H
#define BNN_NATIVE_COUNT_H

#include "bnn_native.h"

#if defined(__AVX512F__) && BNN_NATIVE_LANES == 512
#include <immintrin.h>
#define BNN_TERNARY(a, b, c, table) \
    ((bnn_vector)_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(c), (table)))
#endif

/* Lets a compiler make one copy of a kernel for each number of planes. */
#define BNN_INLINE static inline __attribute__((always_inline))

/* Bits that are set in two or three of the vectors. */
BNN_INLINE bnn_vector bnn_carry(bnn_vector a, bnn_vector b, bnn_vector c)
{
#ifdef BNN_TERNARY
    return BNN_TERNARY(a, b, c, 0xE8);
#else
    return a ^ ((a ^ c) & (a ^ b));
#endif
}

/* Bits that are set in one or three of the vectors. */
BNN_INLINE bnn_vector bnn_odd(bnn_vector a, bnn_vector b, bnn_vector c)
{
#ifdef BNN_TERNARY
    return BNN_TERNARY(a, b, c, 0x96);
#else
    return a ^ b ^ c;
#endif
}

/* planes += v of weight 1, from plane `first` on; sums beyond 2^n - 1 wrap. */
BNN_INLINE void bnn_ripple(bnn_vector *planes, uint32_t first, uint32_t n, bnn_vector v)
{
    for (uint32_t p = first; p < n; p++) {
        const bnn_vector carry = planes[p] & v;
        planes[p] ^= v;
        v = carry;
    }
}

/* planes += number of the vectors base[taps[0]] .. base[taps[8 * rounds - 1]] that have a bit set; n >= 3. */
BNN_INLINE void bnn_native_count(const bnn_vector *base, const uint16_t *taps, uint32_t rounds, bnn_vector *planes, uint32_t n)
{
    for (; rounds > 0u; rounds--, taps += 8) {
        const bnn_vector a = base[taps[0]], b = base[taps[1]], c = base[taps[2]], d = base[taps[3]];
        const bnn_vector e = base[taps[4]], f = base[taps[5]], g = base[taps[6]], h = base[taps[7]];
        const bnn_vector abc = bnn_odd(a, b, c), def = bnn_odd(d, e, f), most = bnn_odd(abc, def, g);
        const bnn_vector c0 = bnn_carry(a, b, c), c1 = bnn_carry(d, e, f), c2 = bnn_carry(abc, def, g);
        const bnn_vector c3 = bnn_carry(planes[0], most, h), twos = bnn_odd(c0, c1, c2);
        const bnn_vector f0 = bnn_carry(c0, c1, c2), f1 = bnn_carry(planes[1], twos, c3);
        const bnn_vector eight = bnn_carry(planes[2], f0, f1);
        planes[0] = bnn_odd(planes[0], most, h);
        planes[1] = bnn_odd(planes[1], twos, c3);
        planes[2] = bnn_odd(planes[2], f0, f1);
        bnn_ripple(planes, 3u, n, eight);
    }
}

/* Windows whose counter is at least the number whose bits are `bits`, one mask a plane. */
BNN_INLINE bnn_vector bnn_native_reaches(const bnn_vector *planes, uint32_t n, const uint64_t *bits)
{
    bnn_vector reaches = bnn_native_all(~(uint64_t)0);

    for (uint32_t p = 0; p < n; p++) { /* so far equal: a plane above decides */
        reaches = bnn_carry(planes[p], reaches, bnn_native_all(~bits[p]));
    }
    return reaches;
}

/* out = planes + the number whose bits are `bits`, one mask a plane, modulo 2^n. */
BNN_INLINE void bnn_native_add(const bnn_vector *planes, uint32_t n, const uint64_t *bits, bnn_vector *out)
{
    bnn_vector carry = bnn_native_all(0);

    for (uint32_t p = 0; p < n; p++) {
        const bnn_vector a = planes[p], b = bnn_native_all(bits[p]);
        out[p] = bnn_odd(a, b, carry);
        carry = bnn_carry(a, b, carry);
    }
}

/* One mask a plane of a number: all 1 where its bit is 1. */
BNN_INLINE void bnn_native_spread(uint32_t number, uint32_t n, uint64_t *bits)
{
    for (uint32_t p = 0; p < n; p++) {
        bits[p] = 0u - (uint64_t)(number >> p & 1u);
    }
}

#endif
