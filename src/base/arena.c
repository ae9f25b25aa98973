// SPDX-License-Identifier: BSD-3-Clause
//
// A list of blocks; a piece is cut from the last one. One free for all of them is worth that pieces
// cannot be given back one by one.
#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"

#include <string.h>

struct pl_arena_block {
  struct pl_arena_block *before;
};

enum { HEAD = 64, BLOCK = 4096, ALIGN = 16 };

static plait_err add_block(pl_arena *arena, size_t bytes) {
  struct pl_arena_block *block;
  size_t room = bytes > BLOCK ? bytes : BLOCK;
  TRY(pl_calloc(HEAD + room, 1, &block));
  block->before = arena->last;
  arena->last = block;
  arena->used = 0;
  arena->room = room;
  return PLAIT_OK;
}

plait_err pl_arena_get(pl_arena *arena, size_t count, size_t size, void *out) {
  void *piece = NULL;
  size_t bytes;
  memcpy(out, &piece, sizeof piece);
  if (pl_mul_overflows(count, size, &bytes) || bytes > PTRDIFF_MAX / 2) {
    return plait_fail(PLAIT_MEMORY, "out of memory: %zu x %zu bytes is too much", count, size);
  }
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  if (arena->room - arena->used < bytes || !arena->last) TRY(add_block(arena, bytes));
  piece = (char *)arena->last + HEAD + arena->used;
  arena->used += bytes;
  memcpy(out, &piece, sizeof piece);
  return PLAIT_OK;
}

plait_err pl_arena_text(pl_arena *arena, const char *text, const char **out) {
  char *copy;
  size_t bytes = strlen(text) + 1;
  TRY(pl_arena_get(arena, bytes, 1, &copy));
  memcpy(copy, text, bytes);
  *out = copy;
  return PLAIT_OK;
}

void pl_arena_free(pl_arena *arena) {
  while (arena->last) {
    struct pl_arena_block *before = arena->last->before;
    pl_free(&arena->last);
    arena->last = before;
  }
  *arena = (pl_arena){0};
}
