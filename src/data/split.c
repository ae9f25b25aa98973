// SPDX-License-Identifier: BSD-3-Clause
//
// How an array is cut. Extents grow from the smallest possible block (one cell, one chunk, a whole
// axis) while the target allows: a greedy rule with few cases, because the cut is part of a job's
// meaning (reductions merge block by block) and must stay the same from release to release.
// A block index is turned into a box by one division per axis; nothing is stored per block.
#include "data/split.h"
#include "base/mem.h"

enum { RUN_COST = 64 * 1024 }; // bytes that could be read in the time one more run costs

typedef struct grower {
  int ndim;
  const int64_t *shape;
  int64_t unit[PLAIT_DIMS]; // extents are multiples of it, or the shape
  int64_t halo[PLAIT_DIMS];
  bool kept[PLAIT_DIMS];
  int64_t cells; // target of a block
  int64_t tile;  // cap on the kept axes together
  int64_t cell_bytes;
  int64_t extent[PLAIT_DIMS];
} grower;

static int64_t times(int64_t a, int64_t b) { // saturates
  int64_t product;
  return pl_mul64_overflows(a, b, &product) ? INT64_MAX : product;
}

static int64_t parts(int64_t n, int64_t extent) {
  return n / extent + (n % extent != 0);
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Cells of all axes but d; only the kept ones.
static int64_t others(const grower *g, int d, bool kept_only) {
  int64_t cells = 1;
  for (int k = 0; k < g->ndim; k++)
    if (k != d && (g->kept[k] || !kept_only)) cells = times(cells, g->extent[k]);
  return cells;
}

// The greatest extent that axis d may have beside the present extents of the others.
static int64_t room(const grower *g, int d) {
  int64_t n = g->cells / others(g, d, false);
  if (g->kept[d]) n = least(n, g->tile / others(g, d, true));
  if (n >= g->shape[d]) return g->shape[d];
  n -= n % g->unit[d];
  return n > g->extent[d] ? n : g->extent[d];
}

// What reading a block costs, in bytes per own cell.
static double read_cost(const grower *g) {
  double cells = 1, runs = 1, own = 1;
  for (int d = 0; d < g->ndim; d++) {
    double n = (double)least(g->extent[d] + 2 * g->halo[d], g->shape[d]);
    cells *= n;
    own *= (double)g->extent[d];
    if (d < g->ndim - 1) runs *= n;
  }
  return (cells * (double)g->cell_bytes + runs * RUN_COST) / own;
}

static int64_t doubled(const grower *g, int d) {
  return g->extent[d] > g->shape[d] / 2 ? g->shape[d] : 2 * g->extent[d];
}

// The axis with a halo whose doubling makes reading cheapest, innermost first; -1: none has room.
static int best_axis(grower *g) {
  int best = -1;
  double best_cost = 0;
  for (int d = g->ndim - 1; d >= 0; d--) {
    int64_t extent = g->extent[d], more = doubled(g, d);
    if (g->halo[d] == 0 || extent == g->shape[d] || room(g, d) < more) continue;
    g->extent[d] = more;
    double cost = read_cost(g);
    g->extent[d] = extent;
    if (best >= 0 && cost >= best_cost) continue;
    best = d;
    best_cost = cost;
  }
  return best;
}

// Even lengths: as many blocks as before, the last one not a small rest.
static int64_t even(int64_t n, int64_t extent, int64_t unit) {
  if (extent >= n) return n;
  int64_t units = parts(n, unit), blocks = parts(n, extent);
  return least(n, parts(units, blocks) * unit);
}

// Inner axes are evened out before outer ones grow into the room that this leaves.
static void grow(grower *g) {
  for (int d = best_axis(g); d >= 0; d = best_axis(g)) g->extent[d] = doubled(g, d);
  for (int d = g->ndim - 1; d >= 0; d--) g->extent[d] = even(g->shape[d], room(g, d), g->unit[d]);
}

// A chunk far above the target would make every block as big: then chunks are not respected.
static const int64_t *usable_chunk(int ndim, const int64_t shape[], const pl_cut_wish *wish) {
  if (wish->chunk == NULL) return NULL;
  int64_t bytes = wish->cell_bytes;
  for (int d = 0; d < ndim; d++) {
    if (wish->chunk[d] <= 0) return NULL;
    bytes = times(bytes, least(wish->chunk[d], shape[d]));
  }
  return bytes / 4 > wish->block_bytes ? NULL : wish->chunk;
}

static grower start(int ndim, const int64_t shape[], const pl_cut_wish *wish) {
  grower g = {.ndim = ndim, .shape = shape, .tile = INT64_MAX};
  const int64_t *chunk = usable_chunk(ndim, shape, wish);
  g.cell_bytes = wish->cell_bytes > 0 ? wish->cell_bytes : 1;
  g.cells = wish->block_bytes / g.cell_bytes;
  if (wish->partial_per_cell > 0) g.tile = wish->partial_bytes / wish->partial_per_cell;
  for (int d = 0; d < ndim; d++) {
    g.kept[d] = wish->reduced == NULL || !wish->reduced[d];
    bool whole = wish->whole != NULL && wish->whole[d];
    g.unit[d] = whole ? shape[d] : chunk != NULL ? least(chunk[d], shape[d]) : 1;
    g.halo[d] = wish->halo != NULL && !whole ? wish->halo[d] : 0;
    if (chunk != NULL) g.halo[d] = parts(g.halo[d], g.unit[d]) * g.unit[d]; // read chunk by chunk
    g.extent[d] = g.unit[d];
  }
  return g;
}

void pl_cut_make(int ndim, const int64_t shape[], const pl_cut_wish *wish, pl_cut *cut) {
  grower g = start(ndim, shape, wish);
  grow(&g);
  *cut = (pl_cut){.ndim = ndim, .ntiles = 1, .nreds = 1};
  for (int d = 0; d < ndim; d++) {
    cut->shape[d] = shape[d];
    cut->reduced[d] = !g.kept[d];
    cut->extent[d] = g.extent[d];
    cut->count[d] = parts(shape[d], cut->extent[d]);
    int64_t *total = g.kept[d] ? &cut->ntiles : &cut->nreds;
    *total = times(*total, cut->count[d]);
  }
  cut->nblocks = times(cut->ntiles, cut->nreds);
}

// Places `box` on the axes whose `reduced` is `which`: the index-th of their blocks, row-major.
static void place(const pl_cut *cut, bool which, int64_t index, pl_box *box) {
  for (int d = cut->ndim - 1; d >= 0; d--) {
    if (cut->reduced[d] != which) continue;
    box->lo[d] = index % cut->count[d] * cut->extent[d];
    box->n[d] = least(cut->extent[d], cut->shape[d] - box->lo[d]);
    index /= cut->count[d];
  }
}

void pl_cut_block(const pl_cut *cut, int64_t block, pl_box *box) {
  *box = (pl_box){.ndim = cut->ndim};
  place(cut, false, block / cut->nreds, box);
  place(cut, true, block % cut->nreds, box);
}

void pl_cut_tile(const pl_cut *cut, int64_t tile, pl_box *box) {
  *box = (pl_box){.ndim = cut->ndim};
  for (int d = 0; d < cut->ndim; d++) box->n[d] = cut->shape[d];
  place(cut, false, tile, box);
}

void pl_cut_largest(const pl_cut *cut, int64_t extent[]) {
  for (int d = 0; d < cut->ndim; d++) extent[d] = cut->extent[d];
}

void pl_share(int64_t total, int size, int rank, int64_t *first, int64_t *count) {
  int64_t each = total / size, more = total % size;
  *count = each + (rank < more);
  *first = each * rank + (rank < more ? rank : more);
}
