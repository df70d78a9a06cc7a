/* Decks whose state variables are the axes of the domain: names, dimensions and sides; what is wrong; the
 * mesh made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "state_deck.h"

static InkDeck *good_deck(const char *text) {
  char *lines;
  InkDeck *deck = state_deck(text, &lines);
  assert_string_equal(lines, "");
  free(lines);
  return deck;
}

static bool is_dim(const InkDim *dim, const char *unit) {
  const InkDim wanted = ink_dim_of(unit);
  return dim->known && ink_dim_equal(dim, &wanted);
}

static void state_variables_are_the_axes(void **state) {
  (void)state;
  InkDeck *deck = good_deck(state_good);
  const InkDomainAxis *axes;
  assert_int_equal(ink_deck_state(deck, &axes), 2);
  assert_string_equal(axes[0].name, "V");
  assert_string_equal(axes[0].section, "model.state.V");
  assert_string_equal(axes[0].side[0], "V_min");
  assert_string_equal(axes[0].side[1], "V_max");
  assert_true(is_dim(&axes[0].dim, "V"));
  assert_false(axes[1].dim.known);
  assert_string_equal(axes[1].unit, "1");
  assert_int_equal(ink_deck_dimension(deck), 2);
  assert_int_equal(ink_deck_axis(deck, "x"), 1);
  assert_int_equal(ink_deck_axis(deck, "y"), -1);
  assert_string_equal(ink_deck_variable_names(deck)[INK_VAR_X], "V");
  assert_string_equal(ink_deck_variable_names(deck)[INK_VAR_Y], "x");
  const char *sides[INK_SIDES];
  ink_deck_sides(deck, sides);
  assert_string_equal(sides[1], "V_max");
  assert_string_equal(sides[2], "x_min");
  assert_string_equal(sides[4], "");
  assert_true(ink_deck_side_is_periodic(deck, "x_min"));
  assert_false(ink_deck_side_is_periodic(deck, "V_max"));
  assert_null(ink_deck_node(deck, "mesh"));
  ink_deck_destroy(&deck);
}

/* exp(-(V/width)^2) z + cos(pi x) at V = 10 mV, x = 1/2: only if V is variable X, x is variable Y. */
static void expressions_are_of_the_state(void **state) {
  (void)state;
  InkDeck *deck = good_deck(state_good);
  double at[INK_VARS] = {[INK_VAR_X] = 0.01, [INK_VAR_Y] = 0.5, [INK_VAR_T] = 7};
  const double value = ink_expr_value(ink_deck_expression(deck, "initial.density"), at);
  assert_true(fabs(value - 2 * exp(-4)) < 1e-14);
  assert_true(ink_expr_value(ink_deck_expression(deck, "verify[0].where"), at) == 0);
  assert_true(ink_expr_value(ink_deck_expression(deck, "verify[1].of"), at) == 7.005);
  const double *point;
  assert_int_equal(ink_deck_numbers(deck, &point, "initial.point"), 2);
  assert_true(point[0] == 0.05 && point[1] == 0.5);
  ink_deck_destroy(&deck);
}

static void the_resolved_deck_reads_back(void **state) {
  (void)state;
  InkDeck *deck = good_deck(state_good), *again = good_deck(ink_deck_yaml(deck));
  assert_non_null(strstr(ink_deck_yaml(deck), "V/"));
  assert_string_equal(ink_deck_yaml(again), ink_deck_yaml(deck));
  assert_true(ink_deck_hash(again) == ink_deck_hash(deck));
  assert_null(ink_deck_difference(deck, ink_deck_yaml(again), &state_schemas));
  ink_deck_destroy(&again);
  ink_deck_destroy(&deck);
}

static void a_field_has_the_dimension_its_schema_says(void **state) {
  (void)state;
  const InkDim *dims;
  InkDeck *deck = good_deck("solver: state\ntime: {end: 1}\ntwice: 3 1/V\n"
                            "model: {state: {V: {from: -70 mV, to: 0, cells: 5}}}\n");
  ink_deck_fields(deck, NULL, &dims);
  assert_true(is_dim(&dims[0], "1/V"));
  ink_deck_destroy(&deck);
  deck = good_deck(state_good);
  ink_deck_fields(deck, NULL, &dims);
  assert_false(dims[0].known);
  ink_deck_destroy(&deck);
}

typedef struct Mistake {
  const char *deck, *expected; /* part of the one line */
} Mistake;

#define STATE "model: {state: {V: {from: 0, to: 1, cells: 4}}}\n"
#define VOLTS "model: {state: {V: {from: 0, to: 1 V, cells: 4}}}\n"
static const Mistake mistakes[] = {
    {STATE "mesh: {x: {from: 0, to: 1, cells: 4}}\n",
     "mesh: is not known for this solver: the state variables of model.state are its axes"},
    {"title: none\n", "model: is required"},
    {"model: {state: {a: {from: 0, to: 1, cells: 4}, b: {from: 0, to: 1, cells: 4}, c: {from: 0, to: 1, "
     "cells: "
     "4}, d: {from: 0, to: 1, cells: 4}}}\n",
     "model.state: has 4 state variables; at most 3"},
    {"model: {state: {t: {from: 0, to: 1, cells: 4}}}\n",
     "model.state.t: 't' is reserved (t, pi and functions)"},
    {"model: {state: {p: {from: 0, to: 1, cells: 4}}}\n", "model.state.p: 'p' is reserved (a field"},
    {"model: {state: {run: {from: 0, to: 1, cells: 4}}}\n",
     "model.state.run: 'run' is reserved (output files"},
    {"model: {state: {V: {from: 0, to: 1, cells: 4}, V_bnds: {from: 0, to: 1, cells: 4}}}\n",
     "model.state.V_bnds: 'V_bnds' is reserved (output files"},
    {"model: {state: {2V: {from: 0, to: 1, cells: 4}}}\n", "'2V' is not a name"},
    {STATE "parameters: {V: 3}\n", "parameters.V: 'V' is reserved (a state variable)"},
    {STATE "parameters: {b: 2*p, p: 3 ms, c: 'p + 1[ms]'}\ninitial: {point: ['p/7[ms]']}\n",
     "parameters.p: 'p' is reserved (a field of the solver); choose another name, such as p_m"},
    {STATE "parameters: {V: 2, b: 2*V}\n", "parameters.V: 'V' is reserved (a state variable)"},
    {STATE "parameters: {t: 2, b: 2*t}\n", "parameters.t: 't' is reserved"},
    {STATE "parameters: {exp: 3}\n", "parameters.exp: 'exp' is reserved (t, pi and functions)"},
    {STATE "initial: {density: 'V + x'}\n", "'x'"},
    {STATE "rate: 'V*t'\n", "may not depend on the state"},
    {VOLTS "initial: {density: 'V + 1[m]'}\n", "initial.density"},
    {VOLTS "initial: {point: [3 m]}\n", "initial.point"},
    {VOLTS "probes: {a: {at: [3 m]}}\n", "probes.a.at[0]: wrong dimension"},
    {VOLTS "twice: 3 V\n", "twice: wrong dimension"},
    {"model: {state: {V: {from: 0 m, to: 1 V, cells: 4}}}\n", "model.state.V.to: wrong dimension"},
    {"model: {state: {V: {from: 0, to: 1, cells: 2}}}\n", "model.state.V.cells: must be at least 3"},
    {"model: {state: {V: {from: 0, to: 1}}}\n", "model.state.V: cells is missing"},
    {"model: {state: {V: {to: 1, cells: 3}}}\n", "model.state.V.from: is required"},
    {"model: {state: {V: {from: 2, to: 1, cells: 4}}}\n", "model.state.V.to: must be greater than 2, got 1"},
    {"model: {state: {V: {from: 0, to: 1, cells: 100, grading: 1.5}}}\n",
     "model.state.V.grading: the widest"},
    {"model: {state: {V: {from: 0, segments: [{to: 1, cells: 2}]}}}\n",
     "model.state.V.segments: need at least 3 cells together, got 2"},
    {"model: {state: {V: {from: 0, to: 1, cells: 4}}, boundary: {V_min: periodic}}\n",
     "model.boundary.V_min: periodic must stand on both ends: make model.boundary.V_max periodic too"},
    {STATE "probes: {a: {at: [0.5, 1]}}\n", "probes.a.at: needs 1 coordinate, one for each state variable"},
    {STATE "probes: {a: {at: [1.5]}}\n", "is outside the domain: V = 1.5"},
};

static void each_mistake_gives_its_line(void **state) {
  (void)state;
  for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
    char text[600], *lines;
    snprintf(text, sizeof text, "solver: state\ntime: {end: 1}\n%s", mistakes[m].deck);
    InkDeck *deck = state_deck(text, &lines);
    const char *end = strchr(lines, '\n');
    if (!strstr(lines, mistakes[m].expected) || !end || end[1])
      fail_msg("%sexpected one line with '%s', got:\n%s", text, mistakes[m].expected, lines);
    free(lines);
    ink_deck_destroy(&deck);
  }
}

/* x, y, z and r are free names where they are no axes. */
static void coordinates_are_free_names(void **state) {
  (void)state;
  InkDeck *deck = good_deck("solver: state\ntime: {end: 1}\nparameters: {r: 3, y: 2*r}\n" STATE
                            "initial: {density: 'r*V + y'}\n");
  double at[INK_VARS] = {[INK_VAR_X] = 0.5};
  assert_true(ink_expr_value(ink_deck_expression(deck, "initial.density"), at) == 7.5);
  ink_deck_destroy(&deck);
}

static void the_mesh_is_the_decks(void **state) {
  (void)state;
  InkDeck *deck = good_deck(state_good);
  InkMesh *mesh;
  InkFailure failure = {0};
  InkGrid grid;
  assert_int_equal(ink_mesh_create_wide(PETSC_COMM_SELF, deck, 2, &mesh, &failure), 0);
  assert_int_equal(mesh->dim, 2);
  assert_int_equal(mesh->width, 2);
  assert_int_equal(mesh->cells, 60);
  assert_int_equal(mesh->axis[0].variable, INK_VAR_X);
  assert_int_equal(mesh->axis[1].variable, INK_VAR_Y);
  assert_true(mesh->axis[1].face[4] == 0 && mesh->axis[0].to == 0.1);
  assert_true(!mesh->axis[0].periodic && mesh->axis[1].periodic);
  assert_string_equal(ink_side_name(mesh, 0), "V_min");
  assert_string_equal(ink_side_name(mesh, 3), "x_max");
  ink_mesh_grid(mesh, deck, &grid);
  assert_string_equal(grid.axis[0].name, "x"); /* storage order: slowest first */
  assert_string_equal(grid.axis[1].name, "V");
  assert_string_equal(grid.axis[0].unit, "1");
  assert_string_equal(grid.axis[1].unit, "V");
  char place[128];
  ink_mesh_place(mesh, (const int64_t[]){1, 2}, (const double[]){0.015, -0.375}, place, sizeof place);
  assert_string_equal(place, "cell (1, 2) at V = 0.015 V, x = -0.375");
  ink_deck_destroy(&deck); /* names live with the mesh */
  assert_string_equal(mesh->axis[0].name, "V");
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

static void mesh_keys_are_not_described(void **state) {
  (void)state;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  assert_false(ink_describe(&state_schema, "state", "mesh", stream));
  assert_true(ink_describe(&state_schema, "state", "model.state", stream));
  fclose(stream);
  assert_non_null(strstr(text, "model.state"));
  free(text);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(state_variables_are_the_axes),
      cmocka_unit_test(expressions_are_of_the_state),
      cmocka_unit_test(the_resolved_deck_reads_back),
      cmocka_unit_test(a_field_has_the_dimension_its_schema_says),
      cmocka_unit_test(each_mistake_gives_its_line),
      cmocka_unit_test(coordinates_are_free_names),
      cmocka_unit_test(the_mesh_is_the_decks),
      cmocka_unit_test(mesh_keys_are_not_described),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
