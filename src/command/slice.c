// SPDX-License-Identifier: BSD-3-Clause
//
// The slice of `plait view`.
#include "command/slice.h"
#include <stdio.h>
#include <string.h>

static plait_err cut(const plait_array *array, int axis, const char *text, bool fixed[],
                     pl_slice *slice) {
  int64_t index, length = array->shape[axis];
  if (!pl_parse_int(text, &index))
    return plait_fail(PLAIT_USAGE, "--slice: '%s' is not an index along %s", text,
                      array->dims[axis]);
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
  return plait_fail(PLAIT_USAGE, "--slice: %s has no axis '%s'; its first is '%s'", array->name,
                    name, array->dims[0]);
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

static bool northward(const plait_array *array, int axis) {
  const double *c = array->coord[axis];
  const char *units = array->coord_units[axis] ? array->coord_units[axis] : "";
  bool latitude = !strncmp(units, "degrees_n", 9) || !strncmp(units, "degree_n", 8) ||
                  !strcmp(array->dims[axis], "lat") || !strcmp(array->dims[axis], "latitude");
  return latitude && c && array->shape[axis] > 1 && c[array->shape[axis] - 1] > c[0];
}

plait_err pl_slice_choose(const plait_array *array, int n, const char *const words[],
                          pl_slice *slice) {
  bool fixed[PLAIT_DIMS] = {false};
  *slice = (pl_slice){.row = -1, .column = -1, .box.ndim = array->ndim};
  if (array->ndim < 2)
    return plait_fail(PLAIT_INPUT, "%s has %d %s; a picture needs two", array->name, array->ndim,
                      array->ndim == 1 ? "axis" : "axes");
  memcpy(slice->box.n, array->shape, sizeof slice->box.n);
  TRY(read_words(array, n, words, fixed, slice));
  for (int d = array->ndim - 1; d >= 0; d--) {
    if (fixed[d]) continue;
    if (slice->column < 0)
      slice->column = d;
    else if (slice->row < 0)
      slice->row = d;
    else
      slice->box.n[d] = 1;
  }
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
