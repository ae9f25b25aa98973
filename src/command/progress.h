// SPDX-License-Identifier: BSD-3-Clause
//
// How far a run has come: a bar on a terminal, lines in a log.
#ifndef PL_PROGRESS_H
#define PL_PROGRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pl_bar {
  bool silent;      // --quiet
  const char *unit; // what is counted: "blocks", "steps"
  bool terminal;    // redraw one line; else print lines
  bool color;       // terminal, NO_COLOR not set
  int width;        // of the terminal, columns
  bool drawn;       // a bar stands on the current line
  int pass;         // over the blocks, 0: the first; numbers and rate are of this pass
  bool begins;      // nothing of this pass was told yet
  double from;      // seconds at which it began
  int64_t before;   // of what is done in this pass: by an earlier run; the rate is of this one
  int last_step;    // log: last 5 % step that was printed
  double last_time; // log: seconds at which a line was printed last
  double pause;     // log: s between two lines at least; 0: as below
} pl_bar;

// Looks at stderr, NO_COLOR, TERM and COLUMNS.
void pl_bar_start(pl_bar *bar, bool quiet);
// pl_progress.tell: data is the pl_bar. `done` of `total` blocks, `bytes` so far, after `seconds`.
void pl_bar_tell(void *data, int64_t done, int64_t total, int64_t bytes, double seconds);
void pl_bar_pass(void *data, int pass);         // pl_progress.pass
void pl_bar_before(void *data, int64_t before); // pl_progress.before
void pl_bar_clear(pl_bar *bar); // takes the bar off the terminal; it comes back with the next tell

// Pure: the line without colour or newline, at most `width` characters, at least "43 %". 0: a line
// for a log, without a bar.
// The rate is in bytes, or in units when no bytes are read.
void pl_bar_line(int width, const char *unit, int64_t done, int64_t total, int64_t bytes,
                 double seconds, char *out, size_t room);
// Whether a log gets a line now: every 5 % and every minute, but not twice within a second, and in
// passes after the first not twice within ten.
bool pl_bar_due(pl_bar *bar, int64_t done, int64_t total, double seconds);
#endif
