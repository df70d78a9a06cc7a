/* Laws of the generator with full diffusion matrices: those of every generator, moments of steps that are
 * exact however thin and turned the diffusion is, detailed balance, order of accuracy, widths. */
#include "../../solvers/core/elimination.h"
#include "generator_bench.h"

#define EVEN(FROM, TO, CELLS)                                                                                \
  { .from = FROM, .to = TO, .cells = CELLS }
#define RING(TO, CELLS)                                                                                      \
  { .from = 0, .to = TO, .cells = CELLS, .periodic = true }

/* 100 to 1, turned by 30 degrees. */
#define THIN                                                                                                 \
  { "0.7525", "0.2575", NULL, "0.99*sqrt(3)/4" }
/* 1 to 0.05, turned by the angle x + y. */
#define TURNING                                                                                              \
  {                                                                                                          \
    "cos(x + y)^2 + 0.05*sin(x + y)^2", "sin(x + y)^2 + 0.05*cos(x + y)^2", NULL,                            \
        "0.95*sin(x + y)*cos(x + y)"                                                                         \
  }

static const Problem problems[] = {
    {2, {EVEN(-1, 1, 22), EVEN(-1, 1, 20)}, {NULL}, THIN, {0}, 0},
    {2, {EVEN(-1, 1, 24), EVEN(-2, 1, 21)}, {"x - y", "sin(3*x)"}, TURNING, {0}, 0},
    {2, {RING(2 * M_PI, 24), RING(2 * M_PI, 20)}, {"1 + sin(x)", "cos(y)"}, TURNING, {0}, 0},
    {2, {EVEN(-1, 1, 24), EVEN(-2, 1, 21)}, {"3", "-y"}, TURNING, {true, true, false, true}, 0},
    {2, {EVEN(-1, 1, 20), RING(1, 24)}, {"y", "20*x"}, {"1", "0.04", NULL, "0.2"}, {true, false}, 0},
    {3,
     {EVEN(-1, 1, 10), EVEN(-1, 1, 12), EVEN(-1, 1, 11)},
     {"-x", "x - y", "z"},
     {"1", "0.6", "0.5", "0.5", "-0.3", "0.2*x"},
     {false, true},
     0},
    {3,
     {EVEN(-1, 1, 12), {.from = 0, .to = 1, .cells = 6, .grading = 1.2}, EVEN(-1, 1, 11)},
     {"-x", "y*(1 - y)", "z"},
     {"1", "0.6 + y", "0.5", NULL, "0.5*sin(x)"},
     {true, false, true, false, false, true},
     0},
    {2,
     {EVEN(-1, 1, 16), EVEN(-1, 1, 15)},
     {"-x", "y"},
     {"1", "1", NULL, "0.9*cos(3*t)"},
     {true, false, false, true},
     2},
    {2,
     {EVEN(-1, 1, 20), EVEN(-1, 1, 24)},
     {"1 - x", "x"},
     {"if(x > 0.5, 0, 1)", "if(x > 0.5, 0, 0.25)", NULL, "if(x > 0.5, 0, 0.5)"},
     {true, true},
     0},
};
enum { PROBLEMS = sizeof problems / sizeof *problems };

static void every_law_holds(void **state) {
  (void)state;
  for (int n = 0; n < PROBLEMS; n++) check_laws(&problems[n], n);
}

/* Means and second moments of a point's density after n explicit steps: those of the process, exactly. */
static void moments_of_steps_are_exact(void **state) {
  (void)state;
  static const Problem thin = {2, {EVEN(-1, 1, 65), EVEN(-1, 1, 65)}, {NULL}, THIN, {0}, 0};
  static const double D[3] = {0.7525, 0.2575, 0.99 * 0.43301270189221932};
  Bench bench;
  double dt;
  set_up(&thin, &bench);
  EACH_PLACE(bench.mesh, place)
  bench.p[place.cell] = fabs(place.x[0]) + fabs(place.x[1]) < 1e-9 ? 1.0 : 0.0;
  assert_true(dot(bench.mesh, bench.p, NULL) == 1.0);
  OK(bench.system.monotone_step(bench.generator, 0.0, bench.p, &dt));
  enum { STEPS = 5 };
  for (int n = 0; n < STEPS; n++) {
    OK(bench.system.explicit_step(bench.generator, 0.0, 0.9 * dt, true, bench.p, bench.g));
    double *swap = bench.p;
    bench.p = bench.g;
    bench.g = swap;
  }
  EACH_PLACE(bench.mesh, place) assert_true(bench.p[place.cell] >= 0.0);
  const double t = STEPS * 0.9 * dt;
  static const char *const moment[5] = {"x", "y", "x*x", "y*y", "x*y"};
  const double expected[5] = {0.0, 0.0, 2.0 * D[0] * t, 2.0 * D[1] * t, 2.0 * D[2] * t};
  for (int m = 0; m < 5; m++) {
    fill(&bench, moment[m], bench.g);
    const double value = dot(bench.mesh, bench.p, bench.g);
    TRUE_OR_SAY(fabs(value - expected[m]) < 1e-14 * t, "<%s> = %.17g, not %.17g\n", moment[m], value,
                expected[m]);
  }
  tear_down(&bench);
}

/* b = -D grad U with a quadratic U: every edge balances exp(-U) by itself, at walls too. */
static void detailed_balance_is_exact(void **state) {
  (void)state;
  static const Problem balanced[] = {
      {2,
       {EVEN(-2, 2, 26), EVEN(-1, 1, 20)},
       {"-(0.7525*(2*x + y) + 0.99*sqrt(3)/4*(x + 3*y))", "-(0.99*sqrt(3)/4*(2*x + y) + 0.2575*(x + 3*y))"},
       THIN,
       {0},
       0},
      {3,
       {EVEN(-1, 1, 10), EVEN(-1, 1, 9), EVEN(-1, 1, 8)},
       {"-(x + 0.5*y - 0.3*z)", "-(0.5*x + 0.6*y)", "-(-0.3*x + 0.5*z)"},
       {"1", "0.6", "0.5", "0.5", "-0.3", NULL},
       {0},
       0}};
  static const char *const density[] = {"exp(-(x^2 + x*y + 1.5*y^2))", "exp(-(x^2 + y^2 + z^2)/2)"};
  for (int n = 0; n < 2; n++) {
    Bench bench;
    set_up(&balanced[n], &bench);
    fill(&bench, density[n], bench.p);
    OK(ink_generator_forward(bench.generator, bench.p, bench.g));
    const double scale = throughput(&bench, bench.p), most = largest(bench.mesh, bench.g);
    TRUE_OR_SAY(most < 5e-15 * scale, "problem %d: G p = %g of %g\n", n, most, scale);
    tear_down(&bench);
  }
}

/* Without drift coordinates are martingales, and products of them grow by 2 D_ij: exactly, where D varies
 * too. */
static void coordinates_are_martingales(void **state) {
  (void)state;
  static const Problem neutral = {2, {EVEN(-1, 1, 40), EVEN(-1, 1, 40)}, {NULL}, TURNING, {0}, 0};
  static const char *const function[3] = {"x", "y", "x*y"}, *const rate[3] = {"0", "0",
                                                                              "2*0.95*sin(x + y)*cos(x + y)"};
  Bench bench;
  set_up(&neutral, &bench);
  assert_true(bench.generator->added == 0.0);
  for (int f = 0; f < 3; f++) {
    const InkExpr *expected = parse(bench.pool, rate[f]);
    fill(&bench, function[f], bench.p);
    OK(ink_generator_backward(bench.generator, bench.p, NULL, bench.g));
    EACH_PLACE(bench.mesh, place) {
      const int width = bench.mesh->width;
      bool inside = true;
      for (int a = 0; a < 2; a++) {
        const int64_t i = bench.mesh->start[a] + place.at[a];
        inside = inside && i >= width && i < bench.mesh->axis[a].cells - width;
      }
      const double value = bench.g[place.cell] / bench.generator->volume[place.cell];
      assert_true(!inside || fabs(value - value_at(expected, place.x, 0.0)) < 1e-11);
    }
  }
  tear_down(&bench);
}

static void the_generator_is_of_second_order(void **state) {
  (void)state;
  static const Problem smooth[] = {{2, {EVEN(-1, 1, 48), EVEN(-1, 1, 48)}, {"cos(2*x)", "x*y"}, THIN, {0}, 0},
                                   {2,
                                    {RING(2 * M_PI, 32), RING(2 * M_PI, 32)},
                                    {"1 + cos(x)", "sin(x + y)"},
                                    {"1", "0.5 + 0.2*sin(x)", NULL, "0.3"},
                                    {0},
                                    0}};
  static const char *const density[] = {"exp(-x^2 - y^2 + x*y)", "2 + sin(x)*cos(y)"};
  for (int n = 0; n < 2; n++) check_order(&smooth[n], n, density[n]);
}

/* Constant drift on a torus carries b p through the seams, whatever the edges' directions. */
static void the_seams_carry_the_drift(void **state) {
  (void)state;
  static const Problem turning = {2, {RING(4, 16), RING(3, 15)}, {"1.5", "-0.5"}, THIN, {0}, 0};
  static const double expected[4] = {-1.5 * 2.0 * 3.0, 1.5 * 2.0 * 3.0, 0.5 * 2.0 * 4.0, -0.5 * 2.0 * 4.0};
  Bench bench;
  set_up(&turning, &bench);
  fill(&bench, "2", bench.p);
  for (int side = 0; side < 4; side++) {
    double flux;
    OK(ink_generator_flux(bench.generator, side, bench.p, &flux));
    TRUE_OR_SAY(fabs(flux - expected[side]) < 1e-12, "side %d: %.15g\n", side, flux);
  }
  tear_down(&bench);
}

/* The integral of cos(x) x, x - L x = cos(x), of the process on n x n cells. */
static double resolvent(const Problem *problem, int64_t n) {
  Problem fine = *problem;
  Bench bench;
  InkChain chain = {0};
  double sum = 0.0;
  for (int a = 0; a < 2; a++) fine.axis[a].cells = n;
  set_up(&fine, &bench);
  OK(ink_generator_gather(bench.generator, &chain));
  const int64_t cells = chain.cells[0] * chain.cells[1];
  if (cells > 0) { /* on rank 0 */
    double *weight = calloc((size_t)cells, sizeof *weight), *x = calloc((size_t)cells, sizeof *x);
    InkElimination *elimination = ink_elimination_create(&chain, chain.volume, NULL);
    assert_non_null(elimination);
    for (int64_t i = 0; i < cells; i++)
      weight[i] = chain.volume[i] * cos(bench.mesh->axis[0].centroid[i % n]);
    ink_elimination_backward(elimination, weight, x);
    for (int64_t i = 0; i < cells; i++) sum += weight[i] * x[i];
    ink_elimination_destroy(&elimination);
    free(weight);
    free(x);
  }
  OK(ink_chain_clear(&chain));
  tear_down(&bench);
  OK(MPI_Bcast(&sum, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD));
  return sum;
}

/* Walls cut off the oblique edges; what runs along them instead keeps the second order, where diffusion
 * varies too and where edges cross two rows. */
static void reflecting_walls_are_of_second_order(void **state) {
  (void)state;
  static const Problem bounded[] = {
      {2,
       {RING(2 * M_PI, 1), EVEN(-1, 1, 1)},
       {"0.5", "cos(x)"},
       {"1 + 0.3*sin(x)", "0.6 + 0.2*y", NULL, "0.15"},
       {0},
       0},
      {2,
       {RING(2 * M_PI, 1), EVEN(-1, 1, 1)},
       {NULL},
       {"1 + 0.1*sin(x)", "0.7 + 0.1*y*sin(x)", NULL, "0.5 - 0.02*y"},
       {0},
       0},
      {2, {RING(2 * M_PI, 1), EVEN(-1, 1, 1)}, {"1", "sin(x) - y"}, {"1", "0.6", NULL, "-0.5"}, {0}, 0}};
  for (int n = 0; n < 3; n++) {
    double value[3];
    for (int level = 0; level < 3; level++) value[level] = resolvent(&bounded[n], 12 << level);
    const double order = log2((value[1] - value[0]) / (value[2] - value[1]));
    TRUE_OR_SAY(order > 1.9 && order < 2.2, "problem %d: order %g\n", n, order);
  }
}

/* The width is the longest offset, the same on all ranks; a wider mesh gives the same generator. */
static void the_width_is_what_is_needed(void **state) {
  (void)state;
  Problem thin = problems[1];
  Bench bench, wider;
  int longest = 0;
  set_up(&thin, &bench);
  for (int d = 0; d < bench.generator->directions; d++)
    for (int a = 0; a < 3; a++) longest = (int)fmax(longest, abs(bench.generator->offset[d][a]));
  assert_int_equal(longest, bench.mesh->width);
  assert_true(longest > 1);
  thin.width = longest + 1;
  set_up(&thin, &wider);
  assert_int_equal(wider.generator->directions, bench.generator->directions);
  assert_memory_equal(wider.generator->offset, bench.generator->offset, sizeof bench.generator->offset);
  randomise(bench.mesh, 1, bench.p);
  randomise(wider.mesh, 1, wider.p);
  OK(ink_generator_forward(bench.generator, bench.p, bench.g));
  OK(ink_generator_forward(wider.generator, wider.p, wider.g));
  EACH_PLACE(bench.mesh, place) {
    const int64_t there = wider.mesh->origin + place.at[0] + place.at[1] * wider.mesh->stride[1];
    assert_true(bench.g[place.cell] == wider.g[there]);
  }
  tear_down(&bench);
  tear_down(&wider);
}

/* Diffusion that all but vanishes in some cells, whose drift is not small: the rates of the cells beside them
 * stay those of their own drift and diffusion, however little is left. */
static void vanishing_diffusion_drives_nothing_beside(void **state) {
  (void)state;
  double bound[2];
  for (int n = 0; n < 2; n++) {
    char xx[80], xy[80];
    const double little = n == 0 ? 1e-3 : 1e-9;
    snprintf(xx, sizeof xx, "0.5*(%g + (x*y)^2)", little * little);
    snprintf(xy, sizeof xy, "%g*max(x,0)", 0.5 * little);
    const Problem problem = {.dim = 2,
                             .axis = {EVEN(-1, 1, 15), EVEN(-1, 2, 19)},
                             .drift = {"0.1", "0.3*cos(x + 2*y)"},
                             .diffusion = {xx, "0.5*max(x,0)^2", NULL, xy}};
    Bench bench;
    set_up_on(PETSC_COMM_SELF, &problem, 0, NULL, &bench);
    OK(bench.system.monotone_step(bench.generator, 0, bench.p, &bound[n]));
    tear_down(&bench);
  }
  TRUE_OR_SAY(bound[1] > 0.5 * bound[0], "steps %g, %g\n", bound[0], bound[1]);
}

/* An axis of few cells: the width is less than these, and what that adds is said. */
static void few_cells_are_enough(void **state) {
  (void)state;
  const Problem few = {
      .dim = 2, .axis = {EVEN(-3, 3, 5), EVEN(-3, 3, 44)}, .diffusion = {"0.245", "1.805", NULL, "0.665"}};
  char remark[240];
  Bench bench;
  set_up_on(PETSC_COMM_SELF, &few, 0, NULL, &bench);
  assert_int_equal(bench.mesh->width, 4);
  assert_true(bench.generator->added > 0);
  ink_generator_remark(bench.generator, remark, sizeof remark);
  assert_non_null(strstr(remark, "more than 4 cells"));
  tear_down(&bench);
}

/* A mesh that is too narrow: something is added to the diagonal, said, and no law is broken. */
static void a_narrow_mesh_adds_diffusion(void **state) {
  (void)state;
  static const Problem thin = {
      2, {EVEN(-1, 1, 22), EVEN(-1, 1, 20)}, {"y"}, {"1", "0.09", NULL, "0.29"}, {true}, 2};
  Bench bench;
  set_up(&thin, &bench);
  assert_true(bench.generator->added > 0.0);
  tear_down(&bench);
  check_laws(&thin, 0);
}

static void moving_coefficients_are_those_of_their_time(void **state) {
  (void)state;
  Bench bench, fresh;
  set_up(&problems[7], &bench);
  set_up_on(PETSC_COMM_WORLD, &problems[7], 0.3, NULL, &fresh);
  OK(ink_generator_at(bench.generator, 0.3));
  const size_t bytes = (size_t)bench.mesh->size * sizeof(double);
  assert_int_equal(bench.generator->directions, 8); /* all there are within two cells */
  for (int d = 0; d < 8; d++) {
    assert_memory_equal(bench.generator->up[d], fresh.generator->up[d], bytes);
    assert_memory_equal(bench.generator->down[d], fresh.generator->down[d], bytes);
  }
  assert_memory_equal(bench.generator->exit[0], fresh.generator->exit[0], bytes);
  tear_down(&bench);
  tear_down(&fresh);
}

/* Unit mass and the covariance exp(-t) decay, by implicit steps. */
static void the_stepper_carries_a_density(void **state) {
  (void)state;
  static const Problem process = {
      2, {EVEN(-4, 4, 48), EVEN(-4, 4, 48)}, {"-x", "-y"}, {"1", "0.5", NULL, "0.6"}, {0}, 0};
  for (int implicit = 0; implicit < 2; implicit++) {
    Bench bench;
    InkStepper *stepper;
    InkProgress progress;
    set_up(&process, &bench);
    fill(&bench, "exp(-(x^2 + y^2)/0.5)/(0.5*pi)", bench.p);
    const InkStepperOptions options = {
        .method = implicit ? INK_IMPLICIT : INK_EXPLICIT, .tolerance = 1e-5, .positive = true};
    OK(ink_stepper_create(&bench.system, &options, &bench.p, 0.0, &stepper));
    OK(ink_stepper_advance(stepper, 0.5, NULL, &progress));
    if (progress.failure.code) print_error("%s\n", progress.failure.message);
    assert_int_equal(progress.failure.code, INK_DONE);
    const double volume = 1.0 / 36.0, mass = volume * dot(bench.mesh, bench.p, NULL);
    TRUE_OR_SAY(fabs(mass - 1.0) < 1e-9, "mass %.12g\n", mass);
    fill(&bench, "x*y", bench.g);
    const double covariance = volume * dot(bench.mesh, bench.p, bench.g);
    TRUE_OR_SAY(fabs(covariance - 0.6 * (1.0 - exp(-1.0))) < 5e-3, "covariance %g\n", covariance);
    OK(ink_stepper_destroy(&stepper));
    tear_down(&bench);
  }
}

static void faults_are_named(void **state) {
  (void)state;
  static const Problem indefinite = {
      2, {EVEN(-1, 1, 10), EVEN(-1, 1, 10)}, {NULL}, {"1", "1", NULL, "1 + x"}, {0}, 0};
  Bench bench;
  InkFailure failure = {0};
  set_up_on(PETSC_COMM_WORLD, &indefinite, 0.0, &failure, &bench);
  assert_int_equal(failure.code, INK_NUMERICAL);
  TRUE_OR_SAY(strstr(failure.message, "not positive semi-definite (D_xx = 1, D_xy = 1.1, D_yy = 1) in cell "
                                      "(5, 0) at x = 0.1, y = -0.9, t = 0"),
              "%s\n", failure.message);
  tear_down(&bench);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_law_holds),
                                     cmocka_unit_test(moments_of_steps_are_exact),
                                     cmocka_unit_test(detailed_balance_is_exact),
                                     cmocka_unit_test(coordinates_are_martingales),
                                     cmocka_unit_test(the_generator_is_of_second_order),
                                     cmocka_unit_test(the_seams_carry_the_drift),
                                     cmocka_unit_test(reflecting_walls_are_of_second_order),
                                     cmocka_unit_test(the_width_is_what_is_needed),
                                     cmocka_unit_test(vanishing_diffusion_drives_nothing_beside),
                                     cmocka_unit_test(few_cells_are_enough),
                                     cmocka_unit_test(a_narrow_mesh_adds_diffusion),
                                     cmocka_unit_test(moving_coefficients_are_those_of_their_time),
                                     cmocka_unit_test(the_stepper_carries_a_density),
                                     cmocka_unit_test(faults_are_named)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
