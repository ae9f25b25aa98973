// SPDX-License-Identifier: BSD-3-Clause
//
// The state of an evolve as arrays of a checkpoint: which there are, where this rank's part of each
// lies in memory and in the array, what stands beside them.
#ifndef PL_EVOLVE_STATE_H
#define PL_EVOLVE_STATE_H
#include "engine/checkpoint.h"
#include "engine/evolve.h"

typedef struct pl_state_part { // of one array, this rank's
  pl_box box;                  // in cells of the array
  size_t cell;                 // bytes
  int64_t rows;
  char *at;                     // first cell of the box; rows of the last axis are contiguous
  ptrdiff_t stride[PLAIT_DIMS]; // cells
} pl_state_part;

// The arrays after `step` steps, on every rank the same. extra is not set.
void pl_state_arrays(const pl_evolve *e, int64_t step, pl_checkpoint_what *what);
// false: array `array` is the gauges, whose parts are [1, samples] for each gauge.
bool pl_state_part_of(const pl_evolve *e, int array, pl_state_part *part);
char *pl_state_row(const pl_state_part *part, int64_t row);
size_t pl_state_bytes(const pl_evolve *e);                // of this rank's parts
size_t pl_state_series_bytes(const pl_evolve *e);         // of its gauges so far
void pl_state_series(const pl_evolve *e, double *values); // copies them, gauge by gauge
size_t pl_state_extra_bytes(const pl_evolve *e);          // now
// Fills `extra` for a checkpoint of `step` on rank 0. Collective; agrees at its end.
plait_err pl_state_extra(const pl_evolve *e, int64_t step, char *extra);
// Takes the sums and checksums out of it again. PLAIT_OUTPUT when it makes no sense.
plait_err pl_state_take_extra(pl_evolve *e, const pl_checkpoint_what *what);
#endif
