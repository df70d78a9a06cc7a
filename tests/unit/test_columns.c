/* The columns of a series: what is defined, once each, with names that say the field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../solvers/series_columns.h"
#include "toy_fields.h"

static void assert_columns(const char *rest, const char *names) {
  InkDeck *deck = toy_deck(rest);
  InkColumns *columns;
  assert_int_equal(ink_columns_create(MPI_COMM_SELF, deck, &toy_solver, &columns), 0);
  assert_string_equal(columns->names, names);
  assert_int_equal(ink_columns_destroy(&columns), 0);
  ink_deck_destroy(&deck);
}

#define FIELDS "mean_u integral_u min_u max_u mean_v integral_v min_v max_v "
#define SIDES  "flux_x_min_u flux_x_min_v flux_x_max_u flux_x_max_v current_x_min_u "

static void fields_and_sides(void **state) {
  (void)state;
  assert_columns("time: {end: 1}\n", FIELDS SIDES);
  assert_columns("time: {end: 1}\nprobes: {mid: {field: u, at: [0.5]}}\n", "probe_mid " FIELDS SIDES);
}

/* What verify entries sample is shown, and what they ask with options; the same thing only once. */
static void what_verify_asks(void **state) {
  (void)state;
  assert_columns("time: {end: 1}\nverify:\n"
                 "- {quantity: 'front:speed', field: u, level: 0.5, expect: 0, within: 1}\n"
                 "- {quantity: 'front:position', field: u, level: 0.5, at: 0.5, expect: 0, within: 1}\n"
                 "- {quantity: 'front:position', field: u, level: 0.25, at: 0.5, expect: 0, within: 1}\n"
                 "- {quantity: 'front:speed:u', level: 0.5, expect: 0, within: 1}\n"
                 "- {quantity: 'front:position:v', level: 0.25, expect: 0, within: 1}\n"
                 "- {quantity: growth, field: v, wavenumber: 3, axis: x, expect: 0, within: 1}\n"
                 "- {quantity: 'spots:u', level: 1, expect: 0, within: 1}\n"
                 "- {quantity: 'mean:u', expect: 0, within: 1}\n",
                 FIELDS SIDES "front_position_u front_position_u_2 front_position_v amplitude_v spots_u ");
}

static void values_have_their_options(void **state) {
  (void)state;
  InkDeck *deck = toy_deck("time: {end: 1}\nverify:\n"
                           "- {quantity: 'front:speed', field: v, level: 0.5, expect: 0, within: 1}\n");
  InkColumns *columns;
  Toy toy = {.now = 3, .start = 1, .speed = 2};
  assert_int_equal(ink_columns_create(MPI_COMM_SELF, deck, &toy_solver, &columns), 0);
  double *value = calloc((size_t)columns->count, sizeof *value);
  const char **unit = calloc((size_t)columns->count, sizeof *unit);
  assert_int_equal(ink_columns_values(columns, &toy_solver, &toy, value, unit), 0);
  int last = columns->count - 1;
  assert_string_equal(columns->long_name[last], "front:position:v");
  assert_ptr_equal(columns->query[last].entry, ink_deck_node(deck, "verify[0]"));
  assert_true(value[0] == 3 && value[last] == 7);
  assert_string_equal(unit[last], "m");
  free(value);
  free(unit);
  assert_int_equal(ink_columns_destroy(&columns), 0);
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_and_sides),
      cmocka_unit_test(what_verify_asks),
      cmocka_unit_test(values_have_their_options),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
