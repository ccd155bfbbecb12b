/* Taps that two output channels count, from lists in flash. */
#include "bnn_lanes.h"

const uint16_t *bnn_listed_taps(const bnn_lanes_conv *layer, uint32_t number, bnn_taps *held, uint32_t *scratch)
{
    const bnn_taps *const pair = layer->taps + number;
    const uint16_t *list = layer->lists;

    (void)scratch;
    for (const bnn_taps *before = layer->taps; before != pair; before++) {
        list += 4u * ((uint32_t)before->both + before->first + before->second);
    }
    *held = *pair;
    return list;
}
