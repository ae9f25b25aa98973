// SPDX-License-Identifier: BSD-3-Clause
//
// One value of one parameter: a function per kind, in a table. Each writes the struct only when the
// value is right; a mistake becomes an issue and the reading goes on, so that all are found at
// once.
#include "base/mem.h"
#include "engine/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 10000, VALUES = 100000, SHOWN = 60 };

typedef struct place { // what is being read
  const pl_reader *reader;
  const plait_param *param;
  const char *name;
} place;

static const char *const kinds[] = {"a single value", "a list", "a mapping"};

static void wrong(const place *p, const pl_yaml *node, const char *expected) {
  if (node->kind != PL_YAML_SCALAR) {
    pl_issue(p->reader->issues, node->mark, "'%s' must be %s, not %s", p->name, expected,
             kinds[node->kind]);
  } else {
    pl_issue(p->reader->issues, node->mark, "'%s' must be %s, not '%.*s'%s", p->name, expected,
             SHOWN, node->text, node->quoted ? " in quotes" : "");
  }
}

// ---- numbers ----------------------------------------------------------------------------------

static bool has_unit(const plait_param *param, const char *unit) {
  return param->unit && strcmp(param->unit, unit) == 0;
}

static void format_bound(const plait_param *param, double value, char out[32]) {
  if (has_unit(param, "bytes"))
    pl_format_size((int64_t)value, out);
  else
    pl_format_real(value, out);
}

static bool in_range(const place *p, const pl_yaml *node, double value) {
  const plait_param *param = p->param;
  if ((param->min == 0 && param->max == 0) || (value >= param->min && value <= param->max)) {
    return true;
  }
  char low[32], high[32];
  const char *unit = has_unit(param, "bytes") || !param->unit ? "" : param->unit;
  const char *blank = unit[0] ? " " : "";
  format_bound(param, param->min, low);
  format_bound(param, param->max, high);
  bool no_low = isinf(param->min), no_high = isinf(param->max) || param->max >= 0x1p62;
  pl_issue(p->reader->issues, node->mark, "'%s' must be %s%s%s%s%s%s, not '%.*s'", p->name,
           no_low    ? "at most "
           : no_high ? "at least "
                     : "from ",
           no_low ? "" : low, no_low || no_high ? "" : " to ", no_high ? "" : high, blank, unit,
           SHOWN, node->text);
  return false;
}

// Copies the number at the head of the text; what follows must be the parameter's very unit.
static bool split_unit(const place *p, const pl_yaml *node, char number[64]) {
  const char *expected = p->param->kind == PLAIT_PARAM_INT ? "a whole number" : "a number";
  size_t length = node->kind == PL_YAML_SCALAR ? pl_number_length(node->text) : 0;
  if (length == 0 || length >= 64) {
    wrong(p, node, expected);
    return false;
  }
  memcpy(number, node->text, length);
  number[length] = '\0';
  const char *unit = node->text + length + strspn(node->text + length, " ");
  const char *right = p->param->unit ? p->param->unit : "";
  if (*unit == '\0' && node->quoted) {
    wrong(p, node, expected);
    return false;
  }
  if (*unit == '\0' || strcmp(unit, right) == 0) return true;
  if (right[0]) {
    pl_issue(p->reader->issues, node->mark, "'%s' is in %s, not in '%.*s'", p->name, right, SHOWN,
             unit);
  } else {
    pl_issue(p->reader->issues, node->mark, "'%s' is a number without a unit, not in '%.*s'",
             p->name, SHOWN, unit);
  }
  return false;
}

static plait_err read_size(const place *p, const pl_yaml *node, int64_t *out) {
  int64_t bytes;
  if (node->kind != PL_YAML_SCALAR || !pl_parse_size(node->text, &bytes)) {
    wrong(p, node, "a size such as 2 GiB");
  } else if (in_range(p, node, (double)bytes)) {
    *out = bytes;
  }
  return PLAIT_OK;
}

static plait_err read_int(const place *p, const pl_yaml *node, void *out) {
  char number[64];
  int64_t value;
  if (has_unit(p->param, "bytes")) return read_size(p, node, out);
  if (!split_unit(p, node, number)) return PLAIT_OK;
  if (!pl_parse_int(number, &value))
    wrong(p, node, "a whole number");
  else if (in_range(p, node, (double)value))
    *(int64_t *)out = value;
  return PLAIT_OK;
}

static bool time_of(const place *p, const pl_yaml *node, double *value) {
  if (node->kind != PL_YAML_SCALAR) return false;
  if (node->text[0] == '-' && pl_parse_real(node->text, value)) return true; // a time before zero
  if (pl_parse_time(node->text, value)) return true;
  wrong(p, node, "a time such as 10 min (s, min, h, d)");
  return false;
}

static bool one_real(const place *p, const pl_yaml *node, double *value) {
  char number[64];
  if (has_unit(p->param, "s") && node->kind == PL_YAML_SCALAR) {
    if (!time_of(p, node, value)) return false;
  } else {
    if (!split_unit(p, node, number)) return false;
    if (!pl_parse_real(number, value)) {
      wrong(p, node, "a finite number");
      return false;
    }
  }
  return in_range(p, node, *value);
}

static plait_err read_real(const place *p, const pl_yaml *node, void *out) {
  double value;
  if (one_real(p, node, &value)) *(double *)out = value;
  return PLAIT_OK;
}

// ---- words ------------------------------------------------------------------------------------

static plait_err read_bool(const place *p, const pl_yaml *node, void *out) {
  static const char *const words[] = {"false", "no", "off", "true", "yes", "on", NULL};
  for (int i = 0; node->kind == PL_YAML_SCALAR && !node->quoted && words[i]; i++) {
    if (strcmp(node->text, words[i]) != 0) continue;
    *(bool *)out = i >= 3;
    return PLAIT_OK;
  }
  wrong(p, node, "true or false");
  return PLAIT_OK;
}

static void report_choice(const place *p, const pl_yaml *node) {
  pl_text list = {0};
  const char *near = pl_nearest(node->text, p->param->choices);
  for (int i = 0; p->param->choices[i]; i++) {
    pl_text_add(&list, "%s%s", i > 0 ? ", " : "", p->param->choices[i]);
  }
  pl_issue(p->reader->issues, node->mark, "'%s' must be one of %s, not '%.*s'%s%s%s", p->name,
           list.at ? list.at : "", SHOWN, node->text, near ? "; did you mean '" : "",
           near ? near : "", near ? "'?" : "");
  pl_text_free(&list);
}

// The index of a choice, -1 (reported) when it is none.
static int one_choice(const place *p, const pl_yaml *node) {
  if (node->kind != PL_YAML_SCALAR) {
    wrong(p, node, "one word");
    return -1;
  }
  for (int i = 0; p->param->choices[i]; i++) {
    if (strcmp(node->text, p->param->choices[i]) == 0) return i;
  }
  report_choice(p, node);
  return -1;
}

static plait_err read_choice(const place *p, const pl_yaml *node, void *out) {
  int index = one_choice(p, node);
  if (index >= 0) *(int *)out = index;
  return PLAIT_OK;
}

static plait_err read_text(const place *p, const pl_yaml *node, void *out) {
  if (node->kind != PL_YAML_SCALAR)
    wrong(p, node, "a text");
  else
    return pl_arena_text(&p->reader->keep->arena, node->text, out);
  return PLAIT_OK;
}

// ---- files ------------------------------------------------------------------------------------

static plait_err read_file(const place *p, const pl_yaml *node, void *out) {
  pl_keep *keep = p->reader->keep;
  pl_note *note;
  if (node->kind != PL_YAML_SCALAR) {
    wrong(p, node, "a file");
    return PLAIT_OK;
  }
  TRY(pl_arena_get(&keep->arena, 1, sizeof *note, &note));
  note->value = out;
  TRY(pl_file_place(p->reader, node->text, node->mark.origin, out, &note->echo));
  note->next = keep->files;
  keep->files = note;
  return PLAIT_OK;
}

// ---- lists ------------------------------------------------------------------------------------

// "mean, std" without brackets is a list too: brackets need quoting in many shells.
static plait_err split_words(const place *p, const pl_yaml *node, const pl_yaml **list) {
  pl_arena *arena = &p->reader->keep->arena;
  pl_yaml *parent, *child;
  TRY(pl_yaml_new(arena, PL_YAML_LIST, node->mark, &parent));
  for (const char *at = node->text;;) {
    at += strspn(at, " ");
    size_t length = strcspn(at, ","), used = length;
    while (used > 0 && at[used - 1] == ' ') used--;
    char *word;
    TRY(pl_yaml_new(arena, PL_YAML_SCALAR, node->mark, &child));
    TRY(pl_arena_get(arena, used + 1, 1, &word));
    memcpy(word, at, used);
    child->text = word;
    if (parent->last)
      parent->last->next = child;
    else
      parent->first = child;
    parent->last = child;
    parent->n++;
    if (at[length] == '\0') break;
    at += length + 1;
  }
  *list = parent;
  return PLAIT_OK;
}

// A list, or a list of one: *list is NULL when it is neither (reported).
static plait_err as_list(const place *p, const pl_yaml *node, const pl_yaml **list) {
  *list = NULL;
  if (node->kind == PL_YAML_MAP) {
    wrong(p, node, "a value or a list");
  } else if (node->n > VALUES) {
    pl_issue(p->reader->issues, node->mark, "'%s' has more than %d values", p->name, VALUES);
  } else if (node->kind == PL_YAML_LIST) {
    *list = node;
  } else if (!node->quoted && strchr(node->text, ',')) {
    return split_words(p, node, list);
  } else {
    pl_yaml *one, *only;
    TRY(pl_yaml_new(&p->reader->keep->arena, PL_YAML_LIST, node->mark, &one));
    TRY(pl_yaml_new(&p->reader->keep->arena, PL_YAML_SCALAR, node->mark, &only));
    *only = *node;
    only->next = NULL;
    one->first = one->last = only;
    one->n = 1;
    *list = one;
  }
  return PLAIT_OK;
}

static plait_err read_reals(const place *p, const pl_yaml *node, void *out) {
  const pl_yaml *list;
  double *values;
  int n = 0;
  TRY(as_list(p, node, &list));
  if (!list) return PLAIT_OK;
  TRY(pl_arena_get(&p->reader->keep->arena, (size_t)list->n, sizeof *values, &values));
  for (const pl_yaml *item = list->first; item; item = item->next) {
    if (one_real(p, item, &values[n])) n++;
  }
  *(plait_reals *)out = (plait_reals){n, values};
  return PLAIT_OK;
}

static plait_err read_choices(const place *p, const pl_yaml *node, void *out) {
  const pl_yaml *list;
  uint64_t bits = 0;
  TRY(as_list(p, node, &list));
  if (!list) return PLAIT_OK;
  for (const pl_yaml *item = list->first; item; item = item->next) {
    int index = one_choice(p, item);
    if (index < 0) continue;
    uint64_t bit = UINT64_C(1) << index;
    if (bits & bit) {
      pl_issue(p->reader->issues, item->mark, "'%s' names '%s' twice", p->name, item->text);
    }
    bits |= bit;
  }
  *(uint64_t *)out = bits;
  return PLAIT_OK;
}

// Kept as words until the input is open (axes.c).
static plait_err read_axes(const place *p, const pl_yaml *node, void *out) {
  pl_keep *keep = p->reader->keep;
  const pl_yaml *list;
  pl_note *note;
  TRY(as_list(p, node, &list));
  if (!list) return PLAIT_OK;
  TRY(pl_arena_get(&keep->arena, 1, sizeof *note, &note));
  TRY(pl_arena_text(&keep->arena, p->name, &note->name));
  TRY(pl_arena_get(&keep->arena, (size_t)list->n, sizeof *note->words, &note->words));
  note->value = out;
  for (const pl_yaml *item = list->first; item; item = item->next) {
    if (item->kind != PL_YAML_SCALAR || item->text[0] == '\0')
      wrong(p, item, "the name of an axis");
    else
      note->words[note->n++] = item;
  }
  if (keep->last_axes)
    keep->last_axes->next = note;
  else
    keep->axes = note;
  keep->last_axes = note;
  return PLAIT_OK;
}

static plait_err read_row(const place *p, const pl_yaml *item, int number, void *row) {
  pl_text prefix = {0};
  if (item->kind != PL_YAML_MAP) {
    wrong(p, item, "a list of mappings");
    return PLAIT_OK;
  }
  pl_text_add(&prefix, "%s[%d].", p->name, number);
  if (prefix.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  plait_err err = pl_params_read(p->reader, p->param->columns, prefix.at, item, item->mark, row);
  pl_text_free(&prefix);
  return err;
}

static plait_err read_table(const place *p, const pl_yaml *node, void *out) {
  char *rows;
  int n = 0;
  if (node->kind != PL_YAML_LIST) {
    wrong(p, node, "a list of mappings");
    return PLAIT_OK;
  }
  if (node->n > ROWS) {
    pl_issue(p->reader->issues, node->mark, "'%s' has more than %d rows", p->name, ROWS);
    return PLAIT_OK;
  }
  TRY(pl_arena_get(&p->reader->keep->arena, (size_t)node->n, p->param->row_size, &rows));
  for (const pl_yaml *item = node->first; item; item = item->next, n++) {
    TRY(read_row(p, item, n + 1, rows + (size_t)n * p->param->row_size));
  }
  *(plait_table *)out = (plait_table){n, rows};
  return PLAIT_OK;
}

typedef struct kind {
  plait_err (*read)(const place *p, const pl_yaml *node, void *out);
  const char *words;
} kind;

static const kind table[] = {
    [PLAIT_PARAM_INT] = {read_int, "whole number"},
    [PLAIT_PARAM_REAL] = {read_real, "number"},
    [PLAIT_PARAM_BOOL] = {read_bool, "true or false"},
    [PLAIT_PARAM_CHOICE] = {read_choice, "one of"},
    [PLAIT_PARAM_TEXT] = {read_text, "text"},
    [PLAIT_PARAM_FILE] = {read_file, "file"},
    [PLAIT_PARAM_REALS] = {read_reals, "number or list of numbers"},
    [PLAIT_PARAM_CHOICES] = {read_choices, "some of"},
    [PLAIT_PARAM_AXES] = {read_axes, "axes by name or number, or all"},
    [PLAIT_PARAM_TABLE] = {read_table, "list of mappings"},
};

const char *pl_param_type(const plait_param *param) {
  return table[param->kind].words;
}

plait_err pl_value_read(const pl_reader *reader, const plait_param *param, const char *name,
                        const pl_yaml *node, void *out) {
  place p = {reader, param, name};
  return table[param->kind].read(&p, node, out);
}
