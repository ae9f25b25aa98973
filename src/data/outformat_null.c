// SPDX-License-Identifier: BSD-3-Clause
//
// `null:` takes any result and keeps nothing: it measures all of a run but the writing.
#include "data/formats.h"

static plait_err create_nothing(const char *path, const pl_layout *layout, int64_t offset[]) {
  (void)path, (void)layout, (void)offset;
  return PLAIT_OK;
}

static const char *check_nothing(const pl_layout *layout) {
  (void)layout;
  return NULL;
}

const pl_outformat pl_outformat_null = {
    .name = "null",
    .extensions = "",
    .create = create_nothing,
    .check = check_nothing,
    .plain = true,
};
