/* For tests: a solver of two fields, u and v, that solves nothing. Its answers are known functions of the
 * time: a front at `start + speed t` (none before `appears`), an amplitude exp(rate t), and for all else the
 * time itself. The field stands after a colon or in the option `field`; there are currents of u at x_min
 * alone. */
#ifndef INK_TESTS_TOY_FIELDS_H
#define INK_TESTS_TOY_FIELDS_H
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../solvers/core/observe.h"

typedef struct Toy {
  double now, start, speed, appears, rate;
  int asked; /* questions so far */
} Toy;

static const InkKey *const toy_tables[] = {ink_common_keys, NULL};

static int toy_names(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  (void)root;
  names[0] = "u";
  names[1] = "v";
  return 2;
}

static inline bool toy_is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Field 0 or 1, or -1; name: what stands before it. */
static int toy_field(const InkQuery *query, char name[64]) {
  static const char *const alone[] = {"amplitude", "growth", "spots"};
  bool whole = false;
  for (int k = 0; k < 3; k++) whole = whole || toy_is(query->kind, alone[k]);
  const InkNode *option = query->entry ? ink_tree_child(query->entry, "field") : NULL;
  size_t length = whole ? 0 : strcspn(query->argument, ":");
  const char *field = query->argument + length + (query->argument[length] == ':');
  snprintf(name, 64, "%.*s", (int)length, query->argument);
  if (!*field && option) field = option->text;
  return toy_is(field, "u") ? 0 : toy_is(field, "v") ? 1 : -1;
}

static bool toy_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message, size_t size) {
  static const char *const whole[] = {"mean", "integral", "min", "max"};
  char name[64];
  *dim = ink_dim_any();
  snprintf(message, size, "%s is not defined for the toy", query->kind);
  for (int k = 0; k < 4; k++)
    if (toy_is(query->kind, whole[k])) return toy_is(query->argument, "u") || toy_is(query->argument, "v");
  if (toy_is(query->kind, "probe")) return ink_deck_has(deck, "probes.%s", query->argument);
  bool of_side = toy_is(query->kind, "flux") || toy_is(query->kind, "current");
  if (!of_side && !toy_is(query->kind, "front") && !toy_is(query->kind, "amplitude") &&
      !toy_is(query->kind, "spots"))
    return false;
  int field = toy_field(query, name);
  if (field < 0) {
    snprintf(message, size, "%s needs field, one of u, v", query->kind);
    return false;
  }
  if (toy_is(query->kind, "front")) *dim = ink_dim_of("m");
  if (toy_is(query->kind, "current")) return field == 0 && toy_is(name, "x_min");
  return !of_side || toy_is(name, "x_min") || toy_is(name, "x_max");
}

static PetscErrorCode toy_quantity(void *self, const InkQuery *query, InkValue *value) {
  Toy *toy = self;
  toy->asked++;
  *value = (InkValue){.value = toy->now, .unit = "1"};
  if (toy_is(query->kind, "front")) {
    value->value = toy->now < toy->appears ? NAN : toy->start + toy->speed * toy->now;
    value->unit = "m";
  } else if (toy_is(query->kind, "amplitude"))
    value->value = exp(toy->rate * toy->now);
  return 0;
}

static const InkSolverType toy_solver = {.name = "toy",
                                         .schema = {.tables = toy_tables, .fields = toy_names},
                                         .defined = toy_defined,
                                         .quantity = toy_quantity};

static const InkSchema *toy_schema(const char *name) {
  return toy_is(name, "toy") ? &toy_solver.schema : NULL;
}

/* A deck of the toy on a mesh; it must have no errors. */
static inline InkDeck *toy_deck_on(const char *mesh, const char *rest) {
  static const char *const names[] = {"toy", NULL};
  static const InkSchemas schemas = {toy_schema, names};
  const char *const settings[] = {NULL};
  char path[] = "/tmp/inkdrop_toy_XXXXXX";
  int file = mkstemp(path);
  if (file < 0) abort();
  FILE *stream = fdopen(file, "w");
  fprintf(stream, "solver: toy\n%s%s", mesh, rest);
  fclose(stream);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, settings, &schemas, errors);
  ink_errors_print(errors, stderr);
  if (ink_errors_count(errors) > 0) abort();
  ink_errors_destroy(&errors);
  unlink(path);
  return deck;
}

static inline InkDeck *toy_deck(const char *rest) {
  return toy_deck_on("mesh: {x: {from: 0, to: 1 m, cells: 8}}\n", rest);
}
#endif
