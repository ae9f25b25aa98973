// SPDX-License-Identifier: BSD-3-Clause
//
// Where the values of a variable lie in a classic NetCDF file (CDF-1, CDF-2, CDF-5). libnetcdf
// knows but does not tell, so the header is read here a second time, for this alone: everything
// else comes from the library, and format_netcdf.c compares the two.
//
// Source: NetCDF Classic Format Specification, Unidata (the grammar in the comments is theirs);
// CDF-5 as in PnetCDF. A header is big-endian, and a stream: one window of it is in memory. Every
// length is checked against the file before it is used.
#include "data/netcdf.h"
#include "base/mem.h"
#include "base/path.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_ABSENT = 0, TAG_DIMENSION = 10, TAG_VARIABLE = 11, TAG_ATTRIBUTE = 12 };

typedef struct cursor {
  int fd;
  const char *path;
  int64_t size, at;     // of the file; next byte
  int64_t window_begin; // first byte in `window`
  size_t window_bytes;
  int version; // 1, 2, 5
  plait_err err;
  unsigned char window[4096];
} cursor;

typedef struct dim_table {
  int64_t n, records; // records: numrecs of the header
  int64_t *length;    // 0: the record dimension
} dim_table;

static void damaged(cursor *c, const char *what) {
  if (c->err == PLAIT_OK)
    c->err = plait_fail(PLAIT_INPUT, "%s: damaged NetCDF header at byte %lld: %s", c->path,
                        (long long)c->at, what);
}

// The next `n` bytes (n <= 8), or zeroes after an error.
static const unsigned char *take(cursor *c, size_t n) {
  static const unsigned char zero[8] = {0};
  if (c->err != PLAIT_OK) return zero;
  if (c->at > c->size - (int64_t)n) {
    damaged(c, "the file ends inside it");
    return zero;
  }
  if (c->at < c->window_begin || c->at + (int64_t)n > c->window_begin + (int64_t)c->window_bytes) {
    int64_t left = c->size - c->at;
    c->window_bytes = left < (int64_t)sizeof c->window ? (size_t)left : sizeof c->window;
    c->window_begin = c->at;
    c->err = pl_pread_all(c->fd, c->window, c->window_bytes, c->at, c->path);
    if (c->err != PLAIT_OK) return zero;
  }
  const unsigned char *p = c->window + (c->at - c->window_begin);
  c->at += (int64_t)n;
  return p;
}

static uint64_t number(cursor *c, size_t bytes) {
  const unsigned char *p = take(c, bytes);
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | p[i];
  return value;
}

// NON_NEG: 4 bytes, 8 in CDF-5.
static int64_t count(cursor *c) {
  uint64_t value = number(c, c->version == 5 ? 8 : 4);
  if (value > (c->version == 5 ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX)) {
    damaged(c, "a negative count");
    return 0;
  }
  return (int64_t)value;
}

// A count of things that take at least `each` bytes of the header.
static int64_t count_of(cursor *c, int64_t each) {
  int64_t n = count(c);
  if (n <= (c->size - c->at) / each) return n;
  damaged(c, "a count that the file cannot hold");
  return 0;
}

static void skip(cursor *c, int64_t bytes) {
  if (c->err != PLAIT_OK) return;
  if (bytes < 0 || bytes > c->size - c->at)
    damaged(c, "the file ends inside it");
  else
    c->at += bytes;
}

// name = nelems chars padded to 4.
static void name(cursor *c, char out[NC_MAX_NAME + 1]) {
  int64_t n = count_of(c, 1);
  if (n > NC_MAX_NAME) damaged(c, "a name that is too long");
  if (c->err != PLAIT_OK) n = 0;
  for (int64_t i = 0; i < n; i++) out[i] = (char)*take(c, 1);
  out[n] = '\0';
  skip(c, (4 - n % 4) % 4);
}

// list = ABSENT | tag nelems [..]. The number of elements, each `each` bytes or more.
static int64_t list(cursor *c, uint64_t tag, int64_t each) {
  uint64_t found = number(c, 4);
  if (found != tag && found != TAG_ABSENT) damaged(c, "an unknown tag");
  int64_t n = count_of(c, each);
  if (found == TAG_ABSENT && n != 0) damaged(c, "an absent list with elements");
  return c->err == PLAIT_OK ? n : 0;
}

// 0: no such type.
static size_t type_size(uint64_t type) {
  static const size_t size[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8}; // by nc_type
  return type < sizeof size / sizeof size[0] ? size[type] : 0;
}

static size_t type_of(cursor *c, uint64_t *type) {
  *type = number(c, 4);
  size_t size = type_size(*type);
  if (size == 0) damaged(c, "an unknown type");
  return size;
}

static void skip_attributes(cursor *c) {
  char ignored[NC_MAX_NAME + 1];
  int64_t n = list(c, TAG_ATTRIBUTE, 12);
  for (int64_t i = 0; i < n && c->err == PLAIT_OK; i++) {
    uint64_t type;
    name(c, ignored);
    int64_t size = (int64_t)type_of(c, &type), values = count_of(c, size > 0 ? size : 1);
    int64_t bytes = values * size;
    skip(c, bytes + (4 - bytes % 4) % 4);
  }
}

static void dimensions(cursor *c, dim_table *dims) {
  char ignored[NC_MAX_NAME + 1];
  dims->n = list(c, TAG_DIMENSION, 8);
  if (c->err == PLAIT_OK) c->err = pl_calloc((size_t)dims->n, sizeof *dims->length, &dims->length);
  for (int64_t i = 0; i < dims->n && c->err == PLAIT_OK; i++) {
    name(c, ignored);
    dims->length[i] = count(c);
  }
}

// var = name nelems [dimid ..] vatt_list nc_type vsize begin. `vsize` is not trusted (it is wrong
// for large variables by the specification): *slab is the size of the variable or of one record of
// it.
static void variable(cursor *c, const dim_table *dims, char found[NC_MAX_NAME + 1],
                     pl_classic_var *var, int64_t *slab) {
  *var = (pl_classic_var){0};
  name(c, found);
  int64_t ndim = count_of(c, 4), values = 1, length[PLAIT_DIMS] = {0};
  bool too_large = false;
  for (int64_t d = 0; d < ndim && c->err == PLAIT_OK; d++) {
    int64_t id = count(c);
    if (id >= dims->n) damaged(c, "an unknown dimension");
    if (c->err != PLAIT_OK) return;
    bool record = d == 0 && dims->length[id] == 0;
    if (record) var->record = true;
    if (!record && pl_mul64_overflows(values, dims->length[id], &values)) too_large = true;
    if (d < PLAIT_DIMS) length[d] = record ? dims->records : dims->length[id];
  }
  memcpy(var->length, length, sizeof length);
  var->ndim = ndim > PLAIT_DIMS ? PLAIT_DIMS + 1 : (int)ndim;
  skip_attributes(c);
  uint64_t type;
  int64_t size = (int64_t)type_of(c, &type);
  var->type = (nc_type)type;
  (void)number(c, c->version == 5 ? 8 : 4);
  var->begin = (int64_t)number(c, c->version == 1 ? 4 : 8);
  if (too_large || pl_mul64_overflows(values, size, slab) || *slab > INT64_MAX / 2)
    damaged(c, "a variable too large to exist");
  else if (var->begin < 0 || (c->version == 1 && var->begin > INT32_MAX))
    damaged(c, "a variable before the file");
}

// Bytes from one record to the next: each variable's slab is padded to 4 bytes, unless there is
// only one record variable.
typedef struct records {
  int n;
  int64_t single, padded;
} records;

static void add_record(cursor *c, records *r, int64_t slab) {
  r->n++;
  r->single = slab;
  if (r->padded > INT64_MAX / 2 - slab)
    damaged(c, "records too large to exist");
  else
    r->padded += slab + (4 - slab % 4) % 4;
}

static void header(cursor *c, dim_table *dims, const char *want, pl_classic_var *var, bool *have) {
  const unsigned char *magic = take(c, 4);
  c->version = magic[3];
  if (memcmp(magic, "CDF", 3) != 0 || (c->version != 1 && c->version != 2 && c->version != 5))
    damaged(c, "not a classic NetCDF file");
  uint64_t numrecs = number(c, c->version == 5 ? 8 : 4);
  bool streaming = numrecs == (c->version == 5 ? UINT64_MAX : UINT32_MAX);
  dims->records = streaming || numrecs > INT64_MAX ? -1 : (int64_t)numrecs;
  dimensions(c, dims);
  skip_attributes(c);
  records r = {0};
  int64_t n = list(c, TAG_VARIABLE, 28);
  for (int64_t i = 0; i < n && c->err == PLAIT_OK; i++) {
    char found[NC_MAX_NAME + 1];
    pl_classic_var one;
    int64_t slab = 0;
    variable(c, dims, found, &one, &slab);
    if (c->err == PLAIT_OK && one.record) add_record(c, &r, slab);
    if (c->err != PLAIT_OK || want == NULL || strcmp(found, want) != 0) continue;
    *var = one;
    *have = true;
  }
  var->record_bytes = r.n == 1 ? r.single : r.padded;
}

// `want` NULL: reads all of the header for its own sake.
static plait_err search(int fd, const char *path, const char *want, pl_classic_var *var,
                        bool *have) {
  struct stat st;
  if (fstat(fd, &st) != 0) return pl_fail_errno(PLAIT_IO, "cannot look at", path);
  cursor c = {.fd = fd, .path = path, .size = st.st_size, .err = PLAIT_OK};
  dim_table dims = {0};
  *var = (pl_classic_var){0};
  header(&c, &dims, want, var, have);
  pl_free(&dims.length);
  return c.err;
}

plait_err pl_classic_find(int fd, const char *path, const char *name, pl_classic_var *var) {
  bool have = false;
  TRY(search(fd, path, name, var, &have));
  if (have) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "%s: no variable \"%s\" in its header", path, name);
}

plait_err pl_classic_check(int fd, const char *path) {
  unsigned char magic[3];
  pl_classic_var ignored;
  bool have = false;
  if (pread(fd, magic, 3, 0) != 3 || memcmp(magic, "CDF", 3) != 0) return PLAIT_OK;
  return search(fd, path, NULL, &ignored, &have);
}
