// SPDX-License-Identifier: BSD-3-Clause
//
// See budget.h. A budget larger than the memory is no error, as jobs travel from large machines to
// small ones; but taken at its word it would end with a killed rank, hours later.
#include "engine/budget.h"
#include "base/log.h"
#include "base/text.h"
#include "host/topology.h"

static void lessen(pl_job *job, int ranks) {
  char wish[32], most[32], left[32];
  pl_format_size(job->run.memory, wish);
  pl_format_size(pl_memory_most(), most);
  job->run.memory = pl_memory_limit() / ranks;
  pl_format_size(job->run.memory, left);
  if (ranks > 1)
    pl_log(PL_LOG_WARNING,
           "run.memory: %s for each of %d ranks is more than the %s that they may have together; "
           "%s is left for each",
           wish, ranks, most, left);
  else
    pl_log(PL_LOG_WARNING,
           "run.memory: %s is more than the %s that this process may have; %s is left", wish, most,
           left);
}

int64_t pl_budget_choose(pl_job *job, int local_size) {
  int ranks = local_size > 0 ? local_size : 1;
  if (job->run.memory <= 0) return pl_memory_limit() / 2 / ranks;
  if (job->run.memory > pl_memory_most() / ranks) lessen(job, ranks);
  return job->run.memory;
}
