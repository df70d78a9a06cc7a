/* Symbolic sources and boundary data of manufactured solutions of
 *
 *     c_s du_s/dt = div( sum_f k_sf grad u_f - w u_s ) + R_s(x,t,u). */
#include "manufactured.h"

static int variable_of(const InkManufactured *problem, int axis) {
  static const int cartesian[3] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z};
  if (problem->coordinates == INK_CARTESIAN) return cartesian[axis];
  return axis == 0 ? INK_VAR_R : INK_VAR_Z;
}

static const InkExpr *product(const InkManufactured *problem, const InkExpr *a, const InkExpr *b) {
  return ink_expr_binary(problem->pool, INK_OP_MUL, a, b);
}

/* The exact fields put in. They do not use fields themselves, so one after the other is all at once. */
static const InkExpr *at_exact(const InkManufactured *problem, const InkExpr *e) {
  for (int f = 0; f < problem->n; f++)
    if (ink_expr_variables(e) >> (INK_VAR_FIELD + f) & 1)
      e = ink_expr_substitute(problem->pool, e, INK_VAR_FIELD + f, problem->exact[f]);
  return e;
}

/* sum_f k_sf du*_f/dx - w u*_s along an axis: the flux against it. A field without an own k does not move. */
static const InkExpr *counterflux(const InkManufactured *problem, int field, int axis) {
  InkPool *pool = problem->pool;
  const InkExpr *const *row = problem->conductivity + field * problem->n;
  const InkExpr *sum = ink_expr_number(pool, 0.0);
  if (!row[field]) return sum;
  for (int f = 0; f < problem->n; f++) {
    if (!row[f]) continue;
    const InkExpr *slope = ink_expr_derivative(pool, problem->exact[f], variable_of(problem, axis));
    sum = ink_expr_binary(pool, INK_OP_ADD, sum, product(problem, at_exact(problem, row[f]), slope));
  }
  if (!problem->velocity[axis]) return sum;
  return ink_expr_binary(pool, INK_OP_SUB, sum,
                         product(problem, problem->velocity[axis], problem->exact[field]));
}

/* (1/r^m) d/dr (r^m f) = f' + m f / r: m is 0 along straight axes. */
static const InkExpr *divergence_along(const InkManufactured *problem, const InkExpr *flux, int axis) {
  InkPool *pool = problem->pool;
  const InkExpr *slope = ink_expr_derivative(pool, flux, variable_of(problem, axis));
  if (problem->coordinates == INK_CARTESIAN || axis > 0) return slope;
  const InkExpr *m = ink_expr_number(pool, problem->coordinates == INK_SPHERICAL ? 2.0 : 1.0);
  const InkExpr *ratio = ink_expr_binary(pool, INK_OP_DIV, m, ink_expr_variable(pool, INK_VAR_R));
  return ink_expr_binary(pool, INK_OP_ADD, slope, product(problem, ratio, flux));
}

const InkExpr *ink_manufactured_source(const InkManufactured *problem, int field, const InkExpr *reaction,
                                       bool steady) {
  InkPool *pool = problem->pool;
  const InkExpr *gain = ink_expr_number(pool, 0.0);
  for (int axis = 0; axis < problem->dim; axis++) {
    const InkExpr *flux = counterflux(problem, field, axis);
    gain = ink_expr_binary(pool, INK_OP_ADD, gain, divergence_along(problem, flux, axis));
  }
  if (reaction) gain = ink_expr_binary(pool, INK_OP_ADD, gain, at_exact(problem, reaction));
  if (steady) return ink_expr_unary(pool, INK_OP_NEG, gain);
  const InkExpr *storage = ink_expr_derivative(pool, problem->exact[field], INK_VAR_T);
  const InkExpr *capacity = problem->capacity ? problem->capacity[field] : NULL;
  if (capacity) storage = product(problem, at_exact(problem, capacity), storage);
  return ink_expr_binary(pool, INK_OP_SUB, storage, gain);
}

const InkExpr *ink_manufactured_inflow(const InkManufactured *problem, int field, int side) {
  const InkExpr *flux = counterflux(problem, field, side / 2);
  return side % 2 ? flux : ink_expr_unary(problem->pool, INK_OP_NEG, flux);
}

void ink_manufactured_side(const InkManufactured *problem, int field, int side, InkSideData *data) {
  InkPool *pool = problem->pool;
  if (data->type == INK_SIDE_VALUE) data->value = problem->exact[field];
  if (data->type == INK_SIDE_FLUX) data->value = ink_manufactured_inflow(problem, field, side);
  if (data->type == INK_SIDE_CONVECTION) {
    const InkExpr *difference =
        ink_expr_binary(pool, INK_OP_DIV, ink_manufactured_inflow(problem, field, side),
                        at_exact(problem, data->coefficient));
    data->ambient = ink_expr_binary(pool, INK_OP_ADD, problem->exact[field], difference);
  }
}
