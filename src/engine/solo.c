// SPDX-License-Identifier: BSD-3-Clause
//
// See solo.h. Memory only grows: what one run left is taken by the next, so that a run of a few
// microseconds is not one of allocations.
#include "engine/solo.h"
#include "base/mem.h"
#include "engine/solo_steps.h"
#include <string.h>

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

plait_err pl_room_get(pl_room *room, size_t bytes) {
  if (room->at && room->bytes >= bytes) return PLAIT_OK;
  pl_room_free(room);
  TRY(pl_alloc(bytes, 1, &room->at));
  room->bytes = bytes;
  return PLAIT_OK;
}

void pl_room_free(pl_room *room) {
  pl_free(&room->at);
  room->bytes = 0;
}

static void load_block(pl_solo *run, const pl_box *own, plait_block *block) {
  const pl_task *task = run->task;
  const plait_plan *plan = &task->plan;
  plait_block all =
      whole_array((void *)run->data, task->array.type, task->cut.ndim, task->cut.shape);
  *block = pl_block_over(run->block.at, task->array.type, own, plan->halo);
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

static void result_blocks(pl_solo *run, const pl_box *tile, plait_block out[]) {
  for (int v = 0; v < run->task->plan.noutputs; v++) {
    pl_box box;
    pl_output_box(&run->task->plan.output[v], tile, &box);
    out[v] = pl_block_over(run->result[v].at, run->task->plan.output[v].type, &box, NULL);
    if (run->task->plan.output[v].emitted != run->emitting) out[v] = (plait_block){0};
  }
}

static void keep_results(pl_solo *run, const plait_block out[]) {
  for (int v = 0; v < run->task->plan.noutputs; v++) {
    const plait_output *o = &run->task->plan.output[v];
    if (!out[v].data || !run->out[v]) continue;
    plait_block all = whole_array(run->out[v], o->type, o->ndim, o->shape);
    pl_box box = {.ndim = o->ndim};
    memcpy(box.lo, out[v].origin, sizeof box.lo);
    memcpy(box.n, out[v].extent, sizeof box.n);
    plait_block to = pl_block_part(&all, &box);
    copy_block(&out[v], &to);
  }
}

static plait_err run_map(pl_solo *run) {
  for (int64_t b = 0; b < run->task->cut.nblocks; b++) {
    pl_box own;
    plait_block in, out[PLAIT_OUTPUTS];
    if (run->before) TRY(run->before(run->context));
    pl_cut_block(&run->task->cut, b, &own);
    load_block(run, &own, &in);
    result_blocks(run, &own, out);
    run->task->job->kernel->map.block(&run->scratch.calls[0], &in, out);
    TRY(pl_raised(&run->raise));
    keep_results(run, out);
  }
  return PLAIT_OK;
}

static plait_err finish_tile(pl_solo *run, const pl_box *tile, const plait_block *kept,
                             const void *partial) {
  plait_block out[PLAIT_OUTPUTS];
  result_blocks(run, tile, out);
  run->task->job->kernel->reduce.finish(&run->scratch.calls[0], kept, partial, out);
  keep_results(run, out);
  return pl_raised(&run->raise);
}

// The partial of one tile, merged through the tree.
static plait_err reduce_tile(pl_solo *run, int64_t tile, pl_merger *merger, const plait_block *kept,
                             void **root) {
  const plait_reduce *reduce = &run->task->job->kernel->reduce;
  plait_call *call = &run->scratch.calls[0];
  for (int64_t r = 0; r < run->task->cut.nreds; r++) {
    pl_box own;
    plait_block in;
    pl_node node = {.tile = tile, .index = r};
    if (run->before) TRY(run->before(run->context));
    TRY(pl_pool_take(merger->pool, &node.partial));
    pl_cut_block(&run->task->cut, tile * run->task->cut.nreds + r, &own);
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

static plait_err run_tiles(pl_solo *run, pl_merger *merger, void *state) {
  const plait_reduce *reduce = &run->task->job->kernel->reduce;
  plait_call *call = &run->scratch.calls[0];
  call->state = state;
  run->emitting = reduce->block == NULL;
  for (int64_t t = 0; t < run->task->cut.ntiles; t++) {
    pl_box tile;
    plait_block kept_block;
    pl_tile_block(run->task, t, &tile, &kept_block);
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
static plait_err run_steps(pl_solo *run) {
  pl_steps steps = {.kernel = run->task->job->kernel};
  pl_box all;
  pl_cut_tile(&run->task->cut, 0, &all);
  plait_block kept = pl_block_over(NULL, run->task->array.type, &all, NULL);
  plait_err err = pl_solo_steps(run->task, run->data, run->scratch.calls, &steps);
  if (err == PLAIT_OK) err = finish_tile(run, &all, &kept, NULL);
  pl_steps_stop(&steps);
  return err;
}

static plait_err run_reduce(pl_solo *run) {
  if (run->task->plan.stepping.lanes > 0) return run_steps(run);
  size_t bytes = pl_partial_bytes(run->task), state = run->task->plan.state_bytes;
  if (run->pool.bytes != bytes) pl_pool_free(&run->pool);
  run->pool.bytes = bytes;
  pl_merger merger = {.leaves = run->task->cut.nreds, .pool = &run->pool};
  TRY(pl_room_get(&run->state, state));
  memset(run->state.at, 0, state);
  plait_err err = run_tiles(run, &merger, run->state.at);
  pl_merger_free(&merger);
  return err;
}

static size_t block_bytes(const pl_task *task) {
  pl_box largest = {.ndim = task->cut.ndim};
  if (!task->problem.input) return 0;
  pl_cut_largest(&task->cut, largest.n);
  return pl_block_bytes(task->array.type, &largest, task->plan.halo);
}

static size_t result_bytes(const pl_task *task, int var) {
  pl_box largest = {.ndim = task->cut.ndim}, box;
  pl_cut_largest(&task->cut, largest.n);
  pl_output_box(&task->plan.output[var], &largest, &box);
  return pl_block_bytes(task->plan.output[var].type, &box, NULL);
}

size_t pl_solo_bytes(const pl_task *task) {
  size_t bytes = block_bytes(task) + task->plan.state_bytes + pl_scratch_bytes(task) +
                 task->plan.shared_bytes + pl_aside_bytes(task);
  for (int v = 0; v < task->plan.noutputs; v++) bytes += result_bytes(task, v);
  if (task->job->kernel->pattern != PLAIT_REDUCE) return bytes;
  size_t levels = 2; // of the tree: one partial rests on each, one is in work
  while ((int64_t)1 << levels < task->cut.nreds) levels++;
  return bytes + levels * pl_partial_bytes(task);
}

plait_err pl_solo_run(pl_solo *run) {
  pl_task *task = run->task;
  run->raise = (plait_raise){0};
  run->emitting = false;
  TRY(pl_room_get(&run->block, block_bytes(task)));
  for (int v = 0; v < task->plan.noutputs; v++)
    TRY(pl_room_get(&run->result[v], result_bytes(task, v)));
  TRY(pl_scratch_start(task, 1, &run->raise, &run->scratch));
  return task->job->kernel->pattern == PLAIT_MAP ? run_map(run) : run_reduce(run);
}

void pl_solo_stop(pl_solo *run) {
  pl_scratch_stop(&run->scratch);
  pl_pool_free(&run->pool);
  pl_room_free(&run->block);
  pl_room_free(&run->state);
  for (int v = 0; v < PLAIT_OUTPUTS; v++) pl_room_free(&run->result[v]);
}
