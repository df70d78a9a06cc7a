/* Shared between the files of spectra; not for others. */
#ifndef INK_CORE_SPECTRUM_IMPL_H
#define INK_CORE_SPECTRUM_IMPL_H

#include "spectrum.h"

/* x -> S (shift V - A)^-1 V S^-1 x, eigenvalues 1/(shift + lambda), and an invariant subspace of it. */
typedef struct InkResolvent {
  const InkChain *chain;
  int64_t cells;
  double *scale; /* 1/S = sqrt(pi/V) */
  double shift;
  double *kill, *work; /* shift V */
  InkElimination *elimination;
  /* The subspace: orthonormal rows [size][cells], and what the operator is there. */
  int size;
  double *basis;
  double *value[2]; /* [size] real and imaginary part of its eigenvalues; pairs follow one another, the one
                       with the positive imaginary part first */
  double *vector;   /* [size][size] eigenvectors in the basis; of a pair the real, then the imaginary part */
} InkResolvent;

static inline int64_t ink_chain_cells(const InkChain *chain) {
  return chain->cells[0] * chain->cells[1] * chain->cells[2];
}

PetscErrorCode ink_resolvent_create(const InkChain *chain, InkResolvent *resolvent);
PetscErrorCode ink_resolvent_destroy(InkResolvent *resolvent);
/* A new shift; the subspace is empty again. */
PetscErrorCode ink_resolvent_shift(InkResolvent *resolvent, double shift, InkFailure *failure);
/* Is the operator symmetric to round-off, as it is with detailed balance? Told by two vectors of noise. */
PetscErrorCode ink_resolvent_is_symmetric(InkResolvent *resolvent, bool *symmetric);
/* Enlarges the subspace by that of `want` more of the largest eigenvalues, as far as they converge. *added:
 * by how many dimensions. Of a small chain: the whole space, at once. */
PetscErrorCode ink_resolvent_extend(InkResolvent *resolvent, int want, int *added);
/* Takes the last dimensions out again. */
PetscErrorCode ink_resolvent_shrink(InkResolvent *resolvent, int size);
/* Eigenvector k, not scaled back: real and imaginary part [cells] of one of a pair, or the real part alone.
 */
void ink_resolvent_vector(const InkResolvent *resolvent, int k, double *real, double *imaginary);
#endif
