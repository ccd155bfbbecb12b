/* Runs the top function of a project on samples from a file.
 *
 * Samples are int16, results int32: of a window the logits, the class and, with a gate, whether it leaves; both as this
 * computer has them.
 */
#ifndef BNN_CSIM_H
#define BNN_CSIM_H

#include <cstdint>
#include <cstdio>

#include "bnn_stream.h"

namespace bnn {

/* RATE is the speed, where the network has a gate. 0 if all went well, else 3 with a line on stderr: words left over or missing are a mistake of a kernel. */
template <typename... RATE>
int simulate(void (*top)(hls::stream<SampleBeat> &, hls::stream<ResultBeat> &, int, RATE...), int samples, int results,
             const char *in, const char *out, RATE... rate)
{
    hls::stream<SampleBeat> x("samples");
    hls::stream<ResultBeat> y("results");
    std::FILE *file = std::fopen(in, "rb");
    if (!file) {
        std::perror(in);
        return 3;
    }
    SampleBeat beat = {};
    for (std::int16_t sample; std::fread(&sample, sizeof sample, 1, file) == 1;) {
        beat.data = sample;
        x.write(beat);
    }
    std::fclose(file);
    const int windows = static_cast<int>(x.size()) / samples;
    top(x, y, windows, rate...);
    if (!x.empty() || y.size() != static_cast<std::size_t>(windows) * results) {
        std::fprintf(stderr, "%zu samples are left, %zu results came of %d windows\n", x.size(), y.size(), windows);
        return 3;
    }
    file = std::fopen(out, "wb");
    if (!file) {
        std::perror(out);
        return 3;
    }
    while (!y.empty()) {
        const ResultBeat got = y.read();
        const std::int32_t value = got.data.to_int();
        std::fwrite(&value, sizeof value, 1, file);
        if (got.last != y.empty()) {
            std::fprintf(stderr, "TLAST is %d with %zu results to come\n", got.last.to_int(), y.size());
            return 3;
        }
    }
    std::fclose(file);
    return 0;
}

} // namespace bnn

#endif
