// SPDX-License-Identifier: BSD-3-Clause
//
// When the strands of a rank were busy. Kept for every run, in bounded memory: where a lane is
// full, neighbouring stretches become one, so that it always covers the whole run at the finest
// grain that fits. The report draws it (pl_trace_bins), --trace writes it out for a viewer.
#ifndef PL_TRACE_H
#define PL_TRACE_H
#include "base/text.h"
#include "host/comm.h"

typedef enum pl_lane {
  PL_LANE_READ,
  PL_LANE_COMPUTE,
  PL_LANE_WRITE,
  PL_LANE_WAIT,    // the team stands still: its input is not there, or no output slot is free
  PL_LANE_MESSAGES // waits for messages of other ranks
} pl_lane;
enum { PL_LANES = PL_LANE_MESSAGES + 1, PL_BINS = 200 };
extern const char *const pl_lane_names[PL_LANES];

typedef struct pl_stretch { // s after the start of the pattern
  double from, to, busy;    // busy <= to - from
  int64_t count;            // pieces of work in it
} pl_stretch;

typedef struct pl_trace pl_trace;

// Room for `most` >= 4 stretches in each lane; `origin`: pl_now() at time 0. PLAIT_MEMORY.
plait_err pl_trace_start(double origin, int64_t most, pl_trace **trace);
void pl_trace_stop(pl_trace **trace);
// pl_now() at both ends, `busy` s of that at work. NULL is fine. In the order of time within a
// lane. Threads: one per lane. Costs some 10 ns, now and then a pass over the lane.
void pl_trace_add(pl_trace *trace, pl_lane lane, double from, double to, double busy);
int64_t pl_trace_lane(const pl_trace *trace, pl_lane lane, const pl_stretch **stretches);

typedef struct pl_timeline { // of one rank, plain bytes that travel
  // A digit for each PL_BINS-th of the run: ninths of it in which the lane was busy, rounded up.
  char lane[PL_LANES][PL_BINS + 1];
} pl_timeline;
void pl_trace_bins(const pl_trace *trace, double seconds, pl_timeline *timeline);

// Collective; all ranks with the same `most`. *all on rank 0: every rank's, *owned* (pl_free).
plait_err pl_trace_gather(pl_comm *comm, const pl_trace *trace, void **all);
const pl_trace *pl_trace_of(const void *all, int rank);

// The traces of `ranks` ranks as Chrome trace events, which ui.perfetto.dev and chrome://tracing
// draw: a process for each rank, a thread for each lane. `host` [ranks].
void pl_trace_events(const void *all, int ranks, const char *const host[], pl_text *out);
#endif
