// SPDX-License-Identifier: BSD-3-Clause
//
// How big blocks are and how many of them a rank keeps in memory.
//
// The cut of a reduce decides the order of its sums, so it depends on the job alone. The cut of a
// map cannot change a result, so there the memory budget may shrink a block and a wide halo may
// grow it.
#ifndef PL_SIZE_H
#define PL_SIZE_H
#include "engine/task.h"

// Fills cut, slots, out_slots, batch, out_batch, run_blocks, needed, kept of the task. PLAIT_JOB,
// with the smallest budget that would do, when not even one block at a time fits.
plait_err pl_size_choose(pl_task *task, int ranks, int threads);
// The cut alone, of a reduction that does not go on from a journal: what pl_size_choose would take.
void pl_size_cut_reduce(pl_task *task);
// How often the file is read: 1, and more where halos (and the chunks that they touch) are read
// again.
double pl_read_factor(const pl_task *task);
#endif
