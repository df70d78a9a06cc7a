/* What can be wrong with a heat deck that the key table cannot say. Rank 0, no MPI; all errors at once. */
#include "heat_impl.h"
#include <stdlib.h>
#include <string.h>

static const uint64_t state_bit = 1ull << INK_VAR_FIELD;

/* ---- material ---- */

enum { MAX_REGIONS = 500 }; /* their conditions are nested in one expression */

/* "material" for -1, else "material.regions[i]". */
static const char *owner(int i, char *path, size_t size) {
  if (i < 0)
    (void)snprintf(path, size, "material");
  else
    (void)snprintf(path, size, "material.regions[%d]", i);
  return path;
}

/* How many regions give a property. */
static int givers(const InkDeck *deck, const char *key) {
  int count = 0;
  for (int i = 0; i < ink_deck_count(deck, "material.regions"); i++)
    count += ink_deck_has(deck, "material.regions[%d].%s", i, key);
  return count;
}

/* The others beside a diffusivity, wherever either is. */
static void check_contradictions(const InkDeck *deck, InkErrors *errors) {
  static const char *const others[] = {"conductivity", "density", "heat_capacity"};
  const int regions = ink_deck_count(deck, "material.regions");
  char path[64], key[96];
  int alone = -1; /* the first that has a diffusivity */
  while (alone < regions && !ink_deck_has(deck, "%s.diffusivity", owner(alone, path, sizeof path))) alone++;
  for (int i = -1; i < regions && alone < regions; i++)
    for (int k = 0; k < 3; k++) {
      (void)snprintf(key, sizeof key, "%s.%s", owner(i, path, sizeof path), others[k]);
      if (!ink_deck_has(deck, "%s", key)) continue;
      ink_deck_error(deck, errors, key,
                     "contradicts %s.diffusivity: give diffusivity alone, or conductivity, density and "
                     "heat_capacity",
                     owner(alone, path, sizeof path));
    }
}

/* A property that the material itself does not have: all regions give it, or it is missing. */
static void check_missing(const InkDeck *deck, const char *key, InkErrors *errors) {
  const int regions = ink_deck_count(deck, "material.regions"), given = givers(deck, key);
  const bool needed = strcmp(key, "density") != 0 && strcmp(key, "heat_capacity") != 0;
  char path[64];
  if (ink_deck_has(deck, "material.%s", key) || (!needed && ink_deck_is_steady(deck))) return;
  if (given == 0 && needed)
    ink_deck_error(deck, errors, "material", "%s is missing: give conductivity%s, or diffusivity alone", key,
                   ink_deck_is_steady(deck) ? "" : ", density and heat_capacity");
  else if (given == 0 && (ink_deck_has(deck, "material.conductivity") || givers(deck, "conductivity")))
    ink_deck_error(deck, errors, "material",
                   "%s is missing: a transient run needs it (or give material.diffusivity alone)", key);
  for (int i = 0; i < regions && given > 0; i++)
    if (!ink_deck_has(deck, "material.regions[%d].%s", i, key))
      ink_deck_error(deck, errors, owner(i, path, sizeof path),
                     "%s is missing: give it here, or as material.%s for all regions that do not", key, key);
}

static void check_material(const InkDeck *deck, InkErrors *errors) {
  static const char *const flows[] = {"conductivity", "diffusivity"};
  char path[96];
  if (!ink_deck_has(deck, "material") || !ink_deck_sound(deck, "material"))
    return; /* the key table says so */
  const int regions = ink_deck_count(deck, "material.regions");
  if (regions > MAX_REGIONS)
    ink_deck_error(deck, errors, "material.regions", "there are %d regions, the most is %d", regions,
                   MAX_REGIONS);
  check_contradictions(deck, errors);
  if (ink_heat_by_diffusivity(deck))
    check_missing(deck, "diffusivity", errors);
  else
    for (int k = 0; k < 3; k++)
      check_missing(deck, (const char *const[]){"conductivity", "density", "heat_capacity"}[k], errors);
  for (int i = 0; i < regions && ink_deck_is_manufactured(deck); i++)
    for (int k = 0; k < 2; k++) {
      (void)snprintf(path, sizeof path, "material.regions[%d].%s", i, flows[k]);
      if (ink_deck_has(deck, "%s", path))
        ink_deck_error(deck, errors, path,
                       "cannot be manufactured: the source would be infinite at the border of the region");
    }
}

/* ---- sides ---- */

static void check_radiation(const InkDeck *deck, const InkLaw *law, InkPool *pool, InkErrors *errors) {
  const InkNode *ambient = ink_law_node(law, "ambient");
  const char *path = ink_tree_path(pool, ambient ? ambient : law->node);
  double value;
  if (ink_law_type(law) != INK_SIDE_RADIATION) return;
  if (ink_expr_is_number(ink_law_expression(law, "ambient"), &value) && value < 0.0)
    ink_deck_error(deck, errors, path, "radiation needs kelvin: %.9g K is below 0 K", value);
  if (ink_expr_is_number(ink_deck_expression(deck, "initial.T"), &value) && !(value > 0.0))
    ink_deck_error(deck, errors, "initial.T",
                   "radiation at %s needs temperatures above 0 K, got %.9g K (a bare number is in kelvin)",
                   ink_tree_path(pool, law->node) + strlen("boundary."), value);
  if (ink_heat_by_diffusivity(deck))
    ink_deck_warning(
        deck, errors, path,
        "radiation is in W/m^2, and with diffusivity alone rho c is 1 J/(m^3 K): is conductivity meant?");
}

static void check_side(const InkDeck *deck, const char *side, InkPool *pool, InkErrors *errors) {
  const InkNode *node = ink_deck_node(deck, "boundary.%s", side);
  InkLaw *laws;
  const int count = ink_side_laws(deck, side, "T", pool, &laws);
  if (node->kind == INK_SEQUENCE) ink_law_check_parts(deck, node, pool, errors);
  for (int i = 0; i < count; i++) {
    if (!laws[i].node) continue;
    ink_law_check(deck, &laws[i], pool, errors);
    check_radiation(deck, &laws[i], pool, errors);
  }
}

static void check_sides(const InkDeck *deck, InkErrors *errors) {
  /* The mesh's own check or the key table says so. */
  if (ink_deck_dimension(deck) == 0 || !ink_deck_sound(deck, "mesh")) return;
  InkPool *pool = ink_pool_create();
  for (int i = 0; i < ink_deck_count(deck, "boundary"); i++) {
    const char *given = ink_deck_name(deck, "boundary", i);
    if (!ink_deck_side_known(deck, given, errors)) continue;
    if (ink_deck_sound(deck, "boundary.%s", given))
      check_side(deck, given, pool, errors); /* else the key table says so */
  }
  ink_pool_destroy(&pool);
}

/* ---- fields, start and exact solution ---- */

static void check_names(const InkDeck *deck, const char *section, InkErrors *errors) {
  for (int i = 0; i < ink_deck_count(deck, "%s", section); i++) {
    const char *name = ink_deck_name(deck, section, i);
    char path[192];
    if (strcmp(name, "T") == 0) continue;
    snprintf(path, sizeof path, "%s.%s", section, name);
    ink_deck_error(deck, errors, path, "heat has one field, T");
  }
}

static void check_start(const InkDeck *deck, InkErrors *errors) {
  const bool manufactured = ink_deck_is_manufactured(deck);
  const bool known = ink_deck_sound(deck, "time") && ink_deck_sound(deck, "manufactured") &&
                     ink_deck_sound(deck, "initial.T");
  if (known && !ink_deck_is_steady(deck) && !manufactured && !ink_deck_has(deck, "initial.T"))
    ink_deck_error(deck, errors, "initial", "initial.T is missing: give the temperature at time.start");
  check_names(deck, "initial", errors);
  check_names(deck, "exact", errors);
  if (!manufactured) return;
  const InkExpr *exact = ink_deck_expression(deck, "exact.T");
  if (!ink_deck_has(deck, "exact.T"))
    ink_deck_error(deck, errors, "manufactured", "needs exact.T, from which everything is derived");
  else if (exact && ink_expr_has_branches(exact))
    ink_deck_error(
        deck, errors, "exact.T",
        "must be smooth when manufactured is true: no if, abs, min, max, sign, floor, mod or comparisons");
  if (ink_deck_has(deck, "source"))
    ink_deck_error(deck, errors, "source", "comes from exact when manufactured is true: leave it out");
  if (ink_deck_has(deck, "initial.T"))
    ink_deck_error(deck, errors, "initial.T", "comes from exact when manufactured is true: leave it out");
}

/* ---- steady problems ---- */

static bool depends_on_T(const InkExpr *e) { return e && (ink_expr_variables(e) & state_bit); }

static void check_steady(const InkDeck *deck, InkErrors *errors) {
  if (!ink_deck_is_steady(deck) || ink_deck_dimension(deck) == 0) return;
  if (!ink_deck_sound(deck, "mesh") || !ink_deck_sound(deck, "boundary") || !ink_deck_sound(deck, "source"))
    return;
  if (ink_deck_has(deck, "time.dt"))
    ink_deck_warning(deck, errors, "time.dt", "is not used when time.method is steady");
  const bool level = depends_on_T(ink_deck_expression(deck, "source")) || ink_sides_fix_level(deck, "T");
  if (!level)
    ink_deck_error(
        deck, errors, ink_deck_has(deck, "boundary") ? "boundary" : "time.method",
        "no side fixes the level of T, so a steady state is not determined: give a value, convection or "
        "radiation side");
}

void ink_heat_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  ink_mesh_check(deck, ranks, errors);
  check_material(deck, errors);
  check_sides(deck, errors);
  check_start(deck, errors);
  check_steady(deck, errors);
  ink_probes_check(deck, errors);
}
