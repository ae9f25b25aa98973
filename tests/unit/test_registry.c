// SPDX-License-Identifier: BSD-3-Clause
//
// The kernels that are built in, and what is said about one.
#include "probe_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

// What the tables of every kernel must keep to, or a job would meet PLAIT_BUG.
static void check_table(const plait_param *table, size_t size) {
  for (const plait_param *p = table; p->name; p++) {
    assert_in_range(strlen(p->name), 1, PLAIT_NAME - 1);
    assert_in_range(p->kind, PLAIT_PARAM_INT, PLAIT_PARAM_TABLE);
    assert_true(p->offset < size);
    assert_true(p->help && p->unit); // without words: not for users (run.sample)
    assert_true(p->min <= p->max);
    bool words = p->kind == PLAIT_PARAM_CHOICE || p->kind == PLAIT_PARAM_CHOICES;
    assert_int_equal(words, p->choices != NULL);
    int n = 0;
    while (words && p->choices[n]) n++;
    assert_true(n <= 64);
    if (p->kind == PLAIT_PARAM_TABLE) check_table(p->columns, p->row_size);
    for (const plait_param *q = table; q < p; q++) assert_string_not_equal(p->name, q->name);
  }
}

// Every default passes its own table: a job of required parameters alone would load.
static void check_defaults(const plait_param *table, size_t size) {
  for (const plait_param *p = table; p->name; p++) {
    plait_param alone[2] = {*p, {0}};
    void *params, *keep;
    if (!p->standard) continue;
    if (pl_params_from_text(alone, size, "", &params, &keep) != PLAIT_OK)
      fail_msg("%s", pl_message());
    pl_params_free(&params, &keep);
  }
}

static void every_kernel(void **state) {
  (void)state;
  assert_non_null(pl_kernels[0]);
  for (int i = 0; pl_kernels[i]; i++) {
    const plait_kernel *kernel = pl_kernels[i];
    if (i > 0) assert_true(strcmp(pl_kernels[i - 1]->name, kernel->name) < 0);
    assert_ptr_equal(pl_kernel_find(kernel->name), kernel);
    assert_string_equal(pl_kernel_nearest(kernel->name), kernel->name);
    assert_true(kernel->summary && kernel->summary[0] && kernel->version > 0 && kernel->params);
    check_table(kernel->params, kernel->params_size);
    check_defaults(kernel->params, kernel->params_size);
  }
  check_table(pl_run_params, sizeof(pl_run));
  check_defaults(pl_run_params, sizeof(pl_run));
}

static void names(void **state) {
  (void)state;
  assert_null(pl_kernel_find("gausian"));
  assert_null(pl_kernel_find(""));
  assert_string_equal(pl_kernel_nearest("gausian"), "gaussian");
  assert_null(pl_kernel_nearest("zzzzzzzz"));
}

static void text(void **state) {
  (void)state;
  pl_text out = {0};
  pl_kernel_describe(&plait_kernel_probe, &out);
  assert_false(out.failed);
  static const char *const lines[] = {
      ("probe - A kernel with a parameter of every kind, and a summary that is long\n"
       "  enough to need a second line\n"),
      "  pattern  map\n",
      "  takes    float32, float64\n",
      "  version  3\n",
      "  sigma       number in px, 0 to 100; must be given\n              width\n",
      "  length      number in km, at least 0; default 10 km\n",
      "  bytes       whole number, a size, 1 B to 1 GiB; default 1 MiB\n",
      "  boundary    one of reflect, nearest, null; default nearest\n",
      "  title       text; default none\n",
      "              slip   number in m, 0 to 100; must be given\n",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    if (!strstr(out.at, lines[i])) fail_msg("%s\nis not in\n%s", lines[i], out.at);
  }
  for (const char *line = out.at; *line; line += strcspn(line, "\n") + 1) {
    assert_true(strcspn(line, "\n") <= 80);
  }
  pl_text_free(&out);
}

static void without_input_or_parameters(void **state) {
  (void)state;
  pl_text out = {0};
  pl_kernel_describe(&plait_kernel_source, &out);
  assert_string_equal(out.at, "source - No input\n\n  pattern  solve\n  takes    no input\n"
                              "  version  0\n");
  pl_text_free(&out);
}

static void json(void **state) {
  (void)state;
  pl_json out = {0};
  pl_kernel_describe_json(&plait_kernel_probe, &out);
  assert_false(out.text.failed);
  static const char *const pieces[] = {
      "\"schema_version\": 1", "\"pattern\": \"map\"", "\"kind\": \"real\"", "\"required\": true",
      "\"default\": null",     "\"max\": null",        "\"columns\": [",
  };
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    if (!strstr(out.text.at, pieces[i])) fail_msg("%s\nis not in\n%s", pieces[i], out.text.at);
  }
  assert_int_equal(out.depth, 0);
  pl_text_free(&out.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kernel), cmocka_unit_test(names),
      cmocka_unit_test(text),         cmocka_unit_test(without_input_or_parameters),
      cmocka_unit_test(json),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
