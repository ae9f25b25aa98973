// SPDX-License-Identifier: BSD-3-Clause
//
// The job file on all ranks: rank 0 reads it and broadcasts its text, so that a file that changes
// meanwhile, or that other nodes do not see, cannot make the ranks work on different jobs.
#include "base/mem.h"
#include "base/path.h"
#include "command/station.h"
#include "engine/study.h"
#include <string.h>
#include <sys/stat.h>

plait_err pl_station_job(pl_comm *comm, const char *path, int n, const char *const overrides[],
                         pl_job **job) {
  char *text = NULL;
  size_t bytes = 0;
  bool root = pl_comm_rank(comm) == 0;
  plait_err err = root ? pl_job_read(path, &text, &bytes) : PLAIT_OK;
  GUARD(pl_comm_agree(comm, err));
  GUARD(pl_comm_bcast(comm, &bytes, sizeof bytes, 0));
  GUARD(pl_comm_agree(comm, root ? PLAIT_OK : pl_alloc(bytes + 1, 1, &text)));
  GUARD(pl_comm_bcast(comm, text, bytes, 0));
  GUARD(pl_comm_agree(comm, pl_job_load_text(path, text, bytes, n, overrides, job)));
done:
  pl_free(&text);
  return err;
}

static plait_err study_size(pl_comm *comm, pl_job *job, int local_size, int threads,
                            int64_t *needed, int64_t *written) {
  pl_study *study = NULL;
  pl_study_facts facts;
  TRY(pl_study_open(comm, job, local_size, threads, &study));
  pl_study_facts_of(study, &facts);
  *needed = facts.needed;
  *written = facts.written;
  pl_study_close(&study);
  return PLAIT_OK;
}

plait_err pl_job_size(pl_comm *comm, pl_job *job, int local_size, int threads, int64_t *needed,
                      int64_t *written) {
  pl_task *task = NULL;
  if (job->vary) return study_size(comm, job, local_size, threads, needed, written);
  TRY(pl_task_open(comm, job, local_size, threads, &task));
  *needed = task->needed;
  *written = task->bytes_written;
  pl_task_close(&task);
  return PLAIT_OK;
}

// A pipe can be read once only: it is left for the run itself.
static bool is_plain_file(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISREG(status.st_mode);
}

// Beside what else there is to start.
static void expect_files(const pl_job *job) {
  pl_dataset_expect(job->input);
  pl_outformat_expect(job->output, job->run.format > 0 ? pl_run_formats[job->run.format] : "");
}

void pl_job_wish(const char *path, int n, const char *const overrides[], bool runs, pl_wish *wish) {
  char *text = NULL;
  size_t bytes;
  pl_job *job = NULL;
  if (is_plain_file(path) && pl_job_read(path, &text, &bytes) == PLAIT_OK &&
      pl_job_load_text(path, text, bytes, n, overrides, &job) == PLAIT_OK) {
    if (!wish->threads) wish->threads = (int)job->run.threads;
    wish->inherit = job->run.placement == 1;
    if (runs && pl_placement_entered()) expect_files(job);
  }
  pl_job_free(&job);
  pl_free(&text);
  pl_message_set("");
}

plait_err pl_overrides_check(int n, const char *const overrides[]) {
  for (int i = 0; i < n; i++) {
    const char *equals = strchr(overrides[i], '=');
    if (!equals || equals == overrides[i])
      return plait_fail(
          PLAIT_USAGE,
          "'%s' is not key=value: the job comes first, then key=value ..; see 'plait help run'",
          overrides[i]);
  }
  return PLAIT_OK;
}
