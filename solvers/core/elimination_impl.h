/* Inside elimination*.c: the order of elimination, and dense fronts. */
#ifndef INK_CORE_ELIMINATION_IMPL_H
#define INK_CORE_ELIMINATION_IMPL_H

#include "elimination.h"

/* A node of the dissection: a separator, or a box that is not cut any more. Its front has the cells it
 * eliminates and its boundary: those eliminated later that its subtree touches. Cells are known by their
 * position in the order of elimination. */
typedef struct InkFront {
  int32_t first, own;     /* eliminates positions first .. first + own - 1 */
  int children, child[2]; /* numbers of nodes, all smaller */
  int64_t edge, boundary; /* where its boundary starts in InkDissection.boundary, and how long it is */
  int64_t factor;         /* where its factor starts (doubles) */
} InkFront;

typedef struct InkDissection {
  int32_t *cell, *position; /* [cells]: of a position, of a cell */
  InkFront *front;          /* [fronts] children before parents, the root last */
  int fronts;
  int32_t *boundary; /* positions, ascending for each front */
  int64_t factor;    /* doubles of all factors */
  int64_t stack;     /* doubles of the Schur complements that wait, at their height */
  int64_t work;      /* doubles of the largest front */
  int64_t widest;    /* longest boundary */
  int64_t largest;   /* most cells one front eliminates */
  double operations;
} InkDissection;

/* False when memory runs out. Where the chain's coefficients are there, edges that are zero are left out. */
bool ink_dissect(const InkChain *chain, InkDissection *dissection);
void ink_dissection_clear(InkDissection *dissection);

/* The cell at + sign * offset, -1 where there is none; at: the place of a cell. */
static inline int64_t ink_chain_neighbour(const InkChain *chain, const int64_t at[3], const int offset[3],
                                          int sign) {
  int64_t to[3];
  for (int a = 0; a < 3; a++) {
    const int64_t n = chain->cells[a];
    to[a] = at[a] + sign * offset[a];
    if (to[a] >= 0 && to[a] < n) continue;
    if (!chain->periodic[a]) return -1;
    to[a] = (to[a] % n + n) % n;
  }
  return to[0] + chain->cells[0] * (to[1] + chain->cells[1] * to[2]);
}
static inline void ink_chain_place(const InkChain *chain, int64_t cell, int64_t at[3]) {
  at[0] = cell % chain->cells[0];
  at[1] = cell / chain->cells[0] % chain->cells[1];
  at[2] = cell / chain->cells[0] / chain->cells[1];
}

/* A dense front: the flows among its cells, row by row from a cell to the others. Columns: the cells it
 * eliminates, padding to a multiple of 8, the boundary, the way out, padding to an odd multiple of 8 (rows
 * then do not compete for cache sets). Boundary rows have the numbers of their columns. The diagonal is never
 * read; padding is zero. */
typedef struct InkDense {
  int64_t own, boundary;
  int64_t start;  /* column and row of the first boundary cell */
  int64_t stride; /* doubles a row */
  double *a;
  double *visits; /* [own, up to a multiple of 16][16], for ink_dense_eliminate */
} InkDense;
/* Doubles of what a front leaves: the flows among its boundary and, as a last column, out. */
static inline int64_t ink_schur_size(int64_t boundary) { return boundary * (boundary + 1); }
InkDense ink_dense(int64_t own, int64_t boundary, double *a, double *visits);
static inline int64_t ink_dense_size(const InkDense *front) {
  return front->stride * (front->start + front->boundary);
}
static inline double *ink_dense_row(const InkDense *front, int64_t row) {
  return front->a + row * front->stride;
}
/* Eliminates the front's own cells. Above the diagonal then stand the probabilities a(k,j)/s_k, below it the
 * flows a(i,k) at the time k was eliminated; the boundary has its flows without them. inverse[own]: 1/s_k, 0
 * where a cell has no way out (it then keeps what reaches it). */
void ink_dense_eliminate(const InkDense *front, double *inverse);

struct InkElimination {
  InkDissection order;
  int64_t cells;
  double scale;   /* a power of two by which all coefficients are multiplied, and so right-hand sides */
  int64_t closed; /* the position of the one cell that keeps what reaches it; -1: none */
  double *factor; /* of each front: inverse[own]; a[own][own]; the columns of the boundary of these rows
                     [own][boundary]; the boundary's rows of own columns [boundary][own] */
  double *value;  /* [cells] by position, while solving */
  double *near;   /* [longest boundary] */
};
#endif
