/* Wide meshes on any rank count: after an exchange every ghost within the domain, those of edges and corners
 * too, holds its owner's value, and those beyond walls are left alone; every rank has the cells that its
 * neighbours ask for; rows stay aligned. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/mesh.h"

static const double untouched = -1;

static InkMesh *made(int dim, const int64_t cells[3], unsigned periodic, int width) {
  InkAxisSpec spec[3];
  for (int a = 0; a < dim; a++)
    spec[a] = (InkAxisSpec){.to = 1, .cells = cells[a], .periodic = periodic >> a & 1};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build_wide(PETSC_COMM_WORLD, spec, dim, INK_CARTESIAN, width, &mesh, &failure),
                   0);
  if (!mesh) fail_msg("%s", failure.message);
  return mesh;
}

/* The number of a global cell, wrapped across periodic ends; `untouched` beyond a wall. */
static double cell_number(const InkMesh *mesh, const int64_t global[3]) {
  double number = 0;
  for (int a = 2; a >= 0; a--) {
    const int64_t n = mesh->axis[a].cells, at = (global[a] + n) % n;
    if (at != global[a] && !mesh->axis[a].periodic) return untouched;
    number = number * (double)n + (double)at;
  }
  return number;
}

/* Calls visit for the cells of this rank and `layers` ghosts around them. */
static void each_cell(const InkMesh *mesh, int layers, double factor, double *values,
                      void visit(const InkMesh *, const int64_t[3], double, double *)) {
  int64_t extra[3] = {layers, mesh->dim > 1 ? layers : 0, mesh->dim > 2 ? layers : 0};
  for (int64_t k = -extra[2]; k < mesh->count[2] + extra[2]; k++)
    for (int64_t j = -extra[1]; j < mesh->count[1] + extra[1]; j++)
      for (int64_t i = -extra[0]; i < mesh->count[0] + extra[0]; i++) {
        const int64_t global[3] = {mesh->start[0] + i, mesh->start[1] + j, mesh->start[2] + k};
        const int64_t at = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
        assert_true(at >= 0 && at < mesh->size);
        visit(mesh, global, factor, &values[at]);
      }
}

static void fill(const InkMesh *mesh, const int64_t global[3], double factor, double *value) {
  *value = factor * cell_number(mesh, global);
}

static void compare(const InkMesh *mesh, const int64_t global[3], double factor, double *value) {
  const double number = cell_number(mesh, global),
               expected = number == untouched ? untouched : factor * number;
  if (*value != expected)
    fail_msg("cell (%d, %d, %d): %g, expected %g", (int)global[0], (int)global[1], (int)global[2], *value,
             expected);
}

static void check_exchange(int dim, const int64_t cells[3], unsigned periodic, int width) {
  enum { FIELDS = 2 };
  InkMesh *mesh = made(dim, cells, periodic, width);
  double *values;
  assert_int_equal(ink_mesh_fields(mesh, FIELDS, &values), 0);
  for (int64_t i = 0; i < FIELDS * mesh->size; i++) values[i] = untouched;
  for (int f = 0; f < FIELDS; f++) each_cell(mesh, 0, f + 1, values + f * mesh->size, fill);
  for (int twice = 0; twice < 2; twice++) assert_int_equal(ink_mesh_exchange_fields(mesh, FIELDS, values), 0);
  for (int f = 0; f < FIELDS; f++) each_cell(mesh, width, f + 1, values + f * mesh->size, compare);
  ink_mesh_free(&values);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

static void ghosts_of_edges_and_corners_are_filled(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{12, 1, 1}, {13, 12, 1}, {6, 40, 1},
                                      {3, 19, 1}, {7, 6, 13},  {12, 6, 3}};
  static const int dims[] = {1, 2, 2, 2, 3, 3};
  for (int s = 0; s < 6; s++)
    for (unsigned periodic = 0; periodic < 1u << dims[s]; periodic++)
      for (int width = 2; width <= 3; width++) check_exchange(dims[s], shapes[s], periodic, width);
}

static void every_rank_has_the_cells_its_neighbours_need(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{12, 1, 1}, {7, 12, 1}, {13, 3, 1}, {9, 6, 3}};
  static const int dims[] = {1, 2, 2, 3};
  for (int s = 0; s < 4; s++) {
    InkMesh *mesh = made(dims[s], shapes[s], 0, 3);
    assert_int_equal(mesh->width, 3);
    for (int a = 0; a < dims[s]; a++) assert_true(mesh->count[a] >= 3);
    assert_int_equal(ink_mesh_destroy(&mesh), 0);
  }
}

static void rows_stay_aligned(void **state) {
  (void)state;
  static const int64_t cells[3] = {40, 17, 1};
  for (int width = 1; width <= 9; width += 4) {
    InkMesh *mesh = made(2, cells, 1, width);
    assert_int_equal(mesh->origin % 8, 0);
    assert_int_equal(mesh->stride[1] % 8, 0);
    assert_int_equal(mesh->size % 8, 0);
    assert_true(mesh->stride[1] >= mesh->count[0] + 2 * width);
    assert_int_equal(ink_mesh_destroy(&mesh), 0);
  }
}

/* Layout, cuts and exchange of a mesh made with width 1 are those of a plain one. */
static void width_one_is_a_plain_mesh(void **state) {
  (void)state;
  const InkAxisSpec spec[3] = {
      {.to = 1, .cells = 9, .periodic = true}, {.to = 1, .cells = 8}, {.to = 1, .cells = 5}};
  InkFailure failure = {0};
  InkMesh *plain, *wide;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, spec, 3, INK_CARTESIAN, &plain, &failure), 0);
  assert_int_equal(ink_mesh_build_wide(PETSC_COMM_WORLD, spec, 3, INK_CARTESIAN, 1, &wide, &failure), 0);
  assert_true(plain->origin == wide->origin && plain->size == wide->size);
  assert_memory_equal(plain->stride, wide->stride, sizeof plain->stride);
  assert_memory_equal(plain->count, wide->count, sizeof plain->count);
  double *values;
  assert_int_equal(ink_mesh_array(wide, &values), 0);
  for (int64_t i = 0; i < wide->size; i++) values[i] = untouched;
  each_cell(wide, 0, 1, values, fill);
  assert_int_equal(ink_mesh_exchange(wide, values), 0);
  assert_true(values[wide->origin - 1 - wide->stride[1]] == untouched); /* an edge */
  ink_mesh_free(&values);
  assert_int_equal(ink_mesh_destroy(&plain), 0);
  assert_int_equal(ink_mesh_destroy(&wide), 0);
}

static void what_is_too_small_is_a_usage_failure(void **state) {
  (void)state;
  int ranks;
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  InkAxisSpec spec = {.to = 1, .cells = 3 * ranks - 1};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build_wide(PETSC_COMM_WORLD, &spec, 1, INK_CARTESIAN, 3, &mesh, &failure), 0);
  assert_null(mesh);
  assert_int_equal(failure.code, INK_USAGE);
  char use[64];
  snprintf(use, sizeof use, "3 along each axis; use at most %d", ranks - 1);
  assert_non_null(strstr(failure.message, ranks > 1 ? use : "3 along each axis are needed"));
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ghosts_of_edges_and_corners_are_filled),
      cmocka_unit_test(every_rank_has_the_cells_its_neighbours_need),
      cmocka_unit_test(rows_stay_aligned),
      cmocka_unit_test(width_one_is_a_plain_mesh),
      cmocka_unit_test(what_is_too_small_is_a_usage_failure),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
