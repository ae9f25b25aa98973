// SPDX-License-Identifier: BSD-3-Clause
//
// Arithmetic on boxes: a few operations per axis, no memory, no state. An index into an array fits
// int64_t because pl_meta_check_shape refused every array where it would not.
#include "data/box.h"
#include <assert.h>

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

int64_t pl_box_cells(const pl_box *box) {
  int64_t cells = 1;
  for (int d = 0; d < box->ndim; d++) cells *= box->n[d];
  return cells;
}

pl_box pl_box_grow(const pl_box *box, const int64_t halo[], const int64_t shape[]) {
  pl_box out = {.ndim = box->ndim};
  for (int d = 0; d < box->ndim; d++) {
    int64_t lo = most(0, box->lo[d] - halo[d]);
    int64_t hi = least(shape[d], box->lo[d] + box->n[d] + halo[d]);
    out.lo[d] = lo;
    out.n[d] = hi - lo;
  }
  return out;
}

bool pl_box_meet(const pl_box *a, const pl_box *b, pl_box *common) {
  *common = (pl_box){.ndim = a->ndim};
  for (int d = 0; d < a->ndim; d++) {
    int64_t lo = most(a->lo[d], b->lo[d]);
    int64_t hi = least(a->lo[d] + a->n[d], b->lo[d] + b->n[d]);
    if (hi <= lo) return false;
    common->lo[d] = lo;
    common->n[d] = hi - lo;
  }
  return true;
}

static int64_t halo_at(const int64_t halo[], int d) {
  return halo != NULL ? halo[d] : 0;
}

plait_block pl_block_over(void *data, plait_type type, const pl_box *box, const int64_t halo[]) {
  plait_block block = {.type = type, .ndim = box->ndim};
  ptrdiff_t stride = 1, first = 0;
  for (int d = box->ndim - 1; d >= 0; d--) {
    block.origin[d] = box->lo[d];
    block.extent[d] = box->n[d];
    block.halo[d] = halo_at(halo, d);
    block.stride[d] = stride;
    first += block.halo[d] * stride;
    stride *= box->n[d] + 2 * block.halo[d];
  }
  if (data) block.data = (char *)data + first * (ptrdiff_t)plait_type_size(type);
  return block;
}

size_t pl_block_bytes(plait_type type, const pl_box *box, const int64_t halo[]) {
  size_t bytes = plait_type_size(type);
  for (int d = 0; d < box->ndim; d++) bytes *= (size_t)(box->n[d] + 2 * halo_at(halo, d));
  return bytes;
}

plait_block pl_block_part(const plait_block *block, const pl_box *box) {
  plait_block part = *block;
  ptrdiff_t first = 0;
  for (int d = 0; d < block->ndim; d++) {
    int64_t shift = box->lo[d] - block->origin[d];
    assert(shift >= -block->halo[d]);
    assert(shift + box->n[d] <= block->extent[d] + block->halo[d]);
    first += shift * block->stride[d];
    part.origin[d] = box->lo[d];
    part.extent[d] = box->n[d];
    part.halo[d] = 0;
  }
  part.data = (char *)block->data + first * (ptrdiff_t)plait_type_size(block->type);
  return part;
}

// The axis at which a run starts: the axes behind it are covered whole.
static int run_axis(const pl_box *box, const int64_t shape[]) {
  int d = box->ndim - 1;
  while (d > 0 && box->n[d] == shape[d]) d--;
  return d;
}

// Steps `index` through the first `axes` axes of the box, last one fastest. false after the last.
static bool step(const pl_box *box, int axes, int64_t index[]) {
  for (int d = axes - 1; d >= 0; d--) {
    if (++index[d] < box->n[d]) return true;
    index[d] = 0;
  }
  return false;
}

plait_err pl_box_runs(const pl_box *box, const int64_t shape[], pl_run_visit *visit, void *data) {
  if (box->ndim == 0) return visit(0, 0, 1, data);
  int axis = run_axis(box, shape);
  int64_t cells = 1, in_box = 0, index[PLAIT_DIMS] = {0};
  for (int d = axis; d < box->ndim; d++) cells *= box->n[d];
  if (pl_box_cells(box) == 0) return PLAIT_OK;
  do {
    int64_t in_array = 0;
    for (int d = 0; d < box->ndim; d++) in_array = in_array * shape[d] + box->lo[d] + index[d];
    plait_err err = visit(in_array, in_box, cells, data);
    if (err != PLAIT_OK) return err;
    in_box += cells;
  } while (step(box, axis, index));
  return PLAIT_OK;
}

// Cells of the haloed interval that lie before and behind the array, and whether they come from the
// other end: only when the clipped interval is not the whole axis already.
static bool wraps(const pl_box *box, const int64_t halo[], const int64_t shape[],
                  const plait_boundary rule[], int d, int64_t *before, int64_t *behind) {
  *before = most(0, halo[d] - box->lo[d]);
  *behind = most(0, box->lo[d] + box->n[d] + halo[d] - shape[d]);
  bool whole = box->lo[d] - halo[d] <= 0 && box->lo[d] + box->n[d] + halo[d] >= shape[d];
  return rule[d] == PLAIT_PERIODIC && !whole && *before + *behind > 0;
}

bool pl_box_source(const pl_box *box, const int64_t halo[], const int64_t shape[],
                   const plait_boundary rule[], int i, pl_source *source) {
  pl_box clipped = pl_box_grow(box, halo, shape);
  *source = (pl_source){clipped, clipped};
  for (int d = box->ndim - 1; d >= 0; d--) { // bit after bit of i: the other end of this axis?
    int64_t before, behind;
    if (!wraps(box, halo, shape, rule, d, &before, &behind)) continue;
    bool other = i & 1;
    i >>= 1;
    if (!other) continue;
    source->at.n[d] = source->from.n[d] = before + behind; // one of them is 0
    source->at.lo[d] = before > 0 ? -before : shape[d];
    source->from.lo[d] = before > 0 ? shape[d] - before : 0;
  }
  return i == 0;
}
