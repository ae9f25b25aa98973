// SPDX-License-Identifier: BSD-3-Clause
//
// Many small pieces of memory that end together: the tree and the values of a job file.
#ifndef PL_ARENA_H
#define PL_ARENA_H
#include "plait.h"

typedef struct pl_arena { // zero-initialised is empty
  struct pl_arena_block *last;
  size_t used, room; // of the last block
} pl_arena;

// Zeroed, 16-byte aligned, alive until the arena is freed. *out is NULL on error (PLAIT_MEMORY).
plait_err pl_arena_get(pl_arena *arena, size_t count, size_t size,
                       void *out); // out: address of a pointer
plait_err pl_arena_text(pl_arena *arena, const char *text, const char **out); // *copies*
void pl_arena_free(pl_arena *arena);
#endif
