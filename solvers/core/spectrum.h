/* The slowest eigenvalues of a Markov generator, by SLEPc (the only files that include it are spectrum*.c).
 *
 * V dp/dt = A p has solutions exp(-lambda t) phi, A phi = -lambda V phi. lambda = 0 belongs to the stationary
 * law where no side absorbs; the others, ordered by their real part, are the relaxation and escape rates.
 *
 * Krylov-Schur (Stewart, SIAM J. Matrix Anal. 23 (2001) 601) on S (s V - A)^-1 V S^-1, whose eigenvalues are
 * 1/(s + lambda): paths killed at the rate s > 0, by elimination.h, so that no digits are lost however small
 * lambda is. S = sqrt(V/pi), pi the stationary law with the sides closed, makes the operator symmetric where
 * there is detailed balance, and its eigenvalues as well-conditioned as they are in the space where the
 * process contracts. Where it is symmetric the nearest modes to any shift are the slowest, and the shift s is
 * about ten times the fastest rate asked for. Else it is about a hundred times that rate: then the nearest
 * modes are those of the smallest real part unless they turn more than about ten radians while they decay by
 * e. Rates much slower than the rest get a shift of their own. Of equal rates all are looked for, each in
 * what the others leave. */
#ifndef INK_CORE_SPECTRUM_H
#define INK_CORE_SPECTRUM_H

#include "elimination.h"
#include "generator.h"

/* Mode k = 1, 2, ... is the k-th slowest that is not at rest: decay[k - 1] >= 0 and frequency[k - 1] the real
 * and imaginary part of lambda (one of a complex pair, with frequency >= 0), mode[k - 1] an array of the mesh
 * (the real part of phi, with the phase that makes its largest entry real and positive; integral of its
 * square 1), from ink_mesh_array, or NULL if the caller does not want it (mode NULL: none). failure: not
 * converged or fewer than `count` modes (INK_NUMERICAL), too large for this machine (INK_USAGE). Rank 0 does
 * the work; the same bits on any rank count. Rates are known to about 1e-10 of themselves; a mode that lives
 * where the stationary law is a small fraction e of its largest value, to 1e-14/sqrt(e). Collective. */
PetscErrorCode ink_spectrum(InkGenerator *generator, int count, double decay[], double frequency[],
                            double *mode[], InkFailure *failure);

/* The same for a chain on this process: mode[k] is an array of its cells. Serial, but all ranks call
 * ink_spectrum_start before, which starts SLEPc (and has it ended with PETSc). */
PetscErrorCode ink_spectrum_start(void);
PetscErrorCode ink_spectrum_chain(const InkChain *chain, int count, double decay[], double frequency[],
                                  double *mode[], InkFailure *failure);
#endif
