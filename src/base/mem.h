// SPDX-License-Identifier: BSD-3-Clause
//
// Memory: 64-byte aligned, sizes checked against overflow, so that a size in a file header never
// drives an allocation unchecked. All fallible: no wrapper aborts.
#ifndef PL_MEM_H
#define PL_MEM_H
#include "plait.h"

// count * size bytes, 64-byte aligned (in large pages from 4 MiB on, where there are any), contents
// undefined. PLAIT_MEMORY when it overflows or fails.
// *out is NULL on error; a request of 0 bytes gives a valid pointer. Free with pl_free.
plait_err pl_alloc(size_t count, size_t size, void *out); // out: address of a pointer
size_t pl_alloc_takes(size_t bytes); // bytes of memory behind them: large ones are rounded up
plait_err pl_calloc(size_t count, size_t size, void *out); // zeroed
// Keeps the first min(old_count, count) elements; on error the old memory is untouched.
plait_err pl_grow(void *pointer, size_t old_count, size_t count, size_t size); // address of one
void pl_free(void *pointer); // address of a pointer: frees and nulls it; NULL inside is fine
plait_err pl_strdup(const char *text, char **out);
bool pl_mul_overflows(size_t a, size_t b, size_t *product);
bool pl_mul64_overflows(int64_t a, int64_t b, int64_t *product); // also for negative a or b
size_t pl_peak_rss(void);    // bytes, high-water mark of this process (VmHWM)
size_t pl_current_rss(void); // bytes
#endif
