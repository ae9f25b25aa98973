// SPDX-License-Identifier: BSD-3-Clause
//
// Parameter structs from "name=value name=value", and their axes.
#include "engine/params.h"
#include "probe_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void *params, *keep;

static const probe_params *read_text(const char *settings) {
  plait_err err = pl_params_from_text(probe_table, sizeof(probe_params), settings, &params, &keep);
  if (err != PLAIT_OK) fail_msg("%s", pl_message());
  return params;
}

static void release(void) {
  pl_params_free(&params, &keep);
  assert_null(params);
  assert_null(keep);
}

static void expect_error(const char *settings, plait_err code, const char *message) {
  void *p = &p, *k = &k;
  assert_int_equal(pl_params_from_text(probe_table, sizeof(probe_params), settings, &p, &k), code);
  assert_null(p);
  assert_null(k);
  assert_string_equal(pl_message(), message);
}

static void settings(void **state) {
  (void)state;
  const probe_params *p = read_text("  sigma=3 px  length=2e3 title=two words, and more "
                                    "weights=[1, 2 , 3] order=-2 flag=yes ");
  assert_true(p->sigma == 3 && p->length == 2000 && p->order == -2 && p->flag);
  assert_string_equal(p->title, "two words, and more");
  assert_int_equal(p->weights.n, 3);
  assert_true(p->bytes == 1 << 20 && p->boundary == 1 && p->faults.n == 0);
  release();
}

static void later_settings_win(void **state) {
  (void)state;
  assert_true(read_text("sigma=3 order=1 sigma=4")->sigma == 4);
  release();
}

static void tables_and_quotes(void **state) {
  (void)state;
  const probe_params *p = read_text("sigma=1 faults=[{slip: 1, file: a=b}, {slip: 2}] title='a'");
  const probe_row *rows = p->faults.rows;
  assert_int_equal(p->faults.n, 2);
  assert_true(rows[1].slip == 2 && rows[1].count == 1);
  assert_string_equal(rows[0].file, "a=b");
  assert_string_equal(p->title, "a");
  release();
}

static void times_and_sizes(void **state) {
  (void)state;
  const probe_params *p = read_text("sigma=1 wait=01:30:00 bytes=4 KB");
  assert_true(p->wait == 5400 && p->bytes == 4000);
  release();
  assert_true(read_text("sigma=1 wait=-3")->wait == -3);
  release();
  assert_true(read_text("sigma=1 wait=250 ms")->wait == 0.25);
  release();
}

static void mistakes(void **state) {
  (void)state;
  expect_error("", PLAIT_JOB, "settings: error: 'sigma' is missing: width");
  expect_error(NULL, PLAIT_JOB, "settings: error: 'sigma' is missing: width");
  expect_error("sigma=1 3", PLAIT_JOB, "settings: error: 'sigma' is in px, not in '3'");
  expect_error("sigma", PLAIT_JOB,
               "settings: error: 'sigma' is not NAME=VALUE\n"
               "settings: error: 'sigma' is missing: width");
  expect_error("sigma=1 ordr=2", PLAIT_JOB,
               "settings: error: unknown key 'ordr'; did you mean 'order'?");
}

static void a_bad_default_is_our_bug(void **state) {
  (void)state;
  static const plait_param table[] = {
      {.name = "n", .kind = PLAIT_PARAM_INT, .unit = "", .help = "", .standard = "x"}, {0}};
  void *p, *k;
  assert_int_equal(pl_params_from_text(table, sizeof(int64_t), "", &p, &k), PLAIT_BUG);
  assert_null(p);
}

// A kernel without parameters has a struct of 0 bytes.
static void no_parameters(void **state) {
  (void)state;
  assert_int_equal(pl_params_from_text(no_params, 0, "", &params, &keep), PLAIT_OK);
  assert_non_null(params);
  assert_int_equal(pl_params_bind(no_params, params, keep, NULL), PLAIT_OK);
  release();
}

static const plait_array field = {
    .name = "z", .units = "", .type = PLAIT_F64, .ndim = 2, .shape = {5, 6}, .dims = {"y", "x"}};

static void axes(void **state) {
  (void)state;
  const probe_params *p = read_text("sigma=1 axes=x,y faults=[{slip: 1, axes: -1}]");
  assert_int_equal(p->axes.n, 0);
  assert_int_equal(pl_params_bind(probe_table, params, keep, &field), PLAIT_OK);
  const probe_row *rows = p->faults.rows;
  assert_true(p->axes.n == 2 && p->axes.axis[0] == 0 && p->axes.axis[1] == 1);
  assert_true(rows[0].axes.n == 1 && rows[0].axes.axis[0] == 1);
  release();
  read_text("sigma=1 axes=[z]");
  assert_int_equal(pl_params_bind(probe_table, params, keep, &field), PLAIT_JOB);
  assert_string_equal(pl_message(),
                      "settings: error: 'axes': the input has no axis 'z', only y, x");
  assert_int_equal(pl_params_bind(probe_table, params, keep, NULL), PLAIT_BUG);
  release();
}

// An axis may be called "all" or "0": the name comes first.
static void names_before_numbers(void **state) {
  (void)state;
  plait_array odd = field;
  odd.dims[0] = "1";
  odd.dims[1] = "all";
  const probe_params *p = read_text("sigma=1 axes=1");
  assert_int_equal(pl_params_bind(probe_table, params, keep, &odd), PLAIT_OK);
  assert_true(p->axes.n == 1 && p->axes.axis[0] == 0);
  release();
  p = read_text("sigma=1 axes=all");
  assert_int_equal(pl_params_bind(probe_table, params, keep, &odd), PLAIT_OK);
  assert_true(p->axes.n == 1 && p->axes.axis[0] == 1);
  release();
}

static void echo(void **state) {
  (void)state;
  pl_text out = {0};
  const probe_params *p =
      read_text("sigma=0.1 title=a:b faults=[{slip: 1}] axes=[x] statistics=[]");
  pl_params_echo(probe_table, p, keep, 1, &out);
  assert_string_equal(out.at, " sigma: 0.1\n length: 10\n order: 2\n bytes: 1 MiB\n wait: 120\n"
                              " flag: false\n boundary: nearest\n title: a:b\n mask: \"\"\n"
                              " weights: [1, 2.5]\n statistics: []\n axes: [x]\n"
                              " faults: [{slip: 1, count: 1, file: \"\", axes: []}]\n");
  pl_text_free(&out);
  release();
}

static void strings(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"a.nc:z", "a.nc:z"},
      {"null:", "\"null:\""},
      {"null", "\"null\""},
      {"", "\"\""},
      {"3", "\"3\""},
      {"a b", "\"a b\""},
      {"a\"\\", "\"a\\\"\\\\\""},
      {"\n", "\"\\u000a\""},
      {"gr\xc3\xb6\xc3\x9f", "\"gr\xc3\xb6\xc3\x9f\""},
      {"\xc2\x85", "\"\\u0085\""},
      {"\xff", "\"\\ufffd\""},
      {"a:b:c", "\"a:b:c\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_text out = {0};
    pl_echo_string(&out, rows[i][0]);
    assert_string_equal(out.at, rows[i][1]);
    pl_text_free(&out);
  }
}

static void paths(void **state) {
  (void)state;
  assert_true(pl_file_is_path("null"));
  assert_true(pl_file_is_path("./null:"));
  assert_false(pl_file_is_path("null:"));
  assert_false(pl_file_is_path("generate:ramp"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(later_settings_win),
      cmocka_unit_test(tables_and_quotes),
      cmocka_unit_test(times_and_sizes),
      cmocka_unit_test(mistakes),
      cmocka_unit_test(a_bad_default_is_our_bug),
      cmocka_unit_test(no_parameters),
      cmocka_unit_test(axes),
      cmocka_unit_test(names_before_numbers),
      cmocka_unit_test(echo),
      cmocka_unit_test(strings),
      cmocka_unit_test(paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
