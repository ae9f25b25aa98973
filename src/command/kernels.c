// SPDX-License-Identifier: BSD-3-Clause
//
// plait kernels: one line per kernel.
#include "command/commands.h"
#include "engine/object.h"
#include "engine/registry.h"

typedef struct options {
  int format;
} options;

static const pl_option table[] = {PL_OPTION_FORMAT(options), {0}};
static const char *const pattern_name[] = {"map", "reduce", "evolve", "solve"};

plait_err pl_kernel_named(const char *name, const plait_kernel **kernel) {
  if (pl_object_named(name)) return pl_object_load(name, kernel);
  *kernel = pl_kernel_find(name);
  if (*kernel) return PLAIT_OK;
  const char *near = pl_kernel_nearest(name);
  if (near) return plait_fail(PLAIT_USAGE, "unknown kernel '%s'; did you mean '%s'?", name, near);
  return plait_fail(PLAIT_USAGE, "unknown kernel '%s'; 'plait kernels' lists them", name);
}

static plait_err print_json(void) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_open(&j, "kernels", '[');
  for (int i = 0; pl_kernels[i]; i++) {
    pl_json_open(&j, NULL, '{');
    pl_json_string(&j, "name", pl_kernels[i]->name);
    pl_json_string(&j, "pattern", pattern_name[pl_kernels[i]->pattern]);
    pl_json_string(&j, "summary", pl_kernels[i]->summary);
    pl_json_int(&j, "version", pl_kernels[i]->version);
    pl_json_close(&j, '}');
  }
  pl_json_close(&j, ']');
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  if (o->format == PL_FORMAT_JSON) return print_json();
  pl_text text = {0};
  for (int i = 0; pl_kernels[i]; i++)
    pl_text_add(&text, "%-12s %-7s %s\n", pl_kernels[i]->name, pattern_name[pl_kernels[i]->pattern],
                pl_kernels[i]->summary);
  return pl_print_text(&text);
}

const pl_command pl_command_kernels = {
    .name = "kernels",
    .arguments = "",
    .summary = "Lists the kernels",
    .details = "",
    .options = table,
    .options_size = sizeof(options),
    .run = run,
};
