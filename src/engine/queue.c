// SPDX-License-Identifier: BSD-3-Clause
//
// A ring under one mutex with two conditions. Lock-free rings were not worth it: a slot carries at
// least some hundred microseconds of work, the lock costs a thousandth of that.
#include "engine/queue.h"
#include "base/clock.h"
#include "base/mem.h"
#include <pthread.h>
#include <time.h>

struct pl_queue {
  pthread_mutex_t mutex;
  pthread_cond_t not_empty, not_full;
  int capacity, first, count;
  bool closed;
  int *ring;
};

plait_err pl_queue_start(int capacity, pl_queue **out) {
  pl_queue *queue = NULL;
  *out = NULL;
  TRY(pl_calloc(1, sizeof *queue, &queue));
  plait_err err = pl_alloc((size_t)capacity, sizeof *queue->ring, &queue->ring);
  if (err != PLAIT_OK) {
    pl_free(&queue);
    return err;
  }
  queue->capacity = capacity;
  pthread_mutex_init(&queue->mutex, NULL);
  pthread_cond_init(&queue->not_empty, NULL);
  pthread_cond_init(&queue->not_full, NULL);
  *out = queue;
  return PLAIT_OK;
}

void pl_queue_stop(pl_queue **at) {
  pl_queue *queue = *at;
  if (!queue) return;
  pthread_cond_destroy(&queue->not_full);
  pthread_cond_destroy(&queue->not_empty);
  pthread_mutex_destroy(&queue->mutex);
  pl_free(&queue->ring);
  pl_free(at);
}

bool pl_queue_push(pl_queue *queue, int slot) {
  pthread_mutex_lock(&queue->mutex);
  while (queue->count == queue->capacity && !queue->closed)
    pthread_cond_wait(&queue->not_full, &queue->mutex);
  bool taken = !queue->closed;
  if (taken) {
    queue->ring[(queue->first + queue->count++) % queue->capacity] = slot;
    pthread_cond_signal(&queue->not_empty);
  }
  pthread_mutex_unlock(&queue->mutex);
  return taken;
}

// Sleeps until there is something, the queue is closed, or the absolute time has come (NULL:
// never).
static bool wait_for_slot(pl_queue *queue, const struct timespec *until, double *waited) {
  if (queue->count > 0 || queue->closed) return true;
  double start = pl_now();
  int error = 0;
  while (queue->count == 0 && !queue->closed && error == 0)
    error = until ? pthread_cond_clockwait(&queue->not_empty, &queue->mutex, CLOCK_MONOTONIC, until)
                  : pthread_cond_wait(&queue->not_empty, &queue->mutex);
  *waited += pl_now() - start;
  return queue->count > 0 || queue->closed;
}

static bool take(pl_queue *queue, int *slot) {
  if (queue->count == 0) return false;
  *slot = queue->ring[queue->first];
  queue->first = (queue->first + 1) % queue->capacity;
  queue->count--;
  pthread_cond_signal(&queue->not_full);
  return true;
}

bool pl_queue_pop(pl_queue *queue, int *slot, double *waited) {
  pthread_mutex_lock(&queue->mutex);
  wait_for_slot(queue, NULL, waited);
  bool got = take(queue, slot);
  pthread_mutex_unlock(&queue->mutex);
  return got;
}

bool pl_queue_pop_within(pl_queue *queue, double seconds, int *slot, double *waited, bool *late) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  long nanoseconds = until.tv_nsec + (long)(seconds * 1e9);
  until.tv_sec += nanoseconds / 1000000000;
  until.tv_nsec = nanoseconds % 1000000000;
  pthread_mutex_lock(&queue->mutex);
  *late = !wait_for_slot(queue, &until, waited);
  bool got = *late || take(queue, slot);
  pthread_mutex_unlock(&queue->mutex);
  return got;
}

void pl_queue_close(pl_queue *queue, bool drop) {
  pthread_mutex_lock(&queue->mutex);
  queue->closed = true;
  if (drop) queue->count = 0;
  pthread_cond_broadcast(&queue->not_empty);
  pthread_cond_broadcast(&queue->not_full);
  pthread_mutex_unlock(&queue->mutex);
}
