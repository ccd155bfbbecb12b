/* Binary convolution: XOR and count. */
#include "bnn_bits.h"

/* What the loops of one layer need, worked out once. */
typedef struct {
    uint32_t taps;        /* bits under the kernel */
    uint32_t words;       /* that hold them */
    uint32_t first, step; /* where the first window begins, and from one to the next, in bits of x */
    uint32_t *window;
    const uint32_t *rows; /* weights, each row beginning at a word */
} walk;

static walk begin(const bnn_conv *layer, uint32_t *scratch)
{
    const uint32_t n_in = layer->x->channels;
    walk w;

    w.taps = layer->kernel * n_in;
    w.words = BNN_WORDS(w.taps);
    w.first = ((uint32_t)layer->x->margin - layer->pad) * n_in;
    w.step = layer->stride * n_in;
    w.window = scratch;
    w.rows = bnn_aligned_rows(layer->weights, layer->y->channels, w.taps, scratch + w.words);
    return w;
}

/* Weights that differ from what they meet; acc = taps - 2 * mismatches. */
static uint32_t mismatches(const uint32_t *window, const uint32_t *row, uint32_t words)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < words; i++) {
        count += BNN_POPCOUNT(window[i] ^ row[i]);
    }
    return count;
}

/* One binary convolution, thresholded back to bits.
 *
 *     m[o, t] = popcount(window(t) ^ w[o])     acc = taps - 2 m; bit 1 is +1, bit 0 is -1
 *     y[o, t] = m[o, t] < limit[o]             acc >= bound, where limit = floor((taps - bound) / 2) + 1
 *
 * A limit lies between 0, never, and taps + 1, always, so that one byte holds it up to 254 taps.
 * Time-major order makes window(t), the taps = kernel * x->channels bits of
 * x[c, t * stride + k - pad], one string that begins at bit (t * stride - pad + margin) * x->channels
 * of x. It is brought to a word's edge once and then meets every row. A factor that agrees counts +1 and
 * one that differs -1, hence taps - 2 * mismatches. Unused bits of the last word are 0 on both sides.
 *
 *   x        the map layer->x with margins of at least `pad` steps
 *   y        the map layer->y with its margins. It may overlap x where, for all t, word
 *            ((y->margin + t) * y->channels) / 32 of y is not above the word of x where window(t) begins
 *   scratch  BNN_WORDS(taps) words, and y->channels * BNN_WORDS(taps) more where taps is no multiple of 32
 *
 * Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_conv_threshold(const bnn_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const walk w = begin(layer, scratch);
    const uint32_t channels = layer->y->channels;
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t t = 0; t < layer->y->length; t++) {
        const uint32_t *row = w.rows;
        bnn_gather(x, w.first + t * w.step, w.taps, w.window);
        for (uint32_t o = 0; o < channels; o += 32u) {
            const uint32_t n = channels - o < 32u ? channels - o : 32u;
            uint32_t bits = 0;
            for (uint32_t j = 0; j < n; j++, row += w.words) {
                const uint32_t limit = bnn_limit(layer->limits, w.taps, o + j);
                bits |= (uint32_t)(mismatches(w.window, row, w.words) < limit) << j;
            }
            bnn_put(&out, bits, n);
        }
    }
    bnn_close_map(&out, layer->y);
}

/* The accumulators of the same convolution.
 *
 *   y  (y->channels, y->length) int16, two to a word. It may overlap x where, for all t, word
 *      (t * y->channels) / 2 of y is not above the word of x where window(t) begins
 *
 * x and scratch as above. Defined by BinaryConv in the simulator.
 */
void bnn_conv_sum(const bnn_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const walk w = begin(layer, scratch);
    const uint32_t channels = layer->y->channels;
    bnn_writer out = bnn_open_map(y, layer->y);

    for (uint32_t t = 0; t < layer->y->length; t++) {
        const uint32_t *row = w.rows;
        bnn_gather(x, w.first + t * w.step, w.taps, w.window);
        for (uint32_t o = 0; o < channels; o++, row += w.words) {
            bnn_put(&out, (w.taps - 2u * mismatches(w.window, row, w.words)) & 0xFFFFu, 16u);
        }
    }
    bnn_close_map(&out, layer->y);
}
