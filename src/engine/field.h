// SPDX-License-Identifier: BSD-3-Clause
//
// The fields of one rank's part of a grid, in memory. All fields of a part share one geometry: own
// cells, and around them ghost cells (at a wall) or halo cells (beyond which another part begins).
#ifndef PL_FIELD_H
#define PL_FIELD_H
#include "base/err.h"

#define PL_AXES 3

typedef enum pl_side { // what is on one side of a part
  PL_SIDE_WALL,        // the end of the grid: ghost cells by rule
  PL_SIDE_LOOP,        // periodic, the other end is here too
  PL_SIDE_RANK         // another rank
} pl_side;

typedef struct pl_part {
  int ndim;
  int64_t lo[PL_AXES], n[PL_AXES];        // own cells; 0 and 1 for axes >= ndim
  int64_t below[PL_AXES], above[PL_AXES]; // cells kept beyond them
  pl_side side[PL_AXES][2];
  bool wrap;                 // last axis is a loop that is filled row by row (tile.c)
  ptrdiff_t stride[PL_AXES]; // cells
  ptrdiff_t first;           // of the first own cell
  size_t cells;              // of one array, padding included
} pl_part;

typedef struct pl_fields {
  const plait_grid *grid;
  pl_part part;
  size_t size[PLAIT_FIELDS];     // bytes of a value
  char *data[PLAIT_FIELDS][2];   // at the first own cell; copy 1 only when kept twice
  void *memory[PLAIT_FIELDS][2]; // *owned*
} pl_fields;

// Strides and padding for the extents in `part`. Rows start on cache lines and their lengths avoid
// powers of two.
void pl_part_lay_out(pl_part *part);
size_t pl_fields_bytes(const plait_grid *grid, const pl_part *part);
// Zeroed. PLAIT_MEMORY. Threads: one.
plait_err pl_fields_start(const plait_grid *grid, const pl_part *part, pl_fields *fields);
void pl_fields_stop(pl_fields *fields);
// The field as advance sees it before (`stage` of `step` not yet done) and where that stage writes.
void pl_fields_view(const pl_fields *fields, int64_t step, int stage, const int64_t lo[],
                    void *now[], void *next[]);
// Where a field's values after `step` steps are.
char *pl_fields_at(const pl_fields *fields, int field, int64_t step);
ptrdiff_t pl_part_offset(const pl_part *part, const int64_t cell[]);
#endif
