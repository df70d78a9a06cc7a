/* Checks of the mesh section and the probes: each mistake gives its line at its place, good decks none, and
 * the deck's mesh is the mesh made. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../solvers/core/observe.h"

static const InkKey boundary_keys[] = {
    {.path = "boundary", .kind = INK_KIND_SECTION, .doc = "sides"},
    {.path = "boundary.*", .kind = INK_KIND_SECTION, .doc = "one side"},
    {.path = "boundary.*.type", .kind = INK_KIND_CHOICE, .choices = "symmetry|periodic", .doc = "its kind"},
    {.path = NULL},
};

static int fields_of(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  (void)root;
  names[0] = "u";
  names[1] = "v";
  return 2;
}

static InkDim any_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                       const InkDim *field_dim) {
  (void)root;
  (void)node;
  (void)field;
  (void)name;
  (void)field_dim;
  return ink_dim_any();
}

static const InkKey *const tables[] = {ink_common_keys, boundary_keys, NULL};
static const InkSchema schema = {.tables = tables, .fields = fields_of, .unit = any_unit};
static const InkSchema *find(const char *solver) { return strcmp(solver, "any") == 0 ? &schema : NULL; }
static const char *const solver_names[] = {"any", NULL};
static const InkSchemas schemas = {.find = find, .names = solver_names};

/* Reads `text` as a deck; it must be good as far as the key table goes. */
static InkDeck *read_text(const char *text, InkErrors *errors) {
  char path[] = "/tmp/ink_mesh_check_XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0);
  FILE *stream = fdopen(file, "w");
  fprintf(stream, "solver: any\ntime: {end: 1}\n%s", text);
  fclose(stream);
  InkDeck *deck = ink_deck_read(path, (const char *const[]){NULL}, &schemas, errors);
  unlink(path);
  if (ink_errors_count(errors) > 0) ink_errors_print(errors, stderr);
  assert_int_equal(ink_errors_count(errors), 0);
  return deck;
}

/* The checks' lines for the deck `text` on `ranks` ranks; free() it. */
static char *complaints(const char *text, int ranks) {
  char *lines = NULL;
  size_t size = 0;
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = read_text(text, errors);
  ink_mesh_check(deck, ranks, errors);
  ink_probes_check(deck, errors);
  FILE *stream = open_memstream(&lines, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  ink_deck_destroy(&deck);
  ink_errors_destroy(&errors);
  return lines;
}

static int count_lines(const char *text) {
  int count = 0;
  for (; *text; text++) count += *text == '\n';
  return count;
}

typedef struct Mistake {
  const char *deck;
  int ranks;
  const char *expected; /* part of the one line */
} Mistake;

static const Mistake mistakes[] = {
    {"mesh: {y: {from: 0, to: 1, cells: 4}}\n", 1, "axis x is missing"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}, z: {from: 0, to: 1, cells: 4}}\n", 1, "mesh.z: needs axis y too"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}, r: {from: 0, to: 1, cells: 4}}\n", 1,
     "mesh.r: cartesian coordinates"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}, w: {from: 0, to: 1, cells: 4}}\n", 1, "mesh.w: no such axis"},
    {"mesh: {x: {from: 0, cells: 4}}\n", 1, "to is missing"},
    {"mesh: {x: {from: 0, to: 4}}\n", 1, "cells is missing"},
    {"mesh: {x: {from: 2, to: 1, cells: 4}}\n", 1, "mesh.x.to: must be greater than 2, got 1"},
    {"mesh: {x: {from: 0, to: 1, cells: 100, grading: 1.5}}\n", 1, "mesh.x.grading: the widest cell is"},
    {"mesh: {x: {from: 0, to: 1, cells: 100000, grading: 3}}\n", 1, "mesh.x.grading: the widest cell is"},
    {"mesh: {x: {from: 1, to: 1.0000000000001, cells: 1000}}\n", 1, "too narrow"},
    {"mesh: {x: {from: 0, to: 1, segments: [{to: 1, cells: 4}]}}\n", 1, "mesh.x.to: stands in each"},
    {"mesh: {x: {from: 0, segments: [{to: 1, cells: 4}, {to: 0.5, cells: 4}]}}\n", 1,
     "mesh.x.segments[1].to: must be greater than 1, got 0.5"},
    {"mesh: {x: {from: 0, segments: [{to: 1e-9, cells: 4}, {to: 5, cells: 4}]}}\n", 1, "the widest cell is"},
    {"mesh: {coordinates: spherical, r: {from: -1, to: 1, cells: 4}}\n", 1, "mesh.r.from: a radius must not"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\n", 5, "mesh too small for 5 ranks"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\nboundary: {x_min: {type: periodic}}\n", 1,
     "boundary.x_min.type: periodic must stand on both ends"},
    {"mesh: {coordinates: cylindrical, r: {from: 1, to: 2, cells: 4}}\nboundary: {r_max: {type: periodic}}\n",
     1, "a radius cannot be periodic"},
    {"mesh: {coordinates: axisymmetric, r: {from: 0, to: 2, cells: 4}}\n", 1, "axis z is missing"},
    {"mesh: {coordinates: axisymmetric, z: {from: 0, to: 2, cells: 4}}\n", 1, "axis r is missing"},
    {"mesh: {coordinates: axisymmetric, r: {from: 0, to: 2, cells: 4}, z: {from: 0, to: 1, cells: 4}, "
     "x: {from: 0, to: 1, cells: 4}}\n",
     1, "mesh.x: axisymmetric coordinates have the axes r and z"},
    {"mesh: {coordinates: axisymmetric, r: {from: -2, to: 2, cells: 4}, z: {from: -1, to: 1, cells: 4}}\n", 1,
     "mesh.r.from: a radius must not"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\nprobes: {p: {field: w, at: [0.5]}}\n", 1,
     "probes.p.field: no field 'w'; the fields are: u, v"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\nprobes: {p: {at: [0.5]}}\n", 1, "field is missing"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\nprobes: {p: {field: u, at: [0.5, 1]}}\n", 1,
     "needs 1 coordinate,"},
    {"mesh: {x: {from: 0, to: 1, cells: 4}}\nprobes: {p: {field: u, at: [1.5]}}\n", 1, "outside the domain"},
};

static void each_mistake_gives_its_line(void **state) {
  (void)state;
  for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
    char *lines = complaints(mistakes[m].deck, mistakes[m].ranks);
    if (!strstr(lines, mistakes[m].expected) || count_lines(lines) != 1)
      fail_msg("%sexpected one line with '%s', got:\n%s", mistakes[m].deck, mistakes[m].expected, lines);
    free(lines);
  }
}

static void good_decks_give_none(void **state) {
  (void)state;
  static const char *const decks[] = {
      "mesh: {x: {from: 0, to: 1, cells: 4}}\nprobes: {p: {field: v, at: [1]}, q: {field: u, at: [0]}}\n",
      "mesh: {coordinates: cylindrical, r: {from: 0, to: 1, cells: 4, grading: 0.9}}\n",
      "mesh: {coordinates: axisymmetric, r: {from: 0, to: 1, cells: 4}, z: {from: -1, to: 1, cells: 4}}\n"
      "boundary: {z_min: {type: periodic}, z_max: {type: periodic}}\nprobes: {p: {field: u, at: [0, -1]}}\n",
      "mesh: {z: {from: 0, to: 1, cells: 4}, y: {from: 0, to: 1, cells: 4}, x: {from: 0, to: 1, cells: 4}}\n",
      "mesh: {x: {from: 0, to: 1, cells: 4}}\nboundary: {x_min: {type: periodic}, x_max: {type: periodic}}\n",
  };
  for (size_t d = 0; d < sizeof decks / sizeof *decks; d++) {
    char *lines = complaints(decks[d], 4);
    assert_string_equal(lines, "");
    free(lines);
  }
}

static void the_mesh_is_the_decks(void **state) {
  (void)state;
  InkErrors *errors = ink_errors_create();
  InkDeck *deck =
      read_text("mesh:\n  x: {from: -1 cm, segments: [{to: 0, cells: 4}, {to: 2 cm, cells: 3, grading: 2}]}\n"
                "  y: {from: 0, to: 3, cells: 5}\n"
                "boundary: {y_min: {type: periodic}, y_max: {type: periodic}}\n",
                errors);
  InkMesh *mesh;
  InkFailure failure = {0};
  InkGrid grid;
  assert_int_equal(ink_mesh_create(PETSC_COMM_WORLD, deck, &mesh, &failure), 0);
  assert_int_equal(mesh->dim, 2);
  assert_int_equal(mesh->cells, 35);
  assert_true(mesh->axis[0].from == -0.01 && mesh->axis[0].face[4] == 0 && mesh->axis[0].to == 0.02);
  assert_true(!mesh->axis[0].uniform && mesh->axis[1].uniform);
  assert_true(!mesh->axis[0].periodic && mesh->axis[1].periodic);
  ink_mesh_grid(mesh, deck, &grid);
  assert_string_equal(grid.axis[0].name, "y"); /* storage order: slowest first */
  assert_string_equal(grid.axis[1].name, "x");
  assert_string_equal(grid.axis[0].unit, "1");
  assert_string_equal(grid.axis[1].unit, "m");
  assert_int_equal(grid.box.size[0], 5);
  assert_int_equal(grid.box.size[1], 7);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
  ink_deck_destroy(&deck);
  ink_errors_destroy(&errors);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_mistake_gives_its_line),
      cmocka_unit_test(good_decks_give_none),
      cmocka_unit_test(the_mesh_is_the_decks),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
