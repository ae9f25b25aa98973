// SPDX-License-Identifier: BSD-3-Clause
//
// What the ranks tell each other between two legs, and what the leader does then: progress, the
// length of the next leg, the ends of checkpoints.
#include "engine/evolve_run.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/watchdog.h"
#include "host/stop.h"

static const double leg_seconds = 1;
static const double guess_rate = 100e6; // bytes/s of the first checkpoint, before one was measured

int64_t pl_evolve_last_step(const pl_evolve *e) {
  return pl_task_sample(e->task, e->steps);
}

enum { FAILED, WHY, DUE, BUSY, TILE_NS, WORDS };

static plait_err own_error(pl_evolve_run_state *run) {
  plait_err err = pl_raised(&run->e->march.raise);
  return err != PLAIT_OK ? err : pl_raised(&run->written);
}

static void fill_words(pl_evolve_run_state *run, plait_err err, int64_t tiles, int64_t word[]) {
  const pl_stage *stage = run->stage;
  double now = pl_now(), wait = stage->task->job->run.checkpoint;
  word[FAILED] = err != PLAIT_OK;
  word[WHY] = pl_stop_why();
  word[DUE] = pl_comm_rank(stage->comm) == 0 && now - run->saved >= wait;
  word[BUSY] = run->save.under_way && !atomic_load(&run->save.written);
  word[TILE_NS] = tiles > 0 ? (int64_t)((now - run->leg_began) * 1e9 / (double)tiles) : 0;
}

// Collective. An error of any rank is the error of all.
static plait_err meet(pl_evolve_run_state *run, int64_t tiles, int64_t word[]) {
  pl_stage *stage = run->stage;
  plait_err err = own_error(run);
  fill_words(run, err, tiles, word);
  pl_watchdog_begin(stage->dog, PL_WATCH_RANKS, run->e->march.step);
  plait_err met = pl_comm_max_int(stage->comm, word, WORDS);
  if (met == PLAIT_OK && word[FAILED]) met = pl_comm_agree(stage->comm, err);
  pl_watchdog_end(stage->dog, PL_WATCH_RANKS);
  return met;
}

plait_err pl_evolve_meet(pl_evolve_run_state *run) {
  int64_t word[WORDS];
  return meet(run, 0, word);
}

static void tell(pl_evolve_run_state *run) {
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

plait_err pl_evolve_stopped(const pl_evolve_run_state *run) {
  char reason[80];
  if (!run->saves) return pl_stage_check_stop(run->stage);
  pl_stop_text(run->why, reason);
  return plait_fail(PLAIT_STOPPED, "stopped by %s with %lld of %lld steps done", reason,
                    (long long)run->e->march.step, (long long)run->e->steps);
}

// What stopping will take: the rest of a leg, and a checkpoint.
static void set_margin(const pl_evolve_run_state *run, int64_t tile_ns) {
  double save = run->saves ? pl_checkpoint_seconds(run->e->store) : 0;
  if (run->saves && save == 0) save = (double)pl_save_bytes(run->e) / guess_rate;
  pl_stop_margin(2 * save + 2 * (double)(tile_ns * run->tiles) * 1e-9);
}

// One that could not be written is no reason to end the run: the last good one stays.
static plait_err commit(pl_evolve_run_state *run) {
  plait_err err = pl_save_commit(&run->save);
  run->saved = pl_now();
  if (err == PLAIT_OK || err == PLAIT_COMM) return err;
  if (pl_comm_rank(run->stage->comm) == 0)
    pl_log(PL_LOG_WARNING, "a checkpoint could not be written: %s", pl_message());
  return PLAIT_OK;
}

void pl_evolve_wait_for_writer(const pl_evolve_run_state *run) {
  while (!atomic_load(&run->save.written)) pl_sleep(0.001); // the watchdog watches the writer
}

plait_err pl_evolve_look_around(pl_evolve_run_state *run, int64_t tiles) {
  pl_evolve *e = run->e;
  int64_t word[WORDS], step = e->march.step;
  run->save_now = false;
  TRY(meet(run, tiles, word));
  if (word[TILE_NS] > 0) {
    double fit = leg_seconds * 1e9 / (double)word[TILE_NS];
    run->tiles = fit > PL_TILES_OF_A_LEG ? PL_TILES_OF_A_LEG : fit < 1 ? 1 : (int64_t)fit;
  }
  tell(run);
  run->over = step >= pl_evolve_last_step(e);
  if (run->over) return PLAIT_OK; // a signal now finds it done
  run->why = (int)word[WHY];
  if (run->why && !run->saves) return pl_evolve_stopped(run);
  if (run->save.under_way && (!word[BUSY] || run->why)) {
    pl_evolve_wait_for_writer(run);
    TRY(commit(run));
  }
  set_margin(run, word[TILE_NS]);
  run->save_now = run->saves && !run->save.under_way && (run->why || word[DUE]);
  return PLAIT_OK;
}
