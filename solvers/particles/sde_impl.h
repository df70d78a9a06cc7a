/* Shared between the files of sde.h; not for others. */
#ifndef INK_SDE_IMPL_H
#define INK_SDE_IMPL_H

#include "sde.h"

/* NULL for an expression that is the number 0, a number for one that is constant. */
const InkExpr *ink_sde_folded(InkPool *pool, const InkExpr *e);
/* L^j e = sum over l of B_lj de/dx_l, term by term: term[l], NULL where it is 0. */
void ink_sde_terms(const InkSde *sde, InkPool *pool, int j, const InkExpr *e, const InkExpr *term[3]);
/* Point i >= 0 of Halton's sequence (bases 2, 3, 5) in the box, none of them on its sides, and t, as the
 * variables of trees. */
void ink_sde_point(int dim, const double from[3], const double to[3], double t, int i,
                   double variable[INK_VARS]);
#endif
