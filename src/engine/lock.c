// SPDX-License-Identifier: BSD-3-Clause
//
// See lock.h. The file is removed by its holder while it holds it; whoever got the lock on a file
// that has lost its name meanwhile tries again.
#include "engine/lock.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct pl_lock {
  int fd;
  char *path;
};

typedef struct holder {
  char host[256], boot[64];
  long pid;
  unsigned long long start; // clock ticks after boot
} holder;

static const double dying = 5, watch = 3 * PL_LOCK_BEAT; // s

static size_t read_text(const char *path, char *out, size_t room) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, out, room - 1);
  if (fd >= 0) close(fd);
  out[n > 0 ? n : 0] = 0;
  return n > 0 ? (size_t)n : 0;
}

// Field 22 of /proc/PID/stat; the name in field 2 may hold anything, but the last ')' ends it.
static unsigned long long start_of(long pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  if (read_text(path, text, sizeof text) == 0) return 0;
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  return at ? strtoull(at, NULL, 10) : 0;
}

static void find_self(const char *host, holder *self) {
  snprintf(self->host, sizeof self->host, "%s", host);
  self->pid = (long)getpid();
  self->start = start_of(self->pid);
  size_t n = read_text("/proc/sys/kernel/random/boot_id", self->boot, sizeof self->boot);
  self->boot[strcspn(self->boot, "\n")] = 0;
  if (n == 0) snprintf(self->boot, sizeof self->boot, "unknown");
}

static bool parse(const char *text, holder *who) {
  return sscanf(text, "%255s %ld %llu %63s", who->host, &who->pid, &who->start, who->boot) == 4 &&
         who->pid > 0;
}

static bool alive_here(const holder *who) {
  if (kill((pid_t)who->pid, 0) != 0 && errno == ESRCH) return false;
  return start_of(who->pid) == who->start;
}

static plait_err held(const pl_lock *lock, const char *output, const char *text) {
  holder who;
  if (!parse(text, &who))
    return plait_fail(PLAIT_OUTPUT, "%s is being written by another run (%s)", output, lock->path);
  return plait_fail(PLAIT_OUTPUT,
                    "%s is being written by another run: process %ld on %s (%s says so)", output,
                    who.pid, who.host, lock->path);
}

// Whether the time of the file moves while we look.
static bool moves(const pl_lock *lock) {
  struct stat before, now;
  if (fstat(lock->fd, &before) != 0) return false;
  for (double end = pl_now() + watch; pl_now() < end; pl_sleep(0.25)) {
    if (stat(lock->path, &now) != 0) return false;
    if (now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
      return true;
  }
  return false;
}

// `locked`: flock works here and is ours, so that nobody on this machine holds it (a dead process
// may still be in the table of processes: a zombie).
static bool is_stale(const pl_lock *lock, const char *text, const holder *self, bool locked) {
  holder who;
  if (!parse(text, &who)) return true; // died between creating and writing it
  if (strcmp(who.boot, self->boot) == 0) return locked || !alive_here(&who);
  return strcmp(who.host, self->host) == 0 || !moves(lock); // this host has started anew since
}

static plait_err sign(const pl_lock *lock, const holder *self) {
  char text[512];
  int n = snprintf(text, sizeof text, "%s %ld %llu %s\n", self->host, self->pid, self->start,
                   self->boot);
  if (ftruncate(lock->fd, 0) != 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", lock->path);
  return pl_pwrite_all(lock->fd, text, (size_t)n, 0, lock->path);
}

// *again: somebody else is there, or the file is no longer the one of that name.
static plait_err attempt(pl_lock *lock, const char *output, const holder *self, bool *again) {
  struct stat mine, named;
  char text[512] = "";
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666);
  if (lock->fd < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", lock->path);
  int failed = flock(lock->fd, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
  ssize_t n = pread(lock->fd, text, sizeof text - 1, 0);
  text[n > 0 ? n : 0] = 0;
  *again = failed == EWOULDBLOCK || failed == EINTR;
  if (*again) return held(lock, output, text);
  if (fstat(lock->fd, &mine) != 0 || stat(lock->path, &named) != 0 || mine.st_ino != named.st_ino ||
      mine.st_dev != named.st_dev) {
    *again = true;
    return plait_fail(PLAIT_OUTPUT, "%s comes and goes", lock->path);
  }
  if (text[0] && !is_stale(lock, text, self, !failed)) return held(lock, output, text);
  return sign(lock, self);
}

plait_err pl_lock_take(const char *output, const char *host, pl_lock **out) {
  pl_lock *lock = NULL;
  holder self = {0};
  pl_text name = {0};
  double end = pl_now() + dying;
  plait_err err = PLAIT_OK;
  bool again = true;
  *out = NULL;
  find_self(host, &self);
  TRY(pl_calloc(1, sizeof *lock, &lock));
  lock->fd = -1;
  pl_text_add(&name, "%s.lock", output);
  err = name.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : pl_strdup(name.at, &lock->path);
  pl_text_free(&name);
  GUARD(err);
  for (;;) {
    err = attempt(lock, output, &self, &again);
    if (err == PLAIT_OK || !again || pl_now() > end) break;
    close(lock->fd);
    lock->fd = -1;
    pl_sleep(0.1);
  }
done:
  if (err == PLAIT_OK) {
    *out = lock;
    return PLAIT_OK;
  }
  if (lock->fd >= 0) close(lock->fd);
  pl_free(&lock->path);
  pl_free(&lock);
  return err;
}

void pl_lock_beat(pl_lock *lock) {
  if (lock) (void)!futimens(lock->fd, NULL);
}

void pl_lock_give(pl_lock **at) {
  pl_lock *lock = *at;
  if (!lock) return;
  unlink(lock->path);
  close(lock->fd);
  pl_free(&lock->path);
  pl_free(at);
}
