// SPDX-License-Identifier: BSD-3-Clause
//
// All factorisations of the rank count over two or three axes are tried: a few hundred at most for
// any count that MPI starts, so nothing cleverer is needed.
#include "engine/decompose.h"
#include <stdio.h>
#include <string.h>

static int64_t greater(int64_t a, int64_t b) {
  return a > b ? a : b;
}

int64_t pl_decompose_reach(const plait_grid *g, int axis, int side) {
  int64_t sum = 0;
  for (int s = 0; s < g->nstages; s++) {
    const plait_stage *mine = &g->stage[s], *before = &g->stage[(s + g->nstages - 1) % g->nstages];
    sum += side ? greater(mine->above[axis], before->below[axis])
                : greater(mine->below[axis], before->above[axis]);
  }
  return sum;
}

enum { UNIT = 8, MOST = 256, TIMES = 8 }; // cells that parts begin at; units that an axis has

int64_t pl_decompose_unit(const plait_grid *g, int axis) {
  int64_t unit = UNIT;
  while (axis == g->ndim - 1 && unit < MOST && g->shape[axis] >= 2 * unit * TIMES) unit *= 2;
  return unit;
}

static int64_t units(const plait_grid *g, int axis) {
  int64_t unit = pl_decompose_unit(g, axis);
  return (g->shape[axis] + unit - 1) / unit;
}

// First cell of part `k` of `parts` along an axis.
static int64_t cut(const plait_grid *g, int axis, int k, int parts) {
  int64_t cell = units(g, axis) * k / parts * pl_decompose_unit(g, axis);
  return cell < g->shape[axis] ? cell : g->shape[axis];
}

static bool fits(const plait_grid *g, int axis, int parts) {
  int64_t least = greater(pl_decompose_reach(g, axis, 0), pl_decompose_reach(g, axis, 1));
  for (int k = 0; k < parts; k++) {
    int64_t n = cut(g, axis, k + 1, parts) - cut(g, axis, k, parts);
    if (n < 1 || (parts > 1 && n < least)) return false;
  }
  return true;
}

// Cells that the ranks exchange, relative: surface per rank. The last axis counts eightfold: its
// shells are strips of a few cells a row, where a call costs more than its arithmetic (measured: a
// 961 x 2160 globe on two ranks is 0.71 times as fast cut in longitude as cut in latitude).
static double surface(const plait_grid *g, const int ranks[PL_AXES]) {
  double cells = 1, sum = 0;
  for (int a = 0; a < g->ndim; a++) cells *= (double)g->shape[a] / ranks[a];
  for (int a = 0; a < g->ndim; a++) {
    double area = cells / ((double)g->shape[a] / ranks[a]);
    if (ranks[a] > 1) sum += a == g->ndim - 1 ? 8 * area : area;
  }
  return sum;
}

// The cut for `size` ranks with the least surface; false: there is none.
static bool best_cut(const plait_grid *g, int size, int ranks[PL_AXES]) {
  double best = -1;
  for (int p = 1; p <= size; p++)
    for (int q = 1; size % p == 0 && q <= size / p; q++) {
      if (size / p % q != 0) continue;
      int trial[PL_AXES] = {p, q, size / p / q};
      bool good = true;
      for (int a = 0; a < PL_AXES; a++)
        good = good && (a < g->ndim ? fits(g, a, trial[a]) : trial[a] == 1);
      if (!good || (best >= 0 && surface(g, trial) >= best)) continue;
      best = surface(g, trial);
      memcpy(ranks, trial, sizeof trial);
    }
  return best >= 0;
}

const char *pl_decompose_shape(const plait_grid *g, char text[80]) {
  int n = 0;
  for (int a = 0; a < g->ndim; a++)
    n += snprintf(text + n, 80 - (size_t)n, "%s%lld", a ? " x " : "", (long long)g->shape[a]);
  return text;
}

// Cells that an axis must have on a single rank: as many as a stage reads; where an axis that is
// not the last is closed to a ring, as many as a whole step does.
static int64_t least_cells(const plait_grid *g, int axis) {
  int64_t least = 1;
  for (int s = 0; s < g->nstages; s++)
    least = greater(least, greater(g->stage[s].below[axis], g->stage[s].above[axis]));
  if (g->edge[axis][0] != PLAIT_EDGE_PERIODIC || axis == g->ndim - 1) return least;
  return greater(least, greater(pl_decompose_reach(g, axis, 0), pl_decompose_reach(g, axis, 1)));
}

plait_err pl_decompose_check(const plait_grid *g) {
  char shape[80];
  if (g->ndim < 1 || g->ndim > PL_AXES)
    return plait_fail(PLAIT_KERNEL, "a grid of %d axes: 1 to %d are possible", g->ndim, PL_AXES);
  if (g->nfields < 1 || g->nfields > PLAIT_FIELDS || g->nstages < 1 || g->nstages > PLAIT_STAGES)
    return plait_fail(PLAIT_KERNEL,
                      "a grid of %d fields and %d stages: 1 to %d and 1 to %d are possible",
                      g->nfields, g->nstages, PLAIT_FIELDS, PLAIT_STAGES);
  for (int a = 0; a < g->ndim; a++) {
    for (int s = 0; s < g->nstages; s++)
      if (g->stage[s].below[a] < 0 || g->stage[s].above[a] < 0)
        return plait_fail(PLAIT_KERNEL, "a stage reads less than no cells along axis %d", a);
    if (g->shape[a] < least_cells(g, a))
      return plait_fail(PLAIT_JOB,
                        "the grid of %s cells is too small: along axis %d a step reads %lld cells, "
                        "and as many must be there",
                        pl_decompose_shape(g, shape), a, (long long)least_cells(g, a));
  }
  return PLAIT_OK;
}

plait_err pl_decompose_choose(const plait_grid *g, int size, int ranks[PL_AXES]) {
  if (best_cut(g, size, ranks)) return PLAIT_OK;
  char shape[80];
  int most = size;
  while (--most > 1 && !best_cut(g, most, ranks)) continue;
  return plait_fail(
      PLAIT_JOB,
      "the grid of %s cells is too small for %d ranks: parts begin at multiples of %d cells (%lld "
      "along the last axis) and are at least as wide as a step reads; use %d",
      pl_decompose_shape(g, shape), size, UNIT, (long long)pl_decompose_unit(g, g->ndim - 1), most);
}

static void place_of(const int ranks[PL_AXES], int rank, int place[PL_AXES]) {
  place[2] = rank % ranks[2];
  place[1] = rank / ranks[2] % ranks[1];
  place[0] = rank / ranks[2] / ranks[1];
}

int pl_decompose_neighbour(const plait_grid *g, const int ranks[PL_AXES], int rank,
                           const int step[PL_AXES]) {
  int place[PL_AXES];
  place_of(ranks, rank, place);
  for (int a = 0; a < g->ndim; a++) {
    place[a] += step[a];
    bool outside = place[a] < 0 || place[a] >= ranks[a];
    if (outside && g->edge[a][0] != PLAIT_EDGE_PERIODIC) return -1;
    place[a] = (place[a] + ranks[a]) % ranks[a];
  }
  return (place[0] * ranks[1] + place[1]) * ranks[2] + place[2];
}

void pl_decompose_part(const plait_grid *g, const int ranks[PL_AXES], int rank, pl_part *part) {
  int place[PL_AXES];
  place_of(ranks, rank, place);
  *part = (pl_part){.ndim = g->ndim, .n = {1, 1, 1}};
  for (int a = 0; a < g->ndim; a++) {
    part->lo[a] = cut(g, a, place[a], ranks[a]);
    part->n[a] = cut(g, a, place[a] + 1, ranks[a]) - part->lo[a];
    bool loop = g->edge[a][0] == PLAIT_EDGE_PERIODIC;
    for (int side = 0; side < 2; side++) {
      bool end = place[a] == (side ? ranks[a] - 1 : 0);
      part->side[a][side] = loop && ranks[a] == 1 ? PL_SIDE_LOOP
                            : end && !loop        ? PL_SIDE_WALL
                                                  : PL_SIDE_RANK;
    }
  }
  part->wrap = part->side[g->ndim - 1][0] == PL_SIDE_LOOP;
}

int64_t pl_decompose_least(const plait_grid *g, const int ranks[PL_AXES], int axis) {
  int64_t least = g->shape[axis];
  for (int k = 0; k < ranks[axis]; k++) {
    int64_t n = cut(g, axis, k + 1, ranks[axis]) - cut(g, axis, k, ranks[axis]);
    least = n < least ? n : least;
  }
  return least;
}
