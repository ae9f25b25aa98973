// SPDX-License-Identifier: BSD-3-Clause
//
// A program run as a child and watched: wall and CPU time, memory of all the processes of plait
// that come of it, energy. No shell. What it prints is kept.
#ifndef PL_CHILD_H
#define PL_CHILD_H
#include "base/text.h"

typedef struct pl_child {
  int exit_code;    // 128 + signal when one ended it
  double wall, cpu; // s; cpu: of the child and of all it waited for
  int64_t pss;      // most bytes of all processes of this program at once: proportional set sizes
  int64_t pss_one;  // most bytes of one of them
  int processes;    // most of them at once
  double energy;    // J of all packages; < 0: RAPL is not there or not readable
  pl_text out, err; // what it wrote; *owned*
} pl_child;

// Runs argv[0] (looked up in PATH) to its end. A signal that asked this program to stop
// (pl_stop_listen) ends the child first. Blocks. Threads: one. Errors: PLAIT_IO when it cannot be
// started, PLAIT_MEMORY, PLAIT_STOPPED; a child that fails is no error here.
plait_err pl_child_run(const char *const argv[], pl_child *child);
void pl_child_free(pl_child *child);
// The first line of what the child wrote on stderr that says something, without "plait: error: ".
void pl_child_complaint(const pl_child *child, char *line, size_t room);
// The path of a program in PATH; false when there is none.
bool pl_program_find(const char *name, char *path, size_t room);

// Joules counted by all RAPL packages since some point; < 0 when they cannot be read.
double pl_energy_now(void);
#endif
