// SPDX-License-Identifier: BSD-3-Clause
//
// The vary: section from the tree of a job. Names may be dotted (params.sigma: ..) or nested
// (params: {sigma: ..}), so that an override of the command line (vary.params.sigma=[1,2]) is the
// same.
#include "base/mem.h"
#include "engine/evolve_job.h"
#include "engine/vary.h"
#include <stdio.h>
#include <string.h>

typedef struct options {
  int how;
  const char *table;
} options;

static const char *const hows[] = {"cross", "zip", NULL};
static const plait_param option_params[] = {
    {.name = "how",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = offsetof(options, how),
     .help = "cross: all with all; zip: the first with the first, the second with the second",
     .standard = "cross",
     .choices = hows},
    {.name = "table",
     .kind = PLAIT_PARAM_FILE,
     .offset = offsetof(options, table),
     .help = "file of the table, when each combination has an output of its own",
     .standard = ""},
    {.name = NULL},
};

static const plait_param input_param = {.name = "input", .kind = PLAIT_PARAM_FILE};

static const size_t sizes[] = {
    [PLAIT_PARAM_INT] = sizeof(int64_t),       [PLAIT_PARAM_REAL] = sizeof(double),
    [PLAIT_PARAM_BOOL] = sizeof(bool),         [PLAIT_PARAM_CHOICE] = sizeof(int),
    [PLAIT_PARAM_TEXT] = sizeof(char *),       [PLAIT_PARAM_FILE] = sizeof(char *),
    [PLAIT_PARAM_REALS] = sizeof(plait_reals), [PLAIT_PARAM_CHOICES] = sizeof(uint64_t),
    [PLAIT_PARAM_AXES] = sizeof(plait_axes),   [PLAIT_PARAM_TABLE] = sizeof(plait_table),
};

typedef struct reading {
  const pl_reader *reader;
  const plait_kernel *kernel;
  pl_yaml *root;
  pl_vary *vary;
} reading;

static const plait_param *table_of(const reading *r, pl_vary_place place) {
  if (place == PL_VARY_EVOLVE)
    return r->kernel && r->kernel->pattern == PLAIT_EVOLVE ? pl_evolve_params : NULL;
  return r->kernel ? r->kernel->params : NULL;
}

static const plait_param *find(const plait_param *table, const char *name) {
  while (table && table->name && strcmp(table->name, name) != 0) table++;
  return table && table->name ? table : NULL;
}

// ---- mistakes ----

// "params.vol": the nearest of that section alone, or NULL; written to `out`.
static const char *near_in_section(const reading *r, const char *key, char *out, size_t room) {
  static const char *const sections[] = {
      [PL_VARY_PARAMS] = "params.", [PL_VARY_EVOLVE] = "evolve."};
  const char *names[PL_YAML_KEYS + 1] = {NULL};
  for (int s = PL_VARY_PARAMS; s <= PL_VARY_EVOLVE; s++) {
    size_t length = strlen(sections[s]);
    if (strncmp(key, sections[s], length) != 0) continue;
    int n = 0;
    for (const plait_param *p = table_of(r, (pl_vary_place)s); p && p->name && n < PL_YAML_KEYS;
         p++)
      names[n++] = p->name;
    const char *near = pl_nearest(key + length, names);
    snprintf(out, room, "%s%s", sections[s], near ? near : "");
    return near ? out : NULL;
  }
  return NULL;
}

// All that may stand in `vary`, for the nearest name.
static void report_unknown(const reading *r, const char *key, pl_mark mark) {
  static const char *const sections[] = {"params", "evolve"};
  enum { MOST = PL_YAML_KEYS, LONG = 2 * PLAIT_NAME };
  static const char *const own[] = {"how", "table", "columns", "input"};
  char words[MOST][LONG], section[LONG];
  const char *names[MOST + 1] = {NULL}, *near = NULL;
  int n = 0;
  for (; n < 4; n++) names[n] = own[n];
  for (int s = PL_VARY_PARAMS; s <= PL_VARY_EVOLVE; s++) {
    for (const plait_param *p = table_of(r, (pl_vary_place)s); p && p->name && n < MOST; p++) {
      snprintf(words[n], LONG, "%s.%s", sections[s], p->name);
      if (strcmp(p->name, key) == 0) near = words[n]; // the section was forgotten
      names[n] = words[n];
      n++;
    }
  }
  if (!near && strchr(key, '.'))
    near = near_in_section(r, key, section, sizeof section);
  else if (!near)
    near = pl_nearest(key, names);
  if (strncmp(key, "run.", 4) == 0)
    pl_issue(r->reader->issues, mark, "'%.60s' cannot vary: it changes no result", key);
  else
    pl_issue(r->reader->issues, mark, "unknown key 'vary.%.60s'%s%s%s", key,
             near ? "; did you mean 'vary." : "", near ? near : "", near ? "'?" : "");
}

// ---- an axis ----

static bool takes_range(const plait_param *param) {
  return param->kind == PLAIT_PARAM_INT || param->kind == PLAIT_PARAM_REAL ||
         param->kind == PLAIT_PARAM_REALS;
}

static plait_err read_list(const reading *r, const pl_yaml *node, pl_axis *axis) {
  pl_text name = {0};
  int before = r->reader->issues->count;
  char *at;
  if (node->n == 0 || node->n > PL_VARY_VALUES) {
    pl_issue(r->reader->issues, node->mark, "'vary.%s' has %s", axis->name,
             node->n ? "too many values" : "no values");
    return PLAIT_OK;
  }
  TRY(pl_arena_get(&r->reader->keep->arena, (size_t)node->n, axis->size, &axis->values));
  pl_text_add(&name, "vary.%s", axis->name);
  plait_err err = name.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
  at = axis->values;
  for (const pl_yaml *item = node->first; item && err == PLAIT_OK; item = item->next) {
    err = pl_value_read(r->reader, axis->param, name.at, item, at);
    at += axis->size;
  }
  pl_text_free(&name);
  if (r->reader->issues->count != before) return err;
  axis->n = node->n;
  axis->numeric = takes_range(axis->param);
  for (int64_t i = 0; i < axis->n && axis->param->kind == PLAIT_PARAM_REALS; i++)
    axis->numeric &= ((const plait_reals *)pl_axis_value(axis, i))->n == 1;
  return err;
}

// The first value takes the place of the parameter's own. `node`: that value in the tree.
static plait_err put_first(const reading *r, const pl_axis *axis, const pl_yaml *node) {
  static const char *const sections[] = {"params", "evolve"};
  pl_arena *arena = &r->reader->keep->arena;
  pl_yaml *map = r->root, *copy;
  TRY(pl_yaml_new(arena, node->kind, node->mark, &copy));
  *copy = *node;
  copy->next = NULL;
  copy->key = axis->param->name;
  copy->key_mark = node->mark;
  if (axis->place != PL_VARY_INPUT) {
    map = pl_yaml_find(r->root, sections[axis->place]);
    if (map && map->kind != PL_YAML_MAP && !pl_yaml_null(map)) return PLAIT_OK; // reported later
    if (!map || map->kind != PL_YAML_MAP) {
      TRY(pl_yaml_new(arena, PL_YAML_MAP, node->mark, &map));
      map->key = sections[axis->place];
      map->key_mark = node->mark;
      pl_yaml_put(r->root, map);
    }
  }
  pl_yaml_put(map, copy);
  return PLAIT_OK;
}

static plait_err read_values(const reading *r, const pl_yaml *node, pl_axis *axis) {
  bool numeric = takes_range(axis->param);
  const pl_yaml *first = node->first;
  if (node->kind == PL_YAML_LIST) {
    TRY(read_list(r, node, axis));
  } else if (node->kind == PL_YAML_MAP && numeric) {
    TRY(pl_vary_range(r->reader, node, axis));
    first = pl_yaml_find(node, "from");
  } else {
    pl_issue(r->reader->issues, node->mark, "'vary.%s' must be a list%s", axis->name,
             numeric ? ", or a range {from: .., to: .., step: .. or count: ..}"
                     : " (ranges are for numbers)");
    return PLAIT_OK;
  }
  return first ? put_first(r, axis, first) : PLAIT_OK;
}

static pl_axis *find_axis(pl_vary *vary, const char *name) {
  for (int a = 0; a < vary->naxes; a++)
    if (strcmp(vary->axis[a].name, name) == 0) return &vary->axis[a];
  return NULL;
}

static plait_err read_axis(const reading *r, const char *name, const plait_param *param,
                           pl_vary_place place, const pl_yaml *node) {
  pl_vary *vary = r->vary;
  pl_issues *issues = r->reader->issues;
  pl_axis *axis = find_axis(vary, name);
  if (axis && node->key_mark.origin == PL_FROM_FILE) { // the command line may say it anew
    pl_issue(issues, node->key_mark, "'vary.%s' is given twice", name);
  } else if (!axis && vary->naxes == PL_VARY_AXES) {
    pl_issue(issues, node->key_mark, "more than %d parameters vary", PL_VARY_AXES);
  } else if (pl_yaml_null(node)) {
    pl_issue(issues, node->key_mark, "'vary.%s' has no value", name);
  } else {
    if (!axis) axis = &vary->axis[vary->naxes++];
    *axis = (pl_axis){.param = param, .place = place, .size = sizes[param->kind]};
    TRY(pl_arena_text(&r->reader->keep->arena, name, &axis->name));
    return read_values(r, node, axis);
  }
  return PLAIT_OK;
}

// "params.sigma" or "evolve.dt".
static plait_err read_named(const reading *r, const char *name, const pl_yaml *node) {
  static const char *const prefixes[] = {"params.", "evolve."};
  for (int s = PL_VARY_PARAMS; s <= PL_VARY_EVOLVE; s++) {
    if (strncmp(name, prefixes[s], 7) != 0) continue;
    const plait_param *param = find(table_of(r, (pl_vary_place)s), name + 7);
    if (param) return read_axis(r, name, param, (pl_vary_place)s, node);
  }
  if (r->kernel) report_unknown(r, name, node->key_mark);
  return PLAIT_OK;
}

static plait_err read_nested(const reading *r, const pl_yaml *section) {
  for (const pl_yaml *child = section->first; child; child = child->next) {
    pl_text name = {0};
    pl_text_add(&name, "%s.%s", section->key, child->key);
    plait_err err =
        name.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : read_named(r, name.at, child);
    pl_text_free(&name);
    TRY(err);
  }
  return PLAIT_OK;
}

// ---- the section ----

static plait_err read_columns(const reading *r, const pl_yaml *node) {
  pl_vary *vary = r->vary;
  vary->columns_mark = node->mark;
  if (node->kind != PL_YAML_LIST || node->n == 0) {
    pl_issue(r->reader->issues, node->mark, "'vary.columns' must be a list of names of outputs");
    return PLAIT_OK;
  }
  TRY(pl_arena_get(&r->reader->keep->arena, (size_t)node->n, sizeof *vary->column, &vary->column));
  for (const pl_yaml *item = node->first; item; item = item->next) {
    if (item->kind == PL_YAML_SCALAR && item->text[0])
      vary->column[vary->ncolumns++] = item->text;
    else
      pl_issue(r->reader->issues, item->mark, "'vary.columns' must be a list of names of outputs");
  }
  return PLAIT_OK;
}

static plait_err read_child(const reading *r, const pl_yaml *child) {
  const char *key = child->key;
  bool section = strcmp(key, "params") == 0 || strcmp(key, "evolve") == 0;
  if (find(option_params, key)) return PLAIT_OK;
  if (strcmp(key, "columns") == 0) return read_columns(r, child);
  if (strcmp(key, "input") == 0) return read_axis(r, key, &input_param, PL_VARY_INPUT, child);
  if (section && child->kind == PL_YAML_MAP) return read_nested(r, child);
  return read_named(r, key, child);
}

static void count(const reading *r) {
  pl_vary *vary = r->vary;
  pl_issues *issues = r->reader->issues;
  vary->count = vary->naxes ? 1 : 0;
  for (int a = 0; a < vary->naxes; a++) {
    const pl_axis *axis = &vary->axis[a], *first = &vary->axis[0];
    if (axis->n == 0 || first->n == 0) return; // reported
    if (!vary->zip && pl_mul64_overflows(vary->count, axis->n, &vary->count))
      vary->count = INT64_MAX;
    if (vary->zip) vary->count = axis->n;
    if (vary->zip && axis->n != first->n)
      pl_issue(issues, vary->mark,
               "how: zip needs lists of equal length: '%s' has %lld values, "
               "'%s' %lld",
               first->name, (long long)first->n, axis->name, (long long)axis->n);
  }
  if (vary->naxes == 0)
    pl_issue(issues, vary->mark, "'vary' names no parameter: params.NAME: [..]");
  if (vary->count > PL_VARY_MOST)
    pl_issue(issues, vary->mark, "'vary' makes more than %lld combinations",
             (long long)PL_VARY_MOST);
}

static plait_err read_options(const reading *r, const pl_yaml *node) {
  options o = {0};
  TRY(pl_params_fill(r->reader, option_params, "vary.", node, node->mark, &o));
  r->vary->zip = o.how == 1;
  r->vary->table = o.table ? o.table : "";
  pl_note *note = r->reader->keep->files;
  while (note && note->value != &o.table) note = note->next;
  r->vary->echo = note && o.table ? note->echo : "";
  if (note) note->value = &r->vary->table; // `o` ends here
  return PLAIT_OK;
}

plait_err pl_vary_read(const pl_reader *reader, pl_yaml *root, const plait_kernel *kernel,
                       pl_vary **vary) {
  pl_yaml *node = pl_yaml_find(root, "vary");
  *vary = NULL;
  if (!node || pl_yaml_null(node)) return PLAIT_OK;
  if (node->kind != PL_YAML_MAP) {
    pl_issue(reader->issues, node->mark, "'vary' must be a mapping of parameters to lists");
    return PLAIT_OK;
  }
  TRY(pl_arena_get(&reader->keep->arena, 1, sizeof **vary, vary));
  reading r = {reader, kernel, root, *vary};
  (*vary)->mark = node->key_mark;
  TRY(read_options(&r, node));
  for (const pl_yaml *child = node->first; child; child = child->next) TRY(read_child(&r, child));
  count(&r);
  return PLAIT_OK;
}
