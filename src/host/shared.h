// SPDX-License-Identifier: BSD-3-Clause
//
// Memory that all ranks of a communicator read and write, when they are on one node: what would be
// copied twice as messages is read where it is. Without MPI's windows: an anonymous file of each
// rank, opened by the others through /proc, so that a killed run leaves nothing behind.
#ifndef PL_SHARED_H
#define PL_SHARED_H
#include "host/comm.h"

typedef struct pl_shared pl_shared;

// Collective. Gives every rank `bytes` of memory (zeroed, 64-byte aligned; another number on each
// is fine). *shared is NULL on all ranks where that cannot be done on one of them (other nodes, no
// room, another user): they send messages then. Errors: PLAIT_COMM, PLAIT_MEMORY.
plait_err pl_shared_start(pl_comm *comm, size_t bytes, pl_shared **shared);
void pl_shared_stop(pl_shared **shared); // Not collective: the others keep what they have mapped
void *pl_shared_at(const pl_shared *shared, int rank); // *borrowed until* pl_shared_stop
// Collective, one strand. Returns when every rank is here; what they wrote before is seen then.
// Spins for a millisecond, giving the core away each time (sched_yield), then naps.
plait_err pl_shared_meet(pl_shared *shared);
#endif
