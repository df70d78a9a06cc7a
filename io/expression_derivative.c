/* Symbolic derivatives.
 *
 *     (f + g)' = f' + g'      (f g)' = f' g + f g'      (f/g)' = (f' g - f g') / g^2      (h(f))' = h'(f) f'
 *     (f^g)' = f^g (g' log f + g f' / f),  and g f^(g-1) f' where g does not depend on the variable
 *
 * Nodes are shared between an expression and its derivative, and every node is differentiated once, so the
 * derivative is a graph whose size grows in proportion to the expression's. */
#include "expression_impl.h"

#include <math.h>

typedef struct Rules {
  InkPool *pool;
  int variable;
  InkExprMap done;
} Rules;

typedef const InkExpr *E;

static E number(Rules *r, double v) { return ink_expr_number(r->pool, v); }
static E add(Rules *r, E a, E b) { return ink_expr_binary(r->pool, INK_OP_ADD, a, b); }
static E sub(Rules *r, E a, E b) { return ink_expr_binary(r->pool, INK_OP_SUB, a, b); }
static E mul(Rules *r, E a, E b) { return ink_expr_binary(r->pool, INK_OP_MUL, a, b); }
static E quotient(Rules *r, E a, E b) { return ink_expr_binary(r->pool, INK_OP_DIV, a, b); }
static E square(Rules *r, E a) { return ink_expr_binary(r->pool, INK_OP_POW, a, number(r, 2)); }
static E function(Rules *r, InkOp op, E a) { return ink_expr_unary(r->pool, op, a); }
static E negative(Rules *r, E a) { return ink_expr_unary(r->pool, INK_OP_NEG, a); }

static bool is_zero(E e) { return e->op == INK_OP_NUMBER && e->value == 0; }
static bool depends(const Rules *r, E e) { return e->variables >> r->variable & 1; }

static E choose(Rules *r, E condition, E a, E b) { return ink_expr_if(r->pool, condition, a, b); }

static E derivative(Rules *r, E e);

static E of_power(Rules *r, E e) {
  E a = e->arg[0], b = e->arg[1];
  if (!depends(r, b)) {
    E less = sub(r, b, number(r, 1));
    return mul(r, mul(r, b, ink_expr_binary(r->pool, INK_OP_POW, a, less)), derivative(r, a));
  }
  E growth = mul(r, derivative(r, b), function(r, INK_OP_LOG, a));
  if (depends(r, a)) growth = add(r, growth, quotient(r, mul(r, b, derivative(r, a)), a));
  return mul(r, e, growth);
}

static E of_quotient(Rules *r, E e) {
  E a = e->arg[0], b = e->arg[1];
  if (!depends(r, b)) return quotient(r, derivative(r, a), b);
  /* a'/b - (a/b) b'/b: the quotient itself is shared. */
  return quotient(r, sub(r, derivative(r, a), mul(r, e, derivative(r, b))), b);
}

static E of_atan2(Rules *r, E e) {
  E y = e->arg[0], x = e->arg[1];
  E top = sub(r, mul(r, derivative(r, y), x), mul(r, derivative(r, x), y));
  return is_zero(top) ? top : quotient(r, top, add(r, square(r, x), square(r, y)));
}

static E of_binary(Rules *r, E e) {
  E a = e->arg[0], b = e->arg[1];
  switch (e->op) {
  case INK_OP_ADD:
    return add(r, derivative(r, a), derivative(r, b));
  case INK_OP_SUB:
    return sub(r, derivative(r, a), derivative(r, b));
  case INK_OP_MUL:
    return add(r, mul(r, derivative(r, a), b), mul(r, a, derivative(r, b)));
  case INK_OP_DIV:
    return of_quotient(r, e);
  case INK_OP_POW:
    return of_power(r, e);
  case INK_OP_ATAN2:
    return of_atan2(r, e);
  case INK_OP_MIN:
  case INK_OP_MAX: {
    E taken = ink_expr_binary(r->pool, e->op == INK_OP_MIN ? INK_OP_LE : INK_OP_GE, a, b);
    return choose(r, taken, derivative(r, a), derivative(r, b));
  }
  case INK_OP_MOD: /* a - b floor(a/b) with the floor held */
    return sub(r, derivative(r, a), mul(r, derivative(r, b), function(r, INK_OP_FLOOR, quotient(r, a, b))));
  default:
    return number(r, 0); /* comparisons */
  }
}

/* h'(a), where e = h(a). */
static E outer(Rules *r, E e) {
  E a = e->arg[0], one = number(r, 1);
  switch (e->op) {
  case INK_OP_ABS:
    return function(r, INK_OP_SIGN, a);
  case INK_OP_EXP:
    return e;
  case INK_OP_SIN:
    return function(r, INK_OP_COS, a);
  case INK_OP_COS:
    return negative(r, function(r, INK_OP_SIN, a));
  case INK_OP_TAN:
    return add(r, one, square(r, e));
  case INK_OP_SINH:
    return function(r, INK_OP_COSH, a);
  case INK_OP_COSH:
    return function(r, INK_OP_SINH, a);
  case INK_OP_TANH:
    return sub(r, one, square(r, e));
  case INK_OP_ERF:
  case INK_OP_ERFC: {
    double slope = (e->op == INK_OP_ERF ? 1 : -1) * M_2_SQRTPI;
    return mul(r, number(r, slope), function(r, INK_OP_EXP, negative(r, square(r, a))));
  }
  default:
    return number(r, 0); /* sign, floor */
  }
}

static E of_unary(Rules *r, E e) {
  E a = e->arg[0], one = number(r, 1), inner = derivative(r, a);
  switch (e->op) {
  case INK_OP_NEG:
    return negative(r, inner);
  case INK_OP_SQRT:
    return quotient(r, inner, mul(r, number(r, 2), e));
  case INK_OP_LOG:
    return quotient(r, inner, a);
  case INK_OP_ASIN:
    return quotient(r, inner, function(r, INK_OP_SQRT, sub(r, one, square(r, a))));
  case INK_OP_ACOS:
    return negative(r, quotient(r, inner, function(r, INK_OP_SQRT, sub(r, one, square(r, a)))));
  case INK_OP_ATAN:
    return quotient(r, inner, add(r, one, square(r, a)));
  default:
    return mul(r, outer(r, e), inner);
  }
}

static E derivative(Rules *r, E e) {
  if (!depends(r, e)) return number(r, 0);
  if (e->op == INK_OP_VARIABLE) return number(r, 1);
  E made = ink_expr_map_get(&r->done, e);
  if (made) return made;
  switch (ink_op_arguments(e->op)) {
  case 1:
    made = of_unary(r, e);
    break;
  case 2:
    made = of_binary(r, e);
    break;
  default:
    made = choose(r, e->arg[0], derivative(r, e->arg[1]), derivative(r, e->arg[2]));
  }
  ink_expr_map_put(&r->done, e, made);
  return made;
}

const InkExpr *ink_expr_derivative(InkPool *pool, const InkExpr *e, int variable) {
  Rules r = {.pool = pool, .variable = variable};
  E result = derivative(&r, e);
  ink_expr_map_clear(&r.done);
  return result;
}
