/* Printing a tree as text that parses to the same tree.
 *
 * Each node has a level, as in the grammar of expression_parse.c; a node whose level is below what its place
 * asks for is put in parentheses. A shared node is printed wherever it stands, so a derivative's text can be
 * exponentially longer than its graph; past MOST characters the text ends in "...". */
#include "expression_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 }; /* many times what the longest text that the parser takes can print to */

enum { COMPARISON = 1, SUM, TERM, UNARY, POWER, PRIMARY };

typedef struct Printer {
  char *text;
  size_t length, size;
  const char *const *names;
} Printer;

static void put(Printer *p, const char *piece) {
  size_t bytes = strlen(piece);
  if (p->length + bytes + 1 > p->size) {
    p->size = 2 * (p->length + bytes + 1);
    p->text = realloc(p->text, p->size);
    if (!p->text) {
      fputs("inkdrop: out of memory\n", stderr);
      abort();
    }
  }
  memcpy(p->text + p->length, piece, bytes + 1);
  p->length += bytes;
}

static int level_of(const InkExpr *e) {
  switch (e->op) {
  case INK_OP_LT:
  case INK_OP_LE:
  case INK_OP_GT:
  case INK_OP_GE:
  case INK_OP_EQ:
  case INK_OP_NE:
    return COMPARISON;
  case INK_OP_ADD:
  case INK_OP_SUB:
    return SUM;
  case INK_OP_MUL:
  case INK_OP_DIV:
    return TERM;
  case INK_OP_NEG:
    return UNARY;
  case INK_OP_POW:
    return POWER;
  default:
    return PRIMARY;
  }
}

/* Sums and comparisons stand with blanks, products and powers without. */
static void put_operator(Printer *p, const InkExpr *e) {
  const bool apart = level_of(e) <= SUM;
  if (apart) put(p, " ");
  put(p, ink_op_symbol(e->op));
  if (apart) put(p, " ");
}

/* The shortest of 15, 16 or 17 digits that reads back the same. There is no way to write infinity and NaN;
 * they become operations that give them. */
static void put_number(Printer *p, double value) {
  char digits[40];
  if (!isfinite(value)) {
    put(p, isnan(value) ? "(0/0)" : "(1e308*10)");
    return;
  }
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  put(p, digits);
}

static void print(Printer *p, const InkExpr *e, int needed);

static void print_bare(Printer *p, const InkExpr *e) {
  int level = level_of(e);
  switch (level) {
  case COMPARISON:
  case SUM:
  case TERM:
    print(p, e->arg[0], level == COMPARISON ? SUM : level);
    put_operator(p, e);
    /* A minus sign after an operator would parse, but is hard to read. */
    print(p, e->arg[1], e->arg[1]->op == INK_OP_NEG ? PRIMARY : level == COMPARISON ? SUM : level + 1);
    return;
  case UNARY:
    put(p, "-");
    print(p, e->arg[0], UNARY);
    return;
  case POWER:
    print(p, e->arg[0], PRIMARY);
    put(p, "^");
    print(p, e->arg[1], UNARY);
    return;
  default:
    break;
  }
  if (e->op == INK_OP_NUMBER) {
    put_number(p, e->value);
    return;
  }
  if (e->op == INK_OP_VARIABLE) {
    char noise[32];
    snprintf(noise, sizeof noise, "noise(%d)", e->variable - INK_VAR_NOISE);
    put(p, e->variable >= INK_VAR_NOISE ? noise : p->names[e->variable]);
    return;
  }
  put(p, ink_function_name(e->op));
  for (int a = 0; a < ink_op_arguments(e->op); a++) {
    put(p, a ? ", " : "(");
    print(p, e->arg[a], COMPARISON);
  }
  put(p, ")");
}

static void print(Printer *p, const InkExpr *e, int needed) {
  if (p->length > MOST) return;
  bool parentheses = level_of(e) < needed;
  if (parentheses) put(p, "(");
  print_bare(p, e);
  if (parentheses) put(p, ")");
}

const char *ink_expr_print(InkPool *pool, const InkExpr *e, const char *const names[INK_VARS]) {
  Printer p = {.names = names};
  print(&p, e, COMPARISON);
  if (p.length > MOST) {
    p.length = MOST;
    put(&p, " ...");
  }
  const char *text = ink_pool_strdup(pool, p.text);
  free(p.text);
  return text;
}
