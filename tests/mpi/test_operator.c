/* The diffusion operator's laws, on every mesh: nothing is lost inside, the matrix is symmetric, linear and
 * layered profiles are exact, the Jacobian is the derivative, and explicit bits do not know the
 * decomposition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/observe.h"
#include "../../solvers/core/operator.h"

/* ---- problems ---- */

typedef struct Side {
  InkSideType type;
  const char *value, *coefficient, *ambient, *emissivity;
} Side;

typedef struct Problem {
  InkCoordinates coordinates;
  int dim;
  InkAxisSpec axis[3];
  const char *k, *c, *s, *start;
  Side side[INK_SIDES];
} Problem;

typedef struct Bench {
  InkPool *pool;
  InkMesh *mesh;
  InkDiffusion *diffusion;
  InkSystem system;
  double *u, *v;
} Bench;

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {
      {.name = "x", .variable = INK_VAR_X}, {.name = "y", .variable = INK_VAR_Y},
      {.name = "z", .variable = INK_VAR_Z}, {.name = "r", .variable = INK_VAR_R},
      {.name = "t", .variable = INK_VAR_T}, {.name = "T", .variable = INK_VAR_FIELD}};
  const InkScope scope = {.symbol = symbols, .count = 6};
  char message[256] = "";
  if (!text) return NULL;
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  if (!e) print_error("%s: %s\n", text, message);
  assert_non_null(e);
  return e;
}

static void fill(const Bench *bench, const char *text, double *values) {
  char message[256] = "";
  const InkExpr *e = parse(bench->pool, text);
  InkProgram *program = ink_program_create(1, &e, INK_ROW_UNIFORM, message, sizeof message);
  assert_non_null(program);
  assert_int_equal(ink_mesh_evaluate(bench->mesh, program, 0.0, 0, NULL, &values), 0);
  ink_program_destroy(&program);
}

static void set_up_on(MPI_Comm comm, const Problem *problem, Bench *bench) {
  InkFailure failure = {0};
  *bench = (Bench){.pool = ink_pool_create()};
  assert_int_equal(
      ink_mesh_build(comm, problem->axis, problem->dim, problem->coordinates, &bench->mesh, &failure), 0);
  assert_int_equal(failure.code, 0);
  InkDiffusionSpec spec = {.field = "T",
                           .conductivity = parse(bench->pool, problem->k),
                           .capacity = parse(bench->pool, problem->c ? problem->c : "1"),
                           .source = parse(bench->pool, problem->s)};
  for (int side = 0; side < INK_SIDES; side++)
    spec.side[side] = (InkSideData){problem->side[side].type, parse(bench->pool, problem->side[side].value),
                                    parse(bench->pool, problem->side[side].coefficient),
                                    parse(bench->pool, problem->side[side].ambient),
                                    parse(bench->pool, problem->side[side].emissivity)};
  assert_int_equal(ink_diffusion_create(bench->mesh, bench->pool, &spec, &bench->diffusion, &failure), 0);
  assert_int_equal(failure.code, 0);
  ink_diffusion_system(bench->diffusion, &bench->system);
  assert_int_equal(ink_mesh_array(bench->mesh, &bench->u), 0);
  assert_int_equal(ink_mesh_array(bench->mesh, &bench->v), 0);
  fill(bench, problem->start, bench->u);
  assert_int_equal(ink_diffusion_budget_start(bench->diffusion, 0.0, bench->u), 0);
}

static void set_up(const Problem *problem, Bench *bench) { set_up_on(MPI_COMM_WORLD, problem, bench); }

static void tear_down(Bench *bench) {
  assert_int_equal(ink_diffusion_destroy(&bench->diffusion), 0);
  ink_mesh_free(&bench->u);
  ink_mesh_free(&bench->v);
  assert_int_equal(ink_mesh_destroy(&bench->mesh), 0);
  ink_pool_destroy(&bench->pool);
}

/* n explicit steps of `factor` times nine tenths of the monotone bound. */
static double march(Bench *bench, int n, double factor) {
  double t = 0.0;
  for (int step = 0; step < n; step++) {
    double dt;
    assert_int_equal(bench->system.monotone_step(bench->diffusion, t, bench->u, &dt), 0);
    dt *= ink_explicit_fraction * factor;
    assert_int_equal(bench->system.explicit_step(bench->diffusion, t, dt, bench->u, bench->v), 0);
    double *swap = bench->u;
    bench->u = bench->v;
    bench->v = swap;
    t += dt;
  }
  return t;
}

/* Owned cells of a field as one array in global order, on all ranks. */
static double *gather(const InkMesh *mesh, const double *values) {
  double *all = calloc((size_t)mesh->cells, sizeof(double));
  assert_non_null(all);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++)
        all[mesh->start[0] + i +
            mesh->axis[0].cells * (mesh->start[1] + j + mesh->axis[1].cells * (mesh->start[2] + k))] =
            values[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]];
  MPI_Allreduce(MPI_IN_PLACE, all, (int)mesh->cells, MPI_DOUBLE, MPI_SUM, mesh->comm);
  return all;
}

static const InkAxisSpec even = {.from = 0.0, .to = 1.0, .cells = 18};
static const InkAxisSpec graded = {.from = 0.2, .to = 1.0, .cells = 13, .grading = 1.2};
static const InkAxisSpec narrow = {.from = -0.5, .to = 0.5, .cells = 11, .grading = 0.9};
static const InkAxisSpec ring = {.from = 0.0, .to = 2.0, .cells = 16, .periodic = true};

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
    assert_int_equal(ink_diffusion_budget(bench.diffusion, t, bench.u, &budget), 0);
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

static double largest(const Bench *bench, const double *values) {
  double min, max;
  const InkFieldView view = {.mesh = bench->mesh, .values = values};
  assert_int_equal(ink_observe_range(&view, &min, &max), 0);
  return fmax(fabs(min), fabs(max));
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
    assert_int_equal(ink_diffusion_flux(bench.diffusion, 1, 0.0, bench.u, &outward, &area), 0);
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

static void apply(const Bench *bench, const InkStencil *stencil, double *v, double *out) {
  const InkMesh *mesh = bench->mesh;
  assert_int_equal(ink_mesh_exchange(mesh, v), 0);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
        double sum = stencil->diagonal[cell] * v[cell];
        for (int a = 0; a < mesh->dim; a++) {
          const int64_t step = a == 0 ? 1 : mesh->stride[a];
          sum += stencil->off[a][0][cell] * v[cell - step] + stencil->off[a][1][cell] * v[cell + step];
        }
        out[cell] = sum;
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
    InkStencil stencil = {0};
    double *plus, *minus, *product;
    const double h = 1e-5;
    set_up(&nonlinear[p], &bench);
    const InkMesh *mesh = bench.mesh;
    assert_int_equal(ink_mesh_array(mesh, &stencil.diagonal), 0);
    for (int a = 0; a < mesh->dim; a++)
      for (int end = 0; end < 2; end++) assert_int_equal(ink_mesh_array(mesh, &stencil.off[a][end]), 0);
    assert_int_equal(ink_mesh_array(mesh, &plus), 0);
    assert_int_equal(ink_mesh_array(mesh, &minus), 0);
    assert_int_equal(ink_mesh_array(mesh, &product), 0);
    fill(&bench, "cos(40*x + 7*r) + sin(30*y) + cos(25*z)", bench.v);
    assert_int_equal(bench.system.jacobian(bench.diffusion, 0.0, bench.u, &stencil), 0);
    apply(&bench, &stencil, bench.v, product);
    for (int64_t n = 0; n < mesh->size; n++) bench.u[n] += h * bench.v[n];
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, plus), 0);
    for (int64_t n = 0; n < mesh->size; n++) bench.u[n] -= 2.0 * h * bench.v[n];
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, minus), 0);
    for (int64_t n = 0; n < mesh->size; n++) plus[n] = (plus[n] - minus[n]) / (2.0 * h) - product[n];
    const double error = largest(&bench, plus), scale = largest(&bench, product);
    if (error > 1e-7 * scale) print_error("problem %zu: error %g of %g\n", p, error, scale);
    assert_true(scale > 0.0 && error <= 1e-7 * scale);
    for (int a = 0; a < mesh->dim; a++)
      for (int end = 0; end < 2; end++) ink_mesh_free(&stencil.off[a][end]);
    ink_mesh_free(&stencil.diagonal);
    ink_mesh_free(&plus);
    ink_mesh_free(&minus);
    ink_mesh_free(&product);
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
    assert_int_equal(ink_diffusion_budget(bench.diffusion, t, bench.u, &budget), 0);
    if (!(fabs(budget.balance) < 2e-14)) print_error("problem %d: balance %g\n", p, budget.balance);
    assert_true(fabs(budget.balance) < 2e-14);
    assert_true(fabs(budget.change) > 1e-6 * budget.scale);
    tear_down(&bench);
  }
}

/* The same problem on one rank of its own: every bit the same, budgets and step limits included. */
static void explicit_bits_do_not_depend_on_the_ranks(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED + OPEN; p++) {
    const Problem *problem = p < CLOSED ? &closed[p] : &open_problems[p - CLOSED];
    Bench shared, alone;
    InkBudget one, all;
    set_up(problem, &shared);
    set_up_on(MPI_COMM_SELF, problem, &alone);
    const double t = march(&shared, 25, 1.0), same = march(&alone, 25, 1.0);
    assert_memory_equal(&t, &same, sizeof t);
    double *a = gather(shared.mesh, shared.u), *b = gather(alone.mesh, alone.u);
    if (memcmp(a, b, (size_t)shared.mesh->cells * sizeof *a)) print_error("problem %d\n", p);
    assert_memory_equal(a, b, (size_t)shared.mesh->cells * sizeof *a);
    assert_int_equal(ink_diffusion_budget(shared.diffusion, t, shared.u, &all), 0);
    assert_int_equal(ink_diffusion_budget(alone.diffusion, t, alone.u, &one), 0);
    assert_memory_equal(all.inflow, one.inflow, sizeof all.inflow);
    assert_memory_equal(&all.source, &one.source, sizeof all.source);
    assert_memory_equal(&all.change, &one.change, sizeof all.change);
    free(a);
    free(b);
    tear_down(&shared);
    tear_down(&alone);
  }
}

/* The fused step against u + dt M^-1 G. */
static void the_explicit_step_is_forward_euler(void **state) {
  (void)state;
  for (int p = 0; p < CLOSED + OPEN; p++) {
    Bench bench;
    double *g, *m, dt;
    set_up(p < CLOSED ? &closed[p] : &open_problems[p - CLOSED], &bench);
    assert_int_equal(ink_mesh_array(bench.mesh, &g), 0);
    assert_int_equal(ink_mesh_array(bench.mesh, &m), 0);
    for (int64_t n = 0; n < bench.mesh->size; n++) m[n] = 1.0;
    const double t = 0.3, scale = largest(&bench, bench.u);
    assert_int_equal(bench.system.monotone_step(bench.diffusion, t, bench.u, &dt), 0);
    assert_int_equal(bench.system.explicit_step(bench.diffusion, t, dt, bench.u, bench.v), 0);
    assert_int_equal(bench.system.rhs(bench.diffusion, t, bench.u, g), 0);
    assert_int_equal(bench.system.capacity(bench.diffusion, t, bench.u, m), 0);
    for (int64_t n = 0; n < bench.mesh->size; n++) g[n] = bench.v[n] - (bench.u[n] + dt * g[n] / m[n]);
    assert_true(largest(&bench, g) < 1e-14 * fmax(1.0, scale));
    ink_mesh_free(&g);
    ink_mesh_free(&m);
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
      assert_int_equal(bench.system.explicit_step(bench.diffusion, t, 0.2 / steps, bench.u, bench.v), 0);
      double *swap = bench.u;
      bench.u = bench.v;
      bench.v = swap;
    }
    assert_int_equal(ink_diffusion_budget(bench.diffusion, t, bench.u, &budget), 0);
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
