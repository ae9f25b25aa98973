// SPDX-License-Identifier: BSD-3-Clause
//
// The parts of placement that its files and tests share.
#ifndef PL_PLACEMENT_INSIDE_H
#define PL_PLACEMENT_INSIDE_H
#include "host/placement.h"
#include "host/surroundings.h"

// pl_placement_decide without looking at the environment: pure.
plait_err pl_placement_decide_in(const pl_topology *topology, const pl_launch *launch,
                                 const pl_wish *wish, const pl_surroundings *around,
                                 pl_placement *placement);

// The decision as text, for the environment of the same process after exec.
void pl_placement_write(const pl_placement *placement, char *text, size_t room);
plait_err pl_placement_read(const char *text, pl_placement *placement); // PLAIT_BUG when it is none
// What this process decided before it executed itself again; NULL when it did not.
const char *pl_placement_decided(void);
#endif
