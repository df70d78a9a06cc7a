/* A model as the stochastic differential equation a scheme steps: pure trees, no MPI.
 *
 *     dX_i = b_i dt + sum_k B_ik dW_k
 *
 * in the sense a scheme needs (Ito; Stratonovich for Heun's). A model that gives D has the columns of its
 * Cholesky factor, B B^T = 2 D, D_ij = 0 where D_ii is 0. Trees of the states (INK_VAR_X..) and t. */
#ifndef INK_SDE_H
#define INK_SDE_H

#include "../core/model.h"

typedef enum InkScheme { INK_EULER_MARUYAMA, INK_MILSTEIN, INK_HEUN, INK_EXACT, INK_JUMP } InkScheme;

typedef struct InkSde {
  int dim, noises;
  const char *state[3], *noise[INK_MAX_NOISES]; /* names, for messages; noises of a model with D: "w1".. */
  const InkExpr *drift[3];                      /* NULL: 0 */
  const InkExpr *B[3][INK_MAX_NOISES];          /* NULL: 0 */
  const InkExpr *D[3][3];                       /* B B^T/2; NULL: 0 */
  /* Milstein: half of L^j B_ik + L^k B_ij over 2, that is 1/4 (sum_l B_lj dB_ik/dx_l + B_lk dB_ij/dx_l),
   * j <= k (and [j][k] only there; off-diagonal ones already doubled), which multiplies dW_j dW_k, and for
   * j = k dW_j^2 - dt. NULL: 0. */
  const InkExpr *second[3][INK_MAX_NOISES][INK_MAX_NOISES];
} InkSde;

/* The equation of a model for a scheme: the Stratonovich drift for INK_HEUN, `second` for INK_MILSTEIN.
 * Trees live in the pool. Local. */
void ink_sde_read(const InkModel *model, InkScheme scheme, InkPool *pool, InkSde *sde);

/* Does the noise commute, L^j B_ik = L^k B_ij for all i, j < k, to 1e-9 of the larger side at the points of a
 * fixed low-discrepancy set in the box from[], to[] (and at time t)? If not, the pair and where, in a line of
 * message. Local, pure. (Kloeden & Platen 1992, 10.3.) */
bool ink_sde_commutes(const InkSde *sde, const double from[3], const double to[3], double t, char *message,
                      size_t size);

/* The longest step for which the scheme's bias is small, and which of the reasons holds, in words with
 * numbers. A rate r of a place is the drift's relaxation there (largest row sum of |db_i/dx_j| l_j/l_i, l the
 * axes' lengths, so that units do not matter) or the noise's (of the squares of |dB_ik/dx_j| l_j/l_i); dt is
 * such that the mean of min(1, r dt) over the box is 0.5 %: 0.005/r where r is the same everywhere, while a
 * wall at which r has no bound counts with the part of the box that feels it. Changes of b and B with t,
 * about time t, are resolved to 0.5 % too, and steps of the noise are no longer than a fiftieth of each axis
 * (sqrt(2 D_aa dt) <= length/50, D at its median). Infinite when nothing limits it. Local, pure. */
double ink_sde_step(const InkSde *sde, const double from[3], const double to[3], double t, char *reason,
                    size_t size);

/* ---- exact steps ---- */

typedef enum InkExactKind {
  INK_EXACT_NONE,
  INK_EXACT_LINEAR,   /* dX = (A X + c(t)) dt + B dW; A and B constant: Gaussian steps */
  INK_EXACT_GEOMETRIC /* every state apart: dX_i = a_i X_i dt + X_i sum_k s_ik dW_k, numbers a, s */
} InkExactKind;

/* Which exact step the equation has; NONE with the reason and what to do in message. Looks at the trees'
 * derivatives: A is linear when no db_i/dx_j depends on anything. Local. */
InkExactKind ink_sde_exact(const InkSde *sde, InkPool *pool, char *message, size_t size);

/* One step of a linear equation from t to t + dt: X' = P X + q + L z, with z standard normal deviates, one a
 * column, P = exp(A dt), q = integral of exp(A (dt - s)) c(t + s) (Gauss-Legendre of 8 points on the step or,
 * where A dt is not small, on its parts; exact where c is constant), L L^T = integral of exp(A s) B B^T
 * exp(A^T s) (what Van Loan 1978 computes; Cholesky, semidefinite allowed). columns: dim, 0 without noises.
 * Where each state has one noise of its own, column k has the sign of B_kk, so that in one dimension the path
 * goes with the same Brownian path as Euler's when z drives dW. Of geometric ones: X_i' = X_i exp(q_i + sum_k
 * L_ik z_k), q_i = (a_i - 1/2 sum_k s_ik^2) dt, L_ik = s_ik sqrt(dt), P not used; columns: noises. kind: not
 * INK_EXACT_NONE. Local, pure. */
typedef struct InkExactStep {
  InkExactKind kind;
  int dim, columns;
  double P[3][3], q[3], L[3][INK_MAX_NOISES];
} InkExactStep;
void ink_sde_exact_step(const InkSde *sde, InkExactKind kind, double t, double dt, InkExactStep *step);
#endif
