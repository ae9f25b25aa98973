// SPDX-License-Identifier: BSD-3-Clause
//
// How much memory a rank may take: run.memory, or a share of what is left.
#ifndef PL_BUDGET_H
#define PL_BUDGET_H
#include "engine/job.h"

// Bytes for this rank, of `local_size` on its node. A run.memory that all ranks of the node cannot
// have together is told in the log and lessened, in the job too: combinations of a study are jobs
// that begin with it. Not collective. Bits: a budget changes no result.
int64_t pl_budget_choose(pl_job *job, int local_size);
#endif
