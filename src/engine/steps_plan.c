// SPDX-License-Identifier: BSD-3-Clause
//
// See steps_plan.h.
#include "engine/steps_plan.h"

static const int64_t page_bytes = 1 << 20;

static int64_t up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static int64_t lane_start(const pl_steps_plan *plan, int64_t lane) {
  return plan->rows / plan->how.lanes * lane + plan->rows % plan->how.lanes * lane / plan->how.lanes;
}

void pl_steps_plan_make(const plait_stepping *how, int64_t rows, size_t row_bytes,
                        pl_steps_plan *plan) {
  *plan = (pl_steps_plan){.how = *how, .rows = rows};
  int64_t lane = up(rows, how->lanes), page = page_bytes / (int64_t)(row_bytes > 0 ? row_bytes : 1);
  if (page < 1) page = 1;
  if (page > how->window) page = how->window;
  plan->pages = lane > 0 ? up(lane, page) : 1;
  plan->page_rows = up(lane, plan->pages) + 1;
  plan->at_once = how->window / page;
  if (plan->at_once > plan->pages) plan->at_once = plan->pages;
  plan->rounds = up(plan->pages, plan->at_once);
}

void pl_steps_piece(const pl_steps_plan *plan, int lane, int64_t page, bool check, int64_t *first,
                    int64_t *n) {
  int64_t start = lane_start(plan, lane), length = lane_start(plan, lane + 1) - start;
  int64_t each = length / plan->pages, more = length % plan->pages;
  int64_t lo = each * page + (page < more ? page : more), rows = each + (page < more);
  int64_t checks = (int64_t)(plan->how.check * (double)rows + 0.5);
  if (checks == rows && rows > 0) checks--;
  *first = start + lo + (check ? rows - checks : 0);
  *n = check ? checks : rows - checks;
}

void pl_steps_lanes(const pl_steps_plan *plan, int rank, int ranks, int *first, int *end) {
  *first = (int)((int64_t)plan->how.lanes * rank / ranks);
  *end = (int)((int64_t)plan->how.lanes * (rank + 1) / ranks);
}

// Streams: two for each epoch, one for pages and one for rows.
static int64_t draw(uint64_t seed, uint64_t stream, uint64_t at, int64_t n) {
  uint32_t r[4];
  plait_random(seed ^ 0x73746570, stream, at, r);
  return (int64_t)((uint64_t)r[0] * (uint64_t)n >> 32);
}

void pl_steps_order(const pl_steps_plan *plan, int64_t epoch, int64_t order[]) {
  for (int64_t i = 0; i < plan->pages; i++) {
    int64_t j = draw(plan->how.seed, 2 * (uint64_t)epoch, (uint64_t)i, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
}

int64_t pl_steps_draw(const pl_steps_plan *plan, int64_t epoch, int64_t round, int lane, int64_t i,
                      int64_t n) {
  uint64_t at = (uint64_t)(round * plan->how.lanes + lane) << 32 | (uint64_t)i;
  return draw(plan->how.seed, 2 * (uint64_t)epoch + 1, at, n);
}

int64_t pl_steps_rounds(const pl_steps_plan *plan) {
  return plan->how.check > 0 ? 2 * plan->rounds : plan->rounds;
}

bool pl_steps_checks(const pl_steps_plan *plan, int64_t round) {
  return round >= plan->rounds;
}

int64_t pl_steps_page(const pl_steps_plan *plan, const int64_t order[], int64_t round, int64_t i) {
  int64_t at = round % plan->rounds * plan->at_once + i;
  if (i >= plan->at_once || at >= plan->pages) return -1;
  return pl_steps_checks(plan, round) ? at : order[at];
}

int64_t pl_steps_of_lane(const pl_steps_plan *plan, const int64_t order[], int64_t round,
                         int lane) {
  int64_t rows = 0, first, n, page;
  for (int64_t i = 0; (page = pl_steps_page(plan, order, round, i)) >= 0; i++) {
    pl_steps_piece(plan, lane, page, pl_steps_checks(plan, round), &first, &n);
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
