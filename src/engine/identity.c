// SPDX-License-Identifier: BSD-3-Clause
//
// See identity.h. The parameters are taken from the echo of the job, which is canonical: the same
// struct gives the same text however the job was written.
#include "engine/identity.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 64 * 1024, SAMPLE = 4096, SAMPLES = 64 };

static plait_err sample(int fd, const char *path, int64_t size, uint64_t *hash) {
  char *at = NULL;
  plait_err err = PLAIT_OK;
  int64_t head = size < HEAD ? size : HEAD, rest = size - head;
  TRY(pl_alloc(HEAD, 1, &at));
  *hash = 0;
  GUARD(pl_pread_all(fd, at, (size_t)head, 0, path));
  *hash = pl_hash(at, (size_t)head, *hash);
  for (int i = 0; i <= SAMPLES && rest > 0; i++) {
    int64_t n = rest < SAMPLE ? rest : SAMPLE;
    int64_t offset = head + (rest - n) / SAMPLES * i;
    if (i == SAMPLES) offset = size - n;
    GUARD(pl_pread_all(fd, at, (size_t)n, offset, path));
    *hash = pl_hash(at, (size_t)n, *hash);
  }
done:
  pl_free(&at);
  return err;
}

static plait_err add_file(const char *key, const char *path, bool with_time, pl_text *text) {
  struct stat info;
  uint64_t hash = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return pl_fail_errno(PLAIT_INPUT, "cannot open", path);
  plait_err err = fstat(fd, &info) == 0 ? PLAIT_OK : pl_fail_errno(PLAIT_IO, "cannot read", path);
  if (err == PLAIT_OK && S_ISREG(info.st_mode)) err = sample(fd, path, info.st_size, &hash);
  close(fd);
  if (err != PLAIT_OK) return err;
  pl_text_add(text, "# file of %s: %s\n", key, path);
  pl_text_add(text, "size of %s: %lld bytes\n", key, (long long)info.st_size);
  if (with_time)
    pl_text_add(text, "time of change of %s: %lld.%09ld s\n", key, (long long)info.st_mtim.tv_sec,
                info.st_mtim.tv_nsec);
  pl_text_add(text, "content of %s: %016llx\n", key, (unsigned long long)hash);
  return PLAIT_OK;
}

static plait_err add_input(const pl_dataset *input, pl_text *text) {
  const pl_meta *meta = &input->meta;
  const char *rest = input->spec + strlen(input->path);
  struct stat info;
  bool file = stat(input->path, &info) == 0;
  pl_text_add(text, "variable of the input: %s\n", file ? rest : input->spec);
  pl_text_add(text, "type of the input: %s\nshape of the input:", plait_type_name(meta->stored));
  for (int d = 0; d < meta->ndim; d++) pl_text_add(text, " %lld", (long long)meta->shape[d]);
  pl_text_add(text, "\n");
  return file ? add_file("the input", input->path, true, text) : PLAIT_OK;
}

static plait_err add_files(const pl_job *job, pl_text *text) {
  for (const plait_param *p = job->kernel->params; p && p->name; p++) {
    if (p->kind != PLAIT_PARAM_FILE) continue;
    const char *spec = *(const char *const *)((const char *)job->params + p->offset);
    char *path = NULL, *variable = NULL, key[2 * PLAIT_NAME];
    if (!spec || !*spec) continue;
    TRY(pl_spec_split(spec, &path, &variable));
    snprintf(key, sizeof key, "params.%s", p->name);
    plait_err err = access(path, R_OK) == 0 ? add_file(key, path, true, text) : PLAIT_OK;
    pl_free(&path);
    pl_free(&variable);
    TRY(err);
  }
  return PLAIT_OK;
}

static bool is_key(const char *line, size_t n, const char *key) {
  return n > strlen(key) && strncmp(line, key, strlen(key)) == 0;
}

// Of `run:` only what a result depends on; names of files have no place here.
static bool counts(const char *section, const char *line, size_t n) {
  static const char *const of_run[] = {"block:", "format:"};
  if (strcmp(section, "evolve") == 0)
    return !is_key(line, n, "tile:") && !is_key(line, n, "gauge_file:");
  if (!*section) // the kernel's name and version stand above
    return !is_key(line, n, "input:") && !is_key(line, n, "output:") &&
           !is_key(line, n, "kernel:") && !is_key(line, n, "source:");
  if (strcmp(section, "run") != 0) return true;
  for (size_t i = 0; i < sizeof of_run / sizeof *of_run; i++)
    if (is_key(line, n, of_run[i])) return true;
  return false;
}

static bool is_file_param(const pl_job *job, const char *section, const char *line) {
  if (strcmp(section, "params") != 0) return false;
  for (const plait_param *p = job->kernel->params; p && p->name; p++) {
    size_t n = strlen(p->name);
    if (p->kind == PLAIT_PARAM_FILE && strncmp(line, p->name, n) == 0 && line[n] == ':')
      return true;
  }
  return false;
}

static void add_params(const pl_job *job, pl_text *text) {
  char section[PLAIT_NAME] = "";
  for (const char *line = job->echo, *end; line && *line; line = end) {
    size_t n = strcspn(line, "\n"), blanks = strspn(line, " ");
    end = line[n] ? line + n + 1 : line + n;
    if (blanks == 0 && n > 0 && line[n - 1] == ':') {
      snprintf(section, sizeof section, "%.*s", (int)n - 1, line);
      continue;
    }
    if (blanks == 0) *section = 0;
    line += blanks;
    n -= blanks;
    if (counts(section, line, n))
      pl_text_add(text, "%s%s%s%.*s\n", is_file_param(job, section, line) ? "# " : "", section,
                  *section ? "." : "", (int)n, line);
  }
}

plait_err pl_identity_make(const pl_job *job, const pl_dataset *input, pl_text *text) {
  pl_text_add(text, "version of kernel %s: %d\n", job->kernel->name, job->kernel->version);
  // Built anew from the same source an object has the same bytes.
  if (job->object) TRY(add_file("the kernel", job->object, false, text));
  add_params(job, text);
  if (input) TRY(add_input(input, text));
  TRY(add_files(job, text));
  return text->failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
}

// ---- comparing ----

static const char *next_line(const char *at, size_t *n) {
  while (*at == '#') {
    at += strcspn(at, "\n");
    at += *at != 0;
  }
  *n = strcspn(at, "\n");
  return at;
}

static plait_err differ(const char *what, const char *a, size_t na, const char *b, size_t nb) {
  size_t key = strcspn(na ? a : b, ":\n");
  bool same_key = na > key && nb > key && strncmp(a, b, key + 1) == 0;
  if (same_key)
    return plait_fail(
        PLAIT_OUTPUT, "%s belongs to another run: %.*s was%.*s and is%.*s now; --fresh starts over",
        what, (int)key, a, (int)(na - key - 1), a + key + 1, (int)(nb - key - 1), b + key + 1);
  return plait_fail(
      PLAIT_OUTPUT,
      "%s belongs to another run: it says '%.*s', this one '%.*s'; --fresh starts over", what,
      (int)na, a, (int)nb, b);
}

plait_err pl_identity_compare(const char *what, const char *was, const char *is) {
  for (;;) {
    size_t n, m;
    was = next_line(was, &n);
    is = next_line(is, &m);
    if (n != m || strncmp(was, is, n) != 0) return differ(what, was, n, is, m);
    if (!*was && !*is) return PLAIT_OK;
    was += n + (was[n] != 0);
    is += m + (is[m] != 0);
  }
}
