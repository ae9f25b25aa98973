// SPDX-License-Identifier: BSD-3-Clause
//
// plait: finds the command, reads its command line, runs it; prints the error and exits. Nothing
// below src/command does either. Under a launcher rank 0 alone speaks, and a command that does not
// compute runs on rank 0 alone, without MPI.
#include "command/commands.h"
#include "command/voice.h"
#include <string.h>

const pl_command *const pl_commands[] = {
    &pl_command_run,      &pl_command_check,       &pl_command_compare, &pl_command_plan,
    &pl_command_report,   &pl_command_resume_info, &pl_command_doctor,  &pl_command_kernels,
    &pl_command_describe, &pl_command_info,        &pl_command_view,    &pl_command_verify,
    &pl_command_slurm,    &pl_command_version,     &pl_command_help,    NULL,
};

plait_err pl_unknown_command(const char *name) {
  const char *near = pl_command_nearest(name);
  if (near) return plait_fail(PLAIT_USAGE, "unknown command '%s'; did you mean '%s'?", name, near);
  return plait_fail(PLAIT_USAGE, "unknown command '%s'; 'plait help' lists them", name);
}

static plait_err find(const char *word, const pl_command **command) {
  static const char *const options[] = {"--help", "--version", NULL};
  if (!strcmp(word, "--help") || !strcmp(word, "-h"))
    word = "help";
  else if (!strcmp(word, "--version") || !strcmp(word, "-V"))
    word = "version";
  *command = pl_command_find(word);
  if (*command) return PLAIT_OK;
  if (word[0] != '-') return pl_unknown_command(word);
  const char *near = pl_nearest(word, options);
  if (near) return plait_fail(PLAIT_USAGE, "unknown option '%s'; did you mean '%s'?", word, near);
  return plait_fail(PLAIT_USAGE, "unknown option '%s'; 'plait help' lists the commands", word);
}

static plait_err execute(int argc, char **argv, pl_cli *cli) {
  const pl_command *command;
  if (argc < 2) return plait_fail(PLAIT_USAGE, "no command given; 'plait help' lists the commands");
  TRY(find(argv[1], &command));
  TRY(pl_cli_parse(command, argc - 2, argv + 2, cli));
  bool alone = cli->help || !command->on_all_ranks;
  if (alone && cli->launch.rank > 0) return PLAIT_OK;
  if (!cli->help) return command->run(cli);
  pl_text text = {0};
  pl_help_command(command, &text);
  return pl_print_text(&text);
}

// A wrong command line is found by every rank alone, before MPI. Rank 0 tells it and its exit code
// is the launch's: ended by another one's, mpirun would kill rank 0 before it has spoken.
static int leave(const pl_launch *launch, plait_err err) {
  if (launch->rank > 0) return err == PLAIT_USAGE ? 0 : pl_exit_code(err);
  if (err != PLAIT_OK) pl_voice_error(err);
  return pl_exit_code(err);
}

int main(int argc, char **argv) {
  pl_cli cli = {.argv = argv};
  pl_launch_find(&cli.launch);
  plait_err err = execute(argc, argv, &cli);
  pl_cli_free(&cli);
  return leave(&cli.launch, err);
}
