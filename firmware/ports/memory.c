/* memcpy, memset, memmove and memcmp for images that link no C library; linked only where they are called.
 *
 * A compiler may call them for a structure assignment or a cleared array, whatever the source says.
 * Byte by byte: GCC's images are then small, and slower than with newlib where much is copied.
 */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    while (bytes-- > 0)
        *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    if (out < in) {
        for (size_t i = 0; i < bytes; i++)
            out[i] = in[i];
    } else {
        while (bytes-- > 0)
            out[bytes] = in[bytes];
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    unsigned char *out = to;

    while (bytes-- > 0)
        *out++ = (unsigned char)value;
    return to;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
    const unsigned char *l = left;
    const unsigned char *r = right;

    for (size_t i = 0; i < bytes; i++)
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    return 0;
}
