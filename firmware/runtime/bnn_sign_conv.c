/* Convolution of integers by binary weights. */
#include "bnn_integers.h"

/* Taps whose sums are looked up together, the sums of theirs that there are, and positions that one look at the weights
 * serves. */
#define GROUP 4u
#define SUMS 16u
#define POSITIONS 4u

/* Of the function whose loop needs every register for itself. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

/* Values that are taken from x at once. */
#define CHUNK 32u

/* sums[s] = the sum of four values, value i added where bit i of s is 1, else taken off. Each half of the table is the
 * other with one value turned. */
static void all_sums(const int32_t *x, int32_t *sums)
{
    sums[0] = -(x[0] + x[1] + x[2] + x[3]);
    sums[1] = sums[0] + 2 * x[0];
    sums[2] = sums[0] + 2 * x[1];
    sums[3] = sums[1] + 2 * x[1];
    for (uint32_t s = 0; s < 4u; s++) {
        const int32_t sum = sums[s] + 2 * x[2];
        sums[s + 4u] = sum;
        sums[s + 8u] = sums[s] + 2 * x[3];
        sums[s + 12u] = sum + 2 * x[3];
    }
}

/* The tables of n values that begin at element `first` of x, four by four; what is missing in the last four is 0. */
static void tabulate(const bnn_sign_conv *layer, const void *x, uint32_t first, uint32_t n, int32_t *sums)
{
    const uint32_t size = layer->x->length * layer->x->channels;

    for (uint32_t i = 0; i < n; i += CHUNK) {
        const uint32_t taken = n - i < CHUNK ? n - i : CHUNK;
        int32_t values[CHUNK];
        bnn_get_window(x, layer->x_format, first + i, taken, size, values);
        for (uint32_t j = taken; j % GROUP > 0u; j++) {
            values[j] = 0;
        }
        for (uint32_t j = 0; j < taken; j += GROUP, sums += SUMS) {
            all_sums(values + j, sums);
        }
    }
}

/* Add the sums of one group under its signs, at four positions. */
#define LOOK_UP(group) \
    do { \
        const uint32_t pattern = word >> (GROUP * (group)) & (SUMS - 1u); \
        acc0 += at0[(group) * SUMS + pattern]; \
        acc1 += at1[(group) * SUMS + pattern]; \
        acc2 += at2[(group) * SUMS + pattern]; \
        acc3 += at3[(group) * SUMS + pattern]; \
    } while (0)

/* Add to acc[4 * o + p] a word of taps of channel o at position p: for every four their sum under the channel's signs.
 *
 *   at     where the tables of each position begin
 *   signs  a word a channel
 */
APART static void add_word(const int32_t *const *at, const uint32_t *signs, uint32_t channels, int32_t *acc)
{
    const int32_t *const at0 = at[0], *const at1 = at[1], *const at2 = at[2], *const at3 = at[3];

    for (const uint32_t *const end = signs + channels; signs != end; acc += POSITIONS) {
        const uint32_t word = *signs++;
        int32_t acc0 = acc[0], acc1 = acc[1], acc2 = acc[2], acc3 = acc[3];
        LOOK_UP(0u);
        LOOK_UP(1u);
        LOOK_UP(2u);
        LOOK_UP(3u);
        LOOK_UP(4u);
        LOOK_UP(5u);
        LOOK_UP(6u);
        LOOK_UP(7u);
        acc[0] = acc0;
        acc[1] = acc1;
        acc[2] = acc2;
        acc[3] = acc3;
    }
}

/* The same for less than a word of taps. */
static void add_groups(const int32_t *const *at, const uint32_t *signs, uint32_t taps, uint32_t channels, int32_t *acc)
{
    for (uint32_t o = 0; o < channels; o++) {
        for (uint32_t p = 0; p < POSITIONS; p++, acc++) {
            for (uint32_t k = 0; k < taps; k += GROUP) {
                *acc += at[p][k / GROUP * SUMS + (signs[o] >> k & (SUMS - 1u))];
            }
        }
    }
}

/* acc[o, t] = sum_ck w[o, c, k] * x[c, t * stride + k - pad], x 0 outside its map; then scaled, where the layer says so.
 *
 * In time-major order the window of a step is one row of kernel * x->channels values, and that of the next step begins
 * stride * x->channels values on. Of every four values the sums under all 16 patterns of signs are made once; then each
 * output channel picks one for every four of its weights, at four steps together. Where windows overlap by whole fours
 * of a block, the steps share tables.
 *
 *   x        the map layer->x: int8, int16 or samples
 *   y        the map layer->y: int8 where it is scaled, else int16 or int32; must not overlap x
 *   scratch  layer->sums words for tables, and 5 * y->channels more
 *
 * Defined by SignConv and Scale in the simulator.
 */
void bnn_sign_convolve(const bnn_sign_conv *layer, const void *x, void *y, uint32_t *scratch)
{
    const uint32_t n_in = layer->x->channels, channels = layer->y->channels, length = layer->y->length;
    const uint32_t taps = layer->kernel * n_in, step = layer->stride * n_in;
    int32_t *const sums = (int32_t *)scratch;
    int32_t *const acc = sums + layer->sums; /* of every channel the four positions */
    int32_t *const row = acc + POSITIONS * channels;

    for (uint32_t t = 0; t < length; t += POSITIONS) {
        const uint32_t positions = length - t < POSITIONS ? length - t : POSITIONS;
        const uint32_t *signs = layer->weights;
        for (uint32_t i = 0; i < POSITIONS * channels; i++) {
            acc[i] = 0;
        }
        for (uint32_t k = 0; k < taps; k += layer->block) {
            const uint32_t n = taps - k < layer->block ? taps - k : layer->block;
            const uint32_t first = (t * layer->stride - layer->pad) * n_in + k;
            const uint32_t apart = (layer->shared ? step : layer->block + GROUP - 1u) / GROUP * SUMS;
            const int32_t *at[POSITIONS];
            for (uint32_t p = 0; p < POSITIONS; p++) { /* steps that there are not do what the last one does */
                at[p] = sums + (p < positions ? p : positions - 1u) * apart;
            }
            if (layer->shared) {
                tabulate(layer, x, first, n + (positions - 1u) * step, sums);
            } else {
                for (uint32_t p = 0; p < positions; p++) {
                    tabulate(layer, x, first + p * step, n, sums + p * apart);
                }
            }
            for (uint32_t left = n; left > 0u; signs += channels) {
                if (left < 32u) {
                    add_groups(at, signs, left, channels, acc);
                    left = 0;
                    continue;
                }
                add_word(at, signs, channels, acc);
                left -= 32u;
                for (uint32_t p = 0; p < POSITIONS; p++) {
                    at[p] += 32u / GROUP * SUMS;
                }
            }
        }
        for (uint32_t p = 0; p < positions; p++) {
            for (uint32_t o = 0; o < channels; o++) {
                row[o] = acc[POSITIONS * o + p];
            }
            if (layer->scale) {
                bnn_scale_row(layer->scale, channels, row);
            }
            bnn_put_row(y, layer->y_format, (t + p) * channels, channels, row);
        }
    }
}
