/* The spectrum of a generator: gathered on rank 0, solved there (spectrum_chain.c), told to all. */
#include <slepcsys.h>
#include "spectrum.h"

PetscErrorCode ink_spectrum_start(void) {
  PetscFunctionBeginUser;
  PetscBool started;
  PetscCall(SlepcInitialized(&started));
  if (started) PetscFunctionReturn(0);
  PetscCall(SlepcInitializeNoArguments());
  PetscCall(PetscRegisterFinalize(SlepcFinalize));
  PetscFunctionReturn(0);
}

/* Rank 0's result to all ranks. */
static PetscErrorCode tell(MPI_Comm comm, int count, double decay[], double frequency[],
                           InkFailure *failure) {
  PetscFunctionBeginUser;
  InkFailure copy = *failure;
  PetscCallMPI(MPI_Bcast(&copy, (int)sizeof copy, MPI_BYTE, 0, comm));
  PetscCallMPI(MPI_Bcast(decay, count, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(frequency, count, MPI_DOUBLE, 0, comm));
  if (copy.code) ink_fail(failure, copy.code, "%s", copy.message);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_spectrum(InkGenerator *generator, int count, double decay[], double frequency[],
                            double *mode[], InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  InkChain chain = {0};
  InkFailure own = {0};
  double **shape;
  int rank;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  PetscCall(ink_spectrum_start());
  PetscCall(ink_generator_gather(generator, &chain));
  PetscCall(PetscCalloc1(count, &shape));
  for (int k = 0; k < count; k++) decay[k] = frequency[k] = 0;
  for (int k = 0; k < count && rank == 0 && mode; k++)
    if (mode[k]) PetscCall(PetscMalloc1(mesh->cells, &shape[k]));
  if (rank == 0) PetscCall(ink_spectrum_chain(&chain, count, decay, frequency, shape, &own));
  PetscCall(tell(mesh->comm, count, decay, frequency, &own));
  for (int k = 0; k < count && mode && !own.code; k++)
    if (mode[k]) PetscCall(ink_mesh_scatter(mesh, shape[k], mode[k]));
  for (int k = 0; k < count; k++) PetscCall(PetscFree(shape[k]));
  PetscCall(PetscFree(shape));
  PetscCall(ink_chain_clear(&chain));
  if (own.code) ink_fail(failure, own.code, "%s", own.message);
  PetscFunctionReturn(0);
}
