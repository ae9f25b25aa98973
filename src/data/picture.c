// SPDX-License-Identifier: BSD-3-Clause
//
// Area means on a grid of pixels. Each cell belongs to exactly one pixel (cell * pixels / cells),
// so adding rows costs one pass and needs no weights; pixels differ by one cell in size at most.
#include "data/picture.h"
#include "base/mem.h"
#include "data/meta.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 720
#define LARGE 4096

static int natural_width(int64_t rows, int64_t cols) {
  int64_t longer = rows > cols ? rows : cols;
  if (longer <= SMALL / 2) return (int)(cols * (SMALL / longer));
  if (longer <= LARGE) return (int)cols;
  double width = round((double)cols * LARGE / (double)longer);
  return width < 1 ? 1 : (int)width;
}

plait_err pl_picture_start(int64_t rows, int64_t cols, int width, pl_picture *picture) {
  *picture = (pl_picture){.rows = rows, .cols = cols};
  if (rows < 1 || cols < 1) return plait_fail(PLAIT_INPUT, "a picture needs at least one value");
  picture->width = width > 0 ? width : natural_width(rows, cols);
  double height = round((double)rows * picture->width / (double)cols);
  if (height > 32767 || picture->width > 32767)
    return plait_fail(PLAIT_USAGE, "a picture of %d x %.0f is too large; give a smaller --width",
                      picture->width, height);
  picture->height = height < 1 ? 1 : (int)height;
  picture->gwidth = picture->width < cols ? picture->width : cols;
  picture->gheight = picture->height < rows ? picture->height : rows;
  size_t n = (size_t)(picture->gwidth * picture->gheight);
  plait_err err = pl_calloc(n, sizeof *picture->sum, &picture->sum);
  if (err == PLAIT_OK) err = pl_calloc(n, sizeof *picture->count, &picture->count);
  if (err != PLAIT_OK) pl_picture_free(picture);
  return err;
}

void pl_picture_free(pl_picture *picture) {
  pl_free(&picture->sum);
  pl_free(&picture->count);
}

void pl_picture_add(pl_picture *picture, int64_t first_row, int64_t nrows, plait_type type,
                    const void *data) {
  for (int64_t j = 0; j < nrows; j++) {
    int64_t row = (first_row + j) * picture->gheight / picture->rows;
    double *sum = picture->sum + row * picture->gwidth;
    int64_t *count = picture->count + row * picture->gwidth;
    for (int64_t i = 0; i < picture->cols; i++) {
      double v = pl_value(type, data, (size_t)(j * picture->cols + i));
      if (!isfinite(v)) continue;
      int64_t pixel = i * picture->gwidth / picture->cols;
      sum[pixel] += v;
      count[pixel]++;
    }
  }
}

void pl_picture_finish(pl_picture *picture) {
  for (int64_t i = 0; i < picture->gwidth * picture->gheight; i++)
    picture->sum[i] = picture->count[i] ? picture->sum[i] / (double)picture->count[i] : NAN;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

plait_err pl_picture_range(const pl_picture *picture, double *lo, double *hi, bool *any) {
  enum { SAMPLE = 65536 }; // enough for a percentile, cheap to sort
  double *sample;
  int64_t n = picture->gwidth * picture->gheight, step = n / SAMPLE + 1;
  int kept = 0;
  TRY(pl_alloc(SAMPLE, sizeof *sample, &sample));
  *lo = INFINITY;
  *hi = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    double v = picture->sum[i];
    if (isnan(v)) continue;
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
    if (i % step == 0) sample[kept++] = v;
  }
  *any = *lo <= *hi;
  qsort(sample, (size_t)kept, sizeof *sample, by_value);
  if (kept >= 200) {
    double low = sample[kept / 200], high = sample[kept - 1 - kept / 200];
    if (high > low && *hi / 4 - *lo / 4 > high - low) {
      *lo = low;
      *hi = high;
    }
  }
  pl_free(&sample);
  return PLAIT_OK;
}

void pl_picture_paint(const pl_picture *picture, const pl_colormap *map, bool flip,
                      unsigned char *rgba) {
  for (int y = 0; y < picture->height; y++) {
    int from = flip ? picture->height - 1 - y : y;
    int64_t row = from * picture->gheight / picture->height;
    const double *mean = picture->sum + row * picture->gwidth;
    for (int x = 0; x < picture->width; x++, rgba += 4)
      pl_colormap_color(map, mean[x * picture->gwidth / picture->width], rgba);
  }
}
