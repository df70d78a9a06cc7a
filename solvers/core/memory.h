/* Whether a run fits into memory, asked before anything large is allocated: Linux grants what it does not
 * have and kills later. */
#ifndef INK_CORE_MEMORY_H
#define INK_CORE_MEMORY_H

#include <mpi.h>
#include <petscsys.h>
#include "../../io/error.h"

/* Fails with INK_USAGE, on all ranks alike, when the ranks of one machine together need more than its
 * physical memory. bytes: this rank's need (an estimate). Collective. */
PetscErrorCode ink_memory_check(MPI_Comm comm, double bytes, InkFailure *failure);

#endif
