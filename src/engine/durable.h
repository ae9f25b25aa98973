// SPDX-License-Identifier: BSD-3-Clause
//
// The frame around a pattern: the output is opened (anew, or where an earlier run left it) with its
// journal, and in the end becomes the result, stays to be continued, or vanishes.
#ifndef PL_DURABLE_H
#define PL_DURABLE_H
#include "engine/pattern.h"

// Collective. Fills output and journal of the stage.
plait_err pl_durable_begin(pl_stage *stage);
// Collective. `err`: of the pattern, agreed on. PLAIT_OK: sync, journal, rename, sync of the
// directory. Otherwise NAME.partial and its journal stay when there is something worth keeping in
// them (*kept).
plait_err pl_durable_end(pl_stage *stage, plait_err err, bool *kept);
#endif
