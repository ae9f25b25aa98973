// SPDX-License-Identifier: BSD-3-Clause
//
// gaussian: one tile, filtered along one axis after the other in a thread's own scratch. The first
// filtered axis is read straight from the block, line by line across it, so the values of integers
// are converted once per tile and no copy with the halo of that axis is needed.
#include "gaussian.h"
#include <string.h>

enum { SUB = 2 * GAUSSIAN_PAD };

typedef struct part { // cells of work in a buffer, row-major, rows (along the last axis) padded
  int64_t n[PLAIT_DIMS];
  char *at;
} part;

static int64_t rows_of(int ndim, const int64_t n[]) {
  int64_t rows = 1;
  for (int d = 0; d < ndim - 1; d++) rows *= n[d];
  return rows;
}

// Coordinates of the first cell of row `row` in a box of n cells.
static void place(int ndim, const int64_t n[], int64_t row, int64_t at[]) {
  at[ndim - 1] = 0;
  for (int d = ndim - 2; d >= 0; d--) at[d] = row % n[d], row /= n[d];
}

static char *in_part(const gaussian_work *w, const part *p, const int64_t at[]) {
  int64_t row = 0;
  for (int d = 0; d < w->last; d++) row = row * p->n[d] + at[d];
  return p->at + (size_t)(row * pl_gaussian_padded(p->n[w->last]) + at[w->last]) * w->a->size;
}

static char *in_block(const plait_block *b, const int64_t lo[], const int64_t at[]) {
  ptrdiff_t offset = 0;
  for (int d = 0; d < b->ndim; d++) offset += (ptrdiff_t)(lo[d] + at[d]) * b->stride[d];
  return (char *)b->data + offset * (ptrdiff_t)plait_type_size(b->type);
}

static ptrdiff_t step_of(const gaussian_work *w, const part *p, int axis) {
  ptrdiff_t step = 1;
  for (int d = axis + 1; d <= w->last; d++)
    step *= (ptrdiff_t)(d == w->last ? pl_gaussian_padded(p->n[d]) : p->n[d]);
  return step;
}

// Along the first axis, from the block: lines across it are loaded into the strip, converted once,
// and filtered. Leaves the cells of the tile with the halos of the other axes in `to`. False when a
// missing value turned up that has to be weighed (with PLAIN only); `to` is then incomplete.
static bool filter_first(const gaussian_work *w, const int64_t lo[], const int64_t n[], int how,
                         part *to) {
  int axis = w->axis[0], last = w->last;
  int64_t r = w->halo[axis], at[PLAIT_DIMS], corner[PLAIT_DIMS], rows[PLAIT_DIMS];
  for (int d = 0; d <= last; d++) {
    to->n[d] = n[d] + (d == axis ? 0 : 2 * w->halo[d]);
    corner[d] = lo[d] - w->halo[d];
    rows[d] = d == axis ? 1 : to->n[d];
  }
  bool along = axis == last;
  int64_t lines = along ? 1 : n[axis] + 2 * r, results = along ? 1 : n[axis];
  bool aware =
      how == GAUSSIAN_PLAIN && w->in->type >= PLAIT_F32 && w->missing != GAUSSIAN_PROPAGATE;
  int64_t width = to->n[last], more = along ? 2 * r : 0;
  for (int64_t row = 0; row < rows_of(w->ndim, rows); row++)
    for (int64_t x = 0; x < width; x += w->chunk) {
      int64_t cells = width - x < w->chunk ? width - x : w->chunk;
      place(w->ndim, rows, row, at);
      at[last] = x;
      for (int64_t j = 0; j < lines; j++) {
        if (!along) at[axis] = j;
        char *line = w->strip + (size_t)(j * w->chunk) * w->a->size;
        w->a->load(w->in->type, how, in_block(w->in, corner, at), cells + more, line);
        if (aware && w->a->has_nan(line, cells + more)) return false;
      }
      for (int64_t sub = 0; sub < cells; sub += SUB) // narrow, so that 2r + 1 lines stay in L1
        for (int64_t j = 0; j < results; j++) {
          if (!along) at[axis] = j;
          at[last] = x + sub;
          int64_t centre = sub + (along ? r : (j + r) * w->chunk);
          w->a->taps(w->strip + (size_t)centre * w->a->size, along ? 1 : w->chunk, w->taps[0], r,
                     cells - sub < SUB ? cells - sub : SUB, in_part(w, to, at));
        }
    }
  return true;
}

// Along a later axis, from part to part.
static void filter_next(const gaussian_work *w, int i, const part *from, part *to) {
  int axis = w->axis[i];
  int64_t r = w->halo[axis], at[PLAIT_DIMS];
  ptrdiff_t step = step_of(w, from, axis);
  memcpy(to->n, from->n, sizeof to->n);
  to->n[axis] -= 2 * r;
  for (int64_t row = 0; row < rows_of(w->ndim, to->n); row++) {
    place(w->ndim, to->n, row, at);
    char *line = in_part(w, to, at);
    at[axis] += r;
    w->a->taps(in_part(w, from, at), step, w->taps[i], r, to->n[w->last], line);
  }
}

// Filters a tile along all axes. The result is in `even` or `odd`; none when a value is missing.
static part filter_tile(const gaussian_work *w, const int64_t lo[], const int64_t n[], int how,
                        char *even, char *odd) {
  part p[2] = {{.at = even}, {.at = odd}};
  if (!filter_first(w, lo, n, how, &p[0])) return (part){.at = NULL};
  for (int i = 1; i < w->naxes; i++) filter_next(w, i, &p[(i + 1) % 2], &p[i % 2]);
  return p[(w->naxes + 1) % 2];
}

// One tile: own cells [lo, lo + n) of the block. The weights of the values that are there are
// filtered only where some are missing; cells out of reach of those get the same bits either way.
void pl_gaussian_tile(const gaussian_work *w, const int64_t lo[], const int64_t n[]) {
  char *const *b = w->buffer;
  part weight, result = filter_tile(w, lo, n, GAUSSIAN_PLAIN, b[0], b[1]);
  bool missing = !result.at;
  if (missing) {
    weight = filter_tile(w, lo, n, GAUSSIAN_VALID, b[0], b[1]);
    result = filter_tile(w, lo, n, GAUSSIAN_ZERO, weight.at == b[0] ? b[1] : b[0], b[2]);
  }
  for (int64_t row = 0, at[PLAIT_DIMS]; row < rows_of(w->ndim, n); row++) {
    place(w->ndim, n, row, at);
    char *line = in_part(w, &result, at);
    if (missing) {
      bool keep = w->missing == GAUSSIAN_NORMALISE;
      if (keep)
        w->a->load(w->in->type, GAUSSIAN_PLAIN, in_block(w->in, lo, at), n[w->last], w->strip);
      w->a->normalise(line, in_part(w, &weight, at), w->full, keep ? w->strip : NULL, n[w->last]);
    }
    w->a->store(w->out->type, line, n[w->last], in_block(w->out, lo, at));
  }
}
