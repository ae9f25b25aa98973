// SPDX-License-Identifier: BSD-3-Clause
//
// Fields from files: every rank reads its own part, some rows at a time, and converts.
#include "base/mem.h"
#include "data/meta.h"
#include "engine/evolve.h"
#include <string.h>

static const int64_t most = 16 << 20; // bytes read at once

static void put_row(pl_march *m, int field, const int64_t cell[], const plait_block *from,
                    int64_t first) {
  int64_t n = m->fields.part.n[m->grid.ndim - 1];
  ptrdiff_t at = pl_part_offset(&m->fields.part, cell);
  char *to = m->fields.data[field][0] + at * (ptrdiff_t)m->fields.size[field];
  for (int64_t i = 0; i < n; i++) {
    double x = pl_value(from->type, from->data, (size_t)(first + i));
    if (m->grid.field[field].type == PLAIT_F32)
      ((float *)(void *)to)[i] = (float)x;
    else
      ((double *)(void *)to)[i] = x;
  }
}

static plait_err read_slab(pl_march *m, int field, pl_dataset *in, int64_t lo, int64_t n) {
  const pl_part *part = &m->fields.part;
  int last = m->grid.ndim - 1;
  pl_box box = {.ndim = m->grid.ndim};
  for (int a = 0; a < m->grid.ndim; a++) {
    box.lo[a] = part->lo[a] + m->grid.first[a];
    box.n[a] = part->n[a];
  }
  box.lo[0] = lo + m->grid.first[0];
  box.n[0] = n;
  void *data = NULL, *raw = NULL;
  plait_raise raise = {0};
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc(pl_block_bytes(in->meta.type, &box, NULL), 1, &data));
  GUARD(pl_alloc(pl_dataset_raw_bytes(in, box.n), 1, &raw));
  plait_block block = pl_block_over(data, in->meta.type, &box, NULL);
  GUARD(pl_dataset_fetch(in, &box, raw, &block));
  pl_dataset_decode(in, &box, raw, &block, &raise);
  GUARD(pl_raised(&raise));
  int64_t rows = 1, cell[PL_AXES] = {0};
  for (int a = 0; a < last; a++) rows *= box.n[a];
  for (int64_t r = 0; r < rows; r++) {
    int64_t rest = r;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = (a == 0 ? lo : part->lo[a]) + rest % box.n[a];
      rest /= box.n[a];
    }
    cell[last] = last == 0 ? lo : part->lo[last];
    put_row(m, field, cell, &block, r * box.n[last]);
  }
done:
  pl_free(&data);
  pl_free(&raw);
  return err;
}

static plait_err read_field(pl_evolve *e, int field, pl_dataset *in, const char *spec) {
  pl_march *m = &e->march;
  const plait_array *grid_of = e->task->problem.input;
  bool same = in->meta.ndim == m->grid.ndim;
  for (int a = 0; same && a < m->grid.ndim; a++)
    same = in->meta.shape[a] == (grid_of ? grid_of->shape[a] : m->grid.shape[a]);
  if (!same) return plait_fail(PLAIT_INPUT, "%s has not the shape of the grid", spec);
  int64_t row = (int64_t)plait_type_size(in->meta.type), lo = m->fields.part.lo[0];
  for (int a = 1; a < m->grid.ndim; a++) row *= m->fields.part.n[a];
  int64_t slab = m->grid.ndim > 1 && row < most ? most / row
                 : m->grid.ndim > 1             ? 1
                                                : m->fields.part.n[0];
  for (int64_t end = lo + m->fields.part.n[0]; lo < end; lo += slab)
    TRY(read_slab(m, field, in, lo, lo + slab < end ? slab : end - lo));
  return PLAIT_OK;
}

plait_err pl_evolve_load(pl_evolve *e) {
  for (int f = 0; f < e->march.grid.nfields; f++) {
    const plait_field *field = &e->march.grid.field[f];
    if (field->from_input && e->task->input)
      TRY(read_field(e, f, e->task->input, e->task->job->input));
    if (!field->file || !field->file[0]) continue;
    pl_dataset *in = NULL;
    TRY(pl_dataset_open(field->file, &in));
    plait_err err = read_field(e, f, in, field->file);
    pl_dataset_close(&in);
    TRY(err);
  }
  return PLAIT_OK;
}
