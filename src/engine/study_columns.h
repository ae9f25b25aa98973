// SPDX-License-Identifier: BSD-3-Clause
//
// The columns of a study's table: which results of a kernel become part of a row. Scalars and small
// arrays by themselves (an array is several columns of the CSV and an axis of its own in the
// NetCDF); with `vary.columns` those that are named, and NAME.min, NAME.max, NAME.mean of any.
#ifndef PL_STUDY_COLUMNS_H
#define PL_STUDY_COLUMNS_H
#include "base/text.h"
#include "engine/vary.h"

enum { PL_COLUMNS = 32, PL_COLUMN_SMALL = 64, PL_COLUMN_CELLS = 65536 };

typedef enum pl_column_take { PL_TAKE_ALL, PL_TAKE_MIN, PL_TAKE_MAX, PL_TAKE_MEAN } pl_column_take;

typedef struct pl_column {                       // plain bytes that travel
  char name[PLAIT_NAME + 8], source[PLAIT_NAME]; // "height.max" of the output "height"
  pl_column_take take;
  int ndim;
  int64_t shape[PLAIT_DIMS]; // the largest of all combinations; smaller ones are filled with NaN
  char dims[PLAIT_DIMS][PLAIT_NAME];
  char units[PLAIT_NAME], long_name[2 * PLAIT_NAME];
} pl_column;

typedef struct pl_columns {
  int n;
  pl_column at[PL_COLUMNS];
} pl_columns;

int64_t pl_column_cells(const pl_column *column);
int64_t pl_columns_cells(const pl_columns *columns); // doubles of a row
// An array that a combination writes, of whatever pattern.
typedef struct pl_column_source {
  const char *name, *units, *long_name;
  int ndim;
  int64_t shape[PLAIT_DIMS];
  const char *dims[PLAIT_DIMS];
} pl_column_source;
// Adds the column that `source` makes, or widens it. `wanted` [n]: names of vary.columns; 0: every
// small one. What does not fit any more is left out.
void pl_columns_add(pl_columns *columns, const pl_column_source *source, const char *const wanted[],
                    int n);
// Everything of `more` that is not there yet; shapes become the larger.
void pl_columns_join(pl_columns *columns, const pl_columns *more);
// The values of a source array (row-major, `type`, of that shape) into those of the column, missing
// cells NaN. PLAIT_KERNEL when the column has no room for it.
plait_err pl_column_fill(const pl_column *column, plait_type type, int ndim, const int64_t shape[],
                         const void *data, double *to);
// NAME of "NAME.max", and what is taken.
pl_column_take pl_column_split(const char *wanted, char source[PLAIT_NAME]);
#endif
