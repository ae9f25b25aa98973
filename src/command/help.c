// SPDX-License-Identifier: BSD-3-Clause
//
// plait help [COMMAND], and the text of every --help. Written from the tables of the commands, so
// that no option can be missing in it.
#include "command/cli.h"
#include "command/commands.h"
#include <stdio.h>

static void add_exit_codes(pl_text *out) {
  static const char *const meaning[][2] = {
      {"0", "done"},
      {"1", "failed while running (disk, memory, communication, a computation that went wrong)"},
      {"2", "wrong command line, job, input (its values, too) or output: there is no result"},
      {"3", "verification failed, or the doctor found a problem"},
      {"75", "stopped early by a signal or the end of the allocation; can be resumed"},
  };
  pl_text_add(out, "\nExit codes:\n");
  for (size_t i = 0; i < sizeof meaning / sizeof *meaning; i++)
    pl_text_add(out, "  %-3s %s\n", meaning[i][0], meaning[i][1]);
}

void pl_help_program(pl_text *out) {
  pl_text_add(out, "plait " PLAIT_VERSION
                   " - numeric kernels over arrays that are bigger than memory\n\n"
                   "Usage: plait COMMAND ...\n\nCommands:\n");
  for (int i = 0; pl_commands[i]; i++)
    pl_text_add(out, "  %-9s %s\n", pl_commands[i]->name, pl_commands[i]->summary);
  pl_text_add(out, "\n'plait help COMMAND' explains a command. A first job:\n"
                   "  plait run jobs/relief-smooth.yaml\n"
                   "  mpirun -np 4 plait run jobs/relief-smooth.yaml\n");
  add_exit_codes(out);
}

static void add_option(pl_text *out, const pl_option *o) {
  char left[64];
  const char *value = o->value ? o->value : "";
  int n = 0;
  if (o->letter) n = snprintf(left, sizeof left, "-%c, ", o->letter);
  snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", o->name, *value ? " " : "", value);
  pl_text_add(out, "  %-22s %s\n", left, o->help);
}

void pl_help_command(const pl_command *command, pl_text *out) {
  static const pl_option help = {.name = "help", .letter = 'h', .help = "this text"};
  const char *options = command->options && command->options->name ? " [OPTION ...]" : "";
  pl_text_add(out, "Usage: plait %s%s%s%s\n\n%s.\n", command->name, options,
              *command->arguments ? " " : "", command->arguments, command->summary);
  if (*command->details) pl_text_add(out, "\n%s", command->details);
  pl_text_add(out, "\nOptions:\n");
  for (const pl_option *o = command->options; o && o->name; o++) add_option(out, o);
  add_option(out, &help);
  add_exit_codes(out);
}

static plait_err run(const pl_cli *cli) {
  pl_text text = {0};
  if (!cli->nargs) {
    pl_help_program(&text);
    return pl_print_text(&text);
  }
  const pl_command *command = pl_command_find(cli->args[0]);
  if (!command) return pl_unknown_command(cli->args[0]);
  pl_help_command(command, &text);
  return pl_print_text(&text);
}

const pl_command pl_command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "Explains plait or one of its commands",
    .details = "",
    .max_args = 1,
    .run = run,
};
