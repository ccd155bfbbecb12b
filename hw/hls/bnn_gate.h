/* The gate of an exit: the entropy of the logits, and its test against a speed. */
#ifndef BNN_GATE_H
#define BNN_GATE_H

#include "bnn_stream.h"

namespace bnn {

/* log(s / 2^14) in units of 2^-10, for 2^14 <= s <= 32 * 2^14.
 *
 * log never falls, so before it is rounded the result is at most 5 log[32], five times an int16: 14 bits hold it.
 */
inline ap_uint<14> gate_log(const ap_int<16> log[33], ap_uint<20> s)
{
    int octaves = 0;
    for (int k = 1; k <= 5; k++) {
#pragma HLS UNROLL
        octaves = s >= (16384 << k) ? k : octaves;
    }
    const int mantissa = (int(s) >> octaves) - 16384;
    const int i = mantissa >> 9, low = log[i];
    const int rest = ((int(log[i + 1]) - low) * (mantissa & 511)) >> 9;
    return (octaves * int(log[32]) + low + rest + 8) >> 4;
}

/* For each window, from CLASSES logits with FRAC fraction bits: y = [spread, full] as ExitGate of the graph defines them.
 *
 * exp has ENTRIES + 1 numbers. Logits lie in registers until the largest is known.
 */
template <int CLASSES, int FRAC, int ENTRIES>
void exit_gate(hls::stream<ap_int<32>> &x, hls::stream<ap_int<32>> &y, const ap_int<16> exp[ENTRIES + 1],
               const ap_int<16> log[33], int windows)
{
    const int DOWN = FRAC > 10 ? FRAC - 10 : 0, UP = FRAC < 10 ? 10 - FRAC : 0;
    ap_int<32> z[CLASSES];
    for (int w = 0; w < windows; w++) {
        ap_int<32> most = 0;
        for (int c = 0; c < CLASSES; c++) {
#pragma HLS PIPELINE II = 1
            z[c] = x.read();
            most = c == 0 || z[c] > most ? z[c] : most;
        }
        ap_uint<20> total = 0;
        ap_uint<32> spread = 0;
        for (int c = 0; c < CLASSES; c++) {
#pragma HLS PIPELINE II = 1
            const ap_uint<42> scaled = (ap_uint<42>(ap_uint<32>(most - z[c])) << UP) >> DOWN;
            const unsigned d = scaled < (ENTRIES << 6) ? unsigned(scaled) : unsigned(ENTRIES << 6);
            const unsigned i = d >> 6, next = i < ENTRIES ? i + 1 : i;
            const unsigned e = unsigned(exp[i]) - (((unsigned(exp[i]) - unsigned(exp[next])) * (d & 63)) >> 6);
            total += e;
            spread += e * d;
        }
        y.write(ap_int<32>(spread + ap_uint<32>(total) * gate_log(log, total)));
        y.write(ap_int<32>(ap_uint<32>(total) * gate_log(log, CLASSES << 14)));
    }
}

/* Whether spread / full < speed / 2^15, speed 0 to 2^15. */
inline bool exit_leaves(ap_uint<31> spread, ap_uint<31> full, ap_uint<16> speed)
{
    return (ap_uint<46>(spread) << 15) < ap_uint<47>(full) * speed;
}

/* The results of RESULTS words as they come, and whether each leaves its exit: one word more. */
template <int RESULTS>
void exit_verdict(hls::stream<ap_int<32>> &x, hls::stream<ap_int<32>> &gate, hls::stream<ap_int<32>> &y, int speed,
                  int windows)
{
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < RESULTS; i++) {
#pragma HLS PIPELINE II = 1
            y.write(x.read());
        }
        const ap_uint<31> spread = gate.read(), full = gate.read();
        y.write(ap_int<32>(exit_leaves(spread, full, speed) ? 1 : 0));
    }
}

} // namespace bnn

#endif
