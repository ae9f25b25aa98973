// SPDX-License-Identifier: BSD-3-Clause
//
// Order of a time tile on a rank with neighbours:
//
//   pack and post the halos | interior, narrowing away from the neighbours | wait | shells
//
// The interior needs no halo; the shells are what it left out. They are done for the last axis
// first, each over the whole width of the axes behind it and narrowed along those before it, so
// that each finds what it reads. A part too thin for an interior waits first and is done as one
// region.
#include "engine/evolve_march.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/watchdog.h"
#include <math.h>
#include <string.h>

static int64_t greater(int64_t a, int64_t b) {
  return a > b ? a : b;
}

int64_t pl_march_reach(const plait_grid *g, int axis, int side) {
  int64_t reach = 1;
  for (int s = 0; s < g->nstages; s++)
    reach = greater(reach, side ? g->stage[s].above[axis] : g->stage[s].below[axis]);
  return reach;
}

static void set_halo_depths(pl_march *m, pl_part *part) {
  int last = m->tiling.depth * m->grid.nstages - 1;
  for (int a = 0; a < part->ndim; a++)
    for (int side = 0; side < 2; side++) {
      bool ghost = part->side[a][side] == PL_SIDE_WALL || (part->wrap && a == part->ndim - 1);
      int64_t depth = pl_march_reach(&m->grid, a, side);
      if (!ghost) depth = greater(depth, pl_tiling_lag(&m->tiling, last, a, side));
      *(side ? &part->above[a] : &part->below[a]) = depth;
    }
}

// No halo may be deeper than the thinnest part.
static int64_t deepest(const pl_march *m, const pl_part *part, int64_t wished) {
  int64_t most = wished > 0 ? wished : PL_LEVELS;
  for (int a = 0; a < part->ndim; a++) {
    bool halo = part->side[a][0] != PL_SIDE_WALL || part->side[a][1] != PL_SIDE_WALL;
    if (!halo || (part->wrap && a == part->ndim - 1)) continue;
    int64_t reach = greater(pl_decompose_reach(&m->grid, a, 0), pl_decompose_reach(&m->grid, a, 1));
    int64_t steps = reach > 0 ? pl_decompose_least(&m->grid, m->ranks, a) / reach : PL_LEVELS;
    most = steps < most ? steps : most;
  }
  return most;
}

static void start_calls(pl_march *m, const pl_march_setup *setup) {
  for (int t = 0; t < m->threads; t++)
    m->calls[t] = (plait_call){.problem = setup->problem,
                               .params = setup->params,
                               .state = m->state,
                               .thread = t,
                               .threads = m->threads,
                               .raise = &m->raise};
}

// Ranks may have different threads or caches; halos are as deep as a tile, so the shallowest wish
// counts. Every rank gets here: what can fail before depends on the grid alone.
static plait_err agree_on_depth(pl_comm *comm, pl_tiling *tiling) {
  int64_t depth = -tiling->depth;
  TRY(pl_comm_max_int(comm, &depth, 1));
  tiling->depth = (int)-depth;
  return PLAIT_OK;
}

// In double precision: a grid that nobody has memory for may overflow integers too.
static plait_err check_bytes(const pl_march *m, const pl_part *part, double most) {
  double cells = 1, bytes = 0;
  for (int f = 0; f < m->grid.nfields; f++)
    bytes += (double)((1 + (int)m->grid.field[f].twice) * (int64_t)m->fields.size[f]);
  for (int a = 0; a < part->ndim; a++)
    cells *= (double)part->n[a] + (double)(part->below[a] + part->above[a]);
  if (!(most > 0) || cells * bytes <= most) return PLAIT_OK;
  char shape[80], wanted[32], there[32];
  pl_format_size((int64_t)fmin(cells * bytes, 0x1p62), wanted);
  pl_format_size((int64_t)most, there);
  return plait_fail(PLAIT_JOB,
                    "the grid of %s cells takes %s of memory on a rank, which may have %s: use "
                    "more ranks or fewer cells, or raise run.memory",
                    pl_decompose_shape(&m->grid, shape), wanted, there);
}

static plait_err start(pl_comm *comm, const pl_march_setup *setup, pl_march *m) {
  pl_part part;
  setup->kernel->evolve.plan(setup->problem, setup->params, &m->grid);
  TRY(pl_decompose_check(&m->grid));
  TRY(pl_decompose_choose(&m->grid, pl_comm_size(comm), m->ranks));
  pl_decompose_part(&m->grid, m->ranks, pl_comm_rank(comm), &part);
  m->tiling = (pl_tiling){.kernel = setup->kernel, .grid = &m->grid, .fields = &m->fields};
  pl_tiling_reach(&m->tiling);
  m->fields.part = part; // choosing a depth needs its extents
  int64_t most = deepest(m, &part, setup->most_depth);
  if (most < 1) return plait_fail(PLAIT_BUG, "a part is thinner than what a step reads");
  for (int a = 0; a < part.ndim; a++) // the same depth on every rank
    m->fields.part.n[a] = pl_decompose_least(&m->grid, m->ranks, a);
  for (int f = 0; f < m->grid.nfields; f++)
    m->fields.size[f] = plait_type_size(m->grid.field[f].type);
  pl_tiling_choose(&m->tiling, setup->cache, setup->depth, most, setup->threads);
  TRY(agree_on_depth(comm, &m->tiling));
  set_halo_depths(m, &part);
  TRY(check_bytes(m, &part, setup->most_bytes));
  pl_part_lay_out(&part);
  TRY(pl_fields_start(&m->grid, &part, &m->fields));
  pl_tiling_choose(&m->tiling, setup->cache, m->tiling.depth, most, setup->threads);
  TRY(pl_halo_start(comm, &m->fields, &m->tiling, m->ranks, &m->halo));
  TRY(pl_calloc(m->grid.state_bytes, 1, &m->state));
  TRY(pl_calloc((size_t)m->threads, sizeof *m->calls, &m->calls));
  TRY(pl_alloc((size_t)m->threads, sizeof *m->regions, &m->regions));
  start_calls(m, setup);
  return PLAIT_OK;
}

plait_err pl_march_start(pl_comm *comm, const pl_march_setup *setup, pl_march *m) {
  *m = (pl_march){.comm = comm, .kernel = setup->kernel, .threads = setup->threads};
  m->overlap = setup->overlap;
  plait_err err = start(comm, setup, m);
  if (err != PLAIT_OK) pl_march_stop(m);
  return err;
}

void pl_march_stop(pl_march *m) {
  pl_halo_stop(&m->halo);
  pl_fields_stop(&m->fields);
  pl_free(&m->state);
  pl_free(&m->calls);
  pl_free(&m->regions);
}

void pl_march_cells(const pl_march *m, int64_t step, const int64_t lo[], const int64_t n[],
                    plait_cells *cells) {
  *cells = (plait_cells){.grid = &m->grid, .dt = m->dt, .step = step};
  for (int a = 0; a < m->grid.ndim; a++) {
    cells->lo[a] = lo[a];
    cells->n[a] = n[a];
    cells->stride[a] = m->fields.part.stride[a];
  }
  ptrdiff_t offset = pl_part_offset(&m->fields.part, lo);
  for (int f = 0; f < m->grid.nfields; f++)
    cells->now[f] = cells->next[f] =
        pl_fields_at(&m->fields, f, step) + offset * (ptrdiff_t)m->fields.size[f];
}

bool pl_march_share(const pl_march *m, int thread, plait_cells *cells) {
  const pl_part *part = &m->fields.part;
  int64_t lo[PL_AXES], n[PL_AXES];
  memcpy(lo, part->lo, sizeof lo);
  memcpy(n, part->n, sizeof n);
  lo[0] = part->lo[0] + part->n[0] * thread / m->threads;
  n[0] = part->lo[0] + part->n[0] * (thread + 1) / m->threads - lo[0];
  pl_march_cells(m, m->step, lo, n, cells);
  return n[0] > 0;
}

double pl_march_limit(pl_march *m) {
  plait_cells all;
  pl_march_cells(m, m->step, m->fields.part.lo, m->fields.part.n, &all);
  return m->kernel->evolve.stable_step ? m->kernel->evolve.stable_step(&m->calls[0], &all)
                                       : INFINITY;
}

plait_err pl_march_exchange(pl_march *m, int steps, int thread) {
  if (thread == 0) {
    plait_cells all;
    pl_march_cells(m, m->step, m->fields.part.lo, m->fields.part.n, &all);
    pl_tile_edges(&m->tiling, &all, ~0u);
  }
  pl_halo_pack(&m->halo, m->step, steps, true, thread, m->threads);
  if (thread == 0) {
    m->error = pl_halo_post(&m->halo);
    if (m->error == PLAIT_OK) m->error = pl_halo_wait(&m->halo);
  }
#pragma omp barrier
  if (m->error != PLAIT_OK) return m->error;
  pl_halo_unpack(&m->halo, m->step, true, thread, m->threads);
  pl_halo_unpack(&m->halo, m->step, false, thread, m->threads);
  return PLAIT_OK;
}

plait_err pl_march_initial(pl_march *m, double dt, int thread) {
  TRY(pl_march_exchange(m, 1, thread));
  if (thread == 0) {
    m->dt = m->tiling.dt = dt;
    if (m->kernel->evolve.tables) m->kernel->evolve.tables(&m->calls[0], &m->grid, dt, m->state);
  }
#pragma omp barrier
  plait_cells mine;
  if (pl_march_share(m, thread, &mine)) m->kernel->evolve.initial(&m->calls[thread], &mine);
#pragma omp barrier
  return pl_march_exchange(m, m->tiling.depth, thread);
}

static void work(pl_march *m, int steps, int pieces, int axis, bool seams, int thread) {
  int levels = steps * m->grid.nstages;
  pl_region *mine = &m->regions[thread];
  if (seams && m->idle && thread == m->threads - 1) m->idle(m->idle_context);
  for (int k = thread; k < pieces - (int)seams; k += m->threads) {
    (seams ? pl_region_seam : pl_region_piece)(&m->tiling, &m->whole, levels, axis, k, pieces,
                                               mine);
    pl_tile_sweep(&m->tiling, &m->calls[thread], mine, m->step, steps);
  }
#pragma omp barrier
}

// Advances m->whole. Team function; begins and ends with a barrier.
static void do_region(pl_march *m, int steps, int thread) {
#pragma omp barrier
  int axis,
      pieces = pl_region_pieces(&m->tiling, &m->whole, steps * m->grid.nstages, m->threads, &axis);
  work(m, steps, pieces, axis, false, thread);
  if (pieces > 1) work(m, steps, pieces, axis, true, thread);
}

// Spans of an axis: `valid` all that can be done with the halo, `inner` without that of other
// ranks.
static void spans_of(const pl_march *m, int steps, int level, int axis, pl_span *valid,
                     pl_span *inner) {
  const pl_part *part = &m->fields.part;
  int last = steps * m->grid.nstages - 1;
  *valid = (pl_span){part->lo[axis], part->lo[axis] + part->n[axis]};
  *inner = *valid;
  if (axis >= part->ndim || (part->wrap && axis == part->ndim - 1)) return;
  for (int side = 0; side < 2; side++) {
    if (part->side[axis][side] == PL_SIDE_WALL) continue;
    int64_t lag = pl_tiling_lag(&m->tiling, level, axis, side);
    int64_t more = pl_tiling_lag(&m->tiling, last, axis, side) - lag;
    bool loop = part->side[axis][side] == PL_SIDE_LOOP;
    if (side == 0) {
      valid->lo -= more;
      inner->lo += loop ? -more : lag;
    } else {
      valid->hi += more;
      inner->hi -= loop ? -more : lag;
    }
  }
}

// Part of the work: axis < 0 the interior; else the shell below (side 0) or above an axis.
static void set_region(pl_march *m, int steps, int axis, int side) {
  for (int l = 0; l < steps * m->grid.nstages; l++)
    for (int a = 0; a < PL_AXES; a++) {
      pl_span valid, inner, *span = &m->whole.span[l][a];
      spans_of(m, steps, l, a, &valid, &inner);
      *span = axis < 0 || a < axis ? inner : valid;
      if (a == axis && side == 0) span->hi = inner.lo;
      if (a == axis && side == 1) span->lo = inner.hi;
    }
}

static bool has_interior(const pl_march *m, int steps) {
  for (int a = 0; a < m->grid.ndim; a++) {
    pl_span valid, inner;
    spans_of(m, steps, steps * m->grid.nstages - 1, a, &valid, &inner);
    if (inner.hi <= inner.lo) return false;
  }
  return true;
}

static void do_part(pl_march *m, int steps, int axis, int side, int thread) {
  if (thread == 0) set_region(m, steps, axis, side);
  do_region(m, steps, thread);
}

static plait_err receive(pl_march *m, int thread) {
  if (thread == 0 && m->error == PLAIT_OK) {
    pl_watchdog_begin(m->dog, PL_WATCH_RANKS, m->step);
    m->error = pl_halo_wait(&m->halo);
    pl_watchdog_end(m->dog, PL_WATCH_RANKS);
  }
#pragma omp barrier
  if (m->error != PLAIT_OK) return m->error;
  pl_halo_unpack(&m->halo, m->step, false, thread, m->threads);
  return PLAIT_OK;
}

static void do_shells(pl_march *m, int steps, int thread) {
  const pl_part *part = &m->fields.part;
  for (int a = part->ndim - 1; a >= 0; a--)
    for (int side = 0; side < 2; side++)
      if (part->side[a][side] == PL_SIDE_RANK) do_part(m, steps, a, side, thread);
}

plait_err pl_march_tile(pl_march *m, int steps, int thread) {
  bool remote = pl_halo_remote(&m->halo), early = remote && m->overlap && has_interior(m, steps);
  if (m->halo.n > 0) {
    pl_halo_pack(&m->halo, m->step, steps, false, thread, m->threads);
    if (thread == 0) m->error = pl_halo_post(&m->halo);
    pl_halo_unpack(&m->halo, m->step, true, thread, m->threads);
  }
  if (early) do_part(m, steps, -1, 0, thread);
  if (remote) TRY(receive(m, thread));
  if (early)
    do_shells(m, steps, thread);
  else
    do_part(m, steps, 0, 2, thread);
  if (thread == 0) m->step += steps;
#pragma omp barrier
  return PLAIT_OK;
}

void pl_march_count(const pl_march *m, int64_t steps, pl_meter *meter) {
  int64_t cells = 1;
  for (int a = 0; a < m->grid.ndim; a++) cells *= m->fields.part.n[a];
  meter->cells += cells * steps;
  meter->blocks += steps;
  meter->messages += m->halo.messages;
  meter->bytes_sent += m->halo.bytes;
  meter->comm += m->halo.waited;
}
