/* From one row of bits a window to one bit a window: square blocks of 64 x 64 bits, one in each word of a vector. */
#include <string.h>

#include "bnn_native.h"

/* Bit j of word i becomes bit i of word j: halves are exchanged, then quarters, down to single bits (Hacker's Delight, 7-3). */
static void transpose(bnn_vector a[64])
{
    uint64_t mask = 0xFFFFFFFFu;

    for (uint32_t size = 32; size > 0u; size /= 2u, mask ^= mask << size) {
        for (uint32_t i = 0; i < 64u; i = (i + size + 1u) & ~size) {
            const bnn_vector swap = ((a[i] >> size) ^ a[i + size]) & mask;
            a[i] ^= swap << size;
            a[i + size] ^= swap;
        }
    }
}

/* Rows of bytes, one row a window, into a map: bit j of byte t is the element (channel + j, t).
 *
 *   rows  BNN_NATIVE_LANES rows of row_bytes bytes, a multiple of 64
 */
void bnn_native_turn(const uint8_t *rows, size_t row_bytes, uint32_t channel, const bnn_native_map *shape, bnn_vector *map)
{
    const uint32_t channels = shape->channels - channel < 8u ? shape->channels - channel : 8u;
    bnn_vector *const to = bnn_native_begin(map, shape) + channel;

    for (uint32_t begin = 0; begin < shape->length; begin += sizeof(bnn_vector)) {
        for (uint32_t word = 0; word < BNN_NATIVE_WORDS; word++) {
            bnn_vector a[64];
            for (uint32_t i = 0; i < 64u; i++) {
                memcpy(&a[i], rows + (word * 64u + i) * row_bytes + begin, sizeof a[i]);
            }
            transpose(a);
            for (uint32_t byte = 0; byte < sizeof(bnn_vector) && begin + byte < shape->length; byte++) {
                uint64_t *const step = (uint64_t *)(to + (size_t)(begin + byte) * shape->row) + word;
                for (uint32_t j = 0; j < channels; j++) {
                    step[j * BNN_NATIVE_WORDS] = a[byte % 8u * 8u + j][byte / 8u];
                }
            }
        }
    }
}
