/* From the deck to the equation the operator solves, manufactured solutions included. */
#include "../core/manufactured.h"
#include "heat_impl.h"
#include <string.h>

InkSideType ink_heat_side_type(const InkDeck *deck, const char *side) {
  static const struct {
    const char *name;
    InkSideType type;
  } types[] = {{"value", INK_SIDE_VALUE},
               {"flux", INK_SIDE_FLUX},
               {"convection", INK_SIDE_CONVECTION},
               {"radiation", INK_SIDE_RADIATION}};
  if (!ink_deck_has(deck, "boundary.%s.type", side))
    return ink_deck_is_manufactured(deck) ? INK_SIDE_VALUE : INK_SIDE_CLOSED;
  const char *name = ink_deck_text(deck, "boundary.%s.type", side);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(name, types[i].name) == 0) return types[i].type;
  return INK_SIDE_CLOSED;
}

/* What the equation's arrays of one field hold. */
typedef struct HeatTrees {
  const InkExpr *conductivity, *capacity, *source, *initial;
  const char *path, *long_name;
  InkSideData side[INK_SIDES];
  InkSideParts parts[INK_SIDES];
} HeatTrees;

static const InkExpr *or_one(const InkExpr *e, InkPool *pool) { return e ? e : ink_expr_number(pool, 1.0); }

static void read_material(const InkDeck *deck, InkPool *pool, HeatTrees *heat) {
  if (ink_heat_by_diffusivity(deck)) {
    heat->conductivity = ink_deck_expression(deck, "material.diffusivity");
    heat->capacity = ink_expr_number(pool, 1.0);
    return;
  }
  heat->conductivity = ink_deck_expression(deck, "material.conductivity");
  heat->capacity =
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

static const InkExpr *initial_of(const InkDeck *deck, InkPool *pool) {
  const InkExpr *initial = ink_deck_expression(deck, "initial.T");
  if (ink_deck_is_manufactured(deck)) {
    const InkExpr *start = ink_expr_number(pool, ink_deck_number(deck, "time.start"));
    return ink_expr_substitute(pool, ink_deck_expression(deck, "exact.T"), INK_VAR_T, start);
  }
  return initial ? initial : ink_expr_number(pool, 0.0);
}

static void heat_problem(const InkDeck *deck, InkPool *pool, InkEvolutionProblem *problem) {
  const char *names[INK_SIDES];
  HeatTrees *heat = ink_pool_alloc(pool, sizeof *heat);
  *heat = (HeatTrees){.source = ink_deck_expression(deck, "source"),
                      .initial = initial_of(deck, pool),
                      .path = "initial.T",
                      .long_name = "temperature"};
  const InkExpr **exact = ink_pool_alloc(pool, sizeof *exact);
  *exact = ink_deck_expression(deck, "exact.T");
  read_material(deck, pool, heat);
  ink_deck_sides(deck, names);
  const InkManufactured made = {.pool = pool,
                                .dim = ink_deck_dimension(deck),
                                .n = 1,
                                .coordinates = ink_deck_coordinates(deck),
                                .exact = exact,
                                .conductivity = &heat->conductivity,
                                .capacity = &heat->capacity};
  const bool manufactured = ink_deck_is_manufactured(deck);
  if (manufactured) heat->source = ink_manufactured_source(&made, 0, NULL, ink_deck_is_steady(deck));
  /* A source that is zero everywhere costs nothing. */
  if (heat->source && ink_expr_is_constant(heat->source) && ink_expr_value(heat->source, NULL) == 0.0)
    heat->source = NULL;
  *problem = (InkEvolutionProblem){.equation = {.n = 1,
                                                .conductivity = &heat->conductivity,
                                                .capacity = &heat->capacity,
                                                .source = &heat->source,
                                                .budget = true},
                                   .initial = &heat->initial,
                                   .initial_path = &heat->path,
                                   .long_name = &heat->long_name};
  ink_deck_fields(deck, &problem->equation.field, NULL);
  for (int side = 0; side < INK_SIDES; side++) {
    if (!*names[side]) continue;
    read_side(deck, names[side], &heat->side[side]);
    if (manufactured) ink_manufactured_side(&made, 0, side, &heat->side[side]);
    heat->parts[side] = (InkSideParts){.count = 1, .data = &heat->side[side]};
    problem->equation.side[side] = &heat->parts[side];
  }
}

static InkDim heat_flux(const InkDeck *deck, int field) {
  const InkDim *dim;
  ink_deck_fields(deck, NULL, &dim);
  if (ink_heat_by_diffusivity(deck)) return ink_dim_product(dim[field], ink_dim_si(1, 0, -1, 0, 0, 0), 1.0);
  return ink_dim_si(0, 1, -3, 0, 0, 0);
}

static bool heat_balance(const InkDeck *deck, int field, char *message, size_t size) {
  static const char *const keys[] = {"density", "heat_capacity"};
  (void)field;
  if (ink_deck_is_steady(deck)) return true;
  for (int i = 0; i < 2; i++) {
    const InkExpr *e = ink_deck_expression(deck, "material.%s", keys[i]);
    if (!e || !(ink_expr_variables(e) >> INK_VAR_T & 1)) continue;
    snprintf(message, size,
             "balance:T is not defined when material.%s depends on t: heat has no content then", keys[i]);
    return false;
  }
  return true;
}

const InkEvolutionModel ink_heat_model = {
    .name = "heat", .problem = heat_problem, .flux = heat_flux, .balance = heat_balance};
