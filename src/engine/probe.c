// SPDX-License-Identifier: BSD-3-Clause
//
// See probe.h. Nothing here needs a privilege.
#include "engine/probe.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "host/surroundings.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

// ---- the station ----------------------------------------------------------------------------
static int64_t limit_of(int which) {
  struct rlimit limit;
  if (getrlimit(which, &limit) || limit.rlim_cur == RLIM_INFINITY) return -1;
  return limit.rlim_cur > (rlim_t)INT64_MAX ? -1 : (int64_t)limit.rlim_cur;
}

static void find_limits(pl_station_facts *f) {
  int64_t data = limit_of(RLIMIT_DATA);
  f->files = limit_of(RLIMIT_NOFILE);
  f->file_bytes = limit_of(RLIMIT_FSIZE);
  f->address_bytes = limit_of(RLIMIT_AS);
  if (data >= 0 && (f->address_bytes < 0 || data < f->address_bytes)) f->address_bytes = data;
  f->locked_bytes = limit_of(RLIMIT_MEMLOCK);
  f->infiniband = access("/sys/class/infiniband", R_OK) == 0;
}

static int64_t free_in(const char *path) {
  struct statvfs fs;
  return statvfs(path, &fs) ? -1 : (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

static void find_variables(pl_station_facts *f) {
  static const char *const names[] = {"OMP_PLACES", "OMP_PROC_BIND", "GOMP_CPU_AFFINITY",
                                      "KMP_AFFINITY"};
  const char *policy = pl_user_variable("OMP_WAIT_POLICY");
  const char *limit = pl_user_variable("OMP_THREAD_LIMIT");
  f->spins = policy && !strcasecmp(policy, "active");
  f->thread_limit = limit ? atoi(limit) : 0;
  for (size_t i = 0; i < sizeof names / sizeof *names && !*f->affinity; i++) {
    const char *value = pl_user_variable(names[i]);
    if (value && strcasecmp(value, "false"))
      snprintf(f->affinity, sizeof f->affinity, "%s", names[i]);
  }
}

// Busy and all ticks of the node so far.
static bool read_ticks(double *busy, double *all) {
  double t[8] = {0};
  FILE *file = fopen("/proc/stat", "re");
  if (!file) return false;
  int n = fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4],
                 &t[5], &t[6], &t[7]);
  fclose(file);
  *busy = t[0] + t[1] + t[2] + t[5] + t[6];
  *all = *busy + t[3] + t[4] + t[7];
  return n >= 4;
}

// CPUs of the node that are busy while this process sleeps.
static double find_others(void) {
  double busy[2], all[2];
  if (!read_ticks(&busy[0], &all[0])) return 0;
  pl_sleep(0.1);
  if (!read_ticks(&busy[1], &all[1]) || all[1] <= all[0]) return 0;
  return (double)sysconf(_SC_NPROCESSORS_ONLN) * (busy[1] - busy[0]) / (all[1] - all[0]);
}

static const pl_cpu *cpu_of(const pl_topology *t, int os) {
  for (int i = 0; i < t->ncpus; i++)
    if (t->cpus[i].os == os) return &t->cpus[i];
  return NULL;
}

static void find_share(const pl_topology *t, const pl_placement *p, pl_station_facts *f) {
  f->numa_first = INT32_MAX;
  for (int i = 0; i < p->ncpus; i++) {
    const pl_cpu *cpu = cpu_of(t, p->cpus[i]);
    if (!cpu || cpu->os < 0 || cpu->os >= PL_STATION_CPUS) continue;
    f->cpus[cpu->os / 64] |= UINT64_C(1) << (cpu->os % 64);
    f->cores += cpu->thread == 0;
    if (cpu->numa < f->numa_first) f->numa_first = cpu->numa;
    if (cpu->numa > f->numa_last) f->numa_last = cpu->numa;
  }
  if (f->numa_first > f->numa_last) f->numa_first = f->numa_last;
}

void pl_probe_share(const char *host, int rank, const pl_topology *topology,
                    const pl_placement *placement, pl_station_facts *f) {
  *f = (pl_station_facts){.rank = rank,
                          .threads = placement->threads,
                          .ncpus = placement->ncpus,
                          .bound = placement->bound,
                          .widened = placement->widened,
                          .node_cpus = topology->ncpus,
                          .node_cores = topology->ncores,
                          .node_numa = topology->nnuma,
                          .quota = topology->quota,
                          .shm = -1,
                          .files = -1,
                          .file_bytes = -1,
                          .address_bytes = -1,
                          .locked_bytes = -1};
  snprintf(f->host, sizeof f->host, "%s", host);
  snprintf(f->note, sizeof f->note, "%s", placement->note);
  find_share(topology, placement, f);
}

void pl_probe_station(const char *host, int rank, const pl_topology *topology,
                      const pl_placement *placement, pl_station_facts *f) {
  pl_probe_share(host, rank, topology, placement, f);
  f->pid = (int)getpid();
  find_limits(f);
  find_variables(f);
  f->memory = pl_memory_limit();
  f->shm = free_in("/dev/shm");
  f->others = find_others();
}

// ---- storage --------------------------------------------------------------------------------
static const char *kind_of(const char *dir) {
  static const struct {
    unsigned long magic;
    const char *name;
  } kinds[] = {{0xef53, "ext4"},       {0x58465342, "xfs"},       {0x9123683e, "btrfs"},
               {0x01021994, "tmpfs"},  {0x6969, "nfs"},           {0xff534d42, "cifs"},
               {0xfe534d42, "smb"},    {0x0bd00bd0, "lustre"},    {0x47504653, "gpfs"},
               {0x19830326, "beegfs"}, {0x794c7630, "overlayfs"}, {0x2fc12fc1, "zfs"},
               {0x65735546, "fuse"},   {0x00c36400, "ceph"},      {0x01021997, "9p"}};
  struct statfs fs;
  if (statfs(dir, &fs)) return "unknown";
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if ((unsigned long)fs.f_type == kinds[i].magic) return kinds[i].name;
  return "other";
}

// pl_message() says why when it fails.
static plait_err write_and_sync(int fd, const char *path, int64_t bytes) {
  enum { PIECE = 1 << 20 };
  char *piece = NULL;
  plait_err err = PLAIT_OK;
  TRY(pl_alloc(PIECE, 1, &piece));
  uint64_t noise = 1; // not compressible: some storage would cheat
  for (size_t i = 0; i < PIECE; i += 8) {
    noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407;
    memcpy(piece + i, &noise, 8);
  }
  for (int64_t at = 0; at < bytes && err == PLAIT_OK; at += PIECE)
    err = pl_pwrite_all(fd, piece, PIECE, (off_t)at, path);
  if (err == PLAIT_OK) err = pl_file_sync(fd, path);
  pl_free(&piece);
  return err;
}

void pl_probe_storage(const char *dir, int64_t bytes, pl_storage_facts *f) {
  pl_text path = {0};
  *f = (pl_storage_facts){.free = free_in(dir)};
  snprintf(f->dir, sizeof f->dir, "%s", dir);
  snprintf(f->kind, sizeof f->kind, "%s", kind_of(dir));
  pl_text_add(&path, "%s/.plait-probe-XXXXXX", dir);
  int fd = path.failed ? -1 : mkostemp(path.at, O_CLOEXEC);
  if (fd < 0) {
    pl_fail_errno(PLAIT_OUTPUT, "cannot write into", dir);
    snprintf(f->error, sizeof f->error, "%s", pl_message());
  } else {
    double start = pl_now();
    if (f->free > 2 * bytes && write_and_sync(fd, path.at, bytes) == PLAIT_OK)
      f->rate = (double)bytes / (pl_now() - start);
    unlink(path.at);
    close(fd);
  }
  pl_text_free(&path);
}

void pl_probe_cpu(char *name, size_t room) {
  char line[512];
  FILE *file = fopen("/proc/cpuinfo", "re");
  snprintf(name, room, "CPU");
  while (file && fgets(line, sizeof line, file)) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) || !colon) continue;
    colon += 1 + strspn(colon + 1, " ");
    snprintf(name, room, "%.*s", (int)strcspn(colon, "\n"), colon);
    break;
  }
  if (file) fclose(file);
}
