/* Layers on integers that are not bits: a first layer of several channels, batch norm to int8, and maps joined in time. */
#ifndef BNN_INTEGERS_H
#define BNN_INTEGERS_H

#include "bnn_conv.h"
#include "bnn_stream.h"

namespace bnn {

/* acc[o, t] = sum_ck w[o, c, k] * x[c, t * STRIDE + k - PAD], x being 0 outside.
 *
 * Folded as the convolutions of bnn_conv.h, but the window of taps is long (0.64 s and 5 s of samples), so it lies in a
 * ring of TAPS / SIMD words of memory. A position moves on by STRIDE steps, which are whole words: SIMD divides
 * IN * STRIDE. The values of a step lie in one word: IN divides SIMD, so each bank takes one of them at most, and two
 * ports are enough. The newest step is written in a window's first turn, which reads the oldest word, and is read in the
 * last, TURNS - 1 later.
 */
template <int IN, int LENGTH, int OUT, int KERNEL, int STRIDE, int PAD, int PE, int SIMD, typename T, typename ACC>
void sign_conv(hls::stream<Lanes<T, IN>> &x, hls::stream<Lanes<ACC, PE>> &y,
               const ap_uint<SIMD> weights[PE][(OUT / PE) * (IN * KERNEL / SIMD)], int windows)
{
#pragma HLS ARRAY_PARTITION variable = weights dim = 1 complete
    const int TAPS = IN * KERNEL, FOLDS = OUT / PE, TURNS = TAPS / SIMD;
    const int STEPS = LENGTH + 2 * PAD, OUTPUTS = (STEPS - KERNEL) / STRIDE + 1;
    const int CYCLES = STEPS - OUTPUTS + OUTPUTS * FOLDS * TURNS;
    static_assert(OUT % PE == 0 && TAPS % SIMD == 0, "PE divides the channels, SIMD the taps");
    static_assert((IN * STRIDE) % SIMD == 0, "a position moves on by whole words");
    static_assert(SIMD % IN == 0, "a step lies in one word");
    static_assert(TURNS > 2, "two turns lie between a step's writing and its reading");
    Place<KERNEL, STRIDE, FOLDS, TURNS> at;
    T ring[TURNS][SIMD];
    ACC sum[PE];
    int head = 0; /* where the next value goes; once a step is in, the oldest lies there */
#pragma HLS ARRAY_PARTITION variable = ring dim = 2 complete
#pragma HLS DEPENDENCE variable = ring inter RAW distance = 2 true
#pragma HLS ARRAY_PARTITION variable = sum complete
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < CYCLES; i++) {
#pragma HLS PIPELINE II = 1
            if (i == 0) {
                at.begin();
                head = 0;
            }
            if (at.first()) {
                Lanes<T, IN> next;
                for (int c = 0; c < IN; c++) {
#pragma HLS UNROLL
                    next.lane[c] = 0;
                }
                if (at.step >= PAD && at.step < PAD + LENGTH) {
                    next = x.read();
                }
                for (int c = 0; c < IN; c++) {
#pragma HLS UNROLL
                    ring[(head + c) / SIMD][(head + c) % SIMD] = next.lane[c];
                }
                head = head + IN == TAPS ? 0 : head + IN;
            }
            if (at.whole()) {
                const int past = head / SIMD + at.turn;
                const int word = past < TURNS ? past : past - TURNS;
                Lanes<ACC, PE> acc;
                for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                    const ap_uint<SIMD> row = weights[p][at.fold * TURNS + at.turn];
                    ACC total = at.turn == 0 ? ACC(0) : sum[p];
                    for (int j = 0; j < SIMD; j++) {
#pragma HLS UNROLL
                        total += row[j] ? ACC(ring[word][j]) : ACC(-ring[word][j]);
                    }
                    sum[p] = total;
                    acc.lane[p] = total;
                }
                if (at.turn == TURNS - 1) {
                    y.write(acc);
                }
            }
            at.advance();
        }
    }
}

/* y[c, t] = round((m[c] * x[c, t] + b[c]) / 2^SHIFT), held between LO and HI. */
template <int CHANNELS, int LENGTH, int SHIFT, int LO, int HI, int PE, typename T>
void scale(hls::stream<Lanes<T, PE>> &x, hls::stream<Lanes<ap_int<8>, PE>> &y, const ap_int<16> m[CHANNELS / PE][PE],
           const ap_int<32> b[CHANNELS / PE][PE], int windows)
{
#pragma HLS ARRAY_PARTITION variable = m dim = 2 complete
#pragma HLS ARRAY_PARTITION variable = b dim = 2 complete
    const int FOLDS = CHANNELS / PE;
    int fold = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < LENGTH * FOLDS; i++) {
#pragma HLS PIPELINE II = 1
            const Lanes<T, PE> value = x.read();
            Lanes<ap_int<8>, PE> held;
            for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                const ap_int<52> half = SHIFT ? 1LL << (SHIFT ? SHIFT - 1 : 0) : 0;
                const ap_int<52> whole = ap_int<48>(value.lane[p] * m[fold][p]) + ap_int<52>(b[fold][p]) + half;
                const ap_int<52> steps = whole >> SHIFT;
                held.lane[p] = steps < LO ? LO : steps > HI ? HI : steps.to_int();
            }
            y.write(held);
            fold = fold == FOLDS - 1 ? 0 : fold + 1;
        }
    }
}

/* The steps of one map and then those of another. `b` holds all its words of a window while `a` is at work. */
template <int A, int B, typename T>
void join(hls::stream<T> &a, hls::stream<T> &b, hls::stream<T> &y, int windows)
{
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < A + B; i++) {
#pragma HLS PIPELINE II = 1
            y.write(i < A ? a.read() : b.read());
        }
    }
}

} // namespace bnn

#endif
