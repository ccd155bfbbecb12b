/* files.h through semihosting: a trap that the debugger or the emulator answers.
 *
 * Arm, "Semihosting for AArch32 and AArch64", release 2.0; RISC-V, "RISC-V Semihosting", version 0.4.
 * An operation takes its number and the address of a block of words, and returns one word.
 */
#include "files.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT = 0x18 };
enum { MODE_READ_BINARY = 1, MODE_WRITE_BINARY = 5 };
enum { ADP_STOPPED_APPLICATION_EXIT = 0x20026, ADP_STOPPED_RUN_TIME_ERROR = 0x20023 };

#ifdef __riscv
static int32_t call(int32_t operation, uintptr_t block)
{
    register int32_t a0 __asm__("a0") = operation;
    register uintptr_t a1 __asm__("a1") = block;

    /* The two shifts that do nothing tell this trap from a breakpoint; none of the three may be compressed. */
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}
#else
static int32_t call(int32_t operation, uintptr_t block)
{
    register int32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
#endif

static int32_t open_as(const char *path, uint32_t mode)
{
    uint32_t length = 0;

    while (path[length] != '\0')
        length++;
    const uintptr_t block[3] = {(uintptr_t)path, mode, length};
    const int32_t handle = call(SYS_OPEN, (uintptr_t)block);
    return handle > 0 ? handle : 0;
}

int32_t files_open_to_read(const char *path)
{
    return open_as(path, MODE_READ_BINARY);
}

int32_t files_open_to_write(const char *path)
{
    return open_as(path, MODE_WRITE_BINARY);
}

/* SYS_READ and SYS_WRITE return how many bytes were NOT moved. */
int files_read(int32_t handle, void *data, uint32_t bytes)
{
    const uintptr_t block[3] = {(uintptr_t)handle, (uintptr_t)data, bytes};

    return call(SYS_READ, (uintptr_t)block) == 0;
}

int files_write(int32_t handle, const void *data, uint32_t bytes)
{
    const uintptr_t block[3] = {(uintptr_t)handle, (uintptr_t)data, bytes};

    return call(SYS_WRITE, (uintptr_t)block) == 0;
}

void files_close(int32_t handle)
{
    const uintptr_t block[1] = {(uintptr_t)handle};

    (void)call(SYS_CLOSE, (uintptr_t)block);
}

void files_exit(int status)
{
    (void)call(SYS_EXIT, status == 0 ? ADP_STOPPED_APPLICATION_EXIT : ADP_STOPPED_RUN_TIME_ERROR);
    for (;;) {
    }
}
