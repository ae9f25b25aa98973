// SPDX-License-Identifier: BSD-3-Clause
//
// JSON out. The writer knows only its depth and whether a value came before: enough for commas and
// indentation. Bytes that are not UTF-8 become U+FFFD, so that the document is always valid.
#include "base/text.h"

#include <math.h>
#include <string.h>

static void new_line(pl_json *json) {
  pl_text_add(&json->text, "\n%*s", 2 * json->depth, "");
}

static void quote(pl_text *text, const char *value);

// Comma, line and key in front of a value.
static void begin(pl_json *json, const char *key) {
  if (json->depth > 0) {
    if (!json->first) pl_text_add(&json->text, ",");
    new_line(json);
  }
  json->first = false;
  if (!key) return;
  quote(&json->text, key);
  pl_text_add(&json->text, ": ");
}

static void end(pl_json *json) {
  if (json->depth == 0) pl_text_add(&json->text, "\n");
}

int pl_utf8_length(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  int n = at[0] < 0x80                    ? 1
          : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
          : (at[0] & 0xf0) == 0xe0        ? 3
          : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                          : 0;
  for (int i = 1; i < n; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool surrogate = at[0] == 0xed && at[1] > 0x9f;
  bool beyond = at[0] == 0xf4 && at[1] > 0x8f;
  return overlong || surrogate || beyond ? 0 : n;
}

static void escape(pl_text *text, unsigned char c) {
  static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  const char *found = strchr(plain, c);
  if (found)
    pl_text_add(text, "\\%c", letters[found - plain]);
  else
    pl_text_add(text, "\\u%04x", c);
}

static void quote(pl_text *text, const char *value) {
  const unsigned char *at = (const unsigned char *)value;
  pl_text_add(text, "\"");
  while (*at) {
    int n = pl_utf8_length((const char *)at);
    if (n == 0)
      pl_text_add(text, "\xef\xbf\xbd");
    else if (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f)
      escape(text, *at);
    else
      pl_text_add(text, "%.*s", n, (const char *)at);
    at += n > 0 ? n : 1;
  }
  pl_text_add(text, "\"");
}

void pl_json_open(pl_json *json, const char *key, char bracket) {
  begin(json, key);
  pl_text_add(&json->text, "%c", bracket);
  json->depth++;
  json->first = true;
}

void pl_json_close(pl_json *json, char bracket) {
  json->depth--;
  if (!json->first) new_line(json);
  pl_text_add(&json->text, "%c", bracket);
  json->first = false;
  end(json);
}

void pl_json_string(pl_json *json, const char *key, const char *value) {
  begin(json, key);
  if (value)
    quote(&json->text, value);
  else
    pl_text_add(&json->text, "null");
  end(json);
}

void pl_json_int(pl_json *json, const char *key, int64_t value) {
  begin(json, key);
  pl_text_add(&json->text, "%lld", (long long)value);
  end(json);
}

void pl_json_real(pl_json *json, const char *key, double value) {
  char number[32] = "null";
  if (isfinite(value)) pl_format_real(value, number);
  begin(json, key);
  pl_text_add(&json->text, "%s", number);
  end(json);
}

void pl_json_bool(pl_json *json, const char *key, bool value) {
  begin(json, key);
  pl_text_add(&json->text, "%s", value ? "true" : "false");
  end(json);
}
