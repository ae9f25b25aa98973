// SPDX-License-Identifier: BSD-3-Clause
//
// Finding out where an earlier run got to. Rank 0 alone looks at the journal: a thousand ranks that
// scan the same file would be a thousand times the load, and network file systems may show them
// different states.
#include "engine/resume.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/checkpoint.h"
#include "engine/identity.h"
#include "engine/params.h"
#include "engine/task.h"
#include "engine/watchdog.h"
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void pl_resume_free(pl_resume *resume) {
  pl_journal_found_free(&resume->journal);
  pl_free(&resume->identity);
  pl_free(&resume->done);
  *resume = (pl_resume){0};
}

void pl_resume_cut(const pl_resume *resume, const bool reduced[], pl_cut *cut) {
  const pl_journal_header *was = &resume->journal.cut;
  *cut = (pl_cut){.ndim = was->ndim, .ntiles = 1, .nreds = 1};
  for (int d = 0; d < was->ndim; d++) {
    cut->shape[d] = was->shape[d];
    cut->extent[d] = was->extent[d];
    cut->reduced[d] = reduced[d];
    cut->count[d] = (was->shape[d] + was->extent[d] - 1) / was->extent[d];
    *(reduced[d] ? &cut->nreds : &cut->ntiles) *= cut->count[d];
  }
  cut->nblocks = cut->ntiles * cut->nreds;
}

// ---- rank 0 ----

static bool same_shape(const pl_task *task, const pl_journal_header *was) {
  if (was->ndim != task->array.ndim) return false;
  int64_t blocks = 1;
  for (int d = 0; d < was->ndim; d++) {
    if (was->shape[d] != task->array.shape[d]) return false;
    int64_t count = (was->shape[d] + was->extent[d] - 1) / was->extent[d];
    if (pl_mul64_overflows(blocks, count, &blocks)) return false;
  }
  return true;
}

plait_err pl_resume_new_id(uint64_t *id) {
  if (getrandom(id, sizeof *id, 0) != (ssize_t)sizeof *id)
    return pl_fail_errno(PLAIT_BUG, "no random number", NULL);
  return PLAIT_OK;
}

bool pl_resume_beside(const char *output, const char *ending) {
  pl_text name = {0};
  pl_text_add(&name, "%s%s", output, ending);
  bool is_there = !name.failed && access(name.at, F_OK) == 0;
  pl_text_free(&name);
  return is_there;
}

static plait_err compare(const pl_task *task, pl_resume *r) {
  char *name = NULL;
  TRY(pl_journal_name(task->job->output, &name));
  plait_err err = pl_identity_compare(name, r->journal.identity, r->identity);
  if (err == PLAIT_OK && !same_shape(task, &r->journal.cut))
    err = plait_fail(PLAIT_OUTPUT, "%s belongs to an array of another shape; --fresh starts over",
                     name);
  pl_free(&name);
  return err;
}

// Checkpoints are what an evolve leaves: the output of another job, half done.
static plait_err look_at_checkpoints(const char *output, const char *identity) {
  pl_checkpoints_seen seen;
  TRY(pl_checkpoints_scan(output, &seen));
  plait_err err = PLAIT_OK;
  if (seen.newest >= 0)
    err = pl_identity_compare(seen.path[seen.newest],
                              pl_checkpoint_identity(&seen.file[seen.newest]), identity);
  pl_checkpoints_seen_free(&seen);
  return err;
}

static plait_err look_at_journal(const pl_task *task, pl_resume *r) {
  const char *output = task->job->output;
  TRY(pl_journal_scan(output, &r->journal));
  if (!r->journal.exists) return PLAIT_OK;
  bool partial = pl_resume_beside(output, ".partial");
  if (!r->journal.readable) {
    pl_log(PL_LOG_WARNING, "%s.journal cannot be read: nothing of it can be used", output);
    return PLAIT_OK;
  }
  if (!partial && !r->journal.complete) return PLAIT_OK; // of no use without the results
  TRY(compare(task, r));
  r->finished = !partial && pl_resume_beside(output, "");
  r->found = partial;
  if (r->found) r->id = r->journal.id;
  return PLAIT_OK;
}

static plait_err look(const pl_task *task, pl_resume *r) {
  const pl_job *job = task->job;
  pl_text text = {0};
  plait_err err = pl_identity_make(job, task->input, &text);
  if (err == PLAIT_OK) err = pl_strdup(text.at ? text.at : "", &r->identity);
  pl_text_free(&text);
  TRY(err);
  TRY(pl_resume_new_id(&r->id));
  if (job->sample && pl_resume_beside(job->output, ".journal"))
    return plait_fail(PLAIT_OUTPUT,
                      "%s is half done by an earlier run; a sample needs another output",
                      job->output);
  if (job->fresh || !pl_file_is_path(job->output)) return PLAIT_OK;
  if (pl_resume_beside(job->output, ".partial")) TRY(look_at_checkpoints(job->output, r->identity));
  TRY(look_at_journal(task, r));
  if (!r->found) pl_journal_found_free(&r->journal);
  return PLAIT_OK;
}

// ---- all ranks ----

static plait_err share(pl_comm *comm, void *list, int64_t n, size_t size) { // address of a pointer
  void *at = NULL;
  memcpy(&at, list, sizeof at);
  bool root = pl_comm_rank(comm) == 0;
  plait_err err = root ? PLAIT_OK : pl_alloc((size_t)n, size, &at);
  if (!root) memcpy(list, &at, sizeof at);
  TRY(pl_comm_agree(comm, err));
  return n > 0 ? pl_comm_bcast(comm, at, (size_t)n * size, 0) : PLAIT_OK;
}

static plait_err share_all(pl_comm *comm, pl_resume *r) {
  bool root = pl_comm_rank(comm) == 0;
  pl_resume mine = *r;
  int64_t text = root ? (int64_t)strlen(r->identity) + 1 : 0;
  TRY(pl_comm_bcast(comm, &mine, sizeof mine, 0));
  TRY(pl_comm_bcast(comm, &text, sizeof text, 0));
  if (!root) { // plain values of rank 0; its pointers mean nothing here
    mine.identity = NULL;
    mine.done = NULL;
    mine.journal.identity = NULL;
    mine.journal.runs = NULL;
    mine.journal.nodes = NULL;
    *r = mine;
  }
  pl_journal_found *j = &r->journal;
  TRY(share(comm, &r->identity, text, 1));
  TRY(share(comm, &j->runs, j->nruns, sizeof *j->runs));
  return share(comm, &j->nodes, j->nnodes, sizeof *j->nodes);
}

plait_err pl_resume_find(pl_comm *comm, const pl_task *task, pl_resume *resume) {
  *resume = (pl_resume){0};
  pl_watchdog_begin(task->job->dog, PL_WATCH_FILES, -1);
  plait_err err = pl_comm_rank(comm) == 0 ? look(task, resume) : PLAIT_OK;
  pl_watchdog_end(task->job->dog, PL_WATCH_FILES);
  err = pl_comm_agree(comm, err);
  if (err == PLAIT_OK) err = share_all(comm, resume);
  if (err != PLAIT_OK) pl_resume_free(resume);
  return err;
}

bool pl_resume_done(const pl_resume *resume, int64_t block) {
  return resume->done && resume->done[block / 8] >> (block % 8) & 1;
}
