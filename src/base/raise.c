// SPDX-License-Identifier: BSD-3-Clause
//
// The first thread that takes `state` from 0 to 1 owns the text; the others are too late and say
// nothing. The good path is one relaxed load per block by the leader.
#include "base/raise.h"
#include "base/err.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void raise_v(plait_raise *raise, plait_err code, const char *format, va_list args) {
  int nothing = 0;
  if (!atomic_compare_exchange_strong(&raise->state, &nothing, 1)) return;
  raise->code = code;
  vsnprintf(raise->text, sizeof raise->text, format, args);
  atomic_store_explicit(&raise->state, 2, memory_order_release);
}

void pl_raise(plait_raise *raise, plait_err code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  raise_v(raise, code, format, args);
  va_end(args);
}

void plait_call_raise(const plait_call *call, const char *format, ...) {
  if (!call->raise) return;
  va_list args;
  va_start(args, format);
  raise_v(call->raise, PLAIT_KERNEL, format, args);
  va_end(args);
}

void plait_call_refuse(const plait_call *call, const char *format, ...) {
  if (!call->raise) return;
  va_list args;
  va_start(args, format);
  raise_v(call->raise, PLAIT_REFUSED, format, args);
  va_end(args);
}

void plait_call_warn(const plait_call *call, const char *format, ...) {
  char text[sizeof call->raise->warning];
  plait_raise *raise = call->raise;
  int nobody = 0;
  if (!raise) return;
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  while (!atomic_compare_exchange_weak(&raise->warning_held, &nobody, 1)) {
    nobody = 0;
    sched_yield();
  }
  size_t n = strlen(raise->warning);
  if (!strstr(raise->warning, text))
    snprintf(raise->warning + n, sizeof raise->warning - n, "%s%s", n ? "; " : "", text);
  atomic_store(&raise->warning_held, 0);
}

plait_err pl_raised(plait_raise *raise) {
  if (atomic_load_explicit(&raise->state, memory_order_relaxed) == 0) return PLAIT_OK;
  while (atomic_load_explicit(&raise->state, memory_order_acquire) != 2) sched_yield();
  return plait_fail(raise->code, "%s", raise->text);
}
