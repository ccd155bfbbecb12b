/* Binary convolution, row by row: XOR and count, seven words at once. */
#include "bnn_bits.h"
#include "bnn_stream.h"

/* Full adder of three words, bit by bit: a + b + c = 2 * carry + sum. */
#define ADD(a, b, c, sum, carry)                       \
    do {                                               \
        const uint32_t half = (a) ^ (b);               \
        (carry) = ((a) & (b)) | (half & (c));          \
        (sum) = half ^ (c);                            \
    } while (0)

/* Bits of each four, 0 to 4, in a nibble each. */
static inline uint32_t nibbles(uint32_t v)
{
    v = v - ((v >> 1) & 0x55555555u);
    return (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
}

/* Bits of each eight, in a byte each, of nibbles up to 15. */
static inline uint32_t bytes(uint32_t v)
{
    return (v & 0x0F0F0F0Fu) + ((v >> 4) & 0x0F0F0F0Fu);
}

/* 1 bits of the seven words x[i] ^ w[i].
 *
 * Four full adders leave the number of 1 bits at each of the 32 places in three words: `one` + 2 `two` + 4 `four`.
 * Three words are counted instead of seven. In nibbles `one` + 2 `two` is at most 12; in bytes all is at most
 * 7 * 8 = 56, and four bytes at most 224, so the product's top byte is their sum.
 */
static inline uint32_t mismatches7(const uint32_t *x, const uint32_t *w)
{
    uint32_t a, b, c, one, two, four;

    ADD(x[0] ^ w[0], x[1] ^ w[1], x[2] ^ w[2], one, a);
    ADD(one, x[3] ^ w[3], x[4] ^ w[4], one, b);
    ADD(one, x[5] ^ w[5], x[6] ^ w[6], one, c);
    ADD(a, b, c, two, four);
    return ((bytes(nibbles(one) + 2u * nibbles(two)) + 4u * bytes(nibbles(four))) * 0x01010101u) >> 24;
}

/* Weights that differ from what they meet; acc = taps - 2 * mismatches. */
static uint32_t mismatches(const uint32_t *x, const uint32_t *w, uint32_t words)
{
    uint32_t count = 0;

    for (; words >= 7u; words -= 7u, x += 7, w += 7) {
        count += mismatches7(x, w);
    }
    for (uint32_t i = 0; i < words; i++) {
        count += BNN_POPCOUNT(x[i] ^ w[i]);
    }
    return count;
}

/* One row of a binary convolution, thresholded back to bits.
 *
 *     acc[o] = taps - 2 * popcount(x ^ w[o])     bit 1 is +1, bit 0 is -1
 *     y[o]   = acc[o] >= t[o]
 *
 *   x  the rows under the kernel: layer->taps bits. What follows in the last word is not looked at
 *   y  layer->channels bits; must not overlap x
 *
 * Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_row_conv_threshold(const bnn_row_conv *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t channels = layer->channels;
    const uint32_t *w = layer->weights;
    const int32_t taps = layer->taps;

    for (uint32_t o = 0; o < channels; o += 32u) {
        const uint32_t n = channels - o < 32u ? channels - o : 32u;
        uint32_t bits = 0;
        for (uint32_t j = 0; j < n; j++, w += layer->words) {
            const int32_t acc = taps - 2 * (int32_t)mismatches(x, w, layer->words);
            bits |= (uint32_t)(acc >= layer->t[o + j]) << j;
        }
        *y++ = bits;
    }
}

/* The accumulators of the same row.
 *
 *   y  layer->channels integers, int16, two to a word
 *
 * Defined by BinaryConv in the simulator.
 */
void bnn_row_conv_sum(const bnn_row_conv *layer, const uint32_t *x, uint32_t *y)
{
    const uint32_t *w = layer->weights;
    bnn_writer out = {y, 0u, 0u};

    for (uint32_t o = 0; o < layer->channels; o++, w += layer->words) {
        bnn_put(&out, (layer->taps - 2u * mismatches(x, w, layer->words)) & 0xFFFFu, 16u);
    }
    if (out.fill > 0u) {
        *out.next = out.word;
    }
}
