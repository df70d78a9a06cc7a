/* Closures of one field: each law and its half cell, against solutions that are exact in the half cell:
 * linear without advection, exponential with it. */
#include "closure_bench.h"

/* ---- one field, diffusion ---- */

static void value_conducts_through_the_half_cell(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "3", NULL, (Words){INK_SIDE_VALUE, .value = "10*x + t"}, 4.0);
  near(bench.closure->inflow[0], 3.0 * (12.0 - 4.0) / distance, 1e-15);
  near(bench.closure->surface[0], 12.0, 0.0);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->affine && bench.closure->constant_slope && bench.closure->fixes_level);
  assert_true(bench.closure->dissipative && bench.closure->moving);
  assert_int_equal(bench.closure->law[0], INK_LAW_VALUE);
  tear_down(&bench);
}

static void value_with_k_of_T_takes_the_mean(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "1 + 0.01*T", NULL, (Words){INK_SIDE_VALUE, .value = "100"}, 40.0);
  near(bench.closure->inflow[0], 0.5 * (1.4 + 2.0) * 60.0 / distance, 1e-15);
  check_slopes(&bench, 1e-6);
  assert_false(bench.closure->affine || bench.closure->dissipative || bench.closure->moving);
  assert_int_equal(bench.closure->law[0], INK_LAW_OTHER);
  tear_down(&bench);
}

static void flux_is_positive_inwards(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "2", NULL, (Words){INK_SIDE_FLUX, .value = "5*t"}, 4.0);
  near(bench.closure->inflow[0], 10.0, 0.0);
  near(bench.closure->surface[0], 4.0 + 10.0 * distance / 2.0, 1e-15);
  near(bench.closure->slope[0], 0.0, 0.0);
  assert_false(bench.closure->fixes_level || bench.closure->coupled[0]);
  assert_int_equal(bench.closure->law[0], INK_LAW_FLUX);
  tear_down(&bench);
  set_up_one(&bench, "2 + T", NULL, (Words){INK_SIDE_FLUX, .value = "5*t"}, 4.0); /* us needs an iteration */
  const double us = bench.closure->surface[0];
  near(0.5 * (6.0 + 2.0 + us) * (us - 4.0) / distance, 10.0, 1e-12);
  near(bench.closure->inflow[0], 10.0, 0.0);
  assert_int_equal(bench.closure->law[0], INK_LAW_FLUX);
  tear_down(&bench);
}

static void flux_of_T_acts_at_the_surface(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "2", NULL, (Words){INK_SIDE_FLUX, .value = "3*(20 - T)"}, 4.0);
  const double q = 16.0 / (1.0 / 3.0 + distance / 2.0);
  near(bench.closure->inflow[0], q, 1e-12);
  near(bench.closure->surface[0], 4.0 + q * distance / 2.0, 1e-12);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->fixes_level && bench.closure->affine && bench.closure->constant_slope);
  assert_false(bench.closure->dissipative);
  tear_down(&bench);
  set_up_one(&bench, "2", NULL, (Words){INK_SIDE_FLUX, .value = "if(T > 3, 1, 2)"}, 4.0);
  assert_false(bench.closure->affine); /* although its derivative is 0 */
  tear_down(&bench);
}

static void convection_is_two_resistances_in_series(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "2", NULL, (Words){INK_SIDE_CONVECTION, .coefficient = "7", .ambient = "30"}, 4.0);
  near(bench.closure->inflow[0], 26.0 / (1.0 / 7.0 + distance / 2.0), 1e-14);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->affine && bench.closure->dissipative);
  tear_down(&bench);
  set_up_one(&bench, "2", NULL, (Words){INK_SIDE_CONVECTION, .coefficient = "0", .ambient = "30"}, 4.0);
  near(bench.closure->inflow[0], 0.0, 0.0);
  tear_down(&bench);
  set_up_one(&bench, "0*x", NULL, (Words){INK_SIDE_CONVECTION, .coefficient = "0", .ambient = "30"}, 4.0);
  near(bench.closure->inflow[0], 0.0, 0.0);
  near(bench.closure->surface[0], 4.0, 0.0);
  tear_down(&bench);
}

static void natural_convection_balances(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "0.5 + 0.01*T", NULL,
             (Words){INK_SIDE_CONVECTION, .coefficient = "2*abs(T - 20)^0.25", .ambient = "20"}, 80.0);
  const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
  near(q, 2.0 * pow(us - 20.0, 0.25) * (20.0 - us), 1e-10);
  near(q, 0.5 * (0.5 + 0.01 * 80.0 + 0.5 + 0.01 * us) * (us - 80.0) / distance, 1e-10);
  check_slopes(&bench, 1e-6);
  bench.u[bench.closure->cell[0]] = 20.0; /* at rest, where the law has no derivative */
  ink_closure_evaluate(bench.closure, 2.0, bench.u);
  near(bench.closure->inflow[0], 0.0, 0.0);
  near(bench.closure->surface[0], 20.0, 0.0);
  near(bench.closure->slope[0], 0.0, 0.0);
  tear_down(&bench);
}

static void radiation_balances(void **state) {
  (void)state;
  Bench bench;
  const Words law = {INK_SIDE_RADIATION, .ambient = "280", .emissivity = "0.6"};
  set_up_one(&bench, "20", NULL, law, 780.0);
  const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
  near(q, 0.6 * 5.670374419e-8 * (pow(280.0, 4) - pow(us, 4)), 1e-12);
  near(q, 20.0 * (us - 780.0) / distance, 1e-9);
  assert_true(us < 780.0 && us > 280.0);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->dissipative);
  assert_false(bench.closure->affine);
  tear_down(&bench);
  set_up_one(&bench, "20", NULL, law, -5.0);
  assert_true(isnan(bench.closure->inflow[0]) && isnan(bench.closure->slope[0]));
  tear_down(&bench);
}

/* Round trip: with u and k given, the law evaluated at the surface value is what the half cell conducts, for
 * conductivities over twelve decades. */
static void law_and_half_cell_agree(void **state) {
  (void)state;
  static const char *const k[] = {"1e-6", "1e-3", "1", "1e3", "1e6"};
  for (int i = 0; i < 5; i++) {
    Bench bench;
    set_up_one(&bench, k[i], NULL, (Words){INK_SIDE_RADIATION, .ambient = "1500", .emissivity = "1"}, 300.0);
    const double us = bench.closure->surface[0], q = bench.closure->inflow[0];
    const double conducted = strtod(k[i], NULL) * (us - 300.0) / distance;
    near(q / conducted, 1.0, 1e-6);
    assert_true(us > 300.0 && us <= 1500.0);
    tear_down(&bench);
  }
}

/* Laws so steep that undamped steps overflow (from below) or creep (from above). */
static void steep_laws_are_solved_with_damping(void **state) {
  (void)state;
  Bench bench;
  for (double u = 0.0; u <= 3.0; u += 3.0) {
    set_up_one(&bench, "1e-3", NULL, (Words){INK_SIDE_FLUX, .value = "1e6 - exp(40*T)"}, u);
    const double us = bench.closure->surface[0];
    near(us, log(1e6) / 40.0, 1e-6);
    near(bench.closure->inflow[0], 1e-3 * (us - u) / distance, 1e-7); /* 1e6 - 1e6, in sixteen digits */
    near(bench.closure->slope[0], -1e-3 / distance, 1e-9);            /* the half cell alone resists */
    tear_down(&bench);
  }
}

/* ---- advection ---- */

/* Between the cell centre x_c and the side x_s the profile u = c0 + c1 exp(w x / k) has the flux w c0 along
 * x: with the cell's value from it, each law must reproduce it. */
static void profile(InkSideType type, const char *w_text, double k, int side) {
  const double w = strtod(w_text, NULL), c0 = 3.0, c1 = 0.25;
  const double xs = side ? 1.0 : 0.0, xc = side ? 1.0 - distance : distance, scale = side ? 1.0 : 0.0;
  const double cell = c0 + c1 * exp(w * (xc - scale) / k), us = c0 + c1 * exp(w * (xs - scale) / k);
  const double inflow = side ? -w * c0 : w * c0;
  char k_text[64], value[64], ambient[64];
  (void)snprintf(k_text, sizeof k_text, "%.17g", k);
  (void)snprintf(value, sizeof value, "%.17g", type == INK_SIDE_VALUE ? us : inflow);
  (void)snprintf(ambient, sizeof ambient, "%.17g", us + inflow / 5.0);
  Bench bench;
  const Sketch sketch = {.n = 1,
                         .side = side,
                         .k = {k_text},
                         .velocity = w_text,
                         .law = {{{type, .value = value, .coefficient = "5", .ambient = ambient}}},
                         .parts = {1}};
  set_up(&bench, &sketch, &cell);
  near(bench.closure->inflow[0], inflow, 1e-13);
  near(bench.closure->surface[0], us, 1e-12);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->affine && bench.closure->constant_slope && bench.closure->dissipative);
  assert_int_equal(bench.closure->law[0], type == INK_SIDE_FLUX ? INK_LAW_FLUX : INK_LAW_OTHER);
  tear_down(&bench);
}

static void advection_has_the_exponential_profile(void **state) {
  (void)state;
  static const char *const w[] = {"2", "-2", "30", "-30", "1e-9"};
  static const InkSideType type[] = {INK_SIDE_VALUE, INK_SIDE_FLUX, INK_SIDE_CONVECTION};
  for (int i = 0; i < 5; i++)
    for (int law = 0; law < 3; law++)
      for (int side = 0; side < 2; side++) profile(type[law], w[i], 2.0, side);
}

/* The same law through Newton's method: written so that it uses the field. */
static void advection_by_newton_agrees_with_the_closed_form(void **state) {
  (void)state;
  Bench closed, newton;
  set_up_one(&closed, "2", "1 + t", (Words){INK_SIDE_CONVECTION, .coefficient = "7", .ambient = "30"}, 4.0);
  set_up_one(&newton, "2", "1 + t", (Words){INK_SIDE_FLUX, .value = "7*(30 - T)"}, 4.0);
  near(newton.closure->inflow[0], closed.closure->inflow[0], 1e-12);
  near(newton.closure->slope[0], closed.closure->slope[0], 1e-12);
  near(newton.closure->surface[0], closed.closure->surface[0], 1e-12);
  tear_down(&closed);
  tear_down(&newton);
  set_up_one(&newton, "1 + 0.1*T", "1 + t", (Words){INK_SIDE_VALUE, .value = "7"}, 4.0);
  check_slopes(&newton, 1e-6);
  tear_down(&newton);
}

static void closed_sides_hold_against_the_wind(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "2", "3", (Words){INK_SIDE_CLOSED}, 4.0); /* outwards, through x_max */
  near(bench.closure->inflow[0], 0.0, 0.0);
  near(bench.closure->slope[0], 0.0, 0.0);
  near(bench.closure->surface[0], 4.0 * exp(3.0 * distance / 2.0), 1e-14); /* piles up: u ~ exp(w x/k) */
  assert_false(bench.closure->moving || bench.closure->fixes_level);
  assert_int_equal(bench.closure->law[0], INK_LAW_FLUX);
  tear_down(&bench);
}

static void without_diffusion_the_side_is_upwind(void **state) {
  (void)state;
  Bench bench;
  set_up_one(&bench, "0*x", "3", (Words){INK_SIDE_VALUE, .value = "7"}, 4.0);
  near(bench.closure->inflow[0], -3.0 * 4.0, 0.0); /* blows out of the domain: the cell's own value */
  near(bench.closure->slope[0], -3.0, 0.0);
  tear_down(&bench);
  set_up_one(&bench, "0*x", "-3", (Words){INK_SIDE_VALUE, .value = "7"}, 4.0);
  near(bench.closure->inflow[0], 3.0 * 7.0, 0.0);
  near(bench.closure->slope[0], 0.0, 0.0);
  tear_down(&bench);
  set_up_one(&bench, "0*x", NULL, (Words){INK_SIDE_VALUE, .value = "7"}, 4.0);
  near(bench.closure->inflow[0], 0.0, 0.0);
  tear_down(&bench);
  set_up_one(&bench, "1e-300", "-3", (Words){INK_SIDE_VALUE, .value = "7"}, 4.0); /* the limit */
  near(bench.closure->inflow[0], 3.0 * 7.0, 1e-15);
  tear_down(&bench);
}

/* B(-z) = B(z) + z = exp(z) B(z), the derivative against differences, values against a long series. */
static void bernoulli(void **state) {
  (void)state;
  near(ink_bernoulli(0.0), 1.0, 0.0);
  near(ink_bernoulli_slope(0.0), -0.5, 0.0);
  for (double z = 1e-12; z < 700.0; z *= 1.7) {
    const double b = ink_bernoulli(z), minus = ink_bernoulli(-z);
    assert_true(fabs(minus - (b + z)) <= 4e-16 * minus);
    assert_true(fabs(b / (minus * exp(-z)) - 1.0) <= 1e-14 * (1.0 + 0.1 * z));
    const double h = 1e-4 * fmin(1.0, z);
    for (int sign = -1; sign <= 1; sign += 2) {
      const double at = sign * z, slope = ink_bernoulli_slope(at);
      if (z < 1e-3) { /* differences see nothing there: the Taylor series */
        near(slope, -0.5 + at / 6.0, 1e-11);
        continue;
      }
      const double difference = (ink_bernoulli(at + h) - ink_bernoulli(at - h)) / (2.0 * h);
      assert_true(fabs(slope - difference) <= 1e-6 * fabs(slope) + 1e-8 * fmin(1.0, b));
    }
    near(ink_bernoulli_slope(z) + ink_bernoulli_slope(-z), -1.0, 1e-14); /* from B(-z) = B(z) + z */
  }
  near(ink_bernoulli(INFINITY), 0.0, 0.0);
  assert_true(ink_bernoulli(-1e308) == 1e308 && ink_bernoulli_slope(-1e308) == -1.0);
  assert_true(fabs(ink_bernoulli(720.0) / (720.0 * exp(-720.0)) - 1.0) < 1e-14);
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
      cmocka_unit_test(law_and_half_cell_agree),
      cmocka_unit_test(steep_laws_are_solved_with_damping),
      cmocka_unit_test(advection_has_the_exponential_profile),
      cmocka_unit_test(advection_by_newton_agrees_with_the_closed_form),
      cmocka_unit_test(closed_sides_hold_against_the_wind),
      cmocka_unit_test(without_diffusion_the_side_is_upwind),
      cmocka_unit_test(bernoulli),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
