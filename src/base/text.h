// SPDX-License-Identifier: BSD-3-Clause
//
// Text: a growing string, sizes and times as people write them, the nearest known name, JSON out.
#ifndef PL_TEXT_H
#define PL_TEXT_H
#include "plait.h"

typedef struct pl_text { // zero-initialised is empty; `at` is NULL or zero-terminated; *owned*
  char *at;
  size_t length, room;
  bool failed; // an allocation failed: the text is cut, check once at the end
} pl_text;
void pl_text_add(pl_text *text, const char *format, ...) PLAIT_PRINTF(2, 3);
void pl_text_add_csv(pl_text *text, const char *field); // quoted where CSV asks for it (RFC 4180)
void pl_text_free(pl_text *text);

// Bytes of the UTF-8 sequence at `at`, 0 when it is none (overlong forms and surrogates are none).
int pl_utf8_length(const char *at);

// "2 GiB", "512MiB", "1e6", "4 KB" (1000), "4K" (1024) -> bytes. false when not a size.
bool pl_parse_size(const char *text, int64_t *bytes);
// "10 min", "90 s", "2h", "1 d", "01:30:00" -> seconds. A bare number is seconds.
bool pl_parse_time(const char *text, double *seconds);
// Characters of the number at the head of `text`, 0 when there is none: 4 of "1e-3 m".
size_t pl_number_length(const char *text);
bool pl_parse_int(const char *text, int64_t *value); // whole text; 1e6 and 10_000 allowed
bool pl_parse_real(const char *text, double *value); // whole text, C locale; no nan, no inf
void pl_format_size(int64_t bytes, char out[32]);    // "1.07 GiB"
void pl_format_time(double seconds, char out[32]);   // "12.3 ms", "3 min 20 s", "2 h 05 min"
void pl_format_real(double value, char out[32]); // shortest text that reads back to the same bits

// Whether `word`, `n` bytes, is one of the words of `list`, which are separated by blanks.
bool pl_listed(const char *list, const char *word, size_t n);
// The name of `names` (NULL-terminated) that is nearest to `word`; NULL when none is near enough to
// be a slip of the pen (Damerau-Levenshtein distance <= 1 + length / 4), else the only one that
// begins with `word`.
const char *pl_nearest(const char *word, const char *const *names);
// The same for a slip of `most` letters, and nothing else.
const char *pl_nearest_within(const char *word, int most, const char *const *names);
// Whether `word` stands in `text` between other characters than letters.
bool pl_has_word(const char *text, const char *word);

// JSON writer: commas and indentation are its business. Strings are escaped, NaN becomes null.
typedef struct pl_json {
  pl_text text;
  int depth;
  bool first; // nothing stands in the open bracket yet
} pl_json;
void pl_json_open(pl_json *json, const char *key, char bracket); // '{' or '['; key NULL in '['
void pl_json_close(pl_json *json, char bracket);                 // '}' or ']'
void pl_json_string(pl_json *json, const char *key, const char *value);
void pl_json_int(pl_json *json, const char *key, int64_t value);
void pl_json_real(pl_json *json, const char *key, double value);
void pl_json_bool(pl_json *json, const char *key, bool value);
#endif
