// SPDX-License-Identifier: BSD-3-Clause
//
// An evolve kernel in memory, for `verify`: one process, one thread, no files. The settings begin
// with steps=N dt=SECONDS, the kernel's parameters follow. `block[0]` is the depth of the time
// tiles. `out` gets the fields that change with time, in their order, without ghost cells.
#include "base/mem.h"
#include "engine/evolve.h"
#include <stdio.h>
#include <string.h>

typedef struct evolve_lab {
  plait_problem problem;
  void *params, *keep;
  pl_comm *comm;
  pl_march march;
} evolve_lab;

// Where row `r` of the own cells begins.
static ptrdiff_t row_at(const pl_part *part, int64_t r) {
  int64_t cell[PL_AXES] = {0};
  for (int a = part->ndim - 2; a >= 0; a--) {
    cell[a] = r % part->n[a];
    r /= part->n[a];
  }
  return pl_part_offset(part, cell);
}

static int64_t rows_of(const pl_part *part) {
  int64_t rows = 1;
  for (int a = 0; a < part->ndim - 1; a++) rows *= part->n[a];
  return rows;
}

// The window of the input that the grid covers, converted.
static void put_input(evolve_lab *l, const plait_array *in, const void *data, int field) {
  const pl_march *m = &l->march;
  const pl_part *part = &m->fields.part;
  int last = part->ndim - 1;
  for (int64_t r = 0; r < rows_of(part); r++) {
    int64_t cell[PL_AXES] = {0}, rest = r, from = 0;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = rest % part->n[a];
      rest /= part->n[a];
    }
    for (int a = 0; a < part->ndim; a++) from = from * in->shape[a] + cell[a] + m->grid.first[a];
    char *to = m->fields.data[field][0] + row_at(part, r) * (ptrdiff_t)m->fields.size[field];
    for (int64_t i = 0; i < part->n[last]; i++) {
      double x = pl_value(in->type, data, (size_t)(from + i));
      if (m->grid.field[field].type == PLAIT_F32)
        ((float *)(void *)to)[i] = (float)x;
      else
        ((double *)(void *)to)[i] = x;
    }
  }
}

static void take_output(const evolve_lab *l, void *const out[]) {
  const pl_march *m = &l->march;
  const pl_part *part = &m->fields.part;
  int n = 0;
  for (int f = 0; f < m->grid.nfields; f++) {
    if (m->grid.field[f].fixed) continue;
    size_t size = m->fields.size[f], bytes = (size_t)part->n[part->ndim - 1] * size;
    const char *data = pl_fields_at(&m->fields, f, m->step);
    for (int64_t r = 0; r < rows_of(part); r++)
      memcpy((char *)out[n] + (size_t)r * bytes, data + row_at(part, r) * (ptrdiff_t)size, bytes);
    n++;
  }
}

static plait_err run(evolve_lab *l, const plait_lab *lab, const char *settings,
                     const plait_array *in, const void *data, const int64_t *block,
                     void *const out[]) {
  const plait_kernel *k = lab->kernel;
  long long steps;
  double dt;
  int used = 0;
  if (sscanf(settings, "steps=%lld dt=%lf %n", &steps, &dt, &used) < 2)
    return plait_fail(PLAIT_BUG, "settings of an evolve kernel begin with steps=N dt=S");
  l->problem = (plait_problem){.kernel = k, .input = in};
  TRY(pl_params_from_text(k->params, k->params_size, settings + used, &l->params, &l->keep));
  const char *why = k->check ? k->check(&l->problem, l->params) : NULL;
  if (why) return plait_fail(PLAIT_JOB, "%s", why);
  TRY(pl_comm_start(false, 1, &l->comm));
  pl_march_setup setup = {.kernel = k,
                          .problem = &l->problem,
                          .params = l->params,
                          .threads = 1,
                          .cache = 1 << 20,
                          .depth = block ? (int)block[0] : 0};
  TRY(pl_march_start(l->comm, &setup, &l->march));
  for (int f = 0; f < l->march.grid.nfields; f++)
    if (l->march.grid.field[f].from_input) put_input(l, in, data, f);
  double limit = pl_march_limit(&l->march);
  if (dt > limit)
    return plait_fail(PLAIT_JOB, "a step of %g s is unstable: at most %g s", dt, limit);
  TRY(pl_march_initial(&l->march, dt, 0));
  while (steps > 0) {
    int n = steps < l->march.tiling.depth ? (int)steps : l->march.tiling.depth;
    TRY(pl_march_tile(&l->march, n, 0));
    steps -= n;
  }
  TRY(pl_raised(&l->march.raise));
  take_output(l, out);
  return PLAIT_OK;
}

plait_err pl_evolve_lab(const plait_lab *lab, const char *settings, const plait_array *in,
                        const void *data, const int64_t *block, void *const out[]) {
  evolve_lab l = {0};
  plait_err err = run(&l, lab, settings, in, data, block, out);
  pl_march_stop(&l.march);
  pl_params_free(&l.params, &l.keep);
  pl_comm_stop(&l.comm);
  return err;
}
