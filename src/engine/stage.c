// SPDX-License-Identifier: BSD-3-Clause
//
// Progress of a running pattern, shown on rank 0. Counting costs one fetch-and-add, so it is done
// per batch and at most five times a second.
#include "base/clock.h"
#include "engine/pattern.h"
#include "host/stop.h"
#include <string.h>

static const double every = 0.2; // s

static void tell(pl_stage *stage, int64_t done, int64_t total) {
  double seconds = pl_now() - stage->start;
  int64_t bytes =
      total > 0 ? (int64_t)((double)stage->task->bytes_read * (double)done / (double)total) : 0;
  stage->progress->tell(stage->progress->data, done, total, bytes, seconds);
}

plait_err pl_stage_check_stop(const pl_stage *stage) {
  if (!pl_stop_asked()) return PLAIT_OK;
  return plait_fail(PLAIT_STOPPED, "stopped by %s (signal %d); the same command runs %s again",
                    strsignal(pl_stop_signal()), pl_stop_signal(), stage->task->job->path);
}

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
  if (!stage->progress || pl_comm_rank(stage->comm) != 0) return;
  tell(stage, done, total);
  double nap = 0.001;
  while (done < total && !pl_schedule_halted(scheduler)) {
    pl_sleep(nap);
    nap = nap < 0.05 ? 2 * nap : 0.05;
    if (pl_schedule_done(scheduler, 0, &done) != PLAIT_OK) return;
    if (pl_now() - stage->last < every && done < total) continue;
    stage->last = pl_now();
    tell(stage, done, total);
  }
}
