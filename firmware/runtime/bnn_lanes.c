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
static inline void ripple(uint32_t *planes, uint32_t p, uint32_t n, uint32_t carry)
{
    for (; p < n; p++) {
        const uint32_t plane = planes[p];
        planes[p] = plane ^ carry;
        carry &= plane;
    }
}

/* Carry-save adders: each takes three words of one weight to one of that weight and one of twice it, so
 * a word costs hardly more than one adder of five operations, whatever the number of planes. */
void bnn_add_words(const uint32_t *base, const bnn_offset *list, uint32_t rounds, const uint32_t *from, uint32_t *to,
                   uint32_t n)
{
    uint32_t ones = from[0];
    uint32_t twos = from[1];
    uint32_t fours = from[2];

    if (to != from) {
        uint32_t p = 3;
        for (; p + 2u <= n; p += 2u) {
            to[p] = from[p];
            to[p + 1u] = from[p + 1u];
        }
        if (p < n) {
            to[p] = from[p];
        }
    }
    for (; rounds >= 2u; rounds -= 2u) {
        uint32_t eights = to[3];
        uint32_t eight, other, carry;
        ROUND(eight);
        ROUND(other);
        FULL_ADD(eights, eight, other, carry);
        to[3] = eights;
        ripple(to, 4u, n, carry);
    }
    if (rounds > 0u) {
        uint32_t carry;
        ROUND(carry);
        ripple(to, 3u, n, carry);
    }
    to[0] = ones;
    to[1] = twos;
    to[2] = fours;
}
