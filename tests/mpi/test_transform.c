/* Fast transforms: the operator applied to the solution gives the right-hand side for all ends, axes and
 * kinds of sizes; the same bits on any rank count; spectra keep the variance and put a mode where it belongs.
 */
#include "toy_system.h"
#include "../../solvers/core/transform.h"

#define OK(call) assert_int_equal((call), 0)

static const double pi = 3.14159265358979323846;

typedef enum Ends { CLOSED, HELD, CLOSED_HELD, HELD_CLOSED, PERIODIC, ENDS } Ends;

typedef struct Case {
  int dim;
  int64_t cells[3];
  Ends ends[3];
} Case;

static InkMesh *make_mesh(const Case *c, MPI_Comm comm) {
  InkAxisSpec spec[3];
  for (int a = 0; a < c->dim; a++) /* cells between 0.5 and 1 wide */
    spec[a] = (InkAxisSpec){.from = -0.3 * a,
                            .to = -0.3 * a + (1.0 - 0.2 * a) * (double)c->cells[a],
                            .cells = c->cells[a],
                            .periodic = c->ends[a] == PERIODIC};
  InkFailure failure = {0};
  InkMesh *mesh;
  OK(ink_mesh_build(comm, spec, c->dim, INK_CARTESIAN, &mesh, &failure));
  assert_int_equal(failure.code, INK_DONE);
  return mesh;
}

static InkEnd end_of(Ends ends, int end) {
  if (ends == CLOSED || ends == PERIODIC) return INK_END_FLUX;
  if (ends == HELD) return INK_END_VALUE;
  return (ends == HELD_CLOSED) == (end == 0) ? INK_END_VALUE : INK_END_FLUX;
}

static InkTransform *make_transform(const Case *c, const InkMesh *mesh) {
  InkEnd end[3][2];
  for (int a = 0; a < 3; a++)
    for (int e = 0; e < 2; e++) end[a][e] = end_of(a < c->dim ? c->ends[a] : CLOSED, e);
  InkTransform *transform;
  OK(ink_transform_create(mesh, (const InkEnd(*)[2])end, &transform));
  return transform;
}

static int64_t global(const InkMesh *mesh, int64_t i, int axis) {
  return mesh->start[axis] + toy_local(mesh, i, axis);
}

static double varied(const InkMesh *mesh, int64_t i) {
  double phase = 0.4;
  for (int axis = 0; axis < mesh->dim; axis++)
    phase += 3.7 * (axis + 1) * (double)(1 + global(mesh, i, axis));
  return sin(phase) + 0.3 * cos(7 * phase * phase);
}

/* (shift - k Laplace_h) u in one cell. */
static double operator_at(const InkMesh *mesh, const Case *c, double shift, double k, const double *u,
                          int64_t i) {
  double sum = shift * u[i];
  for (int a = 0; a < mesh->dim; a++) {
    const InkAxis *axis = &mesh->axis[a];
    const double h = (axis->to - axis->from) / (double)axis->cells;
    const int64_t step = a == 0 ? 1 : mesh->stride[a];
    for (int end = 0; end < 2; end++) {
      const bool wall = !axis->periodic && global(mesh, i, a) == (end ? axis->cells - 1 : 0);
      if (wall && end_of(c->ends[a], end) == INK_END_FLUX) continue;
      sum += k / (h * h) * (u[i] - (wall ? -u[i] : u[end ? i + step : i - step]));
    }
  }
  return sum;
}

/* Solves on the ranks of comm; *values is what the caller frees. */
static InkMesh *solve(const Case *c, MPI_Comm comm, double shift, double k, double **values) {
  InkMesh *mesh = make_mesh(c, comm);
  InkTransform *transform = make_transform(c, mesh);
  double *b, *u;
  OK(ink_mesh_array(mesh, &b));
  OK(ink_mesh_array(mesh, &u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) b[i] = varied(mesh, i);
  OK(ink_transform_solve(transform, shift, k, b, u));
  OK(ink_mesh_exchange(mesh, u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) {
    const double back = operator_at(mesh, c, shift, k, u, i);
    if (!(fabs(back - varied(mesh, i)) < 1e-12))
      print_message("ends %d %d %d: %g instead of %g\n", c->ends[0], c->ends[1], c->ends[2], back,
                    varied(mesh, i));
    assert_true(fabs(back - varied(mesh, i)) < 1e-12);
    assert_true(b[i] == varied(mesh, i));
  }
  OK(ink_transform_solve(transform, shift, k, b, b)); /* in place */
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) assert_true(b[i] == u[i]);
  OK(ink_transform_destroy(&transform));
  ink_mesh_free(&b);
  *values = u;
  return mesh;
}

static void check(Case c, double shift, double k) {
  double *u, *alone;
  InkMesh *mesh = solve(&c, PETSC_COMM_WORLD, shift, k, &u),
          *whole = solve(&c, PETSC_COMM_SELF, shift, k, &alone);
  for (int64_t z = 0; z < mesh->count[2]; z++)
    for (int64_t y = 0; y < mesh->count[1]; y++)
      assert_memory_equal(u + mesh->origin + y * mesh->stride[1] + z * mesh->stride[2],
                          alone + whole->origin + mesh->start[0] + (mesh->start[1] + y) * whole->stride[1] +
                              (mesh->start[2] + z) * whole->stride[2],
                          (size_t)mesh->count[0] * sizeof(double));
  ink_mesh_free(&u);
  ink_mesh_free(&alone);
  OK(ink_mesh_destroy(&mesh));
  OK(ink_mesh_destroy(&whole));
}

static void test_one_axis(void **state) {
  (void)state;
  static const int64_t cells[] = {4, 5, 6, 7, 8, 13, 30, 31, 64, 97};
  for (size_t n = 0; n < sizeof cells / sizeof *cells; n++)
    for (int ends = 0; ends < ENDS; ends++) {
      check((Case){1, {cells[n]}, {(Ends)ends}}, 0.7, 0.4);
      check((Case){1, {cells[n]}, {(Ends)ends}}, 3, 0);
    }
}

static void test_two_axes(void **state) {
  (void)state;
  static const int64_t cells[][2] = {{16, 12}, {13, 7}, {5, 40}, {23, 34}, {1, 12}, {12, 1}, {4, 2}};
  for (size_t n = 0; n < sizeof cells / sizeof *cells; n++)
    for (int x = 0; x < ENDS; x++)
      for (int y = 0; y < ENDS; y++) check((Case){2, {cells[n][0], cells[n][1]}, {(Ends)x, (Ends)y}}, 1, 0.6);
}

static void test_three_axes(void **state) {
  (void)state;
  static const int64_t cells[][3] = {{6, 5, 7}, {9, 4, 8}};
  for (size_t n = 0; n < sizeof cells / sizeof *cells; n++)
    for (int ends = 0; ends < ENDS * ENDS * ENDS; ends++)
      check((Case){3,
                   {cells[n][0], cells[n][1], cells[n][2]},
                   {(Ends)(ends % ENDS), (Ends)(ends / ENDS % ENDS), (Ends)(ends / ENDS / ENDS)}},
            0.5, 0.3);
}

/* Without a shift where one end holds a value. */
static void test_stationary(void **state) {
  (void)state;
  for (int x = 0; x < ENDS; x++) {
    if (x == HELD || x == CLOSED_HELD || x == HELD_CLOSED) check((Case){1, {9}, {(Ends)x}}, 0, 1);
    check((Case){2, {10, 7}, {(Ends)x, HELD}}, 0, 1);
    check((Case){2, {10, 7}, {HELD_CLOSED, (Ends)x}}, 0, 1);
    check((Case){3, {6, 5, 4}, {(Ends)x, CLOSED_HELD, PERIODIC}}, 0, 1);
  }
}

/* A constant stays one, whatever k is, where nothing holds it. */
static void test_constant(void **state) {
  (void)state;
  const Case c = {3, {8, 6, 5}, {CLOSED, PERIODIC, CLOSED}};
  InkMesh *mesh = make_mesh(&c, PETSC_COMM_WORLD);
  InkTransform *transform = make_transform(&c, mesh);
  double *u;
  OK(ink_mesh_array(mesh, &u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) u[i] = 3;
  OK(ink_transform_solve(transform, 1.5, 1e3, u, u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) assert_true(fabs(u[i] - 2) < 1e-12);
  OK(ink_transform_destroy(&transform));
  ink_mesh_free(&u);
  OK(ink_mesh_destroy(&mesh));
}

/* The content is kept to round-off where no end holds a value, however fast diffusion is. */
static void test_content(void **state) {
  (void)state;
  for (int y = 0; y < 2; y++) {
    const Case c = {2, {24, 50}, {CLOSED, y ? PERIODIC : CLOSED}};
    InkMesh *mesh = make_mesh(&c, PETSC_COMM_WORLD);
    InkTransform *transform = make_transform(&c, mesh);
    double *u, content[2] = {0, 0};
    OK(ink_mesh_array(mesh, &u));
    for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) {
      u[i] = 1 + varied(mesh, i);
      content[0] += u[i];
    }
    OK(ink_transform_solve(transform, 1, y ? 1e4 : 1e12, u, u));
    for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) content[1] += u[i];
    OK(MPI_Allreduce(MPI_IN_PLACE, content, 2, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
    assert_true(fabs(content[1] / content[0] - 1) < 1e-13);
    OK(ink_transform_destroy(&transform));
    ink_mesh_free(&u);
    OK(ink_mesh_destroy(&mesh));
  }
}

/* ---- spectra ---- */

enum { BINS = 40 };

static void spectrum(const Case *c, MPI_Comm comm, double (*value)(const InkMesh *, int64_t), double bin,
                     double power[BINS], double modes[BINS], double *variance) {
  InkMesh *mesh = make_mesh(c, comm);
  InkTransform *transform = make_transform(c, mesh);
  double *u, sum[2] = {0, 0};
  OK(ink_mesh_array(mesh, &u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) {
    u[i] = value(mesh, i);
    sum[0] += u[i];
    sum[1] += u[i] * u[i];
  }
  OK(ink_transform_power(transform, u, bin, BINS, power, modes));
  OK(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, comm));
  const double n = (double)mesh->cells;
  *variance = sum[1] / n - sum[0] / n * (sum[0] / n);
  OK(ink_transform_destroy(&transform));
  ink_mesh_free(&u);
  OK(ink_mesh_destroy(&mesh));
}

/* The power of all modes is the variance, and no mode is left out or counted twice. */
static void test_parseval(void **state) {
  (void)state;
  for (int ends = 0; ends < ENDS * ENDS; ends++)
    for (int dim = 1; dim <= 3; dim++) {
      const Case c = {dim, {9, 8, 5}, {(Ends)(ends % ENDS), (Ends)(ends / ENDS), PERIODIC}};
      double power[BINS], modes[BINS], alone[BINS], variance, total = 0, count = 0;
      spectrum(&c, PETSC_COMM_WORLD, varied, 0.5, power, modes, &variance);
      for (int b = 0; b < BINS; b++) {
        total += power[b];
        count += modes[b];
      }
      assert_true(fabs(total - variance) < 1e-13);
      assert_true(count == (dim > 2 ? 5 : 1) * (dim > 1 ? 8 : 1) * 9 - 1);
      spectrum(&c, PETSC_COMM_SELF, varied, 0.5, alone, modes, &variance);
      assert_memory_equal(power, alone, sizeof power);
    }
}

static double one_mode(const InkMesh *mesh, int64_t i) {
  double value = 3;
  for (int a = 0; a < mesh->dim; a++) {
    const InkAxis *axis = &mesh->axis[a];
    const double x = (toy_at(mesh, i, a) - axis->from) / (axis->to - axis->from);
    value *= cos(axis->periodic ? 2 * pi * 3 * x + 0.4 : pi * 4 * x);
  }
  return 1 + value;
}

static void test_single_mode(void **state) {
  (void)state;
  for (int ends = 0; ends < 4; ends++)
    for (int dim = 1; dim <= 2; dim++) {
      const Case c = {dim, {20, 15}, {ends % 2 ? PERIODIC : CLOSED, ends / 2 ? PERIODIC : HELD}};
      const double x = (ends % 2 ? 6 : 4) * pi / 20, y = (ends / 2 ? 6 : 4) * pi / (0.8 * 15);
      const double wave = dim == 1 ? x : hypot(x, y), bin = 0.13;
      double power[BINS], modes[BINS], variance;
      spectrum(&c, PETSC_COMM_WORLD, one_mode, bin, power, modes, &variance);
      for (int b = 0; b < BINS; b++) {
        const double expected = b == (int)floor(wave / bin + 0.5) ? (dim == 1 ? 4.5 : 2.25) : 0;
        assert_true(fabs(power[b] - expected) < 1e-12);
      }
    }
}

/* Cells of unequal widths are taken as if they were equal. */
static void test_spectrum_of_any_mesh(void **state) {
  (void)state;
  InkFailure failure = {0};
  InkMesh *mesh;
  InkTransform *transform;
  static const InkEnd closed[3][2];
  double power[BINS], modes[BINS], total = 0, *u;
  OK(ink_mesh_build(PETSC_COMM_WORLD, &(InkAxisSpec){.to = 8, .cells = 16, .grading = 1.1}, 1, INK_CARTESIAN,
                    &mesh, &failure));
  OK(ink_mesh_array(mesh, &u));
  for (int64_t i = toy_first(mesh); i >= 0; i = toy_next(mesh, i)) u[i] = global(mesh, i, 0) % 2 ? 1 : -1;
  OK(ink_transform_create(mesh, closed, &transform));
  OK(ink_transform_power(transform, u, 0.5, BINS, power, modes));
  for (int b = 0; b < BINS; b++) total += power[b];
  assert_true(fabs(total - 1) < 1e-13);
  OK(ink_transform_destroy(&transform));
  ink_mesh_free(&u);
  OK(ink_mesh_destroy(&mesh));
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_axis),
      cmocka_unit_test(test_two_axes),
      cmocka_unit_test(test_three_axes),
      cmocka_unit_test(test_stationary),
      cmocka_unit_test(test_constant),
      cmocka_unit_test(test_content),
      cmocka_unit_test(test_parseval),
      cmocka_unit_test(test_single_mode),
      cmocka_unit_test(test_spectrum_of_any_mesh),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
