// SPDX-License-Identifier: BSD-3-Clause
//
// How a reduction in steps goes through its rows: every row once in an epoch, in another order in
// the next, some only checked and always the same; lanes dealt to any number of ranks; a march that
// starts behind any step is the march that went there.
#include "base/mem.h"
#include "engine/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct {
  int64_t rows;
  size_t row_bytes;
  plait_stepping how;
} cases[] = {
    {1, 8, {.lanes = 1, .rows = 1, .window = 1, .epochs = 2}},
    {3, 8, {.lanes = 8, .rows = 2, .window = 5, .epochs = 2, .check = 0.5}},
    {1000, 8, {.lanes = 8, .rows = 4, .window = 1000, .epochs = 2, .check = 0.1}},
    {1001, 64, {.lanes = 4, .rows = 3, .window = 17, .epochs = 2, .check = 0.25, .seed = 5}},
    {4099, 100000, {.lanes = 2, .rows = 16, .window = 64, .epochs = 2, .check = 0.3}},
    {777, 4 << 20, {.lanes = 16, .rows = 1, .window = 3, .epochs = 2}},
};
enum { CASES = sizeof cases / sizeof *cases };

static void visit_epoch(const pl_steps_plan *plan, const int64_t order[], int visits[],
                        bool checked[]) {
  int64_t first, n, page;
  for (int64_t round = 0; round < pl_steps_rounds(plan); round++)
    for (int lane = 0; lane < plan->how.lanes; lane++) {
      int64_t rows = 0;
      for (int64_t i = 0; (page = pl_steps_page(plan, order, round, lane, i)) >= 0; i++) {
        pl_steps_piece(plan, lane, page, &first, &n);
        assert_true(n <= plan->page_rows);
        for (int64_t r = first; r < first + n; r++) {
          visits[r]++;
          checked[r] = pl_steps_checks(plan, round);
        }
        rows += n;
      }
      assert_int_equal(rows, pl_steps_of_lane(plan, order, round, lane));
      assert_true(rows <= pl_steps_of_round(plan, order, round) * plan->how.rows);
    }
}

static void every_row_once(void **state) {
  (void)state;
  for (int c = 0; c < CASES; c++) {
    pl_steps_plan plan;
    int64_t *order, n = cases[c].rows, checks = 0;
    int *visits;
    bool *checked[2];
    pl_steps_plan_make(&cases[c].how, n, cases[c].row_bytes, &plan);
    assert_int_equal(pl_alloc(pl_steps_order_room(&plan), sizeof *order, &order), PLAIT_OK);
    for (int epoch = 0; epoch < 2; epoch++) {
      assert_int_equal(pl_calloc((size_t)n, sizeof *visits, &visits), PLAIT_OK);
      assert_int_equal(pl_calloc((size_t)n, 1, &checked[epoch]), PLAIT_OK);
      pl_steps_order(&plan, epoch, order);
      visit_epoch(&plan, order, visits, checked[epoch]);
      for (int64_t r = 0; r < n; r++) assert_int_equal(visits[r], 1);
      pl_free(&visits);
    }
    assert_memory_equal(checked[0], checked[1], (size_t)n);
    for (int64_t r = 0; r < n; r++) checks += checked[0][r];
    double part = (double)checks / (double)n - cases[c].how.check;
    if (n >= 1000) assert_true(part < 0.05 && part > -0.05);
    assert_true(checks < n);
    pl_free(&checked[0]);
    pl_free(&checked[1]);
    pl_free(&order);
  }
}

static void lanes_are_dealt_out(void **state) {
  (void)state;
  pl_steps_plan plan;
  plait_stepping how = {.lanes = 8, .rows = 1, .window = 1, .epochs = 1};
  pl_steps_plan_make(&how, 100, 8, &plan);
  for (int ranks = 1; ranks <= 11; ranks++) {
    int at = 0, first, end;
    for (int r = 0; r < ranks; r++) {
      pl_steps_lanes(&plan, r, ranks, &first, &end);
      assert_int_equal(first, at);
      at = end;
    }
    assert_int_equal(at, 8);
  }
}

// ---- a march ------------------------------------------------------------------------------------
// The state: a hash of the row numbers in their order, and how many there were.
typedef struct trace {
  uint64_t hash;
  int64_t rows, checked, epochs;
} trace;

static void begin(const plait_call *call, void *state) {
  (void)call;
  *(trace *)state = (trace){.hash = 1};
}
static void gather(const plait_call *call, const plait_batch *b, float *const sum[]) {
  (void)call;
  for (int i = 0; i < b->nodes; i++) sum[i][0] = (float)b->rows;
  for (int64_t r = 0; r < b->rows; r++) // a row lies where its number says
    assert_int_equal(*(const int64_t *)b->row[r], b->number[r]);
}
static bool update(const plait_call *call, const plait_batch *b, const float *sum, void *state) {
  trace *t = state;
  (void)call;
  assert_true(sum[0] == (float)b->total && b->rows == b->total && b->total > 0);
  for (int64_t r = 0; r < b->rows; r++)
    t->hash = (t->hash ^ (uint64_t)b->number[r]) * UINT64_C(0x100000001b3);
  *(b->check ? &t->checked : &t->rows) += b->rows;
  return true;
}
static bool epoch(const plait_call *call, void *state, char note[160]) {
  (void)call, (void)note;
  return ++((trace *)state)->epochs < 3;
}

static const plait_kernel tracer = {
    .name = "tracer",
    .pattern = PLAIT_REDUCE,
    .reduce = {.steps = {.begin = begin, .gather = gather, .update = update, .epoch = epoch}}};

static int64_t numbers[4000];

static const void *row_at(void *context, int lane, int64_t page) {
  int64_t first, n;
  pl_steps_piece(context, lane, page, &first, &n);
  return &numbers[first];
}

// From step `from` with `start` on to step `to` (or the end).
static int64_t go(int64_t from, const trace *start, int64_t to, trace *out) {
  static pl_meter meter;
  plait_raise raise = {0};
  plait_plan plan = {.state_bytes = sizeof(trace),
                     .stepping = {.lanes = 4,
                                  .rows = 6,
                                  .window = 300,
                                  .epochs = 9,
                                  .check = 0.2,
                                  .seed = 3,
                                  .sums = {1, 1}}};
  plait_call call = {.plan = &plan, .raise = &raise, .threads = 1};
  pl_steps s = {.kernel = &tracer, .calls = &call, .meter = &meter};
  pl_window w;
  pl_steps_plan_make(&plan.stepping, 4000, sizeof *numbers, &s.plan);
  assert_int_equal(pl_steps_start(&s, NULL, from), PLAIT_OK);
  if (from > 0) memcpy(s.state, start, sizeof *start);
  assert_int_equal(pl_window_start(&s.plan, 4, &w), PLAIT_OK);
  while (!pl_steps_over(&s) && s.done < to) {
    w.epoch = s.epoch;
    w.round = s.round;
    for (int lane = 0; lane < 4; lane++)
      pl_window_fill(&s.plan, s.order, lane, 0, sizeof *numbers, row_at, &s.plan, &w);
    assert_int_equal(pl_steps_round(&s, &w, PLAIT_OK, 0), PLAIT_OK);
  }
  memcpy(out, s.state, sizeof *out);
  int64_t done = s.done;
  pl_window_stop(&w);
  pl_steps_stop(&s);
  return done;
}

static void goes_on_where_it_was(void **state) {
  (void)state;
  trace all, half, rest;
  for (int64_t i = 0; i < 4000; i++) numbers[i] = i;
  go(0, NULL, INT64_MAX, &all);
  assert_int_equal(all.epochs, 3);
  assert_int_equal(all.rows + all.checked, 3 * 4000);
  for (int64_t to = 1; to < 300; to += 50) {
    int64_t done = go(0, NULL, to, &half);
    go(done, &half, INT64_MAX, &rest);
    assert_memory_equal(&rest, &all, sizeof all);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_once),
      cmocka_unit_test(lanes_are_dealt_out),
      cmocka_unit_test(goes_on_where_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
