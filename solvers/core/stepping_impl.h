/* Shared between the files of the stepper; not for others. */
#ifndef INK_CORE_STEPPING_IMPL_H
#define INK_CORE_STEPPING_IMPL_H

#include "newton.h"
#include "reduction.h"
#include "stepping.h"
#include "stepping_tableau.h"

/* ---- arithmetic on the owned cells of n fields ---- */

/* out = sum of weight * values; out may be one of the terms. */
typedef struct InkTerm {
  double weight;
  const double *values;
} InkTerm;
void ink_field_combine(const InkMesh *mesh, int n, int terms, const InkTerm term[], double *out);
void ink_field_copy(const InkMesh *mesh, int n, const double *from, double *to);
void ink_field_divide(const InkMesh *mesh, int n, const double *by, double *values); /* values /= by */
/* values *= factor * by */
void ink_field_multiply(const InkMesh *mesh, int n, double factor, const double *by, double *values);
/* The largest of |values of field f| / scale[f] over all fields, cells and ranks (scale NULL: ones); NaN
 * anywhere gives NaN. Collective. */
PetscErrorCode ink_field_norm(const InkMesh *mesh, int n, const double *scale, const double *values,
                              double *norm);
/* Sum over all cells and ranks of each field, exact. sums: [n] to work with. Collective. */
PetscErrorCode ink_field_sums(const InkMesh *mesh, int n, const double *values, InkSum *sums, double *total);

/* Where |value| / scale is largest, or the first value that is not finite when there is one; on all ranks. */
typedef struct InkWorst {
  bool finite;
  int field;
  int64_t index[3]; /* global */
  double at[3], value;
} InkWorst;
PetscErrorCode ink_field_worst(const InkMesh *mesh, int n, const double *scale, const double *values,
                               InkWorst *worst);
/* "cell (3, 4) at x = 0.1 m, y = 0.2 m" */
void ink_field_place(const InkMesh *mesh, const InkWorst *worst, char *text, size_t size);

/* ---- the stepper ---- */

/* What tolerances of a field are relative to. */
typedef struct InkRange {
  double low, high; /* of the field so far */
  double expected;  /* range foreseen at the start when the field has none yet; 0: none */
  double first;     /* scale at the start */
} InkRange;

/* What the controller carries from step to step; all of it is saved. */
typedef struct InkController {
  double dt_next;  /* wanted; 0: not known yet */
  double rejected; /* 1: the last attempt was rejected, so no growth now */
  double started;  /* 1: the ranges are set */
  InkRange *range; /* [n] */
  /* The monotone bound of explicit steps as it was last computed, as it was first, the step at which it is
   * due again, and how many steps that is after the last time. */
  double bound, bound_first, bound_due, bound_interval;
} InkController;

/* What a step does to the budget: weight * dt of the flows and sources at each stage. */
typedef struct InkStage {
  double weight, time;
  double *state;
} InkStage;

typedef struct InkAttempt {
  double t, dt, end;
  /* Tolerance of the stage equations in units of the fields' scales, and where round-off may end them. With a
   * fixed dt there is no error that they could be compared with, so they are solved as well as the arithmetic
   * allows. */
  double accuracy, acceptable;
  InkNewtonResult result;
  double error;            /* estimated, relative to what is allowed */
  double *next;            /* the new state */
  const double *capacity;  /* at the new state */
  const double *culprit;   /* what was not finite, when result.finite is false */
  double *suspect;         /* and the state that it was evaluated at */
  double *scratch, *spare; /* arrays of n fields that are free when the attempt is made; the first has its
                              error estimate */
  int substeps;            /* 0, or the number of backward-Euler steps that it consists of */
  bool negative;           /* positive: a field would become negative */
  int stages;              /* of the budget; 0: it is told while the substeps are done again */
  InkStage stage[INK_ARK_STAGES];
} InkAttempt;

struct InkStepper {
  InkSystem system;
  InkStepperOptions options;
  double **state; /* the caller's pointer */
  double *u;      /* *state */
  double start, time, dt;
  int64_t step;
  InkController controller;
  InkFailure failure;
  /* [n]: scales of the fields at the start of the step, the ranges with an attempt's result, dt sum of b_j
   * times the residuals over all cells, and what exact sums need. */
  double *scale, *defect, *total, *gain; /* total: [2 n], as sums */
  InkRange *seen;
  InkSum *sums;
  /* Work arrays of n fields, made when first needed. */
  double *next, *k1, *second, *k2, *third, *base, *work, *mass;
  double *state_of[INK_ARK_STAGES], *rest[INK_ARK_STAGES]; /* of the split method */
  InkNewton *newton;
};

/* Forward Euler's local error without a trace: next = u + dt k(t,u), and the error dt/2 (k(t + dt, next) -
 * k(t,u)), which is dt^2/2 u'' to leading order, by a second such step. Works with the explicit step alone,
 * so that a system that is only stepped explicitly makes no arrays for its right-hand side. */
PetscErrorCode ink_euler_error(const InkSystem *system, double t, double dt, double *u, double *next,
                               double *error);

/* Steps to `until` as even as the wanted dt allows: the length of the next step, and whether it is the last.
 */
double ink_even_step(double t, double until, double wanted, bool *last);

/* One step of SSPRK(stages,2) from `now` at t into `next`; the budget is told. (stepping_staged.c) */
PetscErrorCode ink_staged_step(InkStepper *stepper, double t, double dt, int stages, double *now,
                               double *next);
PetscErrorCode ink_explicit_advance(InkStepper *stepper, double until, InkClock *clock);
PetscErrorCode ink_implicit_advance(InkStepper *stepper, double until, InkClock *clock);
PetscErrorCode ink_steady_advance(InkStepper *stepper, double until);

/* Called after every step: counts it, minds max_steps, polls the clock. *stop: go back to the caller. */
PetscErrorCode ink_stepper_after_step(InkStepper *stepper, double t, double dt, InkClock *clock,
                                      PetscBool *due);
/* False, with a failure, when max_steps is used up. */
bool ink_stepper_may_step(InkStepper *stepper);
/* k = M^-1 G at (t,u), M into stepper->mass. */
PetscErrorCode ink_stepper_rate(InkStepper *stepper, double t, double *u, double *k);
PetscErrorCode ink_stepper_array(InkStepper *stepper, double **values); /* makes it when NULL */
PetscErrorCode ink_stepper_newton(InkStepper *stepper);                 /* the same */

/* A stage rate M(U)(U - base) = G(time, U), base in stepper->base. */
typedef struct InkStageProblem {
  double time, rate;
  double share;             /* of its residual goes into the defect, b_j dt */
  bool keep_preconditioner; /* it was made for an earlier stage of the step */
} InkStageProblem;
/* Solves it into U, which holds the start; attempt->result says how it went. (stepping_implicit.c) */
PetscErrorCode ink_stage_solve(InkStepper *stepper, InkAttempt *attempt, const InkStageProblem *stage,
                               double *U);

/* ---- methods (stepping_trbdf2.c, stepping_split.c, stepping_euler.c); k1 is in place ---- */

PetscErrorCode ink_trbdf2_arrays(InkStepper *stepper);
PetscErrorCode ink_trbdf2_try(InkStepper *stepper, InkAttempt *attempt);
PetscErrorCode ink_split_arrays(InkStepper *stepper);
/* Before the first attempt of a step from t: parts k1 into the rest and the stiff part. */
PetscErrorCode ink_split_begin(InkStepper *stepper, double t);
PetscErrorCode ink_split_try(InkStepper *stepper, InkAttempt *attempt);
/* `substeps` equal backward-Euler steps instead; first order, but without overshoot. accumulate: tell the
 * budget of each as it is done. */
PetscErrorCode ink_euler_substeps(InkStepper *stepper, InkAttempt *attempt, int substeps, bool accumulate);
/* positive: replaces an attempt that has made a value negative by backward-Euler substeps, if that can be
 * done within the tolerance; else attempt->negative stays. */
PetscErrorCode ink_euler_redo(InkStepper *stepper, InkAttempt *attempt);
/* Sets attempt->negative: a value of the new state is below zero by more than what may be set to zero, or is
 * driven there by more than the error of the step. */
PetscErrorCode ink_find_negative(InkStepper *stepper, InkAttempt *attempt);
/* Fields that keep their sign: sets what is below zero in u to zero, and counts what that adds to the content
 * as a residual. */
PetscErrorCode ink_clip(InkStepper *stepper, const double *capacity, double *u);
/* Takes the attempt as the new state, budget and residuals included. */
PetscErrorCode ink_take(InkStepper *stepper, InkAttempt *attempt);

/* ---- control (stepping_control.c) ---- */

/* The ranges so far, u included, that tolerances are relative to. Collective. */
PetscErrorCode ink_stepper_include(InkStepper *stepper, const double *u, InkRange range[]);
double ink_stepper_scale(const InkStepper *stepper, const InkRange *range);
void ink_stepper_scales(InkStepper *stepper, const InkRange range[]); /* of all fields, into stepper->scale */
PetscErrorCode ink_control_start(InkStepper *stepper, double until);
PetscErrorCode ink_control_see_data(InkStepper *stepper, double t, double until);
void ink_control_accuracy(const InkStepper *stepper, InkAttempt *attempt);
/* Before the next attempt: what this one made of a field that has had no range yet is the range to expect. A
 * field that starts as a power of time has the same error relative to its own range in steps of any length.
 */
void ink_control_reject(InkStepper *stepper, const InkAttempt *attempt);
/* The next wanted dt after an accepted step; order: of the error estimate in dt. */
void ink_control_accept(InkStepper *stepper, const InkAttempt *attempt, int order);
/* Has some field grown more than a thousandfold since the start? */
bool ink_control_grows(const InkStepper *stepper);

/* stepping_rest.c: rate: of the split form's rest at (t,u). unstable: some field rests exactly, where it is
 * unstable, long enough for the rounding errors of the split method's transforms to grow into something
 * within `span`. Collective. */
PetscErrorCode ink_rests_unstable(const InkSystem *system, double t, double span, double *u, double *rate,
                                  bool *unstable);

/* ---- failures (stepping_failure.c): all name field, place and time where there is one ---- */

/* "u" or "u, v": for what concerns all fields. */
void ink_stepper_names(const InkStepper *stepper, char *text, size_t size);
/* What is said after the likely cause: "that is NaN there"; besides coefficients of the wrong sign, or not;
 * and what to try. */
typedef struct InkAdvice {
  const char *how;
  bool sign;
  const char *remedy;
} InkAdvice;
/* `values` (the fields, or their rates at t) are not finite. The fault is looked for at the states u[0] and
 * then u[1], where they are not NULL and finite. */
PetscErrorCode ink_stepper_not_finite(InkStepper *stepper, const double *values, double *const u[2],
                                      const char *what, double t, const InkAdvice *advice);
/* The solution u grows without bound: dt has become too short to go on. */
PetscErrorCode ink_stepper_blow_up(InkStepper *stepper, const double *u, double t, double dt);
PetscErrorCode ink_stepper_no_step(InkStepper *stepper, double t, double *u, double limit);
/* A negative value in `values`; when 0 is the start's. */
PetscErrorCode ink_stepper_is_negative(InkStepper *stepper, const double *values, double t, double dt);
/* The failure of a step that cannot be shortened any more. */
PetscErrorCode ink_stepper_give_up(InkStepper *stepper, const InkAttempt *attempt);
#endif
