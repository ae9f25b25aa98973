// SPDX-License-Identifier: BSD-3-Clause
//
// An input without a file, for benchmarks and trials:
//
//   generate:KIND?shape=1000x2000&type=float32&seed=1&dims=y:x
//
//   KIND   ramp    the row-major number of the cell, as float64 and then float32; integers wrap
//          random  floats uniform in (0, 1), integers all bits random; a function of seed and cell
//   shape  lengths of the axes, must be given; type (float32), seed (0), dims (axis0:axis1:..)
//
// `,` does for `&` where a shell would be in the way. A cell's value depends on its place in the
// array alone, so any cut into blocks gives the same array. Nothing is fetched; the team generates
// in decode: about 1 G values/s a core for the ramp, 0.2 for random.
#include "base/mem.h"
#include "base/text.h"
#include "data/formats.h"
#include <stdio.h>
#include <string.h>

static const char scheme[] = "generate:";

typedef void fill_values(uint64_t seed, plait_type type, uint64_t first, int64_t n, void *to);

typedef struct state {
  fill_values *fill;
  uint64_t seed;
} state;

static bool claims_generate(const char *path, const unsigned char *head, size_t bytes) {
  (void)head, (void)bytes;
  return strncmp(path, scheme, strlen(scheme)) == 0;
}

// ---- values ----

// Cell numbers that a float64 holds exactly; beyond them the sum below would round twice.
static bool exact(uint64_t first, int64_t n) {
  return first + (uint64_t)n < UINT64_C(1) << 53;
}

PLAIT_WIDE static void ramp_f32(double first, int n, float *restrict to) {
  for (int i = 0; i < n; i++) to[i] = (float)(first + i);
}

PLAIT_WIDE static void ramp_f64(double first, int n, double *restrict to) {
  for (int i = 0; i < n; i++) to[i] = first + i;
}

PLAIT_WIDE static void ramp_integers(size_t size, uint64_t first, int n, void *to) {
  if (size == 1)
    for (int i = 0; i < n; i++) ((uint8_t *)to)[i] = (uint8_t)(first + (uint64_t)i);
  if (size == 2)
    for (int i = 0; i < n; i++) ((uint16_t *)to)[i] = (uint16_t)(first + (uint64_t)i);
  if (size == 4)
    for (int i = 0; i < n; i++) ((uint32_t *)to)[i] = (uint32_t)(first + (uint64_t)i);
  if (size == 8)
    for (int i = 0; i < n; i++) ((uint64_t *)to)[i] = first + (uint64_t)i;
}

static void fill_ramp(uint64_t seed, plait_type type, uint64_t first, int64_t n, void *to) {
  (void)seed;
  bool fast = exact(first, n);
  if (type == PLAIT_F32 && fast)
    ramp_f32((double)first, (int)n, to);
  else if (type == PLAIT_F64 && fast)
    ramp_f64((double)first, (int)n, to);
  else if (type == PLAIT_F32)
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)(double)(first + (uint64_t)i);
  else if (type == PLAIT_F64)
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] = (double)(first + (uint64_t)i);
  else
    ramp_integers(plait_type_size(type), first, (int)n, to);
}

// `count` values of `type` from random words, `size` bytes each: loops without a branch inside.
static void from_words(plait_type type, const uint32_t *words, int count, void *to) {
  if (type == PLAIT_F32)
    for (int i = 0; i < count; i++) ((float *)to)[i] = ((float)(words[i] >> 9) + 0.5f) * 0x1p-23f;
  else if (type == PLAIT_F64)
    for (int i = 0; i < count; i++)
      ((double *)to)[i] = plait_uniform(words[2 * i], words[2 * i + 1]);
  else if (plait_type_size(type) == 1)
    for (int i = 0; i < count; i++) ((uint8_t *)to)[i] = (uint8_t)words[i];
  else if (plait_type_size(type) == 2)
    for (int i = 0; i < count; i++) ((uint16_t *)to)[i] = (uint16_t)words[i];
  else if (plait_type_size(type) == 4)
    for (int i = 0; i < count; i++) ((uint32_t *)to)[i] = words[i];
  else
    for (int i = 0; i < count; i++)
      ((uint64_t *)to)[i] = (uint64_t)words[2 * i] << 32 | words[2 * i + 1];
}

enum { DRAWS = 64 }; // calls of plait_random in a batch

// A draw of four words serves four cells of up to 32 bits, or two of 64: cell c takes draw c / 4 or
// c / 2. Batches start at whole draws; the words before `first` are passed over.
static void fill_random(uint64_t seed, plait_type type, uint64_t first, int64_t n, void *to) {
  const size_t size = plait_type_size(type);
  const unsigned per_draw = size == 8 ? 2 : 4, per_cell = 4 / per_draw;
  uint32_t words[4 * DRAWS];
  for (char *at = to; n > 0;) {
    unsigned skip = (unsigned)(first % per_draw), room = DRAWS * per_draw - skip;
    int count = n < (int64_t)room ? (int)n : (int)room;
    unsigned draws = (skip + (unsigned)count + per_draw - 1) / per_draw;
    for (unsigned k = 0; k < draws; k++) plait_random(seed, 0, first / per_draw + k, &words[4 * k]);
    from_words(type, words + skip * per_cell, count, at);
    at += (size_t)count * size;
    first += (uint64_t)count;
    n -= count;
  }
}

static const struct {
  const char *name;
  fill_values *fill;
} kinds[] = {{"ramp", fill_ramp}, {"random", fill_random}};

static const char *const kind_names[] = {"ramp", "random", NULL};

// ---- settings ----

static plait_err wrong(const char *spec, const char *what, const char *word, const char *near) {
  return plait_fail(PLAIT_INPUT, "%s: %s '%s'%s%s%s", spec, what, word,
                    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static plait_err set_shape(const char *spec, char *value, pl_meta *meta) {
  meta->ndim = 0;
  for (char *word; (word = strsep(&value, "x")) != NULL;) {
    if (meta->ndim == PLAIT_DIMS)
      return plait_fail(PLAIT_INPUT, "%s: more than %d axes", spec, PLAIT_DIMS);
    if (!pl_parse_int(word, &meta->shape[meta->ndim++]))
      return wrong(spec, "not a length:", word, NULL);
  }
  return PLAIT_OK;
}

static plait_err set_type(const char *spec, const char *value, pl_meta *meta) {
  const char *names[PLAIT_TYPES + 1] = {NULL};
  for (int t = 0; t < PLAIT_TYPES; t++) {
    names[t] = plait_type_name((plait_type)t);
    if (strcmp(names[t], value) != 0) continue;
    meta->stored = meta->type = (plait_type)t;
    return PLAIT_OK;
  }
  return wrong(spec, "unknown type", value, pl_nearest(value, names));
}

static plait_err set_dims(const char *spec, char *value, int *ndims, pl_meta *meta) {
  *ndims = 0;
  for (char *word; (word = strsep(&value, ":")) != NULL;) {
    if (*ndims == PLAIT_DIMS || word[0] == 0 || strlen(word) >= PLAIT_NAME)
      return plait_fail(PLAIT_INPUT, "%s: empty, too long or too many names in dims", spec);
    snprintf(meta->dims[(*ndims)++], PLAIT_NAME, "%s", word);
  }
  return PLAIT_OK;
}

static plait_err set_pair(const char *spec, char *pair, int *ndims, state *s, pl_meta *meta) {
  static const char *const keys[] = {"shape", "type", "seed", "dims", NULL};
  char *equals = strchr(pair, '='), *value = equals != NULL ? equals + 1 : NULL;
  int64_t seed;
  if (value == NULL) return wrong(spec, "KEY=VALUE expected, not", pair, NULL);
  *equals = 0;
  if (strcmp(pair, "shape") == 0) return set_shape(spec, value, meta);
  if (strcmp(pair, "type") == 0) return set_type(spec, value, meta);
  if (strcmp(pair, "dims") == 0) return set_dims(spec, value, ndims, meta);
  if (strcmp(pair, "seed") != 0)
    return wrong(spec, "unknown setting", pair, pl_nearest(pair, keys));
  if (!pl_parse_int(value, &seed)) return wrong(spec, "not a seed:", value, NULL);
  s->seed = (uint64_t)seed;
  return PLAIT_OK;
}

static plait_err set_kind(const char *spec, const char *name, state *s, pl_meta *meta) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, name) == 0) s->fill = kinds[i].fill;
  if (s->fill == NULL) return wrong(spec, "unknown kind", name, pl_nearest(name, kind_names));
  snprintf(meta->name, PLAIT_NAME, "%s", name);
  return PLAIT_OK;
}

// `text` is everything behind the scheme and is taken apart.
static plait_err read_settings(const char *spec, char *text, state *s, pl_meta *meta) {
  int ndims = -1;
  char *settings = strchr(text, '?'), *save = NULL;
  if (settings != NULL) *settings++ = 0;
  meta->stored = meta->type = PLAIT_F32;
  TRY(set_kind(spec, text, s, meta));
  for (char *pair; settings && (pair = strtok_r(settings, "&,", &save)) != NULL; settings = save)
    TRY(set_pair(spec, pair, &ndims, s, meta));
  if (meta->ndim == 0)
    return plait_fail(PLAIT_INPUT, "%s: shape is missing, as in generate:ramp?shape=100x200", spec);
  if (ndims >= 0 && ndims != meta->ndim)
    return plait_fail(PLAIT_INPUT, "%s: %d names in dims for %d axes", spec, ndims, meta->ndim);
  for (int d = 0; d < meta->ndim && ndims < 0; d++)
    snprintf(meta->dims[d], PLAIT_NAME, "axis%d", d);
  return pl_meta_check_shape(meta, spec);
}

static plait_err open_generate(const char *path, const char *variable, pl_dataset *dataset) {
  (void)variable; // a scheme is not split
  plait_err err = PLAIT_OK;
  state *s = NULL;
  char *text = NULL;
  GUARD(pl_calloc(1, sizeof *s, &s));
  GUARD(pl_strdup(path + strlen(scheme), &text));
  GUARD(read_settings(path, text, s, &dataset->meta));
  dataset->state = s;
  s = NULL;
done:
  pl_free(&s);
  pl_free(&text);
  return err;
}

static void close_generate(pl_dataset *dataset) {
  pl_free(&dataset->state);
}

static size_t no_raw_bytes(const pl_dataset *dataset, const int64_t extent[]) {
  (void)dataset, (void)extent;
  return 0;
}

static plait_err fetch_nothing(pl_dataset *dataset, const pl_box *box, void *raw,
                               const plait_block *to) {
  (void)dataset, (void)box, (void)raw, (void)to;
  return PLAIT_OK;
}

enum { PIECE = 16384 }; // cells that one thread takes at once

static void decode_generate(const pl_dataset *dataset, const pl_box *box, void *raw,
                            const plait_block *to, plait_raise *raise) {
  (void)raw, (void)raise;
  const state *s = dataset->state;
  const int last = box->ndim - 1;
  const int64_t per_row = (box->n[last] + PIECE - 1) / PIECE;
  const int64_t total = pl_box_cells(box) / box->n[last] * per_row;
#pragma omp for schedule(static)
  for (int64_t i = 0; i < total; i++) {
    int64_t row = i / per_row, at[PLAIT_DIMS], cell = 0;
    at[last] = i % per_row * PIECE;
    int64_t n = box->n[last] - at[last] < PIECE ? box->n[last] - at[last] : PIECE;
    ptrdiff_t place = 0;
    for (int d = last - 1; d >= 0; row /= box->n[d--]) at[d] = row % box->n[d];
    for (int d = 0; d <= last; d++) {
      cell = cell * dataset->meta.shape[d] + box->lo[d] + at[d];
      place += at[d] * to->stride[d];
    }
    char *data = (char *)to->data + place * (ptrdiff_t)plait_type_size(to->type);
    s->fill(s->seed, to->type, (uint64_t)cell, n, data);
  }
}

const pl_format pl_format_generate = {
    .name = "generate",
    .summary = "made-up arrays: generate:ramp?shape=100x200, generate:random?shape=..",
    .extensions = "",
    .claims = claims_generate,
    .open = open_generate,
    .close = close_generate,
    .raw_bytes = no_raw_bytes,
    .fetch = fetch_nothing,
    .decode = decode_generate,
};
