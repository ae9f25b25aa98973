// SPDX-License-Identifier: BSD-3-Clause
//
// See zip.h. The directory is found from the end of the file. Whatever it says is checked against
// the length of the file before it is used.
#include "base/mem.h"
#include "base/path.h"
#include "data/zip.h"
#include <string.h>
#include <sys/stat.h>

enum {
  LONGEST_COMMENT = UINT16_MAX,
  MOST_DIRECTORY = 64 * 1024 * 1024,
};

static uint64_t number(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
  return value;
}

static plait_err damaged(const char *path, const char *what) {
  return plait_fail(PLAIT_INPUT, "%s: damaged or truncated archive: %s", path, what);
}

// ---- where the directory is ----
typedef struct place {
  uint64_t at, bytes, n;
} place;

static plait_err find_place64(int fd, const char *path, int64_t end, place *to) {
  unsigned char locator[PL_ZIP_LOCATOR], record[PL_ZIP_END64];
  if (end < PL_ZIP_LOCATOR + PL_ZIP_END64) return PLAIT_OK;
  TRY(pl_pread_all(fd, locator, PL_ZIP_LOCATOR, end - PL_ZIP_LOCATOR, path));
  if (memcmp(locator, "PK\x06\x07", 4) != 0) return PLAIT_OK;
  uint64_t at = number(locator + 8, 8);
  if (at > (uint64_t)(end - PL_ZIP_LOCATOR - PL_ZIP_END64))
    return damaged(path, "its end is not where it says");
  TRY(pl_pread_all(fd, record, PL_ZIP_END64, (off_t)at, path));
  if (memcmp(record, "PK\x06\x06", 4) != 0) return damaged(path, "no record of its end");
  *to = (place){number(record + 48, 8), number(record + 40, 8), number(record + 32, 8)};
  return PLAIT_OK;
}

static plait_err find_place(int fd, const char *path, int64_t size, place *to) {
  plait_err err = PLAIT_OK;
  unsigned char *tail = NULL;
  int64_t n = size < PL_ZIP_END + LONGEST_COMMENT ? size : PL_ZIP_END + LONGEST_COMMENT,
          i = n - PL_ZIP_END;
  if (i < 0) return damaged(path, "too short");
  TRY(pl_alloc((size_t)n, 1, &tail));
  GUARD(pl_pread_all(fd, tail, (size_t)n, size - n, path));
  while (i >= 0 && !(memcmp(tail + i, "PK\x05\x06", 4) == 0 &&
                     i + PL_ZIP_END + (int64_t)number(tail + i + 20, 2) == n))
    i--;
  if (i < 0) GUARD(damaged(path, "it has no directory at its end"));
  *to = (place){number(tail + i + 16, 4), number(tail + i + 12, 4), number(tail + i + 10, 2)};
  GUARD(find_place64(fd, path, size - n + i, to));
  if (to->bytes > MOST_DIRECTORY || to->bytes > (uint64_t)size ||
      to->at > (uint64_t)size - to->bytes || to->n > to->bytes / PL_ZIP_CENTRAL)
    err = damaged(path, "its directory is not where it says");
done:
  pl_free(&tail);
  return err;
}

// ---- members ----

// The numbers that did not fit their 32 bits stand in a block of their own, in this order.
static void read_zip64(const unsigned char *extra, size_t bytes, uint64_t *const wide[3]) {
  for (size_t at = 0; at + 4 <= bytes;) {
    size_t id = number(extra + at, 2), n = number(extra + at + 2, 2), from = at + 4;
    at = from + n;
    if (id != 1 || at > bytes) continue;
    for (int i = 0; i < 3; i++) {
      if (*wide[i] != UINT32_MAX || from + 8 > at) continue;
      *wide[i] = number(extra + from, 8);
      from += 8;
    }
  }
}

static plait_err find_content(int fd, const char *path, int64_t limit, pl_zip_member *m) {
  unsigned char local[PL_ZIP_LOCAL];
  if (m->header > limit - PL_ZIP_LOCAL) return damaged(path, "a member is not where it says");
  TRY(pl_pread_all(fd, local, PL_ZIP_LOCAL, m->header, path));
  if (memcmp(local, "PK\x03\x04", 4) != 0) return damaged(path, "a member has no header");
  m->begin =
      m->header + PL_ZIP_LOCAL + (int64_t)number(local + 26, 2) + (int64_t)number(local + 28, 2);
  if (m->begin > limit || m->bytes > limit - m->begin)
    return damaged(path, "a member is longer than the file");
  return PLAIT_OK;
}

// *used: bytes of the entry.
static plait_err read_entry(int fd, const char *path, const unsigned char *at, size_t bytes,
                            pl_zip *zip, size_t *used) {
  if (bytes < PL_ZIP_CENTRAL || memcmp(at, "PK\x01\x02", 4) != 0)
    return damaged(path, "its directory is damaged");
  size_t name = number(at + 28, 2), extra = number(at + 30, 2);
  *used = PL_ZIP_CENTRAL + name + extra + number(at + 32, 2);
  if (*used > bytes) return damaged(path, "its directory is damaged");
  uint64_t whole = number(at + 24, 4), stored = number(at + 20, 4), header = number(at + 42, 4);
  read_zip64(at + PL_ZIP_CENTRAL + name, extra, (uint64_t *const[]){&whole, &stored, &header});
  if (stored > INT64_MAX / 2 || header > INT64_MAX / 2)
    return damaged(path, "a member is absurdly long");
  pl_zip_member m = {.header = (int64_t)header,
                     .bytes = (int64_t)stored,
                     .method = (int)number(at + 10, 2),
                     .encrypted = number(at + 8, 2) & 1};
  TRY(find_content(fd, path, zip->directory, &m));
  TRY(pl_calloc(name + 1, 1, &m.name));
  memcpy(m.name, at + PL_ZIP_CENTRAL, name);
  zip->at[zip->n++] = m;
  return PLAIT_OK;
}

plait_err pl_zip_read(int fd, const char *path, pl_zip *zip) {
  plait_err err = PLAIT_OK;
  unsigned char *directory = NULL;
  struct stat file;
  place where = {0};
  *zip = (pl_zip){0};
  if (fstat(fd, &file) != 0) return pl_fail_errno(PLAIT_INPUT, "cannot read", path);
  GUARD(find_place(fd, path, file.st_size, &where));
  zip->directory = (int64_t)where.at;
  zip->end = file.st_size;
  GUARD(pl_calloc(where.n + 1, sizeof *zip->at, &zip->at));
  GUARD(pl_alloc(where.bytes + 1, 1, &directory));
  GUARD(pl_pread_all(fd, directory, where.bytes, zip->directory, path));
  for (size_t at = 0, used = 0, i = 0; i < where.n; i++, at += used)
    GUARD(read_entry(fd, path, directory + at, where.bytes - at, zip, &used));
done:
  pl_free(&directory);
  if (err != PLAIT_OK) pl_zip_free(zip);
  return err;
}
