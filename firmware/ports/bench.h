/* The bench: one generated model, one buffer of samples, and a stream of records that says what came out.
 *
 * A record is   uint32 id, uint32 bytes, then that many bytes, in the byte order of the core (little-endian).
 * Its id is the number of a traced tensor, or one of the two below. All records of a window come before its result.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

/* Written by the build: BENCH_SAMPLES, BENCH_CLASSES, bench_context; bench_classify, or BENCH_STREAM, BENCH_PIECE, BENCH_RESTART, bench_init,
 * bench_push and bench_class, or BENCH_STAGES, BENCH_RUN_STAGE and bench_leaves. */
#include "bench_model.h"

#define BENCH_RESULT 0xFFFFFFFFu /* struct bench_result */
#define BENCH_FAULT 0xFFFFFFFEu  /* uint32: the address of the instruction that faulted */

struct bench_result {
    int32_t class_index;
    int32_t logits[BENCH_CLASSES];
#ifdef BENCH_STAGES
    int32_t exit; /* number of the stage at whose exit the window left */
#endif
};

#ifdef BENCH_STAGES
/* At which speed windows leave; 0: every stage runs for every window. */
extern uint32_t bench_speed;
#endif

/* One window: BENCH_SAMPLES values, the signals after one another. */
extern int16_t bench_samples[BENCH_SAMPLES];
extern struct bench_result bench_result;

/* Fill the model's context with a pattern, so that a model that counts on zeroed memory is found out; begin a stream. */
void bench_prepare(void);

/* Classify bench_samples into bench_result; a traced build calls bench_record for every tensor on the way. */
void bench_window(void);

/* Take one record. Given by the port: to a file on an image, to memory in a library. */
void bench_record(uint32_t id, const void *data, uint32_t bytes);

#endif
