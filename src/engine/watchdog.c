// SPDX-License-Identifier: BSD-3-Clause
//
// See watchdog.h.
#include "engine/watchdog.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { LOCKS = 2 }; // of a study, of the run inside it

struct pl_watchdog {
  pl_watchdog_plan plan;
  pl_lock *lock[LOCKS]; // guarded by mutex; NULL: none
  int64_t moves;        // the thread's: pl_moves() when it looked last
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  bool over;                        // guarded by mutex
  _Atomic double moved;             // when anything began or ended last
  _Atomic double began[PL_WATCHED]; // 0: waits
  _Atomic int64_t at[PL_WATCHED];
};

static const struct {
  const char *busy, *waits;
} words[PL_WATCHED] = {
    [PL_WATCH_READ] = {"the reader reads", "the reader waits for the team"},
    [PL_WATCH_TEAM] = {"the team computes", "the team waits for the reader or the writer"},
    [PL_WATCH_WRITE] = {"the writer writes", "the writer waits for results"},
    [PL_WATCH_RANKS] = {"this rank waits for the others", NULL},
    [PL_WATCH_FILES] = {"this rank opens files", NULL},
};

void pl_watchdog_line(int rank, const char *host, double stall, const double since[PL_WATCHED],
                      const int64_t at[PL_WATCHED], char *out, size_t room) {
  pl_text text = {0};
  char time[32];
  pl_format_time(stall, time);
  pl_text_add(&text, "nothing has moved on rank %d (%s) for %s (run.stall): ", rank, host, time);
  bool alone = since[PL_WATCH_RANKS] >= 0 || since[PL_WATCH_FILES] >= 0;
  const char *comma = "";
  for (int w = alone ? PL_WATCH_RANKS : 0; w < PL_WATCHED; w++) {
    if (alone && since[w] < 0) continue;
    const char *word = since[w] >= 0 ? words[w].busy : words[w].waits;
    if (!word) continue;
    pl_text_add(&text, "%s%s", comma, word);
    if (since[w] >= 0 && at[w] >= 0) pl_text_add(&text, " block %lld", (long long)at[w]);
    if (since[w] >= 0) pl_text_add(&text, " since %.0f s", since[w]);
    comma = "; ";
  }
  snprintf(out, room, "%s", text.at ? text.at : "nothing has moved (run.stall)");
  pl_text_free(&text);
}

static void bite(pl_watchdog *dog, double now) {
  double since[PL_WATCHED];
  int64_t at[PL_WATCHED];
  char line[512];
  for (int w = 0; w < PL_WATCHED; w++) {
    double began = atomic_load(&dog->began[w]);
    since[w] = began > 0 ? now - began : -1;
    at[w] = atomic_load(&dog->at[w]);
  }
  const pl_watchdog_plan *plan = &dog->plan;
  pl_watchdog_line(pl_comm_rank(plan->comm), pl_comm_host(plan->comm), plan->stall, since, at, line,
                   sizeof line);
  if (plan->stalled) plan->stalled(plan->data, line);
  pl_comm_abort(plan->comm, 1);
}

static void look_at_moves(pl_watchdog *dog, double now) {
  int64_t moves = pl_moves();
  if (moves != dog->moves) atomic_store_explicit(&dog->moved, now, memory_order_relaxed);
  dog->moves = moves;
}

// A rank that waits for others leaves them the first word: they know better.
static bool is_stalled(const pl_watchdog *dog, double now) {
  bool waits = atomic_load(&dog->began[PL_WATCH_RANKS]) > 0;
  double patience = dog->plan.stall * (waits ? 1.25 : 1);
  if (dog->plan.stall <= 0 || now - atomic_load(&dog->moved) < patience) return false;
  for (int w = 0; w < PL_WATCHED; w++)
    if (atomic_load(&dog->began[w]) > 0) return true;
  return false; // it waits for other ranks: theirs will bite
}

static void *watch(void *data) {
  pl_watchdog *dog = data;
  double tick = dog->plan.stall > 0 && dog->plan.stall / 8 < PL_LOCK_BEAT ? dog->plan.stall / 8
                                                                          : PL_LOCK_BEAT;
  pthread_mutex_lock(&dog->mutex);
  while (!dog->over) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double seconds = (double)until.tv_nsec * 1e-9 + tick;
    until.tv_sec += (time_t)seconds;
    until.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9);
    pthread_cond_timedwait(&dog->wake, &dog->mutex, &until);
    if (dog->over) break;
    for (int i = 0; i < LOCKS; i++) pl_lock_beat(dog->lock[i]);
    double now = pl_now();
    look_at_moves(dog, now);
    if (is_stalled(dog, now)) bite(dog, now);
  }
  pthread_mutex_unlock(&dog->mutex);
  return NULL;
}

plait_err pl_watchdog_start(const pl_watchdog_plan *plan, pl_watchdog **out) {
  pl_watchdog *dog = NULL;
  pthread_condattr_t clock;
  *out = NULL;
  TRY(pl_calloc(1, sizeof *dog, &dog));
  dog->plan = *plan;
  atomic_store(&dog->moved, pl_now());
  pthread_mutex_init(&dog->mutex, NULL);
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&dog->wake, &clock);
  pthread_condattr_destroy(&clock);
  if (pthread_create(&dog->thread, NULL, watch, dog) != 0) {
    pthread_cond_destroy(&dog->wake);
    pthread_mutex_destroy(&dog->mutex);
    pl_free(&dog);
    return plait_fail(PLAIT_MEMORY, "cannot start a thread");
  }
  *out = dog;
  return PLAIT_OK;
}

void pl_watchdog_stop(pl_watchdog **at) {
  pl_watchdog *dog = *at;
  if (!dog) return;
  pthread_mutex_lock(&dog->mutex);
  dog->over = true;
  pthread_cond_signal(&dog->wake);
  pthread_mutex_unlock(&dog->mutex);
  pthread_join(dog->thread, NULL);
  pthread_cond_destroy(&dog->wake);
  pthread_mutex_destroy(&dog->mutex);
  pl_free(at);
}

void pl_watchdog_guard(pl_watchdog *dog, pl_lock *lock) {
  if (!dog || !lock) return;
  pthread_mutex_lock(&dog->mutex);
  dog->lock[dog->lock[0] ? 1 : 0] = lock;
  pthread_mutex_unlock(&dog->mutex);
}

void pl_watchdog_leave(pl_watchdog *dog, const pl_lock *lock) {
  if (!dog || !lock) return;
  pthread_mutex_lock(&dog->mutex);
  for (int i = 0; i < LOCKS; i++)
    if (dog->lock[i] == lock) dog->lock[i] = NULL;
  pthread_mutex_unlock(&dog->mutex);
}

void pl_watchdog_rest(pl_watchdog *dog) {
  if (!dog) return;
  for (int w = 0; w < PL_WATCHED; w++) atomic_store(&dog->began[w], 0);
}

void pl_watchdog_begin(pl_watchdog *dog, pl_watched who, int64_t at) {
  if (!dog) return;
  double now = pl_now();
  atomic_store_explicit(&dog->at[who], at, memory_order_relaxed);
  atomic_store_explicit(&dog->began[who], now, memory_order_relaxed);
  atomic_store_explicit(&dog->moved, now, memory_order_relaxed);
}

void pl_watchdog_end(pl_watchdog *dog, pl_watched who) {
  if (!dog) return;
  atomic_store_explicit(&dog->began[who], 0, memory_order_relaxed);
  atomic_store_explicit(&dog->moved, pl_now(), memory_order_relaxed);
}
