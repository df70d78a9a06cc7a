/* Manufactured solutions: source and boundary data derived symbolically from an exact solution.
 *
 * For u*(x,t): s = c u*_t - div(k grad u*), with k and c taken at u*; in cylindrical r the divergence is
 * (1/r) d/dr (r k u*_r), in spherical (1/r^2) d/dr (r^2 k u*_r). */
#ifndef INK_CORE_MANUFACTURED_H
#define INK_CORE_MANUFACTURED_H

#include "boundary.h"

/* Where the equation holds: dim axes x y z, or r. */
typedef struct InkManufactured {
  InkPool *pool;
  int dim;
  InkCoordinates coordinates;
  const InkExpr *exact;                   /* of x y z r t */
  const InkExpr *conductivity, *capacity; /* may use field 0, for which exact is put in */
} InkManufactured;

/* The source that makes `exact` a solution. steady: without c u_t. Pure; the tree lives in the pool. */
const InkExpr *ink_manufactured_source(const InkManufactured *problem, bool steady);
/* Flux into the domain through `side` (2 axis + end): -k grad u . n, n outward, with the sign turned. */
const InkExpr *ink_manufactured_inflow(const InkManufactured *problem, int side);
/* Fills in the data of a side of the given type: value; flux; convection (data->coefficient is given, may use
 * field 0; ambient = u* + q/h). Others are left alone. */
void ink_manufactured_side(const InkManufactured *problem, int side, InkSideData *data);
#endif
