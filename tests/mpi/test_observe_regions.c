/* Connected regions: known figures, and random ones against a flood fill of the whole mesh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>
#include "../../solvers/core/observe.h"

/* A figure: the cells above the level, '#' in a text of rows, the first row at the lowest y. */
typedef struct Figure {
  int64_t cells[3];
  const char *text;
  bool periodic[3];
  uint64_t seed; /* of a random figure, when there is no text */
} Figure;

/* A number in [0, 1) that depends on the cell alone (splitmix64). */
static double chance(uint64_t seed, int64_t cell) {
  uint64_t z = seed * 0x9E3779B97F4A7C15ull + (uint64_t)cell * 0xD1B54A32D192ED03ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double value_at(const Figure *figure, const int64_t at[3]) {
  int64_t cell = at[0] + figure->cells[0] * (at[1] + figure->cells[1] * at[2]);
  if (figure->text) return figure->text[cell] == '#' ? 1 : 0;
  return chance(figure->seed, cell);
}

static InkMesh *mesh_of(MPI_Comm comm, const Figure *figure) {
  InkAxisSpec spec[3];
  InkMesh *mesh;
  InkFailure failure = {0};
  int dim = figure->cells[2] > 1 ? 3 : figure->cells[1] > 1 ? 2 : 1;
  for (int a = 0; a < dim; a++)
    spec[a] = (InkAxisSpec){.from = 0, .to = 1, .cells = figure->cells[a], .periodic = figure->periodic[a]};
  assert_int_equal(ink_mesh_build(comm, spec, dim, INK_CARTESIAN, &mesh, &failure), 0);
  assert_non_null(mesh);
  return mesh;
}

static int64_t counted(MPI_Comm comm, const Figure *figure, double level) {
  InkMesh *mesh = mesh_of(comm, figure);
  double *values;
  int64_t p[3], count = -1;
  assert_int_equal(ink_mesh_array(mesh, &values), 0);
  for (int64_t i = 0; i < mesh->size; i++) values[i] = 7; /* ghosts are not to be read */
  for (p[2] = 0; p[2] < mesh->count[2]; p[2]++)
    for (p[1] = 0; p[1] < mesh->count[1]; p[1]++)
      for (p[0] = 0; p[0] < mesh->count[0]; p[0]++) {
        const int64_t at[3] = {mesh->start[0] + p[0], mesh->start[1] + p[1], mesh->start[2] + p[2]};
        values[mesh->origin + p[0] + p[1] * mesh->stride[1] + p[2] * mesh->stride[2]] = value_at(figure, at);
      }
  InkFieldView view = {.mesh = mesh, .values = values};
  assert_int_equal(ink_observe_regions(&view, level, &count), 0);
  ink_mesh_free(&values);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
  return count;
}

/* Marks all that hangs together with the first cell on the stack. */
static void flood(const Figure *figure, double level, bool *seen, int64_t *stack) {
  for (int64_t depth = 1; depth > 0;) {
    int64_t cell = stack[--depth];
    for (int side = 0; side < 6; side++) {
      int a = side / 2;
      int64_t at[3] = {cell % figure->cells[0], cell / figure->cells[0] % figure->cells[1],
                       cell / figure->cells[0] / figure->cells[1]};
      at[a] += side % 2 ? 1 : -1;
      if (figure->periodic[a]) at[a] = (at[a] + figure->cells[a]) % figure->cells[a];
      if (at[a] < 0 || at[a] >= figure->cells[a] || value_at(figure, at) <= level) continue;
      int64_t beside = at[0] + figure->cells[0] * (at[1] + figure->cells[1] * at[2]);
      if (seen[beside]) continue;
      seen[beside] = true;
      stack[depth++] = beside;
    }
  }
}

static int64_t flooded(const Figure *figure, double level) {
  int64_t cells = figure->cells[0] * figure->cells[1] * figure->cells[2], count = 0;
  bool *seen = calloc((size_t)cells, sizeof *seen);
  int64_t *stack = calloc((size_t)cells, sizeof *stack);
  for (int64_t cell = 0; cell < cells; cell++) {
    const int64_t at[3] = {cell % figure->cells[0], cell / figure->cells[0] % figure->cells[1],
                           cell / figure->cells[0] / figure->cells[1]};
    if (seen[cell] || value_at(figure, at) <= level) continue;
    count++;
    seen[cell] = true;
    stack[0] = cell;
    flood(figure, level, seen, stack);
  }
  free(seen);
  free(stack);
  return count;
}

static const char corners[] = "##....##"
                              "#......#"
                              "........"
                              "...##..."
                              "........"
                              "........"
                              "........"
                              "#.....##";
static const char diagonal[] = "#.#.#.#."
                               ".#.#.#.#"
                               "#.#.#.#."
                               ".#.#.#.#"
                               "........"
                               "##......"
                               "..##...."
                               "....##..";
static const char rings[] = "########"
                            "#......#"
                            "#.####.#"
                            "#.#..#.#"
                            "#.#..#.#"
                            "#.####.#"
                            "#......#"
                            "########";
static const char stripes[] = "##..##.."
                              "##..##.."
                              "##..##.."
                              "##..##.."
                              "##..##.."
                              "##..##.."
                              "##..##.."
                              "##..##..";
static const char snake[] = "########"
                            ".......#"
                            "########"
                            "#......."
                            "########"
                            ".......#"
                            "########"
                            "#.......";
static const char spiral[] = "########"
                             ".......#"
                             "######.#"
                             "#....#.#"
                             "#.#..#.#"
                             "#.####.#"
                             "#......#"
                             "########";

static void known_figures(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool x, y;
    int count;
  } cases[] = {{corners, false, false, 5},   {corners, true, false, 3}, {corners, true, true, 2},
               {diagonal, false, false, 19}, {rings, false, false, 2},  {rings, true, true, 2},
               {stripes, false, false, 2},   {stripes, true, true, 2},  {snake, false, false, 1},
               {snake, false, true, 1},      {spiral, false, false, 1}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    Figure figure = {.cells = {8, 8, 1}, .text = cases[c].text, .periodic = {cases[c].x, cases[c].y}};
    assert_int_equal(flooded(&figure, 0.5), cases[c].count); /* the test's own count is right */
    assert_int_equal(counted(PETSC_COMM_WORLD, &figure, 0.5), cases[c].count);
  }
}

static void empty_and_full(void **state) {
  (void)state;
  for (int periodic = 0; periodic < 2; periodic++) {
    Figure figure = {
        .cells = {9, 7, 5}, .seed = 1, .periodic = {periodic == 1, periodic == 1, periodic == 1}};
    assert_int_equal(counted(PETSC_COMM_WORLD, &figure, 2), 0);
    assert_int_equal(counted(PETSC_COMM_WORLD, &figure, -1), 1);
  }
}

/* The level itself is not above the level, and NaN is not either. */
static void the_level_is_left_out(void **state) {
  (void)state;
  Figure figure = {.cells = {8, 8, 1}, .text = stripes};
  assert_int_equal(counted(PETSC_COMM_WORLD, &figure, 1), 0);
  assert_int_equal(counted(PETSC_COMM_WORLD, &figure, NAN), 0);
  assert_int_equal(counted(PETSC_COMM_WORLD, &figure, 0), 2);
}

/* Random figures near the percolation threshold have regions of all sizes and shapes. */
static void random_figures_agree_with_a_flood_fill(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{40, 1, 1}, {31, 23, 1}, {40, 40, 1}, {11, 9, 8}};
  for (uint64_t seed = 0; seed < 48; seed++) {
    const int64_t *size = sizes[seed % 4];
    Figure figure = {.cells = {size[0], size[1], size[2]},
                     .seed = seed,
                     .periodic = {(seed / 4) % 2 == 1, (seed / 8) % 2 == 1, (seed / 16) % 2 == 1}};
    double level = size[2] > 1 ? 0.68 : size[1] > 1 ? 0.41 : 0.3; /* 0.32 and 0.59 of the cells */
    int64_t expected = flooded(&figure, level);
    assert_true(expected > 1);
    assert_int_equal(counted(PETSC_COMM_WORLD, &figure, level), expected);
  }
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_figures),
      cmocka_unit_test(empty_and_full),
      cmocka_unit_test(the_level_is_left_out),
      cmocka_unit_test(random_figures_agree_with_a_flood_fill),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
