// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzzes IDX headers and gzip files: any bytes give an array that fits them, or one line.
#include "base/mem.h"
#include "data/idx.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine) {
  if (!fine) abort();
}

static void check_header(const unsigned char *data, size_t size) {
  pl_idx idx;
  if (pl_idx_parse(data, size, "fuzz", &idx) != PLAIT_OK) {
    check(pl_message()[0] != 0 && strchr(pl_message(), '\n') == NULL);
    return;
  }
  check(idx.ndim > 0 && idx.ndim <= PLAIT_DIMS && idx.type < PLAIT_TYPES);
  check(idx.start <= size && idx.bytes >= plait_type_size(idx.type));
  for (int d = 0; d < idx.ndim; d++) check(idx.shape[d] > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char *content = NULL;
  size_t length = 0;
  check_header(data, size);
  if (pl_gunzip(data, size, "fuzz", &content, &length) != PLAIT_OK) {
    check(content == NULL && pl_message()[0] != 0 && strchr(pl_message(), '\n') == NULL);
    return 0;
  }
  check_header(content, length);
  pl_free(&content);
  return 0;
}
