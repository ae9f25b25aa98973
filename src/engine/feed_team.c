// SPDX-License-Identifier: BSD-3-Clause
//
// Blocks that are in the page cache, fetched by the team (feed.h says why). Measured, 2 cores, 1
// GiB of float32 from the page cache, copying alone: one thread 0.13 s, two threads 0.075 s into
// buffers that stay in cache, 0.14 s into ones that do not. So parts are 256 KiB, each fetched and
// decoded (bytes swapped, unpacked) by one thread while it is in its own cache, and the block as a
// whole goes where the last one was.
//
// Where the array lies in the file as a kernel takes it, and the kernel takes parts of strips
// (plan->strips), nothing is copied at all: view.h.
//
// A block is left to the team when reading a few of its last cells did not wait and the last fetch
// did not wait either. If that was wrong the team waits for it once, sees that, and the reader
// strand fetches again until a whole block came without waiting. In a view some pages may be
// missing (systems take them away one by one), which costs less than to copy the block.
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "engine/feed.h"
#include <string.h>
#include <sys/resource.h>

enum { PART_BYTES = 256 * 1024, PROBE_CELLS = 512, PROBE_RAW = 64 * 1024, MOST_MISSING = 8 };

int64_t pl_feed_switches(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? (int64_t)usage.ru_nvcsw : 0;
}

// ---- which blocks ----

// Of the last row of a box the last few cells.
static pl_box probe_box(const pl_box *box) {
  pl_box p = *box;
  for (int d = 0; d < p.ndim; d++) {
    int64_t n = d == p.ndim - 1 && box->n[d] > PROBE_CELLS ? PROBE_CELLS : 1;
    p.lo[d] += box->n[d] - n;
    p.n[d] = n;
  }
  return p;
}

// Large chunks come whole: reading one to see whether it waits is as bad as waiting for it. The
// reader strand then fetches the first block, and how that went decides.
static bool can_probe(const pl_feed *feed) {
  pl_box box = {.ndim = feed->task->cut.ndim};
  pl_cut_largest(&feed->task->cut, box.n);
  pl_box probe = probe_box(&box);
  return pl_dataset_raw_bytes(feed->task->input, probe.n) <= PROBE_RAW;
}

plait_err pl_feed_probe_start(pl_feed *feed) {
  if (feed->data_bytes < 2 * PART_BYTES) feed->team = 0; // it stays in cache as it is
  if (feed->team == 0) return PLAIT_OK;
  feed->waited = !can_probe(feed);
  return pl_alloc(PROBE_CELLS * sizeof(double) + PROBE_RAW, 1, &feed->probe);
}

static bool probe_waits(pl_feed *feed, const pl_feed_block *b) {
  pl_dataset *input = feed->task->input;
  pl_box box = probe_box(&b->own);
  if (pl_dataset_raw_bytes(input, box.n) > PROBE_RAW) return false; // the last fetch decides
  int64_t none[PLAIT_DIMS] = {0}, before = pl_feed_switches();
  plait_block to = pl_block_over(feed->probe + PROBE_RAW, feed->task->array.type, &box, none);
  return pl_dataset_fetch(input, &box, feed->probe, &to) != PLAIT_OK || pl_feed_switches() > before;
}

static const int64_t *chunk_of(const pl_feed *feed) {
  const pl_meta *meta = &feed->task->input->meta;
  return meta->chunked ? meta->chunk : NULL;
}

// Parts of a box, on chunk borders if it is.
static void cut_parts(const pl_feed *feed, const pl_box *box, pl_cut *cut) {
  pl_cut_wish wish = {.block_bytes = PART_BYTES,
                      .cell_bytes = (int64_t)plait_type_size(feed->task->array.type),
                      .chunk = chunk_of(feed)};
  pl_cut_make(box->ndim, box->n, &wish, cut);
}

static size_t part_raw_bytes(const pl_feed *feed, const pl_cut *cut) {
  int64_t extent[PLAIT_DIMS];
  pl_cut_largest(cut, extent);
  return (pl_dataset_raw_bytes(feed->task->input, extent) + 63) / 64 * 64;
}

static bool can_share(const pl_feed *feed, const pl_feed_block *b) {
  const pl_task *task = feed->task;
  size_t raw = feed->raw_bytes * (size_t)feed->sources;
  pl_source source;
  pl_cut cut;
  for (int i = 0;
       pl_box_source(&b->own, task->plan.halo, task->cut.shape, task->plan.boundary, i, &source);
       i++) {
    if (!pl_dataset_share(task->input, &source.from)) return false;
    cut_parts(feed, &source.from, &cut);
    if (part_raw_bytes(feed, &cut) * (size_t)feed->team > raw) return false;
  }
  return true;
}

bool pl_feed_leaves(pl_feed *feed, const pl_feed_block *b) {
  if (feed->team == 0 || feed->waited) return false;
  if (feed->looks && !(feed->view && pl_feed_parts_fit(feed, b))) return false;
  if (!can_share(feed, b)) return false;
  feed->waited = probe_waits(feed, b);
  return !feed->waited;
}

// ---- fetching ----

// One thread: the cells `from` of the array.
static plait_err fetch_alone(pl_feed *feed, const pl_box *from, void *raw, const plait_block *to,
                             plait_raise *raise) {
  int64_t before = pl_feed_switches();
  TRY(pl_dataset_fetch(feed->task->input, from, raw, to));
  if (pl_feed_switches() > before) feed->waited = true;
    // A team of its own for this thread: it decodes alone what it has in its cache.
#pragma omp parallel num_threads(1)
  pl_dataset_decode(feed->task->input, from, raw, to, raise);
  return PLAIT_OK;
}

static plait_err fetch_part(pl_feed *feed, const pl_source *source, const pl_box *part,
                            const plait_block *block, void *raw, plait_raise *raise) {
  pl_box from = *part, at = *part;
  for (int d = 0; d < part->ndim; d++) {
    from.lo[d] += source->from.lo[d];
    at.lo[d] += source->at.lo[d];
  }
  plait_block to = pl_block_part(block, &at);
  return fetch_alone(feed, &from, raw, &to, raise);
}

static void fetch_source(pl_feed *feed, const pl_source *source, pl_feed_block *b, int thread,
                         plait_raise *raise) {
  pl_cut cut;
  cut_parts(feed, &source->from, &cut);
  char *raw = b->raw + (size_t)thread * part_raw_bytes(feed, &cut);
#pragma omp for schedule(dynamic, 1)
  for (int64_t i = 0; i < cut.nblocks; i++) {
    pl_box part;
    pl_cut_block(&cut, i, &part);
    plait_err err = fetch_part(feed, source, &part, &b->block, raw, raise);
    if (err != PLAIT_OK) pl_raise(raise, err, "%s", pl_message());
  }
}

void pl_feed_by_team(pl_feed *feed, pl_feed_block *b, int thread, plait_raise *raise) {
  const pl_task *task = feed->task;
  pl_source source;
  double start = pl_now();
  for (int i = 0;
       pl_box_source(&b->own, task->plan.halo, task->cut.shape, task->plan.boundary, i, &source);
       i++)
    fetch_source(feed, &source, b, thread, raise);
  if (thread == 0) feed->team_read += pl_now() - start;
}

// ---- parts of strips ----

// Of one thread, in the memory of the slot: stored bytes, then cells.
static size_t part_bytes(const pl_feed *feed, const plait_strips *strips, size_t *raw) {
  pl_box largest = {.ndim = strips->in->ndim};
  memcpy(largest.n, strips->extent, sizeof largest.n);
  *raw = (pl_dataset_raw_bytes(feed->task->input, largest.n) + 63) / 64 * 64;
  return *raw + (pl_block_bytes(strips->in->type, &largest, NULL) + 63) / 64 * 64;
}

bool pl_feed_parts_fit(const pl_feed *feed, const pl_feed_block *b) {
  const pl_task *task = feed->task;
  plait_strips strips;
  size_t raw;
  bool reads = feed->view == NULL;
  if (!task->plan.strips) return false;
  plait_block block = pl_block_over(NULL, task->array.type, &b->own, NULL);
  pl_strips_cut(&block, task->plan.reduced, chunk_of(feed), reads, feed->team, &strips);
  return pl_strips_worth(&strips, task->plan.reduced, chunk_of(feed), reads, feed->team) &&
         part_bytes(feed, &strips, &raw) * (size_t)feed->team <= pl_feed_block_bytes(task);
}

static bool look_at_part(pl_feed *feed, const pl_box *box, void *memory, plait_block *part) {
  pl_view_look(feed->view, box, memory, part);
  int waits = (int)pl_view_waits();
  if (waits > 0 && atomic_fetch_add(&feed->missing, waits) + waits > MOST_MISSING)
    feed->waited = true;
  return true;
}

static bool read_part(const struct plait_source *base, const plait_call *call,
                      const plait_strips *strips, const pl_box *box, plait_block *part) {
  const pl_feed_source *source = (const pl_feed_source *)base;
  size_t raw, bytes = part_bytes(source->feed, strips, &raw);
  char *at = source->block->raw + (size_t)call->thread * bytes;
  if (source->feed->view) return look_at_part(source->feed, box, at, part);
  double start = pl_now();
  *part = pl_block_over(at + raw, strips->in->type, box, NULL);
  plait_err err = fetch_alone(source->feed, box, at, part, call->raise);
  if (err != PLAIT_OK) pl_raise(call->raise, err, "%s", pl_message());
  if (call->thread == 0) source->feed->team_read += pl_now() - start;
  return err == PLAIT_OK;
}

// A view may take what the budget leaves: all of the file, or a block at a time.
static plait_err open_view(pl_feed *feed) {
  const pl_task *task = feed->task;
  pl_plain plain;
  size_t left = task->budget > task->needed ? (size_t)(task->budget - task->needed) : 0;
  pl_box largest = {.ndim = task->cut.ndim};
  if (!pl_dataset_plain(task->input, &plain)) return PLAIT_OK;
  TRY(pl_view_open(&plain, task->plan.unaligned, &feed->view));
  if (!feed->view) return PLAIT_OK;
  pl_cut_largest(&task->cut, largest.n);
  if (pl_view_span(feed->view, &largest) > left) pl_view_close(&feed->view);
  feed->forgets = feed->view && pl_view_bytes(feed->view) > left;
  return PLAIT_OK;
}

plait_err pl_feed_source_start(pl_feed *feed) {
  feed->source = (pl_feed_source){.base = {.read = read_part}, .feed = feed};
  if (feed->task->input) feed->source.base.chunk = chunk_of(feed);
  if (feed->team > 0 && feed->task->plan.strips) TRY(open_view(feed));
  feed->source.base.reads = feed->view == NULL;
  return PLAIT_OK;
}
