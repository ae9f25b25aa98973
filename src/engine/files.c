// SPDX-License-Identifier: BSD-3-Clause
//
// Where the files of a job lie. Inside the job file relative means: beside the job file; on the
// command line: where the user stands. The echo keeps the first as they are, so that a job and its
// data can move together.
#include "base/mem.h"
#include "base/path.h"
#include "engine/params.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool pl_file_is_path(const char *text) {
  static const char *const schemes[] = {"null:", "generate:", NULL};
  for (int i = 0; schemes[i]; i++) {
    if (strncmp(text, schemes[i], strlen(schemes[i])) == 0) return false;
  }
  return true;
}

static plait_err join(pl_arena *arena, const char *dir, const char *text, const char **out) {
  char *joined;
  TRY(pl_path_join(dir, text, &joined));
  plait_err err = pl_arena_text(arena, joined, out);
  pl_free(&joined);
  return err;
}

static plait_err join_working_dir(pl_arena *arena, const char *text, const char **out) {
  char *dir = getcwd(NULL, 0);
  if (!dir) return pl_fail_errno(PLAIT_IO, "cannot tell the working directory", NULL);
  plait_err err = join(arena, dir, text, out);
  free(dir);
  return err;
}

plait_err pl_file_place(const pl_reader *reader, const char *text, pl_origin origin,
                        const char **path, const char **echo) {
  pl_arena *arena = &reader->keep->arena;
  bool relative = text[0] != '\0' && text[0] != '/' && pl_file_is_path(text);
  bool elsewhere = relative && strcmp(reader->dir, ".") != 0;
  TRY(pl_arena_text(arena, text, path));
  TRY(pl_arena_text(arena, text, echo));
  if (elsewhere && origin == PL_FROM_COMMAND) return join_working_dir(arena, text, echo);
  if (elsewhere) return join(arena, reader->dir, text, path);
  return PLAIT_OK;
}
