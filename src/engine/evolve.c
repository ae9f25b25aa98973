// SPDX-License-Identifier: BSD-3-Clause
//
// The evolve pattern at run time. A *leg* is a stretch of steps between two points at which
// something is to be done: a snapshot, or looking after errors and signals (at least every sixteen
// time tiles). The reader strand only counts legs; the team marches; the writer strand stores
// snapshots meanwhile. All messages between ranks are the leader's, polled between fronts.
#include "engine/evolve.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/strands.h"
#include "host/stop.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TILES_OF_A_LEG = 16 };

typedef struct evolve_run {
  pl_stage *stage;
  pl_evolve *e;
  int64_t read_to; // step at which the last leg handed out ends
  plait_err error;
  int slot;
} evolve_run;

static int64_t last_step(const pl_evolve *e) {
  return pl_task_sample(e->task, e->steps);
}

static int64_t leg_end(const pl_evolve *e, int64_t step) {
  int64_t end = step + TILES_OF_A_LEG * (int64_t)e->march.tiling.depth;
  if (e->every > 0 && (step / e->every + 1) * e->every < end)
    end = (step / e->every + 1) * e->every;
  return end < last_step(e) ? end : last_step(e);
}

static plait_err read_leg(void *context, int slot, bool *more) {
  evolve_run *run = context;
  (void)slot;
  *more = run->read_to < last_step(run->e);
  run->read_to = leg_end(run->e, run->read_to);
  return PLAIT_OK;
}

// Whether a row has a value whose exponent is all ones. On integers, because a sum of floats is not
// vectorised.
PLAIT_WIDE static bool bad_f32(const void *row, int64_t n) {
  const uint32_t *x = row, ones = 0x7f800000u;
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad != 0;
}

PLAIT_WIDE static bool bad_f64(const void *row, int64_t n) {
  const uint64_t *x = row, ones = 0x7ff0000000000000u;
  uint64_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad != 0;
}

// The first row of this thread's own cells with a value that is not finite; -1 none.
static int64_t find_bad(const pl_march *m, int field, int thread) {
  const pl_part *p = &m->fields.part;
  const char *data = pl_fields_at(&m->fields, field, m->step);
  int last = p->ndim - 1;
  int64_t rows = 1;
  for (int a = 0; a < last; a++) rows *= p->n[a];
  for (int64_t r = thread; r < rows; r += m->threads) {
    int64_t cell[PL_AXES] = {0}, rest = r;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = p->lo[a] + rest % p->n[a];
      rest /= p->n[a];
    }
    cell[last] = p->lo[last];
    const char *at = data + pl_part_offset(p, cell) * (ptrdiff_t)m->fields.size[field];
    bool bad =
        m->grid.field[field].type == PLAIT_F32 ? bad_f32(at, p->n[last]) : bad_f64(at, p->n[last]);
    if (bad) return r;
  }
  return -1;
}

static void check_finite(pl_march *m, int64_t before, int thread) {
  for (int f = 0; f < m->grid.nfields; f++) {
    if (m->grid.field[f].fixed) continue;
    int64_t row = find_bad(m, f, thread);
    if (row < 0) continue;
    const pl_part *p = &m->fields.part;
    int last = p->ndim - 1;
    int64_t cell[PL_AXES] = {0}, rest = row, i = 0;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = p->lo[a] + rest % p->n[a];
      rest /= p->n[a];
    }
    cell[last] = p->lo[last];
    const char *at = pl_fields_at(&m->fields, f, m->step) +
                     pl_part_offset(p, cell) * (ptrdiff_t)m->fields.size[f];
    while (i < p->n[last] - 1 &&
           isfinite(m->grid.field[f].type == PLAIT_F32 ? ((const float *)(const void *)at)[i]
                                                       : ((const double *)(const void *)at)[i]))
      i++;
    char place[100];
    if (p->ndim == 3)
      snprintf(place, sizeof place, "%lld, %lld, %lld", (long long)cell[0], (long long)cell[1],
               (long long)(p->lo[last] + i));
    else
      snprintf(place, sizeof place, "%lld, %lld", (long long)cell[0], (long long)(p->lo[last] + i));
    pl_raise(&m->raise, PLAIT_KERNEL,
             "%s is NaN or infinite at cell (%s) after step %lld (it was well after step %lld)",
             m->grid.field[f].name, place, (long long)m->step, (long long)before);
    return;
  }
}

// What all ranks must know before one of them stops. Leader; collective.
static plait_err agree(evolve_run *run) {
  pl_march *m = &run->e->march;
  plait_err err = pl_raised(&m->raise);
  if (err == PLAIT_OK && pl_stop_asked()) err = pl_stage_check_stop(run->stage);
  return pl_comm_agree(m->comm, err);
}

static void tell(evolve_run *run) {
  pl_stage *stage = run->stage;
  double now = pl_now();
  if (!stage->progress || pl_comm_rank(stage->comm) != 0) return;
  if (now - stage->last < 0.2 && run->e->march.step < run->e->steps) return;
  stage->last = now;
  stage->progress->tell(stage->progress->data, run->e->march.step, run->e->steps, 0,
                        now - stage->start);
}

// The state as a snapshot when this step is one. Team.
static plait_err take_snapshot(evolve_run *run, pl_strands *strands, int thread) {
  pl_evolve *e = run->e;
  int64_t step = e->march.step;
  bool due = e->every > 0 ? step % e->every == 0 : step == 0 || step == e->steps;
  if (!due) return PLAIT_OK;
  int64_t index = e->every > 0 ? step / e->every : step != 0;
  if (thread == 0) {
    run->error = PLAIT_OK;
    if (!pl_strands_take_out(strands, &run->slot)) run->slot = -1;
    if (e->sums) run->error = pl_evolve_sums(e, e->sums + index * e->march.grid.ndiagnoses);
  }
#pragma omp barrier
  if (run->slot < 0 || run->error != PLAIT_OK) return run->error;
  pl_snapshots_take(&e->snapshots, run->stage->output, run->slot, index, &e->march.raise, thread);
  if (thread == 0) pl_strands_give_out(strands, run->slot);
  return PLAIT_OK;
}

static plait_err do_leg(void *context, pl_strands *strands, int slot, int thread) {
  evolve_run *run = context;
  pl_march *m = &run->e->march;
  (void)slot;
  if (m->step == 0) TRY(take_snapshot(run, strands, thread));
  int64_t before = m->step, target = leg_end(run->e, before), left = target - before;
  int64_t tiles = (left + m->tiling.depth - 1) / m->tiling.depth;
#pragma omp barrier
  for (int64_t k = 0; k < tiles; k++) // tiles of nearly equal depth
    TRY(pl_march_tile(m, (int)(left * (k + 1) / tiles - left * k / tiles), thread));
  check_finite(m, before, thread);
#pragma omp barrier
  if (thread == 0) {
    run->error = agree(run);
    if (run->error == PLAIT_OK) tell(run);
  }
#pragma omp barrier
  TRY(run->error);
  return take_snapshot(run, strands, thread);
}

static plait_err write_snapshot(void *context, int slot) {
  evolve_run *run = context;
  return pl_snapshots_store(&run->e->snapshots, run->stage->output, slot,
                            &run->stage->meter->bytes_written);
}

// A small array that rank 0 has whole.
static plait_err store_small(pl_output *output, int var, int ndim, const int64_t n[], void *data) {
  pl_box box = {.ndim = ndim};
  memcpy(box.n, n, (size_t)ndim * sizeof *n);
  plait_raise raise = {0};
  plait_block block = pl_block_over(data, PLAIT_F64, &box, NULL);
  pl_output_encode(output, var, &block, &raise);
  TRY(pl_raised(&raise));
  return pl_output_store(output, var, &block);
}

static plait_err store_sums(pl_evolve *e, pl_output *output) {
  int n = e->march.grid.ndiagnoses;
  double *series = NULL;
  TRY(pl_alloc((size_t)e->nsnapshots, sizeof *series, &series));
  plait_err err = PLAIT_OK;
  for (int d = 0; d < n && err == PLAIT_OK; d++) {
    for (int64_t i = 0; i < e->nsnapshots; i++) series[i] = e->sums[i * n + d];
    err = store_small(output, e->var_sum + d, 1, &e->nsnapshots, series);
  }
  pl_free(&series);
  return err;
}

static plait_err store_gauges(pl_evolve *e, pl_output *output) {
  const pl_job *job = e->task->job;
  const int64_t n[2] = {e->gauges.samples, e->gauges.n};
  pl_text name = {0};
  pl_text_add(&name, "%s.gauges.csv", job->output);
  const char *file = job->evolve.gauge_file[0] ? job->evolve.gauge_file : name.at;
  bool kept = job->evolve.gauge_file[0] || strncmp(job->output, "null:", 5) != 0;
  plait_err err = name.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
  if (err == PLAIT_OK && kept) err = pl_gauges_write_csv(&e->gauges, file);
  if (err == PLAIT_OK) err = store_small(output, e->var_gauge, 2, n, e->gauges.value);
  pl_text_free(&name);
  return err;
}

static plait_err store_rest(pl_evolve *e, pl_output *output) {
  int mask = e->march.grid.field[0].mask - 1;
  if (e->var_maximum >= 0)
    TRY(pl_snapshots_store_field(&e->snapshots, output, e->var_maximum, e->gauges.maximum, -FLT_MAX,
                                 mask));
  if (e->var_arrival >= 0)
    TRY(pl_snapshots_store_field(&e->snapshots, output, e->var_arrival, e->gauges.arrival, -1,
                                 mask));
  if (pl_comm_rank(e->march.comm) != 0) return PLAIT_OK;
  if (e->sums) TRY(store_sums(e, output));
  return e->gauges.n > 0 ? store_gauges(e, output) : PLAIT_OK;
}

static void poke(void *context) {
  pl_halo_poke(&((pl_gauges *)context)->march->halo);
}

static void fill_meter(const pl_evolve *e, pl_meter *meter) {
  int64_t cells = 1;
  for (int a = 0; a < e->march.grid.ndim; a++) cells *= e->march.fields.part.n[a];
  meter->cells += cells * e->march.step;
  meter->blocks += e->march.step;
  meter->messages += e->march.halo.messages;
  meter->bytes_sent += e->march.halo.bytes;
  meter->comm += e->march.halo.waited;
}

plait_err pl_evolve_run(pl_stage *stage) {
  pl_evolve *e = stage->task->evolve;
  evolve_run run = {.stage = stage, .e = e};
  const double *coord[PL_AXES] = {e->coord[0], e->coord[1], e->coord[2]};
  if (pl_comm_rank(stage->comm) == 0) pl_gauges_tell(&e->gauges, coord);
  pl_gauges_initial(&e->gauges);
  e->march.tiling.watch =
      e->gauges.n || e->gauges.maximum || e->gauges.arrival ? pl_gauges_watch : NULL;
  e->march.tiling.poke = pl_halo_remote(&e->march.halo) ? poke : NULL;
  e->march.tiling.context = &e->gauges;
  pl_strand_work work = {.read = read_leg,
                         .compute = do_leg,
                         .write = write_snapshot,
                         .nin = 1,
                         .nout = PL_SNAPSHOT_SLOTS};
  plait_err err = pl_strands_run(&work, &run, stage->placement, e->march.threads,
                                 stage->task->job->run.overlap, stage->meter);
  err = pl_comm_agree(stage->comm, err);
  bool keep = last_step(e) == e->steps;
  if (err == PLAIT_OK && keep && e->gauges.n > 0) err = pl_gauges_gather(&e->gauges);
  if (err == PLAIT_OK && keep) err = pl_comm_agree(stage->comm, store_rest(e, stage->output));
  fill_meter(e, stage->meter);
  return err;
}
