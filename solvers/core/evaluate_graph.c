/* From trees to a graph of operations: equal operations are one node, and operations on constants are done
 * here, through the loops of the program itself, so that folding changes no bits.
 *
 * Exact rewrites only: a > b is b < a; a + (-b) is a - b; (-a)(-b) is a b; (-a) b is -(a b), so that a
 * reaction that takes from one species what it gives to another is computed once; a^n is repeated squaring,
 * lowest bit first (a^5 = a (a^2)^2), a^-n is 1/a^n, a^0.5 is sqrt(a). Factors and summands of one operation
 * are put in a fixed order. */
#include "evaluate_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things are found again: node numbers by expression and by content. Open addressing; sizes are powers
 * of two. */
typedef struct InkGraphTable {
  const InkExpr **expression;
  int *of_expression;
  size_t expressions, expression_size;
  int *of_node; /* node number + 1; 0: free */
  size_t node_size;
} InkGraphTable;

enum { MAX_NODES = 4 * INK_MAX_OPERATIONS };

static void *checked(void *memory) {
  if (memory) return memory;
  fputs("inkdrop: out of memory\n", stderr);
  abort();
}

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15ull;
  return h ^ h >> 29;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Expressions already lowered. */

static size_t expression_slot(const InkGraphTable *t, const InkExpr *e) {
  size_t i = (size_t)mix(0, (uint64_t)(uintptr_t)e) & (t->expression_size - 1);
  while (t->expression[i] && t->expression[i] != e) i = (i + 1) & (t->expression_size - 1);
  return i;
}

static void remember(InkGraphTable *t, const InkExpr *e, int id) {
  if (2 * (t->expressions + 1) > t->expression_size) {
    InkGraphTable old = *t;
    t->expression_size = old.expression_size ? 2 * old.expression_size : 256;
    t->expression = checked(calloc(t->expression_size, sizeof *t->expression));
    t->of_expression = checked(calloc(t->expression_size, sizeof *t->of_expression));
    for (size_t i = 0; i < old.expression_size; i++)
      if (old.expression[i]) {
        size_t to = expression_slot(t, old.expression[i]);
        t->expression[to] = old.expression[i];
        t->of_expression[to] = old.of_expression[i];
      }
    free(old.expression);
    free(old.of_expression);
  }
  size_t i = expression_slot(t, e);
  if (!t->expression[i]) t->expressions++;
  t->expression[i] = e;
  t->of_expression[i] = id;
}

static int recall(const InkGraphTable *t, const InkExpr *e) {
  if (!t->expression_size) return -1;
  size_t i = expression_slot(t, e);
  return t->expression[i] ? t->of_expression[i] : -1;
}

/* Nodes. */

static bool same(const InkGraphNode *a, const InkGraphNode *b) {
  return a->code == b->code && memcmp(a->arg, b->arg, sizeof a->arg) == 0 &&
         bits_of(a->value) == bits_of(b->value) && a->variable == b->variable;
}

/* The number of this node, made if there is none like it. */
static int intern(InkGraph *g, InkGraphNode node) {
  InkGraphTable *t = g->table;
  uint64_t h =
      mix(mix(mix((uint64_t)node.code, bits_of(node.value)), (uint64_t)node.variable), (uint64_t)node.arg[0]);
  h = mix(mix(h, (uint64_t)node.arg[1]), (uint64_t)node.arg[2]);
  size_t i = (size_t)h & (t->node_size - 1);
  for (; t->of_node[i]; i = (i + 1) & (t->node_size - 1))
    if (same(&g->node[t->of_node[i] - 1], &node)) return t->of_node[i] - 1;
  if (g->count == MAX_NODES) {
    g->too_large = true;
    return 0;
  }
  if (g->count == g->capacity) {
    g->capacity = g->capacity ? 2 * g->capacity : 64;
    g->node = checked(realloc(g->node, (size_t)g->capacity * sizeof *g->node));
  }
  t->of_node[i] = g->count + 1;
  g->node[g->count] = node;
  return g->count++;
}

static int constant(InkGraph *g, double value) {
  return intern(g,
                (InkGraphNode){.code = INK_C_CONSTANT, .arg = {-1, -1, -1}, .value = value, .uniform = true});
}

static bool is_constant(const InkGraph *g, int id) { return id < 0 || g->node[id].code == INK_C_CONSTANT; }

/* code(x, y, z), or what it is equal to bit for bit. Unused arguments are -1. */
static int operation(InkGraph *g, InkCode code, int x, int y, int z) {
  if (g->too_large) return 0;
  if (is_constant(g, x) && is_constant(g, y) && is_constant(g, z)) {
    double v[3] = {0, 0, 0};
    const int arg[3] = {x, y, z};
    for (int a = 0; a < 3; a++)
      if (arg[a] >= 0) v[a] = g->node[arg[a]].value;
    return constant(g, ink_kernel_value(code, v[0], v[1], v[2]));
  }
  const InkGraphNode *nx = &g->node[x], *nz = z >= 0 ? &g->node[z] : NULL;
  if (code == INK_C_NEG && nx->code == INK_C_NEG) return nx->arg[0];
  if (code == INK_C_ADD && nz->code == INK_C_NEG) return operation(g, INK_C_SUB, x, -1, nz->arg[0]);
  if (code == INK_C_ADD && nx->code == INK_C_NEG) return operation(g, INK_C_SUB, z, -1, nx->arg[0]);
  if (code == INK_C_SUB && nz->code == INK_C_NEG) return operation(g, INK_C_ADD, x, -1, nz->arg[0]);
  if (code == INK_C_MUL && nx->code == INK_C_NEG && nz->code == INK_C_NEG)
    return operation(g, INK_C_MUL, nx->arg[0], -1, nz->arg[0]);
  if (code == INK_C_MUL && nx->code == INK_C_NEG && !is_constant(g, z))
    return operation(g, INK_C_NEG, operation(g, INK_C_MUL, nx->arg[0], -1, z), -1, -1);
  if (code == INK_C_MUL && nz->code == INK_C_NEG && !is_constant(g, x))
    return operation(g, INK_C_NEG, operation(g, INK_C_MUL, x, -1, nz->arg[0]), -1, -1);
  bool commutes = code == INK_C_ADD || code == INK_C_MUL || code == INK_C_EQ || code == INK_C_NE;
  if (commutes && x > z) {
    int swap = x;
    x = z;
    z = swap;
  }
  InkGraphNode node = {.code = code, .arg = {x, y, z}, .uniform = true};
  for (int a = 0; a < 3; a++)
    if (node.arg[a] >= 0 && !g->node[node.arg[a]].uniform) node.uniform = false;
  return intern(g, node);
}

static int integer_power(InkGraph *g, int x, int n) {
  int result = -1;
  for (int m = n < 0 ? -n : n; m; m >>= 1) {
    if (m & 1) result = result < 0 ? x : operation(g, INK_C_MUL, result, -1, x);
    if (m > 1) x = operation(g, INK_C_MUL, x, -1, x);
  }
  if (result < 0) return constant(g, 1);
  return n > 0 ? result : operation(g, INK_C_DIV, constant(g, 1), -1, result);
}

static int power(InkGraph *g, int base, const InkExpr *exponent, int lowered) {
  int n;
  if (ink_expr_small_integer(exponent, &n)) return integer_power(g, base, n);
  if (is_constant(g, lowered) && g->node[lowered].value == 0.5) return operation(g, INK_C_SQRT, base, -1, -1);
  return operation(g, INK_C_POW, base, -1, lowered);
}

static const InkCode code_of[INK_OPS] = {
    [INK_OP_NEG] = INK_C_NEG,     [INK_OP_ADD] = INK_C_ADD,   [INK_OP_SUB] = INK_C_SUB,
    [INK_OP_MUL] = INK_C_MUL,     [INK_OP_DIV] = INK_C_DIV,   [INK_OP_LT] = INK_C_LT,
    [INK_OP_LE] = INK_C_LE,       [INK_OP_GT] = INK_C_LT,     [INK_OP_GE] = INK_C_LE,
    [INK_OP_EQ] = INK_C_EQ,       [INK_OP_NE] = INK_C_NE,     [INK_OP_MIN] = INK_C_MIN,
    [INK_OP_MAX] = INK_C_MAX,     [INK_OP_ABS] = INK_C_ABS,   [INK_OP_SIGN] = INK_C_SIGN,
    [INK_OP_FLOOR] = INK_C_FLOOR, [INK_OP_MOD] = INK_C_MOD,   [INK_OP_SQRT] = INK_C_SQRT,
    [INK_OP_EXP] = INK_C_EXP,     [INK_OP_LOG] = INK_C_LOG,   [INK_OP_SIN] = INK_C_SIN,
    [INK_OP_COS] = INK_C_COS,     [INK_OP_TAN] = INK_C_TAN,   [INK_OP_ASIN] = INK_C_ASIN,
    [INK_OP_ACOS] = INK_C_ACOS,   [INK_OP_ATAN] = INK_C_ATAN, [INK_OP_SINH] = INK_C_SINH,
    [INK_OP_COSH] = INK_C_COSH,   [INK_OP_TANH] = INK_C_TANH, [INK_OP_ERF] = INK_C_ERF,
    [INK_OP_ERFC] = INK_C_ERFC,   [INK_OP_IF] = INK_C_SELECT, [INK_OP_ATAN2] = INK_C_ATAN2,
};

static int lower(InkGraph *g, const InkExpr *e, uint64_t uniform);

static int lower_operation(InkGraph *g, const InkExpr *e, uint64_t uniform) {
  int arg[3] = {-1, -1, -1};
  for (int a = 0; a < ink_op_arguments(e->op); a++) arg[a] = lower(g, e->arg[a], uniform);
  if (g->too_large) return 0;
  switch (e->op) {
  case INK_OP_POW:
    return power(g, arg[0], e->arg[1], arg[1]);
  case INK_OP_IF:
    if (arg[1] == arg[2] && is_constant(g, arg[0]) && g->node[arg[0]].value == g->node[arg[0]].value)
      return arg[1];
    return operation(g, INK_C_SELECT, arg[0], arg[1], arg[2]);
  case INK_OP_GT:
  case INK_OP_GE:
    return operation(g, code_of[e->op], arg[1], -1, arg[0]);
  default:
    return operation(g, code_of[e->op], arg[0], -1, arg[1]);
  }
}

static int lower(InkGraph *g, const InkExpr *e, uint64_t uniform) {
  if (g->too_large) return 0;
  int id = recall(g->table, e);
  if (id >= 0) return id;
  if (e->op == INK_OP_NUMBER)
    id = constant(g, e->value);
  else if (e->op == INK_OP_VARIABLE)
    id = intern(g, (InkGraphNode){.code = INK_C_VARIABLE,
                                  .arg = {-1, -1, -1},
                                  .variable = e->variable,
                                  .uniform = uniform >> e->variable & 1});
  else
    id = lower_operation(g, e, uniform);
  remember(g->table, e, id);
  return id;
}

void ink_graph_build(InkGraph *graph, int nout, const InkExpr *const out[], uint64_t uniform) {
  InkGraphTable table = {.node_size = 4 * MAX_NODES};
  table.of_node = checked(calloc(table.node_size, sizeof *table.of_node));
  *graph = (InkGraph){.nout = nout, .table = &table};
  graph->output = checked(calloc((size_t)nout + 1, sizeof *graph->output));
  for (int o = 0; o < nout; o++) graph->output[o] = lower(graph, out[o], uniform);
  free(table.expression);
  free(table.of_expression);
  free(table.of_node);
  graph->table = NULL;
}

void ink_graph_clear(InkGraph *graph) {
  free(graph->node);
  free(graph->output);
  *graph = (InkGraph){0};
}
