// SPDX-License-Identifier: BSD-3-Clause
//
// A growing string, and the nearest known name. Doubling the room makes a text of n bytes cost
// O(n).
#include "base/text.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(pl_text *text, size_t more) {
  if (text->failed) return false;
  size_t needed = text->length + more + 1;
  if (needed <= text->room) return true;
  size_t room = text->room > 0 ? text->room : 64;
  while (room < needed) room *= 2;
  text->failed = pl_grow(&text->at, text->at ? text->length + 1 : 0, room, 1) != PLAIT_OK;
  if (!text->failed) text->room = room;
  return !text->failed;
}

void pl_text_add(pl_text *text, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int bytes = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (bytes < 0) text->failed = true;
  if (bytes >= 0 && reserve(text, (size_t)bytes)) {
    vsnprintf(text->at + text->length, (size_t)bytes + 1, format, again);
    text->length += (size_t)bytes;
  }
  va_end(again);
}

void pl_text_add_csv(pl_text *out, const char *text) {
  if (!strpbrk(text, ",\"\n\r")) {
    pl_text_add(out, "%s", text);
    return;
  }
  pl_text_add(out, "\"");
  for (; *text; text++) pl_text_add(out, *text == '"' ? "\"\"" : "%c", *text);
  pl_text_add(out, "\"");
}

void pl_text_free(pl_text *text) {
  pl_free(&text->at);
  *text = (pl_text){0};
}

// Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each; case is
// ignored. Names are short, so three rows on the stack do.
enum { LONGEST = 64 };

static int smaller(int a, int b) {
  return a < b ? a : b;
}
static bool alike(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static int distance(const char *a, int na, const char *b, int nb) {
  int rows[3][LONGEST + 1];
  for (int j = 0; j <= nb; j++) rows[0][j] = j;
  for (int i = 1; i <= na; i++) {
    int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= nb; j++) {
      int replaced = before[j - 1] + !alike(a[i - 1], b[j - 1]);
      now[j] = smaller(replaced, smaller(before[j], now[j - 1]) + 1);
      bool swapped = i > 1 && j > 1 && alike(a[i - 1], b[j - 2]) && alike(a[i - 2], b[j - 1]);
      if (swapped) now[j] = smaller(now[j], earlier[j - 2] + 1);
    }
  }
  return rows[na % 3][nb];
}

// The only name that `word` is the beginning of, "sched" of "schedule"; three letters at least.
static const char *begun(const char *word, size_t length, const char *const *names) {
  const char *found = NULL;
  for (; length >= 3 && *names; names++) {
    if (strncmp(word, *names, length) != 0) continue;
    if (found) return NULL;
    found = *names;
  }
  return found;
}

const char *pl_nearest_within(const char *word, int most, const char *const *names) {
  size_t length = strlen(word);
  if (length == 0 || length > LONGEST) return NULL;
  int best = most;
  const char *found = NULL;
  for (; *names; names++) {
    size_t other = strlen(*names);
    if (other > LONGEST) continue;
    int d = distance(word, (int)length, *names, (int)other);
    if (d > best || (found && d == best) || d >= (int)(length > other ? length : other)) continue;
    best = d;
    found = *names;
  }
  return found;
}

const char *pl_nearest(const char *word, const char *const *names) {
  size_t length = strlen(word);
  if (length == 0 || length > LONGEST) return NULL;
  const char *found = pl_nearest_within(word, 1 + (int)length / 4, names);
  return found ? found : begun(word, length, names);
}

bool pl_has_word(const char *text, const char *word) {
  size_t n = strlen(word);
  for (const char *at = text; n > 0 && (at = strstr(at, word)) != NULL; at += n)
    if ((at == text || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[n]))
      return true;
  return false;
}

bool pl_listed(const char *list, const char *word, size_t n) {
  while (n > 0 && *list != 0) {
    size_t length = strcspn(list, " ");
    if (length == n && memcmp(list, word, n) == 0) return true;
    list += length;
    list += strspn(list, " ");
  }
  return false;
}
