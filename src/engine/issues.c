// SPDX-License-Identifier: BSD-3-Clause
//
// Errors are found section by section but read line by line, so they are sorted at the end. The
// message of a thread is bounded; a bounded number of errors is kept.
#include "engine/issues.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 100, LINE = 512 };

struct pl_issue {
  pl_mark mark;
  int number; // in order of detection: makes the sort stable
  char text[LINE];
};

// Also what a cut in the middle of a character leaves.
static void make_one_line(char *text) {
  for (int n; *text; text += n > 0 ? n : 1) {
    n = pl_utf8_length(text);
    if (n == 0 || (unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
  }
}

void pl_issue(pl_issues *issues, pl_mark mark, const char *format, ...) {
  if (!issues->at && pl_calloc(KEPT, sizeof *issues->at, &issues->at) != PLAIT_OK) {
    issues->failed = true;
  }
  issues->count++;
  if (issues->failed || issues->kept == KEPT) return;
  struct pl_issue *issue = &issues->at[issues->kept];
  issue->mark = mark;
  issue->number = issues->kept++;
  va_list args;
  va_start(args, format);
  vsnprintf(issue->text, sizeof issue->text, format, args);
  va_end(args);
  make_one_line(issue->text);
}

static int compare(const void *left, const void *right) {
  const struct pl_issue *a = left, *b = right;
  int part[4][2] = {{(int)a->mark.origin, (int)b->mark.origin},
                    {a->mark.line, b->mark.line},
                    {a->mark.column, b->mark.column},
                    {a->number, b->number}};
  for (int i = 0; i < 4; i++) {
    if (part[i][0] != part[i][1]) return part[i][0] < part[i][1] ? -1 : 1;
  }
  return 0;
}

static int write_line(const pl_issues *issues, const struct pl_issue *issue, char *out,
                      size_t room) {
  const char *command = issues->command ? issues->command : "command line";
  switch (issue->mark.origin) {
  case PL_FROM_FILE:
    return snprintf(out, room, "%s:%d:%d: error: %s", issues->path, issue->mark.line,
                    issue->mark.column, issue->text);
  case PL_FROM_COMMAND:
    return snprintf(out, room, "%s: error: %s", command, issue->text);
  default:
    return snprintf(out, room, "default: error: %s", issue->text);
  }
}

plait_err pl_issues_result(pl_issues *issues, plait_err code) {
  char message[PL_MESSAGE_BYTES], line[LINE + 1024];
  size_t length = 0, spare = 64; // for the closing line
  int written = 0;
  if (issues->failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  if (issues->count == 0) return PLAIT_OK;
  qsort(issues->at, (size_t)issues->kept, sizeof *issues->at, compare);
  for (; written < issues->kept; written++) {
    int bytes = write_line(issues, &issues->at[written], line, sizeof line);
    if ((size_t)bytes >= sizeof line) bytes = sizeof line - 1;
    if (length + (size_t)bytes + spare > sizeof message) break;
    length += (size_t)snprintf(message + length, sizeof message - length, "%s%s",
                               written > 0 ? "\n" : "", line);
  }
  if (written < issues->count) {
    snprintf(message + length, sizeof message - length, "\n.. and %d more errors",
             issues->count - written);
  }
  pl_message_set(message);
  return code;
}

void pl_issues_free(pl_issues *issues) {
  pl_free(&issues->at);
}
