// SPDX-License-Identifier: BSD-3-Clause
//
// See check_study.h. The first combinations are shown as the study will number them, so that a
// mistake in `vary` is seen before it has cost anything.
#include "command/check_study.h"
#include "engine/study.h"

enum { SHOWN = 3 };

static int64_t shown(const pl_job *job) {
  return job->vary->count < SHOWN ? job->vary->count : SHOWN;
}

static void add_axes(const pl_job *job, pl_text *out) {
  const pl_vary *vary = job->vary;
  pl_text_add(out, "vary     %lld combinations", (long long)vary->count);
  for (int a = 0; a < vary->naxes; a++)
    pl_text_add(out, "%s%lld %s",
                a == 0      ? ": "
                : vary->zip ? " with "
                            : " x ",
                (long long)vary->axis[a].n, vary->axis[a].name);
  pl_text_add(out, "\n");
  for (int64_t i = 0; i < shown(job); i++) {
    char line[256];
    pl_vary_describe(vary, i, job->keep, line, sizeof line);
    pl_text_add(out, "         %lld: %s\n", (long long)i, line);
  }
  if (vary->count > SHOWN) pl_text_add(out, "         ...\n");
}

static void add_table(const pl_study *study, const pl_study_facts *f, pl_text *out) {
  char size[32];
  pl_format_size(f->row_bytes * f->count, size);
  pl_text_add(out, "table    %s%s%s, %s\n         ", f->table, *f->csv ? " and " : "", f->csv,
              size);
  for (int c = 0; c < pl_study_columns(study); c++) {
    pl_text_add(out, "%s", c ? ", " : "");
    pl_study_column(study, c, out);
  }
  pl_text_add(out, "\n");
  if (f->resumed)
    pl_text_add(out, "done     %lld combinations, by an earlier run\n", (long long)f->resumed);
  if (f->refused)
    pl_text_add(out, "refused  %lld combinations; the first: %s\n", (long long)f->refused,
                f->refusal);
}

static void add_road(const pl_study_facts *f, pl_text *out) {
  char needed[32], budget[32];
  pl_format_size(f->needed, needed);
  pl_format_size(f->budget, budget);
  pl_text_add(out, "blocks   %lld of each combination", (long long)f->blocks);
  if (f->in_memory)
    pl_text_add(out, ", by one thread in memory; every thread has its own\n");
  else
    pl_text_add(out, ", a run of its own on %d rank%s with a file%s\n", f->group,
                f->group == 1 ? "" : "s", f->keeps_files ? "" : " that is removed");
  pl_text_add(out, "memory   %s of each rank's budget of %s\n", needed, budget);
}

static plait_err print_text(const pl_station *station, const pl_job *job, const pl_study *study,
                            const pl_study_facts *f) {
  pl_text out = {0};
  int ranks = pl_comm_size(station->comm), threads = station->placement.threads;
  pl_text_add(&out, "kernel   %s: %s\n", job->kernel->name, job->kernel->summary);
  if (job->input[0]) pl_text_add(&out, "input    %s\n", job->input);
  add_axes(job, &out);
  if (f->keeps_files) pl_text_add(&out, "output   %s\n", job->output);
  add_table(study, f, &out);
  add_road(f, &out);
  pl_text_add(&out, "launch   %d rank%s of %d thread%s\n", ranks, ranks == 1 ? "" : "s", threads,
              threads == 1 ? "" : "s");
  return pl_print_text(&out);
}

static void json_axes(const pl_job *job, pl_json *j) {
  const pl_vary *vary = job->vary;
  pl_json_int(j, "combinations", vary->count);
  pl_json_string(j, "how", vary->zip ? "zip" : "cross");
  pl_json_open(j, "vary", '[');
  for (int a = 0; a < vary->naxes; a++) {
    pl_json_open(j, NULL, '{');
    pl_json_string(j, "name", vary->axis[a].name);
    pl_json_int(j, "values", vary->axis[a].n);
    pl_json_close(j, '}');
  }
  pl_json_close(j, ']');
  pl_json_open(j, "first", '[');
  for (int64_t i = 0; i < shown(job); i++) {
    char line[256];
    pl_vary_describe(vary, i, job->keep, line, sizeof line);
    pl_json_string(j, NULL, line);
  }
  pl_json_close(j, ']');
}

static void json_columns(const pl_study *study, pl_json *j) {
  pl_json_open(j, "columns", '[');
  for (int c = 0; c < pl_study_columns(study); c++) {
    pl_text name = {0};
    pl_study_column(study, c, &name);
    pl_json_string(j, NULL, name.failed ? "" : name.at);
    pl_text_free(&name);
  }
  pl_json_close(j, ']');
}

static plait_err print_json(const pl_station *station, const pl_job *job, const pl_study *study,
                            const pl_study_facts *f) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_string(&j, "kernel", job->kernel->name);
  pl_json_string(&j, "job", job->echo);
  pl_json_string(&j, "output", job->output);
  json_axes(job, &j);
  pl_json_string(&j, "table", f->table);
  pl_json_string(&j, "csv", f->csv);
  json_columns(study, &j);
  pl_json_int(&j, "row_bytes", f->row_bytes);
  pl_json_int(&j, "resumed", f->resumed);
  pl_json_int(&j, "refused", f->refused);
  pl_json_string(&j, "refusal", f->refusal);
  pl_json_bool(&j, "in_memory", f->in_memory);
  pl_json_int(&j, "group", f->group);
  pl_json_int(&j, "blocks_each", f->blocks);
  pl_json_int(&j, "memory_each", f->bytes);
  pl_json_int(&j, "memory_needed", f->needed);
  pl_json_int(&j, "memory_budget", f->budget);
  pl_json_int(&j, "ranks", pl_comm_size(station->comm));
  pl_json_int(&j, "threads", station->placement.threads);
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

plait_err pl_check_study(const pl_station *station, pl_job *job, int format) {
  pl_study *study = NULL;
  pl_study_facts f;
  plait_err err = PLAIT_OK;
  TRY(pl_study_open(station->comm, job, station->launch.local_size, station->placement.threads,
                    &study));
  pl_study_facts_of(study, &f);
  if (pl_station_speaks(station))
    err = format == PL_FORMAT_JSON ? print_json(station, job, study, &f)
                                   : print_text(station, job, study, &f);
  pl_study_close(&study);
  return pl_comm_agree(station->comm, err);
}
