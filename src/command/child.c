// SPDX-License-Identifier: BSD-3-Clause
//
// The child's output goes to memory files, so nothing has to be read while it runs and no pipe can
// fill. Meanwhile its tree is looked at now and then: a look costs the kernel a walk through the
// page tables of each process, so the pause after it is fifty times as long as the look took; of a
// short run there are twenty looks or so, for its memory grows as fast as it ends.
#include "command/child.h"
#include "base/clock.h"
#include "base/mem.h"
#include "host/stop.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
enum { TREE = 4096 }; // processes of the tree that are looked at

// ---- memory ---------------------------------------------------------------------------------
static int64_t pss_of(long pid) {
  char path[64], line[256];
  long long kib = 0;
  snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "Pss: %lld kB", &kib) == 1) break;
  fclose(file);
  return 1024 * (int64_t)kib;
}

static bool is_ours(long pid, const struct stat *self) {
  char path[64];
  struct stat other;
  snprintf(path, sizeof path, "/proc/%ld/exe", pid);
  return !stat(path, &other) && other.st_ino == self->st_ino && other.st_dev == self->st_dev;
}

static int add_children(long pid, long tree[], int n) {
  char path[64];
  long child;
  snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
  FILE *file = fopen(path, "re");
  if (!file) return n;
  while (n < TREE && fscanf(file, "%ld", &child) == 1) tree[n++] = child;
  fclose(file);
  return n;
}

static void look(long root, const struct stat *self, pl_child *child) {
  long tree[TREE] = {root};
  int n = 1, processes = 0;
  int64_t sum = 0;
  for (int i = 0; i < n; i++) {
    n = add_children(tree[i], tree, n);
    if (!is_ours(tree[i], self)) continue;
    int64_t pss = pss_of(tree[i]);
    sum += pss;
    processes++;
    if (pss > child->pss_one) child->pss_one = pss;
  }
  if (sum > child->pss) child->pss = sum;
  if (processes > child->processes) child->processes = processes;
}

// ---- energy ---------------------------------------------------------------------------------
double pl_energy_now(void) {
  double joules = 0;
  int packages = 0;
  for (int i = 0; i < 64; i++) {
    char path[96];
    long long micro;
    snprintf(path, sizeof path, "/sys/class/powercap/intel-rapl:%d/energy_uj", i);
    FILE *file = fopen(path, "re");
    if (!file) break;
    bool got = fscanf(file, "%lld", &micro) == 1;
    fclose(file);
    if (!got) return -1;
    joules += 1e-6 * (double)micro;
    packages++;
  }
  return packages ? joules : -1;
}

// ---- the child ------------------------------------------------------------------------------
static plait_err spawn(const char *const argv[], int out, int err, pid_t *pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  sigset_t none;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_adddup2(&files, err, 2);
  posix_spawnattr_init(&how); // a group of its own: a Ctrl-C is passed on once, by us
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setsigmask(&how, &none);
  int failed = posix_spawnp(pid, argv[0], &files, &how, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (failed) return plait_fail(PLAIT_IO, "cannot start %s: %s", argv[0], strerror(failed));
  return PLAIT_OK;
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

// Ends the child as a user would, and after ten seconds for good.
static void end(pid_t pid, double asked) {
  kill(-pid, pl_now() - asked < 10 ? SIGTERM : SIGKILL);
}

static double pause_after(double spent, double age) {
  double pause = fmin(0.05 * age, 0.05); // s
  return fmax(fmax(50 * spent, pause), 0.004);
}

static plait_err watch(pid_t pid, double start, pl_child *child) {
  struct stat self;
  struct rusage usage;
  int status = 0;
  double next = start + 0.005, asked = 0, told = 0;
  if (stat("/proc/self/exe", &self)) memset(&self, 0, sizeof self);
  for (;;) {
    pid_t done = wait4(pid, &status, WNOHANG, &usage);
    if (done == pid) break;
    if (done < 0 && errno != EINTR) return pl_fail_errno(PLAIT_IO, "cannot wait for", "a child");
    double now = pl_now();
    if (pl_stop_asked() && asked == 0) asked = now;
    if (asked > 0 && now - told > 1) {
      end(pid, asked);
      told = now;
    }
    if (now >= next) {
      look(pid, &self, child);
      double spent = pl_now() - now;
      next = now + pause_after(spent, now - start);
    }
    pl_sleep(0.002);
  }
  child->wall = pl_now() - start;
  child->cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  child->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (pl_stop_asked()) return plait_fail(PLAIT_STOPPED, "stopped by signal %d", pl_stop_signal());
  return PLAIT_OK;
}

static void read_back(int fd, pl_text *text) {
  char part[4097];
  ssize_t n;
  for (off_t at = 0; (n = pread(fd, part, sizeof part - 1, at)) > 0; at += n) {
    part[n] = 0;
    pl_text_add(text, "%s", part);
  }
}

plait_err pl_child_run(const char *const argv[], pl_child *child) {
  *child = (pl_child){.energy = -1};
  plait_err err = PLAIT_OK;
  pid_t pid = 0;
  int out = memfd_create("out", MFD_CLOEXEC), errors = memfd_create("err", MFD_CLOEXEC);
  if (out < 0 || errors < 0) GUARD(pl_fail_errno(PLAIT_IO, "cannot keep the output of", argv[0]));
  double energy = pl_energy_now(), start = pl_now();
  GUARD(spawn(argv, out, errors, &pid));
  err = watch(pid, start, child);
  double after = pl_energy_now();
  if (energy >= 0 && after >= energy) child->energy = after - energy; // else a counter wrapped
  read_back(out, &child->out);
  read_back(errors, &child->err);
  if (err == PLAIT_OK && (child->out.failed || child->err.failed))
    err = plait_fail(PLAIT_MEMORY, "no memory for the output of %s", argv[0]);
done:
  if (out >= 0) close(out);
  if (errors >= 0) close(errors);
  return err;
}

void pl_child_free(pl_child *child) {
  pl_text_free(&child->out);
  pl_text_free(&child->err);
}

// ---- what it said ---------------------------------------------------------------------------
static bool speaks(const char *line, size_t n) {
  static const char *const noise[] = {"plait: note: ", "plait: ["};
  for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
    if (!strncmp(line, noise[i], strlen(noise[i]))) return false;
  for (size_t i = 0; i < n; i++)
    if ((line[i] >= 'a' && line[i] <= 'z') || (line[i] >= 'A' && line[i] <= 'Z')) return true;
  return false; // a ruler of dashes
}

void pl_child_complaint(const pl_child *child, char *line, size_t room) {
  static const char prefix[] = "plait: error: ";
  const char *text = child->err.at ? child->err.at : "", *marked = strstr(text, prefix);
  snprintf(line, room, "exit code %d", child->exit_code);
  for (const char *at = marked ? marked : text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    size_t n = strcspn(at, "\n");
    if (!speaks(at, n)) continue;
    size_t skip = strncmp(at, prefix, sizeof prefix - 1) ? 0 : sizeof prefix - 1;
    snprintf(line, room, "%.*s", (int)(n - skip), at + skip);
    return;
  }
}

bool pl_program_find(const char *name, char *path, size_t room) {
  const char *list = getenv("PATH");
  for (const char *at = list; at && *at;) {
    size_t n = strcspn(at, ":");
    if (n > 0 && (size_t)snprintf(path, room, "%.*s/%s", (int)n, at, name) < room &&
        !access(path, X_OK))
      return true;
    at += n;
    at += *at == ':';
  }
  return false;
}
