// SPDX-License-Identifier: BSD-3-Clause
//
// What the commands share: a command is a table row with a table of options; parsing, help and the
// one document on stdout are done here once. A command returns an error, main prints it and exits.
#ifndef PL_CLI_H
#define PL_CLI_H
#include "base/err.h"
#include "base/text.h"
#include "host/launch.h"

typedef enum pl_option_kind {
  PL_OPTION_FLAG,   // bool
  PL_OPTION_TEXT,   // const char *, NULL when not given
  PL_OPTION_INT,    // int64_t within min..max
  PL_OPTION_CHOICE, // int: index into choices
  PL_OPTION_REPEAT  // pl_words: may be given several times
} pl_option_kind;

typedef struct pl_words {
  int n;
  const char *at[8];
} pl_words;

typedef struct pl_option {
  const char *name; // without the dashes; NULL ends a table
  char letter;      // 0: none
  pl_option_kind kind;
  size_t offset;     // in the options of the command
  const char *value; // how help names the value: "FILE"
  const char *help;  // one line
  int64_t min, max;  // INT
  const char *const *choices;
} pl_option;

typedef struct pl_command pl_command;

typedef struct pl_cli { // a parsed command line; all text *borrows* from argv
  const pl_command *command;
  const void *options; // as the table of the command fills it, zero where not given; *owned*
  int nargs;
  const char *const *args; // *owned*
  bool help;               // --help was given: nothing else counts
  char **argv;             // whole, to execute the program again
  pl_launch launch;
} pl_cli;

struct pl_command {
  const char *name;
  const char *arguments; // "JOB [key=value ...]"
  const char *summary;   // one line for `plait help`
  const char *details;   // paragraphs for `plait help NAME`; "" none
  const pl_option *options;
  size_t options_size;
  int min_args, max_args; // max_args -1: any number
  bool on_all_ranks;      // false: rank 0 alone does it and MPI is not started
  plait_err (*run)(const pl_cli *cli);
};
extern const pl_command *const pl_commands[]; // NULL-terminated, in the order of help

extern const char *const pl_formats_of_text[]; // "text", "json", NULL: the choices of --format
enum { PL_FORMAT_TEXT, PL_FORMAT_JSON };
#define PL_OPTION_FORMAT(type)                                                                     \
  {                                                                                                \
    "format", 0, PL_OPTION_CHOICE, offsetof(type, format), "text|json",                            \
        "form of the result on stdout", 0, 0, pl_formats_of_text                                   \
  }

const pl_command *pl_command_find(const char *name); // NULL when unknown
const char *pl_command_nearest(const char *name);    // NULL when none is near

// Options and arguments may be mixed, "--" ends the options, "--name value" and "--name=value" are
// the same. PLAIT_USAGE with one line, the nearest known name in it.
plait_err pl_cli_parse(const pl_command *command, int argc, char **argv, pl_cli *cli);
void pl_cli_free(pl_cli *cli);

void pl_help_program(pl_text *out);
void pl_help_command(const pl_command *command, pl_text *out);

// Prints the document on stdout, ends it with a newline, and frees it. PLAIT_IO when stdout is full
// or closed, PLAIT_MEMORY when the text could not be built.
plait_err pl_print_text(pl_text *text);
plait_err pl_print_json(pl_json *json);

// "1081 x 2160"
void pl_add_shape(pl_text *out, int ndim, const int64_t shape[]);
void pl_json_shape(pl_json *out, const char *key, int ndim, const int64_t shape[]);
#endif
