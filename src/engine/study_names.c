// SPDX-License-Identifier: BSD-3-Clause
//
// Files of single combinations: `out/s{params.sigma}-{seed}.nc`, {n} is the number of the
// combination. All names are made before anything runs: two that are the same, or one that exists,
// would be found too late.
#include "base/mem.h"
#include "engine/study_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A value as part of a file name: of a file its name alone, no slashes, no blanks.
static void add_value(const pl_study *study, int a, int64_t number, pl_text *out) {
  const pl_axis *axis = &study->vary->axis[a];
  pl_text text = {0};
  pl_axis_text(axis, pl_vary_index(study->vary, a, number), study->job->keep, &text);
  char *from = text.failed || !text.at ? "" : text.at;
  if (axis->param->kind == PLAIT_PARAM_FILE) {
    char *slash = strrchr(from, '/');
    if (slash) from = slash + 1;
    char *dot = strchr(from, '.');
    if (dot && dot != from) *dot = 0;
  }
  for (; *from; from++)
    pl_text_add(out, "%c", strchr("/ \t\n:{}[]\"'", *from) || *from < ' ' ? '_' : *from);
  pl_text_free(&text);
}

// The axis that {word} names, -1: none.
static int find_axis(const pl_study *study, const char *word, size_t n) {
  for (int a = 0; a < study->vary->naxes; a++) {
    const char *full = study->vary->axis[a].name, *shorter = pl_study_axis_name(study, a);
    if (strlen(full) == n && strncmp(full, word, n) == 0) return a;
    if (strlen(shorter) == n && strncmp(shorter, word, n) == 0) return a;
  }
  return -1;
}

static plait_err unknown(const pl_study *study, const char *word, size_t n) {
  const char *names[2 * PL_VARY_AXES + 1] = {NULL}, *near;
  char copy[2 * PLAIT_NAME];
  for (int a = 0; a < study->vary->naxes; a++) {
    names[2 * a] = study->vary->axis[a].name;
    names[2 * a + 1] = pl_study_axis_name(study, a);
  }
  snprintf(copy, sizeof copy, "%.*s", (int)n, word);
  near = pl_nearest(copy, names);
  return plait_fail(PLAIT_JOB, "%s: output: '{%s}' is not a parameter that varies, nor {n}%s%s%s",
                    study->job->path, copy, near ? "; did you mean '{" : "", near ? near : "",
                    near ? "}'?" : "");
}

static plait_err expand(const pl_study *study, int64_t number, pl_text *out) {
  for (const char *at = study->job->output; *at;) {
    size_t plain = strcspn(at, "{");
    pl_text_add(out, "%.*s", (int)plain, at);
    at += plain;
    if (!*at) break;
    size_t n = strcspn(++at, "}");
    int axis = find_axis(study, at, n);
    if (!at[n]) return plait_fail(PLAIT_JOB, "%s: output: '{' without '}'", study->job->path);
    if (n == 1 && *at == 'n')
      pl_text_add(out, "%lld", (long long)number);
    else if (axis < 0)
      return unknown(study, at, n);
    else
      add_value(study, axis, number, out);
    at += n + 1;
  }
  return PLAIT_OK;
}

plait_err pl_study_output_name(const pl_study *study, int64_t number, char **name) {
  pl_text text = {0};
  plait_err err = PLAIT_OK;
  *name = NULL;
  if (study->pattern)
    err = expand(study, number, &text);
  else if (pl_file_is_path(study->table))
    pl_text_add(&text, "%s.combination-%lld.nc", study->table, (long long)number);
  else
    pl_text_add(&text, "%s/plait-%ld-%lld.nc", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                (long)getpid(), (long long)number);
  if (err == PLAIT_OK && text.failed) err = plait_fail(PLAIT_MEMORY, "out of memory for a name");
  if (err == PLAIT_OK) err = pl_strdup(text.at, name);
  pl_text_free(&text);
  return err;
}

// ---- all of them ----

typedef struct named {
  char *name;
  int64_t number;
} named;

static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : (x->number > y->number) - (x->number < y->number);
}

static plait_err compare(const pl_study *study, const named *at, int64_t n) {
  const pl_job *job = study->job;
  for (int64_t i = 0; i < n; i++) {
    if (i > 0 && strcmp(at[i - 1].name, at[i].name) == 0)
      return plait_fail(PLAIT_JOB,
                        "%s: output: combinations %lld and %lld would both write %s; name all "
                        "parameters that vary, or {n}",
                        job->path, (long long)at[i - 1].number, (long long)at[i].number,
                        at[i].name);
    if (strcmp(at[i].name, study->table) == 0)
      return plait_fail(PLAIT_JOB, "%s: output: %s is the table too", job->path, at[i].name);
    if (!job->force && !study->found && access(at[i].name, F_OK) == 0)
      return plait_fail(PLAIT_OUTPUT, "%s exists already; --force allows replacing it", at[i].name);
  }
  return PLAIT_OK;
}

plait_err pl_study_check_names(const pl_study *study) {
  named *at = NULL;
  int64_t n = study->vary->count;
  plait_err err = PLAIT_OK;
  TRY(pl_calloc((size_t)n, sizeof *at, &at));
  for (int64_t i = 0; i < n && err == PLAIT_OK; i++) {
    at[i].number = i;
    err = pl_study_output_name(study, i, &at[i].name);
  }
  if (err == PLAIT_OK) {
    qsort(at, (size_t)n, sizeof *at, by_name);
    err = compare(study, at, n);
  }
  for (int64_t i = 0; i < n; i++) pl_free(&at[i].name);
  pl_free(&at);
  return err;
}
