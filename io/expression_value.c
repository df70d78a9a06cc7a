/* The value of a tree for one set of variables, with plain libm.
 *
 * Derivatives share their parts, so there can be exponentially many ways down to a leaf: values of deep nodes
 * are kept. Below KEPT_DEPTH at most 3^KEPT_DEPTH ways remain, which is less work than keeping them. */
#include "expression_impl.h"

#include <math.h>

static double integer_power(double x, int n) {
  double result = 1;
  bool first = true;
  for (int m = n < 0 ? -n : n; m; m >>= 1) {
    if (m & 1) {
      result = first ? x : result * x;
      first = false;
    }
    x = m > 1 ? x * x : x;
  }
  if (n >= 0) return result;
  return result == 0 ? NAN : 1 / result;
}

static double power(const InkExpr *exponent, double a, double b) {
  /* As ink_expr_small_integer decides, but b is known already: asking it at every level of a tower of powers
   * takes exponential time. */
  if (ink_expr_is_constant(exponent) && fabs(b) <= 64 && b == floor(b)) return integer_power(a, (int)b);
  if ((a == 0 && b < 0) || (a < 0 && b != floor(b))) return NAN;
  return b == 0.5 ? sqrt(a) : pow(a, b);
}

static double modulo(double a, double b) {
  if (b == 0) return NAN;
  double r = fma(-b, floor(a / b), a);
  /* a / b was rounded, so the floor may be off by one. */
  if (b > 0 ? r < 0 : r > 0) r += b;
  if (b > 0 ? r >= b : r <= b) r -= b;
  return r;
}

static double binary(const InkExpr *e, double a, double b) {
  switch (e->op) {
  case INK_OP_ADD:
    return a + b;
  case INK_OP_SUB:
    return a - b;
  case INK_OP_MUL:
    return a * b;
  case INK_OP_DIV:
    return b == 0 ? NAN : a / b;
  case INK_OP_POW:
    return power(e->arg[1], a, b);
  case INK_OP_LT:
    return a < b;
  case INK_OP_LE:
    return a <= b;
  case INK_OP_GT:
    return a > b;
  case INK_OP_GE:
    return a >= b;
  case INK_OP_EQ:
    return a == b;
  case INK_OP_NE:
    return a != b;
  case INK_OP_MIN:
    return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
  case INK_OP_MAX:
    return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
  case INK_OP_MOD:
    return modulo(a, b);
  case INK_OP_ATAN2:
    return atan2(a, b);
  default:
    return NAN;
  }
}

static double unary(InkOp op, double a) {
  switch (op) {
  case INK_OP_NEG:
    return -a;
  case INK_OP_ABS:
    return fabs(a);
  case INK_OP_SIGN:
    return a > 0 ? 1 : a < 0 ? -1 : a;
  case INK_OP_FLOOR:
    return floor(a);
  case INK_OP_SQRT:
    return a < 0 ? NAN : sqrt(a);
  case INK_OP_EXP:
    return exp(a);
  case INK_OP_LOG:
    return a <= 0 ? NAN : log(a);
  case INK_OP_SIN:
    return sin(a);
  case INK_OP_COS:
    return cos(a);
  case INK_OP_TAN:
    return tan(a);
  case INK_OP_ASIN:
    return asin(a);
  case INK_OP_ACOS:
    return acos(a);
  case INK_OP_ATAN:
    return atan(a);
  case INK_OP_SINH:
    return sinh(a);
  case INK_OP_COSH:
    return cosh(a);
  case INK_OP_TANH:
    return tanh(a);
  case INK_OP_ERF:
    return erf(a);
  case INK_OP_ERFC:
    return erfc(a);
  default:
    return NAN;
  }
}

enum { KEPT_DEPTH = 4 };

typedef struct Valuer {
  const double *variable;
  InkPool *pool;   /* of the kept values, each in a leaf; NULL: none yet */
  InkExprMap kept; /* from nodes to those leaves */
} Valuer;

static double value(Valuer *v, const InkExpr *e);

static double value_of_operation(Valuer *v, const InkExpr *e) {
  double a = value(v, e->arg[0]);
  switch (ink_op_arguments(e->op)) {
  case 1:
    return unary(e->op, a);
  case 2:
    return binary(e, a, value(v, e->arg[1]));
  default:
    return isnan(a) ? NAN : value(v, e->arg[a != 0 ? 1 : 2]);
  }
}

static double value(Valuer *v, const InkExpr *e) {
  if (e->op == INK_OP_NUMBER) return e->value;
  if (e->op == INK_OP_VARIABLE) return v->variable ? v->variable[e->variable] : NAN;
  if (e->depth <= KEPT_DEPTH) return value_of_operation(v, e);
  const InkExpr *kept = ink_expr_map_get(&v->kept, e);
  if (kept) return kept->value;
  if (!v->pool) v->pool = ink_pool_create();
  InkExpr *leaf = ink_pool_alloc(v->pool, sizeof *leaf);
  leaf->value = value_of_operation(v, e);
  ink_expr_map_put(&v->kept, e, leaf);
  return leaf->value;
}

double ink_expr_value(const InkExpr *e, const double variable[INK_VARS]) {
  Valuer v = {.variable = variable};
  double result = value(&v, e);
  ink_expr_map_clear(&v.kept);
  ink_pool_destroy(&v.pool);
  return result;
}
