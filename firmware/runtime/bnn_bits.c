/* Strings of bits: see bnn_bits.h for what each function promises. */
#include "bnn_bits.h"

void bnn_gather(const uint32_t *x, uint32_t first, uint32_t n, uint32_t *out)
{
    for (; n >= 32u; n -= 32u, first += 32u) {
        *out++ = bnn_take(x, first, 32u);
    }
    if (n > 0u) {
        *out = bnn_take(x, first, n);
    }
}

const uint32_t *bnn_aligned_rows(const uint32_t *rows, uint32_t n_rows, uint32_t n, uint32_t *copy)
{
    if (n % 32u == 0u) {
        return rows;
    }
    for (uint32_t i = 0; i < n_rows; i++) {
        bnn_gather(rows, i * n, n, copy + i * BNN_WORDS(n));
    }
    return copy;
}

void bnn_put(bnn_writer *out, uint32_t bits, uint32_t n)
{
    const uint32_t fill = out->fill;

    out->word |= bits << fill;
    out->fill = (fill + n) % 32u;
    if (fill + n >= 32u) {
        *out->next++ = out->word;
        out->word = fill > 0u ? bits >> (32u - fill) : 0u;
    }
}

static void put_margin(bnn_writer *out, const bnn_map *map)
{
    const uint32_t channels = map->channels;

    for (uint32_t i = 0; i < map->margin; i++) {
        for (uint32_t c = 0; c < channels; c += 32u) {
            const uint32_t n = channels - c < 32u ? channels - c : 32u;
            bnn_put(out, map->pad ? map->pad[c / 32u] : bnn_ones(n), n);
        }
    }
}

bnn_writer bnn_open_map(uint32_t *y, const bnn_map *map)
{
    bnn_writer out = {y, 0u, 0u};

    put_margin(&out, map);
    return out;
}

void bnn_close_map(bnn_writer *out, const bnn_map *map)
{
    put_margin(out, map);
    if (out->fill > 0u) {
        *out->next = out->word;
    }
}
