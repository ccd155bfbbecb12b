/* Callbacks that Unicorn calls very often, hence not in Python. */
#include <stdint.h>

struct watch {
    int (*stop)(void *engine); /* uc_emu_stop */
    uint64_t address;
    uint64_t bytes; /* 0: nothing was found */
};

struct profile {
    uint64_t first;   /* address that entry 0 of the two tables stands for; one entry for two bytes */
    uint64_t before;  /* the instruction before this one, and the address behind it; 0: none yet */
    uint64_t behind;
    uint64_t *visits; /* how often an instruction ran */
    uint64_t *jumps;  /* how often another one than that behind it ran next */
};

void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count);
void profile_instruction(void *engine, uint64_t address, uint32_t bytes, void *profile);
void watch_alignment(void *engine, int kind, uint64_t address, int bytes, int64_t value, void *watch);

/* UC_HOOK_CODE (uc_cb_hookcode_t): one more instruction. */
void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count)
{
    (void)engine;
    (void)address;
    (void)bytes;
    ++*(uint64_t *)count;
}

/* UC_HOOK_CODE: where it was, and whether the one before jumped to it. */
void profile_instruction(void *engine, uint64_t address, uint32_t bytes, void *profile)
{
    struct profile *p = profile;

    (void)engine;
    if (p->behind != 0 && address != p->behind)
        p->jumps[(p->before - p->first) / 2]++;
    p->visits[(address - p->first) / 2]++;
    p->before = address;
    p->behind = address + bytes;
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
