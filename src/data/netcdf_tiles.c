// SPDX-License-Identifier: BSD-3-Clause
//
// Tiles that a box meets, their rows, and the straight road: values that lie in the file as they
// are. One preadv for the part of a tile that the box needs (rawio.h); records of a classic file,
// which are interleaved with those of other variables, are read as rows of one wide array where
// that is possible, so that many small records take few calls.
#include "data/netcdf.h"
#include <string.h>

pl_tiles pl_tiles_of(const pl_netcdf *nc, const pl_box *box) {
  pl_tiles t = {.total = 1};
  for (int d = 0; d < box->ndim; d++) {
    t.first[d] = box->lo[d] / nc->tile[d];
    t.n[d] = (box->lo[d] + box->n[d] - 1) / nc->tile[d] - t.first[d] + 1;
    t.total *= t.n[d];
  }
  return t;
}

pl_tile pl_tile_at(const pl_netcdf *nc, const pl_tiles *tiles, const pl_box *box, int64_t i) {
  pl_tile t = {.whole.ndim = box->ndim};
  int64_t weight = 1;
  for (int d = box->ndim - 1; d >= 0; d--) {
    int64_t k = tiles->first[d] + i % tiles->n[d];
    i /= tiles->n[d];
    t.index += k * weight;
    weight *= nc->count[d];
    t.whole.lo[d] = k * nc->tile[d];
    t.whole.n[d] = nc->tile[d];
  }
  pl_box_meet(&t.whole, box, &t.common);
  return t;
}

pl_tile_rows pl_tile_rows_of(const pl_tile *tile, const plait_block *to) {
  pl_tile_rows r = {.axes = to->ndim, .total = 1, .length = 1};
  bool dense = true;
  while (r.axes > 0 && dense) {
    int d = --r.axes;
    r.length *= tile->common.n[d];
    dense = d > 0 && tile->common.n[d] == tile->whole.n[d] && to->stride[d - 1] == r.length;
  }
  for (int d = 0; d < r.axes; d++) r.total *= tile->common.n[d];
  return r;
}

pl_tile_row pl_tile_row_at(const pl_tile_rows *rows, const pl_tile *tile, const pl_box *box,
                           const plait_block *to, int64_t i) {
  pl_tile_row row = {0};
  int64_t weight = 1;
  for (int d = to->ndim - 1; d >= 0; d--) {
    int64_t k = tile->common.lo[d];
    if (d < rows->axes) {
      k += i % tile->common.n[d];
      i /= tile->common.n[d];
    }
    row.in_tile += (k - tile->whole.lo[d]) * weight;
    row.in_block += (k - box->lo[d]) * to->stride[d];
    weight *= tile->whole.n[d];
  }
  return row;
}

// Copies the fill value doubling: no loop over types.
static void fill_row(const pl_netcdf *nc, char *to, size_t n) {
  size_t bytes = n * nc->size, done = nc->size;
  memcpy(to, nc->fill, nc->size);
  for (; done < bytes; done *= 2) memcpy(to + done, to, done < bytes - done ? done : bytes - done);
}

static void fill_tile(const pl_netcdf *nc, const pl_tile *tile, const pl_box *box,
                      const plait_block *to) {
  pl_tile_rows rows = pl_tile_rows_of(tile, to);
  for (int64_t i = 0; i < rows.total; i++) {
    pl_tile_row row = pl_tile_row_at(&rows, tile, box, to, i);
    fill_row(nc, (char *)to->data + row.in_block * (ptrdiff_t)nc->size, (size_t)rows.length);
  }
}

static plait_err read_tile(const pl_netcdf *nc, const char *path, const pl_tile *tile,
                           const pl_box *box, const plait_block *to, int64_t address) {
  pl_raw raw = {.fd = nc->fd, .path = path, .offset = address, .ndim = box->ndim, .size = nc->size};
  pl_box part = tile->common;
  ptrdiff_t begin = 0;
  for (int d = 0; d < box->ndim; d++) {
    raw.shape[d] = nc->tile[d];
    part.lo[d] -= tile->whole.lo[d];
    begin += (ptrdiff_t)(tile->common.lo[d] - box->lo[d]) * to->stride[d];
  }
  return pl_raw_read(&raw, &part, (char *)to->data + begin * (ptrdiff_t)nc->size, to->stride);
}

// Records as rows of an array [records, step / size]: when what the box wants of a record is one
// run, in the file and in memory, and records begin at whole values.
static bool wide(const pl_netcdf *nc, const char *path, const pl_box *box, const plait_block *to,
                 pl_raw *raw, pl_box *rows) {
  int64_t first = 0, run = 1, weight = 1;
  bool whole = true;
  if (nc->step == 0 || nc->step % (int64_t)nc->size != 0) return false;
  for (int d = box->ndim - 1; d > 0; d--) {
    if (box->n[d] > 1 && (!whole || to->stride[d] != run)) return false;
    first += box->lo[d] * weight;
    run *= box->n[d];
    weight *= nc->tile[d];
    whole = whole && box->n[d] == nc->tile[d];
  }
  int64_t values = nc->step / (int64_t)nc->size;
  *raw = (pl_raw){nc->fd, path, nc->begin, 2, {nc->count[0], values}, nc->size};
  *rows = (pl_box){2, {box->lo[0], first}, {box->n[0], run}};
  return true;
}

plait_err pl_tiles_fetch(pl_netcdf *nc, const char *path, const pl_box *box,
                         const plait_block *to) {
  pl_raw raw;
  pl_box rows;
  if (wide(nc, path, box, to, &raw, &rows))
    return pl_raw_read(&raw, &rows, to->data, (ptrdiff_t[]){to->stride[0], 1});
  pl_tiles tiles = pl_tiles_of(nc, box);
  for (int64_t i = 0; i < tiles.total; i++) {
    pl_tile tile = pl_tile_at(nc, &tiles, box, i);
    int64_t address = nc->begin + tile.index * nc->step;
    if (nc->address != NULL) TRY(pl_hdf5_address(nc, path, tile.index, tile.whole.lo, &address));
    if (address < 0)
      fill_tile(nc, &tile, box, to);
    else
      TRY(read_tile(nc, path, &tile, box, to, address));
  }
  return PLAIT_OK;
}
