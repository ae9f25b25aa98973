// SPDX-License-Identifier: BSD-3-Clause
//
// Writes a batch script. Names of the user's come into it in two ways only: as words in single
// quotes, in which a shell knows nothing special but the closing quote; and as the name of the
// batch job, of which everything but letters, digits and some marks is replaced. Never in a
// comment: a line break in a name would end it.
#include "command/slurm.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool pl_batch_word(const char *text) {
  if (!*text) return false;
  for (; *text; text++)
    if (!is_plain(*text) && !strchr(",:@+", *text)) return false;
  return true;
}

void pl_batch_quote(const char *text, pl_text *out) {
  pl_text_add(out, "'");
  for (; *text; text++) pl_text_add(out, *text == '\'' ? "'\\''" : "%c", *text);
  pl_text_add(out, "'");
}

static void add_name(const char *name, pl_text *out) {
  enum { MOST = 64 };
  int n = 0;
  for (; *name && n < MOST; name++, n++) pl_text_add(out, "%c", is_plain(*name) ? *name : '_');
  if (!n) pl_text_add(out, "plait");
}

// A directive, with its comment in a column of its own.
static void add_directive(pl_text *out, const char *comment, const char *format, ...)
    PLAIT_PRINTF(3, 4);
static void add_directive(pl_text *out, const char *comment, const char *format, ...) {
  char line[256];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (comment)
    pl_text_add(out, "#SBATCH %-27s # %s\n", line, comment);
  else
    pl_text_add(out, "#SBATCH %s\n", line);
}

static long long whole_minutes(double seconds) { // as Slurm counts
  long long minutes = (long long)((seconds + 59) / 60);
  return minutes < 1 ? 1 : minutes;
}

static void add_time(const pl_batch *b, pl_text *out) {
  char text[32];
  long long minutes = whole_minutes(b->seconds);
  long long days = minutes / 1440, hours = minutes / 60 % 24;
  int n = 0;
  if (days) n = snprintf(text, sizeof text, "%lld-", days);
  snprintf(text + n, sizeof text - (size_t)n, "%02lld:%02lld:00", hours, minutes % 60);
  add_directive(out, b->time_why, "--time=%s", text);
}

static void add_directives(const pl_batch *b, pl_text *out) {
  long long minutes = whole_minutes(b->seconds);
  pl_text_add(out, "#SBATCH --job-name=");
  add_name(b->name, out);
  pl_text_add(out, "\n");
  add_directive(out, "name of the job, its number; stderr goes there as well",
                "--output=%%x-%%j.log");
  add_directive(out, "a job that was requeued goes on in the same log", "--open-mode=append");
  add_directive(out, "any number: the result is the same bytes", "--nodes=%lld",
                (long long)b->nodes);
  add_directive(out, "ranks of a node", "--ntasks-per-node=%lld", (long long)b->tasks);
  add_directive(out, b->cpus_why, "--cpus-per-task=%lld", (long long)b->cpus);
  add_directive(out, b->memory_why, "--mem=%lldM",
                (long long)((b->memory + (1 << 20) - 1) / (1 << 20)));
  add_time(b, out);
  if (b->partition) add_directive(out, NULL, "--partition=%s", b->partition);
  if (b->account) add_directive(out, NULL, "--account=%s", b->account);
  add_directive(out, "so many s before the end this script gets USR1 and passes it on",
                "--signal=B:USR1@%lld", minutes < 8 ? minutes * 15 : 120);
  add_directive(out, "when a node dies Slurm starts the job again on others", "--requeue");
}

// A name that begins with a dash would be taken for an option.
static void add_arguments(const pl_batch *b, pl_text *out) {
  pl_text_add(out, "arguments=(");
  if (b->force) pl_text_add(out, "--force ");
  if (b->job[0] == '-') pl_text_add(out, "./");
  pl_batch_quote(b->job, out);
  for (int i = 0; i < b->nargs; i++) {
    pl_text_add(out, " ");
    pl_batch_quote(b->args[i], out);
  }
  pl_text_add(out, ")\n");
}

void pl_batch_script(const pl_batch *b, pl_text *out) {
  pl_text_add(out, "#!/bin/bash\n# Written by `plait slurm`, version " PLAIT_VERSION
                   ". Submit it with sbatch; slurm/README.md explains it.\n\n");
  add_directives(b, out);
  pl_text_add(out, "\ncd ");
  pl_batch_quote(b->dir, out);
  pl_text_add(out, " || exit 2\nprogram=");
  pl_batch_quote(b->program, out);
  pl_text_add(out, "\n");
  add_arguments(b, out);
  pl_text_add(out, "\n%s", pl_batch_body);
}
