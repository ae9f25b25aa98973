// SPDX-License-Identifier: BSD-3-Clause
//
// Which two axes of an array are a picture, and where the others are cut.
#ifndef PL_SLICE_H
#define PL_SLICE_H
#include "base/text.h"
#include "data/dataset.h"

typedef struct pl_slice {
  int row, column; // axes of the picture, row < column
  pl_box box;      // extent 1 along the other axes
  bool flip;       // rows ascend towards the north
} pl_slice;

// words: "time=3" by name, "0,5" for the leading axes, or several; negative indices count from the
// end. Axes without a word: latitude and longitude are the picture, else the last two that are
// neither time nor quantiles nor bins, if two are left; the others are cut at 0. PLAIT_USAGE with
// the nearest name, or when fewer than two axes are left; PLAIT_INPUT for an array without two
// axes.
plait_err pl_slice_choose(const plait_array *array, int n, const char *const words[],
                          pl_slice *slice);
void pl_slice_add(const pl_slice *slice, const plait_array *array, pl_text *out); // " (time=3)"
#endif
