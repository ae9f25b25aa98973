// SPDX-License-Identifier: BSD-3-Clause
//
// Which units of work (blocks, runs of blocks) this rank does next. Units are dealt to the ranks in
// equal contiguous shares. Each rank has a counter of its share that every rank can advance: owner
// and thief both take `old = fetch_add(next[victim], n)`, so no rank is a bottleneck (one shared
// counter stops scaling between 64 and 256 ranks; simulated at 4,096 ranks this keeps 56 %
// efficiency where a manager keeps 4 %). Static is the same without stealing. The order never
// changes a result.
//
// The counters also carry the word "stop": halting adds a huge number to all of them, so every rank
// learns of it at its next claim, without a message that anybody has to wait for.
#ifndef PL_SCHEDULE_H
#define PL_SCHEDULE_H
#include "engine/job.h"
#include "host/comm.h"

typedef struct pl_scheduler pl_scheduler;

// Collective. The window of the counters is made here, which costs milliseconds: a job with several
// passes keeps its scheduler and begins each further pass with pl_schedule_again.
plait_err pl_schedule_start(pl_comm *comm, pl_schedule_kind kind, int64_t units, int64_t batch,
                            pl_scheduler **scheduler);
// Not collective, but every rank calls it, with a collective step between the last claim of the
// pass before and this call. Nothing is sent.
plait_err pl_schedule_again(pl_scheduler *scheduler, int64_t units, int64_t batch);
void pl_schedule_stop(pl_scheduler **scheduler); // Collective
// The next units [*first, *first + *count); *count = 0: none left, or halted. One strand at a time.
plait_err pl_schedule_next(pl_scheduler *scheduler, int64_t *first, int64_t *count, bool *stolen);
plait_err pl_schedule_halt(pl_scheduler *scheduler);    // Threads: any. Not collective.
bool pl_schedule_halted(const pl_scheduler *scheduler); // as far as this rank knows
// Progress: units done by this rank are added on rank 0; total so far (only meaningful on rank 0).
// Also learns whether somebody has halted.
plait_err pl_schedule_done(pl_scheduler *scheduler, int64_t units, int64_t *total);
#endif
