// SPDX-License-Identifier: BSD-3-Clause
//
// See object.h. An object is code: it runs as the user from the moment it is loaded. So what can be
// told from outside (no file, C source, no object) is told before, and what was built for another
// plait.h is refused by the sizes of its structs, which no one has to remember to count up.
#include "engine/object.h"
#include "engine/registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOW_TO_BUILD "cc $(pkg-config --cflags plait) -shared"

bool pl_object_named(const char *kernel) {
  return strchr(kernel, '/') != NULL;
}

static bool ends_in(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n > m && strcmp(path + n - m, end) == 0;
}

// Mapped beyond its end a file that was cut short kills the process (SIGBUS), so the loader never
// sees one.
static bool is_whole(int fd, int64_t size) {
  ElfW(Ehdr) head;
  ElfW(Phdr) part;
  if (pread(fd, &head, sizeof head, 0) != sizeof head || head.e_phentsize != sizeof part)
    return false;
  for (int i = 0; i < head.e_phnum; i++) {
    off_t at = (off_t)head.e_phoff + i * (off_t)sizeof part;
    if (at < 0 || pread(fd, &part, sizeof part, at) != sizeof part) return false;
    if (part.p_offset > (uint64_t)size || part.p_filesz > (uint64_t)size - part.p_offset)
      return false;
  }
  return true;
}

// One that is not there was perhaps never built.
static plait_err refuse_absent(const char *path) {
  char reason[PL_MESSAGE_BYTES];
  int missing = errno == ENOENT, n = (int)strlen(path) - 3;
  plait_err err = pl_fail_errno(PLAIT_JOB, "cannot open the kernel", path);
  if (!missing || !ends_in(path, ".so")) return err;
  snprintf(reason, sizeof reason, "%s", pl_message());
  return plait_fail(err, "%.2000s; it is built from its C file: %s %.*s.c -o %s", reason,
                    HOW_TO_BUILD, n, path, path);
}

static plait_err check_file(const char *path) {
  char head[SELFMAG] = "";
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return refuse_absent(path);
  bool plain = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  ssize_t n = plain ? pread(fd, head, sizeof head, 0) : 0;
  bool elf = n == sizeof head && memcmp(head, ELFMAG, sizeof head) == 0;
  bool whole = elf && is_whole(fd, status.st_size);
  close(fd);
  if (whole) return PLAIT_OK;
  if (elf) return plait_fail(PLAIT_JOB, "%s: an object of another machine, or cut short", path);
  if (!plain) return plait_fail(PLAIT_JOB, "%s: a kernel is a file", path);
  if (ends_in(path, ".c"))
    return plait_fail(PLAIT_JOB, "%s: C source; build it and name the object: %s %s -o %.*s.so",
                      path, HOW_TO_BUILD, path, (int)strlen(path) - 2, path);
  if (ends_in(path, ".yaml"))
    return plait_fail(
        PLAIT_JOB,
        "%s: a job, not a kernel; 'plait check %s' says what it does, and which is its "
        "kernel",
        path, path);
  return plait_fail(PLAIT_JOB, "%s: not a shared object", path);
}

static plait_err check_origin(const char *path, const plait_object *object) {
  const char *ours = PLAIT_COMPILER;
  if (memcmp(object->magic, PLAIT_OBJECT_MAGIC, sizeof object->magic) != 0)
    return plait_fail(PLAIT_JOB, "%s: what PLAIT_OBJECT should have written is damaged", path);
  if (object->layout != PLAIT_LAYOUT)
    return plait_fail(
        PLAIT_JOB, "%s: was built for another plait.h (version %.20s, this is %s); build it anew",
        path, object->version, PLAIT_VERSION);
  // The threads of clang's OpenMP runtime are strangers to gcc's: each would do all of the loop.
  if (strcmp(object->compiler, "clang") == 0 && strcmp(ours, "clang") != 0)
    return plait_fail(PLAIT_JOB,
                      "%s: was built with clang, plait with %s: their OpenMP threads cannot share "
                      "a loop; build it with %s",
                      path, ours, ours);
  return PLAIT_OK;
}

// What is wrong with a row of a table, or NULL.
static const char *fault_of_row(const plait_param *p, size_t size) {
  bool words = p->kind == PLAIT_PARAM_CHOICE || p->kind == PLAIT_PARAM_CHOICES;
  bool table = p->kind == PLAIT_PARAM_TABLE;
  return strlen(p->name) >= PLAIT_NAME            ? "has a name that is too long"
         : (unsigned)p->kind > PLAIT_PARAM_TABLE  ? "is of no known kind"
         : p->offset >= size                      ? "lies outside the struct (params_size)"
         : !p->help                               ? "has no help"
         : words && !p->choices                   ? "has no choices"
         : table && (!p->columns || !p->row_size) ? "has no columns"
                                                  : NULL;
}

// An integrand brings a function; the rest is montecarlo's.
static void complete(const plait_kernel *from) {
  plait_kernel *k = (plait_kernel *)(uintptr_t)from; // PLAIT_INTEGRAND made it to be written
  plait_kernel whole = plait_kernel_integrand;
  whole.name = k->name;
  whole.summary = k->summary;
  whole.version = k->version;
  whole.integrand = k->integrand;
  *k = whole;
}

// What is missing in a kernel, or NULL.
static const char *fault_of(const plait_kernel *k) {
  bool map = k->pattern == PLAIT_MAP, reduce = k->pattern == PLAIT_REDUCE;
  bool evolve = k->pattern == PLAIT_EVOLVE;
  return !k->name || !k->name[0] || strlen(k->name) >= PLAIT_NAME ? "name"
         : !k->summary                                            ? "summary"
         : !k->params                                             ? "params (a table ends with {0})"
         : k->version < 1                                         ? "version (from 1)"
         : k->integrand.dimensions < 0 || k->integrand.constants < 0
             ? "dimensions or constants that can be"
         : !map && !reduce && !evolve   ? "pattern that objects may have"
         : !evolve && !k->plan          ? "plan"
         : map && !k->map.block         ? "map.block"
         : reduce && !k->reduce.block   ? "reduce.block"
         : reduce && !k->reduce.merge   ? "reduce.merge"
         : reduce && !k->reduce.finish  ? "reduce.finish"
         : evolve && !k->evolve.plan    ? "evolve.plan"
         : evolve && !k->evolve.initial ? "evolve.initial"
         : evolve && !k->evolve.advance ? "evolve.advance"
                                        : NULL;
}

static plait_err check_kernel(const char *path, const plait_kernel *kernel) {
  const char *missing = fault_of(kernel);
  if (missing) return plait_fail(PLAIT_JOB, "%s: its kernel has no %s", path, missing);
  for (const plait_param *p = kernel->params; p->name; p++) {
    const char *fault = fault_of_row(p, kernel->params_size);
    if (fault) return plait_fail(PLAIT_JOB, "%s: its parameter '%.60s' %s", path, p->name, fault);
  }
  return PLAIT_OK;
}

plait_err pl_object_load(const char *path, const plait_kernel **kernel) {
  TRY(check_file(path));
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return plait_fail(PLAIT_JOB, "cannot load the kernel: %s", dlerror());
  const plait_object *object = dlsym(handle, "plait_kernel_object");
  plait_err err = PLAIT_OK;
  if (!object)
    err =
        plait_fail(PLAIT_JOB, "%s: holds no kernel; its source ends with PLAIT_OBJECT(NAME)", path);
  if (err == PLAIT_OK) err = check_origin(path, object);
  if (err == PLAIT_OK && object->kernel->integrand.value) complete(object->kernel);
  if (err == PLAIT_OK) err = check_kernel(path, object->kernel);
  if (err == PLAIT_OK)
    *kernel = object->kernel;
  else
    dlclose(handle);
  return err;
}
