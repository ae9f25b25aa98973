// SPDX-License-Identifier: BSD-3-Clause
//
// What can go wrong with a disk, made to happen: preloaded into plait, this library counts the
// calls of a kind and does something at the n-th. Only files below PLAIT_FAULT_DIR count, so that
// what the libraries do for themselves stays out of it.
//
//   PLAIT_FAULT=KIND:N:ACTION[:RANK]
//   KIND    read write sync rename unlink alloc any (write, sync, rename, unlink)
//           queue (the program takes a lock: handing over between strands)
//   ACTION  kill   the process kills itself before the call      after  behind it
//           eio enospc eintr   the call fails that way           short  moves half of what it
//           should nomem  (alloc) no memory                             stall  the call takes half
//           a second term usr  the process gets SIGTERM, SIGUSR1
//           power  as kill, and of what was written since the last sync each write is lost
//           or not
//   RANK    only this rank of mpirun; all others work on
//   PLAIT_FAULT_COUNT=FILE   writes the number of calls of each kind there, at exit
//
// `power` undoes the writes of this process (their old bytes are kept until the file is synced),
// the choice depending on PLAIT_FAULT_SEED. That is what a disk without order between syncs may
// leave.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { READ, WRITE, SYNC, RENAME, UNLINK, ALLOC, QUEUE, ANY, KINDS };
static const char *const kind_name[KINDS] = {"read",   "write", "sync",  "rename",
                                             "unlink", "alloc", "queue", "any"};
static long count[KINDS];
static enum kind kind = KINDS;
static long number;
static char action[16], directory[512];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside;

typedef struct old { // bytes that a write replaced
  int fd;
  off_t at;
  size_t n, had; // bytes written; bytes that were there before
  char *bytes;
  struct old *next;
} old;
static old *undo;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
  const char *spec = getenv("PLAIT_FAULT"), *dir = getenv("PLAIT_FAULT_DIR"),
             *rank = getenv("OMPI_COMM_WORLD_RANK");
  char word[16] = "";
  int only = -1;
  if (dir) snprintf(directory, sizeof directory, "%s", dir);
  if (!spec || sscanf(spec, "%15[a-z]:%ld:%15[a-z]:%d", word, &number, action, &only) < 3) return;
  if (only >= 0 && (!rank || atoi(rank) != only)) return;
  for (int k = 0; k < KINDS; k++)
    if (strcmp(word, kind_name[k]) == 0) kind = (enum kind)k;
}

__attribute__((destructor)) static void finish(void) {
  const char *path = getenv("PLAIT_FAULT_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  for (int k = 0; file && k < KINDS; k++) fprintf(file, "%s %ld\n", kind_name[k], count[k]);
  if (file) fclose(file);
}

static bool below(const char *path) {
  return directory[0] && strncmp(path, directory, strlen(directory)) == 0;
}

static bool counts_fd(int fd) {
  char link[64], path[1024];
  if (inside || !directory[0]) return false;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = 0;
  return below(path);
}

// ---- power loss ----

static void remember(int fd, off_t at, size_t n) {
  if (strcmp(action, "power") != 0 || n == 0) return;
  inside = true;
  old *o = malloc(sizeof *o);
  *o = (old){.fd = dup(fd), .at = at, .n = n, .bytes = malloc(n)};
  int again = open("/dev/null", O_RDONLY); // the descriptor may be for writing only
  char link[64];
  close(again);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  again = open(link, O_RDONLY);
  ssize_t had = again >= 0 ? pread(again, o->bytes, n, at) : 0;
  if (again >= 0) close(again);
  o->had = had > 0 ? (size_t)had : 0;
  o->next = undo; // newest first: undone in that order
  undo = o;
  inside = false;
}

static bool same_file(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void forget(int fd) {
  for (old **at = &undo; *at;) {
    old *o = *at;
    if (!same_file(o->fd, fd)) {
      at = &o->next;
      continue;
    }
    *at = o->next;
    close(o->fd);
    free(o->bytes);
    free(o);
  }
}

static void lose_power(void) {
  const char *seed = getenv("PLAIT_FAULT_SEED");
  uint64_t x = 88172645463325252u + (seed ? (uint64_t)atol(seed) * 2654435761u : 0);
  inside = true;
  for (old *o = undo; o; o = o->next) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    if (x >> 40 & 1) continue; // this one had reached the disk
    char zeros[4096] = {0};
    (void)!REAL(pwrite)(o->fd, o->bytes, o->had, o->at);
    for (size_t at = o->had; at < o->n; at += sizeof zeros) {
      size_t n = o->n - at < sizeof zeros ? o->n - at : sizeof zeros;
      (void)!REAL(pwrite)(o->fd, zeros, n, o->at + (off_t)at);
    }
  }
  kill(getpid(), SIGKILL);
}

// ---- the n-th call ----

// What happens to a call: 0 nothing, else the errno it fails with, -1: half of it.
static int strike(enum kind k, bool behind) {
  pthread_mutex_lock(&mutex);
  bool call = k != READ && k != ALLOC && k != QUEUE, any = kind == ANY && call;
  bool hit;
  if (behind) {
    hit = strcmp(action, "after") == 0 && (any ? count[ANY] : count[k]) == number;
  } else {
    count[k]++;
    if (call) count[ANY]++;
    hit = (any ? count[ANY] : count[k]) == number;
  }
  hit = hit && (any || kind == k);
  int result = 0;
  if (hit && (behind || strcmp(action, "kill") == 0)) kill(getpid(), SIGKILL);
  if (hit && strcmp(action, "power") == 0) lose_power();
  pthread_mutex_unlock(&mutex);
  if (!hit || behind) return 0;
  if (strcmp(action, "stall") == 0) usleep(500000);
  if (strcmp(action, "term") == 0) kill(getpid(), SIGTERM);
  if (strcmp(action, "usr") == 0) kill(getpid(), SIGUSR1);
  if (strcmp(action, "eio") == 0) result = EIO;
  if (strcmp(action, "enospc") == 0) result = ENOSPC;
  if (strcmp(action, "eintr") == 0) result = EINTR;
  if (strcmp(action, "nomem") == 0) result = ENOMEM;
  if (strcmp(action, "short") == 0) result = -1;
  return result;
}

static ssize_t failed(int reason) {
  errno = reason;
  return -1;
}

static size_t vector_bytes(const struct iovec *v, int n) {
  size_t bytes = 0;
  for (int i = 0; i < n; i++) bytes += v[i].iov_len;
  return bytes;
}

// ---- the calls ----

ssize_t pread64(int fd, void *data, size_t n, off64_t at) {
  int hit = counts_fd(fd) ? strike(READ, false) : 0;
  if (hit > 0) return failed(hit);
  return REAL(pread64)(fd, data, hit < 0 && n > 1 ? n / 2 : n, at);
}
ssize_t pread(int fd, void *data, size_t n, off_t at) {
  return pread64(fd, data, n, at);
}

ssize_t preadv64(int fd, const struct iovec *v, int n, off64_t at) {
  int hit = counts_fd(fd) ? strike(READ, false) : 0;
  if (hit > 0) return failed(hit);
  return REAL(preadv64)(fd, v, hit < 0 && n > 1 ? n / 2 : n, at);
}
ssize_t preadv(int fd, const struct iovec *v, int n, off_t at) {
  return preadv64(fd, v, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
  bool counted = counts_fd(fd);
  int hit = counted ? strike(WRITE, false) : 0;
  if (hit > 0) return failed(hit);
  if (counted) remember(fd, at, n);
  ssize_t done = REAL(pwrite64)(fd, data, hit < 0 && n > 1 ? n / 2 : n, at);
  if (counted) (void)strike(WRITE, true);
  return done;
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
  return pwrite64(fd, data, n, at);
}

ssize_t write(int fd, const void *data, size_t n) {
  bool counted = fd > 2 && counts_fd(fd);
  int hit = counted ? strike(WRITE, false) : 0;
  if (hit > 0) return failed(hit);
  if (counted) remember(fd, lseek(fd, 0, SEEK_CUR), n);
  ssize_t done = REAL(write)(fd, data, hit < 0 && n > 1 ? n / 2 : n);
  if (counted) (void)strike(WRITE, true);
  return done;
}

ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) {
  bool counted = counts_fd(fd);
  int hit = counted ? strike(WRITE, false) : 0;
  if (hit > 0) return failed(hit);
  if (counted) remember(fd, at, vector_bytes(v, n));
  struct iovec half = v[0];
  if (hit < 0 && half.iov_len > 1) half.iov_len /= 2;
  ssize_t done = hit < 0 ? REAL(pwritev64)(fd, &half, 1, at) : REAL(pwritev64)(fd, v, n, at);
  if (counted) (void)strike(WRITE, true);
  return done;
}
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
  return pwritev64(fd, v, n, at);
}

int fsync(int fd) {
  bool counted = counts_fd(fd);
  int hit = counted ? strike(SYNC, false) : 0;
  if (hit > 0) return (int)failed(hit);
  int done = REAL(fsync)(fd);
  if (counted) forget(fd);
  if (counted) (void)strike(SYNC, true);
  return done;
}

int rename(const char *from, const char *to) {
  bool counted = below(to);
  int hit = counted ? strike(RENAME, false) : 0;
  if (hit > 0) return (int)failed(hit);
  int done = REAL(rename)(from, to);
  if (counted) (void)strike(RENAME, true);
  return done;
}

int unlink(const char *path) {
  bool counted = below(path);
  int hit = counted ? strike(UNLINK, false) : 0;
  if (hit > 0) return (int)failed(hit);
  int done = REAL(unlink)(path);
  if (counted) (void)strike(UNLINK, true);
  return done;
}

// The allocator of plait takes its memory with this call; so does libgomp, which is none of ours.
static bool from_program(const void *caller) {
  Dl_info info;
  return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, ".so") == NULL;
}

void *aligned_alloc(size_t alignment, size_t n) {
  bool counted = directory[0] && !inside && from_program(__builtin_return_address(0));
  if (!counted || strike(ALLOC, false) <= 0) return REAL(aligned_alloc)(alignment, n);
  errno = ENOMEM;
  return NULL;
}

// Between strands every hand-over takes a lock (queue.c); so do the journal and the watchdog.
int pthread_mutex_lock(pthread_mutex_t *lock) {
  static int (*real)(pthread_mutex_t *);
  if (!real) real = REAL(pthread_mutex_lock);
  if (directory[0] && !inside && from_program(__builtin_return_address(0)))
    (void)strike(QUEUE, false);
  return real(lock);
}
