// SPDX-License-Identifier: BSD-3-Clause
//
// Journal and checkpoints in full, as JSON.
#include "command/resume_dump.h"
#include "command/cli.h"
#include <inttypes.h>
#include <stdio.h>

static void json_hash(pl_json *out, const char *key, uint64_t hash) {
  char text[20];
  snprintf(text, sizeof text, "%016" PRIx64, hash);
  pl_json_string(out, key, text);
}

static void json_records(const pl_journal_found *j, pl_json *out) {
  pl_json_open(out, "results", '[');
  for (int64_t i = 0; i < j->nruns; i++) {
    pl_json_open(out, NULL, '{');
    pl_json_int(out, "first", j->runs[i].first);
    pl_json_int(out, "count", j->runs[i].count);
    json_hash(out, "hash", j->runs[i].hash);
    pl_json_close(out, '}');
  }
  pl_json_close(out, ']');
  pl_json_open(out, "partials", '[');
  for (int64_t i = 0; i < j->nnodes; i++) {
    const pl_journal_node *node = &j->nodes[i];
    pl_json_open(out, NULL, '{');
    pl_json_int(out, "tile", node->tile);
    pl_json_int(out, "level", node->level);
    pl_json_int(out, "index", node->index);
    pl_json_int(out, "pass", pl_pass_number(node->pass));
    pl_json_int(out, "bytes", node->at.bytes);
    json_hash(out, "hash", node->at.hash);
    pl_json_close(out, '}');
  }
  pl_json_close(out, ']');
}

void pl_dump_journal(const pl_journal_found *j, pl_json *out) {
  pl_json_open(out, "journal", '{');
  pl_json_bool(out, "exists", j->exists);
  pl_json_bool(out, "readable", j->readable);
  pl_json_bool(out, "complete", j->complete);
  pl_json_bool(out, "torn", j->torn);
  pl_json_int(out, "bytes", j->file_bytes);
  pl_json_int(out, "records", j->records);
  pl_json_int(out, "damaged", j->damaged);
  pl_json_int(out, "pass", pl_pass_number(j->pass));
  json_hash(out, "id", j->id);
  pl_json_string(out, "identity", j->identity ? j->identity : "");
  pl_json_shape(out, "shape", j->cut.ndim, j->cut.shape);
  pl_json_shape(out, "block", j->cut.ndim, j->cut.extent);
  json_records(j, out);
  pl_json_close(out, '}');
}

static void json_parts(const pl_checkpoint_table *t, pl_json *out) {
  pl_json_open(out, "parts", '[');
  for (int64_t i = 0; i < t->head.nparts; i++) {
    pl_checkpoint_part part = pl_checkpoint_part_of(t, i);
    int ndim = (int)t->what.array[part.array].ndim;
    pl_json_open(out, NULL, '{');
    pl_json_string(out, "array", t->what.array[part.array].name);
    pl_json_shape(out, "first", ndim, part.lo);
    pl_json_shape(out, "shape", ndim, part.n);
    json_hash(out, "hash", part.hash);
    pl_json_close(out, '}');
  }
  pl_json_close(out, ']');
}

static void json_table(const pl_checkpoint_table *t, pl_json *out) {
  pl_json_int(out, "serial", t->head.serial);
  pl_json_int(out, "step", t->head.step);
  pl_json_bool(out, "complete", t->complete);
  pl_json_int(out, "extra_bytes", t->head.extra_bytes);
  pl_json_string(out, "identity", pl_checkpoint_identity(t));
  pl_json_open(out, "arrays", '[');
  for (int i = 0; i < t->what.narrays; i++) {
    const pl_checkpoint_array *a = &t->what.array[i];
    pl_json_open(out, NULL, '{');
    pl_json_string(out, "name", a->name);
    pl_json_int(out, "cell_bytes", a->cell);
    pl_json_shape(out, "shape", (int)a->ndim, a->shape);
    pl_json_close(out, '}');
  }
  pl_json_close(out, ']');
  json_parts(t, out);
}

void pl_dump_checkpoints(const pl_checkpoints_seen *seen, pl_json *out) {
  pl_json_open(out, "checkpoints", '[');
  for (int i = 0; i < 2; i++) {
    const pl_checkpoint_table *t = &seen->file[i];
    pl_json_open(out, NULL, '{');
    pl_json_string(out, "file", seen->path[i]);
    pl_json_bool(out, "exists", t->exists);
    pl_json_bool(out, "readable", t->good);
    pl_json_string(out, "damage", seen->bad[i] ? seen->bad[i] : "");
    if (t->good) json_table(t, out);
    pl_json_close(out, '}');
  }
  pl_json_close(out, ']');
}
