/* Shared between the files of the stepper; not for others. */
#ifndef INK_CORE_STEPPING_IMPL_H
#define INK_CORE_STEPPING_IMPL_H

#include "newton.h"
#include "stepping.h"

/* out = sum of weight * values over the owned cells; out may be one of the terms. */
typedef struct InkTerm {
  double weight;
  const double *values;
} InkTerm;
void ink_field_combine(const InkMesh *mesh, int n, const InkTerm term[], double *out);
void ink_field_copy(const InkMesh *mesh, const double *from, double *to);
void ink_field_divide(const InkMesh *mesh, const double *by, double *values); /* values /= by */
/* Largest magnitude over all ranks; NaN anywhere gives NaN. Collective. */
PetscErrorCode ink_field_max_abs(const InkMesh *mesh, const double *values, double *largest);
/* Where the magnitude is largest, or the first value that is not finite when there is one; on all ranks. */
typedef struct InkWorst {
  bool finite;
  int64_t index[3]; /* global */
  double at[3], value;
} InkWorst;
PetscErrorCode ink_field_worst(const InkMesh *mesh, const double *values, InkWorst *worst);
/* "cell (3, 4) at x = 0.1 m, y = 0.2 m" */
void ink_field_place(const InkMesh *mesh, const InkWorst *worst, char *text, size_t size);

/* What the controller carries from step to step; all of it is saved. */
typedef struct InkController {
  double dt_next;   /* wanted; 0: not known yet */
  double low, high; /* of the field so far */
  double expected;  /* range foreseen at the start when the field has none yet; 0: none */
  double rejected;  /* 1: the last attempt was rejected, so no growth now */
  double started;   /* 1: low, high and expected are set */
} InkController;

struct InkStepper {
  InkSystem system;
  InkStepperOptions options;
  double **state; /* the caller's pointer */
  double *u;      /* *state */
  double start, time, dt;
  int64_t step;
  InkController controller;
  InkFailure failure;
  double monotone; /* cached monotone step of a constant system; 0: not known */
  /* Work arrays of the mesh, made when first needed. */
  double *next, *k1, *second, *k2, *third, *base, *work, *mass;
  InkNewton *newton;
};

/* Steps to `until` as even as the wanted dt allows: the length of the next step, and whether it is the last.
 */
double ink_even_step(double t, double until, double wanted, bool *last);

PetscErrorCode ink_explicit_advance(InkStepper *stepper, double until, InkClock *clock);
PetscErrorCode ink_implicit_advance(InkStepper *stepper, double until, InkClock *clock);
PetscErrorCode ink_steady_advance(InkStepper *stepper, double until);

/* Called after every step: counts it, minds max_steps, polls the clock. *stop: go back to the caller. */
PetscErrorCode ink_stepper_after_step(InkStepper *stepper, double t, double dt, InkClock *clock,
                                      PetscBool *due);
/* False, with a failure, when max_steps is used up. */
bool ink_stepper_may_step(InkStepper *stepper);
/* The failure for values that are not finite in `values` (the field, or its rate): names field, cell, place
 * and time. */
PetscErrorCode ink_stepper_not_finite(InkStepper *stepper, const double *values, const char *what, double t,
                                      const char *advice);
/* k = M^-1 G at (t,u). */
PetscErrorCode ink_stepper_rate(InkStepper *stepper, double t, double *u, double *k);
PetscErrorCode ink_stepper_array(InkStepper *stepper, double **values); /* makes it when NULL */

/* The range so far, u included, that tolerances are relative to. Collective. */
PetscErrorCode ink_stepper_include(InkStepper *stepper, const double *u, double *low, double *high);
double ink_stepper_scale(const InkStepper *stepper, double low, double high);
#endif
