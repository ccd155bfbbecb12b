/* Binary convolution, row by row. */
#include "bnn_bits.h"
#include "bnn_stream.h"

/* Sum and carry of three bits: a + b + c = sum + 2 * carry, with d = a ^ c: the sum is b ^ d, and the carry is a
 * unless a and b differ, then c. `a` becomes the sum. */
#define FULL_ADD(a, b, c, carry)           \
    do {                                   \
        const uint32_t b_ = (b);           \
        const uint32_t d_ = (a) ^ (c);     \
        (carry) = (a) ^ (((a) ^ b_) & d_); \
        (a) = b_ ^ d_;                     \
    } while (0)

/* Where the weights w[k] of 32 channels differ from bit k of x. */
#define DIFFER(k) (w[k] ^ (0u - ((x >> (k)) & 1u)))

/* What counts the mismatches of 32 channels, while they are in registers. */
typedef struct {
    uint32_t ones, twos, fours, eights;
} low_planes;

/* Eight taps into ones, twos and fours; returns what is left over, of weight 8. */
static inline uint32_t add_eight(low_planes *low, const uint32_t *w, uint32_t x)
{
    uint32_t two, other, four, carry;

    FULL_ADD(low->ones, DIFFER(0), DIFFER(1), two);
    FULL_ADD(low->ones, DIFFER(2), DIFFER(3), other);
    FULL_ADD(low->twos, two, other, four);
    FULL_ADD(low->ones, DIFFER(4), DIFFER(5), two);
    FULL_ADD(low->ones, DIFFER(6), DIFFER(7), other);
    FULL_ADD(low->twos, two, other, two);
    FULL_ADD(low->fours, four, two, carry);
    return carry;
}

/* One row of a binary convolution, thresholded back to bits, 32 channels at once.
 *
 *     mismatches[o] = popcount(x ^ w[o])            bit 1 is +1, bit 0 is -1
 *     acc[o]        = taps - 2 * mismatches[o]
 *     y[o]          = acc[o] >= t[o]
 *
 * A word of weights holds one tap of 32 channels, so it meets one bit of x, and what differs is counted for
 * all channels by adders of five logical operations, in bit planes: plane p holds bit p of each channel's counter. The
 * counters do not begin at 0 but where the mismatches that a channel can afford end in 2^(planes - 1) - 1: the last plane
 * is then the decision, 1 for too many. The generator makes these beginnings of the bounds t.
 *
 *   x  the rows under the kernel: layer->taps bits, the unused ones of the last word 0
 *   y  layer->channels bits; must not overlap x
 *
 * Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_row_conv_threshold(const bnn_row_conv *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t n = layer->planes;
    const uint32_t *w = layer->weights;

    for (uint32_t channels = layer->channels;; channels -= 32u) {
        uint32_t high[BNN_ROW_PLANES];
        low_planes low = {w[0], w[1], w[2], w[3]};
        for (uint32_t p = 4; p < n; p++) {
            high[p] = w[p];
        }
        w += n;
        for (uint32_t k = 0; k < layer->taps; k += 16u, w += 16) {
            const uint32_t bits = x[k / 32u] >> (k % 32u);
            const uint32_t eight = add_eight(&low, w, bits);
            const uint32_t other = add_eight(&low, w + 8, bits >> 8);
            uint32_t carry;
            FULL_ADD(low.eights, eight, other, carry);
            for (uint32_t p = 4; p < n; p++) {
                const uint32_t plane = high[p];
                high[p] = plane ^ carry;
                carry &= plane;
            }
        }
        *y++ = ~high[n - 1u] & bnn_ones(channels < 32u ? channels : 32u);
        if (channels <= 32u) {
            return;
        }
    }
}

/* The accumulators of one row of a binary convolution.
 *
 *   x  as above
 *   y  layer->channels integers, int16, two to a word; must not overlap x
 *
 * Defined by BinaryConv in the simulator.
 */
void bnn_row_conv_sum(const bnn_row_conv_sums *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t *w = layer->weights;
    bnn_writer out = {y, 0u, 0u};

    for (uint32_t o = 0; o < layer->channels; o++, w += layer->words) {
        uint32_t mismatches = 0;
        for (uint32_t i = 0; i < layer->words; i++) {
            mismatches += BNN_POPCOUNT(x[i] ^ w[i]);
        }
        bnn_put(&out, (layer->taps - 2u * mismatches) & 0xFFFFu, 16u);
    }
    if (out.fill > 0u) {
        *out.next = out.word;
    }
}
