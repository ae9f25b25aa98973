// SPDX-License-Identifier: BSD-3-Clause
//
// One sink for all threads, behind a lock so that lines never mix. Logging is rare; the lock is
// never in a loop over cells.
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pl_log_sink *current_sink;
static void *current_data;

void pl_log_to(pl_log_sink *sink, void *data) {
  pthread_mutex_lock(&lock);
  current_sink = sink;
  current_data = data;
  pthread_mutex_unlock(&lock);
}

void pl_log(pl_log_level level, const char *format, ...) {
  char line[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  pthread_mutex_lock(&lock);
  if (current_sink) current_sink(level, line, current_data);
  pthread_mutex_unlock(&lock);
}
