// SPDX-License-Identifier: BSD-3-Clause
//
// A parameter struct back to YAML, canonical: the same struct always gives the same text, whatever
// the job wrote (2048 MiB or 2 GiB). Axes and files come from the notes: a struct holds numbers and
// opened paths.
#include "engine/params.h"

#include <inttypes.h>
#include <string.h>

// ---- strings ----------------------------------------------------------------------------------

static bool is_word(const char *text) {
  static const char *const reserved[] = {"null", "Null", "NULL", NULL};
  for (int i = 0; reserved[i]; i++) {
    if (strcmp(text, reserved[i]) == 0) return false;
  }
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  const char *colon = strchr(text, ':');
  if (!*text || !strchr(letters, *text)) return false;
  if (colon && !strchr(letters, colon[1])) return false;
  if (colon && (!colon[1] || strchr(colon + 1, ':'))) return false;
  size_t head = strspn(text, rest);
  if (text[head] == ':') head += 1 + strspn(text + head + 1, rest);
  return text[head] == '\0';
}

static uint32_t code_point(const unsigned char *at, int n) {
  uint32_t code = n == 1 ? at[0] : at[0] & (0x7fu >> n);
  for (int i = 1; i < n; i++) code = code << 6 | (at[i] & 0x3fu);
  return code;
}

// Controls, the line breaks of Unicode, and what a YAML reader refuses.
static bool must_escape(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         code == 0xfeff || code == 0xfffe || code == 0xffff;
}

void pl_echo_string(pl_text *out, const char *text) {
  if (is_word(text)) {
    pl_text_add(out, "%s", text);
    return;
  }
  pl_text_add(out, "\"");
  while (*text) {
    int n = pl_utf8_length(text);
    uint32_t code = n > 0 ? code_point((const unsigned char *)text, n) : 0xfffd;
    if (code == '"' || code == '\\')
      pl_text_add(out, "\\%c", (char)code);
    else if (must_escape(code) || n == 0)
      pl_text_add(out, "\\u%04" PRIx32, code);
    else
      pl_text_add(out, "%.*s", n, text);
    text += n > 0 ? n : 1;
  }
  pl_text_add(out, "\"");
}

// ---- values -----------------------------------------------------------------------------------

typedef struct place {
  const plait_param *param;
  const pl_keep *keep;
  pl_text *out;
} place;

static void echo_number(pl_text *out, double value) {
  char number[32];
  pl_format_real(value, number);
  pl_text_add(out, "%s", number);
}

// Sizes in the largest binary unit that divides them.
static void echo_size(pl_text *out, int64_t bytes) {
  static const char *const units[] = {"", " KiB", " MiB", " GiB"};
  int i = 0;
  for (; i < 3 && bytes != 0 && bytes % 1024 == 0; i++) bytes /= 1024;
  pl_text_add(out, "%" PRId64 "%s", bytes, units[i]);
}

static void echo_int(const place *p, const void *value) {
  int64_t number = *(const int64_t *)value;
  bool size = p->param->unit && strcmp(p->param->unit, "bytes") == 0;
  if (size)
    echo_size(p->out, number);
  else
    pl_text_add(p->out, "%" PRId64, number);
}

static void echo_real(const place *p, const void *value) {
  echo_number(p->out, *(const double *)value);
}

static void echo_bool(const place *p, const void *value) {
  pl_text_add(p->out, "%s", *(const bool *)value ? "true" : "false");
}

static void echo_choice(const place *p, const void *value) {
  pl_echo_string(p->out, p->param->choices[*(const int *)value]);
}

static void echo_text(const place *p, const void *value) {
  pl_echo_string(p->out, *(const char *const *)value);
}

static void echo_file(const place *p, const void *value) {
  const pl_note *note = p->keep->files;
  while (note && note->value != value) note = note->next;
  pl_echo_string(p->out, note ? note->echo : *(const char *const *)value);
}

static void echo_reals(const place *p, const void *value) {
  const plait_reals *reals = value;
  pl_text_add(p->out, "[");
  for (int i = 0; i < reals->n; i++) {
    pl_text_add(p->out, "%s", i > 0 ? ", " : "");
    echo_number(p->out, reals->at[i]);
  }
  pl_text_add(p->out, "]");
}

static void echo_choices(const place *p, const void *value) {
  uint64_t bits = *(const uint64_t *)value;
  const char *comma = "";
  pl_text_add(p->out, "[");
  for (int i = 0; p->param->choices[i]; i++) {
    if (!(bits >> i & 1)) continue;
    pl_text_add(p->out, "%s", comma);
    pl_echo_string(p->out, p->param->choices[i]);
    comma = ", ";
  }
  pl_text_add(p->out, "]");
}

static void echo_axes(const place *p, const void *value) {
  const pl_note *note = p->keep->axes;
  while (note && note->value != value) note = note->next;
  pl_text_add(p->out, "[");
  for (int i = 0; note && i < note->n; i++) {
    pl_text_add(p->out, "%s", i > 0 ? ", " : "");
    pl_echo_string(p->out, note->words[i]->text);
  }
  pl_text_add(p->out, "]");
}

static void echo_value(const place *p, const void *value);

static void echo_row(const place *p, const char *row) {
  pl_text_add(p->out, "{");
  for (const plait_param *column = p->param->columns; column->name; column++) {
    place inner = {column, p->keep, p->out};
    pl_text_add(p->out, "%s%s: ", column == p->param->columns ? "" : ", ", column->name);
    echo_value(&inner, row + column->offset);
  }
  pl_text_add(p->out, "}");
}

static void echo_table(const place *p, const void *value) {
  const plait_table *table = value;
  const char *rows = table->rows;
  pl_text_add(p->out, "[");
  for (int i = 0; i < table->n; i++) {
    pl_text_add(p->out, "%s", i > 0 ? ", " : "");
    echo_row(p, rows + (size_t)i * p->param->row_size);
  }
  pl_text_add(p->out, "]");
}

static void echo_value(const place *p, const void *value) {
  static void (*const table[])(const place *, const void *) = {
      [PLAIT_PARAM_INT] = echo_int,     [PLAIT_PARAM_REAL] = echo_real,
      [PLAIT_PARAM_BOOL] = echo_bool,   [PLAIT_PARAM_CHOICE] = echo_choice,
      [PLAIT_PARAM_TEXT] = echo_text,   [PLAIT_PARAM_FILE] = echo_file,
      [PLAIT_PARAM_REALS] = echo_reals, [PLAIT_PARAM_CHOICES] = echo_choices,
      [PLAIT_PARAM_AXES] = echo_axes,   [PLAIT_PARAM_TABLE] = echo_table,
  };
  table[p->param->kind](p, value);
}

void pl_param_echo(const plait_param *param, const void *value, const pl_keep *keep, pl_text *out) {
  place p = {param, keep, out};
  echo_value(&p, value);
}

void pl_params_echo(const plait_param *table, const void *params, const pl_keep *keep, int indent,
                    pl_text *out) {
  for (; table->name; table++) {
    place p = {table, keep, out};
    pl_text_add(out, "%*s%s: ", indent, "", table->name);
    echo_value(&p, (const char *)params + table->offset);
    pl_text_add(out, "\n");
  }
}
