// SPDX-License-Identifier: BSD-3-Clause
//
// The vary: section of a job: which parameters take which values, and how they are combined. Each
// combination is the job with other parameters, and one row of the table of the study (study.h).
//
//   vary:
//     params.volatility: [0.1, 0.2, 0.4]             # a list of any kind of parameter
//     params.strike: {from: 80, to: 120, step: 5}    # numbers; or count: 9, or scale: log
//     params.seed: {from: 1, to: 100}                # whole numbers: step 1
//     how: cross                                     # all with all; zip: the first with the first
//
// Every value is read by the kernel's own table before anything runs. A combination costs nothing
// to keep: its number says it all (pl_vary_set), the last axis varies fastest.
#ifndef PL_VARY_H
#define PL_VARY_H
#include "engine/params.h"

#define PL_VARY_AXES   16
#define PL_VARY_VALUES 10000000           // of an axis, at most
#define PL_VARY_MOST   INT64_C(100000000) // combinations, at most

typedef enum pl_vary_place { PL_VARY_PARAMS, PL_VARY_EVOLVE, PL_VARY_INPUT } pl_vary_place;

typedef union pl_number {
  int64_t i;
  double r;
} pl_number;

typedef enum pl_axis_kind { PL_AXIS_LIST, PL_AXIS_STEPS, PL_AXIS_COUNT } pl_axis_kind;

typedef struct pl_axis {
  const char *name; // "params.strike"
  const plait_param *param;
  pl_vary_place place;
  size_t size; // bytes of a value
  int64_t n;
  char *values; // [n], each as in the struct of the parameters
  pl_axis_kind kind;
  bool log;
  bool numeric;             // every value is one number
  pl_number from, to, step; // of a range, as given
} pl_axis;

typedef struct pl_vary { // lives in the arena of its job
  int naxes;
  pl_axis axis[PL_VARY_AXES];
  bool zip;
  int64_t count;     // combinations
  const char *table; // file; "": the output of the job
  const char *echo;  // of it, as it would stand in the job file
  int ncolumns;      // names that were asked for; 0: all that are small
  const char **column;
  pl_mark mark, columns_mark;
} pl_vary;

// Reads `vary` of a job (absent: *vary NULL) and puts the first value of every parameter into the
// tree, so that the job itself is combination 0. Mistakes go to the issues. PLAIT_MEMORY.
plait_err pl_vary_read(const pl_reader *reader, pl_yaml *root, const plait_kernel *kernel,
                       pl_vary **vary);
// The values of an axis from a mapping {from, to, step, count, scale} (vary_range.c).
plait_err pl_vary_range(const pl_reader *reader, const pl_yaml *map, pl_axis *axis);
void pl_vary_echo(const pl_vary *vary, const pl_keep *keep, pl_text *out);

// Which value of `axis` combination `number` has.
int64_t pl_vary_index(const pl_vary *vary, int axis, int64_t number);
static inline const void *pl_axis_value(const pl_axis *axis, int64_t index) {
  return axis->values + (size_t)index * axis->size;
}
// The value as a number (axis->numeric), and as people write it.
double pl_axis_number(const pl_axis *axis, int64_t index);
void pl_axis_text(const pl_axis *axis, int64_t index, const pl_keep *keep, pl_text *out);
// Writes the values of combination `number` into copies of the job's structs. `input` (may be NULL
// when none varies): the file. Threads: any.
void pl_vary_set(const pl_vary *vary, int64_t number, void *params, void *evolve,
                 const char **input);
// "sigma=2 seed=7": for messages, at most `room` bytes.
void pl_vary_describe(const pl_vary *vary, int64_t number, const pl_keep *keep, char *out,
                      size_t room);
#endif
