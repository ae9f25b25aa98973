// SPDX-License-Identifier: BSD-3-Clause
//
// Batch jobs: the script that runs a job under Slurm, and what a running one says of itself.
#ifndef PL_SLURM_H
#define PL_SLURM_H
#include "base/err.h"
#include "base/text.h"

typedef struct pl_batch {  // a batch job to be written down; all text is *borrowed*
  const char *program;     // absolute path of plait
  const char *dir;         // absolute: where the script goes first, as relative names start there
  const char *job;         // the job file
  int nargs;               // overrides behind it
  const char *const *args; //
  bool force;              // --force
  const char *name;        // of the batch job; what Slurm would not take is replaced
  int64_t nodes, tasks, cpus;      // nodes, ranks of a node, CPUs of a rank
  int64_t memory;                  // bytes of a node
  double seconds;                  // time limit
  const char *partition, *account; // NULL: Slurm's default; must be pl_batch_word
  // Comments behind these numbers; ours, not the user's.
  const char *cpus_why, *memory_why, *time_why;
} pl_batch;

// Letters, digits and _ . , : @ + - only: may stand in an #SBATCH line as it is.
bool pl_batch_word(const char *text);
// Appends `text` as one word of a shell, whatever is in it: 'a b;$(x)'.
void pl_batch_quote(const char *text, pl_text *out);
// Appends the script. No name of the user's stands in it unquoted. Pure.
void pl_batch_script(const pl_batch *batch, pl_text *out);
extern const char pl_batch_body[]; // what is the same for every job: the end of slurm/plait.sbatch

typedef struct pl_batch_state { // what `scontrol show job` says; id: "12", of an array "11_2"
  char id[48], state[32], reason[64], exit_code[16], nodes[256], run_time[24], limit[24];
  int restarts;
  char log[4096]; // file that the batch job writes to; "" unknown
} pl_batch_state;

// Reads the answer of `scontrol show job ID` (one job). false when it is none. Pure.
bool pl_batch_parse(const char *answer, pl_batch_state *state);
bool pl_batch_ended(const pl_batch_state *state); // will not run any more
// The last whole progress line in the text of a log, without "plait: "; "" when there is none.
// Pure.
void pl_batch_progress(const char *log, char *out, size_t room);

// ---- Slurm's programs; PLAIT_IO with their own complaint when they fail or are missing
// Runs one and hands over what it printed; *owned*.
plait_err pl_slurm_ask(const char *const argv[], pl_text *answer);
plait_err pl_batch_ask(const char *id, pl_batch_state *state);
// CPUs of the smallest node (of a partition; NULL: any), or of this machine where there is no
// Slurm; `why`: a comment that says so.
int64_t pl_slurm_cpus(const char *partition, const char **why);
plait_err pl_batch_submit(const pl_text *script, char id[32]);
plait_err pl_batch_wait(const char *id, pl_batch_state *state); // until it ended; blocks

// Prints how far batch jobs are; n 0: all of this user's.
plait_err pl_batch_tell(int n, const char *const ids[], bool as_json);
#endif
