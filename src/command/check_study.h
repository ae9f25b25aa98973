// SPDX-License-Identifier: BSD-3-Clause
//
// What `plait check` says about a job with `vary`.
#ifndef PL_CHECK_STUDY_H
#define PL_CHECK_STUDY_H
#include "command/commands.h"
#include "command/station.h"

// Collective; rank 0 prints. `format`: PL_FORMAT_TEXT or PL_FORMAT_JSON.
plait_err pl_check_study(const pl_station *station, pl_job *job, int format);
#endif
