// SPDX-License-Identifier: BSD-3-Clause
//
// Speaks to Slurm through its programs, each with a list of arguments: no shell sees a name, and no
// version of libslurm is needed.
#include "base/clock.h"
#include "base/mem.h"
#include "command/child.h"
#include "command/slurm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

plait_err pl_slurm_ask(const char *const argv[], pl_text *answer) {
  pl_child child;
  plait_err err = pl_child_run(argv, &child);
  if (err == PLAIT_OK && child.exit_code) {
    char line[512];
    pl_child_complaint(&child, line, sizeof line);
    err = plait_fail(PLAIT_IO, "%s", line);
  }
  if (err == PLAIT_OK) {
    *answer = child.out;
    child.out = (pl_text){0};
  }
  pl_child_free(&child);
  return err;
}

plait_err pl_batch_ask(const char *id, pl_batch_state *state) {
  const char *const argv[] = {"scontrol", "show", "job", id, NULL};
  pl_text answer = {0};
  TRY(pl_slurm_ask(argv, &answer));
  bool is = pl_batch_parse(answer.at ? answer.at : "", state);
  pl_text_free(&answer);
  if (!is) return plait_fail(PLAIT_IO, "Slurm does not know the batch job %s", id);
  return PLAIT_OK;
}

int64_t pl_slurm_cpus(const char *partition, const char **why) {
  const char *argv[] = {"sinfo", "-h", "-o", "%c", partition ? "-p" : NULL, partition, NULL};
  char path[4096];
  pl_text answer = {0};
  int64_t least = 0;
  if (pl_program_find("sinfo", path, sizeof path) && pl_slurm_ask(argv, &answer) == PLAIT_OK)
    for (const char *at = answer.at; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
      long n = strtol(at, NULL, 10); // "64+": at least
      if (n > 0 && (!least || n < least)) least = n;
    }
  pl_text_free(&answer);
  pl_message_set("");
  *why = least ? "of a rank; nodes have so many" : "of a rank; as many as where this was written";
  return least ? least : (int64_t)sysconf(_SC_NPROCESSORS_ONLN);
}

// sbatch opens the script by the path of our memory file: no file to leave behind.
plait_err pl_batch_submit(const pl_text *script, char id[32]) {
  char path[64];
  const char *const argv[] = {"sbatch", "--parsable", path, NULL};
  pl_text answer = {0};
  int fd = memfd_create("plait.sbatch", MFD_CLOEXEC);
  if (fd < 0) return pl_fail_errno(PLAIT_IO, "cannot keep the script", NULL);
  snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), fd);
  plait_err err = write(fd, script->at, script->length) == (ssize_t)script->length
                      ? pl_slurm_ask(argv, &answer)
                      : pl_fail_errno(PLAIT_IO, "cannot keep the script", NULL);
  close(fd);
  const char *text = answer.at ? answer.at : ""; // "12" or "12;cluster"
  if (err == PLAIT_OK) snprintf(id, 32, "%.*s", (int)strspn(text, "0123456789"), text);
  pl_text_free(&answer);
  return err;
}

// A controller that does not answer for a while is no end.
plait_err pl_batch_wait(const char *id, pl_batch_state *state) {
  int failures = 0;
  double pause = 0.5;
  for (;;) {
    plait_err err = pl_batch_ask(id, state);
    if (err != PLAIT_OK && (err != PLAIT_IO || ++failures > 20)) return err;
    if (err == PLAIT_OK) {
      failures = 0;
      if (pl_batch_ended(state)) return PLAIT_OK;
    }
    pl_sleep(pause);
    if (pause < 5) pause *= 1.2;
  }
}
