/* From the deck to the equation the operator solves, manufactured solutions included. */
#include "../core/manufactured.h"
#include "reaction_diffusion_impl.h"
#include <string.h>

/* NULL for an expression that is the number 0: what is zero everywhere costs nothing. */
static const InkExpr *not_zero(const InkExpr *e) {
  double value;
  return ink_expr_is_number(e, &value) && value == 0.0 ? NULL : e;
}

const InkExpr *const *ink_species_diffusion(const InkDeck *deck, InkPool *pool) {
  const char *const *name;
  const int n = ink_deck_fields(deck, &name, NULL);
  const InkExpr **D = ink_pool_alloc(pool, (size_t)(n * n + 1) * sizeof *D);
  for (int s = 0; s < n; s++) {
    D[s * n + s] = not_zero(ink_deck_expression(deck, "species.%s.diffusion", name[s]));
    for (int f = 0; f < n; f++) {
      const InkExpr *given = ink_deck_expression(deck, "species.%s.diffusion.%s", name[s], name[f]);
      if (given) D[s * n + f] = not_zero(given);
    }
  }
  return D;
}

const InkNode *ink_species_initial(const InkDeck *deck, const char *species) {
  const InkNode *node = ink_deck_node(deck, "initial.%s", species);
  return node ? node : ink_deck_node(deck, "species.%s.initial", species);
}

/* ---- sides ---- */

static void read_sides(const InkDeck *deck, const InkManufactured *made, InkDiffusionSpec *equation) {
  const char *names[INK_SIDES];
  ink_deck_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++) {
    if (!*names[side]) continue;
    equation->side[side] = ink_pool_alloc(made->pool, (size_t)equation->n * sizeof(InkSideParts));
    for (int s = 0; s < equation->n; s++)
      equation->side[side][s] = ink_side_parts(deck, made, side, names[side], s);
  }
}

/* ---- the equation ---- */

static bool asks_balance(const InkDeck *deck) {
  for (int i = 0; i < ink_deck_count(deck, "verify"); i++) {
    const InkNode *quantity = ink_deck_node(deck, "verify[%d].quantity", i);
    if (quantity && quantity->text && strncmp(quantity->text, "balance:", 8) == 0) return true;
  }
  return false;
}

static void read_velocity(const InkDeck *deck, const InkExpr *velocity[3]) {
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(deck, &axes);
  for (int a = 0; a < dim; a++)
    velocity[a] = not_zero(ink_deck_expression(deck, "velocity.%s", axes[a].name));
}

/* Where the initial states come from. */
static void read_initial(const InkDeck *deck, const InkManufactured *made, InkEvolutionProblem *problem) {
  const char *const *names;
  const int n = ink_deck_fields(deck, &names, NULL);
  InkPool *pool = made->pool;
  const InkExpr **initial = ink_pool_alloc(pool, (size_t)n * sizeof *initial);
  const char **path = ink_pool_alloc(pool, (size_t)n * sizeof *path);
  const char **long_name = ink_pool_alloc(pool, (size_t)n * sizeof *long_name);
  const InkExpr *start = ink_expr_number(pool, ink_deck_number(deck, "time.start"));
  for (int s = 0; s < n; s++) {
    const InkNode *node = ink_species_initial(deck, names[s]);
    const InkNode *name = ink_deck_node(deck, "species.%s.name", names[s]);
    char exact[128];
    snprintf(exact, sizeof exact, "exact.%s", names[s]);
    long_name[s] = name && name->text ? name->text : names[s];
    if (made->exact) {
      initial[s] = ink_expr_substitute(pool, made->exact[s], INK_VAR_T, start);
      path[s] = ink_pool_strdup(pool, exact);
    } else {
      initial[s] = node && node->expression ? node->expression : ink_expr_number(pool, 0.0);
      path[s] = node ? ink_tree_path(pool, node) : names[s];
    }
  }
  problem->initial = initial;
  problem->initial_path = path;
  problem->long_name = long_name;
}

static void species_problem(const InkDeck *deck, InkPool *pool, InkEvolutionProblem *problem) {
  InkDiffusionSpec equation = {.budget = asks_balance(deck)};
  equation.n = ink_deck_fields(deck, &equation.field, NULL);
  const int n = equation.n;
  const InkExpr **exact = ink_pool_alloc(pool, (size_t)n * sizeof *exact);
  const InkExpr **source = ink_pool_alloc(pool, (size_t)n * sizeof *source);
  const InkExpr **capacity = ink_pool_alloc(pool, (size_t)n * sizeof *capacity);
  const bool manufactured = ink_deck_is_manufactured(deck);
  equation.conductivity = ink_species_diffusion(deck, pool);
  read_velocity(deck, equation.velocity);
  InkManufactured made = {.pool = pool,
                          .dim = ink_deck_dimension(deck),
                          .n = n,
                          .coordinates = ink_deck_coordinates(deck),
                          .exact = manufactured ? exact : NULL,
                          .conductivity = equation.conductivity,
                          .capacity = capacity};
  memcpy(made.velocity, equation.velocity, sizeof made.velocity);
  for (int s = 0; s < n; s++) exact[s] = ink_deck_expression(deck, "exact.%s", equation.field[s]);
  for (int s = 0; s < n; s++) {
    source[s] = not_zero(ink_deck_expression(deck, "species.%s.reaction", equation.field[s]));
    if (manufactured) { /* the reaction stays, and what it does to the exact solution is compensated */
      const InkExpr *forcing = ink_manufactured_source(&made, s, source[s], ink_deck_is_steady(deck));
      source[s] = source[s] ? ink_expr_binary(pool, INK_OP_ADD, source[s], forcing) : not_zero(forcing);
    }
  }
  equation.source = source;
  equation.capacity = capacity;
  read_sides(deck, &made, &equation);
  *problem = (InkEvolutionProblem){.equation = equation};
  read_initial(deck, &made, problem);
}

/* ---- the model ---- */

static InkDim species_flux(const InkDeck *deck, int field) {
  const InkDim *dim;
  ink_deck_fields(deck, NULL, &dim);
  return ink_dim_product(dim[field], ink_dim_si(1, 0, -1, 0, 0, 0), 1.0);
}

/* What reactions made is kept only when the deck asks for it: that costs time. */
static bool species_balance(const InkDeck *deck, int field, char *message, size_t size) {
  const char *const *names;
  ink_deck_fields(deck, &names, NULL);
  const bool reacts = not_zero(ink_deck_expression(deck, "species.%s.reaction", names[field])) != NULL;
  if (asks_balance(deck) || ink_deck_is_steady(deck) || (!reacts && !ink_deck_is_manufactured(deck)))
    return true;
  snprintf(message, size,
           "balance:%s: what the reactions make is summed up only when a verify entry asks for it",
           names[field]);
  return false;
}

const InkEvolutionModel ink_species_model = {.name = "reaction_diffusion",
                                             .problem = species_problem,
                                             .flux = species_flux,
                                             .balance = species_balance,
                                             .electrons = ink_species_electrons};
