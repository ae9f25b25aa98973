// SPDX-License-Identifier: BSD-3-Clause
//
// See feed.h. Halos are read, not exchanged: a halo cell comes from the file like any other, so a
// block depends on nothing but the file. Only cells outside the array are made up, by the boundary
// rule.
#include "engine/feed.h"
#include "base/mem.h"
#include <string.h>

enum { ALIGN = 64 };

static size_t aligned(size_t bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static void grown_extent(const pl_task *task, int64_t extent[]) {
  pl_cut_largest(&task->cut, extent);
  for (int d = 0; d < task->cut.ndim; d++) extent[d] += 2 * task->plan.halo[d];
}

static size_t data_bytes(const pl_task *task) {
  if (!task->input) return 0;
  pl_box largest = {.ndim = task->cut.ndim};
  pl_cut_largest(&task->cut, largest.n);
  return aligned(pl_block_bytes(task->array.type, &largest, task->plan.halo));
}

static size_t raw_bytes(const pl_task *task) {
  int64_t extent[PLAIT_DIMS];
  grown_extent(task, extent);
  for (int d = 0; d < task->cut.ndim; d++)
    if (extent[d] > task->cut.shape[d]) extent[d] = task->cut.shape[d];
  return task->input ? aligned(pl_dataset_raw_bytes(task->input, extent)) : 0;
}

// Boxes that a block with its halo is read as: one, and twice as many for each cut periodic axis.
static int most_sources(const pl_task *task) {
  int sources = 1;
  for (int d = 0; d < task->cut.ndim; d++)
    if (task->plan.halo[d] > 0 && task->plan.boundary[d] == PLAIT_PERIODIC) sources *= 2;
  return sources;
}

size_t pl_feed_block_bytes(const pl_task *task) {
  return data_bytes(task) + raw_bytes(task) * (size_t)most_sources(task);
}

plait_err pl_feed_start(pl_task *task, int team, pl_feed *feed) {
  *feed = (pl_feed){.task = task, .data_bytes = data_bytes(task), .raw_bytes = raw_bytes(task)};
  feed->sources = most_sources(task);
  feed->team = task->input ? team : 0;
  feed->looks = !task->job->run.overlap;
  pthread_mutex_init(&feed->mutex, NULL);
  size_t each = pl_feed_block_bytes(task), all = 0;
  if (pl_mul_overflows(each, (size_t)task->slots * (size_t)task->batch, &all))
    return plait_fail(PLAIT_MEMORY, "out of memory: input slots overflow");
  TRY(pl_calloc((size_t)task->slots, sizeof *feed->slots, &feed->slots));
  TRY(pl_alloc(all, 1, &feed->memory));
  TRY(pl_alloc((size_t)task->slots, sizeof *feed->idle, &feed->idle));
  for (int s = 0; s < task->slots; s++) {
    pl_feed_slot *slot = &feed->slots[s];
    TRY(pl_calloc((size_t)task->batch, sizeof *slot->blocks, &slot->blocks));
    feed->idle[feed->nidle++] = feed->memory + (size_t)s * (size_t)task->batch * each;
  }
  TRY(pl_feed_probe_start(feed));
  return pl_feed_source_start(feed);
}

void pl_feed_stop(pl_feed *feed) {
  for (int s = 0; feed->slots && s < feed->task->slots; s++) pl_free(&feed->slots[s].blocks);
  for (int64_t b = 0; feed->kept && b < feed->task->cut.nblocks; b++) pl_free(&feed->kept[b]);
  if (feed->task) pthread_mutex_destroy(&feed->mutex);
  pl_free(&feed->kept);
  pl_free(&feed->probe);
  pl_free(&feed->idle);
  pl_free(&feed->slots);
  pl_free(&feed->memory);
  pl_view_close(&feed->view); // the last: who frees memory would wait for its pages
}

// ---- memory ----

// Every slot has memory at most once, so there is always some.
static void give_memory(pl_feed *feed, pl_feed_slot *slot) {
  const size_t each = feed->data_bytes + feed->raw_bytes * (size_t)feed->sources;
  pthread_mutex_lock(&feed->mutex);
  slot->memory = feed->idle[--feed->nidle];
  pthread_mutex_unlock(&feed->mutex);
  for (int k = 0; k < slot->n; k++) {
    pl_feed_block *b = &slot->blocks[k];
    b->raw = slot->memory + (size_t)k * each;
    char *data = b->kept ? b->kept : b->raw + (size_t)feed->sources * feed->raw_bytes;
    b->block = pl_block_over(data, feed->task->array.type, &b->own, feed->task->plan.halo);
    if (!feed->task->input || b->in_parts) b->block.data = NULL;
  }
}

void pl_feed_arrive(pl_feed *feed, int slot) {
  if (!feed->slots[slot].memory) give_memory(feed, &feed->slots[slot]);
  feed->source.block = &feed->slots[slot].blocks[0]; // what comes in parts comes alone
  feed->missing = 0;
}

void pl_feed_leave(pl_feed *feed, int slot) {
  const pl_feed_block *b = &feed->slots[slot].blocks[0];
  if (feed->view && b->in_parts) feed->mapped += pl_dataset_box_bytes(feed->task->input, &b->own);
  if (feed->forgets && b->in_parts) pl_view_forget(feed->view, &b->own);
  pthread_mutex_lock(&feed->mutex);
  feed->idle[feed->nidle++] = feed->slots[slot].memory;
  pthread_mutex_unlock(&feed->mutex);
  feed->slots[slot].memory = NULL;
}

// ---- read ----

static plait_err fetch(pl_feed *feed, pl_feed_block *b) {
  const pl_task *task = feed->task;
  const plait_plan *plan = &task->plan;
  pl_source source;
  int64_t before = feed->team > 0 ? pl_feed_switches() : 0;
  for (int i = 0; pl_box_source(&b->own, plan->halo, task->cut.shape, plan->boundary, i, &source);
       i++) {
    plait_block part = pl_block_part(&b->block, &source.at);
    char *raw = b->raw + (size_t)i * feed->raw_bytes;
    TRY(pl_dataset_fetch(task->input, &source.from, raw, &part));
  }
  if (feed->team > 0) feed->waited = pl_feed_switches() > before;
  return PLAIT_OK;
}

static void count_bytes(pl_feed *feed, const pl_feed_block *b) {
  const pl_task *task = feed->task;
  pl_source source;
  for (int i = 0;
       pl_box_source(&b->own, task->plan.halo, task->cut.shape, task->plan.boundary, i, &source);
       i++)
    feed->bytes_read += pl_dataset_box_bytes(task->input, &source.from);
}

// Several passes: a block that was read stays in memory while there is room in the budget. *at:
// where it is or goes to, NULL when it is not kept. Returns whether it is there.
static bool keep(pl_feed *feed, int64_t index, char **at) {
  if (!feed->task->input) return true; // nothing to read at all
  if (!feed->kept) return false;
  *at = feed->kept[index];
  if (*at) return true;
  if (feed->room == 0 || pl_alloc(feed->data_bytes, 1, at) != PLAIT_OK) {
    feed->room = 0;
    return false;
  }
  feed->room--;
  feed->kept[index] = *at;
  return false;
}

static int64_t table_bytes(const pl_task *task) {
  return task->cut.nblocks * (int64_t)sizeof(char *);
}

int64_t pl_feed_most_kept(const pl_task *task) {
  int64_t room = task->budget - task->needed - table_bytes(task);
  int64_t each = (int64_t)pl_alloc_takes(data_bytes(task));
  if (!task->input || room < each || each == 0) return 0;
  return room / each < task->cut.nblocks ? room / each : task->cut.nblocks;
}

int64_t pl_feed_kept_bytes(const pl_task *task) {
  int64_t blocks = pl_feed_most_kept(task);
  return blocks ? table_bytes(task) + blocks * (int64_t)pl_alloc_takes(data_bytes(task)) : 0;
}

plait_err pl_feed_keep(pl_feed *feed) {
  feed->room = pl_feed_most_kept(feed->task);
  if (feed->room == 0) return PLAIT_OK;
  return pl_calloc((size_t)feed->task->cut.nblocks, sizeof *feed->kept, &feed->kept);
}

plait_err pl_feed_read(pl_feed *feed, int number, int64_t first, int n) {
  pl_feed_slot *slot = &feed->slots[number];
  slot->n = n;
  for (int k = 0; k < n; k++) {
    pl_feed_block *b = &slot->blocks[k];
    *b = (pl_feed_block){.index = first + k};
    pl_cut_block(&feed->task->cut, b->index, &b->own);
    b->ready = keep(feed, b->index, &b->kept);
    b->unfetched = !b->ready && n == 1 && pl_feed_leaves(feed, b);
    b->in_parts = b->unfetched && !b->kept && pl_feed_parts_fit(feed, b);
    if (!b->ready) count_bytes(feed, b);
  }
  if (n == 1 && slot->blocks[0].unfetched) return PLAIT_OK;
  give_memory(feed, slot);
  for (int k = 0; k < n; k++)
    if (!slot->blocks[k].ready) TRY(fetch(feed, &slot->blocks[k]));
  return PLAIT_OK;
}

static bool has_halo(const pl_task *task) {
  for (int d = 0; d < task->cut.ndim; d++)
    if (task->plan.halo[d] > 0) return true;
  return false;
}

static void decode(pl_feed *feed, pl_feed_block *b, plait_raise *raise) {
  const pl_task *task = feed->task;
  const plait_plan *plan = &task->plan;
  pl_source source;
  for (int i = 0; pl_box_source(&b->own, plan->halo, task->cut.shape, plan->boundary, i, &source);
       i++) {
    plait_block part = pl_block_part(&b->block, &source.at);
    pl_dataset_decode(task->input, &source.from, b->raw + (size_t)i * feed->raw_bytes, &part,
                      raise);
  }
}

void pl_feed_decode(pl_feed *feed, int slot, int k, int thread, plait_raise *raise) {
  const pl_task *task = feed->task;
  const plait_plan *plan = &task->plan;
  pl_feed_block *b = &feed->slots[slot].blocks[k];
  if (b->ready || b->in_parts) return;
  if (b->unfetched)
    pl_feed_by_team(feed, b, thread, raise);
  else
    decode(feed, b, raise);
  if (has_halo(task))
    pl_block_fill_boundary(&b->block, task->cut.shape, plan->boundary, plan->boundary_value);
}

void pl_feed_count(const pl_feed *feed, pl_meter *meter) {
  meter->bytes_read += feed->bytes_read;
  meter->mapped += feed->mapped;
  meter->read += feed->team_read;
  meter->team_read += feed->team_read;
  meter->compute -= feed->team_read;
}
