// SPDX-License-Identifier: BSD-3-Clause
//
// Parameter tables at work: tree -> checked struct -> text again. Whatever a section of a job may
// contain is said by its table (plait_param) alone.
#ifndef PL_PARAMS_H
#define PL_PARAMS_H
#include "base/text.h"
#include "engine/yaml.h"

// What a parameter struct points to, and where axes and files were named: a struct has room for
// resolved numbers and paths only, but axes are checked later and the echo writes what was given.
typedef struct pl_keep {
  pl_arena arena;
  const char *path, *command; // for errors, see pl_issues
  struct pl_note *axes, *files, *last_axes;
} pl_keep;

typedef struct pl_note {
  void *value;      // the plait_axes or the const char * in the struct
  const char *name; // "params.axes"
  int n;
  const struct pl_yaml **words; // axes: as given
  const char *echo;             // file: as it would stand in the job file
  struct pl_note *next;
} pl_note;

typedef struct pl_job_marks { // where a job names its input and its parameters
  pl_mark input, params;
  const pl_yaml *map; // `params` as given, in the arena of the job; NULL: none are
} pl_job_marks;

typedef struct pl_reader { // how to read; *borrows* all
  pl_keep *keep;
  pl_issues *issues;
  const char *dir; // relative paths of the file are relative to this
} pl_reader;

// Reads the mapping `map` (NULL: absent) by `table` into `params`, defaults included. `prefix` is
// "params." or "". Missing parameters are reported at `mark`. Mistakes go to the issues; returns
// PLAIT_MEMORY, or PLAIT_BUG for a default that its own table refuses.
plait_err pl_params_read(const pl_reader *reader, const plait_param *table, const char *prefix,
                         const pl_yaml *map, pl_mark mark, void *params);
// The same without a word about keys that the table does not know.
plait_err pl_params_fill(const pl_reader *reader, const plait_param *table, const char *prefix,
                         const pl_yaml *map, pl_mark mark, void *params);

// One value of one parameter into `out` (value.c).
plait_err pl_value_read(const pl_reader *reader, const plait_param *param, const char *name,
                        const pl_yaml *node, void *out);

// The struct as YAML, `indent` blanks before each line. Loads again to the same struct.
void pl_params_echo(const plait_param *table, const void *params, const pl_keep *keep, int indent,
                    pl_text *out);
void pl_param_echo(const plait_param *param, const void *value, const pl_keep *keep, pl_text *out);
void pl_echo_string(pl_text *out, const char *text); // quoted where YAML needs it
const char *pl_param_type(const plait_param *param); // "number", "list of axes", for people

// Resolves all axes that `keep` knows (axes.c). NULL input: there must be none.
plait_err pl_axes_bind(pl_keep *keep, const plait_array *input, pl_issues *issues);

// FILE or FILE:VAR in a job -> path to open (relative to the working directory), and as it would
// stand in the job file.
plait_err pl_file_place(const pl_reader *reader, const char *text, pl_origin origin,
                        const char **path, const char **echo);
bool pl_file_is_path(const char *text); // not "null:", not "generate:.."

// Puts "KEY=VALUE" or "SECTION.KEY=VALUE", in order, into the tree of a job (override.c).
plait_err pl_overrides_apply(const pl_reader *reader, pl_yaml *root, int n,
                             const char *const overrides[]);
void pl_keep_free(pl_keep **keep);
#endif
