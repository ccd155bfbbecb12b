/* Convolution of integers by binary weights. */
#include "bnn_bits.h"
#include "bnn_integers.h"

/* Taps whose signs share a word of weights, and whose sums are looked up four at a time. */
#define BLOCK 32u
#define GROUPS 8u
#define SUMS 16u

/* sums[g][s] = the sum of the four taps of group g, tap i added where bit i of s is 1, else taken off; for the groups
 * that n taps reach. Of the others only sums[g][0] is set, to 0: the signs of taps that there are not are 0.
 * Each half of a table is the other with one tap turned. */
static void tabulate(const int32_t *x, uint32_t n, int32_t *sums)
{
    for (uint32_t g = 0; g < GROUPS; g++, x += 4, sums += SUMS) {
        if (4u * g >= n) {
            sums[0] = 0;
            continue;
        }
        sums[0] = -(x[0] + x[1] + x[2] + x[3]);
        sums[1] = sums[0] + 2 * x[0];
        sums[2] = sums[0] + 2 * x[1];
        sums[3] = sums[1] + 2 * x[1];
        for (uint32_t s = 0; s < 4u; s++) {
            sums[s + 4u] = sums[s] + 2 * x[2];
        }
        for (uint32_t s = 0; s < 8u; s++) {
            sums[s + 8u] = sums[s] + 2 * x[3];
        }
    }
}

/* The sum of a block under one channel's signs. */
static int32_t look_up(const int32_t *sums, uint32_t signs)
{
    int32_t acc = sums[signs & 15u];

    acc += sums[1u * SUMS + (signs >> 4 & 15u)];
    acc += sums[2u * SUMS + (signs >> 8 & 15u)];
    acc += sums[3u * SUMS + (signs >> 12 & 15u)];
    acc += sums[4u * SUMS + (signs >> 16 & 15u)];
    acc += sums[5u * SUMS + (signs >> 20 & 15u)];
    acc += sums[6u * SUMS + (signs >> 24 & 15u)];
    acc += sums[7u * SUMS + (signs >> 28)];
    return acc;
}

/* acc[o, t] = sum_ck w[o, c, k] * x[c, t * stride + k - pad], x 0 outside its map; then scaled, where the layer says so.
 *
 * In time-major order the window of a step is one row of kernel * x->channels values. It is taken in blocks; of each the
 * sums of every four taps under all 16 patterns of signs are made once, and each output channel picks one for every four
 * of its weights. So the cost is about one instruction a multiply-accumulate where there are many channels.
 *
 *   x        the map layer->x: int8, int16 or samples
 *   y        the map layer->y: int8 where it is scaled, else int16 or int32; must not overlap x
 *   scratch  GROUPS * SUMS + BLOCK + y->channels = 160 + y->channels words
 *
 * Defined by SignConv and Scale in the simulator.
 */
void bnn_sign_convolve(const bnn_sign_conv *layer, const void *x, void *y, uint32_t *scratch)
{
    const uint32_t n_in = layer->x->channels, channels = layer->y->channels, taps = layer->kernel * n_in;
    int32_t *const sums = (int32_t *)scratch;
    int32_t *const window = sums + GROUPS * SUMS;
    int32_t *const acc = window + BLOCK;

    for (uint32_t i = 0; i < BLOCK; i++) {
        window[i] = 0;
    }
    for (uint32_t t = 0; t < layer->y->length; t++) {
        const uint32_t first = (t * layer->stride - layer->pad) * n_in;
        for (uint32_t k = 0; k < taps; k += BLOCK) {
            const uint32_t n = taps - k < BLOCK ? taps - k : BLOCK;
            bnn_get_window(x, layer->x_format, first + k, n, layer->x->length * n_in, window);
            tabulate(window, n, sums);
            for (uint32_t o = 0, bit = k; o < channels; o++, bit += taps) {
                const int32_t sum = look_up(sums, bnn_take(layer->weights, bit, n));
                acc[o] = k > 0u ? acc[o] + sum : sum;
            }
        }
        if (layer->scale) {
            bnn_scale_row(layer->scale, channels, acc);
        }
        bnn_put_row(y, layer->y_format, t * channels, channels, acc);
    }
}
