// SPDX-License-Identifier: BSD-3-Clause
//
// How the bytes of a journal lie; shared by the writer (journal.c) and the reader (journal_scan.c).
//
// The file is a row of *segments*, each beginning on a page of 4 KiB, each a row of records. A
// record is a head, a payload, and zeros up to a multiple of 8. Head and payload have a checksum
// each (XXH3), and every head carries the number of the journal, so that nothing of another file,
// of an older journal or of a partial that happens to look like a record is taken for one. A reader
// that meets something else than a record goes on at the next page: one damaged segment loses only
// itself, and a page that was claimed and never written is zeros. Bytes are those of the machine; a
// machine of the other byte order does not know the magic number and refuses.
#ifndef PL_JOURNAL_FORMAT_H
#define PL_JOURNAL_FORMAT_H
#include "base/hash.h"
#include "plait.h"

#define PL_JOURNAL_PAGE    4096
#define PL_JOURNAL_MAGIC   0x6c4a7470u // "ptJl"
#define PL_JOURNAL_VERSION 1

typedef enum pl_record_type {
  PL_RECORD_HEADER = 1, // pl_journal_header, then the identity as text with its closing zero
  PL_RECORD_DONE,       // pl_journal_run[]
  PL_RECORD_NODE,       // pl_record_node, then the bytes of the partial
  PL_RECORD_STATE,      // int64_t pass, then the bytes of the state with which it begins
  PL_RECORD_COMPLETE,   // nothing: all is on disk, the rename comes next
  PL_RECORD_ROWS        // of a study: whole rows of its table
} pl_record_type;

typedef struct pl_record {
  uint32_t magic, type;
  uint64_t id;      // of the journal
  uint64_t bytes;   // of the payload
  uint64_t payload; // checksum
  uint64_t head;    // checksum of the head before this
} pl_record;

typedef struct pl_record_node {
  int64_t tile, index, level, pass;
} pl_record_node;

static inline size_t pl_record_padded(size_t bytes) {
  return (bytes + 7) / 8 * 8;
}
static inline int64_t pl_journal_page(int64_t bytes) {
  return (bytes + PL_JOURNAL_PAGE - 1) / PL_JOURNAL_PAGE * PL_JOURNAL_PAGE;
}
// Of a payload that may be longer than memory: in pieces of 1 MiB, each seeded with the one before.
#define PL_JOURNAL_PIECE ((size_t)1 << 20)
static inline uint64_t pl_journal_hash(const void *data, size_t bytes, uint64_t hash) {
  for (size_t done = 0; done < bytes; done += PL_JOURNAL_PIECE) {
    size_t n = bytes - done < PL_JOURNAL_PIECE ? bytes - done : PL_JOURNAL_PIECE;
    hash = pl_hash((const char *)data + done, n, hash);
  }
  return hash;
}
static inline uint64_t pl_record_hash(const pl_record *record) {
  return pl_hash(record, offsetof(pl_record, head), PL_JOURNAL_VERSION);
}
#endif
