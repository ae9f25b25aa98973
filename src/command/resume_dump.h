// SPDX-License-Identifier: BSD-3-Clause
//
// Journal and checkpoints in full, as JSON, for resume-info.
#ifndef PL_RESUME_DUMP_H
#define PL_RESUME_DUMP_H
#include "base/text.h"
#include "engine/checkpoint.h"
#include "engine/journal.h"

void pl_dump_journal(const pl_journal_found *journal, pl_json *out);
void pl_dump_checkpoints(const pl_checkpoints_seen *seen, pl_json *out);
#endif
