// SPDX-License-Identifier: BSD-3-Clause
//
// The table as CSV (RFC 4180, a line of names): combination, parameters, results, status, message.
// Numbers are the shortest texts that read back to the same bits; no value is an empty field.
#include "base/mem.h"
#include "base/path.h"
#include "engine/strands.h"
#include "engine/study_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// With the comma before it.
static void add_number(pl_text *out, double value) {
  char number[32] = "";
  if (isinf(value))
    snprintf(number, sizeof number, value < 0 ? "-inf" : "inf");
  else if (!isnan(value))
    pl_format_real(value, number);
  pl_text_add(out, ",%s", number);
}

// "centers[0,3]"
static void add_cell_name(pl_text *out, const pl_column *column, int64_t cell) {
  int64_t index[PLAIT_DIMS];
  pl_text name = {0};
  pl_text_add(&name, "%s", column->name);
  for (int d = column->ndim - 1; d >= 0; d--) {
    index[d] = cell % column->shape[d];
    cell /= column->shape[d];
  }
  for (int d = 0; d < column->ndim; d++)
    pl_text_add(&name, "%s%lld", d ? "," : "[", (long long)index[d]);
  if (column->ndim) pl_text_add(&name, "]");
  pl_text_add_csv(out, name.failed ? "" : name.at);
  out->failed |= name.failed; // else the name would be missing, and nobody told
  pl_text_free(&name);
}

static void add_head(const pl_study *study, pl_text *out) {
  pl_text_add(out, "combination");
  for (int a = 0; a < study->vary->naxes; a++) {
    pl_text_add(out, ",");
    pl_text_add_csv(out, pl_study_axis_name(study, a));
  }
  for (int c = 0; c < study->columns.n; c++) {
    int64_t cells = pl_column_cells(&study->columns.at[c]);
    for (int64_t i = 0; i < cells; i++) {
      pl_text_add(out, ",");
      add_cell_name(out, &study->columns.at[c], i);
    }
  }
  pl_text_add(out, ",status,message\n");
}

static void add_row(const pl_study *study, const pl_row *row, pl_text *field, pl_text *out) {
  const pl_vary *vary = study->vary;
  char message[PL_ROW_MESSAGE + 1] = "";
  pl_text_add(out, "%lld", (long long)row->number);
  for (int a = 0; a < vary->naxes; a++) {
    field->length = 0;
    if (field->at) field->at[0] = 0;
    pl_axis_text(&vary->axis[a], pl_vary_index(vary, a, row->number), study->job->keep, field);
    pl_text_add(out, ",");
    pl_text_add_csv(out, field->at ? field->at : "");
  }
  for (int64_t i = 0; i < study->rows.cells; i++) add_number(out, row->values[i]);
  memcpy(message, row->message, PL_ROW_MESSAGE);
  pl_text_add(out, row->status == PL_ROW_DONE ? ",done," : ",failed,");
  pl_text_add_csv(out, message);
  pl_text_add(out, "\n");
}

// Whether a file holds exactly this text: then it is this very table, of a run that was killed
// between writing it and removing its journal.
static bool holds(const char *path, const pl_text *text) {
  struct stat info;
  char *at = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool same = fd >= 0 && fstat(fd, &info) == 0 && (size_t)info.st_size == text->length &&
              pl_alloc(text->length, 1, &at) == PLAIT_OK &&
              pl_pread_all(fd, at, text->length, 0, path) == PLAIT_OK &&
              memcmp(at, text->at, text->length) == 0;
  if (fd >= 0) close(fd);
  pl_free(&at);
  return same;
}

// A thread's part of the rows: printing numbers so that they read back is most of what a table
// costs.
typedef struct part {
  const pl_study *study;
  pl_text *texts; // of each thread
} part;

static void add_part(void *context, int thread) {
  const part *p = context;
  pl_text field = {0}, *out = &p->texts[thread];
  int64_t n = p->study->rows.n, threads = p->study->threads;
  for (int64_t i = n * thread / threads; i < n * (thread + 1) / threads; i++)
    add_row(p->study, pl_rows_at(&p->study->rows, i), &field, out);
  out->failed |= field.failed;
  pl_text_free(&field);
}

static plait_err add_rows(const pl_study *study, pl_text *text) {
  part p = {.study = study};
  int threads = study->threads;
  TRY(pl_calloc((size_t)threads, sizeof *p.texts, &p.texts));
  pl_strands_each(study->stage.placement, threads, add_part, &p);
  for (int t = 0; t < threads; t++) {
    text->failed |= p.texts[t].failed;
    if (p.texts[t].at) pl_text_add(text, "%s", p.texts[t].at);
    pl_text_free(&p.texts[t]);
  }
  pl_free(&p.texts);
  return PLAIT_OK;
}

plait_err pl_study_csv(const pl_study *study, const char *path, bool force) {
  pl_text text = {0};
  add_head(study, &text);
  plait_err err = add_rows(study, &text);
  if (err != PLAIT_OK) goto done;
  if (text.failed)
    err = plait_fail(PLAIT_MEMORY, "out of memory for the table %s", path);
  else if (!force && access(path, F_OK) == 0 && !holds(path, &text))
    err = plait_fail(PLAIT_OUTPUT, "%s has appeared meanwhile; --force allows replacing it", path);
  else
    err = pl_write_file(path, text.at, text.length);
done:
  pl_text_free(&text);
  return err;
}
