// SPDX-License-Identifier: BSD-3-Clause
//
// See study_rows.h. A kill loses what was finished in the last second; a machine that loses power
// what was finished since the last sync (run.checkpoint).
#include "engine/study_rows.h"
#include "base/clock.h"
#include "base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double soft = 1; // s between appends
enum { MOST_BYTES = 1 << 20, TAG = 40 };

void pl_row_clear(pl_row *row, int64_t number, int64_t cells) {
  memset(row, 0, sizeof *row);
  row->number = number;
  row->form = PL_ROW_MESSAGE;
  for (int64_t i = 0; i < cells; i++) row->values[i] = NAN;
}

// Cut between two characters, not inside one, and then with dots.
void pl_row_note(pl_row *row, const char *message) {
  static const char dots[] = {'.', '.', '.'};
  size_t n = strnlen(message, PL_ROW_MESSAGE + 1);
  bool cut = n > PL_ROW_MESSAGE;
  if (cut)
    for (n = PL_ROW_MESSAGE - sizeof dots; n > 0 && ((unsigned char)message[n] & 0xc0) == 0x80;)
      n--;
  memset(row->message, 0, sizeof row->message);
  memcpy(row->message, message, n);
  if (cut) memcpy(row->message + n, dots, sizeof dots);
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)row->message[i] < ' ') row->message[i] = ' ';
}

void pl_row_fail(pl_row *row, int64_t cells, const char *message) {
  pl_row_clear(row, row->number, cells);
  row->status = PL_ROW_FAILED;
  pl_row_note(row, message);
}

plait_err pl_rows_add(pl_rows *rows, const pl_row *row) {
  if (rows->n == rows->room) {
    int64_t room = rows->room ? 2 * rows->room : 256;
    TRY(pl_grow(&rows->at, (size_t)rows->room, (size_t)room, rows->bytes));
    rows->room = room;
  }
  memcpy(pl_rows_at(rows, rows->n++), row, rows->bytes);
  return PLAIT_OK;
}

static plait_err append(pl_rows *rows, pl_journal *journal, bool must) {
  int64_t n = rows->n - rows->journaled;
  rows->flushed = pl_now();
  if (n > 0)
    TRY(pl_journal_rows(journal, pl_rows_at(rows, rows->journaled), (size_t)n * rows->bytes));
  rows->journaled = rows->n;
  return pl_journal_save(journal, NULL, NULL, must);
}

plait_err pl_rows_flush(pl_rows *rows, pl_journal *journal, bool must) {
  int64_t n = rows->n - rows->journaled;
  if (!journal) return PLAIT_OK;
  double now = pl_now();
  if (rows->flushed == 0) rows->flushed = now;
  if (!must && now - rows->flushed < soft && n * (int64_t)rows->bytes < MOST_BYTES) return PLAIT_OK;
  return append(rows, journal, must);
}

plait_err pl_rows_flush_now(pl_rows *rows, pl_journal *journal) {
  return journal ? append(rows, journal, false) : PLAIT_OK;
}

// ---- an earlier run ----

static plait_err refuse(const char *output) {
  return plait_fail(PLAIT_OUTPUT, "%s.journal has rows of another form; --fresh starts over",
                    output);
}

static plait_err take(pl_rows *rows, const char *output, const char *bytes, int64_t n,
                      int64_t count, uint8_t *seen) {
  for (int64_t i = 0; i < n; i++) {
    const pl_row *row = (const pl_row *)(const void *)(bytes + (size_t)i * rows->bytes);
    if (row->form != PL_ROW_MESSAGE) return refuse(output);
    if (row->number < 0 || row->number >= count) continue;
    uint8_t *byte = &seen[row->number / 8], bit = (uint8_t)(1u << (row->number % 8));
    if (*byte & bit) continue;
    *byte |= bit;
    TRY(pl_rows_add(rows, row));
  }
  return PLAIT_OK;
}

plait_err pl_rows_read(pl_rows *rows, const char *output, const pl_journal_found *found,
                       int64_t count, uint8_t *seen) {
  for (int64_t i = 0; i < found->nrows; i++) {
    const pl_journal_place *place = &found->rows[i];
    char *bytes = NULL;
    if (place->bytes % (int64_t)rows->bytes != 0) return refuse(output);
    TRY(pl_alloc((size_t)place->bytes, 1, &bytes));
    plait_err err = pl_journal_read(output, place, bytes);
    if (err == PLAIT_OK)
      err = take(rows, output, bytes, place->bytes / (int64_t)rows->bytes, count, seen);
    pl_free(&bytes);
    TRY(err);
  }
  rows->journaled = rows->n;
  return PLAIT_OK;
}

// ---- to rank 0 ----

static int by_number(const void *a, const void *b) {
  int64_t x = ((const pl_row *)a)->number, y = ((const pl_row *)b)->number;
  return (x > y) - (x < y);
}

static plait_err make_room(pl_comm *comm, pl_rows *rows, const int64_t counts[]) {
  int64_t total = 0;
  for (int r = 0; r < pl_comm_size(comm); r++) total += counts[r];
  TRY(pl_grow(&rows->at, (size_t)rows->n, (size_t)total, rows->bytes));
  rows->room = total;
  return PLAIT_OK;
}

static plait_err receive_all(pl_comm *comm, pl_rows *rows, const int64_t counts[]) {
  for (int r = 1; r < pl_comm_size(comm); r++) {
    pl_request request = {0};
    if (counts[r] == 0) continue;
    TRY(pl_comm_receive(comm, pl_rows_at(rows, rows->n), (size_t)counts[r] * rows->bytes, r, TAG,
                        &request));
    TRY(pl_comm_wait(comm, &request, 1));
    rows->n += counts[r];
  }
  return PLAIT_OK;
}

plait_err pl_rows_gather(pl_comm *comm, pl_rows *rows) {
  bool root = pl_comm_rank(comm) == 0;
  int64_t *counts = NULL;
  plait_err err = pl_alloc((size_t)pl_comm_size(comm), sizeof *counts, &counts);
  GUARD(pl_comm_agree(comm, err));
  GUARD(pl_comm_allgather(comm, &rows->n, sizeof rows->n, counts));
  GUARD(pl_comm_agree(comm, root ? make_room(comm, rows, counts) : PLAIT_OK));
  if (root) {
    err = receive_all(comm, rows, counts);
  } else if (rows->n > 0) {
    pl_request request = {0};
    err = pl_comm_send(comm, rows->at, (size_t)rows->n * rows->bytes, 0, TAG, &request);
    if (err == PLAIT_OK) err = pl_comm_wait(comm, &request, 1);
  }
  GUARD(pl_comm_agree(comm, err));
  if (root && rows->n > 1) qsort(rows->at, (size_t)rows->n, rows->bytes, by_number);
done:
  pl_free(&counts);
  return err;
}

void pl_rows_free(pl_rows *rows) {
  pl_free(&rows->at);
  *rows = (pl_rows){0};
}
