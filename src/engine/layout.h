// SPDX-License-Identifier: BSD-3-Clause
//
// What the result file looks like: axes, coordinates and attributes of the input that go along, and
// the arrays that the kernel's plan names. A pure function of job and input.
#ifndef PL_LAYOUT_H
#define PL_LAYOUT_H
#include "data/output.h"
#include "engine/job.h"

// Fills *layout (*owned by the caller*, pl_layout_free). PLAIT_BUG when a plan contradicts itself.
plait_err pl_layout_make(const pl_job *job, const pl_meta *meta, const plait_plan *plan,
                         pl_layout *layout);
#endif
