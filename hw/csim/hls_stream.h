/* hls::stream for C simulation: a queue without an end, as long as nobody asks for more than is in it.
 *
 * It has the part of the interface that the kernels use. Depths, which matter in hardware alone, are ignored.
 */
#ifndef BNN_CSIM_HLS_STREAM_H
#define BNN_CSIM_HLS_STREAM_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

namespace hls {

template <typename T> class stream {
public:
    explicit stream(const char *name = "a stream") : name_(name) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    bool empty() const { return words_.empty(); }
    std::size_t size() const { return words_.size(); }
    void write(const T &word) { words_.push_back(word); }

    /* Ends the program where there is nothing to read: hardware would wait for ever. */
    T read()
    {
        if (words_.empty()) {
            std::fprintf(stderr, "%s was read while it was empty\n", name_.c_str());
            std::exit(3);
        }
        T word = words_.front();
        words_.pop_front();
        return word;
    }

    /* Word i from the front, left in its place; for the trace. */
    const T &peek(std::size_t i) const { return words_[i]; }

private:
    std::string name_;
    std::deque<T> words_;
};

} // namespace hls

#endif
