// SPDX-License-Identifier: BSD-3-Clause
//
// plait info FILE[:VAR]: what a file says about its arrays, from headers alone; and its single
// values.
#include "base/log.h"
#include "base/mem.h"
#include "command/commands.h"
#include "command/voice.h"
#include "data/dataset.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
  int format;
} options;

static const pl_option table[] = {PL_OPTION_FORMAT(options), {0}};

static void free_names(char **names) {
  for (char **n = names; n && *n; n++) pl_free(n);
  pl_free(&names);
}

static const pl_format *claimed_by(const char *path) {
  unsigned char head[512] = {0};
  ssize_t got = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) {
    got = pread(fd, head, sizeof head, 0);
    close(fd);
  }
  for (int i = 0; pl_formats[i]; i++)
    if (pl_formats[i]->claims(path, head, got > 0 ? (size_t)got : 0)) return pl_formats[i];
  return NULL;
}

// No list (error of a broken file, an array without a name): opening the spec itself tells.
static plait_err find_names(const char *spec, char ***names) {
  char *path = NULL, *variable = NULL;
  *names = NULL;
  TRY(pl_spec_split(spec, &path, &variable));
  const pl_format *format = variable && *variable ? NULL : claimed_by(path);
  if (format && format->list && format->list(path, names) != PLAIT_OK) *names = NULL;
  pl_free(&path);
  pl_free(&variable);
  return PLAIT_OK;
}

static void add_dims(const pl_meta *m, pl_text *out) {
  pl_text_add(out, "  shape     ");
  pl_add_shape(out, m->ndim, m->shape);
  for (int d = 0; d < m->ndim; d++)
    pl_text_add(out, "%s%s%s", d ? ", " : " (", m->dims[d], m->unlimited[d] ? " unlimited" : "");
  pl_text_add(out, m->ndim ? ")\n" : "\n");
}

static void add_axes(const pl_meta *m, pl_text *out) {
  for (int d = 0; d < m->ndim; d++) {
    char first[32], last[32];
    if (!m->axis_coord[d] || m->shape[d] < 1) continue;
    pl_format_real(m->axis_coord[d][0], first);
    pl_format_real(m->axis_coord[d][m->shape[d] - 1], last);
    plait_array a;
    pl_meta_array(m, &a);
    pl_text_add(out, "  %-9s %s .. %s %s\n", m->dims[d], first, last, a.coord_units[d]);
  }
}

static void add_storage(const pl_dataset *data, pl_text *out) {
  const pl_meta *m = &data->meta;
  char stored[32], text[32], offset[32];
  pl_format_size(pl_dataset_file_bytes(data), stored);
  pl_text_add(out, "  stored    %s in the file", stored);
  if (m->chunked) {
    pl_text_add(out, ", in chunks of ");
    pl_add_shape(out, m->ndim, m->chunk);
  }
  pl_text_add(out, "\n");
  if (m->packed) {
    pl_format_real(m->scale, text);
    pl_format_real(m->offset, offset);
    pl_text_add(out, "  packed    as %s: value = stored * %s + %s\n", plait_type_name(m->stored),
                text, offset);
  }
  for (int i = 0; i < m->nmissing; i++)
    pl_text_add(out, m->stored == PLAIT_F32 ? "%s%.7g%s" : "%s%.15g%s", i ? ", " : "  missing   ",
                m->missing[i], i + 1 < m->nmissing ? "" : "\n");
}

// As it would be asked for: "group/name" in a file with groups.
static const char *full_name(const pl_dataset *data) {
  const char *rest = data->spec + strlen(data->path);
  return *rest == ':' && strchr(rest, '/') ? rest + 1 + (rest[1] == '/') : data->meta.name;
}

static void add_array(const pl_dataset *data, pl_text *out) {
  const pl_meta *m = &data->meta;
  const char *units = pl_attr_text(&m->attrs, "units");
  const char *long_name = pl_attr_text(&m->attrs, "long_name");
  pl_text_add(out, "%s: %s%s%s%s%s\n", full_name(data), plait_type_name(m->type),
              *units ? ", in " : "", units, *long_name ? ", " : "", long_name);
  add_dims(m, out);
  add_axes(m, out);
  add_storage(data, out);
}

static void json_storage(const pl_dataset *data, pl_json *j) {
  const pl_meta *m = &data->meta;
  pl_json_int(j, "file_bytes", pl_dataset_file_bytes(data));
  if (m->chunked) pl_json_shape(j, "chunk", m->ndim, m->chunk);
  if (m->packed) {
    pl_json_real(j, "scale_factor", m->scale);
    pl_json_real(j, "add_offset", m->offset);
  }
  pl_json_open(j, "missing", '[');
  for (int i = 0; i < m->nmissing; i++) pl_json_real(j, NULL, m->missing[i]);
  pl_json_close(j, ']');
}

static void json_axes(const pl_meta *m, pl_json *j) {
  plait_array a;
  pl_meta_array(m, &a);
  pl_json_open(j, "axes", '[');
  for (int d = 0; d < m->ndim; d++) {
    pl_json_open(j, NULL, '{');
    pl_json_string(j, "name", m->dims[d]);
    pl_json_int(j, "length", m->shape[d]);
    pl_json_bool(j, "unlimited", m->unlimited[d]);
    if (m->axis_coord[d] && m->shape[d] > 0) {
      pl_json_real(j, "first", m->axis_coord[d][0]);
      pl_json_real(j, "last", m->axis_coord[d][m->shape[d] - 1]);
      pl_json_string(j, "units", a.coord_units[d]);
    }
    pl_json_close(j, '}');
  }
  pl_json_close(j, ']');
}

static void json_array(const pl_dataset *data, pl_json *j) {
  const pl_meta *m = &data->meta;
  pl_json_open(j, NULL, '{');
  pl_json_string(j, "name", full_name(data));
  pl_json_string(j, "type", plait_type_name(m->type));
  pl_json_string(j, "stored_type", plait_type_name(m->stored));
  pl_json_string(j, "units", pl_attr_text(&m->attrs, "units"));
  pl_json_string(j, "long_name", pl_attr_text(&m->attrs, "long_name"));
  pl_json_shape(j, "shape", m->ndim, m->shape);
  json_axes(m, j);
  json_storage(data, j);
  pl_json_close(j, '}');
}

typedef struct answer {
  pl_text text;
  pl_json json;
  int arrays; // described so far
} answer;

static void begin(const char *path, const pl_format *format, answer *a) {
  pl_text_add(&a->text, "%s: %s\n", path, format->name);
  pl_json_string(&a->json, "file", path);
  pl_json_string(&a->json, "format", format->name);
  pl_json_open(&a->json, "arrays", '[');
}

static plait_err describe(const char *spec, answer *a) {
  pl_dataset *data = NULL;
  TRY(pl_dataset_open(spec, &data));
  if (!a->arrays++) begin(data->path, data->format, a);
  add_array(data, &a->text);
  json_array(data, &a->json);
  pl_dataset_close(&data);
  return PLAIT_OK;
}

// Coordinates are shown with the arrays that they belong to, and left out as arrays of their own
// (unless there is nothing else).
static void drop_coordinates(const char *spec, char **names) {
  int kept = 0;
  for (int i = 0; names[i]; i++) {
    pl_text one = {0};
    pl_dataset *data = NULL;
    pl_text_add(&one, "%s:%s", spec, names[i]);
    bool is_axis = !one.failed && pl_dataset_open(one.at, &data) == PLAIT_OK &&
                   data->meta.ndim == 1 && !strcmp(data->meta.dims[0], names[i]);
    bool last = !kept && !names[i + 1];
    pl_dataset_close(&data);
    pl_text_free(&one);
    if (is_axis && !last)
      pl_free(&names[i]);
    else if (kept++ != i) {
      names[kept - 1] = names[i];
      names[i] = NULL;
    }
  }
}

// ---- single values --------------------------------------------------------------------------
static void add_scalar(const char *name, const pl_scalar *s, answer *a) {
  char value[32];
  pl_format_real(s->value, value);
  pl_text_add(&a->text, "%s: %s = %s%s%s%s%s\n", name, plait_type_name(s->type), value,
              *s->units ? " " : "", s->units, *s->long_name ? ", " : "", s->long_name);
  pl_json_open(&a->json, NULL, '{');
  pl_json_string(&a->json, "name", name);
  pl_json_string(&a->json, "type", plait_type_name(s->type));
  pl_json_string(&a->json, "units", s->units);
  pl_json_string(&a->json, "long_name", s->long_name);
  pl_json_real(&a->json, "value", s->value);
  pl_json_close(&a->json, '}');
}

// One that cannot be read does not hide the others.
static void describe_scalar(const char *path, const char *name, answer *a) {
  pl_text one = {0};
  pl_scalar scalar;
  pl_text_add(&one, "%s:%s", path, name);
  if (!one.failed && pl_dataset_scalar(one.at, &scalar) == PLAIT_OK)
    add_scalar(name, &scalar, a);
  else
    pl_log(PL_LOG_WARNING, "%s", pl_message());
  pl_text_free(&one);
}

// Those of the whole file; of FILE:VAR the one, unless it was described as an array. Finds none
// where the file cannot be read: whoever looked for arrays has said so.
static bool find_scalars(const char *path, const char *variable, answer *a, char ***names) {
  pl_scalar scalar;
  pl_text one = {0};
  if (!*variable) return pl_dataset_scalars(path, names) == PLAIT_OK && *names && **names;
  pl_text_add(&one, "%s:%s", path, variable);
  bool found = !a->arrays && !one.failed && pl_dataset_scalar(one.at, &scalar) == PLAIT_OK;
  pl_text_free(&one);
  return found;
}

// `err`: of looking for arrays; remains what it was when there are no single values either.
static plait_err describe_scalars(const char *spec, plait_err err, answer *a) {
  char *path = NULL, *variable = NULL, **names = NULL, message[PL_MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s", pl_message());
  TRY(pl_spec_split(spec, &path, &variable));
  bool found = find_scalars(path, variable, a, &names);
  if (found && !a->arrays) begin(path, claimed_by(path), a);
  if (found || a->arrays) {
    err = PLAIT_OK;
    pl_json_close(&a->json, ']');
    pl_json_open(&a->json, "values", '[');
    for (char **n = names; n && *n; n++) describe_scalar(path, *n, a);
    if (found && !names) describe_scalar(path, variable, a);
  } else {
    pl_message_set(message);
  }
  free_names(names);
  pl_free(&path);
  pl_free(&variable);
  return err;
}

static plait_err describe_one(const char *spec, const char *name, answer *a) {
  pl_text one = {0};
  pl_text_add(&one, "%s:%s", spec, name);
  plait_err err =
      one.failed ? plait_fail(PLAIT_MEMORY, "no memory for a name") : describe(one.at, a);
  pl_text_free(&one);
  return err;
}

// An array that plait cannot read (text, compound types) does not hide the others.
static plait_err describe_all(const char *spec, char **names, answer *a) {
  plait_err err = PLAIT_OK;
  if (names && names[0]) drop_coordinates(spec, names);
  if (!names || !names[0]) return describe(spec, a);
  if (!names[1]) return describe_one(spec, names[0], a);
  for (; *names; names++) {
    plait_err this = describe_one(spec, *names, a);
    if (this == PLAIT_MEMORY) return this;
    if (this != PLAIT_OK) {
      err = this;
      pl_log(PL_LOG_WARNING, "%s", pl_message());
    }
  }
  return a->arrays ? PLAIT_OK : err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  char **names;
  answer a = {0};
  pl_voice voice = {0};
  pl_voice_start(&voice);
  TRY(find_names(cli->args[0], &names));
  pl_json_open(&a.json, NULL, '{');
  pl_json_int(&a.json, "schema_version", 1);
  plait_err err = describe_all(cli->args[0], names, &a);
  err = describe_scalars(cli->args[0], err, &a);
  free_names(names);
  if (err == PLAIT_OK) {
    pl_json_close(&a.json, ']');
    pl_json_close(&a.json, '}');
    err = o->format == PL_FORMAT_JSON ? pl_print_json(&a.json) : pl_print_text(&a.text);
  }
  pl_text_free(&a.text);
  pl_text_free(&a.json.text);
  pl_voice_stop();
  return err;
}

const pl_command pl_command_info = {
    .name = "info",
    .arguments = "FILE[:VAR]",
    .summary = "Shows the arrays of a file (shape, type, axes, storage) and its single values",
    .details = "Of arrays it reads headers only. Without VAR everything in the file is shown.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
