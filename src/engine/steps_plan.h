// SPDX-License-Identifier: BSD-3-Clause
//
// How a reduction in steps goes through the rows of its input. Pure functions of the job: which
// rank has which rows never shows in what a step looks at.
//
//   lane    an equal contiguous share of the rows; a rank has neighbouring lanes
//   page    a piece of a lane, at most 1 MiB: what is read at once. Some pages of each lane, drawn
//           once, only check
//   window  the next pages in an order that each lane and epoch has of its own; the rows of a
//   window
//           are shuffled, and a step takes the next few of each lane
//   round   the steps of one window; after the rounds that learn come those that check
//
// A window is what a rank must hold of each lane. When it takes a whole lane, the rows are shuffled
// as well as can be; a smaller one mixes pages only, which for data that lie in the file in random
// order is as good.
#ifndef PL_STEPS_PLAN_H
#define PL_STEPS_PLAN_H
#include "base/err.h"

typedef struct pl_steps_plan {
  plait_stepping how;
  int64_t rows;      // of the input
  int64_t pages;     // of a lane
  int64_t checks;    // of them that only check
  int64_t at_once;   // pages of a window
  int64_t rounds;    // that learn, in an epoch
  int64_t page_rows; // at most
} pl_steps_plan;

void pl_steps_plan_make(const plait_stepping *how, int64_t rows, size_t row_bytes,
                        pl_steps_plan *plan);
// Rows [*first, *first + *n) of a page.
void pl_steps_piece(const pl_steps_plan *plan, int lane, int64_t page, int64_t *first, int64_t *n);
// The lanes of a rank: [*first, *end).
void pl_steps_lanes(const pl_steps_plan *plan, int rank, int ranks, int *first, int *end);
// order[lanes, pages]: first those that check, then the others in the order of the epoch.
static inline size_t pl_steps_order_room(const pl_steps_plan *plan) {
  return (size_t)plan->how.lanes * (size_t)plan->pages;
}
void pl_steps_order(const pl_steps_plan *plan, int64_t epoch, int64_t order[]);
int64_t pl_steps_rounds(const pl_steps_plan *plan); // of an epoch, with those that check
// Page i of a round (of either kind), -1 when it has no more.
int64_t pl_steps_page(const pl_steps_plan *plan, const int64_t order[], int64_t round, int lane,
                      int64_t i);
bool pl_steps_checks(const pl_steps_plan *plan, int64_t round);
// Steps of a round, of an epoch.
int64_t pl_steps_of_round(const pl_steps_plan *plan, const int64_t order[], int64_t round);
int64_t pl_steps_of_epoch(const pl_steps_plan *plan, const int64_t order[]);
int64_t pl_steps_of_lane(const pl_steps_plan *plan, const int64_t order[], int64_t round,
                         int lane); // rows of a lane in a round
// A number below n (< 2^31) for place i of the shuffle of a window.
int64_t pl_steps_draw(const pl_steps_plan *plan, int64_t epoch, int64_t round, int lane, int64_t i,
                      int64_t n);
#endif
