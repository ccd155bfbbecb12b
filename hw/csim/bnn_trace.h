/* C simulation with -DBNN_TRACE: every stream is written to a file when its layer is done, and stays as it is.
 *
 * Tensor `id` goes to the file <id>.bin of the folder trace_folder(): all windows one after the other, step after step,
 * channel after channel; a bit as one byte, an integer as int32 of this computer.
 */
#ifndef BNN_CSIM_TRACE_H
#define BNN_CSIM_TRACE_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bnn_stream.h"

namespace bnn {

inline std::string &trace_folder()
{
    static std::string folder;
    return folder;
}

inline void put(std::FILE *file, int value)
{
    const std::int32_t number = value;
    std::fwrite(&number, sizeof number, 1, file);
}

template <int N> void put_word(std::FILE *file, const ap_uint<N> &bits)
{
    for (int c = 0; c < N; c++) {
        std::fputc(bits[c] ? 1 : 0, file);
    }
}

template <typename T, int PE> void put_word(std::FILE *file, const Lanes<T, PE> &values)
{
    for (int p = 0; p < PE; p++) {
        put(file, values.lane[p].to_int());
    }
}

inline void put_word(std::FILE *file, const Stats &stats)
{
    put(file, stats.mean.to_int());
    put(file, stats.std.to_int());
}

inline void put_word(std::FILE *file, const ap_int<32> &value) { put(file, value.to_int()); }

template <typename T> void trace(int id, const hls::stream<T> &stream)
{
    const std::string path = trace_folder() + "/" + std::to_string(id) + ".bin";
    std::FILE *file = std::fopen(path.c_str(), "wb");
    if (!file) {
        std::perror(path.c_str());
        std::exit(3);
    }
    for (std::size_t i = 0; i < stream.size(); i++) {
        put_word(file, stream.peek(i));
    }
    std::fclose(file);
}

} // namespace bnn

#define BNN_TRACE_STREAM(id, stream) bnn::trace(id, stream)

#endif
