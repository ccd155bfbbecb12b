/* Maps in lanes: see bnn_lanes.h for what each function promises. */
#include "bnn_lanes.h"

static uint32_t pad_bit(const bnn_lanes *map, uint32_t c)
{
    return map->margin == 0u ? 0u : map->pad ? (map->pad[c / 32u] >> (c % 32u)) & 1u : 1u;
}

/* Word i - segment holds every step of word i one lane higher, and word i + segment one lower. What
 * enters at the end is outside: the step before 0, or from 32 * segment on. */
void bnn_close_row(uint32_t *row, const bnn_lanes *map, uint32_t channel)
{
    const uint32_t pad = pad_bit(map, channel);
    const uint32_t fill = 0u - pad;
    const uint32_t behind = (uint32_t)map->margin + map->segment;
    const uint32_t full = bnn_steps_at(map, 0u);
    const uint32_t longer = (map->length - 1u) % map->segment + 1u; /* words that hold `full` steps */
    uint32_t mask = bnn_ones(full);

    for (uint32_t i = 0; i < map->segment; i++) {
        if (i == longer) {
            mask = bnn_ones(full - 1u);
        }
        row[map->margin + i] = (row[map->margin + i] & mask) | (fill & ~mask);
    }
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

/* Carry-save adders: each takes three words of one weight to one of that weight and one of twice it, so
 * a word costs hardly more than one adder of five operations, whatever the number of planes. */
void bnn_add_words(const uint32_t *base, const bnn_offset *list, uint32_t rounds, uint32_t *planes, uint32_t n)
{
    uint32_t ones = planes[0];
    uint32_t twos = planes[1];
    uint32_t fours = planes[2];

    for (; rounds >= 2u; rounds -= 2u) {
        uint32_t eight, other, carry;
        uint32_t eights;
        ROUND(eight);
        ROUND(other);
        eights = planes[3];
        FULL_ADD(eights, eight, other, carry);
        planes[3] = eights;
        for (uint32_t p = 4; p < n; p++) {
            const uint32_t plane = planes[p];
            planes[p] = plane ^ carry;
            carry &= plane;
        }
    }
    if (rounds > 0u) {
        uint32_t carry;
        ROUND(carry);
        for (uint32_t p = 3; p < n; p++) {
            const uint32_t plane = planes[p];
            planes[p] = plane ^ carry;
            carry &= plane;
        }
    }
    planes[0] = ones;
    planes[1] = twos;
    planes[2] = fours;
}
