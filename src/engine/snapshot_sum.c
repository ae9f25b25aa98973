// SPDX-License-Identifier: BSD-3-Clause
//
// Checksums of snapshots: sums of products, so that the order of adding, and so the cut of the grid
// over ranks, does not show. Every word of 32 bits is multiplied by an odd number made of its
// place: a single wrong word always changes the sum, words that changed places or became zero do
// but for a chance. One widening product a word: two rounds of 64-bit mixing took as long as all
// else that the writer does, and where every core computes, the writer's time is the team's.
#include "engine/snapshot.h"
#include <string.h>

static uint64_t mix(uint64_t x) { // of the numbers of rows
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
  return x ^ x >> 32;
}

// `place`: of the first word, in words of its row.
PLAIT_WIDE static uint64_t sum_words(const uint32_t *x, int64_t n, uint32_t row, uint32_t place) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t odd = (row + (place + (uint32_t)i) * 0x9e3779b1u) | 1;
    sum += (uint64_t)x[i] * odd;
  }
  return sum;
}

uint64_t pl_snapshots_sum(const pl_snapshots *s, int i, const void *data) {
  const plait_grid *grid = &s->march->grid;
  int last = grid->ndim - 1;
  int64_t rows = s->cells / s->n[last];
  int64_t words = grid->field[s->field[i]].type == PLAIT_F32 ? 1 : 2, n = s->n[last] * words;
  uint64_t sum = 0;
  for (int64_t r = 0; r < rows; r++) {
    int64_t rest = r, cell[PL_AXES] = {0}, row = i;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = s->lo[a] + rest % s->n[a];
      rest /= s->n[a];
    }
    for (int a = 0; a < last; a++)
      row = row * pl_snapshot_kept(grid->shape[a], s->stride) + cell[a];
    sum += sum_words((const uint32_t *)data + r * n, n, (uint32_t)mix((uint64_t)row + 1),
                     (uint32_t)(s->lo[last] * words));
  }
  return sum;
}

// Of one snapshot as the output holds it.
static plait_err hash_stored(pl_snapshots *s, const pl_output *output, int64_t index,
                             uint64_t *hash) {
  *hash = 0;
  for (int i = 0; s->cells > 0 && i < s->nfields; i++) {
    plait_block block = pl_snapshots_block(s, i, index, s->memory[0]);
    pl_box box = {.ndim = block.ndim};
    memcpy(box.lo, block.origin, sizeof box.lo);
    memcpy(box.n, block.extent, sizeof box.n);
    TRY(pl_output_load(output, s->var[i], &box, s->memory[0]));
    *hash += pl_snapshots_sum(s, i, s->memory[0]);
  }
  return PLAIT_OK;
}

// Sums modulo 2^64 over the ranks, in halves, which do not overflow.
static plait_err same_sums(pl_comm *comm, uint64_t was, uint64_t is, bool *same) {
  int64_t half[4] = {(int64_t)(was & UINT32_MAX), (int64_t)(was >> 32), (int64_t)(is & UINT32_MAX),
                     (int64_t)(is >> 32)};
  TRY(pl_comm_sum_int(comm, half, 4));
  uint64_t a = (uint64_t)half[0] + ((uint64_t)half[1] << 32);
  uint64_t b = (uint64_t)half[2] + ((uint64_t)half[3] << 32);
  *same = a == b;
  return PLAIT_OK;
}

plait_err pl_snapshots_check(pl_snapshots *s, const pl_output *output, int64_t n, int64_t *bad) {
  pl_comm *comm = s->march->comm;
  plait_err err = PLAIT_OK;
  uint64_t was = 0, is = 0;
  bool same = true;
  for (*bad = 0; *bad < n; ++*bad) { // one reduction each, behind the reading of a whole array
    if (err == PLAIT_OK) err = hash_stored(s, output, *bad, &is);
    was = s->hash[*bad];
    TRY(same_sums(comm, was, err == PLAIT_OK ? is : was, &same));
    if (!same) break;
  }
  return pl_comm_agree(comm, err);
}
