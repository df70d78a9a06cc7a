/* The evaluator's parts, in the order in which an expression passes through them:
 *
 *   evaluate_graph.c    tree  -> graph of operations; equal ones are one (common subexpressions), constants
 * folded evaluate_compile.c  graph -> program: products and sums become fma, neighbours are fused, registers
 * given out evaluate_run.c      the program over many cells, block by block evaluate_kernels.c  one loop for
 * each (fused) operation, used by the program and by constant folding alike
 */
#ifndef INK_CORE_EVALUATE_IMPL_H
#define INK_CORE_EVALUATE_IMPL_H

#include <stdbool.h>
#include "evaluate.h"
#include "vector.h"

/* One operation, on up to three arguments x, y, z. Two-argument operations use x and z. */
typedef enum InkCode {
  INK_C_COPY, /* x; as an inner operation: none */
  INK_C_ADD,
  INK_C_SUB,
  INK_C_MUL, /* the first four are the inner ones of arithmetic */
  INK_C_DIV,
  INK_C_FMA,  /*  x y + z */
  INK_C_FMS,  /*  x y - z */
  INK_C_FNMA, /* -x y + z */
  INK_C_LT,
  INK_C_LE,
  INK_C_EQ,
  INK_C_NE,
  INK_C_SELECT, /* x ? y : z */
  INK_C_MIN,
  INK_C_MAX,
  INK_C_MOD,
  INK_C_POW,
  INK_C_ATAN2,
  INK_C_NEG,
  INK_C_ABS,
  INK_C_SIGN,
  INK_C_FLOOR,
  INK_C_SQRT,
  INK_C_EXP,
  INK_C_LOG,
  INK_C_SIN,
  INK_C_COS,
  INK_C_TAN,
  INK_C_ASIN,
  INK_C_ACOS,
  INK_C_ATAN,
  INK_C_SINH,
  INK_C_COSH,
  INK_C_TANH,
  INK_C_ERF,
  INK_C_ERFC,
  INK_CODES,
  INK_C_CONSTANT, /* leaves of the graph */
  INK_C_VARIABLE,
} InkCode;

/* Where operands and results lie: a place is a pointer, and how far to go for the next vector (INK_WIDTH, or
 * 0 for a value that is the same in all cells, held as one vector). */
typedef struct InkSlot {
  double *at;
  ptrdiff_t step;
} InkSlot;

/* Places of an instruction, as indices: result; x or the two arguments of its inner operation; y; z or the
 * two arguments of its inner operation. */
enum { INK_DST, INK_X, INK_X2, INK_Y, INK_Z, INK_Z2, INK_OPERANDS };

/* result = outer(inner_x(x, x2), y, inner_z(z, z2)) for n cells, n a multiple of INK_WIDTH. The result may be
 * one of the operands. */
typedef void (*InkKernel)(const InkSlot *place, const uint16_t *operand, size_t n);

/* NULL when there is no such combination. Inner COPY: none. */
InkKernel ink_kernel(InkCode outer, InkCode inner_x, InkCode inner_z);
double ink_kernel_value(InkCode code, double x, double y, double z); /* one value, through the same loop */

/* The graph. Nodes come after their arguments. */
typedef struct InkGraphNode {
  InkCode code;
  int arg[3];   /* x, y, z; -1: none */
  double value; /* of a constant */
  int variable;
  int uses;     /* by other nodes and by outputs; 0: dead */
  bool uniform; /* the same in all cells */
} InkGraphNode;

typedef struct InkGraph {
  InkGraphNode *node;
  int count, capacity;
  int *output; /* node of each output */
  int nout;
  bool too_large;
  struct InkGraphTable *table;
} InkGraph;

enum { INK_MAX_OPERATIONS = 4096 };

void ink_graph_build(InkGraph *graph, int nout, const InkExpr *const out[], uint64_t uniform);
void ink_graph_clear(InkGraph *graph);

typedef struct InkInstruction {
  InkKernel kernel;
  uint16_t operand[INK_OPERANDS];
} InkInstruction;

/* Places are numbered: constants, uniform values (first the variables, then results), registers, variables,
 * outputs. */
struct InkProgram {
  int constants, uniforms, registers, variables, outputs;
  int uniform_variables;
  int first_uniform, first_register, first_variable, first_output, places;
  double *constant; /* constants * INK_WIDTH, each repeated over a vector */
  int uniform_variable[INK_VARS], variable[INK_VARS];
  InkInstruction *prelude, *body; /* once a call on uniform values; once a block */
  int prelude_count, body_count;
  int *written;            /* of each output: the instruction of the body that writes it */
  int last_read[INK_VARS]; /* of variable[k]: the last instruction of the body that reads it */
  size_t block;            /* cells a block */
  uint64_t read;           /* variables */
  int operations;
};

#endif
