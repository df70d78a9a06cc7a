/* Manufactured sources: against derivatives by finite differences of the exact solution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../solvers/core/manufactured.h"

enum { MOST = 2 };

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {
      {.name = "x", .variable = INK_VAR_X},     {.name = "y", .variable = INK_VAR_Y},
      {.name = "z", .variable = INK_VAR_Z},     {.name = "r", .variable = INK_VAR_R},
      {.name = "t", .variable = INK_VAR_T},     {.name = "T", .variable = INK_VAR_FIELD},
      {.name = "u", .variable = INK_VAR_FIELD}, {.name = "v", .variable = INK_VAR_FIELD + 1}};
  const InkScope scope = {.symbol = symbols, .count = 8};
  char message[256];
  const InkExpr *e = text ? ink_expr_parse(pool, text, &scope, message, sizeof message) : NULL;
  assert_true(e || !text);
  return e;
}

/* A problem in the deck's words. */
typedef struct Words {
  InkCoordinates coordinates;
  int dim, n;
  const char *exact[MOST], *k[MOST * MOST], *capacity[MOST], *velocity[3], *reaction[MOST];
} Words;

typedef struct Case {
  InkManufactured problem;
  const InkExpr *exact[MOST], *k[MOST * MOST], *capacity[MOST], *reaction[MOST];
  double at[INK_VARS];
} Case;

static void set_up(Case *c, const Words *words) {
  InkPool *pool = ink_pool_create();
  *c = (Case){
      .at = {[INK_VAR_X] = 0.7, [INK_VAR_R] = 0.7, [INK_VAR_Y] = 0.3, [INK_VAR_Z] = 0.45, [INK_VAR_T] = 0.2}};
  for (int f = 0; f < words->n; f++) {
    c->exact[f] = parse(pool, words->exact[f]);
    c->capacity[f] = parse(pool, words->capacity[f]);
    c->reaction[f] = parse(pool, words->reaction[f]);
  }
  for (int e = 0; e < words->n * words->n; e++) c->k[e] = parse(pool, words->k[e]);
  c->problem = (InkManufactured){.pool = pool,
                                 .dim = words->dim,
                                 .n = words->n,
                                 .coordinates = words->coordinates,
                                 .exact = c->exact,
                                 .conductivity = c->k,
                                 .capacity = c->capacity};
  for (int a = 0; a < 3; a++) c->problem.velocity[a] = parse(pool, words->velocity[a]);
}

static double exact(const Case *c, int field, const double at[INK_VARS]) {
  return ink_expr_value(c->exact[field], at);
}

/* A coefficient with the exact fields put in; absent: `otherwise`. */
static double coefficient(const Case *c, const InkExpr *e, const double at[INK_VARS], double otherwise) {
  double full[INK_VARS];
  if (!e) return otherwise;
  for (int v = 0; v < INK_VARS; v++) full[v] = at[v];
  for (int f = 0; f < c->problem.n; f++) full[INK_VAR_FIELD + f] = exact(c, f, at);
  return ink_expr_value(e, full);
}

static int variable_of(const Case *c, int axis) {
  static const int cartesian[3] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z}, round[2] = {INK_VAR_R, INK_VAR_Z};
  return c->problem.coordinates == INK_CARTESIAN ? cartesian[axis] : round[axis];
}

/* Area of a face normal to an axis, up to a constant. */
static double metric(const Case *c, int axis, double place) {
  if (c->problem.coordinates == INK_CARTESIAN || axis > 0) return 1.0;
  return c->problem.coordinates == INK_SPHERICAL ? place * place : place;
}

/* sum k du/dx - w u, by central differences, per area, at a point `shift` away along the axis. */
static double face_flux(const Case *c, int field, int axis, double shift, double h) {
  const int variable = variable_of(c, axis), n = c->problem.n;
  double at[INK_VARS], below[INK_VARS], above[INK_VARS], sum = 0.0;
  for (int v = 0; v < INK_VARS; v++) at[v] = below[v] = above[v] = c->at[v];
  at[variable] += shift;
  below[variable] += shift - h;
  above[variable] += shift + h;
  if (!c->k[field * n + field]) return 0.0;
  for (int f = 0; f < n; f++)
    sum +=
        coefficient(c, c->k[field * n + f], at, 0.0) * (exact(c, f, above) - exact(c, f, below)) / (2.0 * h);
  return sum - coefficient(c, c->problem.velocity[axis], at, 0.0) * exact(c, field, at);
}

static double divergence_of(const Case *c, int field, double h) {
  double divergence = 0.0;
  for (int a = 0; a < c->problem.dim; a++) {
    const double place = c->at[variable_of(c, a)];
    const double above = metric(c, a, place + h) * face_flux(c, field, a, h, h);
    const double below = metric(c, a, place - h) * face_flux(c, field, a, -h, h);
    divergence += (above - below) / (2.0 * h * metric(c, a, place));
  }
  return divergence;
}

static void check_inflows(const Case *c, int field, double h) {
  for (int a = 0; a < c->problem.dim; a++) {
    /* inflow through the two sides of an axis is the flux with opposite signs */
    const double low = ink_expr_value(ink_manufactured_inflow(&c->problem, field, 2 * a), c->at);
    const double high = ink_expr_value(ink_manufactured_inflow(&c->problem, field, 2 * a + 1), c->at);
    assert_true(fabs(low + high) <= 1e-14 * fabs(high));
    assert_true(fabs(high - face_flux(c, field, a, 0.0, h)) <= 1e-4 * (1.0 + fabs(high)));
  }
}

static void check(const Case *c, int field) {
  const double h = 1e-3;
  double later[INK_VARS], before[INK_VARS];
  for (int v = 0; v < INK_VARS; v++) later[v] = before[v] = c->at[v];
  later[INK_VAR_T] += h;
  before[INK_VAR_T] -= h;
  const double rate = (exact(c, field, later) - exact(c, field, before)) / (2.0 * h);
  const double storage = coefficient(c, c->capacity[field], c->at, 1.0) * rate;
  const double own = coefficient(c, c->reaction[field], c->at, 0.0), divergence = divergence_of(c, field, h);
  const InkExpr *unsteady = ink_manufactured_source(&c->problem, field, c->reaction[field], false);
  const InkExpr *steady = ink_manufactured_source(&c->problem, field, c->reaction[field], true);
  assert_true(!(ink_expr_variables(unsteady) >> INK_VAR_FIELD & 3)); /* of place and time alone */
  const double with_rate = ink_expr_value(unsteady, c->at), without = ink_expr_value(steady, c->at);
  assert_true(fabs(without + divergence + own) <= 1e-4 * (1.0 + fabs(divergence)));
  assert_true(fabs(with_rate - (storage - divergence - own)) <= 1e-4 * (1.0 + fabs(with_rate)));
  if (c->k[field * c->problem.n + field]) assert_true(fabs(divergence) > 0.1); /* the case says something */
  check_inflows(c, field, h);
}

static void run(const Words *words) {
  Case c;
  set_up(&c, words);
  for (int f = 0; f < words->n; f++) check(&c, f);
  ink_pool_destroy(&c.problem.pool);
}

static void run_one(InkCoordinates coordinates, int dim, const char *u, const char *k, const char *c) {
  run(&(Words){.coordinates = coordinates, .dim = dim, .n = 1, .exact = {u}, .k = {k}, .capacity = {c}});
}

static void cartesian(void **state) {
  (void)state;
  run_one(INK_CARTESIAN, 1, "exp(-t)*sin(3*x)", "1 + x", "2 + x");
  run_one(INK_CARTESIAN, 2, "exp(-t)*sin(3*x)*cos(2*y) + x*y", "1 + x*y", NULL);
  run_one(INK_CARTESIAN, 3, "cos(t)*sin(2*x)*cos(y)*exp(z)", "1 + 0.3*T", "1 + 0.1*T + z");
}

static void curvilinear(void **state) {
  (void)state;
  run_one(INK_CYLINDRICAL, 1, "exp(-t)*cos(2*r)", "1 + r^2", "3");
  run_one(INK_SPHERICAL, 1, "exp(-t)*cos(2*r)", "1 + 0.2*T", "1 + r");
  run_one(INK_AXISYMMETRIC, 2, "exp(-t)*cos(2*r)*sin(3*z + 1)", "1 + 0.2*T + r*z", "1 + r");
}

static void coupled_fields(void **state) {
  (void)state;
  Words words = {.coordinates = INK_CARTESIAN,
                 .dim = 2,
                 .n = 2,
                 .exact = {"exp(-t)*sin(3*x)*cos(2*y) + 2", "1 + cos(t)*sin(2*x + y)"},
                 .k = {"1 + u*v", "0.3*x*v", "-0.2*u^2", "2 + x"},
                 .capacity = {"1 + v", NULL},
                 .velocity = {"1 + y + t", "0.5*x"},
                 .reaction = {"u^2*v - u", "1 - u^2*v + x*t"}};
  run(&words);
  words.coordinates = INK_AXISYMMETRIC;
  words.exact[0] = "exp(-t)*sin(3*r)*cos(2*z) + 2";
  words.exact[1] = "1 + cos(t)*sin(2*r + z)";
  words.k[1] = "0.3*r*v";
  words.k[3] = "2 + z";
  words.velocity[0] = "1 + z + t";
  words.velocity[1] = "0.5*r";
  words.reaction[1] = "1 - u^2*v + r*t";
  run(&words);
}

/* An immobile field only reacts: neither gradients nor the wind move it. */
static void immobile(void **state) {
  (void)state;
  run(&(Words){.coordinates = INK_CARTESIAN,
               .dim = 1,
               .n = 2,
               .exact = {"exp(-t)*sin(3*x)", "x*cos(t)"},
               .k = {"1 + v", NULL, "3", NULL},
               .velocity = {"2"},
               .reaction = {"-u*v", "u*v"}});
}

/* Value, flux and h (ambient - u*) are those of the exact solution. */
static void sides(void **state) {
  (void)state;
  Case c;
  set_up(&c, &(Words){.coordinates = INK_CARTESIAN,
                      .dim = 1,
                      .n = 2,
                      .exact = {"exp(-t)*sin(3*x)", "2 + x*t"},
                      .k = {"1 + u", "0.2", NULL, "1"},
                      .velocity = {"0.7"}});
  const double u = exact(&c, 0, c.at), v = exact(&c, 1, c.at), h = 2.0 + u * u + v;
  const double q = ink_expr_value(ink_manufactured_inflow(&c.problem, 0, 1), c.at);
  InkSideData data = {.type = INK_SIDE_CONVECTION, .coefficient = parse(c.problem.pool, "2 + u^2 + v")};
  ink_manufactured_side(&c.problem, 0, 1, &data);
  assert_true(fabs(h * (ink_expr_value(data.ambient, c.at) - u) - q) < 1e-13);
  data = (InkSideData){.type = INK_SIDE_FLUX};
  ink_manufactured_side(&c.problem, 0, 1, &data);
  assert_true(ink_expr_value(data.value, c.at) == q);
  data = (InkSideData){.type = INK_SIDE_VALUE};
  ink_manufactured_side(&c.problem, 1, 0, &data);
  assert_true(ink_expr_value(data.value, c.at) == v);
  data = (InkSideData){.type = INK_SIDE_CLOSED};
  ink_manufactured_side(&c.problem, 0, 0, &data);
  assert_null(data.value);
  ink_pool_destroy(&c.problem.pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cartesian), cmocka_unit_test(curvilinear),
                                     cmocka_unit_test(coupled_fields), cmocka_unit_test(immobile),
                                     cmocka_unit_test(sides)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
