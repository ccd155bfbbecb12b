/* The bench as a shared library: many windows in one call, the records into the caller's memory. */
#include <string.h>

#include "bench.h"

uint64_t bench_library_run(const int16_t *windows, uint64_t count, uint32_t speed, unsigned char *records, uint64_t room);

static unsigned char *out;
static uint64_t capacity;
static uint64_t used;

void bench_record(uint32_t id, const void *data, uint32_t bytes)
{
    const uint32_t head[2] = {id, bytes};

    if (used + sizeof head + bytes <= capacity) {
        memcpy(out + used, head, sizeof head);
        memcpy(out + used + sizeof head, data, bytes);
    }
    used += sizeof head + bytes;
}

/* Classify `count` windows of BENCH_SAMPLES values. Returns the bytes that the records take;
 * where that is more than `room`, those that did not fit are missing. Not reentrant: one bench a library.
 * The speed is that at which windows leave a model of several stages.
 */
uint64_t bench_library_run(const int16_t *windows, uint64_t count, uint32_t speed, unsigned char *records, uint64_t room)
{
#ifdef BENCH_STAGES
    bench_speed = speed;
#else
    (void)speed;
#endif
    out = records;
    capacity = room;
    used = 0;
    bench_prepare();
    for (uint64_t i = 0; i < count; i++) {
        memcpy(bench_samples, windows + i * BENCH_SAMPLES, sizeof bench_samples);
        bench_window();
        bench_record(BENCH_RESULT, &bench_result, sizeof bench_result);
    }
    return used;
}
