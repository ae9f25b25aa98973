// SPDX-License-Identifier: BSD-3-Clause
//
// Job files: every kind of mistake is one line with its place, all at once; what is right loads,
// and its echo loads to the same job.
#define PROBE_REGISTRY
#include "base/mem.h"
#include "base/path.h"
#include "engine/params.h"
#include "probe_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "kernel: probe\ninput: a.nc:z\noutput: b.nc\n"
#define GOOD HEAD "params:\n  sigma: 3\n"

static plait_err load(const char *text, int n, const char *const overrides[], pl_job **job) {
  return pl_job_load_text("jobs/x.yaml", text, strlen(text), n, overrides, job);
}

static pl_job *loaded(const char *text) {
  pl_job *job;
  if (load(text, 0, NULL, &job) != PLAIT_OK) fail_msg("%s", pl_message());
  return job;
}

static void expect_error(const char *text, const char *message) {
  pl_job *job;
  assert_int_equal(load(text, 0, NULL, &job), PLAIT_JOB);
  assert_null(job);
  assert_string_equal(pl_message(), message);
}

static void expect_override_error(const char *override, const char *message) {
  pl_job *job;
  assert_int_equal(load(GOOD, 1, &override, &job), PLAIT_JOB);
  assert_null(job);
  assert_string_equal(pl_message(), message);
}

static void a_good_job(void **state) {
  (void)state;
  pl_job *job = loaded("kernel: probe\ninput: a.nc:z\noutput: /tmp/b.nc # there\n"
                       "params:\n  sigma: 3 px\n  boundary: reflect\n  weights: 4\n"
                       "  faults:\n    - slip: 1.5\n    - {slip: 2, count: 7, file: u.npy}\n"
                       "run:\n  memory: 2 GiB\n  checkpoint: 10 min\n  schedule: static\n"
                       "  overlap: off\n  format: npy\n");
  const probe_params *p = job->params;
  const probe_row *rows = p->faults.rows;
  assert_string_equal(job->path, "jobs/x.yaml");
  assert_string_equal(job->input, "jobs/a.nc:z");
  assert_string_equal(job->output, "/tmp/b.nc");
  assert_ptr_equal(job->kernel, &plait_kernel_probe);
  assert_true(p->sigma == 3 && p->length == 10 && p->order == 2 && p->bytes == 1 << 20);
  assert_true(p->wait == 120 && !p->flag && p->boundary == 0);
  assert_string_equal(p->title, "");
  assert_string_equal(p->mask, "");
  assert_true(p->weights.n == 1 && p->weights.at[0] == 4);
  assert_int_equal(p->statistics, 1 | 8);
  assert_int_equal(p->faults.n, 2);
  assert_true(rows[0].slip == 1.5 && rows[0].count == 1 && rows[1].slip == 2 && rows[1].count == 7);
  assert_string_equal(rows[0].file, "");
  assert_string_equal(rows[1].file, "jobs/u.npy");
  assert_true(job->run.memory == INT64_C(2) << 30 && job->run.checkpoint == 600);
  assert_true(job->run.schedule == PL_SCHEDULE_STATIC && !job->run.overlap);
  assert_true(job->run.block == 0 && job->run.threads == 0 && job->run.stall == 600);
  assert_string_equal(pl_run_formats[job->run.format], "npy");
  pl_job_free(&job);
  assert_null(job);
  pl_job_free(&job);
}

static void a_json_job(void **state) {
  (void)state;
  pl_job *job = loaded("{\"kernel\": \"probe\", \"input\": \"null:\", \"output\": \"generate:x\",\n"
                       "\t\"params\": {\"sigma\": 3e0, \"axes\": [\"lat\", -1], \"flag\": true},\n"
                       " \"run\": {\"memory\": \"1 GiB\", \"threads\": 2}}\n");
  const probe_params *p = job->params;
  assert_true(p->sigma == 3 && p->flag && job->run.threads == 2);
  assert_true(job->run.memory == 1 << 30);
  assert_string_equal(job->input, "null:");
  assert_string_equal(job->output, "generate:x");
  pl_job_free(&job);
}

static void a_kernel_without_input(void **state) {
  (void)state;
  pl_job *job = loaded("kernel: source\noutput: b.nc\nparams:\nrun:\n");
  assert_string_equal(job->input, "");
  assert_int_equal(pl_job_bind(job, NULL), PLAIT_OK);
  pl_job_free(&job);
  expect_error("kernel: source\n", "jobs/x.yaml:1:1: error: 'output' is missing: FILE or "
                                   "FILE:VARIABLE, null: for none");
}

static void a_kernel_without_a_table(void **state) {
  (void)state;
  pl_job *job = loaded("kernel: bare\noutput: b.nc\n");
  assert_null(strstr(job->echo, "params"));
  pl_job_free(&job);
  expect_error("kernel: bare\noutput: b.nc\nparams: {x: 1}\n",
               "jobs/x.yaml:3:1: error: 'params' is not for the kernel bare");
}

static void unknown_keys(void **state) {
  (void)state;
  expect_error(GOOD "  sgima: 3\n", "jobs/x.yaml:6:3: error: unknown key 'params.sgima'; did you "
                                    "mean 'sigma'?");
  expect_error(GOOD "ouptut: c\n",
               "jobs/x.yaml:6:1: error: unknown key 'ouptut'; did you mean 'output'?");
  expect_error(GOOD "order: 1\n",
               "jobs/x.yaml:6:1: error: unknown key 'order'; did you mean 'params.order'?");
  expect_error(GOOD "run: {zebra: 1}\n", "jobs/x.yaml:6:7: error: unknown key 'run.zebra'");
  expect_error(GOOD "  faults: [{slip: 1, cuont: 2}]\n",
               "jobs/x.yaml:6:22: error: unknown key 'params.faults[1].cuont'; did you mean "
               "'count'?");
}

static void kernels(void **state) {
  (void)state;
  expect_error("kernel: prob\ninput: a\noutput: b\n",
               "jobs/x.yaml:1:9: error: unknown kernel 'prob'; did you mean 'probe'?");
  expect_error("kernel: zzzzzz\ninput: a\noutput: b\n",
               "jobs/x.yaml:1:9: error: unknown kernel 'zzzzzz'; `plait kernels` lists them");
  expect_error("input: a\noutput: b\n", "jobs/x.yaml:1:1: error: 'kernel' is missing: what to "
                                        "compute: a name that `plait kernels` lists, or ./FILE.so");
  expect_error("kernel: [probe]\ninput: a\noutput: b\n",
               "jobs/x.yaml:1:9: error: 'kernel' must be a text, not a list");
}

static void missing(void **state) {
  (void)state;
  expect_error(HEAD, "jobs/x.yaml:1:9: error: 'params.sigma' is missing: width");
  expect_error(HEAD "params:\n  order: 1\n",
               "jobs/x.yaml:5:3: error: 'params.sigma' is missing: width");
  expect_error(HEAD "params:\n  sigma:\n", "jobs/x.yaml:5:3: error: 'params.sigma' has no value");
  expect_error(HEAD "params: {\"sigma\": null}\n",
               "jobs/x.yaml:4:10: error: 'params.sigma' has no value");
  expect_error("kernel: probe\noutput: b\nparams: {sigma: 1}\n",
               "jobs/x.yaml:1:1: error: 'input' is missing: FILE or FILE:VARIABLE");
}

static void wrong_values(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"order: 1.5", "10: error: 'params.order' must be a whole number, not '1.5'"},
      {"order: 9", "10: error: 'params.order' must be from -4 to 4, not '9'"},
      {"order: [1]", "10: error: 'params.order' must be a whole number, not a list"},
      {"order: \"1\"", "10: error: 'params.order' must be a whole number, not '1' in quotes"},
      {"order: 1 px", "10: error: 'params.order' is a number without a unit, not in 'px'"},
      {"length: abc", "11: error: 'params.length' must be a number, not 'abc'"},
      {"length: .inf", "11: error: 'params.length' must be a number, not '.inf'"},
      {"length: 1e999", "11: error: 'params.length' must be a finite number, not '1e999'"},
      {"length: 3 px", "11: error: 'params.length' is in km, not in 'px'"},
      {"length: -3 km", "11: error: 'params.length' must be at least 0 km, not '-3 km'"},
      {"length: {a: 1}", "11: error: 'params.length' must be a number, not a mapping"},
      {"bytes: 2 GX", "10: error: 'params.bytes' must be a size such as 2 GiB, not '2 GX'"},
      {"bytes: 2 GiB", "10: error: 'params.bytes' must be from 1 B to 1 GiB, not '2 GiB'"},
      {"wait: 3 px",
       "9: error: 'params.wait' must be a time such as 10 min (s, min, h, d), not '3 px'"},
      {"flag: maybe", "9: error: 'params.flag' must be true or false, not 'maybe'"},
      {"flag: \"true\"", "9: error: 'params.flag' must be true or false, not 'true' in quotes"},
      {"boundary: neerest",
       "13: error: 'params.boundary' must be one of reflect, nearest, null, not 'neerest'; did you "
       "mean 'nearest'?"},
      {"boundary: [nearest]", "13: error: 'params.boundary' must be one word, not a list"},
      {"title: [a]", "10: error: 'params.title' must be a text, not a list"},
      {"mask: [a]", "9: error: 'params.mask' must be a file, not a list"},
      {"weights: [1, x]", "16: error: 'params.weights' must be a number, not 'x'"},
      {"weights: [1, 11]", "16: error: 'params.weights' must be from -10 to 10, not '11'"},
      {"weights: {a: 1}", "12: error: 'params.weights' must be a value or a list, not a mapping"},
      {"statistics: [mean, maen]", "22: error: 'params.statistics' must be one of mean, std, min, "
                                   "max, not 'maen'; did you mean "
                                   "'mean'?"},
      {"statistics: [min, min]", "21: error: 'params.statistics' names 'min' twice"},
      {"axes: [[a]]", "10: error: 'params.axes' must be the name of an axis, not a list"},
      {"faults: 3", "11: error: 'params.faults' must be a list of mappings, not '3'"},
      {"faults: [3]", "12: error: 'params.faults' must be a list of mappings, not '3'"},
      {"faults: [{}]", "12: error: 'params.faults[1].slip' is missing: slip"},
      {"faults: [{slip: 1}, {slip: 101}]",
       "30: error: 'params.faults[2].slip' must be from 0 to 100 m, not '101'"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[512], message[512];
    snprintf(text, sizeof text, GOOD "  %s\n", rows[i][0]);
    snprintf(message, sizeof message, "jobs/x.yaml:6:%s", rows[i][1]);
    expect_error(text, message);
  }
  expect_error(HEAD "params: 3\n", "jobs/x.yaml:4:9: error: 'params' must be a mapping, not a "
                                   "single value");
  expect_error(GOOD "run: [3]\n", "jobs/x.yaml:6:6: error: 'run' must be a mapping, not a list");
}

static void bad_yaml(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", "1:1: error: nothing in it"},
      {"# nothing\n", "1:1: error: nothing in it"},
      {"- a\n", "1:1: error: a job is a mapping of keys to values"},
      {"abc\n", "1:1: error: a job is a mapping of keys to values"},
      {"kernel: [a\nb: c\n", "2:2: error: not valid YAML: did not find expected ',' or ']', while "
                             "parsing a flow sequence from line 1"},
      {"a:\n\tb: c\n", "2:1: error: not valid YAML: found character that cannot start any token, "
                       "while scanning for the next token from line 2 (indent with blanks, not "
                       "with tabs)"},
      {"a: &x 1\n",
       "1:4: error: anchors (&), aliases (*) and tags (!) are not for job files; quote "
       "the text"},
      {"a: *x\n", "1:4: error: anchors (&), aliases (*) and tags (!) are not for job files; quote "
                  "the text"},
      {"a: !!int 1\n", "1:4: error: anchors (&), aliases (*) and tags (!) are not for job files; "
                       "quote the text"},
      {"? [a]\n: b\n", "1:3: error: a key must be a word"},
      {"a: \"x\\0y\"\n", "1:4: error: a text must not contain a zero byte"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char message[512];
    snprintf(message, sizeof message, "jobs/x.yaml:%s", rows[i][1]);
    expect_error(rows[i][0], message);
  }
  expect_error(GOOD "---\na: b\n", "jobs/x.yaml:6:1: error: a second document; a job is one");
  expect_error(GOOD "  title: \xff\n",
               "jobs/x.yaml:6:10: error: not a text in UTF-8: invalid leading UTF-8 octet");
  expect_error(GOOD "  sigma: 4\n",
               "jobs/x.yaml:6:3: error: duplicate key 'sigma', first given in line 5");
}

static void limits(void **state) {
  (void)state;
  pl_job *job;
  size_t bytes = PL_JOB_BYTES + 1;
  char *text = malloc(bytes);
  memset(text, '[', bytes);
  assert_int_equal(pl_job_load_text("x", text, bytes, 0, NULL, &job), PLAIT_JOB);
  assert_string_equal(pl_message(), "x: larger than a job file may be (1 MiB)");
  assert_int_equal(pl_job_load_text("x", text, bytes - 1, 0, NULL, &job), PLAIT_JOB);
  assert_string_equal(pl_message(), "x:1:33: error: too many brackets in brackets");
  free(text);
  pl_text keys = {0};
  for (int i = 0; i < 300; i++) pl_text_add(&keys, "k%d: 1\n", i);
  assert_int_equal(load(keys.at, 0, NULL, &job), PLAIT_JOB);
  assert_string_equal(pl_message(), "jobs/x.yaml:257:1: error: too many keys in one mapping");
  pl_text_free(&keys);
}

static void all_errors_at_once(void **state) {
  (void)state;
  expect_error("run: {memory: x, overlap: 7}\noutput: b\nkernel: probe\n"
               "params:\n  sigma: 300\n  ordr: 1\ninput: a\n",
               "jobs/x.yaml:1:15: error: 'run.memory' must be a size such as 2 GiB, not 'x'\n"
               "jobs/x.yaml:1:27: error: 'run.overlap' must be true or false, not '7'\n"
               "jobs/x.yaml:5:10: error: 'params.sigma' must be from 0 to 100 px, not '300'\n"
               "jobs/x.yaml:6:3: error: unknown key 'params.ordr'; did you mean 'order'?");
  pl_text many = {0};
  pl_job *job;
  pl_text_add(&many, "%s", GOOD);
  for (int i = 0; i < 150; i++) pl_text_add(&many, "x%d: 1\n", i);
  assert_int_equal(load(many.at, 0, NULL, &job), PLAIT_JOB);
  assert_non_null(strstr(pl_message(), "\n.. and "));
  assert_non_null(strstr(pl_message(), " more errors"));
  pl_text_free(&many);
}

static void overrides_win(void **state) {
  (void)state;
  static const char *const overrides[] = {
      "params.sigma=5",    "params.sigma=6 px",         "input=#odd: name.nc",
      "params.mask=m.npy", "params.weights=[1,2]",      "run.memory=1GiB",
      "params.title=",     "params.statistics=std,min", "params.faults=[{slip: 4}]",
      "output=\"q.nc\""};
  pl_job *job;
  assert_int_equal(load(GOOD, 10, overrides, &job), PLAIT_OK);
  const probe_params *p = job->params;
  assert_true(p->sigma == 6 && p->weights.n == 2 && p->weights.at[1] == 2);
  assert_string_equal(job->input, "#odd: name.nc");
  assert_string_equal(job->output, "q.nc");
  assert_string_equal(p->mask, "m.npy");
  assert_true(job->run.memory == 1 << 30);
  assert_int_equal(p->statistics, 2 | 4);
  assert_int_equal(p->faults.n, 1);
  pl_job_free(&job);
  const char *kernel[] = {"kernel=source", "params={}"};
  assert_int_equal(load(GOOD, 2, kernel, &job), PLAIT_OK);
  assert_ptr_equal(job->kernel, &plait_kernel_source);
  pl_job_free(&job);
}

static void overrides_fail(void **state) {
  (void)state;
  expect_override_error("params.sgma=5", "command line: error: unknown key 'params.sgma'; did you "
                                         "mean 'sigma'?");
  expect_override_error("sigma=5",
                        "command line: error: unknown key 'sigma'; did you mean 'params.sigma'?");
  expect_override_error("params.sigma=abc",
                        "command line: error: 'params.sigma' must be a number, not 'abc'");
  expect_override_error("params.sigma=",
                        "command line: error: 'params.sigma' must be a number, not ''");
  expect_override_error("sigma", "command line: error: 'sigma' is not KEY=VALUE");
  expect_override_error("=3", "command line: error: '=3' is not KEY=VALUE");
  expect_override_error("input.x=3",
                        "command line: error: 'input' is not a mapping, nothing in it can be set");
  expect_override_error("params.weights=[1,",
                        "command line: error: not valid YAML: did not find expected node content "
                        "in '[1,'");
  expect_override_error("params.title=\xff",
                        "command line: error: 'params.title=?' is not KEY=VALUE in UTF-8");
}

// The echo of a job is a job with the same echo and the same bytes in its structs.
static void expect_round_trip(const char *text, int n, const char *const overrides[]) {
  pl_job *job, *again;
  if (load(text, n, overrides, &job) != PLAIT_OK) fail_msg("%s", pl_message());
  if (load(job->echo, 0, NULL, &again) != PLAIT_OK) fail_msg("%s\n%s", pl_message(), job->echo);
  assert_string_equal(job->echo, again->echo);
  assert_memory_equal(&job->run, &again->run, sizeof job->run);
  const probe_params *p = job->params, *q = again->params;
  assert_true(p->sigma == q->sigma && p->length == q->length && p->wait == q->wait);
  assert_true(p->order == q->order && p->bytes == q->bytes && p->flag == q->flag);
  assert_true(p->boundary == q->boundary && p->statistics == q->statistics);
  assert_string_equal(p->title, q->title);
  assert_int_equal(p->weights.n, q->weights.n);
  if (p->weights.n > 0) {
    assert_memory_equal(p->weights.at, q->weights.at, sizeof(double) * (size_t)p->weights.n);
  }
  assert_int_equal(p->faults.n, q->faults.n);
  pl_job_free(&job);
  pl_job_free(&again);
}

static void echo_loads_again(void **state) {
  (void)state;
  static const char *const overrides[] = {"input=in.nc", "params.title=tab\t\"quote\" \\ \x01",
                                          "params.mask=null:"};
  expect_round_trip(GOOD, 0, NULL);
  expect_round_trip(GOOD, 3, overrides);
  expect_round_trip(GOOD "  length: 0.1\n  wait: -0.25\n  bytes: 3 KB\n  title: \"null\"\n"
                         "  boundary: \"null\"\n  axes: [lat, -1, all]\n  weights: []\n"
                         "  faults: [{slip: 0.3, axes: [0]}, {slip: 1e-9, file: \"a b:c\"}]\n"
                         "run: {memory: 1536 MiB, stall: 1.5 h, block: 1e6}\n",
                    0, NULL);
}

static void echo_text(void **state) {
  (void)state;
  pl_job *job = loaded(GOOD "run: {memory: 1536 MiB}\n");
  assert_string_equal(
      job->echo, "kernel: probe\ninput: a.nc:z\noutput: b.nc\nsource: \"\"\nparams:\n  sigma: 3\n"
                 "  length: 10\n  order: 2\n  bytes: 1 MiB\n  wait: 120\n  flag: false\n"
                 "  boundary: nearest\n  title: \"\"\n  mask: \"\"\n  weights: [1, 2.5]\n"
                 "  statistics: [mean, max]\n  axes: [all]\n  faults: []\nrun:\n"
                 "  memory: 1536 MiB\n  block: 0\n  schedule: dynamic\n  checkpoint: 600\n"
                 "  overlap: true\n  placement: auto\n  threads: 0\n  group: 0\n"
                 "  keep_going: true\n  stall: 600\n  format: auto\n");
  pl_job_free(&job);
}

// A file named on the command line lies in the working directory, also after a restart.
static void echo_of_an_override(void **state) {
  (void)state;
  const char *override = "input=in.nc";
  char *dir = getcwd(NULL, 0);
  pl_text path = {0}, expected = {0};
  pl_job *job;
  assert_int_equal(load(GOOD, 1, &override, &job), PLAIT_OK);
  pl_text_add(&path, "%s/in.nc", dir);
  pl_text_add(&expected, "\ninput: ");
  pl_echo_string(&expected, path.at);
  pl_text_add(&expected, "\n");
  assert_string_equal(job->input, "in.nc");
  assert_non_null(strstr(job->echo, expected.at));
  pl_job_free(&job);
  pl_text_free(&path);
  pl_text_free(&expected);
  free(dir);
}

static const plait_array field = {.name = "z",
                                  .units = "m",
                                  .type = PLAIT_F32,
                                  .ndim = 3,
                                  .shape = {2, 3, 4},
                                  .dims = {"time", "lat", "lon"}};

static plait_err bind(const char *line, const plait_array *input, probe_params *out) {
  char text[512];
  snprintf(text, sizeof text, GOOD "  %s\n", line);
  pl_job *job = loaded(text);
  plait_err err = pl_job_bind(job, input);
  *out = *(const probe_params *)job->params;
  pl_job_free(&job);
  return err;
}

static void axes_are_resolved(void **state) {
  (void)state;
  probe_params p;
  assert_int_equal(bind("axes: [lon, 0]", &field, &p), PLAIT_OK);
  assert_true(p.axes.n == 2 && p.axes.axis[0] == 0 && p.axes.axis[1] == 2);
  assert_int_equal(bind("axes: -2", &field, &p), PLAIT_OK);
  assert_true(p.axes.n == 1 && p.axes.axis[0] == 1);
  assert_int_equal(bind("axes: lat, lon", &field, &p), PLAIT_OK);
  assert_true(p.axes.n == 2 && p.axes.axis[0] == 1 && p.axes.axis[1] == 2);
  assert_int_equal(bind("axes: all", &field, &p), PLAIT_OK);
  assert_int_equal(p.axes.n, 3);
  assert_int_equal(bind("axes: []", &field, &p), PLAIT_OK);
  assert_int_equal(p.axes.n, 0);
}

static void binding_fails(void **state) {
  (void)state;
  probe_params p;
  plait_array integers = field;
  integers.type = PLAIT_I16;
  assert_int_equal(bind("axes: [lta, 3]", &field, &p), PLAIT_JOB);
  assert_string_equal(pl_message(),
                      "jobs/x.yaml:6:10: error: 'params.axes': the input has no axis 'lta', only "
                      "time, lat, lon; did you mean 'lat'?\n"
                      "jobs/x.yaml:6:15: error: 'params.axes': the input has no axis '3', only "
                      "time, lat, lon");
  assert_int_equal(bind("axes: [lat, 1]", &field, &p), PLAIT_JOB);
  assert_string_equal(pl_message(),
                      "jobs/x.yaml:6:15: error: 'params.axes' names the axis 'lat' twice");
  assert_int_equal(bind("order: 4", &field, &p), PLAIT_JOB);
  assert_string_equal(pl_message(), "jobs/x.yaml:5:3: error: probe: order 4 needs a longer axis");
  assert_int_equal(bind("order: 1", &integers, &p), PLAIT_INPUT);
  assert_string_equal(pl_message(), "jobs/x.yaml:2:8: error: 'z' is int16; the kernel probe takes "
                                    "float32, float64");
}

static void files(void **state) {
  (void)state;
  char dir[] = "/tmp/test_job_XXXXXX", path[64];
  pl_job *job;
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/job.yaml", dir);
  assert_int_equal(pl_job_load(path, 0, NULL, &job), PLAIT_JOB);
  assert_non_null(strstr(pl_message(), "job.yaml: cannot open: No such file"));
  assert_int_equal(pl_job_load(dir, 0, NULL, &job), PLAIT_JOB);
  assert_non_null(strstr(pl_message(), "cannot read: Is a directory"));
  assert_int_equal(pl_write_file(path, GOOD, strlen(GOOD)), PLAIT_OK);
  assert_int_equal(pl_job_load(path, 0, NULL, &job), PLAIT_OK);
  assert_memory_equal(job->input, dir, strlen(dir));
  pl_job_free(&job);
  char *big = calloc(1, PL_JOB_BYTES + 1), *text;
  size_t bytes;
  memset(big, '#', PL_JOB_BYTES + 1);
  assert_int_equal(pl_write_file(path, big, PL_JOB_BYTES), PLAIT_OK);
  assert_int_equal(pl_job_read(path, &text, &bytes), PLAIT_OK);
  assert_int_equal(bytes, PL_JOB_BYTES);
  pl_free(&text);
  assert_int_equal(pl_write_file(path, big, PL_JOB_BYTES + 1), PLAIT_OK);
  assert_int_equal(pl_job_read(path, &text, &bytes), PLAIT_JOB);
  assert_null(text);
  free(big);
  unlink(path);
  rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_job),
      cmocka_unit_test(a_json_job),
      cmocka_unit_test(a_kernel_without_input),
      cmocka_unit_test(a_kernel_without_a_table),
      cmocka_unit_test(unknown_keys),
      cmocka_unit_test(kernels),
      cmocka_unit_test(missing),
      cmocka_unit_test(wrong_values),
      cmocka_unit_test(bad_yaml),
      cmocka_unit_test(limits),
      cmocka_unit_test(all_errors_at_once),
      cmocka_unit_test(overrides_win),
      cmocka_unit_test(overrides_fail),
      cmocka_unit_test(echo_loads_again),
      cmocka_unit_test(echo_text),
      cmocka_unit_test(echo_of_an_override),
      cmocka_unit_test(axes_are_resolved),
      cmocka_unit_test(binding_fails),
      cmocka_unit_test(files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
