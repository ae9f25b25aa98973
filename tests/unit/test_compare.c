// SPDX-License-Identifier: BSD-3-Clause
//
// plait compare, without running anything: variants, medians, the verdict, the table, the picture;
// and what it reads from the report of a trial.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/mem.h"
#include "command/canvas.h"
#include "command/child.h"
#include "command/compare.h"
#include "engine/report.h"
#include "host/stop.h"

static pl_comparison *c;

static int start(void **state) {
  (void)state;
  return pl_calloc(1, sizeof *c, &c) == PLAIT_OK ? 0 : -1;
}
static int stop(void **state) {
  (void)state;
  pl_free(&c);
  return 0;
}

static void cores_are_divided_in_every_way(void **state) {
  (void)state;
  *c = (pl_comparison){.cores = 4};
  pl_compare_variants(c, true);
  assert_int_equal(c->n, 4);
  static const char *const names[] = {"serial", "threads", "hybrid", "processes"};
  static const int ranks[] = {1, 1, 2, 4}, threads[] = {1, 4, 2, 1};
  for (int i = 0; i < 4; i++) {
    assert_string_equal(c->variant[i].name, names[i]);
    assert_int_equal(c->variant[i].layout.ranks, ranks[i]);
    assert_int_equal(c->variant[i].layout.threads, threads[i]);
    assert_int_equal(c->variant[i].overlap, i > 0);
  }
  pl_compare_variants(c, false);
  assert_int_equal(c->n, 2);
  c->cores = 1;
  pl_compare_variants(c, true);
  assert_int_equal(c->n, 1);
  c->cores = 720720; // more divisors than there is room for
  pl_compare_variants(c, true);
  assert_true(c->n <= PL_VARIANTS - 2);
}

// Two cores, three runs each: serial 10 s, threads `t`, processes `p` (medians).
static void measured(pl_trial serial, pl_trial threads, pl_trial processes) {
  *c = (pl_comparison){
      .cores = 2, .repeats = 3, .job = "job.yaml", .kernel = "gaussian", .unit = "blocks"};
  pl_compare_variants(c, true);
  const pl_trial middle[] = {serial, threads, processes};
  for (int i = 0; i < 3; i++) {
    pl_variant *v = &c->variant[i];
    for (int k = 0; k < 3; k++) {
      v->trial[k] = middle[i];
      v->trial[k].wall += (k - 1) * 0.1;
    }
    v->n = 3;
  }
  pl_compare_settle(c);
  pl_compare_explain(c);
}

static pl_trial trial(double start_up, double inside, double compute) {
  return (pl_trial){.wall = start_up + inside,
                    .start = start_up,
                    .inside = inside,
                    .compute = compute,
                    .units = 10,
                    .units_total = 10,
                    .hidden = -1,
                    .energy = -1,
                    .cpu = 2 * compute,
                    .memory = 3 << 20,
                    .memory_rank = 2 << 20};
}

static void medians_and_the_best(void **state) {
  (void)state;
  measured(trial(0, 10, 10), trial(0.1, 5, 5), trial(0.5, 5, 5));
  assert_int_equal(c->best, 1);
  assert_true(fabs(c->variant[0].mid.wall - 10) < 1e-9 && c->variant[0].speed_up == 1);
  assert_true(fabs(c->variant[1].speed_up - 10 / 5.1) < 1e-9);
  assert_true(c->variant[1].least < c->variant[1].mid.wall);
  assert_true(c->variant[1].most > c->variant[1].mid.wall);
  assert_int_equal(c->variant[1].mid.memory, 3 << 20);
  pl_trial apart = trial(0.1, 5, 5); // medians that do not add up: the table's own wall times count
  apart.start = 0.3;
  measured(trial(0, 10, 10), apart, trial(0.5, 5, 5));
  assert_true(fabs(c->variant[1].speed_up - 10 / 5.1) < 1e-9);
  pl_trial few = trial(0.5, 4, 4);
  few.units = 1; // a sample of a tenth: start-up counts once
  pl_trial one = trial(0, 10, 10), two = trial(0.1, 5, 5);
  one.units = two.units = 1;
  measured(one, two, few);
  assert_int_equal(c->best, 2);
  assert_true(fabs(c->variant[2].whole - 40.5) < 1e-9);
}

static void expect(const char *bound, const char *words) {
  if (strcmp(c->bound, bound) != 0) fail_msg("%s instead of %s: %s", c->bound, bound, c->why);
  if (!strstr(c->why, words)) fail_msg("no '%s' in: %s", words, c->why);
}

static void the_verdict_says_why(void **state) {
  (void)state;
  measured(trial(0, 10, 10), trial(0.1, 5, 5), trial(0.5, 5, 5));
  expect("balanced", "2 cores give 1.96 times");
  measured(trial(0, 10, 10), trial(0.1, 9, 9), trial(0.5, 9, 9));
  expect("memory", "1.8 times slower than alone");
  pl_trial t = trial(0.1, 9, 4);
  t.read = 8.5;
  t.wait = 5;
  measured(trial(0, 18, 9), t, trial(0.5, 10, 5));
  expect("I/O", "reading takes 94 %");
  t.read = 1, t.write = 8.5;
  measured(trial(0, 18, 9), t, trial(0.5, 10, 5));
  expect("I/O", "writing takes 94 %");
  t = trial(0.1, 9, 6); // neither hides the other: faster storage alone is no cure
  t.write = 5.9, t.wait = 3;
  measured(trial(0, 18, 12), t, trial(0.5, 10, 6));
  expect("I/O", "writing takes 66 % of the time inside the run, arithmetic 67 %");
  assert_null(strstr(c->why, "cannot help"));
  assert_non_null(strstr(c->why, "smaller blocks"));
  pl_trial serial = trial(0.1, 8, 4.5); // one after another is best: its blocks hide nothing
  serial.write = 3.5, serial.wait = 3.4;
  measured(serial, trial(0.1, 9, 6), trial(0.5, 10, 6));
  expect("I/O", "gained nothing here");
  assert_null(strstr(c->why, "smaller blocks"));
  t = trial(0.1, 6, 5);
  t.comm = 1.2;
  measured(trial(0, 10, 10), t, trial(1, 6, 5));
  expect("communication", "20 %");
  t = trial(0.1, 6, 6);
  t.delayed = 0.4;
  measured(trial(0, 10, 10), t, trial(1, 6, 5));
  expect("other programs", "no core for 40 %");
  measured(trial(1, 0.1, 0.1), trial(0.9, 0.1, 0.1), trial(2, 0.1, 0.1));
  expect("start-up", "too small");
}

// What runs do not tell apart is not told apart.
static void noise_is_no_difference(void **state) {
  (void)state;
  pl_text text = {0};
  measured(trial(0, 10, 10), trial(0.1, 5, 5), trial(0.15, 5, 5));
  assert_int_equal(c->best, 1);
  c->has_overlap = true;
  c->variant[c->n] = c->variant[c->n + 1] = c->variant[1];
  c->variant[c->n + 1].mid.wall *= 0.97;
  assert_true(pl_compare_differ(&c->variant[0], &c->variant[1]));
  assert_false(pl_compare_differ(&c->variant[1], &c->variant[2]));
  pl_compare_text(c, &text);
  assert_non_null(strstr(text.at,
                         "No difference that can be measured between threads and processes: it is "
                         "within the spread of the runs. The simplest: threads, 1 x 2; "));
  assert_null(strstr(text.at, "Best:"));
  assert_null(strstr(text.at, "<- best"));
  assert_non_null(strstr(text.at, "no difference beyond the spread"));
  pl_text_free(&text);
  pl_variant *off = &c->variant[c->n + 1];
  off->least = off->whole_least = 9, off->most = off->whole_most = off->mid.wall = off->whole = 10;
  pl_compare_text(c, &text);
  assert_non_null(strstr(text.at, "10 s: +96 %"));
  pl_text_free(&text);
}

// Times of threads and processes, three runs each, one of which may have been disturbed.
static void twice(const double threads[3], const double processes[3]) {
  measured(trial(0, 10, 10), trial(0, 5, 5), trial(0, 5, 5));
  for (int k = 0; k < 3; k++) {
    c->variant[1].trial[k].wall = threads[k];
    c->variant[2].trial[k].wall = processes[k];
  }
  pl_compare_settle(c);
  pl_compare_explain(c);
}

static void a_busy_machine_names_no_winner(void **state) {
  (void)state;
  // the processes had luck: nobody can tell, so the fewest ranks
  twice((const double[]){5.0, 5.4, 6.1}, (const double[]){4.9, 5.1, 5.8});
  assert_int_equal(c->fastest, 2);
  assert_int_equal(c->best, 1);
  // apart, but by less than matters
  twice((const double[]){5.02, 5.03, 5.04}, (const double[]){4.98, 4.99, 5.0});
  assert_int_equal(c->best, 1);
  // apart, and it matters
  twice((const double[]){5.5, 5.6, 5.7}, (const double[]){4.9, 5.0, 5.1});
  assert_int_equal(c->best, 2);
  // one disturbed run does not hide what the others show
  twice((const double[]){6.9, 7.0, 7.1}, (const double[]){4.9, 5.0, 9.0});
  assert_int_equal(c->best, 2);
  // nothing is gained by more cores: the simplest is one thread
  twice((const double[]){9.8, 10, 10.3}, (const double[]){9.7, 9.9, 10.2});
  assert_int_equal(c->best, 0);
}

// Of a sample start-up counts once, the rest as often as the job is longer: that is what differs.
static void samples_are_compared_as_whole_jobs(void **state) {
  (void)state;
  pl_trial serial = trial(0.1, 2, 2), threads = trial(0.1, 1.2, 1.2), ranks = trial(0.6, 0.8, 0.8);
  serial.units_total = threads.units_total = ranks.units_total = 1000;
  measured(serial, threads, ranks);
  for (int k = 0; k < 3; k++) // wall times that overlap
    c->variant[1].trial[k].wall = 1.3 + 0.2 * k, c->variant[2].trial[k].wall = 1.4 + 0.2 * k;
  pl_compare_settle(c);
  assert_true(pl_compare_differ(&c->variant[1], &c->variant[2]));
  assert_int_equal(c->best, 2);
}

// Reading that takes longest is no matter of storage when nothing came from there.
static void the_page_cache_is_no_storage(void **state) {
  (void)state;
  pl_trial serial = trial(0.1, 18, 9), threads = trial(0.1, 9, 4), ranks = trial(0.5, 12, 5);
  threads.read = 8.5, threads.wait = 5;
  threads.bytes_read = 1 << 30;
  threads.team_cpu = 8, threads.cpu_inside = 16; // 8 s of the reader: it copies
  measured(serial, threads, ranks);
  expect("page cache", "memory-bandwidth/page-cache bound: reading takes 94 %");
  assert_null(strstr(c->why, "more cores cannot help"));
  threads.storage_read = -1; // not said by the system: the CPU time tells
  measured(serial, threads, ranks);
  expect("page cache", "page-cache bound");
  threads.cpu_inside = 9; // 1 s in 8.5: it waits, for a network file system that is not counted
  measured(serial, threads, ranks);
  expect("I/O", "faster storage can");
  threads.cpu_inside = 16;
  threads.storage_read = 1 << 29; // half of it came from a disk
  measured(serial, threads, ranks);
  expect("I/O", "faster storage can");
  threads.storage_read = 0, threads.team_read = 8.5, threads.cpu_inside = 8;
  measured(serial, threads, ranks); // the team fetches only what does not wait
  expect("page cache", "page-cache bound");
  c->sample = 5;
  pl_compare_explain(c);
  expect("page cache", "the trials read the same sample each time");
  threads.write = 8.8; // and what is written longest is no matter of reading
  measured(serial, threads, ranks);
  expect("I/O", "writing takes");
}

static void the_table_and_json_say_it_all(void **state) {
  (void)state;
  static const char *const words[] = {
      "serial",
      "1 rank x 2 threads",
      "2 ranks x 1 thread",
      "<- best",
      "1.96",
      "3 MiB",
      "balanced",
      "Not compared: a reason",
      "speed-up: time of the whole job against serial (1 rank x 1 thread"};
  pl_text text = {0};
  pl_json json = {0};
  measured(trial(0, 10, 10), trial(0.1, 5, 5), trial(0.5, 5, 5));
  c->missing = "a reason";
  pl_compare_text(c, &text);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strstr(text.at, words[i])) fail_msg("no '%s' in: %s", words[i], text.at);
  assert_null(strstr(text.at, "energy")); // nobody could read it
  assert_null(strstr(text.at, "nan"));
  pl_text_free(&text);
  for (int i = 0; i < 3; i++) c->variant[i].mid.energy = 12.5;
  pl_compare_text(c, &text);
  assert_non_null(strstr(text.at, "12.5 J"));
  pl_text_free(&text);
  pl_compare_json(c, &json);
  assert_int_equal(json.depth, 0);
  assert_non_null(strstr(json.text.at, "\"best\": \"threads\""));
  assert_non_null(strstr(json.text.at, "\"hidden_share\": null"));
  pl_text_free(&json.text);
}

static void small_jobs_are_told_as_well(void **state) {
  (void)state;
  pl_text text = {0};
  pl_trial one = trial(0.03, 0.04, 0.04);
  one.units = one.units_total = 1;
  measured(one, one, one);
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++) c->variant[i].trial[k].wall = 0.07 + 0.001 * k;
  pl_compare_settle(c);
  pl_compare_text(c, &text);
  assert_non_null(strstr(text.at, "(gaussian), its only block, 2 cores"));
  assert_non_null(strstr(text.at, "70.0 .. 72.0 ms")); // and not 0.07 .. 0.07 s
  pl_text_free(&text);
}

static void it_is_drawn(void **state) {
  (void)state;
  char svg[] = "/tmp/test_compare_XXXXXX.svg", png[] = "/tmp/test_compare_XXXXXX.png", head[8] = "";
  measured(trial(0, 10, 10), trial(0.1, 5, 5), trial(0.5, 5, 5));
  assert_true(pl_compare_can_draw(svg) && pl_compare_can_draw(png));
  assert_false(pl_compare_can_draw("x.jpg") || pl_compare_can_draw(".svg"));
  close(mkstemps(svg, 4));
  close(mkstemps(png, 4));
  assert_int_equal(pl_compare_draw(c, svg), PLAIT_OK);
  assert_int_equal(pl_compare_draw(c, png), PLAIT_OK);
  FILE *file = fopen(png, "r");
  assert_int_equal(fread(head, 1, 8, file), 8);
  fclose(file);
  assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
  unlink(svg);
  unlink(png);
  assert_int_not_equal(pl_compare_draw(c, "/nowhere/at/all.svg"), PLAIT_OK);
}

static void a_canvas_is_cut_at_its_edges(void **state) {
  (void)state;
  static pl_canvas canvas;
  unsigned char *rgba = NULL;
  pl_text svg = {0};
  canvas = (pl_canvas){.width = 20, .height = 10};
  pl_canvas_rect(&canvas, -5, -5, 8, 8, 0x112233);
  pl_canvas_rect(&canvas, 18, 8, 100, 100, 0x445566);
  pl_canvas_rect(&canvas, 3, 3, 0, 5, 0);
  pl_canvas_text(&canvas, 15, 5, 3, 0, "a<&\x01>");
  assert_int_equal(canvas.n, 3);
  assert_int_equal(pl_canvas_paint(&canvas, &rgba), PLAIT_OK);
  assert_memory_equal(rgba, "\x11\x22\x33\xff", 4);
  assert_memory_equal(rgba + 4 * (9 * 20 + 19), "\x44\x55\x66\xff", 4);
  assert_memory_equal(rgba + 4 * (4 * 20 + 4), "\xff\xff\xff\xff", 4);
  pl_free(&rgba);
  pl_canvas_svg(&canvas, &svg);
  assert_non_null(strstr(svg.at, ">a&lt;&amp;&gt;<"));
  pl_text_free(&svg);
  for (int i = 0; i < 2 * PL_CANVAS_THINGS; i++) pl_canvas_rect(&canvas, 0, 0, 1, 1, 0);
  assert_int_equal(canvas.n, PL_CANVAS_THINGS);
}

static void a_report_is_read_back(void **state) {
  (void)state;
  pl_report r = {.pattern = "map", .ranks = 2, .blocks_total = 40, .flops_per_cell = 7};
  pl_meter meters[2] = {{.read = 1,
                         .compute = 2,
                         .write = 3,
                         .wall = 8,
                         .comm = 1,
                         .blocks = 5,
                         .wait_read = 1,
                         .cpu = 4,
                         .team_cpu = 3,
                         .threads = 1,
                         .storage_read = 7,
                         .cells = 50},
                        {.read = 3,
                         .compute = 2,
                         .write = 5,
                         .wall = 9,
                         .comm = 2,
                         .blocks = 6,
                         .wait_write = 2,
                         .cpu = 6,
                         .team_cpu = 3,
                         .threads = 1,
                         .storage_read = 5,
                         .cells = 60}};
  r.rank = meters;
  pl_json json = {0};
  pl_trial t = {0};
  pl_report_derive(&r);
  pl_report_json(&r, &json);
  assert_int_equal(pl_trial_read(json.text.at, &t), PLAIT_OK);
  assert_true(t.inside == 9 && t.read == 2 && t.compute == 2 && t.write == 4 && t.wait == 1.5);
  assert_true(t.comm == 1.5 && t.cpu_inside == 10 && t.team_cpu == 6 && t.flops_per_cell == 7);
  assert_true(t.units == 11 && t.units_total == 40 && t.cells == 110 && t.storage_read == 12);
  pl_text_free(&json.text);
  assert_int_equal(pl_trial_read("", &t), PLAIT_INPUT);
  assert_int_equal(pl_trial_read("{\"ranks\": 1}", &t), PLAIT_INPUT);
  assert_int_equal(pl_trial_read("no report {[", &t), PLAIT_INPUT);
}

// Every rank of an evolve job makes all steps: they are not as many times more.
static void steps_of_ranks_count_once(void **state) {
  (void)state;
  pl_meter meters[2] = {{.blocks = 30, .wall = 1}, {.blocks = 30, .wall = 1}};
  pl_report r = {.pattern = "evolve", .ranks = 2, .blocks_total = 300, .rank = meters};
  pl_json json = {0};
  pl_trial t = {0};
  pl_report_derive(&r);
  pl_report_json(&r, &json);
  assert_int_equal(pl_trial_read(json.text.at, &t), PLAIT_OK);
  assert_true(t.units == 30 && t.units_total == 300);
  pl_text_free(&json.text);
}

static void a_child_is_watched(void **state) {
  (void)state;
  const char *const ok[] = {"sh", "-c", "echo out; echo 'plait: error: no' >&2; exit 3", NULL};
  const char *const gone[] = {"/nowhere/at/all", NULL};
  const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
  pl_child child;
  char line[64];
  assert_int_equal(pl_child_run(ok, &child), PLAIT_OK);
  assert_true(child.exit_code == 3 && child.wall > 0 && child.wall < 60 && child.cpu >= 0);
  assert_string_equal(child.out.at, "out\n");
  pl_child_complaint(&child, line, sizeof line);
  assert_string_equal(line, "no");
  pl_child_free(&child);
  assert_int_equal(pl_child_run(gone, &child), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "/nowhere/at/all"));
  pl_child_free(&child);
  assert_int_equal(pl_child_run(killed, &child), PLAIT_OK);
  assert_int_equal(child.exit_code, 137);
  pl_child_complaint(&child, line, sizeof line);
  assert_string_equal(line, "exit code 137");
  pl_child_free(&child);
  char path[256];
  assert_true(pl_program_find("sh", path, sizeof path));
  assert_false(pl_program_find("no-such-program-here", path, sizeof path));
}

static void trials_leave_nothing_behind(void **state) {
  (void)state;
  char dir[] = "/tmp/test_trial_XXXXXX", output[128], *name = NULL;
  assert_non_null(mkdtemp(dir));
  snprintf(output, sizeof output, "%s/result.nc", dir);
  assert_int_equal(pl_trial_output(output, &name), PLAIT_OK);
  assert_non_null(strstr(name, "/.plait-trial-"));
  assert_string_equal(strrchr(name, '/'), "/result.nc");
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fclose(file);
  pl_trial_clean(name);
  pl_free(&name);
  assert_int_equal(rmdir(dir), 0); // it is empty
  assert_int_equal(pl_trial_output("null:", &name), PLAIT_OK);
  assert_string_equal(name, "null:");
  pl_free(&name);
  assert_int_equal(pl_trial_output("/nowhere/at/all/x.nc", &name), PLAIT_OK);
  assert_string_equal(name, "null:");
  pl_free(&name);
  pl_trial_clean("/tmp"); // not one of ours: nothing happens
  assert_int_equal(access("/tmp", F_OK), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cores_are_divided_in_every_way),
      cmocka_unit_test(medians_and_the_best),
      cmocka_unit_test(the_verdict_says_why),
      cmocka_unit_test(noise_is_no_difference),
      cmocka_unit_test(a_busy_machine_names_no_winner),
      cmocka_unit_test(samples_are_compared_as_whole_jobs),
      cmocka_unit_test(the_page_cache_is_no_storage),
      cmocka_unit_test(the_table_and_json_say_it_all),
      cmocka_unit_test(small_jobs_are_told_as_well),
      cmocka_unit_test(it_is_drawn),
      cmocka_unit_test(a_canvas_is_cut_at_its_edges),
      cmocka_unit_test(a_report_is_read_back),
      cmocka_unit_test(steps_of_ranks_count_once),
      cmocka_unit_test(a_child_is_watched),
      cmocka_unit_test(trials_leave_nothing_behind),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
