/* Processes for the generator's tests: a mesh, drift and diffusion as text, sides. */
#ifndef INK_TESTS_GENERATOR_BENCH_H
#define INK_TESTS_GENERATOR_BENCH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/generator.h"
#include "../../solvers/core/observe.h"
#include "../../solvers/core/reduction.h"

#define OK(call) assert_int_equal((call), 0)

typedef struct Problem {
  int dim;
  InkAxisSpec axis[3];
  const char *drift[3];
  const char *diffusion[6]; /* xx yy zz xy xz yz */
  bool absorbing[INK_SIDES];
  int width; /* 0: what the process needs at the time */
} Problem;

typedef struct Bench {
  InkPool *pool;
  InkMesh *mesh;
  InkGenerator *generator;
  InkSystem system;
  double *p, *g;
} Bench;

static inline const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {{.name = "x", .variable = INK_VAR_X},
                                {.name = "y", .variable = INK_VAR_Y},
                                {.name = "z", .variable = INK_VAR_Z},
                                {.name = "t", .variable = INK_VAR_T},
                                {.name = "pi", .variable = -1, .value = M_PI}};
  const InkScope scope = {.symbol = symbols, .count = 5};
  char message[256] = "";
  if (!text) return NULL;
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  if (!e) print_error("%s: %s\n", text, message);
  assert_non_null(e);
  return e;
}

static inline InkProcess process_of(const Problem *problem, InkPool *pool) {
  static const int place[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
  InkProcess process = {.dim = problem->dim, .name = {"x", "y", "z"}};
  for (int a = 0; a < 3; a++) process.drift[a] = parse(pool, problem->drift[a]);
  for (int e = 0; e < 6; e++)
    process.diffusion[place[e][0]][place[e][1]] = process.diffusion[place[e][1]][place[e][0]] =
        parse(pool, problem->diffusion[e]);
  for (int side = 0; side < INK_SIDES; side++) process.absorbing[side] = problem->absorbing[side];
  return process;
}

/* Makes the generator at time t on the ranks of `comm`; when `failure` is NULL it must work. */
static inline void set_up_on(MPI_Comm comm, const Problem *problem, double t, InkFailure *failure,
                             Bench *bench) {
  InkFailure none = {0};
  *bench = (Bench){.pool = ink_pool_create()};
  const InkProcess process = process_of(problem, bench->pool);
  int width = problem->width;
  if (width == 0) {
    InkMesh *plain;
    InkFailure unfit = {0};
    OK(ink_mesh_build(comm, problem->axis, problem->dim, INK_CARTESIAN, &plain, &none));
    OK(ink_generator_width(plain, &process, t, &width, &unfit));
    OK(ink_mesh_destroy(&plain));
    if (failure && unfit.code) *failure = unfit;
    if (unfit.code) return;
  }
  OK(ink_mesh_build_wide(comm, problem->axis, problem->dim, INK_CARTESIAN, width, &bench->mesh, &none));
  if (none.code) print_error("%s\n", none.message);
  assert_non_null(bench->mesh);
  OK(ink_generator_create(bench->mesh, &process, t, &bench->generator, failure ? failure : &none));
  if (none.code) print_error("%s\n", none.message);
  if (!bench->generator) return;
  ink_generator_system(bench->generator, &bench->system);
  OK(ink_mesh_array(bench->mesh, &bench->p));
  OK(ink_mesh_array(bench->mesh, &bench->g));
}
static inline void set_up(const Problem *problem, Bench *bench) {
  set_up_on(PETSC_COMM_WORLD, problem, 0.0, NULL, bench);
  assert_non_null(bench->generator);
}

static inline void tear_down(Bench *bench) {
  OK(ink_generator_destroy(&bench->generator));
  ink_mesh_free(&bench->p);
  ink_mesh_free(&bench->g);
  OK(ink_mesh_destroy(&bench->mesh));
  ink_pool_destroy(&bench->pool);
}

/* ---- cells ---- */

typedef struct Place {
  int64_t at[3], cell;
  double x[3];
} Place;

static inline bool next_place(const InkMesh *mesh, Place *place) {
  if (place->cell == 0) {
    *place = (Place){{0}, 0, {0}};
  } else {
    int a = 0;
    while (a < 3 && ++place->at[a] == mesh->count[a]) place->at[a++] = 0;
    if (a == 3) return false;
  }
  place->cell = mesh->origin + place->at[0] + place->at[1] * mesh->stride[1] + place->at[2] * mesh->stride[2];
  for (int a = 0; a < 3; a++) place->x[a] = mesh->axis[a].centroid[mesh->start[a] + place->at[a]];
  return true;
}
#define EACH_PLACE(mesh, place) for (Place place = {{0}, 0, {0}}; next_place(mesh, &place);)

/* A number that depends on the global cell and nothing else, in (0, 1). */
static inline double random_at(const InkMesh *mesh, const Place *place, uint64_t seed) {
  uint64_t n = seed;
  for (int a = 0; a < 3; a++) {
    n = (n ^ (uint64_t)(mesh->start[a] + place->at[a])) * 0x9E3779B97F4A7C15ull;
    n ^= n >> 29;
  }
  n *= 0xBF58476D1CE4E5B9ull;
  return ((double)(n >> 12) + 0.5) / 4503599627370496.0;
}
static inline void randomise(const InkMesh *mesh, uint64_t seed, double *values) {
  EACH_PLACE(mesh, place) values[place.cell] = random_at(mesh, &place, seed);
}

static inline double value_at(const InkExpr *e, const double x[3], double t) {
  double variable[INK_VARS] = {0};
  variable[INK_VAR_X] = x[0];
  variable[INK_VAR_Y] = x[1];
  variable[INK_VAR_Z] = x[2];
  variable[INK_VAR_T] = t;
  return ink_expr_value(e, variable);
}

/* sum a b, exactly rounded, over all ranks */
static inline double dot(const InkMesh *mesh, const double *a, const double *b) {
  InkSum sum;
  double value;
  ink_sum_clear(&sum);
  EACH_PLACE(mesh, place) ink_sum_add_product(&sum, a[place.cell], b ? b[place.cell] : 1.0);
  OK(ink_sum_reduce(mesh->comm, 1, &sum, &value));
  return value;
}
static inline double dot_magnitude(const InkMesh *mesh, const double *a, const double *b) {
  InkSum sum;
  double value;
  ink_sum_clear(&sum);
  EACH_PLACE(mesh, place) ink_sum_add(&sum, fabs(a[place.cell] * (b ? b[place.cell] : 1.0)));
  OK(ink_sum_reduce(mesh->comm, 1, &sum, &value));
  return value;
}
static inline double largest(const InkMesh *mesh, const double *a) {
  double most = 0.0;
  EACH_PLACE(mesh, place) most = fmax(most, fabs(a[place.cell]));
  OK(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return most;
}

/* p = volume times an expression's value is the caller's business: here its value at the centroids. */
static inline void fill(const Bench *bench, const char *text, double *values) {
  const InkExpr *e = parse(bench->pool, text);
  EACH_PLACE(bench->mesh, place) values[place.cell] = value_at(e, place.x, 0.0);
}

/* What flows through the busiest cell at density p: the scale of round-off. */
static inline double throughput(const Bench *bench, const double *p) {
  const InkGenerator *generator = bench->generator;
  double most = 0.0;
  EACH_PLACE(bench->mesh, place)
  for (int d = 0; d < generator->directions; d++)
    most = fmax(most, p[place.cell] * (generator->up[d][place.cell] + generator->down[d][place.cell]));
  OK(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  return most;
}

/* ---- laws that every generator keeps ---- */

#define TRUE_OR_SAY(condition, ...)                                                                          \
  do {                                                                                                       \
    if (!(condition)) print_error(__VA_ARGS__);                                                              \
    assert_true(condition);                                                                                  \
  } while (0)

static inline void check_rates(const Bench *bench, int number) {
  const InkGenerator *generator = bench->generator;
  EACH_PLACE(bench->mesh, place) {
    for (int d = 0; d < generator->directions; d++) {
      const double up = generator->up[d][place.cell], down = generator->down[d][place.cell];
      TRUE_OR_SAY(up >= 0.0 && down >= 0.0 && isfinite(up + down), "problem %d: rates %g, %g\n", number, up,
                  down);
    }
    for (int side = 0; side < INK_SIDES; side++)
      assert_true(!generator->exit[side] || generator->exit[side][place.cell] >= 0.0);
  }
}

/* What flows in all cells together is what the sides absorb. */
static inline void check_mass(const Bench *bench, int number) {
  double out = 0.0, flux;
  randomise(bench->mesh, 1, bench->p);
  OK(ink_generator_forward(bench->generator, bench->p, bench->g));
  const double sum = dot(bench->mesh, bench->g, NULL), scale = dot_magnitude(bench->mesh, bench->g, NULL);
  for (int side = 0; side < 2 * bench->mesh->dim; side++) {
    if (bench->mesh->axis[side / 2].periodic) continue;
    OK(ink_generator_flux(bench->generator, side, bench->p, &flux));
    assert_true(flux >= 0.0 && (flux > 0.0) == (bench->generator->exit[side] != NULL));
    out += flux;
  }
  assert_true((out > 0.0) == !bench->generator->conserves);
  TRUE_OR_SAY(fabs(sum + out) < 1e-15 * scale, "problem %d: sum %g, out %g, scale %g\n", number, sum, out,
              scale);
}

/* <x, G p> = <G' x, p> */
static inline void check_transpose(const Bench *bench, int number) {
  double *x, *back;
  OK(ink_mesh_array(bench->mesh, &x));
  OK(ink_mesh_array(bench->mesh, &back));
  randomise(bench->mesh, 2, bench->p);
  randomise(bench->mesh, 3, x);
  OK(ink_generator_forward(bench->generator, bench->p, bench->g));
  OK(ink_generator_backward(bench->generator, x, NULL, back));
  const double forward = dot(bench->mesh, bench->g, x), backward = dot(bench->mesh, back, bench->p);
  const double scale = dot_magnitude(bench->mesh, bench->g, x);
  TRUE_OR_SAY(fabs(forward - backward) < 1e-14 * scale, "problem %d: %g and %g, scale %g\n", number, forward,
              backward, scale);
  ink_mesh_free(&x);
  ink_mesh_free(&back);
}

/* A constant function does not change where it is also what the sides give. */
static inline void check_constants(const Bench *bench, int number) {
  const double one[INK_SIDES] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  EACH_PLACE(bench->mesh, place) bench->p[place.cell] = 1.0;
  OK(ink_generator_backward(bench->generator, bench->p, one, bench->g));
  TRUE_OR_SAY(largest(bench->mesh, bench->g) == 0.0, "problem %d: constants change\n", number);
}

/* The Jacobian is the operator. */
static inline void check_jacobian(const Bench *bench, int number) {
  const InkMesh *mesh = bench->mesh;
  const int far = bench->generator->directions - mesh->dim;
  double *entry[2 * INK_MAX_DIRECTIONS + 1] = {NULL}, *(*reach)[2] = calloc((size_t)far + 1, sizeof *reach);
  InkBlock block = {.far = reach};
  InkStencil stencil = {.n = 1, .block = &block, .reach = bench->system.reach};
  for (int e = 0; e < 2 * bench->generator->directions + 1; e++) OK(ink_mesh_array(mesh, &entry[e]));
  block.diagonal = entry[2 * bench->generator->directions];
  for (int d = 0; d < bench->generator->directions; d++)
    for (int end = 0; end < 2; end++) {
      if (d < mesh->dim)
        block.off[d][end] = entry[2 * d + end];
      else
        reach[d - mesh->dim][end] = entry[2 * d + end];
    }
  assert_int_equal(bench->system.reach ? bench->system.reach->count : 0, far);
  randomise(mesh, 4, bench->p);
  OK(bench->system.rhs(bench->generator, 0.0, bench->p, bench->g));
  OK(bench->system.jacobian(bench->generator, 0.0, bench->p, &stencil));
  const double scale = throughput(bench, bench->p);
  EACH_PLACE(mesh, place) {
    double sum = block.diagonal[place.cell] * bench->p[place.cell];
    for (int d = 0; d < bench->generator->directions; d++) {
      const int *e = bench->generator->offset[d];
      if (d >= mesh->dim) assert_memory_equal(bench->system.reach->offset[d - mesh->dim], e, sizeof(int[3]));
      const int64_t jump = e[0] + e[1] * mesh->stride[1] + e[2] * mesh->stride[2];
      sum += entry[2 * d][place.cell] * bench->p[place.cell - jump];
      sum += entry[2 * d + 1][place.cell] * bench->p[place.cell + jump];
    }
    TRUE_OR_SAY(fabs(sum - bench->g[place.cell]) < 1e-14 * scale, "problem %d: %g, not %g\n", number, sum,
                bench->g[place.cell]);
  }
  for (int e = 0; e < 2 * bench->generator->directions + 1; e++) ink_mesh_free(&entry[e]);
  free(reach);
}

/* The same bits as on one rank: of G p, of the monotone step, of several explicit steps and what they absorb.
 */
static inline void check_ranks(const Problem *problem, int number) {
  enum { RUNS = 2 };
  Bench bench[RUNS];
  double *all[RUNS], step[RUNS], absorbed[RUNS][INK_SIDES];
  size_t cells = 1;
  for (int run = 0; run < RUNS; run++) {
    Bench *b = &bench[run];
    set_up_on(run ? MPI_COMM_SELF : PETSC_COMM_WORLD, problem, 0.0, NULL, b);
    randomise(b->mesh, 5, b->p);
    for (int n = 0; n < 4; n++) {
      OK(b->system.monotone_step(b->generator, 0.1 * n, b->p, &step[run]));
      OK(b->system.explicit_step(b->generator, 0.1 * n, 0.9 * step[run], true, b->p, b->g));
      double *swap = b->p;
      b->p = b->g;
      b->g = swap;
    }
    for (int side = 0; side < INK_SIDES; side++)
      OK(ink_generator_absorbed(b->generator, side, &absorbed[run][side]));
    OK(ink_generator_forward(b->generator, b->p, b->g));
    cells = (size_t)b->mesh->cells;
    all[run] = calloc(cells, sizeof(double));
    EACH_PLACE(b->mesh, place) {
      const int64_t global =
          (b->mesh->start[0] + place.at[0]) +
          b->mesh->axis[0].cells * ((b->mesh->start[1] + place.at[1]) +
                                    b->mesh->axis[1].cells * (b->mesh->start[2] + place.at[2]));
      all[run][global] = b->g[place.cell];
      assert_true(b->p[place.cell] >= 0.0);
    }
  }
  OK(MPI_Allreduce(MPI_IN_PLACE, all[0], (int)cells, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD)); /* to zeros */
  for (size_t c = 0; c < cells; c++)
    TRUE_OR_SAY(all[0][c] == all[1][c], "problem %d, cell %zu: %.17g, serial %.17g\n", number, c, all[0][c],
                all[1][c]);
  assert_true(step[0] == step[1]);
  assert_memory_equal(absorbed[0], absorbed[1], sizeof absorbed[0]);
  for (int run = 0; run < RUNS; run++) {
    free(all[run]);
    tear_down(&bench[run]);
  }
}

/* At the monotone step nothing becomes negative; just above it the busiest cell, alone, does. */
static inline void check_step(const Bench *bench, int number) {
  const InkGenerator *generator = bench->generator;
  double dt, most = 0.0, least = INFINITY;
  int64_t busiest = -1;
  int rank, first;
  OK(bench->system.monotone_step(bench->generator, 0.0, bench->p, &dt));
  randomise(bench->mesh, 7, bench->p);
  OK(bench->system.explicit_step(bench->generator, 0.0, (1.0 - 1e-12) * dt, false, bench->p, bench->g));
  EACH_PLACE(bench->mesh, place) {
    double rate = 0.0;
    TRUE_OR_SAY(bench->g[place.cell] >= 0.0, "problem %d: %g at the monotone step\n", number,
                bench->g[place.cell]);
    for (int d = 0; d < generator->directions; d++) {
      const int *e = generator->offset[d];
      const int64_t jump = e[0] + e[1] * bench->mesh->stride[1] + e[2] * bench->mesh->stride[2];
      rate += generator->up[d][place.cell] + generator->down[d][place.cell - jump];
    }
    for (int side = 0; side < INK_SIDES; side++)
      rate += generator->exit[side] ? generator->exit[side][place.cell] : 0.0;
    rate /= generator->volume[place.cell];
    if (rate > most) {
      most = rate;
      busiest = place.cell;
    }
    bench->p[place.cell] = 0.0;
  }
  const double own = most;
  OK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  OK(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  first = own == most ? rank : 1000;
  OK(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  if (rank == first) bench->p[busiest] = 1.0;
  OK(bench->system.explicit_step(bench->generator, 0.0, 1.001 * dt, false, bench->p, bench->g));
  EACH_PLACE(bench->mesh, place) least = fmin(least, bench->g[place.cell]);
  OK(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD));
  TRUE_OR_SAY(fabs(least + 1e-3) < 1e-9, "problem %d: %g above the monotone step\n", number, least);
}

/* M dp/dt = G: mass and what was absorbed stay 1 over a run of explicit steps. */
static inline void check_budget(const Bench *bench, int number) {
  double dt, absorbed, before = 0.0;
  double *p = bench->p, *next = bench->g;
  OK(bench->system.monotone_step(bench->generator, 0.0, p, &dt));
  randomise(bench->mesh, 6, p);
  for (int side = 0; side < 2 * bench->mesh->dim; side++) {
    OK(ink_generator_absorbed(bench->generator, side, &absorbed));
    before -= absorbed;
  }
  const double start = dot(bench->mesh, bench->generator->volume, p);
  for (int n = 0; n < 40; n++) {
    OK(bench->system.explicit_step(bench->generator, 0.0, 0.9 * dt, true, p, next));
    double *swap = p;
    p = next;
    next = swap;
  }
  double total = dot(bench->mesh, bench->generator->volume, p) + before;
  for (int side = 0; side < 2 * bench->mesh->dim; side++) {
    OK(ink_generator_absorbed(bench->generator, side, &absorbed));
    assert_true((absorbed > 0.0) == (bench->generator->exit[side] != NULL));
    total += absorbed;
  }
  TRUE_OR_SAY(fabs(total - start) < 2e-15 * start, "problem %d: %g of %g lost\n", number, start - total,
              start);
}

static inline void check_laws(const Problem *problem, int number) {
  Bench bench;
  set_up(problem, &bench);
  check_rates(&bench, number);
  check_mass(&bench, number);
  check_transpose(&bench, number);
  check_constants(&bench, number);
  check_jacobian(&bench, number);
  check_step(&bench, number);
  check_budget(&bench, number);
  tear_down(&bench);
  check_ranks(problem, number);
}

/* ---- order of accuracy ---- */

/* -sum d_i(b_i f) + sum d_i d_j (D_ij f), symbolically */
static inline const InkExpr *exact_forward(const InkProcess *process, InkPool *pool, const InkExpr *f) {
  const InkExpr *sum = ink_expr_number(pool, 0.0);
  for (int i = 0; i < process->dim; i++) {
    if (process->drift[i])
      sum = ink_expr_binary(
          pool, INK_OP_SUB, sum,
          ink_expr_derivative(pool, ink_expr_binary(pool, INK_OP_MUL, process->drift[i], f), i));
    for (int j = 0; j < process->dim; j++) {
      if (!process->diffusion[i][j]) continue;
      const InkExpr *flow = ink_expr_binary(pool, INK_OP_MUL, process->diffusion[i][j], f);
      sum = ink_expr_binary(pool, INK_OP_ADD, sum,
                            ink_expr_derivative(pool, ink_expr_derivative(pool, flow, i), j));
    }
  }
  return sum;
}
/* sum b_i d_i f + sum D_ij d_i d_j f */
static inline const InkExpr *exact_backward(const InkProcess *process, InkPool *pool, const InkExpr *f) {
  const InkExpr *sum = ink_expr_number(pool, 0.0);
  for (int i = 0; i < process->dim; i++) {
    const InkExpr *slope = ink_expr_derivative(pool, f, i);
    if (process->drift[i])
      sum =
          ink_expr_binary(pool, INK_OP_ADD, sum, ink_expr_binary(pool, INK_OP_MUL, process->drift[i], slope));
    for (int j = 0; j < process->dim; j++)
      if (process->diffusion[i][j])
        sum = ink_expr_binary(
            pool, INK_OP_ADD, sum,
            ink_expr_binary(pool, INK_OP_MUL, process->diffusion[i][j], ink_expr_derivative(pool, slope, j)));
  }
  return sum;
}

/* Largest error of the generator applied to f, away from walls by a fifth of the domain; cells of all axes
 * times `finer`. */
static inline void error_of(const Problem *problem, const char *text, int finer, double error[2]) {
  Problem fine = *problem;
  Bench bench;
  for (int a = 0; a < fine.dim; a++) fine.axis[a].cells *= finer;
  set_up(&fine, &bench);
  const InkProcess process = process_of(&fine, bench.pool);
  const InkExpr *f = parse(bench.pool, text);
  for (int back = 0; back < 2; back++) {
    const InkExpr *exact = (back ? exact_backward : exact_forward)(&process, bench.pool, f);
    fill(&bench, text, bench.p);
    if (back)
      OK(ink_generator_backward(bench.generator, bench.p, NULL, bench.g));
    else
      OK(ink_generator_forward(bench.generator, bench.p, bench.g));
    error[back] = 0.0;
    EACH_PLACE(bench.mesh, place) {
      bool inside = true;
      for (int a = 0; a < fine.dim; a++) {
        const InkAxis *axis = &bench.mesh->axis[a];
        const double margin = axis->periodic ? 0.0 : 0.2 * (axis->to - axis->from);
        inside = inside && place.x[a] > axis->from + margin && place.x[a] < axis->to - margin;
      }
      if (!inside) continue;
      error[back] = fmax(error[back], fabs(bench.g[place.cell] / bench.generator->volume[place.cell] -
                                           value_at(exact, place.x, 0.0)));
    }
    OK(MPI_Allreduce(MPI_IN_PLACE, &error[back], 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
  }
  tear_down(&bench);
}

static inline void check_order(const Problem *problem, int number, const char *text) {
  double error[3][2];
  for (int level = 0; level < 3; level++) error_of(problem, text, 1 << level, error[level]);
  for (int back = 0; back < 2; back++)
    for (int level = 0; level < 2; level++) {
      const double order = log2(error[level][back] / error[level + 1][back]);
      TRUE_OR_SAY(order > 1.9 && order < 2.5, "problem %d: %s order %g (errors %g, %g)\n", number,
                  back ? "backward" : "forward", order, error[level][back], error[level + 1][back]);
    }
}
#endif
