/* The loop of implicit runs, for TR-BDF2 and the split method alike: a step is tried, redone shorter until
 * its error is within the tolerance, and taken. */
#include <float.h>
#include <math.h>
#include "stepping_impl.h"

static const int MAX_NOT_FINITE = 12;
static const double SHORTEST = 1e-12; /* of the whole interval, for a solution that grows */

static const int MAX_NEWTON = 12;

PetscErrorCode ink_stage_solve(InkStepper *stepper, InkAttempt *attempt, const InkStageProblem *stage,
                               double *U) {
  PetscFunctionBeginUser;
  const int n = stepper->system.n;
  const InkNewtonProblem problem = {.t = stage->time,
                                    .rate = stage->rate,
                                    .base = stepper->base,
                                    .scale = stepper->scale,
                                    .tolerance = attempt->accuracy,
                                    .acceptable = attempt->acceptable,
                                    .max_iterations = MAX_NEWTON,
                                    .keep_preconditioner = stage->keep_preconditioner};
  PetscCall(ink_newton_solve(stepper->newton, &problem, U, &attempt->result));
  attempt->culprit = ink_newton_last_residual(stepper->newton);
  attempt->suspect = U;
  if (!attempt->result.converged) PetscFunctionReturn(0);
  PetscCall(ink_field_sums(stepper->system.mesh, n, attempt->culprit, stepper->sums, stepper->total));
  for (int f = 0; f < n; f++) stepper->defect[f] += stage->share * stepper->total[f];
  PetscFunctionReturn(0);
}

static int error_order(const InkStepper *stepper) { return stepper->options.method == INK_SPLIT ? 4 : 3; }

/* Shortens the wanted dt after a failed attempt; false: it cannot be shortened. */
static bool shorten(InkStepper *stepper, const InkAttempt *attempt, double until, int *not_finite) {
  InkController *c = &stepper->controller;
  double factor = 0.5;
  if (!attempt->result.finite) {
    factor = 0.25;
    if (++*not_finite > MAX_NOT_FINITE) return false;
  } else if (attempt->result.converged && !attempt->negative) {
    const double wanted = 0.9 * pow(attempt->error, -1.0 / error_order(stepper));
    factor = isfinite(attempt->error) ? fmax(0.2, fmin(0.9, wanted)) : 0.2;
  }
  c->dt_next = factor * attempt->dt;
  c->rejected = 1;
  double shortest = fmax(64 * DBL_EPSILON * fmax(fabs(attempt->t), fabs(until)), DBL_MIN);
  if (ink_control_grows(stepper)) shortest = fmax(shortest, SHORTEST * (until - stepper->start));
  return stepper->options.dt <= 0 && c->dt_next > shortest;
}

/* The rate of change into k1, its size relative to the scales once they are known. */
static PetscErrorCode begin_step(InkStepper *stepper, double until, double *speed) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double t = stepper->time;
  PetscCall(ink_stepper_rate(stepper, t, stepper->u, stepper->k1));
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, stepper->k1, speed));
  if (!isfinite(*speed)) {
    static const InkAdvice advice = {"that is NaN there", true,
                                     "; the last state is kept; look at the expressions"};
    PetscCall(ink_stepper_not_finite(stepper, stepper->k1, (double *const[]){stepper->u, NULL},
                                     "the rate of change", t, &advice));
    PetscFunctionReturn(0);
  }
  if (stepper->controller.started == 0) PetscCall(ink_control_start(stepper, until));
  PetscCall(ink_control_see_data(stepper, t, until));
  ink_stepper_scales(stepper, stepper->controller.range);
  PetscCall(ink_field_norm(system->mesh, system->n, stepper->scale, stepper->k1, speed));
  if (stepper->options.method == INK_SPLIT) PetscCall(ink_split_begin(stepper, t));
  PetscFunctionReturn(0);
}

/* One attempt. A fixed dt whose data jump is damped; see stepping_euler.c. */
static PetscErrorCode try_step(InkStepper *stepper, InkAttempt *attempt, double speed) {
  PetscFunctionBeginUser;
  const bool fixed = stepper->options.dt > 0;
  ink_control_accuracy(stepper, attempt);
  if (stepper->options.method == INK_SPLIT)
    PetscCall(ink_split_try(stepper, attempt));
  else if (fixed && attempt->dt * speed > 1)
    PetscCall(ink_euler_substeps(stepper, attempt, 2, false));
  else
    PetscCall(ink_trbdf2_try(stepper, attempt));
  if (!attempt->result.converged || !(fixed || attempt->error <= 1)) PetscFunctionReturn(0);
  if (!stepper->options.positive) PetscFunctionReturn(0);
  if (!attempt->negative && !attempt->substeps) PetscCall(ink_find_negative(stepper, attempt));
  if (attempt->negative) PetscCall(ink_euler_redo(stepper, attempt));
  PetscFunctionReturn(0);
}

/* One accepted step, or a failure. */
static PetscErrorCode step(InkStepper *stepper, double until, double *dt, bool *last) {
  PetscFunctionBeginUser;
  const double fixed = stepper->options.dt, t = stepper->time;
  const InkFinish *finish = stepper->system.finish;
  double speed, longest = INFINITY;
  int not_finite = 0;
  PetscCall(begin_step(stepper, until, &speed));
  if (finish && fixed <= 0 && !stepper->failure.code)
    PetscCall(finish->longest(finish->context, t, stepper->u, &longest));
  longest = fmax(longest, SHORTEST * (until - stepper->start)); /* not to stand still */
  while (!stepper->failure.code) {
    *dt = ink_even_step(t, until, fixed > 0 ? fixed : fmin(stepper->controller.dt_next, longest), last);
    InkAttempt attempt = {.t = t, .dt = *dt, .end = *last ? until : t + *dt};
    PetscCall(try_step(stepper, &attempt, speed));
    if (stepper->failure.code) break;
    if (attempt.result.converged && !attempt.negative && (fixed > 0 || attempt.error <= 1)) {
      PetscCall(ink_take(stepper, &attempt));
      ink_control_accept(stepper, &attempt, error_order(stepper));
      break;
    }
    ink_control_reject(stepper, &attempt);
    if (!shorten(stepper, &attempt, until, &not_finite)) PetscCall(ink_stepper_give_up(stepper, &attempt));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_implicit_advance(InkStepper *stepper, double until, InkClock *clock) {
  PetscFunctionBeginUser;
  PetscBool due = PETSC_FALSE;
  if (stepper->options.method == INK_SPLIT)
    PetscCall(ink_split_arrays(stepper));
  else
    PetscCall(ink_trbdf2_arrays(stepper));
  if (stepper->failure.code) PetscFunctionReturn(0);
  while (stepper->time < until && !due && ink_stepper_may_step(stepper)) {
    double dt = 0;
    bool last = false;
    PetscCall(step(stepper, until, &dt, &last));
    if (stepper->failure.code) break;
    PetscCall(ink_stepper_after_step(stepper, last ? until : stepper->time + dt, dt, clock, &due));
  }
  PetscFunctionReturn(0);
}
