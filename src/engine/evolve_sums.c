// SPDX-License-Identifier: BSD-3-Clause
//
// Sums over the grid (diagnose): a partial for every 8^d block of the grid, added in the order of
// the blocks by pairs, so that neither ranks nor threads nor the cut of the grid can be told from
// the bits. Parts begin at multiples of 8 (decompose.h), so no block lies in two.
#include "base/mem.h"
#include "engine/evolve.h"
#include <string.h>

static int64_t blocks_along(const pl_march *m, int axis) {
  return axis < m->grid.ndim ? (m->grid.shape[axis] + PL_DECOMPOSE_UNIT - 1) / PL_DECOMPOSE_UNIT
                             : 1;
}

static double pairwise(const double *x, int64_t n, int64_t stride) {
  if (n == 0) return 0;
  if (n == 1) return x[0];
  return pairwise(x, n / 2, stride) + pairwise(x + n / 2 * stride, n - n / 2, stride);
}

// One block of `part`, at `b` (numbers of the block along the axes).
static void one_block(pl_march *m, const int64_t b[], double sum[]) {
  const pl_part *part = &m->fields.part;
  int64_t lo[PL_AXES] = {0}, n[PL_AXES] = {1, 1, 1};
  for (int a = 0; a < m->grid.ndim; a++) {
    lo[a] = b[a] * PL_DECOMPOSE_UNIT;
    int64_t end = part->lo[a] + part->n[a];
    n[a] = lo[a] + PL_DECOMPOSE_UNIT < end ? PL_DECOMPOSE_UNIT : end - lo[a];
  }
  plait_cells cells;
  pl_march_cells(m, lo, n, &cells);
  memset(sum, 0, (size_t)m->grid.ndiagnoses * sizeof *sum);
  m->kernel->evolve.diagnose(&m->calls[0], &cells, sum);
}

// Partials of the rank's own blocks, in a field over all blocks; zero elsewhere.
static void own_blocks(pl_march *m, double *all) {
  const pl_part *part = &m->fields.part;
  int64_t from[PL_AXES] = {0}, to[PL_AXES] = {1, 1, 1}, b[PL_AXES];
  for (int a = 0; a < m->grid.ndim; a++) {
    from[a] = part->lo[a] / PL_DECOMPOSE_UNIT;
    to[a] = (part->lo[a] + part->n[a] + PL_DECOMPOSE_UNIT - 1) / PL_DECOMPOSE_UNIT;
  }
  for (b[0] = from[0]; b[0] < to[0]; b[0]++)
    for (b[1] = from[1]; b[1] < to[1]; b[1]++)
      for (b[2] = from[2]; b[2] < to[2]; b[2]++) {
        int64_t index = (b[0] * blocks_along(m, 1) + b[1]) * blocks_along(m, 2) + b[2];
        one_block(m, b, all + index * m->grid.ndiagnoses);
      }
}

// Every partial is non-zero on one rank at most, so adding the ranks' arrays is exact.
plait_err pl_evolve_sums(pl_evolve *e, double sums[]) {
  pl_march *m = &e->march;
  int size = pl_comm_size(m->comm), me = pl_comm_rank(m->comm), n = m->grid.ndiagnoses;
  size_t blocks = (size_t)(blocks_along(m, 0) * blocks_along(m, 1) * blocks_along(m, 2));
  double *mine = NULL, *all = NULL;
  plait_err err = pl_calloc(blocks * (size_t)n, sizeof *mine, &mine);
  if (err == PLAIT_OK) err = pl_alloc(me == 0 ? blocks * (size_t)(n * size) : 0, sizeof *all, &all);
  if (err == PLAIT_OK) own_blocks(m, mine);
  err = pl_comm_agree(m->comm, err);
  if (err == PLAIT_OK)
    err = pl_comm_gather(m->comm, mine, blocks * (size_t)n * sizeof *mine, all, 0);
  if (err == PLAIT_OK && me == 0) {
    for (int r = 1; r < size; r++)
      for (size_t k = 0; k < blocks * (size_t)n; k++)
        all[k] += all[(size_t)r * blocks * (size_t)n + k];
    for (int d = 0; d < n; d++) sums[d] = pairwise(all + d, (int64_t)blocks, n);
  }
  pl_free(&mine);
  pl_free(&all);
  return err;
}
