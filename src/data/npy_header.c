// SPDX-License-Identifier: BSD-3-Clause
//
// A strict parser for the small part of Python that NumPy writes: strings without escapes, True,
// False, tuples of non-negative integers. Whatever else stands there is refused, never skipped, so
// that a damaged header is not mistaken for another array.
// Source: numpy.lib.format, NumPy Enhancement Proposal 1.
#include "data/npy.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

static size_t prefix_of(const unsigned char *bytes) {
  return bytes[6] == 1 ? 10 : 12;
}

plait_err pl_npy_length(const unsigned char *p, size_t bytes, const char *path, size_t *length) {
  if (bytes < PL_NPY_PREFIX)
    return plait_fail(PLAIT_INPUT, "%s: truncated: %zu bytes are too few for a NumPy file", path,
                      bytes);
  if (memcmp(p, magic, sizeof magic) != 0)
    return plait_fail(PLAIT_INPUT, "%s: not a NumPy file", path);
  if (p[6] < 1 || p[6] > 3 || p[7] != 0)
    return plait_fail(PLAIT_INPUT, "%s: NumPy format %d.%d is not known (1.0 to 3.0 are)", path,
                      p[6], p[7]);
  size_t text = (size_t)p[8] | (size_t)p[9] << 8;
  if (p[6] > 1) text |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
  if (text > PL_NPY_LONGEST)
    return plait_fail(PLAIT_INPUT, "%s: absurd NumPy header of %zu bytes", path, text);
  *length = prefix_of(p) + text;
  return PLAIT_OK;
}

typedef struct cursor {
  const char *at, *end;
  const char *path;
  pl_npy *npy;
} cursor;

static plait_err damaged(const cursor *c, const char *expected) {
  return plait_fail(PLAIT_INPUT, "%s: damaged NumPy header: %s expected", c->path, expected);
}

static void skip_blank(cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
}

static bool take(cursor *c, char symbol) {
  skip_blank(c);
  if (c->at == c->end || *c->at != symbol) return false;
  c->at++;
  return true;
}

static bool take_word(cursor *c, const char *word) {
  size_t n = strlen(word);
  skip_blank(c);
  if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return false;
  c->at += n;
  return true;
}

// A quoted string of printable characters without escapes; too long for `out` is not one of ours.
static bool take_string(cursor *c, char out[PLAIT_NAME]) {
  char quote = take(c, '\'') ? '\'' : take(c, '"') ? '"' : 0;
  size_t n = 0;
  if (quote == 0) return false;
  for (; c->at < c->end && *c->at != quote; c->at++) {
    if (n + 1 == PLAIT_NAME || *c->at == '\\' || *c->at < ' ' || *c->at > '~') return false;
    out[n++] = *c->at;
  }
  out[n] = 0;
  return take(c, quote);
}

// ---- descr ----

typedef struct kind {
  const char *code; // kind and size
  plait_type type;  // PLAIT_TYPES: refused ..
  const char *what; // .. as this
} kind;

static const kind kinds[] = {
    {"b1", PLAIT_U8, ""},
    {"i1", PLAIT_I8, ""},
    {"i2", PLAIT_I16, ""},
    {"i4", PLAIT_I32, ""},
    {"i8", PLAIT_I64, ""},
    {"u1", PLAIT_U8, ""},
    {"u2", PLAIT_U16, ""},
    {"u4", PLAIT_U32, ""},
    {"u8", PLAIT_U64, ""},
    {"f4", PLAIT_F32, ""},
    {"f8", PLAIT_F64, ""},
    {"f2", PLAIT_TYPES, "float16 values (save them as float32)"},
    {"f", PLAIT_TYPES, "extended floats (save them as float64)"},
    {"c", PLAIT_TYPES, "complex values (save the real and imaginary parts)"},
    {"O", PLAIT_TYPES, "Python objects"},
    {"S", PLAIT_TYPES, "text"},
    {"U", PLAIT_TYPES, "text"},
    {"a", PLAIT_TYPES, "text"},
    {"M", PLAIT_TYPES, "dates (save them as int64)"},
    {"m", PLAIT_TYPES, "time differences (save them as int64)"},
    {"V", PLAIT_TYPES, "structured values (save one field)"},
};

static const kind *kind_of(const char *code) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const char *known = kinds[i].code;
    bool refused = kinds[i].type == PLAIT_TYPES;
    if (refused ? strncmp(code, known, strlen(known)) == 0 : strcmp(code, known) == 0)
      return &kinds[i];
  }
  return NULL;
}

static plait_err read_descr(cursor *c) {
  char text[PLAIT_NAME];
  if (take(c, '['))
    return plait_fail(PLAIT_INPUT, "%s: holds %s: not read", c->path,
                      "structured values (save one field)");
  if (!take_string(c, text)) return damaged(c, "a type such as '<f4' after 'descr'");
  bool ordered = strchr("<>|=", text[0]) != NULL && text[0] != 0;
  const kind *k = kind_of(ordered ? text + 1 : text);
  if (k != NULL && k->type == PLAIT_TYPES)
    return plait_fail(PLAIT_INPUT, "%s: holds %s: not read", c->path, k->what);
  if (k == NULL || (text[0] == '|' && plait_type_size(k->type) > 1))
    return plait_fail(PLAIT_INPUT, "%s: NumPy type '%s' is not known", c->path, text);
  const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  c->npy->type = k->type;
  c->npy->swap = plait_type_size(k->type) > 1 && (big ? text[0] == '<' : text[0] == '>');
  return PLAIT_OK;
}

// ---- fortran_order, shape ----

static plait_err read_order(cursor *c) {
  c->npy->fortran = take_word(c, "True");
  if (!c->npy->fortran && !take_word(c, "False"))
    return damaged(c, "True or False after 'fortran_order'");
  return PLAIT_OK;
}

static plait_err read_length(cursor *c, int64_t *length) {
  skip_blank(c);
  const char *first = c->at;
  *length = 0;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
    bool over = pl_mul64_overflows(*length, 10, length) ||
                __builtin_add_overflow(*length, *c->at - '0', length);
    if (over) return plait_fail(PLAIT_INPUT, "%s: absurd shape: an axis of over 2^63", c->path);
  }
  if (c->at == first) return damaged(c, "lengths >= 0 in 'shape'");
  if (c->at < c->end && *c->at == 'L') c->at++; // as Python 2 wrote it
  return PLAIT_OK;
}

static plait_err read_shape(cursor *c) {
  pl_npy *npy = c->npy;
  if (!take(c, '(')) return damaged(c, "a tuple after 'shape'");
  npy->ndim = 0;
  while (!take(c, ')')) {
    if (npy->ndim == PLAIT_DIMS)
      return plait_fail(PLAIT_INPUT, "%s: has more than %d axes", c->path, PLAIT_DIMS);
    TRY(read_length(c, &npy->shape[npy->ndim++]));
    if (take(c, ',')) continue;
    if (!take(c, ')')) return damaged(c, "',' or ')' in 'shape'");
    break;
  }
  return PLAIT_OK;
}

// ---- the whole ----

static const struct {
  const char *name;
  plait_err (*read)(cursor *c);
} keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};

static plait_err read_pair(cursor *c, unsigned *seen) {
  char name[PLAIT_NAME];
  if (!take_string(c, name) || !take(c, ':')) return damaged(c, "'key':");
  for (unsigned i = 0; i < 3; i++) {
    if (strcmp(name, keys[i].name) != 0) continue;
    if (*seen & 1u << i) return damaged(c, "every key once");
    *seen |= 1u << i;
    return keys[i].read(c);
  }
  return damaged(c, "'descr', 'fortran_order' or 'shape'");
}

plait_err pl_npy_parse(const unsigned char *header, size_t bytes, const char *path, pl_npy *npy) {
  size_t length;
  unsigned seen = 0;
  *npy = (pl_npy){0};
  TRY(pl_npy_length(header, bytes, path, &length));
  if (length > bytes)
    return plait_fail(PLAIT_INPUT, "%s: truncated: the header has %zu bytes, the file %zu", path,
                      length, bytes);
  cursor c = {.at = (const char *)header + prefix_of(header),
              .end = (const char *)header + length,
              .path = path,
              .npy = npy};
  npy->start = (int64_t)length;
  if (!take(&c, '{')) return damaged(&c, "'{'");
  while (!take(&c, '}')) {
    TRY(read_pair(&c, &seen));
    if (take(&c, ',')) continue;
    if (!take(&c, '}')) return damaged(&c, "',' or '}'");
    break;
  }
  skip_blank(&c);
  if (c.at != c.end) return damaged(&c, "nothing after '}'");
  if (seen != 7) return damaged(&c, "all of 'descr', 'fortran_order', 'shape'");
  return PLAIT_OK;
}

size_t pl_npy_header(plait_type type, int ndim, const int64_t shape[],
                     unsigned char header[PL_NPY_WRITTEN]) {
  static const char kind_letter[PLAIT_TYPES + 1] = "iuiuiuiuff";
  char *text = (char *)header + 10;
  const size_t room = PL_NPY_WRITTEN - 10;
  size_t size = plait_type_size(type), n = 0;
  n += (size_t)snprintf(text, room, "{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (",
                        size > 1 ? '<' : '|', kind_letter[type], size);
  for (int d = 0; d < ndim; d++)
    n += (size_t)snprintf(text + n, room - n, d > 0 ? ", %lld" : "%lld", (long long)shape[d]);
  n += (size_t)snprintf(text + n, room - n, ndim == 1 ? ",), }" : "), }");
  size_t length = (10 + n + 1 + 63) / 64 * 64; // the newline ends a multiple of 64
  memset(text + n, ' ', length - 10 - n);
  header[length - 1] = '\n';
  memcpy(header, magic, sizeof magic);
  header[6] = 1;
  header[7] = 0;
  header[8] = (unsigned char)((length - 10) & 255);
  header[9] = (unsigned char)((length - 10) >> 8);
  return length;
}
