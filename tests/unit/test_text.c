// SPDX-License-Identifier: BSD-3-Clause
//
// Text: growing, parsing, formatting, near names, JSON.
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

static void growing(void **state) {
  (void)state;
  pl_text text = {0};
  for (int i = 0; i < 1000; i++) pl_text_add(&text, "%d,", i % 10);
  assert_int_equal(text.length, 2000);
  assert_int_equal(strlen(text.at), 2000);
  assert_string_equal(text.at + 1994, "7,8,9,");
  assert_false(text.failed);
  pl_text_free(&text);
  assert_null(text.at);
  pl_text_add(&text, "%s", "");
  assert_string_equal(text.at, "");
  pl_text_free(&text);
}

static void sizes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t bytes; // -1: not a size
  } rows[] = {
      {"0", 0},
      {"2 GiB", INT64_C(2) << 30},
      {"512MiB", 512 << 20},
      {"1e6", 1000000},
      {"4 KB", 4000},
      {"4K", 4096},
      {"4 kib", 4096},
      {"1.5 GiB", INT64_C(3) << 29},
      {"7 B", 7},
      {"0.5K", 512},
      {"1 PiB", INT64_C(1) << 50},
      {"10_000", 10000},
      {"2T", INT64_C(2) << 40},
      {"9223372036854775807", INT64_MAX},
      {"9007199254740993", 9007199254740993},
      {"", -1},
      {"GiB", -1},
      {"-1", -1},
      {"-1 GiB", -1},
      {"1.5", -1},
      {"1 GX", -1},
      {"8192 PiB", -1},
      {"9e18", 9000000000000000000},
      {"1e19", -1},
      {"nan", -1},
      {"0x10", -1},
      {" 1", -1},
      {"1 ", 1},
      {"1 GiB x", -1},
      {"1..5 K", -1},
      {"inf K", -1},
      {"1e400", -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t bytes = -1;
    bool good = pl_parse_size(rows[i].text, &bytes);
    if (good != (rows[i].bytes >= 0) || bytes != rows[i].bytes) {
      fail_msg("'%s' gives %d, %lld", rows[i].text, good, (long long)bytes);
    }
  }
}

static void times(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds; // -1: not a time
  } rows[] = {
      {"10 min", 600},
      {"90 s", 90},
      {"2h", 7200},
      {"1 d", 86400},
      {"2 days", 172800},
      {"1hour", 3600},
      {"3 minutes", 180},
      {"01:30:00", 5400},
      {"5", 5},
      {"0.5", 0.5},
      {"250 ms", 0.25},
      {"1-02:00:00", 93600},
      {"100:00:00", 360000},
      {"1e3", 1000},
      {"", -1},
      {"-5 s", -1},
      {"5 m", -1},
      {"01:30", -1},
      {"01:60:00", -1},
      {"1:2:3:4", -1},
      {"1:2:", -1},
      {":1:2", -1},
      {"1-1-1:0:0", -1},
      {"5 parsec", -1},
      {"1e309", -1},
      {"99999999999999999999:00:00", -1},
      {"1:-2:3", -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double seconds = -1;
    bool good = pl_parse_time(rows[i].text, &seconds);
    if (good != (rows[i].seconds >= 0) || seconds != rows[i].seconds) {
      fail_msg("'%s' gives %d, %g", rows[i].text, good, seconds);
    }
  }
}

static void integers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool good;
    int64_t value;
  } rows[] = {
      {"0", true, 0},
      {"-7", true, -7},
      {"+7", true, 7},
      {"1e6", true, 1000000},
      {"10_000", true, 10000},
      {"1.5e3", true, 1500},
      {"9223372036854775807", true, INT64_MAX},
      {"-9223372036854775808", true, INT64_MIN},
      {"9223372036854775808", false, 0},
      {"1.0", false, 0},
      {"1e-3", false, 0},
      {"1e300", false, 0},
      {"", false, 0},
      {"-", false, 0},
      {"_1", false, 0},
      {"1_", false, 0},
      {"1__0", false, 0},
      {"1 ", false, 0},
      {" 1", false, 0},
      {"0x1", false, 0},
      {"1e", false, 0},
      {"e3", false, 0},
      {"1e6e6", false, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t value = 0;
    bool good = pl_parse_int(rows[i].text, &value);
    if (good != rows[i].good || value != rows[i].value) {
      fail_msg("'%s' gives %d, %lld", rows[i].text, good, (long long)value);
    }
  }
}

static void reals(void **state) {
  (void)state;
  static const char *const bad[] = {"",      "nan", "inf", ".",     "-",   "1e999",
                                    "0x1p3", "1 ",  " 1",  "1,5",   "e5",  "1e",
                                    "1.2.3", "--1", "1-1", "1e5.5", "1_.5"};
  double value = 0;
  assert_true(pl_parse_real("3", &value) && value == 3);
  assert_true(pl_parse_real("-.5", &value) && value == -0.5);
  assert_true(pl_parse_real("1_000.25e-2", &value) && value == 10.0025);
  assert_true(pl_parse_real("1E+2", &value) && value == 100);
  assert_true(pl_parse_real("1e-400", &value) && value == 0);
  assert_true(pl_parse_real("4.9406564584124654e-324", &value) && value == 0x1p-1074);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (pl_parse_real(bad[i], &value)) fail_msg("'%s' is taken for a number", bad[i]);
  }
  char digits[200];
  memset(digits, '1', sizeof digits - 1);
  digits[sizeof digits - 1] = '\0';
  assert_false(pl_parse_real(digits, &value));
  assert_int_equal(pl_number_length("1e-3 m"), 4);
  assert_int_equal(pl_number_length("12em"), 2);
  assert_int_equal(pl_number_length("m"), 0);
}

static void formatted_sizes(void **state) {
  (void)state;
  static const struct {
    int64_t bytes;
    const char *text;
  } rows[] = {
      {0, "0 B"},
      {1, "1 B"},
      {1023, "1023 B"},
      {1024, "1 KiB"},
      {1536, "1.50 KiB"},
      {1148903751, "1.07 GiB"},
      {INT64_C(2) << 30, "2 GiB"},
      {(1 << 20) - 1, "1.00 MiB"},
      {123456789, "118 MiB"},
      {INT64_MAX, "8 EiB"},
      {-2048, "-2 KiB"},
      {16106127, "15.4 MiB"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[32];
    pl_format_size(rows[i].bytes, out);
    assert_string_equal(out, rows[i].text);
  }
}

static void formatted_times(void **state) {
  (void)state;
  static const struct {
    double seconds;
    const char *text;
  } rows[] = {
      {0, "0 s"},
      {0.0123, "12.3 ms"},
      {1.52, "1.52 s"},
      {200, "3 min 20 s"},
      {7500, "2 h 05 min"},
      {2.5e-6, "2.50 us"},
      {9.45e-7, "945 ns"},
      {1.5e-9, "1.50 ns"},
      {1e-12, "1e-12 s"},
      {59.97, "1 min 0 s"},
      {119.7, "2 min 0 s"},
      {3599.9, "1 h 00 min"},
      {86399, "1 d 00 h"},
      {97200, "1 d 03 h"},
      {0.9999, "1.00 s"},
      {NAN, "unknown"},
      {INFINITY, "unknown"},
      {-1.5, "-1.5 s"},
      {1e14, "1157407407 d 10 h"},
      {3, "3 s"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[32];
    pl_format_time(rows[i].seconds, out);
    assert_string_equal(out, rows[i].text);
  }
}

static void formatted_reals(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } rows[] = {
      {0, "0"},
      {-0.0, "-0"},
      {300, "300"},
      {0.1, "0.1"},
      {1e6, "1000000"},
      {1e22, "1e+22"},
      {1.0 / 3, "0.3333333333333333"},
      {0x1p-1074, "5e-324"},
      {NAN, "nan"},
      {-INFINITY, "-inf"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e-5, "1e-05"},
      {123456789012345680.0, "1.2345678901234568e+17"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[32];
    pl_format_real(rows[i].value, out);
    assert_string_equal(out, rows[i].text);
  }
}

static void reals_come_back(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 20000; i++) {
    uint32_t r[4];
    double value, again;
    char out[32];
    plait_random(1, 2, i, r);
    uint64_t bits = (uint64_t)r[0] << 32 | r[1];
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    pl_format_real(value, out);
    if (!pl_parse_real(out, &again) || memcmp(&value, &again, sizeof value) != 0) {
      fail_msg("%a is written %s", value, out);
    }
  }
}

static void near_names(void **state) {
  (void)state;
  static const char *const names[] = {"sigma", "boundary", "truncate", "x", "y", NULL};
  static const char *const none[] = {NULL};
  assert_string_equal(pl_nearest_within("sgima", 1, names), "sigma");
  assert_null(pl_nearest_within("sgiam", 1, names));
  assert_null(pl_nearest_within("bound", 2, names));
  assert_true(pl_has_word("number of clusters", "clusters"));
  assert_true(pl_has_word("clusters, k", "clusters"));
  assert_true(pl_has_word("a cluster of clusters", "cluster"));
  assert_false(pl_has_word("number of clusters", "cluster"));
  assert_false(pl_has_word("number of clusters", "lusters"));
  assert_false(pl_has_word("number", ""));
  assert_string_equal(pl_nearest("sgima", names), "sigma");
  assert_string_equal(pl_nearest("Sigma", names), "sigma");
  assert_string_equal(pl_nearest("sigm", names), "sigma");
  assert_string_equal(pl_nearest("bondary", names), "boundary");
  assert_string_equal(pl_nearest("bound", names), "boundary");
  assert_null(pl_nearest("bo", names));
  assert_string_equal(pl_nearest("truncaet", names), "truncate");
  assert_null(pl_nearest("radius", names));
  assert_null(pl_nearest("", names));
  assert_null(pl_nearest("z", names));
  assert_null(pl_nearest("sigma", none));
  char word[300];
  memset(word, 'a', sizeof word - 1);
  word[sizeof word - 1] = '\0';
  assert_null(pl_nearest(word, names));
  const char *const lengthy[] = {word, "aa", NULL};
  assert_string_equal(pl_nearest("aab", lengthy), "aa");
}

static void json_document(void **state) {
  (void)state;
  pl_json json = {0};
  pl_json_open(&json, NULL, '{');
  pl_json_string(&json, "text", "a\"b\\\n\x01\x7f\xc3\xa4\xff/");
  pl_json_int(&json, "int", INT64_MIN);
  pl_json_real(&json, "real", 0.1);
  pl_json_real(&json, "nan", NAN);
  pl_json_bool(&json, "yes", true);
  pl_json_string(&json, "none", NULL);
  pl_json_open(&json, "empty", '[');
  pl_json_close(&json, ']');
  pl_json_open(&json, "list", '[');
  pl_json_int(&json, NULL, 1);
  pl_json_open(&json, NULL, '{');
  pl_json_close(&json, '}');
  pl_json_close(&json, ']');
  pl_json_close(&json, '}');
  assert_string_equal(json.text.at,
                      "{\n  \"text\": \"a\\\"b\\\\\\n\\u0001\\u007f\xc3\xa4\xef\xbf\xbd/\",\n"
                      "  \"int\": -9223372036854775808,\n  \"real\": 0.1,\n  \"nan\": null,\n"
                      "  \"yes\": true,\n  \"none\": null,\n  \"empty\": [],\n"
                      "  \"list\": [\n    1,\n    {}\n  ]\n}\n");
  pl_text_free(&json.text);
}

static void utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int length;
  } rows[] = {
      {"a", 1},
      {"\xc3\xa4", 2},
      {"\xe2\x82\xac", 3},
      {"\xf0\x9f\x98\x80", 4},
      {"\x80", 0},
      {"\xc0\x80", 0},
      {"\xc3", 0},
      {"\xe2\x82", 0},
      {"\xe0\x80\x80", 0},
      {"\xed\xa0\x80", 0},
      {"\xf4\x90\x80\x80", 0},
      {"\xf5\x80\x80\x80", 0},
      {"\xf0\x80\x80\x80", 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(pl_utf8_length(rows[i].text), rows[i].length);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(growing),         cmocka_unit_test(sizes),
      cmocka_unit_test(times),           cmocka_unit_test(integers),
      cmocka_unit_test(reals),           cmocka_unit_test(formatted_sizes),
      cmocka_unit_test(formatted_times), cmocka_unit_test(formatted_reals),
      cmocka_unit_test(reals_come_back), cmocka_unit_test(near_names),
      cmocka_unit_test(json_document),   cmocka_unit_test(utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
