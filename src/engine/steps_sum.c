// SPDX-License-Identifier: BSD-3-Clause
//
// See steps_sum.h.
#include "engine/steps_sum.h"
#include "base/clock.h"
#include "base/mem.h"
#include <sched.h>
#include <string.h>

enum { TAG_NODE = 51, TAG_SEGMENT = 52, LINE = 16, SHORT = 16 * 1024 }; // floats
static const double spin = 1e-3;                                        // s

// The nodes of a rank in order; returns how many there are.
static int nodes_of(int lanes, int rank, int ranks, int first[], int width[]) {
  int at = (int)((int64_t)lanes * rank / ranks), end = (int)((int64_t)lanes * (rank + 1) / ranks);
  int n = 0;
  while (at < end) {
    int wide = at ? at & -at : lanes;
    while (wide > end - at) wide /= 2;
    if (first) first[n] = at;
    if (width) width[n] = wide;
    n++;
    at += wide;
  }
  return n;
}

// Whether everybody adds all of n floats.
static bool brief(const pl_steps_sum *s, size_t n) {
  return !s->shared && n <= SHORT;
}

// The part of n floats that a rank adds up.
static void segment(const pl_steps_sum *s, size_t n, int rank, size_t *lo, size_t *length) {
  size_t lines = (n + LINE - 1) / LINE, ranks = (size_t)s->ranks;
  size_t from = lines * (size_t)rank / ranks * LINE, to = lines * ((size_t)rank + 1) / ranks * LINE;
  if (to > n) to = n;
  if (brief(s, n)) from = 0, to = n;
  *lo = from;
  *length = to > from ? to - from : 0;
}

static size_t rounded(size_t n) {
  return (n + LINE - 1) / LINE * LINE;
}

static size_t room_each(size_t longest, int ranks) {
  size_t part = longest / (size_t)ranks + 2 * LINE, brief = longest < SHORT ? longest : SHORT;
  return rounded(part > brief ? part : brief);
}

size_t pl_steps_sum_bytes(int lanes, int ranks, size_t longest) {
  int most = 0, all = 0;
  for (int r = 0; r < ranks; r++) {
    int n = nodes_of(lanes, r, ranks, NULL, NULL);
    if (n > most) most = n;
    all += n;
  }
  if (ranks == 1) all = 0;
  return ((size_t)(most + 1) * rounded(longest) + (size_t)all * room_each(longest, ranks)) *
         sizeof(float);
}

static plait_err start(pl_steps_sum *s) {
  size_t lanes = (size_t)s->lanes;
  int all = 0;
  for (int r = 0; r < s->ranks; r++) all += nodes_of(s->lanes, r, s->ranks, NULL, NULL);
  TRY(pl_alloc(lanes, sizeof *s->first, &s->first));
  TRY(pl_alloc(lanes, sizeof *s->width, &s->width));
  TRY(pl_alloc(lanes, sizeof *s->wide, &s->wide));
  TRY(pl_alloc(lanes, sizeof *s->at, &s->at));
  TRY(pl_alloc(lanes, sizeof *s->own, &s->own));
  s->nodes = nodes_of(s->lanes, s->rank, s->ranks, s->first, s->width);
  s->base = s->nodes > 0 ? s->first[0] : 0;
  for (int i = 0; i < s->nodes; i++) s->first[i] -= s->base;
  return pl_alloc(2 * ((size_t)all + lanes * (size_t)s->ranks + (size_t)s->ranks),
                  sizeof *s->requests, &s->requests);
}

// A rank's vectors, the sums behind them; with messages room for what comes.
static plait_err find_memory(pl_steps_sum *s) {
  size_t each = rounded(s->longest), bytes = ((size_t)s->nodes + 1) * each * sizeof(float);
  if (s->ranks > 1) TRY(pl_shared_start(s->comm, bytes, &s->shared));
  if (!s->shared) TRY(pl_calloc(pl_steps_sum_bytes(s->lanes, s->ranks, s->longest), 1, &s->memory));
  float *own = s->shared ? pl_shared_at(s->shared, s->rank) : s->memory;
  for (int i = 0; i < s->nodes; i++) s->own[i] = own + (size_t)i * each;
  s->total = own + (size_t)s->nodes * each;
  s->room = s->total + each;
  if (s->shared) // one for all
    s->total = (float *)pl_shared_at(s->shared, 0) +
               (size_t)nodes_of(s->lanes, 0, s->ranks, NULL, NULL) * each;
  return PLAIT_OK;
}

plait_err pl_steps_sum_start(pl_comm *comm, int lanes, size_t longest, pl_steps_sum *s) {
  *s = (pl_steps_sum){.comm = comm, .ranks = 1, .lanes = lanes, .longest = longest};
  if (comm) s->rank = pl_comm_rank(comm), s->ranks = pl_comm_size(comm);
  plait_err err = start(s);
  if (comm) err = pl_comm_agree(comm, err);
  if (err == PLAIT_OK) err = find_memory(s);
  if (err != PLAIT_OK) pl_steps_sum_stop(s);
  return err;
}

void pl_steps_sum_stop(pl_steps_sum *s) {
  pl_free(&s->first);
  pl_free(&s->width);
  pl_free(&s->wide);
  pl_free(&s->at);
  pl_free(&s->own);
  pl_free(&s->requests);
  pl_free(&s->memory);
  pl_shared_stop(&s->shared);
}

static plait_err wait(pl_steps_sum *s, int n) {
  double start = pl_now();
  bool done = false;
  do {
    TRY(pl_comm_test(s->comm, s->requests, n, &done));
    if (done) return PLAIT_OK;
    sched_yield();
  } while (pl_now() - start < spin);
  return pl_comm_wait(s->comm, s->requests, n);
}

static plait_err send(pl_steps_sum *s, const float *data, size_t n, int to, int tag, int *requests,
                      pl_meter *meter) {
  if (n == 0) return PLAIT_OK;
  meter->messages++;
  meter->bytes_sent += (int64_t)(n * sizeof *data);
  return pl_comm_send(s->comm, data, n * sizeof *data, to, tag, &s->requests[(*requests)++]);
}

static plait_err receive(pl_steps_sum *s, float *data, size_t n, int from, int tag, int *requests) {
  if (n == 0) return PLAIT_OK;
  return pl_comm_receive(s->comm, data, n * sizeof *data, from, tag, &s->requests[(*requests)++]);
}

// The nodes of all ranks, this rank's segment of them, by lane in s->at: by messages.
static plait_err collect(pl_steps_sum *s, size_t n, pl_meter *meter) {
  int first[64], width[64], requests = 0;
  size_t lo, length, room = 0;
  segment(s, n, s->rank, &lo, &length);
  memset(s->wide, 0, (size_t)s->lanes * sizeof *s->wide);
  for (int r = 0; r < s->ranks; r++) {
    int nodes = nodes_of(s->lanes, r, s->ranks, first, width);
    for (int i = 0; i < nodes; i++) {
      float *at = r == s->rank ? s->own[i] + lo : s->room + room;
      s->at[first[i]] = at;
      s->wide[first[i]] = width[i];
      if (r == s->rank) continue;
      TRY(receive(s, at, length, r, TAG_NODE, &requests));
      room += room_each(s->longest, s->ranks);
    }
  }
  for (int r = 0; r < s->ranks; r++) {
    segment(s, n, r, &lo, &length);
    for (int i = 0; i < s->nodes && r != s->rank; i++)
      TRY(send(s, s->own[i] + lo, length, r, TAG_NODE, &requests, meter));
  }
  return wait(s, requests);
}

// The same where all ranks see them.
static void point(pl_steps_sum *s, size_t n) {
  int first[64], width[64];
  size_t lo, length;
  segment(s, n, s->rank, &lo, &length);
  memset(s->wide, 0, (size_t)s->lanes * sizeof *s->wide);
  for (int r = 0; r < s->ranks; r++) {
    const float *theirs = pl_shared_at(s->shared, r);
    int nodes = nodes_of(s->lanes, r, s->ranks, first, width);
    for (int i = 0; i < nodes; i++) {
      s->at[first[i]] = theirs + (size_t)i * rounded(s->longest) + lo;
      s->wide[first[i]] = width[i];
    }
  }
}

// sum may be left.
static PLAIT_WIDE void add(const float *left, const float *restrict right, size_t n, float *sum) {
  for (size_t i = 0; i < n; i++) sum[i] = left[i] + right[i];
}

// Vectors may be written over in this rank's segment; depth: log2(lanes).
static float *add_up(pl_steps_sum *s, int lane, int width, size_t n) {
  if (s->wide[lane] == width) return (float *)s->at[lane];
  float *left = add_up(s, lane, width / 2, n);
  add(left, add_up(s, lane + width / 2, width / 2, n), n, left);
  return left;
}

// The whole tree, its top straight to where it is sent from.
static void add_all(pl_steps_sum *s, size_t n, float *sum) {
  int half = s->lanes / 2;
  if (s->wide[0] == s->lanes)
    memcpy(sum, s->at[0], n * sizeof *sum);
  else
    add(add_up(s, 0, half, n), add_up(s, half, half, n), n, sum);
}

static plait_err spread(pl_steps_sum *s, size_t n, pl_meter *meter) {
  size_t lo, length, own, own_length;
  int requests = 0;
  segment(s, n, s->rank, &own, &own_length);
  for (int r = 0; r < s->ranks; r++) {
    segment(s, n, r, &lo, &length);
    if (r != s->rank) TRY(receive(s, s->total + lo, length, r, TAG_SEGMENT, &requests));
  }
  for (int r = 0; r < s->ranks; r++)
    if (r != s->rank) TRY(send(s, s->total + own, own_length, r, TAG_SEGMENT, &requests, meter));
  return wait(s, requests);
}

static void add_segment(pl_steps_sum *s, size_t n) {
  size_t lo, length;
  segment(s, n, s->rank, &lo, &length);
  if (length > 0) add_all(s, length, s->total + lo);
}

static plait_err sum_messages(pl_steps_sum *s, size_t n, pl_meter *meter) {
  TRY(collect(s, n, meter));
  add_segment(s, n);
  return brief(s, n) ? PLAIT_OK : spread(s, n, meter);
}

// The sums of the step before have been used when all meet again.
static plait_err sum_shared(pl_steps_sum *s, size_t n) {
  TRY(pl_shared_meet(s->shared));
  point(s, n);
  add_segment(s, n);
  return pl_shared_meet(s->shared);
}

plait_err pl_steps_sum_all(pl_steps_sum *s, size_t n, const float **total, pl_meter *meter) {
  *total = s->ranks == 1 ? s->own[0] : s->total;
  if (s->ranks == 1) return PLAIT_OK;
  double begin = pl_now();
  TRY(s->shared ? sum_shared(s, n) : sum_messages(s, n, meter));
  meter->comm += pl_now() - begin;
  return PLAIT_OK;
}
