/* What the bench's program needs of the world: two files and a way out.
 * Given by semihosting.c on a bare core under a debugger or QEMU, and by stdio.c on a computer.
 */
#ifndef FILES_H
#define FILES_H

#include <stdint.h>

/* A handle above 0, or 0 where the file cannot be opened. Paths are relative to where the emulator was started. */
int32_t files_open_to_read(const char *path);
int32_t files_open_to_write(const char *path);

/* 1 if all `bytes` bytes were read (or written), else 0. */
int files_read(int32_t handle, void *data, uint32_t bytes);
int files_write(int32_t handle, const void *data, uint32_t bytes);
void files_close(int32_t handle);

/* End the program; status 0 is success. Does not return. */
void files_exit(int status);

#endif
