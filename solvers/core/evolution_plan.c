/* Evolutions: what a run will take. */
#include <math.h>
#include "evolution_impl.h"
#include "method.h"

PetscErrorCode ink_evolution_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  *plan = e->plan;
  PetscCall(ink_diffusion_limits(e->diffusion, ink_deck_number(e->deck, "time.start"), e->u,
                                 &plan->dt_gershgorin, &plan->dt_exact));
  if (!isfinite(plan->dt_gershgorin)) plan->dt_gershgorin = 0.0;
  const double bytes = (double)e->mesh->size * (8.0 * (e->n + ink_method_arrays(&e->system, e->method)) +
                                                ink_diffusion_bytes_per_cell(e->diffusion));
  PetscCallMPI(MPI_Allreduce(&bytes, &plan->bytes_per_rank, 1, MPI_DOUBLE, MPI_MAX, e->comm));
  /* About 5e9 operations a second and rank, and no more than 7e8 cells from memory. */
  const double cell_seconds = fmax(ink_diffusion_operations(e->diffusion) / 5e9, e->n / 7e8);
  PetscCall(ink_method_plan(e->deck, &e->system, e->method, cell_seconds, e->u, plan));
  PetscFunctionReturn(0);
}
