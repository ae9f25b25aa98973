// SPDX-License-Identifier: BSD-3-Clause
//
// See solo_steps.h.
#include "engine/solo_steps.h"
#include "base/raise.h"

typedef struct place {
  const char *data;
  const pl_steps_plan *plan;
  size_t row_bytes;
} place;

static const void *row_at(void *context, int lane, int64_t page) {
  const place *p = context;
  int64_t first, n;
  pl_steps_piece(p->plan, lane, page, &first, &n);
  return p->data + (size_t)first * p->row_bytes;
}

static plait_err march(pl_steps *s, pl_window *window, place *p) {
  while (!pl_steps_over(s)) {
    window->epoch = s->epoch;
    window->round = s->round;
    for (int lane = 0; lane < s->lanes; lane++)
      pl_window_fill(&s->plan, s->order, lane, 0, p->row_bytes, row_at, p, window);
    TRY(pl_steps_round(s, window, PLAIT_OK, 0));
  }
  return PLAIT_OK;
}

plait_err pl_solo_steps(const pl_task *task, const char *data, plait_call calls[], pl_steps *s) {
  static pl_meter meter; // one rank: nothing is counted
  place p = {.data = data, .plan = &s->plan, .row_bytes = plait_type_size(task->array.type)};
  pl_window window;
  for (int d = 1; d < task->array.ndim; d++) p.row_bytes *= (size_t)task->array.shape[d];
  pl_steps_plan_make(&task->plan.stepping, task->array.shape[0], p.row_bytes, &s->plan);
  s->calls = calls;
  s->meter = &meter;
  TRY(pl_steps_start(s, NULL, 0));
  calls[0].state = s->state;
  TRY(pl_window_start(&s->plan, s->lanes, &window));
  plait_err err = march(s, &window, &p);
  pl_window_stop(&window);
  return err;
}
