/* The heat solver: an evolution of one field, with radiation's need of temperatures above 0 K. */
#include "heat_impl.h"
#include <string.h>

/* Does the side, or a part of it, radiate? */
static bool radiates(const InkEvolution *heat, int side) {
  if (!ink_side_exists(heat->mesh, side)) return false;
  InkPool *pool = ink_pool_create();
  InkLaw *laws;
  bool found = false;
  const int count = ink_side_laws(heat->deck, ink_side_name(heat->mesh, side), heat->name[0], pool, &laws);
  for (int i = 0; i < count; i++) found = found || ink_law_type(&laws[i]) == INK_SIDE_RADIATION;
  ink_pool_destroy(&pool);
  return found;
}

static PetscErrorCode heat_create(MPI_Comm comm, const InkDeck *deck, void **self, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkEvolution *heat;
  double minimum, maximum;
  PetscCall(ink_evolution_create(comm, deck, &ink_heat_model, &heat, failure));
  *self = heat;
  if (!heat) PetscFunctionReturn(0);
  const InkFieldView view = {.mesh = heat->mesh, .values = heat->u};
  PetscCall(ink_observe_range(&view, &minimum, &maximum));
  for (int side = 0; side < INK_SIDES && !(minimum > 0.0); side++)
    if (radiates(heat, side))
      ink_fail(failure, INK_NUMERICAL,
               "radiation at %s needs temperatures above 0 K, but initial.T goes down to %g K",
               ink_side_name(heat->mesh, side), minimum);
  if (failure->code) PetscCall(ink_evolution_destroy(self));
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_advance(void *self, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  const InkEvolution *heat = self;
  PetscCall(ink_evolution_advance(self, until, clock, progress));
  if (!progress->failure.code) PetscFunctionReturn(0);
  for (int side = 0; side < INK_SIDES; side++) {
    const size_t used = strlen(progress->failure.message);
    if (!radiates(heat, side)) continue;
    snprintf(progress->failure.message + used, sizeof progress->failure.message - used,
             " (the radiating side %s needs temperatures above 0 K)", ink_side_name(heat->mesh, side));
    break;
  }
  PetscFunctionReturn(0);
}

static bool heat_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                         size_t size) {
  return ink_evolution_defined(deck, &ink_heat_model, query, dim, message, size);
}

const InkSolverType ink_heat = {
    .name = "heat",
    .summary = "heat conduction: rho c dT/dt = div(k grad T) + source",
    .methods = ink_evolution_methods,
    .schema = {.tables = ink_heat_tables, .fields = ink_heat_fields, .unit = ink_heat_unit},
    .check = ink_heat_check,
    .create = heat_create,
    .plan = ink_evolution_plan,
    .fields = ink_evolution_fields,
    .advance = heat_advance,
    .defined = heat_defined,
    .quantity = ink_evolution_quantity,
    .save = ink_evolution_save,
    .load = ink_evolution_load,
    .destroy = ink_evolution_destroy};
