/* Rows through line buffers: see bnn_stream.h. */
#include "bnn_stream.h"

#include <stddef.h>

#include "bnn_bits.h"

static uint32_t *counts(uint32_t *state)
{
    return state + BNN_STREAM_HEAD;
}

/* Rows of whole words: move them down by one, and put the new one last. */
static void append_words(uint32_t *lines, uint32_t words, uint32_t step, const uint32_t *row)
{
    uint32_t *const end = lines + words - step;

    for (; lines < end; lines++) {
        lines[0] = lines[step];
    }
    for (uint32_t i = 0; i < step; i++) {
        end[i] = row ? row[i] : 0xFFFFFFFFu;
    }
}

/* The same for rows of other sizes, `at` bits before the last. */
static void append_bits(uint32_t *lines, uint32_t at, uint32_t bits, const uint32_t *row)
{
    if (at > 0u) {
        bnn_gather(lines, bits, at, lines);
    }
    bnn_writer out = {lines + at / 32u, at % 32u > 0u ? lines[at / 32u] : 0u, at % 32u};
    for (uint32_t i = 0; i < bits; i += 32u) {
        const uint32_t n = bits - i < 32u ? bits - i : 32u;
        bnn_put(&out, row ? row[i / 32u] : bnn_ones(n), n);
    }
    if (out.fill > 0u) {
        *out.next = out.word;
    }
}

/* The same for rows of less than a word, of which several are kept. */
static void append_few(uint32_t *lines, uint32_t words, uint32_t at, uint32_t bits, uint32_t row)
{
    const uint32_t shift = at % 32u;
    uint32_t *const last = lines + words - 1u;

    for (; lines < last; lines++) {
        lines[0] = lines[0] >> bits | lines[1] << (32u - bits);
    }
    *last >>= bits;
    if (shift + bits > 32u) {
        last[-1] |= row << shift;
        *last |= row >> (32u - shift);
    } else {
        *last |= row << shift;
    }
}

/* Add a row to a layer's line buffer. `row` NULL: all 1. */
static void append(const bnn_stream_layer *layer, uint32_t *state, const uint32_t *row)
{
    const uint32_t bits = layer->bits;
    uint32_t *lines = state + layer->at;

    if (bits == 0u) {
        return;
    }
    const uint32_t at = (layer->rows - 1u) * bits;
    const uint32_t words = BNN_WORDS(at + bits);
    if (bits % 32u == 0u) {
        append_words(lines, words, bits / 32u, row);
    } else if (bits < 32u) {
        append_few(lines, words, at, bits, row ? *row : bnn_ones(bits));
    } else {
        append_bits(lines, at, bits, row);
    }
}

/* Rows `from` .. of a layer as a string that begins at a word without other rows in its last
 * word; copied to `copy` where they are no such string. */
static const uint32_t *view(const bnn_stream *net, uint32_t *state, uint32_t layer, uint32_t from, uint32_t kernel,
                            uint32_t copy)
{
    const bnn_stream_layer *x = net->layers + layer;
    const uint32_t *lines = state + x->at;
    const uint32_t count = counts(state)[layer];
    const uint32_t first = (x->rows + from - count) * x->bits;
    const uint32_t bits = kernel * x->bits;

    if (first % 32u == 0u && (bits % 32u == 0u || from + kernel == count)) {
        return lines + first / 32u;
    }
    bnn_gather(lines, first, bits, state + copy);
    return state + copy;
}

/* Make the next row of layer i, or add a row of its margin behind the map; 0 where it has to wait. */
static int advance(const bnn_stream *net, uint32_t *state, uint32_t i)
{
    const bnn_stream_layer *layer = net->layers + i;
    uint32_t *count = counts(state);
    uint32_t *row = state + net->row_at;
    const uint32_t t = count[i] - layer->margin;
    const uint32_t from = layer->first + t * layer->stride;

    if (t >= layer->length) {
        if (t >= layer->length + layer->margin) {
            return 0;
        }
        append(layer, state, layer->pad);
    } else {
        const uint32_t from_other = layer->other_first + t * layer->stride;
        if (count[layer->x] < from + layer->kernel || count[layer->other] < from_other + layer->kernel) {
            return 0;
        }
        const uint32_t *x = view(net, state, layer->x, from, layer->kernel, net->view_at);
        const uint32_t *other = x;
        if (layer->other != layer->x) {
            other = view(net, state, layer->other, from_other, layer->kernel, net->other_at);
        }
        net->row(i, x, other, state, row);
        if (layer->bits > 0u) {
            BNN_TRACE_TENSOR(i, row, 4u * BNN_WORDS(layer->bits));
        }
        append(layer, state, row);
    }
    count[i]++;
    return 1;
}

/* Forget all samples. */
void bnn_stream_reset(uint32_t *state)
{
    for (uint32_t i = 0; i < BNN_STREAM_HEAD; i++) {
        state[i] = 0;
    }
}

/* Add up to n samples to the sums of a window, whose statistics come when it is full. Returns how many there was
 * room for; after the window's last sample the next call begins another.
 */
uint32_t bnn_stream_take(const bnn_stream *net, uint32_t *state, const int16_t *samples, uint32_t n)
{
    bnn_stream_head *head = (bnn_stream_head *)state;

    if (head->taken == net->samples) {
        head->taken = head->squares[0] = head->squares[1] = 0;
        head->sum = 0;
    }
    const uint32_t room = net->samples - head->taken;
    const uint32_t taken = n < room ? n : room;
    uint64_t squares = (uint64_t)head->squares[1] << 32 | head->squares[0];
    for (uint32_t i = 0; i < taken; i++) {
        head->sum += samples[i];
        squares += (uint32_t)(samples[i] * samples[i]);
    }
    head->squares[0] = (uint32_t)squares;
    head->squares[1] = (uint32_t)(squares >> 32);
    head->taken += taken;
    return taken;
}

/* From the sums of a full window to its statistics, in the head. */
void bnn_stream_stats(const bnn_stream *net, uint32_t *state)
{
    bnn_stream_head *head = (bnn_stream_head *)state;
    const uint64_t squares = (uint64_t)head->squares[1] << 32 | head->squares[0];

    bnn_sums_to_stats(head->sum, squares, net->samples, net->frac, head->stats);
}

/* Make the line buffers ready for a window whose statistics stand in the head. */
void bnn_stream_begin(const bnn_stream *net, uint32_t *state)
{
    const bnn_stream_head *head = (const bnn_stream_head *)state;

    BNN_TRACE_TENSOR(0, head->stats, sizeof head->stats);
    for (uint32_t i = 0; i < net->n; i++) {
        const bnn_stream_layer *layer = net->layers + i;
        const uint32_t *pad = i > 0u ? layer->pad : (const uint32_t *)&head->stats[1];
        counts(state)[i] = layer->margin;
        for (uint32_t j = 0; j < BNN_WORDS(layer->rows * layer->bits); j++) {
            state[layer->at + j] = 0;
        }
        for (uint32_t j = 0; j < layer->margin; j++) {
            append(layer, state, pad);
        }
    }
    net->start(state, head->stats);
}

static void add_signal(const bnn_stream *net, uint32_t *state, const int32_t *d)
{
    append(net->layers, state, (const uint32_t *)d);
    counts(state)[0]++;
}

/* The next sample, through all layers that it completes a row of. */
void bnn_stream_feed(const bnn_stream *net, uint32_t *state, int16_t sample)
{
    const bnn_stream_head *head = (const bnn_stream_head *)state;
    const int32_t d = sample * (1 << net->frac) - head->stats[0];

    add_signal(net, state, &d);
    for (uint32_t i = 1; i < net->n; i++) {
        if (!advance(net, state, i)) {
            i += net->layers[i].skip;
        }
    }
}

/* The rows that only wait for the margins behind the maps; then the logits are there. */
void bnn_stream_end(const bnn_stream *net, uint32_t *state)
{
    bnn_stream_head *head = (bnn_stream_head *)state;
    int moved = 1;

    while (moved) {
        moved = counts(state)[0] < net->layers->length + 2u * net->layers->margin;
        if (moved) {
            add_signal(net, state, &head->stats[1]);
        }
        for (uint32_t i = 1; i < net->n; i++) {
            moved |= advance(net, state, i);
        }
    }
    BNN_TRACE_TENSOR(net->n - 1u, state + net->logits_at, 4u * net->classes);
    head->done = 1;
}

/* The class of the window that ended with the last push, and its logits; -1 where none did. */
int bnn_stream_result(const bnn_stream *net, const uint32_t *state, int32_t *logits)
{
    const bnn_stream_head *head = (const bnn_stream_head *)state;

    if (!head->done) {
        return -1;
    }
    for (uint32_t c = 0; c < net->classes; c++) {
        logits[c] = bnn_int32(state[net->logits_at + c]);
    }
    return (int)bnn_argmax(logits, net->classes);
}
