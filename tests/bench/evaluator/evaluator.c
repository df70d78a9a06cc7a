/* The evaluator against its peers, one core, arrays in memory: the program of solvers/core/evaluate.h, a
 * compiled C loop, muparser in bulk and cell by cell.
 *
 *     evaluator [CELLS]
 *
 * Does one round for every line it reads: each of the four once on each expression, one after the other, so
 * that the machine's moods hit all alike. Prints a JSON line with the seconds of the round. Built against the
 * project's library and muparser; c_loops.c apart from it with plain -O3 -march=native. */
#include <math.h>
#include <muParserDLL.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../../solvers/core/evaluate.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Case {
  const char *name, *text;
  void (*loop)(size_t n, const double *u, const double *v, double *out);
} Case;

/* c_loops.c */
void gray_scott(size_t n, const double *u, const double *v, double *out);
void arrhenius(size_t n, const double *u, const double *v, double *out);
void polynomial(size_t n, const double *u, const double *v, double *out);

static const Case cases[] = {
    {"gray_scott", "0.04 - u + u^2*v", gray_scott},
    {"arrhenius", "3.5*v*exp(-2/(u + 0.5))", arrhenius},
    {"polynomial", "u*(1-u)*(u-0.1) - v*(u^2 - 0.5*v) + 0.3*u*v", polynomial},
};

enum { INKDROP, LOOP, BULK, CELL, WAYS };
static const char *const way_names[WAYS] = {"inkdrop", "c_loop", "muparser_bulk", "muparser"};

typedef struct Bench {
  size_t n;
  double *u, *v, *out, *check;
} Bench;

static InkProgram *program_of(InkPool *pool, const char *text) {
  struct InkSymbol symbol[] = {{"u", INK_VAR_FIELD, 0, ink_dim_any(), NULL},
                               {"v", INK_VAR_FIELD + 1, 0, ink_dim_any(), NULL}};
  InkScope scope = {symbol, 2, false};
  char message[512];
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  InkProgram *program = e ? ink_program_create(1, &e, 0, message, sizeof message) : NULL;
  if (!program) {
    fprintf(stderr, "%s: %s\n", text, message);
    exit(1);
  }
  return program;
}

static double largest_difference(const Bench *b) {
  double most = 0;
  for (size_t i = 0; i < b->n; i++) most = fmax(most, fabs(b->out[i] - b->check[i]));
  return most;
}

static double time_program(Bench *b, const char *text) {
  InkPool *pool = ink_pool_create();
  InkProgram *program = program_of(pool, text);
  const double *in[INK_VARS] = {[INK_VAR_FIELD] = b->u, [INK_VAR_FIELD + 1] = b->v};
  double start = now();
  ink_program_run(program, b->n, in, &b->out);
  double seconds = now() - start;
  ink_program_destroy(&program);
  ink_pool_destroy(&pool);
  return seconds;
}

static double time_bulk(Bench *b, const char *text) {
  muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
  mupSetExpr(parser, text);
  mupDefineVar(parser, "u", b->u);
  mupDefineVar(parser, "v", b->v);
  double start = now();
  mupEvalBulk(parser, b->check, (int)b->n);
  double seconds = now() - start;
  mupRelease(parser);
  return seconds;
}

static double time_cells(Bench *b, const char *text) {
  double u, v;
  muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
  mupSetExpr(parser, text);
  mupDefineVar(parser, "u", &u);
  mupDefineVar(parser, "v", &v);
  double start = now();
  for (size_t i = 0; i < b->n; i++) {
    u = b->u[i];
    v = b->v[i];
    b->check[i] = mupEval(parser);
  }
  double seconds = now() - start;
  mupRelease(parser);
  return seconds;
}

/* The seconds of each way, and by how much the results differ. */
static void run_case(Bench *b, const Case *c) {
  double seconds[WAYS], difference = 0;
  seconds[INKDROP] = time_program(b, c->text);
  double start = now();
  c->loop(b->n, b->u, b->v, b->check);
  seconds[LOOP] = now() - start;
  difference = fmax(difference, largest_difference(b));
  seconds[BULK] = time_bulk(b, c->text);
  difference = fmax(difference, largest_difference(b));
  seconds[CELL] = time_cells(b, c->text);
  difference = fmax(difference, largest_difference(b));
  printf("\"%s\": {", c->name);
  for (int k = 0; k < WAYS; k++) printf("\"%s\": %.4e, ", way_names[k], seconds[k]);
  printf("\"largest_difference\": %.1e}", difference);
}

/* For all peers in huge pages, as numpy's arrays, which numexpr works on, are. */
static double *array(size_t n) {
  const size_t page = 1 << 21, bytes = (n * sizeof(double) + page - 1) / page * page;
  double *x = aligned_alloc(page, bytes);
  if (!x) exit(1);
  madvise(x, bytes, MADV_HUGEPAGE);
  for (size_t i = 0; i < n; i++) x[i] = 0.1 + 0.8 * (double)(i * 2654435761u % 1000003) / 1000003;
  return x;
}

int main(int argc, char **argv) {
  Bench b = {.n = argc > 1 ? (size_t)atol(argv[1]) : 10000000};
  b.u = array(b.n);
  b.v = array(b.n);
  b.out = array(b.n);
  b.check = array(b.n);
  for (char line[8]; fgets(line, sizeof line, stdin);) {
    printf("{");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
      if (c) printf(", ");
      run_case(&b, &cases[c]);
    }
    printf("}\n");
    fflush(stdout);
  }
  free(b.u);
  free(b.v);
  free(b.out);
  free(b.check);
  return 0;
}
