// SPDX-License-Identifier: BSD-3-Clause
//
// The bar. The rate is the mean since the start: blocks are of one size, so it settles quickly and
// the time left does not jump.
#include "command/progress.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Cells of the bar, at most; columns that the numbers beside it take.
enum { BAR = 40, NUMBERS = 60 };

static int terminal_width(void) {
  struct winsize size;
  int64_t columns;
  const char *text = getenv("COLUMNS");
  if (text && pl_parse_int(text, &columns) && columns >= 20 && columns < 1000) return (int)columns;
  if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20) return size.ws_col;
  return 80;
}

void pl_bar_start(pl_bar *bar, bool quiet) {
  const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
  bool dumb = !term || !*term || !strcmp(term, "dumb");
  *bar = (pl_bar){.silent = quiet, .unit = "blocks", .width = 80};
  bar->terminal = isatty(STDERR_FILENO) && !dumb;
  bar->color = bar->terminal && !(no_color && *no_color);
  if (bar->terminal) bar->width = terminal_width();
}

static void add_rate(const char *unit, int64_t done, int64_t bytes, double seconds, char out[64]) {
  char size[32];
  out[0] = 0;
  if (seconds <= 0) return;
  pl_format_size((int64_t)((double)bytes / seconds), size);
  if (bytes > 0)
    snprintf(out, 64, ", %s/s", size);
  else if (done > 0)
    snprintf(out, 64, ", %.3g %s/s", (double)done / seconds, unit);
}

static void numbers(const char *unit, int64_t done, int64_t total, int64_t bytes, double seconds,
                    char *out, size_t room) {
  char rate[64], left[32] = "";
  add_rate(unit, done, bytes, seconds, rate);
  if (seconds > 0 && done > 0 && done < total)
    pl_format_time(seconds * (double)(total - done) / (double)done, left);
  snprintf(out, room, "%lld/%lld %s%s%s%s", (long long)done, (long long)total, unit, rate,
           *left ? ", left " : "", left);
}

static int percent_of(int64_t done, int64_t total) {
  return total > 0 ? (int)(100.0 * (double)done / (double)total) : 100;
}

// Of a fixed width, whatever the numbers behind it: it must only ever grow to the right.
static void add_bar(int width, int percent, char bar[BAR + 4]) {
  int cells = width - NUMBERS < BAR ? width - NUMBERS : BAR;
  if (cells < 5) return;
  int full = percent * cells / 100;
  bar[0] = '[';
  memset(bar + 1, '#', (size_t)full);
  memset(bar + 1 + full, '.', (size_t)(cells - full));
  snprintf(bar + 1 + cells, 3, "] ");
}

void pl_bar_line(int width, const char *unit, int64_t done, int64_t total, int64_t bytes,
                 double seconds, char *out, size_t room) {
  char tail[192], line[320], bar[BAR + 4] = "";
  numbers(unit, done, total, bytes, seconds, tail, sizeof tail);
  add_bar(width, percent_of(done, total), bar);
  snprintf(line, sizeof line, "%s%3d %%  %s", bar, percent_of(done, total), tail);
  if (width == 0) width = (int)sizeof line;
  snprintf(out, room, "%.*s", width < 5 ? 5 : width, line);
}

bool pl_bar_due(pl_bar *bar, int64_t done, int64_t total, double seconds) {
  int step = percent_of(done, total) / 5;
  double since = seconds - bar->last_time;
  double pause = bar->pause > 0 ? bar->pause : bar->pass > 0 ? 10.0 : 1.0;
  if (!(step > bar->last_step && since >= pause) && since < 60.0) return false;
  bar->last_step = step;
  bar->last_time = seconds;
  return true;
}

void pl_bar_pass(void *data, int pass) {
  pl_bar *bar = data;
  bar->pass = pass;
  bar->begins = true;
  bar->last_step = 0;
}

void pl_bar_before(void *data, int64_t before) {
  pl_bar *bar = data;
  bar->before = before;
}

// How long all that is done would have taken at the rate of this run; 0: it has none yet.
static double time_of_all(const pl_bar *bar, int64_t done, double seconds) {
  if (bar->before <= 0) return seconds - bar->from;
  if (done <= bar->before) return 0;
  return (seconds - bar->from) * (double)done / (double)(done - bar->before);
}

void pl_bar_tell(void *data, int64_t done, int64_t total, int64_t bytes, double seconds) {
  pl_bar *bar = data;
  char line[256], pass[32] = "";
  if (bar->begins) bar->from = seconds;
  bar->begins = false;
  if (bar->silent || (!bar->terminal && !pl_bar_due(bar, done, total, seconds))) return;
  if (bar->pass > 0) snprintf(pass, sizeof pass, "pass %d: ", bar->pass + 1);
  pl_bar_line(bar->terminal ? bar->width - 1 - (int)strlen(pass) : 0, bar->unit, done, total, bytes,
              time_of_all(bar, done, seconds), line, sizeof line);
  if (!bar->terminal) {
    fprintf(stderr, "plait: %s%s\n", pass, line);
    return;
  }
  fprintf(stderr, bar->color ? "\r\033[36m%s%s\033[0m\033[K" : "\r%s%s\033[K", pass, line);
  bar->drawn = true;
}

void pl_bar_clear(pl_bar *bar) {
  if (!bar->drawn) return;
  fputs("\r\033[K", stderr);
  bar->drawn = false;
}
