// SPDX-License-Identifier: BSD-3-Clause
//
// Where the threads of a team report an error from inside a parallel loop: the first one wins, the
// leader looks after the block. No lock on the good path. And where a kernel leaves its warnings.
#ifndef PL_RAISE_H
#define PL_RAISE_H
#include "plait.h"
#include <stdatomic.h>

typedef struct plait_raise { // zero-initialised: nothing raised
  atomic_int state;          // 0 nothing, 1 being written, 2 text is complete
  plait_err code;
  char text[1024];
  atomic_int warning_held; // 1: a thread writes `warning`
  char warning[512];       // of all plait_call_warn, "; " between them
} plait_raise;
void pl_raise(plait_raise *raise, plait_err code, const char *format, ...) PLAIT_PRINTF(3, 4);
// PLAIT_OK, or the raised error, whose text becomes this thread's message.
plait_err pl_raised(plait_raise *raise);
#endif
