// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers, sizes and times as people write them. strtod and strtoll accept more than a job file
// should (blanks, hexadecimal, nan), so the characters are checked first. plait never calls
// setlocale, so the decimal point is a point.
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_BYTES = 64 };

// Copies the number at the head of `text` without its underscores (allowed between digits only).
// Returns what follows it, NULL when there is no number.
static const char *take_number(const char *text, char number[NUMBER_BYTES]) {
  size_t n = 0;
  bool digits = false;
  for (; *text; text++) {
    char c = *text, last = n > 0 ? number[n - 1] : '\0';
    if (c == '_' && isdigit((unsigned char)last) && isdigit((unsigned char)text[1])) continue;
    bool sign = (c == '-' || c == '+') && (n == 0 || last == 'e' || last == 'E');
    bool exponent = (c == 'e' || c == 'E') && digits &&
                    (isdigit((unsigned char)text[1]) || text[1] == '-' || text[1] == '+');
    if (!sign && !exponent && c != '.' && !isdigit((unsigned char)c)) break;
    digits = digits || isdigit((unsigned char)c);
    if (n + 1 == NUMBER_BYTES) return NULL;
    number[n++] = c;
  }
  number[n] = '\0';
  return digits ? text : NULL;
}

static bool to_real(const char *number, double *value) {
  char *end;
  double result = strtod(number, &end);
  if (*end != '\0' || !isfinite(result)) return false;
  *value = result;
  return true;
}

size_t pl_number_length(const char *text) {
  char number[NUMBER_BYTES];
  const char *end = take_number(text, number);
  return end ? (size_t)(end - text) : 0;
}

bool pl_parse_real(const char *text, double *value) {
  char number[NUMBER_BYTES];
  const char *end = take_number(text, number);
  return end && *end == '\0' && to_real(number, value);
}

bool pl_parse_int(const char *text, int64_t *value) {
  char number[NUMBER_BYTES], *stop;
  const char *end = take_number(text, number);
  if (!end || *end != '\0') return false;
  errno = 0;
  long long exact = strtoll(number, &stop, 10);
  if (*stop == '\0' && errno == 0) {
    *value = exact;
    return true;
  }
  double real; // 1e6, 1.5e3: whole numbers that a double holds exactly
  bool scientific = strpbrk(number, "eE") != NULL;
  if (!scientific || !to_real(number, &real) || real != floor(real)) return false;
  if (fabs(real) > 9007199254740992.0) return false;
  *value = (int64_t)real;
  return true;
}

typedef struct unit {
  const char *name;
  double factor;
} unit;

// Decimal and binary prefixes; a bare letter is binary, as in Slurm and dd.
static const unit size_units[] = {
    {"", 1},      {"B", 1},        {"K", 1024.0}, {"KB", 1e3},  {"KiB", 1024.0}, {"M", 0x1p20},
    {"MB", 1e6},  {"MiB", 0x1p20}, {"G", 0x1p30}, {"GB", 1e9},  {"GiB", 0x1p30}, {"T", 0x1p40},
    {"TB", 1e12}, {"TiB", 0x1p40}, {"P", 0x1p50}, {"PB", 1e15}, {"PiB", 0x1p50}, {NULL, 0},
};

static const unit time_units[] = {
    {"", 1},         {"us", 1e-6}, {"ms", 1e-3},   {"s", 1},        {"sec", 1},  {"second", 1},
    {"seconds", 1},  {"min", 60},  {"minute", 60}, {"minutes", 60}, {"h", 3600}, {"hour", 3600},
    {"hours", 3600}, {"d", 86400}, {"day", 86400}, {"days", 86400}, {NULL, 0},
};

// A number that is not negative, then blanks, then a unit of the table (in any case).
static bool parse_quantity(const char *text, const unit *units, double *number, double *factor) {
  char digits[NUMBER_BYTES];
  const char *name = take_number(text, digits);
  if (!name || !to_real(digits, number) || *number < 0) return false;
  name += strspn(name, " ");
  for (; units->name; units++) {
    if (strcasecmp(name, units->name) != 0) continue;
    *factor = units->factor;
    return true;
  }
  return false;
}

bool pl_parse_size(const char *text, int64_t *bytes) {
  int64_t whole;
  double number, factor;
  if (pl_parse_int(text, &whole)) {
    if (whole < 0) return false;
    *bytes = whole;
    return true;
  }
  if (!parse_quantity(text, size_units, &number, &factor)) return false;
  double result = number * factor;
  if (result >= 0x1p63 || (factor == 1 && number != floor(number))) return false;
  *bytes = (int64_t)floor(result + 0.5);
  return true;
}

// "01:30:00", also "1-02:00:00" (days) as Slurm writes it.
static bool parse_clock(const char *text, double *seconds) {
  long part[4] = {0};
  int n = 0, days = 0;
  for (const char *at = text;; at++) {
    char *end;
    if (!isdigit((unsigned char)*at) || n == 4) return false;
    part[n++] = strtol(at, &end, 10);
    at = end;
    if (*at == '\0') break;
    if (*at == '-' && n == 1)
      days = 1;
    else if (*at != ':')
      return false;
  }
  if (n != 3 + days) return false;
  const long *hms = part + days;
  if (part[0] > 1000000 || hms[0] > 1000000 || hms[1] > 59 || hms[2] > 59) return false;
  *seconds = 86400.0 * (double)(days ? part[0] : 0) + 3600.0 * (double)hms[0] +
             60.0 * (double)hms[1] + (double)hms[2];
  return true;
}

bool pl_parse_time(const char *text, double *seconds) {
  double number, factor;
  if (strchr(text, ':')) return parse_clock(text, seconds);
  if (!parse_quantity(text, time_units, &number, &factor)) return false;
  if (!isfinite(number * factor)) return false;
  *seconds = number * factor;
  return true;
}
