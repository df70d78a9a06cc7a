/* Particles on the cells of the mesh, with the generator's own rates: a jump process in steps, forward and
 * reversed in time.
 *
 * A step of dt from cell i goes to cell j with the probability of the density's forward Euler step,
 *
 *     P(i -> j) = dt q(i -> j),    P(i -> i) = 1 - dt sum_j q(i -> j) - dt exit_i,
 *
 * one uniform deviate a step, with the rates of the step's start, so that the law of the particles' cell
 * after n steps is the density of the same steps, m_(n+1) = m_n P, m = volume times density. What leaves
 * through an absorbing side in a step is absorbed at the step's end, at the wall. Reversed, a particle in
 * cell j at step n + 1 comes from i with
 *
 *     P~_n(j -> i) = m_n(i) P(i -> j) / m_(n+1)(j)
 *
 * (Bayes), which is the time-reversed chain: begun with the density at the end, it ends in the initial
 * density exactly, whatever the number of particles. Where sides absorb, it is the past of those who are
 * there at the end: it ends in the law of their starts.
 *
 * Every rank holds the generator and the densities whole (on MPI_COMM_SELF); particles are shared out. Masses
 * of reversed runs: about sqrt(steps) of them evenly over the steps are kept, and those between two of them
 * are computed again when needed: 2 sqrt(steps) numbers a cell. */
#ifndef INK_CELL_CHAIN_H
#define INK_CELL_CHAIN_H

#include "../core/model.h"
#include "ensemble.h"

typedef struct InkCellChain InkCellChain;

/* The chain of a deck's model at its initial density. failure: memory, process, density (INK_USAGE,
 * INK_NUMERICAL); then *chain is NULL. The process's trees need not outlive the chain. Collective over comm
 * (memory is agreed on), the same result on all ranks. */
PetscErrorCode ink_cell_chain_create(MPI_Comm comm, const InkDeck *deck, const InkProcess *process,
                                     InkCellChain **chain, InkFailure *failure);
PetscErrorCode ink_cell_chain_destroy(InkCellChain **chain);
/* The longest step at time t with which all probabilities are >= 0, 1/(largest rate out of a cell); infinite
 * where nothing moves, NaN where the process is not defined. */
PetscErrorCode ink_cell_chain_longest(InkCellChain *chain, double t, double *dt);
/* |b h/D| at its largest, along the axes at the cells' centroids at the start: above 1/5 the generator's
 * upwind diffusion shows. Infinite where there is drift and no diffusion. */
PetscErrorCode ink_cell_chain_peclet(InkCellChain *chain, double *peclet);
/* Generator's mesh (MPI_COMM_SELF). */
const InkMesh *ink_cell_chain_mesh(const InkCellChain *chain);

/* Draws the cells of all particles from the masses m[cells] (x fastest; their sum need not be 1): particle i
 * by its own deviate of INK_STREAM_START. Sets cell and x (centroids). Local. */
void ink_cell_chain_draw(const InkCellChain *chain, const double *m, InkEnsemble *ensemble);
/* Cell of a place in the box, or -1. A place on a face belongs to the upper cell, on `to` to the last. */
int64_t ink_cell_chain_cell(const InkCellChain *chain, const double at[3]);

/* The density's masses: now (forward runs: after the steps taken; reversed: at the forward time reached).
 * [cells], x fastest, owned by the chain, until the next call that changes it. Their sum is 1 less what is
 * absorbed. */
const double *ink_cell_chain_mass(const InkCellChain *chain);

/* Forward: takes particles and the density through the schedule. Keeps cell and x (centroids), of absorbed
 * particles cell -1, fate, when = the end of the step, and x[axis] = the wall's place; adds up moved,
 * quadratic, total and length where the ensemble has them, unfolded across periodic ends (the way to a wall
 * is part of it). failure: a step that is longer than ink_cell_chain_longest, a process that is not defined.
 * The chain is the context and must outlive the mover. */
void ink_cell_chain_forward(InkCellChain *chain, InkMover *mover);
/* Reversed: lays out the forward steps times[0 .. steps], increasing (copied), runs the density to the end,
 * and keeps what it must. Then step number s of the mover's schedules takes forward step steps - 1 - s back;
 * the schedules' own times are not read. Particles must be in cells that have mass. failure: memory, as
 * above. Collective over the chain's communicator. */
PetscErrorCode ink_cell_chain_reverse(InkCellChain *chain, int64_t steps, const double *times,
                                      InkMover *mover, InkFailure *failure);
/* Forward: the masses under "/state/mass". Reversed: nothing, they are computed again. Collective. */
PetscErrorCode ink_cell_chain_save(const InkCellChain *chain, InkStore *store);
/* The masses as they are after `step` steps of the run; of reversed runs after ink_cell_chain_reverse.
 * Collective. */
PetscErrorCode ink_cell_chain_load(InkCellChain *chain, int64_t step, InkStore *store);
#endif
