/* Units: what is read, what is refused, and that dimensions multiply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "../../io/units.h"

static InkUnit good(const char *text) {
  InkUnit unit;
  char message[400] = "";
  if (!ink_unit_parse(text, strlen(text), &unit, message, sizeof message)) fail_msg("%s: %s", text, message);
  return unit;
}

static void assert_same_dim(InkDim a, InkDim b) {
  assert_true(a.known && b.known);
  assert_true(ink_dim_equal(&a, &b));
}

static void factors_are_exact(void **state) {
  (void)state;
  assert_true(good("mm").factor == 1e-3);
  assert_true(good("cm").factor == 0.01);
  assert_true(good("um").factor == 1e-6);
  assert_true(good("µm").factor == 1e-6);
  assert_true(good("\xCE\xBCm").factor == 1e-6); /* Greek mu */
  assert_true(good("min").factor == 60);
  assert_true(good("h").factor == 3600);
  assert_true(good("day").factor == 86400);
  assert_true(good("%").factor == 0.01);
  assert_true(good("mol/L").factor == 1000);
  assert_true(good("mmol/L").factor == 1);
  assert_true(good("kJ/(kg K)").factor == 1000);
  assert_true(good("1/h").factor == 1 / 3600.0);
  assert_true(fabs(good("°").factor - acos(-1) / 180) < 1e-17);
}

static void temperatures_have_offsets(void **state) {
  (void)state;
  InkUnit c = good("degC"), f = good("degF"), k = good("K");
  assert_true(c.factor == 1 && c.offset == 273.15);
  assert_true(k.factor == 1 && k.offset == 0);
  assert_true(fabs(f.factor * 212 + f.offset - 373.15) < 1e-10);
  assert_true(fabs(f.factor * 32 + f.offset - 273.15) < 1e-10);
  assert_true(good("°C").offset == 273.15);
}

/* The dimension of a product is the product of the dimensions, however it is written. */
static void spellings_agree(void **state) {
  (void)state;
  static const char *const same[] = {"W/(m^2 K)", "W/(m^2*K)",   "W/m^2/K",
                                     "W.m-2.K-1", "W m^-2 K^-1", "kg/(s^3 K)"};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    InkUnit unit = good(same[i]);
    assert_same_dim(unit.dim, good(same[0]).dim);
    assert_true(unit.factor == 1);
  }
  InkDim power = ink_dim_of("W"), area = ink_dim_of("m^2");
  assert_same_dim(ink_dim_product(power, area, -1), ink_dim_of("W/m^2"));
  assert_same_dim(ink_dim_product(ink_dim_none(), area, 0.5), ink_dim_of("m"));
  assert_false(ink_dim_product(power, ink_dim_any(), 1).known);
}

static void unknown_dimension_fits_all(void **state) {
  (void)state;
  InkDim any = ink_dim_any(), metre = ink_dim_of("m"), second = ink_dim_of("s"), none = ink_dim_none();
  assert_true(ink_dim_equal(&any, &metre));
  assert_true(ink_dim_equal(&metre, &any));
  assert_false(ink_dim_equal(&metre, &second));
  assert_false(ink_dim_equal(&metre, &none));
}

/* Printing a dimension gives a unit of that dimension. */
static void printing_round_trips(void **state) {
  (void)state;
  static const char *const units[] = {"m", "W/(m K)", "J/(kg K)", "W/m^3", "1/s", "mol/m^3", "A",       "cd",
                                      "V", "Pa s",    "kg^2/m^3", "V^2/s", "1/V", "ohm",     "V/s^0.5", "T"};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    char text[100];
    InkDim dim = ink_dim_of(units[i]);
    ink_dim_print(&dim, text, sizeof text);
    assert_same_dim(good(text).dim, dim);
  }
  char text[100];
  InkDim dim = ink_dim_none();
  ink_dim_print(&dim, text, sizeof text);
  assert_string_equal(text, "1");
  dim = ink_dim_any();
  ink_dim_print(&dim, text, sizeof text);
  assert_string_equal(text, "any");
  dim = ink_dim_of("mV^2/ms");
  ink_dim_print(&dim, text, sizeof text);
  assert_string_equal(text, "V^2/s");
}

static void refused(const char *text, const char *word) {
  InkUnit unit;
  char message[400] = "";
  if (ink_unit_parse(text, strlen(text), &unit, message, sizeof message)) fail_msg("'%s' was accepted", text);
  if (!strstr(message, word)) fail_msg("'%s': no '%s' in: %s", text, word, message);
  assert_null(strchr(message, '\n'));
}

static void bad_units_are_refused(void **state) {
  (void)state;
  refused("", "missing");
  refused("furlongs_per", "cannot stand");
  refused("blorb", "unknown unit 'blorb'");
  refused("s since 2000", "since");
  refused("lg(re mW)", "lg");
  refused("K @ 273", "cannot stand");
  refused("m 2", "no numbers");
  refused("mV/s^0.5", "whole number");
  refused("m*3", "no numbers");
  refused("10m", "no numbers");
  refused("W/(m degC)", "stands alone");
  refused("degC/m", "stands alone");
  refused("mdegC", "stands alone");
  refused("K + 3", "brackets");
  refused("m²", "m^2");
  refused("W/(m", "bad unit");
  refused("m^999999999999999999999", "bad unit");
  refused("((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((m", "too long");
}

static void slips_get_hints(void **state) {
  (void)state;
  refused("M", "mol/L");
  refused("W/m2K", "W/(m^2 K)");
  refused("degc", "degC");
  assert_string_equal(ink_unit_hint("C", 1), "degC");
  assert_string_equal(ink_unit_hint("a", 1), "year");
  assert_null(ink_unit_hint("m", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(factors_are_exact),    cmocka_unit_test(temperatures_have_offsets),
      cmocka_unit_test(spellings_agree),      cmocka_unit_test(unknown_dimension_fits_all),
      cmocka_unit_test(printing_round_trips), cmocka_unit_test(bad_units_are_refused),
      cmocka_unit_test(slips_get_hints),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
