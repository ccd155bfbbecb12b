/* Convolutions: the first layer on raw samples, and XNOR and popcount on bits.
 *
 * Both are matrix times vector, folded as in FINN's matrix-vector unit: PE output channels at once, SIMD of their taps
 * at once, so that one output step takes (OUT / PE) * (TAPS / SIMD) cycles. PE divides OUT, SIMD divides TAPS.
 *
 * The window of taps is one register. A new step enters at its end and pushes the oldest one out; each turn of a fold
 * takes the first SIMD taps and rotates the register by SIMD, so that after TAPS / SIMD turns it is as it was. Hence no
 * multiplexer chooses taps, and no line buffer lies in memory.
 *
 * A step is taken in the turn that is the first to use it; steps that complete no window take one turn each. So a
 * window takes STEPS - outputs + outputs * (OUT / PE) * (TAPS / SIMD) cycles, with STEPS = LENGTH + 2 PAD.
 *
 *   weights[p][f * (TAPS / SIMD) + s]   of channel f * PE + p; bit j is tap s * SIMD + j, and tap k * IN + c is channel c at
 *                                       step k of the window
 */
#ifndef BNN_CONV_H
#define BNN_CONV_H

#include "bnn_stream.h"

namespace bnn {

/* How often bits are 1. Adders form a tree, since sums of integers may be taken in any order. */
template <int N> ap_uint<16> popcount(ap_uint<N> bits)
{
#pragma HLS INLINE
    ap_uint<16> count = 0;
    for (int i = 0; i < N; i++) {
#pragma HLS UNROLL
        count += ap_uint<1>(bits[i]);
    }
    return count;
}

/* Where a convolution is: the step, the turn within it, and how many steps until the next window is whole. */
template <int KERNEL, int STRIDE, int FOLDS, int TURNS> struct Place {
    int step, fold, turn, wait;

    void begin()
    {
#pragma HLS INLINE
        step = fold = turn = 0;
        wait = KERNEL - 1;
    }

    bool whole() const { return wait == 0; }
    bool first() const { return fold == 0 && turn == 0; }

    void advance()
    {
#pragma HLS INLINE
        if (wait == 0 && turn < TURNS - 1) {
            turn++;
        } else if (wait == 0 && fold < FOLDS - 1) {
            turn = 0;
            fold++;
        } else {
            turn = fold = 0;
            wait = wait == 0 ? STRIDE - 1 : wait - 1;
            step++;
        }
    }
};

/* acc[o, t] = sum_ck w[o, c, k] * x[c, t * STRIDE + k - PAD], with `pad` before and after x.
 *
 * Of -1 and +1, taps that agree count +1 and the others -1: acc = 2 popcount(~(x ^ w)) - TAPS.
 */
template <int IN, int LENGTH, int OUT, int KERNEL, int STRIDE, int PAD, int PE, int SIMD, typename ACC>
void binary_conv(hls::stream<ap_uint<IN>> &x, hls::stream<Lanes<ACC, PE>> &y,
                 const ap_uint<SIMD> weights[PE][(OUT / PE) * (IN * KERNEL / SIMD)], const ap_uint<IN> pad, int windows)
{
#pragma HLS ARRAY_PARTITION variable = weights dim = 1 complete
    const int TAPS = IN * KERNEL, FOLDS = OUT / PE, TURNS = TAPS / SIMD;
    const int STEPS = LENGTH + 2 * PAD, OUTPUTS = (STEPS - KERNEL) / STRIDE + 1;
    const int CYCLES = STEPS - OUTPUTS + OUTPUTS * FOLDS * TURNS;
    static_assert(OUT % PE == 0 && TAPS % SIMD == 0, "PE divides the channels, SIMD the taps");
    Place<KERNEL, STRIDE, FOLDS, TURNS> at;
    ap_uint<TAPS> taps = 0;
    ap_uint<16> agree[PE];
#pragma HLS ARRAY_PARTITION variable = agree complete
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < CYCLES; i++) {
#pragma HLS PIPELINE II = 1
            if (i == 0) {
                at.begin();
            }
            if (at.first()) {
                const bool inside = at.step >= PAD && at.step < PAD + LENGTH;
                const ap_uint<IN> next = inside ? x.read() : pad;
                taps = (taps >> IN) | (ap_uint<TAPS>(next) << (TAPS - IN));
            }
            if (at.whole()) {
                const ap_uint<SIMD> now = taps;
                taps = (taps >> SIMD) | (ap_uint<TAPS>(now) << (TAPS - SIMD));
                Lanes<ACC, PE> acc;
                for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                    const ap_uint<SIMD> same = ~(now ^ weights[p][at.fold * TURNS + at.turn]);
                    agree[p] = (at.turn == 0 ? ap_uint<16>(0) : agree[p]) + popcount<SIMD>(same);
                    acc.lane[p] = 2 * ap_int<18>(agree[p]) - TAPS;
                }
                if (at.turn == TURNS - 1) {
                    y.write(acc);
                }
            }
            at.advance();
        }
    }
}

/* acc[o, t] = sum_k w[o, k] * d[t * STRIDE + k - PAD], with d = 2^FRAC x - mean inside the window and std outside it. */
template <int LENGTH, int OUT, int KERNEL, int STRIDE, int PAD, int FRAC, int PE, int SIMD, typename ACC>
void signal_conv(hls::stream<Lanes<ap_int<16>, 1>> &x, hls::stream<Stats> &statistics, hls::stream<Lanes<ACC, PE>> &y,
                 const ap_uint<SIMD> weights[PE][(OUT / PE) * (KERNEL / SIMD)], int windows)
{
#pragma HLS ARRAY_PARTITION variable = weights dim = 1 complete
    const int FOLDS = OUT / PE, TURNS = KERNEL / SIMD;
    const int STEPS = LENGTH + 2 * PAD, OUTPUTS = (STEPS - KERNEL) / STRIDE + 1;
    const int CYCLES = STEPS - OUTPUTS + OUTPUTS * FOLDS * TURNS;
    typedef ap_int<18 + FRAC> Centred;
    static_assert(OUT % PE == 0 && KERNEL % SIMD == 0, "PE divides the channels, SIMD the taps");
    Place<KERNEL, STRIDE, FOLDS, TURNS> at;
    Stats stats;
    Centred taps[KERNEL] = {};
    ACC sum[PE];
#pragma HLS ARRAY_PARTITION variable = taps complete
#pragma HLS ARRAY_PARTITION variable = sum complete
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < CYCLES; i++) {
#pragma HLS PIPELINE II = 1
            if (i == 0) {
                at.begin();
                stats = statistics.read();
            }
            if (at.first()) {
                Centred next = stats.std;
                if (at.step >= PAD && at.step < PAD + LENGTH) {
                    next = (Centred(x.read().lane[0]) << FRAC) - stats.mean;
                }
                for (int k = 0; k < KERNEL - 1; k++) {
#pragma HLS UNROLL
                    taps[k] = taps[k + 1];
                }
                taps[KERNEL - 1] = next;
            }
            if (at.whole()) {
                Lanes<ACC, PE> acc;
                for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                    const ap_uint<SIMD> row = weights[p][at.fold * TURNS + at.turn];
                    ACC total = at.turn == 0 ? ACC(0) : sum[p];
                    for (int j = 0; j < SIMD; j++) {
#pragma HLS UNROLL
                        total += row[j] ? ACC(taps[j]) : ACC(-taps[j]);
                    }
                    sum[p] = total;
                    acc.lane[p] = total;
                }
                if (at.turn == TURNS - 1) {
                    y.write(acc);
                }
                Centred rotated[KERNEL];
#pragma HLS ARRAY_PARTITION variable = rotated complete
                for (int k = 0; k < KERNEL; k++) {
#pragma HLS UNROLL
                    rotated[k] = taps[(k + SIMD) % KERNEL];
                }
                for (int k = 0; k < KERNEL; k++) {
#pragma HLS UNROLL
                    taps[k] = rotated[k];
                }
            }
            at.advance();
        }
    }
}

} // namespace bnn

#endif
