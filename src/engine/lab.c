// SPDX-License-Identifier: BSD-3-Clause
//
// A kernel on a small array in memory: what `verify` and the tests of kernels use. It goes through
// the same cut, boundary rules and merge tree as a run, block by block in one thread; only files,
// strands and ranks are missing.
#include "base/mem.h"
#include "base/raise.h"
#include "engine/evolve.h"
#include "engine/job.h"
#include "engine/merge.h"
#include "engine/lab_steps.h"
#include "engine/pattern.h"
#include <string.h>

typedef struct lab_run {
  pl_job job;
  pl_task task;
  void *keep;
  const char *data;
  void *const *out;
  pl_scratch scratch;
  plait_raise raise;
  char *block;                 // one block with its halo
  bool emitting;               // in the pass of plait_reduce.emit
  char *result[PLAIT_OUTPUTS]; // its results
} lab_run;

// Copies `n` cells per row between two row-major arrays; `at` are plait_blocks over them.
static void copy_block(const plait_block *from, const plait_block *to) {
  size_t size = plait_type_size(from->type);
  int64_t rows = 1, last = from->ndim > 0 ? from->extent[from->ndim - 1] : 1;
  for (int d = 0; d + 1 < from->ndim; d++) rows *= from->extent[d];
  for (int64_t row = 0; row < rows; row++) {
    ptrdiff_t a = 0, b = 0;
    int64_t rest = row;
    for (int d = from->ndim - 2; d >= 0; d--) {
      int64_t i = rest % from->extent[d];
      rest /= from->extent[d];
      a += i * from->stride[d];
      b += i * to->stride[d];
    }
    memcpy((char *)to->data + b * (ptrdiff_t)size, (char *)from->data + a * (ptrdiff_t)size,
           (size_t)last * size);
  }
}

static plait_block whole_array(void *data, plait_type type, int ndim, const int64_t shape[]) {
  pl_box box = {.ndim = ndim};
  memcpy(box.n, shape, (size_t)ndim * sizeof *shape);
  return pl_block_over(data, type, &box, NULL);
}

static void load_block(lab_run *run, const pl_box *own, plait_block *block) {
  const pl_task *task = &run->task;
  const plait_plan *plan = &task->plan;
  plait_block all =
      whole_array((void *)run->data, task->array.type, task->cut.ndim, task->cut.shape);
  *block = pl_block_over(run->block, task->array.type, own, plan->halo);
  pl_source source;
  if (!run->data) block->data = NULL;
  for (int i = 0;
       run->data && pl_box_source(own, plan->halo, task->cut.shape, plan->boundary, i, &source);
       i++) {
    plait_block from = pl_block_part(&all, &source.from), to = pl_block_part(block, &source.at);
    copy_block(&from, &to);
  }
  if (run->data)
    pl_block_fill_boundary(block, task->cut.shape, plan->boundary, plan->boundary_value);
}

static void result_blocks(lab_run *run, const pl_box *tile, plait_block out[]) {
  for (int v = 0; v < run->task.plan.noutputs; v++) {
    pl_box box;
    pl_output_box(&run->task.plan.output[v], tile, &box);
    out[v] = pl_block_over(run->result[v], run->task.plan.output[v].type, &box, NULL);
    if (run->task.plan.output[v].emitted != run->emitting) out[v] = (plait_block){0};
  }
}

static void keep_results(lab_run *run, const plait_block out[]) {
  for (int v = 0; v < run->task.plan.noutputs; v++) {
    const plait_output *o = &run->task.plan.output[v];
    if (!out[v].data) continue;
    plait_block all = whole_array(run->out[v], o->type, o->ndim, o->shape);
    pl_box box = {.ndim = o->ndim};
    memcpy(box.lo, out[v].origin, sizeof box.lo);
    memcpy(box.n, out[v].extent, sizeof box.n);
    plait_block to = pl_block_part(&all, &box);
    copy_block(&out[v], &to);
  }
}

static plait_err run_map(lab_run *run) {
  for (int64_t b = 0; b < run->task.cut.nblocks; b++) {
    pl_box own;
    plait_block in, out[PLAIT_OUTPUTS];
    pl_cut_block(&run->task.cut, b, &own);
    load_block(run, &own, &in);
    result_blocks(run, &own, out);
    run->job.kernel->map.block(&run->scratch.calls[0], &in, out);
    TRY(pl_raised(&run->raise));
    keep_results(run, out);
  }
  return PLAIT_OK;
}

static plait_err finish_tile(lab_run *run, const pl_box *tile, const plait_block *kept,
                             const void *partial) {
  plait_block out[PLAIT_OUTPUTS];
  result_blocks(run, tile, out);
  run->job.kernel->reduce.finish(&run->scratch.calls[0], kept, partial, out);
  keep_results(run, out);
  return pl_raised(&run->raise);
}

// The partial of one tile, merged through the tree.
static plait_err reduce_tile(lab_run *run, int64_t tile, pl_merger *merger, const plait_block *kept,
                             void **root) {
  const plait_reduce *reduce = &run->job.kernel->reduce;
  plait_call *call = &run->scratch.calls[0];
  for (int64_t r = 0; r < run->task.cut.nreds; r++) {
    pl_box own;
    plait_block in;
    pl_node node = {.tile = tile, .index = r};
    TRY(pl_pool_take(merger->pool, &node.partial));
    pl_cut_block(&run->task.cut, tile * run->task.cut.nreds + r, &own);
    load_block(run, &own, &in);
    if (run->emitting) {
      plait_block out[PLAIT_OUTPUTS];
      result_blocks(run, &own, out);
      reduce->emit(call, &in, node.partial, out);
      keep_results(run, out);
    } else {
      reduce->block(call, &in, node.partial);
    }
    plait_err err = pl_raised(&run->raise);
    if (err != PLAIT_OK) pl_pool_give(merger->pool, node.partial);
    TRY(err);
    pl_merge_step step;
    for (;;) {
      TRY(pl_merge_place(merger, &node, &step));
      if (step.kind != PL_MERGE_PAIR) break;
      reduce->merge(call, kept, step.left, step.right);
      pl_pool_give(merger->pool, step.right);
    }
    if (step.kind == PL_MERGE_ROOT) *root = node.partial;
  }
  return pl_raised(&run->raise);
}

static plait_err run_tiles(lab_run *run, pl_merger *merger, void *state) {
  const plait_reduce *reduce = &run->job.kernel->reduce;
  plait_call *call = &run->scratch.calls[0];
  call->state = state;
  run->emitting = reduce->block == NULL;
  for (int64_t t = 0; t < run->task.cut.ntiles; t++) {
    pl_box tile, kept;
    pl_cut_tile(&run->task.cut, t, &tile);
    kept = tile;
    for (int d = 0; d < kept.ndim; d++)
      if (run->task.cut.reduced[d]) kept.n[d] = 1;
    plait_block kept_block = pl_block_over(NULL, run->task.array.type, &kept, NULL);
    void *root = NULL;
    for (;;) {
      TRY(reduce_tile(run, t, merger, &kept_block, &root));
      bool again = reduce->next && !run->emitting && reduce->next(call, root, state);
      call->pass++;
      plait_err err = pl_raised(&run->raise);
      if (err != PLAIT_OK) pl_pool_give(merger->pool, root);
      TRY(err);
      if (!again && (!reduce->emit || run->emitting)) break;
      run->emitting = !again;
      pl_pool_give(merger->pool, root);
    }
    run->emitting = false;
    plait_err err = finish_tile(run, &tile, &kept_block, root);
    pl_pool_give(merger->pool, root);
    TRY(err);
  }
  return PLAIT_OK;
}

// The results of steps: of the state alone.
static plait_err run_steps(lab_run *run) {
  pl_steps steps = {.kernel = run->job.kernel};
  pl_box all;
  pl_cut_tile(&run->task.cut, 0, &all);
  plait_block kept = pl_block_over(NULL, run->task.array.type, &all, NULL);
  plait_err err = pl_lab_steps(&run->task, run->data, run->scratch.calls, &steps);
  if (err == PLAIT_OK) err = finish_tile(run, &all, &kept, NULL);
  pl_steps_stop(&steps);
  return err;
}

static plait_err run_reduce(lab_run *run) {
  if (run->task.plan.stepping.lanes > 0) return run_steps(run);
  pl_pool pool = {.bytes = pl_partial_bytes(&run->task)};
  pl_merger merger = {.leaves = run->task.cut.nreds, .pool = &pool};
  void *state = NULL;
  plait_err err = pl_calloc(1, run->task.plan.state_bytes, &state);
  if (err == PLAIT_OK) err = run_tiles(run, &merger, state);
  pl_merger_free(&merger);
  pl_pool_free(&pool);
  pl_free(&state);
  return err;
}

static void cut_like(pl_task *task, const int64_t *block) {
  pl_cut_wish wish = {.block_bytes = 64 * 1024,
                      .cell_bytes = (int64_t)plait_type_size(task->array.type),
                      .partial_bytes = 8 * 1024,
                      .partial_per_cell = (int64_t)task->plan.partial_per_cell,
                      .whole = task->plan.whole,
                      .reduced = task->plan.reduced};
  pl_cut_make(task->array.ndim, task->array.shape, &wish, &task->cut);
  if (!block) return;
  pl_cut *cut = &task->cut;
  cut->ntiles = cut->nreds = 1;
  for (int d = 0; d < cut->ndim; d++) {
    cut->extent[d] = task->plan.whole[d] || block[d] > cut->shape[d] ? cut->shape[d] : block[d];
    cut->count[d] = (cut->shape[d] + cut->extent[d] - 1) / cut->extent[d];
    if (cut->reduced[d])
      cut->nreds *= cut->count[d];
    else
      cut->ntiles *= cut->count[d];
  }
  cut->nblocks = cut->ntiles * cut->nreds;
}

static plait_err prepare(lab_run *run, const char *settings, const int64_t *block) {
  const plait_kernel *kernel = run->job.kernel;
  pl_task *task = &run->task;
  TRY(pl_params_from_text(kernel->params, kernel->params_size, settings, &run->job.params,
                          &run->keep));
  TRY(pl_params_bind(kernel->params, run->job.params, run->keep, task->problem.input));
  const char *why = kernel->check ? kernel->check(&task->problem, run->job.params) : NULL;
  if (why) return plait_fail(PLAIT_JOB, "%s: %s", kernel->name, why);
  TRY(pl_task_plan(task));
  if (!task->problem.input) pl_space_array(&task->plan, &task->array);
  cut_like(task, block);
  pl_box largest = {.ndim = task->cut.ndim};
  pl_cut_largest(&task->cut, largest.n);
  TRY(pl_alloc(pl_block_bytes(task->array.type, &largest, task->plan.halo), 1, &run->block));
  for (int v = 0; v < task->plan.noutputs; v++) {
    pl_box box;
    pl_output_box(&task->plan.output[v], &largest, &box);
    TRY(pl_alloc(pl_block_bytes(task->plan.output[v].type, &box, NULL), 1, &run->result[v]));
  }
  return pl_scratch_start(task, 1, &run->raise, &run->scratch);
}

plait_err pl_lab_apply(const plait_lab *lab, const char *settings, const plait_array *in,
                       const void *data, const int64_t *block, void *const out[]) {
  if (lab->kernel->pattern == PLAIT_EVOLVE)
    return pl_evolve_lab(lab, settings, in, data, block, out);
  lab_run run = {.data = data, .out = out};
  run.job.kernel = lab->kernel;
  run.task.job = &run.job;
  if (in) {
    run.task.array = *in;
    run.task.problem.input = &run.task.array;
  }
  plait_err err = prepare(&run, settings, block);
  if (err == PLAIT_OK) err = lab->kernel->pattern == PLAIT_MAP ? run_map(&run) : run_reduce(&run);
  pl_scratch_stop(&run.scratch);
  pl_aside_free(&run.task);
  pl_free(&run.block);
  for (int v = 0; v < PLAIT_OUTPUTS; v++) pl_free(&run.result[v]);
  pl_params_free(&run.job.params, &run.keep);
  return err;
}
