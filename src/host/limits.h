// SPDX-License-Identifier: BSD-3-Clause
//
// What the control groups of this process allow: CPU time and memory.
#ifndef PL_LIMITS_H
#define PL_LIMITS_H
#include "base/err.h"

typedef struct pl_limits {
  double quota;   // CPUs' worth of time; 0 no limit
  int64_t memory; // bytes; INT64_MAX no limit
} pl_limits;

// The least of the limits of this process's groups and all groups above them, cgroup v1 and v2.
// Not collective. `root` is put before /proc and /sys ("" for this machine): tests give a directory
// with such files. What cannot be read does not limit. Threads: any.
void pl_limits_find(const char *root, pl_limits *limits);
#endif
