// SPDX-License-Identifier: BSD-3-Clause
//
// What the program says on stderr besides progress: errors, and the log of the layers below.
#ifndef PL_VOICE_H
#define PL_VOICE_H
#include "base/err.h"
#include "command/progress.h"

typedef struct pl_voice {
  int rank;
  bool quiet;   // warnings only
  bool verbose; // notes of every rank, and what helps to debug
  pl_bar *bar;  // taken off the terminal before a line is printed; NULL: none
} pl_voice;

// Sends the log to stderr: rank 0 its warnings and notes; the other ranks nothing, or with
// `verbose` all of it, marked with the rank. `voice` is *borrowed until* pl_voice_stop.
void pl_voice_start(pl_voice *voice);
void pl_voice_stop(void);

// The message of this thread, as one line or (a job's errors) as it is. Said once: a later call is
// silent.
void pl_voice_error(plait_err code);
#endif
