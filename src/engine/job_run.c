// SPDX-License-Identifier: BSD-3-Clause
//
// The table of the run: section: how a job is executed. Nothing here may change a result, but
// `block` (the cut of a reduction) and `format`.
#include "engine/job.h"

#include <math.h>

const char *const pl_run_formats[] = {"auto", "netcdf4", "cdf5", "cdf2", "cdf1", "npy", NULL};
static const char *const schedules[] = {"dynamic", "static", NULL};
static const char *const placements[] = {"auto", "inherit", NULL};

#define RUN(member) offsetof(pl_run, member)
const plait_param pl_run_params[] = {
    {.name = "memory",
     .kind = PLAIT_PARAM_INT,
     .offset = RUN(memory),
     .unit = "bytes",
     .help = "budget of a rank; 0: half of what the machine leaves per rank",
     .standard = "0",
     .min = 0,
     .max = 0x1p62},
    {.name = "block",
     .kind = PLAIT_PARAM_INT,
     .offset = RUN(block),
     .unit = "bytes",
     .help = "size of a block; 0: the engine's choice",
     .standard = "0",
     .min = 0,
     .max = 0x1p62},
    {.name = "schedule",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = RUN(schedule),
     .unit = "",
     .help = "who computes which block: whoever is free, or fixed shares",
     .standard = "dynamic",
     .choices = schedules},
    {.name = "checkpoint",
     .kind = PLAIT_PARAM_REAL,
     .offset = RUN(checkpoint),
     .unit = "s",
     .help = "time between two points from which a killed run continues",
     .standard = "10 min",
     .min = 0,
     .max = INFINITY},
    {.name = "overlap",
     .kind = PLAIT_PARAM_BOOL,
     .offset = RUN(overlap),
     .unit = "",
     .help = "read and write while computing; false: one after another, to measure the difference",
     .standard = "true"},
    {.name = "placement",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = RUN(placement),
     .unit = "",
     .help = "auto: cores are shared out among the ranks; inherit: what the launcher gave",
     .standard = "auto",
     .choices = placements},
    {.name = "threads",
     .kind = PLAIT_PARAM_INT,
     .offset = RUN(threads),
     .unit = "",
     .help = "compute threads of a rank; 0: one per core of its share",
     .standard = "0",
     .min = 0,
     .max = 4096},
    {.name = "stall",
     .kind = PLAIT_PARAM_REAL,
     .offset = RUN(stall),
     .unit = "s",
     .help = "time without progress after which the run is ended; 0: never",
     .standard = "10 min",
     .min = 0,
     .max = INFINITY},
    {.name = "format",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = RUN(format),
     .unit = "",
     .help = "of the output file; auto: by the ending of its name",
     .standard = "auto",
     .choices = pl_run_formats},
    {.name = NULL},
};
#undef RUN
