/* The deck's expressions: parse, check dimensions, differentiate, print.
 *
 * An expression is an immutable tree of InkExpr nodes held in an InkPool. The tree is for checking and
 * differentiating; evaluation over many cells is done by the program in solvers/core/evaluate.h. */
#ifndef INK_IO_EXPRESSION_H
#define INK_IO_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "units.h"

/* Memory that lives and dies together. */
typedef struct InkPool InkPool;
InkPool *ink_pool_create(void);
void ink_pool_destroy(InkPool **pool);
void *ink_pool_alloc(InkPool *pool,
                     size_t bytes); /* zeroed, aligned for any type; never NULL (aborts when out of memory) */
char *ink_pool_strdup(InkPool *pool, const char *text);

/* Variables are numbered the same everywhere: in trees, programs and the arrays handed to them. */
enum {
  INK_VAR_X = 0,
  INK_VAR_Y = 1,
  INK_VAR_Z = 2,
  INK_VAR_R = 3,
  INK_VAR_T = 4,     /* time */
  INK_VAR_FIELD = 5, /* INK_VAR_FIELD + f: field f of the solver */
  INK_MAX_FIELDS = 43,
  INK_VAR_NOISE = 48, /* INK_VAR_NOISE + k: noise(k), a standard normal deviate of the cell, stream k */
  INK_MAX_NOISE = 16,
  INK_VARS = 64,
};

typedef enum InkOp {
  INK_OP_NUMBER,   /* value, never negative: a negative number is INK_OP_NEG of one, so that print and parse
                      agree */
  INK_OP_VARIABLE, /* variable */
  INK_OP_NEG,
  INK_OP_ADD,
  INK_OP_SUB,
  INK_OP_MUL,
  INK_OP_DIV,
  INK_OP_POW,
  INK_OP_LT,
  INK_OP_LE,
  INK_OP_GT,
  INK_OP_GE,
  INK_OP_EQ,
  INK_OP_NE, /* 0 or 1 */
  INK_OP_IF,
  INK_OP_MIN,
  INK_OP_MAX,
  INK_OP_ABS,
  INK_OP_SIGN,
  INK_OP_FLOOR,
  INK_OP_MOD,
  INK_OP_SQRT,
  INK_OP_EXP,
  INK_OP_LOG,
  INK_OP_SIN,
  INK_OP_COS,
  INK_OP_TAN,
  INK_OP_ASIN,
  INK_OP_ACOS,
  INK_OP_ATAN,
  INK_OP_ATAN2,
  INK_OP_SINH,
  INK_OP_COSH,
  INK_OP_TANH,
  INK_OP_ERF,
  INK_OP_ERFC,
  INK_OPS
} InkOp;

typedef struct InkExpr InkExpr;
struct InkExpr {
  InkOp op;
  int variable; /* INK_OP_VARIABLE */
  double value; /* INK_OP_NUMBER, in SI */
  InkDim dim;   /* of a literal or variable as given; of inner nodes after ink_expr_check */
  const InkExpr *arg[3];
  int column; /* 0-based byte offset in the source text of the operator or name */
  /* Filled in by the parser and the builders; nodes are made nowhere else. */
  int depth;          /* 1 for a leaf */
  bool branches;      /* see ink_expr_has_branches */
  uint64_t variables; /* see ink_expr_variables */
};

/* What names mean while parsing. */
typedef struct InkScope {
  struct InkSymbol {
    const char *name;
    int variable; /* >= 0: an INK_VAR_*;  -1: a constant with `value` (a parameter, pi) */
    double value;
    InkDim dim;
    const char *
        refusal; /* not NULL: the name is known but not allowed here; this says why ("may not depend on T") */
  } * symbol;
  int count;
  bool noise; /* noise(k) allowed */
} InkScope;

/* Parses `text`. On failure returns NULL and writes one line for the user (with column and, for an unknown
 * name, a suggestion) to message[size]. The tree is constant-folded nowhere: what was written is what is
 * checked. Length (64 KiB), nesting (200) and depth of the tree (1000) are bounded, so no input overflows the
 * stack. A minus sign just before a number in an offset unit belongs to the number: -25[degC] is 248.15 K.
 * Needs udunits for unit literals `25[degC]`. */
const InkExpr *ink_expr_parse(InkPool *pool, const char *text, const InkScope *scope, char *message,
                              size_t size);

/* Checks dimensions bottom-up and gives the result's dimension (known false: any). False: message names both
 * dimensions and the column of the operator. */
bool ink_expr_check(const InkExpr *e, InkDim *dim, char *message, size_t size);

/* The meaning of the operations where C leaves room, here and in solvers/core/evaluate.h alike:
 *   a/0, mod(a,0), 0^negative, log(a <= 0), sqrt(a < 0), negative^fraction   NaN
 *   a^n, n a constant integer, |n| <= 64     by repeated squaring, lowest bit first; a^-n = 1/a^n; a^0 = 1
 *   a^0.5 = sqrt(a)
 *   mod(a,b) = a - b floor(a/b)              in [0, b) for b > 0, in (b, 0] for b < 0
 *   min, max                                 NaN when an argument is
 *   sign(0) = 0, sign(NaN) = NaN
 *   comparisons                              IEEE: with a NaN 0, but != gives 1
 *   if(c,a,b)                                a when c is not 0, b when it is, NaN when c is NaN; a NaN in the
 *                                            branch not taken is not seen
 * Value with variables given (variable[] may be NULL when ink_expr_is_constant). Plain libm; for set-up, not
 * for cells. Shared parts are computed once. */
double ink_expr_value(const InkExpr *e, const double variable[INK_VARS]);
bool ink_expr_is_constant(const InkExpr *e);
/* Is there an expression, and is it one number? Then *value is that. */
bool ink_expr_is_number(const InkExpr *e, double *value);
uint64_t ink_expr_variables(const InkExpr *e); /* bit v set: depends on variable v */

/* Is e a constant integer with |n| <= 64, so that a^e is done by multiplication? */
bool ink_expr_small_integer(const InkExpr *e, int *n);
int ink_op_arguments(InkOp op); /* 0 for a number or variable, else 1, 2 or 3 */

/* d e / d variable, simplified (0 and 1 folded). The derivative of abs, min, max, if is the taken branch's;
 * of floor, sign and comparisons 0. */
const InkExpr *ink_expr_derivative(InkPool *pool, const InkExpr *e, int variable);

/* Builders, simplifying 0 and 1: for manufactured sources and the like. */
const InkExpr *ink_expr_number(InkPool *pool, double value);
const InkExpr *ink_expr_variable(InkPool *pool, int variable);
const InkExpr *ink_expr_binary(InkPool *pool, InkOp op, const InkExpr *a, const InkExpr *b);
const InkExpr *ink_expr_unary(InkPool *pool, InkOp op, const InkExpr *a);
/* if(condition, a, b), in the sense above; a branch alone where the condition is constant or both branches
 * are the same (then a NaN of the condition is not seen). */
const InkExpr *ink_expr_if(InkPool *pool, const InkExpr *condition, const InkExpr *a, const InkExpr *b);
const InkExpr *ink_expr_substitute(InkPool *pool, const InkExpr *e, int variable, const InkExpr *by);
const InkExpr *ink_expr_copy(InkPool *pool, const InkExpr *e); /* deep copy into another pool */

/* Prints the tree so that parsing it again gives the same tree (numbers with 17 digits, SI, no unit
 * literals). Text longer than 1 MiB, which only derivatives with shared parts reach, is cut and ends in
 * " ...". names[v] is the name of variable v. The text lives in the pool. */
const char *ink_expr_print(InkPool *pool, const InkExpr *e, const char *const names[INK_VARS]);

/* True when one of abs, min, max, if, sign, floor, mod or a comparison occurs (not allowed in manufactured
 * solutions). */
bool ink_expr_has_branches(const InkExpr *e);

#endif
