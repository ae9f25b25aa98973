// SPDX-License-Identifier: BSD-3-Clause
//
// The journal of a run: NAME.journal beside the output, append-only, one file however many ranks.
// It says which results stand in NAME.partial (with a checksum of their bytes there) and keeps the
// partials of a reduction that are not results yet.
//
// One file, because a file per rank would be thousands that a resume has to find and delete. A rank
// that wants to append claims a range of pages by one fetch-and-add on rank 0 and writes it with
// pwrite: no O_APPEND (not atomic on network file systems), no rank waits for another, ranges of
// different ranks share no page. The file appears with the first record, so that a run of less than
// a second has none; all ranks would write the same header, so any of them may.
//
// Two clocks. Records go to the file (not to the disk) after a second or more: that survives the
// death of the processes. After run.checkpoint seconds, or 64 Ki records, the data and then the
// journal are synced: that survives the death of the machine. A record is a claim, checked against
// the data when it is used (resume.h), so a record that reached the disk before its data is
// harmless. Cost: a record of 24 bytes per batch; a write of some pages per second. Writing
// partials is held to 100 kB/s on average (never rarer than run.checkpoint), and all of it to 1 %
// of the time.
#ifndef PL_JOURNAL_H
#define PL_JOURNAL_H
#include "data/output.h"
#include "engine/merge.h"
#include "host/comm.h"

typedef struct pl_journal_header { // before the identity
  int32_t version, ndim;
  int64_t shape[PLAIT_DIMS], extent[PLAIT_DIMS]; // of the array, of a block
} pl_journal_header;

typedef struct pl_journal_run { // results [first, first + count) are in the output
  int64_t first, count;         // blocks of a map, tiles of a reduce, blocks where it emits
  uint64_t hash;                // of their stored bytes, in this order
} pl_journal_run;

// ---- writing
typedef struct pl_journal pl_journal;

typedef struct pl_journal_plan {
  const char *output; // the journal is OUTPUT.journal
  uint64_t id;
  int64_t end;           // where appending begins; 0: a new journal
  double every;          // s between syncs
  const char *identity;  // *copied*
  pl_journal_header cut; // version is filled in
} pl_journal_plan;

// Collective. A new journal must not exist as a file (pl_journal_remove).
plait_err pl_journal_start(pl_comm *comm, const pl_journal_plan *plan, pl_journal **journal);
void pl_journal_stop(pl_journal **journal); // Collective. Records that were not saved are lost.
// Results were written to the output. Threads: any.
plait_err pl_journal_add(pl_journal *journal, const pl_journal_run *run);

// The number of a pass in which a kernel also writes results of its blocks, after other passes.
#define PL_PASS_EMITS (1 << 30)
static inline int64_t pl_pass_number(int64_t pass) { // without that
  return pass & ~(int64_t)PL_PASS_EMITS;
}

typedef struct pl_journal_kept { // what a reduction keeps beside its results; all *borrowed*
  pl_merger *nodes;
  int pass;          // that the nodes belong to
  const void *state; // with which it began; pass 0 has none
  size_t state_bytes;
} pl_journal_kept;
// Appends the records when one of the clocks says so, `must`: in any case, to the disk. `output`
// and `kept` may be NULL; nodes that are not saved yet and the state of their pass (by rank 0) are
// appended too, when it is time. Threads: one at a time. Errors: PLAIT_IO.
plait_err pl_journal_save(pl_journal *journal, pl_output *output, const pl_journal_kept *kept,
                          bool must);
// Whole rows of a study's table (study_rows.h), appended now; pl_journal_save syncs. Threads: one
// at a time.
plait_err pl_journal_rows(pl_journal *journal, const void *rows, size_t bytes);
// State with which a pass begins; appended when it is time.
plait_err pl_journal_state(pl_journal *journal, int pass, const void *state, size_t bytes,
                           bool must);
// Rank 0, when the data of all ranks are on disk, before the rename.
plait_err pl_journal_complete(pl_journal *journal);
int64_t pl_journal_records(const pl_journal *journal); // results and nodes appended or waiting here
double pl_journal_longest(const pl_journal *journal);  // s that the slowest sync took
plait_err pl_journal_name(const char *output, char **name); // *owned by the caller*
plait_err pl_journal_remove(const char *output);            // missing is fine

// ---- reading
typedef struct pl_journal_place { // bytes that stay in the file
  int64_t offset, bytes;
  uint64_t seed, hash; // checksum, and where it starts from
} pl_journal_place;

typedef struct pl_journal_node { // of a reduction
  int64_t tile, index, level, pass;
  pl_journal_place at;
} pl_journal_node;

typedef struct pl_journal_found { // contents *owned*; pl_journal_found_free
  bool exists;                    // the file is there
  bool readable;                  // and has a header that can be trusted
  bool complete;
  bool torn; // what stands behind the last record is none: a write was cut short
  uint64_t id;
  int64_t end, file_bytes; // where the next segment goes
  pl_journal_header cut;
  char *identity;
  pl_journal_run *runs;
  int64_t nruns, runs_room;
  pl_journal_node *nodes;
  int64_t nnodes, nodes_room;
  pl_journal_place *rows; // of a study
  int64_t nrows, rows_room;
  int64_t pass; // latest pass with a state (PL_PASS_EMITS may be part of it), 0 none
  pl_journal_place state;
  int64_t records, damaged; // records that are well; places in the middle that are not
} pl_journal_found;

// Reads all of it. A journal that is damaged, torn or no journal is a finding, not an error.
// Memory: in proportion to the file. Not collective. Errors: PLAIT_IO, PLAIT_MEMORY.
plait_err pl_journal_scan(const char *output, pl_journal_found *found);
void pl_journal_found_free(pl_journal_found *found);
// place->bytes of the journal, checked. PLAIT_OUTPUT when they are not what they were.
plait_err pl_journal_read(const char *output, const pl_journal_place *place, void *to);
#endif
