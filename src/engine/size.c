// SPDX-License-Identifier: BSD-3-Clause
//
// See size.h. Figures behind the constants: a block of 4 MiB takes about a millisecond to read and
// about as long to compute, a thousand times the cost of handing it over, and a few of them fit the
// last-level cache, so that what the reader strand copied out of the page cache is still there when
// the team takes it.
#include "engine/size.h"
#include "base/mem.h"
#include "engine/feed.h"
#include "engine/pattern.h"
#include "engine/results.h"
#include "engine/steps_feed.h"

enum { MOST_SLOTS = 4, MOST_BATCH = 1024, BLOCKS_AT_LEAST = 64 };
static const int64_t kib = 1024, mib = 1024 * 1024;

static int64_t array_bytes(const pl_task *task) {
  int64_t bytes = (int64_t)plait_type_size(task->array.type);
  for (int d = 0; d < task->array.ndim; d++) bytes *= task->array.shape[d];
  return bytes;
}

// Small arrays are cut finer, so that there is something to share out.
static int64_t block_target(const pl_task *task, int64_t most) {
  if (task->job->run.block > 0) return task->job->run.block;
  int64_t bytes = array_bytes(task) / BLOCKS_AT_LEAST;
  return bytes < 64 * kib ? 64 * kib : bytes > most ? most : bytes;
}

static void make_cut(pl_task *task, int64_t block_bytes) {
  const pl_meta *meta = task->input ? &task->input->meta : NULL;
  pl_cut_wish wish = {.block_bytes = block_bytes,
                      .cell_bytes = (int64_t)plait_type_size(task->array.type),
                      .partial_bytes = block_bytes / 16,
                      .partial_per_cell = (int64_t)task->plan.partial_per_cell,
                      .chunk = meta && meta->chunked ? meta->chunk : NULL,
                      .whole = task->plan.whole,
                      .reduced = task->plan.reduced};
  pl_cut_make(task->array.ndim, task->array.shape, &wish, &task->cut);
}

size_t pl_partial_bytes(const pl_task *task) {
  int64_t extent[PLAIT_DIMS], cells = 1;
  pl_cut_largest(&task->cut, extent);
  for (int d = 0; d < task->cut.ndim; d++)
    if (!task->cut.reduced[d]) cells *= extent[d];
  size_t bytes = task->plan.partial_bytes + task->plan.partial_per_cell * (size_t)cells;
  return (bytes + 63) / 64 * 64;
}

// Blocks are a product of intervals along the axes, so what they touch is one too.
double pl_read_factor(const pl_task *task) {
  const pl_cut *cut = &task->cut;
  double factor = 1;
  if (!task->input) return factor;
  for (int d = 0; d < cut->ndim; d++) {
    double cells = 0;
    for (int64_t i = 0; i < cut->count[d]; i++) {
      int64_t from = i * cut->extent[d] - task->plan.halo[d];
      int64_t to = (i + 1) * cut->extent[d] + task->plan.halo[d];
      if (from < 0) from = 0;
      if (to > cut->shape[d]) to = cut->shape[d];
      cells += (double)pl_dataset_touched(task->input, d, from, to);
    }
    factor *= cells / (double)cut->shape[d];
  }
  return factor;
}

static int64_t fixed_bytes(const pl_task *task, int threads) {
  int64_t bytes = (int64_t)(pl_scratch_bytes(task) * (size_t)threads + task->plan.shared_bytes +
                            pl_aside_bytes(task));
  if (task->job->kernel->pattern != PLAIT_REDUCE) return bytes;
  int64_t levels = 2; // of the tree: one partial rests on each, one is in work
  while ((int64_t)1 << levels < task->cut.nreds) levels++;
  return bytes + levels * (int64_t)pl_partial_bytes(task);
}

static int64_t in_bytes(const pl_task *task) {
  return (int64_t)pl_feed_block_bytes(task) * task->batch;
}

static int64_t out_bytes(const pl_task *task) {
  return (int64_t)pl_results_set_bytes(task) * task->out_batch;
}

static int64_t needs(const pl_task *task, int threads) {
  return fixed_bytes(task, threads) + task->slots * in_bytes(task) +
         task->out_slots * out_bytes(task);
}

static void choose_batch(pl_task *task, int ranks) {
  int64_t each = (int64_t)pl_feed_block_bytes(task) + 1;
  bool reduce = task->job->kernel->pattern == PLAIT_REDUCE;
  if (!reduce) each += (int64_t)pl_results_set_bytes(task);
  int64_t batch = mib / each, fair = task->cut.nblocks / (8 * (int64_t)ranks);
  if (batch > fair) batch = fair;
  if (batch > MOST_BATCH) batch = MOST_BATCH;
  task->batch = batch < 1 ? 1 : (int)batch;
  task->out_batch = reduce ? 1 : task->batch;
}

// A rank that works through a run of 2^k blocks of a tile merges them by itself. Sixteen runs a
// tile are enough for sharing a single tile out fairly, unless there are many ranks.
static void choose_run(pl_task *task, int ranks) {
  int64_t runs = task->cut.ntiles >= 16 * (int64_t)ranks ? 1 : 16 * (int64_t)ranks;
  task->run_blocks = 1;
  while (task->run_blocks * 2 * runs <= task->cut.nreds ||
         (runs == 1 && task->run_blocks < task->cut.nreds))
    task->run_blocks *= 2;
}

// As many slots as the budget allows, four at most: more hide nothing more.
static bool fit_slots(pl_task *task, int threads) {
  for (int n = MOST_SLOTS; n >= 1; n--) {
    task->slots = n;
    task->out_slots = n < 3 ? n : 3;
    task->needed = needs(task, threads);
    if (task->needed <= task->budget) return true;
  }
  return false;
}

static plait_err too_small(const pl_task *task) {
  char needed[32], budget[32];
  pl_format_size(task->needed, needed);
  pl_format_size(task->budget, budget);
  return plait_fail(PLAIT_JOB, "run.memory: %s per rank is too small: this job needs at least %s%s",
                    budget, needed,
                    task->resume.found         ? " with the blocks of its journal (or --fresh)"
                    : task->job->run.block > 0 ? " (or a smaller run.block)"
                                               : "");
}

static void cut_map(pl_task *task, int threads) {
  int64_t bytes = block_target(task, 4 * mib);
  make_cut(task, bytes);
  if (task->job->run.block > 0) return;
  while (pl_read_factor(task) > 1.25 && task->cut.nblocks > 16) {
    pl_cut before = task->cut;
    make_cut(task, bytes *= 2);
    task->batch = task->out_batch = 1;
    if (fit_slots(task, threads) && task->slots == MOST_SLOTS) continue;
    task->cut = before;
    return;
  }
}

static void shrink_map(pl_task *task, int threads) {
  for (int64_t bytes = 2 * mib; bytes >= 16 * kib; bytes /= 2) {
    task->batch = task->out_batch = 1;
    if (fit_slots(task, threads)) return;
    make_cut(task, bytes);
  }
}

void pl_size_cut_reduce(pl_task *task) {
  make_cut(task, block_target(task, task->plan.partial_per_cell > 0 ? 16 * mib : 4 * mib));
}

// A run that goes on from a journal keeps its blocks.
static void choose_cut(pl_task *task, int threads) {
  bool map = task->job->kernel->pattern == PLAIT_MAP;
  if (task->resume.found) {
    pl_resume_cut(&task->resume, task->plan.reduced, &task->cut);
  } else if (map) {
    cut_map(task, threads);
    if (task->job->run.block == 0) shrink_map(task, threads);
  } else {
    pl_size_cut_reduce(task);
  }
}

plait_err pl_size_choose(pl_task *task, int ranks, int threads) {
  if (task->plan.stepping.lanes > 0) return pl_steps_size(task, ranks, threads);
  task->batch = task->out_batch = 1;
  choose_cut(task, threads);
  choose_run(task, ranks);
  choose_batch(task, ranks);
  if (!fit_slots(task, threads)) {
    task->batch = task->out_batch = 1;
    if (!fit_slots(task, threads)) return too_small(task);
  }
  bool passes = task->job->kernel->pattern == PLAIT_REDUCE && task->job->kernel->reduce.next;
  task->kept = passes ? pl_feed_kept_bytes(task) : 0;
  return PLAIT_OK;
}
