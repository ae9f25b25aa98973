// SPDX-License-Identifier: BSD-3-Clause
//
// OUTPUT.lock keeps two runs from one output. It is held with flock(2), which the system gives back
// when the process dies, and says who holds it: host, process, start of the process, boot of the
// machine. Where flock does not reach other machines, the holder also changes the time of the file
// every few seconds, and a lock of another host that has not moved for a while is stale.
#ifndef PL_LOCK_H
#define PL_LOCK_H
#include "base/err.h"

typedef struct pl_lock pl_lock;
#define PL_LOCK_BEAT 4.0 // s between two signs of life

// Waits up to 5 s for a holder that is just ending (the ranks of a run whose launcher was killed
// live on for a moment). PLAIT_OUTPUT: another run holds it. Not collective: rank 0 takes it for
// all.
plait_err pl_lock_take(const char *output, const char *host, pl_lock **lock);
void pl_lock_beat(pl_lock *lock);  // NULL is fine. Threads: any
void pl_lock_give(pl_lock **lock); // removes the file; NULL inside is fine
#endif
