// SPDX-License-Identifier: BSD-3-Clause
//
// Fields from files: every rank reads its own part, some rows at a time, and converts.
#include "base/mem.h"
#include "base/text.h"
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

// `first`: the cell of the file at which the grid starts.
static plait_err read_slab(pl_march *m, int field, pl_dataset *in, const int64_t first[],
                           int64_t lo, int64_t n) {
  const pl_part *part = &m->fields.part;
  int last = m->grid.ndim - 1;
  pl_box box = {.ndim = m->grid.ndim};
  for (int a = 0; a < m->grid.ndim; a++) {
    box.lo[a] = part->lo[a] + first[a];
    box.n[a] = part->n[a];
  }
  box.lo[0] = lo + first[0];
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

static void add_shape(pl_text *text, int ndim, const int64_t shape[]) {
  for (int a = 0; a < ndim; a++) pl_text_add(text, a ? " x %lld" : "%lld", (long long)shape[a]);
}

static plait_err wrong_shape(const pl_evolve *e, const pl_dataset *in, const char *spec) {
  const plait_array *grid_of = e->task->problem.input;
  const plait_grid *g = &e->march.grid;
  pl_text text = {0};
  pl_text_add(&text, "%s has not the shape of the grid: ", spec);
  add_shape(&text, in->meta.ndim, in->meta.shape);
  pl_text_add(&text, " in place of ");
  add_shape(&text, g->ndim, g->shape);
  if (grid_of && memcmp(grid_of->shape, g->shape, (size_t)g->ndim * sizeof *g->shape) != 0) {
    pl_text_add(&text, " (or ");
    add_shape(&text, g->ndim, grid_of->shape);
    pl_text_add(&text, ", as the input)");
  }
  plait_err err = plait_fail(PLAIT_INPUT, "%s", text.at ? text.at : spec);
  pl_text_free(&text);
  return err;
}

static bool has_shape(const pl_dataset *in, int ndim, const int64_t shape[]) {
  return in->meta.ndim == ndim && memcmp(in->meta.shape, shape, (size_t)ndim * sizeof *shape) == 0;
}

// A file is as large as the input, of which the grid may be a part, or as the grid.
static plait_err read_field(pl_evolve *e, int field, pl_dataset *in, const char *spec) {
  static const int64_t zero[PLAIT_DIMS] = {0};
  pl_march *m = &e->march;
  const plait_array *grid_of = e->task->problem.input;
  const int64_t *first = grid_of && has_shape(in, m->grid.ndim, grid_of->shape) ? m->grid.first
                         : has_shape(in, m->grid.ndim, m->grid.shape)           ? zero
                                                                                : NULL;
  if (!first) return wrong_shape(e, in, spec);
  int64_t row = (int64_t)plait_type_size(in->meta.type), lo = m->fields.part.lo[0];
  for (int a = 1; a < m->grid.ndim; a++) row *= m->fields.part.n[a];
  int64_t slab = m->grid.ndim > 1 && row < most ? most / row
                 : m->grid.ndim > 1             ? 1
                                                : m->fields.part.n[0];
  for (int64_t end = lo + m->fields.part.n[0]; lo < end; lo += slab)
    TRY(read_slab(m, field, in, first, lo, lo + slab < end ? slab : end - lo));
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
