// SPDX-License-Identifier: BSD-3-Clause
//
// Which blocks of a reduction the reader takes next. Work is dealt out in *units*: runs of 2^k
// neighbouring blocks of a tile, which one rank can merge by itself. Units that an earlier run did
// are left out, blocks that it did inside a unit are passed over.
#ifndef PL_REDUCE_UNITS_H
#define PL_REDUCE_UNITS_H
#include "engine/pattern.h"

typedef struct pl_units { // zero-initialised; remaining: freed by the owner
  pl_remaining remaining; // units of this pass
  int64_t unit, units;    // numbers of remaining that are claimed and not looked at
  int64_t at, end;        // blocks of claimed units that are not read yet
} pl_units;

// What is left of the pass that an earlier run was in; all of any later one. Sets stage->resumed.
plait_err pl_units_begin(pl_units *units, pl_stage *stage, int pass);
// Reader strand: the next blocks [*first, *first + *n), at most a batch; *n = 0: there are no more.
plait_err pl_units_next(pl_units *units, pl_stage *stage, pl_scheduler *scheduler, int64_t *first,
                        int64_t *n);
// Blocks of the whole pass: all of the cut, or those of a sample of the job. Pure.
int64_t pl_units_blocks(const pl_task *task);
#endif
