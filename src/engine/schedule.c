// SPDX-License-Identifier: BSD-3-Clause
//
// Counters over comm.h (schedule.h says why). A claim costs one fetch-and-add; an exhausted victim
// is asked once and remembered, so that ending costs each rank at most one question per other rank.
//
// Passes take turns between two banks of counters. While one is in use nobody touches the other,
// and its owner sets it back to zero; before it is in use again all ranks have met.
#include "engine/schedule.h"
#include "base/mem.h"
#include "data/split.h"
#include <stdatomic.h>

enum { NEXT, DONE, COUNTERS, BANKS = 2 };
#define HALT ((int64_t)1 << 50)

struct pl_scheduler {
  pl_comm *comm;
  pl_counters *counters;
  pl_schedule_kind kind;
  int64_t units, batch;
  int bank;
  int rank, size;
  int victim;    // whose share we take from: rank, rank + 1, ... (mod size)
  int exhausted; // how many shares are known to be empty
  atomic_bool halted;
};

static void begin(pl_scheduler *s, int64_t units, int64_t batch) {
  s->units = units;
  s->batch = batch > 0 ? batch : 1;
  s->victim = s->rank;
  s->exhausted = 0;
}

plait_err pl_schedule_start(pl_comm *comm, pl_schedule_kind kind, int64_t units, int64_t batch,
                            pl_scheduler **out) {
  pl_scheduler *s = NULL;
  *out = NULL;
  TRY(pl_comm_agree(comm, pl_calloc(1, sizeof *s, &s)));
  *s = (pl_scheduler){.comm = comm, .kind = kind};
  s->rank = pl_comm_rank(comm);
  s->size = pl_comm_size(comm);
  begin(s, units, batch);
  plait_err err = pl_counters_start(comm, BANKS * COUNTERS, &s->counters);
  if (err != PLAIT_OK) pl_free(&s);
  *out = s;
  return err;
}

void pl_schedule_stop(pl_scheduler **at) {
  if (!*at) return;
  pl_counters_stop(&(*at)->counters);
  pl_free(at);
}

static plait_err add(pl_scheduler *s, int rank, int index, int64_t delta, int64_t *before) {
  pl_comm_lock(s->comm);
  plait_err err = pl_counters_add(s->counters, rank, s->bank * COUNTERS + index, delta, before);
  pl_comm_unlock(s->comm);
  return err;
}

plait_err pl_schedule_again(pl_scheduler *s, int64_t units, int64_t batch) {
  for (int index = 0; index < COUNTERS; index++) { // of the pass before: all ranks have left it
    int64_t was = 0, before;
    TRY(add(s, s->rank, index, 0, &was));
    TRY(add(s, s->rank, index, -was, &before));
  }
  s->bank = (s->bank + 1) % BANKS;
  begin(s, units, batch);
  return PLAIT_OK;
}

plait_err pl_schedule_next(pl_scheduler *s, int64_t *first, int64_t *count, bool *stolen) {
  int shares = s->kind == PL_SCHEDULE_STATIC ? 1 : s->size;
  *count = 0;
  while (s->exhausted < shares && !atomic_load(&s->halted)) {
    int64_t share_first, share_count, before = 0;
    pl_share(s->units, s->size, s->victim, &share_first, &share_count);
    TRY(add(s, s->victim, NEXT, s->batch, &before));
    if (before >= HALT) {
      atomic_store(&s->halted, true);
    } else if (before < share_count) {
      int64_t left = share_count - before;
      *first = share_first + before;
      *count = left < s->batch ? left : s->batch;
      *stolen = s->victim != s->rank;
      return PLAIT_OK;
    } else {
      s->exhausted++;
      s->victim = (s->victim + 1) % s->size;
    }
  }
  return PLAIT_OK;
}

plait_err pl_schedule_halt(pl_scheduler *s) {
  atomic_store(&s->halted, true);
  for (int rank = 0; rank < s->size; rank++) {
    int64_t before;
    TRY(add(s, rank, NEXT, HALT, &before));
  }
  int64_t before;
  return add(s, 0, DONE, HALT, &before); // for a rank 0 that has no more to claim and waits
}

bool pl_schedule_halted(const pl_scheduler *s) {
  return atomic_load(&s->halted);
}

plait_err pl_schedule_done(pl_scheduler *s, int64_t units, int64_t *total) {
  int64_t before = 0;
  TRY(add(s, 0, DONE, units, &before));
  if (before >= HALT) atomic_store(&s->halted, true);
  *total = before % HALT + units;
  return PLAIT_OK;
}
