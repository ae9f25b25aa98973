// SPDX-License-Identifier: BSD-3-Clause
//
// See todo.h. What a killed run has left are few runs (a gap per rank and steal), found by
// bisection.
#include "engine/todo.h"
#include "base/mem.h"

static plait_err add_run(pl_todo *todo, int64_t unit) {
  if (todo->n == todo->room) {
    int64_t room = todo->room ? 2 * todo->room : 64;
    TRY(pl_grow(&todo->first, (size_t)todo->room, (size_t)room, sizeof *todo->first));
    TRY(pl_grow(&todo->before, (size_t)todo->room, (size_t)room, sizeof *todo->before));
    todo->room = room;
  }
  todo->first[todo->n] = unit;
  todo->before[todo->n++] = todo->total;
  return PLAIT_OK;
}

plait_err pl_todo_make(int64_t units, pl_unit_left *left, const void *context, pl_todo *todo) {
  *todo = (pl_todo){0};
  bool open = false;
  for (int64_t unit = 0; unit < units; unit++) {
    bool is_left = left(context, unit);
    if (is_left && !open) TRY(add_run(todo, unit));
    open = is_left;
    todo->total += is_left;
  }
  return PLAIT_OK;
}

void pl_todo_free(pl_todo *todo) {
  pl_free(&todo->first);
  pl_free(&todo->before);
  *todo = (pl_todo){0};
}

void pl_todo_piece(const pl_todo *todo, int64_t at, int64_t most, int64_t *unit, int64_t *count) {
  *unit = at;
  *count = most;
  if (todo->n == 0) return;
  int64_t low = 0, high = todo->n; // before[low] <= at < before[high]
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (todo->before[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  int64_t end = low + 1 < todo->n ? todo->before[low + 1] : todo->total;
  *unit = todo->first[low] + (at - todo->before[low]);
  if (*count > end - at) *count = end - at;
}
