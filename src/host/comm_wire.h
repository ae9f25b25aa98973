// SPDX-License-Identifier: BSD-3-Clause
//
// What comm.c and a wire (comm_mpi.c) share: the inside of a communicator. A wire is a table of
// functions; comm.c answers everything by itself where there is one rank and asks the wire
// otherwise. So comm_solo.c has no stubs and callers no #ifdef. Only files of src/host/comm* and
// their tests include this.
#ifndef PL_COMM_WIRE_H
#define PL_COMM_WIRE_H
#include "host/comm.h"
#include <pthread.h>

typedef struct pl_wire { // every function as its namesake of comm.h, with two ranks or more
  plait_err (*barrier)(pl_comm *comm);
  plait_err (*bcast)(pl_comm *comm, void *data, size_t bytes, int root);
  plait_err (*gather)(pl_comm *comm, const void *mine, size_t bytes, void *all,
                      int root);                                        // -1: all
  plait_err (*reduce)(pl_comm *comm, int64_t *values, int n, bool sum); // else the maximum
  plait_err (*send)(pl_comm *comm, const void *data, size_t bytes, int to, int tag, void **impl);
  plait_err (*receive)(pl_comm *comm, void *data, size_t bytes, int from, int tag, void **impl);
  plait_err (*test)(pl_comm *comm, void *impl, bool *done); // done or failed: impl is freed
  plait_err (*poke)(pl_comm *comm);
  plait_err (*split)(pl_comm *comm, int part, pl_comm *out); // fills all but lock, host and piece
  plait_err (*counters_start)(pl_comm *comm, int n, void **impl);
  plait_err (*counters_add)(void *impl, int rank, int index, int64_t delta, int64_t *before);
  void (*counters_stop)(pl_comm *comm, void *impl);
  void (*stop)(pl_comm *comm);
  void (*abort)(pl_comm *comm, int exit_code);
} pl_wire;

struct pl_comm {
  int rank, size;
  char host[256];
  pthread_mutex_t lock;
  const pl_wire *wire; // NULL: one process, MPI not initialised
  void *link;          // what the wire keeps; *owned* by the wire
  size_t piece;        // a message is cut into pieces of so many bytes: MPI counts with an int
  struct pl_letter *letters; // messages of the only rank to itself, not matched yet
};

// A communicator of one rank, without a wire.
plait_err pl_comm_alone(pl_comm **comm);

// Waiting that gives the core away: returns at once for the first 20 us, then sleeps 20 us, growing
// by a half each time to 1 ms. Zero-initialised is a fresh one.
typedef struct pl_patience {
  double since, nap;
} pl_patience;
void pl_patience_wait(pl_patience *patience);
#endif
