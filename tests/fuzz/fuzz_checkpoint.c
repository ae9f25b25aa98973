// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzzes the reader of checkpoints. The bytes are made into a file whose checksums are right, as
// the fuzzer never would: they say how many arrays and parts there are, what the table holds of
// them, and the state behind the head; with the first bit set the whole file is the bytes as they
// are. Whatever they say, opening finds a state whose arrays can be read, or refuses.
#include "base/err.h"
#include "base/hash.h"
#include "engine/checkpoint_file.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
  const uint8_t *at;
  size_t left;
} bytes;

static void check(bool fine) {
  if (!fine) abort();
}

static void take(bytes *from, void *to, size_t n) {
  size_t got = n < from->left ? n : from->left;
  memset(to, 0, n);
  memcpy(to, from->at, got);
  from->at += got;
  from->left -= got;
}

static int64_t number(bytes *from, int width) { // signed, of `width` bytes
  int64_t x = 0;
  take(from, &x, (size_t)width);
  return width == 1 ? (int8_t)x : x;
}

static void make_arrays(bytes *from, pl_checkpoint_what *what) {
  for (int i = 0; i < what->narrays; i++) {
    pl_checkpoint_array *a = &what->array[i];
    take(from, a->name, 2);
    a->cell = number(from, 1);
    a->ndim = number(from, 1);
    int width = a->ndim > 3 ? 8 : 1;
    for (int d = 0; d < PLAIT_DIMS; d++)
      if (d < a->ndim || width == 8) a->shape[d] = number(from, width);
  }
}

static void make_part(bytes *from, pl_checkpoint_part *part) {
  part->array = number(from, 1);
  for (int d = 0; d < 3; d++) {
    part->lo[d] = number(from, 1);
    part->n[d] = number(from, 1);
  }
  take(from, &part->hash, 8);
}

// What pl_checkpoint_offset may be asked about.
static bool has_offsets(const pl_checkpoint_what *what) {
  bool sane = true;
  for (int i = 0; i < what->narrays; i++)
    sane = sane && what->array[i].ndim <= PLAIT_DIMS && what->array[i].cell > 0;
  return sane;
}

static bool is_inside(const pl_checkpoint_what *what, const pl_checkpoint_part *part) {
  if (!has_offsets(what)) return false;
  if (part->array < 0 || part->array >= what->narrays) return false;
  const pl_checkpoint_array *a = &what->array[part->array];
  bool inside = a->ndim >= 0 && a->ndim <= 3 && a->cell > 0 && a->cell <= 8;
  for (int d = 0; inside && d < a->ndim; d++)
    inside = part->lo[d] >= 0 && part->n[d] > 0 && part->lo[d] + part->n[d] <= a->shape[d];
  return inside;
}

// The right checksum of a part, row by row, of what the file holds there.
static uint64_t hash_part(const pl_checkpoint_what *what, const pl_checkpoint_part *part, int fd) {
  const pl_checkpoint_array *a = &what->array[part->array];
  int64_t last = a->ndim > 0 ? part->n[a->ndim - 1] : 1, rows = 1;
  uint64_t hash = 0;
  char row[128 * 8];
  for (int d = 0; d < a->ndim - 1; d++) rows *= part->n[d];
  for (int64_t r = 0; r < rows; r++) {
    int64_t rest = r, index[3] = {0}, at = 0;
    for (int64_t d = a->ndim - 2; d >= 0; d--) {
      index[d] = rest % part->n[d];
      rest /= part->n[d];
    }
    for (int d = 0; d < a->ndim; d++) at = at * a->shape[d] + part->lo[d] + index[d];
    at = pl_checkpoint_offset(what, (int)part->array) + at * a->cell;
    memset(row, 0, sizeof row);
    (void)!pread(fd, row, (size_t)(last * a->cell), at); // sizes of other arrays may put it nowhere
    hash = pl_hash(row, (size_t)(last * a->cell), hash);
  }
  return hash;
}

// identity, extra and parts behind the arrays.
static void put_checkpoint(int fd, bytes *from) {
  static const char identity[] = "version of kernel heat: 1\n";
  static pl_checkpoint_what what;
  char table[1 << 16], *end = table, state[64];
  pl_checkpoint_head head = {.magic = PL_CHECKPOINT_MAGIC, .identity_bytes = sizeof identity};
  what = (pl_checkpoint_what){.narrays = number(from, 1) & 7};
  head.narrays = what.narrays;
  head.nparts = number(from, 1) & 15;
  head.extra_bytes = number(from, 1) & 31;
  head.serial = number(from, 1);
  head.step = number(from, 8);
  make_arrays(from, &what);
  memcpy(end, what.array, (size_t)what.narrays * sizeof what.array[0]);
  end += (size_t)what.narrays * sizeof what.array[0];
  memcpy(end, identity, sizeof identity);
  end += sizeof identity;
  take(from, end, (size_t)head.extra_bytes);
  end += head.extra_bytes;
  take(from, state, sizeof state);
  check(pwrite(fd, state, sizeof state, PL_CHECKPOINT_PAGE) == (ssize_t)sizeof state);
  for (int64_t i = 0; i < head.nparts; i++) {
    pl_checkpoint_part part = {0};
    make_part(from, &part);
    if (part.hash % 4 && is_inside(&what, &part)) part.hash = hash_part(&what, &part, fd);
    memcpy(end, &part, sizeof part);
    end += sizeof part;
  }
  int64_t at = has_offsets(&what) ? pl_checkpoint_offset(&what, (int)what.narrays) : 0;
  head.table = at > 0 && at < 1 << 20 ? at : PL_CHECKPOINT_PAGE;
  head.table_hash = pl_hash(table, (size_t)(end - table), 0);
  head.hash = pl_checkpoint_head_hash(&head);
  check(pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head);
  check(pwrite(fd, table, (size_t)(end - table), head.table) == end - table);
}

static void put_file(const char *path, bytes *from) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0);
  if (number(from, 1) & 1)
    check(write(fd, from->at, from->left) == (ssize_t)from->left);
  else
    put_checkpoint(fd, from);
  close(fd);
}

static void read_all(const pl_checkpoints *store) {
  const pl_checkpoint_what *what = pl_checkpoints_found(store);
  check(what->narrays > 0 && what->narrays <= PL_CHECKPOINT_ARRAYS);
  for (int i = 0; i < what->narrays; i++) {
    const pl_checkpoint_array *a = &what->array[i];
    pl_box box = {.ndim = (int)a->ndim};
    ptrdiff_t stride[PLAIT_DIMS] = {0}, cells = 1;
    for (int d = box.ndim - 1; d >= 0; d--) {
      box.n[d] = a->shape[d];
      stride[d] = cells;
      cells *= a->shape[d];
    }
    void *room = malloc((size_t)(cells * a->cell));
    check(room && pl_checkpoints_read(store, i, &box, room, stride) == PLAIT_OK);
    free(room);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char output[64], path[80];
  static pl_comm *comm;
  pl_checkpoints_seen seen;
  pl_checkpoints *store = NULL;
  bytes from = {data, size};
  bool found = false;
  if (!output[0]) {
    snprintf(output, sizeof output, "/tmp/plait-fuzz-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s.checkpoint0", output);
    check(pl_comm_start(false, 1, &comm) == PLAIT_OK);
  }
  put_file(path, &from);
  check(pl_checkpoints_scan(output, &seen) == PLAIT_OK);
  for (int64_t i = 0; seen.file[0].good && i < seen.file[0].head.nparts; i++)
    check(pl_checkpoint_part_of(&seen.file[0], i).array < seen.file[0].what.narrays);
  pl_checkpoints_seen_free(&seen);
  plait_err err =
      pl_checkpoints_open(comm, output, "version of kernel heat: 1\n", false, &store, &found, NULL);
  check(err == PLAIT_OK || err == PLAIT_OUTPUT);
  if (found) read_all(store);
  pl_checkpoints_close(&store);
  unlink(path);
  return 0;
}
