// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzzes the parser of NPY headers: any bytes give a header or one line, and what is accepted is
// consistent: written out again and parsed, it is the same array.
#include "base/err.h"
#include "data/npy.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine) {
  if (!fine) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char written[PL_NPY_WRITTEN];
  pl_npy npy, again;
  if (pl_npy_parse(data, size, "fuzz", &npy) != PLAIT_OK) {
    check(pl_message()[0] != 0 && strchr(pl_message(), '\n') == NULL);
    return 0;
  }
  check(npy.ndim >= 0 && npy.ndim <= PLAIT_DIMS && npy.type < PLAIT_TYPES);
  check(npy.start > 0 && (size_t)npy.start <= size);
  for (int d = 0; d < npy.ndim; d++) check(npy.shape[d] >= 0);
  size_t bytes = pl_npy_header(npy.type, npy.ndim, npy.shape, written);
  check(pl_npy_parse(written, bytes, "again", &again) == PLAIT_OK);
  check(again.type == npy.type && again.ndim == npy.ndim);
  check(memcmp(again.shape, npy.shape, sizeof npy.shape) == 0);
  return 0;
}
