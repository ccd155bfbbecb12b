/* From integers to bits, and what is done on bits: Threshold, OrPool, AndNot of the specification. */
#ifndef BNN_BITS_H
#define BNN_BITS_H

#include "bnn_stream.h"

namespace bnn {

/* y[c, t] = x[c, t] >= t[c]. PE channels come at once; their bits are gathered until a step is whole. */
template <int CHANNELS, int LENGTH, int PE, typename T>
void threshold(hls::stream<Lanes<T, PE>> &x, hls::stream<ap_uint<CHANNELS>> &y,
               const ap_int<16> t[CHANNELS / PE][PE], int windows)
{
#pragma HLS ARRAY_PARTITION variable = t dim = 2 complete
    const int FOLDS = CHANNELS / PE;
    int fold = 0;
    ap_uint<CHANNELS> bits = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < LENGTH * FOLDS; i++) {
#pragma HLS PIPELINE II = 1
            const Lanes<T, PE> value = x.read();
            ap_uint<PE> reached = 0;
            for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                reached[p] = value.lane[p] >= t[fold][p];
            }
            bits = (bits >> PE) | (ap_uint<CHANNELS>(reached) << (CHANNELS - PE));
            if (fold == FOLDS - 1) {
                y.write(bits);
            }
            fold = fold == FOLDS - 1 ? 0 : fold + 1;
        }
    }
}

/* y[c, t] = x[c, t] >= ceil(t[c] * std / 2^FRAC), the test of x / std without a division.
 *
 * A bound takes up to 38 bits, so the ends of 40 bits are free for ALWAYS (t = -32768) and NEVER (t = 32767).
 */
template <int CHANNELS, int LENGTH, int FRAC, int PE, typename T>
void scaled_threshold(hls::stream<Lanes<T, PE>> &x, hls::stream<Stats> &statistics, hls::stream<ap_uint<CHANNELS>> &y,
                      const ap_int<16> t[CHANNELS / PE][PE], int windows)
{
#pragma HLS ARRAY_PARTITION variable = t dim = 2 complete
    const int FOLDS = CHANNELS / PE;
    ap_int<40> bound[FOLDS][PE];
#pragma HLS ARRAY_PARTITION variable = bound dim = 2 complete
    ap_uint<CHANNELS> bits = 0;
    for (int w = 0; w < windows; w++) {
        const ap_int<32> std = statistics.read().std;
        for (int f = 0; f < FOLDS; f++) {
            for (int p = 0; p < PE; p++) {
#pragma HLS PIPELINE II = 1
                const ap_int<16> scaled = t[f][p];
                const ap_int<49> less = -(scaled * std);
                ap_int<40> value = -(less >> FRAC);
                value = scaled == -32768 ? ap_int<40>(-(1LL << 39)) : value;
                bound[f][p] = scaled == 32767 ? ap_int<40>((1LL << 39) - 1) : value;
            }
        }
        int fold = 0;
        for (int i = 0; i < LENGTH * FOLDS; i++) {
#pragma HLS PIPELINE II = 1
            const Lanes<T, PE> value = x.read();
            ap_uint<PE> reached = 0;
            for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                reached[p] = value.lane[p] >= bound[fold][p];
            }
            bits = (bits >> PE) | (ap_uint<CHANNELS>(reached) << (CHANNELS - PE));
            if (fold == FOLDS - 1) {
                y.write(bits);
            }
            fold = fold == FOLDS - 1 ? 0 : fold + 1;
        }
    }
}

/* y[c, t] = OR of x[c, t * STRIDE + j] over j < KERNEL, which are in a register. What is left at the end is read, not used. */
template <int CHANNELS, int LENGTH, int KERNEL, int STRIDE>
void or_pool(hls::stream<ap_uint<CHANNELS>> &x, hls::stream<ap_uint<CHANNELS>> &y, int windows)
{
    ap_uint<CHANNELS> last[KERNEL];
#pragma HLS ARRAY_PARTITION variable = last complete
    int wait = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < LENGTH; i++) {
#pragma HLS PIPELINE II = 1
            wait = i == 0 ? KERNEL - 1 : wait;
            ap_uint<CHANNELS> any = x.read();
            for (int j = KERNEL - 1; j > 0; j--) {
#pragma HLS UNROLL
                last[j] = last[j - 1];
            }
            last[0] = any;
            for (int j = 1; j < KERNEL; j++) {
#pragma HLS UNROLL
                any |= last[j];
            }
            if (wait == 0) {
                y.write(any);
            }
            wait = wait == 0 ? STRIDE - 1 : wait - 1;
        }
    }
}

/* y = a and not b. */
template <int CHANNELS, int LENGTH>
void and_not(hls::stream<ap_uint<CHANNELS>> &a, hls::stream<ap_uint<CHANNELS>> &b, hls::stream<ap_uint<CHANNELS>> &y,
             int windows)
{
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < LENGTH; i++) {
#pragma HLS PIPELINE II = 1
            const ap_uint<CHANNELS> inside = a.read(), outside = b.read();
            y.write(inside & ~outside);
        }
    }
}

} // namespace bnn

#endif
