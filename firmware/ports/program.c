/* The bench as a program: windows from bench.in, records to bench.out. Of a model of several stages bench.in begins with
 * the speed, 32 bits.
 *
 * Exit status 0: every window was classified. 1: the core faulted (see the last record). 2: a file failed.
 */
#include "bench.h"
#include "files.h"

int main(void);
void program_fault(uint32_t pc);

static int32_t output; /* 0: not open, as when an emulator calls bench_window itself */

void bench_record(uint32_t id, const void *data, uint32_t bytes)
{
    const uint32_t head[2] = {id, bytes};

    if (output == 0)
        return;
    if (!files_write(output, head, sizeof head) || !files_write(output, data, bytes))
        files_exit(2);
}

/* Called by the start-up code's fault handler. */
void program_fault(uint32_t pc)
{
    bench_record(BENCH_FAULT, &pc, sizeof pc);
    files_exit(1);
}

int main(void)
{
    int32_t input = files_open_to_read("bench.in");

    output = files_open_to_write("bench.out");
    if (input == 0 || output == 0)
        files_exit(2);
    bench_prepare();
#ifdef BENCH_STAGES
    if (!files_read(input, &bench_speed, sizeof bench_speed))
        files_exit(2);
#endif
    while (files_read(input, bench_samples, sizeof bench_samples)) {
        bench_window();
        bench_record(BENCH_RESULT, &bench_result, sizeof bench_result);
    }
    files_close(output);
    files_exit(0);
    return 0;
}
