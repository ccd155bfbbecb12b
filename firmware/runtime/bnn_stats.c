/* Mean and standard deviation of one window of samples. */
#include "bnn_runtime.h"

/* floor(n / d) for quotients below 2^32, by long division: it runs twice a window, and keeps the
 * 64-bit division routine out of the image. d < 2^31. */
static uint32_t divide(uint64_t n, uint32_t d)
{
    uint64_t rest = n;
    uint32_t quotient = 0;

    for (uint32_t i = 32; i-- > 0;) {
        const uint64_t part = (uint64_t)d << i;
        if (rest >= part) {
            rest -= part;
            quotient |= 1u << i;
        }
    }
    return quotient;
}

/* floor(sqrt(n)), one bit of the root at a time. */
static uint32_t square_root(uint64_t n)
{
    uint64_t rest = n;
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 62; bit > 0u; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* Mean and standard deviation of `length` samples, in units of 2^-frac ADC steps, from their sums.
 *
 *     stats[0] = floor(2^frac * sum(x) / length + 1/2)
 *     stats[1] = max(1, floor(isqrt(2^(2 frac) * (length * sum(x^2) - sum(x)^2)) / length))
 *
 *   sum      of the samples x: in [-2^31, 2^31) for any window that the graph admits
 *   squares  of them: below 2^46
 *   length   1 to 2^16, and at most 2^(17 - frac);  frac 0 to 8
 *
 * length * squares and sum^2 are at most 2^62, and 2^(2 frac) times their difference is length^2 2^(2 frac) variance,
 * at most 2^34 2^30. For the mean the samples are moved up by 2^15, so that nothing is negative.
 * Defined by WindowStats, window_stats() of bnn.graph.arith.
 */
void bnn_sums_to_stats(int32_t sum, uint64_t squares, uint32_t length, uint32_t frac, int32_t stats[2])
{
    const uint64_t moved = (uint64_t)(sum + (int64_t)length * 32768);
    const uint64_t spread = length * squares - (uint64_t)((int64_t)sum * sum);
    const uint32_t mean = divide(((moved << frac) * 2u) + length, 2u * length);
    const uint32_t std = divide(square_root(spread << (2u * frac)), length);

    stats[0] = (int32_t)mean - (32768 << frac);
    stats[1] = std > 0u ? (int32_t)std : 1;
}

/* The same of a window.   x  `length` samples, any int16; every part of their sum lies in [-2^31, 2^31), too. */
void bnn_window_stats(const int16_t *x, uint32_t length, uint32_t frac, int32_t stats[2])
{
    const int16_t *const end = x + length;
    int32_t sum = 0;
    uint64_t squares = 0;

    for (; end - x >= 4; x += 4) {
        sum += x[0] + x[1] + x[2] + x[3];
        squares += (uint32_t)(x[0] * x[0]) + (uint32_t)(x[1] * x[1]);
        squares += (uint32_t)(x[2] * x[2]) + (uint32_t)(x[3] * x[3]);
    }
    for (; x != end; x++) {
        sum += *x;
        squares += (uint32_t)(*x * *x);
    }
    bnn_sums_to_stats(sum, squares, length, frac, stats);
}
