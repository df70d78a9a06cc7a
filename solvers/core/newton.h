/* Newton's method for the stage equations of implicit steps and for steady states:
 *
 *     r(U) = rate M(t,U) (U - base) - G(t,U) = 0          (n fields)
 *
 * with the exact matrix rate (M + dM/du (U - base)) - dG/du. rate = 1 / (a dt) for a stage, 0 for a steady
 * state. */
#ifndef INK_CORE_NEWTON_H
#define INK_CORE_NEWTON_H

#include "linear.h"

typedef struct InkNewton InkNewton;

typedef struct InkNewtonProblem {
  double t, rate;
  const double *base;  /* not read when rate is 0 */
  const double *scale; /* [n] unit of each field: norms are the largest over the fields of |update| / scale */
  double tolerance;    /* of the last update, in these units */
  double acceptable;   /* below it, updates that do not fall any more are round-off: converged too */
  int max_iterations;
  bool keep_preconditioner; /* made earlier in the same step */
} InkNewtonProblem;

typedef struct InkNewtonResult {
  bool converged, finite; /* finite: false when the equation, its matrix or the update was NaN or infinite */
  int iterations, linear_iterations;
  double update;    /* last, max norm */
  char reason[200]; /* when not converged */
} InkNewtonResult;

/* failure: as ink_linear_create; *newton is then NULL. */
PetscErrorCode ink_newton_create(const InkSystem *system, InkNewton **newton, InkFailure *failure);
/* u: the start, and the solution when converged. Collective; the result is the same on all ranks. A linear
 * system whose matrix is the one before is not set up again. */
PetscErrorCode ink_newton_solve(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                InkNewtonResult *result);
/* r at u, into the solver's own array, which is returned. Collective. */
PetscErrorCode ink_newton_residual(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                   const double **residual);
/* Builds the matrix at u, and solves matrix * x = b; atol in the units of problem->scale; b and x may be the
 * same array. Collective. */
PetscErrorCode ink_newton_matrix(InkNewton *newton, const InkNewtonProblem *problem, double *u, bool *finite);
PetscErrorCode ink_newton_linear(InkNewton *newton, const double *b, double rtol, double atol, double *x,
                                 InkLinearResult *result);
/* How large a residual is as a change of the fields: the largest over cells and fields s of |r_s| / sum over
 * f of |diagonal of block sf| scale_f, of the matrix in place (for one field |r| / |diagonal|; scales rounded
 * to powers of two). Collective. */
PetscErrorCode ink_newton_merit(InkNewton *newton, const double *residual, double *merit);
/* The arrays of the last evaluation: residual and capacity M, n fields. Owned by the solver. */
const double *ink_newton_capacity(const InkNewton *newton);
const double *ink_newton_last_residual(const InkNewton *newton);
PetscErrorCode ink_newton_destroy(InkNewton **newton);
#endif
