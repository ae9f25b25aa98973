// SPDX-License-Identifier: BSD-3-Clause
//
// The evolve: section of a job: how far, which outputs. All of it decides the result, but `tile`.
#ifndef PL_EVOLVE_JOB_H
#define PL_EVOLVE_JOB_H
#include "plait.h"

typedef struct pl_gauge_row {
  const char *name;
  double x, y, z; // coordinates along the last, the last but one, the first of three axes
} pl_gauge_row;

typedef struct pl_evolve_job {
  double duration; // s; 0: `steps` says it
  int64_t steps;
  double dt;              // s; 0: 0.9 of the stable step, shortened to fit snapshot_every
  int64_t tile;           // steps of a time tile; 0: the engine's choice
  double snapshot_every;  // s; 0: none, or snapshot_steps
  int64_t snapshot_steps; // 0: none
  const char *fields;     // of the snapshots, "height flow_east"; "": the first
  int64_t stride;         // every so many cells along each axis
  bool maximum;           // running maximum of the first field
  double arrival;         // threshold of |first field| for the time of first arrival; 0: none
  bool sums;              // the kernel's diagnoses at snapshot times
  plait_table gauges;     // pl_gauge_row
  double gauge_every;     // s; 0: every step
  const char *gauge_file; // CSV; "": OUTPUT.gauges.csv
} pl_evolve_job;

extern const plait_param pl_evolve_params[];
#endif
