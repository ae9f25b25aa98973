// SPDX-License-Identifier: BSD-3-Clause
//
// What a row is: the axes of the input are split into those that count rows and those that count
// features. Where the features are the last axes a row is a run of memory. Where the last axis
// counts rows (a map of time series, stored time first), runs of neighbouring rows are read
// feature by feature and turned. Anything else goes value by value.
#include "kmeans.h"

static int64_t product(const int64_t of[], const int axes[], int n) {
  int64_t all = 1;
  for (int i = 0; i < n; i++) all *= of[axes[i]];
  return all;
}

int64_t pl_kmeans_count(const km_shape *s, const plait_block *in) {
  return product(in->extent, s->row, s->nrow);
}

int64_t pl_kmeans_number(const km_shape *s, const plait_block *in, int64_t row) {
  int64_t number = 0, scale = 1;
  for (int i = s->nrow - 1; i >= 0; i--) {
    int d = s->row[i];
    number += (in->origin[d] + row % in->extent[d]) * scale;
    row /= in->extent[d];
    scale *= s->length[d];
  }
  return number;
}

// Cells from the first of the block to number `index` along the axes.
static ptrdiff_t offset(const plait_block *in, const int axes[], int n, int64_t index) {
  ptrdiff_t cells = 0;
  for (int i = n - 1; i >= 0; i--) {
    cells += (ptrdiff_t)(index % in->extent[axes[i]]) * in->stride[axes[i]];
    index /= in->extent[axes[i]];
  }
  return cells;
}

static const char *cell(const plait_block *in, ptrdiff_t cells) {
  return (const char *)in->data + cells * (ptrdiff_t)plait_type_size(in->type);
}

// Rows that lie side by side along the last axis, `n` at most.
static int64_t run_of(const km_shape *s, const plait_block *in, int64_t row, int64_t n) {
  int64_t last = in->extent[in->ndim - 1];
  if (s->nrow == 0 || s->row[s->nrow - 1] != in->ndim - 1) return 1;
  return last - row % last < n ? last - row % last : n;
}

static void turn(const km_shape *s, const plait_block *in, int64_t row, int64_t n, double *to) {
  double values[KM_BATCH];
  ptrdiff_t base = offset(in, s->row, s->nrow, row);
  for (int64_t j = 0; j < s->d; j++) {
    plait_row_to_f64(in->type, cell(in, base + offset(in, s->col, s->ncol, j)), n, values);
    for (int64_t i = 0; i < n; i++) to[i * s->d + j] = values[i];
  }
}

void pl_kmeans_rows(const km_shape *s, const plait_block *in, int64_t row, int64_t n, double *to) {
  if (s->packed) {
    plait_row_to_f64(in->type, cell(in, (ptrdiff_t)(row * s->d)), n * s->d, to);
    return;
  }
  for (int64_t i = 0, run; i < n; i += run) {
    run = run_of(s, in, row + i, n - i);
    turn(s, in, row + i, run, to + i * s->d);
  }
}
