// SPDX-License-Identifier: BSD-3-Clause
//
// The pipeline by itself: every slot passes reader, team and writer once, in order; errors of any
// strand end all of them with the first message; nothing hangs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/clock.h"
#include "engine/queue.h"
#include "engine/strands.h"
#include <stdatomic.h>
#include <string.h>

enum { SLOTS = 3 };

typedef struct line { // of production: slot contents are the number of the item
  int items, next, made[SLOTS], done[SLOTS];
  int written;
  long sum;
  int fail_read, fail_compute, fail_write; // at that item; -1 never
  atomic_int touched;                      // how often a thread was in compute
  int failures;
  int out;
  double nap;
} line;

static plait_err read_item(void *context, int slot, bool *more) {
  line *l = context;
  if (l->next == l->fail_read) return plait_fail(PLAIT_IO, "reader at %d", l->next);
  *more = l->next < l->items;
  if (*more) l->made[slot] = l->next++;
  pl_sleep(l->nap);
  return PLAIT_OK;
}

static plait_err compute_item(void *context, pl_strands *strands, int slot, int thread) {
  line *l = context;
  atomic_fetch_add(&l->touched, 1);
  if (thread == 0) l->out = pl_strands_take_out(strands, &l->out) ? l->out : -1;
#pragma omp barrier
  if (l->out < 0) return PLAIT_OK;
  if (l->made[slot] == l->fail_compute)
    return plait_fail(PLAIT_KERNEL, "team at %d", l->made[slot]);
  if (thread == 0) {
    l->done[l->out] = l->made[slot];
    pl_strands_give_out(strands, l->out);
  }
  return PLAIT_OK;
}

static plait_err write_item(void *context, int slot) {
  line *l = context;
  if (l->done[slot] == l->fail_write) return plait_fail(PLAIT_IO, "writer at %d", l->done[slot]);
  l->sum += (long)l->done[slot] * (l->written + 1); // depends on the order
  l->written++;
  return PLAIT_OK;
}

static void count_failure(void *context) {
  ((line *)context)->failures++;
}

static plait_err produce(line *l, int threads, bool overlap, pl_meter *meter) {
  const pl_strand_work work = {.read = read_item,
                               .compute = compute_item,
                               .write = write_item,
                               .failed = count_failure,
                               .nin = SLOTS,
                               .nout = SLOTS};
  pl_message_set("");
  return pl_strands_run(&work, l, NULL, threads, overlap, meter);
}

static line fresh(int items) {
  return (line){.items = items, .fail_read = -1, .fail_compute = -1, .fail_write = -1};
}

static void everything_passes_once_in_order(void **state) {
  (void)state;
  for (int threads = 1; threads <= 3; threads++) {
    for (int overlap = 0; overlap < 2; overlap++) {
      line l = fresh(200);
      pl_meter meter = {0};
      assert_int_equal(produce(&l, threads, overlap, &meter), PLAIT_OK);
      long expected = 0;
      for (long i = 0; i < 200; i++) expected += i * (i + 1);
      assert_int_equal(l.written, 200);
      assert_int_equal(l.sum, expected);
      assert_int_equal(atomic_load(&l.touched), 200 * threads);
      assert_int_equal(l.failures, 0);
    }
  }
}

static void nothing_to_do(void **state) {
  (void)state;
  line l = fresh(0);
  pl_meter meter = {0};
  assert_int_equal(produce(&l, 2, true, &meter), PLAIT_OK);
  assert_int_equal(l.written, 0);
}

static void first_error_ends_all(void **state) {
  (void)state;
  for (int overlap = 0; overlap < 2; overlap++) {
    for (int where = 0; where < 3; where++) {
      line l = fresh(1000);
      int *fail_at[] = {&l.fail_read, &l.fail_compute, &l.fail_write};
      const char *who[] = {"reader at 17", "team at 17", "writer at 17"};
      *fail_at[where] = 17;
      pl_meter meter = {0};
      plait_err err = produce(&l, 2, overlap, &meter);
      assert_int_equal(err, where == 1 ? PLAIT_KERNEL : PLAIT_IO);
      assert_string_equal(pl_message(), who[where]);
      assert_int_equal(l.failures, 1);
      assert_true(l.written <= 17);
      assert_true(overlap || l.next <= 18); // in line nothing more is read
    }
  }
}

static void waiting_is_measured(void **state) {
  (void)state;
  line l = fresh(20);
  l.nap = 0.002;
  pl_meter meter = {0};
  assert_int_equal(produce(&l, 1, true, &meter), PLAIT_OK);
  assert_true(meter.read >= 20 * 0.002);
  assert_true(meter.wait_read > 0);
}

static void queue_closes_and_drains(void **state) {
  (void)state;
  pl_queue *queue;
  int slot;
  double waited = 0;
  assert_int_equal(pl_queue_start(2, &queue), PLAIT_OK);
  assert_true(pl_queue_push(queue, 5));
  assert_true(pl_queue_push(queue, 6));
  pl_queue_close(queue, false);
  assert_false(pl_queue_push(queue, 7));
  assert_true(pl_queue_pop(queue, &slot, &waited));
  assert_int_equal(slot, 5);
  assert_true(pl_queue_pop(queue, &slot, &waited));
  assert_int_equal(slot, 6);
  assert_false(pl_queue_pop(queue, &slot, &waited));
  pl_queue_stop(&queue);
  assert_null(queue);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_passes_once_in_order),
      cmocka_unit_test(nothing_to_do),
      cmocka_unit_test(first_error_ends_all),
      cmocka_unit_test(waiting_is_measured),
      cmocka_unit_test(queue_closes_and_drains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
