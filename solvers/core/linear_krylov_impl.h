/* Private to linear_krylov.c and linear_precondition.c. */
#ifndef INK_CORE_LINEAR_KRYLOV_IMPL_H
#define INK_CORE_LINEAR_KRYLOV_IMPL_H

#include <petscksp.h>
#include "linear_impl.h"

typedef enum InkPreconditioner {
  INK_NO_PRECONDITIONER,
  INK_INCOMPLETE, /* incomplete factorisation of each rank's block */
  INK_MULTIGRID,
  INK_FACTORED, /* parallel direct factorisation */
  INK_PRECONDITIONERS
} InkPreconditioner;

struct InkKrylov {
  const InkMesh *mesh;
  const InkReach *reach; /* or NULL */
  int n, entries;
  bool symmetric;
  InkEntry *entry; /* [entries] of a cell's rows */
  double *values;  /* the entries, array after array */
  Mat matrix;
  Vec b, x, residual;
  KSP ksp;
  InkPreconditioner preconditioner;
  int most_iterations;
  double dominance;                   /* rho of the matrix the preconditioner was chosen for */
  double failed[INK_PRECONDITIONERS]; /* smallest rho at which each did not converge; INFINITY: none */
};

/* Chooses the preconditioner for a matrix that is new. Collective. */
PetscErrorCode ink_precondition(InkKrylov *krylov, const InkStencil *matrix);
/* Makes the preconditioner; *good is false where that fails. Collective. */
PetscErrorCode ink_precondition_set_up(InkKrylov *krylov, bool *good);
/* After a set-up that failed or a solve that did not converge: turns to the next better preconditioner;
 * *found is false when there is none, or when the right-hand side is not finite. Collective. */
PetscErrorCode ink_precondition_better(InkKrylov *krylov, bool *found);
#endif
