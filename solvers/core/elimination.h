/* Direct solution of Markov chains on structured meshes by state reduction. Serial, no MPI.
 *
 * A chain with flow coefficients a(i,j) >= 0 from cell i to cell j and e(i) >= 0 out of the chain has the
 * equations
 *
 *     forward     p_j (sum_k a(j,k) + e_j) = sum_i p_i a(i,j) + b_j
 *     backward    x_i (sum_k a(i,k) + e_i) = sum_k a(i,k) x_k + b_i
 *     stationary  forward with b = 0, e = 0
 *
 * Cells are eliminated one by one (Grassmann, Taksar & Heyman, Oper. Res. 33 (1985) 1107): the chain watched
 * only while it is in the remaining cells has the coefficients a(i,j) + a(i,k) a(k,j)/s_k, s_k = sum over
 * remaining j of a(k,j) + e_k. There is no subtraction anywhere, so every entry of the solution has a small
 * relative error, however small it is, and is never negative (O'Cinneide, Numer. Math. 65 (1993) 109). The
 * order is nested dissection of the box of cells, with separators as thick as the longest offset, and the
 * elimination multifrontal: dense fronts, blocked.
 */
#ifndef INK_CORE_ELIMINATION_H
#define INK_CORE_ELIMINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct InkChain {
  int dim;
  int64_t cells[3]; /* 1 for unused axes; x fastest */
  bool periodic[3];
  int directions;
  int (*offset)[3];    /* [directions] */
  double **up, **down; /* [directions][cells]: from c to c + offset, and back; 0 where there is none */
  double *exit;        /* [cells]: e */
  double *volume;      /* [cells], for those who weigh with it */
} InkChain;

typedef struct InkElimination InkElimination;

enum { INK_ELIMINATION_MOST = 1 << 26 }; /* cells; no machine has the memory for more in 2-D and 3-D */

/* Bytes that a factorisation takes at its height, and its operations, before anything is made; infinite when
 * there are too many cells. Without coefficients (up and down NULL) every offset counts as an edge. */
void ink_elimination_plan(const InkChain *chain, double *bytes, double *operations);
/* Factors; `kill` (NULL: 0) is added to exit. The chain is not needed afterwards. *reducible, when not NULL,
 * gets the number of a cell from which neither the rest nor the outside can be reached, or -1; then there is
 * no unique solution and the result is NULL. Without any exit, one class of cells that is never left is
 * allowed besides others from which it is reached. A way out of less than 1e-307 times the largest
 * coefficient counts as none. NULL also when memory runs out. */
InkElimination *ink_elimination_create(const InkChain *chain, const double *kill, int64_t *reducible);
void ink_elimination_destroy(InkElimination **elimination);
/* [cells] each; in and out may be the same. b >= 0 gives results >= 0; b of any sign is solved too. For
 * chains that leave (some exit > 0). What is too large for doubles is not finite. */
void ink_elimination_forward(const InkElimination *elimination, const double *b, double *p);
void ink_elimination_backward(const InkElimination *elimination, const double *b, double *x);
/* The stationary p >= 0 of a chain without exits, scaled to a largest entry of 1 (entries that underflow are
 * 0, and so are those of cells that are left for good). */
void ink_elimination_stationary(const InkElimination *elimination, double *p);
#endif
