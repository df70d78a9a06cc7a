/* Symbolic sources and boundary data of manufactured solutions. */
#include "manufactured.h"

static int variable_of(const InkManufactured *problem, int axis) {
  static const int cartesian[3] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z};
  return problem->coordinates == INK_CARTESIAN ? cartesian[axis] : INK_VAR_R;
}

static const InkExpr *at_exact(const InkManufactured *problem, const InkExpr *e) {
  return ink_expr_substitute(problem->pool, e, INK_VAR_FIELD, problem->exact);
}

/* k u*_x along an axis */
static const InkExpr *gradient_flux(const InkManufactured *problem, int axis) {
  const InkExpr *slope = ink_expr_derivative(problem->pool, problem->exact, variable_of(problem, axis));
  return ink_expr_binary(problem->pool, INK_OP_MUL, at_exact(problem, problem->conductivity), slope);
}

const InkExpr *ink_manufactured_source(const InkManufactured *problem, bool steady) {
  InkPool *pool = problem->pool;
  const InkExpr *divergence = ink_expr_number(pool, 0.0);
  for (int axis = 0; axis < problem->dim; axis++) {
    const InkExpr *flux = gradient_flux(problem, axis);
    divergence = ink_expr_binary(pool, INK_OP_ADD, divergence,
                                 ink_expr_derivative(pool, flux, variable_of(problem, axis)));
    if (problem->coordinates == INK_CARTESIAN) continue;
    /* (1/r^m) d/dr (r^m f) = f' + m f / r */
    const InkExpr *m = ink_expr_number(pool, problem->coordinates == INK_SPHERICAL ? 2.0 : 1.0);
    const InkExpr *ratio = ink_expr_binary(pool, INK_OP_DIV, m, ink_expr_variable(pool, INK_VAR_R));
    divergence =
        ink_expr_binary(pool, INK_OP_ADD, divergence, ink_expr_binary(pool, INK_OP_MUL, ratio, flux));
  }
  if (steady) return ink_expr_unary(pool, INK_OP_NEG, divergence);
  const InkExpr *rate = ink_expr_derivative(pool, problem->exact, INK_VAR_T);
  const InkExpr *storage = ink_expr_binary(pool, INK_OP_MUL, at_exact(problem, problem->capacity), rate);
  return ink_expr_binary(pool, INK_OP_SUB, storage, divergence);
}

const InkExpr *ink_manufactured_inflow(const InkManufactured *problem, int side) {
  const InkExpr *flux = gradient_flux(problem, side / 2);
  return side % 2 ? flux : ink_expr_unary(problem->pool, INK_OP_NEG, flux);
}

void ink_manufactured_side(const InkManufactured *problem, int side, InkSideData *data) {
  InkPool *pool = problem->pool;
  if (data->type == INK_SIDE_VALUE) data->value = problem->exact;
  if (data->type == INK_SIDE_FLUX) data->value = ink_manufactured_inflow(problem, side);
  if (data->type == INK_SIDE_CONVECTION) {
    const InkExpr *difference = ink_expr_binary(pool, INK_OP_DIV, ink_manufactured_inflow(problem, side),
                                                at_exact(problem, data->coefficient));
    data->ambient = ink_expr_binary(pool, INK_OP_ADD, problem->exact, difference);
  }
}
