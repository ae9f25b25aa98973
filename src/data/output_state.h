// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of the output module share.
#ifndef PL_OUTPUT_STATE_H
#define PL_OUTPUT_STATE_H
#include "data/convert.h"
#include "data/output.h"
#include "data/rawio.h"

typedef struct pl_placed { // what rank 0 decided and every rank must know; plain bytes
  int64_t offset[PLAIT_OUTPUTS];
  int64_t bytes; // of the whole file
} pl_placed;

struct pl_output {
  pl_comm *comm; // *borrowed*
  const pl_outformat *format;
  pl_layout layout;
  char *path, *partial; // *owned*
  bool force, committed;
  int fd;           // -1: none
  int64_t gathered; // bytes stored since the last nudge to write them to the disk
  pl_placed placed;
  pl_raw raw[PLAIT_OUTPUTS];
  pl_convert convert[PLAIT_OUTPUTS];
};

plait_err pl_outformat_find(const char *path, const char *format, const pl_outformat **found);
plait_err pl_outvar_bytes(const char *path, const pl_layout *layout, int var, int64_t *bytes);
plait_err pl_partial_name(const char *path, char **partial); // PATH.partial; *owned by the caller*

// Rank 0 alone. Creates NAME.partial with header and room for all values.
plait_err pl_output_create(pl_output *output);
// Rank 0 alone. Finds in an existing NAME.partial where the arrays are.
plait_err pl_output_locate(pl_output *output);
#endif
