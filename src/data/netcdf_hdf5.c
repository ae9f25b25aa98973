// SPDX-License-Identifier: BSD-3-Clause
//
// Where the values of a NetCDF-4 variable lie, asked of libhdf5 beside libnetcdf (the file is
// opened by one after the other, never by both). It gives the offset of contiguous data and the
// stored chunks; reading the bytes, and undoing the filters, is ours.
//
// Costs: looking up one chunk by H5Dread_chunk takes about a microsecond; asking for its *address*
// walks all chunks before it in HDF5 1.10 (13 ns each, measured), so addresses are asked for only
// where chunks are plain and few, and kept.
#include "data/netcdf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_ADDRESSES 4096
#define SHORT_RUN      4096 // bytes; preadv takes longer over shorter ones than the team
#define NEVER_WRITTEN  (-1)
#define NOT_LOOKED_UP  (-2)

// The end of the file as its superblock (HDF5 File Format Specification, II.A) has it: the library
// finds out too, but its words are not for users.
plait_err pl_hdf5_check_end(int fd, const char *path) {
  unsigned char head[48];
  struct stat st;
  if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof head) return PLAIT_OK;
  TRY(pl_pread_all(fd, head, sizeof head, 0, path));
  bool newer = head[8] >= 2;
  int size_of_offsets = newer ? head[9] : head[13], at = newer ? 28 : 40;
  if (memcmp(head, "\211HDF\r\n\032\n", 8) != 0 || size_of_offsets != 8) return PLAIT_OK;
  uint64_t end = 0;
  for (int i = 7; i >= 0; i--) end = end << 8 | head[at + i];
  if (end > (uint64_t)st.st_size)
    return plait_fail(PLAIT_INPUT, "%s: truncated: %lld bytes are there, %llu were written", path,
                      (long long)st.st_size, (unsigned long long)end);
  return PLAIT_OK;
}

// libnetcdf hides a variable that has the name of an axis but is not its coordinate behind a
// prefix; under the plain name lies then the axis.
static hid_t open_data(hid_t file, const char *name) {
  char hidden[NC_MAX_NAME * 5];
  const char *slash = strrchr(name, '/');
  int before = slash != NULL ? (int)(slash + 1 - name) : 0;
  snprintf(hidden, sizeof hidden, "%.*s_nc4_non_coord_%s", before, name, name + before);
  hid_t data = H5Dopen2(file, hidden, H5P_DEFAULT);
  return data >= 0 ? data : H5Dopen2(file, name, H5P_DEFAULT);
}

plait_err pl_hdf5_offset(hid_t file, const char *name, int64_t *offset) {
  hid_t data = open_data(file, name);
  if (data < 0) return plait_fail(PLAIT_INPUT, "variable %s is not to be found in the file", name);
  haddr_t at = H5Dget_offset(data);
  H5Dclose(data);
  *offset = at == HADDR_UNDEF || at > INT64_MAX ? -1 : (int64_t)at;
  return PLAIT_OK;
}

// One of the ten types, in either byte order.
static bool plain_type(hid_t data, plait_type stored, bool *swap) {
  const hid_t little[] = {H5T_STD_I8LE,   H5T_STD_U8LE,  H5T_STD_I16LE, H5T_STD_U16LE,
                          H5T_STD_I32LE,  H5T_STD_U32LE, H5T_STD_I64LE, H5T_STD_U64LE,
                          H5T_IEEE_F32LE, H5T_IEEE_F64LE};
  const hid_t big[] = {H5T_STD_I8BE,  H5T_STD_U8BE,  H5T_STD_I16BE, H5T_STD_U16BE,  H5T_STD_I32BE,
                       H5T_STD_U32BE, H5T_STD_I64BE, H5T_STD_U64BE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
  hid_t type = H5Dget_type(data);
  if (type < 0) return false;
  bool is_little = false, is_big = false;
  for (int i = 0; i < PLAIT_TYPES; i++) { // stored may be the unsigned twin (_Unsigned)
    bool twin = i == (int)stored || (i + 1 == (int)stored && i < PLAIT_F32 && i % 2 == 0);
    is_little |= twin && H5Tequal(type, little[i]) > 0;
    is_big |= twin && H5Tequal(type, big[i]) > 0;
  }
  H5Tclose(type);
  *swap = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? !is_big : !is_little;
  return is_little || is_big;
}

static bool read_fill(hid_t plist, hid_t data, pl_netcdf *nc) {
  H5D_fill_value_t defined;
  if (H5Pfill_value_defined(plist, &defined) < 0) return false;
  if (defined == H5D_FILL_VALUE_UNDEFINED) return true; // zeroes
  hid_t type = H5Dget_type(data);
  bool good = type >= 0 && H5Tget_size(type) <= sizeof nc->fill &&
              H5Pget_fill_value(plist, type, nc->fill) >= 0;
  if (type >= 0) H5Tclose(type);
  return good;
}

// What the team can undo: shuffle, deflate, Fletcher checksum, each at most once, in any order that
// keeps the sizes known. NULL, or what it cannot.
static const char *read_filters(hid_t plist, pl_filters *filters) {
  int n = H5Pget_nfilters(plist);
  if (n < 0 || n > PL_NETCDF_FILTERS) return "it has too many filters";
  bool seen[3] = {false};
  for (int i = 0; i < n; i++) {
    unsigned flags, values[8] = {0}, config;
    size_t nvalues = 8;
    char name[64];
    H5Z_filter_t id =
        H5Pget_filter2(plist, (unsigned)i, &flags, &nvalues, values, sizeof name, name, &config);
    pl_filter kind = id == H5Z_FILTER_SHUFFLE   ? PL_FILTER_SHUFFLE
                     : id == H5Z_FILTER_DEFLATE ? PL_FILTER_DEFLATE
                                                : PL_FILTER_FLETCHER;
    if (id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_FLETCHER32)
      return "it has a filter that plait does not undo itself";
    if (seen[kind]) return "it has a filter twice";
    if (kind == PL_FILTER_SHUFFLE && nvalues > 0 && values[0] != filters->size)
      return "it shuffles bytes of another size";
    seen[kind] = true;
    filters->kind[i] = kind;
  }
  filters->n = n;
  return NULL;
}

// One tile: the array. Addresses behind a user block are relative: left to the library.
static const char *contiguous(hid_t data, const char *path, const pl_meta *meta, pl_netcdf *nc,
                              plait_err *err) {
  struct stat st;
  haddr_t offset = H5Dget_offset(data);
  size_t bytes = nc->size;
  for (int d = 0; d < meta->ndim; d++) bytes *= (size_t)meta->shape[d]; // pl_meta_check_shape
  if (offset == HADDR_UNDEF) return "it was never written, or lies in another file";
  if (fstat(nc->fd, &st) != 0)
    *err = pl_fail_errno(PLAIT_IO, "cannot look at", path);
  else if (offset > (uint64_t)st.st_size || bytes > (uint64_t)st.st_size - offset)
    *err = plait_fail(PLAIT_INPUT, "%s: truncated: %s ends behind the end of the file", path,
                      meta->name);
  nc->begin = (int64_t)offset;
  nc->road = PL_NETCDF_STRAIGHT;
  return NULL;
}

// Bytes of a chunk that stay together in a block which is not cut along the last axes.
static size_t run_bytes(const pl_meta *meta, const pl_netcdf *nc) {
  size_t run = nc->size;
  for (int d = meta->ndim - 1; d >= 0; d--) {
    run *= (size_t)nc->tile[d];
    if (nc->tile[d] < meta->shape[d]) break;
  }
  return run;
}

static const char *chunked(hid_t plist, pl_meta *meta, pl_netcdf *nc, plait_err *err) {
  hsize_t chunk[PLAIT_DIMS + 1];
  unsigned options = 0;
  if (H5Pget_chunk(plist, PLAIT_DIMS + 1, chunk) != meta->ndim) return "its chunks are odd";
  if (H5Pget_chunk_opts(plist, &options) < 0 || options != 0) return "its border chunks are plain";
  nc->filters.size = nc->filters.bytes = nc->size;
  for (int d = 0; d < meta->ndim; d++) {
    nc->tile[d] = meta->chunk[d] = (int64_t)chunk[d];
    if (chunk[d] == 0 || pl_mul_overflows(nc->filters.bytes, chunk[d], &nc->filters.bytes) ||
        nc->filters.bytes > UINT32_MAX)
      return "its chunks are odd";
    nc->count[d] = (meta->shape[d] - 1) / nc->tile[d] + 1;
    nc->ntiles *= nc->count[d];
  }
  const char *odd = read_filters(plist, &nc->filters);
  if (odd != NULL) return odd;
  nc->road = PL_NETCDF_CHUNKS;
  if (nc->filters.n > 0 || nc->ntiles > MOST_ADDRESSES) return NULL;
  if (run_bytes(meta, nc) >= SHORT_RUN) nc->road = PL_NETCDF_STRAIGHT;
  *err = pl_alloc((size_t)nc->ntiles, sizeof *nc->address, &nc->address);
  for (int64_t i = 0; i < nc->ntiles && *err == PLAIT_OK; i++) nc->address[i] = NOT_LOOKED_UP;
  return NULL;
}

static const char *choose(const char *path, pl_meta *meta, pl_netcdf *nc, plait_err *err) {
  hid_t plist = H5Dget_create_plist(nc->data), creation = H5Fget_create_plist(nc->file);
  hsize_t user_block = 1;
  const char *odd = NULL;
  if (plist < 0 || creation < 0 || H5Pget_userblock(creation, &user_block) < 0 || user_block != 0)
    odd = "its file has a user block";
  else if (!plain_type(nc->data, meta->stored, &nc->swap))
    odd = "its type is stored in an odd form";
  else if (!read_fill(plist, nc->data, nc))
    odd = "its fill value is odd";
  else if (H5Pget_layout(plist) == H5D_CONTIGUOUS)
    odd = contiguous(nc->data, path, meta, nc, err);
  else if (H5Pget_layout(plist) == H5D_CHUNKED)
    odd = chunked(plist, meta, nc, err);
  else
    odd = "it is stored in an odd layout";
  if (plist >= 0) H5Pclose(plist);
  if (creation >= 0) H5Pclose(creation);
  return odd;
}

plait_err pl_hdf5_road(const char *path, const char *name, pl_meta *meta, pl_netcdf *nc) {
  plait_err err = PLAIT_OK;
  nc->road = PL_NETCDF_LIBRARY;
  nc->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  nc->data = nc->file >= 0 ? open_data(nc->file, name) : -1;
  const char *odd = nc->data >= 0 ? choose(path, meta, nc, &err) : "HDF5 cannot open it";
  if (odd != NULL) {
    nc->road = PL_NETCDF_LIBRARY;
    pl_log(PL_LOG_NOTE, "%s:%s is read through the NetCDF library (slower): %s", path, name, odd);
  }
  bool needed = nc->road == PL_NETCDF_CHUNKS || nc->address != NULL;
  if (!needed || err != PLAIT_OK) pl_hdf5_close(nc);
  return err;
}

void pl_hdf5_close(pl_netcdf *nc) {
  if (nc->data >= 0) H5Dclose(nc->data);
  if (nc->file >= 0) H5Fclose(nc->file);
  nc->data = nc->file = -1;
}

plait_err pl_hdf5_address(pl_netcdf *nc, const char *path, int64_t tile, const int64_t at[],
                          int64_t *address) {
  *address = nc->address[tile];
  if (*address != NOT_LOOKED_UP) return PLAIT_OK;
  hsize_t offset[PLAIT_DIMS], bytes = 0;
  for (int d = 0; d < PLAIT_DIMS; d++) offset[d] = (hsize_t)at[d];
  unsigned mask;
  haddr_t found = HADDR_UNDEF;
  if (H5Dget_chunk_info_by_coord(nc->data, offset, &mask, &found, &bytes) < 0)
    return plait_fail(PLAIT_INPUT, "%s: damaged: its table of chunks cannot be read", path);
  if (found != HADDR_UNDEF && (bytes != nc->filters.bytes || found > INT64_MAX))
    return plait_fail(PLAIT_INPUT, "%s: damaged: a chunk has %llu bytes instead of %zu", path,
                      (unsigned long long)bytes, nc->filters.bytes);
  *address = nc->address[tile] = found == HADDR_UNDEF ? NEVER_WRITTEN : (int64_t)found;
  return PLAIT_OK;
}

static herr_t look_for_unallocated(unsigned n, const H5E_error2_t *error, void *found) {
  (void)n;
  const char *words = error->desc != NULL ? error->desc : "";
  if (strstr(words, "storage is not allocated") != NULL || strstr(words, "isn't defined") != NULL)
    *(bool *)found = true;
  return 0;
}

// libhdf5 1.10 fails for a chunk that was never written; only its words tell that from damage.
static bool never_written(void) {
  bool found = false;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look_for_unallocated, &found);
  return found;
}

plait_err pl_hdf5_chunk_bytes(const pl_netcdf *nc, const char *path, const int64_t at[],
                              size_t most, size_t *bytes) {
  hsize_t offset[PLAIT_DIMS], stored = 0;
  for (int d = 0; d < PLAIT_DIMS; d++) offset[d] = (hsize_t)at[d];
  *bytes = 0;
  if (H5Dget_chunk_storage_size(nc->data, offset, &stored) < 0) {
    if (never_written()) return PLAIT_OK;
    return plait_fail(PLAIT_INPUT, "%s: damaged: its table of chunks cannot be read", path);
  }
  if (stored > most)
    return plait_fail(PLAIT_INPUT, "%s: damaged: a chunk of %llu bytes, %zu at most were expected",
                      path, (unsigned long long)stored, most);
  *bytes = (size_t)stored;
  return PLAIT_OK;
}

plait_err pl_hdf5_chunk(const pl_netcdf *nc, const char *path, const int64_t at[], void *to,
                        uint32_t *mask, bool *there) {
  hsize_t offset[PLAIT_DIMS];
  for (int d = 0; d < PLAIT_DIMS; d++) offset[d] = (hsize_t)at[d];
  *there = H5Dread_chunk(nc->data, H5P_DEFAULT, offset, mask, to) >= 0;
  if (*there || never_written()) return PLAIT_OK;
  return plait_fail(PLAIT_IO, "%s: a chunk cannot be read: damaged or truncated", path);
}
