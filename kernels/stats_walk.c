// SPDX-License-Identifier: BSD-3-Clause
//
// stats: where the values of a cell are, and the cells. Which axes are walked as one is a matter of
// the block, not of what of it is in view, because groups of values begin anew with each run.
#include "stats_work.h"

// An axis joins the one before it when both are walked in one stride.
static void add_axis(stats_walk *path, int64_t extent, ptrdiff_t stride, bool neighbour) {
  int last = path->n - 1;
  path->total *= extent;
  if (neighbour && last >= 0 && path->stride[last] == stride * (ptrdiff_t)extent) {
    path->extent[last] *= extent;
    path->stride[last] = stride;
  } else {
    path->extent[path->n] = extent;
    path->stride[path->n++] = stride;
  }
}

void pl_stats_look(stats_work *w, const plait_block *view) {
  const bool *reduced = w->call->plan->reduced;
  int before = -1; // the axis before
  w->view = view;
  w->kept = w->red = (stats_walk){.total = 1};
  for (int d = 0; d < view->ndim; d++) {
    if (w->in->extent[d] == 1) continue;
    stats_walk *path = reduced[d] ? &w->red : &w->kept;
    add_axis(path, view->extent[d], view->stride[d], before >= 0 && reduced[before] == reduced[d]);
    before = d;
  }
}

ptrdiff_t pl_stats_position(const stats_walk *path, int64_t i) {
  ptrdiff_t at = 0;
  for (int d = path->n - 1; d >= 0; d--) {
    at += (ptrdiff_t)(i % path->extent[d]) * path->stride[d];
    i /= path->extent[d];
  }
  return at;
}

int64_t pl_stats_run(const stats_walk *path, int64_t v) {
  if (path->n == 0) return 1;
  int64_t extent = path->extent[path->n - 1];
  return extent - v % extent;
}

ptrdiff_t pl_stats_step(const stats_walk *path) {
  return path->n > 0 ? path->stride[path->n - 1] : 0;
}

const char *pl_stats_value(const stats_work *w, ptrdiff_t cell, int64_t v) {
  ptrdiff_t at = cell + pl_stats_position(&w->red, v);
  return (const char *)w->view->data + at * (ptrdiff_t)w->size;
}

int64_t pl_stats_same_weight(const stats_work *w, int64_t v, double *weight) {
  *weight = 1;
  if (!w->weight) return INT64_MAX;
  *weight = w->weight[v / w->weight_run % w->weight_n];
  return w->weight_run - v % w->weight_run;
}

void pl_stats_to_work(const stats_work *w, const void *from, int64_t n, void *to) {
  if (w->as == PLAIT_F32)
    plait_row_to_f32(w->type, from, n, to);
  else
    plait_row_to_f64(w->type, from, n, to);
}
