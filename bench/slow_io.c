// SPDX-License-Identifier: BSD-3-Clause
//
// Preload shim of overlap.py: storage of a stated speed. Every read and write of a file whose path
// has SLOW_PATH in it takes at least bytes / rate (it sleeps: a slow disk costs no CPU). The
// product has no hook for this; the shim stands between it and the C library.
//   SLOW_PATH=slow_ SLOW_READ=bytes_per_s SLOW_WRITE=bytes_per_s LD_PRELOAD=slow_io.so
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int is_slow(int fd) {
  char link[64], path[4096];
  const char *part = getenv("SLOW_PATH");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0 || !part) return 0;
  path[n] = 0;
  return strstr(path, part) != NULL;
}

static void take_time(int fd, ssize_t bytes, const char *name) {
  const char *rate = getenv(name);
  if (bytes <= 0 || !rate || !is_slow(fd)) return;
  double seconds = (double)bytes / atof(rate);
  struct timespec t = {.tv_sec = (time_t)seconds};
  t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
  nanosleep(&t, NULL);
}

ssize_t pread(int fd, void *data, size_t n, off_t at) {
  static ssize_t (*real)(int, void *, size_t, off_t);
  if (!real) real = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
  ssize_t got = real(fd, data, n, at);
  take_time(fd, got, "SLOW_READ");
  return got;
}

ssize_t preadv(int fd, const struct iovec *v, int n, off_t at) {
  static ssize_t (*real)(int, const struct iovec *, int, off_t);
  if (!real) real = (ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "preadv");
  ssize_t got = real(fd, v, n, at);
  take_time(fd, got, "SLOW_READ");
  return got;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  ssize_t got = real(fd, data, n, at);
  take_time(fd, got, "SLOW_WRITE");
  return got;
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
  static ssize_t (*real)(int, const struct iovec *, int, off_t);
  if (!real) real = (ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "pwritev");
  ssize_t got = real(fd, v, n, at);
  take_time(fd, got, "SLOW_WRITE");
  return got;
}
