/* From the deck to the equation the operator solves, manufactured solutions included. */
#include "heat_impl.h"
#include <math.h>
#include <string.h>

/* What the equation's arrays of one field hold. */
typedef struct HeatTrees {
  const InkExpr *conductivity, *capacity, *source, *initial;
  const char *path, *long_name;
  InkSideParts parts[INK_SIDES];
} HeatTrees;

/* A property everywhere: if(where_0, of region 0, if(where_1, of region 1, ... the material's own)).
 * Where nobody gives it, it is `missing`. */
static const InkExpr *property(const InkDeck *deck, InkPool *pool, const char *key, double missing) {
  const InkExpr *own = ink_deck_expression(deck, "material.%s", key);
  if (!own) own = ink_expr_number(pool, missing);
  const InkExpr *all = own;
  for (int i = ink_deck_count(deck, "material.regions") - 1; i >= 0; i--) {
    const InkExpr *here = ink_deck_expression(deck, "material.regions[%d].%s", i, key);
    all =
        ink_expr_if(pool, ink_deck_expression(deck, "material.regions[%d].where", i), here ? here : own, all);
  }
  return all;
}

/* A property that only the regions have is not a number outside of them, which the operator reports with the
 * cell. */
static void read_material(const InkDeck *deck, InkPool *pool, HeatTrees *heat) {
  const double stored = ink_deck_is_steady(deck) ? 1.0 : NAN; /* a steady run stores no heat */
  if (ink_heat_by_diffusivity(deck)) {
    heat->conductivity = property(deck, pool, "diffusivity", NAN);
    heat->capacity = ink_expr_number(pool, 1.0);
    return;
  }
  heat->conductivity = property(deck, pool, "conductivity", NAN);
  heat->capacity = ink_expr_binary(pool, INK_OP_MUL, property(deck, pool, "density", stored),
                                   property(deck, pool, "heat_capacity", stored));
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
  const bool manufactured = ink_deck_is_manufactured(deck);
  const InkManufactured made = {.pool = pool,
                                .dim = ink_deck_dimension(deck),
                                .n = 1,
                                .coordinates = ink_deck_coordinates(deck),
                                .exact = manufactured ? exact : NULL,
                                .conductivity = &heat->conductivity,
                                .capacity = &heat->capacity};
  if (manufactured) heat->source = ink_manufactured_source(&made, 0, NULL, ink_deck_is_steady(deck));
  /* A source that is zero everywhere costs nothing. */
  double value;
  if (ink_expr_is_number(heat->source, &value) && value == 0.0) heat->source = NULL;
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
    heat->parts[side] = ink_side_parts(deck, &made, side, names[side], 0);
    problem->equation.side[side] = &heat->parts[side];
  }
}

static InkDim heat_flux(const InkDeck *deck, int field) {
  const InkDim *dim;
  ink_deck_fields(deck, NULL, &dim);
  if (ink_heat_by_diffusivity(deck)) return ink_dim_product(dim[field], ink_dim_si(1, 0, -1, 0, 0, 0), 1.0);
  return ink_dim_si(0, 1, -3, 0, 0, 0);
}

static bool depends_on_time(const InkExpr *e) { return e && (ink_expr_variables(e) >> INK_VAR_T & 1); }

static bool heat_balance(const InkDeck *deck, int field, char *message, size_t size) {
  static const char *const keys[] = {"density", "heat_capacity"};
  (void)field;
  if (ink_deck_is_steady(deck)) return true;
  const int regions = ink_deck_count(deck, "material.regions");
  for (int i = -1; i < regions; i++) { /* -1: the material itself */
    char path[64] = "material";
    if (i >= 0) (void)snprintf(path, sizeof path, "material.regions[%d]", i);
    for (int k = 0; k < 2; k++) {
      if (!depends_on_time(ink_deck_expression(deck, "%s.%s", path, keys[k]))) continue;
      (void)snprintf(message, size,
                     "balance:T is not defined when %s.%s depends on t: heat has no content then", path,
                     keys[k]);
      return false;
    }
  }
  return true;
}

const InkEvolutionModel ink_heat_model = {
    .name = "heat", .problem = heat_problem, .flux = heat_flux, .balance = heat_balance};
