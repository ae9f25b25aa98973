// SPDX-License-Identifier: BSD-3-Clause
//
// All errors of a job, collected, so that one run of `plait check` shows them all.
#ifndef PL_ISSUES_H
#define PL_ISSUES_H
#include "base/err.h"

typedef enum pl_origin { PL_FROM_FILE, PL_FROM_COMMAND, PL_FROM_DEFAULT } pl_origin;

typedef struct pl_mark { // where a word of the job stands; lines and columns from 1
  pl_origin origin;
  int line, column;
} pl_mark;

typedef struct pl_issues { // zero-initialised with `path` set; one per load, one thread
  const char *path;        // of the job file; *borrows*
  const char *command;     // what to call the command line; NULL: "command line"
  struct pl_issue *at;     // the first `kept` of `count`
  int kept, count;
  bool failed; // out of memory
} pl_issues;

// "path:line:col: error: TEXT" or "command line: error: TEXT". *copies*; control characters in TEXT
// (it may quote the file) become '?', so that an error is one line.
void pl_issue(pl_issues *issues, pl_mark mark, const char *format, ...) PLAIT_PRINTF(3, 4);
// PLAIT_OK when there are none; else `code`, and this thread's message holds all lines in file
// order (as many as fit, then how many more there are).
plait_err pl_issues_result(pl_issues *issues, plait_err code);
void pl_issues_free(pl_issues *issues);
#endif
