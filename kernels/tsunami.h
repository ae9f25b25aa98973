// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of the tsunami kernel share: parameters, and the uplift of the sea at the start
// (tsunami_source.c).
#ifndef TSUNAMI_H
#define TSUNAMI_H
#include "okada.h"
#include <plait.h>

typedef struct tsunami_shape {
  int kind;
  double amplitude, lon, lat, radius, kx, ky;
} tsunami_shape;

typedef struct tsunami_params {
  plait_table faults, shapes;
  const char *uplift;
  double min_depth, south, north, west, east;
  bool open, coriolis;
} tsunami_params;

extern const plait_param tsunami_table[];
extern const double tsunami_radius; // of the Earth, m

// Height [m] at a place (degrees) that shapes and faults give; px, py: how far across the grid,
// 0..1.
double tsunami_raised(const tsunami_params *params, double lon, double lat, double px, double py);
#endif
