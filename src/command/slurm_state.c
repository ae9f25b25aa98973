// SPDX-License-Identifier: BSD-3-Clause
//
// Reads what Slurm and the log of a batch job say. `scontrol show job` is asked without -o: there a
// file name with blanks cannot be told from the next field, here it has a line of its own.
#include "command/slurm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The value of " KEY=" up to the next blank, or (`line`) to the end of the line.
static void take(const char *answer, const char *key, bool line, char *out, size_t room) {
  size_t n = strlen(key);
  *out = 0;
  for (const char *at = strstr(answer, key); at; at = strstr(at + 1, key)) {
    if (at != answer && at[-1] != ' ' && at[-1] != '\n') continue; // the end of a longer key
    if (at[n] != '=') continue;
    at += n + 1;
    snprintf(out, room, "%.*s", (int)strcspn(at, line ? "\n" : " \n"), at);
    return;
  }
}

bool pl_batch_parse(const char *answer, pl_batch_state *s) {
  char restarts[16], array[24], task[24];
  *s = (pl_batch_state){0};
  take(answer, "JobId", false, s->id, sizeof s->id);
  take(answer, "ArrayJobId", false, array, sizeof array);
  take(answer, "ArrayTaskId", false, task, sizeof task);
  if (*array && *task) snprintf(s->id, sizeof s->id, "%s_%s", array, task);
  take(answer, "JobState", false, s->state, sizeof s->state);
  take(answer, "Reason", false, s->reason, sizeof s->reason);
  take(answer, "ExitCode", false, s->exit_code, sizeof s->exit_code);
  take(answer, "NodeList", false, s->nodes, sizeof s->nodes);
  take(answer, "RunTime", false, s->run_time, sizeof s->run_time);
  take(answer, "TimeLimit", false, s->limit, sizeof s->limit);
  take(answer, "Restarts", false, restarts, sizeof restarts);
  take(answer, "StdOut", true, s->log, sizeof s->log);
  s->restarts = (int)strtol(restarts, NULL, 10);
  if (!strcmp(s->reason, "None")) *s->reason = 0;
  if (!strcmp(s->nodes, "(null)")) *s->nodes = 0;
  return *s->id && *s->state;
}

bool pl_batch_ended(const pl_batch_state *s) {
  static const char *const ends[] = {"COMPLETED", "FAILED",        "CANCELLED",
                                     "TIMEOUT",   "NODE_FAIL",     "PREEMPTED",
                                     "DEADLINE",  "OUT_OF_MEMORY", "BOOT_FAIL"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (!strcmp(s->state, ends[i])) return true;
  return false;
}

// "plait:  40 %  2/5 blocks, left 2 s": the number behind the name, else it is another message.
static bool is_progress(const char *line, const char **text) {
  static const char mark[] = "plait: ";
  if (strncmp(line, mark, sizeof mark - 1)) return false;
  line += sizeof mark - 1;
  line += strspn(line, " ");
  size_t digits = strspn(line, "0123456789");
  *text = line;
  return digits && !strncmp(line + digits, " %", 2);
}

void pl_batch_progress(const char *log, char *out, size_t room) {
  *out = 0;
  for (const char *line = log, *end, *text; (end = strchr(line, '\n')); line = end + 1)
    if (is_progress(line, &text)) snprintf(out, room, "%.*s", (int)(end - text), text);
}
