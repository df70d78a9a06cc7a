/* Manufactured solutions: sources and boundary data derived symbolically from an exact solution of n fields.
 *
 * For u*(x,t): R_s = c_s u*_s,t - div( sum_f k_sf grad u*_f - w u*_s ), with k, c taken at u*; in cylindrical
 * and axisymmetric r the radial part is (1/r) d/dr (r F), in spherical (1/r^2) d/dr (r^2 F). */
#ifndef INK_CORE_MANUFACTURED_H
#define INK_CORE_MANUFACTURED_H

#include "boundary.h"

/* Where the equation holds: dim axes x y z, or r, or r and z. */
typedef struct InkManufactured {
  InkPool *pool;
  int dim, n;
  InkCoordinates coordinates;
  const InkExpr *const *exact;        /* [n] of x y z r t */
  const InkExpr *const *conductivity; /* [n * n] as InkDiffusionSpec's */
  const InkExpr *const *capacity;     /* [n]; NULL: 1 */
  const InkExpr *velocity[3];         /* NULL: none */
} InkManufactured;

/* What must be added to the equation of field s to make `exact` a solution: R_s when the equation has no
 * source of its own. reaction: the equation's own source of the fields, which is kept; NULL: none. steady:
 * without c u_t. Pure; the tree lives in the pool. */
const InkExpr *ink_manufactured_source(const InkManufactured *problem, int field, const InkExpr *reaction,
                                       bool steady);
/* Total flux of a field into the domain through `side` (2 axis + end): -(F . n), F = -sum k grad u + w u, n
 * outward. */
const InkExpr *ink_manufactured_inflow(const InkManufactured *problem, int field, int side);
/* Fills in the data of a side of the given type: value; flux; convection (data->coefficient is given, may use
 * the fields; ambient = u* + q/h). Others are left alone. */
void ink_manufactured_side(const InkManufactured *problem, int field, int side, InkSideData *data);
#endif
