/* Callbacks that Unicorn calls very often, hence not in Python. */
#include <stdint.h>

struct watch {
    int (*stop)(void *engine); /* uc_emu_stop */
    uint64_t address;
    uint64_t bytes; /* 0: nothing was found */
};

void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count);
void watch_alignment(void *engine, int kind, uint64_t address, int bytes, int64_t value, void *watch);

/* UC_HOOK_CODE (uc_cb_hookcode_t): one more instruction. */
void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count)
{
    (void)engine;
    (void)address;
    (void)bytes;
    ++*(uint64_t *)count;
}

/* UC_HOOK_MEM_READ and _WRITE (uc_cb_hookmem_t): stop at the first address that is no multiple of the access's size. */
void watch_alignment(void *engine, int kind, uint64_t address, int bytes, int64_t value, void *watch)
{
    struct watch *found = watch;

    (void)kind;
    (void)value;
    if (found->bytes == 0 && address % (uint64_t)bytes != 0) {
        found->address = address;
        found->bytes = (uint64_t)bytes;
        (void)found->stop(engine);
    }
}
