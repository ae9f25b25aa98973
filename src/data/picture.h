// SPDX-License-Identifier: BSD-3-Clause
//
// A plane of values to a picture: rows are added as they are read, so that a plane bigger than
// memory can be looked at; a pixel is the mean of its cells that are not missing.
#ifndef PL_PICTURE_H
#define PL_PICTURE_H
#include "base/err.h"
#include "data/colormap.h"

typedef struct pl_picture {
  int64_t rows, cols;      // cells of the plane
  int width, height;       // pixels
  int64_t gwidth, gheight; // means: pixels, or cells where the picture enlarges
  double *sum;    // [gheight, gwidth]; means after pl_picture_finish, NaN where missing; *owned*
  int64_t *count; // *owned*
} pl_picture;

// `width` pixels, height in proportion; 0: one pixel a cell, small planes enlarged by a whole
// number to about 720 and large ones reduced to 4096 along the longer side.
plait_err pl_picture_start(int64_t rows, int64_t cols, int width, pl_picture *picture);
void pl_picture_free(pl_picture *picture);
// `data` [nrows, cols], rows first_row ... Each row is added once. NaN and Inf are missing.
void pl_picture_add(pl_picture *picture, int64_t first_row, int64_t nrows, plait_type type,
                    const void *data);
void pl_picture_finish(pl_picture *picture);
// Range for the colours: least and greatest mean; when a few outliers would wash out the rest (the
// span is more than 4 times that of the middle 99 %), the middle 99 %. false: all values missing.
plait_err pl_picture_range(const pl_picture *picture, double *lo, double *hi, bool *any);
// rgba [height, width, 4]. `flip`: the first row of the plane at the bottom.
void pl_picture_paint(const pl_picture *picture, const pl_colormap *map, bool flip,
                      unsigned char *rgba);

#define PL_LEGEND_HEIGHT 26  // pixels
#define PL_LEGEND_WIDTH  120 // pixels that it needs at least
// A bar of the map with its range, white around: rgba [PL_LEGEND_HEIGHT, width, 4].
void pl_legend_paint(const pl_colormap *map, int width, unsigned char *rgba);
#endif
