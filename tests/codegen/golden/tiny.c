/* tiny.c: constants and calls of the network tiny
 *
 *   by    bnn 0.1.0; do not edit
 *   from  tiny (sha256 0123456789ab)
 *   with  bnn generate
 *   cost  32 B of constants, 40 B of RAM, 88 multiply-accumulates
 *   plan  plain kernels
 */
#include "tiny.h"

#include <stddef.h>

#include "bnn_runtime.h"

#if BNN_RUNTIME_ABI != 4
#error "tiny.c was generated for runtime ABI 4; take bnn_runtime.h and the bnn_*.c files of the same generator"
#endif

/* stats: WindowStats -> int32 (2,); 0 B of constants, 0 MACs */

/* bits1: SignalConv and Threshold -> bit (2, 8); 8 B of constants, 48 MACs */
static const uint32_t acc1_weights[1] = {
    0x00000033
};
static const int16_t bits1_t[2] = {
    0, -300
};
static const bnn_map bits1_map = {
    .length = 8, .channels = 2, .margin = 0
};
static const bnn_signal_conv bits1_layer = {
    .y = &bits1_map, .weights = acc1_weights, .bounds = {.t = bits1_t, .scaled = 1, .frac = 8},
    .samples = 8, .kernel = 3, .stride = 1, .pad = 1, .frac = 4
};

/* pool1: OrPool -> bit (2, 4); 4 B of constants, 0 MACs */
static const uint32_t pool1_pad[1] = {
    0x00000001
};
static const bnn_map pool1_map = {
    .length = 4, .channels = 2, .margin = 1, .pad = pool1_pad
};
static const bnn_pool pool1_layer = {
    .x = &bits1_map, .y = &pool1_map, .kernel = 2, .stride = 2
};

/* acc2: BinaryConv -> int16 (2, 5); 4 B of constants, 40 MACs */
static const uint32_t acc2_weights[1] = {
    0x0000004B
};
static const bnn_map acc2_map = {
    .length = 5, .channels = 2, .margin = 0
};
static const bnn_conv acc2_layer = {
    .x = &pool1_map, .y = &acc2_map, .weights = acc2_weights, .kernel = 2, .stride = 1, .pad = 1
};

/* logits: PReluSum -> int32 (2,); 16 B of constants, 0 MACs */
static const int16_t logits_rise[2] = {
    3, 2
};
static const int16_t logits_fall[2] = {
    1, -1
};
static const int32_t logits_bias[2] = {
    -5, 7
};
static const bnn_prelu_sum logits_layer = {
    .x = &acc2_map, .rise = logits_rise, .fall = logits_fall, .bias = logits_bias
};

int tiny_classify(tiny_context *context, const int16_t *ecg, int32_t *logits)
{
    int32_t *const stats = (int32_t *)(context->arena + 7);
    uint32_t *const bits1 = context->arena + 9;
    uint32_t *const bits1_scratch = context->arena + 0;
    uint32_t *const pool1 = context->arena + 4;
    uint32_t *const acc2 = context->arena + 0;
    uint32_t *const acc2_scratch = context->arena + 5;

    bnn_window_stats(ecg, 8, 4, stats);
    BNN_TRACE_TENSOR(0, stats, 8);
    bnn_signal_conv_threshold(&bits1_layer, ecg, stats, stats, bits1, bits1_scratch);
    BNN_TRACE_TENSOR(1, bits1, 4);
    bnn_or_pool(&pool1_layer, bits1, pool1);
    BNN_TRACE_TENSOR(2, pool1, 4);
    bnn_conv_sum(&acc2_layer, pool1, acc2, acc2_scratch);
    BNN_TRACE_TENSOR(3, acc2, 20);
    bnn_prelu_sum16(&logits_layer, acc2, logits);
    BNN_TRACE_TENSOR(4, logits, 8);
    return (int)bnn_argmax(logits, TINY_CLASSES);
}
