// SPDX-License-Identifier: BSD-3-Clause
//
// What the journal says is compared with what the output holds. Reading back what was written costs
// a read of the results that are there, shared out over the ranks; it is why the journal needs no
// order between its own writes and those of the data, and why a damaged output is repaired instead
// of delivered.
#include "base/log.h"
#include "base/mem.h"
#include "engine/pattern.h"
#include "engine/results.h"
#include "engine/resume.h"
#include "engine/task.h"
#include "engine/watchdog.h"
#include <stdlib.h>

static void mark(pl_resume *r, int64_t first, int64_t count) {
  for (int64_t b = first; b < first + count; b++) {
    if (pl_resume_done(r, b)) continue;
    r->done[b / 8] |= (uint8_t)(1u << (b % 8));
    r->blocks++;
  }
}

// ---- results ----

// Where a kernel emits, records are of what it emitted, block by block; else of tiles.
static bool emits(const pl_task *task) {
  const plait_kernel *kernel = task->job->kernel;
  return kernel->pattern == PLAIT_REDUCE && kernel->reduce.emit;
}

static plait_err hash_unit(const pl_task *task, pl_output *output, int64_t unit, void *room,
                           uint64_t *hash) {
  pl_box box;
  bool blocks = emits(task);
  (blocks ? pl_cut_block : pl_cut_tile)(&task->cut, unit, &box);
  for (int v = 0; v < task->plan.noutputs; v++) {
    pl_box part;
    if (task->plan.output[v].emitted != blocks) continue;
    pl_output_box(&task->plan.output[v], &box, &part);
    TRY(pl_output_rehash(output, v, &part, room, hash));
  }
  return PLAIT_OK;
}

static bool in_range(const pl_task *task, const pl_journal_run *run) {
  int64_t units = emits(task) ? task->cut.nblocks : task->cut.ntiles;
  return run->first < units && run->count <= units - run->first;
}

static plait_err check_run(const pl_task *task, pl_output *output, const pl_journal_run *run,
                           void *room, bool *same) {
  uint64_t hash = 0;
  *same = in_range(task, run);
  for (int64_t i = 0; output && *same && i < run->count; i++)
    TRY(hash_unit(task, output, run->first + i, room, &hash));
  *same = *same && (!output || hash == run->hash);
  return PLAIT_OK;
}

// Runs [first, first + n): bad[i] on every rank.
static plait_err check_runs(pl_comm *comm, const pl_task *task, pl_output *output,
                            const pl_resume *r, int64_t first, int n, void *room, int64_t *bad) {
  int size = pl_comm_size(comm), rank = pl_comm_rank(comm);
  plait_err err = PLAIT_OK;
  pl_watchdog_begin(task->job->dog, PL_WATCH_FILES, -1);
  for (int i = 0; i < n; i++) {
    bool same = true;
    if (err == PLAIT_OK && i % size == rank)
      err = check_run(task, output, &r->journal.runs[first + i], room, &same);
    bad[i] = !same;
  }
  pl_watchdog_end(task->job->dog, PL_WATCH_FILES);
  TRY(pl_comm_agree(comm, err));
  return pl_comm_max_int(comm, bad, n);
}

static plait_err check_results(pl_comm *comm, const pl_task *task, pl_output *output,
                               pl_resume *r) {
  enum { AT_ONCE = 1 << 16 };
  char *room = NULL;
  int64_t *bad = NULL, width = emits(task) ? 1 : task->cut.nreds;
  plait_err err = pl_alloc(pl_results_set_bytes(task), 1, &room);
  if (err == PLAIT_OK) err = pl_alloc(AT_ONCE, sizeof *bad, &bad);
  GUARD(pl_comm_agree(comm, err));
  for (int64_t at = 0; at < r->journal.nruns; at += AT_ONCE) {
    int64_t left = r->journal.nruns - at;
    int n = left < AT_ONCE ? (int)left : AT_ONCE;
    GUARD(check_runs(comm, task, output, r, at, n, room, bad));
    for (int i = 0; i < n; i++) {
      const pl_journal_run *run = &r->journal.runs[at + i];
      if (bad[i])
        r->spoilt += in_range(task, run) ? run->count * width : 1;
      else
        mark(r, run->first * width, run->count * width);
    }
  }
  r->results = r->blocks;
done:
  pl_free(&room);
  pl_free(&bad);
  return err;
}

// ---- partials ----

static int by_level(const void *a, const void *b) { // large ones first, then in order
  const pl_journal_node *x = a, *y = b;
  if (x->level != y->level) return x->level > y->level ? -1 : 1;
  if (x->tile != y->tile) return x->tile < y->tile ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

// The leaves of a node; none when there is no such node.
static int64_t leaves(const pl_task *task, const pl_journal_node *node, int64_t *first) {
  int64_t nreds = task->cut.nreds, width;
  if (node->tile >= task->cut.ntiles || node->level > 62) return 0;
  width = (int64_t)1 << node->level;
  if (node->index > (nreds - 1) / width) return 0;
  *first = node->index * width;
  return nreds - *first < width ? nreds - *first : width;
}

// How many partials a rank may hold beside what it needs anyway; the same on every rank.
static plait_err partials_that_fit(pl_comm *comm, const pl_task *task, int64_t *most) {
  int64_t bytes = (int64_t)pl_partial_bytes(task) + 1;
  *most = -((task->budget - task->needed) / bytes);
  TRY(pl_comm_max_int(comm, most, 1)); // the least of all ranks
  *most = *most < 0 ? -*most : 0;
  return PLAIT_OK;
}

// Whether what the kernel emitted of all these blocks is there; NULL: this pass emits nothing.
static bool all_emitted(const uint8_t *emitted, int64_t first, int64_t n) {
  for (int64_t b = first; emitted && b < first + n; b++)
    if (!(emitted[b / 8] >> (b % 8) & 1)) return false;
  return true;
}

static plait_err choose_nodes(pl_comm *comm, const pl_task *task, const uint8_t *emitted,
                              pl_resume *r) {
  pl_journal_found *j = &r->journal;
  int64_t most = 0, kept = 0, *held = NULL, first = 0;
  int size = pl_comm_size(comm);
  plait_err err = PLAIT_OK;
  if (j->nnodes == 0) return PLAIT_OK;
  TRY(partials_that_fit(comm, task, &most));
  TRY(pl_comm_agree(comm, pl_calloc((size_t)size, sizeof *held, &held)));
  qsort(j->nodes, (size_t)j->nnodes, sizeof *j->nodes, by_level);
  for (int64_t i = 0; i < j->nnodes; i++) {
    const pl_journal_node node = j->nodes[i];
    int64_t n = leaves(task, &node, &first), block = node.tile * task->cut.nreds + first;
    bool fits = n > 0 && node.pass == j->pass && node.at.bytes == (int64_t)pl_partial_bytes(task);
    if (!fits || pl_resume_done(r, block) || held[node.tile % size] >= most) continue;
    if (!all_emitted(emitted, block, n)) continue;
    held[node.tile % size]++;
    j->nodes[kept++] = node;
    mark(r, block, n);
  }
  j->nnodes = kept;
  pl_free(&held);
  return err;
}

// A block that was emitted is done when a node that can be taken up holds its partial too.
static plait_err choose_emitted(pl_comm *comm, const pl_task *task, pl_resume *r) {
  uint8_t *emitted = r->done;
  bool in_it = !task->job->kernel->reduce.block || r->journal.pass & PL_PASS_EMITS;
  r->done = NULL;
  r->blocks = r->results = 0;
  plait_err err = pl_comm_agree(comm, pl_calloc((size_t)(task->cut.nblocks / 8 + 1), 1, &r->done));
  if (err == PLAIT_OK) err = choose_nodes(comm, task, in_it ? emitted : NULL, r);
  pl_free(&emitted);
  return err;
}

static void tell(const pl_task *task, const pl_resume *r) {
  const char *name = task->job->output;
  if (r->journal.damaged > 0)
    pl_log(PL_LOG_WARNING, "%s.journal is damaged in %lld places: what stood there is done again",
           name, (long long)r->journal.damaged);
  if (r->spoilt > 0)
    pl_log(PL_LOG_WARNING, "%s.partial does not hold what was written: %lld blocks are done again",
           name, (long long)r->spoilt);
}

plait_err pl_resume_check(pl_comm *comm, const pl_task *task, pl_output *output, pl_resume *r) {
  plait_err err = pl_calloc((size_t)(task->cut.nblocks / 8 + 1), 1, &r->done);
  TRY(pl_comm_agree(comm, err));
  TRY(check_results(comm, task, output, r));
  if (emits(task))
    TRY(choose_emitted(comm, task, r));
  else if (task->job->kernel->pattern == PLAIT_REDUCE)
    TRY(choose_nodes(comm, task, NULL, r));
  else
    r->journal.nnodes = 0;
  if (output && pl_comm_rank(comm) == 0) tell(task, r);
  return PLAIT_OK;
}
