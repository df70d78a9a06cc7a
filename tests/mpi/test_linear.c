/* Linear solvers on stencil matrices of n fields: A x = b is solved whatever the dimension, the number of
 * fields and how they couple, symmetry, periodic ends and dominance; a matrix is replaced; on one axis the
 * bits do not depend on the ranks; a singular one is a result, not a crash. */
#include "toy_system.h"
#include "../../solvers/core/linear.h"
#include <stdlib.h>

#define OK(call) assert_int_equal((call), 0)

enum { MOST = 4 };

typedef struct Case {
  int dim, n;
  int64_t cells;
  bool periodic, symmetric;
  bool cross;    /* off-diagonal blocks reach the neighbours, too; else they are local */
  bool immobile; /* the last field has no neighbours */
  double rate;   /* excess of the diagonal over the sum of the other entries; small: not dominant */
  double shift;  /* subtracted from the diagonal: indefinite */
  bool swapped;  /* the equations of fields 0 and 1 change places: zeros on the diagonal */
} Case;

typedef struct Problem {
  InkMesh *mesh;
  InkCoupling coupling[MOST * MOST];
  InkBlock block[MOST * MOST];
  InkStencil matrix;
  double *x, *b, *image;
} Problem;

static InkCoupling coupling_of(const Case *c, int s, int f) {
  const bool mobile = !(c->immobile && (s == c->n - 1 || f == c->n - 1));
  return mobile && (s == f || c->cross) ? INK_NEIGHBOURS : INK_LOCAL;
}

static void problem_create(Problem *p, const Case *c, MPI_Comm comm) {
  memset(p, 0, sizeof *p);
  p->mesh = toy_mesh_on(comm, c->dim, c->cells, c->periodic);
  p->matrix = (InkStencil){.n = c->n, .block = p->block};
  for (int b = 0; b < c->n * c->n; b++) {
    p->coupling[b] = coupling_of(c, b / c->n, b % c->n);
    OK(ink_mesh_array(p->mesh, &p->block[b].diagonal));
    if (p->coupling[b] == INK_LOCAL) continue;
    for (int axis = 0; axis < c->dim; axis++)
      for (int end = 0; end < 2; end++) OK(ink_mesh_array(p->mesh, &p->block[b].off[axis][end]));
  }
  OK(ink_mesh_fields(p->mesh, c->n, &p->x));
  OK(ink_mesh_fields(p->mesh, c->n, &p->b));
  OK(ink_mesh_fields(p->mesh, c->n, &p->image));
}

static void problem_destroy(Problem *p) {
  for (int b = 0; b < p->matrix.n * p->matrix.n; b++) {
    ink_mesh_free(&p->block[b].diagonal);
    for (int axis = 0; axis < 3; axis++)
      for (int end = 0; end < 2; end++) ink_mesh_free(&p->block[b].off[axis][end]);
  }
  ink_mesh_free(&p->x);
  ink_mesh_free(&p->b);
  ink_mesh_free(&p->image);
  OK(ink_mesh_destroy(&p->mesh));
}

static int64_t global(const InkMesh *mesh, int64_t i, int axis) {
  return mesh->start[axis] + toy_local(mesh, i, axis);
}

/* A number between 0.5 and 1 that names the cell and what it is for, so that any mix-up shows. */
static double varied(const InkMesh *mesh, int64_t i, int what) {
  double phase = 1.3 * what;
  for (int axis = 0; axis < mesh->dim; axis++)
    phase += 3.7 * (axis + 1) * (double)(1 + global(mesh, i, axis));
  return 0.75 + 0.25 * sin(phase);
}

static bool at_wall(const InkMesh *mesh, int64_t i, int axis, int end) {
  return !mesh->axis[axis].periodic && global(mesh, i, axis) == (end ? mesh->axis[axis].cells - 1 : 0);
}

/* One block in one cell; returns the sum of the magnitudes of its entries off the diagonal of the matrix. */
static double fill_block(const Problem *p, const Case *c, int s, int f, int64_t i) {
  const InkBlock *block = &p->block[s * c->n + f];
  const int what = 10 * (s * c->n + f);
  double sum = 0;
  for (int axis = 0; axis < c->dim && block->off[0][0]; axis++)
    for (int end = 0; end < 2; end++) {
      double entry = c->symmetric ? 1 : varied(p->mesh, i, what + 2 * axis + end) * (end ? 1 : 1.5);
      if (s != f) entry *= (s + f + end) % 2 ? 0.3 : -0.2;
      block->off[axis][end][i] = at_wall(p->mesh, i, axis, end) ? 0 : -entry;
      sum += fabs(block->off[axis][end][i]);
    }
  if (s == f) return sum;
  block->diagonal[i] = c->swapped ? 0 : (s < f ? 1 : -1) * varied(p->mesh, i, what + 7);
  return sum + fabs(block->diagonal[i]);
}

static void fill(Problem *p, const Case *c) {
  const int n = c->n;
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i))
    for (int s = 0; s < n; s++) {
      double sum = 0;
      for (int f = 0; f < n; f++) sum += fill_block(p, c, s, f, i);
      p->block[s * n + s].diagonal[i] = sum + c->rate - c->shift;
    }
  if (!c->swapped) return;
  for (int f = 0; f < 2; f++) {
    const InkBlock keep = p->block[f];
    p->block[f] = p->block[2 + f];
    p->block[2 + f] = keep;
    const InkCoupling kept = p->coupling[f];
    p->coupling[f] = p->coupling[2 + f];
    p->coupling[2 + f] = kept;
  }
}

/* y = A x */
static void multiply(const Problem *p, double *x, double *y) {
  const InkMesh *mesh = p->mesh;
  const int n = p->matrix.n;
  OK(ink_mesh_exchange_fields(mesh, n, x));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i))
    for (int s = 0; s < n; s++) {
      double sum = 0;
      for (int f = 0; f < n; f++) {
        const InkBlock *block = &p->block[s * n + f];
        const double *u = x + f * mesh->size + i;
        sum += block->diagonal[i] * u[0];
        for (int axis = 0; axis < mesh->dim && block->off[0][0]; axis++) {
          const int64_t step = axis == 0 ? 1 : mesh->stride[axis];
          sum += block->off[axis][0][i] * u[-step] + block->off[axis][1][i] * u[step];
        }
      }
      y[s * mesh->size + i] = sum;
    }
}

static double chosen(const Problem *p, int64_t i, int s) { return 2 * varied(p->mesh, i, 1000 + s) - s; }

/* Largest residual over largest right-hand side. */
static double residual(Problem *p) {
  double most[2] = {0, 0};
  multiply(p, p->x, p->image);
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i))
    for (int s = 0; s < p->matrix.n; s++) {
      const int64_t at = s * p->mesh->size + i;
      most[0] = fmax(most[0], fabs(p->image[at] - p->b[at]));
      most[1] = fmax(most[1], fabs(p->b[at]));
    }
  OK(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_DOUBLE, MPI_MAX, p->mesh->comm));
  return most[0] / most[1];
}

static void solve(Problem *p, InkLinear *linear, const Case *c, bool keep) {
  InkLinearResult result;
  const double scale = 1 / (c->rate > 1e-3 ? c->rate : 1); /* of A^-1 */
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i))
    for (int s = 0; s < c->n; s++) p->x[s * p->mesh->size + i] = chosen(p, i, s);
  multiply(p, p->x, p->b);
  OK(ink_linear_matrix(linear, &p->matrix, keep));
  memset(p->x, 0, (size_t)(c->n * p->mesh->size) * sizeof(double));
  OK(ink_linear_solve(linear, p->b, 1e-12, 0, p->x, &result));
  if (!result.converged)
    print_message("dim %d n %d rate %g shift %g: %s\n", c->dim, c->n, c->rate, c->shift, result.reason);
  assert_true(result.converged);
  assert_true(result.iterations >= 1);
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i))
    for (int s = 0; s < c->n; s++)
      assert_true(fabs(p->x[s * p->mesh->size + i] - chosen(p, i, s)) < 1e-7 * fmax(1, scale));
  assert_true(residual(p) < 1e-10);
}

static void check(Case c) {
  Problem p;
  InkLinear *linear;
  InkFailure failure = {0};
  problem_create(&p, &c, PETSC_COMM_WORLD);
  fill(&p, &c);
  OK(ink_linear_create(p.mesh, c.n, p.coupling, NULL, c.symmetric, &linear, &failure));
  assert_int_equal(failure.code, INK_DONE);
  solve(&p, linear, &c, false);
  for (int turn = 1; turn < 3 && !c.swapped; turn++) { /* the third with the second's preconditioner */
    c.rate *= 100;
    fill(&p, &c);
    solve(&p, linear, &c, turn == 2);
  }
  OK(ink_linear_destroy(&linear));
  problem_destroy(&p);
}

static const int64_t CELLS[4] = {0, 50, 16, 8};

static void test_one_field(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int kind = 0; kind < 8; kind++)
      check((Case){.dim = dim,
                   .n = 1,
                   .cells = CELLS[dim],
                   .periodic = kind & 1,
                   .symmetric = kind & 2,
                   .rate = kind & 4 ? 1 : 0.01});
}

static void test_several_fields(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int n = 2; n <= MOST; n++)
      for (int kind = 0; kind < 16; kind++)
        check((Case){.dim = dim,
                     .n = n,
                     .cells = CELLS[dim],
                     .periodic = kind & 1,
                     .cross = kind & 2,
                     .immobile = kind & 4,
                     .rate = kind & 8 ? 1 : 0.01});
}

/* Small axes: the neighbours below and above are the same cell, or the cell itself. */
static void test_short_axes(void **state) {
  (void)state;
  int ranks;
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  for (int64_t cells = ranks; cells <= ranks + 3; cells++)
    for (int n = 1; n <= 3; n++)
      for (int kind = 0; kind < 4; kind++)
        check((Case){.dim = 1, .n = n, .cells = cells, .periodic = kind & 1, .cross = kind & 2, .rate = 1});
}

/* Indefinite matrices, as of unstable states, and zeros on the diagonal. */
static void test_indefinite(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int n = 1; n <= 2; n++)
      for (int periodic = 0; periodic < 2; periodic++)
        check((Case){.dim = dim, .n = n, .cells = CELLS[dim], .periodic = periodic, .shift = 2.37});
  for (int periodic = 0; periodic < 2; periodic++)
    check((Case){.dim = 1, .n = 2, .cells = 40, .periodic = periodic, .rate = 0.1, .swapped = true});
}

/* On one axis every rank finds the bits that one process alone finds. */
static void test_same_bits(void **state) {
  (void)state;
  for (int n = 1; n <= MOST; n++)
    for (int kind = 0; kind < 4; kind++) {
      Case c = {.dim = 1, .n = n, .cells = 37, .periodic = kind & 1, .cross = kind & 2, .rate = 0.3};
      Problem p[2];
      for (int alone = 0; alone < 2; alone++) {
        InkLinear *linear;
        InkFailure failure = {0};
        problem_create(&p[alone], &c, alone ? PETSC_COMM_SELF : PETSC_COMM_WORLD);
        OK(ink_linear_create(p[alone].mesh, n, p[alone].coupling, NULL, false, &linear, &failure));
        fill(&p[alone], &c);
        solve(&p[alone], linear, &c, false);
        OK(ink_linear_destroy(&linear));
      }
      const InkMesh *mesh = p[0].mesh, *whole = p[1].mesh;
      for (int s = 0; s < n; s++)
        assert_memory_equal(p[0].x + s * mesh->size + mesh->origin,
                            p[1].x + s * whole->size + whole->origin + mesh->start[0],
                            (size_t)mesh->count[0] * sizeof(double));
      problem_destroy(&p[0]);
      problem_destroy(&p[1]);
    }
}

/* The units of the equations do not matter to the direct solver: 1e-10 x + y = b_0 in units of 1e-12, and x +
 * y = b_1, in every cell. Taking the larger entry of the column for the pivot would lose b_1. */
static void test_units(void **state) {
  (void)state;
  Case c = {.dim = 1, .n = 2, .cells = 30};
  Problem p;
  InkLinear *linear;
  InkFailure failure = {0};
  problem_create(&p, &c, PETSC_COMM_WORLD);
  for (int b = 0; b < 4; b++) {
    p.coupling[b] = INK_LOCAL;
    for (int64_t i = toy_first(p.mesh); i >= 0; i = toy_next(p.mesh, i))
      p.block[b].diagonal[i] = (b == 0 ? 1e-10 : 1) * (b < 2 ? 1e12 : 1);
  }
  OK(ink_linear_create(p.mesh, c.n, p.coupling, NULL, false, &linear, &failure));
  solve(&p, linear, &c, false);
  OK(ink_linear_destroy(&linear));
  problem_destroy(&p);
}

/* All zero, or two equal equations. */
static void test_singular_is_a_result(void **state) {
  (void)state;
  for (int dim = 1; dim <= 2; dim++)
    for (int n = 1; n <= 2; n++)
      for (int zero = 0; zero < 2; zero++) {
        Case c = {.dim = dim, .n = n, .cells = 12, .cross = true, .rate = 0.5};
        Problem p;
        InkLinear *linear;
        InkFailure failure = {0};
        InkLinearResult result;
        problem_create(&p, &c, PETSC_COMM_WORLD);
        for (int64_t i = toy_first(p.mesh); i >= 0; i = toy_next(p.mesh, i))
          for (int s = 0; s < n; s++) {
            p.b[s * p.mesh->size + i] = s ? -varied(p.mesh, i, 3) : varied(p.mesh, i, 3);
            for (int f = 0; f < n && !zero; f++) p.block[s * n + f].diagonal[i] = n == 1 ? 0 : 1;
          }
        OK(ink_linear_create(p.mesh, n, p.coupling, NULL, false, &linear, &failure));
        OK(ink_linear_matrix(linear, &p.matrix, false));
        OK(ink_linear_solve(linear, p.b, 1e-10, 0, p.x, &result));
        assert_false(result.converged);
        assert_true(strlen(result.reason) > 0);
        if (dim == 1) assert_non_null(strstr(result.reason, "singular"));
        OK(ink_linear_destroy(&linear));
        problem_destroy(&p);
      }
}

/* More unknowns than PETSc's 32-bit numbers: a line for the user, on all ranks. */
static void test_too_many(void **state) {
  (void)state;
  if (sizeof(PetscInt) > 4) skip();
  InkMesh *mesh = toy_mesh(2, 8, false);
  static const InkCoupling coupling[4] = {INK_NEIGHBOURS, INK_LOCAL, INK_LOCAL, INK_NEIGHBOURS};
  for (int n = 1; n <= 2; n++) {
    InkMesh large = *mesh;
    InkLinear *linear;
    InkFailure failure = {0};
    large.cells = n == 1 ? 3000000000 : 1200000000;
    OK(ink_linear_create(&large, n, coupling, NULL, false, &linear, &failure));
    assert_null(linear);
    assert_int_equal(failure.code, INK_USAGE);
    assert_non_null(strstr(failure.message, n == 1 ? "3000000000 cells" : "1200000000 cells"));
  }
  OK(ink_mesh_destroy(&mesh));
}

/* A system that needs its rows swapped: zeros on the diagonal. */
static void test_tridiagonal_pivots(void **state) {
  (void)state;
  enum { N = 6 };
  double lower[N] = {1, 2, 3, 4, 5}, diagonal[N] = {0, 0, 1e-20, 0, 7, 0}, upper[N] = {2, 1, 3, 2, 4},
         upper2[N];
  const double x[N] = {1, -2, 3, -4, 5, -6};
  double b[N];
  bool swapped[N];
  for (int i = 0; i < N; i++)
    b[i] = diagonal[i] * x[i] + (i ? lower[i - 1] * x[i - 1] : 0) + (i < N - 1 ? upper[i] * x[i + 1] : 0);
  assert_true(ink_tridiagonal_factor(N, lower, diagonal, upper, upper2, swapped));
  ink_tridiagonal_solve(N, lower, diagonal, upper, upper2, swapped, b);
  for (int i = 0; i < N; i++) assert_true(fabs(b[i] - x[i]) < 1e-13);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_field),
      cmocka_unit_test(test_several_fields),
      cmocka_unit_test(test_short_axes),
      cmocka_unit_test(test_indefinite),
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_units),
      cmocka_unit_test(test_singular_is_a_result),
      cmocka_unit_test(test_too_many),
      cmocka_unit_test(test_tridiagonal_pivots),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
