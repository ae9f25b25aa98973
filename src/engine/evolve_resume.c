// SPDX-License-Identifier: BSD-3-Clause
//
// An evolve that goes on: the checkpoints of an earlier run are found before this one begins, their
// state is taken up when the output is open again. Rank 0 alone looks at names and identities, as
// in resume.c.
#include "base/log.h"
#include "base/mem.h"
#include "engine/evolve_save.h"
#include "engine/evolve_state.h"
#include "engine/halo.h"
#include "engine/identity.h"
#include "engine/params.h"
#include "engine/watchdog.h"
#include <stdio.h>
#include <string.h>

typedef struct finding { // of rank 0; plain bytes that travel
  bool found, finished;
  int64_t step;
} finding;

// ---- rank 0 ----

static plait_err make_identity(const pl_evolve *e, pl_text *text) {
  TRY(pl_identity_make(e->task->job, e->task->input, text));
  pl_text_add(text, "length of a step: %a s\nsteps: %lld\n", e->march.dt, (long long)e->steps);
  return text->failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
}

// A journal is what maps and reductions leave: the output of another job, half done.
static plait_err look_at_journal(const char *output, const char *identity) {
  pl_journal_found journal;
  char *name = NULL;
  TRY(pl_journal_scan(output, &journal));
  plait_err err = PLAIT_OK;
  if (journal.exists && journal.readable) {
    err = pl_journal_name(output, &name);
    if (err == PLAIT_OK) err = pl_identity_compare(name, journal.identity, identity);
  }
  pl_free(&name);
  pl_journal_found_free(&journal);
  return err;
}

static plait_err look_at_checkpoints(const char *output, const char *identity, finding *f) {
  pl_checkpoints_seen seen;
  TRY(pl_checkpoints_scan(output, &seen));
  bool partial = pl_resume_beside(output, ".partial");
  plait_err err = PLAIT_OK;
  if (seen.newest >= 0 && (partial || seen.file[seen.newest].complete)) {
    const pl_checkpoint_table *t = &seen.file[seen.newest];
    err = pl_identity_compare(seen.path[seen.newest], pl_checkpoint_identity(t), identity);
    f->finished = !partial && t->complete && pl_resume_beside(output, "");
    f->found = partial && seen.usable >= 0;
    if (f->found) f->step = seen.file[seen.usable].head.step;
  }
  for (int i = 0; i < 2 && partial && seen.newest < 0; i++)
    if (seen.bad[i]) pl_log(PL_LOG_WARNING, "%s %s", seen.path[i], seen.bad[i]);
  pl_checkpoints_seen_free(&seen);
  return err;
}

static plait_err look(const pl_evolve *e, char **identity, finding *f) {
  const pl_job *job = e->task->job;
  pl_text text = {0};
  plait_err err = make_identity(e, &text);
  if (err == PLAIT_OK) err = pl_strdup(text.at, identity);
  pl_text_free(&text);
  TRY(err);
  if (job->fresh || !pl_file_is_path(job->output)) return PLAIT_OK;
  if (pl_resume_beside(job->output, ".partial")) TRY(look_at_journal(job->output, *identity));
  TRY(look_at_checkpoints(job->output, *identity, f));
  if (job->sample && (f->found || f->finished))
    return plait_fail(PLAIT_OUTPUT,
                      "%s is half done by an earlier run; a sample needs another output",
                      job->output);
  return PLAIT_OK;
}

// ---- all ranks ----

static plait_err open_store(pl_evolve *e, const char *identity, bool *found) {
  char why[PL_MESSAGE_BYTES];
  const pl_job *job = e->task->job;
  pl_comm *comm = e->march.comm;
  TRY(pl_checkpoints_open(comm, job->output, identity, !*found, &e->store, found, why));
  if (*why && pl_comm_rank(comm) == 0) pl_log(PL_LOG_WARNING, "%s", why);
  return PLAIT_OK;
}

plait_err pl_evolve_find(pl_evolve *e) {
  pl_comm *comm = e->march.comm;
  pl_resume *r = &e->task->resume;
  const pl_job *job = e->task->job;
  finding f = {0};
  pl_watchdog_begin(job->dog, PL_WATCH_FILES, -1);
  plait_err err = pl_comm_rank(comm) == 0 ? look(e, &r->identity, &f) : PLAIT_OK;
  pl_watchdog_end(job->dog, PL_WATCH_FILES);
  TRY(pl_comm_agree(comm, err));
  TRY(pl_comm_bcast(comm, &f, sizeof f, 0));
  bool writes = job->lock && !job->sample && pl_file_is_path(job->output);
  if (writes && !f.finished) TRY(open_store(e, r->identity, &f.found));
  r->found = f.found;
  r->finished = f.finished;
  r->blocks = f.found ? f.step : 0;
  if (f.found && e->store) r->blocks = pl_checkpoints_found(e->store)->step;
  return PLAIT_OK;
}

static bool same_arrays(const pl_checkpoint_what *a, const pl_checkpoint_what *b) {
  bool same = a->narrays == b->narrays;
  for (int i = 0; same && i < a->narrays; i++)
    same = strcmp(a->array[i].name, b->array[i].name) == 0 &&
           a->array[i].cell == b->array[i].cell && a->array[i].ndim == b->array[i].ndim &&
           memcmp(a->array[i].shape, b->array[i].shape, sizeof a->array[i].shape) == 0;
  return same;
}

static plait_err read_gauges(pl_evolve *e, int array, int64_t samples) {
  pl_gauges *g = &e->gauges;
  const ptrdiff_t one[] = {1, 1};
  double *row = NULL;
  plait_err err = pl_alloc((size_t)samples, sizeof *row, &row);
  for (int i = 0; i < g->n && err == PLAIT_OK; i++) {
    const pl_box box = {.ndim = 2, .lo = {i, 0}, .n = {1, samples}};
    if (g->gauge[i].owner != pl_comm_rank(e->march.comm)) continue;
    err = pl_checkpoints_read(e->store, array, &box, row, one);
    for (int64_t s = 0; err == PLAIT_OK && s < samples; s++) g->value[s * g->n + i] = row[s];
  }
  pl_free(&row);
  return err;
}

static plait_err read_arrays(pl_evolve *e, const pl_checkpoint_what *what) {
  for (int i = 0; i < what->narrays; i++) {
    pl_state_part part;
    if (pl_state_part_of(e, i, &part))
      TRY(pl_checkpoints_read(e->store, i, &part.box, part.at, part.stride));
    else
      TRY(read_gauges(e, i, what->array[i].shape[1]));
  }
  return PLAIT_OK;
}

static plait_err read_state(pl_evolve *e, const pl_checkpoint_what *what) {
  pl_watchdog_begin(e->task->job->dog, PL_WATCH_FILES, -1);
  plait_err err = read_arrays(e, what);
  pl_watchdog_end(e->task->job->dog, PL_WATCH_FILES);
  return err;
}

// The ghost cells and halos of what was read, by a team of one.
static plait_err fill_halos(pl_march *m) {
  int threads = m->threads;
  m->threads = 1;
  plait_err err = pl_march_exchange(m, m->tiling.depth, 0);
  m->threads = threads;
  return err;
}

// Whether the checkpoint is one of this job at all.
static plait_err check_arrays(pl_evolve *e, const pl_checkpoint_what *what) {
  pl_checkpoint_what mine = {0};
  bool inside = what->step > 0 && what->step < e->steps;
  if (inside) pl_state_arrays(e, what->step, &mine);
  if (!inside || !same_arrays(what, &mine))
    return plait_fail(PLAIT_OUTPUT, "the checkpoints of %s hold other fields than this job has",
                      e->task->job->output);
  return pl_state_take_extra(e, what);
}

// The state is touched last, so that after a refusal the march still stands at its beginning.
plait_err pl_evolve_take_up(pl_evolve *e, pl_output *output) {
  const pl_checkpoint_what what = *pl_checkpoints_found(e->store);
  pl_comm *comm = e->march.comm;
  int64_t bad, n = pl_save_snapshots(e, what.step);
  TRY(pl_comm_agree(comm, check_arrays(e, &what)));
  TRY(pl_snapshots_check(&e->snapshots, output, n, &bad));
  if (bad < n)
    return plait_fail(PLAIT_OUTPUT, "%s.partial does not hold snapshot %lld as it was written",
                      e->task->job->output, (long long)bad);
  e->march.step = e->resumed = what.step;
  TRY(pl_comm_agree(comm, read_state(e, &what)));
  return pl_comm_agree(comm, fill_halos(&e->march));
}

plait_err pl_evolve_forget(pl_evolve *e) {
  memset(e->snapshots.hash, 0, (size_t)e->nsnapshots * sizeof *e->snapshots.hash);
  return e->store ? pl_checkpoints_forget(e->store, e->task->job->output) : PLAIT_OK;
}
