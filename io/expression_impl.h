/* What the files of the expression module share: the table of functions, and making nodes. */
#ifndef INK_IO_EXPRESSION_IMPL_H
#define INK_IO_EXPRESSION_IMPL_H

#include "expression.h"

typedef struct InkFunction {
  const char *name;
  InkOp op;
  int arguments;
} InkFunction;

extern const InkFunction ink_functions[]; /* ends with name NULL */
const char *ink_function_name(InkOp op);  /* NULL: not a function */
const char *ink_op_symbol(InkOp op);      /* as it is written: "+", "<=", "sin" */

/* A node as it is, with nothing simplified. arg: ink_op_arguments(op) of them. */
InkExpr *ink_expr_node(InkPool *pool, InkOp op, const InkExpr *const arg[]);
InkExpr *ink_expr_leaf(InkPool *pool, double value); /* value >= 0 or NaN */

/* value of a NUMBER or of NEG of a NUMBER */
bool ink_expr_literal(const InkExpr *e, double *value);

/* A map from nodes to what was made of them, so that a shared node is done once. */
typedef struct InkExprMap {
  const InkExpr **key, **value;
  size_t size, count; /* size: a power of two */
} InkExprMap;
const InkExpr *ink_expr_map_get(const InkExprMap *map, const InkExpr *key); /* NULL: not there */
void ink_expr_map_put(InkExprMap *map, const InkExpr *key, const InkExpr *value);
void ink_expr_map_clear(InkExprMap *map);

#endif
