/* Closures: what a side of the domain does to the cells beside it.
 *
 * A side's law gives the flux into the domain as a function of the side's own surface value us,
 *
 *     value       us = v(x,t)
 *     flux        q  = value(x,t,us)                      (positive into the domain)
 *     convection  q  = h(x,t,us) (ambient(x,t,us) - us)
 *     radiation   q  = emissivity sigma (ambient^4 - us^4)
 *
 * and the half cell between the centroid and the side conducts it: q = ks (us - u) / d, with ks = k(x_cell)
 * and, where k depends on the state, ks = (k(x_cell,u) + k(x_cell,us)) / 2. Eliminating us leaves a
 * cell-local closure q(x,t,u) with its derivative dq/du: exact for a linear profile in the half cell, second
 * order else. Linear laws are eliminated in closed form, the others by Newton's method, each face for itself.
 */
#ifndef INK_CORE_BOUNDARY_H
#define INK_CORE_BOUNDARY_H

#include "evaluate.h"
#include "mesh.h"

#define INK_STEFAN_BOLTZMANN 5.670374419e-8 /* W/(m^2 K^4), CODATA 2018 */

typedef enum InkSideType {
  INK_SIDE_CLOSED, /* zero flux: symmetry, or not given */
  INK_SIDE_VALUE,
  INK_SIDE_FLUX,
  INK_SIDE_CONVECTION,
  INK_SIDE_RADIATION
} InkSideType;

/* What the deck says of a side. Expressions of x, y, z, r (at the face centre), t, and (but for `value` of a
 * value side) of field 0, which stands for the surface value. Unused ones NULL. */
typedef struct InkSideData {
  InkSideType type;
  const InkExpr *value, *coefficient, *ambient, *emissivity;
} InkSideData;

/* One side on one rank. Read-only for others; arrays of `count`, in the order of ink_side_count. */
typedef struct InkClosure {
  int side;
  InkSideType type;
  int64_t count;
  int64_t *cell;   /* offset of the boundary cell in a padded array */
  double *area;    /* of the face */
  double distance; /* centroid to side */
  /* Results of the last ink_closure_evaluate: */
  double *inflow;  /* q, flux into the domain per area */
  double *slope;   /* dq/du */
  double *surface; /* us */
  /* What kind of function q(x,t,u) is: */
  bool affine;         /* q = a + b u with b not depending on u */
  bool constant_slope; /* dq/du does not depend on t or u */
  bool dissipative;    /* dq/du <= 0 for certain */
  bool fixes_level;    /* q depends on u */
  bool moving;         /* q depends on t */
  struct InkClosureParts *parts;
} InkClosure;

/* Makes the closure of one existing side. conductivity: expression of x, y, z, r, t and field 0. The trees
 * are taken from `pool`, which must outlive the call only. Local. On a side with an expression too large for
 * the evaluator returns NULL with a line in message[size]. Free with ink_closure_destroy. */
InkClosure *ink_closure_create(const InkMesh *mesh, int side, const InkSideData *data,
                               const InkExpr *conductivity, InkPool *pool, char *message, size_t size);
void ink_closure_destroy(InkClosure **closure);

/* Fills inflow, slope and surface at time t for the padded state u (ghosts not read). Local; each face's bits
 * depend on that face alone. A face where Newton's method fails, or a radiating face at or below 0 K, gives
 * NaN. */
void ink_closure_evaluate(InkClosure *closure, double t, const double *u);

#endif
