// SPDX-License-Identifier: BSD-3-Clause
//
// Chunks that went through filters (or whose rows are too short for preadv). fetch (reader strand)
// brings the stored bytes of every chunk that the box meets, unchanged; decode (team) undoes the
// filters, one chunk a thread, and puts the wanted rows where they go, converted on the way. No
// chunk is kept: blocks are cut on chunk borders, so each is inflated once, except under halos.
//
// raw: a table with one entry per chunk, then the stored chunks. It has room for as many chunks as
// a box on chunk borders meets. A box across borders meets more; those that find no room are undone
// at once by the reader strand: slower, never wrong, and memory stays bounded by what raw_bytes
// said.
#include "data/netcdf.h"
#include "base/mem.h"
#include "base/path.h"
#include <stdio.h>
#include <string.h>

#define MEASURE_AT_MOST 65536 // chunks; looking one up takes 0.2 to 1 us
#define ALIGN           16

typedef enum entry_state { STORED, NEVER_WRITTEN, DONE } entry_state;

typedef struct chunk_entry {
  uint64_t at;    // bytes from the first chunk
  uint32_t bytes; // stored
  uint32_t mask;  // filters that were skipped
  entry_state state;
} chunk_entry;

static size_t aligned(size_t bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

// The largest stored chunk; where there are too many to look at, twice the mean.
plait_err pl_chunks_start(pl_netcdf *nc, const char *path, int ndim) {
  size_t bound = pl_filters_bound(&nc->filters);
  pl_unfilter_pool_start(&nc->pool, &nc->filters);
  nc->stored = (size_t)(H5Dget_storage_size(nc->data) / (hsize_t)nc->ntiles * 2);
  if (nc->stored > bound) nc->stored = bound;
  if (nc->address != NULL) nc->stored = nc->filters.bytes;
  if (nc->address != NULL || nc->ntiles > MEASURE_AT_MOST) return PLAIT_OK;
  pl_box all = {.ndim = ndim};
  for (int d = 0; d < ndim; d++) all.n[d] = nc->count[d] * nc->tile[d];
  pl_tiles tiles = pl_tiles_of(nc, &all);
  nc->stored = 0;
  for (int64_t i = 0; i < tiles.total; i++) {
    size_t bytes;
    pl_tile tile = pl_tile_at(nc, &tiles, &all, i);
    TRY(pl_hdf5_chunk_bytes(nc, path, tile.whole.lo, bound, &bytes));
    if (bytes > nc->stored) nc->stored = bytes;
  }
  return PLAIT_OK;
}

// The table, for the chunks of a box across borders, and the stored chunks of one on borders. Never
// less for a larger extent: raw is made for the largest box.
size_t pl_chunks_raw_bytes(const pl_netcdf *nc, int ndim, const int64_t extent[]) {
  size_t chunks = 1, met = 1;
  for (int d = 0; d < ndim; d++) {
    int64_t n = (extent[d] - 1) / nc->tile[d] + 1;
    chunks *= (size_t)(n < nc->count[d] ? n : nc->count[d]);
    met *= (size_t)(n + 1 < nc->count[d] ? n + 1 : nc->count[d]);
  }
  return aligned(met * sizeof(chunk_entry)) + chunks * aligned(nc->stored);
}

// ---- one chunk into the block ----

enum { PIECE_BYTES = 16 * 1024 }; // of a row, on the way through the cache

typedef struct source { // values of a chunk, or the fill value
  const unsigned char *values;
  bool shuffled;
  size_t total; // values of a chunk
} source;

static void put_row(const pl_netcdf *nc, const source *from, size_t first, size_t n, char *to) {
  const size_t in = nc->size, out = plait_type_size(nc->plain.type);
  _Alignas(64) unsigned char piece[PIECE_BYTES];
  if (!from->shuffled) {
    pl_decode_row(&nc->plain, from->values + first * in, to, n);
    return;
  }
  bool straight = pl_convert_in_place(&nc->woven), idle = pl_convert_idle(&nc->woven);
  for (size_t done = 0, most = PIECE_BYTES / in; done < n; done += most) {
    size_t now = n - done < most ? n - done : most;
    void *woven = straight ? (void *)(to + done * out) : piece;
    pl_unshuffle_row(from->values, from->total, first + done, now, in, nc->swap, woven);
    if (!idle) pl_decode_row(&nc->woven, woven, to + done * out, now);
  }
}

static void put(const pl_netcdf *nc, const source *from, const pl_tile *tile, const pl_box *box,
                const plait_block *to) {
  const size_t out = plait_type_size(nc->plain.type);
  pl_tile_rows rows = pl_tile_rows_of(tile, to);
  for (int64_t i = 0; i < rows.total; i++) {
    pl_tile_row row = pl_tile_row_at(&rows, tile, box, to, i);
    put_row(nc, from, (size_t)row.in_tile, (size_t)rows.length,
            (char *)to->data + row.in_block * (ptrdiff_t)out);
  }
}

static void put_fill(const pl_netcdf *nc, const pl_tile *tile, const pl_box *box,
                     const plait_block *to) {
  const size_t out = plait_type_size(nc->plain.type);
  _Alignas(8) unsigned char value[8];
  memcpy(value, nc->fill, sizeof value);
  pl_tile_rows rows = pl_tile_rows_of(tile, to);
  for (int64_t i = 0; i < rows.total; i++) {
    pl_tile_row row = pl_tile_row_at(&rows, tile, box, to, i);
    char *at = (char *)to->data + row.in_block * (ptrdiff_t)out;
    for (int64_t k = 0; k < rows.length; k++)
      pl_decode_row(&nc->plain, value, at + (size_t)k * out, 1);
  }
}

// PLAIT_OK, or PLAIT_MEMORY with a message, or PLAIT_INPUT with *wrong.
static plait_err undo(pl_netcdf *nc, const chunk_entry *entry, const unsigned char *stored,
                      const pl_tile *tile, const pl_box *box, const plait_block *to,
                      const char **wrong) {
  *wrong = NULL;
  if (entry->state == NEVER_WRITTEN) put_fill(nc, tile, box, to);
  if (entry->state != STORED) return PLAIT_OK;
  pl_unfilter *mine = NULL;
  if (nc->filters.n > 0) TRY(pl_unfilter_take(&nc->pool, &mine));
  source from = {.total = nc->filters.bytes / nc->size};
  *wrong = pl_unfilter_chunk(&nc->filters, entry->mask, mine, stored, entry->bytes, &from.values,
                             &from.shuffled);
  if (*wrong == NULL) put(nc, &from, tile, box, to);
  if (mine != NULL) pl_unfilter_give(&nc->pool, mine);
  return *wrong == NULL ? PLAIT_OK : PLAIT_INPUT;
}

// ---- fetch and decode ----

static void describe(const pl_tile *tile, char out[160]) {
  int n = 0;
  for (int d = 0; d < tile->whole.ndim && n < 140; d++)
    n += snprintf(out + n, 160 - (size_t)n, "%s%lld", d > 0 ? ", " : "",
                  (long long)tile->whole.lo[d]);
}

static plait_err damaged(const char *path, const pl_tile *tile, const char *wrong) {
  char where[160];
  describe(tile, where);
  return plait_fail(PLAIT_INPUT, "%s: the chunk at (%s) is damaged: %s", path, where, wrong);
}

// A chunk without filters whose address is kept. *there: false: never written.
static plait_err read_plain(pl_netcdf *nc, const char *path, const pl_tile *tile, void *to,
                            bool *there) {
  int64_t address;
  TRY(pl_hdf5_address(nc, path, tile->index, tile->whole.lo, &address));
  *there = address >= 0;
  return *there ? pl_pread_all(nc->fd, to, nc->filters.bytes, address, path) : PLAIT_OK;
}

static plait_err read_chunk(pl_netcdf *nc, const char *path, const pl_tile *tile, void *to,
                            uint32_t *mask, bool *there) {
  if (nc->address == NULL) return pl_hdf5_chunk(nc, path, tile->whole.lo, to, mask, there);
  *mask = 0;
  return read_plain(nc, path, tile, to, there);
}

static plait_err chunk_bytes(const pl_netcdf *nc, const char *path, const pl_tile *tile,
                             size_t *bytes) {
  *bytes = nc->filters.bytes;
  if (nc->address != NULL) return PLAIT_OK;
  return pl_hdf5_chunk_bytes(nc, path, tile->whole.lo, pl_filters_bound(&nc->filters), bytes);
}

// A chunk that raw has no room for.
static plait_err undo_now(pl_netcdf *nc, const char *path, const pl_tile *tile, const pl_box *box,
                          const plait_block *to, size_t bytes) {
  unsigned char *stored = NULL;
  const char *wrong = NULL;
  bool there = true;
  chunk_entry entry = {.bytes = (uint32_t)bytes, .state = STORED};
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc(bytes, 1, &stored));
  GUARD(read_chunk(nc, path, tile, stored, &entry.mask, &there));
  if (!there) entry.state = NEVER_WRITTEN;
  err = undo(nc, &entry, stored, tile, box, to, &wrong);
  if (wrong != NULL) err = damaged(path, tile, wrong);
done:
  pl_free(&stored);
  return err;
}

// Where the next chunk goes.
typedef struct free_room {
  unsigned char *chunks;
  size_t used, bytes;
} free_room;

static plait_err fetch_one(pl_netcdf *nc, const char *path, const pl_tile *tile, const pl_box *box,
                           const plait_block *to, free_room *room, chunk_entry *entry) {
  size_t bytes;
  bool there = false;
  TRY(chunk_bytes(nc, path, tile, &bytes));
  *entry = (chunk_entry){.at = room->used, .bytes = (uint32_t)bytes, .state = NEVER_WRITTEN};
  if (bytes == 0) return PLAIT_OK;
  if (bytes > room->bytes - room->used) {
    entry->state = DONE;
    return undo_now(nc, path, tile, box, to, bytes);
  }
  TRY(read_chunk(nc, path, tile, room->chunks + room->used, &entry->mask, &there));
  if (!there) return PLAIT_OK;
  entry->state = STORED;
  size_t left = room->bytes - room->used;
  room->used += aligned(bytes) < left ? aligned(bytes) : left;
  return PLAIT_OK;
}

plait_err pl_chunks_fetch(pl_netcdf *nc, const char *path, const pl_box *box, void *raw,
                          const plait_block *to) {
  const pl_tiles tiles = pl_tiles_of(nc, box);
  chunk_entry *table = raw;
  size_t begin = aligned((size_t)tiles.total * sizeof *table);
  free_room room = {(unsigned char *)raw + begin, 0,
                    pl_chunks_raw_bytes(nc, box->ndim, box->n) - begin};
  for (int64_t i = 0; i < tiles.total; i++) {
    pl_tile tile = pl_tile_at(nc, &tiles, box, i);
    TRY(fetch_one(nc, path, &tile, box, to, &room, &table[i]));
  }
  return PLAIT_OK;
}

void pl_chunks_decode(pl_netcdf *nc, const char *path, const pl_box *box, void *raw,
                      const plait_block *to, plait_raise *raise) {
  const pl_tiles tiles = pl_tiles_of(nc, box);
  const chunk_entry *table = raw;
  const unsigned char *chunks =
      (const unsigned char *)raw + aligned((size_t)tiles.total * sizeof *table);
#pragma omp for schedule(dynamic, 1)
  for (int64_t i = 0; i < tiles.total; i++) {
    pl_tile tile = pl_tile_at(nc, &tiles, box, i);
    const char *wrong;
    plait_err err = undo(nc, &table[i], chunks + table[i].at, &tile, box, to, &wrong);
    if (wrong != NULL) err = damaged(path, &tile, wrong);
    if (err != PLAIT_OK) pl_raise(raise, err, "%s", pl_message());
  }
}
