/* What can be asked of a heat run: which quantities a deck defines, and their values. */
#include "heat_impl.h"
#include <math.h>
#include <string.h>

/* ---- what is defined ---- */

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Powers of a metre that an integral over a side has beyond the flux (per m^2, per m, total). */
static int side_metres(const InkDeck *deck) {
  const InkCoordinates coordinates = ink_heat_coordinates(deck);
  if (coordinates == INK_CYLINDRICAL) return 1;
  return coordinates == INK_SPHERICAL ? 2 : ink_heat_dimension(deck) - 1;
}

static bool defined_side(const InkDeck *deck, const InkQuery *query, char *message, size_t size) {
  const char *names[INK_SIDES];
  ink_heat_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++) {
    if (!*names[side] || !is(names[side], query->argument)) continue;
    char path[64];
    snprintf(path, sizeof path, "boundary.%s.type", names[side]);
    if (!ink_heat_chosen(deck, path, "periodic")) return true;
    snprintf(message, size, "%s: side %s is periodic, so nothing leaves there", query->kind, names[side]);
    return false;
  }
  snprintf(message, size, "%s: the mesh has no side '%s'", query->kind, query->argument);
  return false;
}

static bool defined_error(const InkDeck *deck, const InkQuery *query, char *message, size_t size) {
  if (!is(query->argument, "l2:T") && !is(query->argument, "max:T"))
    snprintf(message, size, "error: write error:l2:T or error:max:T, got error:%s", query->argument);
  else if (!ink_deck_has(deck, "exact.T"))
    snprintf(message, size, "error:%s needs exact.T", query->argument);
  else
    return true;
  return false;
}

static bool defined_balance(const InkDeck *deck, const InkQuery *query, char *message, size_t size) {
  static const char *const keys[] = {"density", "heat_capacity"};
  if (!is(query->argument, "T")) {
    snprintf(message, size, "balance: heat has one field, T, got '%s'", query->argument);
    return false;
  }
  if (ink_heat_steady(deck)) return true;
  for (int i = 0; i < 2; i++) {
    const InkExpr *e = ink_deck_expression(deck, "material.%s", keys[i]);
    if (!e || !(ink_expr_variables(e) >> INK_VAR_T & 1)) continue;
    snprintf(message, size,
             "balance:T is not defined when material.%s depends on t: heat has no content then", keys[i]);
    return false;
  }
  return true;
}

/* The axis a front moves along; -1 when the deck does not say which. */
static int front_axis(const InkDeck *deck, const InkNode *entry) {
  const InkNode *axis = entry ? ink_tree_child(entry, "axis") : NULL;
  if (!axis || !axis->text) return ink_heat_dimension(deck) == 1 ? 0 : -1;
  const int index = axis->text[0] == 'r' ? 0 : axis->text[0] - 'x';
  const bool radial = ink_heat_coordinates(deck) != INK_CARTESIAN;
  return index >= 0 && index < ink_heat_dimension(deck) && radial == (axis->text[0] == 'r') ? index : -1;
}

static bool defined_front(const InkDeck *deck, const InkQuery *query, char *message, size_t size) {
  if (!is(query->argument, "position"))
    snprintf(message, size, "front:%s is not defined for heat; front:position is", query->argument);
  else if (!query->entry || !ink_tree_child(query->entry, "level"))
    snprintf(message, size, "front:position needs level, the temperature that marks the front");
  else if (front_axis(deck, query->entry) < 0)
    snprintf(message, size, "front:position needs axis, one of the mesh's axes");
  else
    return true;
  return false;
}

static InkDim temperature_dim(const InkDeck *deck) {
  const char *const *names;
  const InkDim *dims;
  return ink_deck_fields(deck, &names, &dims) > 0 ? dims[0] : ink_dim_any();
}

static InkDim dim_of(const InkDeck *deck, const InkQuery *query) {
  const InkDim T = temperature_dim(deck), metre = ink_dim_of("m");
  const InkDim flux =
      ink_heat_by_diffusivity(deck) ? ink_dim_product(T, ink_dim_of("m/s"), 1.0) : ink_dim_of("W/m^2");
  if (is(query->kind, "variance")) return ink_dim_product(T, T, 1.0);
  if (is(query->kind, "integral")) return ink_dim_product(T, metre, side_metres(deck) + 1.0);
  if (is(query->kind, "mean_flux")) return flux;
  if (is(query->kind, "flux")) return ink_dim_product(flux, metre, side_metres(deck));
  if (is(query->kind, "balance")) return ink_dim_none();
  if (is(query->kind, "front")) return metre;
  if (is(query->kind, "error") && is(query->argument, "l2:T")) return ink_dim_none();
  return T;
}

bool ink_heat_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message, size_t size) {
  static const char *const of_field[] = {"integral", "mean", "variance", "min", "max"};
  bool known = false, good = false;
  for (size_t i = 0; i < sizeof of_field / sizeof *of_field; i++) {
    if (!is(query->kind, of_field[i])) continue;
    known = true;
    good = is(query->argument, "T");
    if (!good) snprintf(message, size, "%s: heat has one field, T, got '%s'", query->kind, query->argument);
  }
  if (is(query->kind, "probe")) {
    known = true;
    good = *query->argument && ink_deck_has(deck, "probes.%s", query->argument);
    if (!good) snprintf(message, size, "probe: there is no probes.%s", query->argument);
  } else if (is(query->kind, "flux") || is(query->kind, "mean_flux")) {
    known = true;
    good = defined_side(deck, query, message, size);
  } else if (is(query->kind, "error")) {
    known = true;
    good = defined_error(deck, query, message, size);
  } else if (is(query->kind, "balance")) {
    known = true;
    good = defined_balance(deck, query, message, size);
  } else if (is(query->kind, "front")) {
    known = true;
    good = defined_front(deck, query, message, size);
  }
  if (!known) snprintf(message, size, "%s is not defined for heat", query->kind);
  if (good) *dim = dim_of(deck, query);
  return good;
}

/* ---- values ---- */

static const char *unit_of(const InkHeat *heat, const InkQuery *query) {
  static const char *const energy[] = {"W/m^2", "W/m", "W"};
  static const char *const warmth[] = {"K m/s", "K m^2/s", "K m^3/s"};
  static const char *const integral[] = {"K m", "K m^2", "K m^3"};
  const char *const *flux = ink_heat_by_diffusivity(heat->deck) ? warmth : energy;
  const int metres = side_metres(heat->deck);
  if (!heat->units || is(query->kind, "balance")) return "1";
  if (is(query->kind, "error") && is(query->argument, "l2:T")) return "1";
  if (is(query->kind, "variance")) return "K^2";
  if (is(query->kind, "integral")) return integral[metres];
  if (is(query->kind, "mean_flux")) return flux[0];
  if (is(query->kind, "flux")) return flux[metres];
  return is(query->kind, "front") ? "m" : "K";
}

static PetscErrorCode flux_value(InkHeat *heat, const InkQuery *query, double now, double *value) {
  PetscFunctionBeginUser;
  double area;
  for (int side = 0; side < INK_SIDES; side++) {
    if (!ink_side_exists(heat->mesh, side) || !is(ink_side_name(heat->mesh, side), query->argument)) continue;
    PetscCall(ink_diffusion_flux(heat->diffusion, side, now, heat->T, value, &area));
    if (is(query->kind, "mean_flux")) *value /= area;
    if (*value == 0.0) *value = 0.0; /* no minus sign before nothing */
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode probe_value(InkHeat *heat, const InkQuery *query, const InkFieldView *view,
                                  double *value) {
  PetscFunctionBeginUser;
  const double *given;
  double at[3] = {0.0, 0.0, 0.0};
  const int n = ink_deck_numbers(heat->deck, &given, "probes.%s.at", query->argument);
  for (int a = 0; a < n && a < 3; a++) at[a] = given[a];
  PetscCall(ink_observe_probe(view, at, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode field_value(const InkQuery *query, const InkFieldView *view, double *value) {
  PetscFunctionBeginUser;
  double first = NAN, second = NAN;
  if (is(query->kind, "integral")) {
    PetscCall(ink_observe_integral(view, value));
  } else if (is(query->kind, "mean") || is(query->kind, "variance")) {
    PetscCall(ink_observe_mean_variance(view, &first, &second));
    *value = is(query->kind, "mean") ? first : second;
  } else {
    PetscCall(ink_observe_range(view, &first, &second));
    *value = is(query->kind, "min") ? first : second;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode balance_value(InkHeat *heat, double now, double *value) {
  PetscFunctionBeginUser;
  InkBudget budget;
  if (heat->method == INK_STEADY)
    PetscCall(ink_diffusion_steady_budget(heat->diffusion, now, heat->T, &budget));
  else
    PetscCall(ink_diffusion_budget(heat->diffusion, now, heat->T, &budget));
  *value = budget.balance;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_heat_quantity(void *self, const InkQuery *query, InkValue *value) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  InkProgress progress = {0};
  InkFieldView view = {.mesh = heat->mesh, .values = heat->T};
  double l2, largest;
  ink_stepper_progress(heat->stepper, &progress);
  const double now = progress.now;
  *value = (InkValue){.value = NAN, .unit = unit_of(heat, query)};
  if (is(query->kind, "probe")) {
    ink_diffusion_surfaces(heat->diffusion, now, heat->T, view.side_value);
    PetscCall(probe_value(heat, query, &view, &value->value));
  } else if (is(query->kind, "flux") || is(query->kind, "mean_flux")) {
    PetscCall(flux_value(heat, query, now, &value->value));
  } else if (is(query->kind, "error")) {
    PetscCall(ink_observe_error(&view, heat->exact, now, &l2, &largest));
    value->value = is(query->argument, "l2:T") ? l2 : largest;
  } else if (is(query->kind, "balance")) {
    PetscCall(balance_value(heat, now, &value->value));
  } else if (is(query->kind, "front")) {
    const InkNode *level = ink_tree_child(query->entry, "level");
    PetscCall(ink_observe_front(&view, front_axis(heat->deck, query->entry), level->number, &value->value));
  } else {
    PetscCall(field_value(query, &view, &value->value));
  }
  PetscFunctionReturn(0);
}
