/* The diffusion operator's laws, on every mesh: nothing is lost inside, the matrix is symmetric, linear and
 * layered profiles are exact, the Jacobian is the derivative, and explicit bits do not know the
 * decomposition. */
#include "operator_bench.h"

/* Meshes of every kind, closed all round. */
static const Problem closed[] = {
    {INK_CARTESIAN, 1, {even}, "0.7", "2", NULL, "sin(5*x) + x", {{0}}},
    {INK_CARTESIAN, 2, {even, ring}, "0.7", "2", NULL, "sin(5*x) + y*x", {{0}}},
    {INK_CARTESIAN, 2, {graded, narrow}, "1 + x*y^2", "2 + x", NULL, "sin(5*x) + y*x", {{0}}},
    {INK_CARTESIAN, 3, {graded, narrow, even}, "0.3", "1", NULL, "sin(5*x) + y*x + z^2", {{0}}},
    {INK_CARTESIAN, 3, {narrow, even, ring}, "0.3 + 0.1*T^2", "1 + y", NULL, "sin(5*x) + y*x", {{0}}},
    {INK_CARTESIAN, 2, {narrow, ring}, "if(x < 0, 0, 1)*(1 + T^2)", "1", NULL, "sin(5*x) + y", {{0}}},
    {INK_CYLINDRICAL, 1, {even}, "0.7", "2", NULL, "cos(5*r)", {{0}}},
    {INK_CYLINDRICAL, 1, {graded}, "1 + T*T", "2", NULL, "cos(5*r)", {{0}}},
    {INK_SPHERICAL, 1, {even}, "0.7 + r", "2", NULL, "cos(5*r)", {{0}}},
    {INK_SPHERICAL, 1, {graded}, "0.7", "2", NULL, "cos(5*r)", {{0}}}};
enum { CLOSED = sizeof closed / sizeof *closed };

/* ---- laws ---- */

static void closed_domains_keep_their_content(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED; p++) {
    Bench bench;
    InkBudget budget;
    set_up(&closed[p], &bench);
    const double t = march(&bench, 200, 1.0);
    assert_int_equal(ink_diffusion_budget(bench.diffusion, 0, t, bench.u, &budget), 0);
    if (!(fabs(budget.balance) < 2e-14)) print_error("problem %d: balance %g\n", p, budget.balance);
    assert_true(fabs(budget.balance) < 2e-14);
    assert_true(budget.scale > 0.0);
    tear_down(&bench);
  }
}

static void values_stay_between_their_extremes(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED; p++) {
    Bench bench;
    double low, high, min, max;
    set_up(&closed[p], &bench);
    const InkFieldView before = {.mesh = bench.mesh, .values = bench.u};
    assert_int_equal(ink_observe_range(&before, &low, &high), 0);
    march(&bench, 50, 1.0 / 0.9);
    const InkFieldView after = {.mesh = bench.mesh, .values = bench.u};
    assert_int_equal(ink_observe_range(&after, &min, &max), 0);
    assert_true(min >= low - 1e-14 && max <= high + 1e-14);
    assert_true(max - min < high - low);
    tear_down(&bench);
  }
}

static double dot(const InkMesh *mesh, const double *a, const double *b) {
  double sum = 0.0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
        sum += a[cell] * b[cell];
      }
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, mesh->comm);
  return sum;
}

/* x'Ay = y'Ax wherever k does not depend on the state; the sides are values with zero data, so rhs is A. */
static void the_operator_is_symmetric(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED; p++) {
    Problem problem = closed[p];
    Bench bench;
    double *ax, *ay;
    if (strchr(problem.k, 'T')) continue;
    for (int side = 0; side < INK_SIDES; side += 2) problem.side[side] = (Side){INK_SIDE_VALUE, "0", 0, 0, 0};
    set_up(&problem, &bench);
    assert_true(bench.system.symmetric && bench.system.linear && bench.system.constant);
    assert_int_equal(ink_mesh_array(bench.mesh, &ax), 0);
    assert_int_equal(ink_mesh_array(bench.mesh, &ay), 0);
    fill(&bench, "exp(x + r)*cos(3*y) + z", bench.v);
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, ax), 0);
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.v, ay), 0);
    const double xay = dot(bench.mesh, bench.u, ay), yax = dot(bench.mesh, bench.v, ax);
    const double energy = dot(bench.mesh, bench.u, ax);
    assert_true(fabs(xay - yax) <= 1e-12 * (fabs(xay) + fabs(energy)));
    assert_true(energy < 0.0);
    ink_mesh_free(&ax);
    ink_mesh_free(&ay);
    tear_down(&bench);
  }
}

/* Steady states that two-point fluxes reproduce exactly: the residual is round-off and so are the fluxes. */
static const struct {
  Problem problem;
  double outward; /* of side 1 */
} exact_profiles[] =
    {/* linear, on a graded mesh, convection through the half cell: h (Ta - 5) = k 3 */
     {{INK_CARTESIAN,
       1,
       {graded},
       "2",
       "1",
       NULL,
       "2 + 3*x",
       {{INK_SIDE_VALUE, "2.6", 0, 0, 0}, {INK_SIDE_CONVECTION, 0, "4", "6.5", 0}}},
      -6.0},
     /* linear in two directions, given fluxes */
     {{INK_CARTESIAN,
       2,
       {graded, narrow},
       "2",
       "1",
       NULL,
       "2 + 3*x - y",
       {{INK_SIDE_FLUX, "-6", 0, 0, 0},
        {INK_SIDE_FLUX, "6", 0, 0, 0},
        {INK_SIDE_FLUX, "2", 0, 0, 0},
        {INK_SIDE_VALUE, "1.5 + 3*x", 0, 0, 0}}},
      -6.0},
     /* three layers in series, interfaces on faces */
     {{INK_CARTESIAN,
       1,
       {{.from = 0.0, .to = 0.35, .cells = 35}},
       "if(x < 0.1, 0.8, if(x < 0.15, 0.04, 1.5))",
       "1",
       NULL,
       "20 - 19.889502762430939*if(x < 0.1, x/0.8, if(x < 0.15, 0.125 + (x - 0.1)/0.04, 1.375 + (x "
       "- 0.15)/1.5))",
       {{INK_SIDE_VALUE, "20", 0, 0, 0}, {INK_SIDE_VALUE, "-10", 0, 0, 0}}},
      19.889502762430939},
     /* Kirchhoff: k = 1 + T/100, T + T^2/200 linear */
     {{INK_CARTESIAN,
       1,
       {even},
       "1 + 0.01*T",
       "1",
       NULL,
       "100*(sqrt(1 + 3*(1 - x)) - 1)",
       {{INK_SIDE_VALUE, "100", 0, 0, 0}, {INK_SIDE_VALUE, "0", 0, 0, 0}}},
      150.0},
     /* NAFEMS-like radiation: k (800 - Ts)/L = emissivity sigma (Ts^4 - Ta^4) */
     {{INK_CARTESIAN,
       1,
       {{.from = 0.0, .to = 0.05, .cells = 7}},
       "20",
       "1",
       NULL,
       "800 - (800 - 770.539308793981)*x/0.05",
       {{INK_SIDE_VALUE, "800", 0, 0, 0}, {INK_SIDE_RADIATION, 0, 0, "280", "0.6"}}},
      20.0 * (800.0 - 770.539308793981) / 0.05}};

static void exact_profiles_have_no_residual(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof exact_profiles / sizeof *exact_profiles; i++) {
    Bench bench;
    double outward, area;
    set_up(&exact_profiles[i].problem, &bench);
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, bench.v), 0);
    assert_int_equal(ink_diffusion_flux(bench.diffusion, 1, 0, 0.0, bench.u, &outward, &area), 0);
    const double residual = largest(&bench, bench.v),
                 error = fabs(outward / area - exact_profiles[i].outward);
    if (residual > 1e-10 * fabs(outward) || error > 1e-10 * fabs(exact_profiles[i].outward))
      print_error("case %zu: residual %g, flux %.15g, expected %.15g\n", i, residual, outward / area,
                  exact_profiles[i].outward);
    assert_true(residual <= 1e-10 * fabs(outward));
    assert_true(error <= 1e-10 * fabs(exact_profiles[i].outward));
    tear_down(&bench);
  }
}

/* (G(u + h v) - G(u - h v)) / 2h against the stencil, for every kind of coefficient and side. */
static const Problem nonlinear[] = {
    {INK_CARTESIAN,
     2,
     {graded, narrow},
     "1 + x*y^2",
     "1",
     "3 - T*x",
     "2 + sin(5*x) + y",
     {{INK_SIDE_VALUE, "1", 0, 0, 0}, {INK_SIDE_CONVECTION, 0, "4", "1", 0}, {INK_SIDE_FLUX, "3", 0, 0, 0}}},
    {INK_CARTESIAN,
     2,
     {graded, ring},
     "1 + 0.3*T^2",
     "1",
     "exp(-T)",
     "2 + sin(5*x) + cos(3*y)",
     {{INK_SIDE_VALUE, "1", 0, 0, 0}, {INK_SIDE_CONVECTION, 0, "4 + T", "1", 0}}},
    {INK_CARTESIAN,
     3,
     {narrow, even, ring},
     "(1 + y)*(1 + 0.3*T^2) + x",
     "1",
     NULL,
     "2 + sin(5*x) + y",
     {{INK_SIDE_FLUX, "2*(3 - T)", 0, 0, 0}, {0}, {INK_SIDE_VALUE, "1", 0, 0, 0}}},
    {INK_SPHERICAL,
     1,
     {even},
     "exp(T/400)*(1 + r)",
     "1",
     "T",
     "300 + 50*cos(3*r)",
     {{0}, {INK_SIDE_RADIATION, 0, 0, "500", "0.9"}}}};

static void the_jacobian_is_the_derivative(void **state) {
  (void)state;
  for (size_t p = 0; p < sizeof nonlinear / sizeof *nonlinear; p++) {
    Bench bench;
    set_up(&nonlinear[p], &bench);
    const double error = jacobian_error(&bench, 0.0);
    if (error > 1e-7) print_error("problem %zu: error %g\n", p, error);
    assert_true(error <= 1e-7);
    tear_down(&bench);
  }
}

/* Open problems: the content changes by what came in and was made. */
static const Problem open_problems[] = {
    {INK_CARTESIAN,
     1,
     {even},
     "0.7",
     "2",
     "1 + x",
     "sin(5*x)",
     {{INK_SIDE_VALUE, "1 + t", 0, 0, 0}, {INK_SIDE_CONVECTION, 0, "3", "2", 0}}},
    {INK_CARTESIAN,
     2,
     {even, ring},
     "0.7",
     "2",
     NULL,
     "sin(5*x) + cos(3*y)",
     {{INK_SIDE_FLUX, "1 + y", 0, 0, 0}, {INK_SIDE_VALUE, "cos(y)", 0, 0, 0}}},
    {INK_CARTESIAN,
     2,
     {graded, narrow},
     "1 + x*y^2",
     "2 + x",
     "sin(t)*T",
     "sin(5*x) + y*x",
     {{INK_SIDE_VALUE, "1", 0, 0, 0}, {0}, {INK_SIDE_FLUX, "2 - T", 0, 0, 0}}},
    {INK_CARTESIAN,
     3,
     {graded, narrow, even},
     "(1 + x)*(1 + 0.1*T^2)",
     "1",
     "-T",
     "1 + sin(5*x) + z^2",
     {{INK_SIDE_VALUE, "1", 0, 0, 0},
      {INK_SIDE_RADIATION, 0, 0, "3", "1"},
      {0},
      {0},
      {0},
      {INK_SIDE_CONVECTION, 0, "1 + t", "2", 0}}},
    {INK_SPHERICAL, 1, {even}, "0.7", "2", "5", "cos(2*r)", {{0}, {INK_SIDE_CONVECTION, 0, "3", "2", 0}}}};
enum { OPEN = sizeof open_problems / sizeof *open_problems };

static void open_domains_balance(void **state) {
  (void)state;
  for (int p = 0; p < OPEN; p++) {
    Bench bench;
    InkBudget budget;
    set_up(&open_problems[p], &bench);
    const double t = march(&bench, 100, 1.0);
    assert_int_equal(ink_diffusion_budget(bench.diffusion, 0, t, bench.u, &budget), 0);
    if (!(fabs(budget.balance) < 2e-14)) print_error("problem %d: balance %g\n", p, budget.balance);
    assert_true(fabs(budget.balance) < 2e-14);
    assert_true(fabs(budget.change) > 1e-6 * budget.scale);
    tear_down(&bench);
  }
}

static void explicit_bits_do_not_depend_on_the_ranks(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED + OPEN; p++) {
    const Mixture mixture = mixture_of(p < CLOSED ? &closed[p] : &open_problems[p - CLOSED]);
    check_bits(&mixture);
  }
}

/* The fused step against u + dt M^-1 G. */
static void the_explicit_step_is_forward_euler(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED + OPEN; p++) {
    Bench bench;
    set_up(p < CLOSED ? &closed[p] : &open_problems[p - CLOSED], &bench);
    assert_true(euler_error(&bench) < 1e-14 * fmax(1.0, largest(&bench, bench.u)));
    tear_down(&bench);
  }
}

/* Limits: at 1.05 times 2/lambda_max the highest mode grows, at 0.95 it does not; the Gershgorin step is not
 * above it. */
static void the_exact_limit_is_sharp(void **state) {
  (void)state;
  static const Problem problems[] = {
      {INK_CARTESIAN, 1, {even}, "0.7", "2", NULL, "cos(17*3.14159265358979*x)", {{0}}},
      {INK_CARTESIAN,
       1,
       {even},
       "0.7",
       "2",
       NULL,
       "sin(18*3.14159265358979*x)",
       {{INK_SIDE_VALUE, "0", 0, 0, 0}, {INK_SIDE_VALUE, "0", 0, 0, 0}}},
      {INK_CARTESIAN,
       2,
       {even, ring},
       "0.7",
       "2",
       NULL,
       "sin(17.5*3.14159265358979*x)*sin(16*3.14159265358979*y/2)",
       {{INK_SIDE_VALUE, "0", 0, 0, 0}}}};
  for (int p = 0; p < 3; p++)
    for (int way = 0; way < 2; way++) {
      Bench bench;
      double gershgorin, exact;
      set_up(&problems[p], &bench);
      const double before = largest(&bench, bench.u), factor = way ? 1.05 : 0.95;
      assert_int_equal(ink_diffusion_limits(bench.diffusion, 0.0, bench.u, &gershgorin, &exact), 0);
      assert_true(exact > 0.0 && gershgorin <= exact * (1.0 + 1e-12));
      march(&bench, 20, factor * exact / (0.9 * gershgorin));
      assert_true(way ? largest(&bench, bench.u) > 2.0 * before : largest(&bench, bench.u) < 0.5 * before);
      tear_down(&bench);
    }
}

/* Enthalpy: with c(T) the balance shrinks with the step, first order. */
static void enthalpy_balance_converges(void **state) {
  (void)state;
  const Problem problem = {INK_CARTESIAN,
                           1,
                           {even},
                           "1",
                           "1 + T^2",
                           NULL,
                           "1 + cos(3.14159265358979*x)",
                           {{INK_SIDE_FLUX, "1", 0, 0, 0}}};
  double balance[2];
  for (int level = 0; level < 2; level++) {
    Bench bench;
    InkBudget budget;
    double t = 0.0;
    const int steps = 400 << level;
    set_up(&problem, &bench);
    for (int n = 0; n < steps; n++, t += 0.2 / steps) {
      assert_int_equal(bench.system.explicit_step(bench.diffusion, t, 0.2 / steps, true, bench.u, bench.v),
                       0);
      double *swap = bench.u;
      bench.u = bench.v;
      bench.v = swap;
    }
    assert_int_equal(ink_diffusion_budget(bench.diffusion, 0, t, bench.u, &budget), 0);
    balance[level] = budget.balance;
    tear_down(&bench);
  }
  assert_true(fabs(balance[0]) < 1e-2 && fabs(balance[0]) > 1e-8);
  assert_true(fabs(balance[0] / balance[1] - 2.0) < 0.1);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(closed_domains_keep_their_content),
                                     cmocka_unit_test(values_stay_between_their_extremes),
                                     cmocka_unit_test(the_operator_is_symmetric),
                                     cmocka_unit_test(exact_profiles_have_no_residual),
                                     cmocka_unit_test(the_jacobian_is_the_derivative),
                                     cmocka_unit_test(open_domains_balance),
                                     cmocka_unit_test(explicit_bits_do_not_depend_on_the_ranks),
                                     cmocka_unit_test(the_explicit_step_is_forward_euler),
                                     cmocka_unit_test(the_exact_limit_is_sharp),
                                     cmocka_unit_test(enthalpy_balance_converges)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
