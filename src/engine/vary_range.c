// SPDX-License-Identifier: BSD-3-Clause
//
// {from: A, to: B, step: S} and {from: A, to: B, count: N, scale: log} -> values. The ends are
// exact; the others are computed from their number, so that nothing accumulates, and steps of
// decimals give decimals: 0.3, as a list would say, not 0.1 + 2 * 0.1. All lie between the ends,
// which the parameter's table has checked.
#include "engine/vary.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct range {
  pl_number from, to, step; // of the kind of the parameter
  int64_t count;
  int scale;
} range;

enum { LINEAR, LOG };
static const char *const scales[] = {"linear", "log", NULL};

// `from` and `to` are values of the parameter itself; a step is a difference of two.
static void make_table(const plait_param *param, plait_param table[6]) {
  plait_param from = *param, step;
  if (from.kind == PLAIT_PARAM_REALS) from.kind = PLAIT_PARAM_REAL;
  step = from;
  from.name = "from";
  from.help = "first value";
  from.offset = offsetof(range, from);
  from.standard = NULL;
  table[0] = table[1] = from;
  table[1].name = "to";
  table[1].help = "last value";
  table[1].offset = offsetof(range, to);
  step.name = "step";
  step.help = "from one value to the next";
  step.offset = offsetof(range, step);
  step.standard = "0";
  step.min = step.max = 0;
  table[2] = step;
  table[3] = (plait_param){.name = "count",
                           .kind = PLAIT_PARAM_INT,
                           .offset = offsetof(range, count),
                           .help = "how many values",
                           .standard = "0",
                           .min = 0,
                           .max = PL_VARY_VALUES};
  table[4] = (plait_param){.name = "scale",
                           .kind = PLAIT_PARAM_CHOICE,
                           .offset = offsetof(range, scale),
                           .help = "equal steps, or equal factors",
                           .standard = "linear",
                           .choices = scales};
  table[5] = (plait_param){0};
}

static double real(const pl_axis *axis, pl_number value) {
  return axis->param->kind == PLAIT_PARAM_INT ? (double)value.i : value.r;
}

// Values from `from` in steps as far as `to`; with a hair for steps that are no binary fractions.
static double count_steps(const range *r, bool whole) {
  int64_t way;
  if (!whole) return floor((r->to.r - r->from.r) / r->step.r + 1e-9) + 1;
  if (__builtin_sub_overflow(r->to.i, r->from.i, &way)) return 1e19;
  return (way < 0) == (r->step.i < 0) || way == 0 ? (double)(way / r->step.i) + 1 : 0;
}

// NULL, or what is wrong; sets the number of values.
static const char *judge(const pl_axis *axis, range *r, double *n) {
  double from = real(axis, r->from), to = real(axis, r->to), step = real(axis, r->step);
  bool whole = axis->param->kind == PLAIT_PARAM_INT;
  if (r->count > 0 && step != 0) return "give `step` or `count`, not both";
  if (r->scale == LOG && r->count < 2) return "a log scale needs `count`, 2 or more";
  if (r->scale == LOG && !(from * to > 0)) return "a log scale needs ends of one sign, not 0";
  *n = (double)r->count;
  if (r->count == 1 && from != to) return "one value cannot go from one end to another";
  if (r->count > 0) return NULL;
  if (step == 0 && whole) r->step.i = to < from ? -1 : 1;
  if (step == 0 && !whole) return "give `step` or `count`";
  *n = count_steps(r, whole);
  return *n < 1 ? "the step leads away from `to`" : NULL;
}

static double between(const range *r, double from, double to, double part) {
  if (r->scale == LINEAR) return from + (to - from) * part;
  return copysign(exp(log(fabs(from)) + (log(fabs(to)) - log(fabs(from))) * part), from);
}

static double rounded(double x, int decimals) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", decimals, x);
  return strtod(text, NULL) + 0.0; // -0 becomes 0
}

// Decimals of a range that is written with no more than 15 digits; -1: it is not.
static int decimals_of(const range *r) {
  int decimals = 14 - (int)floor(log10(fmax(fabs(r->from.r), fabs(r->to.r))));
  if (decimals < 0 || decimals > 30) return -1;
  bool all = rounded(r->from.r, decimals) == r->from.r && rounded(r->step.r, decimals) == r->step.r;
  return all ? decimals : -1;
}

static void fill(const range *r, const pl_axis *axis, pl_number value[]) {
  bool whole = axis->param->kind == PLAIT_PARAM_INT;
  double from = real(axis, r->from), to = real(axis, r->to);
  int decimals = whole || r->count > 0 || axis->n < 2 ? -1 : decimals_of(r);
  for (int64_t i = 0; i < axis->n; i++) {
    bool last = r->count > 0 && i == axis->n - 1;
    double part = r->count > 1 ? (double)i / (double)(axis->n - 1) : 0;
    if (i == 0 || last)
      value[i] = last && i > 0 ? r->to : r->from;
    else if (r->count > 0 && whole)
      value[i].i = llround(between(r, from, to, part));
    else if (r->count > 0)
      value[i].r = between(r, from, to, part);
    else if (whole)
      value[i].i = r->from.i + i * r->step.i;
    else
      value[i].r = from + (double)i * r->step.r;
    if (i > 0 && decimals >= 0) value[i].r = rounded(value[i].r, decimals);
    // The last step may end a hair behind.
    if (!whole && r->count == 0 && (r->step.r > 0 ? value[i].r > to : value[i].r < to))
      value[i] = r->to;
  }
}

// A parameter that takes lists gets lists of one number.
static plait_err make_values(const pl_reader *reader, const range *r, pl_axis *axis) {
  pl_number *value;
  plait_reals *lists;
  TRY(pl_arena_get(&reader->keep->arena, (size_t)axis->n, sizeof *value, &value));
  fill(r, axis, value);
  axis->values = (char *)value;
  if (axis->param->kind != PLAIT_PARAM_REALS) return PLAIT_OK;
  TRY(pl_arena_get(&reader->keep->arena, (size_t)axis->n, sizeof *lists, &lists));
  for (int64_t i = 0; i < axis->n; i++) lists[i] = (plait_reals){1, &value[i].r};
  axis->values = (char *)lists;
  return PLAIT_OK;
}

plait_err pl_vary_range(const pl_reader *reader, const pl_yaml *map, pl_axis *axis) {
  plait_param table[6];
  range r = {0};
  pl_text prefix = {0};
  int before = reader->issues->count;
  double n = 0;
  make_table(axis->param, table);
  pl_text_add(&prefix, "vary.%s.", axis->name);
  plait_err err = prefix.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                                : pl_params_read(reader, table, prefix.at, map, map->mark, &r);
  pl_text_free(&prefix);
  TRY(err);
  if (reader->issues->count > before) return PLAIT_OK;
  const char *wrong = judge(axis, &r, &n);
  if (wrong) pl_issue(reader->issues, map->mark, "'vary.%s': %s", axis->name, wrong);
  if (!wrong && n > PL_VARY_VALUES)
    pl_issue(reader->issues, map->mark, "'vary.%s' has %.3g values; at most %d are possible",
             axis->name, n, PL_VARY_VALUES);
  if (wrong || n > PL_VARY_VALUES) return PLAIT_OK;
  axis->kind = r.count > 0 ? PL_AXIS_COUNT : PL_AXIS_STEPS;
  axis->from = r.from;
  axis->to = r.to;
  axis->step = r.step;
  axis->log = r.scale == LOG;
  axis->n = (int64_t)n;
  axis->numeric = true;
  return make_values(reader, &r, axis);
}
