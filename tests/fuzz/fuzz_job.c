// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a job file: no crash, no leak, an error is one or more whole lines, and what loads
// has an echo that loads to itself. clang -fsanitize=fuzzer,address,undefined. A first line that
// begins with '!' is an override.
#define PROBE_REGISTRY
#include "../unit/probe_kernel.h"
#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition, const char *text) {
  if (condition) return;
  plait_fail(PLAIT_BUG, "%s", text);
  abort();
}

static void check_message(void) {
  const char *message = pl_message();
  require(message[0] != '\0', "no message");
  for (; *message; message += pl_utf8_length(message)) {
    require(pl_utf8_length(message) > 0, "not UTF-8");
    require(*message == '\n' || (unsigned char)*message >= 0x20, "not one line");
  }
}

static void check_bind(pl_job *job) {
  static const plait_array input = {.name = "z",
                                    .units = "",
                                    .type = PLAIT_F32,
                                    .ndim = 3,
                                    .shape = {2, 3, 4},
                                    .dims = {"time", "lat", "lon"}};
  if (job->kernel->takes == 0) return;
  if (pl_job_bind(job, &input) != PLAIT_OK) check_message();
}

static void check_echo(const pl_job *job) {
  pl_job *again;
  plait_err err = pl_job_load_text("j.yaml", job->echo, strlen(job->echo), 0, NULL, &again);
  require(err == PLAIT_OK, job->echo);
  require(strcmp(job->echo, again->echo) == 0, again->echo);
  require(memcmp(&job->run, &again->run, sizeof job->run) == 0, job->echo);
  pl_job_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *line = memchr(text, '\n', size);
  size_t skip = size > 0 && text[0] == '!' && line ? (size_t)(line - text) + 1 : 0;
  char *override = strndup(skip > 0 ? text + 1 : "", skip > 1 ? skip - 2 : 0);
  const char *overrides[] = {override};
  pl_job *job;
  plait_err err = pl_job_load_text("j.yaml", text + skip, size - skip, skip > 0, overrides, &job);
  if (err == PLAIT_OK) {
    check_bind(job);
    check_echo(job);
    pl_job_free(&job);
  } else {
    check_message();
  }
  free(override);
  return 0;
}
