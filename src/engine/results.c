// SPDX-License-Identifier: BSD-3-Clause
//
// See results.h.
#include "engine/results.h"
#include "base/mem.h"
#include "base/text.h"
#include <stdio.h>

enum { ALIGN = 64 };

void pl_tile_block(const pl_task *task, int64_t tile, pl_box *box, plait_block *block) {
  pl_cut_tile(&task->cut, tile, box);
  pl_box kept = *box;
  for (int d = 0; d < kept.ndim; d++)
    if (task->cut.reduced[d]) kept.n[d] = 1;
  *block = pl_block_over(NULL, task->array.type, &kept, NULL);
}

void pl_output_box(const plait_output *out, const pl_box *tile, pl_box *box) {
  *box = (pl_box){.ndim = out->ndim};
  for (int d = 0; d < out->ndim; d++) {
    int from = out->from[d];
    box->lo[d] = from < 0 ? 0 : tile->lo[from];
    box->n[d] = from < 0 ? out->shape[d] : tile->n[from];
  }
}

static size_t largest_bytes(const pl_task *task, int var) {
  pl_box tile = {.ndim = task->cut.ndim}, box;
  pl_cut_largest(&task->cut, tile.n);
  pl_output_box(&task->plan.output[var], &tile, &box);
  size_t bytes = pl_block_bytes(task->plan.output[var].type, &box, NULL);
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t pl_results_set_bytes(const pl_task *task) {
  size_t bytes = 0;
  for (int v = 0; v < task->plan.noutputs; v++) bytes += largest_bytes(task, v);
  return bytes;
}

plait_err pl_results_start(pl_task *task, pl_output *output, int nslots, pl_results *results) {
  *results = (pl_results){.task = task, .output = output};
  for (int v = 0; v < task->plan.noutputs; v++) results->bytes[v] = largest_bytes(task, v);
  results->set_bytes = pl_results_set_bytes(task);
  size_t sets = (size_t)nslots * (size_t)task->out_batch,
         blocks = sets * (size_t)task->plan.noutputs;
  plait_block *all = NULL;
  TRY(pl_calloc((size_t)nslots, sizeof *results->slots, &results->slots));
  TRY(pl_calloc(blocks, sizeof *all, &all));
  for (int s = 0; s < nslots; s++)
    results->slots[s].out = all + (size_t)s * (size_t)task->out_batch * (size_t)task->plan.noutputs;
  return pl_alloc(sets, results->set_bytes, &results->memory);
}

void pl_results_stop(pl_results *results) {
  if (results->slots) pl_free(&results->slots[0].out);
  pl_free(&results->slots);
  pl_free(&results->memory);
}

const plait_block *pl_results_prepare(pl_results *results, int slot, int k, const pl_box *tile) {
  const pl_task *task = results->task;
  plait_block *out = results->slots[slot].out + k * task->plan.noutputs;
  char *at =
      results->memory + ((size_t)slot * (size_t)task->out_batch + (size_t)k) * results->set_bytes;
  for (int v = 0; v < task->plan.noutputs; v++) {
    pl_box box;
    pl_output_box(&task->plan.output[v], tile, &box);
    out[v] = pl_block_over(at, task->plan.output[v].type, &box, NULL);
    if (task->plan.output[v].emitted != results->emitting) out[v] = (plait_block){0};
    at += results->bytes[v];
  }
  results->slots[slot].n = k + 1;
  return out;
}

// Encoding may change a value in its place (byte order), so it is noted before.
static void note_single(const plait_output *output, const plait_block *out, pl_single *to) {
  *to = (pl_single){.type = out->type};
  snprintf(to->name, sizeof to->name, "%s", output->name);
  plait_row_to_f64(out->type, out->data, 1, &to->value);
}

static void note_singles(pl_results *results, const plait_block *out) {
  const plait_plan *plan = &results->task->plan;
  bool any = false;
  for (int v = 0; v < plan->noutputs; v++) any = any || (out[v].data && out[v].ndim == 0);
  if (!any || !results->outcome) return;
#pragma omp single
  for (int v = 0; v < plan->noutputs; v++)
    if (out[v].data && out[v].ndim == 0)
      note_single(&plan->output[v], &out[v], &results->outcome->single[v]);
}

void pl_results_of_file(const pl_task *task, pl_outcome *to) {
  for (int v = 0; v < task->plan.noutputs; v++) {
    const plait_output *output = &task->plan.output[v];
    pl_single *s = &to->single[v];
    pl_scalar scalar;
    pl_text one = {0};
    pl_text_add(&one, "%s:%s", task->job->output, output->name);
    if (output->ndim == 0 && !one.failed && pl_dataset_scalar(one.at, &scalar) == PLAIT_OK) {
      *s = (pl_single){.type = scalar.type, .value = scalar.value};
      snprintf(s->name, sizeof s->name, "%s", output->name);
    }
    pl_text_free(&one);
  }
}

void pl_results_encode(pl_results *results, int slot, int k, plait_raise *raise) {
  const plait_block *out = results->slots[slot].out + k * results->task->plan.noutputs;
  note_singles(results, out);
  for (int v = 0; v < results->task->plan.noutputs; v++)
    if (out[v].data) pl_output_encode(results->output, v, &out[v], raise);
}

plait_err pl_results_store(pl_results *results, int slot, uint64_t *hash) {
  const pl_results_slot *s = &results->slots[slot];
  const pl_task *task = results->task;
  *hash = 0;
  for (int i = 0; i < s->n * task->plan.noutputs; i++) {
    int var = i % task->plan.noutputs;
    if (!s->out[i].data) continue;
    pl_output_hash(results->output, var, &s->out[i], hash);
    TRY(pl_output_store(results->output, var, &s->out[i]));
    pl_box box = {.ndim = s->out[i].ndim};
    for (int d = 0; d < box.ndim; d++) box.n[d] = s->out[i].extent[d];
    results->bytes_written +=
        pl_box_cells(&box) * (int64_t)plait_type_size(task->layout.vars[var].stored);
  }
  return PLAIT_OK;
}
