/* The class of a row of logits. */
#include "bnn_runtime.h"

/* Index of the first of the largest of x[0] .. x[n - 1], n >= 1. Defined by simulate() in the simulator. */
uint32_t bnn_argmax(const int32_t *x, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++) {
        if (x[i] > x[best]) {
            best = i;
        }
    }
    return best;
}
