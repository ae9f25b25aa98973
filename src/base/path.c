// SPDX-License-Identifier: BSD-3-Clause
//
// Files: what the durability rules need and the C library does not give in one call. A rename lasts
// only when the directory that holds the name is synced too.
#include "base/path.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic int64_t moves;

void pl_moves_note(void) {
  atomic_fetch_add_explicit(&moves, 1, memory_order_relaxed);
}

int64_t pl_moves(void) {
  return atomic_load_explicit(&moves, memory_order_relaxed);
}

plait_err pl_pread_all(int fd, void *data, size_t bytes, off_t offset, const char *path) {
  char *at = data;
  for (size_t done = 0; done < bytes;) {
    ssize_t n = pread(fd, at + done, bytes - done, offset + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return pl_fail_errno(PLAIT_IO, "cannot read", path);
    if (n == 0) {
      return plait_fail(PLAIT_IO, "%s: file ends at byte %lld, %zu more bytes were expected", path,
                        (long long)offset + (long long)done, bytes - done);
    }
    pl_moves_note();
    done += (size_t)n;
  }
  return PLAIT_OK;
}

plait_err pl_pwrite_all(int fd, const void *data, size_t bytes, off_t offset, const char *path) {
  const char *at = data;
  for (size_t done = 0; done < bytes;) {
    ssize_t n = pwrite(fd, at + done, bytes - done, offset + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return pl_fail_errno(PLAIT_IO, "cannot write", path);
    pl_moves_note();
    done += (size_t)n;
  }
  return PLAIT_OK;
}

// Pipes and devices cannot be synced (EINVAL, EROFS): there is nothing to make durable.
static bool cannot_sync(void) {
  return errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

plait_err pl_file_sync(int fd, const char *path) {
  int result;
  do result = fsync(fd);
  while (result != 0 && errno == EINTR);
  if (result != 0 && !cannot_sync()) return pl_fail_errno(PLAIT_IO, "cannot sync", path);
  return PLAIT_OK;
}

plait_err pl_dir_sync(const char *path_of_file) {
  plait_err err = PLAIT_OK;
  int fd = -1;
  char *dir = NULL;
  GUARD(pl_path_dir(path_of_file, &dir));
  fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) GUARD(pl_fail_errno(PLAIT_IO, "cannot open directory", dir));
  GUARD(pl_file_sync(fd, dir));
done:
  if (fd >= 0) close(fd);
  pl_free(&dir);
  return err;
}

plait_err pl_file_rename(const char *from, const char *to) {
  if (rename(from, to) != 0) {
    int reason = errno;
    char what[64 + PLAIT_NAME];
    snprintf(what, sizeof what, "cannot rename to %.*s", PLAIT_NAME, to);
    errno = reason;
    return pl_fail_errno(PLAIT_IO, what, from);
  }
  return pl_dir_sync(to);
}

plait_err pl_path_join(const char *dir, const char *name, char **out) {
  pl_text text = {0};
  size_t length = strlen(dir);
  bool alone = name[0] == '/' || length == 0 || strcmp(dir, ".") == 0;
  const char *slash = length > 0 && dir[length - 1] == '/' ? "" : "/";
  if (alone) return pl_strdup(name, out);
  pl_text_add(&text, "%s%s%s", dir, slash, name);
  plait_err err = text.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : pl_strdup(text.at, out);
  pl_text_free(&text);
  return err;
}

plait_err pl_path_dir(const char *path, char **out) {
  const char *slash = strrchr(path, '/');
  if (!slash) return pl_strdup(".", out);
  TRY(pl_strdup(path, out));
  (*out)[slash == path ? 1 : slash - path] = '\0';
  return PLAIT_OK;
}

static plait_err write_fd(int fd, const char *path, const char *text, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t n = write(fd, text + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return pl_fail_errno(PLAIT_IO, "cannot write", path);
    done += (size_t)n;
  }
  return pl_file_sync(fd, path);
}

// `name`: what the user calls it.
static plait_err write_whole(const char *path, const char *name, int flags, const char *text,
                             size_t bytes) {
  int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
  if (fd < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", name);
  plait_err err = write_fd(fd, path, text, bytes);
  if (close(fd) != 0 && err == PLAIT_OK) err = pl_fail_errno(PLAIT_IO, "cannot close", path);
  return err;
}

// A pipe or /dev/stdout is written in place: a rename would replace the device by a file.
static plait_err write_through(const char *path, bool alone, const char *text, size_t bytes) {
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return write_whole(path, path, 0, text, bytes);
  pl_text name = {0};
  if (alone)
    pl_text_add(&name, "%s.partial", path);
  else
    pl_text_add(&name, "%s.%ld.tmp", path, (long)getpid());
  if (name.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  plait_err err = PLAIT_OK;
  GUARD(write_whole(name.at, path, O_CREAT | O_TRUNC, text, bytes));
  GUARD(pl_file_rename(name.at, path));
done:
  if (err != PLAIT_OK) unlink(name.at);
  pl_text_free(&name);
  return err;
}

plait_err pl_write_file(const char *path, const char *text, size_t bytes) {
  return write_through(path, false, text, bytes);
}

plait_err pl_write_file_alone(const char *path, const char *text, size_t bytes) {
  return write_through(path, true, text, bytes);
}

bool pl_same_file(const char *a, const char *b) {
  struct stat one, two;
  if (stat(a, &one) != 0 || stat(b, &two) != 0) return false;
  return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}
