// SPDX-License-Identifier: BSD-3-Clause
//
// Ends a run that has stopped moving: a read that a dead file server never answers, a kernel that
// loops, a rank that is gone. A strand says when it begins and ends a piece of work. When no strand
// of a rank has done either for run.stall seconds, and one of them is at work, the watchdog says
// what each of them is doing and ends all ranks. Rank 0, when it has nothing left to do itself,
// waits for the others in the same way, so that it notices when no rank makes progress.
//
// It begins before the job's input is opened. While files are opened only their own calls can tell
// that they move (pl_moves), and a rank that waits for another's is at no work.
//
// A thread of its own that sleeps; it calls no MPI but the abort. It also gives the signs of life
// of the lock.
#ifndef PL_WATCHDOG_H
#define PL_WATCHDOG_H
#include "engine/lock.h"
#include "host/comm.h"

typedef struct pl_watchdog pl_watchdog;
typedef enum pl_watched {
  PL_WATCH_READ,
  PL_WATCH_TEAM,
  PL_WATCH_WRITE,
  PL_WATCH_RANKS,
  PL_WATCH_FILES // main strand, before a pattern runs
} pl_watched;
enum { PL_WATCHED = PL_WATCH_FILES + 1 };

typedef struct pl_watchdog_plan {
  pl_comm *comm;
  double stall;                                  // s; 0: never
  void (*stalled)(void *data, const char *line); // called once, before all ranks end; may be NULL
  void *data;
} pl_watchdog_plan;

plait_err pl_watchdog_start(const pl_watchdog_plan *plan, pl_watchdog **dog); // *copies*
void pl_watchdog_stop(pl_watchdog **dog);
// A lock to give signs of life of, of the study or of the run inside it; *borrows until
// pl_watchdog_leave*. NULL is fine.
void pl_watchdog_guard(pl_watchdog *dog, pl_lock *lock);
void pl_watchdog_leave(pl_watchdog *dog, const pl_lock *lock);
// Nothing is at work here: what an error has left.
void pl_watchdog_rest(pl_watchdog *dog);
// NULL is fine in all of these. `at`: block, -1 none. Threads: one per `who`.
void pl_watchdog_begin(pl_watchdog *dog, pl_watched who, int64_t at);
void pl_watchdog_end(pl_watchdog *dog, pl_watched who);
// Pure: what the message says. since[w]: s for which w has been at work, < 0: it waits.
void pl_watchdog_line(int rank, const char *host, double stall, const double since[PL_WATCHED],
                      const int64_t at[PL_WATCHED], char *out, size_t room);
#endif
