// SPDX-License-Identifier: BSD-3-Clause
//
// Shapes for time tiles: how far the levels lag behind each other, how deep a tile may be, how a
// region is cut among threads. Pure functions.
//
// Cutting among threads: every thread has an upright trapezoid that narrows from level to level at
// the cuts (what it leaves out there needs the neighbour's cells); when all are done, the *seams*,
// the inverted triangles between them, are free to go. Two barriers for a tile of any depth.
#include "engine/tile.h"

static int64_t lesser(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t greater(int64_t a, int64_t b) {
  return a > b ? a : b;
}

void pl_tiling_reach(pl_tiling *t) {
  for (int s = 0; s < t->grid->nstages; s++) {
    const plait_stage *mine = &t->grid->stage[s];
    const plait_stage *before = &t->grid->stage[(s + t->grid->nstages - 1) % t->grid->nstages];
    for (int a = 0; a < PL_AXES; a++) {
      t->below[s][a] = greater(mine->below[a], before->above[a]);
      t->above[s][a] = greater(mine->above[a], before->below[a]);
    }
  }
}

int64_t pl_tiling_lag(const pl_tiling *t, int level, int axis, int side) {
  int64_t lag = 0, step = 0;
  int stages = t->grid->nstages;
  for (int s = 0; s < stages; s++) {
    int64_t reach = side ? t->above[s][axis] : t->below[s][axis];
    step += reach;
    if (s <= level % stages) lag += reach;
  }
  return lag + level / stages * step;
}

// Reach of a whole step along an axis, both sides.
static int64_t step_reach(const pl_tiling *t, int axis) {
  int last = t->grid->nstages - 1;
  return pl_tiling_lag(t, last, axis, 0) + pl_tiling_lag(t, last, axis, 1);
}

static int64_t cell_bytes(const plait_grid *grid) {
  int64_t bytes = 0;
  for (int f = 0; f < grid->nfields; f++)
    bytes += grid->field[f].idle
                 ? 0
                 : (int64_t)plait_type_size(grid->field[f].type) * (1 + (int)grid->field[f].twice);
  return bytes;
}

// 3-D: `rows` planes of `block[1]` rows are alive; 2-D: `rows` rows.
static int64_t live_bytes(const pl_tiling *t, int depth, int64_t width) {
  int64_t last = pl_tiling_lag(t, t->grid->nstages - 1, 0, 1);
  int64_t row = t->fields->part.n[t->grid->ndim - 1] * cell_bytes(t->grid);
  return (depth * last + 3) * row * (width > 0 ? width + 2 : 1);
}

enum { DEEPEST = 32, LEAST_ROWS = 8 };

static void choose_blocks(pl_tiling *t, size_t cache, int depth) {
  const pl_part *part = &t->fields->part;
  for (int a = 0; a < PL_AXES; a++)
    t->block[a] =
        part->n[a] + part->below[a] + part->above[a] + pl_tiling_lag(t, PL_LEVELS - 1, a, 1) + 1;
  t->block[0] = t->grid->ndim == 1 ? 2048 : 1;
  t->piece = 32;
  if (t->grid->ndim != 3 || depth == 1) return;
  t->block[0] = 2; // two planes find three quarters of what they read in the second-level cache
  int64_t rows = 2 * depth < 16 ? 16 : 2 * depth;
  while (rows > LEAST_ROWS && live_bytes(t, depth, rows) > (int64_t)cache) rows -= 4;
  t->block[1] = rows;
}

// Deeper tiles save memory traffic in proportion to 1/depth until they leave the cache; beyond 32
// the seams and halos that are done twice cost more than is saved.
static int choose_depth(const pl_tiling *t, size_t cache, int threads) {
  int depth = 1;
  int64_t width = t->grid->ndim == 3 ? LEAST_ROWS : 0;
  int64_t share = t->fields->part.n[0] / (threads > 0 ? threads : 1);
  while (depth < DEEPEST &&
         live_bytes(t, depth + 1, width ? 2 * (depth + 1) : 0) <= (int64_t)cache &&
         4 * (depth + 1) * step_reach(t, 0) <= share)
    depth++;
  return depth;
}

void pl_tiling_choose(pl_tiling *t, size_t cache, int depth, int64_t most_depth, int threads) {
  if (depth <= 0) depth = choose_depth(t, cache, threads);
  depth = (int)lesser(depth, lesser(most_depth, PL_LEVELS / t->grid->nstages));
  t->depth = depth > 0 ? depth : 1;
  choose_blocks(t, cache, t->depth);
}

// Where the region is cut: position `k` of `pieces` along the axis, in cells of level 0.
static int64_t cut_at(const pl_region *r, int levels, int axis, int k, int pieces) {
  int64_t lo = lesser(r->span[0][axis].lo, r->span[levels - 1][axis].lo);
  int64_t hi = greater(r->span[0][axis].hi, r->span[levels - 1][axis].hi);
  return lo + (hi - lo) * k / pieces;
}

int pl_region_pieces(const pl_tiling *t, const pl_region *r, int levels, int wanted, int *axis) {
  int best = 1;
  *axis = 0;
  for (int a = 0; a < t->grid->ndim; a++) {
    if (t->fields->part.wrap && a == t->grid->ndim - 1) continue;
    int64_t width = cut_at(r, levels, a, 1, 1) - cut_at(r, levels, a, 0, 1);
    int64_t least = pl_tiling_lag(t, levels - 1, a, 0) + pl_tiling_lag(t, levels - 1, a, 1) + 2;
    int pieces = (int)lesser(wanted, width / least);
    if (pieces > best) {
      best = pieces;
      *axis = a;
    }
  }
  return best;
}

static void between(const pl_tiling *t, const pl_region *r, int levels, int axis, int64_t lo_cut,
                    int lo_sign, int64_t hi_cut, int hi_sign, pl_region *out) {
  for (int l = 0; l < levels; l++) {
    for (int a = 0; a < PL_AXES; a++) out->span[l][a] = r->span[l][a];
    int64_t up = pl_tiling_lag(t, l, axis, 0) - pl_tiling_lag(t, 0, axis, 0);
    int64_t down = pl_tiling_lag(t, l, axis, 1) - pl_tiling_lag(t, 0, axis, 1);
    pl_span *span = &out->span[l][axis];
    if (lo_sign) span->lo = greater(span->lo, lo_cut + (lo_sign > 0 ? up : -down));
    if (hi_sign) span->hi = lesser(span->hi, hi_cut + (hi_sign > 0 ? up : -down));
    if (span->hi < span->lo) span->hi = span->lo;
  }
}

void pl_region_piece(const pl_tiling *t, const pl_region *whole, int levels, int axis, int piece,
                     int pieces, pl_region *out) {
  between(t, whole, levels, axis, cut_at(whole, levels, axis, piece, pieces), piece > 0,
          cut_at(whole, levels, axis, piece + 1, pieces), piece < pieces - 1 ? -1 : 0, out);
}

void pl_region_seam(const pl_tiling *t, const pl_region *whole, int levels, int axis, int seam,
                    int pieces, pl_region *out) {
  int64_t cut = cut_at(whole, levels, axis, seam + 1, pieces);
  between(t, whole, levels, axis, cut, -1, cut, 1, out);
}
