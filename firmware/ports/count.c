/* Unicorn's UC_HOOK_CODE callback (uc_cb_hookcode_t): one more instruction. */
#include <stdint.h>

void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count);

void count_instruction(void *engine, uint64_t address, uint32_t bytes, void *count)
{
    (void)engine;
    (void)address;
    (void)bytes;
    ++*(uint64_t *)count;
}
