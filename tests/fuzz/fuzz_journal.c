// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzzes the reader of journals. The bytes are a list of records whose checksums this target makes
// right, as the fuzzer never would: two bytes of length and type, payload; type 0 stands for bytes
// that are taken as they are. Whatever they say, the scan gives a finding whose numbers are inside
// the file.
#include "engine/journal.h"
#include "engine/journal_format.h"
#include "base/err.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine) {
  if (!fine) abort();
}

static size_t front_of(uint32_t type) {
  return type == PL_RECORD_NODE ? sizeof(pl_record_node) : type == PL_RECORD_STATE ? 8 : 0;
}

static void put_record(int fd, uint32_t type, const uint8_t *payload, size_t n) {
  static const char zeros[8];
  pl_record head = {PL_JOURNAL_MAGIC, type, 4711, n, 0, 0};
  size_t front = front_of(type) < n ? front_of(type) : n;
  head.payload = pl_journal_hash(payload + front, n - front, pl_journal_hash(payload, front, 0));
  head.head = pl_record_hash(&head);
  check(write(fd, &head, sizeof head) == (ssize_t)sizeof head);
  check(write(fd, payload, n) == (ssize_t)n);
  check(write(fd, zeros, pl_record_padded(n) - n) >= 0);
}

static void put_file(const char *path, const uint8_t *data, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0);
  while (size >= 3) {
    uint32_t type = data[0] % 7;
    size_t n = data[1] | (size_t)data[2] << 8;
    data += 3, size -= 3;
    if (n > size) n = size;
    if (type == 0)
      check(write(fd, data, n) == (ssize_t)n);
    else if (type == 6) // on to the next page
      check(lseek(fd, (lseek(fd, 0, SEEK_CUR) / 4096 + 1) * 4096, SEEK_SET) > 0);
    else
      put_record(fd, type, data, n);
    data += n, size -= n;
  }
  close(fd);
}

static void check_found(const char *output, const pl_journal_found *found) {
  check(found->end >= 0 && found->damaged >= 0 && found->pass >= 0);
  for (int64_t i = 0; i < found->nruns; i++)
    check(found->runs[i].first >= 0 && found->runs[i].count > 0);
  for (int64_t i = 0; i < found->nnodes; i++) {
    const pl_journal_place *at = &found->nodes[i].at;
    check(at->bytes >= 0 && at->offset > 0 && at->offset + at->bytes <= found->file_bytes);
    void *room = malloc((size_t)at->bytes + 1);
    check(room && pl_journal_read(output, at, room) == PLAIT_OK);
    free(room);
  }
  if (found->readable) check(found->identity && found->cut.ndim <= PLAIT_DIMS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char output[64], path[80];
  pl_journal_found found;
  if (!output[0]) {
    snprintf(output, sizeof output, "/tmp/plait-fuzz-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s.journal", output);
  }
  put_file(path, data, size);
  check(pl_journal_scan(output, &found) == PLAIT_OK);
  check_found(output, &found);
  pl_journal_found_free(&found);
  unlink(path);
  return 0;
}
