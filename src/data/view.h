// SPDX-License-Identifier: BSD-3-Clause
//
// A file that is in the page cache, seen through a mapping: an array that lies in it as a kernel
// takes it need not be copied, one whose values have to be converted (other byte order, packed,
// missing ones marked) is copied once instead of twice. Measured, 2 cores, mean, std, min and max
// of 1 GiB of float32 whose pages came from the disk (large ones): 0.15 s for the run, 0.21 s with
// pread into 1 MiB parts.
//
// Pages that were looked at count as memory of the process, and with them their neighbours, as far
// as they came from the disk together. Where that is too much a block is forgotten when it is done
// (the page cache keeps it), which costs as much as copying.
//
// Reading from the disk is not left to page faults: that is the reader strand's (engine/feed.h).
#ifndef PL_VIEW_H
#define PL_VIEW_H
#include "base/err.h"
#include "data/dataset.h"

typedef struct pl_view pl_view;

// *view stays NULL where the file cannot be mapped, where values that are not converted do not
// begin at multiples of their size (`unaligned`: they may), and while there is another view: then
// pl_raw_read is the way. *borrows* the path. Should the file become shorter, or the disk fail,
// the process ends at the next look with one line and exit code 1; what stands in a journal stays.
// PLAIT_MEMORY. Threads: one.
plait_err pl_view_open(const pl_plain *plain, bool unaligned, pl_view **view);
void pl_view_close(pl_view **view);
// `part` of `box`, not to be written to: in the mapping, or converted into `memory`, which has room
// for it. Threads: any.
void pl_view_look(const pl_view *view, const pl_box *box, void *memory, plait_block *part);
size_t pl_view_bytes(const pl_view *view); // of the file, as far as the array goes
size_t pl_view_span(const pl_view *view, const pl_box *box); // from the first cell to the last
// Nobody looks at `box` any more. Threads: any.
void pl_view_forget(const pl_view *view, const pl_box *box);
// How often this thread had to wait for the disk in a view since it was asked last. Costs a
// microsecond.
long pl_view_waits(void);
#endif
