// SPDX-License-Identifier: BSD-3-Clause
//
// The units of work that are left, numbered without gaps, so that the scheduler deals them out as
// if nothing had been done before. Zero-initialised with `total` set: all of them.
#ifndef PL_REMAINING_H
#define PL_REMAINING_H
#include "base/err.h"

typedef struct pl_remaining {
  int64_t total;   // units that are left
  int64_t n, room; // runs of neighbouring units; 0 with first NULL: unit i is number i
  int64_t *first;  // unit at which a run begins; *owned*
  int64_t *before; // units in the runs before
} pl_remaining;

typedef bool pl_unit_left(const void *context, int64_t unit);
// Asks `left` for each of `units`. PLAIT_MEMORY. Pure otherwise.
plait_err pl_remaining_make(int64_t units, pl_unit_left *left, const void *context,
                            pl_remaining *remaining);
void pl_remaining_free(pl_remaining *remaining);
// Numbers [at, at + most) begin with units [*unit, *unit + *count), 0 < count <= most. at < total.
void pl_remaining_piece(const pl_remaining *remaining, int64_t at, int64_t most, int64_t *unit,
                        int64_t *count);
#endif
