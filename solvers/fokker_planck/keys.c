/* The Fokker-Planck solver's rows of the key table, its fields, and what its units stand for. */
#include <stdlib.h>
#include <string.h>
#include "fokker_planck_impl.h"

static const char *const equations[] = {[INK_DENSITY] = "density",
                                        [INK_STATIONARY] = "stationary",
                                        [INK_FIRST_PASSAGE] = "first_passage",
                                        [INK_HITTING_PROBABILITY] = "hitting_probability",
                                        [INK_SPECTRUM] = "spectrum"};
enum { EQUATIONS = sizeof equations / sizeof *equations };

static const InkKey own_keys[] = {
    {.path = "equation",
     .kind = INK_KIND_CHOICE,
     .fallback = "density",
     .choices = "density|stationary|first_passage|hitting_probability|spectrum",
     .doc =
         "what is solved for: the density p over time, its stationary law p, the mean time tau to the first "
         "absorption, the probability u to be absorbed at `target`, or the slowest modes"},
    {.path = "target",
     .kind = INK_KIND_TEXT,
     .doc =
         "the absorbing side a hitting_probability is of; with first_passage: of the paths that leave there"},
    {.path = "modes",
     .kind = INK_KIND_INTEGER,
     .min = 1,
     .max = INK_MAX_MODES,
     .doc = "spectrum: how many of the slowest; default: as many as verify asks for, or 4"},
    {.path = "time.end",
     .kind = INK_KIND_NUMBER,
     .unit = "s",
     .flags = INK_MAY_CHANGE,
     .doc = "end time; needed when equation is density"},
    {.path = "time.method",
     .kind = INK_KIND_CHOICE,
     .fallback = "auto",
     .choices = "auto|explicit|implicit",
     .refusal = "steady=is `equation: stationary` here",
     .doc = "how to step; auto chooses the cheapest for the tolerance and says why"},
    {.path = "verify[].quantity",
     .kind = INK_KIND_TEXT,
     .flags = INK_REQUIRED,
     .doc = "what: probe:NAME, integral:, min:, max:, mean:, variance:FIELD, error:l2:FIELD, "
            "error:max:FIELD; of "
            "a density also mean:STATE, variance:STATE, probability, expectation, flux:SIDE, absorbed:SIDE; "
            "of a "
            "spectrum eigenvalue:k"},
    {.path = NULL}};

const InkKey *const ink_fokker_planck_tables[] = {own_keys, ink_model_keys, ink_common_keys, NULL};

/* ---- equations ---- */

static InkEquation equation_of(const InkNode *node) {
  for (int e = 0; node && node->text && e < EQUATIONS; e++)
    if (strcmp(equations[e], node->text) == 0) return (InkEquation)e;
  return INK_DENSITY;
}

InkEquation ink_deck_equation(const InkDeck *deck) { return equation_of(ink_deck_node(deck, "equation")); }

int ink_deck_side(const InkDeck *deck, const char *name) {
  const char *names[INK_SIDES];
  ink_deck_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++)
    if (*names[side] && strcmp(names[side], name) == 0) return side;
  return -1;
}

/* ---- fields ---- */

int ink_modes_asked(const InkNode *root) {
  static const char kind[] = "eigenvalue:";
  const InkNode *verify = ink_tree_child(root, "verify");
  long most = 0;
  for (const InkNode *entry = verify ? verify->first : NULL; entry; entry = entry->next) {
    const InkNode *quantity = entry->kind == INK_MAPPING ? ink_tree_child(entry, "quantity") : NULL;
    if (!quantity || !quantity->text || strncmp(quantity->text, kind, strlen(kind)) != 0) continue;
    const long k = strtol(quantity->text + strlen(kind), NULL, 10);
    if (k > most && k <= INK_MAX_MODES) most = k;
  }
  return (int)most;
}

static int modes(const InkNode *root) {
  const InkNode *given = ink_tree_child(root, "modes");
  const long number = given && given->text ? strtol(given->text, NULL, 10) : 0;
  if (number >= 1 && number <= INK_MAX_MODES) return (int)number;
  const int asked = ink_modes_asked(root);
  return asked > 0 ? asked : 4;
}

int ink_fokker_planck_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  static const char *const single[EQUATIONS] = {"p", "p", "tau", "u", NULL};
  static const char *const several[INK_MAX_MODES] = {
      "mode_1",  "mode_2",  "mode_3",  "mode_4",  "mode_5",  "mode_6",  "mode_7",  "mode_8",
      "mode_9",  "mode_10", "mode_11", "mode_12", "mode_13", "mode_14", "mode_15", "mode_16",
      "mode_17", "mode_18", "mode_19", "mode_20", "mode_21", "mode_22", "mode_23", "mode_24",
      "mode_25", "mode_26", "mode_27", "mode_28", "mode_29", "mode_30"};
  const InkEquation equation =
      root->kind == INK_MAPPING ? equation_of(ink_tree_child(root, "equation")) : INK_DENSITY;
  names[0] = single[equation];
  if (equation != INK_SPECTRUM) return 1;
  const int count = modes(root);
  for (int k = 0; k < count; k++) names[k] = several[k];
  return count;
}

InkDim ink_fokker_planck_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time) {
  (void)field;
  const InkNode *states = ink_tree_find(root, "model.state");
  const InkEquation equation = equation_of(ink_tree_child(root, "equation"));
  if (equation == INK_FIRST_PASSAGE) return time;
  InkDim dim = ink_dim_none();
  if (equation == INK_HITTING_PROBABILITY) return dim;
  for (int a = 0; a < 3 && states && a < states->count; a++)
    dim = ink_dim_product(dim, axis_dim[a], equation == INK_SPECTRUM ? -0.5 : -1.0);
  return dim;
}

InkDim ink_fokker_planck_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                              const InkDim *field_dim) {
  (void)field;
  (void)field_dim;
  return ink_model_unit(root, node, name);
}
