// SPDX-License-Identifier: BSD-3-Clause
//
// A bounded queue of small numbers (slots) between two strands. A strand that waits sleeps on a
// condition variable. The price of a hand-over is a lock (about 50 ns) when nobody sleeps and a
// wake-up (about 5 us) when somebody does; strands therefore hand over batches of blocks, not
// single tiny ones.
#ifndef PL_QUEUE_H
#define PL_QUEUE_H
#include "base/err.h"

typedef struct pl_queue pl_queue;
plait_err pl_queue_start(int capacity, pl_queue **queue);
void pl_queue_stop(pl_queue **queue); // Threads: nobody may wait in it; NULL inside is fine
// Blocks while full. false: the queue was closed, the slot was not taken.
bool pl_queue_push(pl_queue *queue, int slot);
// Blocks while empty. false: closed and empty. *waited grows by the seconds slept.
bool pl_queue_pop(pl_queue *queue, int *slot, double *waited);
// The same, but gives up after `seconds`: *late is set and true returned, *slot is not.
bool pl_queue_pop_within(pl_queue *queue, double seconds, int *slot, double *waited, bool *late);
// No more pushes; who waits wakes up. What is inside can still be popped, unless `drop`.
void pl_queue_close(pl_queue *queue, bool drop);
#endif
