/* Chains on one rank: what is gathered is the mesh's, cell by cell, on any rank count, and what is scattered
 * comes back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/elimination.h"
#include "../../solvers/core/generator.h"

static InkMesh *made(int dim, const int64_t cells[3], unsigned periodic, int width) {
  InkAxisSpec spec[3];
  for (int a = 0; a < dim; a++)
    spec[a] = (InkAxisSpec){.from = 0, .to = 1, .cells = cells[a], .periodic = periodic >> a & 1};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build_wide(PETSC_COMM_WORLD, spec, dim, INK_CARTESIAN, width, &mesh, &failure),
                   0);
  assert_non_null(mesh);
  return mesh;
}

/* values = factor * (number of the cell + 1) in owned cells, -1 elsewhere. */
static void fill(const InkMesh *mesh, double factor, double *values) {
  for (int64_t c = 0; c < mesh->size; c++) values[c] = -1;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t row = mesh->start[1] + j + mesh->axis[1].cells * (mesh->start[2] + k);
        const int64_t cell = mesh->start[0] + i + mesh->axis[0].cells * row;
        values[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]] = factor * (double)(cell + 1);
      }
}

static const int64_t shapes[][3] = {{13, 1, 1}, {9, 14, 1}, {7, 6, 9}};
static int rank;

static void arrays_go_there_and_back(void **state) {
  (void)state;
  for (int c = 0; c < 6; c++) {
    const int dim = c / 2 + 1;
    InkMesh *mesh = made(dim, shapes[dim - 1], 2, c % 2 ? 3 : 1);
    double *values, *back, *all = NULL;
    assert_int_equal(ink_mesh_array(mesh, &values), 0);
    assert_int_equal(ink_mesh_array(mesh, &back), 0);
    if (rank == 0) assert_int_equal(PetscMalloc1(mesh->cells, &all), 0);
    fill(mesh, 3, values);
    for (int64_t i = 0; i < mesh->size; i++) back[i] = -1;
    assert_int_equal(ink_mesh_gather(mesh, values, all), 0);
    for (int64_t i = 0; rank == 0 && i < mesh->cells; i++) assert_true(all[i] == 3 * (double)(i + 1));
    assert_int_equal(ink_mesh_scatter(mesh, all, back), 0);
    assert_memory_equal(back, values, (size_t)mesh->size * sizeof *back); /* ghost cells are left alone */
    assert_int_equal(PetscFree(all), 0);
    ink_mesh_free(&values);
    ink_mesh_free(&back);
    assert_int_equal(ink_mesh_destroy(&mesh), 0);
  }
}

/* A generator by hand: three directions, the second of which no edge has; two sides that absorb. */
static void chains_are_gathered(void **state) {
  (void)state;
  InkMesh *mesh = made(2, shapes[1], 1, 2);
  InkGenerator g = {.mesh = mesh, .directions = 3, .offset = {{1, 0, 0}, {0, 1, 0}, {1, -1, 0}}};
  for (int d = 0; d < 3; d++) {
    assert_int_equal(ink_mesh_array(mesh, &g.up[d]), 0);
    assert_int_equal(ink_mesh_array(mesh, &g.down[d]), 0);
    if (d == 1) continue;
    fill(mesh, d + 1, g.up[d]);
    fill(mesh, d == 0 ? 0 : 0.5, g.down[d]);
  }
  for (int s = 2; s < 4; s++) {
    assert_int_equal(ink_mesh_array(mesh, &g.exit[s]), 0);
    fill(mesh, s, g.exit[s]);
  }
  assert_int_equal(ink_mesh_array(mesh, &g.volume), 0);
  fill(mesh, 7, g.volume);
  InkChain chain;
  assert_int_equal(ink_generator_gather(&g, &chain), 0);
  assert_int_equal(chain.dim, 2);
  assert_true(chain.periodic[0] && !chain.periodic[1] && !chain.periodic[2]);
  for (int a = 0; a < 3; a++) assert_int_equal(chain.cells[a], rank == 0 ? shapes[1][a] : 0);
  assert_int_equal(chain.directions, rank == 0 ? 2 : 0);
  static const int left[2][3] = {{1, 0, 0}, {1, -1, 0}};
  for (int d = 0; d < chain.directions; d++) assert_memory_equal(chain.offset[d], left[d], sizeof left[d]);
  for (int64_t c = 0; rank == 0 && c < mesh->cells; c++) {
    const double name = (double)(c + 1);
    assert_true(chain.up[0][c] == name && chain.down[0][c] == 0);
    assert_true(chain.up[1][c] == 3 * name && chain.down[1][c] == 0.5 * name);
    assert_true(chain.exit[c] == 5 * name && chain.volume[c] == 7 * name);
  }
  assert_int_equal(ink_chain_clear(&chain), 0);
  assert_null(chain.up);
  for (int d = 0; d < 3; d++) {
    ink_mesh_free(&g.up[d]);
    ink_mesh_free(&g.down[d]);
  }
  for (int s = 0; s < INK_SIDES; s++) ink_mesh_free(&g.exit[s]);
  ink_mesh_free(&g.volume);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arrays_go_there_and_back),
      cmocka_unit_test(chains_are_gathered),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
