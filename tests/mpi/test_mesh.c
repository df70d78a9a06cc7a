/* The mesh on any rank count: owners cover the cells once, arrays are laid out as promised, and after an
 * exchange every ghost holds its neighbour's value while walls are left alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/observe.h"

static InkMesh *made(int dim, const int64_t cells[3], unsigned periodic) {
  InkAxisSpec spec[3];
  for (int a = 0; a < dim; a++)
    spec[a] = (InkAxisSpec){.from = 0, .to = 1, .cells = cells[a], .periodic = periodic >> a & 1};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, spec, dim, INK_CARTESIAN, &mesh, &failure), 0);
  assert_non_null(mesh);
  assert_int_equal(failure.code, INK_DONE);
  return mesh;
}

/* A value that names the global cell; periodic axes wrap. */
static double cell_name(const InkMesh *mesh, const int64_t global[3]) {
  double name = 1;
  for (int a = 2; a >= 0; a--) {
    int64_t n = mesh->axis[a].cells;
    name = name * (double)n + (double)((global[a] + n) % n);
  }
  return name;
}

static void fill(const InkMesh *mesh, double factor, double *values) {
  double *first = ink_mesh_first(mesh, values);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        int64_t global[3] = {mesh->start[0] + i, mesh->start[1] + j, mesh->start[2] + k};
        first[i + j * mesh->stride[1] + k * mesh->stride[2]] = factor * cell_name(mesh, global);
      }
}

/* Checks cell (i,j,k) and its ghosts along each axis. */
static void check_neighbours(const InkMesh *mesh, double factor, const double *first, int64_t i, int64_t j,
                             int64_t k) {
  int64_t local[3] = {i, j, k};
  int64_t at = i + j * mesh->stride[1] + k * mesh->stride[2];
  for (int a = 0; a < mesh->dim; a++)
    for (int step = -1; step <= 1; step += 2) {
      int64_t global[3];
      for (int b = 0; b < 3; b++) global[b] = mesh->start[b] + local[b] + (a == b ? step : 0);
      bool outside = global[a] < 0 || global[a] >= mesh->axis[a].cells;
      double expected = outside && !mesh->axis[a].periodic ? 0 : factor * cell_name(mesh, global);
      assert_true(first[at + step * mesh->stride[a]] == expected);
    }
}

static void check_exchange(int dim, const int64_t cells[3], unsigned periodic) {
  InkMesh *mesh = made(dim, cells, periodic);
  enum { FIELDS = 3 };
  double *values;
  assert_int_equal(ink_mesh_fields(mesh, FIELDS, &values), 0);
  for (int f = 0; f < FIELDS; f++) fill(mesh, f + 1, values + f * mesh->size);
  assert_int_equal(ink_mesh_exchange(mesh, values), 0);
  for (int twice = 0; twice < 2; twice++) assert_int_equal(ink_mesh_exchange_fields(mesh, FIELDS, values), 0);
  for (int f = 0; f < FIELDS; f++) {
    const double *first = ink_mesh_first(mesh, values + f * mesh->size);
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) check_neighbours(mesh, f + 1, first, i, j, k);
  }
  ink_mesh_free(&values);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
  assert_null(mesh);
}

static void ghosts_hold_the_neighbours_values(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{13, 1, 1}, {4, 1, 1}, {9, 7, 1}, {4, 11, 1},
                                      {4, 2, 1},  {5, 6, 7}, {9, 2, 2}};
  static const int dims[] = {1, 1, 2, 2, 2, 3, 3};
  for (int s = 0; s < 7; s++)
    for (unsigned periodic = 0; periodic < 1u << dims[s]; periodic++)
      check_exchange(dims[s], shapes[s], periodic);
}

static void every_cell_has_one_owner(void **state) {
  (void)state;
  static const int64_t cells[3] = {7, 6, 5};
  InkMesh *mesh = made(3, cells, 0);
  int owners[210] = {0};
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++)
        owners[mesh->start[0] + i + 7 * (mesh->start[1] + j + 6 * (mesh->start[2] + k))]++;
  MPI_Allreduce(MPI_IN_PLACE, owners, 210, MPI_INT, MPI_SUM, PETSC_COMM_WORLD);
  for (int c = 0; c < 210; c++) assert_int_equal(owners[c], 1);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

static void rows_are_aligned(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{510, 40, 1}, {37, 5, 6}, {1022, 30, 5}};
  static const int dims[] = {2, 3, 3};
  for (int s = 0; s < 3; s++) {
    InkMesh *mesh = made(dims[s], shapes[s], 0);
    double *values;
    assert_int_equal(ink_mesh_array(mesh, &values), 0);
    assert_int_equal((uintptr_t)values % 64, 0);
    assert_int_equal(mesh->origin % 8, 0);
    for (int a = 1; a < dims[s]; a++) assert_true(mesh->stride[a] % 8 == 0 && mesh->stride[a] % 512 != 0);
    int64_t last = mesh->origin, low = mesh->origin;
    for (int a = 0; a < dims[s]; a++) last += mesh->count[a] * mesh->stride[a], low -= mesh->stride[a];
    assert_true(low >= 0 && last < mesh->size);
    for (int64_t i = 0; i < mesh->size; i++) assert_true(values[i] == 0);
    ink_mesh_free(&values);
    assert_int_equal(ink_mesh_destroy(&mesh), 0);
  }
}

static void sides_count_the_boundary_cells(void **state) {
  (void)state;
  static const int64_t cells[3] = {6, 5, 4}, across[3] = {20, 24, 30};
  InkMesh *mesh = made(3, cells, 2); /* periodic in y */
  for (int side = 0; side < INK_SIDES; side++) {
    int64_t count = ink_side_count(mesh, side), covered = count;
    InkBox box;
    ink_side_box(mesh, side, &box);
    assert_int_equal(box.count[0] * box.count[1], count);
    MPI_Allreduce(MPI_IN_PLACE, &covered, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
    assert_int_equal(ink_side_exists(mesh, side), side / 2 != 1);
    assert_int_equal(covered, side / 2 == 1 ? 0 : across[side / 2]);
  }
  assert_string_equal(ink_side_name(mesh, 5), "z_max");
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

static void a_radius_from_zero_has_no_inner_side(void **state) {
  (void)state;
  InkAxisSpec spec = {.from = 0, .to = 2, .cells = 12};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, &spec, 1, INK_SPHERICAL, &mesh, &failure), 0);
  assert_false(ink_side_exists(mesh, 0));
  assert_true(ink_side_exists(mesh, 1));
  assert_string_equal(ink_side_name(mesh, 1), "r_max");
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

/* r and z: the volumes add up to the cylinder's, the sides are named after the axes, and expressions of r and
 * z are evaluated where they should be. */
static void axisymmetric_meshes_are_cylinders(void **state) {
  (void)state;
  const double pi = 3.14159265358979323846;
  InkAxisSpec spec[2] = {{.from = 0, .to = 2, .cells = 12, .grading = 1.1},
                         {.from = -1, .to = 2, .cells = 9}};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, spec, 2, INK_AXISYMMETRIC, &mesh, &failure), 0);
  assert_string_equal(ink_side_name(mesh, 1), "r_max");
  assert_string_equal(ink_side_name(mesh, 2), "z_min");
  assert_false(ink_side_exists(mesh, 0));
  assert_true(ink_side_exists(mesh, 3));
  InkPool *pool = ink_pool_create();
  const InkExpr *sum = ink_expr_binary(pool, INK_OP_ADD, ink_expr_variable(pool, INK_VAR_R),
                                       ink_expr_variable(pool, INK_VAR_Z));
  InkProgram *program = ink_program_create(1, &sum, INK_ROW_UNIFORM, failure.message, sizeof failure.message);
  double *values, volume = 0;
  assert_int_equal(ink_mesh_fields(mesh, 2, &values), 0);
  assert_int_equal(ink_mesh_evaluate(mesh, program, 0, 0, NULL, (double *[]){values + mesh->size}), 0);
  for (int64_t j = 0; j < mesh->count[1]; j++)
    for (int64_t i = 0; i < mesh->count[0]; i++) {
      const double r = mesh->axis[0].centroid[mesh->start[0] + i],
                   z = mesh->axis[1].centroid[mesh->start[1] + j];
      assert_true(values[mesh->size + mesh->origin + i + j * mesh->stride[1]] == r + z);
      volume += ink_mesh_volume(mesh, i, j, 0);
    }
  MPI_Allreduce(MPI_IN_PLACE, &volume, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  assert_true(fabs(volume - 12 * pi) < 1e-12);
  ink_mesh_free(&values);
  ink_program_destroy(&program);
  ink_pool_destroy(&pool);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

static void too_many_ranks_are_a_usage_failure(void **state) {
  (void)state;
  int ranks;
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  InkAxisSpec spec = {.from = 0, .to = 1, .cells = ranks > 1 ? ranks - 1 : 1};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, &spec, 1, INK_CARTESIAN, &mesh, &failure), 0);
  if (ranks > 1) {
    assert_null(mesh);
    assert_int_equal(failure.code, INK_USAGE);
    assert_non_null(strstr(failure.message, "mesh too small for"));
    assert_non_null(strstr(failure.message, "use at most"));
  } else
    assert_non_null(mesh);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ghosts_hold_the_neighbours_values),
      cmocka_unit_test(every_cell_has_one_owner),
      cmocka_unit_test(rows_are_aligned),
      cmocka_unit_test(sides_count_the_boundary_cells),
      cmocka_unit_test(a_radius_from_zero_has_no_inner_side),
      cmocka_unit_test(axisymmetric_meshes_are_cylinders),
      cmocka_unit_test(too_many_ranks_are_a_usage_failure),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
