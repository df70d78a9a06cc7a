/* Shared between the files of the observers; not for others. */
#ifndef INK_CORE_OBSERVE_IMPL_H
#define INK_CORE_OBSERVE_IMPL_H

#include "observe.h"

/* Every rank gets values of which each is held by one rank, with all its bits (also NaN); the other ranks
 * must hold +0. Collective. */
PetscErrorCode ink_observe_gather(MPI_Comm comm, int count, double *values);
#endif
