/* Runtime of generated binary networks: plain C99 integers.
 *
 * No float, no allocation, no recursion, no state: every function is reentrant and writes only
 * where its contract says. Generated code holds descriptors (below) and a short list of calls.
 *
 * Memory. A tensor of the shape (channels, length) is stored time-major: element (c, t) is
 * element number t * channels + c. Bits, where 1 is +1 and 0 is -1, are packed without gaps: bit i
 * is bit i % 32 of word i / 32, and the unused high bits of the last word are 0. A 16-bit
 * integer i is half i % 2 of word i / 2, low half first. A 32-bit integer is one word.
 *
 * Margins. A map that a padded convolution reads carries `margin` time steps of padding before
 * and after its data; the kernel that writes the map writes them too. So every window of a
 * convolution is one unbroken string of bits.
 */
#ifndef BNN_RUNTIME_H
#define BNN_RUNTIME_H

#include <stdint.h>

/* Generated code refuses to compile with a runtime of another number. */
#define BNN_RUNTIME_ABI 4

/* Words that hold n bits. */
#define BNN_WORDS(n) (((n) + 31u) / 32u)

/* Words that hold n bytes. */
#define BNN_BYTE_WORDS(n) (((n) + 3u) / 4u)

/* Scaled bounds that every value, or no value, reaches. */
#define BNN_ALWAYS (-32768)
#define BNN_NEVER 32767

/* With -DBNN_TRACE the program that links the network defines bnn_trace() and is shown every
 * tensor as soon as it is complete; without it nothing is called. */
#ifdef BNN_TRACE
void bnn_trace(unsigned id, const void *data, unsigned long bytes);
#define BNN_TRACE_TENSOR(id, data, bytes) bnn_trace((id), (data), (bytes))
#else
#define BNN_TRACE_TENSOR(id, data, bytes) ((void)0)
#endif

/* Shape of a tensor in memory. Integer tensors have no margin. */
typedef struct {
    uint32_t length;     /* time steps, without the margins */
    uint16_t channels;
    uint16_t margin;     /* time steps of padding before and after; element 0 is bit margin * channels */
    const uint32_t *pad; /* BNN_WORDS(channels) words, the bits of one step of padding; NULL: all 1 */
} bnn_map;

/* Shape of a map of bits in lanes: a row of words a channel. Word margin + i of row c has in bit j the step
 * j * segment + i, for -margin <= i < row - margin. Outside 0 .. length - 1 a step has the pad value; 0 where there is no margin. */
typedef struct {
    uint32_t length;     /* at most 32 * segment */
    uint16_t channels;
    uint16_t margin;     /* words of a row before its first */
    const uint32_t *pad; /* BNN_WORDS(channels) words, one bit a channel; NULL: all 1 */
    uint16_t segment;    /* steps between two lanes of a word */
    uint16_t row;        /* words of a row, at least margin + segment */
    uint16_t full, longer; /* of a row's words, the first `longer` hold `full` steps, the others one less */
    uint16_t zeros;        /* 1: one more row, of zeros, follows that of the last channel */
} bnn_lanes;

/* One bound a channel: scaled by a window's standard deviation, or plain. */
typedef struct {
    const int16_t *t;
    uint8_t scaled; /* 1: bound = ceil(t * std / 2^frac), with BNN_ALWAYS and BNN_NEVER; 0: bound = t */
    uint8_t frac;   /* 0 to 15 */
} bnn_bounds;

/* First layer, on raw samples. */
typedef struct {
    const bnn_map *y;
    const uint32_t *weights; /* y->channels rows of `kernel` bits, back to back */
    bnn_bounds bounds;       /* unused where the accumulators themselves are the output */
    uint32_t samples;
    uint16_t kernel, stride, pad;
    uint16_t frac; /* fraction bits of the statistics */
} bnn_signal_conv;

/* With more taps than these, a limit on mismatches takes two bytes, the low one first. */
#define BNN_ONE_BYTE_TAPS 254u

/* Binary convolution. */
typedef struct {
    const bnn_map *x, *y;
    const uint32_t *weights; /* y->channels rows of kernel * x->channels bits, back to back */
    const uint8_t *limits;   /* one a channel, of 1 or 2 bytes; unused where the accumulators are the output */
    uint16_t kernel, stride; /* time steps */
    uint16_t pad;            /* at most x->margin */
} bnn_conv;

/* First layer, on raw samples, into lanes. */
typedef struct {
    const bnn_lanes *y;
    const uint32_t *weights; /* as in bnn_signal_conv */
    bnn_bounds bounds;
    uint32_t samples;
    uint16_t kernel, stride, pad; /* kernel: 1 to 7 */
    uint16_t frac;
} bnn_lanes_signal;

struct bnn_lanes_conv;

/* The taps that two output channels count, those of both, of the first and of the second one after the other; offsets in
 * words from tap 0 of input channel 0. Each of the three parts is filled up to whole quads with the row of zeros. */
typedef struct {
    uint16_t channel[2];          /* the same one twice where there is no second */
    uint16_t both, first, second; /* quads of taps */
    uint16_t flip;                /* bit k: channel k counts the taps of weight -1 */
    int16_t balance[2];           /* weights +1 less weights -1 */
} bnn_taps;

/* Tells the taps of pair `number`, and where their list lies. `held` and `list` may be written to. */
typedef const uint16_t *bnn_taps_source(const struct bnn_lanes_conv *layer, uint32_t number, bnn_taps *held, uint32_t *scratch);

/* Code generated for a pair: where the accumulators of its two channels reach their bounds, at positions one after the other.
 *
 *   x              words under tap 0 at the first position; those of the next position are one word on
 *   start          for each position all planes of D before any tap: see bnn_lanes_conv.c
 *   first, second  a word a position
 */
typedef void bnn_pair_bits(const uint32_t *x, uint32_t positions, const uint32_t *start, uint32_t *first, uint32_t *second);

/* Binary convolution of stride 1 on lanes. */
typedef struct bnn_lanes_conv {
    const bnn_lanes *x;
    const bnn_lanes *y;      /* where the output is bits; of the segment of x, divided by the stride of a pool */
    const bnn_map *sums;     /* where it is the accumulators */
    const uint8_t *limits;   /* as in bnn_conv */
    bnn_taps_source *source; /* bnn_decode_taps, bnn_listed_taps or bnn_unrolled_taps */
    const uint32_t *weights; /* for the former: as in bnn_conv; */
    const uint16_t *order;   /* and all output channels, those of a pair one after the other; NULL: in their own order */
    const bnn_taps *taps;    /* for the others: all pairs, */
    const uint16_t *lists;   /* and their lists one after the other, */
    bnn_pair_bits *const *pairs; /* or their code; NULL: lists */
    uint16_t kernel;
    uint16_t pad;            /* at most x->margin */
    uint16_t pass;           /* positions that one pass over the weights serves, 1 or more: memory for speed */
    uint16_t pool, stride;   /* kernel and stride of a pool that follows; unused elsewhere */
    uint16_t crossing;       /* words of y that the pool may fill from beyond a segment: (pool - 1) / stride */
} bnn_lanes_conv;

/* Pooling over time, lanes to lanes; x->segment = stride * y->segment. */
typedef struct {
    const bnn_lanes *x, *y;
    uint16_t kernel, stride;
} bnn_lanes_pool;

/* Two maps in lanes, of one shape and segment, into a third. */
typedef struct {
    const bnn_lanes *a, *b, *y;
} bnn_lanes_pair;

/* The same bits in the other layout. */
typedef struct {
    const bnn_map *map;
    const bnn_lanes *lanes;
} bnn_lanes_copy;

/* Threshold of integers that are stored. */
typedef struct {
    const bnn_map *x, *y;
    bnn_bounds bounds;
} bnn_threshold;

/* Pooling over time, of bits or integers. */
typedef struct {
    const bnn_map *x, *y;
    uint16_t kernel, stride;
} bnn_pool;

/* Two maps of one shape into a third. */
typedef struct {
    const bnn_map *a, *b, *y;
} bnn_pair;

/* Last layer: from accumulators to logits. */
typedef struct {
    const bnn_map *x;
    const int16_t *rise, *fall;
    const int32_t *bias;
} bnn_prelu_sum;

/* Each is described where it is defined; bnn_<file>.c beside this header. */

/* bnn_stats.c */
void bnn_sums_to_stats(int32_t sum, uint64_t squares, uint32_t length, uint32_t frac, int32_t stats[2]);
void bnn_window_stats(const int16_t *x, uint32_t length, uint32_t frac, int32_t stats[2]);

/* bnn_bounds.c */
void bnn_resolve_bounds(const bnn_bounds *bounds, uint32_t n, const int32_t *stats, int32_t *bound);

/* bnn_signal_conv.c */
void bnn_signal_conv_threshold(const bnn_signal_conv *layer, const int16_t *x, const int32_t stats[2],
                               const int32_t *bound_stats, uint32_t *y, uint32_t *scratch);
void bnn_signal_conv_sum(const bnn_signal_conv *layer, const int16_t *x, const int32_t stats[2], int32_t *y,
                         uint32_t *scratch);

/* bnn_conv.c */
void bnn_conv_threshold(const bnn_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch);
void bnn_conv_sum(const bnn_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch);

/* bnn_threshold.c */
void bnn_threshold16(const bnn_threshold *layer, const uint32_t *x, uint32_t *y);
void bnn_threshold32(const bnn_threshold *layer, const int32_t *x, const int32_t *bound_stats, uint32_t *y,
                     uint32_t *scratch);

/* bnn_or_pool.c, bnn_max_pool.c, bnn_and_not.c */
void bnn_or_pool(const bnn_pool *layer, const uint32_t *x, uint32_t *y);
void bnn_max_pool16(const bnn_pool *layer, const uint32_t *x, uint32_t *y);
void bnn_max_pool32(const bnn_pool *layer, const int32_t *x, int32_t *y);
void bnn_and_not(const bnn_pair *layer, const uint32_t *a, const uint32_t *b, uint32_t *y);

/* bnn_lanes_signal.c, bnn_lanes_conv.c, bnn_lanes_taps.c, bnn_lanes_listed.c, bnn_lanes_unrolled.c, bnn_lanes_pool.c, bnn_lanes_copy.c */
void bnn_lanes_signal_threshold(const bnn_lanes_signal *layer, const int16_t *x, const int32_t stats[2],
                                const int32_t *bound_stats, uint32_t *y, uint32_t *scratch);
void bnn_lanes_conv_threshold(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch);
void bnn_lanes_conv_pool(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch);
void bnn_lanes_conv_sum(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch);
bnn_taps_source bnn_decode_taps, bnn_listed_taps, bnn_unrolled_taps;
void bnn_lanes_or_pool(const bnn_lanes_pool *layer, const uint32_t *x, uint32_t *y);
void bnn_lanes_and_not(const bnn_lanes_pair *layer, const uint32_t *a, const uint32_t *b, uint32_t *y);
void bnn_lanes_pack(const bnn_lanes_copy *layer, const uint32_t *x, uint32_t *y);
void bnn_lanes_unpack(const bnn_lanes_copy *layer, const uint32_t *x, uint32_t *y);

/* bnn_prelu_sum.c, bnn_argmax.c */
void bnn_prelu_sum16(const bnn_prelu_sum *layer, const uint32_t *x, int32_t *y);
void bnn_prelu_sum32(const bnn_prelu_sum *layer, const int32_t *x, int32_t *y);
uint32_t bnn_argmax(const int32_t *x, uint32_t n);

#endif
