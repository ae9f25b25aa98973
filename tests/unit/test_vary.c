// SPDX-License-Identifier: BSD-3-Clause
//
// vary: from the text of a job to the parameters of each combination, and everything that can be
// wrong with it; the columns that results become.
#include "base/err.h"
#include "engine/job.h"
#include "engine/study_columns.h"
#include "engine/study_rows.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static pl_job *load_with(const char *vary, int n, const char *const overrides[]) {
  char text[2048];
  pl_job *job = NULL;
  snprintf(text, sizeof text, "kernel: montecarlo\noutput: t.nc\nparams: {problem: pi}\nvary:\n%s",
           vary);
  plait_err err = pl_job_load_text("t.yaml", text, strlen(text), n, overrides, &job);
  return err == PLAIT_OK ? job : NULL;
}

static pl_job *load(const char *vary) {
  return load_with(vary, 0, NULL);
}

static void check_line(const pl_job *job, int64_t number, const char *expected) {
  char line[256];
  pl_vary_describe(job->vary, number, job->keep, line, sizeof line);
  assert_string_equal(line, expected);
}

static void test_cross(void **state) {
  (void)state;
  pl_job *job = load("  params.method: [random, sobol]\n"
                     "  params.seed: {from: 5, to: 1, step: -2}\n"
                     "  params.volatility: {from: 0.1, to: 0.3, step: 0.1}\n");
  assert_non_null(job);
  assert_int_equal(job->vary->count, 2 * 3 * 3);
  check_line(job, 0, "method=random seed=5 volatility=0.1");
  check_line(job, 1, "method=random seed=5 volatility=0.2");
  check_line(job, 5, "method=random seed=3 volatility=0.3");
  check_line(job, 17, "method=sobol seed=1 volatility=0.3");
  pl_job_free(&job);
}

static void test_zip_and_nested(void **state) {
  (void)state;
  pl_job *job = load("  params: {seed: [7, 8, 9], antithetic: [true, false, true]}\n  how: zip\n");
  assert_non_null(job);
  assert_int_equal(job->vary->count, 3);
  check_line(job, 1, "seed=8 antithetic=false");
  pl_job_free(&job);
  assert_null(load("  params.seed: [1, 2]\n  params.samples: [10, 20, 30]\n  how: zip\n"));
  assert_non_null(strstr(pl_message(), "zip needs lists of equal length"));
}

static void test_ranges_end_exactly(void **state) {
  (void)state;
  pl_job *job = load("  params.volatility: {from: 0.001, to: 10, count: 5, scale: log}\n"
                     "  params.samples: {from: 10, to: 1000000, count: 6, scale: log}\n"
                     "  params.strike: {from: 0.1, to: 0.7, step: 0.1}\n");
  assert_non_null(job);
  const pl_axis *axis = job->vary->axis;
  assert_int_equal(axis[0].n, 5);
  assert_true(pl_axis_number(&axis[0], 0) == 0.001 && pl_axis_number(&axis[0], 4) == 10);
  assert_true(fabs(pl_axis_number(&axis[0], 2) - 0.1) < 1e-15);
  assert_int_equal((int64_t)pl_axis_number(&axis[1], 3), 10000);
  assert_int_equal(axis[2].n, 7); // 0.1 is no binary fraction
  assert_true(pl_axis_number(&axis[2], 6) <= 0.7);
  pl_job_free(&job);
}

// The job itself is combination 0; a required parameter may stand in vary alone.
static void test_first_value_is_the_parameter(void **state) {
  (void)state;
  const char text[] = "kernel: montecarlo\noutput: t.nc\nvary: {params.problem: [asian, pi]}\n";
  pl_job *job = NULL;
  assert_int_equal(pl_job_load_text("t.yaml", text, strlen(text), 0, NULL, &job), PLAIT_OK);
  assert_non_null(strstr(job->echo, "problem: asian"));
  assert_non_null(strstr(job->echo, "vary:\n  params.problem: [asian, pi]\n  how: cross\n"));
  pl_job_free(&job);
}

static void test_sets_every_kind(void **state) {
  (void)state;
  const char text[] = "kernel: stats\ninput: x.npy\noutput: t.nc\n"
                      "vary:\n  params.statistics: [[mean], [min, max]]\n"
                      "  params.quantiles: [[0.5], [0.1, 0.9]]\n";
  pl_job *job = NULL;
  plait_err err = pl_job_load_text("t.yaml", text, strlen(text), 0, NULL, &job);
  if (err != PLAIT_OK) print_message("%s\n", pl_message());
  assert_int_equal(err, PLAIT_OK);
  check_line(job, 3, "statistics=[min, max] quantiles=[0.1, 0.9]");
  pl_job_free(&job);
}

static void test_override(void **state) {
  (void)state;
  const char *const overrides[] = {"vary.params.seed=[4,5]", "vary.how=zip"};
  pl_job *job = load_with("  params.seed: [1, 2, 3]\n  params.samples: [10, 20]\n", 2, overrides);
  assert_non_null(job);
  assert_int_equal(job->vary->count, 2);
  check_line(job, 1, "seed=5 samples=20");
  pl_job_free(&job);
}

// The echo is a job again, of the same combinations.
static void test_echo_loads_again(void **state) {
  (void)state;
  pl_job *job = load("  params.volatility: {from: 0.1, to: 0.5, step: 0.1}\n"
                     "  params.strike: {from: 1, to: 100, count: 3, scale: log}\n"
                     "  params.a: [[1, 2], [3]]\n  columns: [value]\n"),
         *again = NULL;
  assert_non_null(job);
  assert_int_equal(pl_job_load_text("u.yaml", job->echo, strlen(job->echo), 0, NULL, &again),
                   PLAIT_OK);
  assert_string_equal(again->echo, job->echo);
  assert_int_equal(again->vary->count, job->vary->count);
  for (int64_t i = 0; i < job->vary->count; i++) {
    char line[256];
    pl_vary_describe(job->vary, i, job->keep, line, sizeof line);
    check_line(again, i, line);
  }
  pl_job_free(&again);
  pl_job_free(&job);
}

static void test_mistakes(void **state) {
  (void)state;
  static const struct {
    const char *vary, *message;
  } cases[] = {
      {"  params.sed: [1]\n", "t.yaml:5:3: error: unknown key 'vary.params.sed'; did you mean "
                              "'vary.params.seed'?"},
      {"  seed: [1]\n", "did you mean 'vary.params.seed'?"},
      {"  run.memory: [1GiB]\n", "'run.memory' cannot vary"},
      {"  params.seed: [1, x]\n", "t.yaml:5:20: error: 'vary.params.seed' must be a whole number"},
      {"  params.seed: [1, -1]\n", "must be from 0"},
      {"  params.seed: []\n", "has no values"},
      {"  params.seed: 3\n", "must be a list, or a range"},
      {"  params.seed: {from: 1}\n", "'vary.params.seed.to' is missing"},
      {"  params.seed: {from: 1, too: 5}\n", "did you mean 'to'?"},
      {"  params.seed: {from: 1, to: 5, step: -1}\n", "leads away"},
      {"  params.seed: {from: 1, to: 5, step: 1, count: 5}\n", "not both"},
      {"  params.volatility: {from: 0.1, to: 0.2}\n", "give `step` or `count`"},
      {"  params.volatility: {from: 0.1, to: 20, count: 2}\n", "must be from 1e-06 to 10"},
      {"  params.rate: {from: 0, to: 1, count: 3, scale: log}\n", "ends of one sign"},
      {"  params.method: {from: 1, to: 2}\n", "ranges are for numbers"},
      {"  params.method: [random, sobl]\n", "did you mean 'sobol'?"},
      {"  params.seed: {from: 0, to: 9000000000000000}\n", "at most 10000000 are possible"},
      {"  params.seed: {from: 1, to: 10000}\n  params.samples: {from: 2, to: 100000}\n",
       "more than 100000000 combinations"},
      {"  params.seed: [1]\n  params: {seed: [2]}\n", "given twice"},
      {"  how: cross\n", "names no parameter"},
      {"  evolve.dt: [1]\n", "unknown key 'vary.evolve.dt'"},
      {"  params.seed: [1]\n  columns: []\n", "must be a list of names"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_null(load(cases[i].vary));
    if (!strstr(pl_message(), cases[i].message))
      fail_msg("case %zu: '%s' is not in:\n%s", i, cases[i].message, pl_message());
  }
}

// ---- columns and rows ----

static void test_columns(void **state) {
  (void)state;
  pl_columns c = {0};
  pl_column_source small = {.name = "v", .ndim = 1, .shape = {3}, .dims = {"k"}};
  pl_column_source large = {.name = "map", .ndim = 2, .shape = {100, 100}, .dims = {"y", "x"}};
  const char *const wanted[] = {"map.max", "map.mean", "v"};
  pl_columns_add(&c, &small, NULL, 0);
  pl_columns_add(&c, &large, NULL, 0);
  assert_int_equal(c.n, 1);
  small.shape[0] = 5; // another combination
  pl_columns_add(&c, &small, NULL, 0);
  assert_int_equal(pl_columns_cells(&c), 5);
  c.n = 0;
  pl_columns_add(&c, &large, wanted, 3);
  pl_columns_add(&c, &small, wanted, 3);
  assert_int_equal(c.n, 3);
  assert_int_equal(pl_columns_cells(&c), 7);
}

static void test_fill(void **state) {
  (void)state;
  pl_column all = {.source = "a", .ndim = 2, .shape = {2, 3}}, most = {.take = PL_TAKE_MAX};
  const float data[] = {1, NAN, 3, 4};
  const int64_t shape[] = {2, 2}, larger[] = {3, 2};
  double to[6];
  assert_int_equal(pl_column_fill(&all, PLAIT_F32, 2, shape, data, to), PLAIT_OK);
  assert_true(to[0] == 1 && isnan(to[1]) && isnan(to[2]) && to[3] == 3 && to[4] == 4 &&
              isnan(to[5]));
  assert_int_equal(pl_column_fill(&most, PLAIT_F32, 2, shape, data, to), PLAIT_OK);
  assert_true(to[0] == 4);
  assert_int_equal(pl_column_fill(&all, PLAIT_F32, 2, larger, data, to), PLAIT_KERNEL);
}

// A message that is cut ends between two characters, with dots; one that fits stays as it is.
static void test_message_is_cut(void **state) {
  (void)state;
  _Alignas(16) char room[sizeof(pl_row) + sizeof(double)];
  pl_row *row = (pl_row *)(void *)room;
  char text[PL_ROW_MESSAGE + 9];
  memset(text, 'a', sizeof text);
  memcpy(text + PL_ROW_MESSAGE - 4, "\xe2\x82\xac", 3); // a euro sign over the cut
  text[PL_ROW_MESSAGE + 1] = 0;
  pl_row_clear(row, 3, 1);
  pl_row_fail(row, 1, text);
  assert_int_equal(row->number, 3);
  assert_int_equal(row->status, PL_ROW_FAILED);
  assert_memory_equal(row->message + PL_ROW_MESSAGE - 5, "a...\0", 5);
  assert_true(isnan(row->values[0]));
  text[PL_ROW_MESSAGE] = 0;
  pl_row_note(row, text);
  assert_memory_equal(row->message, text, PL_ROW_MESSAGE);
}

// What is written with few decimals stays so: equal to the number that a list would hold.
static void test_steps_are_decimals(void **state) {
  (void)state;
  static const double rate[] = {-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3};
  pl_job *job = load("  params.volatility: {from: 0.1, to: 1, step: 0.1}\n"
                     "  params.rate: {from: -0.3, to: 0.3, step: 0.1}\n"
                     "  params.maturity: {from: 1, to: 2, step: 0.3333333333333333}\n"
                     "  params.spot: {from: 1000000, to: 1000000.0000001, step: 1e-9}\n"
                     "  how: cross\n");
  assert_non_null(job);
  const pl_axis *axis = job->vary->axis;
  assert_int_equal(axis[0].n, 10);
  for (int i = 0; i < 10; i++) assert_true(pl_axis_number(&axis[0], i) == (i + 1) / 10.0);
  for (int i = 0; i < 7; i++) assert_true(pl_axis_number(&axis[1], i) == rate[i]);
  assert_true(pl_axis_number(&axis[2], 1) == 1 + 0.3333333333333333);
  assert_true(pl_axis_number(&axis[3], 1) == 1e6 + 1e-9);
  pl_job_free(&job);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cross),
      cmocka_unit_test(test_zip_and_nested),
      cmocka_unit_test(test_ranges_end_exactly),
      cmocka_unit_test(test_steps_are_decimals),
      cmocka_unit_test(test_first_value_is_the_parameter),
      cmocka_unit_test(test_sets_every_kind),
      cmocka_unit_test(test_override),
      cmocka_unit_test(test_echo_loads_again),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_columns),
      cmocka_unit_test(test_fill),
      cmocka_unit_test(test_message_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
