// SPDX-License-Identifier: BSD-3-Clause
//
// Linked into a second plait by bench/durable.py (ld --wrap): a run that keeps no journal, and does
// not even calculate the checksums that one would hold. For measuring what a journal costs; nothing
// of such a run can be continued.
#include "engine/journal.h"

plait_err __wrap_pl_journal_start(pl_comm *comm, const pl_journal_plan *plan, pl_journal **journal);
void __wrap_pl_output_hash(const pl_output *output, int var, const plait_block *from,
                           uint64_t *hash);

plait_err __wrap_pl_journal_start(pl_comm *comm, const pl_journal_plan *plan,
                                  pl_journal **journal) {
  (void)comm, (void)plan;
  *journal = NULL;
  return PLAIT_OK;
}

void __wrap_pl_output_hash(const pl_output *output, int var, const plait_block *from,
                           uint64_t *hash) {
  (void)output, (void)var, (void)from;
  *hash = 0;
}
