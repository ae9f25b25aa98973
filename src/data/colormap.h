// SPDX-License-Identifier: BSD-3-Clause
//
// Values to colours. Pure.
#ifndef PL_COLORMAP_H
#define PL_COLORMAP_H
#include "plait.h"

typedef enum pl_map_kind {
  PL_MAP_SEQUENTIAL, // dark violet - green - yellow, lightness rises evenly
  PL_MAP_DIVERGING,  // blue - white - red, white at 0, both sides to the same scale
  PL_MAP_RELIEF,     // blue depths below 0, green to brown to white heights above
  PL_MAP_GRAY        // black - white
} pl_map_kind;
extern const char *const pl_map_names[]; // in that order, NULL-terminated

#define PL_MAP_COLORS 512
typedef struct pl_colormap {
  pl_map_kind kind;
  double lo, hi; // values of the first and last colour; values beyond take these
  unsigned char rgb[PL_MAP_COLORS][3];
} pl_colormap;

// lo <= hi, both finite.
void pl_colormap_make(pl_map_kind kind, double lo, double hi, pl_colormap *map);
// NaN: transparent. Threads: any.
void pl_colormap_color(const pl_colormap *map, double value, unsigned char rgba[4]);
// What suits data of this range: relief for heights in metres that are called so, diverging when
// both signs carry weight (the smaller side at least a tenth of the larger), else sequential.
pl_map_kind pl_colormap_choose(const char *units, const char *standard_name, const char *long_name,
                               double lo, double hi);
#endif
