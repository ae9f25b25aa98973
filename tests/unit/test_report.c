// SPDX-License-Identifier: BSD-3-Clause
//
// The run report: what is derived from the ranks, the paragraph, the JSON.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "engine/report.h"

#define MIB (INT64_C(1) << 20)

static pl_report two_ranks(void) {
  pl_report r = {.kernel = "gaussian", .pattern = "map", .ranks = 2, .complete = true};
  assert_int_equal(pl_calloc(2, sizeof *r.rank, &r.rank), PLAIT_OK);
  assert_int_equal(pl_strdup("a.nc:z", &r.input), PLAIT_OK);
  assert_int_equal(pl_strdup("kernel: gaussian\n", &r.job), PLAIT_OK);
  r.rank[0] = (pl_meter){.read = 2,
                         .compute = 8,
                         .wait_read = 0.5,
                         .wait_write = 0.5,
                         .write = 2,
                         .wall = 9,
                         .bytes_read = 10 * MIB,
                         .bytes_written = MIB,
                         .blocks = 5,
                         .stolen = 1,
                         .cells = 50,
                         .peak_rss = 100 * MIB,
                         .budget = 512 * MIB,
                         .threads = 2,
                         .ncpus = 2,
                         .messages = 3,
                         .bytes_sent = 30,
                         .cpu = 17,
                         .host = "one"};
  r.rank[1] = (pl_meter){.read = 1,
                         .compute = 4,
                         .wait_read = 6,
                         .write = 1,
                         .wall = 10,
                         .bytes_read = 5 * MIB,
                         .bytes_written = MIB,
                         .blocks = 3,
                         .cells = 30,
                         .peak_rss = 200 * MIB,
                         .budget = 512 * MIB,
                         .threads = 2,
                         .ncpus = 2,
                         .cpu = 9,
                         .host = "two"};
  r.blocks_total = 8;
  pl_report_derive(&r);
  return r;
}

// Every rank makes every step: the sum over the ranks would say that more was done.
static void evolve_counts_steps(void **state) {
  pl_report r = two_ranks();
  pl_text text = {0};
  (void)state;
  r.pattern = "evolve";
  r.complete = false;
  r.blocks_total = 2000;
  r.blocks_resumed = 100;
  r.total.blocks = 2 * 700;
  pl_report_paragraph(&r, &text);
  assert_non_null(strstr(text.at, "gaussian: 700 steps in "));
  assert_non_null(strstr(text.at, "Not complete: 800 of 2000 steps are done"));
  pl_text_free(&text);
  pl_report_free(&r);
}

static void sums_and_maxima(void **state) {
  pl_report r = two_ranks();
  (void)state;
  assert_true(r.total.read == 3 && r.total.compute == 12 && r.total.write == 3);
  assert_true(r.total.wall == 10 && r.total.cpu == 26);
  assert_int_equal(r.total.bytes_read, 15 * MIB);
  assert_int_equal(r.total.bytes_written, 2 * MIB);
  assert_int_equal(r.total.blocks, 8);
  assert_int_equal(r.total.stolen, 1);
  assert_int_equal(r.total.cells, 80);
  assert_int_equal(r.total.peak_rss, 200 * MIB);
  assert_int_equal(r.total.budget, 512 * MIB);
  assert_int_equal(r.total.threads, 4);
  assert_int_equal(r.total.messages, 3);
  pl_report_free(&r);
  assert_null(r.rank);
  pl_report_free(&r); // twice is fine
}

// Rank 0: 4 s of I/O, 1 s of it waited for. Rank 1: 2 s of I/O, waited longer: all 2 s count.
static void hidden_and_balance(void **state) {
  pl_report r = two_ranks();
  (void)state;
  assert_true(r.hidden > 0.4999 && r.hidden < 0.5001);
  assert_true(r.balance == (8.0 + 4.0) / 2 / 8);
  for (int i = 0; i < 2; i++) r.rank[i].wait_read = r.rank[i].wait_write = 0;
  pl_report_derive(&r);
  assert_true(r.hidden == 1);
  for (int i = 0; i < 2; i++) {
    r.rank[i].wait_read = r.rank[i].read;
    r.rank[i].wait_write = r.rank[i].write;
  }
  pl_report_derive(&r);
  assert_true(r.hidden == 0);
  for (int i = 0; i < 2; i++) r.rank[i].read = r.rank[i].write = 0;
  pl_report_derive(&r);
  assert_true(r.hidden == -1);
  pl_report_free(&r);
}

static void paragraph_says_it_all(void **state) {
  static const char *const words[] = {
      "gaussian: 8 blocks", "2 ranks with 4 threads",      "(2 nodes)",    "15 MiB read",
      "2 MiB written",      "50 % of reading and writing", "balance 75 %", "Warning: slow disk."};
  pl_report r = two_ranks();
  pl_text text = {0};
  (void)state;
  strcpy(r.warning, "slow disk");
  pl_report_paragraph(&r, &text);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strstr(text.at, words[i])) fail_msg("no '%s' in: %s", words[i], text.at);
  assert_null(strchr(text.at, '\n'));
  assert_null(strstr(text.at, "Not complete"));
  pl_text_free(&text);
  r.complete = false;
  r.blocks_total = 20;
  pl_report_paragraph(&r, &text);
  assert_non_null(strstr(text.at, "Not complete: 8 of 20 blocks"));
  pl_text_free(&text);
  pl_report_free(&r);
}

// Single values: said, written, and the same when they are read again.
static void outcome_travels(void **state) {
  (void)state;
  static const pl_single single[] = {{"", PLAIT_F64, 5},
                                     {"inertia", PLAIT_F64, 402650.8212345678},
                                     {"exact", PLAIT_F64, NAN},
                                     {"steps", PLAIT_I64, 12}};
  pl_report r = two_ranks(), again;
  pl_text text = {0}, twice = {0};
  pl_json json = {0};
  memcpy(r.outcome.single, single, sizeof single);
  strcpy(r.outcome.warning, "the \"target\" was not reached");
  pl_report_outcome(&r, &text);
  assert_string_equal(text.at, "Result: inertia 402650.82, steps 12. "
                               "Warning: the \"target\" was not reached. ");
  pl_report_json(&r, &json);
  assert_non_null(strstr(json.text.at, "\"inertia\": 402650.8212345678,"));
  assert_non_null(strstr(json.text.at, "\"exact\": null,"));
  assert_non_null(strstr(json.text.at, "\"steps\": 12\n"));
  assert_int_equal(pl_report_read(json.text.at, json.text.length, "r.json", &again), PLAIT_OK);
  pl_report_outcome(&again, &twice);
  assert_string_equal(text.at, twice.at);
  pl_text_free(&text);
  pl_text_free(&twice);
  pl_text_free(&json.text);
  pl_report_free(&r);
  pl_report_free(&again);
}

static void nothing_happened(void **state) {
  pl_report r = {0};
  pl_text text = {0};
  pl_json json = {0};
  (void)state;
  pl_report_derive(&r);
  pl_report_paragraph(&r, &text);
  assert_null(strstr(text.at, "nan"));
  assert_null(strstr(text.at, "hidden"));
  pl_report_json(&r, &json);
  assert_non_null(strstr(json.text.at, "\"hidden_share\": null"));
  pl_text_free(&text);
  pl_text_free(&json.text);
}

static void json_has_every_rank(void **state) {
  static const char *const words[] = {"\"schema_version\": 1",
                                      "\"kernel\": \"gaussian\"",
                                      "\"input\": \"a.nc:z\"",
                                      "\"output\": \"\"",
                                      "\"hidden_share\": 0.5",
                                      "\"bytes_read\": 15728640",
                                      "\"host\": \"two\"",
                                      "\"blocks_stolen\": 1",
                                      "\"balance\": 0.75",
                                      "\"complete\": true",
                                      "\"job\": \"kernel: gaussian\\n\""};
  pl_report r = two_ranks();
  pl_json json = {0};
  (void)state;
  pl_report_json(&r, &json);
  assert_false(json.text.failed);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strstr(json.text.at, words[i])) fail_msg("no '%s' in: %s", words[i], json.text.at);
  assert_int_equal(json.depth, 0);
  pl_text_free(&json.text);
  pl_report_free(&r);
}

// A run of 1 s with 4 threads in 2 ranks; what the threads had of it decides the warning.
static const char *judged(double cpu, double delay, int64_t switches, double comm) {
  static pl_report r;
  pl_report_free(&r);
  r = (pl_report){.ranks = 2};
  assert_int_equal(pl_calloc(2, sizeof *r.rank, &r.rank), PLAIT_OK);
  for (int i = 0; i < 2; i++)
    r.rank[i] = (pl_meter){.compute = 1,
                           .wall = 1,
                           .threads = 2,
                           .team_cpu = cpu / 2,
                           .team_delay = delay / 2,
                           .switches = switches / 2,
                           .comm = comm};
  pl_report_derive(&r);
  return r.warning;
}

static void a_badly_placed_run_is_warned_of(void **state) {
  (void)state;
  assert_string_equal(judged(3.9, 0.05, 10, 0), "");
  assert_string_equal(judged(2.9, 0.2, 10, 0), ""); // some waiting is normal
  assert_non_null(strstr(judged(2, 1.9, 400, 0), "no core for 48 %"));
  assert_non_null(strstr(judged(2, 0, 4000, 0), "doctor")); // without schedstat
  assert_string_equal(judged(3.9, 0, 4000, 0), "");         // many switches, but they cost nothing
  assert_non_null(strstr(judged(2, 0.1, 20, 0), "wait"));
  assert_non_null(strstr(judged(2, 0.1, 20, 0), "larger blocks"));
  assert_non_null(strstr(judged(2, 0.1, 20, 0.45), "messages of other ranks"));
  assert_string_equal(judged(0, 0, 4000, 0), ""); // not measured
  pl_report r = {.ranks = 0};
  pl_report_judge(&r);
  assert_true(r.waited == 0 && r.delayed == 0);
}

static void the_meter_counts_this_process(void **state) {
  (void)state;
  pl_meter m = {0};
  volatile double x = 1;
  pl_meter_start(&m);
  double delay = pl_meter_delay();
  for (int i = 0; i < 20000000; i++) x = x * 1.0000001;
  pl_meter_stop(&m);
  assert_true(m.cpu > 0.001 && m.cpu < 60);
  assert_true(m.switches >= 0 && m.peak_rss > 100000);
  assert_true(delay >= 0 && pl_meter_delay() >= delay);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(evolve_counts_steps),
      cmocka_unit_test(sums_and_maxima),
      cmocka_unit_test(hidden_and_balance),
      cmocka_unit_test(paragraph_says_it_all),
      cmocka_unit_test(outcome_travels),
      cmocka_unit_test(nothing_happened),
      cmocka_unit_test(json_has_every_rank),
      cmocka_unit_test(a_badly_placed_run_is_warned_of),
      cmocka_unit_test(the_meter_counts_this_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
