// SPDX-License-Identifier: BSD-3-Clause
//
// A partial for every piece of a row of the grid, added in the order of the grid by pairs, so that
// neither ranks nor threads nor tiles nor the cut of the grid can be told from the bits. Parts
// begin at multiples of a piece (decompose.h), so none lies in two.
//
// Rows are summed behind the sweep that completes the step, while they are in the first cache, as
// snapshots are copied: a pass over a globe of 961 x 2160 took 1.2 ms with two threads, where a
// step takes 0.8. Boxes may end within a row, at shells and between threads: what no box held is
// formed when all are done.
#include "engine/evolve_sums.h"
#include "base/mem.h"
#include <string.h>

enum { RUN = 128, CHAINS = 8 }; // partials added without halving, and side by side

static int64_t pieces_along(const plait_grid *g, int axis) {
  if (axis >= g->ndim) return 1;
  int64_t width = axis == g->ndim - 1 ? pl_decompose_unit(g, axis) : 1;
  return (g->shape[axis] + width - 1) / width;
}

// Own pieces of a part along the axes: where they begin, how many; returns how many in all.
static int64_t pieces_of(const plait_grid *g, const pl_part *part, int64_t lo[], int64_t n[]) {
  int64_t all = 1;
  for (int a = 0; a < PL_AXES; a++) {
    int64_t width = a == g->ndim - 1 ? pl_decompose_unit(g, a) : 1;
    lo[a] = a < g->ndim ? part->lo[a] / width : 0;
    n[a] = a < g->ndim ? (part->n[a] + width - 1) / width : 1;
    all *= n[a];
  }
  return all;
}

static size_t piece_bytes(const pl_sums *s) {
  return (size_t)s->march->grid.ndiagnoses * sizeof(double);
}

int64_t pl_sums_bytes(const pl_sums *s) {
  return s->most * (int64_t)piece_bytes(s) + s->own;
}

plait_err pl_sums_start(pl_march *m, pl_sums *s) {
  const plait_grid *g = &m->grid;
  *s = (pl_sums){.march = m, .pieces = 1, .step = -1};
  s->width = pl_decompose_unit(g, g->ndim - 1);
  int size = pl_comm_size(m->comm);
  for (int r = 0; r < size; r++) {
    pl_part part;
    pl_decompose_part(g, m->ranks, r, &part);
    int64_t pieces = pieces_of(g, &part, s->lo, s->n);
    s->most = pieces > s->most ? pieces : s->most;
  }
  s->own = pieces_of(g, &m->fields.part, s->lo, s->n);
  for (int a = 0; a < PL_AXES; a++) s->pieces *= pieces_along(g, a);
  TRY(pl_calloc((size_t)s->own, 1, &s->formed));
  TRY(pl_alloc((size_t)s->most, piece_bytes(s), &s->mine));
  memset(s->mine, 0, (size_t)s->most * piece_bytes(s)); // a rank with fewer sends what it has not
  if (size == 1 || pl_comm_rank(m->comm) != 0) return PLAIT_OK;
  TRY(pl_alloc((size_t)size * (size_t)s->most, piece_bytes(s), &s->all));
  return pl_alloc((size_t)s->pieces, piece_bytes(s), &s->whole);
}

void pl_sums_stop(pl_sums *s) {
  pl_free(&s->mine);
  pl_free(&s->formed);
  pl_free(&s->all);
  pl_free(&s->whole);
}

void pl_sums_aim(pl_sums *s, int64_t step) {
  s->step = step;
}

// Pieces [first, end) of the row that cell `lo` lies in; `at` is the place of the first in `mine`.
static void form(pl_sums *s, const plait_call *call, int64_t lo[], int64_t first, int64_t end,
                 int64_t at) {
  pl_march *m = s->march;
  const pl_part *part = &m->fields.part;
  int last = m->grid.ndim - 1;
  int64_t n[PL_AXES] = {1, 1, 1}, stop = part->lo[last] + part->n[last];
  double *sum = s->mine + at * m->grid.ndiagnoses;
  plait_cells cells;
  lo[last] = first * s->width;
  pl_march_cells(m, s->step, lo, n, &cells);
  memset(sum, 0, (size_t)(end - first) * piece_bytes(s));
  memset(s->formed + at, 1, (size_t)(end - first));
  for (int64_t k = first; k < end; k++, sum += m->grid.ndiagnoses) {
    int64_t left = stop - cells.lo[last];
    cells.n[last] = left < s->width ? left : s->width;
    m->kernel->evolve.diagnose(call, &cells, sum);
    cells.lo[last] += s->width;
    for (int f = 0; f < m->grid.nfields; f++)
      cells.now[f] = cells.next[f] = (char *)cells.now[f] + (size_t)s->width * m->fields.size[f];
  }
}

// Own rows of a box, and the pieces that it holds wholly along the last axis.
static bool held(const pl_sums *s, const plait_cells *box, int64_t lo[], int64_t hi[]) {
  const pl_part *part = &s->march->fields.part;
  for (int a = 0; a < part->ndim; a++) {
    int64_t end = box->lo[a] + box->n[a], stop = part->lo[a] + part->n[a];
    lo[a] = box->lo[a] > part->lo[a] ? box->lo[a] : part->lo[a];
    hi[a] = end < stop ? end : stop;
    if (a < part->ndim - 1) continue;
    lo[a] = (lo[a] + s->width - 1) / s->width;
    hi[a] = hi[a] == stop ? s->lo[a] + s->n[a] : hi[a] / s->width;
  }
  for (int a = 0; a < part->ndim; a++)
    if (lo[a] >= hi[a]) return false;
  return true;
}

void pl_sums_watch(pl_sums *s, const plait_call *call, const plait_cells *box, int64_t step) {
  int last = s->march->grid.ndim - 1;
  int64_t lo[PL_AXES] = {0}, hi[PL_AXES] = {1, 1, 1}, c[PL_AXES];
  if (step != s->step || !held(s, box, lo, hi)) return;
  int64_t first = lo[last], end = hi[last];
  hi[last] = lo[last] + 1;
  for (c[0] = lo[0]; c[0] < hi[0]; c[0]++)
    for (c[1] = lo[1]; c[1] < hi[1]; c[1]++)
      for (c[2] = lo[2]; c[2] < hi[2]; c[2]++) {
        int64_t cell[PL_AXES] = {c[0], c[1], c[2]}, at = 0;
        for (int a = 0; a < last; a++) at = (at + c[a] - s->lo[a]) * s->n[a + 1];
        form(s, call, cell, first, end, at + first - s->lo[last]);
      }
}

void pl_sums_finish(pl_sums *s, int thread) {
  const pl_march *m = s->march;
  int last = m->grid.ndim - 1;
  int64_t width = s->n[last], cell[PL_AXES] = {0};
  int64_t k = s->own * thread / m->threads, end = s->own * (thread + 1) / m->threads;
  int64_t begin = k;
  for (; k < end; k++) {
    if (s->formed[k]) continue;
    int64_t row = k / width;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = s->lo[a] + row % s->n[a];
      row /= s->n[a];
    }
    int64_t place = s->lo[last] + k % width;
    form(s, &m->calls[thread], cell, place, place + 1, k);
  }
  memset(s->formed + begin, 0, (size_t)(end - begin));
}

static double add_run(const double *x, int64_t n, int64_t stride) {
  double s[CHAINS] = {0};
  int64_t i = 0;
  for (; i + CHAINS <= n; i += CHAINS)
    for (int k = 0; k < CHAINS; k++) s[k] += x[(i + k) * stride];
  for (int k = 0; i + k < n; k++) s[k] += x[(i + k) * stride];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static double pairwise(const double *x, int64_t n, int64_t stride) {
  if (n <= RUN) return add_run(x, n, stride);
  return pairwise(x, n / 2, stride) + pairwise(x + n / 2 * stride, n - n / 2, stride);
}

// Puts what the ranks sent into the order of the grid.
static void put_in_order(const pl_sums *s) {
  const plait_grid *g = &s->march->grid;
  int64_t lo[PL_AXES], n[PL_AXES], b[PL_AXES];
  for (int r = 0; r < pl_comm_size(s->march->comm); r++) {
    const char *from = (const char *)s->all + (size_t)r * (size_t)s->most * piece_bytes(s);
    pl_part part;
    pl_decompose_part(g, s->march->ranks, r, &part);
    pieces_of(g, &part, lo, n);
    for (b[0] = lo[0]; b[0] < lo[0] + n[0]; b[0]++)
      for (b[1] = lo[1]; b[1] < lo[1] + n[1]; b[1]++) {
        int64_t to = (b[0] * pieces_along(g, 1) + b[1]) * pieces_along(g, 2) + lo[2];
        memcpy(s->whole + to * g->ndiagnoses, from, (size_t)n[2] * piece_bytes(s));
        from += (size_t)n[2] * piece_bytes(s);
      }
  }
}

plait_err pl_sums_total(pl_sums *s, double sum[]) {
  pl_march *m = s->march;
  const double *pieces = s->mine;
  int n = m->grid.ndiagnoses;
  if (pl_comm_size(m->comm) > 1) {
    TRY(pl_comm_gather(m->comm, s->mine, (size_t)s->most * piece_bytes(s), s->all, 0));
    if (pl_comm_rank(m->comm) != 0) return PLAIT_OK;
    put_in_order(s);
    pieces = s->whole;
  }
  for (int d = 0; d < n; d++) sum[d] = pairwise(pieces + d, s->pieces, n);
  return PLAIT_OK;
}
