// SPDX-License-Identifier: BSD-3-Clause
//
// What a run keeps of its strands: traces, timelines, and the report read back and drawn.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "engine/report.h"
#include "engine/yaml.h"
#include "host/comm_wire.h"

static pl_trace *started(int64_t most) {
  pl_trace *trace = NULL;
  assert_int_equal(pl_trace_start(100, most, &trace), PLAIT_OK);
  return trace;
}

static void a_short_run_is_kept_as_it_was(void **state) {
  (void)state;
  pl_trace *trace = started(4);
  const pl_stretch *at;
  pl_trace_add(trace, PL_LANE_COMPUTE, 100.5, 101, 0.25);
  pl_trace_add(trace, PL_LANE_COMPUTE, 101, 101, 0); // nothing happened
  pl_trace_add(trace, PL_LANE_COMPUTE, 102, 103, 9); // no more than all of it
  pl_trace_add(NULL, PL_LANE_COMPUTE, 1, 2, 1);
  assert_int_equal(pl_trace_lane(trace, PL_LANE_COMPUTE, &at), 2);
  assert_true(at[0].from == 0.5 && at[0].to == 1 && at[0].busy == 0.25 && at[0].count == 1);
  assert_true(at[1].from == 2 && at[1].busy == 1);
  assert_int_equal(pl_trace_lane(trace, PL_LANE_READ, &at), 0);
  pl_trace_stop(&trace);
  assert_null(trace);
}

// A million pieces of a millisecond in room for 64: all of the time, all of the work.
static void a_long_run_stays_bounded(void **state) {
  (void)state;
  enum { PIECES = 1000000, ROOM = 64 };
  pl_trace *trace = started(ROOM);
  const pl_stretch *at;
  for (int i = 0; i < PIECES; i++) {
    double from = 100 + 1e-3 * i;
    pl_trace_add(trace, PL_LANE_READ, from, from + 0.5e-3, 0.5e-3);
  }
  int64_t n = pl_trace_lane(trace, PL_LANE_READ, &at), count = 0;
  double busy = 0, last = 0, longest = 0;
  assert_in_range(n, ROOM / 8, ROOM);
  for (int64_t i = 0; i < n; i++) {
    assert_true(at[i].from >= last && at[i].to > at[i].from);
    last = at[i].to;
    longest = fmax(longest, at[i].to - at[i].from);
    busy += at[i].busy;
    count += at[i].count;
  }
  assert_int_equal(count, PIECES);
  assert_true(fabs(busy - 500) < 1e-6 && at[0].from < 1e-12 && fabs(last - 999.9995) < 1e-6);
  assert_true(longest < 8 * 1000.0 / ROOM); // no part is much coarser than it has to be
  pl_trace_stop(&trace);
}

static void bins_are_shares_of_time(void **state) {
  (void)state;
  pl_trace *trace = started(8);
  pl_timeline line;
  pl_trace_add(trace, PL_LANE_COMPUTE, 100, 150, 50);       // the first half, busy
  pl_trace_add(trace, PL_LANE_COMPUTE, 150, 200, 25);       // the second, half of the time
  pl_trace_add(trace, PL_LANE_WRITE, 100.01, 100.02, 0.01); // hardly anything is still seen
  pl_trace_bins(trace, 100, &line);
  for (int b = 0; b < PL_BINS; b++) {
    assert_int_equal(line.lane[PL_LANE_COMPUTE][b], b < PL_BINS / 2 ? '9' : '5');
    assert_int_equal(line.lane[PL_LANE_WRITE][b], b == 0 ? '1' : '0');
    assert_int_equal(line.lane[PL_LANE_READ][b], '0');
  }
  assert_int_equal(strlen(line.lane[PL_LANE_WAIT]), PL_BINS);
  pl_trace_bins(trace, 10, &line); // a run that was longer than it is drawn
  assert_int_equal(line.lane[PL_LANE_COMPUTE][PL_BINS - 1], '9');
  pl_trace_bins(trace, 0, &line);
  assert_int_equal(line.lane[PL_LANE_COMPUTE][0], '0');
  pl_trace_bins(NULL, 1, &line);
  assert_int_equal(strspn(line.lane[PL_LANE_COMPUTE], "0"), PL_BINS);
  pl_trace_stop(&trace);
}

static int events_named(const pl_yaml *events, const char *name) {
  int n = 0;
  for (const pl_yaml *e = events->first; e; e = e->next)
    n += !strcmp(pl_yaml_find(e, "name")->text, name) && !strcmp(pl_yaml_find(e, "ph")->text, "X");
  return n;
}

static void events_are_what_viewers_read(void **state) {
  (void)state;
  pl_trace *trace = started(8);
  pl_comm *comm = NULL;
  void *all = NULL;
  const char *host[] = {"a\"b<c"};
  pl_text text = {0};
  pl_arena arena = {0};
  pl_issues issues = {.path = "trace"};
  pl_yaml *root = NULL;
  pl_trace_add(trace, PL_LANE_READ, 100.25, 100.5, 0.25);
  pl_trace_add(trace, PL_LANE_READ, 100.75, 101, 0.25);
  pl_trace_add(trace, PL_LANE_MESSAGES, 101, 102, 1);
  assert_int_equal(pl_comm_alone(&comm), PLAIT_OK);
  assert_int_equal(pl_trace_gather(comm, trace, &all), PLAIT_OK);
  pl_trace_events(all, 1, host, &text);
  assert_non_null(strstr(text.at, "\"ts\":250000.000,\"dur\":250000.000"));
  assert_non_null(strstr(text.at, "rank 0 on a?b?c"));
  assert_int_equal(pl_yaml_parse(text.at, text.length, PL_FROM_FILE, &arena, &issues, &root),
                   PLAIT_OK);
  assert_non_null(root);
  const pl_yaml *events = pl_yaml_find(root, "traceEvents");
  assert_int_equal(events_named(events, "read"), 2);
  assert_int_equal(events_named(events, "messages"), 1);
  assert_int_equal(events_named(events, "write"), 0);
  pl_issues_free(&issues);
  pl_arena_free(&arena);
  pl_text_free(&text);
  pl_free(&all);
  pl_comm_stop(&comm);
  pl_trace_stop(&trace);
}

// ---- the report -----------------------------------------------------------------------------
static pl_report a_report(bool timeline) {
  pl_report r = {.kernel = "gaussian", .pattern = "map", .ranks = 2, .complete = true, .span = 2};
  assert_int_equal(pl_calloc(2, sizeof *r.rank, &r.rank), PLAIT_OK);
  assert_int_equal(pl_strdup("a<b>.nc:z", &r.input), PLAIT_OK);
  assert_int_equal(pl_strdup("out & about.nc", &r.output), PLAIT_OK);
  assert_int_equal(pl_strdup("kernel: gaussian # \"quoted\"\n", &r.job), PLAIT_OK);
  for (int i = 0; i < 2; i++)
    r.rank[i] = (pl_meter){.read = 0.125,
                           .compute = 1.5,
                           .wait_read = 0.0625,
                           .wall = 2,
                           .cpu = 1.7,
                           .bytes_read = 1 << 20,
                           .blocks = 5 + i,
                           .stolen = i,
                           .threads = 3,
                           .ncpus = 4,
                           .switches = 7,
                           .peak_rss = 1 << 24,
                           .host = "node"};
  if (timeline) {
    assert_int_equal(pl_calloc(2, sizeof *r.timeline, &r.timeline), PLAIT_OK);
    for (int i = 0; i < 2; i++) {
      pl_trace_bins(NULL, 1, &r.timeline[i]);
      r.timeline[i].lane[PL_LANE_COMPUTE][7] = (char)('4' + i);
    }
  }
  r.blocks_total = 11;
  pl_report_derive(&r);
  return r;
}

static pl_report through_json(bool timeline) {
  pl_report r = a_report(timeline), back;
  pl_json json = {0};
  pl_report_json(&r, &json);
  if (pl_report_read(json.text.at, json.text.length, "r.json", &back) != PLAIT_OK)
    fail_msg("%s", pl_message());
  pl_text_free(&json.text);
  pl_report_free(&r);
  return back;
}

static void a_report_survives_as_json(void **state) {
  (void)state;
  pl_report back = through_json(true);
  assert_string_equal(back.kernel, "gaussian");
  assert_string_equal(back.pattern, "map");
  assert_string_equal(back.input, "a<b>.nc:z");
  assert_string_equal(back.job, "kernel: gaussian # \"quoted\"\n");
  assert_true(back.complete && back.ranks == 2 && back.span == 2 && back.blocks_total == 11);
  const pl_meter *m = &back.rank[1];
  assert_true(m->read == 0.125 && m->compute == 1.5 && m->wait_read == 0.0625 && m->cpu == 1.7);
  assert_true(m->bytes_read == 1 << 20 && m->blocks == 6 && m->stolen == 1 && m->threads == 3);
  assert_true(m->ncpus == 4 && m->switches == 7 && m->peak_rss == 1 << 24);
  assert_string_equal(m->host, "node");
  assert_int_equal(back.total.blocks, 11);
  assert_int_equal(back.timeline[1].lane[PL_LANE_COMPUTE][7], '5');
  pl_report_free(&back);
  back = through_json(false);
  assert_null(back.timeline);
  pl_report_free(&back);
}

static void what_is_no_report_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "{",
      "{}",
      "[1]",
      "7",
      "{\"schema_version\": 1, \"ranks\": 1, \"total\": {}}",
      "{\"schema_version\": 1, \"ranks\": 2, \"total\": {}, \"per_rank\": [{}]}",
      "{\"schema_version\": 2, \"ranks\": 1, \"total\": {}, \"per_rank\": [{}]}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    pl_report r;
    assert_int_equal(pl_report_read(bad[i], strlen(bad[i]), "x.json", &r), PLAIT_INPUT);
    assert_non_null(strstr(pl_message(), "x.json"));
    assert_null(r.rank);
  }
  // A damaged timeline is none; the numbers still count.
  static const char cut[] = "{\"schema_version\": 1, \"ranks\": 1, \"total\": {}, \"per_rank\": "
                            "[{\"threads\": 2, \"timeline\": {\"read\": \"00\"}}]}";
  pl_report r;
  assert_int_equal(pl_report_read(cut, strlen(cut), "x.json", &r), PLAIT_OK);
  assert_true(r.timeline == NULL && r.rank[0].threads == 2);
  pl_report_free(&r);
}

static void the_page_needs_nothing_else(void **state) {
  (void)state;
  pl_report r = a_report(true);
  pl_text page = {0};
  pl_report_page(&r, &page);
  assert_false(page.failed);
  static const char *const there[] = {"<!doctype html>",    "a&lt;b&gt;.nc:z", "out &amp; about.nc",
                                      "&quot;quoted&quot;", "<svg ",           "rank 1, node",
                                      ">compute<",          "</html>"};
  static const char *const absent[] = {"http", "src=", "<script", "a<b>", "rank 2"};
  for (size_t i = 0; i < sizeof there / sizeof *there; i++)
    if (!strstr(page.at, there[i])) fail_msg("no '%s' in the page", there[i]);
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    if (strstr(page.at, absent[i])) fail_msg("'%s' in the page", absent[i]);
  // Bin 7 of rank 0 is 4/9 high: up at its left edge, down at its right one.
  assert_non_null(strstr(page.at, "H218V7.78H222V"));
  pl_text_free(&page);
  pl_report_free(&r);
  r = a_report(false);
  pl_report_page(&r, &page);
  assert_non_null(strstr(page.at, "kept none"));
  pl_text_free(&page);
  pl_report_free(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_short_run_is_kept_as_it_was),
      cmocka_unit_test(a_long_run_stays_bounded),
      cmocka_unit_test(bins_are_shares_of_time),
      cmocka_unit_test(events_are_what_viewers_read),
      cmocka_unit_test(a_report_survives_as_json),
      cmocka_unit_test(what_is_no_report_is_refused),
      cmocka_unit_test(the_page_needs_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
