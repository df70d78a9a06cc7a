/* For tests: a solver whose decks name the axes of the domain themselves, as state variables. */
#ifndef INK_TESTS_STATE_DECK_H
#define INK_TESTS_STATE_DECK_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../solvers/core/observe.h"

static const InkKey state_keys[] = {
    {.path = "model", .kind = INK_KIND_SECTION, .flags = INK_REQUIRED, .doc = "the process"},
    {.path = "model.state", .kind = INK_KIND_SECTION, .flags = INK_REQUIRED, .doc = "its variables"},
    {.path = "model.state.*", .kind = INK_KIND_SECTION, .doc = "one variable"},
    {.path = "model.state.*.from", .kind = INK_KIND_NUMBER, .flags = INK_REQUIRED, .doc = "lower end"},
    {.path = "model.state.*.to", .kind = INK_KIND_NUMBER, .doc = "upper end"},
    {.path = "model.state.*.cells", .kind = INK_KIND_INTEGER, .min = 3, .max = INK_NO_MAX, .doc = "cells"},
    {.path = "model.state.*.grading",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .fallback = "1",
     .max = INK_NO_MAX,
     .flags = INK_EXCLUSIVE_MIN,
     .doc = "ratio of widths"},
    {.path = "model.state.*.segments", .kind = INK_KIND_LIST, .doc = "pieces"},
    {.path = "model.state.*.segments[].to", .kind = INK_KIND_NUMBER, .flags = INK_REQUIRED, .doc = "end"},
    {.path = "model.state.*.segments[].cells",
     .kind = INK_KIND_INTEGER,
     .min = 1,
     .max = INK_NO_MAX,
     .flags = INK_REQUIRED,
     .doc = "cells"},
    {.path = "model.boundary", .kind = INK_KIND_SECTION, .doc = "sides"},
    {.path = "model.boundary.*",
     .kind = INK_KIND_CHOICE,
     .choices = "reflecting|absorbing|periodic",
     .doc = "one"},
    {.path = "initial", .kind = INK_KIND_SECTION, .doc = "start"},
    {.path = "initial.point", .kind = INK_KIND_NUMBERS, .unit = "@axes", .doc = "where"},
    {.path = "initial.density", .kind = INK_KIND_EXPRESSION, .flags = INK_OF_SPACE, .doc = "how much"},
    {.path = "rate", .kind = INK_KIND_EXPRESSION, .flags = INK_OF_TIME, .doc = "not of the state"},
    {.path = "twice", .kind = INK_KIND_NUMBER, .unit = "@field", .doc = "in the unit of p"},
    {.path = NULL},
};

static int state_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  (void)root;
  names[0] = "p";
  return 1;
}

static int state_axes(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]) {
  const InkNode *all = ink_tree_find(root, "model.state");
  int count = 0;
  for (const InkNode *node = all ? all->first : NULL; node; node = node->next, count++)
    if (count < 3) axes[count] = (InkSchemaAxis){.name = node->key, .section = ink_tree_path(pool, node)};
  return count;
}

/* A density: one over the product of the axes. */
static InkDim state_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time) {
  InkDim dim = ink_dim_none();
  (void)field;
  (void)time;
  const InkNode *all = ink_tree_find(root, "model.state");
  for (int a = 0; all && a < all->count && a < 3; a++) dim = ink_dim_product(dim, axis_dim[a], -1);
  return dim;
}

static const InkKey *const state_tables[] = {ink_common_keys, state_keys, NULL};
static const InkSchema state_schema = {
    .tables = state_tables, .fields = state_fields, .axes = state_axes, .field_dim = state_field_dim};
static inline const InkSchema *state_find(const char *solver) {
  return strcmp(solver, "state") == 0 ? &state_schema : NULL;
}
static const char *const state_names[] = {"state", NULL};
static const InkSchemas state_schemas = {.find = state_find, .names = state_names};

/* Reads `text` as a deck of that solver; what is wrong, checks of mesh and probes included, in *lines; free()
 * it. */
static inline InkDeck *state_deck(const char *text, char **lines) {
  char path[] = "/tmp/inkdrop_state_XXXXXX";
  size_t size = 0;
  const int file = mkstemp(path);
  if (file < 0) abort();
  FILE *stream = fdopen(file, "w");
  fprintf(stream, "%s", text);
  fclose(stream);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, (const char *const[]){NULL}, &state_schemas, errors);
  unlink(path);
  ink_mesh_check(deck, 1, errors);
  ink_probes_check(deck, errors);
  stream = open_memstream(lines, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  ink_errors_destroy(&errors);
  return deck;
}

/* V in volts and x without a unit. */
static const char state_good[] =
    "solver: state\ntime: {end: 1}\nparameters: {z: 2, width: 5 mV}\n"
    "model:\n"
    "  state:\n"
    "    V: {from: 0, to: 100 mV, cells: 10}\n"
    "    x: {from: -1, segments: [{to: 0, cells: 4}, {to: 1, cells: 2}]}\n"
    "  boundary: {x_min: periodic, x_max: periodic, V_max: absorbing}\n"
    "initial: {density: 'exp(-(V/width)^2)*z + cos(pi*x)', point: [50 mV, 0.5]}\n"
    "probes: {a: {at: [20 mV, 0]}}\n"
    "verify:\n"
    "- {quantity: probability, where: 'V > 20[mV]', expect: 0.5, within: 0.1}\n"
    "- {quantity: expectation, of: 'x*V + t', expect: 0.5, within: 0.1}\n";
#endif
