/* The two calls of <string.h> that generated code makes, for compilers that come without a C library.
 *
 * The built-in forms are the same functions, but stay known to the compiler in a freestanding build:
 * a copy of 4 bytes is then one load and one store.
 */
#ifndef BENCH_STRING_H
#define BENCH_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#define memcpy(to, from, bytes) __builtin_memcpy(to, from, bytes)
#define memset(to, value, bytes) __builtin_memset(to, value, bytes)

#endif
