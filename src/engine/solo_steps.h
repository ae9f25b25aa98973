// SPDX-License-Identifier: BSD-3-Clause
//
// Reductions in steps over an array in memory, for solo.c: one rank, one thread, no file.
#ifndef PL_SOLO_STEPS_H
#define PL_SOLO_STEPS_H
#include "engine/steps.h"

// `steps` with its kernel set; calls[0] keeps its state until the caller stops them.
plait_err pl_solo_steps(const pl_task *task, const char *data, plait_call calls[], pl_steps *steps);
#endif
