// SPDX-License-Identifier: BSD-3-Clause
//
// Lines on stderr. Each is written by one call, so that lines of ranks do not mix.
#include "command/voice.h"
#include "base/log.h"
#include <stdio.h>
#include <string.h>

static bool heard(const pl_voice *voice, pl_log_level level) {
  if (voice->verbose) return true;
  if (voice->rank != 0 || level == PL_LOG_DEBUG) return false;
  return level == PL_LOG_WARNING || !voice->quiet;
}

static void sink(pl_log_level level, const char *line, void *data) {
  const pl_voice *voice = data;
  static const char *const word[] = {"warning", "note", "debug"};
  if (!heard(voice, level)) return;
  if (voice->bar) pl_bar_clear(voice->bar);
  if (voice->rank)
    fprintf(stderr, "plait: rank %d: %s: %s\n", voice->rank, word[level], line);
  else
    fprintf(stderr, "plait: %s: %s\n", word[level], line);
}

void pl_voice_start(pl_voice *voice) {
  pl_log_to(sink, voice);
}

void pl_voice_stop(void) {
  pl_log_to(NULL, NULL);
}

static bool told;

void pl_voice_error(plait_err code) {
  if (told) return;
  told = true;
  const char *message = pl_message();
  if (!*message) message = pl_err_text(code);
  if (code == PLAIT_JOB && strstr(message, ": error: "))
    fprintf(stderr, "%s\n", message); // has file, line and column already
  else
    fprintf(stderr, "plait: error: %s\n", message);
}
