/* Manufactured sources: against derivatives by finite differences of the exact solution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../solvers/core/manufactured.h"

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {
      {.name = "x", .variable = INK_VAR_X}, {.name = "y", .variable = INK_VAR_Y},
      {.name = "z", .variable = INK_VAR_Z}, {.name = "r", .variable = INK_VAR_R},
      {.name = "t", .variable = INK_VAR_T}, {.name = "T", .variable = INK_VAR_FIELD}};
  const InkScope scope = {.symbol = symbols, .count = 6};
  char message[256];
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  assert_non_null(e);
  return e;
}

typedef struct Case {
  InkManufactured problem;
  double at[INK_VARS];
} Case;

static double exact(const Case *c, const double at[INK_VARS]) { return ink_expr_value(c->problem.exact, at); }

static double coefficient(const Case *c, const InkExpr *e, const double at[INK_VARS]) {
  double full[INK_VARS];
  for (int v = 0; v < INK_VARS; v++) full[v] = at[v];
  full[INK_VAR_FIELD] = exact(c, at);
  return ink_expr_value(e, full);
}

/* The flux through a face of a small cell: metric * k * du/dx by a central difference. */
static double face_flux(const Case *c, int variable, double shift, double h) {
  double at[INK_VARS], below[INK_VARS], above[INK_VARS];
  for (int v = 0; v < INK_VARS; v++) at[v] = below[v] = above[v] = c->at[v];
  at[variable] += shift;
  below[variable] += shift - h;
  above[variable] += shift + h;
  const double power = c->problem.coordinates == INK_CARTESIAN     ? 0.0
                       : c->problem.coordinates == INK_CYLINDRICAL ? 1.0
                                                                   : 2.0;
  const double metric = power > 0.0 ? pow(at[variable], power) : 1.0;
  return metric * coefficient(c, c->problem.conductivity, at) * (exact(c, above) - exact(c, below)) /
         (2.0 * h);
}

static void check(const Case *c) {
  const double h = 1e-3;
  const int cartesian[3] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z};
  double later[INK_VARS], before[INK_VARS], divergence = 0.0;
  for (int v = 0; v < INK_VARS; v++) later[v] = before[v] = c->at[v];
  later[INK_VAR_T] += h;
  before[INK_VAR_T] -= h;
  const double storage =
      coefficient(c, c->problem.capacity, c->at) * (exact(c, later) - exact(c, before)) / (2.0 * h);
  for (int a = 0; a < c->problem.dim; a++) {
    const int v = c->problem.coordinates == INK_CARTESIAN ? cartesian[a] : INK_VAR_R;
    const double r = c->at[INK_VAR_R];
    const double metric = c->problem.coordinates == INK_CARTESIAN     ? 1.0
                          : c->problem.coordinates == INK_CYLINDRICAL ? r
                                                                      : r * r;
    divergence += (face_flux(c, v, h, h) - face_flux(c, v, -h, h)) / (2.0 * h * metric);
    /* inflow through the two sides of this axis is the flux with opposite signs */
    const double low = ink_expr_value(ink_manufactured_inflow(&c->problem, 2 * a), c->at);
    const double high = ink_expr_value(ink_manufactured_inflow(&c->problem, 2 * a + 1), c->at);
    assert_true(fabs(low + high) <= 1e-14 * fabs(high));
    assert_true(fabs(high - face_flux(c, v, 0.0, h) / metric) <= 1e-4 * (1.0 + fabs(high)));
  }
  const double source = ink_expr_value(ink_manufactured_source(&c->problem, false), c->at);
  const double steady = ink_expr_value(ink_manufactured_source(&c->problem, true), c->at);
  assert_true(fabs(steady + divergence) <= 1e-4 * (1.0 + fabs(divergence)));
  assert_true(fabs(source - (storage - divergence)) <= 1e-4 * (1.0 + fabs(source)));
  assert_true(fabs(divergence) > 0.1); /* the case says something */
}

static void run(InkCoordinates coordinates, int dim, const char *u, const char *k, const char *c) {
  InkPool *pool = ink_pool_create();
  Case test = {.problem = {pool, dim, coordinates, parse(pool, u), parse(pool, k), parse(pool, c)}};
  test.at[INK_VAR_X] = test.at[INK_VAR_R] = 0.7;
  test.at[INK_VAR_Y] = 0.3;
  test.at[INK_VAR_Z] = 0.45;
  test.at[INK_VAR_T] = 0.2;
  check(&test);
  ink_pool_destroy(&pool);
}

static void cartesian(void **state) {
  (void)state;
  run(INK_CARTESIAN, 1, "exp(-t)*sin(3*x)", "1 + x", "2 + x");
  run(INK_CARTESIAN, 2, "exp(-t)*sin(3*x)*cos(2*y) + x*y", "1 + x*y", "2");
  run(INK_CARTESIAN, 3, "cos(t)*sin(2*x)*cos(y)*exp(z)", "1 + 0.3*T", "1 + 0.1*T + z");
}

static void curvilinear(void **state) {
  (void)state;
  run(INK_CYLINDRICAL, 1, "exp(-t)*cos(2*r)", "1 + r^2", "3");
  run(INK_SPHERICAL, 1, "exp(-t)*cos(2*r)", "1 + 0.2*T", "1 + r");
}

/* h (ambient - u*) is the flux of the exact solution. */
static void convection(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  double at[INK_VARS] = {[INK_VAR_X] = 0.4, [INK_VAR_T] = 0.1};
  const InkManufactured problem = {
      pool, 1, INK_CARTESIAN, parse(pool, "exp(-t)*sin(3*x)"), parse(pool, "1 + T"), parse(pool, "1")};
  InkSideData data = {.type = INK_SIDE_CONVECTION, .coefficient = parse(pool, "2 + T^2")};
  ink_manufactured_side(&problem, 1, &data);
  const double u = ink_expr_value(problem.exact, at), h = 2.0 + u * u;
  const double q = ink_expr_value(ink_manufactured_inflow(&problem, 1), at);
  assert_true(fabs(h * (ink_expr_value(data.ambient, at) - u) - q) < 1e-13);
  ink_pool_destroy(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cartesian), cmocka_unit_test(curvilinear),
                                     cmocka_unit_test(convection)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
