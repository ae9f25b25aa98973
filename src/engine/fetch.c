// SPDX-License-Identifier: BSD-3-Clause
//
// Blocks of a few columns take short runs of bytes out of an array that is not chunked, but storage
// brings pages: those at the ends of a run come for both blocks that share them, and where the gap
// to the next run is small it is read with them (rawio.c). While the page cache holds the file that
// costs nothing; a file larger than memory is read so many times. Chunks are whole in
// pl_read_factor already.
#include "engine/fetch.h"
#include "engine/size.h"
#include <math.h>

static const double page = 4096, gap = 8192; // bytes; the gap as in rawio.c

// The last axis that is cut; -1: none.
static int last_cut(const pl_cut *cut) {
  int d = cut->ndim - 1;
  while (d >= 0 && cut->count[d] == 1) d--;
  return d;
}

double pl_fetch_factor(const pl_task *task) {
  const pl_cut *cut = &task->cut;
  double factor = pl_read_factor(task);
  int axis = last_cut(cut);
  if (!task->input || pl_dataset_file_bytes(task->input) == 0) return 1;
  if (task->input->meta.chunked || axis < 0) return factor;
  double cell = (double)plait_type_size(task->input->meta.stored);
  for (int d = axis + 1; d < cut->ndim; d++) cell *= (double)cut->shape[d];
  double row = cell * (double)cut->shape[axis], blocks = (double)cut->count[axis];
  double run = cell * (double)(cut->extent[axis] + 2 * task->plan.halo[axis]);
  bool rows = false; // a block has more than one run, so that gaps lie between
  for (int d = 0; d < axis; d++) rows = rows || cut->extent[d] > 1;
  if (rows && row - run <= gap) return fmax(factor, blocks);
  return fmax(factor, fmin(factor + blocks * page / row, blocks));
}
