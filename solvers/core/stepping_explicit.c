/* Forward Euler: u(t + dt) = u + dt M^-1 G(t,u).
 *
 * The monotone bound is the largest dt with which every new value is a mean, with non-negative weights, of
 * old values and data. dt is nine tenths of it (see ink_explicit_fraction), or the deck's, which may be as
 * long as the bound: a longer one would give a wrong answer that looks right, so it is refused. When the deck
 * gives a tolerance, dt is shortened until the local error, estimated as
 *
 *     dt/2 max |k(t + dt, u + dt k) - k(t,u)|,     k = M^-1 G,
 *
 * which is dt^2/2 |u''| to leading order, is below the tolerance times the field's range so far. */
#include <math.h>
#include "stepping_impl.h"

/* Steps between looks for values that are not finite, besides those whose result is stored. They spread by a
 * cell a step and never vanish, so that a late look costs wasted steps only. */
static const int CHECK_STEPS = 64;

static const char *const ADVICE = "the likely cause is an expression (source, material or boundary) that "
                                  "is NaN or grows without bound there; the last checkpoint is the last good "
                                  "state; try `inkdrop check`, a smaller time.dt or time.method: implicit";

/* The monotone bound, or false with a failure. */
static PetscErrorCode monotone_step(InkStepper *stepper, double t, double *u, double *dt, bool *fine) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  *fine = true;
  if (system->constant && stepper->monotone > 0) {
    *dt = stepper->monotone;
    PetscFunctionReturn(0);
  }
  PetscCall(system->monotone_step(system->context, t, u, dt));
  if (*dt > 0) { /* infinite where nothing limits it */
    stepper->monotone = *dt;
    PetscFunctionReturn(0);
  }
  *fine = false;
  double largest;
  PetscCall(ink_field_max_abs(system->mesh, u, &largest));
  if (!isfinite(largest)) {
    PetscCall(ink_stepper_not_finite(stepper, u, "the field", t, ADVICE));
    PetscFunctionReturn(0);
  }
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: there is no stable explicit step at t = %.9g s (limit %g s): a coefficient is NaN, infinite or "
      "of the wrong sign (conductivity below 0, capacity not above 0); look at the material's expressions",
      system->field, t, *dt);
  PetscFunctionReturn(0);
}

/* Is the deck's dt stable? If not, a failure that names both. */
static bool fixed_step_is_stable(InkStepper *stepper, double t, double limit) {
  const double fixed = stepper->options.dt;
  if (!(fixed > limit * (1 + 1e-9))) return true;
  ink_fail(&stepper->failure, stepper->step == 0 ? INK_USAGE : INK_NUMERICAL,
           "%s: time.dt = %.6g s is above the largest stable explicit step, %.6g s at t = %.9g s; lower "
           "time.dt to "
           "at most that, leave it out, or use time.method: implicit",
           stepper->system.field, fixed, limit, t);
  return false;
}

/* Shortens *dt to the tolerance. */
static PetscErrorCode limit_error(InkStepper *stepper, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  InkController *c = &stepper->controller;
  PetscCall(ink_stepper_include(stepper, u, &c->low, &c->high));
  c->started = 1;
  PetscCall(ink_stepper_array(stepper, &stepper->k1));
  PetscCall(ink_stepper_array(stepper, &stepper->k2));
  PetscCall(ink_stepper_array(stepper, &stepper->work));
  PetscCall(ink_stepper_rate(stepper, t, u, stepper->k1));
  if (c->dt_next > 0) *dt = fmin(*dt, 2 * c->dt_next);
  const double allowed = stepper->options.tolerance * ink_stepper_scale(stepper, c->low, c->high);
  for (int attempt = 0; attempt < 30; attempt++) {
    double error;
    ink_field_combine(mesh, 2, (InkTerm[]){{1, u}, {*dt, stepper->k1}}, stepper->work);
    PetscCall(ink_stepper_rate(stepper, t + *dt, stepper->work, stepper->k2));
    ink_field_combine(mesh, 2, (InkTerm[]){{*dt / 2, stepper->k2}, {-*dt / 2, stepper->k1}}, stepper->work);
    PetscCall(ink_field_max_abs(mesh, stepper->work, &error));
    if (error <= allowed) break;
    *dt *= isfinite(error) ? fmin(0.9, fmax(0.1, 0.9 * sqrt(allowed / error))) : 0.1;
  }
  c->dt_next = *dt;
  PetscFunctionReturn(0);
}

/* The length of the next step; fine false: a failure is set. */
static PetscErrorCode choose_step(InkStepper *stepper, double t, double until, double *u, double *dt,
                                  bool *last, bool *fine) {
  PetscFunctionBeginUser;
  double wanted;
  PetscCall(monotone_step(stepper, t, u, &wanted, fine));
  if (!*fine) PetscFunctionReturn(0);
  if (stepper->options.dt > 0) {
    *fine = fixed_step_is_stable(stepper, t, wanted);
    if (!*fine) PetscFunctionReturn(0);
    wanted = stepper->options.dt;
  } else {
    wanted *= ink_explicit_fraction;
  }
  if (stepper->options.limit_explicit) {
    wanted = fmin(wanted, until - t);
    PetscCall(limit_error(stepper, t, u, &wanted));
  }
  *dt = ink_even_step(t, until, wanted, last);
  if (t + *dt > t) PetscFunctionReturn(0);
  *fine = false;
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: the explicit step %.3g s is too short for the clock to notice at t = %.9g s; a coefficient or "
      "the mesh is extreme there: coarsen it, or use time.method: implicit",
      stepper->system.field, *dt, t);
  PetscFunctionReturn(0);
}

static PetscErrorCode check_finite(InkStepper *stepper, const double *u) {
  PetscFunctionBeginUser;
  double largest;
  PetscCall(ink_field_max_abs(stepper->system.mesh, u, &largest));
  if (!isfinite(largest)) PetscCall(ink_stepper_not_finite(stepper, u, "the field", stepper->time, ADVICE));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_explicit_advance(InkStepper *stepper, double until, InkClock *clock) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  PetscCall(ink_stepper_array(stepper, &stepper->next));
  double *now = stepper->u, *next = stepper->next;
  PetscBool due = PETSC_FALSE;
  while (stepper->time < until && !due && ink_stepper_may_step(stepper)) {
    const double t = stepper->time;
    double dt = 0;
    bool last = false, fine = true;
    PetscCall(choose_step(stepper, t, until, now, &dt, &last, &fine));
    if (!fine) break;
    PetscCall(system->explicit_step(system->context, t, dt, now, next));
    double *const swap = now;
    now = next;
    next = swap;
    PetscCall(ink_stepper_after_step(stepper, last ? until : t + dt, dt, clock, &due));
    const bool kept = last || (due && ink_clock_saves(clock)); /* others will read or store it */
    if (kept || stepper->step % CHECK_STEPS == 0) PetscCall(check_finite(stepper, now));
    if (stepper->failure.code) break;
  }
  *stepper->state = stepper->u = now; /* the two arrays have changed places, or not */
  stepper->next = next;
  PetscFunctionReturn(0);
}
