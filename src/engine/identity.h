// SPDX-License-Identifier: BSD-3-Clause
//
// What a journal or a checkpoint belongs to: everything that the bytes of a result depend on, as
// lines `key: value`, so that a difference can be named. Not in it: where files lie, how the job is
// run.
#ifndef PL_IDENTITY_H
#define PL_IDENTITY_H
#include "base/text.h"
#include "data/dataset.h"
#include "engine/job.h"

// The identity of a bound job; `input` NULL: it has none. Files (the input, parameters of kind
// FILE) stand in it with size, time of change, and a checksum of their head (64 KiB), tail and 64
// samples in between. Not collective: rank 0 makes it. Errors: PLAIT_IO, PLAIT_MEMORY.
plait_err pl_identity_make(const pl_job *job, const pl_dataset *input, pl_text *text);
// PLAIT_OK when the same. Else PLAIT_OUTPUT: "`what` belongs to another job: params.sigma was 3 and
// is 5 now". Lines that begin with # are for people and are not compared.
plait_err pl_identity_compare(const char *what, const char *was, const char *is);
#endif
