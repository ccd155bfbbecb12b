/* Carry-save adders on words of bits.
 *
 * An adder takes z + x + y = s + 2 a, a the carry. Two of them in a row take z + x1 + y1 + x2 + y2 = s + 2 (a + b). With
 * p = x1 ^ y1 and q = x2 ^ y2, and c the sum of the first,
 *
 *     c = z ^ p        a = p ? z : x1 = c ^ t   where   t = (z ^ x1) | p       (t is 1 where p is, and z ^ x1 elsewhere)
 *     s = c ^ q        b = q ? c : x2
 *
 * hence a ^ b is, where q, a ^ c = t, and elsewhere a ^ x2 = t ^ c ^ x2: that is t ^ ((c ^ x2) & ~q). So eight operations
 * lead from z, x1, x1 ^ y1, x2, x2 ^ y2 to s, a, a ^ b, and that is the form in which the adders of twice the weight want
 * the carries. Only words that come from memory take two operations more (Demenkov, Kojevnikov, Kulikov and Yaroslavtsev, "New
 * upper bounds on the Boolean circuit complexity of symmetric functions", 2010).
 */
#ifndef BNN_LANES_ADDERS_H
#define BNN_LANES_ADDERS_H

#include "bnn_bits.h"

/* Two words or carries: one of them, and in what they differ. */
typedef struct {
    uint32_t x, differ;
} bnn_two;

/* z + the four bits = z + 2 * the two carries. */
BNN_INLINE bnn_two bnn_add_four(uint32_t *z, bnn_two first, bnn_two second)
{
    const uint32_t t = (*z ^ first.x) | first.differ;
    const uint32_t c = *z ^ first.differ;
    const bnn_two carries = {c ^ t, t ^ ((c ^ second.x) & ~second.differ)};

    *z = c ^ second.differ;
    return carries;
}

/* z + the bnn_two bits = z + 2 * the carry. */
BNN_INLINE uint32_t bnn_add_two(uint32_t *z, bnn_two bits)
{
    const uint32_t t = (*z ^ bits.x) | bits.differ;

    *z ^= bits.differ;
    return *z ^ t;
}

/* z + bit = z + 2 * the carry. */
BNN_INLINE uint32_t bnn_add_one(uint32_t *z, uint32_t bit)
{
    const uint32_t carry = *z & bit;

    *z ^= bit;
    return carry;
}

#endif
