/* Linear systems A x = b of n fields whose matrix is a stencil of a mesh (a cell and its face neighbours),
 * block by block (InkStencil):
 *
 *     sum over f of [ diagonal_sf[c] x_f[c] + sum over axes a (off_sf[a][0][c] x_f[lower neighbour along a]
 *                   + off_sf[a][1][c] x_f[upper neighbour]) ] = b_s[c],
 *
 * and of one field on several axes also far[d][0] x[cell at -offset[d]] + far[d][1] x[cell at +offset[d]] for
 * the directions d of a reach.
 *
 * One axis: a direct band factorisation with partial pivoting on the gathered system (n fields a cell
 * interleaved; periodic ends folded), the same bits on any rank count. More axes: PETSc, CG where symmetric
 * and else BiCGStab or GMRES, preconditioned by incomplete factorisations of each rank's block where the
 * diagonal dominates and by algebraic multigrid elsewhere. Where one does not converge the other is tried,
 * and last a parallel direct factorisation, if PETSc has one and the system is not too large. Options with
 * the prefix `ink_` (-ink_ksp_type, -ink_pc_type, ...) override the choice. */
#ifndef INK_CORE_LINEAR_H
#define INK_CORE_LINEAR_H

#include "stepping.h"

typedef struct InkLinear InkLinear;

typedef struct InkLinearResult {
  bool converged;
  int iterations;   /* 1 for a direct solve */
  char reason[160]; /* when not converged: in words */
} InkLinearResult;

/* coupling: [n * n] which blocks the matrices to come have. reach: of their one block, on a mesh of more than
 * one axis that is wide enough; NULL: faces only; kept, not copied. symmetric: every one is symmetric
 * positive definite (only when n is 1). failure (INK_USAGE): more unknowns than this PETSc can number;
 * *linear is then NULL. Collective. */
PetscErrorCode ink_linear_create(const InkMesh *mesh, int n, const InkCoupling *coupling,
                                 const InkReach *reach, bool symmetric, InkLinear **linear,
                                 InkFailure *failure);
/* Sets the matrix (copied). keep_preconditioner: go on with the one that was made for an earlier matrix (a
 * direct solver always factors). Entries must be finite. Collective. */
PetscErrorCode ink_linear_matrix(InkLinear *linear, const InkStencil *matrix, bool keep_preconditioner);
/* x = A^-1 b, arrays of n fields (padded; ghosts of b are not read, ghosts of x not written), until the
 * 2-norm of the preconditioned residual, which is about that of the error, is below max(rtol times its start,
 * atol). Not converging is a result, not an error. Collective. */
PetscErrorCode ink_linear_solve(InkLinear *linear, const double *b, double rtol, double atol, double *x,
                                InkLinearResult *result);
PetscErrorCode ink_linear_destroy(InkLinear **linear);

/* Tridiagonal LU with partial pivoting, as LAPACK's gttrf: row i is lower[i-1] x[i-1] + diagonal[i] x[i] +
 * upper[i] x[i+1]. Pure and serial. upper2[n] is filled. False: exactly singular. */
bool ink_tridiagonal_factor(int64_t n, double *lower, double *diagonal, double *upper, double *upper2,
                            bool *swapped);
void ink_tridiagonal_solve(int64_t n, const double *lower, const double *diagonal, const double *upper,
                           const double *upper2, const bool *swapped, double *x);
#endif
