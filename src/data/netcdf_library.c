// SPDX-License-Identifier: BSD-3-Clause
//
// Loads libnetcdf, once: when the first file of its formats is opened or created, or in a thread of
// its own as soon as it is known that one will be.
#include "data/netcdf_library.h"
#include "base/environ.h"
#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#ifdef PL_NETCDF_LINKED
static plait_err load(void) {
  return PLAIT_OK;
}
#else
static void *library;

// By the name that the linker would have noted in the program, so that a machine's own search path
// counts; then where the build found it.
static plait_err load(void) {
  static const char *const names[] = {PL_NETCDF_SONAME, PL_NETCDF_FILE};
  for (size_t i = 0; library == NULL && i < sizeof names / sizeof names[0]; i++)
    library = dlopen(names[i], RTLD_LAZY | RTLD_GLOBAL); // global: HDF5 loads filters as plugins
  if (library != NULL) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "NetCDF cannot be read or written: %s", dlerror());
}

// Looked up anew by each call: under a microsecond, and what calls often is not on the way of data.
// All names are there: the name of the library says that it has what the build linked against.
void *pl_netcdf_symbol(const char *name) {
  void *symbol = dlsym(library, name);
  assert(symbol != NULL);
  return symbol;
}
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded;
static pthread_t early;

// Locks would refuse a file that another program holds, or that lies where locks do not work; plait
// only reads, so it takes none, unless the user asks for them.
static void forgo_locks(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
}

static void load_once(void) {
  forgo_locks();
  loaded = load() == PLAIT_OK;
  if (loaded) (void)H5open(); // what it fails for, the first file of its format will tell
}

plait_err pl_netcdf_load(void) {
  pthread_once(&once, load_once);
  if (!loaded) return load();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // of each thread, where HDF5 was built for several
  return PLAIT_OK;
}

static void *load_early(void *unused) {
  (void)unused;
  (void)pl_netcdf_load();
  return NULL;
}

static void wait_for_early(void) { // the end of a program and the loading of a library do not mix
  pthread_join(early, NULL);
}

void pl_netcdf_expect(void) {
  static bool begun;
  forgo_locks(); // here: the environment must not grow while other threads read it
  if (begun) return;
  pl_environ_share();
  if (pthread_create(&early, NULL, load_early, NULL) != 0) return;
  begun = true;
  (void)atexit(wait_for_early);
}
