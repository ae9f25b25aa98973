// SPDX-License-Identifier: BSD-3-Clause
//
// Strips and parts: they cover a block once, in the order and with the lengths that plait.h
// promises, and a block is taken in parts only where its parts are long runs of the file.
#include "data/strips.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

static plait_block block_of(void *data, plait_type type, const int64_t n[3]) {
  pl_box box = {.ndim = 3, .lo = {5, 70, 900}, .n = {n[0], n[1], n[2]}};
  return pl_block_over(data, type, &box, NULL);
}

static void see(const plait_block *in, const plait_block *part, unsigned char *seen) {
  for (int64_t row = 0; row < plait_rows(part); row++) {
    const char *at = plait_row(part, row), *first = in->data;
    ptrdiff_t cell = (at - first) / (ptrdiff_t)plait_type_size(in->type);
    for (int64_t i = 0; i < part->extent[2]; i++) assert_int_equal(seen[cell + i]++, 0);
  }
}

// Returns the parts of the first strip.
static int64_t check_cover(const bool reduced[3], const int64_t n[3], int threads) {
  plait_plan plan = {.strips = true};
  plait_call call = {.plan = &plan, .threads = threads};
  int64_t cells = n[0] * n[1] * n[2], parts = 0;
  float *data = calloc((size_t)cells, sizeof *data);
  unsigned char *seen = calloc((size_t)cells, 1);
  assert_non_null(data);
  assert_non_null(seen);
  plait_block in = block_of(data, PLAIT_F32, n), part;
  plait_strips strips;
  memcpy(plan.reduced, reduced, 3 * sizeof *reduced);
  plait_strips_make(&call, &in, &strips);
  for (int64_t s = 0; s < strips.n; s++) {
    int64_t done = 0, kept = 1;
    for (int64_t i = 0; plait_strips_part(&call, &strips, s, i, &part); i++) {
      assert_int_equal(done % 8, 0);
      assert_int_equal(part.origin[strips.along], in.origin[strips.along] + done);
      done += part.extent[strips.along];
      see(&in, &part, seen);
      parts += s == 0;
    }
    assert_int_equal(done, in.extent[strips.along]);
    for (int d = 0; d < 3; d++) kept *= reduced[d] ? 1 : part.extent[d];
    assert_true(kept <= PLAIT_STRIP);
  }
  for (int64_t i = 0; i < cells; i++) assert_int_equal(seen[i], 1);
  free(seen);
  free(data);
  return parts;
}

static void parts_cover_a_block(void **state) {
  (void)state;
  for (int threads = 1; threads <= 5; threads++) {
    assert_true(check_cover((bool[]){true, false, false}, (int64_t[]){171, 47, 512}, threads) > 1);
    assert_true(check_cover((bool[]){true, true, false}, (int64_t[]){30, 11, 4096}, threads) > 1);
    check_cover((bool[]){false, true, false}, (int64_t[]){3, 100, 777}, threads);
    check_cover((bool[]){true, false, true}, (int64_t[]){10, 20, 30}, threads);
    check_cover((bool[]){true, false, false}, (int64_t[]){1, 2, 3}, threads);
    check_cover((bool[]){true, true, true}, (int64_t[]){40, 20, 30}, threads);
  }
}

static bool worth_it(const int64_t n[3], const int64_t *chunk, bool reads, int threads) {
  const bool reduced[] = {true, false, false};
  plait_block in = block_of(NULL, PLAIT_F32, n);
  plait_strips strips;
  pl_strips_cut(&in, reduced, chunk, reads, threads, &strips);
  return pl_strips_worth(&strips, reduced, chunk, reads, threads);
}

static bool worth(const int64_t n[3], const int64_t *chunk, int threads) {
  return worth_it(n, chunk, true, threads);
}

static void long_runs_are_worth_it(void **state) {
  (void)state;
  const int64_t block[] = {171, 47, 512};
  assert_true(worth(block, NULL, 1));
  assert_true(worth(block, NULL, 2));
  assert_true(worth(block, NULL, 8));
  assert_false(worth(block, NULL, 64));                     // strips of 1.5 KiB
  assert_false(worth((int64_t[]){4096, 10, 100}, NULL, 2)); // rows of 2 KiB
  assert_false(worth((int64_t[]){171, 1, 2048}, NULL, 3));  // fewer strips than threads
}

// What is only looked at costs no calls: short rows will do, but not shorter than promised.
static void looking_is_worth_more(void **state) {
  (void)state;
  const int64_t block[] = {171, 47, 512};
  assert_true(worth_it(block, NULL, false, 8));
  assert_false(worth_it((int64_t[]){171, 1, 4096}, NULL, true, 3)); // 5 KiB each
  assert_true(worth_it((int64_t[]){171, 1, 4096}, NULL, false, 3));
  assert_false(worth_it((int64_t[]){4096, 10, 100}, NULL, false, 2)); // 1000 cells
  assert_false(worth_it((int64_t[]){171, 1, 2048}, NULL, false, 3));  // fewer strips than threads
}

static void parts_end_on_chunk_borders(void **state) {
  (void)state;
  const int64_t block[] = {176, 128, 256};
  assert_true(worth(block, (int64_t[]){16, 128, 128}, 2));
  assert_true(worth(block, (int64_t[]){12, 64, 128}, 2));    // parts of 24
  assert_false(worth(block, (int64_t[]){16, 128, 256}, 2));  // one strip only
  assert_false(worth(block, (int64_t[]){161, 128, 128}, 2)); // never a multiple of 8
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_cover_a_block),
      cmocka_unit_test(long_runs_are_worth_it),
      cmocka_unit_test(looking_is_worth_more),
      cmocka_unit_test(parts_end_on_chunk_borders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
