/* Symbols of image.ld that the start-up code needs, and the two functions between which it stands. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

extern uint32_t port_data_load[];  /* initial values in flash */
extern uint32_t port_data_start[]; /* where they belong in RAM */
extern uint32_t port_data_end[];
extern uint32_t port_zero_start[];
extern uint32_t port_zero_end[];
extern uint32_t port_stack_top[];

int main(void);
void program_fault(uint32_t pc); /* in program.c */

/* Give every variable its initial value. */
static inline void startup_memory(void)
{
    const uint32_t *from = port_data_load;

    for (uint32_t *to = port_data_start; to < port_data_end; to++)
        *to = *from++;
    for (uint32_t *to = port_zero_start; to < port_zero_end; to++)
        *to = 0;
}

#endif
