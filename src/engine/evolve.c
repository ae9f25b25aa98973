// SPDX-License-Identifier: BSD-3-Clause
//
// The evolve pattern at run time. A *leg* is a stretch of steps between two points at which
// something is to be done: a snapshot, or looking after errors, signals and checkpoints (after at
// most sixteen time tiles, or about a second). The team marches, the writer strand stores snapshots
// and checkpoints meanwhile, the reader strand has nothing to do (handing it every leg, two
// wake-ups, took 2 % where legs were 20 ms). All messages between ranks are the leader's, polled
// between fronts. A rank that fails anywhere (its writer too) goes on until the end of the leg,
// where all of them hear of it: nobody is left waiting.
#include "engine/evolve.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/evolve_save.h"
#include "engine/strands.h"
#include "engine/watchdog.h"
#include "host/stop.h"
#include <stdio.h>
#include <string.h>

enum { TILES_OF_A_LEG = 16 };
static const double leg_seconds = 1;
static const double guess_rate = 100e6; // bytes/s of the first checkpoint, before one was measured

typedef enum filled { SNAPSHOT, STATE } filled; // what the writer finds in a slot

typedef struct evolve_run {
  pl_stage *stage;
  pl_evolve *e;
  pl_save save;
  bool saves;        // this run can write checkpoints
  bool met;          // the ranks have heard of each other's start
  bool over;         // no leg follows
  int why;           // the run is to stop (pl_stop_why), the same on every rank
  bool save_now;     // a checkpoint begins behind this leg
  int64_t tiles;     // of the next leg, the same on every rank
  int64_t unchecked; // tiles since all values were looked at
  int64_t looked;    // step after which some were
  double leg_began, saved;
  plait_err error; // the leader's, for its team
  int slot;
  filled filled[PL_SNAPSHOT_SLOTS];
  plait_raise written; // what went wrong in the writer strand
} evolve_run;

static int64_t last_step(const pl_evolve *e) {
  return pl_task_sample(e->task, e->steps);
}

static int64_t leg_end(const evolve_run *run, int64_t step) {
  const pl_evolve *e = run->e;
  int64_t end = step + run->tiles * (int64_t)e->march.tiling.depth;
  if (e->every > 0 && (step / e->every + 1) * e->every < end)
    end = (step / e->every + 1) * e->every;
  return end < last_step(e) ? end : last_step(e);
}

// One slot, which comes back when the run is over.
static plait_err read_once(void *context, int slot, bool *more) {
  (void)slot;
  *more = !((const evolve_run *)context)->over;
  return PLAIT_OK;
}

// ---- what the ranks tell each other behind a leg ----

enum { FAILED, WHY, DUE, BUSY, TILE_NS, WORDS };

static plait_err own_error(evolve_run *run) {
  plait_err err = pl_raised(&run->e->march.raise);
  return err != PLAIT_OK ? err : pl_raised(&run->written);
}

static void fill_words(evolve_run *run, plait_err err, int64_t tiles, int64_t word[]) {
  const pl_stage *stage = run->stage;
  double now = pl_now(), wait = stage->task->job->run.checkpoint;
  word[FAILED] = err != PLAIT_OK;
  word[WHY] = pl_stop_why();
  word[DUE] = pl_comm_rank(stage->comm) == 0 && now - run->saved >= wait;
  word[BUSY] = run->save.under_way && !atomic_load(&run->save.written);
  word[TILE_NS] = tiles > 0 ? (int64_t)((now - run->leg_began) * 1e9 / (double)tiles) : 0;
}

// Collective. An error of any rank is the error of all.
static plait_err meet(evolve_run *run, int64_t tiles, int64_t word[]) {
  pl_stage *stage = run->stage;
  plait_err err = own_error(run);
  fill_words(run, err, tiles, word);
  pl_watchdog_begin(stage->dog, PL_WATCH_RANKS, run->e->march.step);
  plait_err met = pl_comm_max_int(stage->comm, word, WORDS);
  if (met == PLAIT_OK && word[FAILED]) met = pl_comm_agree(stage->comm, err);
  pl_watchdog_end(stage->dog, PL_WATCH_RANKS);
  return met;
}

static void tell(evolve_run *run) {
  pl_stage *stage = run->stage;
  const pl_evolve *e = run->e;
  double now = pl_now();
  if (!stage->progress || pl_comm_rank(stage->comm) != 0) return;
  if (now - stage->last < 0.2 && e->march.step < e->steps) return;
  stage->last = now;
  int64_t mine = e->march.step - e->resumed; // the rate is that of this run
  double whole = mine > 0 ? (double)e->march.step / (double)mine : 1;
  stage->progress->tell(stage->progress->data, e->march.step, e->steps, 0,
                        (now - stage->start) * whole);
}

static plait_err stopped(const evolve_run *run) {
  char reason[80];
  if (!run->saves) return pl_stage_check_stop(run->stage);
  pl_stop_text(run->why, reason);
  return plait_fail(PLAIT_STOPPED, "stopped by %s with %lld of %lld steps done", reason,
                    (long long)run->e->march.step, (long long)run->e->steps);
}

// ---- checkpoints, leader ----

// What stopping will take: the rest of a leg, and a checkpoint.
static void set_margin(const evolve_run *run, int64_t tile_ns) {
  double save = run->saves ? pl_checkpoint_seconds(run->e->store) : 0;
  if (run->saves && save == 0) save = (double)pl_save_bytes(run->e) / guess_rate;
  pl_stop_margin(2 * save + 2 * (double)(tile_ns * run->tiles) * 1e-9);
}

// One that could not be written is no reason to end the run: the last good one stays.
static plait_err commit(evolve_run *run) {
  plait_err err = pl_save_commit(&run->save);
  run->saved = pl_now();
  if (err == PLAIT_OK || err == PLAIT_COMM) return err;
  if (pl_comm_rank(run->stage->comm) == 0)
    pl_log(PL_LOG_WARNING, "a checkpoint could not be written: %s", pl_message());
  return PLAIT_OK;
}

static plait_err wait_for_writer(evolve_run *run) {
  while (!atomic_load(&run->save.written)) pl_sleep(0.001); // the watchdog watches the writer
  return PLAIT_OK;
}

static plait_err look_around(evolve_run *run, int64_t tiles) {
  pl_evolve *e = run->e;
  int64_t word[WORDS], step = e->march.step;
  run->save_now = false;
  TRY(meet(run, tiles, word));
  if (word[TILE_NS] > 0) {
    double fit = leg_seconds * 1e9 / (double)word[TILE_NS];
    run->tiles = fit > TILES_OF_A_LEG ? TILES_OF_A_LEG : fit < 1 ? 1 : (int64_t)fit;
  }
  tell(run);
  run->over = step >= last_step(e);
  if (run->over) return PLAIT_OK; // a signal now finds it done
  run->why = (int)word[WHY];
  if (run->why && !run->saves) return stopped(run);
  if (run->save.under_way && (!word[BUSY] || run->why)) {
    TRY(wait_for_writer(run));
    TRY(commit(run));
  }
  set_margin(run, word[TILE_NS]);
  run->save_now = run->saves && !run->save.under_way && (run->why || word[DUE]);
  return PLAIT_OK;
}

// ---- team ----

static plait_err take_out(evolve_run *run, pl_strands *strands, filled what) {
  if (!pl_strands_take_out(strands, &run->slot))
    return plait_fail(PLAIT_BUG, "no slot for a snapshot");
  run->filled[run->slot] = what;
  return PLAIT_OK;
}

// A slot for the snapshot after `step` steps, which the march fills on its way there.
static plait_err aim(evolve_run *run, pl_strands *strands, int64_t step, int thread) {
  pl_evolve *e = run->e;
#pragma omp barrier // everybody has seen the last `error`
  if (thread == 0) {
    run->error = take_out(run, strands, SNAPSHOT);
    if (run->error == PLAIT_OK)
      pl_snapshots_aim(&e->snapshots, run->slot, pl_evolve_snapshot_at(e, step), step);
  }
#pragma omp barrier
  return run->error;
}

// The writer does not get it before the ranks have agreed that it is finite (hand_over). `looked`:
// what is not finite has been raised already.
static void finish_snapshot(evolve_run *run, bool looked, int thread) {
  pl_evolve *e = run->e;
  bool finite = pl_snapshots_finish(&e->snapshots, run->stage->output, run->slot, &e->march.raise);
  if (!finite && !looked) pl_evolve_check_finite(&e->march, run->looked, thread);
  if (e->sums) pl_sums_own(&e->block_sums, thread);
}

static plait_err hand_over(evolve_run *run, pl_strands *strands, int thread) {
  pl_evolve *e = run->e;
#pragma omp barrier
  if (thread == 0) {
    int64_t at = pl_evolve_snapshot_at(e, e->march.step) * e->march.grid.ndiagnoses;
    run->error = e->sums ? pl_sums_total(&e->block_sums, e->sums + at) : PLAIT_OK;
    if (run->error == PLAIT_OK) pl_strands_give_out(strands, run->slot);
  }
#pragma omp barrier
  return run->error;
}

static plait_err begin_state(evolve_run *run) {
  int64_t word[WORDS];
  TRY(meet(run, 0, word)); // no state that is not finite
  plait_err err = pl_save_begin(&run->save);
  if (err == PLAIT_OK || run->why || err == PLAIT_COMM) return err;
  if (pl_comm_rank(run->stage->comm) == 0)
    pl_log(PL_LOG_WARNING, "a checkpoint could not be begun: %s", pl_message());
  run->save_now = false;
  run->saved = pl_now();
  return PLAIT_OK;
}

// Hands the state to the writer; on the way to a stop, or where there was no room for a copy, waits
// until it is on disk.
static plait_err give_state(evolve_run *run, pl_strands *strands) {
  TRY(take_out(run, strands, STATE));
  pl_strands_give_out(strands, run->slot);
  if (run->why || run->save.in_place) TRY(wait_for_writer(run));
  if (!run->why) return PLAIT_OK;
  TRY(pl_save_commit(&run->save));
  return stopped(run);
}

static plait_err save_state(evolve_run *run, pl_strands *strands, int thread) {
  if (!run->save_now) return PLAIT_OK;
  if (run->unchecked > 0) pl_evolve_check_finite(&run->e->march, run->looked, thread);
#pragma omp barrier
  if (thread == 0) run->error = begin_state(run);
#pragma omp barrier
  if (run->error != PLAIT_OK || !run->save_now) return run->error;
  pl_save_copy(&run->save, thread);
#pragma omp barrier
  if (thread == 0) {
    pl_watchdog_end(run->stage->dog, PL_WATCH_TEAM);
    run->unchecked = 0;
    run->error = give_state(run, strands);
  }
#pragma omp barrier
  return run->error;
}

// Of the initial state, which no sweep has made.
static plait_err first_snapshot(evolve_run *run, pl_strands *strands, int thread) {
  plait_cells mine;
  TRY(aim(run, strands, 0, thread));
  if (pl_march_share(&run->e->march, thread, &mine))
    pl_snapshots_watch(&run->e->snapshots, &mine, 0);
  finish_snapshot(run, false, thread);
  return PLAIT_OK;
}

// The ranks hear whether all of them are there.
static plait_err begin(evolve_run *run, pl_strands *strands, int thread) {
  bool snapshot = run->e->march.step == 0;
  if (snapshot) TRY(first_snapshot(run, strands, thread));
#pragma omp barrier
  if (thread == 0) {
    int64_t word[WORDS];
    run->error = meet(run, 0, word);
  }
#pragma omp barrier
  if (thread == 0) run->met = true; // everybody is in here
  TRY(run->error);
  return snapshot ? hand_over(run, strands, thread) : PLAIT_OK;
}

static plait_err march_leg(evolve_run *run, pl_strands *strands, int64_t target, int64_t tiles,
                           int thread) {
  pl_march *m = &run->e->march;
  int64_t left = target - m->step;
  if (thread == 0) run->leg_began = pl_now();
#pragma omp barrier
  for (int64_t k = 0; k < tiles; k++) { // tiles of nearly equal depth
    if (thread == 0) pl_watchdog_begin(m->dog, PL_WATCH_TEAM, m->step);
    if (k == tiles - 1 && pl_evolve_snapshot_at(run->e, target) >= 0)
      TRY(aim(run, strands, target, thread));
    TRY(pl_march_tile(m, (int)(left * (k + 1) / tiles - left * k / tiles), thread));
  }
  return PLAIT_OK;
}

static plait_err do_leg(evolve_run *run, pl_strands *strands, int thread) {
  pl_march *m = &run->e->march;
  int64_t before = m->step, target = leg_end(run, before);
  int64_t tiles = (target - before + m->tiling.depth - 1) / m->tiling.depth;
#pragma omp barrier
  TRY(march_leg(run, strands, target, tiles, thread));
  // All of the state costs as much as two steps: between, only what a snapshot will hold.
  bool whole = target == last_step(run->e) || run->unchecked + tiles >= TILES_OF_A_LEG;
  bool snapshot = pl_evolve_snapshot_at(run->e, target) >= 0;
  if (whole) pl_evolve_check_finite(m, run->looked, thread);
  if (snapshot) finish_snapshot(run, whole, thread);
#pragma omp barrier
  if (thread == 0) {
    run->unchecked = whole ? 0 : run->unchecked + tiles;
    if (whole || snapshot) run->looked = target;
    run->error = look_around(run, tiles);
  }
#pragma omp barrier
  TRY(run->error);
  if (snapshot) TRY(hand_over(run, strands, thread));
  TRY(save_state(run, strands, thread));
#pragma omp barrier
  if (thread == 0) {
    pl_watchdog_end(m->dog, PL_WATCH_TEAM);
    pl_strands_lap(strands);
  }
  return PLAIT_OK;
}

static plait_err do_legs(void *context, pl_strands *strands, int slot, int thread) {
  evolve_run *run = context;
  (void)slot;
  TRY(begin(run, strands, thread));
#pragma omp barrier
  do TRY(do_leg(run, strands, thread));
  while (!run->over);
  return PLAIT_OK;
}

// ---- writer strand ----

// Its errors wait for the end of the leg.
static plait_err write_slot(void *context, int slot) {
  evolve_run *run = context;
  pl_stage *stage = run->stage;
  int64_t *bytes = &stage->meter->bytes_written;
  pl_watchdog_begin(stage->dog, PL_WATCH_WRITE, -1);
  if (run->filled[slot] == STATE) {
    pl_save_write(&run->save, bytes);
  } else {
    plait_err err = pl_snapshots_store(&run->e->snapshots, stage->output, slot, bytes);
    if (err != PLAIT_OK) pl_raise(&run->written, err, "%s", pl_message());
  }
  pl_watchdog_end(stage->dog, PL_WATCH_WRITE);
  return PLAIT_OK;
}

// ---- the run ----

static void poke(void *context) {
  pl_march *m = &((pl_evolve *)context)->march;
  if (pl_halo_remote(&m->halo)) pl_halo_poke(&m->halo);
  pl_watchdog_begin(m->dog, PL_WATCH_TEAM, m->step);
}

static void watch(void *context, const plait_cells *box) {
  pl_evolve *e = context;
  pl_gauges_watch(&e->gauges, box);
  pl_snapshots_watch(&e->snapshots, box, box->step + 1);
}

static void set_up(pl_stage *stage, evolve_run *run) {
  pl_evolve *e = stage->task->evolve;
  pl_evolve_warn(e, stage->outcome.warning, sizeof stage->outcome.warning);
  if (e->resumed == 0) pl_gauges_initial(&e->gauges);
  e->march.dog = stage->dog;
  e->march.tiling.watch = watch;
  e->march.tiling.poke = poke;
  e->march.tiling.context = e;
  e->march.halo.trace = stage->meter->trace;
  e->march.halo.waited = 0; // for ranks that were later to set up: part of the start
  *run = (evolve_run){.stage = stage, .e = e, .looked = e->resumed, .tiles = 1, .saved = pl_now()};
  run->saves = e->store && pl_output_stores(stage->output);
  pl_save_start(e, stage->output, &run->save);
}

plait_err pl_evolve_run(pl_stage *stage) {
  evolve_run run;
  set_up(stage, &run);
  pl_evolve *e = run.e;
  pl_strand_work work = {.read = read_once,
                         .compute = do_legs,
                         .write = write_slot,
                         .nin = 1,
                         .nout = PL_SNAPSHOT_SLOTS};
  plait_err err = pl_strands_run(&work, &run, stage->placement, e->march.threads,
                                 stage->task->job->run.overlap, stage->meter);
  if (err != PLAIT_OK && !run.met) { // this rank could not start: the others hear of it in `begin`
    int64_t word[WORDS];
    pl_raise(&e->march.raise, err, "%s", pl_message());
    err = meet(&run, 0, word);
  } else {
    if (err == PLAIT_OK) err = pl_raised(&run.written); // of the last snapshots
    err = pl_comm_agree(stage->comm, err);
  }
  pl_save_stop(&run.save);
  bool keep = last_step(e) == e->steps;
  if (err == PLAIT_OK && keep && e->gauges.n > 0) err = pl_gauges_gather(&e->gauges);
  if (err == PLAIT_OK && keep)
    err = pl_comm_agree(stage->comm, pl_evolve_store_rest(e, stage->output));
  pl_march_count(&e->march, e->march.step - e->resumed, stage->meter);
  return err;
}
