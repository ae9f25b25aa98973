// SPDX-License-Identifier: BSD-3-Clause
//
// The labels of a table's rows: whole numbers from 0, one for each row, in a file of their own.
#include "train.h"
#include <math.h>
#include <stdio.h>

static double label_at(const plait_aside *labels, int64_t row) {
  double x;
  plait_row_to_f64(labels->type,
                   (const char *)labels->data + (size_t)row * plait_type_size(labels->type), 1, &x);
  return x;
}

int64_t pl_label_of(const plait_aside *labels, int64_t row) {
  return (int64_t)label_at(labels, row);
}

// Classes from 0 to 65535: a bit for each that has a row.
static const char *first_unused(const plait_aside *labels, int64_t rows, int64_t classes,
                                char text[200]) {
  uint64_t used[1024] = {0};
  for (int64_t r = 0; r < rows; r++) {
    int64_t label = pl_label_of(labels, r);
    used[label / 64] |= (uint64_t)1 << label % 64;
  }
  for (int64_t c = 0; c < classes; c++) {
    if (used[c / 64] >> c % 64 & 1) continue;
    snprintf(text, 200,
             "labels: no row has the label %lld of 0 .. %lld (params.classes: %lld allows that)",
             (long long)c, (long long)classes - 1, (long long)classes);
    return text;
  }
  return NULL;
}

const char *pl_labels_check(const plait_aside *labels, int64_t rows, int64_t classes, bool all,
                            int64_t *needed) {
  static _Thread_local char text[200];
  int64_t n = 1, most = classes > 0 ? classes : 65536;
  for (int d = 0; d < labels->ndim; d++) n *= labels->shape[d];
  *needed = 0;
  if (n != rows) {
    snprintf(text, sizeof text, "labels: there are %lld of them for %lld rows", (long long)n,
             (long long)rows);
    return text;
  }
  for (int64_t r = 0; r < rows; r++) {
    double x = label_at(labels, r);
    if (!(x >= 0 && x < (double)most && x == floor(x))) {
      snprintf(text, sizeof text,
               "labels: row %lld has the label %g, expected a whole number 0 .. %lld", (long long)r,
               x, (long long)most - 1);
      return text;
    }
    if ((int64_t)x >= *needed) *needed = (int64_t)x + 1;
  }
  return all ? first_unused(labels, rows, *needed, text) : NULL;
}
