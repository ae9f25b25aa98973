// SPDX-License-Identifier: BSD-3-Clause
//
// The sums of a step over all ranks, lane by lane in one binary tree, the same bits for any number
// of ranks. A rank has the sums of its *nodes*, the largest subtrees whose lanes are all its own.
// Vectors are cut into a segment per rank, which that rank adds up. Ranks of one node read each
// other's memory and write the sums to one place (shared.h): of 2 ranks and 100,000 floats that
// took about a tenth off a step. Else the segments are sent to all (twice the vector over each
// link, however many ranks), short vectors go whole to everybody, who adds them up.
//
// Waiting spins for a millisecond, giving the core away each time (sched_yield), before it sleeps:
// a step is some 100 us of work, and a nap is as long.
#ifndef PL_STEPS_SUM_H
#define PL_STEPS_SUM_H
#include "engine/report.h"
#include "host/shared.h"

typedef struct pl_steps_sum {
  pl_comm *comm; // *borrowed*; NULL: one rank
  int rank, ranks, lanes;
  size_t longest;       // floats of a vector
  int nodes;            // of this rank
  int *first, *width;   // of each node: its first lane, counted from the first lane of this rank
  int base;             // that lane
  float **own;          // the vector of each node
  float *total;         // the sums of all lanes
  float *memory, *room; // with messages
  pl_shared *shared;    // NULL: messages
  const float **at;     // while adding: by lane, the node that begins there ..
  int *wide;            // .. and its width, 0 none
  pl_request *requests;
} pl_steps_sum;

// Bytes that pl_steps_sum_start takes on the rank that needs most.
size_t pl_steps_sum_bytes(int lanes, int ranks, size_t longest);
plait_err pl_steps_sum_start(pl_comm *comm, int lanes, size_t longest, pl_steps_sum *sum);
void pl_steps_sum_stop(pl_steps_sum *sum);
// Collective. The first n floats of own[] -> *total (own[0] when this rank has it all). own[] is
// spoilt. One strand.
plait_err pl_steps_sum_all(pl_steps_sum *sum, size_t n, const float **total, pl_meter *meter);
#endif
