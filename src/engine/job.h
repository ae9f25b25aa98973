// SPDX-License-Identifier: BSD-3-Clause
//
// A job file -> a checked struct. Strict: every error of the file is found in one go and reported
// as `file:line:col: error: ...` with the nearest known name. Types, units, ranges and defaults of
// parameters come from tables alone: the kernel's (params:), the engine's (run:).
#ifndef PL_JOB_H
#define PL_JOB_H
#include "base/err.h"
#include "base/text.h"
#include "engine/evolve_job.h"
#include "engine/vary.h"

typedef enum pl_schedule_kind { PL_SCHEDULE_DYNAMIC, PL_SCHEDULE_STATIC } pl_schedule_kind;

typedef struct pl_run { // the run: section; its table is pl_run_params in job.c
  int64_t memory;       // bytes per rank; 0: half of what is left per rank
  int64_t block;     // bytes of a block; 0: the engine's choice (part of the job: bits of a reduce)
  int schedule;      // pl_schedule_kind
  double checkpoint; // s between syncs of the journal
  bool overlap;      // false: the strands run one after another (to measure what overlap is worth)
  int placement;     // 0 auto, 1 inherit
  int64_t threads;   // compute threads per rank; 0: the rank's share of the node
  double stall;      // s without progress until the watchdog ends the run
  int format;        // of the output: 0 by name, else index into pl_run_formats
  int64_t group;     // vary: ranks that compute one combination together; 0: the engine's choice
  bool keep_going;   // vary: a combination that fails does not end the others
} pl_run;
#define PL_JOB_BYTES (1 << 20) // a job file, at most

extern const char
    *const pl_run_formats[]; // "auto" "netcdf4" "cdf5" "cdf2" "cdf1" "npy" "npz", NULL
extern const plait_param pl_run_params[];

typedef struct pl_job {
  char *path;   // of the job file; *owned*
  char *input;  // spec, relative paths made relative to the job file; *owned*; "" when none
  char *output; // *owned*
  char *source; // where to get the files, told when one is missing; "" unknown; *owned*
  const plait_kernel *kernel;
  char *object; // the file that the kernel was loaded from, NULL: it is built in; *owned*
  void *params; // kernel->params_size bytes; *owned*, with all it points to
  pl_run run;
  pl_evolve_job evolve; // kernels of the evolve pattern
  pl_vary *vary;        // a study: one job per combination; NULL: this one job
  bool force;           // --force: set by the command
  bool fresh;           // --fresh: what an earlier run left is not used
  bool lock;            // this is a run: nobody else may write the output (engine/lock.h)
  // --sample: do so many blocks or steps, keep no result; 0: all. Set by the command
  int64_t sample;
  struct pl_watchdog *dog; // of this run, or NULL; *borrowed*
  bool trace;              // --trace: the report gets the traces of all ranks. Set by the command
  char *echo; // the job in full, defaults included, as YAML: for report and restart; *owned*
  void *keep; // memory behind params, and where their words stood (pl_keep)
  struct pl_job_marks *marks; // where input and params stood
} pl_job;

// `overrides`: "input=..", "output=..", "params.sigma=5", "run.memory=1GiB", "kernel=..", in order.
// Their relative paths are relative to the working directory, their errors read `command line:
// error: ...`. A value that begins with a bracket or a quote is read as YAML: params.list=[1,2]. On
// error the message holds all lines, each complete with file, line and column. Not collective: rank
// 0 reads and broadcasts the *text* of the file (pl_job_load_text), so that all ranks see the same
// job.
plait_err pl_job_load(const char *path, int n, const char *const overrides[], pl_job **job);
plait_err pl_job_load_text(const char *path, const char *text, size_t bytes, int n,
                           const char *const overrides[], pl_job **job);
void pl_job_free(pl_job **job);
// The text of a job file for pl_job_load_text, at most PL_JOB_BYTES; *owned* by the caller
// (pl_free).
plait_err pl_job_read(const char *path, char **text, size_t *bytes);

// Second half, when the input is open: resolves axes by name (nearest name), runs kernel->check,
// checks that the type is one that the kernel takes. Errors carry line and column of the parameter.
plait_err pl_job_bind(pl_job *job, const plait_array *input);
// Fails with `code` and the kernel's reason (plait_kernel.check), at the place of the parameter
// that it names. Pure.
plait_err pl_job_refuse(const pl_job *job, const char *reason, plait_err code);

// Fills a parameter struct from defaults and "name=value name=value" (for verify and tests).
plait_err pl_params_from_text(const plait_param *table, size_t size, const char *settings,
                              void **params, void **keep);
plait_err pl_params_bind(const plait_param *table, void *params, void *keep,
                         const plait_array *input);
void pl_params_free(void **params, void **keep);
#endif
