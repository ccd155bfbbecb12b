/* A window that is normalised by the statistics of the window before: each sample goes through the layers as it comes. */
#include "bnn_stream.h"

/* Take samples until a window is full or all n are taken; returns how many.
 *
 *   state    as bnn_stream_reset() left it, or this function. The first window after a reset only gives statistics
 *   samples  n samples, any int16
 *
 * Defined by the whole graph in the simulator.
 */
uint32_t bnn_stream_push_past(const bnn_stream *net, uint32_t *state, const int16_t *samples, uint32_t n)
{
    bnn_stream_head *head = (bnn_stream_head *)state;
    const uint32_t taken = bnn_stream_take(net, state, samples, n);

    if (taken == 0u) {
        return 0u;
    }
    head->done = 0;
    if (head->known) {
        if (head->taken == taken) {
            bnn_stream_begin(net, state);
        }
        for (uint32_t i = 0; i < taken; i++) {
            bnn_stream_feed(net, state, samples[i]);
        }
        if (head->taken == net->samples) {
            bnn_stream_end(net, state);
        }
    }
    if (head->taken == net->samples) {
        bnn_stream_stats(net, state);
        head->known = 1;
    }
    return taken;
}
