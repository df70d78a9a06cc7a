/* Closures: each side's law and its half cell, against solutions that are linear in the half cell. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../solvers/core/boundary.h"

/* ---- a 1-D mesh of four cells on [0, 1] and expressions of x, t, T ---- */

static const double distance = 0.125;

typedef struct Bench {
  InkPool *pool;
  InkMesh *mesh;
  double *u;
  InkClosure *closure;
} Bench;

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {{.name = "x", .variable = INK_VAR_X},
                                {.name = "t", .variable = INK_VAR_T},
                                {.name = "T", .variable = INK_VAR_FIELD}};
  const InkScope scope = {.symbol = symbols, .count = 3};
  char message[256];
  const InkExpr *e = text ? ink_expr_parse(pool, text, &scope, message, sizeof message) : NULL;
  assert_true(e || !text);
  return e;
}

/* The side x_max with `type` and its data, next to a cell at `cell`. */
static void set_up(Bench *bench, InkSideType type, const char *k, const char *value, const char *coefficient,
                   const char *ambient, const char *emissivity, double cell) {
  const InkAxisSpec axis = {.from = 0.0, .to = 1.0, .cells = 4};
  InkFailure failure = {0};
  char message[256] = "";
  bench->pool = ink_pool_create();
  assert_int_equal(ink_mesh_build(MPI_COMM_SELF, &axis, 1, INK_CARTESIAN, &bench->mesh, &failure), 0);
  assert_int_equal(ink_mesh_array(bench->mesh, &bench->u), 0);
  ink_mesh_first(bench->mesh, bench->u)[3] = cell;
  const InkSideData data = {.type = type,
                            .value = parse(bench->pool, value),
                            .coefficient = parse(bench->pool, coefficient),
                            .ambient = parse(bench->pool, ambient),
                            .emissivity = parse(bench->pool, emissivity)};
  bench->closure =
      ink_closure_create(bench->mesh, 1, &data, parse(bench->pool, k), bench->pool, message, sizeof message);
  assert_non_null(bench->closure);
  assert_int_equal(bench->closure->count, 1);
  ink_closure_evaluate(bench->closure, 2.0, bench->u);
}

static void tear_down(Bench *bench) {
  ink_closure_destroy(&bench->closure);
  ink_mesh_free(&bench->u);
  assert_int_equal(ink_mesh_destroy(&bench->mesh), 0);
  ink_pool_destroy(&bench->pool);
}

static void near(double value, double expect, double within) {
  if (!(fabs(value - expect) <= within * fmax(1.0, fabs(expect)))) {
    print_error("got %.17g, expected %.17g\n", value, expect);
    fail();
  }
}

/* dq/du of the closure against a central difference. */
static void check_slope(Bench *bench) {
  double *cell = &ink_mesh_first(bench->mesh, bench->u)[3];
  const double slope = bench->closure->slope[0], at = *cell, h = 1e-5 * fmax(1.0, fabs(at));
  *cell = at + h;
  ink_closure_evaluate(bench->closure, 2.0, bench->u);
  const double above = bench->closure->inflow[0];
  *cell = at - h;
  ink_closure_evaluate(bench->closure, 2.0, bench->u);
  near(slope, (above - bench->closure->inflow[0]) / (2.0 * h), 1e-6);
  *cell = at;
  ink_closure_evaluate(bench->closure, 2.0, bench->u);
}

static void value_conducts_through_the_half_cell(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_VALUE, "3", "10*x + t", NULL, NULL, NULL, 4.0);
  near(bench.closure->inflow[0], 3.0 * (12.0 - 4.0) / distance, 1e-15);
  near(bench.closure->surface[0], 12.0, 0.0);
  check_slope(&bench);
  assert_true(bench.closure->affine && bench.closure->constant_slope && bench.closure->fixes_level);
  tear_down(&bench);
}

static void value_with_k_of_T_takes_the_mean(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_VALUE, "1 + 0.01*T", "100", NULL, NULL, NULL, 40.0);
  near(bench.closure->inflow[0], 0.5 * (1.4 + 2.0) * 60.0 / distance, 1e-15);
  check_slope(&bench);
  assert_false(bench.closure->affine);
  tear_down(&bench);
}

static void flux_is_positive_inwards(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_FLUX, "2", "5*t", NULL, NULL, NULL, 4.0);
  near(bench.closure->inflow[0], 10.0, 0.0);
  near(bench.closure->surface[0], 4.0 + 10.0 * distance / 2.0, 1e-15);
  near(bench.closure->slope[0], 0.0, 0.0);
  assert_false(bench.closure->fixes_level);
  tear_down(&bench);
}

static void flux_of_T_acts_at_the_surface(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_FLUX, "2", "3*(20 - T)", NULL, NULL, NULL, 4.0);
  const double q = 16.0 / (1.0 / 3.0 + distance / 2.0);
  near(bench.closure->inflow[0], q, 1e-12);
  near(bench.closure->surface[0], 4.0 + q * distance / 2.0, 1e-12);
  check_slope(&bench);
  assert_true(bench.closure->fixes_level);
  tear_down(&bench);
}

static void convection_is_two_resistances_in_series(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_CONVECTION, "2", NULL, "7", "30", NULL, 4.0);
  near(bench.closure->inflow[0], 26.0 / (1.0 / 7.0 + distance / 2.0), 1e-14);
  check_slope(&bench);
  tear_down(&bench);
  set_up(&bench, INK_SIDE_CONVECTION, "2", NULL, "0", "30", NULL, 4.0);
  near(bench.closure->inflow[0], 0.0, 0.0);
  tear_down(&bench);
  set_up(&bench, INK_SIDE_CONVECTION, "0", NULL, "0", "30", NULL, 4.0);
  near(bench.closure->inflow[0], 0.0, 0.0);
  near(bench.closure->surface[0], 4.0, 0.0);
  tear_down(&bench);
}

static void natural_convection_balances(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_CONVECTION, "0.5 + 0.01*T", NULL, "2*abs(T - 20)^0.25", "20", NULL, 80.0);
  const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
  near(q, 2.0 * pow(us - 20.0, 0.25) * (20.0 - us), 1e-10);
  near(q, 0.5 * (0.5 + 0.01 * 80.0 + 0.5 + 0.01 * us) * (us - 80.0) / distance, 1e-10);
  check_slope(&bench);
  tear_down(&bench);
}

static void radiation_balances(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_RADIATION, "20", NULL, NULL, "280", "0.6", 780.0);
  const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
  near(q, 0.6 * 5.670374419e-8 * (pow(280.0, 4) - pow(us, 4)), 1e-12);
  near(q, 20.0 * (us - 780.0) / distance, 1e-9);
  assert_true(us < 780.0 && us > 280.0);
  check_slope(&bench);
  tear_down(&bench);
}

static void radiation_refuses_temperatures_below_zero(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, INK_SIDE_RADIATION, "20", NULL, NULL, "280", "0.6", -5.0);
  assert_true(isnan(bench.closure->inflow[0]));
  tear_down(&bench);
}

/* Round trip: with u and k given, the law evaluated at the surface value is what the half cell conducts, for
 * conductivities over twelve decades. */
static void law_and_half_cell_agree(void **state) {
  (void)state;
  static const char *const k[] = {"1e-6", "1e-3", "1", "1e3", "1e6"};
  for (int i = 0; i < 5; i++) {
    Bench bench;
    set_up(&bench, INK_SIDE_RADIATION, k[i], NULL, NULL, "1500", "1", 300.0);
    const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
    const double conducted = strtod(k[i], NULL) * (us - 300.0) / distance;
    near(q / conducted, 1.0, 1e-6);
    assert_true(us > 300.0 && us <= 1500.0);
    tear_down(&bench);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(value_conducts_through_the_half_cell),
      cmocka_unit_test(value_with_k_of_T_takes_the_mean),
      cmocka_unit_test(flux_is_positive_inwards),
      cmocka_unit_test(flux_of_T_acts_at_the_surface),
      cmocka_unit_test(convection_is_two_resistances_in_series),
      cmocka_unit_test(natural_convection_balances),
      cmocka_unit_test(radiation_balances),
      cmocka_unit_test(radiation_refuses_temperatures_below_zero),
      cmocka_unit_test(law_and_half_cell_agree),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
