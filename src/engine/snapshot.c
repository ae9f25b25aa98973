// SPDX-License-Identifier: BSD-3-Clause
//
// Two slots: one is being written while the next is filled. A third, where it costs little, lets
// the writer begin when a core is free for it (evolve.c). Cells where the field's mask is 0 become
// NaN, the missing value of the arrays.
//
// Rows are copied behind the sweep that completes the step, while they are in the first cache: a
// pass of its own over a globe of 961 x 2160, every fourth point, took 0.38 ms with two threads,
// where a step takes 1 ms. Their values are looked at on the way.
//
// A tile ends where a snapshot is due. One could be taken in the middle, but a tile of 32 steps
// holds two when one is due every 20 steps, so that it takes more slots, and what sums find at the
// end of a tile (evolve_sums.c) would be overwritten: for the 1 to 2 % by which tiles of 20 steps
// are slower.
#include "engine/snapshot.h"
#include "base/mem.h"
#include "engine/finite.h"
#include <math.h>
#include <string.h>

enum { SMALL = 16 }; // of the fields' memory a third slot may take a 16th

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
  s->step = -1;
  s->cells = 1;
  for (int a = 0; a < PL_AXES; a++) {
    s->lo[a] = a < part->ndim ? pl_snapshot_kept(part->lo[a], s->stride) : 0;
    s->n[a] = a < part->ndim ? pl_snapshot_kept(part->lo[a] + part->n[a], s->stride) - s->lo[a] : 1;
    s->cells *= s->n[a];
  }
  size_t bytes = 64;
  for (int i = 0; i < s->nfields; i++) bytes += field_bytes(s, i);
  s->nslots = bytes <= pl_fields_bytes(&march->grid, part) / SMALL ? PL_SNAPSHOT_SLOTS : 2;
  for (int k = 0; k < s->nslots; k++) TRY(pl_alloc(bytes, 1, &s->memory[k]));
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

// `n` kept cells of kept field i from kept cell `at`, as they are after `step` steps.
static bool take_row(const pl_snapshots *s, int i, const int64_t at[], int64_t n, int64_t step) {
  const pl_fields *fields = &s->march->fields;
  const plait_field *f = &s->march->grid.field[s->field[i]];
  int64_t cell[PL_AXES] = {0}, place = 0;
  for (int a = 0; a < fields->part.ndim; a++) {
    cell[a] = at[a] * s->stride;
    place = place * s->n[a] + at[a] - s->lo[a];
  }
  size_t size = fields->size[s->field[i]];
  const void *from = pl_fields_at(fields, s->field[i], step) +
                     pl_part_offset(&fields->part, cell) * (ptrdiff_t)size;
  void *to = s->at[i] + (size_t)place * size;
  const unsigned char *hidden = s->hidden[i] ? s->hidden[i] + place : NULL;
  bool narrow = f->type == PLAIT_F32;
  if (narrow)
    copy_f32(from, s->stride, to, n);
  else
    copy_f64(from, s->stride, to, n);
  bool finite = f->fixed || pl_finite(f->type, to, n); // before the mask makes NaN of some
  if (hidden && narrow) hide_f32(hidden, to, n);
  if (hidden && !narrow) hide_f64(hidden, to, n);
  return finite;
}

plait_block pl_snapshots_block(const pl_snapshots *s, int i, int64_t index, void *data) {
  int ndim = s->march->grid.ndim;
  pl_box box = {.ndim = ndim + 1, .lo = {index}, .n = {1}};
  for (int a = 0; a < ndim; a++) {
    box.lo[a + 1] = s->lo[a];
    box.n[a + 1] = s->n[a];
  }
  return pl_block_over(data, s->march->grid.field[s->field[i]].type, &box, NULL);
}

void pl_snapshots_aim(pl_snapshots *s, int slot, int64_t index, int64_t step) {
  char *at = s->memory[slot];
  for (int i = 0; i < s->nfields; i++) {
    s->at[i] = at;
    at += field_bytes(s, i);
  }
  s->index[slot] = index;
  s->step = step;
  atomic_store(&s->bad, false);
}

void pl_snapshots_watch(pl_snapshots *s, const plait_cells *box, int64_t step) {
  const pl_part *part = &s->march->fields.part;
  int64_t lo[PL_AXES] = {0}, hi[PL_AXES] = {1, 1, 1}, c[PL_AXES];
  if (step != s->step) return;
  for (int a = 0; a < part->ndim; a++) { // own cells of the box, then those of them that are kept
    int64_t end = box->lo[a] + box->n[a], last = part->lo[a] + part->n[a];
    lo[a] = pl_snapshot_kept(box->lo[a] > part->lo[a] ? box->lo[a] : part->lo[a], s->stride);
    hi[a] = pl_snapshot_kept(end < last ? end : last, s->stride);
    if (lo[a] >= hi[a]) return;
  }
  int64_t *end = &hi[part->ndim - 1], n = *end - lo[part->ndim - 1];
  *end = lo[part->ndim - 1] + 1;
  bool finite = true;
  for (int i = 0; i < s->nfields; i++)
    for (c[0] = lo[0]; c[0] < hi[0]; c[0]++)
      for (c[1] = lo[1]; c[1] < hi[1]; c[1]++)
        for (c[2] = lo[2]; c[2] < hi[2]; c[2]++) finite &= take_row(s, i, c, n, step);
  if (!finite) atomic_store(&s->bad, true);
}

bool pl_snapshots_finish(pl_snapshots *s, const pl_output *output, int slot, plait_raise *raise) {
#pragma omp barrier
  for (int i = 0; s->cells > 0 && i < s->nfields; i++) {
    plait_block block = pl_snapshots_block(s, i, s->index[slot], s->at[i]);
    pl_output_encode(output, s->var[i], &block, raise);
  }
#pragma omp barrier
  return !atomic_load(&s->bad);
}

plait_err pl_snapshots_store(pl_snapshots *s, pl_output *output, int slot, int64_t *bytes) {
  char *at = s->memory[slot];
  uint64_t hash = 0;
  for (int i = 0; s->cells > 0 && i < s->nfields; i++) {
    plait_block block = pl_snapshots_block(s, i, s->index[slot], at);
    TRY(pl_output_store(output, s->var[i], &block));
    hash += pl_snapshots_sum(s, i, at);
    *bytes += s->cells * (int64_t)s->march->fields.size[s->field[i]];
    at += field_bytes(s, i);
  }
  if (s->hash) s->hash[s->index[slot]] = hash;
  return PLAIT_OK;
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
