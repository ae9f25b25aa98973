// SPDX-License-Identifier: BSD-3-Clause
//
// See steps.h. A step has three barriers: the batch is known; all nodes are gathered; the sums of
// all ranks are here. The kernel's update ends at the first of the next step.
#include "engine/steps.h"
#include "base/mem.h"
#include "base/raise.h"
#include <string.h>

enum { FAILED, STOP, FLAGS = 16 }; // floats before the kernel's sums

static size_t longest(const plait_stepping *how) {
  return FLAGS + (how->sums[0] > how->sums[1] ? how->sums[0] : how->sums[1]);
}

static size_t batch_rows(const pl_steps_plan *plan) {
  return (size_t)plan->how.rows * (size_t)plan->how.lanes;
}

// ---- windows --------------------------------------------------------------------------------
static size_t window_rows(const pl_steps_plan *plan) {
  return (size_t)(plan->page_rows * plan->at_once);
}

size_t pl_window_bytes(const pl_steps_plan *plan, int lanes) {
  return window_rows(plan) * (size_t)lanes * (sizeof(void *) + sizeof(int64_t));
}

plait_err pl_window_start(const pl_steps_plan *plan, int lanes, pl_window *w) {
  size_t rows = window_rows(plan) * (size_t)lanes;
  *w = (pl_window){.room = (int64_t)window_rows(plan)};
  plait_err err = pl_alloc(rows, sizeof *w->row, &w->row);
  if (err == PLAIT_OK) err = pl_alloc(rows, sizeof *w->number, &w->number);
  if (err != PLAIT_OK) pl_window_stop(w);
  return err;
}

void pl_window_stop(pl_window *w) {
  pl_free(&w->row);
  pl_free(&w->number);
}

static void shuffle(const pl_steps_plan *plan, const pl_window *w, int lane, int64_t n,
                    const void **row, int64_t *number) {
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = pl_steps_draw(plan, w->epoch, w->round, lane, i, i + 1);
    const void *r = row[i];
    int64_t k = number[i];
    row[i] = row[j], number[i] = number[j];
    row[j] = r, number[j] = k;
  }
}

void pl_window_fill(const pl_steps_plan *plan, const int64_t order[], int lane, int first_lane,
                    size_t row_bytes, pl_window_at *at, void *context, pl_window *w) {
  const void **row = w->row + (lane - first_lane) * w->room;
  int64_t *number = w->number + (lane - first_lane) * w->room, n = 0, page, first, rows;
  for (int64_t i = 0; (page = pl_steps_page(plan, order, w->round, lane, i)) >= 0; i++) {
    const char *data = at(context, lane, page);
    pl_steps_piece(plan, lane, page, &first, &rows);
    for (int64_t r = 0; r < rows; r++, n++) {
      row[n] = data + (size_t)r * row_bytes;
      number[n] = first + r;
    }
  }
  if (!pl_steps_checks(plan, w->round)) shuffle(plan, w, lane, n, row, number);
}

// ---- start and end --------------------------------------------------------------------------
size_t pl_steps_bytes(const pl_steps_plan *plan, const plait_plan *kernel, int ranks) {
  size_t list = batch_rows(plan) * (sizeof(void *) + sizeof(int64_t));
  return pl_steps_sum_bytes(plan->how.lanes, ranks, longest(&plan->how)) + list +
         kernel->state_bytes + 64 + sizeof(pl_steps_tail) +
         2 * pl_steps_order_room(plan) * sizeof(int64_t);
}

static void begin_round(pl_steps *s) {
  s->round_steps = pl_steps_of_round(&s->plan, s->order, s->round);
  for (int l = 0; l < s->plan.how.lanes; l++)
    s->lane_rows[l] = pl_steps_of_lane(&s->plan, s->order, s->round, l);
}

static void begin_epoch(pl_steps *s) {
  s->round = s->step = 0;
  pl_steps_order(&s->plan, s->epoch, s->order);
  begin_round(s);
}

// Where a run goes on that has done so many steps.
static void find_place(pl_steps *s) {
  int64_t left = s->done, n;
  begin_epoch(s);
  while (s->epoch < s->plan.how.epochs && left >= (n = pl_steps_of_epoch(&s->plan, s->order))) {
    left -= n;
    s->epoch++;
    begin_epoch(s);
  }
  while (s->epoch < s->plan.how.epochs && left >= s->round_steps) {
    left -= s->round_steps;
    s->round++;
    begin_round(s);
  }
  s->step = left;
}

static plait_err allocate(pl_steps *s, pl_comm *comm) {
  size_t rows = batch_rows(&s->plan);
  s->kernel_bytes = (s->calls[0].plan->state_bytes + 63) / 64 * 64;
  s->state_bytes = s->kernel_bytes + sizeof(pl_steps_tail);
  TRY(pl_calloc(1, s->state_bytes, &s->state));
  TRY(pl_alloc(pl_steps_order_room(&s->plan), sizeof *s->order, &s->order));
  TRY(pl_calloc((size_t)s->plan.how.lanes, sizeof *s->lane_rows, &s->lane_rows));
  TRY(pl_alloc(rows, sizeof *s->row, &s->row));
  TRY(pl_alloc(rows, sizeof *s->number, &s->number));
  TRY(pl_calloc((size_t)s->lanes + 1, sizeof *s->lane, &s->lane));
  return pl_steps_sum_start(comm, s->plan.how.lanes, longest(&s->plan.how), &s->sum);
}

plait_err pl_steps_start(pl_steps *s, pl_comm *comm, int64_t done) {
  int end;
  pl_steps_lanes(&s->plan, comm ? pl_comm_rank(comm) : 0, comm ? pl_comm_size(comm) : 1,
                 &s->first_lane, &end);
  s->lanes = end - s->first_lane;
  plait_err err = allocate(s, comm);
  if (err != PLAIT_OK) {
    pl_steps_stop(s);
    return err;
  }
  s->done = done;
  find_place(s);
  for (int i = 0; i < s->sum.nodes; i++) s->node[i] = s->sum.own[i] + FLAGS;
  s->batch = (plait_batch){.row = s->row,
                           .number = s->number,
                           .lane = s->lane,
                           .nodes = s->sum.nodes,
                           .first = s->sum.first,
                           .width = s->sum.width};
  if (done == 0) s->kernel->reduce.steps.begin(&s->calls[0], s->state);
  return pl_raised(s->calls[0].raise);
}

void pl_steps_stop(pl_steps *s) {
  pl_steps_sum_stop(&s->sum);
  pl_free(&s->state);
  pl_free(&s->order);
  pl_free(&s->lane_rows);
  pl_free(&s->row);
  pl_free(&s->number);
  pl_free(&s->lane);
}

pl_steps_tail *pl_steps_end_of(const pl_steps *s) {
  return (pl_steps_tail *)(void *)((char *)s->state + s->kernel_bytes);
}

bool pl_steps_over(const pl_steps *s) {
  return s->epoch >= s->plan.how.epochs || pl_steps_end_of(s)->over || s->asked ||
         s->err != PLAIT_OK || s->elsewhere;
}

// ---- one step -------------------------------------------------------------------------------
static int64_t rows_of_lane(const pl_steps *s, int lane) {
  int64_t left = s->lane_rows[lane] - s->step * s->plan.how.rows;
  return left <= 0 ? 0 : left < s->plan.how.rows ? left : s->plan.how.rows;
}

// Leader. The rows of the next step out of the window.
static void make_batch(pl_steps *s, const pl_window *w) {
  plait_batch *b = &s->batch;
  b->check = pl_steps_checks(&s->plan, s->round);
  b->epoch = s->epoch;
  b->total = b->rows = 0;
  for (int l = 0; l < s->plan.how.lanes; l++) b->total += rows_of_lane(s, l);
  for (int l = 0; l < s->lanes; l++) {
    int64_t at = l * w->room + s->step * s->plan.how.rows, n = rows_of_lane(s, s->first_lane + l);
    s->lane[l] = b->rows;
    memcpy(s->row + b->rows, w->row + at, (size_t)n * sizeof *w->row);
    memcpy(s->number + b->rows, w->number + at, (size_t)n * sizeof *w->number);
    b->rows += n;
  }
  s->lane[s->lanes] = b->rows;
}

// Leader. Sums over the ranks; what goes wrong on one ends the step on all.
static void sum_up(pl_steps *s, plait_err here) {
  size_t n = FLAGS + s->plan.how.sums[s->batch.check];
  plait_err mine = here != PLAIT_OK ? here : pl_raised(s->calls[0].raise);
  for (int i = 0; i < s->sum.nodes; i++) memset(s->sum.own[i], 0, FLAGS * sizeof(float));
  if (s->sum.nodes > 0) {
    s->sum.own[0][FAILED] = mine != PLAIT_OK;
    s->sum.own[0][STOP] = s->stops && s->stops(s->context);
  }
  s->err = pl_steps_sum_all(&s->sum, n, &s->total, s->meter);
  if (s->err != PLAIT_OK) return;
  s->err = mine;
  s->elsewhere = mine == PLAIT_OK && s->total[FAILED] != 0;
  s->asked = s->total[STOP] != 0;
  s->total += FLAGS;
}

// Leader. The kernel is asked for another epoch.
static void close_epoch(pl_steps *s, char note[160]) {
  bool again = s->kernel->reduce.steps.epoch(&s->calls[0], s->state, note);
  if (!again || !s->more) pl_steps_end_of(s)->over = 1;
  s->epoch++;
  begin_epoch(s);
}

// Leader, after an update: the next place.
static void advance(pl_steps *s) {
  char note[160] = "";
  int64_t rounds = pl_steps_rounds(&s->plan);
  s->done++;
  s->step++;
  s->rows += s->batch.rows;
  while (s->round < rounds && s->step >= s->round_steps) {
    s->step = 0;
    if (++s->round < rounds) begin_round(s);
  }
  bool closed = s->round >= rounds || !s->more;
  if (closed) close_epoch(s, note);
  s->err = pl_raised(s->calls[0].raise);
  if (s->err == PLAIT_OK && s->after) s->err = s->after(s->context, closed, note);
}

static bool is_here(const pl_steps *s, const pl_window *w) {
  return !pl_steps_over(s) && w->epoch == s->epoch && w->round == s->round;
}

// One step by the whole team. s->err and s->asked tell how it went.
static void one_step(pl_steps *s, plait_err here, int thread) {
  const plait_steps *steps = &s->kernel->reduce.steps;
  const plait_call *call = &s->calls[thread];
  if (here == PLAIT_OK) steps->gather(call, &s->batch, s->node);
#pragma omp barrier
  if (thread == 0) sum_up(s, here);
#pragma omp barrier
  if (s->err != PLAIT_OK || s->elsewhere || s->asked) return;
  bool more = steps->update(call, &s->batch, s->total, s->state);
#pragma omp barrier
  if (thread != 0) return;
  s->more = more || s->batch.check;
  advance(s);
}

plait_err pl_steps_round(pl_steps *s, const pl_window *window, plait_err here, int thread) {
  for (;;) {
    if (thread == 0) {
      s->go = is_here(s, window);
      if (s->go) make_batch(s, window);
    }
#pragma omp barrier
    if (!s->go) break;
    one_step(s, here, thread);
#pragma omp barrier
  }
  return s->err;
}
