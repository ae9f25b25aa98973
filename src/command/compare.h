// SPDX-License-Identifier: BSD-3-Clause
//
// Variants of one job side by side: what was measured of each, and what follows from it.
#ifndef PL_COMPARE_H
#define PL_COMPARE_H
#include "command/trial.h"

enum { PL_VARIANTS = 16, PL_REPEATS = 25 };

typedef struct pl_variant {
  const char *name; // "serial", "threads", "processes", "hybrid", "overlap on", "overlap off"
  pl_layout_try layout;
  bool overlap;
  int n;
  pl_trial trial[PL_REPEATS];
  pl_trial mid;       // medians, number by number
  double least, most; // s, of the wall time
  double whole;       // s, of the whole job: start-up + the rest in proportion
  double whole_least, whole_most;
  double speed_up; // against serial, of the whole job
} pl_variant;

typedef struct pl_comparison {
  const char *job, *kernel;
  int cores, repeats;
  int64_t sample;   // blocks or steps of a trial; 0: the whole job
  const char *unit; // "blocks", "steps"
  bool null_output;
  const char *missing; // what could not be compared and why; NULL nothing
  int n;               // variants, and behind them the two of the overlap when has_overlap
  pl_variant variant[PL_VARIANTS];
  bool has_overlap;
  int fastest; // by its median
  // The variant to take: the fastest, or of those that the runs do not tell from it the simplest
  // (fewest ranks, then fewest threads).
  int best;
  // "memory", "communication", "I/O", "page cache", "start-up", "other programs", "balanced"
  const char *bound;
  char why[512];
} pl_comparison;

// serial, threads, processes, hybrids of `cores`; at most PL_VARIANTS - 2.
void pl_compare_variants(pl_comparison *c, bool with_ranks);
void pl_compare_settle(pl_comparison *c); // medians, speed-ups, best; n >= 1 and every trial done
// Whether the runs tell one from the other, as times of the whole job: medians 3 % apart, and every
// run of one faster than every run of the other; or, as one disturbed run must not hide it, medians
// and fastest runs both 20 % apart. Pure.
bool pl_compare_differ(const pl_variant *a, const pl_variant *b);
void pl_compare_explain(pl_comparison *c); // bound and why, from the medians
void pl_compare_text(const pl_comparison *c, pl_text *out);
void pl_compare_json(const pl_comparison *c, pl_json *out);
// Bars, as SVG or PNG by the ending of the name.
plait_err pl_compare_draw(const pl_comparison *c, const char *path);
bool pl_compare_can_draw(const char *path); // a known ending
#endif
