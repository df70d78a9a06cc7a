/* Laws of the steppers on small systems with known solutions: orders, L-stability, control of the error,
 * conservation, restarts to the bit, steady states, and what is said when a run goes wrong. */
#include "toy_run.h"

/* Largest |u - factor * profile| over all ranks. */
static double error_of(const Run *run, double factor, Profile profile) {
  double worst = 0;
  for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
    worst = fmax(worst, fabs(run->u[c] - factor * profile(run->mesh, c)));
  OK(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return worst;
}

/* The observed order in dt of `method`; each halving must show at least `least`. */
static void check_order(int dim, int64_t cells, Toy toy, bool linear, bool constant, Profile profile,
                        InkMethod method, double until, double first, double exact, double least) {
  double before = 0;
  for (int level = 0; level < 4; level++) {
    Run run;
    begin(&run, dim, cells, toy, linear, constant, profile,
          (InkStepperOptions){.method = method, .tolerance = 1e-9, .dt = first / (1 << level)});
    advance(&run, until);
    assert_int_equal(run.progress.step, (int64_t)lround(until / first) << level);
    const double error = error_of(&run, exact, profile);
    end(&run);
    assert_true(error > 1e-13); /* an order cannot be seen in round-off */
    if (level > 1) {
      const double order = log2(before / error);
      if (order < least) print_message("dim %d: error %g after %g, order %g\n", dim, error, before, order);
      assert_true(order >= least);
      assert_true(order < least + 0.5);
    }
    before = error;
  }
}

static void test_order_linear(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++) {
    const int64_t cells = dim == 3 ? 6 : 12;
    const Toy toy = {.diffusivity = 0.1};
    check_order(dim, cells, toy, true, true, cosine, INK_IMPLICIT, 1, 0.25, exp(-decay(dim, cells, 0.1)),
                1.95);
  }
}

static double minus_square(const Toy *toy, double t, double u) { return (void)toy, (void)t, -u * u; }
static double minus_square_slope(const Toy *toy, double t, double u) { return (void)toy, (void)t, -2 * u; }

static void test_order_nonlinear(void **state) {
  (void)state;
  const Toy toy = {.reaction = minus_square, .slope = minus_square_slope};
  check_order(1, 8, toy, false, false, ones, INK_IMPLICIT, 2, 0.25, 1.0 / 3, 1.95);
  check_order(2, 6, toy, false, false, ones, INK_IMPLICIT, 2, 0.25, 1.0 / 3, 1.95);
}

static double capacity(double u) { return 1 + u * u; }
static double capacity_slope(double u) { return 2 * u; }
static double cosine_of_time(const Toy *toy, double t, double u) { return (void)toy, (void)u, cos(t); }
static double no_slope(const Toy *toy, double t, double u) { return (void)toy, (void)t, (void)u, 0; }

/* (1 + u^2) du/dt = cos t from u = 1: u + u^3 / 3 = 4/3 + sin t. */
static double capacity_solution(double t) {
  double u = 1;
  for (int i = 0; i < 50; i++) u -= (u + u * u * u / 3 - 4.0 / 3 - sin(t)) / (1 + u * u);
  return u;
}

static void test_order_nonlinear_capacity(void **state) {
  (void)state;
  const Toy toy = {
      .reaction = cosine_of_time, .slope = no_slope, .capacity = capacity, .capacity_slope = capacity_slope};
  check_order(1, 8, toy, false, false, ones, INK_IMPLICIT, 2, 0.25, capacity_solution(2), 1.95);
}

/* du/dt = -rate (u - cos t) - sin t, whose solution is cos t however stiff. */
static double relaxation(const Toy *toy, double t, double u) { return -toy->rate * (u - cos(t)) - sin(t); }
static double relaxation_slope(const Toy *toy, double t, double u) { return (void)t, (void)u, -toy->rate; }

static void test_order_forced(void **state) {
  (void)state;
  const Toy mild = {.reaction = relaxation, .slope = relaxation_slope, .rate = 1};
  check_order(1, 8, mild, true, true, ones, INK_IMPLICIT, 2, 0.25, cos(2), 1.95);
  /* Stiff: the order may rise, but no error may be larger than that of the mild one. */
  Run run;
  const Toy stiff = {.reaction = relaxation, .slope = relaxation_slope, .rate = 1e6};
  begin(&run, 1, 8, stiff, true, true, ones,
        (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-9, .dt = 0.25});
  advance(&run, 2);
  assert_true(error_of(&run, cos(2), ones) < 1e-4);
  end(&run);
}

static void test_order_euler(void **state) {
  (void)state;
  const Toy toy = {.diffusivity = 0.1};
  check_order(2, 6, toy, true, true, cosine, INK_EXPLICIT, 1, 1.0 / 32, exp(-decay(2, 6, 0.1)), 0.95);
}

/* A mode is multiplied by (1 + (s-1) (1 + z/(s-1))^s)/s a step: 0.5 is 9 stages long here. */
static void test_staged(void **state) {
  (void)state;
  const Toy toy = {.diffusivity = 0.1};
  check_order(2, 6, toy, true, true, cosine, INK_STAGED, 1, 1.0 / 32, exp(-decay(2, 6, 0.1)), 1.9);
  Run run;
  begin(&run, 2, 6, toy, true, true, cosine,
        (InkStepperOptions){.method = INK_STAGED, .tolerance = 1e-5, .dt = 0.5});
  advance(&run, 0.5);
  const double s = 9, z = -0.5 * decay(2, 6, 0.1);
  assert_int_equal(run.progress.step, 1);
  assert_true(error_of(&run, (1 + (s - 1) * pow(1 + z / (s - 1), s)) / s, cosine) < 1e-14);
  end(&run);
  /* As long as ten stages go, and evenly: nine tenths of nine bounds of 5/72 to t = 2. */
  begin(&run, 2, 6, toy, true, true, cosine, (InkStepperOptions){.method = INK_STAGED, .tolerance = 1e-5});
  advance(&run, 2);
  assert_int_equal(run.progress.step, 4);
  end(&run);
}

static void test_stiff_mode_dies(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.diffusivity = 1e8};
  begin(&run, 1, 16, toy, true, true, zigzag,
        (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-6, .dt = 1});
  advance(&run, 1);
  assert_int_equal(run.progress.step, 1);
  assert_true(error_of(&run, 0, zigzag) < 1e-6);
  end(&run);
}

static double warm(double t) { return (void)t, 1; }

/* Control: every step adds at most the tolerance times the range, and diffusion amplifies nothing, so the
 * error is below their sum; and it falls as tolerance^(2/3) does, 21 times for a hundredth. Smooth data
 * first, then a jump between the initial state and the sides. */
static void test_tolerance_bounds_the_error(void **state) {
  (void)state;
  double before = INFINITY;
  for (double tolerance = 1e-3; tolerance > 1e-8; tolerance /= 100) {
    Run run;
    const Toy toy = {.diffusivity = 0.1};
    begin(&run, 1, 16, toy, true, true, cosine,
          (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = tolerance});
    advance(&run, 2);
    const double error = error_of(&run, exp(-2 * decay(1, 16, 0.1)), cosine);
    assert_true(error < 2 * tolerance * (double)run.progress.step);
    assert_true(error < before / 12);
    before = error;
    end(&run);
  }
  double middle[3];
  for (int level = 0; level < 3; level++) {
    Run run;
    const Toy toy = {.diffusivity = 1, .side = warm};
    const double tolerance[] = {1e-9, 1e-3, 1e-5};
    begin(&run, 1, 33, toy, true, true, zeros,
          (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = tolerance[level]});
    advance(&run, 0.1);
    middle[level] = -1;
    for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
      if (run.mesh->start[0] + toy_local(run.mesh, c, 0) == 16) middle[level] = run.u[c];
    OK(MPI_Allreduce(MPI_IN_PLACE, &middle[level], 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
    assert_true((double)run.progress.step < 150 * cbrt(1e-5 / tolerance[level]));
    end(&run);
  }
  assert_true(fabs(middle[1] - middle[0]) < 2e-2);
  assert_true(fabs(middle[2] - middle[0]) < 2e-4);
}

/* A field at rest that a slowly growing source wakes up: no range to be relative to at the start. */
static double ramp(const Toy *toy, double t, double u) { return (void)toy, (void)u, 1e-3 * t * t * t; }
static void test_start_from_rest(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.reaction = ramp, .slope = no_slope};
  begin(&run, 1, 8, toy, true, true, zeros, (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-5});
  advance(&run, 2);
  /* The range foreseen is at most t du/dt = 1.6e-2. */
  assert_true(error_of(&run, 1e-3 * 4, ones) < 1e-5 * 1.6e-2 * (double)run.progress.step);
  assert_true(run.progress.step < 100);
  end(&run);
}

/* One that another field wakes up by its square, so that no linearisation at the start sees it: v = t^3 / 3.
 */
static void squared(const Toy *toy, double t, const double u[], double r[]) {
  (void)toy, (void)t;
  r[0] = 1;
  r[1] = u[0] * u[0];
}
static void squared_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)toy, (void)t;
  slope[2] = 2 * u[0];
}
static void test_start_by_a_square(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.fields = 2, .reactions = squared, .slopes = squared_slopes};
  begin(&run, 1, 8, toy, false, true, zeros, (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-5});
  double *v = run.u + run.mesh->size;
  for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c)) v[c] = 0;
  advance(&run, 2);
  const int64_t c = toy_first(run.mesh);
  assert_true(fabs(run.u[c] - 2) < 1e-9);
  assert_true(fabs(v[c] - 8.0 / 3) < 1e-5 * 8.0 / 3 * (double)run.progress.step);
  assert_true(run.progress.step < 300);
  end(&run);
}

static double swinging(double t) { return 1 + sin(3 * t); }

static void test_budget_telescopes(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int m = 0; m < 3; m++) {
      static const InkMethod methods[] = {INK_EXPLICIT, INK_IMPLICIT, INK_STAGED};
      const InkMethod method = methods[m];
      Run run;
      const Toy toy = {.diffusivity = 1, .side = swinging, .reaction = cosine_of_time, .slope = no_slope};
      begin(&run, dim, dim == 3 ? 8 : 16, toy, true, true, cosine,
            (InkStepperOptions){.method = method, .tolerance = 1e-4});
      const double start = content(&run);
      advance(&run, 0.2);
      const double defect = content(&run) - start - budget(&run);
      if (fabs(defect) > 1e-13 * (double)run.progress.step)
        print_message("dim %d method %d: defect %g in %d steps\n", dim, method, defect,
                      (int)run.progress.step);
      assert_true(fabs(defect) <= 1e-14 * (double)run.progress.step + 1e-14);
      assert_true(fabs(budget(&run)) > 0.1);
      end(&run);
    }
}

/* A jump between initial state and sides under a fixed dt far above the cells' own time: no value leaves the
 * range of the data in the first step, and the budget still telescopes. */
static void test_jump_with_fixed_step(void **state) {
  (void)state;
  for (int dim = 1; dim <= 2; dim++) {
    Run run;
    const Toy toy = {.diffusivity = 1, .side = warm};
    begin(&run, dim, 40, toy, true, true, zeros,
          (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-6, .dt = 0.01});
    advance(&run, 0.01);
    assert_int_equal(run.progress.step, 1);
    double outside = 0;
    for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
      outside = fmax(outside, fmax(run.u[c] - 1, -run.u[c]));
    assert_true(outside < 1e-8);
    advance(&run, 0.05);
    assert_true(fabs(content(&run) - budget(&run)) < 1e-13);
    assert_true(budget(&run) > 0.1);
    end(&run);
  }
}

static void test_targets_are_hit(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.diffusivity = 1};
  begin(&run, 1, 10, toy, true, true, cosine, (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-5});
  const double target[] = {0.1, 0.1 + 1e-3, 0.3};
  for (int i = 0; i < 3; i++) advance(&run, target[i]);
  /* The bound is 0.005. 0.1 in 23 equal steps of at most 0.0045; a short interval in one; 0.199 in 45 */
  assert_int_equal(run.progress.step, 23 + 1 + 45);
  end(&run);
}

static void test_restart_has_the_same_bits(void **state) {
  (void)state;
  const Toy toy = {.diffusivity = 1, .side = swinging};
  const InkStepperOptions euler = {.method = INK_EXPLICIT, .tolerance = 1e-4};
  const InkStepperOptions trbdf2 = {.method = INK_IMPLICIT, .tolerance = 1e-4};
  const InkStepperOptions split = {.method = INK_SPLIT, .tolerance = 1e-6};
  const InkStepperOptions staged = {.method = INK_STAGED, .tolerance = 1e-4};
  check_restart(toy, true, true, euler, 2);
  check_restart(toy, true, true, staged, 2);
  check_restart(toy, true, true, trbdf2, 1);
  check_restart(toy, true, true, trbdf2, 2);
  check_restart(toy, true, true, split, 1);
}

static void test_ranks_agree(void **state) {
  (void)state;
  const Toy toy = {.diffusivity = 1, .side = swinging};
  const InkStepperOptions euler = {.method = INK_EXPLICIT, .tolerance = 1e-5};
  const InkStepperOptions trbdf2 = {.method = INK_IMPLICIT, .tolerance = 1e-5};
  const InkStepperOptions split = {.method = INK_SPLIT, .tolerance = 1e-5};
  const InkStepperOptions staged = {.method = INK_STAGED, .tolerance = 1e-5};
  for (int dim = 1; dim <= 3; dim++) {
    check_ranks(toy, true, true, euler, dim, 0);
    check_ranks(toy, true, true, staged, dim, 0);
    check_ranks(toy, true, true, trbdf2, dim, dim == 1 ? 0 : 1e-7);
  }
  check_ranks(toy, true, true, split, 1, 0);
}

/* du/dt = 0 = d2u/dx2 + source: exact for the discrete parabola. */
static double unit_source(const Toy *toy, double t, double u) { return (void)toy, (void)t, (void)u, 2; }
static double parabola(const InkMesh *mesh, int64_t c) {
  const double x = toy_at(mesh, c, 0), h = 1.0 / (double)mesh->axis[0].cells;
  return 1 + x * (1 - x) + h * h / 4;
}

static void test_steady_linear(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.diffusivity = 1, .side = warm, .reaction = unit_source, .slope = no_slope};
  begin(&run, 1, 40, toy, true, true, zeros, (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
  advance(&run, 7);
  assert_true(error_of(&run, 1, parabola) < 1e-12);
  end(&run);
  begin(&run, 2, 24, toy, true, true, zeros, (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
  advance(&run, 7);
  double *g, worst = 0;
  OK(ink_mesh_array(run.mesh, &g));
  OK(toy_rhs(&run.toy, 7, run.u, g));
  for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
    worst = fmax(worst, fabs(g[c]) / toy_volume(run.mesh, c));
  assert_true(worst < 1e-9); /* of a source of 2, in cells whose coefficients are 24^2 */
  ink_mesh_free(&g);
  end(&run);
}

/* u'' = u^4 - 16 towards 2 between sides at 1; and a source like exp(u) below its critical strength. */
static double quartic(const Toy *toy, double t, double u) {
  return (void)t, toy->rate * (16 - u * u * u * u);
}
static double quartic_slope(const Toy *toy, double t, double u) {
  return (void)t, -4 * toy->rate * u * u * u;
}
static double bratu(const Toy *toy, double t, double u) { return (void)t, toy->rate * exp(u); }

static void test_steady_nonlinear(void **state) {
  (void)state;
  for (int dim = 1; dim <= 2; dim++) {
    Run run;
    const Toy toy = {
        .diffusivity = 1, .side = warm, .reaction = quartic, .slope = quartic_slope, .rate = 1e4};
    begin(&run, dim, 16, toy, false, false, zeros,
          (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
    advance(&run, 1);
    double *g, worst = 0;
    OK(ink_mesh_array(run.mesh, &g));
    OK(toy_rhs(&run.toy, 1, run.u, g));
    for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
      worst = fmax(worst, fabs(g[c]) / toy_volume(run.mesh, c));
    assert_true(worst < 1e-6); /* of terms of 1.6e5 */
    ink_mesh_free(&g);
    end(&run);
  }
}

static void test_failures_say_what_to_do(void **state) {
  (void)state;
  Run run;
  const Toy bad = {.diffusivity = 1, .nan_cell = 5, .nan_time = 0.05};
  for (int method = INK_EXPLICIT; method <= INK_IMPLICIT; method++) {
    begin(&run, 2, 8, bad, true, true, cosine,
          (InkStepperOptions){.method = (InkMethod)method, .tolerance = 1e-5});
    expect_failure(
        &run, 0.06, INK_NUMERICAL,
        (const char *const[]){"u: ", "not finite", "cell (", "x = ", "t = 0.0", "expression", NULL});
  }
  const Toy heat = {.diffusivity = 1};
  begin(&run, 1, 8, heat, true, true, cosine, (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
  expect_failure(&run, 1, INK_USAGE, (const char *const[]){"steady", "level", "implicit", NULL});
  begin(&run, 1, 10, heat, true, true, cosine,
        (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-5, .dt = 0.01});
  expect_failure(&run, 1, INK_USAGE, (const char *const[]){"time.dt = 0.01", "0.005", "leave it out", NULL});
  begin(&run, 1, 10, heat, true, true, cosine,
        (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-5, .max_steps = 3});
  expect_failure(&run, 1, INK_NUMERICAL, (const char *const[]){"max_steps = 3", "t = 0.0134", NULL});
  const Toy runaway = {.diffusivity = 1, .side = warm, .reaction = bratu, .slope = bratu, .rate = 50};
  begin(&run, 1, 16, runaway, false, false, zeros,
        (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
  expect_failure(&run, 1, INK_NUMERICAL, (const char *const[]){"no steady state", "cell (", NULL});
}

/* An explosion: u' = u^2 from 1 is infinite at t = 1. The run must end with a failure near there. */
static double square(const Toy *toy, double t, double u) { return (void)toy, (void)t, u * u; }
static double square_slope(const Toy *toy, double t, double u) { return (void)toy, (void)t, 2 * u; }
static void test_explosion_is_a_failure(void **state) {
  (void)state;
  Run run;
  const Toy toy = {.reaction = square, .slope = square_slope};
  begin(&run, 1, 8, toy, false, false, ones,
        (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-4, .max_steps = 20000});
  expect_failure(&run, 2, INK_NUMERICAL, (const char *const[]){"u: ", "t = ", NULL});
}

static void test_explicit_tolerance(void **state) {
  (void)state;
  double error[2];
  for (int level = 0; level < 2; level++) {
    Run run;
    const Toy toy = {.reaction = minus_square, .slope = minus_square_slope, .limit = 1};
    begin(&run, 1, 8, toy, false, false, ones,
          (InkStepperOptions){
              .method = INK_EXPLICIT, .limit_explicit = true, .tolerance = level ? 1e-6 : 1e-4});
    advance(&run, 1);
    error[level] = error_of(&run, 0.5, ones);
    end(&run);
  }
  assert_true(error[0] < 1e-2);
  assert_true(error[1] < 0.15 * error[0]);
}

static void test_choice(void **state) {
  (void)state;
  Run run;
  InkMethod method;
  InkPlan plan = {0};
  const Toy toy = {.diffusivity = 1};
  begin(&run, 1, 100, toy, true, true, cosine, (InkStepperOptions){.tolerance = 1e-5});
  OK(ink_stepper_choose(&run.system, run.u, 0, 1e-3, 1e-5, true, &method, &plan));
  assert_int_equal(method, INK_EXPLICIT);
  assert_true(plan.steps == 23); /* 1e-3 in steps of at most 0.9 * 5e-5 */
  assert_non_null(strstr(plan.reason, "explicit"));
  OK(ink_stepper_choose(&run.system, run.u, 0, 100, 1e-5, true, &method, &plan));
  assert_int_equal(method, INK_SPLIT);
  assert_string_equal(plan.method, "implicit");
  assert_int_equal(plan.order, 4);
  run.system.split_solve = NULL;
  OK(ink_stepper_choose(&run.system, run.u, 0, 100, 1e-5, true, &method, &plan));
  assert_int_equal(method, INK_IMPLICIT);
  assert_int_equal(plan.order, 2);
  end(&run);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_linear),
      cmocka_unit_test(test_order_nonlinear),
      cmocka_unit_test(test_order_nonlinear_capacity),
      cmocka_unit_test(test_order_forced),
      cmocka_unit_test(test_order_euler),
      cmocka_unit_test(test_staged),
      cmocka_unit_test(test_stiff_mode_dies),
      cmocka_unit_test(test_tolerance_bounds_the_error),
      cmocka_unit_test(test_start_from_rest),
      cmocka_unit_test(test_start_by_a_square),
      cmocka_unit_test(test_budget_telescopes),
      cmocka_unit_test(test_jump_with_fixed_step),
      cmocka_unit_test(test_targets_are_hit),
      cmocka_unit_test(test_restart_has_the_same_bits),
      cmocka_unit_test(test_ranks_agree),
      cmocka_unit_test(test_steady_linear),
      cmocka_unit_test(test_steady_nonlinear),
      cmocka_unit_test(test_failures_say_what_to_do),
      cmocka_unit_test(test_explosion_is_a_failure),
      cmocka_unit_test(test_explicit_tolerance),
      cmocka_unit_test(test_choice),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
