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

// Visits the contiguous runs of a box inside a row-major array of `shape`, trailing axes merged
// where the box covers them whole: f(first cell in the array, first cell in the box, cells) until
// it fails.
typedef plait_err pl_run_visit(int64_t in_array, int64_t in_box, int64_t cells, void *data);
plait_err pl_box_runs(const pl_box *box, const int64_t shape[], pl_run_visit *visit, void *data);

// ---- halos ----
// What must be read for a block with its halo. Its own cells and halo, clipped to the array, are
// one box; that is enough for every rule but PLAIT_PERIODIC: the source of a cell beyond an end
// (reflect, mirror, nearest, however wide the halo) is never farther from that end than the cell
// itself, so it is in the clipped box, or the clipped box is the whole axis. A periodic axis of
// which the clipped box is not the whole needs at most one more interval from the other end; k such
// axes give 2^k boxes (the corners). So:
//
//   pl_source s;
//   for (int i = 0; pl_box_source(&box, halo, shape, rule, i, &s); i++) {
//     plait_block to = pl_block_part(&block, &s.at);
//     ... fetch s.from into `to`, then decode ...
//   }
//   pl_block_fill_boundary(&block, shape, rule, constant);
//
// The places do not overlap and the boxes depend on the arguments alone; together with
// pl_block_fill_boundary they give every halo cell the value of pl_boundary_index.
typedef struct pl_source {
  pl_box from; // cells of the array
  pl_box at;   // where they go: same extent, indices of the block's frame (may be < 0 or >= shape)
} pl_source;
// The i-th box, i = 0: the clipped one. false when there are fewer. Threads: any.
bool pl_box_source(const pl_box *box, const int64_t halo[], const int64_t shape[],
                   const plait_boundary rule[], int i, pl_source *source);

// The cell of an axis of n > 0 cells whose value cell `x` has by the rule (any x); -1: the
// constant. As scipy.ndimage's modes reflect, nearest, mirror, constant (grid-constant), grid-wrap.
int64_t pl_boundary_index(plait_boundary rule, int64_t x, int64_t n);

// Fills the halo cells of `block` that lie outside the array by the boundary rule of each axis. The
// cells of all boxes of pl_box_source are there already. Team function: called by every thread,
// ends with a barrier. `constant` is rounded and clamped to an integer type (NaN: 0).
void pl_block_fill_boundary(const plait_block *block, const int64_t shape[],
                            const plait_boundary rule[], double constant);
#endif
