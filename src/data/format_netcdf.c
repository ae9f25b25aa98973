// SPDX-License-Identifier: BSD-3-Clause
//
// NetCDF: classic (CDF-1, CDF-2, CDF-5) and NetCDF-4, and HDF5 files that libnetcdf can describe.
// What the file says comes from libnetcdf; values are read beside it by one of the roads of
// netcdf.h, and that road decides what fetch and decode do. Nothing of libnetcdf stays open except
// where it has to read the values itself.
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/formats.h"
#include "data/netcdf.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char hdf5_magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

static bool claims_netcdf(const char *path, const unsigned char *head, size_t bytes) {
  (void)path;
  if (bytes >= sizeof hdf5_magic && memcmp(head, hdf5_magic, sizeof hdf5_magic) == 0) return true;
  return bytes >= 4 && memcmp(head, "CDF", 3) == 0 &&
         (head[3] == 1 || head[3] == 2 || head[3] == 5);
}

// ---- classic: one tile, or one tile a record ----

static bool agrees(const pl_classic_var *in_file, const pl_netcdf_var *var, const pl_meta *meta) {
  bool same = in_file->type == var->type && in_file->ndim == var->ndim;
  for (int d = 0; d < var->ndim && same; d++) same = in_file->length[d] == meta->shape[d];
  return same;
}

// Of one record; of the whole array without a record axis.
static int64_t slab_bytes(const pl_meta *meta, const pl_classic_var *in_file, size_t size) {
  int64_t bytes = (int64_t)size; // fits: pl_meta_check_shape
  for (int d = in_file->record ? 1 : 0; d < meta->ndim; d++) bytes *= meta->shape[d];
  return bytes;
}

static plait_err check_length(int fd, const char *path, const pl_meta *meta,
                              const pl_classic_var *in_file, int64_t slab) {
  struct stat st;
  int64_t end = in_file->begin, records = in_file->record ? meta->shape[0] - 1 : 0, span;
  if (fstat(fd, &st) != 0) return pl_fail_errno(PLAIT_IO, "cannot look at", path);
  if (pl_mul64_overflows(records, in_file->record_bytes, &span) ||
      __builtin_add_overflow(end, span, &end) || __builtin_add_overflow(end, slab, &end))
    return plait_fail(PLAIT_INPUT, "%s:%s is too large to exist", path, meta->name);
  if (end > st.st_size)
    return plait_fail(PLAIT_INPUT, "%s: truncated: %s needs %lld bytes, %lld are there", path,
                      meta->name, (long long)end, (long long)st.st_size);
  return PLAIT_OK;
}

static plait_err classic_road(const char *path, const pl_netcdf_var *var, const pl_meta *meta,
                              pl_netcdf *nc) {
  pl_classic_var in_file;
  TRY(pl_classic_find(nc->fd, path, meta->name, &in_file));
  if (!agrees(&in_file, var, meta)) {
    nc->road = PL_NETCDF_LIBRARY;
    pl_log(PL_LOG_NOTE, "%s:%s is read through the NetCDF library (slower): its header is odd",
           path, meta->name);
    return PLAIT_OK;
  }
  int64_t slab = slab_bytes(meta, &in_file, nc->size);
  TRY(check_length(nc->fd, path, meta, &in_file, slab));
  nc->road = PL_NETCDF_STRAIGHT;
  nc->swap = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
  nc->begin = in_file.begin;
  if (!in_file.record || in_file.record_bytes == slab) return PLAIT_OK; // records without gaps
  nc->tile[0] = 1;
  nc->count[0] = nc->ntiles = meta->shape[0];
  nc->step = in_file.record_bytes;
  return PLAIT_OK;
}

// ---- open and close ----

static void close_state(pl_netcdf *nc) {
  pl_hdf5_close(nc);
  if (nc->ncid >= 0) nc_close(nc->ncid);
  if (nc->fd >= 0) close(nc->fd);
  pl_free(&nc->address);
  pl_unfilter_pool_stop(&nc->pool);
  pl_free(&nc);
}

static void one_tile(const pl_meta *meta, pl_netcdf *nc) {
  nc->size = plait_type_size(meta->stored);
  nc->ntiles = 1;
  for (int d = 0; d < meta->ndim; d++) {
    nc->tile[d] = meta->shape[d];
    nc->count[d] = 1;
  }
}

// libnetcdf and libhdf5 are not asked at the same time: with the file open in one, the other may
// refuse it.
static plait_err choose_road(const char *path, pl_netcdf_var *var, pl_meta *meta, pl_netcdf *nc) {
  bool hdf5 = var->format == NC_FORMAT_NETCDF4 || var->format == NC_FORMAT_NETCDF4_CLASSIC;
  nc_close(var->ncid);
  nc->ncid = -1;
  if (hdf5)
    TRY(pl_hdf5_road(path, var->path, meta, nc));
  else
    TRY(classic_road(path, var, meta, nc));
  if (nc->road == PL_NETCDF_CHUNKS) TRY(pl_chunks_start(nc, path, meta->ndim));
  if (nc->road != PL_NETCDF_LIBRARY) return PLAIT_OK;
  nc->swap = false;
  TRY(pl_netcdf_open_file(path, &nc->ncid));
  TRY(pl_netcdf_find(path, nc->ncid, var->path, var));
  nc->grpid = var->grpid;
  nc->varid = var->varid;
  return PLAIT_OK;
}

static plait_err open_netcdf(const char *path, const char *variable, pl_dataset *dataset) {
  plait_err err = PLAIT_OK;
  pl_netcdf *nc = NULL;
  pl_netcdf_var var;
  pl_meta *meta = &dataset->meta;
  TRY(pl_calloc(1, sizeof *nc, &nc));
  nc->ncid = -1;
  nc->file = nc->data = -1;
  nc->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (nc->fd < 0) GUARD(pl_fail_errno(PLAIT_INPUT, "cannot open", path));
  posix_fadvise(nc->fd, 0, 0, POSIX_FADV_SEQUENTIAL); // as NPY: steady cold reads
  GUARD(pl_hdf5_check_end(nc->fd, path));
  GUARD(pl_classic_check(nc->fd, path));
  GUARD(pl_netcdf_open_file(path, &nc->ncid));
  GUARD(pl_netcdf_find(path, nc->ncid, variable, &var));
  GUARD(pl_netcdf_meta(path, &var, meta));
  one_tile(meta, nc);
  GUARD(choose_road(path, &var, meta, nc));
  nc->plain = pl_convert_of(meta, nc->swap);
  nc->woven = pl_convert_of(meta, false);
  nc->whole = (pl_raw){nc->fd, dataset->path, nc->begin, meta->ndim, {0}, nc->size};
  memcpy(nc->whole.shape, meta->shape, sizeof nc->whole.shape);
  dataset->state = nc;
  return PLAIT_OK;
done:
  close_state(nc);
  pl_meta_free(meta);
  return err;
}

static void close_netcdf(pl_dataset *dataset) {
  if (dataset->state != NULL) close_state(dataset->state);
  dataset->state = NULL;
}

// ---- read ----

static size_t dense_bytes(const pl_netcdf *nc, int ndim, const int64_t extent[]) {
  size_t bytes = nc->size;
  for (int d = 0; d < ndim; d++) bytes *= (size_t)extent[d];
  return bytes;
}

static size_t raw_bytes_netcdf(const pl_dataset *dataset, const int64_t extent[]) {
  const pl_netcdf *nc = dataset->state;
  const int ndim = dataset->meta.ndim;
  if (nc->road == PL_NETCDF_CHUNKS) return pl_chunks_raw_bytes(nc, ndim, extent);
  bool straight = nc->road == PL_NETCDF_STRAIGHT && pl_convert_in_place(&nc->plain);
  return straight ? 0 : dense_bytes(nc, ndim, extent);
}

static plait_err fetch_library(const pl_netcdf *nc, const char *path, const pl_box *box,
                               void *raw) {
  size_t first[PLAIT_DIMS], n[PLAIT_DIMS];
  for (int d = 0; d < box->ndim; d++) {
    first[d] = (size_t)box->lo[d];
    n[d] = (size_t)box->n[d];
  }
  int status = nc_get_vara(nc->grpid, nc->varid, first, n, raw);
  return status == NC_NOERR ? PLAIT_OK : pl_netcdf_error(PLAIT_IO, path, "cannot read", status);
}

static plait_err fetch_netcdf(pl_dataset *dataset, const pl_box *box, void *raw,
                              const plait_block *to) {
  pl_netcdf *nc = dataset->state;
  const char *path = dataset->path;
  if (nc->road == PL_NETCDF_CHUNKS) return pl_chunks_fetch(nc, path, box, raw, to);
  if (nc->road == PL_NETCDF_LIBRARY) return fetch_library(nc, path, box, raw);
  if (pl_convert_in_place(&nc->plain)) return pl_tiles_fetch(nc, path, box, to);
  const int64_t none[PLAIT_DIMS] = {0};
  plait_block dense = pl_block_over(raw, dataset->meta.stored, box, none);
  return pl_tiles_fetch(nc, path, box, &dense);
}

static void decode_netcdf(const pl_dataset *dataset, const pl_box *box, void *raw,
                          const plait_block *to, plait_raise *raise) {
  pl_netcdf *nc = dataset->state;
  if (nc->road == PL_NETCDF_CHUNKS) {
    pl_chunks_decode(nc, dataset->path, box, raw, to, raise);
    return;
  }
  bool straight = nc->road == PL_NETCDF_STRAIGHT && pl_convert_in_place(&nc->plain);
  if (!straight)
    pl_decode(&nc->plain, raw, to);
  else if (!pl_convert_idle(&nc->plain))
    pl_decode(&nc->plain, NULL, to);
}

// Whole chunks, each in one part only, and small enough for the cache of a thread.
static bool share_chunks(const pl_netcdf *nc, const pl_box *box) {
  enum { CACHED = 1024 * 1024 };
  bool good = nc->address != NULL && nc->filters.bytes <= CACHED;
  for (int d = 0; d < box->ndim; d++) good = good && box->lo[d] % nc->tile[d] == 0;
  return good;
}

// libhdf5 is asked for the addresses here, so that the threads need it no more.
static bool share_netcdf(pl_dataset *dataset, const pl_box *box) {
  pl_netcdf *nc = dataset->state;
  if (nc->road == PL_NETCDF_LIBRARY) return false;
  if (nc->road == PL_NETCDF_CHUNKS && !share_chunks(nc, box)) return false;
  if (nc->address == NULL) return true;
  const pl_tiles tiles = pl_tiles_of(nc, box);
  for (int64_t i = 0; i < tiles.total; i++) {
    pl_tile tile = pl_tile_at(nc, &tiles, box, i);
    int64_t address;
    if (pl_hdf5_address(nc, dataset->path, tile.index, tile.whole.lo, &address) != PLAIT_OK)
      return false; // fetch will say why
  }
  return true;
}

static bool plain_netcdf(const pl_dataset *dataset, pl_plain *plain) {
  const pl_netcdf *nc = dataset->state;
  int64_t size = (int64_t)nc->size;
  *plain = (pl_plain){nc->whole, nc->step / size, nc->plain};
  return nc->road == PL_NETCDF_STRAIGHT && nc->begin > 0 && nc->address == NULL &&
         (nc->ntiles == 1 || (nc->step > 0 && nc->step % size == 0));
}

const pl_format pl_format_netcdf = {
    .name = "netcdf",
    .summary = "NetCDF: classic (CDF-1, CDF-2, CDF-5) and NetCDF-4",
    .extensions = "nc nc3 nc4 cdf",
    .claims = claims_netcdf,
    .expect = pl_netcdf_expect,
    .open = open_netcdf,
    .close = close_netcdf,
    .raw_bytes = raw_bytes_netcdf,
    .fetch = fetch_netcdf,
    .decode = decode_netcdf,
    .share = share_netcdf,
    .plain = plain_netcdf,
    .list = pl_netcdf_list,
    .list_scalars = pl_netcdf_list_scalars,
    .scalar = pl_netcdf_scalar,
};
