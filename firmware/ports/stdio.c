/* files.h on a computer with a C library. */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 4

static FILE *open_files[MOST];

static int32_t open_as(const char *path, const char *mode)
{
    for (int32_t i = 1; i < MOST; i++) {
        if (open_files[i] == NULL) {
            open_files[i] = fopen(path, mode);
            return open_files[i] == NULL ? 0 : i;
        }
    }
    return 0;
}

int32_t files_open_to_read(const char *path)
{
    return open_as(path, "rb");
}

int32_t files_open_to_write(const char *path)
{
    return open_as(path, "wb");
}

int files_read(int32_t handle, void *data, uint32_t bytes)
{
    return fread(data, 1, bytes, open_files[handle]) == bytes;
}

int files_write(int32_t handle, const void *data, uint32_t bytes)
{
    return fwrite(data, 1, bytes, open_files[handle]) == bytes;
}

void files_close(int32_t handle)
{
    (void)fclose(open_files[handle]);
    open_files[handle] = NULL;
}

void files_exit(int status)
{
    exit(status);
}
