// SPDX-License-Identifier: BSD-3-Clause
//
// Attributes, coordinates, the kernel's view of an array, and single values.
#include "data/meta.h"
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_attributes(void **state) {
  (void)state;
  pl_attrs a = {0}, b = {0};
  double number = 0;
  const int16_t range[] = {-3, 7};
  assert_int_equal(pl_attr_set_text(&a, "units", "K"), PLAIT_OK);
  assert_int_equal(pl_attr_set(&a, "valid_range", PLAIT_I16, 2, range), PLAIT_OK);
  assert_int_equal(pl_attr_set(&a, "empty", PLAIT_F64, 0, NULL), PLAIT_OK);
  assert_int_equal(pl_attr_set_chars(&a, "note", "abcdef", 3), PLAIT_OK);
  assert_string_equal(pl_attr_text(&a, "units"), "K");
  assert_string_equal(pl_attr_text(&a, "note"), "abc");
  assert_string_equal(pl_attr_text(&a, "absent"), "");
  assert_string_equal(pl_attr_text(&a, "valid_range"), "");
  assert_true(pl_attr_number(&a, "valid_range", &number));
  assert_true(number == -3);
  assert_false(pl_attr_number(&a, "units", &number));
  assert_false(pl_attr_number(&a, "empty", &number));
  assert_null(pl_attr_find(&a, "nothing"));
  assert_int_equal(pl_attrs_copy(&a, &b), PLAIT_OK);
  assert_int_equal(pl_attr_set_text(&a, "units", "degC"), PLAIT_OK); // replaced, order kept
  assert_int_equal(a.n, 4);
  assert_string_equal(a.at[0].name, "units");
  assert_string_equal(pl_attr_text(&a, "units"), "degC");
  assert_string_equal(pl_attr_text(&b, "units"), "K"); // the copy is its own
  assert_int_equal(pl_attr_set(&a, "huge", PLAIT_F64, SIZE_MAX / 2, range), PLAIT_MEMORY);
  assert_int_equal(a.n, 4);
  pl_attrs_free(&a);
  pl_attrs_free(&b);
  pl_attrs_free(NULL);
  assert_int_equal(a.n, 0);
}

static plait_err add_coord(pl_meta *m, const char *name, int axis, int64_t n) {
  TRY(pl_grow(&m->coords, (size_t)m->ncoords, (size_t)m->ncoords + 1, sizeof *m->coords));
  pl_coord *c = &m->coords[m->ncoords++];
  *c = (pl_coord){.ndim = 1, .type = PLAIT_F32};
  c->dim[0] = axis;
  c->shape[0] = n;
  snprintf(c->name, PLAIT_NAME, "%s", name);
  TRY(pl_calloc((size_t)n, sizeof(float), &c->data));
  for (int64_t i = 0; i < n; i++) ((float *)c->data)[i] = (float)i * 0.5f;
  return pl_attr_set_text(&c->attrs, "units", "degrees_north");
}

static void test_array_and_coordinates(void **state) {
  (void)state;
  pl_meta m = {
      .name = "sst", .type = PLAIT_F32, .ndim = 2, .shape = {3, 4}, .dims = {"lat", "lon"}};
  plait_array array;
  assert_int_equal(add_coord(&m, "lat", 0, 3), PLAIT_OK);
  assert_int_equal(add_coord(&m, "height", 1, 4), PLAIT_OK); // not named as its axis
  assert_int_equal(add_coord(&m, "lon", 1, 5), PLAIT_OK);    // wrong length
  assert_int_equal(pl_attr_set_text(&m.attrs, "units", "K"), PLAIT_OK);
  assert_int_equal(pl_meta_axis_coords(&m), PLAIT_OK);
  assert_int_equal(pl_meta_axis_coords(&m), PLAIT_OK); // again: nothing leaks
  pl_meta_array(&m, &array);
  assert_string_equal(array.name, "sst");
  assert_string_equal(array.units, "K");
  assert_int_equal(array.ndim, 2);
  assert_int_equal(array.shape[1], 4);
  assert_string_equal(array.dims[1], "lon");
  assert_non_null(array.coord[0]);
  assert_true(array.coord[0][2] == 1.0);
  assert_null(array.coord[1]);
  assert_string_equal(array.coord_units[0], "degrees_north");
  pl_coord copy;
  assert_int_equal(pl_coord_copy(&m.coords[0], &copy), PLAIT_OK);
  assert_ptr_not_equal(copy.data, m.coords[0].data);
  assert_memory_equal(copy.data, m.coords[0].data, 3 * sizeof(float));
  assert_string_equal(pl_attr_text(&copy.attrs, "units"), "degrees_north");
  pl_free(&copy.data);
  pl_attrs_free(&copy.attrs);
  pl_meta_free(&m);
  assert_int_equal(m.ncoords, 0);
  pl_meta_free(&m);
  pl_meta_free(NULL);
}

static plait_type settled(plait_type stored, bool packed, int nmissing, plait_type packing) {
  pl_meta m = {.stored = stored, .packed = packed, .nmissing = nmissing};
  pl_meta_settle(&m, packing);
  return m.type;
}

static void test_settle(void **state) {
  (void)state;
  assert_int_equal(settled(PLAIT_I16, false, 0, PLAIT_F64), PLAIT_I16);
  assert_int_equal(settled(PLAIT_I16, true, 1, PLAIT_F32), PLAIT_F32);
  assert_int_equal(settled(PLAIT_I16, true, 0, PLAIT_F64), PLAIT_F64);
  assert_int_equal(settled(PLAIT_I16, true, 0, PLAIT_I32), PLAIT_F64);
  assert_int_equal(settled(PLAIT_U8, false, 1, PLAIT_F64), PLAIT_F32);
  assert_int_equal(settled(PLAIT_U16, false, 2, PLAIT_F64), PLAIT_F32);
  assert_int_equal(settled(PLAIT_I32, false, 1, PLAIT_F32), PLAIT_F64);
  assert_int_equal(settled(PLAIT_U64, false, 1, PLAIT_F32), PLAIT_F64);
  assert_int_equal(settled(PLAIT_F32, false, 2, PLAIT_F64), PLAIT_F32);
  assert_int_equal(settled(PLAIT_F64, false, 1, PLAIT_F32), PLAIT_F64);
}

static void test_shape(void **state) {
  (void)state;
  pl_meta m = {.ndim = 2, .shape = {3, 4}, .dims = {"y", "x"}};
  assert_int_equal(pl_meta_check_shape(&m, "f"), PLAIT_OK);
  m.shape[1] = 0;
  assert_int_equal(pl_meta_check_shape(&m, "f"), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "(x) has length 0"));
  m.shape[1] = -1;
  assert_int_equal(pl_meta_check_shape(&m, "f"), PLAIT_INPUT);
  m.shape[0] = m.shape[1] = INT64_C(1) << 31;
  assert_int_equal(pl_meta_check_shape(&m, "f"), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "absurd shape"));
}

static double round_trip(plait_type type, double value) {
  _Alignas(8) unsigned char at[24] = {0};
  pl_value_set(type, at, 1, value);
  for (size_t i = 0; i < plait_type_size(type); i++) {
    assert_int_equal(at[i], 0); // neighbours are untouched
    assert_int_equal(at[2 * plait_type_size(type) + i], 0);
  }
  return pl_value(type, at, 1);
}

static void test_values(void **state) {
  (void)state;
  for (int t = 0; t < PLAIT_TYPES; t++) {
    double least, greatest;
    pl_value_range((plait_type)t, &least, &greatest);
    assert_true(round_trip((plait_type)t, least) == least);
    assert_true(round_trip((plait_type)t, greatest) == greatest);
    assert_true(round_trip((plait_type)t, 100) == 100);
    if (t == PLAIT_F32 || t == PLAIT_F64) {
      assert_true(isnan(round_trip((plait_type)t, NAN)));
      continue;
    }
    assert_true(round_trip((plait_type)t, NAN) == 0);
    assert_true(round_trip((plait_type)t, 1e30) == greatest);
    assert_true(round_trip((plait_type)t, -INFINITY) == least);
    assert_true(round_trip((plait_type)t, 2.5) == 2); // ties to even
    assert_true(round_trip((plait_type)t, 3.5) == 4);
  }
  assert_true(round_trip(PLAIT_I8, -1.2) == -1);
  assert_true(isnan(pl_value(PLAIT_TYPES, "", 0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_attributes), cmocka_unit_test(test_array_and_coordinates),
      cmocka_unit_test(test_settle),     cmocka_unit_test(test_shape),
      cmocka_unit_test(test_values),
  };
  return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
