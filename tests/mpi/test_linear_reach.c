/* Linear systems whose stencil has a reach beyond the faces, on wide meshes: A x = b against a dense
 * elimination that knows nothing of meshes, and TR-BDF2 on such a system against its stability function. */
#include "toy_system.h"
#include "../../solvers/core/linear.h"
#include "../../solvers/core/stepping.h"
#include <stdlib.h>

#define OK(call) assert_int_equal((call), 0)

enum { DIRECTIONS = 3, MOST = 150 };

typedef struct Case {
  int dim;
  int64_t cells[3];
  bool periodic[3];
  int count, offset[DIRECTIONS][3];
  double excess; /* of the diagonal over the sum of the other entries of the row */
} Case;

typedef struct Problem {
  const Case *c;
  InkMesh *mesh;
  InkReach reach;
  InkBlock block;
  InkStencil matrix;
  double *x, *b;
} Problem;

static int64_t number(const Case *c, const int64_t at[3]) {
  return at[0] + c->cells[0] * (at[1] + c->cells[1] * at[2]);
}

/* at + sign * offset, round periodic ends; false beyond a wall. */
static bool beside(const Case *c, const int64_t at[3], const int offset[3], int sign, int64_t to[3]) {
  for (int a = 0; a < 3; a++) {
    to[a] = at[a] + sign * offset[a];
    if (c->periodic[a])
      to[a] = (to[a] + 10 * c->cells[a]) % c->cells[a];
    else if (to[a] < 0 || to[a] >= c->cells[a])
      return false;
  }
  return true;
}

/* Directions 0 to dim - 1 are the axes, then the reach. */
static const int *direction(const Case *c, int d) {
  static const int axis[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  return d < c->dim ? axis[d] : c->offset[d - c->dim];
}

/* The entry of a cell's row for its neighbour: <= 0, and different for each; 0 where there is none. */
static double entry(const Case *c, const int64_t at[3], int d, int sign) {
  int64_t to[3];
  if (!beside(c, at, direction(c, d), sign, to)) return 0;
  return -(1.5 + sin((double)(7 * number(c, at) + 3 * d + (sign > 0)))) / (1 + d);
}

static double diagonal(const Case *c, const int64_t at[3]) {
  double sum = c->excess;
  for (int d = 0; d < c->dim + c->count; d++) sum -= entry(c, at, d, -1) + entry(c, at, d, 1);
  return sum;
}

static double right_side(const Case *c, const int64_t at[3]) { return cos((double)(5 * number(c, at) + 1)); }

/* Gauss with partial pivoting, rows of MOST. */
static void eliminate(int n, double (*a)[MOST], double *b) {
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    for (int j = 0; j < n; j++) {
      const double keep = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = keep;
    }
    const double kept = b[k];
    b[k] = b[pivot];
    b[pivot] = kept;
    for (int i = k + 1; i < n; i++) {
      const double factor = a[i][k] / a[k][k];
      for (int j = k; j < n; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (int k = n - 1; k >= 0; k--) {
    for (int j = k + 1; j < n; j++) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
}

static void solve_densely(const Case *c, double *x) {
  static double a[MOST][MOST];
  const int n = (int)(c->cells[0] * c->cells[1] * c->cells[2]);
  int64_t at[3], to[3];
  assert_true(n <= MOST);
  memset(a, 0, sizeof a);
  for (at[2] = 0; at[2] < c->cells[2]; at[2]++)
    for (at[1] = 0; at[1] < c->cells[1]; at[1]++)
      for (at[0] = 0; at[0] < c->cells[0]; at[0]++) {
        double *row = a[number(c, at)];
        row[number(c, at)] += diagonal(c, at);
        x[number(c, at)] = right_side(c, at);
        for (int d = 0; d < c->dim + c->count; d++)
          for (int sign = -1; sign <= 1; sign += 2)
            if (beside(c, at, direction(c, d), sign, to)) row[number(c, to)] += entry(c, at, d, sign);
      }
  eliminate(n, a, x);
}

static void problem_create(Problem *p, const Case *c) {
  memset(p, 0, sizeof *p);
  InkAxisSpec spec[3];
  InkFailure failure = {0};
  for (int a = 0; a < c->dim; a++)
    spec[a] = (InkAxisSpec){.to = 1, .cells = c->cells[a], .periodic = c->periodic[a]};
  OK(ink_mesh_build_wide(PETSC_COMM_WORLD, spec, c->dim, INK_CARTESIAN, 2, &p->mesh, &failure));
  assert_int_equal(failure.code, INK_DONE);
  p->c = c;
  p->reach = (InkReach){c->count, c->offset};
  p->block.far = calloc((size_t)c->count, sizeof *p->block.far);
  OK(ink_mesh_array(p->mesh, &p->block.diagonal));
  for (int end = 0; end < 2; end++) {
    for (int a = 0; a < c->dim; a++) OK(ink_mesh_array(p->mesh, &p->block.off[a][end]));
    for (int d = 0; d < c->count; d++) OK(ink_mesh_array(p->mesh, &p->block.far[d][end]));
  }
  p->matrix = (InkStencil){.n = 1, .block = &p->block, .reach = &p->reach};
  OK(ink_mesh_array(p->mesh, &p->x));
  OK(ink_mesh_array(p->mesh, &p->b));
}

static void problem_destroy(Problem *p) {
  ink_mesh_free(&p->block.diagonal);
  for (int end = 0; end < 2; end++) {
    for (int a = 0; a < 3; a++) ink_mesh_free(&p->block.off[a][end]);
    for (int d = 0; d < p->c->count; d++) ink_mesh_free(&p->block.far[d][end]);
  }
  free(p->block.far);
  ink_mesh_free(&p->x);
  ink_mesh_free(&p->b);
  OK(ink_mesh_destroy(&p->mesh));
}

static void where(const InkMesh *mesh, int64_t i, int64_t at[3]) {
  for (int a = 0; a < 3; a++) at[a] = mesh->start[a] + toy_local(mesh, i, a);
}

static void fill(Problem *p) {
  const Case *c = p->c;
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i)) {
    int64_t at[3];
    where(p->mesh, i, at);
    p->block.diagonal[i] = diagonal(c, at);
    p->b[i] = right_side(c, at);
    for (int end = 0; end < 2; end++) {
      for (int a = 0; a < c->dim; a++) p->block.off[a][end][i] = entry(c, at, a, end ? 1 : -1);
      for (int d = 0; d < c->count; d++) p->block.far[d][end][i] = entry(c, at, c->dim + d, end ? 1 : -1);
    }
  }
}

static void check(Case c) {
  static const InkCoupling coupling = INK_NEIGHBOURS;
  Problem p;
  InkLinear *linear;
  InkFailure failure = {0};
  double dense[MOST];
  problem_create(&p, &c);
  OK(ink_linear_create(p.mesh, 1, &coupling, &p.reach, false, &linear, &failure));
  assert_int_equal(failure.code, INK_DONE);
  for (int turn = 0; turn < 3; turn++, c.excess *= 30) { /* the third with the second's preconditioner */
    InkLinearResult result;
    fill(&p);
    solve_densely(&c, dense);
    OK(ink_linear_matrix(linear, &p.matrix, turn == 2));
    OK(ink_linear_solve(linear, p.b, 1e-13, 0, p.x, &result));
    assert_true(result.converged);
    for (int64_t i = toy_first(p.mesh); i >= 0; i = toy_next(p.mesh, i)) {
      int64_t at[3];
      where(p.mesh, i, at);
      assert_true(fabs(p.x[i] - dense[number(&c, at)]) < 1e-10 / c.excess);
    }
  }
  OK(ink_linear_destroy(&linear));
  problem_destroy(&p);
}

static void test_two_axes(void **state) {
  (void)state;
  for (int kind = 0; kind < 8; kind++)
    check((Case){.dim = 2,
                 .cells = {11, 8, 1},
                 .periodic = {kind & 1, kind & 2, false},
                 .count = 3,
                 .offset = {{1, 1, 0}, {1, -1, 0}, {2, 1, 0}},
                 .excess = kind & 4 ? 1 : 0.003});
}

static void test_three_axes(void **state) {
  (void)state;
  for (int kind = 0; kind < 8; kind++)
    check((Case){.dim = 3,
                 .cells = {5, 6, 5},
                 .periodic = {kind & 1, kind & 2, kind & 4},
                 .count = 3,
                 .offset = {{1, -1, 1}, {0, 2, -1}, {2, 1, 0}},
                 .excess = 0.1});
}

/* A stencil of faces alone on a wide mesh, and an empty reach. */
static void test_no_reach(void **state) {
  (void)state;
  check((Case){.dim = 2, .cells = {9, 9, 1}, .periodic = {true}, .excess = 0.1});
}

/* ---- stepping ---- */

/* dp/dt = sum over directions of rate_d (p(c + e_d) - 2 p(c) + p(c - e_d)), periodic. */
static const double RATE[2 + DIRECTIONS] = {3, 5, 2, 1, 0.5};

static int64_t step_of(const InkMesh *mesh, const int offset[3]) {
  return offset[0] + offset[1] * mesh->stride[1];
}

static PetscErrorCode rhs(void *context, double t, double *u, double *g) {
  const Problem *p = context;
  (void)t;
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_exchange(p->mesh, u));
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i)) {
    g[i] = 0;
    for (int d = 0; d < p->c->dim + p->c->count; d++) {
      const int64_t step = step_of(p->mesh, direction(p->c, d));
      g[i] += RATE[d] * (u[i + step] - 2 * u[i] + u[i - step]);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode capacity(void *context, double t, const double *u, double *m) {
  const Problem *p = context;
  (void)t, (void)u;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < p->mesh->size; i++) m[i] = 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode jacobian(void *context, double t, double *u, InkStencil *stencil) {
  const Problem *p = context;
  (void)t, (void)u;
  PetscFunctionBeginUser;
  assert_ptr_equal(stencil->reach, &p->reach);
  for (int64_t i = toy_first(p->mesh); i >= 0; i = toy_next(p->mesh, i)) {
    stencil->block->diagonal[i] = 0;
    for (int d = 0; d < p->c->dim + p->c->count; d++) {
      stencil->block->diagonal[i] -= 2 * RATE[d];
      double **pair = d < p->c->dim ? stencil->block->off[d] : stencil->block->far[d - p->c->dim];
      for (int end = 0; end < 2; end++) pair[end][i] = RATE[d];
    }
  }
  PetscFunctionReturn(0);
}

/* TR-BDF2 multiplies an eigenvector cos(k.x) of the stencil by its stability function. */
static void test_steps(void **state) {
  (void)state;
  const double d = 1 - sqrt(0.5), w = sqrt(2) / 4, dt = 0.04;
  const InkCoupling coupling = INK_NEIGHBOURS;
  const char *name = "p";
  for (int constant = 0; constant < 2; constant++) {
    const Case c = {.dim = 2,
                    .cells = {12, 8, 1},
                    .periodic = {true, true},
                    .count = 3,
                    .offset = {{1, 1, 0}, {1, -1, 0}, {2, 1, 0}}};
    const double k[2] = {2 * PETSC_PI * 2 / 12, 2 * PETSC_PI / 8};
    Problem p;
    InkStepper *stepper;
    InkProgress progress = {0};
    problem_create(&p, &c);
    const InkSystem system = {.context = &p,
                              .mesh = p.mesh,
                              .n = 1,
                              .field = &name,
                              .coupling = &coupling,
                              .reach = &p.reach,
                              .linear = true,
                              .constant = constant,
                              .rhs = rhs,
                              .capacity = capacity,
                              .jacobian = jacobian};
    for (int64_t i = toy_first(p.mesh); i >= 0; i = toy_next(p.mesh, i)) {
      int64_t at[3];
      where(p.mesh, i, at);
      p.x[i] = cos(k[0] * (double)at[0] + k[1] * (double)at[1]);
    }
    double z = 0, factor = 1;
    for (int e = 0; e < 5; e++)
      z += dt * RATE[e] * (2 * cos(k[0] * direction(&c, e)[0] + k[1] * direction(&c, e)[1]) - 2);
    for (int n = 0; n < 4; n++) factor *= (1 + w * z + w * z * (1 + d * z) / (1 - d * z)) / (1 - d * z);
    const InkStepperOptions options = {.method = INK_IMPLICIT, .tolerance = 1e-6, .dt = dt};
    OK(ink_stepper_create(&system, &options, &p.x, 0, &stepper));
    OK(ink_stepper_advance(stepper, 4 * dt, NULL, &progress));
    assert_int_equal(progress.failure.code, INK_DONE);
    assert_true(fabs(factor) > 1e-3);
    for (int64_t i = toy_first(p.mesh); i >= 0; i = toy_next(p.mesh, i)) {
      int64_t at[3];
      where(p.mesh, i, at);
      assert_true(fabs(p.x[i] - factor * cos(k[0] * (double)at[0] + k[1] * (double)at[1])) < 1e-11);
    }
    OK(ink_stepper_destroy(&stepper));
    problem_destroy(&p);
  }
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_two_axes),
      cmocka_unit_test(test_three_axes),
      cmocka_unit_test(test_no_reach),
      cmocka_unit_test(test_steps),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
