/* Start-up of a RISC-V core in machine mode: stack and trap vector, then memory, then main. No interrupt is used. */
#include "startup.h"

void port_reset(void);
void port_main(void);

/* Every trap: tell the bench where it happened. mtvec wants an address that is a multiple of 4. */
__attribute__((naked, used, aligned(4))) static void fault(void)
{
    __asm__ volatile("csrr a0, mepc\n"
                     "j program_fault\n");
}

__attribute__((naked, used, section(".vectors"))) void port_reset(void)
{
    __asm__ volatile("la sp, port_stack_top\n"
                     "la t0, %0\n"
                     "csrw mtvec, t0\n"
                     "j port_main\n"
                     :
                     : "i"(fault));
}

__attribute__((used)) void port_main(void)
{
    startup_memory();
    (void)main();
    for (;;) {
    }
}
