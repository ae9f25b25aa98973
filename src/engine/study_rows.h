// SPDX-License-Identifier: BSD-3-Clause
//
// The rows that a rank holds: what it computed, in the order in which that was finished, and on
// rank 0 what an earlier run left. They go to the journal as they are and to rank 0 in the end.
#ifndef PL_STUDY_ROWS_H
#define PL_STUDY_ROWS_H
#include "engine/journal.h"

enum { PL_ROW_MESSAGE = 176 }; // room for a sentence with its advice, and `values` aligned

typedef enum pl_row_status { PL_ROW_DONE, PL_ROW_FAILED } pl_row_status;

typedef struct pl_row {         // `cells` doubles follow
  int64_t number;               // of the combination
  int32_t status, form;         // form: PL_ROW_MESSAGE, else it is a row of another plait
  char message[PL_ROW_MESSAGE]; // why it failed, or what its kernel warns of; zeros. Cut: "..."
  double values[];
} pl_row;

typedef struct pl_rows {
  int64_t cells; // doubles of a row
  size_t bytes;  // of a row
  int64_t n, room;
  char *at;          // *owned*
  int64_t journaled; // rows that are in the journal
  double flushed;    // when that was
} pl_rows;

static inline size_t pl_row_bytes(int64_t cells) {
  return sizeof(pl_row) + (size_t)cells * sizeof(double);
}
static inline pl_row *pl_rows_at(const pl_rows *rows, int64_t i) {
  return (pl_row *)(void *)(rows->at + (size_t)i * rows->bytes);
}
void pl_row_clear(pl_row *row, int64_t number, int64_t cells); // done, all values NaN
void pl_row_note(pl_row *row, const char *message);            // its status and values stay
void pl_row_fail(pl_row *row, int64_t cells, const char *message);
plait_err pl_rows_add(pl_rows *rows, const pl_row *row);
// What is new goes to the journal (NULL: nowhere) when it is time, with `must`: now, and to the
// disk.
plait_err pl_rows_flush(pl_rows *rows, pl_journal *journal, bool must);
plait_err pl_rows_flush_now(pl_rows *rows, pl_journal *journal); // .. now, disk when it is time
// Rank 0: what the records of a journal hold; of a combination that stands there twice the first.
// `seen`: a bit per combination of `count`. PLAIT_OUTPUT: rows of another size.
plait_err pl_rows_read(pl_rows *rows, const char *output, const pl_journal_found *found,
                       int64_t count, uint8_t *seen);
// Collective. All rows to rank 0, there in the order of their numbers.
plait_err pl_rows_gather(pl_comm *comm, pl_rows *rows);
void pl_rows_free(pl_rows *rows);
#endif
