// SPDX-License-Identifier: BSD-3-Clause
//
// plait describe KERNEL: its parameters, from the table that also checks the job files.
#include "command/commands.h"
#include "engine/registry.h"

typedef struct options {
  int format;
} options;

static const pl_option table[] = {PL_OPTION_FORMAT(options), {0}};

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  const plait_kernel *kernel;
  TRY(pl_kernel_named(cli->args[0], &kernel));
  if (o->format == PL_FORMAT_JSON) {
    pl_json json = {0};
    pl_kernel_describe_json(kernel, &json);
    return pl_print_json(&json);
  }
  pl_text text = {0};
  pl_kernel_describe(kernel, &text);
  return pl_print_text(&text);
}

const pl_command pl_command_describe = {
    .name = "describe",
    .arguments = "KERNEL",
    .summary = "Explains a kernel and its parameters",
    .details = "KERNEL is a name that 'plait kernels' lists, or the path of an object: ./FILE.so\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
