/* Stepping: how a semi-discrete system is taken through time.
 *
 *     M(t,u) du/dt = G(t,u)          n values u a cell of a mesh; M = volume * capacity, G = net inflow +
 * sources of the cell
 *
 * The state of n fields is one array of n * mesh->size doubles, field f at u + f * mesh->size
 * (ink_mesh_fields); so are g, m and all other arrays of the system. Volume-weighted on both sides, so that
 * for linear diffusion dG/du is symmetric on graded and curvilinear meshes. All methods are one-step (so that
 * a restart gives the same bits):
 *
 *   explicit   forward Euler at nine tenths of the monotone bound
 *              (or, for densities, SSPRK(s,2): up to ten stages for nine such steps, second order)
 *   implicit   TR-BDF2 (Bank et al. 1985; Hosea & Shampine 1996): second order, L-stable, stage order 2,
 *              fully implicit, embedded error estimate; or, where the system can be split (InkSystem.split_*)
 *              and the rest is not stiff, ARK4(3)6L[2]SA (Kennedy & Carpenter 2003): fourth order, diffusion
 *              implicit, solved directly, the rest explicit. Control in the max norm.
 *   steady     Newton on G(t,u) = 0 with backtracking; pseudo-transient continuation when it fails
 *
 * Tolerances are relative to each field's own range so far. The stage equations are solved to 1e-3 of the
 * tolerance (with a fixed dt: to 1e-12 of the range or to round-off), the linear systems to a third of that.
 * Linear solvers: see linear.h. */
#ifndef INK_CORE_STEPPING_H
#define INK_CORE_STEPPING_H

#include "mesh.h"
#include "../solver.h"

/* One block of a matrix: how one field's equation depends on one field, as the stencil of each cell. Padded
 * arrays of the mesh (one field). off[a][0] multiplies the lower neighbour along axis a, off[a][1] the upper
 * one; zero at walls. */
typedef struct InkBlock {
  double *diagonal;  /* NULL: the block is zero */
  double *off[3][2]; /* NULL for axes not in use, and in blocks that couple a cell with itself only */
  double *(*far)[2]; /* [reach->count]: [d][0] multiplies the cell at -offset[d], [d][1] the one at
                        +offset[d]; zero where there is none. NULL without a reach */
} InkBlock;

/* The neighbours of a cell besides those across its faces: the cells at -offset and +offset, of a mesh that
 * is wide enough. */
typedef struct InkReach {
  int count;
  const int (*offset)[3];
} InkReach;

/* dG/du: block[s * n + f] is dG_s/du_f. Which blocks there are says InkSystem.coupling. */
typedef struct InkStencil {
  int n;
  InkBlock *block;       /* [n * n] */
  const InkReach *reach; /* NULL: faces only; only when n is 1 */
} InkStencil;

typedef enum InkCoupling {
  INK_UNCOUPLED, /* the block is zero */
  INK_LOCAL,     /* within the cell: reactions */
  INK_NEIGHBOURS /* with the face neighbours: diffusion, advection */
} InkCoupling;

/* What mends a step after it. */
typedef struct InkFinish {
  void *context;
  /* Part of every step that is taken, and of no trial: `after` is the state at t + dt that a step from
   * `before` at t has made, by forward Euler's method (euler) or by one of higher order. It may be changed,
   * but not its content, the sum of M u. Ghosts of both may be filled. Collective; for explicit runs the same
   * bits on any rank count. */
  PetscErrorCode (*mend)(void *context, double t, double dt, bool euler, double *before, double *after);
  /* The longest step from (t,u) that it is good for: implicit steps that the deck does not fix are no longer.
   * Max norms only; the same on all ranks. */
  PetscErrorCode (*longest)(void *context, double t, double *u, double *dt);
} InkFinish;

/* What failures are put down to, in the words of the deck. */
typedef struct InkSuspects {
  const char *expression; /* may be NaN or grow without bound: "the likely cause is ... that is NaN there" */
  const char *sign;       /* "a coefficient of the wrong sign (...)" */
  const char *growth;     /* of a solution without bound, and what to do: "the likely cause is ..." */
  const char *steep;      /* leaves a step without a solution: "the likely cause is ..." */
  const char *loss;       /* makes a field negative, and what to do: "the likely cause is ..." */
} InkSuspects;

typedef struct InkSystem {
  void *context;
  const InkMesh *mesh;
  int n;                       /* fields */
  const char *const *field;    /* [n] names, for messages */
  const InkCoupling *coupling; /* [n * n] of dG/du; diagonal blocks are never INK_UNCOUPLED */
  const InkReach *reach;       /* of dG/du; NULL: faces only; only when n is 1 */
  bool linear;                 /* G is affine in u and M does not depend on u */
  bool symmetric;              /* dG/du is symmetric (and -dG/du positive semi-definite); only when n is 1 */
  bool constant;               /* dG/du and M do not depend on t and u: factor once per dt */
  bool moving;                 /* G or M depends on t itself, through data or coefficients */
  bool singular;               /* constants are in the null space of dG/du (no side fixes the level) */
  bool fades;   /* fields spread out and die away, so that what they were says nothing of what they
                   are: tolerances are relative to the present range, not the range so far */
  bool carries; /* u is carried along: forward Euler's errors add up on the way */
  bool reacts;  /* G has sources that may grow with u, and errors with them */
  /* [n] fields that cannot become negative (nonnegative.h): what implicit steps leave below zero by no more
   * than the tolerance is set to zero, so that it cannot grow. NULL: none. */
  const bool *nonnegative;

  /* G(t,u) into g. Fills u's ghosts itself. Collective. */
  PetscErrorCode (*rhs)(void *context, double t, double *u, double *g);
  /* M(t,u) into m. */
  PetscErrorCode (*capacity)(void *context, double t, const double *u, double *m);
  PetscErrorCode (*jacobian)(void *context, double t, double *u, InkStencil *stencil);
  /* dM_f/du_f into dm (only for non-linear M; NULL when M does not depend on u). */
  PetscErrorCode (*capacity_derivative)(void *context, double t, const double *u, double *dm);
  /* Adds weight * (boundary flows and sources at t, u) to the budget, so that content(t1) - content(t0) = sum
   * over stages to round-off. NULL: there is nothing to keep a budget of. */
  PetscErrorCode (*accumulate)(void *context, double weight, double t, double *u);

  /* Explicit: the monotone bound at (t,u), the largest step for which every new value is a mean of old values
   * and data (max norms only; same on all ranks), and next = u + dt M^-1 G(t,u) in one pass. taken: the step
   * counts, and the budget is told; else it is a trial that leaves no trace. steady_bound: the bound does not
   * depend on t and u. */
  PetscErrorCode (*monotone_step)(void *context, double t, double *u, double *dt);
  PetscErrorCode (*explicit_step)(void *context, double t, double dt, bool taken, double *u, double *next);
  bool steady_bound;

  /* Split form M^-1 G = stiff linear part (constant coefficients, with boundary data) + the rest; NULL where
   * there is none. split_rest: the rest, per capacity, into f; *rate, when not NULL, gets a bound of the
   * magnitude of the eigenvalues of its Jacobian at (t,u), the largest over all cells (row sums).
   * split_solve: the u with u - h * stiff(t,u) = b, directly, the same bits on any rank count; b and u may be
   * the same array. Collective. */
  PetscErrorCode (*split_rest)(void *context, double t, double *u, double *f, double *rate);
  PetscErrorCode (*split_solve)(void *context, double t, double h, const double *b, double *u);

  /* Looks for what makes the equation undefined at (t,u): a coefficient that is negative or not finite, a
   * side whose law has no solution. One line with field, coefficient, value, cell and place, or "" when there
   * is nothing. Collective; the same on all ranks. May be NULL. */
  PetscErrorCode (*fault)(void *context, double t, double *u, char *text, size_t size);
  const InkSuspects *suspects; /* NULL: those of diffusion and reactions */

  const InkFinish *finish; /* NULL: steps are left as they are */
} InkSystem;

/* The numbers stand in checkpoints. */
typedef enum InkMethod {
  INK_EXPLICIT,
  INK_IMPLICIT, /* TR-BDF2 */
  INK_STEADY,
  INK_SPLIT, /* ARK4(3): implicit for the user, chosen where the system has a split form and it pays */
  INK_STAGED /* SSPRK(s,2): explicit for the user; what auto takes for densities where it takes explicit steps
              */
} InkMethod;

typedef struct InkStepperOptions {
  InkMethod method;
  double tolerance;    /* local error of a step, max norm, relative to the field's range so far */
  bool limit_explicit; /* the deck gave a tolerance: explicit steps are shortened to it */
  double dt;           /* fixed step; 0: chosen */
  bool positive;       /* no field may become negative: an implicit step that makes a negative value is redone
                          with backward-Euler substeps */
  int64_t max_steps;   /* 0: no limit; reaching it is a numerical failure that says so */
} InkStepperOptions;

/* Explicit steps that the deck does not fix are this fraction of the monotone bound. At the bound itself,
 * h^2/(2 d a) on equal cells, the checkerboard mode is multiplied by -1 a step and never decays; at nine
 * tenths by -0.8. A fixed dt may go up to the bound. */
static const double ink_explicit_fraction = 0.9;
/* Stages of a staged step, at the most: it is as long as one less of these explicit steps. */
enum { INK_MOST_STAGES = 10 };

typedef struct InkStepper InkStepper;
/* u: the caller's pointer to the state, an array from ink_mesh_fields that the caller frees. The stepper may
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

/* `auto`: estimates the cost of explicit and implicit (either kind) for this system from now to `end` at
 * `tolerance` and writes what it took and why. free_step: dt is not fixed. Independent of the number of
 * ranks. Collective. */
PetscErrorCode ink_stepper_choose(const InkSystem *system, double *u, double time, double end,
                                  double tolerance, bool free_step, InkMethod *method, InkPlan *plan);
/* For a deck that says `implicit`: INK_SPLIT where the system has a split form and the rest is not so stiff
 * that its stability would cost more steps than TR-BDF2 takes (with a fixed dt: where dt is well inside its
 * stability), else INK_IMPLICIT; the reason goes into the plan. Collective. */
PetscErrorCode ink_stepper_choose_implicit(const InkSystem *system, double *u, double time, double end,
                                           const InkStepperOptions *options, InkMethod *method,
                                           InkPlan *plan);
/* Forward Euler's error over a run in steps of dt, relative to the fields' sizes and at most 1: steps times
 * the local error at the start. An overestimate where errors decay. Collective. */
PetscErrorCode ink_stepper_euler_error(const InkSystem *system, double *u, double time, double end, double dt,
                                       double *error);
/* Order in time: 1 explicit, 2 TR-BDF2 and staged, 4 split, 0 steady. */
int ink_method_order(InkMethod method);
#endif
