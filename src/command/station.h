// SPDX-License-Identifier: BSD-3-Clause
//
// Where a computing command stands: launcher, node, this rank's share of it, the other ranks.
#ifndef PL_STATION_H
#define PL_STATION_H
#include "command/voice.h"
#include "engine/job.h"
#include "host/comm.h"
#include "host/placement.h"

typedef struct pl_station {
  pl_launch launch;
  pl_placement placement;
  pl_comm *comm; // NULL for a command that rank 0 does alone
} pl_station;

// Decides the placement and executes the program again under it (so nothing may have been printed),
// then starts the communicator when `all_ranks`. Collective then: an error of one is an error of
// all. `wish`: what the command line and the job ask for.
plait_err pl_station_start(const pl_launch *launch, const pl_wish *wish, bool all_ranks,
                           char **argv, pl_station *station);
// Ends a command; returns `err`. An error is told here, by rank 0, before the ranks part: a
// launcher kills the ranks that are left as soon as one has ended with an error, and the last words
// of rank 0 with them. Collective when the start was; half-started is fine.
plait_err pl_station_stop(pl_station *station, plait_err err);
bool pl_station_speaks(const pl_station *station); // rank 0

// What a job would take, as far as it is known before it runs: a study too. Opens it and closes it
// again. Collective.
plait_err pl_job_size(pl_comm *comm, pl_job *job, int local_size, int threads, int64_t *needed,
                      int64_t *written);

// What a job file and its overrides ask of the placement, as far as this process can read it: other
// nodes may not see the file, and errors are reported later by pl_station_job. Pipes: nothing.
// `runs`: its files will be opened, so libraries of theirs may begin to be loaded.
void pl_job_wish(const char *path, int n, const char *const overrides[], bool runs, pl_wish *wish);
// Collective. Rank 0 reads the file, all ranks parse the same text.
plait_err pl_station_job(pl_comm *comm, const char *path, int n, const char *const overrides[],
                         pl_job **job);
// The arguments behind JOB must look like key=value.
plait_err pl_overrides_check(int n, const char *const overrides[]);
#endif
