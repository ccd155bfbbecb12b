/* The integers that a threshold compares with. */
#include "bnn_runtime.h"

/* ceil(t * std / 2^frac), held inside int32: no accumulator reaches its ends. */
static int32_t scale(int32_t t, int32_t std, uint32_t frac)
{
    const uint64_t size = (uint64_t)(t < 0 ? -t : t) * (uint32_t)std;

    if (t < 0) {
        const uint64_t floor = size >> frac;
        return floor <= 0x7FFFFFFFu ? -(int32_t)floor : INT32_MIN;
    }
    const uint64_t ceiling = (size + ((1u << frac) - 1u)) >> frac;
    return ceiling <= 0x7FFFFFFFu ? (int32_t)ceiling : INT32_MAX;
}

/* Bounds of n channels for one window, computed once so that comparing needs no division.
 *
 *     bound[c] = t[c]                              where the bounds are not scaled
 *              = ceil(t[c] * stats[1] / 2^frac)    where they are; INT32_MIN for BNN_ALWAYS, INT32_MAX for BNN_NEVER
 *
 *   stats  mean and standard deviation; not read where the bounds are not scaled
 *   bound  n integers
 *
 * Defined by Threshold, scaled_bound() of bnn.graph.arith.
 */
void bnn_resolve_bounds(const bnn_bounds *bounds, uint32_t n, const int32_t *stats, int32_t *bound)
{
    for (uint32_t c = 0; c < n; c++) {
        const int32_t t = bounds->t[c];
        if (!bounds->scaled) {
            bound[c] = t;
        } else if (t == BNN_ALWAYS) {
            bound[c] = INT32_MIN;
        } else if (t == BNN_NEVER) {
            bound[c] = INT32_MAX;
        } else {
            bound[c] = scale(t, stats[1], bounds->frac);
        }
    }
}
