// SPDX-License-Identifier: BSD-3-Clause
//
// Which cells of a grid belong to which rank. Pure functions of grid and rank count.
#ifndef PL_DECOMPOSE_H
#define PL_DECOMPOSE_H
#include "engine/field.h"

// Parts begin at multiples of this along an axis, so that the pieces of rows whose sums are merged
// in order (diagnose) never lie in two parts: 8 cells; along the last axis, up to 256 where it has
// eight times as many.
int64_t pl_decompose_unit(const plait_grid *grid, int axis);
// What no number of ranks could do: PLAIT_JOB where an axis has fewer cells than a step reads
// beyond a face, since those are copies of cells inside; PLAIT_KERNEL where the plan makes no
// sense.
plait_err pl_decompose_check(const plait_grid *grid);
// Ranks along each axis: the cut with the least surface, the last axis cut only when that is
// clearly better (its shells are strips of a few cells). PLAIT_JOB when the grid has too few cells
// for `size` ranks: a part must be as wide as the cells that a step reads.
plait_err pl_decompose_choose(const plait_grid *grid, int size, int ranks[PL_AXES]);
// The part of `rank`, without halo depths and strides.
void pl_decompose_part(const plait_grid *grid, const int ranks[PL_AXES], int rank, pl_part *part);
// The rank at `step` (-1, 0, 1 along each axis) from `rank`; -1 beyond a wall.
int pl_decompose_neighbour(const plait_grid *grid, const int ranks[PL_AXES], int rank,
                           const int step[PL_AXES]);
// Cells that a whole step reads below (side 0) or above along an axis.
int64_t pl_decompose_reach(const plait_grid *grid, int axis, int side);
// Cells of the thinnest part along an axis: no halo may be deeper.
int64_t pl_decompose_least(const plait_grid *grid, const int ranks[PL_AXES], int axis);
// "961 x 2160", in `text`.
const char *pl_decompose_shape(const plait_grid *grid, char text[80]);
#endif
