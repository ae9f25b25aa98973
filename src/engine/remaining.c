// SPDX-License-Identifier: BSD-3-Clause
//
// See remaining.h. What a killed run has left are few runs (a gap per rank and steal), found by
// bisection.
#include "engine/remaining.h"
#include "base/mem.h"

static plait_err add_run(pl_remaining *remaining, int64_t unit) {
  if (remaining->n == remaining->room) {
    int64_t room = remaining->room ? 2 * remaining->room : 64;
    TRY(pl_grow(&remaining->first, (size_t)remaining->room, (size_t)room,
                sizeof *remaining->first));
    TRY(pl_grow(&remaining->before, (size_t)remaining->room, (size_t)room,
                sizeof *remaining->before));
    remaining->room = room;
  }
  remaining->first[remaining->n] = unit;
  remaining->before[remaining->n++] = remaining->total;
  return PLAIT_OK;
}

plait_err pl_remaining_make(int64_t units, pl_unit_left *left, const void *context,
                            pl_remaining *remaining) {
  *remaining = (pl_remaining){0};
  bool open = false;
  for (int64_t unit = 0; unit < units; unit++) {
    bool is_left = left(context, unit);
    if (is_left && !open) TRY(add_run(remaining, unit));
    open = is_left;
    remaining->total += is_left;
  }
  return PLAIT_OK;
}

void pl_remaining_free(pl_remaining *remaining) {
  pl_free(&remaining->first);
  pl_free(&remaining->before);
  *remaining = (pl_remaining){0};
}

void pl_remaining_piece(const pl_remaining *remaining, int64_t at, int64_t most, int64_t *unit,
                        int64_t *count) {
  *unit = at;
  *count = most;
  if (remaining->n == 0) return;
  int64_t low = 0, high = remaining->n; // before[low] <= at < before[high]
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (remaining->before[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  int64_t end = low + 1 < remaining->n ? remaining->before[low + 1] : remaining->total;
  *unit = remaining->first[low] + (at - remaining->before[low]);
  if (*count > end - at) *count = end - at;
}
