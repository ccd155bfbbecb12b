/* The gate of an exit. Defined by ExitGate in the simulator. */
#include "bnn_gate.h"

#include "bnn_runtime.h"

/* Number i of a table, none of which is negative. */
static uint32_t entry(const int16_t *table, uint32_t i)
{
    return (uint16_t)table[i];
}

/* log(s / 2^14) in units of 2^-10, for 2^14 <= s <= 32 * 2^14. */
static uint32_t logarithm(const int16_t *log, uint32_t s)
{
    uint32_t octaves = 0, i, low, rest;

    while ((s >> octaves) >= 32768u) {
        octaves++;
    }
    s = (s >> octaves) - 16384u;
    i = s >> 9;
    low = entry(log, i);
    rest = ((entry(log, i + 1u) - low) * (s & 511u)) >> 9;
    return (octaves * entry(log, 32u) + low + rest + 8u) >> 4;
}

/* max - x in units of 2^-10. The difference of two int32 is taken modulo 2^32, where it is exact. */
static uint32_t distance(const bnn_exit_gate *layer, int32_t max, int32_t x)
{
    uint32_t d = (uint32_t)max - (uint32_t)x, top = (uint32_t)layer->entries << 6;

    if (layer->frac >= 10u) {
        d >>= layer->frac - 10u;
    } else {
        d = (d < 0xFFFFu ? d : 0xFFFFu) << (10u - layer->frac);
    }
    return d < top ? d : top;
}

/* y = [S log S + sum e d, S log classes] in units of 2^-24, from the logits x. Fits 32 bits, as the checker proves. */
void bnn_exit_entropy(const bnn_exit_gate *layer, const int32_t *x, int32_t y[2])
{
    int32_t max = x[bnn_argmax(x, layer->classes)];
    uint32_t total = 0, spread = 0;

    for (uint32_t c = 0; c < layer->classes; c++) {
        uint32_t d = distance(layer, max, x[c]), i = d >> 6, e = entry(layer->exp, i);

        if (i < layer->entries) {
            e -= ((e - entry(layer->exp, i + 1u)) * (d & 63u)) >> 6;
        }
        total += e;
        spread += e * d;
    }
    y[0] = (int32_t)(spread + total * logarithm(layer->log, total));
    y[1] = (int32_t)(total * logarithm(layer->log, (uint32_t)layer->classes << 14));
}

/* Whether y[0] / y[1] < speed / 2^15, speed 0 to BNN_SPEED_ONE. Both sides take up to 46 bits. */
int bnn_exit_leaves(const int32_t y[2], uint32_t speed)
{
    return ((uint64_t)(uint32_t)y[0] << 15) < (uint64_t)speed * (uint32_t)y[1];
}
