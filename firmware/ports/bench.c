/* The part of the bench that every port shares: call the model, pass its tensors on. */
#include "bench.h"

int16_t bench_samples[BENCH_SAMPLES];
struct bench_result bench_result;
bench_context bench_model_context;
#ifdef BENCH_STAGES
uint32_t bench_speed;
#endif

void bench_prepare(void)
{
    unsigned char *bytes = (unsigned char *)&bench_model_context;

    for (uint32_t i = 0; i < sizeof bench_model_context; i++)
        bytes[i] = 0xA5;
#ifdef BENCH_STREAM
    bench_init(&bench_model_context);
#endif
}

#ifdef BENCH_STREAM
static int bench_classify(bench_context *context, const int16_t *samples, int32_t *logits)
{
    static const uint32_t pieces[] = {1, 7, 360};
    uint32_t at = 0;

    if (BENCH_RESTART)
        bench_init(context);
    for (uint32_t i = 0; at < BENCH_SAMPLES; i++) {
        const uint32_t piece = BENCH_PIECE ? BENCH_PIECE : pieces[i % 3];
        const uint32_t left = BENCH_SAMPLES - at;
        at += bench_push(context, samples + at, piece < left ? piece : left);
    }
    return bench_class(context, logits);
}
#endif

#ifdef BENCH_STAGES
static int bench_classify(bench_context *context, const int16_t *samples, int32_t *logits)
{
    int winner = -1;

    for (int32_t k = 0; k < BENCH_STAGES; k++) {
        winner = BENCH_RUN_STAGE(k, context, samples, logits);
        bench_result.exit = k;
        if (k + 1 < BENCH_STAGES && bench_leaves(context, bench_speed))
            break;
    }
    return winner;
}
#endif

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
