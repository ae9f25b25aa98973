// SPDX-License-Identifier: BSD-3-Clause
//
// What rank 0 does alone: it creates NAME.partial, lets the format write its header, and reserves
// the room of the values, so that a full disk is found before the computing and not behind it.
// Where the file system cannot reserve, the file is only made as long as it will be.
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "data/output_state.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// A left-over of a dead run is replaced by a new file, not emptied: should a rank of that run still
// be alive, it writes into a file without a name. A symbolic link is not followed: the file that it
// points to would be overwritten. The mode leaves the rest to the user's umask.
static plait_err create_empty(const char *path) {
  struct stat info;
  bool there = lstat(path, &info) == 0;
  if (there && S_ISLNK(info.st_mode))
    return plait_fail(PLAIT_OUTPUT, "%s is in the way: it is a symbolic link", path);
  if (there && S_ISREG(info.st_mode) && unlink(path) != 0)
    return pl_fail_errno(PLAIT_OUTPUT, "cannot replace", path);
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", path);
  if (close(fd) != 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", path);
  return PLAIT_OK;
}

static plait_err no_room(const char *path, int fd, int64_t bytes) {
  struct statvfs disk;
  char need[32], left[32];
  pl_format_size(bytes, need);
  if (fstatvfs(fd, &disk) != 0)
    return plait_fail(PLAIT_IO, "%s: the disk is full: %s are needed", path, need);
  pl_format_size((int64_t)disk.f_bavail * (int64_t)disk.f_frsize, left);
  return plait_fail(PLAIT_IO, "%s: the disk is full: %s are needed, %s are left", path, need, left);
}

static plait_err reserve(const char *path, int fd, int64_t bytes) {
  if (ftruncate(fd, bytes) != 0) {
    if (errno == EFBIG)
      return plait_fail(PLAIT_IO,
                        "%s: the file system or a limit does not allow files of %lld bytes", path,
                        (long long)bytes);
    return pl_fail_errno(PLAIT_IO, "cannot write", path);
  }
  int result;
  do result = bytes > 0 ? fallocate(fd, 0, 0, bytes) : 0;
  while (result != 0 && errno == EINTR);
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return PLAIT_OK;
  if (errno == ENOSPC || errno == EDQUOT) return no_room(path, fd, bytes);
  return pl_fail_errno(PLAIT_IO, "cannot write", path);
}

// Room for the head and the coordinates, and for a page at both ends of each array. Without it HDF5
// fails in the middle of a head, calls that a permission, and crashes when the file is closed.
static plait_err find_room(const pl_output *o) {
  enum { PAGE = 4096, PAGES_OF_HEAD = 4 };
  const pl_layout *l = &o->layout;
  int64_t bytes = PAGE * (PAGES_OF_HEAD + 2 * l->nvars + l->ncoords);
  for (int i = 0; i < l->ncoords; i++) {
    int64_t n = (int64_t)plait_type_size(l->coords[i].type);
    for (int d = 0; d < l->coords[i].ndim; d++) n *= l->coords[i].shape[d]; // is in memory
    bytes += n;
  }
  int fd = open(o->partial, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", o->partial);
  plait_err err = reserve(o->partial, fd, bytes);
  if (err == PLAIT_OK && ftruncate(fd, 0) != 0)
    err = pl_fail_errno(PLAIT_IO, "cannot write", o->partial);
  close(fd);
  return err;
}

// The length of the file: behind the last array, or behind what the format put there.
static plait_err find_end(pl_output *o, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return pl_fail_errno(PLAIT_IO, "cannot read", o->partial);
  o->placed.bytes = info.st_size;
  for (int i = 0; i < o->layout.nvars; i++) {
    int64_t bytes, end;
    TRY(pl_outvar_bytes(o->path, &o->layout, i, &bytes));
    if (__builtin_add_overflow(o->placed.offset[i], bytes, &end))
      return plait_fail(PLAIT_OUTPUT, "%s: more than 2^63 bytes", o->path);
    if (end > o->placed.bytes) o->placed.bytes = end;
  }
  return PLAIT_OK;
}

plait_err pl_output_create(pl_output *o) {
  plait_err err = PLAIT_OK;
  int fd = -1;
  TRY(pl_output_check(o->path, &o->layout, o->force));
  TRY(create_empty(o->partial));
  GUARD(find_room(o));
  GUARD(o->format->create(o->partial, &o->layout, o->placed.offset));
  fd = open(o->partial, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) GUARD(pl_fail_errno(PLAIT_OUTPUT, "cannot write", o->partial));
  GUARD(find_end(o, fd));
  GUARD(reserve(o->partial, fd, o->placed.bytes));
done:
  if (fd >= 0) close(fd);
  if (err != PLAIT_OK) unlink(o->partial);
  return err;
}

// ---- an existing file ----

// Reads up to n bytes; what lies behind the end of the file is zeros.
static plait_err read_padded(int fd, char *at, size_t n, int64_t offset, int64_t size,
                             const char *path) {
  size_t there = offset >= size ? 0 : size - offset < (int64_t)n ? (size_t)(size - offset) : n;
  memset(at + there, 0, n - there);
  return pl_pread_all(fd, at, there, offset, path);
}

static plait_err compare_bytes(int a, int b, int64_t from, int64_t to, const char *path) {
  enum { CHUNK = 64 * 1024 };
  struct stat fresh;
  char *at = NULL;
  plait_err err = PLAIT_OK;
  if (fstat(b, &fresh) != 0) return pl_fail_errno(PLAIT_IO, "cannot read", path);
  TRY(pl_alloc(2, CHUNK, &at));
  for (int64_t done = from; done < to; done += CHUNK) {
    size_t n = to - done < CHUNK ? (size_t)(to - done) : CHUNK;
    GUARD(pl_pread_all(a, at, n, done, path));
    GUARD(read_padded(b, at + CHUNK, n, done, fresh.st_size, path));
    if (memcmp(at, at + CHUNK, n) != 0)
      GUARD(plait_fail(PLAIT_OUTPUT, "%s is damaged or belongs to another job: its header differs",
                       path));
  }
done:
  pl_free(&at);
  return err;
}

// Everything outside the arrays: header, coordinates, gaps.
static plait_err compare_frame(const pl_output *o, int a, int b) {
  int64_t at = 0;
  while (at < o->placed.bytes) {
    int64_t next = o->placed.bytes, behind = o->placed.bytes;
    for (int i = 0; i < o->layout.nvars; i++) { // the first array that begins behind `at`
      int64_t bytes;
      TRY(pl_outvar_bytes(o->path, &o->layout, i, &bytes));
      if (o->placed.offset[i] < at || o->placed.offset[i] >= next) continue;
      next = o->placed.offset[i];
      behind = next + bytes;
    }
    TRY(compare_bytes(a, b, at, next, o->partial));
    if (behind <= at) break;
    at = behind;
  }
  return PLAIT_OK;
}

// Against a fresh header of the same layout, which also gives the offsets.
static plait_err compare(pl_output *o, const char *fresh) {
  plait_err err = PLAIT_OK;
  struct stat info;
  int a = open(o->partial, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), b = -1;
  if (a < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot continue", o->partial);
  GUARD(create_empty(fresh));
  GUARD(o->format->create(fresh, &o->layout, o->placed.offset));
  b = open(fresh, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (b < 0) GUARD(pl_fail_errno(PLAIT_OUTPUT, "cannot read", fresh));
  GUARD(find_end(o, b));
  if (fstat(a, &info) != 0) GUARD(pl_fail_errno(PLAIT_IO, "cannot read", o->partial));
  if (info.st_size != o->placed.bytes)
    GUARD(plait_fail(PLAIT_OUTPUT, "%s belongs to another job: it has %lld bytes, not %lld",
                     o->partial, (long long)info.st_size, (long long)o->placed.bytes));
  if (o->format->seal) GUARD(o->format->seal(o->partial, &o->layout, true));
  GUARD(compare_frame(o, a, b));
done:
  close(a);
  if (b >= 0) close(b);
  unlink(fresh);
  return err;
}

plait_err pl_output_locate(pl_output *o) {
  pl_text fresh = {0};
  pl_text_add(&fresh, "%s.header", o->partial);
  plait_err err =
      fresh.failed ? plait_fail(PLAIT_MEMORY, "out of memory for a name") : compare(o, fresh.at);
  pl_text_free(&fresh);
  return err;
}
