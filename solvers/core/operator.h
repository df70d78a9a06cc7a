/* The finite-volume operator of diffusion, advection and reactions of n fields u on a mesh,
 *
 *     c_s(x,t,u) du_s/dt = div( sum_f k_sf(x,t,u) grad u_f  -  w(x,t) u_s ) + R_s(x,t,u),
 *
 * discretised by two-point fluxes between centroids: for cell i with volume V,
 *
 *     V c du_i/dt = sum over faces of the flow from the neighbour  +  sum over sides  A q(x,t,u_i)  +  V R,
 *     flow from L to R = G [ B(-z) u_L - B(z) u_R ] + sum over other fields f of G_sf (f_L - f_R),
 *     G = A / (dL/kL + dR/kR),   z = A w / G,   B(z) = z/(exp(z) - 1).
 *
 * dL and dR are the distances of the two centroids to the face. Without advection the flow is G (u_L - u_R);
 * with it, it is the Scharfetter-Gummel flux: exact for constant k and w in one dimension, monotone for every
 * cell Peclet number z, upwind where k is 0, second order for small cells. Own factors that depend on
 * position are averaged harmonically (layers in series are then exact), factors that depend on the state
 * arithmetically (the Kirchhoff transform is then exact for linear k(u), and a degenerate front is not
 * frozen): k(x,t) gives kL = k(xL), k(u) the mean of k(uL) and k(uR), and k(x,u) kL = (k(xL,uL) +
 * k(xL,uR))/2, kR likewise at xR. Cross-diffusion k_sf, f not s, may have either sign and is averaged
 * arithmetically, G_sf = A mean / (dL + dR). The sides' q are closures (boundary.h). Everything is
 * volume-weighted, so for one field du/dt's coefficient matrix and, for k(x,t) without advection, the
 * operator are symmetric on graded and curvilinear meshes.
 *
 * A field whose own k is absent (NULL) is immobile: it only reacts, and nothing carries it. */
#ifndef INK_CORE_OPERATOR_H
#define INK_CORE_OPERATOR_H

#include "boundary.h"
#include "stepping.h"

/* The equation. Expressions of x, y, z, r, t and the fields (INK_VAR_FIELD + f). */
typedef struct InkDiffusionSpec {
  int n;
  const char *const *field;           /* [n] names, for messages; must outlive the operator */
  const InkExpr *const *conductivity; /* [n * n], k_sf at [s * n + f]; NULL: zero */
  const InkExpr *const *capacity;     /* [n]; NULL: 1 */
  const InkExpr *const *source;       /* [n]; NULL: none */
  const InkExpr *velocity[3];         /* of x, y, z, r, t, along each axis of the mesh; NULL: none */
  InkSideParts *side[INK_SIDES];      /* each [n], or NULL: closed for all fields */
  bool budget; /* keep the accumulated sources too, for balances; costs a pass over an array a field and step
                */
} InkDiffusionSpec;

typedef struct InkDiffusion InkDiffusion;

/* Makes the operator. Collective. Trees are built in `pool` and must outlive the call only; the mesh must
 * outlive the operator. failure: an expression too large for the evaluator; *diffusion is NULL then. */
PetscErrorCode ink_diffusion_create(const InkMesh *mesh, InkPool *pool, const InkDiffusionSpec *spec,
                                    InkDiffusion **diffusion, InkFailure *failure);
PetscErrorCode ink_diffusion_destroy(InkDiffusion **diffusion);

/* The system for the stepper (context: the operator). Local. The split form is offered on uniform Cartesian
 * meshes of two and three axes when every capacity and own k is constant, no k_sf and no velocity is there
 * and every side is of law INK_LAW_FLUX or INK_LAW_VALUE for every field. */
void ink_diffusion_system(InkDiffusion *diffusion, InkSystem *system);

/* Explicit step limits at (t,u). Collective. gershgorin: the largest step for which every cell's new value is
 * a weighted mean of old values and boundary data, with INFINITY when nothing limits it; what the gradients
 * of other fields carry counts with its magnitude, so that no error grows; reactions with other fields are
 * not bounded. exact: 2 /
 * lambda_max, for constant coefficients on a uniform Cartesian mesh, else 0. system.monotone_step gives the
 * first. */
PetscErrorCode ink_diffusion_limits(InkDiffusion *diffusion, double t, double *u, double *gershgorin,
                                    double *exact);

/* ---- what can be observed ---- */

/* Integral of a field's outward flux over a side and the side's area, at (t,u). Collective, same bits on any
 * rank count. */
PetscErrorCode ink_diffusion_flux(InkDiffusion *diffusion, int side, int field, double t, const double *u,
                                  double *outward, double *area);
/* A field's surface values on all sides at (t,u), for InkFieldView.side_value; owned by the operator, valid
 * until the next call that evaluates it. NULL where there is no side. Local. */
void ink_diffusion_surfaces(InkDiffusion *diffusion, int field, double t, const double *u,
                            const double *side_value[INK_SIDES]);

/* ---- the budget ---- */

/* Since the start: inflow of each boundary cell and, with spec.budget, source of each cell are accumulated by
 * the steps; sums are taken here, exactly and in any order. Content is the integral of c u; where c depends
 * on u, of the enthalpy int c du from the start's state, by Gauss-Legendre quadrature of eight points in each
 * cell (so the balance then measures the error in time too). Where c depends on t there is no content and no
 * balance. */
typedef struct InkBudget {
  double change;            /* of content since the start */
  double inflow[INK_SIDES]; /* into the domain, through each side */
  double source;
  double scale;   /* largest of the integrals of |c u|, of |inflows| and |sources| */
  double balance; /* (change - inflows - source) / scale; 0 when scale is 0 */
} InkBudget;
/* Call once at the start with the initial state. Collective. */
PetscErrorCode ink_diffusion_budget_start(InkDiffusion *diffusion, double t, const double *u);
/* source and balance are NaN when the field has a source that depends on t or the fields and spec.budget was
 * not set. */
PetscErrorCode ink_diffusion_budget(InkDiffusion *diffusion, int field, double t, const double *u,
                                    InkBudget *budget);
/* Rate of the same: (net inflow + source) / largest of them, at (t,u): the balance of a steady state. */
PetscErrorCode ink_diffusion_steady_budget(InkDiffusion *diffusion, int field, double t, const double *u,
                                           InkBudget *budget);
/* The field's capacity does not depend on t, so it has a content. */
bool ink_diffusion_has_content(const InkDiffusion *diffusion, int field);
/* The accumulated arrays, under "/state/budget/fields/FIELD" (one dataset a side and field, a source a
 * field). Collective. Loading needs ink_diffusion_budget_start before. */
PetscErrorCode ink_diffusion_save(const InkDiffusion *diffusion, InkStore *store);
PetscErrorCode ink_diffusion_load(InkDiffusion *diffusion, InkStore *store);

/* Bytes of memory an owned cell, and operations an explicit step and cell, for plans; all fields together. */
double ink_diffusion_bytes_per_cell(const InkDiffusion *diffusion);
double ink_diffusion_operations(const InkDiffusion *diffusion);

#endif
