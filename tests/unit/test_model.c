// SPDX-License-Identifier: BSD-3-Clause
//
// The model of plait plan: limits that it must have, whatever the numbers.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "engine/model.h"

static pl_load ideal(void) { // arithmetic only, 100 s on one core, launched at once
  return (pl_load){
      .pattern = PLAIT_MAP, .cores = 4, .compute = 100, .sharing = 1, .team = 1, .units = 1000};
}

static pl_forecast of(const pl_load *load, int nodes, int ranks, int threads, int cores) {
  pl_layout_try l = {nodes, ranks, threads, cores};
  pl_forecast f;
  pl_model_forecast(load, &l, &f);
  return f;
}

static double inside(const pl_load *load, int nodes, int ranks, int threads, int cores) {
  pl_forecast f = of(load, nodes, ranks, threads, cores);
  return f.wall - f.start; // the daemons of several nodes are start-up
}

static void near(double a, double b) {
  if (!(fabs(a - b) <= 1e-9 * fabs(b))) fail_msg("%.12g is not %.12g", a, b);
}

static void arithmetic_scales(void **state) {
  (void)state;
  pl_load load = ideal();
  near(of(&load, 1, 1, 1, 4).wall, 100);
  near(of(&load, 1, 1, 4, 4).wall, 25);
  near(of(&load, 1, 4, 1, 4).wall, 25);
  near(of(&load, 1, 2, 2, 4).wall, 25);
  near(inside(&load, 4, 4, 4, 4), 6.25);
  assert_string_equal(of(&load, 1, 1, 4, 4).bound, "computing");
  double crowded = of(&load, 1, 4, 4, 4).wall; // 16 threads on 4 cores
  assert_true(crowded > 25 && crowded < 30);
}

static void memory_is_shared(void **state) {
  (void)state;
  pl_load load = ideal();
  load.sharing = 2; // all four at once: half as fast
  near(of(&load, 1, 1, 1, 4).wall, 100);
  near(of(&load, 1, 4, 1, 4).wall, 50);
  near(of(&load, 1, 2, 1, 4).wall, 50); // two saturate the memory already
  near(inside(&load, 2, 4, 2, 4), 25);  // two nodes have twice as much of it
  near(inside(&load, 2, 2, 1, 4), 50);  // one rank a node has it for itself
}

static void teams_cost_by_their_size(void **state) {
  (void)state;
  pl_load load = ideal();
  load.team = 1.2;
  near(of(&load, 1, 4, 1, 4).wall, 25);
  near(of(&load, 1, 1, 4, 4).wall, 30);
  near(of(&load, 1, 2, 2, 4).wall, 27.5);
}

static void reading_and_writing_hide_behind_it(void **state) {
  (void)state;
  pl_load load = ideal();
  load.read = 20;
  load.write = 10;
  near(of(&load, 1, 1, 1, 4).wall, 100 + 30.0 / 1000); // all but the first and the last block
  pl_forecast f = of(&load, 1, 1, 4, 4);
  near(f.wall, 25 + 30.0 / 1000);
  load.read = 40;
  f = of(&load, 1, 1, 4, 4);
  near(f.wall, 40 + 50.0 / 1000);
  assert_string_equal(f.bound, "reading");
  load.read = 0, load.write = 60;
  assert_string_equal(of(&load, 1, 1, 4, 4).bound, "writing");
  load.write = 0, load.io_cpu = 100;
  f = of(&load, 1, 1, 4, 4);
  near(f.wall, 50); // the strands' copying takes cores away
  assert_string_equal(f.bound, "copying");
  load.io_cpu = 0, load.storage_bytes = 1e9, load.storage_rate = 1e7;
  f = of(&load, 4, 16, 1, 4); // more cores do not make the disk faster
  near(f.wall - f.start, 100);
  assert_string_equal(f.bound, "storage");
}

static void blocks_are_not_divided(void **state) {
  (void)state;
  pl_load load = ideal();
  load.pieces = 5;
  near(of(&load, 1, 1, 4, 4).wall, 25);
  near(of(&load, 1, 4, 1, 4).wall, 40); // one rank has two of the five
  near(inside(&load, 8, 32, 1, 4), 20);
}

// Between hidden altogether and one after another, whatever was measured.
static void overlap_is_between_two_bounds(void **state) {
  (void)state;
  pl_load load = ideal();
  load.read = 20, load.write = 10, load.exposed = 1;
  near(of(&load, 1, 1, 1, 4).wall, 130);
  near(of(&load, 1, 1, 4, 4).wall, 55);
  load.exposed = 0.5;
  near(of(&load, 1, 1, 4, 4).wall, 40);
  load.read = 40, load.write = 0; // reading is the longest: computing is what hides
  near(of(&load, 1, 1, 4, 4).wall, 52.5);
}

// What is in the page cache the team copies: work like any other, done by all threads.
static void a_team_that_reads_is_no_strand(void **state) {
  (void)state;
  pl_load load = ideal();
  load.read = load.io_cpu = 100, load.team_reads = 1;
  near(of(&load, 1, 1, 1, 4).wall, 200);
  near(of(&load, 1, 1, 4, 4).wall, 50);
  assert_string_equal(of(&load, 1, 1, 4, 4).bound, "computing");
  load.team_reads = 0; // the same by the reader's strand
  near(of(&load, 1, 1, 4, 4).wall, 100.1);
}

static void crowds_take_turns_as_measured(void **state) {
  (void)state;
  pl_load load = ideal();
  load.crowding = 2;
  near(of(&load, 1, 4, 1, 4).wall, 25);
  near(of(&load, 1, 8, 1, 4).wall, 50);
  near(of(&load, 1, 4, 4, 4).wall, 75);
  load.pattern = PLAIT_EVOLVE, load.messages = 1;
  near(of(&load, 1, 8, 1, 4).messages / of(&load, 1, 8, 2, 8).messages, 1);
}

static void messages_grow_with_the_surface(void **state) {
  (void)state;
  pl_load load = ideal();
  load.pattern = PLAIT_EVOLVE;
  load.messages = 1;
  assert_true(of(&load, 1, 1, 4, 4).messages == 0);
  near(of(&load, 1, 2, 1, 4).messages, 1);
  double four = of(&load, 1, 4, 1, 4).messages;
  assert_true(four < 1 && four > 0.5); // of each rank: a smaller part has less surface
  load.message_bytes = 1e9;
  assert_true(of(&load, 2, 4, 2, 4).messages > four); // over the network
  load.pattern = PLAIT_REDUCE;
  near(of(&load, 1, 2, 1, 4).messages, 1); // one level of the tree
  near(of(&load, 1, 4, 1, 4).messages, 2);
  double between = of(&load, 2, 2, 1, 1).messages;
  load.stepwise = true; // a thousand steps, each over the network
  assert_true(of(&load, 2, 2, 1, 1).messages > between);
  load.messages = 1000;
  assert_string_equal(of(&load, 1, 4, 1, 4).bound, "messages");
}

static void starting_costs(void **state) {
  (void)state;
  pl_load load = ideal();
  load.start_one = 0.1, load.start_ranks = 0.5, load.start_more = 0.05;
  near(of(&load, 1, 1, 4, 4).start, 0.1);
  near(of(&load, 1, 2, 1, 4).start, 0.5);
  near(of(&load, 1, 4, 1, 4).start, 0.6);
  assert_true(of(&load, 8, 32, 1, 4).start > 0.6);
  load.compute = 0.1;
  assert_string_equal(of(&load, 1, 4, 1, 4).bound, "start-up");
}

static void memory_of_a_rank(void **state) {
  (void)state;
  pl_load load = ideal();
  load.memory_fixed = 10, load.memory_thread = 2, load.memory_shared = 100;
  near(of(&load, 1, 1, 4, 4).memory, 118);
  near(of(&load, 1, 4, 1, 4).memory, 37);
}

static void what_is_far_is_less_sure(void **state) {
  (void)state;
  pl_load load = ideal();
  double here = of(&load, 1, 1, 4, 4).sure;
  assert_true(here >= 0.05 && here < 0.2);
  assert_true(of(&load, 1, 1, 64, 64).sure > here);
  assert_true(of(&load, 4, 4, 64, 64).sure > of(&load, 1, 1, 64, 64).sure);
  assert_true(of(&load, 1, 4, 4, 4).sure > here);
  load.spread = 0.7;
  assert_true(of(&load, 1, 1, 4, 4).sure >= 0.7);
}

static void nothing_is_no_disaster(void **state) {
  (void)state;
  pl_load load = {.pattern = PLAIT_MAP, .cores = 1, .sharing = 1, .team = 1};
  pl_forecast f = of(&load, 1, 1, 1, 1);
  assert_true(f.wall == 0 && isfinite(f.sure));
  f = of(&load, 3, 7, 5, 1);
  assert_true(f.wall == f.start && isfinite(f.sure));
}

static void layouts_fill_the_cores(void **state) {
  (void)state;
  pl_layout_try l[64];
  assert_int_equal(pl_model_layouts(1, 12, true, l, 64), 6);
  for (int i = 0; i < 6; i++) assert_int_equal(l[i].ranks * l[i].threads, 12);
  assert_true(l[0].ranks == 1 && l[5].ranks == 12);
  assert_int_equal(pl_model_layouts(3, 4, true, l, 64), 3);
  assert_true(l[0].ranks == 3 && l[0].threads == 4 && l[0].nodes == 3);
  assert_int_equal(pl_model_layouts(1, 12, false, l, 64), 1);
  assert_int_equal(pl_model_layouts(1, 1, true, l, 64), 1);
  assert_int_equal(pl_model_layouts(1, 12, true, l, 2), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic_scales),
      cmocka_unit_test(memory_is_shared),
      cmocka_unit_test(teams_cost_by_their_size),
      cmocka_unit_test(reading_and_writing_hide_behind_it),
      cmocka_unit_test(blocks_are_not_divided),
      cmocka_unit_test(overlap_is_between_two_bounds),
      cmocka_unit_test(a_team_that_reads_is_no_strand),
      cmocka_unit_test(crowds_take_turns_as_measured),
      cmocka_unit_test(messages_grow_with_the_surface),
      cmocka_unit_test(starting_costs),
      cmocka_unit_test(memory_of_a_rank),
      cmocka_unit_test(what_is_far_is_less_sure),
      cmocka_unit_test(nothing_is_no_disaster),
      cmocka_unit_test(layouts_fill_the_cores),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
