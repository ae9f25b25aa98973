// SPDX-License-Identifier: BSD-3-Clause
//
// See steps_plan.h.
#include "engine/steps_plan.h"

static const int64_t page_least = 64 * 1024, page_most = 1 << 20; // bytes

static int64_t up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static int64_t lane_start(const pl_steps_plan *plan, int64_t lane) {
  return plan->rows / plan->how.lanes * lane +
         plan->rows % plan->how.lanes * lane / plan->how.lanes;
}

// Rows of a page: a 256th of a lane, but not less than 64 KiB of it while there are 32 pages, nor
// more than 1 MiB or a window.
static int64_t rows_of_page(const plait_stepping *how, int64_t lane, int64_t row_bytes) {
  int64_t rows = lane / 256, least = row_bytes > 0 ? page_least / row_bytes : lane;
  int64_t most = row_bytes > 0 ? page_most / row_bytes : lane;
  if (least > lane / 32) least = lane / 32;
  if (rows < least) rows = least;
  if (rows > most) rows = most;
  if (rows > how->window) rows = how->window;
  return rows < 1 ? 1 : rows;
}

void pl_steps_plan_make(const plait_stepping *how, int64_t rows, size_t row_bytes,
                        pl_steps_plan *plan) {
  *plan = (pl_steps_plan){.how = *how, .rows = rows};
  int64_t lane = up(rows, how->lanes), page = rows_of_page(how, lane, (int64_t)row_bytes);
  plan->pages = lane > 0 ? up(lane, page) : 1;
  plan->page_rows = up(lane, plan->pages) + 1;
  plan->checks = (int64_t)(how->check * (double)plan->pages + 0.5);
  if (how->check > 0 && plan->checks == 0) plan->checks = 1;
  if (plan->checks >= plan->pages) plan->checks = plan->pages - 1;
  plan->at_once = how->window / page;
  if (plan->at_once > plan->pages) plan->at_once = plan->pages;
  plan->rounds = up(plan->pages - plan->checks, plan->at_once);
}

void pl_steps_piece(const pl_steps_plan *plan, int lane, int64_t page, int64_t *first, int64_t *n) {
  int64_t start = lane_start(plan, lane), length = lane_start(plan, lane + 1) - start;
  int64_t each = length / plan->pages, more = length % plan->pages;
  *first = start + each * page + (page < more ? page : more);
  *n = each + (page < more);
}

void pl_steps_lanes(const pl_steps_plan *plan, int rank, int ranks, int *first, int *end) {
  *first = (int)((int64_t)plan->how.lanes * rank / ranks);
  *end = (int)((int64_t)plan->how.lanes * (rank + 1) / ranks);
}

// Streams: 0 for the pages that check, then two for each epoch, for pages and for rows.
static int64_t draw(uint64_t seed, uint64_t stream, uint64_t at, int64_t n) {
  uint32_t r[4];
  plait_random(seed ^ 0x73746570, stream, at, r);
  return (int64_t)((uint64_t)r[0] * (uint64_t)n >> 32);
}

static void mix(uint64_t seed, uint64_t stream, int lane, int64_t n, int64_t order[]) {
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = draw(seed, stream, (uint64_t)lane << 32 | (uint64_t)i, i + 1), page = order[i];
    order[i] = order[j];
    order[j] = page;
  }
}

void pl_steps_order(const pl_steps_plan *plan, int64_t epoch, int64_t order[]) {
  for (int lane = 0; lane < plan->how.lanes; lane++, order += plan->pages) {
    for (int64_t i = 0; i < plan->pages; i++) order[i] = i;
    mix(plan->how.seed, 0, lane, plan->pages, order);
    mix(plan->how.seed, 2 * (uint64_t)epoch + 1, lane, plan->pages - plan->checks,
        order + plan->checks);
  }
}

int64_t pl_steps_draw(const pl_steps_plan *plan, int64_t epoch, int64_t round, int lane, int64_t i,
                      int64_t n) {
  uint64_t at = (uint64_t)(round * plan->how.lanes + lane) << 32 | (uint64_t)i;
  return draw(plan->how.seed, 2 * (uint64_t)epoch + 2, at, n);
}

int64_t pl_steps_rounds(const pl_steps_plan *plan) {
  return plan->rounds + up(plan->checks, plan->at_once);
}

bool pl_steps_checks(const pl_steps_plan *plan, int64_t round) {
  return round >= plan->rounds;
}

int64_t pl_steps_page(const pl_steps_plan *plan, const int64_t order[], int64_t round, int lane,
                      int64_t i) {
  bool check = pl_steps_checks(plan, round);
  int64_t first = check ? 0 : plan->checks, end = check ? plan->checks : plan->pages;
  int64_t at = first + (check ? round - plan->rounds : round) * plan->at_once + i;
  return i < plan->at_once && at < end ? order[lane * plan->pages + at] : -1;
}

int64_t pl_steps_of_lane(const pl_steps_plan *plan, const int64_t order[], int64_t round,
                         int lane) {
  int64_t rows = 0, first, n, page;
  for (int64_t i = 0; (page = pl_steps_page(plan, order, round, lane, i)) >= 0; i++) {
    pl_steps_piece(plan, lane, page, &first, &n);
    rows += n;
  }
  return rows;
}

int64_t pl_steps_of_round(const pl_steps_plan *plan, const int64_t order[], int64_t round) {
  int64_t most = 0;
  for (int lane = 0; lane < plan->how.lanes; lane++) {
    int64_t rows = pl_steps_of_lane(plan, order, round, lane);
    if (rows > most) most = rows;
  }
  return up(most, plan->how.rows);
}

int64_t pl_steps_of_epoch(const pl_steps_plan *plan, const int64_t order[]) {
  int64_t steps = 0;
  for (int64_t r = 0; r < pl_steps_rounds(plan); r++) steps += pl_steps_of_round(plan, order, r);
  return steps;
}
