/* A window that is normalised by its own statistics: its samples are kept until the last is there. */
#include "bnn_stream.h"

/* Take samples until a window is full or all n are taken; returns how many. Where the window is full, its layers have run.
 *
 *   state    as bnn_stream_reset() left it, or this function
 *   kept     net->samples samples, the caller's; not to be changed meanwhile
 *   samples  n samples, any int16; must not overlap `kept`
 *
 * Defined by the whole graph in the simulator.
 */
uint32_t bnn_stream_push_kept(const bnn_stream *net, uint32_t *state, int16_t *kept, const int16_t *samples, uint32_t n)
{
    bnn_stream_head *head = (bnn_stream_head *)state;
    const uint32_t taken = bnn_stream_take(net, state, samples, n);

    for (uint32_t i = 0; i < taken; i++) {
        kept[head->taken - taken + i] = samples[i];
    }
    if (taken > 0u) {
        head->done = 0;
    }
    if (taken > 0u && head->taken == net->samples) {
        bnn_stream_stats(net, state);
        bnn_stream_begin(net, state);
        for (uint32_t i = 0; i < net->samples; i++) {
            bnn_stream_feed(net, state, kept[i]);
        }
        bnn_stream_end(net, state);
    }
    return taken;
}
