// SPDX-License-Identifier: BSD-3-Clause
//
// See trial.h. Whole processes are run, because start-up, placement and memory belong to what is
// compared. Trials write for real, into a directory of their own beside the job's output, so that
// writing costs what it costs there.
#include "command/trial.h"
#include "base/mem.h"
#include "base/path.h"
#include "command/child.h"
#include "engine/report.h"
#include "host/comm.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- the report -----------------------------------------------------------------------------
// Times as means over the ranks, so that they compare with the wall time.
static void take_total(const pl_report *report, pl_trial *t) {
  const pl_meter *total = &report->total;
  double ranks = report->ranks;
  t->inside = total->wall;
  t->read = total->read / ranks;
  t->compute = total->compute / ranks;
  t->write = total->write / ranks;
  t->team_read = total->team_read / ranks;
  t->wait = (total->wait_read + total->wait_write) / ranks;
  t->comm = total->comm / ranks;
  t->cpu_inside = total->cpu;
  t->team_cpu = total->team_cpu;
  bool steps = report->pattern && !strcmp(report->pattern, "evolve"); // every rank makes them
  t->units = steps ? total->blocks / report->ranks : total->blocks;
  t->bytes_read = total->bytes_read;
  t->bytes_written = total->bytes_written;
  t->storage_read = total->storage_read;
  t->messages = total->messages;
  t->bytes_sent = total->bytes_sent;
  t->cells = total->cells;
  t->peak_rank = total->peak_rss;
}

plait_err pl_trial_read(const char *json, pl_trial *trial) {
  pl_report report;
  TRY(pl_report_read(json, strlen(json), "what a trial printed", &report));
  take_total(&report, trial);
  trial->passes = report.total.passes > 1 ? report.total.passes : 1;
  trial->units_total = report.blocks_total * trial->passes;
  trial->flops_per_cell = report.flops_per_cell;
  trial->output_bytes = report.output_bytes;
  trial->hidden = report.hidden;
  trial->balance = report.balance;
  trial->waited = report.waited;
  trial->delayed = report.delayed;
  pl_report_free(&report);
  return PLAIT_OK;
}

// ---- the command line -----------------------------------------------------------------------
typedef struct line {
  const char *word[64];
  int n;
  char number[4][32], path[4096], *output;
} line;

static void add(line *l, const char *word) {
  if (l->n < 63) l->word[l->n++] = word;
}

static void add_number(line *l, int slot, const char *option, int64_t value) {
  snprintf(l->number[slot], sizeof l->number[slot], "%lld", (long long)value);
  add(l, option);
  add(l, l->number[slot]);
}

static plait_err make_line(const pl_trial_job *job, const pl_trial_how *how, line *l) {
  pl_text output = {0};
  ssize_t n = readlink("/proc/self/exe", l->path, sizeof l->path - 1);
  if (n < 0) return pl_fail_errno(PLAIT_IO, "cannot find", "/proc/self/exe");
  l->path[n] = 0;
  if (how->layout.ranks > 1) {
    add(l, "mpirun");
    if (how->layout.ranks > how->layout.cores) add(l, "--oversubscribe");
    add_number(l, 0, "-np", how->layout.ranks);
  }
  add(l, l->path);
  add(l, "run");
  add(l, job->job);
  if (job->noverrides > 40) return plait_fail(PLAIT_USAGE, "too many key=value");
  for (int i = 0; i < job->noverrides; i++) add(l, job->overrides[i]);
  pl_text_add(&output, "output=%s", job->output);
  if (output.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  add(l, l->output = output.at);
  add(l, "run.placement=auto");
  add(l, how->overlap ? "run.overlap=true" : "run.overlap=false");
  add_number(l, 1, "--threads", how->layout.threads);
  if (how->sample > 0) add_number(l, 2, "--sample", how->sample);
  add(l, "--force");
  add(l, "--quiet");
  add(l, "--format=json");
  return PLAIT_OK;
}

const char *pl_trial_unit(const pl_job *job) {
  if (job->vary) return "combinations";
  return job->kernel->pattern == PLAIT_EVOLVE ? "steps" : "blocks";
}

plait_err pl_trial_run(const pl_trial_job *job, const pl_trial_how *how, pl_trial *trial) {
  line l = {0};
  pl_child child = {0};
  char why[512];
  plait_err err = PLAIT_OK;
  *trial = (pl_trial){.energy = -1};
  GUARD(make_line(job, how, &l));
  GUARD(pl_child_run(l.word, &child));
  if (child.exit_code) {
    pl_child_complaint(&child, why, sizeof why);
    if (child.exit_code == 2) GUARD(plait_fail(PLAIT_JOB, "%s", why)); // no matter of the layout
    GUARD(plait_fail(PLAIT_IO, "the run with %d x %d failed: %s", how->layout.ranks,
                     how->layout.threads, why));
  }
  GUARD(pl_trial_read(child.out.at ? child.out.at : "", trial));
  trial->wall = child.wall;
  trial->cpu = child.cpu;
  trial->start = child.wall - trial->inside;
  trial->memory = child.pss;
  trial->memory_rank = child.pss_one;
  trial->energy = child.energy;
done:
  pl_free(&l.output);
  pl_child_free(&child);
  return err;
}

const char *pl_trial_no_ranks(void) {
  char path[4096];
  if (!pl_comm_has_mpi())
    return "this plait is built without MPI: build it with -DPLAIT_MPI=ON to measure processes";
  if (!pl_program_find("mpirun", path, sizeof path))
    return "there is no mpirun in PATH: install it (openmpi-bin) to measure processes";
  bool allowed = getenv("OMPI_ALLOW_RUN_AS_ROOT") && getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM");
  if (geteuid() == 0 && !allowed && strstr(pl_comm_library(), "Open MPI"))
    return "mpirun refuses root: set OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
           "to measure processes";
  return NULL;
}

// ---- where trials write ---------------------------------------------------------------------
plait_err pl_trial_output(const char *output, char **name) {
  char *dir = NULL;
  pl_text text = {0};
  if (!strncmp(output, "null:", 5)) return pl_strdup("null:", name);
  TRY(pl_path_dir(output, &dir));
  pl_text_add(&text, "%s/.plait-trial-XXXXXX", dir);
  pl_free(&dir);
  if (text.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  if (!mkdtemp(text.at)) {
    pl_text_free(&text);
    return pl_strdup("null:", name);
  }
  const char *slash = strrchr(output, '/');
  pl_text_add(&text, "/%s", slash ? slash + 1 : output);
  if (text.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  *name = text.at;
  return PLAIT_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info;
  (void)kind;
  (void)at;
  return remove(path) && 0;
}

void pl_trial_clean(const char *output) {
  char *dir = NULL;
  if (!strncmp(output, "null:", 5) || !strstr(output, "/.plait-trial-")) return;
  if (pl_path_dir(output, &dir) == PLAIT_OK) nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  pl_free(&dir);
}

// ---- how much is enough ---------------------------------------------------------------------
plait_err pl_trial_calibrate(const pl_trial_job *job, const pl_layout_try *layout, double seconds,
                             int64_t *sample, pl_trial *trial) {
  pl_trial_how how = {.layout = *layout, .overlap = true, .sample = 4};
  for (*sample = 0;;) {
    TRY(pl_trial_run(job, &how, trial));
    int64_t done = trial->units / trial->passes, all = trial->units_total / trial->passes;
    if (done < how.sample || done >= all) return PLAIT_OK;
    double factor = 1.25 * seconds / (trial->inside > 1e-4 ? trial->inside : 1e-4);
    if (trial->inside > 0.15 * seconds) { // long enough to be believed
      *sample = (int64_t)((double)done * (factor > 1 ? factor : 1));
      if (*sample >= all) *sample = 0;
      return PLAIT_OK;
    }
    how.sample = (int64_t)((double)done * (factor < 4 ? 4 : factor < 64 ? factor / 2 : 32));
  }
}
