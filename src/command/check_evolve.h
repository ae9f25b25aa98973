// SPDX-License-Identifier: BSD-3-Clause
//
// What `plait check` says about a job that steps in time: what it keeps, how many steps of what
// length, and how the grid is cut.
#ifndef PL_CHECK_EVOLVE_H
#define PL_CHECK_EVOLVE_H
#include "command/cli.h"
#include "engine/task.h"

void pl_check_evolve_text(const pl_task *task, pl_text *out);
void pl_check_evolve_json(const pl_task *task, pl_json *out); // members of an open object
#endif
