// SPDX-License-Identifier: BSD-3-Clause
//
// Walks the control groups upwards: a batch system puts its limit on the job or the step, not on
// the leaf where the process sits, so the leaf alone says "max". /proc/self/cgroup names the group
// in each hierarchy, /proc/self/mountinfo where the hierarchy is mounted and, in a container, which
// part of it. A group that is not visible there is taken for the nearest visible one above it.
#include "host/limits.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 4096
#define V2   "" // how /proc/self/cgroup names the controllers of the unified hierarchy

static bool read_line(const char *dir, const char *name, char *line, int room) {
  char path[2 * LINE];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  bool got = fgets(line, room, file) != NULL;
  fclose(file);
  return got;
}

static int64_t read_number(const char *dir, const char *name, int64_t otherwise) {
  char line[64], *end;
  if (!read_line(dir, name, line, sizeof line)) return otherwise;
  long long value = strtoll(line, &end, 10); // "max" is no number
  return end == line ? otherwise : value;
}

static void least_memory(pl_limits *limits, int64_t bytes) {
  if (bytes > 0 && bytes < limits->memory) limits->memory = bytes;
}

static void least_quota(pl_limits *limits, double micros, double period) {
  if (micros <= 0 || period <= 0) return; // -1 no limit
  double quota = micros / period;
  if (limits->quota == 0 || quota < limits->quota) limits->quota = quota;
}

static void read_v1_cpu(const char *dir, pl_limits *limits) {
  double period = (double)read_number(dir, "cpu.cfs_period_us", 100000);
  least_quota(limits, (double)read_number(dir, "cpu.cfs_quota_us", -1), period);
}

static void read_v1_memory(const char *dir, pl_limits *limits) {
  int64_t bytes = read_number(dir, "memory.limit_in_bytes", -1);
  if (bytes < INT64_MAX / 2) least_memory(limits, bytes); // no limit is a page below 2^63
}

static void read_v2(const char *dir, pl_limits *limits) {
  char line[64];
  double micros = 0, period = 100000;
  if (read_line(dir, "cpu.max", line, sizeof line) && sscanf(line, "%lf %lf", &micros, &period) > 0)
    least_quota(limits, micros, period);
  least_memory(limits, read_number(dir, "memory.max", -1));
  least_memory(limits, read_number(dir, "memory.high", -1)); // above it the kernel slows us down
}

typedef struct hierarchy {
  const char *controller;
  void (*read)(const char *dir, pl_limits *limits);
} hierarchy;

static const hierarchy hierarchies[] = {
    {V2, read_v2}, {"cpu", read_v1_cpu}, {"memory", read_v1_memory}};

static bool has_word(const char *words, const char *word) {
  size_t n = strlen(word);
  for (const char *at = words; at != NULL; at = strchr(at, ',')) {
    if (*at == ',') at++;
    if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == 0)) return true;
  }
  return false;
}

static FILE *open_proc(const char *root, const char *name) {
  char path[LINE];
  snprintf(path, sizeof path, "%s/proc/self/%s", root, name);
  return fopen(path, "re");
}

// "4:memory:/group" -> "/group" of the hierarchy that has the controller.
static bool find_group(const char *root, const char *controller, char group[LINE]) {
  char line[LINE];
  bool found = false;
  FILE *file = open_proc(root, "cgroup");
  if (file == NULL) return false;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    char *words = strchr(line, ':');
    char *path = words == NULL ? NULL : strchr(words + 1, ':');
    if (path == NULL) continue;
    *path++ = 0;
    words++;
    found = *controller == 0 ? *words == 0 : has_word(words, controller);
    if (found) strcpy(group, path);
  }
  fclose(file);
  return found;
}

// One line of mountinfo: "id parent dev:dev ROOT POINT options ... - TYPE source SUPEROPTIONS".
static bool is_mount(char *line, const char *controller, char part[LINE], char point[LINE]) {
  char type[32], options[LINE];
  const char *rest = strstr(line, " - ");
  if (rest == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", part, point) != 2) return false;
  if (sscanf(rest, " - %31s %*s %4095s", type, options) != 2) return false;
  return *controller == 0 ? strcmp(type, "cgroup2") == 0
                          : strcmp(type, "cgroup") == 0 && has_word(options, controller);
}

static bool find_mount(const char *root, const char *controller, char part[LINE],
                       char point[LINE]) {
  char line[LINE];
  bool found = false;
  FILE *file = open_proc(root, "mountinfo");
  if (file == NULL) return false;
  while (!found && fgets(line, sizeof line, file) != NULL)
    found = is_mount(line, controller, part, point);
  fclose(file);
  return found;
}

// The group below the mounted part; "" when it lies outside (a container without its own
// namespace).
static const char *below(const char *group, const char *part) {
  size_t n = strcmp(part, "/") == 0 ? 0 : strlen(part);
  return strncmp(group, part, n) == 0 && (group[n] == '/' || group[n] == 0) ? group + n : "";
}

static void walk_up(const char *root, const hierarchy *h, pl_limits *limits) {
  char group[LINE], part[LINE], point[LINE], dir[3 * LINE];
  if (!find_group(root, h->controller, group)) return;
  if (!find_mount(root, h->controller, part, point)) return;
  snprintf(dir, sizeof dir, "%s%s%s", root, point, below(group, part));
  size_t top = strlen(root) + strlen(point);
  for (;;) {
    h->read(dir, limits); // of a group that is not there nothing is read
    if (strlen(dir) <= top) return;
    *strrchr(dir, '/') = 0;
  }
}

void pl_limits_find(const char *root, pl_limits *limits) {
  *limits = (pl_limits){.memory = INT64_MAX};
  for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++)
    walk_up(root, &hierarchies[i], limits);
}
