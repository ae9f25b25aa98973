// SPDX-License-Identifier: BSD-3-Clause
//
// How a block is cut into strips and parts (plait.h says what they are), and where parts come from:
// out of a block in memory, or from who can read them.
#ifndef PL_STRIPS_H
#define PL_STRIPS_H
#include "data/box.h"

struct plait_source {   // of the parts of blocks without data
  const int64_t *chunk; // of the file, NULL: contiguous; *borrowed*
  bool reads;           // with system calls; false: it looks at the file through a mapping
  // Reads the cells `box` as a part, *borrowed until* the thread of `call` reads another. false: it
  // could not, which is raised. Threads: any.
  bool (*read)(const struct plait_source *source, const plait_call *call,
               const plait_strips *strips, const pl_box *box, plait_block *part);
};

// `chunk`: where cuts have to fall, NULL: anywhere. `reads`: a row of a part costs a system call.
// Pure.
void pl_strips_cut(const plait_block *in, const bool reduced[], const int64_t *chunk, bool reads,
                   int threads, plait_strips *strips);
// Whether parts are long enough runs of the file, on chunk borders, and as many strips as threads.
// Pure.
bool pl_strips_worth(const plait_strips *strips, const bool reduced[], const int64_t *chunk,
                     bool reads, int threads);
#endif
