/* Layers in a stream: rows of line buffers instead of whole maps.
 *
 * A row is one time step of a map, with the layout of a map of length 1 (bnn_runtime.h). Each layer keeps of its own rows
 * only as many as its readers look back on; they lie back to back, the newest last, and move down by one row
 * when one is added. So the rows that a convolution or a pool is about to read are one string, and where they are all that is
 * kept, the string begins at a word. Margins are rows like others: those before the map are there from the
 * start, those behind it are added after its last row.
 *
 * Layer 0 is the signal: its rows are the centred samples d of SignalConv, int32, one channel, and its margin is std.
 * The last layer is the sum at the end: it keeps no rows, but its logits.
 *
 * What may run when follows from numbers of rows alone, so the generator plays it through and gives each buffer
 * the rows that it needs, no more.
 */
#ifndef BNN_STREAM_H
#define BNN_STREAM_H

#include "bnn_runtime.h"

typedef struct {
    uint32_t length;     /* rows, without the margins */
    const uint32_t *pad; /* BNN_WORDS(bits) words, a row of margin; NULL: all 1. Unused in layer 0 */
    uint16_t margin;     /* rows before the map, and behind it */
    uint16_t bits;       /* of a row; 0: rows are not kept */
    uint16_t rows;       /* that are kept */
    uint16_t at;         /* word of the state where they begin */
    uint16_t x, first;   /* the layer that row t reads, and that layer's row, margin counted, where row 0 begins to read */
    uint16_t other, other_first; /* the same for a second layer; the first again where there is none */
    uint16_t stride, kernel;     /* rows of x from one row to the next, and rows that each reads */
    uint16_t skip; /* layers behind this one that wait as long as it does */
} bnn_stream_layer;

/* A network. */
typedef struct {
    const bnn_stream_layer *layers; /* in an order in which each reads earlier ones */
    /* Set what a window's statistics decide: bounds, and sums that begin with a bias. */
    void (*start)(uint32_t *state, const int32_t stats[2]);
    /* Make one row y of a layer from the rows that it reads. */
    void (*row)(uint32_t layer, const uint32_t *x, const uint32_t *other, uint32_t *state, uint32_t *y);
    uint32_t samples; /* of a window, at most 2^16 */
    uint16_t n;       /* layers */
    uint16_t frac;    /* of the statistics */
    uint16_t row_at, view_at, other_at; /* words of the state: the row being made, and rows that begin within a word */
    uint16_t logits_at, classes;
} bnn_stream;

/* The state begins with this; then come the rows made so far of each layer, margins counted, and the rest. */
typedef struct {
    uint32_t taken;      /* samples of this window */
    int32_t sum;         /* of these */
    uint32_t squares[2]; /* the sum of their squares, low word first */
    int32_t stats[2];
    uint32_t done;       /* 1: the logits of the window that ended with the last push are there */
    uint32_t known;      /* 1: `stats` are those of the window before; where the past is asked for */
} bnn_stream_head;

#define BNN_STREAM_HEAD 8u /* words */

/* First layer: rows of -1 and +1 as indices. */
typedef struct {
    const uint8_t *signs; /* for each four taps, and what is left: `channels` times their bits, the first tap lowest */
    uint16_t kernel, channels;
} bnn_row_signal;

/* Most bit planes of a counter: the checker keeps taps below 2^15. */
#define BNN_ROW_PLANES 17

/* Binary convolution to bits. */
typedef struct {
    const uint32_t *weights; /* for each 32 channels: `planes` words of counters to begin with, then a word a tap, and words 0 up to
                                a multiple of 16. Bit j is channel j */
    uint16_t taps, planes, channels;
} bnn_row_conv;

/* Binary convolution to accumulators. */
typedef struct {
    const uint32_t *weights; /* channels * words: rows of taps that begin at words; unused bits are 0 */
    uint16_t taps, words, channels;
} bnn_row_conv_sums;

/* bnn_stream.c */
void bnn_stream_reset(uint32_t *state);
uint32_t bnn_stream_take(const bnn_stream *net, uint32_t *state, const int16_t *samples, uint32_t n);
void bnn_stream_stats(const bnn_stream *net, uint32_t *state);
void bnn_stream_begin(const bnn_stream *net, uint32_t *state);
void bnn_stream_feed(const bnn_stream *net, uint32_t *state, int16_t sample);
void bnn_stream_end(const bnn_stream *net, uint32_t *state);
int bnn_stream_result(const bnn_stream *net, const uint32_t *state, int32_t *logits);

/* bnn_stream_kept.c */
uint32_t bnn_stream_push_kept(const bnn_stream *net, uint32_t *state, int16_t *kept, const int16_t *samples, uint32_t n);

/* bnn_stream_past.c */
uint32_t bnn_stream_push_past(const bnn_stream *net, uint32_t *state, const int16_t *samples, uint32_t n);

/* bnn_stream_signal.c */
void bnn_row_signal_sum(const bnn_row_signal *layer, const uint32_t *x, uint32_t *y);
void bnn_row_signal_threshold(const bnn_row_signal *layer, const uint32_t *x, const uint32_t *bounds, uint32_t *sums,
                              uint32_t *y);
void bnn_row_threshold32(uint32_t channels, const uint32_t *x, const uint32_t *bounds, uint32_t *y);

/* bnn_stream_conv.c */
void bnn_row_conv_threshold(const bnn_row_conv *layer, const uint32_t *x, uint32_t *y);
void bnn_row_conv_sum(const bnn_row_conv_sums *layer, const uint32_t *x, uint32_t *y);

/* bnn_stream_sum.c */
void bnn_row_bias(const bnn_prelu_sum *layer, uint32_t *y);
void bnn_row_prelu_sum16(const bnn_prelu_sum *layer, const uint32_t *x, uint32_t *y);
void bnn_row_prelu_sum32(const bnn_prelu_sum *layer, const uint32_t *x, uint32_t *y);

#endif
