/* For tests: a side of a small mesh with its laws given as text, and its slopes against finite differences.
 */
#ifndef INK_TESTS_CLOSURE_BENCH_H
#define INK_TESTS_CLOSURE_BENCH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/boundary.h"

static const double distance = 0.125;
enum { MOST = 3, PARTS = 3 };

/* A side in the deck's words: expressions of x, y, t and the fields T (or A), B, C. */
typedef struct Words {
  InkSideType type;
  const char *value, *coefficient, *ambient, *emissivity, *where;
} Words;

typedef struct Sketch {
  int n, side;
  const char *k[MOST * MOST]; /* k_sf at [s * n + f] */
  const char *velocity;
  Words law[MOST][PARTS];
  int parts[MOST]; /* 0: closed */
  int rows;        /* cells along y; 0: a mesh of x alone */
} Sketch;

typedef struct Bench {
  InkPool *pool;
  InkMesh *mesh;
  double *u;
  InkClosure *closure;
} Bench;

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {
      {.name = "x", .variable = INK_VAR_X},        {.name = "y", .variable = INK_VAR_Y},
      {.name = "t", .variable = INK_VAR_T},        {.name = "T", .variable = INK_VAR_FIELD},
      {.name = "A", .variable = INK_VAR_FIELD},    {.name = "B", .variable = INK_VAR_FIELD + 1},
      {.name = "C", .variable = INK_VAR_FIELD + 2}};
  const InkScope scope = {.symbol = symbols, .count = 7};
  char message[256];
  const InkExpr *e = text ? ink_expr_parse(pool, text, &scope, message, sizeof message) : NULL;
  assert_true(e || !text);
  return e;
}

static inline InkClosure *make(Bench *bench, const Sketch *sketch) {
  static InkSideData data[MOST][PARTS];
  static const InkExpr *where[MOST][PARTS], *k[MOST * MOST];
  InkSideParts parts[MOST];
  char message[256] = "";
  for (int s = 0; s < sketch->n; s++) {
    for (int p = 0; p < sketch->parts[s]; p++) {
      const Words *words = &sketch->law[s][p];
      data[s][p] = (InkSideData){.type = words->type,
                                 .value = parse(bench->pool, words->value),
                                 .coefficient = parse(bench->pool, words->coefficient),
                                 .ambient = parse(bench->pool, words->ambient),
                                 .emissivity = parse(bench->pool, words->emissivity)};
      where[s][p] = parse(bench->pool, words->where);
    }
    parts[s] = (InkSideParts){.count = sketch->parts[s], .where = where[s], .data = data[s]};
  }
  for (int e = 0; e < sketch->n * sketch->n; e++) k[e] = parse(bench->pool, sketch->k[e]);
  const InkClosureSpec spec = {
      .n = sketch->n, .conductivity = k, .velocity = parse(bench->pool, sketch->velocity), .parts = parts};
  InkClosure *closure =
      ink_closure_create(bench->mesh, sketch->side, &spec, bench->pool, message, sizeof message);
  assert_non_null(closure);
  return closure;
}

/* Four cells of x on [0, 1] (and rows of y on [0, 1]); all cells of a field have the same value. */
static inline void set_up(Bench *bench, const Sketch *sketch, const double values[]) {
  const InkAxisSpec axes[2] = {{.from = 0.0, .to = 1.0, .cells = 4},
                               {.from = 0.0, .to = 1.0, .cells = sketch->rows}};
  InkFailure failure = {0};
  bench->pool = ink_pool_create();
  assert_int_equal(
      ink_mesh_build(MPI_COMM_SELF, axes, sketch->rows ? 2 : 1, INK_CARTESIAN, &bench->mesh, &failure), 0);
  assert_int_equal(ink_mesh_fields(bench->mesh, sketch->n, &bench->u), 0);
  for (int f = 0; f < sketch->n; f++)
    for (int64_t c = 0; c < bench->mesh->size; c++) bench->u[f * bench->mesh->size + c] = values[f];
  bench->closure = make(bench, sketch);
  assert_int_equal(bench->closure->count, sketch->rows ? sketch->rows : 1);
  ink_closure_evaluate(bench->closure, 2.0, bench->u);
}

static inline void tear_down(Bench *bench) {
  ink_closure_destroy(&bench->closure);
  assert_null(bench->closure);
  ink_mesh_free(&bench->u);
  assert_int_equal(ink_mesh_destroy(&bench->mesh), 0);
  ink_pool_destroy(&bench->pool);
}

/* One field, the side x_max, one law. */
static inline void set_up_one(Bench *bench, const char *k, const char *velocity, Words law, double cell) {
  const Sketch sketch = {.n = 1,
                         .side = 1,
                         .k = {k},
                         .velocity = velocity,
                         .law = {{law}},
                         .parts = {law.type != INK_SIDE_CLOSED}};
  set_up(bench, &sketch, &cell);
}

static inline void near(double value, double expect, double within) {
  if (!(fabs(value - expect) <= within * fmax(1.0, fabs(expect)))) {
    print_error("got %.17g, expected %.17g\n", value, expect);
    fail();
  }
}

/* All dq_s/du_f at all faces against central differences, and `coupled` against them. */
static inline void check_slopes(Bench *bench, double within) {
  InkClosure *closure = bench->closure;
  const int n = closure->n;
  const size_t count = (size_t)closure->count;
  double *slope = malloc((size_t)(n * n) * count * sizeof(double));
  double *above = malloc((size_t)n * count * sizeof(double));
  assert_true(slope && above);
  memcpy(slope, closure->slope, (size_t)(n * n) * count * sizeof(double));
  for (int f = 0; f < n; f++)
    for (size_t i = 0; i < count; i++) {
      double *cell = bench->u + f * bench->mesh->size + closure->cell[i];
      const double at = *cell, h = 1e-5 * fmax(1.0, fabs(at));
      *cell = at + h;
      ink_closure_evaluate(closure, 2.0, bench->u);
      memcpy(above, closure->inflow, (size_t)n * count * sizeof(double));
      *cell = at - h;
      ink_closure_evaluate(closure, 2.0, bench->u);
      for (int s = 0; s < n; s++) {
        const double expect =
            (above[(size_t)s * count + i] - closure->inflow[(size_t)s * count + i]) / (2.0 * h);
        near(slope[(size_t)(s * n + f) * count + i], expect, within);
        if (!closure->coupled[s * n + f]) {
          assert_true(slope[(size_t)(s * n + f) * count + i] == 0.0);
          near(expect, 0.0, 1e-9);
        }
      }
      *cell = at;
    }
  ink_closure_evaluate(closure, 2.0, bench->u);
  free(slope);
  free(above);
}

#endif
