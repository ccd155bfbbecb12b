/* The part of the bench that every port shares: call the model, pass its tensors on. */
#include "bench.h"

int16_t bench_samples[BENCH_SAMPLES];
struct bench_result bench_result;
bench_context bench_model_context;

void bench_prepare(void)
{
    unsigned char *bytes = (unsigned char *)&bench_model_context;

    for (uint32_t i = 0; i < sizeof bench_model_context; i++)
        bytes[i] = 0xA5;
}

void bench_window(void)
{
    bench_result.class_index = (int32_t)bench_classify(&bench_model_context, bench_samples, bench_result.logits);
}

#ifdef BNN_TRACE
void bnn_trace(unsigned id, const void *data, unsigned long bytes);

void bnn_trace(unsigned id, const void *data, unsigned long bytes)
{
    bench_record(id, data, (uint32_t)bytes);
}
#endif
