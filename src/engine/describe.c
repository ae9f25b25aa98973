// SPDX-License-Identifier: BSD-3-Clause
//
// `plait describe`: a kernel's tables for people (80 columns) and for programs.
#include "engine/params.h"
#include "engine/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80 };

static const char *const patterns[] = {"map", "reduce", "evolve", "solve"};

// ---- pieces -----------------------------------------------------------------------------------

static bool is_size(const plait_param *param) {
  return param->unit && strcmp(param->unit, "bytes") == 0;
}

static bool is_number(const plait_param *param) {
  return param->kind == PLAIT_PARAM_INT || param->kind == PLAIT_PARAM_REAL ||
         param->kind == PLAIT_PARAM_REALS;
}

static bool has_range(const plait_param *param) {
  return is_number(param) && (param->min != 0 || param->max != 0);
}

static bool bounded(double value) {
  return fabs(value) < 0x1p62;
}

static void add_bound(pl_text *out, const plait_param *param, double value) {
  char number[32];
  if (is_size(param))
    pl_format_size((int64_t)value, number);
  else
    pl_format_real(value, number);
  pl_text_add(out, "%s", number);
}

static void add_range(pl_text *out, const plait_param *param) {
  if (!has_range(param)) return;
  bool low = bounded(param->min), high = bounded(param->max);
  if (!low && !high) return;
  pl_text_add(out, ", %s", low && high ? "" : low ? "at least " : "at most ");
  if (low) add_bound(out, param, param->min);
  if (low && high) pl_text_add(out, " to ");
  if (high) add_bound(out, param, param->max);
}

static void add_choices(pl_text *out, const plait_param *param) {
  for (int i = 0; param->choices && param->choices[i]; i++) {
    pl_text_add(out, "%s%s", i > 0 ? ", " : " ", param->choices[i]);
  }
}

// "number in px, 0 to 100, default 3"
static void add_type(pl_text *out, const plait_param *param) {
  pl_text_add(out, "%s", pl_param_type(param));
  add_choices(out, param);
  if (param->unit && param->unit[0]) {
    pl_text_add(out, is_size(param) ? ", a size" : " in %s", param->unit);
  }
  add_range(out, param);
  if (!param->standard)
    pl_text_add(out, "; must be given");
  else
    pl_text_add(out, "; default %s", param->standard[0] ? param->standard : "none");
}

// `text` in lines of at most WIDTH, each after `indent` blanks; the cursor stands at `column`.
static void add_wrapped(pl_text *out, const char *text, int indent, int column) {
  bool line_is_empty = true;
  while (*text) {
    int length = (int)strcspn(text, " ");
    if (!line_is_empty && column + 1 + length > WIDTH) {
      pl_text_add(out, "\n");
      column = 0;
      line_is_empty = true;
    }
    if (column < indent) pl_text_add(out, "%*s", indent - column, "");
    if (column < indent) column = indent;
    pl_text_add(out, "%s%.*s", line_is_empty ? "" : " ", length, text);
    column += length + !line_is_empty;
    line_is_empty = false;
    text += length + (text[length] == ' ');
  }
  pl_text_add(out, "\n");
}

// ---- text -------------------------------------------------------------------------------------

static int name_width(const plait_param *table) {
  int width = 0;
  for (; table->name; table++) {
    int length = (int)strlen(table->name);
    if (length > width) width = length;
  }
  return width < 24 ? width : 24;
}

static void add_table(pl_text *out, const plait_param *table, int indent) {
  int width = name_width(table), column = indent + width + 2;
  for (; table->name; table++) {
    pl_text type = {0};
    add_type(&type, table);
    pl_text_add(out, "%*s%-*s  ", indent, "", width, table->name);
    int length = (int)strlen(table->name);
    add_wrapped(out, type.at ? type.at : "", column,
                indent + (length > width ? length : width) + 2);
    add_wrapped(out, table->help, column, 0);
    if (table->kind == PLAIT_PARAM_TABLE) add_table(out, table->columns, column);
    out->failed = out->failed || type.failed;
    pl_text_free(&type);
  }
}

static void add_takes(pl_text *out, const plait_kernel *kernel) {
  pl_text list = {0};
  if (kernel->takes == 0) pl_text_add(&list, "no input");
  for (int type = 0; type < PLAIT_TYPES; type++) {
    if (!(kernel->takes & PLAIT_TAKES(type))) continue;
    pl_text_add(&list, "%s%s", list.length > 0 ? ", " : "", plait_type_name((plait_type)type));
  }
  pl_text_add(out, "  takes    ");
  add_wrapped(out, list.at ? list.at : "", 11, 11);
  pl_text_free(&list);
}

void pl_kernel_describe(const plait_kernel *kernel, pl_text *out) {
  pl_text_add(out, "%s - ", kernel->name);
  add_wrapped(out, kernel->summary, 2, (int)strlen(kernel->name) + 3);
  pl_text_add(out, "\n  pattern  %s\n", patterns[kernel->pattern]);
  add_takes(out, kernel);
  pl_text_add(out, "  version  %d\n", kernel->version);
  if (!kernel->params || !kernel->params->name) return;
  pl_text_add(out, "\nParameters (params: in the job, params.NAME=VALUE on the command line)\n\n");
  add_table(out, kernel->params, 2);
}

// ---- JSON -------------------------------------------------------------------------------------

static const char *const kinds[] = {
    [PLAIT_PARAM_INT] = "int",       [PLAIT_PARAM_REAL] = "real",       [PLAIT_PARAM_BOOL] = "bool",
    [PLAIT_PARAM_CHOICE] = "choice", [PLAIT_PARAM_TEXT] = "text",       [PLAIT_PARAM_FILE] = "file",
    [PLAIT_PARAM_REALS] = "reals",   [PLAIT_PARAM_CHOICES] = "choices", [PLAIT_PARAM_AXES] = "axes",
    [PLAIT_PARAM_TABLE] = "table",
};

static void table_json(pl_json *out, const char *key, const plait_param *table);

static void param_json(pl_json *out, const plait_param *param) {
  pl_json_open(out, NULL, '{');
  pl_json_string(out, "name", param->name);
  pl_json_string(out, "kind", kinds[param->kind]);
  pl_json_string(out, "unit", param->unit ? param->unit : "");
  pl_json_string(out, "help", param->help);
  pl_json_bool(out, "required", !param->standard);
  pl_json_string(out, "default", param->standard);
  if (has_range(param)) {
    pl_json_real(out, "min", bounded(param->min) ? param->min : NAN);
    pl_json_real(out, "max", bounded(param->max) ? param->max : NAN);
  }
  if (param->choices) {
    pl_json_open(out, "choices", '[');
    for (int i = 0; param->choices[i]; i++) pl_json_string(out, NULL, param->choices[i]);
    pl_json_close(out, ']');
  }
  if (param->kind == PLAIT_PARAM_TABLE) table_json(out, "columns", param->columns);
  pl_json_close(out, '}');
}

static void table_json(pl_json *out, const char *key, const plait_param *table) {
  pl_json_open(out, key, '[');
  for (; table && table->name; table++) param_json(out, table);
  pl_json_close(out, ']');
}

void pl_kernel_describe_json(const plait_kernel *kernel, pl_json *out) {
  pl_json_open(out, NULL, '{');
  pl_json_int(out, "schema_version", 1);
  pl_json_string(out, "name", kernel->name);
  pl_json_string(out, "summary", kernel->summary);
  pl_json_string(out, "pattern", patterns[kernel->pattern]);
  pl_json_int(out, "version", kernel->version);
  pl_json_open(out, "takes", '[');
  for (int type = 0; type < PLAIT_TYPES; type++) {
    if (!(kernel->takes & PLAIT_TAKES(type))) continue;
    pl_json_string(out, NULL, plait_type_name((plait_type)type));
  }
  pl_json_close(out, ']');
  table_json(out, "params", kernel->params);
  pl_json_close(out, '}');
}
