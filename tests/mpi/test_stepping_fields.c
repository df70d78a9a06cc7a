/* Laws of the steppers on systems of two fields: orders of all methods, scaling of a field, tolerances,
 * conservation, restarts and ranks to the bit, steady states, and the choice of the method. */
#include "toy_run.h"

static double warm(double t) { return (void)t, 1; }
static double swinging(double t) { return 1 + sin(3 * t); }

/* A rotation: u' = rate v, v' = -rate u, and diffusion of both. From u = P, v = 1 - P, P = cos(pi x):
 *
 *     u = e (cos - sin) P + sin,    v = -e (sin + cos) P + cos,    e = exp(-decay t), of the angle rate t. */
static double rotation_error(const Run *run, double t) {
  const double angle = run->toy.rate * t, c = cos(angle), s = sin(angle);
  const double e = exp(-t * decay(1, run->mesh->cells, run->toy.diffusivity));
  double worst = 0;
  for (int64_t i = toy_first(run->mesh); i >= 0; i = toy_next(run->mesh, i)) {
    const double p = cosine(run->mesh, i);
    worst = fmax(worst, fabs(run->u[i] - (e * (c - s) * p + s)));
    worst = fmax(worst, fabs(run->u[run->mesh->size + i] - (-e * (s + c) * p + c)));
  }
  OK(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return worst;
}

static const Toy rotating = {.fields = 2,
                             .diffusivity = 0.05,
                             .second_diffusivity = 0.05,
                             .reactions = rotation,
                             .slopes = rotation_slopes,
                             .rate = 2};

static void check_order(InkMethod method, double first, double least) {
  double before = 0;
  for (int level = 0; level < 4; level++) {
    Run run;
    begin(&run, 1, 8, rotating, true, true, cosine,
          (InkStepperOptions){.method = method, .tolerance = 1e-9, .dt = first / (1 << level)});
    advance(&run, 1);
    const double error = rotation_error(&run, 1);
    assert_true(error > 1e-13);
    end(&run);
    if (level > 1) {
      const double order = log2(before / error);
      if (!(order > least && order < least + 0.5))
        print_message("method %d: error %g after %g, order %g\n", method, error, before, order);
      assert_true(order > least && order < least + 0.5);
    }
    before = error;
  }
}

static void test_orders(void **state) {
  (void)state;
  check_order(INK_EXPLICIT, 1.0 / 16, 0.9);
  check_order(INK_IMPLICIT, 0.25, 1.9);
  check_order(INK_SPLIT, 0.125, 3.9);
  assert_int_equal(ink_method_order(INK_EXPLICIT), 1);
  assert_int_equal(ink_method_order(INK_IMPLICIT), 2);
  assert_int_equal(ink_method_order(INK_SPLIT), 4);
}

/* The Brusselator with diffusion: u' = 1 - 4 u + u^2 v, v' = 3 u - u^2 v. */
static void brusselator(const Toy *toy, double t, const double u[], double r[]) {
  (void)toy;
  (void)t;
  r[0] = 1 - 4 * u[0] + u[0] * u[0] * u[1];
  r[1] = 3 * u[0] - u[0] * u[0] * u[1];
}
static void brusselator_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)toy;
  (void)t;
  slope[0] = -4 + 2 * u[0] * u[1];
  slope[1] = u[0] * u[0];
  slope[2] = 3 - 2 * u[0] * u[1];
  slope[3] = -u[0] * u[0];
}
static double hill(const InkMesh *mesh, int64_t c) { return 1 + 0.5 * cosine(mesh, c); }

static const Toy chemistry = {.fields = 2,
                              .diffusivity = 0.02,
                              .second_diffusivity = 0.1,
                              .reactions = brusselator,
                              .slopes = brusselator_slopes};

/* Largest difference of two runs on the same mesh. */
static double difference(const Run *a, const Run *b) {
  double worst = 0;
  for (int f = 0; f < a->system.n; f++)
    for (int64_t c = toy_first(a->mesh); c >= 0; c = toy_next(a->mesh, c))
      worst = fmax(worst, fabs(a->u[f * a->mesh->size + c] - b->u[f * b->mesh->size + c]));
  OK(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return worst;
}

/* Both implicit methods go to the same solution, each with its order. */
static void test_orders_nonlinear(void **state) {
  (void)state;
  Run exact;
  begin(&exact, 1, 8, chemistry, false, false, hill,
        (InkStepperOptions){.method = INK_SPLIT, .tolerance = 1e-9, .dt = 1.0 / 512});
  advance(&exact, 2);
  for (int kind = 0; kind < 2; kind++) {
    double before = 0;
    for (int level = 0; level < 3; level++) {
      Run run;
      begin(&run, 1, 8, chemistry, false, false, hill,
            (InkStepperOptions){.method = kind ? INK_SPLIT : INK_IMPLICIT,
                                .tolerance = 1e-9,
                                .dt = (kind ? 0.05 : 0.02) / (1 << level)});
      advance(&run, 2);
      const double error = difference(&run, &exact), order = log2(before / error);
      if (level > 0 && !(order > (kind ? 3.8 : 1.9) && order < (kind ? 4.5 : 2.3)))
        print_message("kind %d: error %g after %g, order %g\n", kind, error, before, order);
      if (level > 0) assert_true(order > (kind ? 3.8 : 1.9) && order < (kind ? 4.5 : 2.3));
      before = error;
      end(&run);
    }
  }
  end(&exact);
}

/* Tolerances are of each field's own range: with v in units 2^-40 as large, every step and every bit of u is
 * the same, and v is 2^-40 times what it was. */
static void small_rotation(const Toy *toy, double t, const double u[], double r[]) {
  (void)t;
  r[0] = toy->rate * (u[1] * 0x1p40);
  r[1] = -toy->rate * u[0] * 0x1p-40;
}
static void small_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)t;
  (void)u;
  slope[1] = toy->rate * 0x1p40;
  slope[2] = -toy->rate * 0x1p-40;
}

static void check_scaling(InkMethod method, bool positive) {
  const InkStepperOptions options = {.method = method, .tolerance = 1e-5, .positive = positive};
  Toy small = rotating;
  small.reactions = small_rotation;
  small.slopes = small_slopes;
  Run run, scaled;
  begin(&run, 1, 16, rotating, true, true, cosine, options);
  begin(&scaled, 1, 16, small, true, true, cosine, options);
  for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
    scaled.u[scaled.mesh->size + c] *= 0x1p-40;
  advance(&run, 1);
  advance(&scaled, 1);
  assert_int_equal(run.progress.step, scaled.progress.step);
  for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c)) {
    assert_true(run.u[c] == scaled.u[c]);
    assert_true(run.u[run.mesh->size + c] * 0x1p-40 == scaled.u[run.mesh->size + c]);
  }
  end(&run);
  end(&scaled);
}

static void test_units_of_a_field(void **state) {
  (void)state;
  check_scaling(INK_IMPLICIT, false);
  check_scaling(INK_SPLIT, false);
}

/* Every step adds at most the tolerance, and the system amplifies nothing. */
static void test_tolerance_bounds_the_error(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    double before = INFINITY;
    for (double tolerance = 1e-3; tolerance > 1e-8; tolerance /= 100) {
      Run run;
      begin(&run, 1, 16, rotating, true, true, cosine,
            (InkStepperOptions){.method = kind ? INK_SPLIT : INK_IMPLICIT, .tolerance = tolerance});
      advance(&run, 3);
      const double error = rotation_error(&run, 3);
      if (getenv("INK_SHOW"))
        print_message("kind %d tolerance %g: error %g in %d steps\n", kind, tolerance, error,
                      (int)run.progress.step);
      assert_true(error < 2 * tolerance * (double)run.progress.step); /* ranges are about 2 */
      assert_true(error < before / 12);
      before = error;
      end(&run);
    }
  }
}

/* The higher order pays: at the same tolerance the split method takes fewer steps. */
static void test_split_takes_fewer_steps(void **state) {
  (void)state;
  int64_t steps[2];
  for (int kind = 0; kind < 2; kind++) {
    Run run;
    begin(&run, 1, 16, chemistry, false, false, hill,
          (InkStepperOptions){.method = kind ? INK_SPLIT : INK_IMPLICIT, .tolerance = 1e-6});
    advance(&run, 4);
    steps[kind] = run.progress.step;
    end(&run);
  }
  if (getenv("INK_SHOW")) print_message("TR-BDF2 %d steps, split %d\n", (int)steps[0], (int)steps[1]);
  assert_true(2 * steps[1] < steps[0]);
}

static void test_budgets_telescope(void **state) {
  (void)state;
  Toy toy = chemistry;
  toy.side = swinging;
  for (int method = INK_EXPLICIT; method <= INK_SPLIT; method++)
    for (int positive = 0; positive < 2; positive++) {
      if (method == INK_STEADY) continue;
      Run run;
      begin(&run, 1, 16, toy, false, false, hill,
            (InkStepperOptions){.method = (InkMethod)method, .tolerance = 1e-4, .positive = positive != 0});
      for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c))
        run.u[run.mesh->size + c] += 0.6; /* from 0.1 on */
      double start[2];
      for (int f = 0; f < 2; f++) start[f] = content_of(&run, f);
      advance(&run, 0.3);
      for (int f = 0; f < 2; f++) {
        const double defect = content_of(&run, f) - start[f] - budget_of(&run, f);
        if (fabs(defect) > 2e-14 * (double)run.progress.step + 1e-14)
          print_message("method %d field %d: defect %g in %d steps\n", method, f, defect,
                        (int)run.progress.step);
        assert_true(fabs(defect) <= 2e-14 * (double)run.progress.step + 1e-14);
        assert_true(fabs(budget_of(&run, f)) > 0.05);
      }
      end(&run);
    }
}

static double limit_of_state(double largest) { return 1e-3 / (1 + largest); }

static void test_restart_has_the_same_bits(void **state) {
  (void)state;
  Toy toy = chemistry, bounded = chemistry;
  toy.side = swinging;
  toy.second_diffusivity = 0; /* an immobile field */
  bounded.limit_of_state = limit_of_state;
  check_restart(toy, false, false, (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-4}, 1);
  check_restart(bounded, false, false, (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-4}, 1);
  check_restart(toy, false, false,
                (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-4, .limit_explicit = true}, 1);
  check_restart(toy, false, false, (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-5}, 1);
  check_restart(toy, false, false, (InkStepperOptions){.method = INK_SPLIT, .tolerance = 1e-6}, 1);
  check_restart(rotating, true, true, (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-6}, 1);
}

static void test_ranks_agree(void **state) {
  (void)state;
  Toy toy = chemistry;
  toy.side = swinging;
  check_ranks(toy, false, false, (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-4}, 2, 0);
  check_ranks(toy, false, false, (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-4}, 1, 0);
  check_ranks(toy, false, false, (InkStepperOptions){.method = INK_SPLIT, .tolerance = 1e-5}, 1, 0);
}

/* ---- steady ---- */

/* u'' = u - v, v'' D2 = v^2 - u between sides at 1, where u = v = 1 is the answer; and a source that moves
 * it.
 */
static void balance(const Toy *toy, double t, const double u[], double r[]) {
  (void)t;
  r[0] = toy->rate + u[1] - u[0];
  r[1] = u[0] - u[1] * u[1];
}
static void balance_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)toy;
  (void)t;
  slope[0] = -1;
  slope[1] = 1;
  slope[2] = 1;
  slope[3] = -2 * u[1];
}
static void runaway(const Toy *toy, double t, const double u[], double r[]) {
  (void)t;
  r[0] = -u[0];
  r[1] = toy->rate * exp(u[1]);
}
static void runaway_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)t;
  slope[0] = -1;
  slope[3] = toy->rate * exp(u[1]);
}

static void test_steady(void **state) {
  (void)state;
  for (int dim = 1; dim <= 2; dim++)
    for (int source = 0; source < 2; source++) {
      Run run;
      const Toy toy = {.fields = 2,
                       .diffusivity = 1,
                       .second_diffusivity = 0.1,
                       .side = warm,
                       .reactions = balance,
                       .slopes = balance_slopes,
                       .rate = source ? 20 : 0};
      begin(&run, dim, 16, toy, false, false, zeros,
            (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
      advance(&run, 1);
      double *g, worst = 0;
      OK(ink_mesh_fields(run.mesh, 2, &g));
      OK(toy_rhs(&run.toy, 1, run.u, g));
      for (int f = 0; f < 2; f++)
        for (int64_t c = toy_first(run.mesh); c >= 0; c = toy_next(run.mesh, c)) {
          worst = fmax(worst, fabs(g[f * run.mesh->size + c]) / toy_volume(run.mesh, c));
          if (!source) assert_true(fabs(run.u[f * run.mesh->size + c] - 1) < 1e-9);
        }
      assert_true(worst < 1e-7);
      ink_mesh_free(&g);
      end(&run);
    }
  Run run;
  const Toy none = {.fields = 2,
                    .diffusivity = 1,
                    .second_diffusivity = 1,
                    .side = warm,
                    .reactions = runaway,
                    .slopes = runaway_slopes,
                    .rate = 50};
  begin(&run, 1, 16, none, false, false, zeros, (InkStepperOptions){.method = INK_STEADY, .tolerance = 1e-5});
  expect_failure(&run, 1, INK_NUMERICAL, (const char *const[]){"v: no steady state", "cell (", NULL});
}

/* How often the bound is looked at: once when it is steady, less and less often while it does not move, every
 * step when the data move. */
static double still(double largest) { return (void)largest, 1e-3; }
static void test_looks_at_the_bound(void **state) {
  (void)state;
  const int expected[3] = {1, 2 + 5 + 6, 200};
  for (int kind = 0; kind < 3; kind++) {
    Run run;
    Toy toy = {.diffusivity = 0.1, .limit = 1e-3};
    if (kind > 0) toy.limit_of_state = still;
    begin(&run, 1, 8, toy, true, false, cosine,
          (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-5});
    OK(ink_stepper_destroy(&run.stepper));
    run.system.moving = kind == 2;
    const InkStepperOptions options = {.method = INK_EXPLICIT, .tolerance = 1e-5};
    OK(ink_stepper_create(&run.system, &options, &run.u, 0, &run.stepper));
    advance(&run, 200 * 0.9e-3);
    assert_int_equal(run.progress.step, 200);
    if (kind == 1)
      assert_true(run.toy.looks > 200 / 32 && run.toy.looks <= expected[kind]);
    else
      assert_int_equal(run.toy.looks, expected[kind]);
    end(&run);
  }
}

/* ---- the choice ---- */

static void test_choice_of_the_implicit_method(void **state) {
  (void)state;
  Run run;
  InkMethod method;
  InkPlan plan = {0};
  InkStepperOptions options = {.tolerance = 1e-5};
  begin(&run, 1, 100, rotating, true, true, cosine, options);
  OK(ink_stepper_choose_implicit(&run.system, run.u, 0, 10, &options, &method, &plan));
  assert_int_equal(method, INK_SPLIT);
  assert_int_equal(plan.order, 4);
  assert_non_null(strstr(plan.reason, "ARK4(3)"));
  options.dt = 0.4; /* rate * dt = 0.8 */
  OK(ink_stepper_choose_implicit(&run.system, run.u, 0, 10, &options, &method, &plan));
  assert_int_equal(method, INK_SPLIT);
  assert_true(plan.steps == 25 && plan.dt == 0.4);
  options.dt = 0.6;
  OK(ink_stepper_choose_implicit(&run.system, run.u, 0, 10, &options, &method, &plan));
  assert_int_equal(method, INK_IMPLICIT);
  assert_non_null(strstr(plan.reason, "rates up to 2"));
  options.dt = 0;
  run.toy.rate = 1e9;
  OK(ink_stepper_choose_implicit(&run.system, run.u, 0, 10, &options, &method, &plan));
  assert_int_equal(method, INK_IMPLICIT);
  assert_non_null(strstr(plan.reason, "rates up to 1e+09"));
  run.system.split_rest = NULL;
  OK(ink_stepper_choose_implicit(&run.system, run.u, 0, 10, &options, &method, &plan));
  assert_int_equal(method, INK_IMPLICIT);
  assert_non_null(strstr(plan.reason, "TR-BDF2"));
  end(&run);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders),
      cmocka_unit_test(test_orders_nonlinear),
      cmocka_unit_test(test_units_of_a_field),
      cmocka_unit_test(test_tolerance_bounds_the_error),
      cmocka_unit_test(test_split_takes_fewer_steps),
      cmocka_unit_test(test_budgets_telescope),
      cmocka_unit_test(test_restart_has_the_same_bits),
      cmocka_unit_test(test_ranks_agree),
      cmocka_unit_test(test_steady),
      cmocka_unit_test(test_looks_at_the_bound),
      cmocka_unit_test(test_choice_of_the_implicit_method),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
