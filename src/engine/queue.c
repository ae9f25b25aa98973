// SPDX-License-Identifier: BSD-3-Clause
//
// A ring under one mutex with two conditions. Lock-free rings were not worth it: a slot carries at
// least some hundred microseconds of work, the lock costs a thousandth of that.
#include "engine/queue.h"
#include "base/clock.h"
#include "base/mem.h"
#include <pthread.h>

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

bool pl_queue_pop(pl_queue *queue, int *slot, double *waited) {
  pthread_mutex_lock(&queue->mutex);
  if (queue->count == 0 && !queue->closed) {
    double start = pl_now();
    while (queue->count == 0 && !queue->closed) pthread_cond_wait(&queue->not_empty, &queue->mutex);
    *waited += pl_now() - start;
  }
  bool got = queue->count > 0;
  if (got) {
    *slot = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    pthread_cond_signal(&queue->not_full);
  }
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
