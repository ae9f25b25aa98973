// SPDX-License-Identifier: BSD-3-Clause
//
// The slice of `plait view`.
#include "command/slice.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static plait_err cut(const plait_array *array, int axis, const char *text, bool fixed[],
                     pl_slice *slice) {
  int64_t index, length = array->shape[axis];
  if (!pl_parse_int(text, &index))
    return plait_fail(PLAIT_USAGE, "--slice: '%s' is not an index along %s, 0 to %lld", text,
                      array->dims[axis], (long long)(length - 1));
  if (index < -length || index >= length)
    return plait_fail(PLAIT_USAGE, "--slice: %s has indices 0 to %lld, not %lld", array->dims[axis],
                      (long long)(length - 1), (long long)index);
  slice->box.lo[axis] = index < 0 ? index + length : index;
  slice->box.n[axis] = 1;
  fixed[axis] = true;
  return PLAIT_OK;
}

static plait_err by_name(const plait_array *array, const char *name, const char *value,
                         bool fixed[], pl_slice *slice) {
  const char *names[PLAIT_DIMS + 1] = {NULL};
  for (int d = 0; d < array->ndim; d++) {
    if (!strcmp(array->dims[d], name)) return cut(array, d, value, fixed, slice);
    names[d] = array->dims[d];
  }
  const char *near = pl_nearest(name, names);
  if (near)
    return plait_fail(PLAIT_USAGE, "--slice: %s has no axis '%s'; did you mean '%s'?", array->name,
                      name, near);
  pl_text list = {0};
  for (int d = 0; d < array->ndim; d++) pl_text_add(&list, "%s%s", d ? ", " : "", array->dims[d]);
  plait_err err = plait_fail(PLAIT_USAGE, "--slice: %s has no axis '%s', only %s", array->name,
                             name, list.at ? list.at : "");
  pl_text_free(&list);
  return err;
}

// One part of a word between commas; parts without a name count the leading axes.
static plait_err read_part(const plait_array *array, char *part, int *leading, bool fixed[],
                           pl_slice *slice) {
  char *equals = strchr(part, '=');
  if (equals) {
    *equals = 0;
    return by_name(array, part, equals + 1, fixed, slice);
  }
  if (*leading >= array->ndim)
    return plait_fail(PLAIT_USAGE, "--slice: %s has %d axes only", array->name, array->ndim);
  return cut(array, (*leading)++, part, fixed, slice);
}

static plait_err read_words(const plait_array *array, int n, const char *const words[],
                            bool fixed[], pl_slice *slice) {
  int leading = 0;
  for (int i = 0; i < n; i++) {
    char word[256];
    if (snprintf(word, sizeof word, "%s", words[i]) >= (int)sizeof word)
      return plait_fail(PLAIT_USAGE, "--slice: the text is too long");
    char *rest = word;
    for (char *part; (part = strsep(&rest, ","));)
      TRY(read_part(array, part, &leading, fixed, slice));
  }
  return PLAIT_OK;
}

// ---- which axes are shown -------------------------------------------------------------------
static const char *units_of(const plait_array *array, int axis) {
  return array->coord_units[axis] ? array->coord_units[axis] : "";
}

static bool is_called(const plait_array *array, int axis, const char *const names[]) {
  for (; *names; names++)
    if (!strcasecmp(array->dims[axis], *names)) return true;
  return false;
}

// CF 4.1, 4.2: "degrees_north", "degree_N", "degreesE", ..
static bool in_degrees(const plait_array *array, int axis, char towards) {
  const char *units = units_of(array, axis);
  if (strncmp(units, "degree", 6) != 0) return false;
  units += 6;
  units += *units == 's';
  units += *units == '_';
  return tolower((unsigned char)*units) == towards;
}

static bool is_latitude(const plait_array *array, int axis) {
  static const char *const names[] = {"lat", "latitude", NULL};
  return in_degrees(array, axis, 'n') || is_called(array, axis, names);
}

static bool is_longitude(const plait_array *array, int axis) {
  static const char *const names[] = {"lon", "longitude", NULL};
  return in_degrees(array, axis, 'e') || is_called(array, axis, names);
}

// Along these a picture is a strip of pixels, or mixes what has no neighbours.
static bool is_no_place(const plait_array *array, int axis) {
  static const char *const names[] = {"time", "quantile", "bin", NULL};
  return is_called(array, axis, names) || strstr(units_of(array, axis), " since ");
}

static bool northward(const plait_array *array, int axis) {
  const double *c = array->coord[axis];
  return is_latitude(array, axis) && c && array->shape[axis] > 1 &&
         c[array->shape[axis] - 1] > c[0];
}

// 2: a side of a map; 1: a place; 0: the others.
static void rate(const plait_array *array, const bool fixed[], int rating[]) {
  bool north = false, east = false;
  for (int d = 0; d < array->ndim; d++) {
    north = north || (!fixed[d] && is_latitude(array, d));
    east = east || (!fixed[d] && is_longitude(array, d));
  }
  for (int d = 0; d < array->ndim; d++) {
    bool side = north && east && (is_latitude(array, d) || is_longitude(array, d));
    rating[d] = side ? 2 : !is_no_place(array, d);
  }
}

// The last of the axes that are rated best, but for `other`; -1: none is left.
static int take_axis(const plait_array *array, const bool fixed[], const int rating[], int other) {
  int best = -1;
  for (int d = 0; d < array->ndim; d++)
    if (!fixed[d] && d != other && (best < 0 || rating[d] >= rating[best])) best = d;
  return best;
}

plait_err pl_slice_choose(const plait_array *array, int n, const char *const words[],
                          pl_slice *slice) {
  bool fixed[PLAIT_DIMS] = {false};
  int rating[PLAIT_DIMS];
  *slice = (pl_slice){.row = -1, .column = -1, .box.ndim = array->ndim};
  if (array->ndim < 2)
    return plait_fail(PLAIT_INPUT, "%s has %d %s; a picture needs two", array->name, array->ndim,
                      array->ndim == 1 ? "axis" : "axes");
  memcpy(slice->box.n, array->shape, sizeof slice->box.n);
  TRY(read_words(array, n, words, fixed, slice));
  rate(array, fixed, rating);
  int one = take_axis(array, fixed, rating, -1), other = take_axis(array, fixed, rating, one);
  slice->row = one < other ? one : other;
  slice->column = one < other ? other : one;
  for (int d = 0; d < array->ndim; d++)
    if (d != one && d != other) slice->box.n[d] = 1;
  if (slice->row < 0)
    return plait_fail(PLAIT_USAGE, "--slice leaves fewer than two axes of %s to show", array->name);
  slice->flip = northward(array, slice->row);
  return PLAIT_OK;
}

void pl_slice_add(const pl_slice *slice, const plait_array *array, pl_text *out) {
  bool open = false;
  for (int d = 0; d < array->ndim; d++) {
    if (d == slice->row || d == slice->column) continue;
    pl_text_add(out, "%s%s=%lld", open ? ", " : " (", array->dims[d], (long long)slice->box.lo[d]);
    open = true;
  }
  if (open) pl_text_add(out, ")");
}
