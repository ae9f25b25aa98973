// SPDX-License-Identifier: BSD-3-Clause
//
// Signals that ask the run to stop. A handler may only set flags; the engine looks at them at safe
// points. SIGUSR1 (Slurm's --signal) only ever asks. A second SIGINT or SIGTERM ends the process,
// but not within half a second of the first: `timeout` and launchers that signal the process and
// its group deliver one request twice. In a batch job of Slurm SIGTERM only ever asks too: it comes
// from Slurm, from srun and from the script, on a busy node seconds apart, and SIGKILL follows.
#include "host/stop.h"
#include "base/clock.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAME_REQUEST_NS 500000000LL

static volatile atomic_int asked;           // the first signal
static volatile _Atomic long long asked_at; // when SIGINT or SIGTERM first came, ns; 0: never
static bool in_batch;

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Is this signal a second request to end?
static bool is_second(int number) {
  long long never = 0, now = now_ns();
  if (number == SIGUSR1 || (number == SIGTERM && in_batch)) return false;
  if (atomic_compare_exchange_strong(&asked_at, &never, now)) return false;
  return now - atomic_load(&asked_at) > SAME_REQUEST_NS;
}

static void on_signal(int number) {
  int saved = errno, none = 0;
  atomic_compare_exchange_strong(&asked, &none, number);
  if (is_second(number)) {
    signal(number, SIG_DFL);
    raise(number); // delivered when this handler returns
  }
  errno = saved;
}

plait_err pl_stop_listen(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  in_batch = getenv("SLURM_JOB_ID") != NULL;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if (sigaction(numbers[i], &action, NULL) != 0)
      return pl_fail_errno(PLAIT_BUG, "cannot listen to signals", "sigaction");
  return PLAIT_OK;
}

bool pl_stop_asked(void) {
  return atomic_load(&asked) != 0;
}

int pl_stop_signal(void) {
  return atomic_load(&asked);
}

// ---- time ----

static _Atomic double end_at, margin;

void pl_stop_by(double when) {
  atomic_store(&end_at, when);
}

double pl_stop_time(void) {
  return atomic_load(&end_at);
}

void pl_stop_margin(double seconds) {
  atomic_store(&margin, seconds);
}

int pl_stop_why(void) {
  double end = atomic_load(&end_at);
  if (pl_stop_asked()) return pl_stop_signal();
  return end > 0 && pl_now() >= end - atomic_load(&margin) ? PL_STOP_TIME : 0;
}

void pl_stop_text(int why, char out[80]) {
  if (why == PL_STOP_TIME)
    snprintf(out, 80, "the end of its time");
  else
    snprintf(out, 80, "%.50s (signal %d)", strsignal(why), why);
}
