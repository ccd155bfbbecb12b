/* Mean and standard deviation of a window, in integers: WindowStats of the specification. */
#ifndef BNN_STATS_H
#define BNN_STATS_H

#include "bnn_stream.h"

namespace bnn {

/* floor(sqrt(x)), one bit of the root a turn: `rest` is what x leaves beside root^2, as far as its bits have come down,
 * and a bit of the root is 1 where (2 root + 1) still fits into it.
 */
inline ap_uint<32> integer_root(ap_uint<64> x)
{
    ap_uint<34> rest = 0;
    ap_uint<32> root = 0;
    for (int i = 0; i < 32; i++) {
#pragma HLS PIPELINE II = 1
        rest = (rest << 2) | ap_uint<34>(x >> 62);
        x <<= 2;
        const ap_uint<34> trial = (ap_uint<34>(root) << 2) | 1;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1;
        }
    }
    return root;
}

/* floor(a / b) for b > 0. C++ rounds towards zero. */
template <int A, int B> ap_int<A> floor_div(ap_int<A> a, ap_int<B> b)
{
    const ap_int<A> quotient = a / b;
    return quotient * b > a ? ap_int<A>(quotient - 1) : quotient;
}

/* S1 = sum x, S2 = sum x^2; mean = round(2^FRAC S1 / n), std = max(1, floor(floor(sqrt((n S2 - S1^2) 4^FRAC)) / n)).
 *
 * With n <= 2^min(16, 17 - FRAC), n S2 and S1^2 are at most 2^62 and the root's argument is below 2^64.
 */
template <int SAMPLES, int FRAC>
void window_stats(hls::stream<Lanes<ap_int<16>, 1>> &x, hls::stream<Stats> &y, int windows)
{
    for (int w = 0; w < windows; w++) {
        ap_int<33> sum = 0;
        ap_uint<48> squares = 0;
        for (int i = 0; i < SAMPLES; i++) {
#pragma HLS PIPELINE II = 1
            const ap_int<16> sample = x.read().lane[0];
            sum += sample;
            squares += ap_uint<32>(sample * sample);
        }
        const ap_int<18> n = SAMPLES;
        const ap_uint<64> spread = ap_uint<64>(n * squares) - ap_uint<64>(sum * sum);
        const ap_uint<32> deviation = integer_root(spread << (2 * FRAC)) / ap_uint<17>(SAMPLES);
        const ap_int<48> twice = (ap_int<48>(sum) << (FRAC + 1)) + n;
        Stats stats;
        stats.mean = floor_div<48, 19>(twice, 2 * n);
        stats.std = deviation > 1 ? ap_int<32>(deviation) : ap_int<32>(1);
        y.write(stats);
    }
}

} // namespace bnn

#endif
