/* Laws of the generator along the axes: rates, mass, transpose, Jacobian, bits, stationary laws that are
 * exact, martingales, order of accuracy, fluxes through seams, coefficients that move, faults. */
#include <unistd.h>
#include "generator_bench.h"

static const InkAxisSpec wide = {.from = -2, .to = 3, .cells = 20},
                         graded = {.from = -1, .to = 2, .cells = 16, .grading = 1.1},
                         ring = {.from = 0, .to = 2 * M_PI, .cells = 12, .periodic = true},
                         graded_ring = {.from = 0,
                                        .to = 2 * M_PI,
                                        .cells = 13,
                                        .grading = 0.9,
                                        .periodic = true},
                         narrow = {.from = 0, .to = 1, .cells = 5};

/* x and y at the least; the last ones absorb. */
static const Problem problems[] = {
    {1, {wide}, {"-x"}, {"1"}, {0}, 0},
    {1, {graded}, {"x - x^3 + 0.1*sin(3*t)"}, {"0.25*(1 + 0.5*sin(x))"}, {0}, 0},
    {1, {graded_ring}, {"1 + sin(x)"}, {"0.1 + 0.05*cos(x)"}, {0}, 0},
    {2, {graded, ring}, {"-x*y", "1"}, {"0.3", "0.1*x^2"}, {0}, 0},
    {2, {wide, graded}, {"y", "-y - x"}, {NULL, "0.5"}, {0}, 0},
    {3,
     {wide, ring, narrow},
     {"y", "-x", "z - 0.5"},
     {"0.1", "0.2 + 0.1*sin(y)*cos(t)", "0.01*exp(x)"},
     {0},
     0},
    {1, {graded}, {"1 - x"}, {"0.1 + 0.1*x^2"}, {true, true}, 0},
    {1, {narrow}, {NULL}, {"x*(1 - x)"}, {true, false}, 0},
    {2, {graded, wide}, {"sin(y + t)", "x"}, {"0.1", "0.2 + 0.1*x"}, {false, true, true, false}, 0},
    {2, {wide, ring}, {"y", "-x"}, {"0.3", "0.05"}, {true, true}, 0},
    {3,
     {narrow, narrow, wide},
     {"1", NULL, "-z"},
     {"0.01", "0.02", "1"},
     {false, true, true, true, true, true},
     0},
};
enum { PROBLEMS = sizeof problems / sizeof *problems };

static void every_law_holds(void **state) {
  (void)state;
  for (int n = 0; n < PROBLEMS; n++) check_laws(&problems[n], n);
}

/* ---- exact laws ---- */

/* G p = 0 to round-off. */
static void check_stationary(const Problem *problem, int number, const char *density) {
  Bench bench;
  set_up(problem, &bench);
  fill(&bench, density, bench.p);
  OK(ink_generator_forward(bench.generator, bench.p, bench.g));
  const double scale = throughput(&bench, bench.p), most = largest(bench.mesh, bench.g);
  TRUE_OR_SAY(most < 2e-15 * scale, "problem %d: G p = %g of %g\n", number, most, scale);
  tear_down(&bench);
}

static void detailed_balance_is_exact(void **state) {
  (void)state;
  static const Problem balanced[] = {
      {1, {wide}, {"-x"}, {"1"}, {0}, 0},
      {1, {graded}, {"x - x^3"}, {"0.25"}, {0}, 0},
      {1, {graded}, {"-x*(1 + x^2)"}, {"1 + x^2"}, {0}, 0},
      {1, {graded}, {NULL}, {"1 + 0.5*sin(5*x)"}, {0}, 0},
      {2, {wide, graded}, {"-x", "y - y^3"}, {"1", "0.25"}, {0}, 0},
      {2, {ring, graded}, {NULL, "-3*y"}, {"0.3", "0.5"}, {0}, 0},
  };
  static const char *const density[] = {
      "exp(-x^2/2)",          "exp((x^2/2 - x^4/4)/0.25)",          "exp(-x^2/2)/(1 + x^2)",
      "1/(1 + 0.5*sin(5*x))", "exp(-x^2/2 + (y^2/2 - y^4/4)/0.25)", "exp(-3*y^2)"};
  for (int n = 0; n < 6; n++) check_stationary(&balanced[n], n, density[n]);
}

/* Without drift the coordinates do not change on average, wherever a cell has equal neighbours. */
static void martingales_stay(void **state) {
  (void)state;
  static const Problem neutral = {2, {wide, ring}, {NULL, NULL}, {"1 + 0.5*sin(3*x)*cos(y)", "0.1*x^2"}, {0},
                                  0};
  Bench bench;
  set_up(&neutral, &bench);
  fill(&bench, "x", bench.p);
  OK(ink_generator_backward(bench.generator, bench.p, NULL, bench.g));
  const double scale = throughput(&bench, bench.p);
  EACH_PLACE(bench.mesh, place) {
    const int64_t i = bench.mesh->start[0] + place.at[0];
    if (i == 0 || i == bench.mesh->axis[0].cells - 1) continue;
    assert_true(fabs(bench.g[place.cell]) < 1e-14 * scale);
  }
  tear_down(&bench);
}

/* Constant drift on a ring carries b p through the seam. */
static void the_seam_carries_the_drift(void **state) {
  (void)state;
  static const Problem turning = {2, {ring, wide}, {"1.5", NULL}, {"0.1", "1"}, {0}, 0};
  static const double expected[4] = {-1.5 * 2.0 * 5.0, 1.5 * 2.0 * 5.0, 0.0, 0.0};
  Bench bench;
  set_up(&turning, &bench);
  fill(&bench, "2", bench.p);
  for (int side = 0; side < 4; side++) {
    double flux;
    OK(ink_generator_flux(bench.generator, side, bench.p, &flux));
    assert_true(fabs(flux - expected[side]) < 1e-13);
  }
  tear_down(&bench);
}

static void the_generator_is_of_second_order(void **state) {
  (void)state;
  static const Problem smooth[] = {
      {1, {{.from = -1, .to = 2, .cells = 40}}, {"cos(2*x)"}, {"0.5 + 0.2*sin(3*x)"}, {0}, 0},
      {1,
       {{.from = 0, .to = 2 * M_PI, .cells = 40, .periodic = true}},
       {"1 + cos(x)"},
       {"0.2 + 0.1*sin(x)"},
       {0},
       0},
      {2,
       {{.from = -1, .to = 2, .cells = 30}, {.from = 0, .to = 2 * M_PI, .cells = 30, .periodic = true}},
       {"cos(2*x + y)", "x*sin(y)"},
       {"0.5 + 0.2*sin(3*x)*cos(y)", "0.4 + 0.1*x"},
       {0},
       0}};
  static const char *const density[] = {"exp(-x^2) + x", "2 + sin(x)", "(2 + sin(y))*exp(-x^2)"};
  for (int n = 0; n < 3; n++) check_order(&smooth[n], n, density[n]);
}

/* ---- coefficients that move ---- */

static void moving_coefficients_are_those_of_their_time(void **state) {
  (void)state;
  static const Problem moving = {
      2, {graded, ring}, {"-x*cos(t)", "1"}, {"0.3 + 0.2*sin(t)", "0.1"}, {true, true}, 0};
  Bench bench, fresh;
  set_up(&moving, &bench);
  assert_true(bench.generator->moving && bench.system.moving && !bench.system.constant &&
              !bench.system.steady_bound);
  set_up_on(PETSC_COMM_WORLD, &moving, 0.7, NULL, &fresh);
  OK(ink_generator_at(bench.generator, 0.7));
  const size_t bytes = (size_t)bench.mesh->size * sizeof(double);
  for (int d = 0; d < 2; d++) {
    assert_memory_equal(bench.generator->up[d], fresh.generator->up[d], bytes);
    assert_memory_equal(bench.generator->down[d], fresh.generator->down[d], bytes);
  }
  for (int side = 0; side < 2; side++)
    assert_memory_equal(bench.generator->exit[side], fresh.generator->exit[side], bytes);
  tear_down(&bench);
  tear_down(&fresh);
}

/* The mean of an Ornstein-Uhlenbeck process, and unit mass, by both ways of stepping. */
static void the_stepper_carries_a_density(void **state) {
  (void)state;
  static const Problem process = {1, {{.from = -6, .to = 6, .cells = 240}}, {"-x"}, {"1"}, {0}, 0};
  for (int implicit = 0; implicit < 2; implicit++) {
    Bench bench;
    InkStepper *stepper;
    InkProgress progress;
    set_up(&process, &bench);
    fill(&bench, "exp(-(x - 1)^2/0.5)/sqrt(0.5*pi)", bench.p);
    const InkStepperOptions options = {
        .method = implicit ? INK_IMPLICIT : INK_EXPLICIT, .tolerance = 1e-6, .positive = true};
    OK(ink_stepper_create(&bench.system, &options, &bench.p, 0.0, &stepper));
    OK(ink_stepper_advance(stepper, 1.0, NULL, &progress));
    assert_int_equal(progress.failure.code, INK_DONE);
    const double volume = 0.05, mass = volume * dot(bench.mesh, bench.p, NULL);
    assert_true(fabs(mass - 1.0) < 1e-12);
    fill(&bench, "x", bench.g);
    const double mean = volume * dot(bench.mesh, bench.p, bench.g);
    TRUE_OR_SAY(fabs(mean - exp(-1.0)) < 5e-4, "mean %g\n", mean);
    EACH_PLACE(bench.mesh, place) assert_true(bench.p[place.cell] >= 0.0);
    OK(ink_stepper_destroy(&stepper));
    tear_down(&bench);
  }
}

/* ---- checkpoints ---- */

static void what_was_absorbed_survives_a_restart(void **state) {
  (void)state;
  char path[64] = "";
  int pid = (int)getpid();
  OK(MPI_Bcast(&pid, 1, MPI_INT, 0, MPI_COMM_WORLD));
  (void)snprintf(path, sizeof path, "generator.%d.h5", pid);
  for (int n = 6; n < PROBLEMS; n++) {
    Bench bench, again;
    InkStore *store;
    InkFailure failure = {0};
    set_up(&problems[n], &bench);
    set_up(&problems[n], &again);
    check_budget(&bench, n);
    OK(ink_store_create(PETSC_COMM_WORLD, path, false, &store));
    OK(ink_store_group(store, "/state"));
    OK(ink_generator_save(bench.generator, store));
    OK(ink_store_commit(&store, &failure));
    assert_int_equal(failure.code, INK_DONE);
    OK(ink_store_open(PETSC_COMM_WORLD, path, false, &store, &failure));
    assert_non_null(store);
    OK(ink_generator_load(again.generator, store));
    OK(ink_store_commit(&store, &failure));
    assert_int_equal(failure.code, INK_DONE);
    for (int side = 0; side < INK_SIDES; side++) {
      double before, after;
      OK(ink_generator_absorbed(bench.generator, side, &before));
      OK(ink_generator_absorbed(again.generator, side, &after));
      assert_true(before == after && (before > 0.0) == (bench.generator->exit[side] != NULL));
    }
    tear_down(&bench);
    tear_down(&again);
  }
  int rank;
  OK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  if (rank == 0) unlink(path);
}

/* ---- faults ---- */

static void check_fault(const Problem *problem, const char *const words[]) {
  Bench bench;
  InkFailure failure = {0};
  set_up_on(PETSC_COMM_WORLD, problem, 0.0, &failure, &bench);
  assert_null(bench.generator);
  assert_int_equal(failure.code, INK_NUMERICAL);
  for (int w = 0; words[w]; w++) {
    TRUE_OR_SAY(strstr(failure.message, words[w]), "no '%s' in: %s\n", words[w], failure.message);
  }
  tear_down(&bench);
}

static void faults_are_named(void **state) {
  (void)state;
  check_fault(&(Problem){1, {wide}, {"1/(x - 0.375)"}, {"1"}, {0}, 0},
              (const char *[]){"drift b_x is nan", "cell (9)", "x = 0.375", "t = 0", NULL});
  check_fault(&(Problem){2, {wide, narrow}, {NULL}, {"1", "0.5 - y"}, {0}, 0},
              (const char *[]){"diffusion D_yy is -0.0422649731", "cell (0, 2)", "y = 0.542265", NULL});
  check_fault(&(Problem){2, {wide, narrow}, {NULL}, {"if(abs(y - 0.7) < 0.01, -2, 1)", "1"}, {0}, 0},
              (const char *[]){"diffusion D_xx is -2", "cell (0, 3)", "y = 0.7", NULL});
  /* only between the centroids, and only at a wall that absorbs */
  const Problem wall = {1, {narrow}, {NULL}, {"x - 0.05"}, {true, false}, 0};
  check_fault(&wall, (const char *[]){"diffusion D_xx is -0.0288675", "cell (0)", "x = 0.02113", NULL});
  Problem closed = wall;
  Bench bench;
  closed.absorbing[0] = false;
  set_up(&closed, &bench);
  tear_down(&bench);
}

/* A fault that comes with time shows in the system. */
static void faults_of_later_times_are_found(void **state) {
  (void)state;
  static const Problem failing = {1, {wide}, {"-x"}, {"1 - t"}, {0}, 0};
  Bench bench;
  double dt;
  char text[256];
  set_up(&failing, &bench);
  OK(bench.system.fault(bench.generator, 0.5, bench.p, text, sizeof text));
  assert_string_equal(text, "");
  OK(bench.system.monotone_step(bench.generator, 1.5, bench.p, &dt));
  assert_true(isnan(dt));
  OK(bench.system.fault(bench.generator, 1.5, bench.p, text, sizeof text));
  assert_non_null(strstr(text, "diffusion D_xx is -0.5 in cell (0) at x = -1.875, t = 1.5"));
  tear_down(&bench);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_law_holds),
                                     cmocka_unit_test(detailed_balance_is_exact),
                                     cmocka_unit_test(martingales_stay),
                                     cmocka_unit_test(the_seam_carries_the_drift),
                                     cmocka_unit_test(the_generator_is_of_second_order),
                                     cmocka_unit_test(moving_coefficients_are_those_of_their_time),
                                     cmocka_unit_test(the_stepper_carries_a_density),
                                     cmocka_unit_test(what_was_absorbed_survives_a_restart),
                                     cmocka_unit_test(faults_are_named),
                                     cmocka_unit_test(faults_of_later_times_are_found)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
