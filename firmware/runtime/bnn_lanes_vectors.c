/* Counters in bit planes, four positions at a time: vectors of 128 bits, which the M-profile Vector Extension has.
 *
 * In lanes, the words of one tap at positions i .. i + 3 lie one after the other, wherever the tap is: its word at position i is
 * base[list[k] + i]. So a vector that begins at any word holds one tap at four positions, and the adders of
 * bnn_lanes_count.c, which work bit by bit, serve vectors as they serve words. A core with MVE has eight vectors: four lower
 * planes stay in them while words are added, and those above wait on the stack.
 *
 * The vectors of the last positions may reach beyond them, by three words at most. A row of kernel >= 4 taps has as many words behind
 * its last position, and behind all rows stands that of zeros, so that memory beyond the map is never read; what was counted there is not
 * stored.
 *
 * It is written in the vectors that GCC and Clang offer on every machine, so that a host tests it.
 */
#include "bnn_lanes_vectors.h"

#ifdef BNN_VECTORS

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

#define LANES 4u
#define HIGH 12u /* planes of a counter up to 2^16, without the lower four */

typedef uint32_t __attribute__((__vector_size__(16))) vector;
typedef uint32_t __attribute__((__vector_size__(16), __aligned__(4), __may_alias__)) words; /* in memory, at any word */

/* Two vectors or carries: one of them, and in what they differ. See bnn_lanes_count.c, also for the adders. */
typedef struct {
    vector x, differ;
} two;

BNN_INLINE two add_four(vector *z, two first, two second)
{
    const vector t = (*z ^ first.x) | first.differ;
    const vector c = *z ^ first.differ;
    const two carries = {c ^ t, t ^ ((c ^ second.x) & ~second.differ)};

    *z = c ^ second.differ;
    return carries;
}

BNN_INLINE vector add_two(vector *z, two bits)
{
    const vector t = (*z ^ bits.x) | bits.differ;

    *z ^= bits.differ;
    return *z ^ t;
}

BNN_INLINE vector add_one(vector *z, vector bit)
{
    const vector carry = *z & bit;

    *z ^= bit;
    return carry;
}

BNN_INLINE two load(const uint32_t *base, const bnn_offset *list)
{
    const vector x = *(const words *)(base + list[0]);
    const two pair = {x, x ^ *(const words *)(base + list[1])};

    return pair;
}

BNN_INLINE two add_words4(vector *ones, const uint32_t *base, const bnn_offset *list)
{
    const two first = load(base, list);

    return add_four(ones, first, load(base, list + 2));
}

BNN_INLINE two add_words8(vector *ones, vector *twos, const uint32_t *base, const bnn_offset *list)
{
    const two first = add_words4(ones, base, list);

    return add_four(twos, first, add_words4(ones, base, list + 4));
}

/* Counters of four positions: 4 + high planes. */
typedef struct {
    vector ones, twos, fours, eights;
    vector high[HIGH];
} counters;

/* The bits of weight 2^4 into the planes above. */
BNN_INLINE void ripple(vector *plane, uint32_t high, vector carry)
{
    for (vector *const end = plane + high; plane != end; plane++) {
        const vector v = *plane;
        *plane = v ^ carry;
        carry &= v;
    }
}

/* Add 4 * quads words of each position; where the next list begins. */
static const bnn_offset *add_list(const uint32_t *base, const bnn_offset *list, uint32_t quads, counters *s, uint32_t high)
{
    vector ones = s->ones;
    vector twos = s->twos;
    vector fours = s->fours;
    vector eights = s->eights;

    if (quads & 1u) {
        const vector four = add_two(&twos, add_words4(&ones, base, list));
        ripple(s->high, high, add_one(&eights, add_one(&fours, four)));
        list += 4;
    }
    if (quads & 2u) {
        const vector eight = add_two(&fours, add_words8(&ones, &twos, base, list));
        ripple(s->high, high, add_one(&eights, eight));
        list += 8;
    }
    for (quads >>= 2; quads > 0u; quads--, list += 16) {
        const two first = add_words8(&ones, &twos, base, list);
        const two carries = add_four(&fours, first, add_words8(&ones, &twos, base, list + 8));
        ripple(s->high, high, add_two(&eights, carries));
    }
    s->ones = ones;
    s->twos = twos;
    s->fours = fours;
    s->eights = eights;
    return list;
}

/* Plane p of four positions, whose planes lie `stride` words apart. */
BNN_INLINE vector gather(const uint32_t *p, uint32_t stride)
{
#if defined(__ARM_FEATURE_MVE)
    return (vector)vldrwq_gather_shifted_offset_u32(p, vmulq_n_u32(vidupq_n_u32(0, 1), stride));
#else
    const vector v = {p[0], p[stride], p[2u * stride], p[3u * stride]};

    return v;
#endif
}

#define COMPARE(carry, plane, bound, bit) ((carry) = (bound) & (bit) ? (carry) & (plane) : (carry) | (plane))

/* Where 2 * counter + bit of the lowest plane is at least a bound. */
BNN_INLINE vector compare(const counters *s, vector lowest, uint32_t bound, uint32_t high)
{
    vector carry = bound & 1u ? lowest : ~(lowest ^ lowest);

    COMPARE(carry, s->ones, bound, 2u);
    COMPARE(carry, s->twos, bound, 4u);
    COMPARE(carry, s->fours, bound, 8u);
    COMPARE(carry, s->eights, bound, 16u);
    for (uint32_t p = 0; p < high; p++, bound >>= 1) {
        COMPARE(carry, s->high[p], bound, 32u);
    }
    return carry;
}

BNN_INLINE void store(uint32_t *row, vector bits, uint32_t n)
{
    if (n >= LANES) {
        *(words *)row = bits;
    } else {
        row[0] = bits[0];
        if (n > 1u) {
            row[1] = bits[1];
        }
        if (n > 2u) {
            row[2] = bits[2];
        }
    }
}

/* The counters before any word. */
BNN_INLINE void begin(counters *s, const uint32_t *start, uint32_t high)
{
    const uint32_t stride = high + 5u;

    s->ones = gather(start + 1, stride);
    s->twos = gather(start + 2, stride);
    s->fours = gather(start + 3, stride);
    s->eights = gather(start + 4, stride);
    for (uint32_t p = 0; p < high; p++) {
        s->high[p] = gather(start + 5 + p, stride);
    }
}

BNN_INLINE void copy(counters *to, const counters *from, uint32_t high)
{
    to->ones = from->ones;
    to->twos = from->twos;
    to->fours = from->fours;
    to->eights = from->eights;
    for (uint32_t p = 0; p < high; p++) {
        to->high[p] = from->high[p];
    }
}

void bnn_count_vectors(const bnn_lists *lists, const uint32_t *base, uint32_t positions, const uint32_t *start, uint32_t n)
{
    const uint32_t high = n - 4u;

    for (uint32_t i = 0; i < positions; i += LANES, base += LANES, start += LANES * (n + 1u)) {
        const vector lowest = gather(start, n + 1u);
        counters both, own;
        begin(&both, start, high);
        const bnn_offset *list = add_list(base, lists->list, lists->part[0].quads, &both, high);
        for (const bnn_part *part = lists->part + 1; part != lists->part + 3; part++) {
            copy(&own, &both, high);
            list = add_list(base, list, part->quads, &own, high);
            store(part->row + i, compare(&own, lowest, part->bound, high) ^ part->flip, positions - i);
        }
    }
}

#endif
