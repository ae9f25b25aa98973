// SPDX-License-Identifier: BSD-3-Clause
//
// The message of an error, one per thread: strands fail independently, and a message must not need
// a lock or an allocation (it may be about memory). Costs 4 KiB of thread-local memory per thread.
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
  const char *name;
  int exit_code;
  const char *text;
} row;

static const row table[] = {
#define ROW(name, exit_code, text) {#name, exit_code, text},
    PLAIT_ERRORS(ROW)
#undef ROW
};

static _Thread_local char message[PL_MESSAGE_BYTES];

static const row *find(plait_err code) {
  size_t rows = sizeof table / sizeof *table;
  size_t index = (size_t)code;
  return &table[index < rows ? index : (size_t)PLAIT_BUG];
}

// Formats beside the message first: an argument may be the message itself.
plait_err plait_fail(plait_err code, const char *format, ...) {
  char line[PL_MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  pl_message_set(line);
  return code;
}

plait_err pl_fail_errno(plait_err code, const char *what, const char *path) {
  char buffer[256];
  const char *reason = strerror_r(errno, buffer, sizeof buffer);
  if (!path) return plait_fail(code, "%s: %s", what, reason);
  return plait_fail(code, "%s: %s: %s", path, what, reason);
}

const char *pl_message(void) {
  return message;
}

void pl_message_set(const char *text) {
  size_t bytes = text ? strnlen(text, sizeof message - 1) : 0;
  if (bytes > 0) memmove(message, text, bytes);
  message[bytes] = '\0';
}

int pl_exit_code(plait_err code) {
  return find(code)->exit_code;
}
const char *pl_err_text(plait_err code) {
  return find(code)->text;
}
const char *pl_err_name(plait_err code) {
  return find(code)->name;
}
