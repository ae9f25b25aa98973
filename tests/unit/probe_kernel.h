// SPDX-License-Identifier: BSD-3-Clause
//
// A kernel with a parameter of every kind, and a registry that knows it and a kernel without input.
// A test that includes this is its own registry: the linker then leaves out the real one.
#ifndef PROBE_KERNEL_H
#define PROBE_KERNEL_H
#include "engine/job.h"
#include "engine/registry.h"

#include <math.h>
#include <string.h>

typedef struct probe_row {
  double slip;
  int64_t count;
  const char *file;
  plait_axes axes;
} probe_row;

typedef struct probe_params {
  double sigma, length;
  int64_t order, bytes;
  double wait;
  bool flag;
  int boundary;
  const char *title, *mask;
  plait_reals weights;
  uint64_t statistics;
  plait_axes axes;
  plait_table faults;
} probe_params;

static const char *const probe_boundaries[] = {"reflect", "nearest", "null", NULL};
static const char *const probe_statistics[] = {"mean", "std", "min", "max", NULL};

static const plait_param probe_columns[] = {
    {"slip", PLAIT_PARAM_REAL, offsetof(probe_row, slip), "m", "slip", NULL, 0, 100, NULL, NULL, 0},
    {"count", PLAIT_PARAM_INT, offsetof(probe_row, count), "", "count", "1", 1, 9, NULL, NULL, 0},
    {"file", PLAIT_PARAM_FILE, offsetof(probe_row, file), "", "a file", "", 0, 0, NULL, NULL, 0},
    {"axes", PLAIT_PARAM_AXES, offsetof(probe_row, axes), "", "axes", "[]", 0, 0, NULL, NULL, 0},
    {0},
};

#define PROBE(member) offsetof(probe_params, member)
static const plait_param probe_table[] = {
    {"sigma", PLAIT_PARAM_REAL, PROBE(sigma), "px", "width", NULL, 0, 100, NULL, NULL, 0},
    {"length", PLAIT_PARAM_REAL, PROBE(length), "km", "a length", "10 km", 0, INFINITY, NULL, NULL,
     0},
    {"order", PLAIT_PARAM_INT, PROBE(order), "", "order", "2", -4, 4, NULL, NULL, 0},
    {"bytes", PLAIT_PARAM_INT, PROBE(bytes), "bytes", "a size", "1 MiB", 1, 1 << 30, NULL, NULL, 0},
    {"wait", PLAIT_PARAM_REAL, PROBE(wait), "s", "a time", "2 min", 0, 0, NULL, NULL, 0},
    {"flag", PLAIT_PARAM_BOOL, PROBE(flag), "", "a switch", "no", 0, 0, NULL, NULL, 0},
    {"boundary", PLAIT_PARAM_CHOICE, PROBE(boundary), "", "edge", "nearest", 0, 0, probe_boundaries,
     NULL, 0},
    {"title", PLAIT_PARAM_TEXT, PROBE(title), "", "title", "", 0, 0, NULL, NULL, 0},
    {"mask", PLAIT_PARAM_FILE, PROBE(mask), "", "mask", "", 0, 0, NULL, NULL, 0},
    {"weights", PLAIT_PARAM_REALS, PROBE(weights), "", "weights", "1, 2.5", -10, 10, NULL, NULL, 0},
    {"statistics", PLAIT_PARAM_CHOICES, PROBE(statistics), "", "which", "[mean, max]", 0, 0,
     probe_statistics, NULL, 0},
    {"axes", PLAIT_PARAM_AXES, PROBE(axes), "", "along", "all", 0, 0, NULL, NULL, 0},
    {"faults", PLAIT_PARAM_TABLE, PROBE(faults), "", "faults", "[]", 0, 0, NULL, probe_columns,
     sizeof(probe_row)},
    {0},
};
#undef PROBE

static const char *probe_check(const plait_problem *problem, const void *params) {
  const probe_params *p = params;
  (void)problem;
  return p->order == 4 ? "order 4 needs a longer axis" : NULL;
}

static const plait_param no_params[] = {{0}};

static const plait_kernel plait_kernel_probe = {
    .name = "probe",
    .summary = "A kernel with a parameter of every kind, and a summary that is long enough to need "
               "a second line",
    .version = 3,
    .params = probe_table,
    .params_size = sizeof(probe_params),
    .takes = PLAIT_TAKES_FLOATS,
    .check = probe_check,
};

static const plait_kernel plait_kernel_source = {
    .name = "source", .summary = "No input", .pattern = PLAIT_SOLVE, .params = no_params};

#ifdef PROBE_REGISTRY
static const plait_kernel plait_kernel_bare = {.name = "bare", .summary = "No table"};

const plait_kernel *const pl_kernels[] = {&plait_kernel_bare, &plait_kernel_probe,
                                          &plait_kernel_source, NULL};
const plait_kernel *pl_kernel_find(const char *name) {
  for (int i = 0; pl_kernels[i]; i++) {
    if (strcmp(pl_kernels[i]->name, name) == 0) return pl_kernels[i];
  }
  return NULL;
}
const char *pl_kernel_nearest(const char *name) {
  const char *const names[] = {"bare", "probe", "source", NULL};
  return pl_nearest(name, names);
}
#endif
#endif
