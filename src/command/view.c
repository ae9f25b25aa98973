// SPDX-License-Identifier: BSD-3-Clause
//
// plait view FILE[:VAR] -o PNG: one slice of an array as a picture, or with --frames one picture
// for every index of the first axis that is not shown. Read in bands of rows, so that a slice
// bigger than memory can be looked at.
#include "base/mem.h"
#include "command/commands.h"
#include "command/slice.h"
#include "data/picture.h"
#include "data/png.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define BAND_BYTES (16 << 20)

typedef struct options {
  int format;
  const char *output, *range, *map, *frames, *missing;
  pl_words slice;
  int64_t width;
  bool no_legend;
} options;

static const pl_option table[] = {
    {"output", 'o', PL_OPTION_TEXT, offsetof(options, output), "PNG", "the picture to write", 0, 0,
     NULL},
    {"frames", 0, PL_OPTION_TEXT, offsetof(options, frames), "DIR",
     "instead: one picture per index of the first axis that is not shown, same colours", 0, 0,
     NULL},
    {"slice", 0, PL_OPTION_REPEAT, offsetof(options, slice), "AXIS=INDEX",
     "index of an axis that is not shown; or 0,5: of the leading axes", 0, 0, NULL},
    {"map", 0, PL_OPTION_TEXT, offsetof(options, map), "NAME",
     "sequential, diverging, relief or gray; default: what suits the data", 0, 0, NULL},
    {"range", 0, PL_OPTION_TEXT, offsetof(options, range), "LO,HI",
     "values of the first and last colour", 0, 0, NULL},
    {"missing", 0, PL_OPTION_TEXT, offsetof(options, missing), "RRGGBB",
     "colour of missing values such as land, hexadecimal; default: transparent", 0, 0, NULL},
    {"width", 0, PL_OPTION_INT, offsetof(options, width), "N", "pixels across", 1, 32767, NULL},
    {"no-legend", 0, PL_OPTION_FLAG, offsetof(options, no_legend), NULL, "the picture alone", 0, 0,
     NULL},
    PL_OPTION_FORMAT(options),
    {0},
};

typedef struct view {
  const options *options;
  pl_dataset *data;
  plait_array array;
  pl_slice slice;
  pl_picture picture;
  double lo, hi;
  pl_colormap map;
  unsigned char missing[4]; // rgba
  int height;               // of the picture with its legend
  char path[4096];          // of the picture
} view;

static plait_err read_band(view *v, int64_t first, int64_t count, void *raw, void *values) {
  static const int64_t halo[PLAIT_DIMS] = {0};
  plait_raise raise = {0};
  pl_box box = v->slice.box;
  box.lo[v->slice.row] += first;
  box.n[v->slice.row] = count;
  plait_block block = pl_block_over(values, v->array.type, &box, halo);
  TRY(pl_dataset_fetch(v->data, &box, raw, &block));
  pl_dataset_decode(v->data, &box, raw, &block, &raise);
  TRY(pl_raised(&raise));
  pl_picture_add(&v->picture, first, count, v->array.type, values);
  return PLAIT_OK;
}

static plait_err read_slice(view *v) {
  int64_t rows = v->picture.rows, size = (int64_t)plait_type_size(v->array.type);
  int64_t band = BAND_BYTES / (v->picture.cols * size);
  if (band < 1) band = 1;
  if (band > rows) band = rows;
  pl_box box = v->slice.box;
  box.n[v->slice.row] = band;
  void *raw = NULL, *values = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc(pl_dataset_raw_bytes(v->data, box.n), 1, &raw));
  GUARD(pl_alloc((size_t)(band * v->picture.cols), (size_t)size, &values));
  for (int64_t first = 0; first < rows; first += band)
    GUARD(read_band(v, first, rows - first < band ? rows - first : band, raw, values));
  pl_picture_finish(&v->picture);
done:
  pl_free(&raw);
  pl_free(&values);
  return err;
}

static plait_err given_range(view *v) {
  const char *text = v->options->range, *comma = strchr(text, ',');
  char lo[64];
  snprintf(lo, sizeof lo, "%.*s", comma ? (int)(comma - text) : 0, text);
  if (!comma || !pl_parse_real(lo, &v->lo) || !pl_parse_real(comma + 1, &v->hi) || v->lo > v->hi)
    return plait_fail(PLAIT_USAGE, "--range must be two ascending numbers like -5,30, not '%s'",
                      text);
  return PLAIT_OK;
}

static plait_err given_missing(view *v) {
  const char *text = v->options->missing;
  unsigned red, green, blue;
  int end = 0;
  if (!text) return PLAIT_OK;
  const char *digits = text[0] == '#' ? text + 1 : text;
  if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6 ||
      sscanf(digits, "%2x%2x%2x%n", &red, &green, &blue, &end) != 3 || end != 6)
    return plait_fail(PLAIT_USAGE, "--missing must be a colour such as 808080, not '%s'", text);
  const unsigned char rgba[4] = {(unsigned char)red, (unsigned char)green, (unsigned char)blue,
                                 255};
  memcpy(v->missing, rgba, sizeof rgba);
  return PLAIT_OK;
}

static plait_err choose_map(view *v) {
  const char *name = v->options->map;
  const pl_attrs *attrs = &v->data->meta.attrs;
  int kind = 0;
  if (!name) {
    kind = (int)pl_colormap_choose(v->array.units, pl_attr_text(attrs, "standard_name"),
                                   pl_attr_text(attrs, "long_name"), v->lo, v->hi);
  } else {
    while (pl_map_names[kind] && strcmp(pl_map_names[kind], name)) kind++;
    if (!pl_map_names[kind]) {
      const char *near = pl_nearest(name, pl_map_names);
      return plait_fail(PLAIT_USAGE, "unknown colour map '%s'%s%s%s", name,
                        near ? "; did you mean '" : ": sequential, diverging, relief or gray",
                        near ? near : "", near ? "'?" : "");
    }
  }
  pl_colormap_make((pl_map_kind)kind, v->lo, v->hi, &v->map);
  return PLAIT_OK;
}

static void color_missing(const view *v, unsigned char *rgba) {
  size_t pixels = (size_t)v->picture.height * (size_t)v->picture.width;
  for (size_t i = 0; v->missing[3] && i < pixels; i++)
    if (rgba[4 * i + 3] == 0) memcpy(rgba + 4 * i, v->missing, 4);
}

static plait_err paint(view *v) {
  bool legend = !v->options->no_legend && v->picture.width >= PL_LEGEND_WIDTH;
  unsigned char *rgba;
  v->height = v->picture.height + (legend ? PL_LEGEND_HEIGHT : 0);
  TRY(pl_alloc((size_t)v->height * (size_t)v->picture.width, 4, &rgba));
  pl_picture_paint(&v->picture, &v->map, v->slice.flip, rgba);
  color_missing(v, rgba);
  if (legend)
    pl_legend_paint(&v->map, v->picture.width,
                    rgba + 4 * (size_t)v->picture.height * (size_t)v->picture.width);
  plait_err err = pl_png_write(v->path, v->picture.width, v->height, rgba);
  pl_free(&rgba);
  return err;
}

// Reads the slice anew into v->picture.
static plait_err load(view *v) {
  const pl_slice *s = &v->slice;
  pl_picture_free(&v->picture);
  TRY(pl_picture_start(s->box.n[s->row], s->box.n[s->column], (int)v->options->width, &v->picture));
  return read_slice(v);
}

// Widens lo..hi by the range of the picture.
static plait_err widen(view *v) {
  double lo, hi;
  bool any;
  TRY(pl_picture_range(&v->picture, &lo, &hi, &any));
  if (any && (v->lo > v->hi || lo < v->lo)) v->lo = lo;
  if (any && (v->lo > v->hi || hi > v->hi)) v->hi = hi;
  return PLAIT_OK;
}

// Sets the range and the colours for indices 0 .. n-1 of `axis`; axis -1: for the slice as it is.
static plait_err choose_colors(view *v, int axis) {
  int64_t n = axis < 0 ? 1 : v->array.shape[axis];
  v->lo = 1;
  v->hi = -1;
  TRY(given_missing(v));
  if (v->options->range) {
    TRY(given_range(v));
    return choose_map(v);
  }
  for (int64_t i = 0; i < n; i++) {
    if (axis >= 0) v->slice.box.lo[axis] = i;
    TRY(load(v));
    TRY(widen(v));
  }
  if (v->lo > v->hi) v->lo = v->hi = 0; // nothing but missing values
  return choose_map(v);
}

static plait_err draw(view *v) {
  TRY(load(v));
  return paint(v);
}

static plait_err print_text(const view *v) {
  pl_text t = {0};
  pl_text_add(&t, "%s: %d x %d pixels, %s", v->path, v->picture.width, v->height, v->array.name);
  pl_slice_add(&v->slice, &v->array, &t);
  pl_text_add(&t, ", colours %s from %.6g to %.6g%s%s\n", pl_map_names[v->map.kind], v->lo, v->hi,
              *v->array.units ? " " : "", v->array.units);
  return pl_print_text(&t);
}

static plait_err print_json(const view *v) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_string(&j, "picture", v->path);
  pl_json_int(&j, "width", v->picture.width);
  pl_json_int(&j, "height", v->height);
  pl_json_string(&j, "array", v->array.name);
  pl_json_string(&j, "units", v->array.units);
  pl_json_string(&j, "map", pl_map_names[v->map.kind]);
  pl_json_real(&j, "lo", v->lo);
  pl_json_real(&j, "hi", v->hi);
  pl_json_open(&j, "slice", '{');
  for (int d = 0; d < v->array.ndim; d++)
    if (d != v->slice.row && d != v->slice.column)
      pl_json_int(&j, v->array.dims[d], v->slice.box.lo[d]);
  pl_json_close(&j, '}');
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

static plait_err print(const view *v) {
  return v->options->format == PL_FORMAT_JSON ? print_json(v) : print_text(v);
}

static plait_err draw_one(view *v) {
  snprintf(v->path, sizeof v->path, "%s", v->options->output);
  TRY(choose_colors(v, -1));
  TRY(draw(v));
  return print(v);
}

static plait_err draw_frames(view *v) {
  const char *dir = v->options->frames;
  int axis = 0;
  while (axis < v->array.ndim && (axis == v->slice.row || axis == v->slice.column)) axis++;
  if (axis == v->array.ndim)
    return plait_fail(PLAIT_USAGE, "--frames: %s has two axes only; -o draws it", v->array.name);
  if (mkdir(dir, 0777) != 0 && errno != EEXIST)
    return pl_fail_errno(PLAIT_OUTPUT, "cannot make the directory", dir);
  TRY(choose_colors(v, axis));
  for (int64_t i = 0; i < v->array.shape[axis]; i++) {
    v->slice.box.lo[axis] = i;
    snprintf(v->path, sizeof v->path, "%s/%s-%04lld.png", dir, v->array.name, (long long)i);
    TRY(draw(v));
  }
  v->slice.box.lo[axis] = 0;
  snprintf(v->path, sizeof v->path, "%s/%s-0000.png to -%04lld.png", dir, v->array.name,
           (long long)(v->array.shape[axis] - 1));
  return print(v);
}

// A PNG under another ending would be opened as what it is not.
static plait_err check_ending(const char *output) {
  const char *slash = output ? strrchr(output, '/') : NULL;
  const char *dot = output ? strrchr(slash ? slash : output, '.') : NULL;
  if (!dot || !strcasecmp(dot, ".png")) return PLAIT_OK;
  return plait_fail(PLAIT_USAGE, "a picture is a PNG: name it %.*s.png, not '%s'",
                    (int)(dot - output), output, output);
}

static plait_err run(const pl_cli *cli) {
  view v = {.options = cli->options};
  const options *o = v.options;
  if (!o->output == !o->frames)
    return plait_fail(PLAIT_USAGE, "say where the picture goes: plait view %s -o FILE.png%s",
                      cli->args[0], o->output ? ", or --frames DIR, not both" : "");
  TRY(check_ending(o->output));
  TRY(pl_dataset_open(cli->args[0], &v.data));
  pl_meta_array(&v.data->meta, &v.array);
  plait_err err = pl_slice_choose(&v.array, o->slice.n, o->slice.at, &v.slice);
  if (err == PLAIT_OK) err = o->frames ? draw_frames(&v) : draw_one(&v);
  pl_picture_free(&v.picture);
  pl_dataset_close(&v.data);
  return err;
}

const pl_command pl_command_view = {
    .name = "view",
    .arguments = "FILE[:VAR] -o PNG | --frames DIR",
    .summary = "Draws a 2-D slice of an array as a PNG",
    .details =
        "Latitude and longitude are the picture, else the last two axes that are neither time\n"
        "nor quantiles nor bins; of the others the first index is shown, or what --slice says\n"
        "(--slice time=3, may be repeated). Missing values are transparent unless --missing\n"
        "gives them a colour, and north is up.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
