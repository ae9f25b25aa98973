// SPDX-License-Identifier: BSD-3-Clause
//
// The ranks and what they say to each other; no MPI type appears here. The linker takes comm_mpi.c
// (the only file that includes mpi.h) or comm_solo.c. When no launcher started the process, MPI is
// not initialised even where it is compiled in: the communicator has one rank.
//
// Threads: one strand at a time calls any function of a communicator (MPI_THREAD_SERIALIZED is
// enough); where several strands need it they share `pl_comm_lock`. Waiting sleeps: collectives are
// non-blocking inside and polled with growing naps, because Open MPI's own waiting burns a core.
// Stays inside what SimGrid's SMPI runs: no compare-and-swap, no persistent requests, no matched
// probe.
#ifndef PL_COMM_H
#define PL_COMM_H
#include "base/err.h"

typedef struct pl_comm pl_comm;

// Collective. `launched`: a launcher started this process (pl_launch_find), so MPI is initialised.
// Fails with PLAIT_USAGE and the cure when there is 1 process where the launcher promised more.
plait_err pl_comm_start(bool launched, int promised_size, pl_comm **comm);
void pl_comm_stop(pl_comm **comm); // Collective; NULL inside is fine
// Collective. The ranks of one `part` (>= 0), in their order, as a communicator of their own, which
// ends (pl_comm_stop, collective in it) before this one.
plait_err pl_comm_split(pl_comm *comm, int part, pl_comm **out);
void pl_comm_abort(pl_comm *comm, int exit_code); // ends all ranks now; does not return

int pl_comm_rank(const pl_comm *comm);
int pl_comm_size(const pl_comm *comm);
const char *pl_comm_host(const pl_comm *comm);
const char *pl_comm_library(void); // "Open MPI 4.1.4", or "none (one process)"
// "MPI_THREAD_SERIALIZED": what MPI lets the threads of this process do; "" when it has not started
// or has ended.
const char *pl_comm_threads(void);
bool pl_comm_has_mpi(void); // compiled with MPI
void pl_comm_lock(pl_comm *comm);
void pl_comm_unlock(pl_comm *comm);

// Collective. The error of the lowest failing rank, on every rank; a rank that was well gets that
// rank's message, prefixed "rank R on HOST: ". Every collective step ends with it.
plait_err pl_comm_agree(pl_comm *comm, plait_err mine);

// Collective. All byte-wise, from and to memory that is *borrowed* until return. 0 bytes are fine.
plait_err pl_comm_barrier(pl_comm *comm);
plait_err pl_comm_bcast(pl_comm *comm, void *data, size_t bytes, int root);
plait_err pl_comm_gather(pl_comm *comm, const void *mine, size_t bytes, void *all, int root);
plait_err pl_comm_allgather(pl_comm *comm, const void *mine, size_t bytes, void *all); // rank order
plait_err pl_comm_max_int(pl_comm *comm, int64_t *values, int n); // element-wise, to every rank
plait_err pl_comm_sum_int(pl_comm *comm, int64_t *values, int n);

// Point to point, non-blocking. `data` is *borrowed until* the request is done. A message to
// oneself is copied. tag 0..999. Requests complete through test or wait, which free and zero them.
typedef struct pl_request {
  void *impl;
} pl_request;
plait_err pl_comm_send(pl_comm *comm, const void *data, size_t bytes, int to, int tag,
                       pl_request *r);
plait_err pl_comm_receive(pl_comm *comm, void *data, size_t bytes, int from, int tag,
                          pl_request *r);
plait_err pl_comm_test(pl_comm *comm, pl_request *requests, int n, bool *all_done); // pokes MPI
plait_err pl_comm_wait(pl_comm *comm, pl_request *requests, int n);                 // sleeps

// Counters that every rank can reach: `n` of them on each rank, zero at the start.
typedef struct pl_counters pl_counters;
plait_err pl_counters_start(pl_comm *comm, int n, pl_counters **counters); // Collective
void pl_counters_stop(pl_counters **counters);                             // Collective
// Lets MPI work on what others want of this rank. Within a node, and over networks that can do it
// by themselves, counters need nothing of their owner; Open MPI 4 over TCP serves them only while
// the owner is inside MPI: a strand that waits calls this now and then. Never blocks. Cost: < 1 us.
plait_err pl_comm_poke(pl_comm *comm);
// The value before adding. One-sided: the owner does nothing (but see pl_comm_poke). fetch_and_op,
// never compare-and-swap.
plait_err pl_counters_add(pl_counters *counters, int rank, int index, int64_t delta,
                          int64_t *before);
#endif
