/* Runtime of the host engine: many windows at once, one in each bit of a wide vector. Private to generated code.
 *
 * A map of bits is one vector an element, time-major: element (c, t) is vector (t + margin) * row + c, and bit w of it belongs to window w
 * of the batch. So no kernel shifts bits, whatever its stride, and every lane is at work whatever the length of a map.
 * A binary convolution counts vectors into bit planes (bnn_native_count.h). A map of integers has `planes` vectors an element: the
 * bits of a two's complement number, the lowest first.
 *
 * Vectors are those of GCC and Clang; their width changes the speed and nothing else.
 */
#ifndef BNN_NATIVE_H
#define BNN_NATIVE_H

#include <stddef.h>

#include "bnn_runtime.h"

/* Windows in a batch: 64, 128, 256 or 512. */
#ifndef BNN_NATIVE_LANES
#if defined(__AVX512F__)
#define BNN_NATIVE_LANES 512
#elif defined(__AVX2__)
#define BNN_NATIVE_LANES 256
#else
#define BNN_NATIVE_LANES 128
#endif
#endif

/* Words of 64 windows in a vector. */
#define BNN_NATIVE_WORDS (BNN_NATIVE_LANES / 64)

typedef uint64_t bnn_vector __attribute__((vector_size(BNN_NATIVE_LANES / 8), may_alias));

/* Shape of a map. Integer maps have no margin and no zero. */
typedef struct {
    uint32_t length;    /* time steps, without the margins */
    uint16_t channels;
    uint16_t margin;    /* time steps of padding before and after */
    uint16_t row;       /* vectors of a time step: channels, and one of zeros where a convolution reads the map */
    uint16_t planes;    /* of an element: 1 for bits */
    const uint8_t *pad; /* one bit a channel; NULL: all 1 */
} bnn_native_map;

/* First layer, on raw samples: every window by itself, its bits as rows of bytes, then turned into vectors. */
typedef struct {
    const uint8_t *signs; /* of each channel, one for every four taps: bit j is the weight of tap 4 i + j */
    bnn_bounds bounds;
    uint32_t samples;
    uint16_t kernel, stride, pad, frac;
} bnn_native_signal;

/* Two output channels that are counted together, in rounds of eight taps. Of what is counted by `both`, then by the first alone, then by
 * the second alone, the taps follow each other in the layer's list. */
typedef struct {
    uint16_t both, first, second;
    uint16_t flip; /* bit k: channel k counts its taps of weight -1 */
} bnn_native_pair;

/* Binary convolution. */
typedef struct {
    const bnn_native_map *x;
    const bnn_native_map *y;
    const uint16_t *taps;         /* one round or more for the channels of a time step, then those of the pairs */
    const bnn_native_pair *pairs;
    const uint16_t *bounds;       /* least counter that is a 1 before the flip; for integer maps, what is added */
    uint16_t kernel, stride, pad;
    uint16_t planes;              /* of a counter */
} bnn_native_conv;

/* OrPool and MaxPool. */
typedef struct {
    const bnn_native_map *x, *y;
    uint16_t kernel, stride;
} bnn_native_pool;

/* Threshold on an integer map. */
typedef struct {
    const bnn_native_map *x, *y;
    const int16_t *t;
} bnn_native_threshold;

/* AndNot. */
typedef struct {
    const bnn_native_map *a, *b, *y;
} bnn_native_pair_map;

/* PReluSum of an integer map. */
typedef struct {
    const bnn_native_map *x;
    const int16_t *rise, *fall;
    const int32_t *bias;
} bnn_native_prelu_sum;

/* The element (0, 0) of a map. */
static inline bnn_vector *bnn_native_begin(bnn_vector *map, const bnn_native_map *shape)
{
    return map + (size_t)shape->margin * shape->row * shape->planes;
}

/* The same vector in every word. */
static inline bnn_vector bnn_native_all(uint64_t word)
{
    return word - (bnn_vector){0};
}

/* Statistics (count, 2) of `count` windows. Defined by WindowStats in the simulator. */
void bnn_native_window_stats(const int16_t *x, uint32_t length, uint32_t frac, uint32_t count, int32_t *stats);

void bnn_native_or_pool(const bnn_native_pool *layer, const bnn_vector *x, bnn_vector *y);
void bnn_native_max_pool16(const bnn_native_pool *layer, const bnn_vector *x, bnn_vector *y);
void bnn_native_threshold16(const bnn_native_threshold *layer, const bnn_vector *x, bnn_vector *y);
void bnn_native_and_not(const bnn_native_pair_map *layer, const bnn_vector *a, const bnn_vector *b, bnn_vector *y);
void bnn_native_prelu_sum16(const bnn_native_prelu_sum *layer, const bnn_vector *x, uint32_t count, int32_t *logits);

/* Fill the margins of a map of bits with its pad values, and its vectors of zeros. */
void bnn_native_close(const bnn_native_map *shape, bnn_vector *map);

/* Rows of bytes, one row a window, into a map: bit j of byte t is the element (channel + j, t). */
void bnn_native_turn(const uint8_t *rows, size_t row_bytes, uint32_t channel, const bnn_native_map *shape, bnn_vector *map);

/* Tensors as the simulator has them, for comparing: elements (windows, channels, length), from window `first` on for `count` windows.
 * Bits are bytes of 0 or 1; integers of vectors are int16; vectors of `n` words are int32 (windows, n). */
void bnn_native_show_bits(const bnn_native_map *shape, const bnn_vector *map, size_t first, uint32_t count, uint8_t *out);
void bnn_native_show_integers(const bnn_native_map *shape, const bnn_vector *map, size_t first, uint32_t count, int16_t *out);
void bnn_native_show_words(const int32_t *words, size_t first, uint32_t count, uint32_t n, int32_t *out);

#endif
