// SPDX-License-Identifier: BSD-3-Clause
//
// Preloaded: setenv and its kin may move the environment while another thread's getenv walks
// through it, which crashes now and then. Here HDF5 walks slowly, the first time, and whoever
// changes the environment meanwhile ends the process with 99.
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int reading, read_before;

static bool is_hdf5(const void *caller) {
  Dl_info info;
  return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "hdf5");
}

char *getenv(const char *name) {
  char *(*real)(const char *) = (char *(*)(const char *))dlsym(RTLD_NEXT, "getenv");
  if (is_hdf5(__builtin_return_address(0)) && atomic_fetch_add(&read_before, 1) == 0) {
    atomic_store(&reading, 1);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    atomic_store(&reading, 0);
  }
  return real(name);
}

static void changes(const char *name) {
  static const char words[] = " is set while HDF5 reads the environment\n";
  if (!atomic_load(&reading)) return;
  (void)!write(STDERR_FILENO, name, strcspn(name, "="));
  (void)!write(STDERR_FILENO, words, sizeof words - 1);
  _exit(99);
}

int setenv(const char *name, const char *value, int replace) {
  changes(name);
  return ((int (*)(const char *, const char *, int))dlsym(RTLD_NEXT, "setenv"))(name, value,
                                                                                replace);
}

int unsetenv(const char *name) {
  changes(name);
  return ((int (*)(const char *))dlsym(RTLD_NEXT, "unsetenv"))(name);
}

int putenv(char *text) {
  changes(text);
  return ((int (*)(char *))dlsym(RTLD_NEXT, "putenv"))(text);
}
