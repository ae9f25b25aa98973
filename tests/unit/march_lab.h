// SPDX-License-Identifier: BSD-3-Clause
//
// An evolve kernel in memory, in one process, for the tests: no job, no files.
#ifndef MARCH_LAB_H
#define MARCH_LAB_H
#include "base/mem.h"
#include "engine/evolve_march.h"
#include "engine/job.h"
#include <omp.h>

typedef struct lab {
  pl_comm *comm;
  plait_problem problem;
  void *params, *keep;
  pl_march march;
} lab;

// `fill` gives the values of fields that come from files; NULL: zero.
static inline void lab_start(lab *l, const plait_kernel *kernel, const char *settings,
                             const plait_array *input, int threads, int depth, double dt,
                             double (*fill)(int64_t i, int64_t j)) {
  *l = (lab){.problem = {.input = input}};
  assert_int_equal(pl_comm_start(false, 1, &l->comm), PLAIT_OK);
  plait_err err =
      pl_params_from_text(kernel->params, kernel->params_size, settings, &l->params, &l->keep);
  if (err != PLAIT_OK) fail_msg("%s", pl_message());
  const char *why = kernel->check(&l->problem, l->params);
  if (why) fail_msg("%s", why);
  pl_march_setup setup = {.kernel = kernel,
                          .problem = &l->problem,
                          .params = l->params,
                          .threads = threads,
                          .cache = 1 << 20,
                          .depth = depth,
                          .overlap = true};
  if (pl_march_start(l->comm, &setup, &l->march) != PLAIT_OK) fail_msg("%s", pl_message());
  const pl_part *p = &l->march.fields.part;
  for (int f = 0; fill && f < l->march.grid.nfields; f++) {
    const plait_field *field = &l->march.grid.field[f];
    if (!field->from_input && !field->file) continue;
    for (int64_t i = 0; i < p->n[0]; i++)
      for (int64_t j = 0; j < p->n[1]; j++) {
        void *at = l->march.fields.data[f][0] +
                   (i * p->stride[0] + j) * (ptrdiff_t)l->march.fields.size[f];
        if (field->type == PLAIT_F32)
          *(float *)at = (float)fill(i, j);
        else
          *(double *)at = fill(i, j);
      }
  }
  omp_set_dynamic(0);
#pragma omp parallel num_threads(threads)
  (void)pl_march_initial(&l->march, dt, omp_get_thread_num());
}

static inline void lab_run(lab *l, int64_t steps) {
#pragma omp parallel num_threads(l->march.threads)
  for (int64_t done = 0; done < steps;) {
    int64_t n = steps - done < l->march.tiling.depth ? steps - done : l->march.tiling.depth;
    (void)pl_march_tile(&l->march, (int)n, omp_get_thread_num());
    done += n;
  }
}

static inline double lab_value(const lab *l, int field, int64_t i, int64_t j, int64_t k) {
  const pl_fields *f = &l->march.fields;
  const int64_t cell[3] = {i, j, k};
  const char *at = pl_fields_at(f, field, l->march.step) +
                   pl_part_offset(&f->part, cell) * (ptrdiff_t)f->size[field];
  return f->size[field] == 4 ? (double)*(const float *)(const void *)at
                             : *(const double *)(const void *)at;
}

static inline void lab_stop(lab *l) {
  pl_march_stop(&l->march);
  pl_params_free(&l->params, &l->keep);
  pl_comm_stop(&l->comm);
}
#endif
