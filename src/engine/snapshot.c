// SPDX-License-Identifier: BSD-3-Clause
//
// Two slots: one is being written while the next is filled. Cells where the field's mask is 0
// become NaN, the missing value of the arrays.
//
// The team stands still while a snapshot is taken, so it reads as little as can be: of each field
// that is kept its rows once, the next one on its way meanwhile; the mask in bytes. Of a globe of
// 961 x 2160, every fourth point, that is about 0.3 ms with two threads by a sampled profile, where
// a step takes 1 ms; a look of one thread at all fields of the rows kept took another 1 ms.
#include "engine/snapshot.h"
#include "base/mem.h"
#include "engine/finite.h"
#include <math.h>
#include <string.h>

int64_t pl_snapshot_kept(int64_t n, int64_t stride) {
  return (n + stride - 1) / stride;
}

static size_t field_bytes(const pl_snapshots *s, int i) {
  return ((size_t)s->cells * s->march->fields.size[s->field[i]] + 63) / 64 * 64;
}

static double value_at(const void *data, plait_type type, ptrdiff_t at) {
  return type == PLAIT_F32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
}

// Where row `row` of the kept cells is in the fields.
static ptrdiff_t row_offset(const pl_snapshots *s, int64_t row) {
  const pl_part *part = &s->march->fields.part;
  int64_t cell[PL_AXES] = {0};
  for (int a = part->ndim - 2; a >= 0; a--) {
    cell[a] = (s->lo[a] + row % s->n[a]) * s->stride;
    row /= s->n[a];
  }
  cell[part->ndim - 1] = s->lo[part->ndim - 1] * s->stride;
  return pl_part_offset(part, cell);
}

static plait_err pack_mask(pl_snapshots *s, int i) {
  const pl_fields *fields = &s->march->fields;
  int mask = fields->grid->field[s->field[i]].mask - 1;
  int64_t n = s->n[s->march->grid.ndim - 1];
  TRY(pl_alloc((size_t)s->cells, 1, &s->hidden[i]));
  for (int64_t k = 0; k < s->cells; k++)
    s->hidden[i][k] = value_at(fields->data[mask][0], fields->grid->field[mask].type,
                               row_offset(s, k / n) + k % n * s->stride) == 0;
  return PLAIT_OK;
}

plait_err pl_snapshots_start(const pl_march *march, pl_snapshots *s) {
  const pl_part *part = &march->fields.part;
  s->march = march;
  s->cells = 1;
  for (int a = 0; a < PL_AXES; a++) {
    s->lo[a] = a < part->ndim ? pl_snapshot_kept(part->lo[a], s->stride) : 0;
    s->n[a] = a < part->ndim ? pl_snapshot_kept(part->lo[a] + part->n[a], s->stride) - s->lo[a] : 1;
    s->cells *= s->n[a];
  }
  size_t bytes = 64;
  for (int i = 0; i < s->nfields; i++) bytes += field_bytes(s, i);
  for (int k = 0; k < PL_SNAPSHOT_SLOTS; k++) TRY(pl_alloc(bytes, 1, &s->memory[k]));
  for (int i = 0; i < s->nfields; i++)
    if (march->grid.field[s->field[i]].mask) TRY(pack_mask(s, i));
  return PLAIT_OK;
}

void pl_snapshots_stop(pl_snapshots *s) {
  for (int k = 0; k < PL_SNAPSHOT_SLOTS; k++) pl_free(&s->memory[k]);
  for (int i = 0; i < PLAIT_FIELDS; i++) pl_free(&s->hidden[i]);
  pl_free(&s->hash);
}

static void copy_f32(const float *from, int64_t stride, float *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static void copy_f64(const double *from, int64_t stride, double *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static void hide_f32(const unsigned char *hidden, float *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = hidden[i] ? NAN : to[i];
}

static void hide_f64(const unsigned char *hidden, double *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = hidden[i] ? NAN : to[i];
}

static const char *row_of(const pl_snapshots *s, int i, int64_t row) {
  const pl_march *m = s->march;
  return pl_fields_at(&m->fields, s->field[i], m->step) +
         row_offset(s, row) * (ptrdiff_t)m->fields.size[s->field[i]];
}

// Rows are far apart: the processor does not fetch ahead by itself.
static void fetch_row(const pl_snapshots *s, int i, int64_t row) {
  ptrdiff_t cell = s->stride * (ptrdiff_t)s->march->fields.size[s->field[i]];
  ptrdiff_t bytes = s->n[s->march->grid.ndim - 1] * cell, apart = cell > 64 ? cell : 64;
  const char *at = row_of(s, i, row);
  for (ptrdiff_t b = 0; b < bytes; b += apart) __builtin_prefetch(at + b);
}

// Looked at here, where the values are in cache, not in a sweep of its own: whether all are finite
// (before the mask makes NaN of some).
static bool take_row(const pl_snapshots *s, int i, int64_t row, char *memory) {
  const plait_field *f = &s->march->grid.field[s->field[i]];
  int64_t n = s->n[s->march->grid.ndim - 1];
  const unsigned char *hidden = s->hidden[i] ? s->hidden[i] + row * n : NULL;
  const void *from = row_of(s, i, row);
  void *to = memory + (size_t)(row * n) * s->march->fields.size[s->field[i]];
  bool narrow = f->type == PLAIT_F32;
  if (narrow)
    copy_f32(from, s->stride, to, n);
  else
    copy_f64(from, s->stride, to, n);
  bool finite = f->fixed || pl_finite(f->type, to, n);
  if (hidden && narrow) hide_f32(hidden, to, n);
  if (hidden && !narrow) hide_f64(hidden, to, n);
  return finite;
}

static plait_block block_of(const pl_snapshots *s, int i, int64_t index, void *data) {
  int ndim = s->march->grid.ndim;
  pl_box box = {.ndim = ndim + 1, .lo = {index}, .n = {1}};
  for (int a = 0; a < ndim; a++) {
    box.lo[a + 1] = s->lo[a];
    box.n[a + 1] = s->n[a];
  }
  return pl_block_over(data, s->march->grid.field[s->field[i]].type, &box, NULL);
}

bool pl_snapshots_take(pl_snapshots *s, const pl_output *output, int slot, int64_t index,
                       plait_raise *raise, int thread) {
  int last = s->march->grid.ndim - 1;
  int64_t rows = s->cells > 0 ? s->cells / s->n[last] : 0;
  char *at = s->memory[slot];
  bool finite = true;
  if (thread == 0) s->index[slot] = index;
  for (int i = 0; i < s->nfields; i++) {
    for (int64_t r = thread; r < rows; r += s->march->threads) {
      if (r + s->march->threads < rows) fetch_row(s, i, r + s->march->threads);
      finite &= take_row(s, i, r, at);
    }
#pragma omp barrier
    plait_block block = block_of(s, i, index, at);
    if (s->cells > 0) pl_output_encode(output, s->var[i], &block, raise);
    at += field_bytes(s, i);
  }
#pragma omp barrier
  return finite;
}

// Every cell is mixed with its place in the array, so that the sum of all is a checksum in which
// the order of adding, and so the cut of the grid, does not show. Each cell's mix is invertible: a
// single wrong value always changes the sum.
static uint64_t mix(uint64_t bits, uint64_t place) {
  uint64_t x = bits ^ (place * 0x9e3779b97f4a7c15u);
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
  return x ^ x >> 32;
}

PLAIT_WIDE static uint64_t mix_f32(const uint32_t *x, int64_t n, uint64_t place) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += mix(x[i], place + (uint64_t)i);
  return sum;
}

PLAIT_WIDE static uint64_t mix_f64(const uint64_t *x, int64_t n, uint64_t place) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += mix(x[i], place + (uint64_t)i);
  return sum;
}

// Of this rank's cells of kept field i, as stored.
static uint64_t hash_cells(const pl_snapshots *s, int i, const void *data) {
  const plait_grid *grid = &s->march->grid;
  int last = grid->ndim - 1;
  int64_t rows = s->cells / s->n[last], n = s->n[last];
  bool narrow = grid->field[s->field[i]].type == PLAIT_F32;
  uint64_t sum = 0;
  for (int64_t r = 0; r < rows; r++) {
    int64_t rest = r, cell[PL_AXES] = {0}, place = i;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = s->lo[a] + rest % s->n[a];
      rest /= s->n[a];
    }
    cell[last] = s->lo[last];
    for (int a = 0; a <= last; a++)
      place = place * pl_snapshot_kept(grid->shape[a], s->stride) + cell[a];
    sum += narrow ? mix_f32((const uint32_t *)data + r * n, n, (uint64_t)place)
                  : mix_f64((const uint64_t *)data + r * n, n, (uint64_t)place);
  }
  return sum;
}

plait_err pl_snapshots_store(pl_snapshots *s, pl_output *output, int slot, int64_t *bytes) {
  char *at = s->memory[slot];
  uint64_t hash = 0;
  for (int i = 0; s->cells > 0 && i < s->nfields; i++) {
    plait_block block = block_of(s, i, s->index[slot], at);
    TRY(pl_output_store(output, s->var[i], &block));
    hash += hash_cells(s, i, at);
    *bytes += s->cells * (int64_t)s->march->fields.size[s->field[i]];
    at += field_bytes(s, i);
  }
  if (s->hash) s->hash[s->index[slot]] = hash;
  return PLAIT_OK;
}

// Of one snapshot as the output holds it.
static plait_err hash_stored(pl_snapshots *s, const pl_output *output, int64_t index,
                             uint64_t *hash) {
  *hash = 0;
  for (int i = 0; s->cells > 0 && i < s->nfields; i++) {
    plait_block block = block_of(s, i, index, s->memory[0]);
    pl_box box = {.ndim = block.ndim};
    memcpy(box.lo, block.origin, sizeof box.lo);
    memcpy(box.n, block.extent, sizeof box.n);
    TRY(pl_output_load(output, s->var[i], &box, s->memory[0]));
    *hash += hash_cells(s, i, s->memory[0]);
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

plait_err pl_snapshots_store_field(const pl_snapshots *s, pl_output *output, int var,
                                   const float *own, float missing, int mask) {
  const pl_fields *fields = &s->march->fields;
  const pl_part *part = &fields->part;
  if (s->cells == 0) return PLAIT_OK;
  float *values = NULL;
  plait_raise raise = {0};
  TRY(pl_alloc((size_t)s->cells, sizeof *values, &values));
  for (int64_t k = 0; k < s->cells; k++) {
    int64_t rest = k, cell[PL_AXES] = {0}, at = 0;
    for (int a = part->ndim - 1; a >= 0; a--) {
      cell[a] = (s->lo[a] + rest % s->n[a]) * s->stride;
      rest /= s->n[a];
    }
    for (int a = 0; a < part->ndim; a++) at = at * part->n[a] + cell[a] - part->lo[a];
    bool hidden = mask >= 0 && value_at(fields->data[mask][0], fields->grid->field[mask].type,
                                        pl_part_offset(part, cell)) == 0;
    values[k] = hidden || own[at] == missing ? NAN : own[at];
  }
  pl_box box = {.ndim = part->ndim};
  memcpy(box.lo, s->lo, sizeof s->lo);
  memcpy(box.n, s->n, sizeof s->n);
  plait_block block = pl_block_over(values, PLAIT_F32, &box, NULL);
  pl_output_encode(output, var, &block, &raise);
  plait_err err = pl_raised(&raise);
  if (err == PLAIT_OK) err = pl_output_store(output, var, &block);
  pl_free(&values);
  return err;
}
