// SPDX-License-Identifier: BSD-3-Clause
//
// A trial: this program as a child, `plait run JOB`, in some layout, and what its report says. The
// common ground of `compare` and `plan`.
#ifndef PL_TRIAL_H
#define PL_TRIAL_H
#include "base/text.h"
#include "engine/job.h"
#include "engine/model.h"

typedef struct pl_trial_job { // *borrows* all of it
  const char *job;
  int noverrides;
  const char *const *overrides;
  const char *output; // where the trials write; removed after each
} pl_trial_job;

typedef struct pl_trial_how {
  pl_layout_try layout;
  bool overlap;
  int64_t sample; // blocks or steps; 0: all
} pl_trial_how;

typedef struct pl_trial {
  double wall, cpu; // s of the whole program, launcher included
  double inside;    // s of the pattern: the report's wall time
  double start;     // wall - inside: launching, opening, ending
  double read, compute, write,
      wait;               // s, means over the ranks; wait: the team for reading or writing
  double team_read;       // s of `read` that the team did itself
  double comm;            // s waiting for messages, mean over the ranks
  double team_cpu;        // s, sum over all threads that computed
  double flops_per_cell;  // declared; 0 unknown
  double cpu_inside;      // s, sum over the ranks
  double waited, delayed; // shares of the threads' time
  double hidden, balance;
  int64_t units, units_total; // blocks or steps done; in all (blocks of each pass count)
  int64_t passes;
  int64_t bytes_read, bytes_written, messages, bytes_sent, cells;
  int64_t storage_read;                   // of bytes_read, what came from storage; -1 unknown
  int64_t output_bytes;                   // that the whole job writes; 0 unknown
  int64_t memory, memory_rank, peak_rank; // bytes; peak_rank: high-water mark of a rank
  double energy;                          // J; < 0 unknown
} pl_trial;

// What a trial counts: "blocks", "steps", "combinations".
const char *pl_trial_unit(const pl_job *job);
// Runs it once. A run that fails is PLAIT_KERNEL .. PLAIT_JOB with what it said. Threads: one.
plait_err pl_trial_run(const pl_trial_job *job, const pl_trial_how *how, pl_trial *trial);
// NULL when ranks can be launched here, else why not and the cure (one line).
const char *pl_trial_no_ranks(void);
// A name beside the job's output that no file has, for the trials to write to; "null:" where the
// job writes nowhere or its directory cannot be written. *owned by the caller* (pl_free).
plait_err pl_trial_output(const char *output, char **name);
void pl_trial_clean(const char *output); // removes what a trial may have left there

// How many units a trial must do to take `seconds` in this layout: a few short runs. The last of
// them is left in *trial; 0: the whole job takes less.
plait_err pl_trial_calibrate(const pl_trial_job *job, const pl_layout_try *layout, double seconds,
                             int64_t *sample, pl_trial *trial);
// Takes over what the JSON report of a run says. PLAIT_INPUT when it is none, PLAIT_MEMORY. Pure.
plait_err pl_trial_read(const char *json, pl_trial *trial);
#endif
