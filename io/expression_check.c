/* Checking dimensions, bottom-up.
 *
 * Numbers without units have any dimension, and so has all that is made of them: any + K = K, any * K = any.
 * A function or comparison of something of any dimension is of any dimension too, so an expression without
 * units is never complained about, and its result fits every key. */
#include "expression_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct Checker {
  char *message;
  size_t size;
} Checker;

__attribute__((format(printf, 3, 4))) static bool fail(Checker *c, const InkExpr *e, const char *format,
                                                       ...) {
  int used = snprintf(c->message, c->size, "column %d: ", e->column + 1);
  if (used < 0 || (size_t)used >= c->size) return false;
  va_list list;
  va_start(list, format);
  vsnprintf(c->message + used, c->size - (size_t)used, format, list);
  va_end(list);
  return false;
}

/* Both must agree; *result is the known one. */
static bool agree(Checker *c, const InkExpr *e, const InkDim *a, const InkDim *b, InkDim *result) {
  char ta[64], tb[64];
  *result = a->known ? *a : *b;
  if (ink_dim_equal(a, b)) return true;
  ink_dim_print(a, ta, sizeof ta);
  ink_dim_print(b, tb, sizeof tb);
  return fail(c, e, "the two sides of '%s' have different dimensions: %s and %s", ink_op_symbol(e->op), ta,
              tb);
}

static bool dimensionless(Checker *c, const InkExpr *e, const InkDim *dim, const char *what) {
  InkDim none = ink_dim_none();
  char text[64];
  if (ink_dim_equal(dim, &none)) return true;
  ink_dim_print(dim, text, sizeof text);
  return fail(c, e, "%s of '%s' must be dimensionless (1), but has dimension %s", what, ink_op_symbol(e->op),
              text);
}

static bool is_dimensionless(const InkDim *dim) {
  InkDim none = ink_dim_none();
  return dim->known && ink_dim_equal(dim, &none);
}

static bool power(Checker *c, const InkExpr *e, const InkDim arg[], InkDim *dim) {
  if (!dimensionless(c, e, &arg[1], "the exponent")) return false;
  *dim = arg[0];
  if (!arg[0].known || is_dimensionless(&arg[0])) return true;
  double exponent = ink_expr_is_constant(e->arg[1]) ? ink_expr_value(e->arg[1], NULL) : NAN;
  if (isfinite(exponent)) {
    *dim = ink_dim_product(ink_dim_none(), arg[0], exponent);
    return true;
  }
  char text[64];
  ink_dim_print(&arg[0], text, sizeof text);
  return fail(c, e, "a quantity of dimension %s can only be raised to a constant power", text);
}

/* The dimension of e from those of its arguments. */
static bool combine(Checker *c, const InkExpr *e, const InkDim arg[], InkDim *dim) {
  InkDim common;
  switch (e->op) {
  case INK_OP_NEG:
  case INK_OP_ABS:
    *dim = arg[0];
    return true;
  case INK_OP_SIGN:
    *dim = arg[0].known ? ink_dim_none() : ink_dim_any();
    return true;
  case INK_OP_ADD:
  case INK_OP_SUB:
  case INK_OP_MIN:
  case INK_OP_MAX:
  case INK_OP_MOD:
    return agree(c, e, &arg[0], &arg[1], dim);
  case INK_OP_MUL:
    *dim = ink_dim_product(arg[0], arg[1], 1);
    return true;
  case INK_OP_DIV:
    *dim = ink_dim_product(arg[0], arg[1], -1);
    return true;
  case INK_OP_POW:
    return power(c, e, arg, dim);
  case INK_OP_SQRT:
    *dim = ink_dim_product(ink_dim_none(), arg[0], 0.5);
    return true;
  case INK_OP_IF:
    return dimensionless(c, e, &arg[0], "the condition") && agree(c, e, &arg[1], &arg[2], dim);
  case INK_OP_LT:
  case INK_OP_LE:
  case INK_OP_GT:
  case INK_OP_GE:
  case INK_OP_EQ:
  case INK_OP_NE:
  case INK_OP_ATAN2:
    if (!agree(c, e, &arg[0], &arg[1], &common)) return false;
    *dim = common.known ? ink_dim_none() : ink_dim_any();
    return true;
  default:
    *dim = arg[0];
    return dimensionless(c, e, &arg[0], "the argument");
  }
}

static bool check(Checker *c, const InkExpr *e, InkDim *dim) {
  *dim = e->dim;
  if (e->op == INK_OP_NUMBER || e->op == INK_OP_VARIABLE) return true;
  InkDim arg[3];
  for (int a = 0; a < ink_op_arguments(e->op); a++)
    if (!check(c, e->arg[a], &arg[a])) return false;
  if (!combine(c, e, arg, dim)) return false;
  ((InkExpr *)e)->dim =
      *dim; /* nodes live in a pool, which is writable; dim is the one thing filled in later */
  return true;
}

bool ink_expr_check(const InkExpr *e, InkDim *dim, char *message, size_t size) {
  Checker c = {.message = message, .size = size};
  return check(&c, e, dim);
}
