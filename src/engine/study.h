// SPDX-License-Identifier: BSD-3-Clause
//
// A parameter study: a job whose vary: section makes many jobs of it (vary.h), and one table of
// their results, with a row per combination. A combination is a unit of scheduling: it goes to
// whoever is free, through the counters of schedule.h.
//
// Two roads, the same numbers:
//   in memory  a reduction without input, or with one that fits into memory, is computed by one
//              thread (solo.c); the threads of all ranks work at different combinations. Nothing is
//              opened, started or sent for a combination: about 10 us beside the kernel.
//   as a run   everything else: a group of ranks runs the combination like a job of its own
//              (task.c), with its output file, journal and team; its columns are read from that
//              file. Milliseconds beside the kernel.
//
// Finished rows go to the journal beside the table (NAME.journal, appended once a second, with
// checksums) and are all that a later run needs, on any number of ranks. In the end rank 0 has all
// rows and writes the table: the same bytes whoever computed what. A combination that fails is a
// row that says why.
#ifndef PL_STUDY_H
#define PL_STUDY_H
#include "engine/task.h"

typedef struct pl_study pl_study;

// Opens, binds, asks the kernel about every combination, chooses the columns and the road, looks at
// the outputs and at what an earlier run left. Collective; agrees at its end.
plait_err pl_study_open(pl_comm *comm, pl_job *job, int local_size, int threads, pl_study **study);
void pl_study_close(pl_study **study);
// Collective. *report is filled on rank 0; blocks are combinations.
plait_err pl_study_run(pl_comm *comm, pl_study *study, const pl_placement *placement,
                       const pl_progress *progress, pl_report *report);

typedef struct pl_study_facts { // for `plait check` and `plait resume-info`
  int64_t count, resumed;       // combinations; rows that an earlier run left
  int64_t refused;              // that the kernel refuses: rows without values
  const char *refusal;          // why it refuses the first of them
  bool in_memory;               // the road
  int group;                    // ranks of a combination
  bool keeps_files, finished;   // each combination keeps its output; the table is there already
  int64_t bytes;                // of memory for one: of a thread (in memory) or of a rank
  int64_t needed, budget;       // bytes of memory of a rank
  int64_t written;              // of all files in the end
  int64_t row_bytes, blocks;    // of the table; of combination 0
  const char *table, *csv;      // files; "" none
  const pl_task *first;         // combination 0; its plan
} pl_study_facts;
void pl_study_facts_of(const pl_study *study, pl_study_facts *facts);
int pl_study_columns(const pl_study *study);                           // of results
void pl_study_column(const pl_study *study, int column, pl_text *out); // "radius (k 6) in m"
#endif
