// SPDX-License-Identifier: BSD-3-Clause
//
// plait plan, without running anything: from trials to a load, the choice, what it prints.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "command/plan.h"

// Trials of a tenth of a job on 4 cores: 1 s to compute alone, ideal but for what a test changes.
static pl_plan_trials ideal(void) {
  pl_plan_trials t = {.has_team = true, .has_ranks = true};
  t.one = (pl_trial){.start = 0.1,
                     .inside = 1,
                     .compute = 1,
                     .units = 10,
                     .units_total = 100,
                     .cpu_inside = 1,
                     .team_cpu = 1,
                     .peak_rank = 100};
  t.team = t.one;
  t.team.compute = t.team.inside = 0.25;
  t.beside = t.team;
  t.beside.peak_rank = 130;
  t.ranks = t.team;
  t.ranks.start = 0.6;
  t.crowd = t.ranks;
  t.crowd.start = 1.0;
  return t;
}

static void load_of(const pl_plan_trials *t, plait_pattern pattern, int cores, pl_load *load) {
  *load = (pl_load){.pattern = pattern};
  pl_plan_load(t, cores, load);
}

static void trials_become_a_load(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.compute == 10 && l.units == 100 && l.sharing == 1 && l.team == 1);
  assert_true(fabs(l.start_more - 0.1) < 1e-12 && fabs(l.start_ranks - 0.4) < 1e-12);
  assert_true(l.start_one == 0.1 && l.exposed == 0 && l.team_reads == 0 && l.crowding == 1);
  assert_true(l.memory_thread == 10 && l.memory_fixed == 90 && l.memory_shared == 0);
  t.ranks.compute = 0.5; // each core half as fast when all are busy
  t.team.compute = 0.6;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.sharing == 2 && fabs(l.team - 1.2) < 1e-12);
  t.has_ranks = false;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.sharing - 2.4) < 1e-12 && fabs(l.team - 1) < 1e-12);
  t.one.read = 0.3, t.one.write = 0.1, t.one.cpu_inside = 1.35;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.read - 3) < 1e-9 && fabs(l.write - 1) < 1e-9 && fabs(l.io_cpu - 3.5) < 1e-9);
}

// Disturbed or not, overlap is no worse than one after another and no better than the longest.
static void overlap_is_bounded(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.one.write = t.team.write = 0.1;
  t.beside.inside = 0.35; // all of the writing shows
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.exposed - 1) < 1e-9);
  t.beside.inside = 3;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.exposed == 1);
  t.beside.inside = 0.1;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.exposed == 0);
  t.one.read = t.beside.read = 0.2;
  t.beside.team_read = 0.15;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.team_reads - 0.75) < 1e-12);
}

// Twice as many ranks as cores: what that costs is measured, and never a gain.
static void crowds_are_measured(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.crowded = 2;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.crowding - 2) < 1e-9);
  t.crowded = 0.5;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.crowding == 1);
}

// Ranks that step together wait while they compute: that is messages, not slower cores.
static void waiting_within_computing_counts_once(void **state) {
  (void)state;
  pl_load l = {.pattern = PLAIT_REDUCE, .stepwise = true};
  pl_plan_trials t = ideal();
  t.ranks.compute = t.ranks.inside = 0.45;
  t.ranks.comm = 0.2;
  pl_plan_load(&t, 4, &l);
  assert_true(fabs(l.sharing - 1) < 1e-9);
  assert_true(fabs(l.messages - 1) < 1e-9); // ten times the sample's, two levels of the tree
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(fabs(l.sharing - 1) < 1e-9 && fabs(l.messages - 2) < 1e-9);
  load_of(&t, PLAIT_REDUCE, 4, &l); // one merge, behind the computing
  assert_true(fabs(l.sharing - 1.8) < 1e-9 && fabs(l.messages - 0.1) < 1e-9);
}

// An initial state, say, takes half a second whatever the steps.
static void what_happens_once_is_not_multiplied(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.first = t.first_team = t.first_ranks =
      (pl_trial){.wall = 0.7, .start = 0.1, .inside = 0.6, .compute = 0.3, .units = 1};
  t.one.units = t.team.units = t.beside.units = t.ranks.units = 11;
  t.one.units_total = 1000;
  t.one.compute = 1.3, t.team.compute = t.ranks.compute = 0.55;
  t.first_ranks.wall = 1.2;
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(fabs(l.compute - 100) < 1e-9 && fabs(l.sharing - 1) < 1e-9 &&
              fabs(l.team - 1) < 1e-9);
  assert_true(fabs(l.start_one - 0.6) < 1e-9); // all of the first but its step
  assert_true(fabs(l.start_ranks - (1.175 - 2 * l.start_more)) < 1e-9 && l.units == 1000);
  t.first.units = 6; // no small part of the sample: nothing is known
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(fabs(l.compute - 1.3 * 1000 / 11) < 1e-9 && l.start_one == 0.1);
}

// Of a first block on four ranks one rank has all the work, the mean a quarter.
static void a_first_block_is_of_one_rank(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.first_ranks = (pl_trial){.wall = 1, .start = 0.6, .inside = 0.4, .compute = 0.025, .units = 1};
  t.ranks.units = 11;
  t.ranks.compute = 0.275;
  t.crowd.start = t.ranks.start;
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(fabs(l.start_ranks - 0.9) < 1e-9 && l.pieces == 100);
}

static void parts_of_a_grid_are_shared_out(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.one.peak_rank = t.team.peak_rank = t.beside.peak_rank = 500;
  t.ranks.peak_rank = 200;
  t.ranks.comm = 0.02;
  t.ranks.bytes_sent = 4000;
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(l.memory_shared == 400 && l.memory_fixed == 100);
  assert_true(fabs(l.messages - 0.2) < 1e-12 && l.message_bytes == 20000);
  load_of(&t, PLAIT_REDUCE, 4, &l); // once a pass, on two levels of the tree
  assert_true(fabs(l.messages - 0.01) < 1e-12);
}

// A sample of an evolve job writes its first snapshot; the whole writes two, not one per sample.
static void snapshots_are_not_multiplied(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = ideal();
  t.one.units_total = 1000 * t.one.units;
  t.one.write = 0.5;
  t.one.bytes_written = 1000;
  t.one.output_bytes = 2000;
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(l.storage_bytes == 2000 && fabs(l.write - 1) < 1e-12);
  t.one.output_bytes = 0; // not said: as the units
  load_of(&t, PLAIT_EVOLVE, 4, &l);
  assert_true(l.storage_bytes == 1e6);
}

static void one_core_and_nonsense_are_stood(void **state) {
  (void)state;
  pl_load l;
  pl_plan_trials t = {.has_team = false};
  load_of(&t, PLAIT_MAP, 1, &l);
  assert_true(l.sharing == 1 && l.team == 1 && isfinite(l.exposed) && l.compute == 0);
  t = ideal();
  t.one.compute = NAN;
  t.crowd.start = 0; // a disturbed trial
  load_of(&t, PLAIT_MAP, 4, &l);
  assert_true(l.start_more == 0 && isfinite(l.sharing));
}

static pl_plan plan_of(pl_plan_wish wish) {
  pl_plan p = {.job = "my job.yaml",
               .kernel = "heat",
               .unit = "steps",
               .cores_here = 4,
               .with_ranks = true,
               .wish = wish};
  pl_plan_trials t = ideal();
  load_of(&t, PLAIT_MAP, 4, &p.load);
  p.load.compute = 10000;
  p.load.units = 100000;
  p.load.memory_fixed = 1 << 30;
  return p;
}

static void the_fewest_ranks_of_the_fastest_win(void **state) {
  (void)state;
  pl_plan p = plan_of((pl_plan_wish){0});
  pl_plan_choose(&p);
  assert_true(p.n == 3 && p.best == 0 && p.in_time);
  assert_int_equal(p.row[0].layout.threads, 4);
  p.load.team = 1.5; // teams are slow: ranks win
  pl_plan_choose(&p);
  assert_int_equal(p.row[p.best].layout.ranks, 4);
  p.wish.memory = INT64_C(3) << 30; // but 4 GiB are too much
  pl_plan_choose(&p);
  assert_int_equal(p.row[p.best].layout.ranks, 2);
  assert_false(p.row[2].fits);
  p.wish.memory = 1;
  pl_plan_choose(&p);
  assert_int_equal(p.best, -1);
  p.wish.memory = 0;
  p.with_ranks = false;
  pl_plan_choose(&p);
  assert_int_equal(p.n, 1);
}

// The repeats of a busy machine spread: no winner is named between what they do not tell apart.
static void within_the_spread_the_fewest_ranks(void **state) {
  (void)state;
  pl_plan p = plan_of((pl_plan_wish){0});
  pl_text text = {0};
  p.load.team = 1.2; // 1 x 4 takes 1.2, 2 x 2 1.1 and 4 x 1 1.0 of the time
  pl_plan_choose(&p);
  assert_int_equal(p.row[p.best].layout.ranks, 4);
  assert_true(p.row[2].as_good && !p.row[1].as_good && !p.row[0].as_good);
  p.load.spread = 0.12;
  pl_plan_choose(&p);
  assert_int_equal(p.row[p.best].layout.ranks, 2);
  assert_true(p.row[2].as_good && p.row[1].as_good && !p.row[0].as_good);
  pl_plan_text(&p, &text);
  assert_non_null(strstr(text.at,
                         "No difference that can be measured between 2 x 2 and 4 x 1 (what "
                         "is measured again differs by 12 %)"));
  assert_null(strstr(text.at, "<- best"));
  pl_text_free(&text);
  p.load.spread = 3, p.load.team = 1.5; // nothing was measured well, but half as long again is that
  pl_plan_choose(&p);
  assert_false(p.row[0].as_good);
  pl_text_free(&text);
}

// Turns of trials within a limit, one at least.
static void a_busy_machine_gets_fewer_turns(void **state) {
  (void)state;
  assert_int_equal(pl_plan_turns(1, 4, 40), 5);
  assert_int_equal(pl_plan_turns(1, 13, 40), 3);
  assert_int_equal(pl_plan_turns(2, 30, 40), 2);
  assert_int_equal(pl_plan_turns(1, 300, 40), 1);
  assert_int_equal(pl_plan_turns(3, 45, 40), 3);
  assert_int_equal(pl_plan_turns(1, 0, 40), 5);
}

static void time_asks_for_nodes(void **state) {
  (void)state;
  pl_plan p = plan_of((pl_plan_wish){.seconds = 1000}); // 2500 s on 4 cores
  pl_plan_choose(&p);
  assert_true(p.in_time && p.row[p.best].layout.nodes == 4);
  p = plan_of((pl_plan_wish){.seconds = 1000, .nodes = 2}); // no more than these
  pl_plan_choose(&p);
  assert_true(!p.in_time && p.row[p.best].layout.nodes == 2);
  p = plan_of((pl_plan_wish){.seconds = 0.001}); // never
  pl_plan_choose(&p);
  assert_true(!p.in_time && p.row[p.best].layout.nodes == 1);
}

static void has(const char *text, const char *words) {
  if (!strstr(text, words)) fail_msg("no '%s' in: %s", words, text);
}

static void it_prints_what_to_type(void **state) {
  (void)state;
  static const char *const overrides[] = {"params.list=[1, 2]", "input=a'b.nc"};
  pl_plan p = plan_of((pl_plan_wish){.nodes = 2, .cores = 8, .seconds = 7261});
  pl_text text = {0};
  pl_json json = {0};
  p.noverrides = 2;
  p.overrides = overrides;
  p.asked = 1;
  p.row[0].layout = (pl_layout_try){.ranks = 3, .threads = 1};
  p.load.team = 1.5;
  pl_plan_choose(&p);
  pl_plan_text(&p, &text);
  has(text.at, "mpirun -np 16 --map-by ppr:8:node plait run 'my job.yaml' 'params.list=[1, 2]' "
               "'input=a'\\''b.nc'");
  has(text.at, "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=8\n#SBATCH --cpus-per-task=1\n");
  has(text.at, "#SBATCH --time=02:01:01\n");
  has(text.at, "3 x 1");
  has(text.at, "Assumed beyond this machine");
  pl_plan_json(&p, &json);
  assert_int_equal(json.depth, 0);
  has(json.text.at, "\"launch\": \"mpirun -np 16");
  pl_text_free(&text);
  pl_text_free(&json.text);
  p.best = -1;
  pl_plan_text(&p, &text);
  has(text.at, "No layout fits");
  pl_plan_json(&p, &json);
  assert_null(strstr(json.text.at, "\"launch\""));
  pl_text_free(&text);
  pl_text_free(&json.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trials_become_a_load),
      cmocka_unit_test(overlap_is_bounded),
      cmocka_unit_test(crowds_are_measured),
      cmocka_unit_test(waiting_within_computing_counts_once),
      cmocka_unit_test(what_happens_once_is_not_multiplied),
      cmocka_unit_test(a_first_block_is_of_one_rank),
      cmocka_unit_test(parts_of_a_grid_are_shared_out),
      cmocka_unit_test(snapshots_are_not_multiplied),
      cmocka_unit_test(one_core_and_nonsense_are_stood),
      cmocka_unit_test(the_fewest_ranks_of_the_fastest_win),
      cmocka_unit_test(within_the_spread_the_fewest_ranks),
      cmocka_unit_test(a_busy_machine_gets_fewer_turns),
      cmocka_unit_test(time_asks_for_nodes),
      cmocka_unit_test(it_prints_what_to_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
