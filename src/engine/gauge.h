// SPDX-License-Identifier: BSD-3-Clause
//
// What is noted of every step while its cells are in cache: time series at places, the running
// maximum and the time of first arrival of the first field.
#ifndef PL_GAUGE_H
#define PL_GAUGE_H
#include "base/text.h"
#include "engine/evolve_job.h"
#include "engine/evolve_march.h"

typedef struct pl_gauge {
  char name[PLAIT_NAME];
  int64_t cell[PL_AXES]; // after moving to where there is water
  int owner;             // rank
  bool moved;
} pl_gauge;

typedef struct pl_gauges {
  pl_march *march;
  int n;
  pl_gauge *gauge; // *owned*
  bool *row;       // *owned*: a gauge of this rank lies in that row (axis 0) of its part
  int64_t every;   // steps between values
  int64_t samples; // of each, the initial state included
  double *value;   // *owned*, [samples, n]; own ones filled
  float *maximum;  // *owned*, own cells, or NULL
  float *arrival;  // *owned*, s; -1: not yet; or NULL
  double threshold;
} pl_gauges;

// Values of every gauge in `steps` steps of dt [s]; 0: there are no gauges.
int64_t pl_gauges_samples(const pl_evolve_job *job, double dt, int64_t steps);
// Finds the cells (collective): PLAIT_JOB for a place outside the grid. `coord` are the coordinates
// of the cells along each axis.
plait_err pl_gauges_start(pl_march *march, const pl_evolve_job *job, const double *const coord[],
                          int64_t steps, pl_gauges *gauges);
// Adds in words which gauges were moved from land to water, and where to; nothing when none was.
void pl_gauges_moved(const pl_gauges *gauges, const double *const coord[], pl_text *out);
void pl_gauges_stop(pl_gauges *gauges);
// Notes the initial state. Threads: one.
void pl_gauges_initial(pl_gauges *gauges);
// Behind the sweep that completes a step in `box`. Any thread, boxes disjoint.
void pl_gauges_watch(pl_gauges *gauges, const plait_cells *box);
// Collective: rank 0 gets all values in `value`.
plait_err pl_gauges_gather(pl_gauges *gauges);
plait_err pl_gauges_write_csv(const pl_gauges *gauges, const char *path); // rank 0
#endif
