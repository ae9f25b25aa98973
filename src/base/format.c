// SPDX-License-Identifier: BSD-3-Clause
//
// Sizes, times and numbers for people: three significant digits, never "1024 KiB" for 1 MiB.
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 32 };

// Three significant digits; whole numbers without a point.
static void three_digits(double value, const char *unit, char out[ROOM]) {
  double size = fabs(value);
  int places = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  if (value == floor(value)) places = 0;
  snprintf(out, ROOM, "%.*f %s", places, value, unit);
}

void pl_format_size(int64_t bytes, char out[ROOM]) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = (double)bytes;
  int i = 0;
  while (i < 6 && fabs(value) >= 1023.5) {
    value /= 1024;
    i++;
  }
  three_digits(value, units[i], out);
}

// Two parts ("3 min 20 s"), rounded to the smaller one first so that "3 min 60 s" cannot appear.
static void two_parts(double seconds, double small, const char *names[2], int width, int per,
                      char out[ROOM]) {
  double rounded = floor(seconds / small + 0.5);
  double large = floor(rounded / per);
  snprintf(out, ROOM, "%.0f %s %0*.0f %s", large, names[0], width, rounded - large * per, names[1]);
}

void pl_format_time(double seconds, char out[ROOM]) {
  double size = fabs(seconds);
  if (!(size < 1e15))
    snprintf(out, ROOM, "unknown");
  else if (seconds <= 0 || size < 0.9995e-9)
    snprintf(out, ROOM, "%.3g s", seconds);
  else if (size < 0.9995e-6)
    three_digits(seconds * 1e9, "ns", out);
  else if (size < 0.9995e-3)
    three_digits(seconds * 1e6, "us", out);
  else if (size < 0.9995)
    three_digits(seconds * 1e3, "ms", out);
  else if (size < 59.95)
    three_digits(seconds, "s", out);
  else if (size < 3599.5)
    two_parts(seconds, 1, (const char *[]){"min", "s"}, 1, 60, out);
  else if (size < 86370)
    two_parts(seconds, 60, (const char *[]){"h", "min"}, 2, 60, out);
  else
    two_parts(seconds, 3600, (const char *[]){"d", "h"}, 2, 24, out);
}

// As few digits as read back to the same bits; without an exponent where people write none. What
// fewer than 15 digits say, %.15g says with the same digits: it prints no zeros behind them. Below
// DBL_MIN there are not as many digits in a number.
void pl_format_real(double value, char out[ROOM]) {
  int digits = fabs(value) < DBL_MIN ? 1 : 15;
  do snprintf(out, ROOM, "%.*g", digits, value);
  while (isfinite(value) && strtod(out, NULL) != value && ++digits <= 17);
}
