"""What networks cost on microcontrollers: counts of instructions in emulation, flash, RAM, stack, beside peers."""
