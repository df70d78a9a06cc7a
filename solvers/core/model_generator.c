/* A model's mesh and generator. See model.h. */
#include <string.h>
#include "memory.h"
#include "model.h"

/* The mesh again, with room for what reaches further than the next cell. */
static PetscErrorCode widen(MPI_Comm comm, const InkDeck *deck, int width, InkMesh **mesh,
                            InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_destroy(mesh));
  PetscCall(ink_mesh_create_wide(comm, deck, width, mesh, failure));
  const size_t used = strlen(failure->message);
  if (failure->code)
    snprintf(failure->message + used, sizeof failure->message - used,
             " (off-diagonal diffusion reaches %d cells far)", width);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_model_generator(MPI_Comm comm, const InkDeck *deck, const InkProcess *process,
                                   double arrays, InkMesh **mesh, InkGenerator **generator,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  const double start = ink_deck_number(deck, "time.start");
  int width = 1;
  PetscCall(ink_mesh_create(comm, deck, mesh, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(
      ink_memory_check(comm, 8.0 * (double)(*mesh)->size * (4.0 + arrays + 2.0 * process->dim), failure));
  if (!failure->code) PetscCall(ink_generator_width(*mesh, process, start, &width, failure));
  PetscCall(ink_failure_agree(comm, failure));
  if (!failure->code && width > 1) PetscCall(widen(comm, deck, width, mesh, failure));
  if (!failure->code) PetscCall(ink_generator_create(*mesh, process, start, generator, failure));
  PetscCall(ink_failure_agree(comm, failure));
  PetscFunctionReturn(0);
}
