// SPDX-License-Identifier: BSD-3-Clause
//
// Measurements kept between calls. Text, one number a line; written whole and renamed, so that two
// runs at once leave one of two good files.
#include "base/mem.h"
#include "base/path.h"
#include "engine/probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool make_dir(const char *path) {
  return !mkdir(path, 0700) || errno == EEXIST;
}

// The file of a key; false without a place for it. An XDG directory must be absolute (its rule).
static bool file_of(const char *key, bool make, char *path, size_t room) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  char dir[4096];
  if (cache && *cache == '/')
    snprintf(dir, sizeof dir, "%s", cache);
  else if (home && *home == '/')
    snprintf(dir, sizeof dir, "%s/.cache", home);
  else
    return false;
  if (make && !make_dir(dir)) return false;
  size_t n = strlen(dir);
  if (n + 7 >= sizeof dir) return false;
  memcpy(dir + n, "/plait", 7);
  if (make && !make_dir(dir)) return false;
  return (size_t)snprintf(path, room, "%s/%s.txt", dir, key) < room;
}

static bool read_line(const char *line, pl_measured list[], int n, int *found) {
  for (int i = 0; i < n; i++) {
    size_t length = strlen(list[i].name);
    if (strncmp(line, list[i].name, length) || line[length] != ' ') continue;
    char number[64];
    snprintf(number, sizeof number, "%.*s", (int)strcspn(line + length + 1, "\n"),
             line + length + 1);
    if (!pl_parse_real(number, &list[i].value)) return false;
    ++*found;
  }
  return true;
}

bool pl_probe_recall(const char *key, pl_measured list[], int n) {
  char path[4400], line[256];
  int found = 0;
  if (!file_of(key, false, path, sizeof path)) return false;
  FILE *file = fopen(path, "re");
  if (!file) return false;
  bool good = true;
  while (good && fgets(line, sizeof line, file)) good = read_line(line, list, n, &found);
  fclose(file);
  return good && found == n;
}

bool pl_probe_keep(const char *key, const pl_measured list[], int n) {
  char path[4400], number[32];
  pl_text text = {0};
  if (!file_of(key, true, path, sizeof path)) return false;
  for (int i = 0; i < n; i++) {
    pl_format_real(list[i].value, number);
    pl_text_add(&text, "%s %s\n", list[i].name, number);
  }
  bool kept = !text.failed && pl_write_file(path, text.at ? text.at : "", text.length) == PLAIT_OK;
  pl_text_free(&text);
  return kept;
}
