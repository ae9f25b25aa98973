// SPDX-License-Identifier: BSD-3-Clause
//
// Output slots: where the team leaves results and the writer strand finds them.
#ifndef PL_RESULTS_H
#define PL_RESULTS_H
#include "engine/task.h"

typedef struct pl_results_slot {
  int n;            // results inside
  int64_t first;    // their tiles: first, first + 1, ..
  plait_block *out; // n * noutputs blocks
} pl_results_slot;

typedef struct pl_results {
  pl_task *task;               // *borrowed*
  pl_output *output;           // *borrowed*
  size_t bytes[PLAIT_OUTPUTS]; // of the largest block of each output
  size_t set_bytes;            // of one set of all outputs
  pl_results_slot *slots;
  char *memory;
  int64_t bytes_written;
  pl_outcome *outcome; // *borrowed*; where single values are noted, NULL: nowhere
  bool emitting;       // results are those of `emit`: only its outputs have blocks
} pl_results;

size_t pl_results_set_bytes(const pl_task *task); // that one set of outputs takes
plait_err pl_results_start(pl_task *task, pl_output *output, int nslots, pl_results *results);
void pl_results_stop(pl_results *results);
// Makes room for the results of `tile` as number k of the slot: the blocks to fill, one per output.
const plait_block *pl_results_prepare(pl_results *results, int slot, int k, const pl_box *tile);
// Team function: result k becomes what the file holds. Single values are noted before.
void pl_results_encode(pl_results *results, int slot, int k, plait_raise *raise);
// Writer strand. *hash: of the stored bytes (pl_output_hash).
plait_err pl_results_store(pl_results *results, int slot, uint64_t *hash);
// The single values of a result that is complete on the disk; of one that cannot be read none.
void pl_results_of_file(const pl_task *task, pl_outcome *to);
#endif
