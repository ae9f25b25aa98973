// SPDX-License-Identifier: BSD-3-Clause
//
// What the patterns share while they run. Progress is shown on rank 0; counting costs one
// fetch-and-add, so it is done per batch and at most five times a second. Stopping early is decided
// by one rank, told to all through the counters of the scheduler, and agreed on at the end.
#include "base/clock.h"
#include "engine/pattern.h"
#include "engine/watchdog.h"
#include "host/stop.h"
#include <math.h>
#include <stdio.h>

static const double every = 0.2; // s

static void tell(pl_stage *stage, int64_t done, int64_t total) {
  done += stage->resumed;
  double seconds = pl_now() - stage->start;
  int64_t bytes =
      total > 0 ? (int64_t)((double)stage->task->bytes_read * (double)done / (double)total) : 0;
  if (stage->progress->before) stage->progress->before(stage->progress->data, stage->resumed);
  stage->progress->tell(stage->progress->data, done, total, bytes, seconds);
}

void pl_stage_pass(const pl_stage *stage, int pass) {
  const pl_progress *progress = stage->progress;
  if (progress && progress->pass && pl_comm_rank(stage->comm) == 0)
    progress->pass(progress->data, pass);
}

// Hardware threads beside the team's own do not count as cores.
int pl_stage_team(const pl_stage *stage) {
  const pl_placement *p = stage->placement;
  int threads = stage->meter->threads;
  if (!p) return 0;
  if (!stage->task->job->run.overlap) return threads; // they wait meanwhile
  bool all = 2 * threads >= p->ncpus && (threads > 1 || p->ncpus == 1);
  return all ? threads : 0;
}

plait_err pl_stage_check_stop(const pl_stage *stage) {
  char reason[80];
  int why = pl_stop_why();
  if (!why) return PLAIT_OK;
  pl_stop_text(why, reason);
  return plait_fail(PLAIT_STOPPED, "stopped by %s; the same command runs %s again", reason,
                    stage->task->job->path);
}

plait_err pl_stage_stops(pl_stage *stage, pl_scheduler *scheduler, bool *stops) {
  int why = pl_stop_why();
  *stops = why != 0;
  if (!why) return PLAIT_OK;
  stage->stopping = why;
  return pl_schedule_halt(scheduler);
}

// ---- the journal ----

plait_err pl_stage_stored(pl_stage *stage, int64_t first, int64_t count, uint64_t hash) {
  const pl_journal_run run = {first, count, hash};
  return stage->journal ? pl_journal_add(stage->journal, &run) : PLAIT_OK;
}

plait_err pl_stage_save(pl_stage *stage, const pl_journal_kept *kept) {
  if (!stage->journal) return PLAIT_OK;
  TRY(pl_journal_save(stage->journal, stage->output, kept, false));
  pl_stop_margin(2 * pl_journal_longest(stage->journal));
  return PLAIT_OK;
}

static plait_err stopped(pl_stage *stage, int why) {
  int64_t done = stage->meter->blocks;
  char reason[80];
  TRY(pl_comm_sum_int(stage->comm, &done, 1));
  pl_stop_text(why, reason);
  return plait_fail(PLAIT_STOPPED, "stopped by %s with %lld of %lld %s done", reason,
                    (long long)(stage->resumed + done), (long long)stage->task->cut.nblocks,
                    stage->unit ? stage->unit : "blocks");
}

plait_err pl_stage_end(pl_stage *stage, plait_err err, const pl_journal_kept *kept) {
  int64_t word[] = {err != PLAIT_OK, stage->stopping};
  TRY(pl_comm_max_int(stage->comm, word, 2));
  if (!word[0] && !word[1]) return PLAIT_OK;
  char message[PL_MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s", pl_message());
  pl_journal *journal = stage->journal;
  plait_err saved = journal ? pl_journal_save(journal, stage->output, kept, true) : PLAIT_OK;
  if (err != PLAIT_OK) pl_message_set(message); // the first error is the one to be told
  TRY(pl_comm_agree(stage->comm, err != PLAIT_OK ? err : saved));
  return stopped(stage, (int)word[1]);
}

// ---- progress ----

plait_err pl_stage_done(pl_stage *stage, pl_scheduler *scheduler, int64_t units, int64_t total) {
  stage->uncounted += units;
  double now = pl_now();
  if (now - stage->last < every) return PLAIT_OK;
  stage->last = now;
  int64_t done = 0;
  TRY(pl_schedule_done(scheduler, stage->uncounted, &done));
  stage->uncounted = 0;
  if (stage->progress && pl_comm_rank(stage->comm) == 0) tell(stage, done, total);
  return PLAIT_OK;
}

void pl_stage_drain(pl_stage *stage, pl_scheduler *scheduler, int64_t total) {
  int64_t done = 0;
  if (pl_schedule_done(scheduler, stage->uncounted, &done) != PLAIT_OK) return;
  stage->uncounted = 0;
  if (pl_comm_rank(stage->comm) != 0) return;
  if (stage->progress) tell(stage, done, total);
  double from = pl_now();
  int64_t was = done;
  pl_watchdog_begin(stage->dog, PL_WATCH_RANKS, -1);
  total -= stage->resumed;
  while (done < total && !pl_schedule_halted(scheduler)) {
    // Rank 0 is late by a nap: by a small part of what it has waited, because passes can be short.
    pl_sleep(fmin(fmax(0.05 * (pl_now() - from), 50e-6), 0.05));
    if (pl_schedule_done(scheduler, 0, &done) != PLAIT_OK) break;
    if (done != was) pl_watchdog_begin(stage->dog, PL_WATCH_RANKS, -1);
    was = done;
    if (pl_now() - stage->last < every && done < total) continue;
    stage->last = pl_now();
    if (stage->progress) tell(stage, done, total + stage->resumed);
  }
  pl_watchdog_end(stage->dog, PL_WATCH_RANKS);
}
