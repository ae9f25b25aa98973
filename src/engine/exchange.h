// SPDX-License-Identifier: BSD-3-Clause
//
// After the strands have ended: partials whose siblings are on other ranks go to the home rank of
// their tile (tile mod ranks), which merges them in the same tree. All sends are posted at once
// from the partials themselves; a home takes what comes rank by rank. What a rank can hold at most
// is reserved before the first message, so that nobody runs out of memory while others wait.
#ifndef PL_EXCHANGE_H
#define PL_EXCHANGE_H
#include "engine/merge.h"
#include "engine/report.h"
#include "host/comm.h"

// Called for each node that arrives; the node is the callee's.
typedef plait_err pl_node_arrives(void *context, pl_node *node);
// Collective. `bytes`: of each partial that travel. What it returns is this rank's own, to be
// agreed on.
plait_err pl_exchange_nodes(pl_comm *comm, pl_merger *merger, size_t bytes,
                            pl_node_arrives *arrives, void *context, pl_meter *meter);
#endif
