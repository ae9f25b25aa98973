// SPDX-License-Identifier: BSD-3-Clause
//
// The command line as it was given, without --fresh: that would throw away what is to be continued;
// the same words, quoted for a shell where they need it.
#include "command/continuation.h"
#include <stdio.h>
#include <string.h>

static void add_word(pl_text *out, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_./:=,+-@%^";
  if (*word && strspn(word, plain) == strlen(word)) {
    pl_text_add(out, " %s", word);
    return;
  }
  pl_text_add(out, " '");
  for (; *word; word++) pl_text_add(out, *word == '\'' ? "'\\''" : "%c", *word);
  pl_text_add(out, "'");
}

static void add_launcher(const pl_launch *launch, pl_text *out) {
  if (!launch->launched || launch->size < 1) return;
  if (strcmp(launch->launcher, "srun") == 0)
    pl_text_add(out, " srun");
  else
    pl_text_add(out, " %s -np %d", launch->launcher, launch->size);
}

void pl_add_continuation(const pl_cli *cli, char *message, size_t room) {
  pl_text text = {0};
  size_t n = strlen(message);
  add_launcher(&cli->launch, &text);
  pl_text_add(&text, " plait");
  for (char **word = cli->argv + 1; *word; word++)
    if (strcmp(*word, "--fresh") != 0) add_word(&text, *word);
  if (!text.failed && n < room) snprintf(message + n, room - n, "; continue with:%s", text.at);
  pl_text_free(&text);
}
