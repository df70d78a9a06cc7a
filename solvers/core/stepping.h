/* Stepping: how a semi-discrete system is taken through time.
 *
 *     M(t,u) du/dt = G(t,u)          one value u a cell of a mesh; M = volume * capacity, G = net inflow +
 * sources of the cell
 *
 * Volume-weighted on both sides, so that for linear diffusion dG/du is symmetric on graded and curvilinear
 * meshes. Three methods, all one-step (so that a restart gives the same bits):
 *
 *   explicit   forward Euler at nine tenths of the monotone bound
 *   implicit   TR-BDF2 (Bank et al. 1985; Hosea & Shampine 1996): second order, L-stable, stage order 2,
 *              embedded error estimate, control in the max norm
 *   steady     Newton on G(t,u) = 0 with backtracking; pseudo-transient continuation when it fails
 *
 * The stage equations are solved to 1e-3 of the tolerance (with a fixed dt: to 1e-12 of the range or to
 * round-off), the linear systems to a third of that. Linear solvers: see linear.h. */
#ifndef INK_CORE_STEPPING_H
#define INK_CORE_STEPPING_H

#include "mesh.h"
#include "../solver.h"

/* dG/du as the stencil of each cell: padded arrays of the mesh. off[a][0] multiplies the lower neighbour
 * along axis a, off[a][1] the upper one; zero at walls. */
typedef struct InkStencil {
  double *diagonal;
  double *off[3][2]; /* NULL for axes not in use */
} InkStencil;

typedef struct InkSystem {
  void *context;
  const InkMesh *mesh;
  const char *field; /* name, for messages */
  bool linear;       /* G is affine in u and M does not depend on u */
  bool symmetric;    /* dG/du is symmetric (and -dG/du positive semi-definite) */
  bool constant;     /* dG/du and M do not depend on t and u: factor once per dt */
  bool moving;       /* G or M depends on t itself, through data or coefficients */
  bool singular;     /* constants are in the null space of dG/du (no side fixes the level) */

  /* G(t,u) into g. Fills u's ghosts itself. Collective. */
  PetscErrorCode (*rhs)(void *context, double t, double *u, double *g);
  /* M(t,u) into m. */
  PetscErrorCode (*capacity)(void *context, double t, const double *u, double *m);
  PetscErrorCode (*jacobian)(void *context, double t, double *u, InkStencil *stencil);
  /* dM/du into dm (only for non-linear M; may be NULL when M does not depend on u). */
  PetscErrorCode (*capacity_derivative)(void *context, double t, const double *u, double *dm);
  /* Adds weight * (boundary flows and sources at t, u) to the budget, so that content(t1) - content(t0) = sum
   * over stages to round-off. */
  PetscErrorCode (*accumulate)(void *context, double weight, double t, double *u);

  /* Explicit: the monotone bound at (t,u), the largest step for which every new value is a mean of old values
   * and data (max norms only; same on all ranks), and next = u + dt M^-1
   * G(t,u) in one pass, budget included. */
  PetscErrorCode (*monotone_step)(void *context, double t, double *u, double *dt);
  PetscErrorCode (*explicit_step)(void *context, double t, double dt, double *u, double *next);
} InkSystem;

typedef enum InkMethod { INK_EXPLICIT, INK_IMPLICIT, INK_STEADY } InkMethod;

typedef struct InkStepperOptions {
  InkMethod method;
  double tolerance;    /* local error of a step, max norm, relative to the field's range so far */
  bool limit_explicit; /* the deck gave a tolerance: explicit steps are shortened to it */
  double dt;           /* fixed step; 0: chosen */
  int64_t max_steps;   /* 0: no limit; reaching it is a numerical failure that says so */
} InkStepperOptions;

/* Explicit steps that the deck does not fix are this fraction of the monotone bound. At the bound itself,
 * h^2/(2 d a) on equal cells, the checkerboard mode is multiplied by -1 a step and never decays; at nine
 * tenths by -0.8. A fixed dt may go up to the bound. */
static const double ink_explicit_fraction = 0.9;

typedef struct InkStepper InkStepper;
/* u: the caller's pointer to the state, an array from ink_mesh_array that the caller frees. The stepper may
 * exchange the array for another, which spares explicit steps a copy: read *u again after every advance. It
 * must outlive the stepper. Collective. */
PetscErrorCode ink_stepper_create(const InkSystem *system, const InkStepperOptions *options, double **u,
                                  double time, InkStepper **stepper);
/* As InkSolverType.advance. NaN and lack of convergence are reported in progress->failure (agreed on by all
 * ranks): field, cell, place, time, cause, what to try; the state is then the last good one where there is
 * one. clock NULL: never due. */
PetscErrorCode ink_stepper_advance(InkStepper *stepper, double until, InkClock *clock, InkProgress *progress);
/* Saves and loads time, step, next dt and the controller's state (not u) under "/state/stepper". */
PetscErrorCode ink_stepper_save(const InkStepper *stepper, InkStore *store);
PetscErrorCode ink_stepper_load(InkStepper *stepper, InkStore *store);
void ink_stepper_progress(const InkStepper *stepper, InkProgress *progress);
PetscErrorCode ink_stepper_destroy(InkStepper **stepper);

/* `auto`: estimates the cost of explicit and implicit for this system from now to `end` at `tolerance` and
 * writes what it took and why. */
PetscErrorCode ink_stepper_choose(const InkSystem *system, double *u, double time, double end,
                                  double tolerance, InkMethod *method, InkPlan *plan);
#endif
