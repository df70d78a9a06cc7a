/* The reaction-diffusion solver: an evolution of any number of species. */
#include "reaction_diffusion_impl.h"
#include "analysis.h"
#include "catalogue.h"

static void list_kinetics(FILE *out) { ink_kinetics_list(out, false); }

static PetscErrorCode species_create(MPI_Comm comm, const InkDeck *deck, void **self, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkEvolution *evolution;
  PetscCall(ink_evolution_create(comm, deck, &ink_species_model, &evolution, failure));
  *self = evolution;
  PetscFunctionReturn(0);
}

static bool species_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                            size_t size) {
  return ink_evolution_defined(deck, &ink_species_model, query, dim, message, size);
}

const InkSolverType ink_reaction_diffusion = {
    .name = "reaction_diffusion",
    .summary = "species that react, diffuse and are carried: du/dt = div(D grad u - w u) + R(u)",
    .methods = ink_evolution_methods,
    .list = list_kinetics,
    .schema = {.tables = ink_species_tables,
               .expand = ink_kinetics_expand,
               .fields = ink_species_fields,
               .unit = ink_species_unit},
    .check = ink_species_check,
    .analyse = ink_reaction_analysis,
    .create = species_create,
    .plan = ink_evolution_plan,
    .fields = ink_evolution_fields,
    .advance = ink_evolution_advance,
    .defined = species_defined,
    .quantity = ink_evolution_quantity,
    .save = ink_evolution_save,
    .load = ink_evolution_load,
    .destroy = ink_evolution_destroy};
