// SPDX-License-Identifier: BSD-3-Clause
//
// When the allocation of this job ends.
#ifndef PL_DEADLINE_H
#define PL_DEADLINE_H
#include "base/err.h"

// Seconds until the batch system ends this job, from SLURM_JOB_END_TIME, or where that is absent
// from `squeue` (executed directly, no shell; given up after 10 s). INFINITY: no limit, or none is
// known. One rank asks for all. May block.
double pl_deadline_find(void);
// Pure: what `squeue -o %L` prints: "1-02:03:04", "12:34", "5"; INFINITY for UNLIMITED, NOT_SET and
// the like.
double pl_deadline_parse(const char *text);
#endif
