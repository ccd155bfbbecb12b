/* The gate of an exit: the entropy of a row of logits, and its test against a speed. No float, no division. */
#ifndef BNN_GATE_H
#define BNN_GATE_H

#include <stdint.h>

#define BNN_SPEED_ONE 32768u /* the speed 1.0 */

typedef struct {
    const int16_t *exp; /* entries + 1 numbers: exp(-i / 16) in units of 2^-14, the last 0 */
    const int16_t *log; /* 33 numbers: log(1 + i / 32) in units of 2^-14 */
    uint16_t entries;
    uint8_t classes; /* 2 to 32 */
    uint8_t frac;    /* fraction bits of the logits, 0 to 31 */
} bnn_exit_gate;

void bnn_exit_entropy(const bnn_exit_gate *layer, const int32_t *x, int32_t y[2]);
int bnn_exit_leaves(const int32_t y[2], uint32_t speed);

#endif
