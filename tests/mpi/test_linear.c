/* Linear solvers on stencil matrices: A x = b is solved whatever the dimension, symmetry, periodic ends and
 * dominance; a matrix is replaced; a singular one is a result, not a crash. */
#include "toy_system.h"
#include "../../solvers/core/linear.h"
#include <stdlib.h>

#define OK(call) assert_int_equal((call), 0)

typedef struct Case {
  int dim;
  int64_t cells;
  bool periodic, symmetric;
  double rate; /* diagonal added to the Laplacian; small: not dominant */
} Case;

static void stencil_create(const InkMesh *mesh, InkStencil *stencil) {
  memset(stencil, 0, sizeof *stencil);
  OK(ink_mesh_array(mesh, &stencil->diagonal));
  for (int axis = 0; axis < mesh->dim; axis++)
    for (int end = 0; end < 2; end++) OK(ink_mesh_array(mesh, &stencil->off[axis][end]));
}

static void stencil_destroy(InkStencil *stencil) {
  ink_mesh_free(&stencil->diagonal);
  for (int axis = 0; axis < 3; axis++)
    for (int end = 0; end < 2; end++) ink_mesh_free(&stencil->off[axis][end]);
}

/* rate + Laplacian, upwind-weighted to the left when not symmetric. */
static void fill(const InkMesh *mesh, const Case *c, InkStencil *stencil) {
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) {
    stencil->diagonal[i] = c->rate;
    for (int axis = 0; axis < mesh->dim; axis++)
      for (int end = 0; end < 2; end++) {
        const int64_t global = mesh->start[axis] + toy_local(mesh, i, axis);
        const bool wall = !mesh->axis[axis].periodic && global == (end ? mesh->axis[axis].cells - 1 : 0);
        const double weight = c->symmetric || end ? 1 : 1.5;
        stencil->off[axis][end][i] = wall ? 0 : -weight;
        stencil->diagonal[i] += weight;
      }
  }
}

/* y = A x */
static void multiply(const InkMesh *mesh, const InkStencil *a, double *x, double *y) {
  OK(ink_mesh_exchange(mesh, x));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) {
    y[i] = a->diagonal[i] * x[i];
    for (int axis = 0; axis < mesh->dim; axis++) {
      const int64_t step = axis == 0 ? 1 : mesh->stride[axis];
      y[i] += a->off[axis][0][i] * x[i - step] + a->off[axis][1][i] * x[i + step];
    }
  }
}

/* A solution that names its cell, so that any mix-up of the numbering shows. */
static double chosen(const InkMesh *mesh, int64_t i) {
  double value = 1;
  for (int axis = 0; axis < mesh->dim; axis++)
    value += sin(3.7 * (axis + 1) * (double)(1 + mesh->start[axis] + toy_local(mesh, i, axis)));
  return value;
}

static void check(Case c) {
  InkMesh *mesh = toy_mesh(c.dim, c.cells, c.periodic);
  InkStencil a;
  InkLinear *linear;
  InkFailure failure = {0};
  InkLinearResult result;
  double *x, *b;
  stencil_create(mesh, &a);
  OK(ink_mesh_array(mesh, &x));
  OK(ink_mesh_array(mesh, &b));
  OK(ink_linear_create(mesh, c.symmetric, &linear, &failure));
  assert_int_equal(failure.code, INK_DONE);
  for (int turn = 0; turn < 3; turn++, c.rate *= 100) { /* the third time with the second's preconditioner */
    fill(mesh, &c, &a);
    for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) x[i] = chosen(mesh, i);
    multiply(mesh, &a, x, b);
    OK(ink_linear_matrix(linear, &a, turn == 2));
    for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) x[i] = 0;
    OK(ink_linear_solve(linear, b, 1e-11, 0, x, &result));
    if (!result.converged) print_message("dim %d rate %g: %s\n", c.dim, c.rate, result.reason);
    assert_true(result.converged);
    for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i))
      assert_true(fabs(x[i] - chosen(mesh, i)) < 1e-7);
  }
  OK(ink_linear_destroy(&linear));
  stencil_destroy(&a);
  ink_mesh_free(&x);
  ink_mesh_free(&b);
  OK(ink_mesh_destroy(&mesh));
}

static void test_all_kinds(void **state) {
  (void)state;
  const int64_t cells[3] = {50, 20, 10};
  for (int dim = 1; dim <= 3; dim++)
    for (int kind = 0; kind < 8; kind++)
      check((Case){.dim = dim,
                   .cells = cells[dim - 1],
                   .periodic = kind & 1,
                   .symmetric = kind & 2,
                   .rate = kind & 4 ? 1 : 0.01});
}

static void test_singular_is_a_result(void **state) {
  (void)state;
  InkMesh *mesh = toy_mesh(1, 12, false);
  InkStencil a;
  InkLinear *linear;
  InkFailure failure = {0};
  InkLinearResult result;
  double *x;
  stencil_create(mesh, &a); /* all zero */
  OK(ink_mesh_array(mesh, &x));
  OK(ink_linear_create(mesh, true, &linear, &failure));
  OK(ink_linear_matrix(linear, &a, false));
  OK(ink_linear_solve(linear, x, 1e-10, 0, x, &result));
  assert_false(result.converged);
  assert_non_null(strstr(result.reason, "singular"));
  OK(ink_linear_destroy(&linear));
  stencil_destroy(&a);
  ink_mesh_free(&x);
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
      cmocka_unit_test(test_all_kinds),
      cmocka_unit_test(test_singular_is_a_result),
      cmocka_unit_test(test_tridiagonal_pivots),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
