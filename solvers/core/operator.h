/* The finite-volume diffusion operator of one field u on a mesh,
 *
 *     c(x,t,u) du/dt = div( k(x,t,u) grad u ) + s(x,t,u),
 *
 * discretised by two-point fluxes between centroids: for cell i with volume V,
 *
 *     V c du_i/dt = sum over faces  G (u_j - u_i)  + sum over sides  A q(x,t,u_i)  + V s,
 *     G = A / (dL/kL + dR/kR).
 *
 * dL and dR are the distances of the two centroids to the face. Factors that depend on position are averaged
 * harmonically (layers in series are then exact), factors that depend on the state arithmetically (the
 * Kirchhoff transform is then exact for linear k(u), and a degenerate front is not frozen): k(x,t) gives kL =
 * k(xL), k(u) the mean of k(uL) and k(uR), and k(x,u) kL = (k(xL,uL) + k(xL,uR))/2, kR likewise at xR. The
 * sides' q are closures (boundary.h). Everything is volume-weighted, so du/dt's coefficient matrix and, for
 * k(x,t), the operator are symmetric on graded and curvilinear meshes. */
#ifndef INK_CORE_OPERATOR_H
#define INK_CORE_OPERATOR_H

#include "boundary.h"
#include "stepping.h"

/* The equation. Expressions of x, y, z, r, t and field 0 (u). */
typedef struct InkDiffusionSpec {
  const char *field;           /* name, for messages */
  const InkExpr *conductivity; /* k */
  const InkExpr *capacity;     /* c */
  const InkExpr *source;       /* s; NULL: none */
  InkSideData side[INK_SIDES];
} InkDiffusionSpec;

typedef struct InkDiffusion InkDiffusion;

/* Makes the operator. Collective. Trees are built in `pool` and must outlive the call only; the mesh must
 * outlive the operator. failure: an expression too large for the evaluator; *diffusion is NULL then. */
PetscErrorCode ink_diffusion_create(const InkMesh *mesh, InkPool *pool, const InkDiffusionSpec *spec,
                                    InkDiffusion **diffusion, InkFailure *failure);
PetscErrorCode ink_diffusion_destroy(InkDiffusion **diffusion);

/* The system for the stepper (context: the operator). Local. */
void ink_diffusion_system(InkDiffusion *diffusion, InkSystem *system);

/* Explicit step limits at (t,u). Collective. gershgorin: the largest step for which every cell's new value is
 * a weighted mean of old values and boundary data, with INFINITY when nothing limits it. exact: 2 /
 * lambda_max, for constant coefficients on a uniform Cartesian mesh, else 0. system.monotone_step gives the
 * first. */
PetscErrorCode ink_diffusion_limits(InkDiffusion *diffusion, double t, double *u, double *gershgorin,
                                    double *exact);

/* ---- what can be observed ---- */

/* Integral of the outward flux over a side and its area, at (t,u). Collective, same bits on any rank count.
 */
PetscErrorCode ink_diffusion_flux(InkDiffusion *diffusion, int side, double t, const double *u,
                                  double *outward, double *area);
/* Surface values of all sides at (t,u), for InkFieldView.side_value; owned by the operator, valid until the
 * next call that evaluates it. NULL where there is no side. Local. */
void ink_diffusion_surfaces(InkDiffusion *diffusion, double t, const double *u,
                            const double *side_value[INK_SIDES]);

/* ---- the budget ---- */

/* Since the start: inflow of each boundary cell and source of each cell are accumulated by the steps; sums
 * are taken here, exactly and in any order. Content is the integral of c u; where c depends on u, of the
 * enthalpy int c du from the start's state, by Gauss-Legendre quadrature of eight points in each cell (so the
 * balance then measures the error in time too). Where c depends on t there is no content and no balance. */
typedef struct InkBudget {
  double change;            /* of content since the start */
  double inflow[INK_SIDES]; /* into the domain, through each side */
  double source;
  double scale;   /* largest of the integrals of |c u|, of |inflows| and |sources| */
  double balance; /* (change - inflows - source) / scale; 0 when scale is 0 */
} InkBudget;
/* Call once at the start with the initial state. Collective. */
PetscErrorCode ink_diffusion_budget_start(InkDiffusion *diffusion, double t, const double *u);
PetscErrorCode ink_diffusion_budget(InkDiffusion *diffusion, double t, const double *u, InkBudget *budget);
/* Rate of the same: (net inflow + source) / largest of them, at (t,u): the balance of a steady state. */
PetscErrorCode ink_diffusion_steady_budget(InkDiffusion *diffusion, double t, const double *u,
                                           InkBudget *budget);
bool ink_diffusion_has_content(const InkDiffusion *diffusion); /* c does not depend on t */
/* The accumulated arrays, under "/state/budget". Collective. Loading needs ink_diffusion_budget_start before.
 */
PetscErrorCode ink_diffusion_save(const InkDiffusion *diffusion, InkStore *store);
PetscErrorCode ink_diffusion_load(InkDiffusion *diffusion, InkStore *store);

/* Doubles of memory an owned cell, and operations an explicit step, for plans. */
double ink_diffusion_bytes_per_cell(const InkDiffusion *diffusion);
double ink_diffusion_operations(const InkDiffusion *diffusion);

#endif
