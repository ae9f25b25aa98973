// SPDX-License-Identifier: BSD-3-Clause
//
// NetCDF inside src/data: what the netcdf_*.c files share. Metadata come from libnetcdf; bytes are
// read beside it, because it reads, inflates and copies in one thread under one lock.
//
// A stored array is a grid of *tiles*: the whole array (contiguous), one record (classic files with
// an unlimited axis, where records of all variables are interleaved), or one chunk (HDF5). Three
// roads lead from the file to a block:
//   STRAIGHT  tiles lie in the file as they are: preadv (rawio.h), into the block where the size
//   stays CHUNKS    tiles went through filters: fetch brings the stored chunks, the team inflates
//   them LIBRARY   anything else (szip, zstd, compact, external, virtual): nc_get_vara, one thread
#ifndef PL_NETCDF_H
#define PL_NETCDF_H
#include "data/convert.h"
#include "data/dataset.h"
#include "data/netcdf_library.h"
#include "data/rawio.h"
#include <pthread.h>

typedef enum pl_netcdf_road {
  PL_NETCDF_STRAIGHT,
  PL_NETCDF_CHUNKS,
  PL_NETCDF_LIBRARY
} pl_netcdf_road;

// ---- filters of a chunk: netcdf_filters.c ---------------------------------------------------
#define PL_NETCDF_FILTERS 4
typedef enum pl_filter { PL_FILTER_SHUFFLE, PL_FILTER_DEFLATE, PL_FILTER_FLETCHER } pl_filter;

typedef struct pl_filters { // in the order in which they were applied on writing
  int n;
  pl_filter kind[PL_NETCDF_FILTERS];
  size_t size;  // bytes of one value
  size_t bytes; // of the chunk, before any filter
} pl_filters;

// One thread's own: buffers of a chunk and the inflater. *owned* by the pool below.
typedef struct pl_unfilter {
  struct pl_unfilter *next;
  void *inflater;
  unsigned char *a, *b;
} pl_unfilter;

// Handed out to threads, created when first asked for: as many as threads ever decoded at once.
typedef struct pl_unfilter_pool {
  pthread_mutex_t lock;
  pl_unfilter *idle;
  size_t bytes; // of each buffer
  bool two;     // the second one is needed
} pl_unfilter_pool;
void pl_unfilter_pool_start(pl_unfilter_pool *pool, const pl_filters *filters);
void pl_unfilter_pool_stop(pl_unfilter_pool *pool);
plait_err pl_unfilter_take(pl_unfilter_pool *pool, pl_unfilter **mine); // PLAIT_MEMORY
void pl_unfilter_give(pl_unfilter_pool *pool, pl_unfilter *mine);

// Undoes the filters that `mask` (HDF5: bit i set: filter i was skipped) does not skip. *out points
// into `mine` or to `stored`: filters->bytes bytes. When the first filter is a shuffle it is left
// to pl_unshuffle_row (*shuffled): only the rows that are wanted are put together. NULL, or what is
// wrong. Threads: one per `mine`. Bits: same.
const char *pl_unfilter_chunk(const pl_filters *filters, uint32_t mask, pl_unfilter *mine,
                              const unsigned char *stored, size_t bytes, const unsigned char **out,
                              bool *shuffled);
// `n` values from value `first` on, of a shuffled chunk of `total` values.
// `reverse`: the bytes of each value in the opposite order, which costs nothing here.
void pl_unshuffle_row(const unsigned char *chunk, size_t total, size_t first, size_t n, size_t size,
                      bool reverse, void *out);
uint32_t pl_fletcher32(const unsigned char *data, size_t bytes); // as HDF5 computes it
// Stored bytes of a chunk, at most: deflate may grow what it cannot shrink.
size_t pl_filters_bound(const pl_filters *filters);

// ---- classic files: netcdf_classic.c --------------------------------------------------------
typedef struct pl_classic_var {
  nc_type type;
  int ndim;
  int64_t length[PLAIT_DIMS]; // of the record axis: number of records
  bool record;                // the first axis is the record axis
  int64_t begin;              // byte of the first value
  int64_t record_bytes;       // from one record to the next
} pl_classic_var;
// Every count and length of the header against the file: libnetcdf 4.9 crashes on some that are
// absurd. PLAIT_OK for a file that is not classic.
plait_err pl_classic_check(int fd, const char *path);
// Finds `name` in the header of a CDF-1, CDF-2 or CDF-5 file. PLAIT_INPUT: damaged, or not there.
plait_err pl_classic_find(int fd, const char *path, const char *name, pl_classic_var *var);

// ---- state of an open dataset ---------------------------------------------------------------
typedef struct pl_netcdf {
  pl_netcdf_road road;
  int fd;           // -1: not open
  size_t size;      // bytes of a stored value
  bool swap;        // stored in the other byte order
  pl_convert plain; // conversion of values as they are stored
  pl_convert woven; // of values that pl_unshuffle_row put together in this machine's order
  int64_t tile[PLAIT_DIMS], count[PLAIT_DIMS]; // extent of a tile; tiles along each axis
  int64_t ntiles;
  int64_t begin, step;   // address of tile t is begin + t * step, unless looked up (HDF5)
  pl_raw whole;          // the same of an array in one tile
  unsigned char fill[8]; // stored bytes of the fill value: tiles that were never written
  hid_t file, data;      // -1: not open. CHUNKS, and STRAIGHT over chunks
  int64_t *address;      // of chunks that were looked up: -1 never written, -2 not looked up yet
  pl_filters filters;
  size_t stored; // CHUNKS: bytes of a stored chunk that raw has room for
  pl_unfilter_pool pool;
  int ncid, grpid, varid; // ncid -1: not open. LIBRARY
} pl_netcdf;

// What was found in a file before the road is chosen.
typedef struct pl_netcdf_var {
  int ncid, grpid, varid;
  int format;                 // NC_FORMAT_*
  char path[NC_MAX_NAME * 4]; // within the file: "/group/name"
  nc_type type;
  int ndim;
  int dimid[PLAIT_DIMS];
} pl_netcdf_var;

// netcdf_find.c
plait_err pl_netcdf_open_file(const char *path, int *ncid); // NC_NOWRITE; quiet; no file locks
plait_err pl_netcdf_find(const char *path, int ncid, const char *variable, pl_netcdf_var *var);
bool pl_netcdf_has_word(const char *text, const char *word); // of words between blanks
plait_err pl_netcdf_list(const char *path, char ***names);
plait_err pl_netcdf_list_scalars(const char *path, char ***names);
// netcdf_scalar.c
plait_err pl_netcdf_scalar(const char *path, const char *variable, pl_scalar *scalar);
plait_err pl_netcdf_error(plait_err code, const char *path, const char *doing, int status);
// netcdf_attrs.c
bool pl_netcdf_type(nc_type type, plait_type *out); // false: text, strings, user's types
nc_type pl_netcdf_nc_type(plait_type type);
plait_err pl_netcdf_attrs(int grpid, int varid, pl_attrs *attrs); // all of them
// netcdf_meta.c, netcdf_coords.c
plait_err pl_netcdf_meta(const char *path, const pl_netcdf_var *var, pl_meta *meta);
plait_err pl_netcdf_coords(const char *path, const pl_netcdf_var *var, pl_meta *meta);

// ---- HDF5: netcdf_hdf5.c --------------------------------------------------------------------
// libhdf5 is not thread-safe: one strand at a time. `at`: first cell of a chunk.
// PLAIT_INPUT when the file is shorter than its superblock says. PLAIT_OK for what is not HDF5.
plait_err pl_hdf5_check_end(int fd, const char *path);
// Chooses the road of a NetCDF-4 variable, opens what it needs. PLAIT_OK and LIBRARY, with a note,
// when it is stored in a way that plait does not read itself. PLAIT_INPUT: truncated.
plait_err pl_hdf5_road(const char *path, const char *name, pl_meta *meta, pl_netcdf *nc);
// Where a plain chunk lies in the file; -1: never written. PLAIT_INPUT: damaged.
plait_err pl_hdf5_address(pl_netcdf *nc, const char *path, int64_t tile, const int64_t at[],
                          int64_t *address);
// Bytes of a stored chunk; 0: never written (but without filters libhdf5 says the full size of any
// chunk). PLAIT_INPUT when over `most`.
plait_err pl_hdf5_chunk_bytes(const pl_netcdf *nc, const char *path, const int64_t at[],
                              size_t most, size_t *bytes);
// Reads a stored chunk into `to`. *mask: filters that were skipped; *there: false: never written.
plait_err pl_hdf5_chunk(const pl_netcdf *nc, const char *path, const int64_t at[], void *to,
                        uint32_t *mask, bool *there);
void pl_hdf5_close(pl_netcdf *nc);
// Byte of the first value of a contiguous variable of an open file; -1: it has no place.
plait_err pl_hdf5_offset(hid_t file, const char *name, int64_t *offset);

// ---- tiles: netcdf_tiles.c ------------------------------------------------------------------
typedef struct pl_tiles { // those that a box meets, row-major
  int64_t total, first[PLAIT_DIMS], n[PLAIT_DIMS];
} pl_tiles;
typedef struct pl_tile {
  int64_t index; // in the array, row-major
  pl_box whole;  // may reach beyond the array
  pl_box common; // with the box
} pl_tile;
// A row of a tile that is contiguous in the tile and in the block.
typedef struct pl_tile_row {
  int64_t in_tile;    // cells from the first of the tile
  ptrdiff_t in_block; // cells from the first of the block
} pl_tile_row;
typedef struct pl_tile_rows {
  int axes;              // before a row
  int64_t total, length; // rows; cells of each
} pl_tile_rows;
pl_tiles pl_tiles_of(const pl_netcdf *nc, const pl_box *box);
pl_tile pl_tile_at(const pl_netcdf *nc, const pl_tiles *tiles, const pl_box *box, int64_t i);
pl_tile_rows pl_tile_rows_of(const pl_tile *tile, const plait_block *to);
pl_tile_row pl_tile_row_at(const pl_tile_rows *rows, const pl_tile *tile, const pl_box *box,
                           const plait_block *to, int64_t i);
// STRAIGHT. `to` may be of the stored type.
plait_err pl_tiles_fetch(pl_netcdf *nc, const char *path, const pl_box *box, const plait_block *to);

// ---- filtered chunks: netcdf_chunks.c -------------------------------------------------------
plait_err pl_chunks_start(pl_netcdf *nc, const char *path, int ndim); // measures the stored chunks
size_t pl_chunks_raw_bytes(const pl_netcdf *nc, int ndim, const int64_t extent[]);
plait_err pl_chunks_fetch(pl_netcdf *nc, const char *path, const pl_box *box, void *raw,
                          const plait_block *to);
void pl_chunks_decode(pl_netcdf *nc, const char *path, const pl_box *box, void *raw,
                      const plait_block *to, plait_raise *raise);
#endif
