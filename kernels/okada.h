// SPDX-License-Identifier: BSD-3-Clause
//
// Displacement of the surface of an elastic half space by a rectangular fault (okada.c).
#ifndef OKADA_H
#define OKADA_H

// Okada's (1985) fault in his own coordinates: x along strike, y to the left of it, the origin
// above the lower edge's start, `depth` of the lower edge, dip in rad, extent along strike
// 0..length and up the dip 0..width (any one unit of length), slip[3] along strike, up the dip,
// opening. u[3] gets the displacement along x, y and up, in the unit of slip, at the surface.
// Threads: any.
void okada_rectangle(double x, double y, double depth, double dip, double length, double width,
                     const double slip[3], double u[3]);

typedef struct okada_fault {
  double lon, lat;          // degrees: start of the upper edge, or as `anchor` says
  int anchor;               // 0 start of the upper edge, 1 its middle, 2 middle of the plane
  double depth;             // km, of the anchor
  double strike, dip, rake; // degrees
  double length, width;     // km
  double slip;              // m
} okada_fault;

// Uplift [m] at a place on the sphere (distances by the local plane through the anchor: right to
// 1e-3 within ten fault lengths). Threads: any.
double okada_uplift(const okada_fault *fault, double lon, double lat);
#endif
