// SPDX-License-Identifier: BSD-3-Clause
//
// A partial for every 8^d block of the grid, added in the order of the blocks by pairs, so that
// neither ranks nor threads nor the cut of the grid can be told from the bits. Parts begin at
// multiples of 8 (decompose.h), so no block lies in two.
//
// Snapshots may be twenty steps apart, and the leader alone took as long for the sums of a globe of
// 961 x 2160 as eight steps do: the team shares the blocks, a row of them is described once, and
// memory is that of the run.
#include "engine/evolve_sums.h"
#include "base/mem.h"
#include <string.h>

enum { RUN = 16 }; // partials that are added one after the other

static int64_t blocks_along(const plait_grid *g, int axis) {
  return axis < g->ndim ? (g->shape[axis] + PL_DECOMPOSE_UNIT - 1) / PL_DECOMPOSE_UNIT : 1;
}

// Own blocks of a part along the axes: where they begin, how many; returns how many in all.
static int64_t blocks_of(const plait_grid *g, const pl_part *part, int64_t lo[], int64_t n[]) {
  int64_t all = 1;
  for (int a = 0; a < PL_AXES; a++) {
    lo[a] = a < g->ndim ? part->lo[a] / PL_DECOMPOSE_UNIT : 0;
    n[a] = a < g->ndim ? (part->n[a] + PL_DECOMPOSE_UNIT - 1) / PL_DECOMPOSE_UNIT : 1;
    all *= n[a];
  }
  return all;
}

static size_t row_bytes(const pl_sums *s) {
  return (size_t)s->march->grid.ndiagnoses * sizeof(double);
}

plait_err pl_sums_start(pl_march *m, pl_sums *s) {
  const plait_grid *g = &m->grid;
  *s = (pl_sums){.march = m, .blocks = 1};
  int size = pl_comm_size(m->comm);
  for (int r = 0; r < size; r++) {
    pl_part part;
    pl_decompose_part(g, m->ranks, r, &part);
    int64_t blocks = blocks_of(g, &part, s->lo, s->n);
    s->most = blocks > s->most ? blocks : s->most;
  }
  s->own = blocks_of(g, &m->fields.part, s->lo, s->n);
  for (int a = 0; a < PL_AXES; a++) s->blocks *= blocks_along(g, a);
  TRY(pl_alloc((size_t)s->most, row_bytes(s), &s->mine));
  memset(s->mine, 0, (size_t)s->most * row_bytes(s)); // a rank with fewer sends what it has not
  if (size == 1 || pl_comm_rank(m->comm) != 0) return PLAIT_OK;
  TRY(pl_alloc((size_t)size * (size_t)s->most, row_bytes(s), &s->all));
  return pl_alloc((size_t)s->blocks, row_bytes(s), &s->whole);
}

void pl_sums_stop(pl_sums *s) {
  pl_free(&s->mine);
  pl_free(&s->all);
  pl_free(&s->whole);
}

// Blocks [first, end) of one row of them, counted along the last axis; `b` is where the row lies.
static void some_blocks(pl_sums *s, const int64_t b[], int64_t first, int64_t end, int thread,
                        double *sum) {
  pl_march *m = s->march;
  const pl_part *part = &m->fields.part;
  int last = m->grid.ndim - 1;
  int64_t lo[PL_AXES] = {0}, n[PL_AXES] = {1, 1, 1}, stop = part->lo[last] + part->n[last];
  for (int a = 0; a <= last; a++) {
    lo[a] = (a == last ? s->lo[a] + first : b[a]) * PL_DECOMPOSE_UNIT;
    int64_t left = part->lo[a] + part->n[a] - lo[a];
    n[a] = left < PL_DECOMPOSE_UNIT ? left : PL_DECOMPOSE_UNIT;
  }
  plait_cells cells;
  pl_march_cells(m, lo, n, &cells);
  for (int64_t k = first; k < end; k++, sum += m->grid.ndiagnoses) {
    int64_t left = stop - cells.lo[last];
    cells.n[last] = left < PL_DECOMPOSE_UNIT ? left : PL_DECOMPOSE_UNIT;
    memset(sum, 0, row_bytes(s));
    m->kernel->evolve.diagnose(&m->calls[thread], &cells, sum);
    cells.lo[last] += PL_DECOMPOSE_UNIT;
    for (int f = 0; f < m->grid.nfields; f++)
      cells.now[f] = cells.next[f] = (char *)cells.now[f] + PL_DECOMPOSE_UNIT * m->fields.size[f];
  }
}

// Where row `row` of the own blocks lies, in blocks of the grid, but for the last axis.
static void row_of_blocks(const pl_sums *s, int64_t row, int64_t b[PL_AXES]) {
  for (int a = s->march->grid.ndim - 2; a >= 0; a--) {
    b[a] = s->lo[a] + row % s->n[a];
    row /= s->n[a];
  }
}

void pl_sums_own(pl_sums *s, int thread) {
  int64_t width = s->n[s->march->grid.ndim - 1], b[PL_AXES] = {0};
  int64_t k = s->own * thread / s->march->threads, end = s->own * (thread + 1) / s->march->threads;
  while (k < end) {
    int64_t row = k / width, stop = (row + 1) * width < end ? (row + 1) * width : end;
    row_of_blocks(s, row, b);
    some_blocks(s, b, k - row * width, stop - row * width, thread,
                s->mine + k * s->march->grid.ndiagnoses);
    k = stop;
  }
}

static double pairwise(const double *x, int64_t n, int64_t stride) {
  if (n > RUN) return pairwise(x, n / 2, stride) + pairwise(x + n / 2 * stride, n - n / 2, stride);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i * stride];
  return sum;
}

// Puts what the ranks sent into the order of the grid.
static void put_in_order(const pl_sums *s) {
  const plait_grid *g = &s->march->grid;
  int64_t lo[PL_AXES], n[PL_AXES], b[PL_AXES];
  for (int r = 0; r < pl_comm_size(s->march->comm); r++) {
    const char *from = (const char *)s->all + (size_t)r * (size_t)s->most * row_bytes(s);
    pl_part part;
    pl_decompose_part(g, s->march->ranks, r, &part);
    blocks_of(g, &part, lo, n);
    for (b[0] = lo[0]; b[0] < lo[0] + n[0]; b[0]++)
      for (b[1] = lo[1]; b[1] < lo[1] + n[1]; b[1]++) {
        int64_t to = (b[0] * blocks_along(g, 1) + b[1]) * blocks_along(g, 2) + lo[2];
        memcpy(s->whole + to * g->ndiagnoses, from, (size_t)n[2] * row_bytes(s));
        from += (size_t)n[2] * row_bytes(s);
      }
  }
}

plait_err pl_sums_total(pl_sums *s, double sum[]) {
  pl_march *m = s->march;
  const double *blocks = s->mine;
  int n = m->grid.ndiagnoses;
  if (pl_comm_size(m->comm) > 1) {
    TRY(pl_comm_gather(m->comm, s->mine, (size_t)s->most * row_bytes(s), s->all, 0));
    if (pl_comm_rank(m->comm) != 0) return PLAIT_OK;
    put_in_order(s);
    blocks = s->whole;
  }
  for (int d = 0; d < n; d++) sum[d] = pairwise(blocks + d, s->blocks, n);
  return PLAIT_OK;
}
