/* What is said of observations from the deck alone: whether its mesh has a spectrum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../solvers/verify.h"
#include "toy_fields.h"

static void spectra_need_equal_cells(void **state) {
  (void)state;
  static const struct {
    const char *mesh, *hint;
  } cases[] = {
      {"mesh: {x: {from: 0, to: 1, cells: 8}}\n", NULL},
      {"mesh: {x: {from: 0, to: 1, cells: 8}, y: {from: 0, to: 1, cells: 8, grading: 1}}\n", NULL},
      {"mesh: {x: {from: 0, to: 1, cells: 8}, y: {from: 0, to: 1, cells: 8, grading: 1.1}}\n", "axis y"},
      {"mesh: {x: {from: 0, segments: [{to: 1, cells: 8}]}}\n", NULL},
      {"mesh: {x: {from: 0, segments: [{to: 1, cells: 8, grading: 1.1}]}}\n", "axis x"},
      {"mesh: {x: {from: 0, segments: [{to: 1, cells: 8}, {to: 2, cells: 3}]}}\n", "axis x"},
      {"mesh: {coordinates: spherical, r: {from: 0, to: 1, cells: 8}}\n", "Cartesian"},
      {"mesh: {coordinates: axisymmetric, r: {from: 0, to: 1, cells: 8}, z: {from: 0, to: 1, cells: 8}}\n",
       "Cartesian"},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char why[256] = "";
    InkDeck *deck = toy_deck_on(cases[c].mesh, "time: {end: 1}\n");
    bool has = ink_deck_has_spectrum(deck, why, sizeof why);
    assert_int_equal(has, cases[c].hint == NULL);
    if (!has && !strstr(why, cases[c].hint)) fail_msg("got '%s' without '%s'", why, cases[c].hint);
    ink_deck_destroy(&deck);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spectra_need_equal_cells),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
