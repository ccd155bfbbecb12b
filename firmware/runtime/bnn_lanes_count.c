/* Counters in bit planes: 32 of them at a time count words of bits. Carry-save adders, so that a word costs little more than
 * one adder, whatever the number of planes: bnn_lanes_adders.h.
 */
#include "bnn_lanes.h"
#include "bnn_lanes_adders.h"

#include <stddef.h>

BNN_INLINE bnn_two load(const uint32_t *base, const bnn_offset *list)
{
    const uint32_t x = base[list[0]];
    const bnn_two words = {x, x ^ base[list[1]]};

    return words;
}

/* Four, and eight, words into counters; what is carried to twice the weight of the last of them. */
BNN_INLINE bnn_two add_words4(uint32_t *ones, const uint32_t *base, const bnn_offset *list)
{
    const bnn_two first = load(base, list);

    return bnn_add_four(ones, first, load(base, list + 2));
}

BNN_INLINE bnn_two add_words8(uint32_t *ones, uint32_t *twos, const uint32_t *base, const bnn_offset *list)
{
    const bnn_two first = add_words4(ones, base, list);

    return bnn_add_four(twos, first, add_words4(ones, base, list + 4));
}

/* The bits of weight 2^4 into planes 4 and above, an even number of them. */
BNN_INLINE void ripple(const uint32_t *from, uint32_t *to, const uint32_t *end, uint32_t carry)
{
    while (to != end) {
        const uint32_t low = from[0];
        const uint32_t high = from[1];
        from += 2;
        to[0] = low ^ carry;
        carry &= low;
        to[1] = high ^ carry;
        carry &= high;
        to += 2;
    }
}

/* One list at work: where it goes on, and the lowest four planes of the counters. */
typedef struct {
    const bnn_offset *list;
    uint32_t ones, twos, fours, eights;
} low_planes;

/* Add 4 * quads words to the planes of `from`; those of weight 16 and above go to `to`. */
BNN_INLINE low_planes add_list(const uint32_t *base, const bnn_offset *list, uint32_t quads, const uint32_t *from, uint32_t *to,
                               uint32_t n)
{
    low_planes s = {list, from[0], from[1], from[2], from[3]};
    uint32_t carry = 0;

    if (quads & 1u) {
        const bnn_two carries = add_words4(&s.ones, base, s.list);
        const uint32_t four = bnn_add_two(&s.twos, carries);
        const uint32_t eight = bnn_add_one(&s.fours, four);
        carry = bnn_add_one(&s.eights, eight);
        s.list += 4;
    }
    if (quads & 2u) {
        const bnn_two carries = add_words8(&s.ones, &s.twos, base, s.list);
        const uint32_t eight = bnn_add_two(&s.fours, carries);
        carry |= bnn_add_one(&s.eights, eight); /* not twice: eights and two bits are at most 3 */
        s.list += 8;
    }
    ripple(from + 4, to + 4, to + n, carry);
    for (quads >>= 2; quads > 0u; quads--) {
        const bnn_two first = add_words8(&s.ones, &s.twos, base, s.list);
        const bnn_two second = add_words8(&s.ones, &s.twos, base, s.list + 8);
        const bnn_two carries = bnn_add_four(&s.fours, first, second);
        ripple(to + 4, to + 4, to + n, bnn_add_two(&s.eights, carries));
        s.list += 16;
    }
    return s;
}

/* Where a counter is at least a bound: the carry of counter + ~bound + 1, plane by plane; each tests the next bit. */
#define COMPARE(carry, plane, bound, bit) ((carry) = (bound) & (bit) ? (carry) & (plane) : (carry) | (plane))

void bnn_count_lists(const bnn_lists *lists, const uint32_t *base, uint32_t positions, const uint32_t *start, uint32_t *planes, uint32_t n)
{
    for (uint32_t i = 0; i < positions; i++, base++) {
        const uint32_t lowest = *start++;
        const bnn_offset *list = lists->list;
        const uint32_t *from = start;
        uint32_t *to = planes;
        start += n;
        for (const bnn_part *part = lists->part; part != lists->part + lists->parts; part++) {
            const low_planes s = add_list(base, list, part->quads, from, to, n);
            const uint32_t *high = to + 4;
            list = s.list;
            if (part->row) {
                uint32_t bound = part->bound;
                uint32_t carry = bound & 1u ? lowest : 0xFFFFFFFFu;
                COMPARE(carry, s.ones, bound, 2u);
                COMPARE(carry, s.twos, bound, 4u);
                COMPARE(carry, s.fours, bound, 8u);
                COMPARE(carry, s.eights, bound, 16u);
                for (; high != to + n; high += 2) {
                    COMPARE(carry, high[0], bound, 32u);
                    COMPARE(carry, high[1], bound, 64u);
                    bound >>= 2;
                }
                part->row[i] = carry ^ part->flip;
            } else {
                to[0] = s.ones;
                to[1] = s.twos;
                to[2] = s.fours;
                to[3] = s.eights;
                from = to;
                to += n;
            }
        }
    }
}

void bnn_count(const uint32_t *base, const bnn_offset *list, uint32_t quads, const uint32_t *from, uint32_t *to, uint32_t n)
{
    const bnn_lists one = {list, 1u, {{quads, NULL, 0u, 0u}, {0u, NULL, 0u, 0u}, {0u, NULL, 0u, 0u}}};

    bnn_count_lists(&one, base, 1u, from - 1, to, n);
}
