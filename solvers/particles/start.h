/* Where particles start. Particle i's place depends on seed and i alone; all else of the particles is set to
 * "nothing has happened yet". Padding particles start like particle 0. */
#ifndef INK_START_H
#define INK_START_H

#include "../core/model.h"
#include "ensemble.h"

/* All at initial.point, or drawn from initial.density: a cell by its mass (the density over 2 Gauss points an
 * axis, normalised), then a place in the cell with the density itself by rejection (envelope: 1.1 times its
 * largest value at the centroid, the Gauss points and the corners). Fails (INK_NUMERICAL) like
 * ink_model_initial on densities that are negative, not finite or 0 everywhere. Draw 0 of INK_STREAM_START
 * chooses the cell, block k + 1 is the k-th try for a place. Every rank holds two numbers a cell meanwhile.
 * Collective. */
PetscErrorCode ink_start_initial(const InkDeck *deck, InkEnsemble *ensemble, InkFailure *failure);

/* Number of samples in particles.start.file of a deck (relative to the deck's folder), datasets named
 * path_STATE, or else as the states, 1-D of n values or (time, n), of which the last row counts. (path_STATE
 * first: in a snapshot the states' names are those of the axes.) failure (INK_USAGE): no file, no dataset,
 * different lengths. Collective. */
PetscErrorCode ink_start_count(MPI_Comm comm, const InkDeck *deck, int64_t *count, InkFailure *failure);
/* Particle i at sample i modulo their number, or all at particles.start.point. failure (INK_USAGE): a sample
 * that is not finite or outside the domain, with its number. Collective. */
PetscErrorCode ink_start_given(const InkDeck *deck, InkEnsemble *ensemble, InkFailure *failure);
bool ink_start_is_given(const InkDeck *deck);
#endif
