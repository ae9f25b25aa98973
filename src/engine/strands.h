// SPDX-License-Identifier: BSD-3-Clause
//
// The three strands of a rank: reader, compute leader with its team, writer. The only module that
// starts threads. A pattern gives three functions on *slots* (numbers of its own buffers); this
// module moves the slots:
//
//        free_in --> reader --ready_in--> team --> free_in
//                                          |  (team takes an output slot when it has a result)
//        free_out -> team ---ready_out-> writer --> free_out
//
// Without overlap (or when OpenMP gives no threads) the same functions run in line, one after
// another.
#ifndef PL_STRANDS_H
#define PL_STRANDS_H
#include "engine/report.h"
#include "host/comm.h"
#include "host/placement.h"

typedef struct pl_strands pl_strands;

typedef struct pl_strand_work {
  // Reader strand. Fills input slot `slot`; *more = false when there is nothing left (slot unused).
  plait_err (*read)(void *context, int slot, bool *more);
  // Every thread of the team at once, must end with all threads past their last use of the slot
  // (this module puts a barrier behind). The same error on every thread, or PLAIT_OK.
  plait_err (*compute)(void *context, pl_strands *strands, int slot, int thread);
  // Leader: a slot has come from the reader; it is about to go back there. May be NULL.
  void (*arrive)(void *context, int slot);
  void (*leave)(void *context, int slot);
  // Writer strand.
  plait_err (*write)(void *context, int slot);
  // Called once by the strand that failed first, for telling the other ranks. May be NULL.
  void (*failed)(void *context);
  int nin, nout; // slots of each kind
  // Poked by the reader while it waits for a free slot, so that thieves on other nodes are served
  // while this rank computes (pl_comm_poke). NULL: nobody waits for this rank.
  pl_comm *comm;
} pl_strand_work;

// Runs until the reader has no more, or something failed: the first error, with its message in the
// calling thread. Fills read, compute, write, wait_read, wait_write of the meter (adds). Not
// collective.
plait_err pl_strands_run(const pl_strand_work *work, void *context, const pl_placement *placement,
                         int threads, bool overlap, pl_meter *meter);

// `work` by every thread of a team, each alone: what a kernel shares out by `omp for` it does by
// itself. For many small pieces of work that have nothing to do with each other.
void pl_strands_each(const pl_placement *placement, int threads,
                     void (*work)(void *context, int thread), void *context);

// For compute, on the leader (thread 0) alone: a free output slot (false: the run is being ended),
// and handing it to the writer.
bool pl_strands_take_out(pl_strands *strands, int *slot);
bool pl_strands_give_out(pl_strands *strands, int slot);
// The same, where one slot is all of a run: what was computed since the last lap is an event of the
// trace of its own.
void pl_strands_lap(pl_strands *strands);
#endif
