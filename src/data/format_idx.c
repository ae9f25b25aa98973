// SPDX-License-Identifier: BSD-3-Clause
//
// IDX, the format of MNIST and its kin, plain or inside gzip. A plain file is read where a block
// needs it. A gzip file has no places to jump to: it is inflated whole when it is opened and stays
// in memory (MNIST: 47 MB), outside run.memory.
#include "base/mem.h"
#include "base/path.h"
#include "data/convert.h"
#include "data/formats.h"
#include "data/idx.h"
#include "data/rawio.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct state {
  pl_raw raw;
  pl_convert convert;
  unsigned char *content; // of a gzip file, else NULL
} state;

static bool is_gzip(const unsigned char *head, size_t bytes) {
  return bytes >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
}

static bool claims_idx(const char *path, const unsigned char *head, size_t bytes) {
  (void)path;
  return is_gzip(head, bytes) || pl_idx_claims(head, bytes);
}

static plait_err read_all(int fd, size_t bytes, const char *path, state *s, size_t *length) {
  unsigned char *packed = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc(bytes, 1, &packed));
  GUARD(pl_pread_all(fd, packed, bytes, 0, path));
  GUARD(pl_gunzip(packed, bytes, path, &s->content, length));
done:
  pl_free(&packed);
  return err;
}

// The header, and how many bytes there are: of the file, or of what was in it.
static plait_err read_header(int fd, const char *path, state *s, pl_idx *idx, size_t *length) {
  unsigned char head[PL_IDX_HEAD];
  struct stat file;
  if (fstat(fd, &file) != 0) return pl_fail_errno(PLAIT_INPUT, "cannot read", path);
  *length = (size_t)file.st_size;
  size_t bytes = *length < sizeof head ? *length : sizeof head;
  TRY(pl_pread_all(fd, head, bytes, 0, path));
  if (!is_gzip(head, bytes)) return pl_idx_parse(head, bytes, path, idx);
  TRY(read_all(fd, *length, path, s, length));
  return pl_idx_parse(s->content, *length, path, idx);
}

static void fill_meta(const char *path, const pl_idx *idx, pl_meta *meta) {
  const char *base = strrchr(path, '/');
  size_t n = 0;
  for (const char *c = base ? base + 1 : path; *c && *c != '.' && n + 1 < PLAIT_NAME; c++) {
    bool fine = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
    if (n == 0 && *c >= '0' && *c <= '9') meta->name[n++] = '_';
    meta->name[n++] = fine ? *c : '_';
  }
  if (n == 0) meta->name[n++] = '_';
  meta->stored = idx->type;
  meta->ndim = idx->ndim;
  memcpy(meta->shape, idx->shape, sizeof meta->shape);
  for (int d = 0; d < idx->ndim; d++) snprintf(meta->dims[d], PLAIT_NAME, "axis%d", d);
  pl_meta_settle(meta, idx->type);
}

static void free_state(state **s) {
  if (!*s) return;
  if ((*s)->raw.fd >= 0) close((*s)->raw.fd);
  pl_free(&(*s)->content);
  pl_free(s);
}

static plait_err open_idx(const char *path, const char *variable, pl_dataset *dataset) {
  plait_err err = PLAIT_OK;
  state *s = NULL;
  pl_idx idx;
  size_t length = 0;
  if (variable[0] != 0)
    return plait_fail(PLAIT_INPUT,
                      "%s: an IDX file holds one array without a name: leave out \":%s\"", path,
                      variable);
  TRY(pl_calloc(1, sizeof *s, &s));
  s->raw.fd = open(path, O_RDONLY | O_CLOEXEC);
  if (s->raw.fd < 0) GUARD(pl_fail_errno(PLAIT_INPUT, "cannot read", path));
  GUARD(read_header(s->raw.fd, path, s, &idx, &length));
  fill_meta(path, &idx, &dataset->meta);
  GUARD(pl_meta_check_shape(&dataset->meta, path));
  if (length < idx.start || length - idx.start < idx.bytes)
    GUARD(plait_fail(PLAIT_INPUT, "%s: truncated: expected %zu bytes of values, has %zu", path,
                     idx.bytes, length < idx.start ? 0 : length - idx.start));
  s->raw.path = dataset->path;
  s->raw.offset = (int64_t)idx.start;
  s->raw.ndim = idx.ndim;
  s->raw.size = plait_type_size(idx.type);
  memcpy(s->raw.shape, idx.shape, sizeof s->raw.shape);
  s->convert = pl_convert_of(&dataset->meta, true);
  dataset->state = s;
  return PLAIT_OK;
done:
  free_state(&s);
  return err == PLAIT_IO ? PLAIT_INPUT : err; // nothing has been computed yet
}

static void close_idx(pl_dataset *dataset) {
  state *s = dataset->state;
  free_state(&s);
  dataset->state = NULL;
}

static size_t no_raw_bytes(const pl_dataset *dataset, const int64_t extent[]) {
  (void)dataset, (void)extent;
  return 0;
}

// The box out of the content that lies in memory, row by row.
static void copy_box(const state *s, const pl_box *box, const plait_block *to) {
  int last = box->ndim - 1;
  int64_t rows = pl_box_cells(box) / box->n[last];
  for (int64_t row = 0; row < rows; row++) {
    int64_t rest = row, from = box->lo[last], scale = s->raw.shape[last];
    ptrdiff_t at = 0;
    for (int d = last - 1; d >= 0; d--) {
      int64_t i = rest % box->n[d];
      rest /= box->n[d];
      from += (box->lo[d] + i) * scale;
      scale *= s->raw.shape[d];
      at += (ptrdiff_t)i * to->stride[d];
    }
    memcpy((char *)to->data + at * (ptrdiff_t)s->raw.size,
           s->content + s->raw.offset + (size_t)from * s->raw.size,
           (size_t)box->n[last] * s->raw.size);
  }
}

static plait_err fetch_idx(pl_dataset *dataset, const pl_box *box, void *raw,
                           const plait_block *to) {
  (void)raw;
  const state *s = dataset->state;
  if (!s->content) return pl_raw_read(&s->raw, box, to->data, to->stride);
  copy_box(s, box, to);
  return PLAIT_OK;
}

static void decode_idx(const pl_dataset *dataset, const pl_box *box, void *raw,
                       const plait_block *to, plait_raise *raise) {
  (void)box, (void)raw, (void)raise;
  const state *s = dataset->state;
  if (!pl_convert_idle(&s->convert)) pl_decode(&s->convert, NULL, to);
}

const pl_format pl_format_idx = {
    .name = "idx",
    .summary = "IDX arrays (MNIST), plain or gzip",
    .extensions = "idx gz",
    .claims = claims_idx,
    .open = open_idx,
    .close = close_idx,
    .raw_bytes = no_raw_bytes,
    .fetch = fetch_idx,
    .decode = decode_idx,
};
