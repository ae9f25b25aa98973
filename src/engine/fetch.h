// SPDX-License-Identifier: BSD-3-Clause
//
// How often storage has to bring the bytes of a file for the blocks that a job is cut into.
#ifndef PL_FETCH_H
#define PL_FETCH_H
#include "engine/task.h"

// How often the file is read from storage when nothing of it stays in the page cache between two
// blocks; at least pl_read_factor, which counts cells. 1 without a file. Not collective.
double pl_fetch_factor(const pl_task *task);
#endif
