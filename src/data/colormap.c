// SPDX-License-Identifier: BSD-3-Clause
//
// A map is a few control colours, joined by straight lines in OKLab (B. Ottosson, "A perceptual
// color space for image processing", 2020), where equal steps look about equal. For the sequential
// map the control colours give the hue only: its lightness is a straight line from end to end.
#include "data/colormap.h"
#include <math.h>
#include <string.h>

const char *const pl_map_names[] = {"sequential", "diverging", "relief", "gray", NULL};

typedef struct lab {
  double l, a, b;
} lab;

typedef struct stop {
  double at; // 0..1
  uint32_t rgb;
} stop;

typedef struct recipe {
  bool even; // lightness is forced onto a straight line
  int n;
  stop stops[10];
} recipe;

// Relief has two stops at 0.5: the coast is a jump.
static const recipe recipes[] = {
    [PL_MAP_SEQUENTIAL] =
        {true,
         5,
         {{0, 0x2a0a4a}, {0.25, 0x3b4a8c}, {0.5, 0x1f8a8a}, {0.75, 0x5cc05a}, {1, 0xf8e836}}},
    [PL_MAP_DIVERGING] =
        {false,
         5,
         {{0, 0x143c78}, {0.25, 0x5f9dc8}, {0.5, 0xf7f7f5}, {0.75, 0xe0825c}, {1, 0x7d1226}}},
    [PL_MAP_RELIEF] = {false,
                       9,
                       {{0, 0x08123a},
                        {0.25, 0x1d4f91},
                        {0.44, 0x5aa5d6},
                        {0.5, 0xbfe3f2},
                        {0.5, 0x3f8f4f},
                        {0.58, 0xb7c877},
                        {0.7, 0xc49a5a},
                        {0.85, 0x7d5136},
                        {1, 0xfbfaf8}}},
    [PL_MAP_GRAY] = {true, 2, {{0, 0x000000}, {1, 0xffffff}}},
};

static double to_linear(double c) {
  return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static unsigned char to_byte(double c) {
  double s = c <= 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1 / 2.4) - 0.055;
  return (unsigned char)lround(fmin(fmax(s, 0), 1) * 255);
}

static lab lab_of(uint32_t rgb) {
  double r = to_linear((double)(rgb >> 16 & 255) / 255);
  double g = to_linear((double)(rgb >> 8 & 255) / 255);
  double b = to_linear((double)(rgb & 255) / 255);
  double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return (lab){0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
               1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
               0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

static void rgb_of(lab c, unsigned char rgb[3]) {
  double l = pow(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
  double m = pow(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
  double s = pow(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);
  rgb[0] = to_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  rgb[1] = to_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  rgb[2] = to_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

static lab mix(const recipe *r, double t) {
  int i = 1;
  while (i < r->n - 1 && t >= r->stops[i].at) i++;
  const stop *p = &r->stops[i - 1], *q = &r->stops[i];
  double w = q->at > p->at ? (t - p->at) / (q->at - p->at) : 0;
  lab a = lab_of(p->rgb), b = lab_of(q->rgb);
  lab c = {a.l + w * (b.l - a.l), a.a + w * (b.a - a.a), a.b + w * (b.b - a.b)};
  if (r->even) {
    double first = lab_of(r->stops[0].rgb).l, last = lab_of(r->stops[r->n - 1].rgb).l;
    c.l = first + t * (last - first);
  }
  return c;
}

void pl_colormap_make(pl_map_kind kind, double lo, double hi, pl_colormap *map) {
  map->kind = kind;
  map->lo = lo;
  map->hi = hi;
  for (int i = 0; i < PL_MAP_COLORS; i++)
    rgb_of(mix(&recipes[kind], (i + 0.5) / PL_MAP_COLORS), map->rgb[i]);
}

// Where the value stands in the map, 0..1. Halved before they are subtracted: hi - lo may overflow.
static double place(const pl_colormap *map, double v) {
  double side = fmax(fabs(map->lo), fabs(map->hi));
  switch (map->kind) {
  case PL_MAP_DIVERGING:
    return side > 0 ? 0.5 + 0.5 * (v / side) : 0.5;
  case PL_MAP_RELIEF:
    if (v < 0) return map->lo < 0 ? 0.5 - 0.5 * (v / map->lo) : 0;
    return map->hi > 0 ? 0.5 + 0.5 * (v / map->hi) : 0.5;
  default:
    return map->hi > map->lo ? (v / 2 - map->lo / 2) / (map->hi / 2 - map->lo / 2) : 0.5;
  }
}

void pl_colormap_color(const pl_colormap *map, double value, unsigned char rgba[4]) {
  memset(rgba, 0, 4);
  if (isnan(value)) return;
  double t = place(map, value);
  int i = (int)(fmin(fmax(t, 0), 1) * PL_MAP_COLORS);
  if (map->kind == PL_MAP_RELIEF && value < 0 && i >= PL_MAP_COLORS / 2) i = PL_MAP_COLORS / 2 - 1;
  if (i >= PL_MAP_COLORS) i = PL_MAP_COLORS - 1;
  memcpy(rgba, map->rgb[i], 3);
  rgba[3] = 255;
}

static bool names_height(const char *text) {
  static const char *const words[] = {"height",     "relief",   "topograph", "elevation",
                                      "bathymetry", "altitude", NULL};
  for (int i = 0; words[i]; i++)
    if (strcasestr(text, words[i])) return true;
  return false;
}

pl_map_kind pl_colormap_choose(const char *units, const char *standard_name, const char *long_name,
                               double lo, double hi) {
  bool metres = !strcmp(units, "m") || !strcmp(units, "metre") || !strcmp(units, "meter") ||
                !strcmp(units, "metres") || !strcmp(units, "meters");
  if (metres && (names_height(standard_name) || names_height(long_name)) && hi - lo > 100)
    return PL_MAP_RELIEF;
  if (lo < 0 && hi > 0 && fmin(-lo, hi) >= 0.1 * fmax(-lo, hi)) return PL_MAP_DIVERGING;
  return PL_MAP_SEQUENTIAL;
}
