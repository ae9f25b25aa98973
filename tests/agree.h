// SPDX-License-Identifier: BSD-3-Clause
//
// Asserts for tests that run on several ranks: all ranks agree on the verdict first, then fail
// together. An assert of CMocka that fails on one rank leaves the others waiting in the next
// collective until the test is killed.
#ifndef PL_AGREE_H
#define PL_AGREE_H
#include "host/comm.h"

// Collective. Fails the CMocka test on every rank when `good` is false on any; the message names
// the lowest such rank. Call it from every rank, in the same order.
#define agree_true(comm, good) agree_check(comm, good, #good, __FILE__, __LINE__)
// Collective. The same for a call that returns plait_err; the message is the error's.
#define agree_ok(comm, call) agree_code(comm, call, #call, __FILE__, __LINE__)

void agree_check(pl_comm *comm, bool good, const char *what, const char *file, int line);
void agree_code(pl_comm *comm, plait_err code, const char *what, const char *file, int line);

// Only rank 0 is heard: the others' verdicts are the same.
void agree_quiet(const pl_comm *comm);
#endif
