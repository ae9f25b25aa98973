// SPDX-License-Identifier: BSD-3-Clause
//
// Between task.c and the patterns: what a pattern gets to run with.
#ifndef PL_PATTERN_H
#define PL_PATTERN_H
#include "engine/resume.h"
#include "engine/schedule.h"
#include "engine/task.h"

typedef struct pl_stage { // one run of a pattern on this rank; everything *borrowed*
  pl_comm *comm;
  pl_task *task;
  const pl_placement *placement;
  const pl_progress *progress; // may be NULL
  pl_output *output;
  pl_meter *meter;         // this rank's
  pl_outcome outcome;      // what came of it on this rank
  double start;            // pl_now() when the pattern began
  double last;             // when progress was counted last
  int64_t uncounted;       // units finished here since
  int64_t resumed;         // blocks of this pass that an earlier run did
  struct pl_watchdog *dog; // may be NULL
  pl_journal *journal;     // NULL: the output keeps nothing
  const char *unit;        // what is counted; NULL: "blocks"
  int stopping;            // why this rank claims nothing more (pl_stop_why), 0: it does
} pl_stage;

typedef struct pl_scratch { // per-thread scratch and the calls that carry it
  int threads;
  plait_call *calls; // one per thread
  char *memory;
  size_t room; // bytes of it
} pl_scratch;

plait_err pl_map_run(pl_stage *stage);          // Collective; agrees at its end
plait_err pl_reduce_run(pl_stage *stage);       // Collective; agrees at its end
plait_err pl_reduce_steps_run(pl_stage *stage); // Collective; agrees at its end
plait_err pl_evolve_run(pl_stage *stage);       // Collective; agrees at its end

size_t pl_scratch_bytes(const pl_task *task); // per thread
size_t pl_partial_bytes(const pl_task *task); // reduce: of a partial of the largest tile
// `scratch` is zero, or of an earlier task whose memory is taken over when it is large enough.
plait_err pl_scratch_start(const pl_task *task, int threads, plait_raise *raise,
                           pl_scratch *scratch);
void pl_scratch_stop(pl_scratch *scratch);

// Threads of the team that may fetch from the page cache (feed.h): all, when there is no core left
// on which the reader strand could do it beside them, and in line, where it does not.
int pl_stage_team(const pl_stage *stage);

// PLAIT_STOPPED when this rank is asked to stop; for patterns whose ranks agree on it right behind.
plait_err pl_stage_check_stop(const pl_stage *stage);
// Reader strand, before a claim: true when the run is to stop early. The scheduler then tells the
// other ranks; everybody finishes what was claimed.
plait_err pl_stage_stops(pl_stage *stage, pl_scheduler *scheduler, bool *stops);
// The results in `tiles` [first, first + count) are stored. Strand that stored them.
plait_err pl_stage_stored(pl_stage *stage, int64_t first, int64_t count, uint64_t hash);
// Saves the journal when it is time. `kept` NULL: a map. Strand that owns the nodes, or the writer.
plait_err pl_stage_save(pl_stage *stage, const pl_journal_kept *kept);
// Collective; after the strands have ended with `err`, with what a reduction has to keep (`kept`
// NULL: a map). When a rank failed or stopped, every rank puts what it has on disk. Returns the
// error of all: PLAIT_STOPPED when the run was stopped early and nobody failed.
plait_err pl_stage_end(pl_stage *stage, plait_err err, const pl_journal_kept *kept);
// Tells on rank 0 that another pass over the blocks begins; they are counted anew.
void pl_stage_pass(const pl_stage *stage, int pass);
// Counts finished units on rank 0 and tells the progress there. Strand that owns the results.
plait_err pl_stage_done(pl_stage *stage, pl_scheduler *scheduler, int64_t units, int64_t total);
// Rank 0, after its own strands ended: goes on telling the progress until all units are done.
void pl_stage_drain(pl_stage *stage, pl_scheduler *scheduler, int64_t total);
#endif
