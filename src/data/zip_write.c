// SPDX-License-Identifier: BSD-3-Clause
//
// See zip.h. Dates are the earliest that there are and the extra room in front of a content is
// zeros, so that the same arrays give the same bytes.
#include "base/mem.h"
#include "base/path.h"
#include "data/zip.h"
#include <libdeflate.h>
#include <string.h>

enum {
  ZIP64 = 20,     // the block with sizes of 64 bits in a local header
  PADDING = 6,    // head of the block that fills it up
  CENTRAL64 = 28, // the block with sizes of 64 bits in an entry of the directory
  CHECK_IN_LOCAL = 14,
  CHECK_IN_CENTRAL = 16,
  VERSION = 45, // that knows zip64
  UNIX = 3 << 8,
  EARLIEST = 0x21,    // 1 January 1980
  ALIGNMENT = 0xd935, // id of the block that fills up (as zipalign writes it)
  PIECE = 1024 * 1024,
};

// ---- numbers, least significant byte first ----
typedef struct pen {
  unsigned char *at;
  size_t n;
} pen;

static void put(pen *p, int bytes, uint64_t value) {
  for (int i = 0; i < bytes; i++) p->at[p->n++] = (unsigned char)(value >> 8 * i);
}

static void put_text(pen *p, const char *text) {
  size_t n = strlen(text);
  memcpy(p->at + p->n, text, n);
  p->n += n;
}

// ---- plan ----
void pl_zip_free(pl_zip *zip) {
  for (int64_t i = 0; i < zip->n; i++) pl_free(&zip->at[i].name);
  pl_free(&zip->at);
  *zip = (pl_zip){0};
}

static int64_t entry_bytes(const pl_zip_member *m) {
  return PL_ZIP_CENTRAL + (int64_t)strlen(m->name) + CENTRAL64;
}

plait_err pl_zip_plan(pl_zip *zip, const char *name, int64_t bytes, int64_t head, int64_t align) {
  const pl_zip_member *last = zip->n > 0 ? &zip->at[zip->n - 1] : NULL;
  pl_zip_member m = {.bytes = bytes, .header = last ? last->begin + last->bytes : 0};
  int64_t least = m.header + PL_ZIP_LOCAL + (int64_t)strlen(name) + ZIP64 + PADDING;
  m.begin = (least + head + align - 1) / align * align - head;
  TRY(pl_grow(&zip->at, (size_t)zip->n, (size_t)zip->n + 1, sizeof *zip->at));
  TRY(pl_strdup(name, &m.name));
  zip->at[zip->n++] = m;
  if (__builtin_add_overflow(m.begin, bytes, &zip->directory))
    return plait_fail(PLAIT_OUTPUT, "%s: more than 2^63 bytes", name);
  zip->end = zip->directory + PL_ZIP_END64 + PL_ZIP_LOCATOR + PL_ZIP_END;
  for (int64_t i = 0; i < zip->n; i++) zip->end += entry_bytes(&zip->at[i]);
  return PLAIT_OK;
}

// ---- write ----
static plait_err write_local(int fd, const char *path, const pl_zip_member *m) {
  pen p = {0};
  size_t name = strlen(m->name), all = (size_t)(m->begin - m->header);
  plait_err err = PLAIT_OK;
  TRY(pl_calloc(all, 1, &p.at));
  put_text(&p, "PK\x03\x04");
  put(&p, 2, VERSION);
  put(&p, 4, 0); // flags, method: stored
  put(&p, 2, 0);
  put(&p, 2, EARLIEST);
  put(&p, 4, 0);          // checksum
  put(&p, 8, UINT64_MAX); // sizes: in the block
  put(&p, 2, name);
  put(&p, 2, all - PL_ZIP_LOCAL - name);
  put_text(&p, m->name);
  put(&p, 2, 1);
  put(&p, 2, 16);
  put(&p, 8, (uint64_t)m->bytes);
  put(&p, 8, (uint64_t)m->bytes);
  put(&p, 2, ALIGNMENT);
  put(&p, 2, all - p.n - 2);
  err = pl_pwrite_all(fd, p.at, all, m->header, path);
  pl_free(&p.at);
  return err;
}

static void put_entry(pen *p, const pl_zip_member *m) {
  put_text(p, "PK\x01\x02");
  put(p, 2, UNIX | VERSION);
  put(p, 2, VERSION);
  put(p, 4, 0);
  put(p, 2, 0);
  put(p, 2, EARLIEST);
  put(p, 4, 0);
  put(p, 8, UINT64_MAX);
  put(p, 2, strlen(m->name));
  put(p, 2, CENTRAL64);
  put(p, 6, 0); // comment, disk, kind of content
  put(p, 4, (uint64_t)0100644 << 16);
  put(p, 4, UINT32_MAX);
  put_text(p, m->name);
  put(p, 2, 1);
  put(p, 2, CENTRAL64 - 4);
  put(p, 8, (uint64_t)m->bytes);
  put(p, 8, (uint64_t)m->bytes);
  put(p, 8, (uint64_t)m->header);
}

static void put_end(pen *p, const pl_zip *zip, uint64_t bytes) {
  uint64_t n = (uint64_t)zip->n, at = (uint64_t)zip->directory;
  put_text(p, "PK\x06\x06");
  put(p, 8, PL_ZIP_END64 - 12);
  put(p, 2, UNIX | VERSION);
  put(p, 2, VERSION);
  put(p, 8, 0); // disks
  put(p, 8, n);
  put(p, 8, n);
  put(p, 8, bytes);
  put(p, 8, at);
  put_text(p, "PK\x06\x07");
  put(p, 4, 0);
  put(p, 8, at + bytes);
  put(p, 4, 1);
  put_text(p, "PK\x05\x06");
  put(p, 4, 0);
  put(p, 2, n < UINT16_MAX ? n : UINT16_MAX);
  put(p, 2, n < UINT16_MAX ? n : UINT16_MAX);
  put(p, 4, bytes < UINT32_MAX ? bytes : UINT32_MAX);
  put(p, 4, UINT32_MAX);
  put(p, 2, 0);
}

plait_err pl_zip_write(int fd, const char *path, pl_zip *zip) {
  pen p = {0};
  size_t all = (size_t)(zip->end - zip->directory);
  for (int64_t i = 0; i < zip->n; i++) TRY(write_local(fd, path, &zip->at[i]));
  TRY(pl_calloc(all, 1, &p.at));
  for (int64_t i = 0; i < zip->n; i++) put_entry(&p, &zip->at[i]);
  put_end(&p, zip, p.n);
  plait_err err = pl_pwrite_all(fd, p.at, all, zip->directory, path);
  pl_free(&p.at);
  return err;
}

// ---- checksums ----
static plait_err make_check(int fd, const char *path, const pl_zip_member *m, void *room,
                            uint32_t *check) {
  *check = 0;
  for (int64_t done = 0; done < m->bytes; done += PIECE) {
    size_t n = (size_t)(m->bytes - done < PIECE ? m->bytes - done : PIECE);
    TRY(pl_pread_all(fd, room, n, m->begin + done, path));
    *check = libdeflate_crc32(*check, room, n);
  }
  return PLAIT_OK;
}

static plait_err put_check(int fd, const char *path, uint32_t check, int64_t at) {
  unsigned char bytes[4];
  pen p = {.at = bytes};
  put(&p, 4, check);
  return pl_pwrite_all(fd, bytes, 4, at, path);
}

plait_err pl_zip_seal(int fd, const char *path, const pl_zip *zip, bool zeros) {
  plait_err err = PLAIT_OK;
  int64_t entry = zip->directory;
  void *room = NULL;
  TRY(pl_alloc(PIECE, 1, &room));
  for (int64_t i = 0; i < zip->n; i++) {
    const pl_zip_member *m = &zip->at[i];
    uint32_t check = 0;
    if (!zeros) GUARD(make_check(fd, path, m, room, &check));
    GUARD(put_check(fd, path, check, m->header + CHECK_IN_LOCAL));
    GUARD(put_check(fd, path, check, entry + CHECK_IN_CENTRAL));
    entry += entry_bytes(m);
  }
done:
  pl_free(&room);
  return err;
}
