/* The end of a network: MaxPool on integers, PReluSum, and the class. */
#ifndef BNN_SUM_H
#define BNN_SUM_H

#include "bnn_stream.h"

namespace bnn {

/* y[c, t] = max of x[c, t * STRIDE + j] over j < KERNEL. The last KERNEL steps lie in registers, since a value is read and
 * written every turn; a new one pushes those of its channels one step further.
 */
template <int CHANNELS, int LENGTH, int KERNEL, int STRIDE, int PE, typename T>
void max_pool(hls::stream<Lanes<T, PE>> &x, hls::stream<Lanes<T, PE>> &y, int windows)
{
    const int FOLDS = CHANNELS / PE;
    Lanes<T, PE> last[KERNEL][FOLDS];
#pragma HLS ARRAY_PARTITION variable = last dim = 0 complete
    int fold = 0, wait = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < LENGTH * FOLDS; i++) {
#pragma HLS PIPELINE II = 1
            wait = i == 0 ? KERNEL - 1 : wait;
            Lanes<T, PE> most = x.read();
            for (int j = KERNEL - 1; j > 0; j--) {
#pragma HLS UNROLL
                last[j][fold] = last[j - 1][fold];
            }
            last[0][fold] = most;
            for (int j = 1; j < KERNEL; j++) {
#pragma HLS UNROLL
                for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                    const T other = last[j][fold].lane[p];
                    most.lane[p] = other > most.lane[p] ? other : most.lane[p];
                }
            }
            if (wait == 0) {
                y.write(most);
            }
            if (fold == FOLDS - 1) {
                fold = 0;
                wait = wait == 0 ? STRIDE - 1 : wait - 1;
            } else {
                fold++;
            }
        }
    }
}

/* y[c] = rise[c] * sum_t max(x[c, t], 0) + fall[c] * sum_t min(x[c, t], 0) + bias[c].
 *
 * SUM holds both sums, which lie in registers. y fits 32 bits while the products need not, so they are added in 64.
 */
template <int CHANNELS, int LENGTH, int PE, typename SUM, typename T>
void prelu_sum(hls::stream<Lanes<T, PE>> &x, hls::stream<ap_int<32>> &y, const ap_int<16> rise[CHANNELS],
               const ap_int<16> fall[CHANNELS], const ap_int<32> bias[CHANNELS], int windows)
{
    const int FOLDS = CHANNELS / PE;
    SUM up[FOLDS][PE], down[FOLDS][PE];
#pragma HLS ARRAY_PARTITION variable = up dim = 0 complete
#pragma HLS ARRAY_PARTITION variable = down dim = 0 complete
    for (int w = 0; w < windows; w++) {
        int fold = 0;
        for (int i = 0; i < LENGTH * FOLDS; i++) {
#pragma HLS PIPELINE II = 1
            const Lanes<T, PE> value = x.read();
            for (int p = 0; p < PE; p++) {
#pragma HLS UNROLL
                const T v = value.lane[p];
                const SUM above = v > 0 ? SUM(v) : SUM(0), below = v > 0 ? SUM(0) : SUM(v);
                up[fold][p] = above + (i < FOLDS ? SUM(0) : up[fold][p]);
                down[fold][p] = below + (i < FOLDS ? SUM(0) : down[fold][p]);
            }
            fold = fold == FOLDS - 1 ? 0 : fold + 1;
        }
        for (int f = 0; f < FOLDS; f++) {
            for (int p = 0; p < PE; p++) {
#pragma HLS PIPELINE II = 1
                const int c = f * PE + p;
                const ap_int<64> sum = ap_int<64>(rise[c]) * up[f][p] + ap_int<64>(fall[c]) * down[f][p] + bias[c];
                y.write(ap_int<32>(sum));
            }
        }
    }
}

/* The logits as they come, then the index of the first largest one: CLASSES + 1 words. */
template <int CLASSES>
void argmax(hls::stream<ap_int<32>> &logits, hls::stream<ap_int<32>> &y, int windows)
{
    ap_int<32> most = 0, winner = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < CLASSES + 1; i++) {
#pragma HLS PIPELINE II = 1
            if (i == CLASSES) {
                y.write(winner);
            } else {
                const ap_int<32> logit = logits.read();
                if (i == 0 || logit > most) {
                    most = logit;
                    winner = i;
                }
                y.write(logit);
            }
        }
    }
}

} // namespace bnn

#endif
