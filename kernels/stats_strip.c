// SPDX-License-Identifier: BSD-3-Clause
//
// stats: cells side by side, vectors over cells. Values come in parts of a strip, and a segment of
// some hundred values of a cell stays open from one part to the next: its sums are as if all had
// come at once. While nothing is missing in a block, sums are made by a loop that a missing value
// would spoil; then the strip is begun again. To keep the sums of each part until it is known to be
// good took 4 to 6 % of a whole run over a file in the page cache. Inside a part cells are taken in
// pieces: wide ones, so that the core sees long rows and reads ahead in them (a tenth of the time),
// or what converted rows have room for. See stats_block.c for the method.
#include "stats_work.h"
#include <math.h>
#include <string.h>

typedef struct piece { // cells that are neighbours in the view and in the tally
  ptrdiff_t cell;      // the first in the view
  int64_t n;           // <= WIDTH
  int64_t to;          // the first among the cells of the block
  stats_columns sum;
} piece;

// ---- pieces of a view -------------------------------------------------------------------------
static stats_columns sums_from(const stats_work *w, int64_t i) {
  const stats_columns *all = &w->sum;
  size_t at = (size_t)i * w->as_size, wide = all->least ? (size_t)i * sizeof(int64_t) : 0;
  return (stats_columns){.shift = (char *)all->shift + at,
                         .lo = (char *)all->lo + at,
                         .hi = (char *)all->hi + at,
                         .n = (char *)all->n + at,
                         .s = all->s + i,
                         .q = all->q + i,
                         .least = all->least ? (char *)all->least + wide : NULL,
                         .most = all->most ? (char *)all->most + wide : NULL};
}

// Number among the cells of the block of cell i of the view.
static int64_t cell_of_block(const stats_work *w, int64_t i) {
  int64_t cell = 0, step = 1;
  for (int d = w->in->ndim - 1; d >= 0; d--) {
    if (w->call->plan->reduced[d]) continue;
    cell += (i % w->view->extent[d] + w->view->origin[d] - w->in->origin[d]) * step;
    i /= w->view->extent[d];
    step *= w->in->extent[d];
  }
  return cell;
}

// Cells that are neighbours both in memory and in the tally.
static int64_t neighbours(const stats_work *w) {
  int64_t run = 1;
  bool whole = true;
  for (int d = w->in->ndim - 1; d >= 0 && whole; d--) {
    if (w->call->plan->reduced[d]) continue;
    run *= w->view->extent[d];
    whole = w->view->extent[d] == w->in->extent[d];
  }
  return pl_stats_least(run, w->kept.extent[w->kept.n - 1]);
}

enum { CONVERTED = SEGMENT / GROUP }; // cells of a row of which the stage has room for a group

static piece piece_at(const stats_work *w, int64_t first, int64_t run) {
  int64_t most = w->type == w->as ? WIDTH : CONVERTED;
  return (piece){.cell = pl_stats_position(&w->kept, first),
                 .n = pl_stats_least(run - first % run, most),
                 .to = cell_of_block(w, first),
                 .sum = sums_from(w, first)};
}

// ---- a piece ----------------------------------------------------------------------------------
// Loops over values of work take them at any byte, converters do not.
static const char *aligned(const stats_work *w, const char *at, int64_t n) {
  if ((uintptr_t)at % w->size == 0) return at;
  return memcpy(w->raw, at, (size_t)n * w->size);
}

static const void *row_of(const stats_work *w, const char *at, int64_t n) {
  if (w->type == w->as) return at;
  pl_stats_to_work(w, aligned(w, at, n), n, w->stage);
  return w->stage;
}

// The shift of each cell that has none: its first finite value from v on, or 0.
static void find_shift(const stats_work *w, const piece *c, int64_t v, int64_t stop) {
  for (; v < stop; v++) // usually ends at once
    if (pl_stats_settle(w->as, c->sum.shift, row_of(w, pl_stats_value(w, c->cell, v), c->n), c->n))
      return;
  memset(w->stage, 0, (size_t)c->n * w->as_size);
  pl_stats_settle(w->as, c->sum.shift, w->stage, c->n);
}

static void open_segment(const stats_work *w, const piece *c) {
  pl_stats_start_sums(w->as, &c->sum, c->n);
  if (!c->sum.least) return;
  stats_tally wide = w->segment; // of which only the extremes are kept
  wide.lo = c->sum.least;
  wide.hi = c->sum.most;
  pl_stats_clear(w->type, &wide, 0, c->n);
}

// `rows` rows of the piece, from `at` on, one run of the last reduced axis.
static void add_run(const stats_work *w, const piece *c, const char *at, int64_t rows) {
  ptrdiff_t step = pl_stats_step(&w->red);
  if (w->type == w->as) {
    pl_stats_add_rows(w->as, &c->sum, at, step, rows, c->n, *w->whole);
    return;
  }
  for (int64_t group; rows > 0; rows -= group) {
    group = pl_stats_least(rows, GROUP);
    for (int64_t i = 0; i < group; i++, at += step * (ptrdiff_t)w->size) {
      const char *row = aligned(w, at, c->n);
      pl_stats_to_work(w, row, c->n, w->stage + (size_t)(i * CONVERTED) * w->as_size);
      if (c->sum.least) pl_stats_extremes(w->type, row, c->n, c->sum.least, c->sum.most, true);
    }
    pl_stats_add_rows(w->as, &c->sum, w->stage, CONVERTED, group, c->n, *w->whole);
  }
}

// Values v .. stop of the view, all in one segment.
static void add_values(const stats_work *w, const piece *c, int64_t v, int64_t stop) {
  for (int64_t run; v < stop; v += run) {
    run = pl_stats_least(pl_stats_run(&w->red, v), stop - v);
    add_run(w, c, pl_stats_value(w, c->cell, v), run);
  }
}

// Makes the sums of a segment, or adds them to, tallies from `at` on.
static void close_segment(const stats_work *w, const piece *c, double weight, const stats_tally *to,
                          int64_t at, bool first) {
  const stats_tally *t = &w->segment;
  const void *from[] = {c->sum.n, c->sum.shift, c->sum.lo, c->sum.hi};
  double *into[] = {t->count, t->mean, t->lo, t->hi};
  for (int i = 0; i < (c->sum.least ? 2 : 4); i++) plait_row_to_f64(w->as, from[i], c->n, into[i]);
  if (c->sum.least) {
    memcpy(t->lo, c->sum.least, (size_t)c->n * sizeof(int64_t));
    memcpy(t->hi, c->sum.most, (size_t)c->n * sizeof(int64_t));
  }
  pl_stats_fold(c->n, weight, &c->sum, t);
  if (first)
    pl_stats_copy(to, at, t, 0, c->n);
  else
    pl_stats_merge(w->type, to, at, t, 0, c->n);
}

// ---- a strip ----------------------------------------------------------------------------------
stats_strip pl_stats_strip_begin(const stats_tally *tally, int64_t to, int64_t first, int64_t end) {
  return (stats_strip){.first = first,
                       .v = first,
                       .start = first,
                       .stop = first,
                       .end = end,
                       .tally = tally,
                       .to = to};
}

// Values strip->v .. upto of one piece. A cell whose values so far are all missing looks for its
// shift again. false: a value is missing, and the sums are spoiled.
static bool take_piece(const stats_work *w, const stats_strip *strip, const piece *c,
                       int64_t upto) {
  int64_t v = strip->v - w->first, stop = upto - w->first;
  bool opens = strip->v == strip->start;
  if (opens) open_segment(w, c);
  if (opens || !*w->whole) {
    pl_stats_unsettle(w->as, &c->sum, c->n);
    find_shift(w, c, v, stop);
  }
  add_values(w, c, v, stop);
  if (*w->whole && pl_stats_missed(&c->sum, c->n)) return false;
  if (upto == strip->stop)
    close_segment(w, c, strip->weight, strip->tally, strip->to + c->to,
                  strip->start == strip->first);
  return true;
}

bool pl_stats_strip_take(const stats_work *w, stats_strip *strip) {
  int64_t end = pl_stats_least(w->first + w->red.total, strip->end), run = neighbours(w);
  for (int64_t upto; strip->v < end; strip->v = upto) {
    if (strip->v == strip->stop) {
      int64_t same = pl_stats_same_weight(w, strip->v, &strip->weight);
      strip->start = strip->v;
      strip->stop += pl_stats_least(pl_stats_least(same, ROWS), strip->end - strip->v);
    }
    upto = pl_stats_least(strip->stop, end);
    for (int64_t i = 0; i < w->kept.total;) {
      piece c = piece_at(w, i, run);
      if (!take_piece(w, strip, &c, upto)) {
        *w->whole = false;
        return false;
      }
      i += c.n;
    }
  }
  return true;
}
