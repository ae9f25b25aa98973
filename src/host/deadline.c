// SPDX-License-Identifier: BSD-3-Clause
//
// See deadline.h. Slurm has SLURM_JOB_END_TIME from version 23 on. squeue gets the number of the
// job as an argument and nothing of ours; it is killed when the controller does not answer.
#include "host/deadline.h"
#include "base/clock.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static const double patience = 10; // s for an answer of squeue

double pl_deadline_parse(const char *text) {
  int days = 0, part[3] = {0}, n = 0, used = 0;
  if (sscanf(text, "%d-%n", &days, &used) == 1 && used > 0)
    text += used;
  else
    days = 0;
  while (n < 3 && sscanf(text, "%d%n", &part[n], &used) == 1 && part[n] >= 0) {
    n++;
    text += used;
    if (*text != ':') break;
    text++;
  }
  if (n == 0 || days < 0) return INFINITY;
  double seconds = 0;
  for (int i = 0; i < n; i++) seconds = seconds * 60 + part[i];
  if (days > 0 && n == 1) seconds *= 3600; // "1-2" is a day and two hours
  return seconds + days * 86400.0;
}

static bool is_number(const char *text) {
  return text && *text && strspn(text, "0123456789") == strlen(text);
}

// What the child prints, up to `room`; false when it does not end in time or fails.
static bool read_answer(pid_t child, int fd, char *out, size_t room) {
  double end = pl_now() + patience;
  size_t n = 0;
  for (;;) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    double left = end - pl_now();
    int ready = left > 0 ? poll(&p, 1, (int)(left * 1000) + 1) : 0;
    if (ready < 0 && errno == EINTR) continue;
    ssize_t got = ready > 0 ? read(fd, out + n, room - 1 - n) : -1;
    if (got < 0) kill(child, SIGKILL);
    if (got <= 0) break;
    n += (size_t)got;
  }
  out[n] = 0;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double ask_squeue(const char *job) {
  char number[64], *words[] = {"squeue", "-h", "-j", number, "-o", "%L", NULL}, answer[128];
  posix_spawn_file_actions_t actions;
  int ends[2];
  pid_t child;
  snprintf(number, sizeof number, "%s", job);
  if (pipe2(ends, O_CLOEXEC) != 0) return INFINITY;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  int failed = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  bool answered = !failed && read_answer(child, ends[0], answer, sizeof answer);
  close(ends[0]);
  return answered ? pl_deadline_parse(answer) : INFINITY;
}

double pl_deadline_find(void) {
  const char *end = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
  int64_t when;
  if (is_number(end) && pl_parse_int(end, &when))
    return fmax((double)(when - (int64_t)time(NULL)), 0);
  // The plain number of an array's job stands for all its tasks: ask for this one.
  const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
  char name[64];
  if (!is_number(job) || strlen(job) >= 20) return INFINITY;
  bool of_array = is_number(array) && is_number(task) && strlen(array) + strlen(task) < 40;
  snprintf(name, sizeof name, "%s%s%s", of_array ? array : job, of_array ? "_" : "",
           of_array ? task : "");
  return ask_squeue(name);
}
