// SPDX-License-Identifier: BSD-3-Clause
//
// The job file on all ranks: rank 0 reads it and broadcasts its text, so that a file that changes
// meanwhile, or that other nodes do not see, cannot make the ranks work on different jobs.
#include "base/mem.h"
#include "base/path.h"
#include "command/station.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB_BYTES (16 << 20) // a job file is a page of text; anything like this is a mistake

static plait_err read_open(int fd, const char *path, char **text, int64_t *bytes) {
  struct stat status;
  if (fstat(fd, &status)) return pl_fail_errno(PLAIT_JOB, "cannot read the job", path);
  if (S_ISDIR(status.st_mode))
    return plait_fail(PLAIT_JOB, "%s: is a directory, not a job file", path);
  if (!S_ISREG(status.st_mode)) return plait_fail(PLAIT_JOB, "%s: is not a plain file", path);
  if (status.st_size > JOB_BYTES)
    return plait_fail(PLAIT_JOB, "%s: %lld bytes are too many for a job file", path,
                      (long long)status.st_size);
  TRY(pl_alloc((size_t)status.st_size + 1, 1, text));
  *bytes = status.st_size;
  (*text)[status.st_size] = 0;
  return pl_pread_all(fd, *text, (size_t)status.st_size, 0, path);
}

static plait_err read_text(const char *path, char **text, int64_t *bytes) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return pl_fail_errno(PLAIT_JOB, "cannot read the job", path);
  plait_err err = read_open(fd, path, text, bytes);
  close(fd);
  return err;
}

plait_err pl_job_read(pl_comm *comm, const char *path, int n, const char *const overrides[],
                      pl_job **job) {
  char *text = NULL;
  int64_t bytes = 0;
  bool root = pl_comm_rank(comm) == 0;
  plait_err err = root ? read_text(path, &text, &bytes) : PLAIT_OK;
  GUARD(pl_comm_agree(comm, err));
  GUARD(pl_comm_bcast(comm, &bytes, sizeof bytes, 0));
  GUARD(pl_comm_agree(comm, root ? PLAIT_OK : pl_alloc((size_t)bytes + 1, 1, &text)));
  GUARD(pl_comm_bcast(comm, text, (size_t)bytes, 0));
  GUARD(pl_comm_agree(comm, pl_job_load_text(path, text, (size_t)bytes, n, overrides, job)));
done:
  pl_free(&text);
  return err;
}

void pl_job_wish(const char *path, int n, const char *const overrides[], pl_wish *wish) {
  char *text = NULL;
  int64_t bytes;
  pl_job *job = NULL;
  if (read_text(path, &text, &bytes) == PLAIT_OK &&
      pl_job_load_text(path, text, (size_t)bytes, n, overrides, &job) == PLAIT_OK) {
    if (!wish->threads) wish->threads = (int)job->run.threads;
    wish->inherit = job->run.placement == 1;
  }
  pl_job_free(&job);
  pl_free(&text);
  pl_message_set("");
}

plait_err pl_overrides_check(int n, const char *const overrides[]) {
  for (int i = 0; i < n; i++) {
    const char *equals = strchr(overrides[i], '=');
    if (!equals || equals == overrides[i])
      return plait_fail(PLAIT_USAGE, "'%s' is not key=value; see 'plait help run'", overrides[i]);
  }
  return PLAIT_OK;
}
