// SPDX-License-Identifier: BSD-3-Clause
//
// The two ends of a job: the file it is read from (any file, a pipe too, up to a limit), and the
// input that it is bound to.
#include "base/mem.h"
#include "data/guess.h"
#include "engine/job.h"
#include "engine/params.h"
#include "engine/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Who gives the data where the job belongs is told how the two go together.
static plait_err refuse_data(const char *path, const char *text, size_t bytes) {
  const char *what = pl_guess_data((const unsigned char *)text, bytes);
  if (!what) return PLAIT_OK;
  return plait_fail(PLAIT_JOB,
                    "%s is data (%s); a job is a YAML file that says what to do with it: "
                    "plait run JOB input=%s output=FILE, for example with jobs/relief-smooth.yaml "
                    "as JOB",
                    path, what, path);
}

// FILE:VAR of a file of data.
static plait_err refuse_variable(const char *path) {
  unsigned char head[16];
  char file[4096];
  const char *colon = strrchr(path, ':');
  if (!colon || (size_t)(colon - path) >= sizeof file) return PLAIT_OK;
  snprintf(file, sizeof file, "%.*s", (int)(colon - path), path);
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return PLAIT_OK;
  ssize_t n = read(fd, head, sizeof head);
  close(fd);
  return n > 0 ? refuse_data(path, (const char *)head, (size_t)n) : PLAIT_OK;
}

// What was meant, where that can be told: a kernel, the ending forgotten, an override.
static plait_err refuse_absent(const char *path) {
  pl_text with = {0};
  bool missing = errno == ENOENT;
  plait_err err = pl_fail_errno(PLAIT_JOB, "cannot open", path);
  if (!missing) return err;
  TRY(refuse_variable(path));
  if (pl_kernel_find(path))
    return plait_fail(err,
                      "%s is a kernel; a job is a YAML file that names it (kernel: %s), 'plait "
                      "describe %s' says what it takes",
                      path, path, path);
  if (strchr(path, '='))
    return plait_fail(err, "'%s' stands where the job belongs: JOB first, then key=value ..", path);
  pl_text_add(&with, "%s.yaml", path);
  if (!with.failed && access(with.at, R_OK) == 0)
    err = plait_fail(err, "%s: no such job; did you mean %s?", path, with.at);
  pl_text_free(&with);
  return err;
}

// One byte more than allowed is read, to tell a full file from a longer one.
static plait_err read_limited(int fd, const char *path, char *text, size_t *bytes) {
  *bytes = 0;
  while (*bytes <= PL_JOB_BYTES) {
    ssize_t n = read(fd, text + *bytes, PL_JOB_BYTES + 1 - *bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return pl_fail_errno(PLAIT_JOB, "cannot read", path);
    if (n == 0) break;
    *bytes += (size_t)n;
  }
  TRY(refuse_data(path, text, *bytes));
  if (*bytes <= PL_JOB_BYTES) return PLAIT_OK;
  return plait_fail(PLAIT_JOB, "%s: larger than a job file may be (1 MiB)", path);
}

plait_err pl_job_read(const char *path, char **text, size_t *bytes) {
  *text = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse_absent(path);
  plait_err err = pl_alloc(PL_JOB_BYTES + 2, 1, text);
  if (err == PLAIT_OK) err = read_limited(fd, path, *text, bytes);
  if (err == PLAIT_OK)
    (*text)[*bytes] = '\0';
  else
    pl_free(text);
  close(fd);
  return err;
}

plait_err pl_job_load(const char *path, int n, const char *const overrides[], pl_job **job) {
  char *text;
  size_t bytes;
  *job = NULL;
  TRY(pl_job_read(path, &text, &bytes));
  plait_err err = pl_job_load_text(path, text, bytes, n, overrides, job);
  pl_free(&text);
  return err;
}

static void check_type(const pl_job *job, const plait_array *input, pl_issues *issues) {
  pl_text list = {0};
  if (job->kernel->takes & PLAIT_TAKES(input->type)) return;
  for (int type = 0; type < PLAIT_TYPES; type++) {
    if (!(job->kernel->takes & PLAIT_TAKES(type))) continue;
    pl_text_add(&list, "%s%s", list.length > 0 ? ", " : "", plait_type_name((plait_type)type));
  }
  pl_issue(issues, job->marks->input, "'%.100s' is %s; the kernel %s takes %s", input->name,
           plait_type_name(input->type), job->kernel->name, list.at ? list.at : "no input");
  pl_text_free(&list);
}

// "NAME: .." is about the parameter of that name; when the job does not give it, about them all.
static pl_mark mark_of_reason(const pl_job_marks *marks, const char *reason) {
  size_t n = strcspn(reason, ":");
  for (const pl_yaml *at = marks->map ? marks->map->first : NULL; at && reason[n]; at = at->next)
    if (strlen(at->key) == n && !memcmp(at->key, reason, n)) return at->mark;
  return marks->params;
}

plait_err pl_job_refuse(const pl_job *job, const char *reason, plait_err code) {
  if (!job->marks) return plait_fail(code, "%s: %s", job->kernel->name, reason);
  pl_issues issues = {.path = job->path};
  pl_issue(&issues, mark_of_reason(job->marks, reason), "%s: %s", job->kernel->name, reason);
  plait_err err = pl_issues_result(&issues, code);
  pl_issues_free(&issues);
  return err;
}

static plait_err bind(pl_job *job, const plait_array *input, pl_issues *issues) {
  plait_problem problem = {.kernel = job->kernel, .input = input};
  TRY(pl_axes_bind(job->keep, input, issues));
  TRY(pl_issues_result(issues, PLAIT_JOB));
  if (input) check_type(job, input, issues);
  TRY(pl_issues_result(issues, PLAIT_INPUT));
  if (job->vary) return PLAIT_OK; // the kernel is asked about each combination
  const char *reason = job->kernel->check ? job->kernel->check(&problem, job->params) : NULL;
  return reason ? pl_job_refuse(job, reason, PLAIT_JOB) : PLAIT_OK;
}

plait_err pl_job_bind(pl_job *job, const plait_array *input) {
  pl_issues issues = {.path = job->path};
  plait_err err = bind(job, input, &issues);
  pl_issues_free(&issues);
  return err;
}
