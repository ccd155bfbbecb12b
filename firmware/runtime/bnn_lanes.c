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
