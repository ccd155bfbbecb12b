/* Start-up of every Cortex-M: the vector table, then memory, then main. No interrupt is used. */
#include "startup.h"

typedef void (*handler)(void);

void port_reset(void);

/* The core has pushed r0-r3, r12, lr and the address of the faulting instruction: word 6 of the stack. */
__attribute__((naked)) static void fault(void)
{
    __asm__ volatile("mrs r0, msp\n"
                     "ldr r0, [r0, #24]\n"
                     "bl program_fault\n");
}

struct vectors {
    uint32_t *stack;
    handler reset;
    handler system[14]; /* NMI, HardFault and the other exceptions of the core */
};

/* Armv6-M and Armv7-M reference manuals, "The vector table". */
__attribute__((used, section(".vectors"))) static const struct vectors vectors = {
    port_stack_top,
    port_reset,
    {fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};

/* Armv8-M Architecture Reference Manual, CPACR: vectors and floating point are off after a reset. */
static void enable_vectors(void)
{
#if defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm__ volatile("dsb\n"
                     "isb" ::: "memory");
#endif
}

void port_reset(void)
{
    enable_vectors();
    startup_memory();
    (void)main();
    for (;;) {
    }
}
