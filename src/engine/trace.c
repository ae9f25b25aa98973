// SPDX-License-Identifier: BSD-3-Clause
//
// See trace.h. A stretch is joined to the one before it when both together are no longer than the
// grain of the lane. The grain is 0 until the lane is full (nothing is lost in a short run) and
// then four times what would just fill it, so that joining leaves half of the room free and costs
// little per stretch. The memory is one piece: it travels as it is.
#include "engine/trace.h"
#include "base/mem.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct pl_trace {
  double origin;
  int64_t most;
  int64_t n[PL_LANES];
  double grain[PL_LANES]; // s
  pl_stretch at[];        // [PL_LANES][most]
};

const char *const pl_lane_names[PL_LANES] = {"read", "compute", "write", "wait", "messages"};

static size_t bytes_of(int64_t most) {
  return sizeof(pl_trace) + (size_t)most * PL_LANES * sizeof(pl_stretch);
}

plait_err pl_trace_start(double origin, int64_t most, pl_trace **trace) {
  char *memory = NULL;
  *trace = NULL;
  TRY(pl_calloc(bytes_of(most), 1, &memory));
  *trace = (pl_trace *)(void *)memory;
  (*trace)->origin = origin;
  (*trace)->most = most;
  return PLAIT_OK;
}

void pl_trace_stop(pl_trace **trace) {
  pl_free(trace);
}

int64_t pl_trace_lane(const pl_trace *trace, pl_lane lane, const pl_stretch **stretches) {
  *stretches = trace->at + (int64_t)lane * trace->most;
  return trace->n[lane];
}

// ---- keeping --------------------------------------------------------------------------------
static bool join(pl_stretch *last, const pl_stretch *next, double grain) {
  if (next->to - last->from > grain) return false;
  last->to = next->to;
  last->busy += next->busy;
  last->count += next->count;
  return true;
}

static void coarsen(pl_trace *t, pl_lane lane) {
  pl_stretch *at = t->at + (int64_t)lane * t->most;
  int64_t n = t->n[lane], kept = 1;
  t->grain[lane] = 4 * (at[n - 1].to - at[0].from) / (double)t->most;
  for (int64_t i = 1; i < n; i++)
    if (!join(&at[kept - 1], &at[i], t->grain[lane])) at[kept++] = at[i];
  t->n[lane] = kept;
}

void pl_trace_add(pl_trace *t, pl_lane lane, double from, double to, double busy) {
  if (!t || !(to > from)) return;
  pl_stretch next = {from - t->origin, to - t->origin, fmin(fmax(busy, 0), to - from), 1};
  pl_stretch *at = t->at + (int64_t)lane * t->most;
  if (t->n[lane] > 0 && join(&at[t->n[lane] - 1], &next, t->grain[lane])) return;
  if (t->n[lane] == t->most) coarsen(t, lane);
  if (t->n[lane] < t->most) at[t->n[lane]++] = next;
}

// ---- bins -----------------------------------------------------------------------------------
static void spread(const pl_stretch *s, double width, double bins[PL_BINS]) {
  double share = s->busy / (s->to - s->from);
  int first = (int)fmax(0, s->from / width), last = (int)fmin(PL_BINS - 1, s->to / width);
  for (int b = first; b <= last; b++) {
    double common = fmin(s->to, (b + 1) * width) - fmax(s->from, b * width);
    if (common > 0) bins[b] += share * common;
  }
}

void pl_trace_bins(const pl_trace *trace, double seconds, pl_timeline *timeline) {
  double width = seconds / PL_BINS;
  for (int l = 0; l < PL_LANES; l++) {
    const pl_stretch *at = NULL;
    double bins[PL_BINS] = {0};
    int64_t n = trace ? pl_trace_lane(trace, (pl_lane)l, &at) : 0;
    for (int64_t i = 0; i < n && width > 0; i++) spread(&at[i], width, bins);
    for (int b = 0; b < PL_BINS; b++)
      timeline->lane[l][b] =
          (char)('0' + (width > 0 ? (int)ceil(fmin(9, 9 * bins[b] / width)) : 0));
    timeline->lane[l][PL_BINS] = 0;
  }
}

// ---- all ranks ------------------------------------------------------------------------------
plait_err pl_trace_gather(pl_comm *comm, const pl_trace *trace, void **all) {
  char *memory = NULL;
  size_t bytes = bytes_of(trace->most);
  plait_err err = PLAIT_OK;
  *all = NULL;
  if (pl_comm_rank(comm) == 0) err = pl_alloc(bytes, (size_t)pl_comm_size(comm), &memory);
  err = pl_comm_agree(comm, err);
  if (err == PLAIT_OK) err = pl_comm_gather(comm, trace, bytes, memory, 0);
  if (err != PLAIT_OK) pl_free(&memory);
  *all = memory;
  return err;
}

const pl_trace *pl_trace_of(const void *all, int rank) {
  const pl_trace *first = all;
  return (const pl_trace *)(const void *)((const char *)all + (size_t)rank * bytes_of(first->most));
}

static void add_name(const char *what, int rank, int lane, const char *name, pl_text *out) {
  pl_text_add(out, "{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":\"",
              rank, lane, what);
  for (; *name; name++)
    pl_text_add(out, "%c", isalnum((unsigned char)*name) || strchr(" .-_", *name) ? *name : '?');
  pl_text_add(out, "\"}},\n");
}

static void add_lane(const pl_trace *trace, int rank, int lane, pl_text *out) {
  const pl_stretch *at;
  int64_t n = pl_trace_lane(trace, (pl_lane)lane, &at);
  if (n > 0) add_name("thread_name", rank, lane, pl_lane_names[lane], out);
  for (int64_t i = 0; i < n; i++)
    pl_text_add(out,
                "{\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"ts\":%.3f,\"dur\":%.3f,"
                "\"args\":{\"count\":%lld,\"busy_us\":%.3f}},\n",
                rank, lane, pl_lane_names[lane], 1e6 * at[i].from, 1e6 * (at[i].to - at[i].from),
                (long long)at[i].count, 1e6 * at[i].busy);
}

void pl_trace_events(const void *all, int ranks, const char *const host[], pl_text *out) {
  pl_text_add(out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
  for (int r = 0; r < ranks; r++) {
    char name[PLAIT_NAME + 32];
    snprintf(name, sizeof name, "rank %d on %s", r, host[r]);
    add_name("process_name", r, 0, name, out);
    for (int l = 0; l < PL_LANES; l++) add_lane(pl_trace_of(all, r), r, l, out);
  }
  // Ends the list without a comma.
  pl_text_add(out, "{\"ph\":\"M\",\"pid\":0,\"tid\":0,\"name\":\"process_sort_index\",\"args\":{"
                   "\"sort_index\":0}}\n]}\n");
}
