// SPDX-License-Identifier: BSD-3-Clause
//
// Command lines read by table (getopt_long would do, but it prints by itself, knows no nearest name
// and keeps its help text elsewhere than its options).
#include "command/cli.h"
#include "base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const pl_formats_of_text[] = {"text", "json", NULL};

const pl_command *pl_command_find(const char *name) {
  for (int i = 0; pl_commands[i]; i++)
    if (!strcmp(pl_commands[i]->name, name)) return pl_commands[i];
  return NULL;
}

const char *pl_command_nearest(const char *name) {
  const char *names[32];
  int n = 0;
  for (; pl_commands[n] && n < 31; n++) names[n] = pl_commands[n]->name;
  names[n] = NULL;
  return pl_nearest(name, names);
}

static const pl_option *by_name(const pl_command *command, const char *name, size_t length) {
  for (const pl_option *o = command->options; o && o->name; o++)
    if (strlen(o->name) == length && !strncmp(o->name, name, length)) return o;
  return NULL;
}

static const pl_option *by_letter(const pl_command *command, char letter) {
  for (const pl_option *o = command->options; o && o->name; o++)
    if (o->letter == letter) return o;
  return NULL;
}

static plait_err unknown_option(const pl_command *command, const char *word) {
  const char *names[32] = {"help"};
  int n = 1;
  for (const pl_option *o = command->options; o && o->name && n < 31; o++) names[n++] = o->name;
  char name[PLAIT_NAME];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
  const char *near = word[1] == '-' ? pl_nearest(name, names) : NULL;
  if (near)
    return plait_fail(PLAIT_USAGE, "unknown option '--%s' of %s; did you mean '--%s'?", name,
                      command->name, near);
  static const char *const keys[] = {"o", "output", "i", "input"};
  for (size_t i = 0; strstr(command->arguments, "key=value") && i < sizeof keys / sizeof *keys; i++)
    if (!strcmp(word + strspn(word, "-"), keys[i]))
      return plait_fail(
          PLAIT_USAGE, "unknown option '%s' of %s: what a job has is given without dashes, %s=FILE",
          word, command->name, *keys[i] == 'o' ? "output" : "input");
  return plait_fail(PLAIT_USAGE, "unknown option '%s' of %s; see 'plait help %s'", word,
                    command->name, command->name);
}

static plait_err set_choice(const pl_option *o, const char *value, int *out) {
  for (int i = 0; o->choices[i]; i++)
    if (!strcmp(o->choices[i], value)) {
      *out = i;
      return PLAIT_OK;
    }
  return plait_fail(PLAIT_USAGE, "--%s must be %s, not '%s'", o->name, o->value, value);
}

static plait_err set_option(const pl_option *o, const char *value, void *options) {
  void *place = (char *)options + o->offset;
  switch (o->kind) {
  case PL_OPTION_FLAG:
    *(bool *)place = true;
    return PLAIT_OK;
  case PL_OPTION_TEXT:
    if (!*value) return plait_fail(PLAIT_USAGE, "--%s needs a value, not an empty one", o->name);
    *(const char **)place = value;
    return PLAIT_OK;
  case PL_OPTION_INT:
    if (pl_parse_int(value, place) && *(int64_t *)place >= o->min && *(int64_t *)place <= o->max)
      return PLAIT_OK;
    return plait_fail(PLAIT_USAGE, "--%s must be a whole number from %lld to %lld, not '%s'",
                      o->name, (long long)o->min, (long long)o->max, value);
  case PL_OPTION_CHOICE:
    return set_choice(o, value, place);
  case PL_OPTION_REPEAT: {
    pl_words *words = place;
    if (words->n == (int)(sizeof words->at / sizeof *words->at))
      return plait_fail(PLAIT_USAGE, "--%s was given too often", o->name);
    words->at[words->n++] = value;
    return PLAIT_OK;
  }
  }
  return plait_fail(PLAIT_BUG, "option '%s' has no kind", o->name);
}

// Reads the option at argv[*i]; moves *i over the value when that is a word of its own.
static plait_err read_option(pl_cli *cli, void *options, int argc, char **argv, int *i) {
  const char *word = argv[*i];
  if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
    cli->help = true;
    return PLAIT_OK;
  }
  bool is_long = word[1] == '-';
  const char *equals = is_long ? strchr(word, '=') : NULL;
  size_t length = equals ? (size_t)(equals - word - 2) : strlen(word) - 2;
  const pl_option *o =
      is_long ? by_name(cli->command, word + 2, length) : by_letter(cli->command, word[1]);
  if (!o) return unknown_option(cli->command, word);
  const char *value = equals ? equals + 1 : !is_long && word[2] ? word + 2 : NULL;
  if (o->kind == PL_OPTION_FLAG) {
    if (value) return plait_fail(PLAIT_USAGE, "--%s takes no value", o->name);
  } else if (!value) {
    if (*i + 1 >= argc) return plait_fail(PLAIT_USAGE, "--%s needs %s", o->name, o->value);
    value = argv[++*i];
  }
  return set_option(o, value, options);
}

static plait_err count_args(const pl_cli *cli) {
  const pl_command *c = cli->command;
  if (cli->nargs < c->min_args)
    return plait_fail(PLAIT_USAGE, "usage: plait %s %s", c->name, c->arguments);
  if (c->max_args >= 0 && cli->nargs > c->max_args)
    return plait_fail(PLAIT_USAGE, "'%s' is one argument too many; usage: plait %s %s",
                      cli->args[c->max_args], c->name, c->arguments);
  return PLAIT_OK;
}

plait_err pl_cli_parse(const pl_command *command, int argc, char **argv, pl_cli *cli) {
  const char **args = NULL;
  void *options = NULL;
  bool ended = false;
  cli->command = command;
  TRY(pl_calloc(1, command->options_size + 1, &options));
  cli->options = options;
  TRY(pl_calloc((size_t)argc + 1, sizeof *args, &args));
  cli->args = args;
  for (int i = 0; i < argc && !cli->help; i++) {
    if (!ended && !strcmp(argv[i], "--"))
      ended = true;
    else if (!ended && argv[i][0] == '-' && argv[i][1])
      TRY(read_option(cli, options, argc, argv, &i));
    else
      args[cli->nargs++] = argv[i];
  }
  return cli->help ? PLAIT_OK : count_args(cli);
}

void pl_cli_free(pl_cli *cli) {
  void *args = (void *)cli->args, *options = (void *)cli->options;
  pl_free(&args);
  pl_free(&options);
  cli->args = NULL;
  cli->options = NULL;
}

plait_err pl_print_text(pl_text *text) {
  plait_err err = PLAIT_OK;
  bool newline = !text->length || text->at[text->length - 1] != '\n';
  if (text->failed)
    err = plait_fail(PLAIT_MEMORY, "no memory for the text of the result");
  else if (fwrite(text->at ? text->at : "", 1, text->length, stdout) != text->length ||
           (newline && putchar('\n') == EOF) || fflush(stdout))
    err = plait_fail(PLAIT_IO, "cannot write to standard output: %s", strerror(errno));
  pl_text_free(text);
  return err;
}

plait_err pl_print_json(pl_json *json) {
  return pl_print_text(&json->text);
}

void pl_add_shape(pl_text *out, int ndim, const int64_t shape[]) {
  if (!ndim) pl_text_add(out, "one value");
  for (int d = 0; d < ndim; d++) pl_text_add(out, d ? " x %lld" : "%lld", (long long)shape[d]);
}

void pl_json_shape(pl_json *out, const char *key, int ndim, const int64_t shape[]) {
  pl_json_open(out, key, '[');
  for (int d = 0; d < ndim; d++) pl_json_int(out, NULL, shape[d]);
  pl_json_close(out, ']');
}
