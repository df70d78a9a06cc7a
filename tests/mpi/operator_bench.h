/* Problems for the operator's tests: a mesh, coefficients as text, sides, one field or several. */
#ifndef INK_TESTS_OPERATOR_BENCH_H
#define INK_TESTS_OPERATOR_BENCH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/observe.h"
#include "../../solvers/core/operator.h"

enum { BENCH_FIELDS = 3 };

typedef struct Side {
  InkSideType type;
  const char *value, *coefficient, *ambient, *emissivity;
} Side;

/* One field of several. */
typedef struct Species {
  const char *k[BENCH_FIELDS]; /* by the gradient of which field */
  const char *c, *s, *start;
  Side side[INK_SIDES];
} Species;

/* One field, T. */
typedef struct Problem {
  InkCoordinates coordinates;
  int dim;
  InkAxisSpec axis[3];
  const char *k, *c, *s, *start;
  Side side[INK_SIDES];
} Problem;

/* n fields u, v, w. */
typedef struct Mixture {
  InkCoordinates coordinates;
  int dim;
  InkAxisSpec axis[3];
  const char *velocity[3];
  int n;
  Species species[BENCH_FIELDS];
} Mixture;

typedef struct Bench {
  InkPool *pool;
  InkMesh *mesh;
  InkDiffusion *diffusion;
  InkSystem system;
  int n;
  double *u, *v;
} Bench;

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {
      {.name = "x", .variable = INK_VAR_X},         {.name = "y", .variable = INK_VAR_Y},
      {.name = "z", .variable = INK_VAR_Z},         {.name = "r", .variable = INK_VAR_R},
      {.name = "t", .variable = INK_VAR_T},         {.name = "T", .variable = INK_VAR_FIELD},
      {.name = "u", .variable = INK_VAR_FIELD},     {.name = "v", .variable = INK_VAR_FIELD + 1},
      {.name = "w", .variable = INK_VAR_FIELD + 2}, {.name = "pi", .variable = -1, .value = M_PI}};
  const InkScope scope = {.symbol = symbols, .count = 10};
  char message[256] = "";
  if (!text) return NULL;
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  if (!e) print_error("%s: %s\n", text, message);
  assert_non_null(e);
  return e;
}

/* One field's values at the centroids. */
static void fill(const Bench *bench, const char *text, double *values) {
  char message[256] = "";
  const InkExpr *e = parse(bench->pool, text);
  InkProgram *program = ink_program_create(1, &e, INK_ROW_UNIFORM, message, sizeof message);
  assert_non_null(program);
  assert_int_equal(ink_mesh_evaluate(bench->mesh, program, 0.0, 0, NULL, &values), 0);
  ink_program_destroy(&program);
}

/* The expressions of a mixture; what InkDiffusionSpec points to. */
typedef struct Parts {
  const InkExpr *k[BENCH_FIELDS * BENCH_FIELDS], *c[BENCH_FIELDS], *s[BENCH_FIELDS];
  InkSideData data[INK_SIDES][BENCH_FIELDS];
  InkSideParts parts[INK_SIDES][BENCH_FIELDS];
} Parts;

static void describe(InkPool *pool, const Mixture *mixture, Parts *made, InkDiffusionSpec *spec) {
  static const char *const names[] = {"u", "v", "w"}, *const only[] = {"T"};
  static const InkExpr *const always[1] = {NULL};
  const int n = mixture->n;
  *spec = (InkDiffusionSpec){.n = n, .field = n > 1 ? names : only, .budget = true};
  spec->conductivity = made->k;
  spec->capacity = made->c;
  spec->source = made->s;
  for (int f = 0; f < n; f++) {
    const Species *species = &mixture->species[f];
    for (int g = 0; g < n; g++) made->k[f * n + g] = parse(pool, species->k[g]);
    made->c[f] = parse(pool, species->c);
    made->s[f] = parse(pool, species->s);
    for (int side = 0; side < INK_SIDES; side++) {
      const Side *given = &species->side[side];
      made->data[side][f] =
          (InkSideData){given->type, parse(pool, given->value), parse(pool, given->coefficient),
                        parse(pool, given->ambient), parse(pool, given->emissivity)};
      made->parts[side][f] = (InkSideParts){.count = 1, .where = always, .data = &made->data[side][f]};
      spec->side[side] = made->parts[side];
    }
  }
  for (int a = 0; a < 3; a++) spec->velocity[a] = parse(pool, mixture->velocity[a]);
}

static void mix_on(MPI_Comm comm, const Mixture *mixture, Bench *bench) {
  InkFailure failure = {0};
  InkDiffusionSpec spec;
  Parts parts;
  *bench = (Bench){.pool = ink_pool_create(), .n = mixture->n};
  assert_int_equal(
      ink_mesh_build(comm, mixture->axis, mixture->dim, mixture->coordinates, &bench->mesh, &failure), 0);
  assert_int_equal(failure.code, 0);
  describe(bench->pool, mixture, &parts, &spec);
  assert_int_equal(ink_diffusion_create(bench->mesh, bench->pool, &spec, &bench->diffusion, &failure), 0);
  assert_int_equal(failure.code, 0);
  ink_diffusion_system(bench->diffusion, &bench->system);
  assert_int_equal(ink_mesh_fields(bench->mesh, bench->n, &bench->u), 0);
  assert_int_equal(ink_mesh_fields(bench->mesh, bench->n, &bench->v), 0);
  for (int f = 0; f < bench->n; f++) fill(bench, mixture->species[f].start, bench->u + f * bench->mesh->size);
  assert_int_equal(ink_diffusion_budget_start(bench->diffusion, 0.0, bench->u), 0);
}

static void mix(const Mixture *mixture, Bench *bench) { mix_on(MPI_COMM_WORLD, mixture, bench); }

/* One field as a mixture. */
static Mixture mixture_of(const Problem *problem) {
  Mixture mixture = {.coordinates = problem->coordinates, .dim = problem->dim, .n = 1};
  Species *species = &mixture.species[0];
  memcpy(mixture.axis, problem->axis, sizeof mixture.axis);
  *species = (Species){.k = {problem->k}, .c = problem->c, .s = problem->s, .start = problem->start};
  memcpy(species->side, problem->side, sizeof species->side);
  return mixture;
}

static void set_up(const Problem *problem, Bench *bench) {
  const Mixture mixture = mixture_of(problem);
  mix(&mixture, bench);
}

static void tear_down(Bench *bench) {
  assert_int_equal(ink_diffusion_destroy(&bench->diffusion), 0);
  ink_mesh_free(&bench->u);
  ink_mesh_free(&bench->v);
  assert_int_equal(ink_mesh_destroy(&bench->mesh), 0);
  ink_pool_destroy(&bench->pool);
}

static void explicit_step(Bench *bench, double t, double dt) {
  assert_int_equal(bench->system.explicit_step(bench->diffusion, t, dt, true, bench->u, bench->v), 0);
  double *swap = bench->u;
  bench->u = bench->v;
  bench->v = swap;
}

/* n explicit steps of `factor` times nine tenths of the monotone bound. */
static double march(Bench *bench, int n, double factor) {
  double t = 0.0;
  for (int step = 0; step < n; step++) {
    double dt;
    assert_int_equal(bench->system.monotone_step(bench->diffusion, t, bench->u, &dt), 0);
    dt *= ink_explicit_fraction * factor;
    explicit_step(bench, t, dt);
    t += dt;
  }
  return t;
}

/* Owned cells of a field as one array in global order, on all ranks. */
static double *gather(const InkMesh *mesh, const double *values) {
  double *all = calloc((size_t)mesh->cells, sizeof(double));
  assert_non_null(all);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++)
        all[mesh->start[0] + i +
            mesh->axis[0].cells * (mesh->start[1] + j + mesh->axis[1].cells * (mesh->start[2] + k))] =
            values[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]];
  MPI_Allreduce(MPI_IN_PLACE, all, (int)mesh->cells, MPI_DOUBLE, MPI_SUM, mesh->comm);
  return all;
}

/* Largest magnitude of the owned cells of one field. */
static double largest(const Bench *bench, const double *values) {
  double min, max;
  const InkFieldView view = {.mesh = bench->mesh, .values = values};
  assert_int_equal(ink_observe_range(&view, &min, &max), 0);
  return fmax(fabs(min), fabs(max));
}

static double *array_of(const Bench *bench) {
  double *values;
  assert_int_equal(ink_mesh_fields(bench->mesh, bench->n, &values), 0);
  return values;
}

/* ---- Jacobian ---- */

static void make_stencil(const Bench *bench, InkStencil *stencil) {
  const InkMesh *mesh = bench->mesh;
  const int blocks = bench->n * bench->n;
  *stencil = (InkStencil){.n = bench->n};
  stencil->block = calloc((size_t)blocks, sizeof *stencil->block);
  assert_non_null(stencil->block);
  for (int b = 0; b < blocks; b++) {
    if (bench->system.coupling[b] == INK_UNCOUPLED) continue;
    assert_int_equal(ink_mesh_array(mesh, &stencil->block[b].diagonal), 0);
    for (int a = 0; bench->system.coupling[b] == INK_NEIGHBOURS && a < mesh->dim; a++)
      for (int end = 0; end < 2; end++)
        assert_int_equal(ink_mesh_array(mesh, &stencil->block[b].off[a][end]), 0);
  }
}

static void free_stencil(const Bench *bench, InkStencil *stencil) {
  for (int b = 0; b < bench->n * bench->n; b++) {
    ink_mesh_free(&stencil->block[b].diagonal);
    for (int a = 0; a < 3; a++)
      for (int end = 0; end < 2; end++) ink_mesh_free(&stencil->block[b].off[a][end]);
  }
  free(stencil->block);
}

/* out += block v */
static void apply_block(const InkMesh *mesh, const InkBlock *block, const double *v, double *out) {
  for (int64_t k = 0; block->diagonal && k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
        double sum = block->diagonal[cell] * v[cell];
        for (int a = 0; block->off[0][0] && a < mesh->dim; a++) {
          const int64_t step = a == 0 ? 1 : mesh->stride[a];
          sum += block->off[a][0][cell] * v[cell - step] + block->off[a][1][cell] * v[cell + step];
        }
        out[cell] += sum;
      }
}

/* The stencil times v against (G(u + h v) - G(u - h v)) / 2h. v is set to a rough direction, one field at a
 * time, so that each block is seen by itself. Returns the largest relative difference. */
static double jacobian_error(Bench *bench, double t) {
  const InkMesh *mesh = bench->mesh;
  const double h = 1e-5;
  double *plus = array_of(bench), *minus = array_of(bench), *product = array_of(bench), worst = 0.0;
  InkStencil stencil;
  make_stencil(bench, &stencil);
  for (int f = 0; f < bench->n; f++) {
    for (int64_t i = 0; i < bench->n * mesh->size; i++) bench->v[i] = product[i] = 0.0;
    fill(bench, "cos(40*x + 7*r) + sin(30*y) + cos(25*z)", bench->v + f * mesh->size);
    assert_int_equal(bench->system.jacobian(bench->diffusion, t, bench->u, &stencil), 0);
    assert_int_equal(ink_mesh_exchange_fields(mesh, bench->n, bench->v), 0);
    for (int s = 0; s < bench->n; s++)
      apply_block(mesh, &stencil.block[s * bench->n + f], bench->v + f * mesh->size,
                  product + s * mesh->size);
    for (int64_t i = 0; i < bench->n * mesh->size; i++) bench->u[i] += h * bench->v[i];
    assert_int_equal(bench->system.rhs(bench->diffusion, t, bench->u, plus), 0);
    for (int64_t i = 0; i < bench->n * mesh->size; i++) bench->u[i] -= 2.0 * h * bench->v[i];
    assert_int_equal(bench->system.rhs(bench->diffusion, t, bench->u, minus), 0);
    for (int64_t i = 0; i < bench->n * mesh->size; i++) {
      bench->u[i] += h * bench->v[i];
      plus[i] = (plus[i] - minus[i]) / (2.0 * h) - product[i];
    }
    double scale = 0.0, error = 0.0;
    for (int s = 0; s < bench->n; s++) {
      scale = fmax(scale, largest(bench, product + s * mesh->size));
      error = fmax(error, largest(bench, plus + s * mesh->size));
    }
    assert_true(scale > 0.0);
    worst = fmax(worst, error / scale);
  }
  free_stencil(bench, &stencil);
  ink_mesh_free(&plus);
  ink_mesh_free(&minus);
  ink_mesh_free(&product);
  return worst;
}

/* ---- laws that hold for any problem ---- */

/* Largest difference of the fused step and u + dt M^-1 G at time 0.3. */
static double euler_error(Bench *bench) {
  const InkMesh *mesh = bench->mesh;
  double *g = array_of(bench), *m = array_of(bench), dt, error = 0.0;
  const double t = 0.3;
  for (int64_t i = 0; i < bench->n * mesh->size; i++) m[i] = 1.0;
  assert_int_equal(bench->system.monotone_step(bench->diffusion, t, bench->u, &dt), 0);
  assert_true(dt > 0.0);
  assert_int_equal(bench->system.explicit_step(bench->diffusion, t, dt, true, bench->u, bench->v), 0);
  assert_int_equal(bench->system.rhs(bench->diffusion, t, bench->u, g), 0);
  assert_int_equal(bench->system.capacity(bench->diffusion, t, bench->u, m), 0);
  for (int64_t i = 0; i < bench->n * mesh->size; i++) g[i] = bench->v[i] - (bench->u[i] + dt * g[i] / m[i]);
  for (int f = 0; f < bench->n; f++) error = fmax(error, largest(bench, g + f * mesh->size));
  ink_mesh_free(&g);
  ink_mesh_free(&m);
  return error;
}

/* The same problem on all ranks and on one of its own, 25 steps: every bit the same, budgets and step limits
 * included. */
static void check_bits(const Mixture *mixture) {
  Bench shared, alone;
  mix(mixture, &shared);
  mix_on(MPI_COMM_SELF, mixture, &alone);
  const double t = march(&shared, 25, 1.0), same = march(&alone, 25, 1.0);
  assert_memory_equal(&t, &same, sizeof t);
  for (int f = 0; f < shared.n; f++) {
    InkBudget one, all;
    double *a = gather(shared.mesh, shared.u + f * shared.mesh->size);
    double *b = gather(alone.mesh, alone.u + f * alone.mesh->size);
    assert_memory_equal(a, b, (size_t)shared.mesh->cells * sizeof *a);
    assert_int_equal(ink_diffusion_budget(shared.diffusion, f, t, shared.u, &all), 0);
    assert_int_equal(ink_diffusion_budget(alone.diffusion, f, t, alone.u, &one), 0);
    assert_memory_equal(all.inflow, one.inflow, sizeof all.inflow);
    assert_memory_equal(&all.source, &one.source, sizeof all.source);
    assert_memory_equal(&all.change, &one.change, sizeof all.change);
    free(a);
    free(b);
  }
  tear_down(&shared);
  tear_down(&alone);
}

static const InkAxisSpec even = {.from = 0.0, .to = 1.0, .cells = 18};
static const InkAxisSpec graded = {.from = 0.2, .to = 1.0, .cells = 13, .grading = 1.2};
static const InkAxisSpec narrow = {.from = -0.5, .to = 0.5, .cells = 11, .grading = 0.9};
static const InkAxisSpec ring = {.from = 0.0, .to = 2.0, .cells = 16, .periodic = true};

#endif
