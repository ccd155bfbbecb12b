/* Maps in lanes: see bnn_lanes.h for what each function promises. */
#include "bnn_lanes.h"

static uint32_t pad_bit(const bnn_lanes *map, uint32_t c)
{
    return map->margin == 0u ? 0u : map->pad ? (map->pad[c / 32u] >> (c % 32u)) & 1u : 1u;
}

/* The pad value in all lanes of n words but those of the mask. */
static void fill_lanes(uint32_t *word, uint32_t n, uint32_t mask, uint32_t fill)
{
    for (uint32_t *const end = word + n; word != end; word++) {
        *word = (*word & mask) | fill;
    }
}

/* Word i - segment holds every step of word i one lane higher, and word i + segment one lower. What
 * enters at the end is outside: the step before 0, or from 32 * segment on. */
void bnn_close_row(uint32_t *row, const bnn_lanes *map, uint32_t channel)
{
    const uint32_t pad = pad_bit(map, channel);
    const uint32_t behind = (uint32_t)map->margin + map->segment;
    const uint32_t most = bnn_ones(map->full);
    const uint32_t fewer = most >> 1;

    fill_lanes(row + map->margin, map->longer, most, (0u - pad) & ~most);
    fill_lanes(row + map->margin + map->longer, (uint32_t)map->segment - map->longer, fewer, (0u - pad) & ~fewer);
    for (uint32_t i = map->margin; i-- > 0u;) {
        row[i] = row[i + map->segment] << 1 | pad;
    }
    for (uint32_t i = behind; i < map->row; i++) {
        row[i] = row[i - map->segment] >> 1 | pad << 31;
    }
}

void bnn_close_lanes(uint32_t *y, const bnn_lanes *map)
{
    if (map->zeros) {
        uint32_t *row = bnn_row(y, map, map->channels);
        for (uint32_t i = 0; i < map->row; i++) {
            row[i] = 0u;
        }
    }
}

/* Sum and carry of three bits: a + b + c = sum + 2 * carry, with d = a ^ c: the sum is b ^ d, and the carry is a
 * unless a and b differ, then c. `a` becomes the sum. */
#define FULL_ADD(a, b, c, carry)               \
    do {                                       \
        const uint32_t b_ = (b);               \
        const uint32_t d_ = (a) ^ (c);         \
        (carry) = (a) ^ (((a) ^ b_) & d_);     \
        (a) = b_ ^ d_;                         \
    } while (0)

/* Eight words into ones, twos and fours; what is left over has the weight 8. */
#define ROUND(carry)                                        \
    do {                                                    \
        uint32_t two_, other_, four_;                       \
        FULL_ADD(ones, base[list[0]], base[list[1]], two_); \
        FULL_ADD(ones, base[list[2]], base[list[3]], other_); \
        FULL_ADD(twos, two_, other_, four_);                \
        FULL_ADD(ones, base[list[4]], base[list[5]], two_); \
        FULL_ADD(ones, base[list[6]], base[list[7]], other_); \
        FULL_ADD(twos, two_, other_, two_);                 \
        FULL_ADD(fours, four_, two_, carry);                \
        list += 8;                                          \
    } while (0)

/* Into plane p and those above it, the bits of weight 2^p. */
static inline void ripple(const uint32_t *from, uint32_t *to, uint32_t p, uint32_t n, uint32_t carry)
{
    for (; p < n; p++) {
        const uint32_t plane = from[p];
        to[p] = plane ^ carry;
        carry &= plane;
    }
}

/* Where a counter is at least `bound`: the carry of counter + ~bound + 1, plane by plane. */
static uint32_t reached(const uint32_t *plane, uint32_t n, uint32_t bound)
{
    uint32_t carry = 0xFFFFFFFFu;

    for (; n >= 2u; n -= 2u, plane += 2, bound >>= 2) {
        carry = bound & 1u ? carry & plane[0] : carry | plane[0];
        carry = bound & 2u ? carry & plane[1] : carry | plane[1];
    }
    if (n > 0u) {
        carry = bound & 1u ? carry & plane[0] : carry | plane[0];
    }
    return carry;
}

/* Carry-save adders: each takes three words of one weight to one of that weight and one of twice it, so
 * a word costs hardly more than one adder of five operations, whatever the number of planes. */
void bnn_count(const bnn_words *words, uint32_t positions, uint32_t lowest, const uint32_t *from, uint32_t *to, uint32_t n,
               const bnn_decision *decision)
{
    const uint32_t *base = words->base;

    for (uint32_t i = 0; i < positions; i++, base++, from += n) {
        const bnn_offset *list = words->list;
        const uint32_t *before = from + lowest; /* planes of the weight of a word and above, as they stand */
        uint32_t *const planes = to + lowest;
        uint32_t rounds = words->rounds;
        uint32_t ones = before[0];
        uint32_t twos = before[1];
        uint32_t fours = before[2];
        uint32_t carry = 0;
        to[0] = from[0];
        for (; rounds >= 2u; rounds -= 2u, before = planes) {
            uint32_t eights = before[3];
            uint32_t eight, other;
            ROUND(eight);
            ROUND(other);
            FULL_ADD(eights, eight, other, carry);
            planes[3] = eights;
            ripple(before, planes, 4u, n - lowest, carry);
        }
        if (rounds > 0u) {
            ROUND(carry);
            ripple(before, planes, 3u, n - lowest, carry);
        } else if (before != planes) {
            ripple(before, planes, 3u, n - lowest, 0u); /* no words at all */
        }
        planes[0] = ones;
        planes[1] = twos;
        planes[2] = fours;
        if (decision) {
            decision->row[i] = reached(to, n, decision->bound) ^ decision->flip;
        } else {
            to += n;
        }
    }
}
