// SPDX-License-Identifier: BSD-3-Clause
//
// The evolve pattern at run time. A *leg* is a stretch of steps between two points at which
// something is to be done: a snapshot, or looking after errors, signals and checkpoints (after at
// most sixteen time tiles, or about a second). The team marches, the writer strand stores snapshots
// and checkpoints meanwhile, the reader strand has nothing to do (handing it every leg, two
// wake-ups, took 2 % where legs were 20 ms). All messages between ranks are the leader's, polled
// between fronts. A rank that fails anywhere (its writer too) goes on until the end of the leg,
// where all of them hear of it: nobody is left waiting.
#include "base/clock.h"
#include "base/log.h"
#include "engine/evolve_run.h"
#include "engine/watchdog.h"
#include <string.h>

static int64_t leg_end(const pl_evolve_run_state *run, int64_t step) {
  const pl_evolve *e = run->e;
  int64_t end = step + run->tiles * (int64_t)e->march.tiling.depth;
  if (e->every > 0 && (step / e->every + 1) * e->every < end)
    end = (step / e->every + 1) * e->every;
  return end < pl_evolve_last_step(e) ? end : pl_evolve_last_step(e);
}

// One slot, which comes back when the run is over.
static plait_err read_once(void *context, int slot, bool *more) {
  (void)slot;
  *more = !((const pl_evolve_run_state *)context)->over;
  return PLAIT_OK;
}

// ---- team ----

static plait_err take_out(pl_evolve_run_state *run, pl_strands *strands, pl_filled what) {
  if (!pl_strands_take_out(strands, &run->slot))
    return plait_fail(PLAIT_BUG, "no slot for a snapshot");
  run->filled[run->slot] = what;
  return PLAIT_OK;
}

// A slot for the snapshot after `step` steps, which the march fills on its way there.
static plait_err aim(pl_evolve_run_state *run, pl_strands *strands, int64_t step, int thread) {
  pl_evolve *e = run->e;
#pragma omp barrier // everybody has seen the last `error`
  if (thread == 0) {
    run->error = take_out(run, strands, PL_FILLED_SNAPSHOT);
    if (run->error == PLAIT_OK)
      pl_snapshots_aim(&e->snapshots, run->slot, pl_evolve_snapshot_at(e, step), step);
    if (run->error == PLAIT_OK && e->sums) pl_sums_aim(&e->block_sums, step);
  }
#pragma omp barrier
  return run->error;
}

// The writer does not get it before the ranks have agreed that it is finite (hand_over). `looked`:
// what is not finite has been raised already.
static void finish_snapshot(pl_evolve_run_state *run, bool looked, int thread) {
  pl_evolve *e = run->e;
  bool finite = pl_snapshots_finish(&e->snapshots, run->stage->output, run->slot, &e->march.raise);
  if (!finite && !looked) pl_evolve_check_finite(&e->march, run->looked, thread);
  if (e->sums) pl_sums_finish(&e->block_sums, thread);
}

// Where every core computes, the writer takes the time of a thread, and all others wait for that:
// 0.3 ms a snapshot of a globe, 2 % of the time between two. While the seams are done, the last
// thread has nothing to do, and its core is free for longer than that (pl_march.idle).
static void give_late(void *context) {
  pl_evolve_run_state *run = context;
  if (run->late >= 0) pl_strands_give_out(run->strands, run->late);
  run->late = -1;
}

static void give_snapshot(pl_evolve_run_state *run) {
  run->late = run->slot;
  bool soon = run->e->snapshots.nslots < PL_SNAPSHOT_SLOTS || run->e->march.threads == 1;
  if (soon || run->over || !run->stage->task->job->run.overlap) give_late(run);
}

static plait_err hand_over(pl_evolve_run_state *run, int thread) {
  pl_evolve *e = run->e;
#pragma omp barrier
  if (thread == 0) {
    int64_t at = pl_evolve_snapshot_at(e, e->march.step) * e->march.grid.ndiagnoses;
    run->error = e->sums ? pl_sums_total(&e->block_sums, e->sums + at) : PLAIT_OK;
    if (run->error == PLAIT_OK) give_snapshot(run);
  }
#pragma omp barrier
  return run->error;
}

static plait_err begin_state(pl_evolve_run_state *run) {
  TRY(pl_evolve_meet(run)); // no state that is not finite
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
static plait_err give_state(pl_evolve_run_state *run, pl_strands *strands) {
  give_late(run); // a state is worth nothing without the snapshots before it
  TRY(take_out(run, strands, PL_FILLED_STATE));
  pl_strands_give_out(strands, run->slot);
  if (run->why || run->save.in_place) pl_evolve_wait_for_writer(run);
  if (!run->why) return PLAIT_OK;
  TRY(pl_save_commit(&run->save));
  return pl_evolve_stopped(run);
}

static plait_err save_state(pl_evolve_run_state *run, pl_strands *strands, int thread) {
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
static plait_err first_snapshot(pl_evolve_run_state *run, pl_strands *strands, int thread) {
  plait_cells mine;
  TRY(aim(run, strands, 0, thread));
  if (pl_march_share(&run->e->march, thread, &mine)) {
    pl_snapshots_watch(&run->e->snapshots, &mine, 0);
    if (run->e->sums) pl_sums_watch(&run->e->block_sums, &run->e->march.calls[thread], &mine, 0);
  }
  finish_snapshot(run, false, thread);
  return PLAIT_OK;
}

// The ranks hear whether all of them are there.
static plait_err begin(pl_evolve_run_state *run, pl_strands *strands, int thread) {
  bool snapshot = run->e->march.step == 0;
  if (snapshot) TRY(first_snapshot(run, strands, thread));
#pragma omp barrier
  if (thread == 0) {
    run->error = pl_evolve_meet(run);
  }
#pragma omp barrier
  if (thread == 0) run->met = true; // everybody is in here
  TRY(run->error);
  return snapshot ? hand_over(run, thread) : PLAIT_OK;
}

static plait_err march_leg(pl_evolve_run_state *run, pl_strands *strands, int64_t target,
                           int64_t tiles, int thread) {
  pl_march *m = &run->e->march;
  int64_t left = target - m->step;
  if (thread == 0) run->leg_began = pl_now();
#pragma omp barrier
  for (int64_t k = 0; k < tiles; k++) { // tiles of nearly equal depth
    if (thread == 0) pl_watchdog_begin(m->dog, PL_WATCH_TEAM, m->step);
    if (k == tiles - 1 && pl_evolve_snapshot_at(run->e, target) >= 0)
      TRY(aim(run, strands, target, thread));
    TRY(pl_march_tile(m, (int)(left * (k + 1) / tiles - left * k / tiles), thread));
    if (thread == 0) give_late(run); // there was no seam
  }
  return PLAIT_OK;
}

static plait_err do_leg(pl_evolve_run_state *run, pl_strands *strands, int thread) {
  pl_march *m = &run->e->march;
  int64_t before = m->step, target = leg_end(run, before);
  int64_t tiles = (target - before + m->tiling.depth - 1) / m->tiling.depth;
#pragma omp barrier
  TRY(march_leg(run, strands, target, tiles, thread));
  // All of the state costs as much as two steps: between, only what a snapshot will hold.
  bool whole = target == pl_evolve_last_step(run->e) || run->unchecked + tiles >= PL_TILES_OF_A_LEG;
  bool snapshot = pl_evolve_snapshot_at(run->e, target) >= 0;
  if (whole) pl_evolve_check_finite(m, run->looked, thread);
  if (snapshot) finish_snapshot(run, whole, thread);
#pragma omp barrier
  if (thread == 0) {
    run->unchecked = whole ? 0 : run->unchecked + tiles;
    if (whole || snapshot) run->looked = target;
    run->error = pl_evolve_look_around(run, tiles);
  }
#pragma omp barrier
  TRY(run->error);
  if (snapshot) TRY(hand_over(run, thread));
  TRY(save_state(run, strands, thread));
#pragma omp barrier
  if (thread == 0) {
    pl_watchdog_end(m->dog, PL_WATCH_TEAM);
    pl_strands_lap(strands);
  }
  return PLAIT_OK;
}

static plait_err march_on(pl_evolve_run_state *run, pl_strands *strands, int thread) {
  TRY(begin(run, strands, thread));
#pragma omp barrier
  do TRY(do_leg(run, strands, thread));
  while (!run->over);
  return PLAIT_OK;
}

static plait_err do_legs(void *context, pl_strands *strands, int slot, int thread) {
  pl_evolve_run_state *run = context;
  (void)slot;
  if (thread == 0) run->strands = strands;
  plait_err err = march_on(run, strands, thread);
#pragma omp barrier
  if (thread == 0) give_late(run); // whatever ended the run, what was finished is written
  return err;
}

// ---- writer strand ----

// Its errors wait for the end of the leg.
static plait_err write_slot(void *context, int slot) {
  pl_evolve_run_state *run = context;
  pl_stage *stage = run->stage;
  int64_t *bytes = &stage->meter->bytes_written;
  pl_watchdog_begin(stage->dog, PL_WATCH_WRITE, -1);
  if (run->filled[slot] == PL_FILLED_STATE) {
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

static void watch(void *context, const plait_call *call, const plait_cells *box) {
  pl_evolve *e = context;
  pl_gauges_watch(&e->gauges, box);
  if (box->step + 1 != e->snapshots.step) return;
  if (e->sums) pl_sums_watch(&e->block_sums, call, box, box->step + 1);
  pl_snapshots_watch(&e->snapshots, box, box->step + 1);
}

static void set_up(pl_stage *stage, pl_evolve_run_state *run) {
  pl_evolve *e = stage->task->evolve;
  pl_evolve_warn(e, stage->outcome.warning, sizeof stage->outcome.warning);
  if (e->resumed == 0) pl_gauges_initial(&e->gauges);
  e->march.dog = stage->dog;
  e->march.tiling.watch = watch;
  e->march.tiling.poke = poke;
  e->march.tiling.context = e;
  e->march.idle = give_late;
  e->march.idle_context = run;
  e->march.halo.trace = stage->meter->trace;
  e->march.halo.waited = 0; // for ranks that were later to set up: part of the start
  *run =
      (pl_evolve_run_state){.stage = stage, .e = e, .looked = e->resumed, .tiles = 1, .late = -1};
  run->saved = pl_now();
  run->saves = e->store && pl_output_stores(stage->output);
  pl_save_start(e, stage->output, &run->save);
}

plait_err pl_evolve_run(pl_stage *stage) {
  pl_evolve_run_state run;
  set_up(stage, &run);
  pl_evolve *e = run.e;
  pl_strand_work work = {.read = read_once,
                         .compute = do_legs,
                         .write = write_slot,
                         .nin = 1,
                         .nout = e->snapshots.nslots};
  plait_err err = pl_strands_run(&work, &run, stage->placement, e->march.threads,
                                 stage->task->job->run.overlap, stage->meter);
  if (err != PLAIT_OK && !run.met) { // this rank could not start: the others hear of it in `begin`
    pl_raise(&e->march.raise, err, "%s", pl_message());
    err = pl_evolve_meet(&run);
  } else {
    if (err == PLAIT_OK) err = pl_raised(&run.written); // of the last snapshots
    err = pl_comm_agree(stage->comm, err);
  }
  pl_save_stop(&run.save);
  bool keep = pl_evolve_last_step(e) == e->steps;
  if (err == PLAIT_OK && keep && e->gauges.n > 0) err = pl_gauges_gather(&e->gauges);
  if (err == PLAIT_OK && keep)
    err = pl_comm_agree(stage->comm, pl_evolve_store_rest(e, stage->output));
  pl_march_count(&e->march, e->march.step - e->resumed, stage->meter);
  return err;
}
