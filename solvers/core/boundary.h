/* Closures: what a side of the domain does to the cells beside it.
 *
 * n fields; a side's law of field s, as a function of the side's own surface values us of all fields, is
 *
 *     value       us_s = v(x,t,us)                              (us of the other fields)
 *     flux        q_s  = value(x,t,us)                          (positive into the domain, all of it)
 *     convection  q_s  = h(x,t,us) (ambient(x,t,us) - us_s)
 *     radiation   q_s  = emissivity sigma (ambient^4 - us_s^4)
 *
 * and the half cell between the centroid and the side carries it: by diffusion and advection,
 *
 *     q_s = a us_s - b u_s + sum over other fields f of k_sf (us_f - u_f) / d,
 *     a = g B(-z), b = g B(z), g = k_ss/d, z = w d/k_ss, B(z) = z/(exp(z) - 1),
 *
 * with w the velocity into the domain (a = b = g without advection; upwind when k_ss is 0), k = k(x_cell)
 * and, where k depends on the state, (k(x_cell,u) + k(x_cell,us)) / 2. Eliminating us leaves a cell-local
 * closure q(x,t,u) with its derivative dq/du: exact for a linear (with advection: exponential) profile in the
 * half cell, second order else. Linear laws of fields that are not coupled are eliminated in closed form, the
 * others by Newton's method, each face for itself, all its fields together.
 *
 * A field without an own conductivity is immobile: us = u, a flux law enters its cell directly, a value law
 * has no meaning (q = 0). Where an own conductivity is 0, a value law gives the upwind part alone and a given
 * flux enters the cell directly.
 *
 * A side may have parts: at each face the first part whose condition is true (at the face centre and the
 * time) holds; where none is, the face is closed. */
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

/* What the deck says of a side, for one field. Expressions of x, y, z, r (at the face centre), t and the
 * fields, which stand for the surface values. Unused ones NULL. */
typedef struct InkSideData {
  InkSideType type;
  const InkExpr *value, *coefficient, *ambient, *emissivity;
} InkSideData;

/* The parts of a side, for one field. */
typedef struct InkSideParts {
  int count;                   /* 0: closed */
  const InkExpr *const *where; /* [count] conditions of x, y, z, r, t (not 0: true); NULL: always */
  const InkSideData *data;     /* [count] */
} InkSideParts;

typedef struct InkClosureSpec {
  int n; /* fields */
  const InkExpr *const
      *conductivity;         /* [n * n], k_sf at [s * n + f], of x y z r t and the fields; NULL: zero */
  const InkExpr *velocity;   /* along the side's axis, of x y z r t; NULL: none. Carries the fields whose
                                own conductivity is not NULL */
  const InkSideParts *parts; /* [n] */
} InkClosureSpec;

/* What a field's law is on the whole side, for solvers that need it to be simple. */
typedef enum InkSideLaw {
  INK_LAW_FLUX,  /* q does not depend on u: closed, or a flux of x and t */
  INK_LAW_VALUE, /* us = v(x,t), and k depends on x and t only */
  INK_LAW_OTHER
} InkSideLaw;

/* One side on one rank. Read-only for others; arrays of `count` faces, in the order of ink_side_count. */
typedef struct InkClosure {
  int side, n;
  int64_t count;
  int64_t *cell;   /* [count] offset of the boundary cell in a padded array of one field */
  double *area;    /* [count] of the face */
  double distance; /* centroid to side */
  /* Results of the last ink_closure_evaluate: */
  double *inflow;        /* [n * count] q_s, flux into the domain per area, at s * count + face */
  double *slope;         /* [n * n * count] dq_s/du_f, at (s * n + f) * count + face */
  double *surface;       /* [n * count] us */
  const bool *coupled;   /* [n * n] dq_s/du_f is not zero for certain */
  const InkSideLaw *law; /* [n] */
  /* What kind of function q(x,t,u) is: */
  bool affine;         /* every q = a + B u with B not depending on u */
  bool constant_slope; /* dq/du does not depend on t or u */
  bool dissipative;    /* n is 1 and dq/du <= 0 for certain */
  bool fixes_level;    /* some q depends on u */
  bool moving;         /* some q depends on t */
  struct InkClosureParts *parts;
} InkClosure;

/* Makes the closure of one existing side. The trees are taken from `pool`, which must outlive the call only.
 * Local. On a side with an expression too large for the evaluator returns NULL with a line in message[size].
 * Free with ink_closure_destroy. A closure whose parts are all closed and which nothing crosses costs
 * nothing. */
InkClosure *ink_closure_create(const InkMesh *mesh, int side, const InkClosureSpec *spec, InkPool *pool,
                               char *message, size_t size);
void ink_closure_destroy(InkClosure **closure);

/* Fills inflow, slope and surface at time t for the state u (n fields; ghosts not read). Local; each face's
 * bits depend on that face alone. A face where Newton's method fails, or a radiating face at or below 0 K,
 * gives NaN in inflow and slope. */
void ink_closure_evaluate(InkClosure *closure, double t, const double *u);

/* B(z) = z / (exp(z) - 1), Bernoulli's function, and its derivative: full relative accuracy for all z. Pure.
 */
double ink_bernoulli(double z);
double ink_bernoulli_slope(double z);

#endif
