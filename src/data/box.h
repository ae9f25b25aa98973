// SPDX-License-Identifier: BSD-3-Clause
//
// A box: a hyper-rectangle of an array, and the plain arithmetic on it. Pure functions.
#ifndef PL_BOX_H
#define PL_BOX_H
#include "plait.h"

typedef struct pl_box {
  int ndim;
  int64_t lo[PLAIT_DIMS]; // first cell
  int64_t n[PLAIT_DIMS];  // cells
} pl_box;

int64_t pl_box_cells(const pl_box *box); // product of n; 1 for ndim 0
// `box` grown by halo on each side and clipped to [0, shape).
pl_box pl_box_grow(const pl_box *box, const int64_t halo[], const int64_t shape[]);
bool pl_box_meet(const pl_box *a, const pl_box *b, pl_box *common); // false: they do not overlap
// Row-major block over `data` that holds `box` with `halo` around it; strides dense.
plait_block pl_block_over(void *data, plait_type type, const pl_box *box, const int64_t halo[]);
size_t pl_block_bytes(plait_type type, const pl_box *box, const int64_t halo[]); // with halo
// The part of `block` that covers `box` (may reach into the halo), as a block without halo.
plait_block pl_block_part(const plait_block *block, const pl_box *box);

// Visits the contiguous runs of a box inside a row-major array of `shape`, trailing axes merged where
// the box covers them whole: f(first cell in the array, first cell in the box, cells) until it fails.
typedef plait_err pl_run_visit(int64_t in_array, int64_t in_box, int64_t cells, void *data);
plait_err pl_box_runs(const pl_box *box, const int64_t shape[], pl_run_visit *visit, void *data);

// Fills the halo cells of `block` that lie outside the array by the boundary rule of each axis (the
// cells inside the array are there already). Team function: called by every thread, ends with a
// barrier. Periodic cells need the whole axis inside the block or are read by the engine.
void pl_block_fill_boundary(const plait_block *block, const int64_t shape[],
                            const plait_boundary rule[], double constant);
#endif
