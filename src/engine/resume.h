// SPDX-License-Identifier: BSD-3-Clause
//
// What an earlier run of the same job left: found before the run, checked against the output, then
// known to every rank as a bit per block and the partials that can be taken up again.
#ifndef PL_RESUME_H
#define PL_RESUME_H
#include "data/output.h"
#include "data/split.h"
#include "engine/journal.h"
#include "engine/remaining.h"

struct pl_task;

typedef struct pl_resume {
  bool found;               // goes on from a journal
  bool finished;            // the result has its name already, only the journal is still there
  char *identity;           // of this job; *owned*
  uint64_t id;              // of the journal, found or new
  pl_journal_found journal; // after pl_resume_check: `nodes` are those to take up
  uint8_t *done;            // a bit per block, NULL: none is done; *owned*
  int64_t blocks;           // that are done, in results or partials
  int64_t results, spoilt;  // blocks in results that are right; that were not
} pl_resume;

// Collective, with the input open and bound. Rank 0 reads the journal, all ranks get what it says.
// Writes nothing. PLAIT_OUTPUT: it belongs to another job (the difference is named).
plait_err pl_resume_find(pl_comm *comm, const struct pl_task *task, pl_resume *resume);
bool pl_resume_beside(const char *output, const char *ending); // whether such a file is there
plait_err pl_resume_new_id(uint64_t *id);                      // of a new journal: a random number
// The cut with which the journal was written: blocks must mean the same. Pure.
void pl_resume_cut(const pl_resume *resume, const bool reduced[], pl_cut *cut);
// Collective, with NAME.partial open again. Every rank reads a part of the results that are said to
// be there and compares their checksums; what differs is done again. Chooses the partials to take
// up: none of a block that is done, and no more than fit into the memory that is left. Without an
// output (NULL) the journal is believed and nothing logged: what a run will find if all is well.
plait_err pl_resume_check(pl_comm *comm, const struct pl_task *task, pl_output *output,
                          pl_resume *resume);
bool pl_resume_done(const pl_resume *resume, int64_t block);
void pl_resume_free(pl_resume *resume);
#endif
