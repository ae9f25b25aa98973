// SPDX-License-Identifier: BSD-3-Clause
//
// Axes by name: a job is read before its input is open, so the words wait in pl_keep and are
// resolved here. A word is the name of an axis, else its number (negative from the end), else
// "all".
#include "engine/params.h"

#include <stdio.h>
#include <string.h>

static int axis_of(const plait_array *input, const char *word) {
  int64_t number;
  for (int i = 0; i < input->ndim; i++) {
    if (strcmp(input->dims[i], word) == 0) return i;
  }
  if (!pl_parse_int(word, &number)) return -1;
  if (number < -input->ndim || number >= input->ndim) return -1;
  return (int)(number < 0 ? number + input->ndim : number);
}

static void report_unknown(const pl_note *note, const pl_yaml *word, const plait_array *input,
                           pl_issues *issues) {
  const char *names[PLAIT_DIMS + 1] = {NULL};
  char list[512] = "";
  for (int i = 0; i < input->ndim; i++) {
    names[i] = input->dims[i];
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%.60s", i > 0 ? ", " : "", names[i]);
  }
  const char *near = pl_nearest(word->text, names);
  pl_issue(issues, word->mark, "'%s': the input has no axis '%.60s', only %s%s%s%s", note->name,
           word->text, list, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void mark_word(const pl_note *note, const pl_yaml *word, const plait_array *input,
                      pl_issues *issues, bool chosen[PLAIT_DIMS]) {
  int axis = axis_of(input, word->text);
  if (axis < 0 && strcmp(word->text, "all") == 0) {
    for (int i = 0; i < input->ndim; i++) chosen[i] = true;
  } else if (axis < 0) {
    report_unknown(note, word, input, issues);
  } else if (chosen[axis]) {
    pl_issue(issues, word->mark, "'%s' names the axis '%.60s' twice", note->name,
             input->dims[axis]);
  } else {
    chosen[axis] = true;
  }
}

static void resolve(const pl_note *note, const plait_array *input, pl_issues *issues) {
  plait_axes *axes = note->value;
  bool chosen[PLAIT_DIMS] = {false};
  for (int i = 0; i < note->n; i++) mark_word(note, note->words[i], input, issues, chosen);
  axes->n = 0;
  for (int i = 0; i < input->ndim; i++) {
    if (chosen[i]) axes->axis[axes->n++] = i;
  }
}

// Called again with another input it resolves anew.
plait_err pl_axes_bind(pl_keep *keep, const plait_array *input, pl_issues *issues) {
  if (!input && keep->axes) {
    return plait_fail(PLAIT_BUG, "'%s': a kernel without input cannot have axes", keep->axes->name);
  }
  for (const pl_note *note = keep->axes; note; note = note->next) resolve(note, input, issues);
  return PLAIT_OK;
}
