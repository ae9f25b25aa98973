// SPDX-License-Identifier: BSD-3-Clause
//
// Generated arrays: the same cells whatever the block, and clear errors.
#include "base/mem.h"
#include "data/dataset.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void *read_box(pl_dataset *dataset, const pl_box *box, int threads) {
  void *data;
  plait_raise raise = {0};
  size_t bytes = pl_block_bytes(dataset->meta.type, box, NULL);
  assert_int_equal(pl_alloc(bytes, 1, &data), PLAIT_OK);
  plait_block b = pl_block_over(data, dataset->meta.type, box, NULL);
  assert_int_equal(pl_dataset_raw_bytes(dataset, box->n), 0);
  assert_int_equal(pl_dataset_fetch(dataset, box, NULL, &b), PLAIT_OK);
#pragma omp parallel num_threads(threads)
  pl_dataset_decode(dataset, box, NULL, &b, &raise);
  return data;
}

static void test_any_box_is_a_part_of_the_whole(void **state) {
  (void)state;
  const pl_box all = {3, {0, 0, 0}, {3, 4, 20001}}, part = {3, {1, 1, 3}, {2, 2, 17001}};
  for (int t = 0; t < PLAIT_TYPES; t++)
    for (int kind = 0; kind < 2; kind++) {
      char spec[128];
      pl_dataset *dataset;
      snprintf(spec, sizeof spec, "generate:%s?shape=3x4x20001&type=%s&seed=5",
               kind ? "random" : "ramp", plait_type_name((plait_type)t));
      assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_OK);
      assert_int_equal(dataset->meta.type, t);
      assert_int_equal(pl_dataset_file_bytes(dataset), 0);
      char *whole = read_box(dataset, &all, 1), *some = read_box(dataset, &part, 1 + t % 3);
      size_t size = plait_type_size((plait_type)t);
      for (size_t i = 0; i < 4; i++) {
        size_t row = (1 + i / 2) * 4 + 1 + i % 2;
        assert_memory_equal(some + i * 17001 * size, whole + (row * 20001 + 3) * size,
                            17001 * size);
      }
      if (kind == 0 && size >= 4) // of the narrower ones only the low bits are kept
        for (size_t i = 0; i < 240012; i++)
          if (pl_value((plait_type)t, whole, i) != (double)i) fail_msg("cell %zu", i);
      if (kind == 0 && t == PLAIT_U8) assert_true(pl_value(PLAIT_U8, whole, 300) == 300 % 256);
      pl_free(&whole);
      pl_free(&some);
      pl_dataset_close(&dataset);
    }
}

static void test_random_is_uniform(void **state) {
  (void)state;
  const pl_box all = {1, {0}, {100000}};
  double mean[3] = {0};
  static const char *const specs[] = {"generate:random?shape=100000,type=float32,seed=1",
                                      "generate:random?shape=100000&type=float64&seed=1",
                                      "generate:random?shape=100000&type=float32&seed=2"};
  char *data[3];
  for (int k = 0; k < 3; k++) {
    pl_dataset *dataset;
    assert_int_equal(pl_dataset_open(specs[k], &dataset), PLAIT_OK);
    data[k] = read_box(dataset, &all, 2);
    for (size_t i = 0; i < 100000; i++) {
      double x = pl_value(dataset->meta.type, data[k], i);
      assert_true(x > 0 && x < 1);
      mean[k] += x / 100000;
    }
    assert_true(mean[k] > 0.495 && mean[k] < 0.505); // 5 standard errors
    pl_dataset_close(&dataset);
  }
  assert_memory_not_equal(data[0], data[2], 400000); // the seed counts
  uint32_t words[4];                                 // cell 5 is word 1 of draw 1, for ever
  plait_random(1, 0, 1, words);
  assert_true(pl_value(PLAIT_F32, data[0], 5) ==
              (double)(((float)(words[1] >> 9) + 0.5f) * 0x1p-23f));
  plait_random(1, 0, 2, words);
  assert_true(pl_value(PLAIT_F64, data[1], 5) == plait_uniform(words[2], words[3]));
  for (int k = 0; k < 3; k++) pl_free(&data[k]);
}

static void test_names(void **state) {
  (void)state;
  pl_dataset *dataset;
  assert_int_equal(pl_dataset_open("generate:ramp?shape=2x3&dims=lat:lon", &dataset), PLAIT_OK);
  assert_string_equal(dataset->meta.name, "ramp");
  assert_int_equal(dataset->meta.type, PLAIT_F32);
  assert_string_equal(dataset->meta.dims[0], "lat");
  assert_string_equal(dataset->meta.dims[1], "lon");
  pl_dataset_close(&dataset);
  assert_int_equal(pl_dataset_open("generate:ramp?shape=2x3", &dataset), PLAIT_OK);
  assert_string_equal(dataset->meta.dims[1], "axis1");
  pl_dataset_close(&dataset);
}

static void test_errors(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"generate:", "unknown kind"},
      {"generate:rmap?shape=3", "did you mean 'ramp'"},
      {"generate:ramp", "shape is missing"},
      {"generate:ramp?shape=", "not a length: ''"},
      {"generate:ramp?shape=3x", "not a length: ''"},
      {"generate:ramp?shape=3&dims=", "names in dims"},
      {"generate:ramp?shape=3xy", "not a length"},
      {"generate:ramp?shape=3x0", "length 0"},
      {"generate:ramp?shape=3x-4", "length -4"},
      {"generate:ramp?shape=1x1x1x1x1x1x1x1x1", "more than 8 axes"},
      {"generate:ramp?shape=4e9x4e9", "absurd shape"},
      {"generate:ramp?shape=3&type=flaot32", "did you mean 'float32'"},
      {"generate:ramp?shape=3&shpae=3", "did you mean 'shape'"},
      {"generate:ramp?shape=3&seed=x", "not a seed"},
      {"generate:ramp?shape=3&seed", "KEY=VALUE"},
      {"generate:ramp?shape=3&dims=a:b", "2 names in dims for 1 axes"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_dataset *dataset;
    assert_int_equal(pl_dataset_open(rows[i][0], &dataset), PLAIT_INPUT);
    if (strstr(pl_message(), rows[i][1]) == NULL) fail_msg("%s: %s", rows[i][0], pl_message());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_box_is_a_part_of_the_whole),
      cmocka_unit_test(test_random_is_uniform),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_errors),
  };
  return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
