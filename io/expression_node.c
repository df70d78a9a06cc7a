/* Making nodes: the builders, which simplify 0 and 1, and copies of whole trees.
 *
 * Simplified are 0 + a, a - 0, 0 a, 1 a, a / 1, 0 / a, a^0, a^1, -(-a), if() with a constant condition or
 * equal branches, and sums, products and quotients of two numbers (one IEEE operation each, so the same bits
 * as at run time). */
#include "expression_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const InkFunction ink_functions[] = {
    {"if", INK_OP_IF, 3},       {"min", INK_OP_MIN, 2},   {"max", INK_OP_MAX, 2},
    {"abs", INK_OP_ABS, 1},     {"sign", INK_OP_SIGN, 1}, {"sqrt", INK_OP_SQRT, 1},
    {"exp", INK_OP_EXP, 1},     {"log", INK_OP_LOG, 1},   {"pow", INK_OP_POW, 2},
    {"sin", INK_OP_SIN, 1},     {"cos", INK_OP_COS, 1},   {"tan", INK_OP_TAN, 1},
    {"asin", INK_OP_ASIN, 1},   {"acos", INK_OP_ACOS, 1}, {"atan", INK_OP_ATAN, 1},
    {"atan2", INK_OP_ATAN2, 2}, {"sinh", INK_OP_SINH, 1}, {"cosh", INK_OP_COSH, 1},
    {"tanh", INK_OP_TANH, 1},   {"erf", INK_OP_ERF, 1},   {"erfc", INK_OP_ERFC, 1},
    {"floor", INK_OP_FLOOR, 1}, {"mod", INK_OP_MOD, 2},   {NULL, INK_OPS, 0},
};

const char *ink_function_name(InkOp op) {
  for (const InkFunction *f = ink_functions; f->name; f++)
    if (f->op == op) return f->name;
  return NULL;
}

int ink_op_arguments(InkOp op) {
  switch (op) {
  case INK_OP_NUMBER:
  case INK_OP_VARIABLE:
    return 0;
  case INK_OP_NEG:
    return 1;
  case INK_OP_ADD:
  case INK_OP_SUB:
  case INK_OP_MUL:
  case INK_OP_DIV:
  case INK_OP_POW:
  case INK_OP_LT:
  case INK_OP_LE:
  case INK_OP_GT:
  case INK_OP_GE:
  case INK_OP_EQ:
  case INK_OP_NE:
    return 2;
  default:
    break;
  }
  for (const InkFunction *f = ink_functions; f->name; f++)
    if (f->op == op) return f->arguments;
  return 0;
}

static bool is_branch(InkOp op) { return op >= INK_OP_LT && op <= INK_OP_MOD; }

const char *ink_op_symbol(InkOp op) {
  static const char *const symbols[INK_OPS] = {
      [INK_OP_NEG] = "-", [INK_OP_ADD] = "+", [INK_OP_SUB] = "-", [INK_OP_MUL] = "*",
      [INK_OP_DIV] = "/", [INK_OP_POW] = "^", [INK_OP_LT] = "<",  [INK_OP_LE] = "<=",
      [INK_OP_GT] = ">",  [INK_OP_GE] = ">=", [INK_OP_EQ] = "==", [INK_OP_NE] = "!=",
  };
  return symbols[op] ? symbols[op] : ink_function_name(op);
}

InkExpr *ink_expr_node(InkPool *pool, InkOp op, const InkExpr *const arg[]) {
  InkExpr *e = ink_pool_alloc(pool, sizeof *e);
  e->op = op;
  e->variable = -1;
  e->dim = ink_dim_any();
  e->depth = 1;
  e->branches = is_branch(op);
  for (int a = 0; a < ink_op_arguments(op); a++) {
    e->arg[a] = arg[a];
    e->variables |= arg[a]->variables;
    e->branches |= arg[a]->branches;
    if (arg[a]->depth >= e->depth) e->depth = arg[a]->depth + 1;
  }
  return e;
}

InkExpr *ink_expr_leaf(InkPool *pool, double value) {
  InkExpr *e = ink_expr_node(pool, INK_OP_NUMBER, NULL);
  e->value = value;
  return e;
}

const InkExpr *ink_expr_number(InkPool *pool, double value) {
  const InkExpr *e = ink_expr_leaf(pool, fabs(value));
  return signbit(value) && !isnan(value) ? ink_expr_node(pool, INK_OP_NEG, &e) : e;
}

const InkExpr *ink_expr_variable(InkPool *pool, int variable) {
  InkExpr *e = ink_expr_node(pool, INK_OP_VARIABLE, NULL);
  e->variable = variable;
  e->variables = 1ull << variable;
  return e;
}

bool ink_expr_literal(const InkExpr *e, double *value) {
  bool negative = e->op == INK_OP_NEG;
  if (negative) e = e->arg[0];
  if (e->op != INK_OP_NUMBER) return false;
  *value = negative ? -e->value : e->value;
  return true;
}

bool ink_expr_small_integer(const InkExpr *e, int *n) {
  double value;
  if (!ink_expr_literal(e, &value)) {
    if (!ink_expr_is_constant(e)) return false;
    value = ink_expr_value(e, NULL);
  }
  if (!(fabs(value) <= 64) || floor(value) != value) return false;
  *n = (int)value;
  return true;
}

/* a op b of two numbers, where that is one IEEE operation with a finite result. */
static bool fold(InkOp op, double a, double b, double *value) {
  switch (op) {
  case INK_OP_ADD:
    *value = a + b;
    break;
  case INK_OP_SUB:
    *value = a - b;
    break;
  case INK_OP_MUL:
    *value = a * b;
    break;
  case INK_OP_DIV:
    if (b == 0) return false;
    *value = a / b;
    break;
  default:
    return false;
  }
  return isfinite(*value);
}

const InkExpr *ink_expr_unary(InkPool *pool, InkOp op, const InkExpr *a) {
  if (op == INK_OP_NEG && a->op == INK_OP_NEG) return a->arg[0];
  if (op == INK_OP_NEG && a->op == INK_OP_NUMBER && a->value == 0) return a;
  return ink_expr_node(pool, op, &a);
}

/* The simplifications of a op b where one side is the number 0 or 1; NULL: none. */
static const InkExpr *simplified(InkPool *pool, InkOp op, const InkExpr *a, const InkExpr *b) {
  double va = NAN, vb = NAN, folded;
  bool la = ink_expr_literal(a, &va), lb = ink_expr_literal(b, &vb);
  if (la && lb && fold(op, va, vb, &folded)) return ink_expr_number(pool, folded);
  switch (op) {
  case INK_OP_ADD:
    if (va == 0) return b;
    if (vb == 0) return a;
    if (b->op == INK_OP_NEG) return ink_expr_binary(pool, INK_OP_SUB, a, b->arg[0]);
    return NULL;
  case INK_OP_SUB:
    if (vb == 0) return a;
    if (va == 0) return ink_expr_unary(pool, INK_OP_NEG, b);
    if (b->op == INK_OP_NEG) return ink_expr_binary(pool, INK_OP_ADD, a, b->arg[0]);
    return NULL;
  case INK_OP_MUL:
    if (va == 0 || vb == 0) return ink_expr_number(pool, 0);
    if (va == 1) return b;
    if (vb == 1) return a;
    if (va == -1) return ink_expr_unary(pool, INK_OP_NEG, b);
    if (vb == -1) return ink_expr_unary(pool, INK_OP_NEG, a);
    return NULL;
  case INK_OP_DIV:
    if (va == 0 && !(vb == 0)) return ink_expr_number(pool, 0);
    if (vb == 1) return a;
    return NULL;
  case INK_OP_POW:
    if (vb == 0) return ink_expr_number(pool, 1);
    if (vb == 1) return a;
    return NULL;
  default:
    return NULL;
  }
}

const InkExpr *ink_expr_binary(InkPool *pool, InkOp op, const InkExpr *a, const InkExpr *b) {
  const InkExpr *simple = simplified(pool, op, a, b);
  return simple ? simple : ink_expr_node(pool, op, (const InkExpr *[]){a, b});
}

const InkExpr *ink_expr_if(InkPool *pool, const InkExpr *condition, const InkExpr *a, const InkExpr *b) {
  double va, vb;
  if (a == b || (ink_expr_literal(a, &va) && ink_expr_literal(b, &vb) && va == vb)) return a;
  if (!ink_expr_is_constant(condition))
    return ink_expr_node(pool, INK_OP_IF, (const InkExpr *[]){condition, a, b});
  const double value = ink_expr_value(condition, NULL);
  if (isnan(value)) return ink_expr_number(pool, NAN);
  return value != 0.0 ? a : b;
}

bool ink_expr_is_constant(const InkExpr *e) { return e->variables == 0; }

bool ink_expr_is_number(const InkExpr *e, double *value) {
  if (!e || !ink_expr_is_constant(e)) return false;
  *value = ink_expr_value(e, NULL);
  return true;
}

uint64_t ink_expr_variables(const InkExpr *e) { return e->variables; }
bool ink_expr_has_branches(const InkExpr *e) { return e->branches; }

/* The map. */

static size_t slot(const InkExprMap *map, const InkExpr *key) {
  size_t i = (size_t)(((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15ull >> 20) & (map->size - 1);
  while (map->key[i] && map->key[i] != key) i = (i + 1) & (map->size - 1);
  return i;
}

const InkExpr *ink_expr_map_get(const InkExprMap *map, const InkExpr *key) {
  return map->size ? map->value[slot(map, key)] : NULL;
}

static const InkExpr **table(size_t size) {
  const InkExpr **memory = calloc(size, sizeof *memory);
  if (memory) return memory;
  fputs("inkdrop: out of memory\n", stderr);
  abort();
}

void ink_expr_map_put(InkExprMap *map, const InkExpr *key, const InkExpr *value) {
  if (2 * (map->count + 1) > map->size) {
    InkExprMap old = *map;
    map->size = old.size ? 2 * old.size : 64;
    map->key = table(map->size);
    map->value = table(map->size);
    for (size_t i = 0; i < old.size; i++)
      if (old.key[i]) {
        size_t to = slot(map, old.key[i]);
        map->key[to] = old.key[i];
        map->value[to] = old.value[i];
      }
    free(old.key);
    free(old.value);
  }
  size_t i = slot(map, key);
  if (!map->key[i]) map->count++;
  map->key[i] = key;
  map->value[i] = value;
}

void ink_expr_map_clear(InkExprMap *map) {
  free(map->key);
  free(map->value);
  *map = (InkExprMap){0};
}

/* Copies of whole trees. */

typedef struct Copier {
  InkPool *pool;
  int variable;
  const InkExpr *by; /* replaces the variable; NULL: nothing does */
  InkExprMap done;
} Copier;

static const InkExpr *copy(Copier *c, const InkExpr *e) {
  if (c->by && !(e->variables >> c->variable & 1)) return e;
  if (c->by && e->op == INK_OP_VARIABLE) return c->by;
  const InkExpr *made = ink_expr_map_get(&c->done, e);
  if (made) return made;
  const InkExpr *arg[3] = {NULL, NULL, NULL};
  for (int a = 0; a < ink_op_arguments(e->op); a++) arg[a] = copy(c, e->arg[a]);
  InkExpr *fresh = ink_expr_node(c->pool, e->op, arg);
  fresh->variable = e->variable;
  fresh->value = e->value;
  fresh->dim = e->dim;
  fresh->column = e->column;
  if (e->op == INK_OP_VARIABLE) fresh->variables = e->variables;
  ink_expr_map_put(&c->done, e, fresh);
  return fresh;
}

const InkExpr *ink_expr_substitute(InkPool *pool, const InkExpr *e, int variable, const InkExpr *by) {
  Copier c = {.pool = pool, .variable = variable, .by = by};
  const InkExpr *result = copy(&c, e);
  ink_expr_map_clear(&c.done);
  return result;
}

const InkExpr *ink_expr_copy(InkPool *pool, const InkExpr *e) {
  Copier c = {.pool = pool};
  const InkExpr *result = copy(&c, e);
  ink_expr_map_clear(&c.done);
  return result;
}
