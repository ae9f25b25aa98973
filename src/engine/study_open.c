// SPDX-License-Identifier: BSD-3-Clause
//
// From a job with `vary` to a study that is ready to run: input, columns, road, files, and what an
// earlier run left. Everything that can be wrong is found here, before hours of computing.
#include "base/mem.h"
#include "base/path.h"
#include "engine/budget.h"
#include "engine/identity.h"
#include "engine/lock.h"
#include "engine/size.h"
#include "engine/solo.h"
#include "engine/study_inside.h"
#include "engine/watchdog.h"
#include <string.h>
#include <unistd.h>

static bool is_root(const pl_study *study) {
  return pl_comm_rank(study->comm) == 0;
}

bool pl_study_varies(const pl_study *study, pl_vary_place place) {
  for (int a = 0; a < study->vary->naxes; a++)
    if (study->vary->axis[a].place == place) return true;
  return false;
}

// ---- names ----

static bool ends_in(const char *path, const char *ending) {
  size_t n = strlen(path), m = strlen(ending);
  return n > m && strcmp(path + n - m, ending) == 0;
}

static plait_err name_csv(pl_study *study) {
  pl_text name = {0};
  const char *slash = strrchr(study->table, '/'), *dot = strrchr(study->table, '.');
  size_t n =
      dot && (!slash || dot > slash + 1) ? (size_t)(dot - study->table) : strlen(study->table);
  pl_text_add(&name, "%.*s.csv", (int)n, study->table);
  plait_err err = name.failed ? plait_fail(PLAIT_MEMORY, "out of memory for a name")
                              : pl_strdup(name.at, &study->csv);
  pl_text_free(&name);
  return err;
}

static plait_err name_files(pl_study *study) {
  const pl_job *job = study->job;
  const char *table = study->vary->table;
  study->pattern = strchr(job->output, '{') != NULL;
  if (!job->output[0]) return plait_fail(PLAIT_JOB, "the job names no output (output: FILE)");
  if (study->pattern && !table[0])
    return plait_fail(PLAIT_JOB,
                      "%s: '%s' is a file for each combination; name the table too "
                      "(vary.table: FILE)",
                      job->path, job->output);
  if (!study->pattern && table[0])
    return plait_fail(PLAIT_JOB,
                      "%s: vary.table is for outputs with a {parameter} in their name; "
                      "here the output is the table",
                      job->path);
  TRY(pl_strdup(study->pattern ? table : job->output, &study->table));
  study->is_csv = ends_in(study->table, ".csv");
  if (ends_in(study->table, ".npy") || ends_in(study->table, ".npz"))
    return plait_fail(PLAIT_OUTPUT, "%s: a table is written as .nc or .csv", study->table);
  return study->is_csv || !pl_file_is_path(study->table) ? PLAIT_OK : name_csv(study);
}

const char *pl_study_axis_name(const pl_study *study, int a) {
  static const char *const taken[] = {"combination", "status", "message", NULL};
  const char *full = study->vary->axis[a].name, *dot = strrchr(full, '.');
  const char *name = dot ? dot + 1 : full;
  for (int i = 0; taken[i]; i++)
    if (strcmp(name, taken[i]) == 0) return full;
  for (int b = 0; b < study->vary->naxes; b++) {
    const char *other = study->vary->axis[b].name, *end = strrchr(other, '.');
    if (b != a && strcmp(name, end ? end + 1 : other) == 0) return full;
  }
  for (int c = 0; c < study->columns.n; c++) {
    const pl_column *column = &study->columns.at[c];
    if (strcmp(column->name, name) == 0) return full;
    for (int d = 0; d < column->ndim; d++)
      if (strcmp(column->dims[d], name) == 0) return full;
  }
  return name;
}

// ---- input ----

static plait_err open_input(pl_study *study) {
  pl_task *first = &study->first;
  pl_job *job = study->job;
  const plait_kernel *kernel = job->kernel;
  first->problem.kernel = kernel;
  if (!job->input[0] && kernel->takes && kernel->pattern != PLAIT_EVOLVE)
    return plait_fail(PLAIT_JOB, "the job names no input (input: FILE or FILE:VAR)");
  if (job->input[0] && !kernel->takes)
    return plait_fail(PLAIT_JOB, "kernel %s takes no input", kernel->name);
  if (!job->input[0]) return pl_job_bind(job, NULL);
  TRY(pl_dataset_open(job->input, &first->input));
  pl_meta_array(&first->input->meta, &first->array);
  first->problem.input = &first->array;
  return pl_job_bind(job, &first->array);
}

int64_t pl_study_input_bytes(const pl_study *study) {
  const plait_array *a = &study->first.array;
  int64_t bytes = (int64_t)plait_type_size(a->type);
  if (!study->first.problem.input) return 0;
  for (int d = 0; d < a->ndim; d++)
    if (pl_mul64_overflows(bytes, a->shape[d], &bytes)) return INT64_MAX;
  return bytes;
}

// ---- columns ----

static void report_column(const pl_study *study, const char *wanted, pl_issues *issues) {
  const plait_plan *plan = &study->first.plan;
  const char *names[PLAIT_OUTPUTS + 1] = {NULL}, *near;
  char source[PLAIT_NAME];
  pl_column_split(wanted, source);
  for (int v = 0; v < plan->noutputs; v++) {
    names[v] = pl_study_source(study->first.problem.input, &plan->output[v]).name;
    if (strcmp(names[v], source) != 0) continue;
    pl_issue(issues, study->vary->columns_mark,
             "'vary.columns': '%s' is too large for a table; take %s.min, .max or .mean", wanted,
             wanted);
    return;
  }
  near = pl_nearest(source, names);
  pl_issue(issues, study->vary->columns_mark, "'vary.columns': %s has no output '%.60s'%s%s%s",
           study->job->kernel->name, wanted, near ? "; did you mean '" : "", near ? near : "",
           near ? "'?" : "");
}

static plait_err check_columns(const pl_study *study) {
  pl_issues issues = {.path = study->job->path};
  for (int i = 0; i < study->vary->ncolumns; i++) {
    bool found = false;
    for (int c = 0; c < study->columns.n && !found; c++)
      found = strcmp(study->columns.at[c].name, study->vary->column[i]) == 0;
    if (!found) report_column(study, study->vary->column[i], &issues);
  }
  plait_err err = pl_issues_result(&issues, PLAIT_JOB);
  pl_issues_free(&issues);
  if (err == PLAIT_OK && study->columns.n == 0 && !study->pattern)
    return plait_fail(PLAIT_JOB,
                      "%s: no result of kernel %s is small enough for a table: name some in "
                      "vary.columns (NAME.min, NAME.max, NAME.mean), or give each combination a "
                      "file (output: with {parameter}s in its name)",
                      study->job->path, study->job->kernel->name);
  return err;
}

// ---- road and memory ----

static void choose_road(pl_study *study) {
  const pl_job *job = study->job;
  int ranks = pl_comm_size(study->comm);
  int64_t workers = (int64_t)ranks * study->threads, count = study->vary->count;
  bool fits = pl_study_input_bytes(study) <= study->budget / 2;
  bool possible = job->kernel->pattern == PLAIT_REDUCE && job->kernel->reduce.block &&
                  !study->pattern && fits && !pl_study_varies(study, PL_VARY_INPUT);
  bool files = pl_outformat_known("netcdf4"); // the second road reads its columns from a file
  study->in_memory = possible && (!files || (job->run.group == 0 && count >= workers));
  study->group = (int)job->run.group;
  if (study->group == 0) study->group = count >= ranks ? 1 : (int)(ranks / count);
  if (study->group > ranks) study->group = ranks;
  if (study->in_memory) study->group = 1;
}

static plait_err check_road(const pl_study *study) {
  if (study->job->run.group > pl_comm_size(study->comm))
    return plait_fail(PLAIT_JOB,
                      "run.group: %lld ranks for a combination, but only %d were started",
                      (long long)study->job->run.group, pl_comm_size(study->comm));
  if (!study->in_memory && !pl_outformat_known("netcdf4"))
    return plait_fail(PLAIT_JOB, "this plait was built without NetCDF, which such a study needs");
  return PLAIT_OK;
}

// The rows stay in memory until the table is written; rank 0 has all of them, twice while it
// writes.
static plait_err check_memory(const pl_study *study) {
  int64_t bytes;
  char need[32], budget[32];
  if (pl_mul64_overflows(study->vary->count, 3 * (int64_t)study->rows.bytes, &bytes))
    bytes = INT64_MAX;
  if (bytes <= study->budget) return PLAIT_OK;
  pl_format_size(bytes, need);
  pl_format_size(study->budget, budget);
  return plait_fail(PLAIT_JOB, "run.memory: %s are too small for a table of %lld rows: it needs %s",
                    budget, (long long)study->vary->count, need);
}

// ---- files ----

static plait_err check_files(const pl_study *study) {
  const pl_job *job = study->job;
  pl_layout empty = {0};
  if (!pl_file_is_path(study->table)) return PLAIT_OK;
  if (study->first.input && (pl_same_file(study->first.input->path, study->table) ||
                             (study->csv && pl_same_file(study->first.input->path, study->csv))))
    return plait_fail(PLAIT_OUTPUT, "%s is the input; the table must be another file",
                      study->first.input->path);
  const char *csv = study->is_csv ? study->table : study->csv;
  // What was killed between its two tables has left one of these.
  bool ours =
      pl_resume_beside(study->table, ".journal") || pl_resume_beside(study->table, ".partial");
  if (!ours && !job->force && access(csv, F_OK) == 0)
    return plait_fail(PLAIT_OUTPUT, "%s exists already; --force allows replacing it", csv);
  if (study->is_csv) return pl_output_check_place(study->table);
  return pl_output_check(study->table, &empty, job->force || study->found);
}

static plait_err take_lock(pl_study *study) {
  if (!study->job->lock || !is_root(study) || !pl_file_is_path(study->table)) return PLAIT_OK;
  TRY(pl_output_check_place(study->table));
  TRY(pl_lock_take(study->table, pl_comm_host(study->comm), &study->lock));
  pl_watchdog_guard(study->job->dog, study->lock);
  return PLAIT_OK;
}

// ---- an earlier run ----

static plait_err take_up(pl_study *study, const pl_journal_found *j) {
  char *name = NULL;
  if (!j->exists || !j->readable) return PLAIT_OK;
  TRY(pl_journal_name(study->table, &name));
  plait_err err = pl_identity_compare(name, j->identity, study->identity);
  if (err == PLAIT_OK && (j->cut.ndim != 1 || j->cut.shape[0] != study->vary->count))
    err = plait_fail(PLAIT_OUTPUT, "%s is of another study; --fresh starts over", name);
  pl_free(&name);
  TRY(err);
  study->finished = j->complete && !study->is_csv && !pl_resume_beside(study->table, ".partial") &&
                    pl_resume_beside(study->table, "");
  study->found = true;
  study->id = j->id;
  study->end = j->end;
  return pl_rows_read(&study->rows, study->table, j, study->vary->count, study->done);
}

static plait_err look(pl_study *study) {
  const pl_job *job = study->job;
  pl_journal_found found = {0};
  pl_text text = {0};
  plait_err err = pl_identity_make(job, study->first.input, &text);
  if (err == PLAIT_OK) err = pl_strdup(text.at ? text.at : "", &study->identity);
  pl_text_free(&text);
  TRY(err);
  TRY(pl_resume_new_id(&study->id));
  if (job->fresh || job->sample || !pl_file_is_path(study->table)) return PLAIT_OK;
  TRY(pl_journal_scan(study->table, &found));
  err = take_up(study, &found);
  pl_journal_found_free(&found);
  study->resumed = study->rows.n;
  return err;
}

typedef struct finding { // of rank 0, for all
  bool found, finished;
  uint64_t id;
  int64_t end, resumed;
} finding;

static plait_err find_earlier(pl_study *study) {
  pl_comm *comm = study->comm;
  size_t bytes = (size_t)(study->vary->count / 8 + 1);
  TRY(pl_comm_agree(comm, pl_calloc(bytes, 1, &study->done)));
  TRY(pl_comm_agree(comm, is_root(study) ? look(study) : PLAIT_OK));
  finding f = {study->found, study->finished, study->id, study->end, study->resumed};
  TRY(pl_comm_bcast(comm, &f, sizeof f, 0));
  study->found = f.found;
  study->finished = f.finished;
  study->id = f.id;
  study->end = f.end;
  study->resumed = f.resumed;
  int64_t text = is_root(study) ? (int64_t)strlen(study->identity) + 1 : 0;
  TRY(pl_comm_bcast(comm, &text, sizeof text, 0));
  plait_err err = is_root(study) ? PLAIT_OK : pl_alloc((size_t)text, 1, &study->identity);
  TRY(pl_comm_agree(comm, err));
  TRY(pl_comm_bcast(comm, study->identity, (size_t)text, 0));
  return pl_comm_bcast(comm, study->done, bytes, 0);
}

// ---- the whole ----

static plait_err open_here(pl_study *study, int local_size) {
  const pl_job *job = study->job;
  TRY(name_files(study));
  study->budget = pl_budget_choose(study->job, local_size);
  study->first.budget = study->budget;
  pl_watchdog_begin(job->dog, PL_WATCH_FILES, -1);
  plait_err err = open_input(study);
  pl_watchdog_end(job->dog, PL_WATCH_FILES);
  return err;
}

static plait_err load_input(pl_study *study) {
  plait_aside whole = {0};
  if (!study->in_memory || !study->first.input) return PLAIT_OK;
  pl_watchdog_begin(study->job->dog, PL_WATCH_FILES, -1);
  plait_err err = pl_aside_read(study->job->input, &whole);
  pl_watchdog_end(study->job->dog, PL_WATCH_FILES);
  study->data = (char *)whole.data;
  return err;
}

static plait_err open_all(pl_study *study, int local_size) {
  pl_comm *comm = study->comm;
  pl_job *job = study->job;
  TRY(pl_comm_agree(comm, open_here(study, local_size)));
  TRY(pl_study_plan(study));
  if (job->kernel->pattern == PLAIT_EVOLVE)
    TRY(pl_study_probe(study));
  else
    (void)pl_study_ask(study, job, &study->first); // its plan, for names and `plait check`
  TRY(pl_comm_agree(comm, check_columns(study)));
  choose_road(study);
  TRY(pl_comm_agree(comm, check_road(study)));
  if (!study->in_memory && job->kernel->pattern != PLAIT_EVOLVE && study->refused == 0)
    TRY(pl_study_probe(study));
  study->rows.cells = pl_columns_cells(&study->columns);
  study->rows.bytes = pl_row_bytes(study->rows.cells);
  TRY(pl_comm_agree(comm, check_memory(study)));
  TRY(pl_comm_agree(comm, take_lock(study)));
  TRY(find_earlier(study));
  plait_err err = is_root(study) && !study->finished ? check_files(study) : PLAIT_OK;
  if (err == PLAIT_OK && is_root(study) && study->pattern && !study->finished)
    err = pl_study_check_names(study);
  TRY(pl_comm_agree(comm, err));
  return pl_comm_agree(comm, load_input(study));
}

plait_err pl_study_open(pl_comm *comm, pl_job *job, int local_size, int threads, pl_study **out) {
  plait_err err = pl_comm_agree(comm, pl_calloc(1, sizeof **out, out));
  if (err != PLAIT_OK) return err;
  pl_study *study = *out;
  study->comm = comm;
  study->job = study->first.job = job;
  study->vary = job->vary;
  study->threads = threads > 0 ? threads : 1;
  study->local_size = local_size;
  pthread_mutex_init(&study->mutex, NULL);
  err = open_all(study, local_size);
  if (err != PLAIT_OK) pl_study_close(out);
  return err;
}

void pl_study_close(pl_study **at) {
  pl_study *study = *at;
  if (!study) return;
  pl_dataset_close(&study->first.input);
  pl_layout_free(&study->first.layout);
  pl_rows_free(&study->rows);
  pl_remaining_free(&study->remaining);
  pl_watchdog_leave(study->job->dog, study->lock);
  pl_lock_give(&study->lock);
  pthread_mutex_destroy(&study->mutex);
  pl_free(&study->data);
  pl_free(&study->table);
  pl_free(&study->csv);
  pl_free(&study->identity);
  pl_free(&study->done);
  pl_free(at);
}
