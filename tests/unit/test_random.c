// SPDX-License-Identifier: BSD-3-Clause
//
// Philox 4x32-10 against the known answers that its authors publish (kat_vectors of Random123), and
// the uniform numbers made of it.
#include "plait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

typedef struct answer {
  uint64_t seed, stream, counter;
  uint32_t out[4];
} answer;

// Words of the file: counter block (low word first), key, result.
static const answer answers[] = {
    {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {UINT64_C(0x299f31d0a4093822),
     UINT64_C(0x0370734413198a2e),
     UINT64_C(0x85a308d3243f6a88),
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void known_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    uint32_t out[4];
    plait_random(answers[i].seed, answers[i].stream, answers[i].counter, out);
    assert_memory_equal(out, answers[i].out, sizeof out);
  }
}

static void arguments_differ(void **state) {
  (void)state;
  uint32_t a[4], b[4];
  plait_random(1, 2, 3, a);
  plait_random(3, 2, 1, b);
  assert_memory_not_equal(a, b, sizeof a);
  plait_random(1, 3, 2, b);
  assert_memory_not_equal(a, b, sizeof a);
  plait_random(1, 2, 3, b);
  assert_memory_equal(a, b, sizeof a);
}

static void uniform_ends(void **state) {
  (void)state;
  assert_true(plait_uniform(0, 0) > 0);
  assert_true(plait_uniform(UINT32_MAX, UINT32_MAX) < 1);
  assert_true(plait_uniform(0x80000000u, 0) == 0.5 + 0x1p-53);
}

// Mean and variance of a uniform number are 1/2 and 1/12; five standard errors are allowed.
static void uniform_moments(void **state) {
  (void)state;
  enum { N = 200000 };
  double sum = 0, squares = 0;
  for (uint64_t i = 0; i < N; i++) {
    uint32_t r[4];
    plait_random(42, 7, i, r);
    double u = plait_uniform(r[0], r[1]) - 0.5;
    sum += u;
    squares += u * u;
  }
  assert_true(fabs(sum / N) < 5 * sqrt(1.0 / 12 / N));
  assert_true(fabs(squares / N - 1.0 / 12) < 5 * sqrt(1.0 / 180 / N));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(arguments_differ),
      cmocka_unit_test(uniform_ends),
      cmocka_unit_test(uniform_moments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
