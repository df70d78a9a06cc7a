/* The verb convergence: observed orders in space and time. */
#ifndef INK_CONVERGENCE_H
#define INK_CONVERGENCE_H

#include <mpi.h>
#include <petscsys.h>
#include "options.h"

/* Runs the deck at options->levels levels of refinement, without output, and prints two tables.
 * Space: cells doubled at each level, and with a method of order p in time dt divided by 2^(2/p), so that the
 * error in time goes with the square of the width too; the errors are those against `exact`, of every field,
 * or without it the differences of the verify quantities between levels. Time: the deck's cells, dt halved;
 * the errors are the differences of every field between successive levels, so the error of the mesh does not
 * show.
 * *code: INK_UNVERIFIED when an order is asked for and the last one in space is below it. Collective. */
PetscErrorCode ink_convergence(MPI_Comm comm, const InkOptions *options, int *code);
#endif
