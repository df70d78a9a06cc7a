/* Laws of the steppers on small systems with known solutions: orders, L-stability, control of the error,
 * conservation, restarts to the bit, steady states, and what is said when a run goes wrong. */
#include "toy_system.h"
#include "../../solvers/clock.h"
#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OK(call) assert_int_equal((call), 0)

typedef struct Run {
  Toy toy;
  InkSystem system;
  InkMesh *mesh;
  double *u;
  InkStepper *stepper;
  InkProgress progress;
} Run;

typedef double (*Profile)(const InkMesh *mesh, int64_t c);

static double cosine(const InkMesh *mesh, int64_t c) {
  double product = 1;
  for (int a = 0; a < mesh->dim; a++) product *= cos(M_PI * toy_at(mesh, c, a));
  return product;
}
static double ones(const InkMesh *mesh, int64_t c) { return (void)mesh, (void)c, 1; }
static double zeros(const InkMesh *mesh, int64_t c) { return (void)mesh, (void)c, 0; }
static double zigzag(const InkMesh *mesh, int64_t c) {
  return (mesh->start[0] + toy_local(mesh, c, 0)) % 2 ? -1 : 1;
}

/* Starts a run of `toy` (whose mesh is made here, on the ranks of `comm`) from a profile. */
static void begin_on(MPI_Comm comm, Run *run, int dim, int64_t cells, Toy toy, bool linear, bool constant,
                     Profile profile, InkStepperOptions options) {
  memset(run, 0, sizeof *run);
  run->mesh = toy_mesh_on(comm, dim, cells, false);
  run->toy = toy;
  run->toy.mesh = run->mesh;
  const double width = 1.0 / (double)cells;
  if (run->toy.limit == 0) run->toy.limit = width * width / (2.0 * dim * fmax(toy.diffusivity, 1e-300));
  run->system = toy_system(&run->toy, linear, constant);
  OK(ink_mesh_array(run->mesh, &run->u));
  for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
    run->u[c] = profile(run->mesh, c);
  OK(ink_stepper_create(&run->system, &options, &run->u, 0, &run->stepper));
}

static void begin(Run *run, int dim, int64_t cells, Toy toy, bool linear, bool constant, Profile profile,
                  InkStepperOptions options) {
  begin_on(PETSC_COMM_WORLD, run, dim, cells, toy, linear, constant, profile, options);
}

static void end(Run *run) {
  OK(ink_stepper_destroy(&run->stepper));
  ink_mesh_free(&run->u);
  OK(ink_mesh_destroy(&run->mesh));
}

static void advance(Run *run, double until) {
  OK(ink_stepper_advance(run->stepper, until, NULL, &run->progress));
  if (run->progress.failure.code) print_message("%s\n", run->progress.failure.message);
  assert_int_equal(run->progress.failure.code, INK_DONE);
  assert_true(run->progress.now == until);
}

/* Largest |u - factor * profile| over all ranks. */
static double error_of(const Run *run, double factor, Profile profile) {
  double worst = 0;
  for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
    worst = fmax(worst, fabs(run->u[c] - factor * profile(run->mesh, c)));
  OK(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return worst;
}

static double content(const Run *run) {
  double sum = 0;
  for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
    sum += toy_volume(run->mesh, c) * run->u[c];
  OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
  return sum;
}

static double budget(const Run *run) {
  double sum = run->toy.budget;
  OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
  return sum;
}

/* Eigenvalue of the discrete cosine mode. */
static double decay(int dim, int64_t cells, double diffusivity) {
  const double h = 1.0 / (double)cells, s = sin(M_PI * h / 2);
  return dim * diffusivity * 4 * s * s / (h * h);
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

static double swinging(double t) { return 1 + sin(3 * t); }

static void test_budget_telescopes(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int method = INK_EXPLICIT; method <= INK_IMPLICIT; method++) {
      Run run;
      const Toy toy = {.diffusivity = 1, .side = swinging, .reaction = cosine_of_time, .slope = no_slope};
      begin(&run, dim, dim == 3 ? 8 : 16, toy, true, true, cosine,
            (InkStepperOptions){.method = (InkMethod)method, .tolerance = 1e-4});
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

/* Runs in pieces: control goes back after every step, and at `change` everything is saved and loaded into a
 * new stepper. The result has the bits of the run in one piece. */
static void check_restart(InkMethod method, int dim) {
  char path[64] = "/tmp/inkdrop_stepping_XXXXXX";
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) close(mkstemp(path));
  OK(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD));
  const Toy toy = {.diffusivity = 1, .side = swinging};
  const InkStepperOptions options = {.method = method, .tolerance = 1e-4};
  Run whole, pieces;
  begin(&whole, dim, 12, toy, true, true, cosine, options);
  begin(&pieces, dim, 12, toy, true, true, cosine, options);
  advance(&whole, 0.07);
  advance(&whole, 0.1);
  for (int target = 0; target < 2; target++) {
    const double until = target ? 0.1 : 0.07;
    while (pieces.progress.now < until) {
      InkClock clock = {.comm = MPI_COMM_WORLD, .countdown = 1000, .due = INK_CLOCK_PROGRESS};
      OK(ink_stepper_advance(pieces.stepper, until, &clock, &pieces.progress));
      assert_int_equal(pieces.progress.failure.code, INK_DONE);
      if (pieces.progress.step % 5) continue;
      InkStore *store;
      InkFailure failure = {0};
      OK(ink_store_create(MPI_COMM_WORLD, path, false, &store));
      OK(ink_store_group(store, "/state"));
      OK(ink_stepper_save(pieces.stepper, store));
      OK(ink_store_commit(&store, &failure));
      assert_int_equal(failure.code, INK_DONE);
      OK(ink_stepper_destroy(&pieces.stepper));
      OK(ink_stepper_create(&pieces.system, &options, &pieces.u, 0, &pieces.stepper));
      OK(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure));
      OK(ink_stepper_load(pieces.stepper, store));
      OK(ink_store_close(&store));
    }
  }
  assert_int_equal(pieces.progress.step, whole.progress.step);
  for (int64_t c = toy_first(whole.mesh); c >= 0; c = toy_next(whole.mesh, c))
    assert_true(pieces.u[c] == whole.u[c]);
  end(&whole);
  end(&pieces);
  OK(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0) unlink(path);
}

static void test_restart_has_the_same_bits(void **state) {
  (void)state;
  check_restart(INK_EXPLICIT, 2);
  check_restart(INK_IMPLICIT, 1);
  check_restart(INK_IMPLICIT, 2);
}

/* Every rank also runs the whole problem alone: explicit steps, and implicit ones on one axis, have the same
 * bits; implicit ones on more axes agree within what the tolerance leaves to the linear solver. */
static void check_ranks(InkMethod method, int dim, double allowed) {
  const Toy toy = {.diffusivity = 1, .side = swinging};
  const InkStepperOptions options = {.method = method, .tolerance = 1e-5};
  Run shared, alone;
  begin(&shared, dim, 12, toy, true, true, cosine, options);
  begin_on(PETSC_COMM_SELF, &alone, dim, 12, toy, true, true, cosine, options);
  advance(&shared, 0.1);
  advance(&alone, 0.1);
  assert_int_equal(shared.progress.step, alone.progress.step);
  for (int64_t c = toy_first(alone.mesh); c >= 0; c = toy_next(alone.mesh, c)) {
    int64_t local[3] = {0}, at = shared.mesh->origin;
    bool mine = true;
    for (int axis = 0; axis < dim; axis++) {
      local[axis] = toy_local(alone.mesh, c, axis) - shared.mesh->start[axis];
      mine = mine && local[axis] >= 0 && local[axis] < shared.mesh->count[axis];
      at += local[axis] * (axis ? shared.mesh->stride[axis] : 1);
    }
    if (mine) assert_true(fabs(shared.u[at] - alone.u[c]) <= allowed);
  }
  end(&shared);
  end(&alone);
}

static void test_ranks_agree(void **state) {
  (void)state;
  check_ranks(INK_EXPLICIT, 1, 0);
  check_ranks(INK_EXPLICIT, 2, 0);
  check_ranks(INK_EXPLICIT, 3, 0);
  check_ranks(INK_IMPLICIT, 1, 0);
  check_ranks(INK_IMPLICIT, 2, 1e-7);
  check_ranks(INK_IMPLICIT, 3, 1e-7);
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

static void expect_failure(Run *run, double until, InkExit code, const char *const words[]) {
  OK(ink_stepper_advance(run->stepper, until, NULL, &run->progress));
  if (getenv("INK_SHOW")) print_message("%s\n", run->progress.failure.message);
  assert_int_equal(run->progress.failure.code, code);
  for (int w = 0; words[w]; w++) {
    if (!strstr(run->progress.failure.message, words[w]))
      print_message("no '%s' in: %s\n", words[w], run->progress.failure.message);
    assert_non_null(strstr(run->progress.failure.message, words[w]));
  }
  end(run);
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
  OK(ink_stepper_choose(&run.system, run.u, 0, 1e-3, 1e-5, &method, &plan));
  assert_int_equal(method, INK_EXPLICIT);
  assert_true(plan.steps == 23); /* 1e-3 in steps of at most 0.9 * 5e-5 */
  assert_non_null(strstr(plan.reason, "explicit"));
  OK(ink_stepper_choose(&run.system, run.u, 0, 100, 1e-5, &method, &plan));
  assert_int_equal(method, INK_IMPLICIT);
  assert_string_equal(plan.method, "implicit");
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
      cmocka_unit_test(test_stiff_mode_dies),
      cmocka_unit_test(test_tolerance_bounds_the_error),
      cmocka_unit_test(test_start_from_rest),
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
