// SPDX-License-Identifier: BSD-3-Clause
//
// See study_columns.h. Pure functions.
#include "engine/study_columns.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/value.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t cells_of(int ndim, const int64_t shape[]) {
  int64_t cells = 1;
  for (int d = 0; d < ndim; d++)
    if (pl_mul64_overflows(cells, shape[d], &cells)) return INT64_MAX;
  return cells;
}

int64_t pl_column_cells(const pl_column *column) {
  return cells_of(column->ndim, column->shape);
}

int64_t pl_columns_cells(const pl_columns *columns) {
  int64_t cells = 0;
  for (int c = 0; c < columns->n; c++) cells += pl_column_cells(&columns->at[c]);
  return cells;
}

pl_column_take pl_column_split(const char *wanted, char source[PLAIT_NAME]) {
  static const char *const endings[] = {"", ".min", ".max", ".mean"};
  size_t n = strlen(wanted);
  for (int t = PL_TAKE_MIN; t <= PL_TAKE_MEAN; t++) {
    size_t m = strlen(endings[t]);
    if (n <= m || strcmp(wanted + n - m, endings[t]) != 0) continue;
    snprintf(source, PLAIT_NAME, "%.*s", (int)(n - m), wanted);
    return (pl_column_take)t;
  }
  snprintf(source, PLAIT_NAME, "%s", wanted);
  return PL_TAKE_ALL;
}

static void join_one(pl_columns *columns, const pl_column *column) {
  for (int c = 0; c < columns->n; c++) {
    pl_column *old = &columns->at[c];
    if (strcmp(old->name, column->name) != 0) continue;
    for (int d = 0; d < old->ndim && d < column->ndim; d++)
      if (column->shape[d] > old->shape[d]) old->shape[d] = column->shape[d];
    return;
  }
  if (columns->n < PL_COLUMNS) columns->at[columns->n++] = *column;
}

void pl_columns_join(pl_columns *columns, const pl_columns *more) {
  for (int c = 0; c < more->n; c++) join_one(columns, &more->at[c]);
}

static void put(char *to, size_t room, const char *from) {
  snprintf(to, room, "%s", from ? from : "");
}

static pl_column column_of(const pl_column_source *source, const char *name, pl_column_take take) {
  static const char *const words[] = {"", "least value of ", "greatest value of ", "mean of "};
  pl_column c = {.take = take, .ndim = take == PL_TAKE_ALL ? source->ndim : 0};
  put(c.name, sizeof c.name, name);
  put(c.source, sizeof c.source, source->name);
  put(c.units, sizeof c.units, source->units);
  snprintf(c.long_name, sizeof c.long_name, "%s%.100s", words[take], source->long_name);
  for (int d = 0; d < c.ndim; d++) {
    c.shape[d] = source->shape[d];
    put(c.dims[d], sizeof c.dims[d], source->dims[d]);
  }
  return c;
}

void pl_columns_add(pl_columns *columns, const pl_column_source *source, const char *const wanted[],
                    int n) {
  int64_t cells = cells_of(source->ndim, source->shape);
  if (n == 0 && cells <= PL_COLUMN_SMALL) {
    pl_column c = column_of(source, source->name, PL_TAKE_ALL);
    join_one(columns, &c);
  }
  for (int i = 0; i < n; i++) {
    char name[PLAIT_NAME];
    pl_column_take take = pl_column_split(wanted[i], name);
    // An output may itself be called "x.max".
    if (strcmp(wanted[i], source->name) == 0)
      take = PL_TAKE_ALL;
    else if (take == PL_TAKE_ALL || strcmp(name, source->name) != 0)
      continue;
    if (take == PL_TAKE_ALL && cells > PL_COLUMN_CELLS) continue;
    pl_column c = column_of(source, wanted[i], take);
    join_one(columns, &c);
  }
}

// ---- values ----

static double taken(const pl_column *column, plait_type type, int64_t n, const void *data) {
  double least = NAN, most = NAN, sum = 0;
  int64_t seen = 0;
  for (int64_t i = 0; i < n; i++) {
    double x = pl_value(type, data, (size_t)i);
    if (isnan(x)) continue;
    if (seen == 0 || x < least) least = x;
    if (seen == 0 || x > most) most = x;
    sum += x;
    seen++;
  }
  double mean = seen ? sum / (double)seen : NAN;
  return column->take == PL_TAKE_MIN ? least : column->take == PL_TAKE_MAX ? most : mean;
}

// Row-major both; the source's shape is no larger along any axis.
static void spread(const pl_column *column, plait_type type, const int64_t shape[],
                   const void *data, double *to) {
  int64_t n = cells_of(column->ndim, shape);
  for (int64_t i = 0; i < n; i++) {
    int64_t rest = i, at = 0, stride = 1;
    for (int d = column->ndim - 1; d >= 0; d--) {
      at += rest % shape[d] * stride;
      rest /= shape[d];
      stride *= column->shape[d];
    }
    to[at] = pl_value(type, data, (size_t)i);
  }
}

plait_err pl_column_fill(const pl_column *column, plait_type type, int ndim, const int64_t shape[],
                         const void *data, double *to) {
  if (column->take != PL_TAKE_ALL) {
    *to = taken(column, type, cells_of(ndim, shape), data);
    return PLAIT_OK;
  }
  bool fits = ndim == column->ndim;
  for (int d = 0; fits && d < ndim; d++) fits = shape[d] <= column->shape[d];
  if (!fits)
    return plait_fail(PLAIT_KERNEL, "output '%s' is larger than its column", column->source);
  int64_t cells = pl_column_cells(column);
  if (cells > 1)
    for (int64_t i = 0; i < cells; i++) to[i] = NAN;
  spread(column, type, shape, data, to);
  return PLAIT_OK;
}
