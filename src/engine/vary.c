// SPDX-License-Identifier: BSD-3-Clause
//
// A combination by its number: which values it has, as bytes and as text. Pure functions.
#include "engine/vary.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t pl_vary_index(const pl_vary *vary, int axis, int64_t number) {
  if (vary->zip) return number;
  for (int a = vary->naxes - 1; a > axis; a--) number /= vary->axis[a].n;
  return number % vary->axis[axis].n;
}

double pl_axis_number(const pl_axis *axis, int64_t index) {
  const void *value = pl_axis_value(axis, index);
  plait_param_kind kind = axis->param->kind;
  return kind == PLAIT_PARAM_INT     ? (double)*(const int64_t *)value
         : kind == PLAIT_PARAM_REALS ? ((const plait_reals *)value)->at[0]
                                     : *(const double *)value;
}

static void add_real(pl_text *out, double value) {
  char number[32];
  pl_format_real(value, number);
  pl_text_add(out, "%s", number);
}

void pl_axis_text(const pl_axis *axis, int64_t index, const pl_keep *keep, pl_text *out) {
  const void *value = pl_axis_value(axis, index);
  plait_param_kind kind = axis->param->kind;
  if (kind == PLAIT_PARAM_TEXT || kind == PLAIT_PARAM_FILE)
    pl_text_add(out, "%s", *(const char *const *)value);
  else if (kind == PLAIT_PARAM_INT) // also sizes: a table wants the number
    pl_text_add(out, "%" PRId64, *(const int64_t *)value);
  else if (axis->numeric)
    add_real(out, pl_axis_number(axis, index));
  else
    pl_param_echo(axis->param, value, keep, out);
}

void pl_vary_set(const pl_vary *vary, int64_t number, void *params, void *evolve,
                 const char **input) {
  for (int a = 0; a < vary->naxes; a++) {
    const pl_axis *axis = &vary->axis[a];
    const void *value = pl_axis_value(axis, pl_vary_index(vary, a, number));
    if (axis->place == PL_VARY_INPUT)
      memcpy(input, value, sizeof *input);
    else
      memcpy((char *)(axis->place == PL_VARY_PARAMS ? params : evolve) + axis->param->offset, value,
             axis->size);
  }
}

void pl_vary_describe(const pl_vary *vary, int64_t number, const pl_keep *keep, char *out,
                      size_t room) {
  pl_text text = {0};
  for (int a = 0; a < vary->naxes; a++) {
    const char *dot = strrchr(vary->axis[a].name, '.');
    pl_text_add(&text, "%s%s=", a ? " " : "", dot ? dot + 1 : vary->axis[a].name);
    pl_axis_text(&vary->axis[a], pl_vary_index(vary, a, number), keep, &text);
  }
  snprintf(out, room, "%s", text.failed ? "" : text.at);
  pl_text_free(&text);
}

static void echo_end(const pl_axis *axis, pl_number value, pl_text *out) {
  if (axis->param->kind == PLAIT_PARAM_INT)
    pl_text_add(out, "%" PRId64, value.i);
  else
    add_real(out, value.r);
}

static void echo_range(const pl_axis *axis, pl_text *out) {
  pl_text_add(out, "{from: ");
  echo_end(axis, axis->from, out);
  pl_text_add(out, ", to: ");
  echo_end(axis, axis->to, out);
  if (axis->kind == PL_AXIS_STEPS) {
    pl_text_add(out, ", step: ");
    echo_end(axis, axis->step, out);
    pl_text_add(out, "}\n");
  } else {
    pl_text_add(out, ", count: %lld, scale: %s}\n", (long long)axis->n,
                axis->log ? "log" : "linear");
  }
}

static void echo_axis(const pl_axis *axis, const pl_keep *keep, pl_text *out) {
  pl_text_add(out, "  %s: ", axis->name);
  if (axis->kind != PL_AXIS_LIST) {
    echo_range(axis, out);
    return;
  }
  for (int64_t i = 0; i < axis->n; i++) {
    pl_text_add(out, "%s", i ? ", " : "[");
    pl_param_echo(axis->param, pl_axis_value(axis, i), keep, out);
  }
  pl_text_add(out, "]\n");
}

void pl_vary_echo(const pl_vary *vary, const pl_keep *keep, pl_text *out) {
  pl_text_add(out, "vary:\n");
  for (int a = 0; a < vary->naxes; a++) echo_axis(&vary->axis[a], keep, out);
  pl_text_add(out, "  how: %s\n", vary->zip ? "zip" : "cross");
  if (vary->echo[0]) {
    pl_text_add(out, "  table: ");
    pl_echo_string(out, vary->echo);
    pl_text_add(out, "\n");
  }
  if (vary->ncolumns == 0) return;
  for (int i = 0; i < vary->ncolumns; i++) {
    pl_text_add(out, i ? ", " : "  columns: [");
    pl_echo_string(out, vary->column[i]);
  }
  pl_text_add(out, "]\n");
}
