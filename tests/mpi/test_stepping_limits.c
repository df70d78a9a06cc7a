/* What the steppers do at the edge: fields that must stay positive, solutions that grow without bound,
 * equations that are not defined, and what is said of them. */
#include "toy_run.h"

static double spike(const InkMesh *mesh, int64_t c) {
  return mesh->start[0] + toy_local(mesh, c, 0) == mesh->axis[0].cells / 2 ? 1 : 0;
}

static double lowest(const Run *run) {
  double least = INFINITY;
  for (int f = 0; f < run->system.n; f++)
    for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
      least = fmin(least, run->u[f * run->mesh->size + c]);
  OK(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD));
  return least;
}

static double fast_decay(const Toy *toy, double t, double u) { return (void)t, -toy->rate * u; }
static double fast_decay_slope(const Toy *toy, double t, double u) { return (void)t, (void)u, -toy->rate; }

/* Steps that are long for the system, where both methods undershoot: with `positive` nothing becomes
 * negative, and the content changes by what the budget says as exactly as before. Returns the lowest value.
 */
static double check_positive(Toy toy, Profile profile, InkStepperOptions options, double until) {
  Run run;
  double least = INFINITY;
  begin(&run, 1, 41, toy, true, true, profile, options);
  const double start = content(&run);
  for (int target = 1; target <= 10; target++) {
    advance(&run, until * target / 10);
    least = fmin(least, lowest(&run));
    const double defect = content(&run) - start - budget(&run);
    if (fabs(defect) > 1e-13) print_message("defect %g of %g\n", defect, content(&run));
    assert_true(fabs(defect) < 1e-13);
    if (options.dt > 0) assert_int_equal(run.progress.step, target);
  }
  if (getenv("INK_SHOW"))
    print_message("method %d, dt %g, positive %d: lowest %g in %d steps\n", options.method, options.dt,
                  options.positive, least, (int)run.progress.step);
  end(&run);
  return least;
}

static void test_positive(void **state) {
  (void)state;
  const Toy spreading = {.diffusivity = 1};
  const Toy decaying = {.diffusivity = 0.01, .reaction = fast_decay, .slope = fast_decay_slope, .rate = 100};
  InkStepperOptions options = {.method = INK_SPLIT, .tolerance = 1e-3, .dt = 8e-4};
  assert_true(check_positive(spreading, spike, options, 8e-3) < -5e-8);
  options.positive = true;
  assert_true(check_positive(spreading, spike, options, 8e-3) >= 0);
  options = (InkStepperOptions){.method = INK_SPLIT, .tolerance = 1e-3};
  assert_true(check_positive(spreading, spike, options, 8e-3) < 0);
  options.positive = true;
  assert_true(check_positive(spreading, spike, options, 8e-3) >= 0);
  options = (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 0.1};
  assert_true(check_positive(decaying, ones, options, 1) < -1e-6);
  options.positive = true;
  assert_true(check_positive(decaying, ones, options, 1) >= 0);
  options = (InkStepperOptions){.method = INK_IMPLICIT, .tolerance = 1e-3, .dt = 0.1};
  assert_true(check_positive(decaying, ones, options, 1) < -1e-3);
  options.positive = true;
  assert_true(check_positive(decaying, ones, options, 1) >= 0);
}

static double constant_sink(const Toy *toy, double t, double u) { return (void)toy, (void)t, (void)u, -1; }
static double no_slope(const Toy *toy, double t, double u) { return (void)toy, (void)t, (void)u, 0; }
static double below(const InkMesh *mesh, int64_t c) { return spike(mesh, c) > 0 ? -0.25 : 1; }

static void test_positive_reactions(void **state) {
  (void)state;
  const Toy decaying = {.diffusivity = 0.01, .reaction = fast_decay, .slope = fast_decay_slope, .rate = 30};
  const Toy sink = {.diffusivity = 0.01, .reaction = constant_sink, .slope = no_slope};
  Run run;
  for (int kind = 0; kind < 2; kind++) {
    const InkMethod method = kind ? INK_SPLIT : INK_IMPLICIT;
    begin(&run, 1, 8, sink, true, true, ones,
          (InkStepperOptions){.method = method, .tolerance = 1e-3, .positive = true});
    expect_failure(&run, 2, INK_NUMERICAL,
                   (const char *const[]){"u: becomes negative", "cell (", "x = ", "t = ", NULL});
    begin(&run, 1, 8, decaying, true, true, below,
          (InkStepperOptions){.method = method, .tolerance = 1e-3, .positive = true});
    expect_failure(&run, 2, INK_USAGE,
                   (const char *const[]){"u: starts negative (-0.25)", "cell (4)", "x = ", "initial", NULL});
  }
}

static const Toy rotating = {.fields = 2,
                             .diffusivity = 0.05,
                             .second_diffusivity = 0.05,
                             .reactions = rotation,
                             .slopes = rotation_slopes,
                             .rate = 2};

/* v' = v^2 explodes, u only decays. */
static void explosion(const Toy *toy, double t, const double u[], double r[]) {
  (void)toy;
  (void)t;
  r[0] = -u[0];
  r[1] = u[1] * u[1];
}
static void explosion_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)toy;
  (void)t;
  slope[0] = -1;
  slope[3] = 2 * u[1];
}
static double square(const Toy *toy, double t, double u) { return (void)toy, (void)t, u * u; }
static double square_slope(const Toy *toy, double t, double u) { return (void)toy, (void)t, 2 * u; }
static double half_rate(double largest) { return 0.1 / (1e-3 + largest); }
static double half(const InkMesh *mesh, int64_t c) { return 0.5 - 0.1 * spike(mesh, c); }

static void test_explosion(void **state) {
  (void)state;
  const Toy toy = {.fields = 2, .reactions = explosion, .slopes = explosion_slopes, .limit = 0.01};
  for (int method = INK_EXPLICIT; method <= INK_SPLIT; method++) {
    Run run;
    if (method == INK_STEADY) continue;
    begin(&run, 1, 9, toy, false, false, half,
          (InkStepperOptions){.method = (InkMethod)method, .tolerance = 1e-4, .max_steps = 100000});
    expect_failure(
        &run, 4, INK_NUMERICAL,
        method == INK_EXPLICIT
            ? (const char *const[]){"v: ", "not finite", "grows without bound", "cell (", "t = ", NULL}
            : (const char *const[]){"v: ", "grows without bound", "cell (4) at x = 0.5", "t = 1.", NULL});
  }
  /* The same when the bound of the explicit step shrinks with the solution. */
  Run run;
  const Toy single = {.reaction = square, .slope = square_slope, .limit_of_state = half_rate};
  begin(&run, 1, 9, single, false, false, ones,
        (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-4, .max_steps = 1000000});
  expect_failure(&run, 100, INK_NUMERICAL,
                 (const char *const[]){"u: the solution grows without bound", "cell (0)", "t = ", NULL});
}

/* The field and cell of a NaN, and what the system says is wrong there. */
static void test_the_culprit_is_named(void **state) {
  (void)state;
  Toy bad = rotating;
  bad.nan_cell = 5;
  bad.nan_field = 1;
  bad.nan_time = 0.05;
  bad.fault = "the diffusion of v is -3 in cell (5)";
  for (int method = INK_EXPLICIT; method <= INK_SPLIT; method++) {
    Run run;
    if (method == INK_STEADY) continue;
    begin(&run, 1, 8, bad, true, true, cosine,
          (InkStepperOptions){.method = (InkMethod)method, .tolerance = 1e-5});
    run.toy.limit = 0.01;
    expect_failure(&run, 0.06, INK_NUMERICAL,
                   (const char *const[]){"v: ", "not finite", "cell (5)", "t = 0.0",
                                         "the diffusion of v is -3 in cell (5)", NULL});
  }
  Run run;
  bad.nan_time = 1;
  bad.limit = NAN;
  begin(&run, 1, 8, bad, true, true, cosine, (InkStepperOptions){.method = INK_EXPLICIT, .tolerance = 1e-5});
  expect_failure(&run, 0.06, INK_NUMERICAL,
                 (const char *const[]){"u, v: there is no stable explicit step",
                                       "the diffusion of v is -3 in cell (5)", NULL});
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_positive),
      cmocka_unit_test(test_positive_reactions),
      cmocka_unit_test(test_explosion),
      cmocka_unit_test(test_the_culprit_is_named),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
