/* From the deck to the equation the operator solves, manufactured solutions included. */
#include "../core/manufactured.h"
#include "heat_impl.h"
#include <string.h>

bool ink_heat_chosen(const InkDeck *deck, const char *path, const char *choice) {
  const InkNode *node = ink_deck_node(deck, "%s", path);
  return node && node->text && strcmp(node->text, choice) == 0;
}

bool ink_heat_steady(const InkDeck *deck) { return ink_heat_chosen(deck, "time.method", "steady"); }
bool ink_heat_manufactured(const InkDeck *deck) { return ink_heat_chosen(deck, "manufactured", "true"); }

InkCoordinates ink_heat_coordinates(const InkDeck *deck) {
  if (ink_heat_chosen(deck, "mesh.coordinates", "cylindrical")) return INK_CYLINDRICAL;
  return ink_heat_chosen(deck, "mesh.coordinates", "spherical") ? INK_SPHERICAL : INK_CARTESIAN;
}

int ink_heat_dimension(const InkDeck *deck) {
  int dim = 0;
  if (ink_heat_coordinates(deck) != INK_CARTESIAN) return 1;
  for (const char *axis = "xyz"; *axis; axis++) dim += ink_deck_has(deck, "mesh.%c", *axis);
  return dim;
}

void ink_heat_sides(const InkDeck *deck, const char *names[INK_SIDES]) {
  static const char *const cartesian[INK_SIDES] = {"x_min", "x_max", "y_min", "y_max", "z_min", "z_max"};
  const int dim = ink_heat_dimension(deck);
  for (int side = 0; side < INK_SIDES; side++) names[side] = side / 2 < dim ? cartesian[side] : "";
  if (ink_heat_coordinates(deck) == INK_CARTESIAN) return;
  const InkNode *from = ink_deck_node(deck, "mesh.r.from");
  names[0] = from && from->number == 0.0 ? "" : "r_min";
  names[1] = "r_max";
}

InkSideType ink_heat_side_type(const InkDeck *deck, const char *side) {
  static const struct {
    const char *name;
    InkSideType type;
  } types[] = {{"value", INK_SIDE_VALUE},
               {"flux", INK_SIDE_FLUX},
               {"convection", INK_SIDE_CONVECTION},
               {"radiation", INK_SIDE_RADIATION}};
  if (!ink_deck_has(deck, "boundary.%s.type", side))
    return ink_heat_manufactured(deck) ? INK_SIDE_VALUE : INK_SIDE_CLOSED;
  const char *name = ink_deck_text(deck, "boundary.%s.type", side);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(name, types[i].name) == 0) return types[i].type;
  return INK_SIDE_CLOSED;
}

static const InkExpr *or_one(const InkExpr *e, InkPool *pool) { return e ? e : ink_expr_number(pool, 1.0); }

static void read_material(const InkDeck *deck, InkPool *pool, InkDiffusionSpec *spec) {
  if (ink_heat_by_diffusivity(deck)) {
    spec->conductivity = ink_deck_expression(deck, "material.diffusivity");
    spec->capacity = ink_expr_number(pool, 1.0);
    return;
  }
  spec->conductivity = ink_deck_expression(deck, "material.conductivity");
  spec->capacity =
      ink_expr_binary(pool, INK_OP_MUL, or_one(ink_deck_expression(deck, "material.density"), pool),
                      or_one(ink_deck_expression(deck, "material.heat_capacity"), pool));
}

static void read_side(const InkDeck *deck, const char *name, InkSideData *side) {
  side->type = ink_heat_side_type(deck, name);
  side->value = ink_deck_expression(deck, "boundary.%s.value", name);
  side->coefficient = ink_deck_expression(deck, "boundary.%s.coefficient", name);
  side->ambient = ink_deck_expression(deck, "boundary.%s.ambient", name);
  side->emissivity = ink_deck_expression(deck, "boundary.%s.emissivity", name);
}

void ink_heat_problem(const InkDeck *deck, InkPool *pool, int dim, InkCoordinates coordinates,
                      InkDiffusionSpec *spec) {
  const char *names[INK_SIDES];
  const bool manufactured = ink_heat_manufactured(deck);
  *spec = (InkDiffusionSpec){.field = "T", .source = ink_deck_expression(deck, "source")};
  read_material(deck, pool, spec);
  ink_heat_sides(deck, names);
  InkManufactured problem = {pool, dim, coordinates, NULL, spec->conductivity, spec->capacity};
  if (manufactured) {
    problem.exact = ink_deck_expression(deck, "exact.T");
    spec->source = ink_manufactured_source(&problem, ink_heat_steady(deck));
  }
  for (int side = 0; side < INK_SIDES; side++) {
    if (!*names[side]) continue;
    read_side(deck, names[side], &spec->side[side]);
    if (manufactured) ink_manufactured_side(&problem, side, &spec->side[side]);
  }
  /* A source that is zero everywhere costs nothing. */
  if (spec->source && ink_expr_is_constant(spec->source) && ink_expr_value(spec->source, NULL) == 0.0)
    spec->source = NULL;
}

const InkExpr *ink_heat_initial(const InkDeck *deck, InkPool *pool) {
  const InkExpr *initial = ink_deck_expression(deck, "initial.T");
  if (ink_heat_manufactured(deck)) {
    const InkExpr *start = ink_expr_number(pool, ink_deck_number(deck, "time.start"));
    return ink_expr_substitute(pool, ink_deck_expression(deck, "exact.T"), INK_VAR_T, start);
  }
  return initial ? initial : ink_expr_number(pool, 0.0);
}
