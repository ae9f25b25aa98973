// SPDX-License-Identifier: BSD-3-Clause
//
// Parameters of the tsunami kernel, and where its waves come from. A fault counts within ten of its
// lengths: beyond, its uplift is below 1e-4 of the slip and the local plane of its formula is bent.
#include "tsunami.h"

#include <math.h>

enum { GAUSSIAN, MODE };

static const char *const anchors[] = {"corner", "top", "centre", NULL};
static const char *const shape_kinds[] = {"gaussian", "mode", NULL};

static const plait_param fault_columns[] = {
    {"lon", PLAIT_PARAM_REAL, offsetof(okada_fault, lon), "degrees", "of the anchor", NULL, -360,
     720, NULL, NULL, 0},
    {"lat", PLAIT_PARAM_REAL, offsetof(okada_fault, lat), "degrees", "of the anchor", NULL, -90, 90,
     NULL, NULL, 0},
    {"anchor", PLAIT_PARAM_CHOICE, offsetof(okada_fault, anchor), "",
     "corner: where the upper edge starts, along strike; top: its middle; centre: of the plane",
     "corner", 0, 0, anchors, NULL, 0},
    {"depth", PLAIT_PARAM_REAL, offsetof(okada_fault, depth), "km", "of the anchor", NULL, 0, 700,
     NULL, NULL, 0},
    {"strike", PLAIT_PARAM_REAL, offsetof(okada_fault, strike), "degrees", "clockwise from north",
     NULL, -360, 360, NULL, NULL, 0},
    {"dip", PLAIT_PARAM_REAL, offsetof(okada_fault, dip), "degrees", "to the right of the strike",
     NULL, 0, 90, NULL, NULL, 0},
    {"rake", PLAIT_PARAM_REAL, offsetof(okada_fault, rake), "degrees", "90: pure thrust", NULL,
     -360, 360, NULL, NULL, 0},
    {"length", PLAIT_PARAM_REAL, offsetof(okada_fault, length), "km", "along strike", NULL, 1e-3,
     5000, NULL, NULL, 0},
    {"width", PLAIT_PARAM_REAL, offsetof(okada_fault, width), "km", "down dip", NULL, 1e-3, 1000,
     NULL, NULL, 0},
    {"slip", PLAIT_PARAM_REAL, offsetof(okada_fault, slip), "m", "", NULL, -1000, 1000, NULL, NULL,
     0},
    {0}};

static const plait_param shape_columns[] = {
    {"kind", PLAIT_PARAM_CHOICE, offsetof(tsunami_shape, kind), "", "mode: cosines across the grid",
     NULL, 0, 0, shape_kinds, NULL, 0},
    {"amplitude", PLAIT_PARAM_REAL, offsetof(tsunami_shape, amplitude), "m", "", "1", 0, 0, NULL,
     NULL, 0},
    {"lon", PLAIT_PARAM_REAL, offsetof(tsunami_shape, lon), "degrees", "centre", "0", 0, 0, NULL,
     NULL, 0},
    {"lat", PLAIT_PARAM_REAL, offsetof(tsunami_shape, lat), "degrees", "centre", "0", 0, 0, NULL,
     NULL, 0},
    {"radius", PLAIT_PARAM_REAL, offsetof(tsunami_shape, radius), "km", "1 sigma", "50", 1e-9, 1e5,
     NULL, NULL, 0},
    {"kx", PLAIT_PARAM_REAL, offsetof(tsunami_shape, kx), "", "half waves across the grid", "0", 0,
     0, NULL, NULL, 0},
    {"ky", PLAIT_PARAM_REAL, offsetof(tsunami_shape, ky), "", "the same to the north", "0", 0, 0,
     NULL, NULL, 0},
    {0}};

const plait_param tsunami_table[] = {
    {"faults", PLAIT_PARAM_TABLE, offsetof(tsunami_params, faults), "",
     "rectangular faults (Okada 1985)", "[]", 0, 0, NULL, fault_columns, sizeof(okada_fault)},
    {"uplift", PLAIT_PARAM_FILE, offsetof(tsunami_params, uplift), "m",
     "uplift of the sea floor: the cells of the relief, or those computed", "", 0, 0, NULL, NULL,
     0},
    {"shapes", PLAIT_PARAM_TABLE, offsetof(tsunami_params, shapes), "", "heights by formula", "[]",
     0, 0, NULL, shape_columns, sizeof(tsunami_shape)},
    {"min_depth", PLAIT_PARAM_REAL, offsetof(tsunami_params, min_depth), "m",
     "shallower water counts as this deep", "10", 0.01, 1e4, NULL, NULL, 0},
    {"south", PLAIT_PARAM_REAL, offsetof(tsunami_params, south), "degrees", "first latitude", "-80",
     -90, 90, NULL, NULL, 0},
    {"north", PLAIT_PARAM_REAL, offsetof(tsunami_params, north), "degrees", "last latitude", "80",
     -90, 90, NULL, NULL, 0},
    {"west", PLAIT_PARAM_REAL, offsetof(tsunami_params, west), "degrees",
     "first longitude, as the file counts", "-360", -360, 720, NULL, NULL, 0},
    {"east", PLAIT_PARAM_REAL, offsetof(tsunami_params, east), "degrees", "last longitude", "720",
     -360, 720, NULL, NULL, 0},
    {"open", PLAIT_PARAM_BOOL, offsetof(tsunami_params, open), "",
     "waves leave at the border (else it reflects)", "true", 0, 0, NULL, NULL, 0},
    {"coriolis", PLAIT_PARAM_BOOL, offsetof(tsunami_params, coriolis), "", "turning of the Earth",
     "false", 0, 0, NULL, NULL, 0},
    {0}};

const double tsunami_radius = 6371000;
static const double rad = 3.14159265358979323846 / 180;

static double by_fault(const okada_fault *f, double lon, double lat) {
  double reach = 10 * fmax(f->length, f->width) / 111.2; // degrees
  if (fabs(lat - f->lat) > reach) return 0;
  if (fabs(remainder(lon - f->lon, 360)) * cos(lat * rad) > reach) return 0;
  return okada_uplift(f, lon, lat);
}

static double by_shape(const tsunami_shape *s, double lon, double lat, double px, double py) {
  if (s->kind == MODE)
    return s->amplitude * cos(180 * rad * s->kx * px) * cos(180 * rad * s->ky * py);
  double y = (lat - s->lat) * rad * tsunami_radius / 1000;
  double x = remainder(lon - s->lon, 360) * rad * tsunami_radius / 1000 * cos(s->lat * rad);
  return s->amplitude * exp(-(x * x + y * y) / (2 * s->radius * s->radius));
}

double tsunami_raised(const tsunami_params *p, double lon, double lat, double px, double py) {
  const okada_fault *f = p->faults.rows;
  const tsunami_shape *s = p->shapes.rows;
  double sum = 0;
  for (int k = 0; k < p->faults.n; k++) sum += by_fault(&f[k], lon, lat);
  for (int k = 0; k < p->shapes.n; k++) sum += by_shape(&s[k], lon, lat, px, py);
  return sum;
}
