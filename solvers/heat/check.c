/* What can be wrong with a heat deck that the key table cannot say. Rank 0, no MPI; all errors at once. */
#include "heat_impl.h"
#include <stdlib.h>
#include <string.h>

static const uint64_t state_bit = 1ull << INK_VAR_FIELD;

static bool number_of(const InkExpr *e, double *value) {
  if (!e || !ink_expr_is_constant(e)) return false;
  *value = ink_expr_value(e, NULL);
  return true;
}

/* ---- material ---- */

static void check_material(const InkDeck *deck, InkErrors *errors) {
  static const char *const others[] = {"conductivity", "density", "heat_capacity"};
  char path[64];
  const bool alone = ink_heat_by_diffusivity(deck);
  if (!ink_deck_has(deck, "material") || !ink_deck_sound(deck, "material"))
    return; /* the key table says so */
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "material.%s", others[i]);
    const bool given = ink_deck_has(deck, "material.%s", others[i]);
    if (alone && given)
      ink_deck_error(deck, errors, path,
                     "contradicts material.diffusivity: give diffusivity alone, or conductivity, density and "
                     "heat_capacity");
    if (alone || given) continue;
    if (i == 0)
      ink_deck_error(deck, errors, "material",
                     "conductivity is missing: give conductivity%s, or diffusivity alone",
                     ink_deck_is_steady(deck) ? "" : ", density and heat_capacity");
    else if (!ink_deck_is_steady(deck) && ink_deck_has(deck, "material.conductivity"))
      ink_deck_error(deck, errors, "material",
                     "%s is missing: a transient run needs it (or give material.diffusivity alone)",
                     others[i]);
  }
}

/* ---- sides ---- */

/* What a side's type needs besides `type`. */
static void check_data(const InkDeck *deck, const char *side, InkErrors *errors) {
  static const struct {
    const char *type, *key;
    bool derived; /* comes from `exact` in a manufactured run */
  } needs[] = {{"value", "value", true},
               {"flux", "value", true},
               {"convection", "coefficient", false},
               {"convection", "ambient", true},
               {"radiation", "emissivity", false},
               {"radiation", "ambient", false}};
  char path[192], key_path[224];
  const bool manufactured = ink_deck_is_manufactured(deck);
  if (!ink_deck_has(deck, "boundary.%s.type", side)) return; /* the key table says so */
  const char *type = ink_deck_text(deck, "boundary.%s.type", side);
  snprintf(path, sizeof path, "boundary.%s", side);
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    if (strcmp(needs[i].type, type) != 0) continue;
    snprintf(key_path, sizeof key_path, "%s.%s", path, needs[i].key);
    const bool given = ink_deck_has(deck, "boundary.%s.%s", side, needs[i].key);
    if (manufactured && needs[i].derived && given)
      ink_deck_error(deck, errors, key_path, "comes from exact when manufactured is true: leave it out");
    else if (!given && !(manufactured && needs[i].derived))
      ink_deck_error(deck, errors, path, "type %s needs %s", type, needs[i].key);
  }
  if (manufactured && strcmp(type, "radiation") == 0)
    ink_deck_error(deck, errors, path,
                   "radiation cannot be manufactured: use value, flux, convection or periodic");
  double zero;
  if (manufactured && number_of(ink_deck_expression(deck, "boundary.%s.coefficient", side), &zero) &&
      zero == 0.0)
    ink_deck_error(deck, errors, path, "coefficient must not be 0 when manufactured is true");
}

static void check_radiation(const InkDeck *deck, const char *side, InkErrors *errors) {
  char path[224];
  double value;
  if (ink_heat_side_type(deck, side) != INK_SIDE_RADIATION) return;
  snprintf(path, sizeof path, "boundary.%s.ambient", side);
  if (number_of(ink_deck_expression(deck, "boundary.%s.ambient", side), &value) && value < 0.0)
    ink_deck_error(deck, errors, path, "radiation needs kelvin: %.9g K is below 0 K", value);
  if (number_of(ink_deck_expression(deck, "initial.T"), &value) && !(value > 0.0))
    ink_deck_error(deck, errors, "initial.T",
                   "radiation at %s needs temperatures above 0 K, got %.9g K (a bare number is in kelvin)",
                   side, value);
  if (ink_heat_by_diffusivity(deck))
    ink_deck_warning(
        deck, errors, path,
        "radiation is in W/m^2, and with diffusivity alone rho c is 1 J/(m^3 K): is conductivity meant?");
}

static void check_sides(const InkDeck *deck, InkErrors *errors) {
  /* The mesh's own check or the key table says so. */
  if (ink_deck_dimension(deck) == 0 || !ink_deck_sound(deck, "mesh")) return;
  for (int i = 0; i < ink_deck_count(deck, "boundary"); i++) {
    const char *given = ink_deck_name(deck, "boundary", i);
    if (!ink_deck_side_known(deck, given, errors)) continue;
    if (!ink_deck_sound(deck, "boundary.%s", given)) continue; /* the key table says so */
    check_data(deck, given, errors);
    check_radiation(deck, given, errors);
  }
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
  const char *names[INK_SIDES];
  if (!ink_deck_is_steady(deck) || ink_deck_dimension(deck) == 0) return;
  if (!ink_deck_sound(deck, "mesh") || !ink_deck_sound(deck, "boundary") || !ink_deck_sound(deck, "source"))
    return;
  if (ink_deck_has(deck, "time.dt"))
    ink_deck_warning(deck, errors, "time.dt", "is not used when time.method is steady");
  bool level = depends_on_T(ink_deck_expression(deck, "source"));
  ink_deck_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++) {
    if (!*names[side]) continue;
    const InkSideType type = ink_heat_side_type(deck, names[side]);
    level =
        level || type == INK_SIDE_VALUE || type == INK_SIDE_CONVECTION || type == INK_SIDE_RADIATION ||
        (type == INK_SIDE_FLUX && depends_on_T(ink_deck_expression(deck, "boundary.%s.value", names[side])));
  }
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
