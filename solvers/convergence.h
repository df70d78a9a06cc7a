/* The verb convergence: observed orders in space and time. */
#ifndef INK_CONVERGENCE_H
#define INK_CONVERGENCE_H

#include <mpi.h>
#include <petscsys.h>
#include "options.h"

/* Runs the deck at options->levels levels of refinement, without output, and prints two tables.
 * Space: cells doubled at each level, steps by the method's order (dt/2 implicit, dt/4 explicit); the errors
 * are those against `exact`, or without it the differences of the verify quantities between levels. Time: the
 * deck's cells, dt halved; the errors are the differences of the fields between successive levels, so the
 * error of the mesh does not show.
 * *code: INK_UNVERIFIED when an order is asked for and the last one in space is below it. Collective. */
PetscErrorCode ink_convergence(MPI_Comm comm, const InkOptions *options, int *code);
#endif
