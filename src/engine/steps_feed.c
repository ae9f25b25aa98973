// SPDX-License-Identifier: BSD-3-Clause
//
// See steps_feed.h.
#include "engine/steps_feed.h"
#include "base/mem.h"
#include "engine/results.h"
#include "engine/size.h"
#include <string.h>

static size_t row_bytes(const pl_task *task) {
  size_t bytes = plait_type_size(task->array.type);
  for (int d = 1; d < task->array.ndim; d++) bytes *= (size_t)task->array.shape[d];
  return bytes;
}

static size_t raw_bytes(const pl_task *task, const pl_steps_plan *plan) {
  int64_t extent[PLAIT_DIMS];
  memcpy(extent, task->array.shape, sizeof extent);
  if (extent[0] > plan->page_rows) extent[0] = plan->page_rows;
  return (pl_dataset_raw_bytes(task->input, extent) + 63) / 64 * 64;
}

// ---- sizes ----------------------------------------------------------------------------------
typedef struct sizes {
  int64_t fixed, resident, windows, raw;
} sizes;

static void count_bytes(const pl_task *task, const pl_steps_plan *plan, int ranks, int threads,
                        sizes *s) {
  int64_t lanes = (plan->how.lanes + ranks - 1) / ranks, row = (int64_t)row_bytes(task);
  int64_t pieces = lanes * plan->at_once * PL_STEPS_SLOTS;
  s->fixed =
      (int64_t)(pl_scratch_bytes(task) * (size_t)threads + task->plan.shared_bytes +
                pl_aside_bytes(task) + pl_steps_bytes(plan, &task->plan, ranks) +
                pl_results_set_bytes(task) + PL_STEPS_SLOTS * pl_window_bytes(plan, (int)lanes));
  s->resident = lanes * (plan->rows / plan->how.lanes + 1) * row;
  s->windows = pieces * plan->page_rows * row;
  s->raw = pieces * (int64_t)raw_bytes(task, plan);
}

static plait_err too_small(const pl_task *task) {
  char needed[32], budget[32];
  pl_format_size(task->needed, needed);
  pl_format_size(task->budget, budget);
  return plait_fail(PLAIT_JOB,
                    "run.memory: %s per rank is too small: this job needs at least %s (or fewer "
                    "rows that are shuffled together)",
                    budget, needed);
}

// One block: the journal knows the whole by it.
static void cut_once(pl_task *task) {
  bool whole[PLAIT_DIMS];
  for (int d = 0; d < PLAIT_DIMS; d++) whole[d] = true;
  pl_cut_wish wish = {.block_bytes = INT64_MAX / 4,
                      .cell_bytes = 1,
                      .partial_bytes = 1,
                      .whole = whole,
                      .reduced = whole};
  pl_cut_make(task->array.ndim, task->array.shape, &wish, &task->cut);
}

plait_err pl_steps_size(pl_task *task, int ranks, int threads) {
  pl_steps_plan plan;
  sizes s;
  pl_steps_plan_make(&task->plan.stepping, task->array.shape[0], row_bytes(task), &plan);
  cut_once(task);
  task->slots = PL_STEPS_SLOTS;
  task->out_slots = task->batch = task->out_batch = 1;
  task->run_blocks = 1;
  double steps =
      (double)plan.how.epochs *
      ((double)plan.rows / (double)plan.how.lanes / (double)plan.how.rows + 2 * (double)plan.pages);
  if (steps > 2e9)
    return plait_fail(PLAIT_JOB, "more than 2e9 steps: fewer epochs or larger batches");
  count_bytes(task, &plan, ranks, threads, &s);
  task->resident = s.fixed + s.raw + s.resident <= task->budget;
  task->needed = s.fixed + s.raw + (task->resident ? s.resident : s.windows);
  return task->needed <= task->budget ? PLAIT_OK : too_small(task);
}

int64_t pl_steps_most(const pl_task *task) {
  const plait_stepping *how = &task->plan.stepping;
  int64_t lane = (task->array.shape[0] + how->lanes - 1) / how->lanes;
  return how->epochs * ((lane + how->rows - 1) / how->rows);
}

// ---- start and end --------------------------------------------------------------------------
static plait_err start_slot(pl_steps_feed *f, pl_steps_slot *slot) {
  size_t pieces = (size_t)f->lanes * (size_t)f->plan.at_once;
  TRY(pl_window_start(&f->plan, f->lanes, &slot->window));
  TRY(pl_calloc(pieces, sizeof *slot->pieces, &slot->pieces));
  TRY(pl_alloc(pieces, f->raw_bytes, &slot->raw));
  if (f->resident) return PLAIT_OK;
  return pl_alloc(pieces * (size_t)f->plan.page_rows, f->row_bytes, &slot->data);
}

static plait_err start(pl_steps_feed *f) {
  int64_t end = 0, n = 0, last = f->plan.pages - 1;
  pl_steps_piece(&f->plan, f->first_lane, 0, &f->first_row, &n);
  if (f->lanes > 0) {
    pl_steps_piece(&f->plan, f->first_lane + f->lanes - 1, last, &end, &n);
    end += n;
  }
  if (f->task->resident) {
    TRY(pl_calloc((size_t)f->lanes * (size_t)f->plan.pages, sizeof *f->have, &f->have));
    size_t rows = end > f->first_row ? (size_t)(end - f->first_row) : 0;
    TRY(pl_alloc(rows, f->row_bytes, &f->resident));
  }
  TRY(pl_alloc(pl_steps_order_room(&f->plan), sizeof *f->order, &f->order));
  for (int i = 0; i < PL_STEPS_SLOTS; i++) TRY(start_slot(f, &f->slots[i]));
  pl_steps_order(&f->plan, f->epoch, f->order);
  return PLAIT_OK;
}

plait_err pl_steps_feed_start(pl_task *task, const pl_steps *steps, pl_steps_feed *f) {
  *f = (pl_steps_feed){.task = task,
                       .plan = steps->plan,
                       .first_lane = steps->first_lane,
                       .lanes = steps->lanes,
                       .epoch = steps->epoch,
                       .round = steps->round,
                       .row_bytes = row_bytes(task),
                       .raw_bytes = raw_bytes(task, &steps->plan)};
  return start(f);
}

void pl_steps_feed_stop(pl_steps_feed *f) {
  for (int i = 0; i < PL_STEPS_SLOTS; i++) {
    pl_window_stop(&f->slots[i].window);
    pl_free(&f->slots[i].pieces);
    pl_free(&f->slots[i].data);
    pl_free(&f->slots[i].raw);
  }
  pl_free(&f->order);
  pl_free(&f->resident);
  pl_free(&f->have);
}

// ---- reading --------------------------------------------------------------------------------
typedef struct reading {
  pl_steps_feed *feed;
  pl_steps_slot *slot;
  size_t used; // bytes of slot->data
} reading;

static char *place_of(reading *r, int64_t first, int64_t rows, int lane, int64_t page, bool *have) {
  pl_steps_feed *f = r->feed;
  *have = false;
  if (!f->resident) {
    char *at = r->slot->data + r->used;
    r->used += (size_t)rows * f->row_bytes;
    return at;
  }
  bool *known = &f->have[(lane - f->first_lane) * f->plan.pages + page];
  *have = *known;
  *known = true;
  return f->resident + (size_t)(first - f->first_row) * f->row_bytes;
}

// The rows of a page, fetched when they are not there.
static const void *fetch(void *context, int lane, int64_t page) {
  reading *r = context;
  pl_steps_feed *f = r->feed;
  pl_steps_slot *slot = r->slot;
  int64_t first, n;
  bool have;
  pl_steps_piece(&f->plan, lane, page, &first, &n);
  char *at = place_of(r, first, n, lane, page, &have);
  if (n == 0 || have || slot->err != PLAIT_OK) return at;
  pl_steps_piece_read *p = &slot->pieces[slot->n];
  p->raw = slot->raw + (size_t)slot->n * f->raw_bytes;
  p->box = (pl_box){.ndim = f->task->array.ndim};
  memcpy(p->box.n, f->task->array.shape, sizeof p->box.n);
  p->box.lo[0] = first;
  p->box.n[0] = n;
  p->block = pl_block_over(at, f->task->array.type, &p->box, NULL);
  slot->err = pl_dataset_fetch(f->task->input, &p->box, p->raw, &p->block);
  if (slot->err != PLAIT_OK) strncpy(slot->message, pl_message(), sizeof slot->message - 1);
  f->bytes_read += pl_dataset_box_bytes(f->task->input, &p->box);
  slot->n++;
  return at;
}

bool pl_steps_feed_read(pl_steps_feed *f, int number) {
  pl_steps_slot *slot = &f->slots[number];
  if (f->epoch >= f->plan.how.epochs) return false;
  reading r = {.feed = f, .slot = slot};
  slot->n = 0;
  slot->err = PLAIT_OK;
  slot->window.epoch = f->epoch;
  slot->window.round = f->round;
  for (int lane = f->first_lane; lane < f->first_lane + f->lanes; lane++)
    pl_window_fill(&f->plan, f->order, lane, f->first_lane, f->row_bytes, fetch, &r, &slot->window);
  if (++f->round < pl_steps_rounds(&f->plan)) return true;
  f->round = 0;
  pl_steps_order(&f->plan, ++f->epoch, f->order);
  return true;
}

void pl_steps_feed_decode(pl_steps_feed *f, int number, plait_raise *raise) {
  pl_steps_slot *slot = &f->slots[number];
  for (int i = 0; i < slot->n && slot->err == PLAIT_OK; i++)
    pl_dataset_decode(f->task->input, &slot->pieces[i].box, slot->pieces[i].raw,
                      &slot->pieces[i].block, raise);
}
