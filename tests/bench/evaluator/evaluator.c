/* The evaluator against its peers, one core, arrays in memory: the program of solvers/core/evaluate.h, a
 * compiled C loop, muparser in bulk and cell by cell. One JSON line for each expression:
 *
 *     evaluator [CELLS [REPEATS]]
 *
 * Built against the project's library and muparser; c_loops.c apart from it with plain -O3 -march=native.
 *
 * Peers run in turn with us, best time of REPEATS each, so that the machine's moods hit all alike. numexpr's
 * time comes from numexpr_peer.py. */
#include <math.h>
#include <muParserDLL.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

typedef struct Bench {
  size_t n;
  double *u, *v, *out, *check;
  double best[4]; /* ours, loop, muparser bulk, muparser a cell at a time */
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

static void keep_best(double *best, double start) {
  double seconds = now() - start;
  if (seconds < *best) *best = seconds;
}

static double largest_difference(const Bench *b) {
  double most = 0;
  for (size_t i = 0; i < b->n; i++) most = fmax(most, fabs(b->out[i] - b->check[i]));
  return most;
}

static void time_muparser(Bench *b, const char *text) {
  double u, v;
  muParserHandle_t cell = mupCreate(muBASETYPE_FLOAT), bulk = mupCreate(muBASETYPE_FLOAT);
  mupSetExpr(cell, text);
  mupDefineVar(cell, "u", &u);
  mupDefineVar(cell, "v", &v);
  double start = now();
  for (size_t i = 0; i < b->n; i++) {
    u = b->u[i];
    v = b->v[i];
    b->check[i] = mupEval(cell);
  }
  keep_best(&b->best[3], start);
  mupSetExpr(bulk, text);
  mupDefineVar(bulk, "u", b->u);
  mupDefineVar(bulk, "v", b->v);
  start = now();
  mupEvalBulk(bulk, b->check, (int)b->n);
  keep_best(&b->best[2], start);
  mupRelease(cell);
  mupRelease(bulk);
}

static void run_case(Bench *b, const Case *c, int repeats) {
  InkPool *pool = ink_pool_create();
  InkProgram *program = program_of(pool, c->text);
  const double *in[INK_VARS] = {[INK_VAR_FIELD] = b->u, [INK_VAR_FIELD + 1] = b->v};
  for (int k = 0; k < 4; k++) b->best[k] = 1e30;
  for (int r = 0; r < repeats; r++) {
    double start = now();
    ink_program_run(program, b->n, in, &b->out);
    keep_best(&b->best[0], start);
    start = now();
    c->loop(b->n, b->u, b->v, b->check);
    keep_best(&b->best[1], start);
  }
  double difference = largest_difference(b);
  for (int r = 0; r < 2; r++) time_muparser(b, c->text);
  difference = fmax(difference, largest_difference(b));
  printf(
      "{\"bench\": \"evaluator\", \"case\": \"%s\", \"expression\": \"%s\", \"cells\": %zu, \"isa\": \"%s\", "
      "\"inkdrop_s\": %.4e, \"c_loop_s\": %.4e, \"muparser_bulk_s\": %.4e, \"muparser_s\": %.4e, "
      "\"largest_difference\": %.1e}\n",
      c->name, c->text, b->n, ink_program_instruction_set(), b->best[0], b->best[1], b->best[2], b->best[3],
      difference);
  ink_program_destroy(&program);
  ink_pool_destroy(&pool);
}

static double *array(size_t n) {
  double *x = aligned_alloc(4096, (n * sizeof *x + 4095) / 4096 * 4096);
  if (!x) exit(1);
  for (size_t i = 0; i < n; i++) x[i] = 0.1 + 0.8 * (double)(i * 2654435761u % 1000003) / 1000003;
  return x;
}

int main(int argc, char **argv) {
  Bench b = {.n = argc > 1 ? (size_t)atol(argv[1]) : 10000000};
  int repeats = argc > 2 ? atoi(argv[2]) : 7;
  b.u = array(b.n);
  b.v = array(b.n);
  b.out = array(b.n);
  b.check = array(b.n);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) run_case(&b, &cases[c], repeats);
  free(b.u);
  free(b.v);
  free(b.out);
  free(b.check);
  return 0;
}
