/* Densities without bound at walls: Wright's laws x^(a-1) (1-x)^(b-1) exp(s x), a and b below 1, from their
 * moments; times to leave; mass, transpose and bits; what is left alone. */
#include "generator_bench.h"
#include "../../solvers/core/elimination.h"

static const InkAxisSpec genes = {.from = 0, .to = 1, .cells = 40}, few = {.from = 0, .to = 1, .cells = 7},
                         graded = {.from = 0, .to = 1, .cells = 25, .grading = 1.1},
                         ring = {.from = 0, .to = 2 * M_PI, .cells = 12, .periodic = true};

static void every_law_holds(void **state) {
  (void)state;
  static const Problem problems[] = {
      {1, {genes}, {"0.3*(1 - x) - 0.2*x"}, {"x*(1 - x)"}, {0}, 0},
      {1, {few}, {"0.01*(1 - x) - 0.03*x + x*(1 - x)"}, {"x*(1 - x)"}, {0}, 0},
      {1, {graded}, {"0.3*(1 - x)"}, {"x*(1 - x)"}, {false, true}, 0},
      {1, {genes}, {"(0.5 + 0.4*sin(3*t))*(1 - x) - 0.2*x"}, {"(1 + 0.1*t)*x*(1 - x)"}, {0}, 0},
      {2, {graded, ring}, {"0.3*(1 + 0.5*sin(y)) - 0.8*x", "1"}, {"x*(1 - x)", "0.2"}, {0}, 0},
      {2, {ring, genes}, {"0.5", "0.5 - y + 0.4*sin(x)"}, {"0.2", "(1 + 0.5*cos(x))*y*(1 - y)"}, {0}, 0},
      {3,
       {few, ring, graded},
       {"0.1 - 0.3*x", "1", "(0.2 + 0.1*x)*(1 - z)"},
       {"x*(1 - x)", "0.2", "z"},
       {false, false, false, false, false, true},
       0},
  };
  for (int n = 0; n < (int)(sizeof problems / sizeof *problems); n++) check_laws(&problems[n], n);
}

/* ---- moments ---- */

/* The bench's stationary density, of mass 1; or of a chain that leaves: the mean times to it. */
static void solve(Bench *bench, bool leaves) {
  InkChain chain;
  double *all = calloc((size_t)bench->mesh->axis[0].cells, sizeof *all);
  int rank;
  assert_non_null(all);
  OK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  OK(ink_generator_gather(bench->generator, &chain));
  if (rank == 0) {
    InkElimination *elimination = ink_elimination_create(&chain, NULL, NULL);
    assert_non_null(elimination);
    if (leaves)
      ink_elimination_backward(elimination, chain.volume, all);
    else
      ink_elimination_stationary(elimination, all);
    ink_elimination_destroy(&elimination);
  }
  OK(ink_chain_clear(&chain));
  OK(ink_mesh_scatter(bench->mesh, all, bench->p));
  free(all);
  const double mass = leaves ? 1.0 : dot(bench->mesh, bench->generator->volume, bench->p);
  EACH_PLACE(bench->mesh, place) bench->p[place.cell] /= mass;
}

/* Content times x^power. The content of the first and the last cell is at its mean place under y^(a-1), or
 * at the centroid. */
static double moment(const Bench *bench, int power, const double *exponent) {
  const InkAxis *axis = &bench->mesh->axis[0];
  EACH_PLACE(bench->mesh, place) {
    const double h = axis->volume[0];
    double x = place.x[0];
    if (exponent && x < h) x = h * exponent[0] / (1 + exponent[0]);
    if (exponent && x > 1 - h) x = 1 - h * exponent[1] / (1 + exponent[1]);
    bench->g[place.cell] = bench->generator->volume[place.cell] * pow(x, power);
  }
  return dot(bench->mesh, bench->g, bench->p);
}

/* At the face x between two cells; 0.3 is one. */
static double value_between(const Bench *bench, double x) {
  double sum = 0.0;
  EACH_PLACE(bench->mesh, place)
  if (fabs(place.x[0] - x) < 0.75 * bench->mesh->axis[0].volume[0]) sum += 0.5 * bench->p[place.cell];
  OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
  return sum;
}

/* Integral of x^(a-1) (1-x)^(b-1) exp(s x): beta and Kummer functions. */
static double integral(double a, double b, double s) {
  double term = 1.0, sum = 1.0;
  for (int k = 0; k < 200; k++) {
    term *= (a + k) / (a + b + k) * s / (k + 1);
    sum += term;
  }
  return exp(lgamma(a) + lgamma(b) - lgamma(a + b)) * sum;
}

enum { QUANTITIES = 4 }; /* mean, variance, p(0.3); the mean by centroids */

/* Relative errors at so many cells; of the last in parts of h/2. */
static void errors(const double law[3], int cells, double error[QUANTITIES]) {
  const double a = law[0], b = law[1], s = law[2];
  char drift[200];
  Bench bench;
  snprintf(drift, sizeof drift, "%.17g*(1 - x) - %.17g*x + %.17g*x*(1 - x)", a, b, s);
  set_up(&(Problem){1, {{.from = 0, .to = 1, .cells = cells}}, {drift}, {"x*(1 - x)"}, {0}, 0}, &bench);
  solve(&bench, false);
  const double whole = integral(a, b, s), mean = integral(a + 1, b, s) / whole,
               square = integral(a + 2, b, s) / whole;
  const double variance = square - mean * mean;
  const double point = pow(0.3, a - 1) * pow(0.7, b - 1) * exp(0.3 * s) / whole;
  const double first = moment(&bench, 1, law), mass = moment(&bench, 0, NULL);
  error[0] = fabs(first - mean) / mean;
  error[1] = fabs(moment(&bench, 2, law) - first * first - variance) / variance;
  error[2] = fabs(value_between(&bench, 0.3) - point) / point;
  error[3] = fabs(moment(&bench, 1, NULL) - mean) * 2 * cells;
  TRUE_OR_SAY(fabs(mass - 1.0) < 4e-16, "mass %.17g\n", mass);
  tear_down(&bench);
}

static void moments_converge(void **state) {
  (void)state;
  static const double laws[][3] = {{0.8, 1.4, 0},   {0.8, 1.4, 3},   {0.3, 0.2, 0},
                                   {0.3, 0.2, 1},   {0.95, 0.9, 0},  {0.05, 0.05, 0},
                                   {0.05, 0.05, 2}, {0.01, 0.03, 0}, {0.01, 0.03, 2}};
  for (int n = 0; n < (int)(sizeof laws / sizeof *laws); n++) {
    double error[3][QUANTITIES];
    for (int level = 0; level < 3; level++) errors(laws[n], 250 << level, error[level]);
    for (int q = 0; q < 3; q++) {
      const double order = 0.5 * log2(error[0][q] / error[2][q]);
      TRUE_OR_SAY(error[2][q] < 1e-4 && (order > 0.9 || error[2][q] < 1e-5),
                  "law %d, quantity %d: %g %g %g, order %g\n", n, q, error[0][q], error[1][q], error[2][q],
                  order);
    }
    /* the content of a cell may be up to h/2 from its centroid */
    for (int level = 0; level < 3; level++) assert_true(error[level][3] < 1.0);
  }
}

/* Drift a, D = x, reflected at 0, until 1: (1 - x)/a. Without the means the paths hardly stay at 0. */
static void times_are_those_of_the_wall(void **state) {
  (void)state;
  static const char *const drift[] = {"0.001", "0.1", "0.6"};
  static const double a[] = {0.001, 0.1, 0.6};
  for (int n = 0; n < 3; n++) {
    Bench bench;
    set_up(&(Problem){1, {{.from = 0, .to = 1, .cells = 200}}, {drift[n]}, {"x"}, {false, true}, 0}, &bench);
    solve(&bench, true);
    EACH_PLACE(bench.mesh, place) {
      const double exact = (1 - place.x[0]) / a[n], error = fabs(bench.p[place.cell] - exact);
      TRUE_OR_SAY(error < (place.x[0] > 0.1 ? 2e-5 : 2.5e-3) / a[n], "a = %g, x = %g: %g, exact %g\n", a[n],
                  place.x[0], bench.p[place.cell], exact);
    }
    tear_down(&bench);
  }
}

/* ---- over time ---- */

/* Coefficients brought to a time are those made then; the exponent passes through 0 and 1. */
static void walls_move(void **state) {
  (void)state;
  static const Problem moving = {
      2, {genes, ring}, {"0.5 + t - 2*x", "1"}, {"(1 + 0.3*sin(y))*x*(1 - x)", "0.1"}, {0}, 0};
  for (double t = -1.0; t < 1.0; t += 0.3) {
    Bench bench, fresh;
    set_up(&moving, &bench);
    set_up_on(PETSC_COMM_WORLD, &moving, t, NULL, &fresh);
    OK(ink_generator_at(bench.generator, t));
    for (int d = 0; d < 2; d++) {
      const size_t bytes = (size_t)bench.mesh->size * sizeof(double);
      assert_memory_equal(bench.generator->up[d], fresh.generator->up[d], bytes);
      assert_memory_equal(bench.generator->down[d], fresh.generator->down[d], bytes);
    }
    tear_down(&bench);
    tear_down(&fresh);
  }
}

/* ---- what is left alone ---- */

/* Edges are those of the same process between absorbing sides? */
static bool same_edges(const Problem *problem) {
  Problem open = *problem;
  Bench closed, opened;
  bool same = true;
  for (int side = 0; side < 2 * problem->dim; side++) open.absorbing[side] = true;
  set_up(problem, &closed);
  set_up(&open, &opened);
  EACH_PLACE(closed.mesh, place)
  for (int d = 0; d < closed.generator->directions; d++)
    same = same && closed.generator->up[d][place.cell] == opened.generator->up[d][place.cell] &&
           closed.generator->down[d][place.cell] == opened.generator->down[d][place.cell];
  OK(MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_C_BOOL, MPI_LAND, MPI_COMM_WORLD));
  tear_down(&closed);
  tear_down(&opened);
  return same;
}

static void other_walls_are_left_alone(void **state) {
  (void)state;
  static const Problem alone[] = {
      {1, {genes}, {"1.2*(1 - x) - 1.4*x"}, {"x*(1 - x)"}, {0}, 0},
      {1, {genes}, {"1 - x - x"}, {"x*(1 - x)"}, {0}, 0},
      {1, {genes}, {"x*(1 - x)"}, {"x*(1 - x)"}, {0}, 0},
      {1, {genes}, {"0.3*(1 - x) - 0.2*x"}, {"0.01 + x*(1 - x)"}, {0}, 0},
      {1, {genes}, {"0.3*(1 - x) - 0.2*x"}, {"x*(1 - x)"}, {true, true}, 0},
      {1, {graded}, {"0.01 - x"}, {"x^2 + 0.1*x^3"}, {0}, 0},
  };
  for (int n = 0; n < (int)(sizeof alone / sizeof *alone); n++)
    TRUE_OR_SAY(same_edges(&alone[n]), "problem %d is changed\n", n);
  const Problem changed = {1, {genes}, {"0.3*(1 - x) - 1.4*x"}, {"x*(1 - x)"}, {0}, 0};
  assert_false(same_edges(&changed));
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_law_holds), cmocka_unit_test(moments_converge),
                                     cmocka_unit_test(times_are_those_of_the_wall),
                                     cmocka_unit_test(walls_move),
                                     cmocka_unit_test(other_walls_are_left_alone)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
