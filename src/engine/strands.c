// SPDX-License-Identifier: BSD-3-Clause
//
// One outer OpenMP region with three threads; the leader opens one inner team that lives for the
// whole pattern (measured: a fork/join of a nested region costs 35-150 us, a barrier of a standing
// team 1.5 us). Threads of the team meet at two barriers a slot: one after the leader has taken it,
// one after the last use. Errors: the first wins, all queues are closed, everybody leaves.
#include "engine/strands.h"
#include "base/clock.h"
#include "engine/queue.h"
#include <omp.h>
#include <pthread.h>
#include <string.h>

struct pl_strands {
  const pl_strand_work *work;
  void *context;
  const pl_placement *placement;
  pl_meter *meter;
  int threads;
  bool in_line;
  pl_queue *free_in, *ready_in, *free_out, *ready_out;
  pthread_mutex_t mutex; // guards error and message
  plait_err error;
  char message[PL_MESSAGE_BYTES];
  // what the leader tells its team
  int slot;
  bool go;
  double began, before; // of the work under way: when, and meter->compute then
  double computed;      // when the team had no more to do
};

// `keep`: what the team has handed to the writer is still written.
static void fail(pl_strands *s, plait_err err, bool keep) {
  pthread_mutex_lock(&s->mutex);
  bool first = s->error == PLAIT_OK;
  if (first) {
    s->error = err;
    strncpy(s->message, pl_message(), sizeof s->message - 1);
  }
  pthread_mutex_unlock(&s->mutex);
  if (!first) return;
  pl_queue_close(s->free_in, true);
  pl_queue_close(s->ready_in, true);
  pl_queue_close(s->free_out, true);
  pl_queue_close(s->ready_out, !keep);
  if (s->work->failed) s->work->failed(s->context);
}

static bool has_failed(pl_strands *s) {
  pthread_mutex_lock(&s->mutex);
  bool failed = s->error != PLAIT_OK;
  pthread_mutex_unlock(&s->mutex);
  return failed;
}

static plait_err timed_read(pl_strands *s, int slot, bool *more) {
  double start = pl_now();
  plait_err err = s->work->read(s->context, slot, more);
  double end = pl_now();
  s->meter->read += end - start;
  pl_trace_add(s->meter->trace, PL_LANE_READ, start, end, end - start);
  return err;
}

static plait_err timed_write(pl_strands *s, int slot) {
  double start = pl_now();
  plait_err err = s->work->write(s->context, slot);
  double end = pl_now();
  s->meter->write += end - start;
  pl_trace_add(s->meter->trace, PL_LANE_WRITE, start, end, end - start);
  return err;
}

// Reader only: a free slot, poking MPI every millisecond of waiting.
static bool free_slot(pl_strands *s, int *slot) {
  double idle = 0;
  bool late = false;
  if (!s->work->comm || pl_comm_size(s->work->comm) == 1)
    return pl_queue_pop(s->free_in, slot, &idle);
  for (;;) {
    bool got = pl_queue_pop_within(s->free_in, 0.001, slot, &idle, &late);
    if (!late) return got;
    pl_comm_lock(s->work->comm);
    (void)pl_comm_poke(s->work->comm); // an error shows at the next claim
    pl_comm_unlock(s->work->comm);
  }
}

static void reader(pl_strands *s) {
  int slot;
  while (free_slot(s, &slot)) {
    bool more = true;
    plait_err err = timed_read(s, slot, &more);
    if (err != PLAIT_OK) {
      fail(s, err, false);
      return;
    }
    if (!more) break;
    pl_queue_push(s->ready_in, slot);
  }
  pl_queue_close(s->ready_in, false);
}

static void writer(pl_strands *s) {
  double idle = 0;
  int slot;
  while (pl_queue_pop(s->ready_out, &slot, &idle)) {
    plait_err err = timed_write(s, slot);
    if (err != PLAIT_OK) {
      fail(s, err, false);
      return;
    }
    pl_queue_push(s->free_out, slot);
  }
}

// The team stood still until now.
static void count_wait(pl_strands *s, double *total, double seconds) {
  *total += seconds;
  if (!(seconds > 0)) return;
  double now = pl_now();
  pl_trace_add(s->meter->trace, PL_LANE_WAIT, now - seconds, now, seconds);
}

static bool pop(pl_strands *s, pl_queue *queue, int *slot, double *total) {
  double waited = 0;
  bool got = pl_queue_pop(queue, slot, &waited);
  count_wait(s, total, waited);
  return got;
}

// Leader only: the next input slot, false at the end.
static bool next_slot(pl_strands *s) {
  if (!s->in_line) return pop(s, s->ready_in, &s->slot, &s->meter->wait_read);
  if (has_failed(s)) return false; // no queue ends what has no queue
  bool more = true;
  s->slot = 0;
  double start = pl_now();
  plait_err err = timed_read(s, 0, &more);
  count_wait(s, &s->meter->wait_read, pl_now() - start); // nothing hides it
  if (err != PLAIT_OK) fail(s, err, false);
  return err == PLAIT_OK && more;
}

// What the threads of the team had of the time in which it computed.
static void count_thread(pl_strands *s, double cpu, double delay) {
  pthread_mutex_lock(&s->mutex);
  s->meter->team_cpu += cpu;
  s->meter->team_delay += delay;
  pthread_mutex_unlock(&s->mutex);
}

// The work on a slot, without what it waited for output slots.
static void count_work(pl_strands *s) {
  double end = pl_now();
  s->meter->compute += end - s->began;
  pl_trace_add(s->meter->trace, PL_LANE_COMPUTE, s->began, end, s->meter->compute - s->before);
}

static void begin_work(pl_strands *s) {
  s->began = pl_now();
  s->before = s->meter->compute;
}

static void team_member(pl_strands *s, int thread) {
  if (s->placement) pl_placement_bind_thread(s->placement, thread);
  double cpu = 0, delay = pl_meter_delay();
  for (;;) {
    if (thread == 0) s->go = next_slot(s);
    if (thread == 0 && s->go && s->work->arrive) s->work->arrive(s->context, s->slot);
#pragma omp barrier
    if (!s->go) break;
    if (thread == 0) begin_work(s);
    cpu -= pl_cpu_thread();
    plait_err err = s->work->compute(s->context, s, s->slot, thread);
    cpu += pl_cpu_thread();
#pragma omp barrier
    if (thread == 0) {
      count_work(s);
      if (err != PLAIT_OK) fail(s, err, true);
      if (s->work->leave) s->work->leave(s->context, s->slot);
      if (!s->in_line) pl_queue_push(s->free_in, s->slot);
    }
  }
  count_thread(s, cpu, pl_meter_delay() - delay);
}

static void leader(pl_strands *s) {
#pragma omp parallel num_threads(s->threads)
  team_member(s, omp_get_thread_num());
  if (s->placement) pl_placement_float_thread(s->placement);
  s->computed = pl_now();
  if (!s->in_line) pl_queue_close(s->ready_out, false);
}

static void run_together(pl_strands *s) {
#pragma omp parallel num_threads(3)
  {
    int strand = omp_get_thread_num();
    if (omp_get_num_threads() < 3) { // OMP_THREAD_LIMIT: work in line
#pragma omp single
      s->in_line = true;
      if (strand == 0) leader(s);
    } else if (strand == 0) {
      leader(s);
    } else if (strand == 1) {
      reader(s);
    } else {
      writer(s);
    }
  }
}

bool pl_strands_take_out(pl_strands *s, int *slot) {
  *slot = 0;
  if (s->in_line) return s->error == PLAIT_OK;
  double before = s->meter->wait_write;
  bool got = pop(s, s->free_out, slot, &s->meter->wait_write);
  s->meter->compute -= s->meter->wait_write - before; // it stands inside the time of compute
  return got;
}

bool pl_strands_give_out(pl_strands *s, int slot) {
  if (!s->in_line) return pl_queue_push(s->ready_out, slot);
  double start = pl_now();
  plait_err err = timed_write(s, slot);
  double spent = pl_now() - start;
  count_wait(s, &s->meter->wait_write, spent);
  s->meter->compute -= spent;
  if (err != PLAIT_OK) fail(s, err, false);
  return err == PLAIT_OK;
}

void pl_strands_lap(pl_strands *s) {
  count_work(s);
  begin_work(s);
}

static plait_err start_queues(pl_strands *s) {
  TRY(pl_queue_start(s->work->nin, &s->free_in));
  TRY(pl_queue_start(s->work->nin, &s->ready_in));
  TRY(pl_queue_start(s->work->nout, &s->free_out));
  TRY(pl_queue_start(s->work->nout, &s->ready_out));
  for (int i = 0; i < s->work->nin; i++) pl_queue_push(s->free_in, i);
  for (int i = 0; i < s->work->nout; i++) pl_queue_push(s->free_out, i);
  return PLAIT_OK;
}

plait_err pl_strands_run(const pl_strand_work *work, void *context, const pl_placement *placement,
                         int threads, bool overlap, pl_meter *meter) {
  pl_strands s = {.work = work, .context = context, .placement = placement, .meter = meter};
  s.threads = threads > 0 ? threads : 1;
  s.in_line = !overlap;
  pthread_mutex_init(&s.mutex, NULL);
  if (omp_get_max_active_levels() < 2) omp_set_max_active_levels(2);
  plait_err err = start_queues(&s);
  if (err == PLAIT_OK) {
    if (overlap)
      run_together(&s);
    else
      leader(&s);
    count_wait(&s, &meter->wait_write, pl_now() - s.computed); // the writer's last blocks
    err = s.error;
    if (err != PLAIT_OK) pl_message_set(s.message);
  }
  pl_queue_stop(&s.free_in);
  pl_queue_stop(&s.ready_in);
  pl_queue_stop(&s.free_out);
  pl_queue_stop(&s.ready_out);
  pthread_mutex_destroy(&s.mutex);
  return err;
}

// A region of one thread inside the team's: orphaned loops bind to the innermost region.
void pl_strands_each(const pl_placement *placement, int threads,
                     void (*work)(void *context, int thread), void *context) {
#pragma omp parallel num_threads(threads)
  {
    int thread = omp_get_thread_num();
    if (placement) pl_placement_bind_thread(placement, thread);
#pragma omp parallel num_threads(1)
    work(context, thread);
  }
  if (placement) pl_placement_float_thread(placement);
}
