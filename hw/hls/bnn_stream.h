/* What runs between the layers, and the kernels that only move it.
 *
 * Every tensor is a stream, step of time after step of time:
 *
 *   map of bits      one ap_uint<CHANNELS> a step; bit c is channel c, 1 is +1 and 0 is -1
 *   map of integers  CHANNELS / PE words a step, each of PE neighbouring channels (Lanes)
 *   statistics       one Stats a window
 *   logits           one ap_int<32> a class
 *
 * Every kernel serves `windows` windows and keeps nothing from one to the next. Its loops are perfect nests whose
 * inner one has a constant trip count, so that a tool flattens them and starts one turn a cycle.
 */
#ifndef BNN_STREAM_H
#define BNN_STREAM_H

#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

namespace bnn {

/* PE neighbouring channels of one step. */
template <typename T, int PE> struct Lanes {
    T lane[PE];
};

/* Mean and standard deviation of one window, in units of 2^-frac ADC steps. */
struct Stats {
    ap_int<32> mean;
    ap_int<32> std;
};

typedef ap_axis<16, 0, 0, 0> SampleBeat;
typedef ap_axis<32, 0, 0, 0> ResultBeat;

/* Samples from AXI4-Stream, one a beat, those of all channels before the next step. TLAST is not read: windows are
 * counted. */
template <int STEPS, int CHANNELS>
void from_axi(hls::stream<SampleBeat> &beats, hls::stream<Lanes<ap_int<16>, CHANNELS>> &x, int windows)
{
    Lanes<ap_int<16>, CHANNELS> step;
    int channel = 0;
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < STEPS * CHANNELS; i++) {
#pragma HLS PIPELINE II = 1
            step.lane[channel] = beats.read().data;
            if (channel == CHANNELS - 1) {
                x.write(step);
            }
            channel = channel == CHANNELS - 1 ? 0 : channel + 1;
        }
    }
}

/* Results to AXI4-Stream, WORDS beats a window, with TLAST on the very last beat of the call: a batch is one packet. */
template <int WORDS>
void to_axi(hls::stream<ap_int<32>> &y, hls::stream<ResultBeat> &beats, int windows)
{
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II = 1
            ResultBeat beat;
            beat.data = y.read();
            beat.keep = -1;
            beat.strb = -1;
            beat.last = w == windows - 1 && i == WORDS - 1;
            beats.write(beat);
        }
    }
}

/* A stream with two readers: each word goes to both. More readers take a chain of these. */
template <int WORDS, typename T>
void branch(hls::stream<T> &x, hls::stream<T> &a, hls::stream<T> &b, int windows)
{
    for (int w = 0; w < windows; w++) {
        for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II = 1
            const T word = x.read();
            a.write(word);
            b.write(word);
        }
    }
}

} // namespace bnn

#endif
