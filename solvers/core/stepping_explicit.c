/* Forward Euler: u(t + dt) = u + dt M^-1 G(t,u).
 *
 * The monotone bound is the largest dt with which every new value is a mean, with non-negative weights, of
 * old values and data. dt is nine tenths of it (see ink_explicit_fraction), or the deck's, which may be as
 * long as the bound: a longer one would give a wrong answer that looks right, so it is refused. When the deck
 * gives a tolerance, dt is shortened until the local error, estimated as
 *
 *     dt/2 max |k(t + dt, u + dt k) - k(t,u)|,     k = M^-1 G,
 *
 * which is dt^2/2 |u''| to leading order, is below the tolerance times each field's range so far.
 *
 * A bound that depends on the state costs as much as a step. It is looked at every step as long as it moves,
 * or as the data do, and else less and less often, up to every BOUND_STEPS steps: the tenth that is left to
 * the bound covers what it moves in between. */
#include <math.h>
#include "stepping_impl.h"

/* Steps between looks for values that are not finite, besides those whose result is stored. They spread by a
 * cell a step and never vanish, so that a late look costs wasted steps only; see keep_mark. */
static const int CHECK_STEPS = 64;
static const double BOUND_STEPS = 32, BOUND_MOVES = 0.01; /* of the bound, between two looks */
/* A solution grows without bound when the bound has fallen to GROWTH of the first and to SHORTEST of the
 * interval. */
static const double GROWTH = 1e-3, SHORTEST = 1e-12;
static const double MOST_STEPS = 1e13;  /* to the next target: no run ends that needs more */
static const double FIRST_ERROR = 0.05; /* of a field's range, allowed in the first step */

static const InkAdvice ADVICE = {"that is NaN or grows without bound there", false,
                                 "; the last checkpoint is the last good state; try `inkdrop check`, a "
                                 "smaller time.dt or time.method: implicit"};

/* A new bound into the controller, and the step at which to look again. */
static PetscErrorCode renew_bound(InkStepper *stepper, double t, double *u) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  InkController *c = &stepper->controller;
  const double before = c->bound;
  double bound;
  PetscCall(system->monotone_step(system->context, t, u, &bound));
  c->bound = bound;
  if (!(bound > 0)) PetscFunctionReturn(0);
  if (c->bound_first == 0 && isfinite(bound)) c->bound_first = bound;
  const bool still = before == bound || fabs(bound - before) <= BOUND_MOVES * bound;
  c->bound_interval = still && !system->moving ? fmin(BOUND_STEPS, 2 * c->bound_interval) : 1;
  c->bound_due =
      system->steady_bound || system->constant ? INFINITY : (double)stepper->step + c->bound_interval;
  PetscFunctionReturn(0);
}

/* The monotone bound, or false with a failure. */
static PetscErrorCode monotone_step(InkStepper *stepper, double t, double *u, double *dt, bool *fine) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkController *c = &stepper->controller;
  *fine = true;
  if (!(c->bound > 0) || (double)stepper->step >= c->bound_due) PetscCall(renew_bound(stepper, t, u));
  *dt = c->bound;
  if (c->bound > 0) PetscFunctionReturn(0); /* infinite where nothing limits it */
  *fine = false;
  double largest;
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, u, &largest));
  if (isfinite(largest))
    PetscCall(ink_stepper_no_step(stepper, t, u, c->bound));
  else
    PetscCall(ink_stepper_not_finite(stepper, u, (double *const[]){u, NULL}, "the field", t, &ADVICE));
  PetscFunctionReturn(0);
}

/* Is the deck's dt stable? If not, a failure that names both. */
static bool fixed_step_is_stable(InkStepper *stepper, double t, double limit) {
  const double fixed = stepper->options.dt;
  if (!(fixed > limit * (1 + 1e-9))) return true;
  char names[128];
  ink_stepper_names(stepper, names, sizeof names);
  ink_fail(&stepper->failure, stepper->step == 0 ? INK_USAGE : INK_NUMERICAL,
           "%s: time.dt = %.6g s is above the largest stable explicit step, %.6g s at t = %.9g s; lower "
           "time.dt to at most that, leave it out, or use time.method: implicit",
           names, fixed, limit, t);
  return false;
}

PetscErrorCode ink_euler_error(const InkSystem *system, double t, double dt, double *u, double *next,
                               double *error) {
  PetscFunctionBeginUser;
  PetscCall(system->explicit_step(system->context, t, dt, false, u, next));
  PetscCall(system->explicit_step(system->context, t + dt, dt, false, next, error));
  ink_field_combine(system->mesh, system->n, 3, (InkTerm[]){{0.5, error}, {-1, next}, {0.5, u}}, error);
  PetscFunctionReturn(0);
}

/* Shortens *dt to a tolerance. */
static PetscErrorCode limit_error(InkStepper *stepper, double t, double *u, double tolerance, double *dt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  InkController *c = &stepper->controller;
  PetscCall(ink_stepper_include(stepper, u, c->range));
  ink_stepper_scales(stepper, c->range);
  for (int f = 0; f < n && c->started == 0; f++) c->range[f].first = stepper->scale[f];
  c->started = 1;
  PetscCall(ink_stepper_array(stepper, &stepper->second));
  PetscCall(ink_stepper_array(stepper, &stepper->work));
  if (c->dt_next > 0) *dt = fmin(*dt, 2 * c->dt_next);
  for (int attempt = 0; attempt < 30; attempt++) {
    double error;
    PetscCall(ink_euler_error(&stepper->system, t, *dt, u, stepper->second, stepper->work));
    PetscCall(ink_field_norm(mesh, n, stepper->scale, stepper->work, &error));
    error /= tolerance;
    if (error <= 1) break;
    *dt *= isfinite(error) ? fmin(0.9, fmax(0.1, 0.9 * sqrt(1 / error))) : 0.1;
  }
  c->dt_next = *dt;
  PetscFunctionReturn(0);
}

/* The bound at the start says nothing of quadratic rates of what is not there yet: the first step of a system
 * that reacts is no longer than these allow. */
static PetscErrorCode limit_first(InkStepper *stepper, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  PetscCall(limit_error(stepper, t, u, FIRST_ERROR, dt));
  ink_mesh_free(&stepper->second); /* only needed here */
  ink_mesh_free(&stepper->work);
  PetscFunctionReturn(0);
}

/* Is dt so short that the run would not end, or that the clock does not notice it? Then false with a failure.
 * The bound of a linear system falls with its coefficients, which says nothing of the solution. */
static PetscErrorCode step_is_usable(InkStepper *stepper, double t, double until, double *u, double dt,
                                     bool *fine) {
  PetscFunctionBeginUser;
  const InkController *c = &stepper->controller;
  const bool linear = stepper->system.linear;
  const bool grows = (!linear && c->bound < GROWTH * c->bound_first) || ink_control_grows(stepper);
  const bool noticed = t + dt > t, ends = until - t <= MOST_STEPS * c->bound;
  *fine = noticed && ends && !(grows && dt < SHORTEST * (until - stepper->start) && t + 2 * dt < until);
  if (*fine) PetscFunctionReturn(0);
  if (grows) {
    double size;
    PetscCall(ink_field_norm(stepper->system.mesh, stepper->system.n, NULL, u, &size));
    if (isfinite(size))
      PetscCall(ink_stepper_blow_up(stepper, u, t, dt));
    else
      PetscCall(ink_stepper_not_finite(stepper, u, (double *const[]){u, NULL}, "the field", t, &ADVICE));
    PetscFunctionReturn(0);
  }
  char names[128];
  ink_stepper_names(stepper, names, sizeof names);
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: at t = %.9g s explicit steps are no longer than dt = %.3g s: about %.2g of them would be needed "
      "to t = %.9g s; a coefficient or the mesh is extreme there, or grows without bound: look at the "
      "expressions, coarsen the mesh, or use time.method: implicit",
      names, t, dt, (until - t) / dt, until);
  PetscFunctionReturn(0);
}

/* A staged step: as long as its stages, and what mends it, allow. */
static PetscErrorCode lengthen(InkStepper *stepper, double t, double *u, double *wanted) {
  PetscFunctionBeginUser;
  const InkFinish *finish = stepper->system.finish;
  double longest = INFINITY;
  if (finish) PetscCall(finish->longest(finish->context, t, u, &longest));
  *wanted = fmax(*wanted, fmin((INK_MOST_STAGES - 1) * *wanted, longest));
  PetscFunctionReturn(0);
}

/* The length of the next step and its stages, 1 for forward Euler; fine false: a failure is set. */
static PetscErrorCode choose_step(InkStepper *stepper, double t, double until, double *u, double *dt,
                                  int *stages, bool *last, bool *fine) {
  PetscFunctionBeginUser;
  const bool staged = stepper->options.method == INK_STAGED;
  double wanted = 0;
  PetscCall(monotone_step(stepper, t, u, &wanted, fine));
  if (!*fine) PetscFunctionReturn(0);
  const bool fixed = stepper->options.dt > 0;
  const double single = ink_explicit_fraction * wanted;
  if (fixed) {
    *fine = fixed_step_is_stable(stepper, t, staged ? (INK_MOST_STAGES - 1) * wanted : wanted);
    if (!*fine) PetscFunctionReturn(0);
  }
  wanted = fixed ? stepper->options.dt : single;
  if (staged && !fixed) {
    PetscCall(lengthen(stepper, t, u, &wanted));
  } else if (stepper->options.limit_explicit && !staged) {
    wanted = fmin(wanted, until - t);
    PetscCall(limit_error(stepper, t, u, stepper->options.tolerance, &wanted));
  } else if (stepper->step == 0 && stepper->system.reacts && stepper->options.dt <= 0) {
    wanted = fmin(wanted, until - t);
    PetscCall(limit_first(stepper, t, u, &wanted));
  }
  *dt = ink_even_step(t, until, wanted, last);
  *stages = staged ? 1 + (int)fmax(1, ceil(*dt / single * (1 - 1e-12))) : 1;
  PetscCall(step_is_usable(stepper, t, until, u, *dt, fine));
  PetscFunctionReturn(0);
}

/* before: the state one step earlier; when that is still finite, it shows what the cause is. */
static PetscErrorCode check_finite(InkStepper *stepper, const double *u, double *before) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  double largest;
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, u, &largest));
  if (isfinite(largest)) PetscFunctionReturn(0);
  PetscCall(ink_stepper_not_finite(stepper, u, (double *const[]){before, NULL}, "the field", stepper->time,
                                   &ADVICE));
  PetscFunctionReturn(0);
}

/* The two arrays of a run of steps, which change places, and a state to go back to. */
typedef struct InkRun {
  double *now, *next;
  InkStepper mark; /* time, step and control at the last look; its state is in stepper->third */
} InkRun;

/* One step; stop: a failure is set. last: it ends at `until`. */
static PetscErrorCode take_step(InkStepper *stepper, double until, InkClock *clock, InkRun *run, bool *last,
                                PetscBool *due) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double t = stepper->time;
  double dt = 0;
  int stages = 1;
  bool fine = true;
  PetscCall(choose_step(stepper, t, until, run->now, &dt, &stages, last, &fine));
  if (!fine) PetscFunctionReturn(0);
  if (stages > 1)
    PetscCall(ink_staged_step(stepper, t, dt, stages, run->now, run->next));
  else
    PetscCall(system->explicit_step(system->context, t, dt, true, run->now, run->next));
  if (system->finish)
    PetscCall(system->finish->mend(system->finish->context, t, dt, stages == 1, run->now, run->next));
  double *const swap = run->now;
  run->now = run->next;
  run->next = swap;
  PetscCall(ink_stepper_after_step(stepper, *last ? until : t + dt, dt, clock, due));
  PetscFunctionReturn(0);
}

/* Where errors grow, values that are not finite are found late and far from where they arose: the state at
 * the last look is kept, to look again step by step. */
static PetscErrorCode keep_mark(InkStepper *stepper, InkRun *run) {
  PetscFunctionBeginUser;
  if (!stepper->system.reacts) PetscFunctionReturn(0);
  PetscCall(ink_stepper_array(stepper, &stepper->third));
  ink_field_copy(stepper->system.mesh, stepper->system.n, run->now, stepper->third);
  run->mark = *stepper;
  PetscFunctionReturn(0);
}

/* The steps since the mark again, up to the first whose result is not finite. */
static PetscErrorCode look_again(InkStepper *stepper, double until, InkRun *run) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  double largest = 0;
  if (!system->reacts) PetscFunctionReturn(0);
  ink_field_copy(system->mesh, system->n, stepper->third, run->now);
  stepper->time = run->mark.time;
  stepper->dt = run->mark.dt;
  stepper->step = run->mark.step;
  stepper->controller = run->mark.controller;
  while (isfinite(largest) && stepper->time < until && !stepper->failure.code) {
    PetscBool due;
    bool last;
    PetscCall(take_step(stepper, until, NULL, run, &last, &due));
    PetscCall(ink_field_norm(system->mesh, system->n, NULL, run->now, &largest));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_explicit_advance(InkStepper *stepper, double until, InkClock *clock) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  PetscCall(ink_stepper_array(stepper, &stepper->next));
  InkRun run = {.now = stepper->u, .next = stepper->next};
  PetscBool due = PETSC_FALSE;
  PetscCall(keep_mark(stepper, &run));
  while (stepper->time < until && !due && ink_stepper_may_step(stepper)) {
    bool last = false;
    PetscCall(take_step(stepper, until, clock, &run, &last, &due));
    const bool failed = stepper->failure.code != INK_DONE;
    const bool kept = last || (due && ink_clock_saves(clock)); /* others will read or store it */
    if (!failed && !kept && stepper->step % CHECK_STEPS != 0) continue;
    double largest;
    PetscCall(ink_field_norm(system->mesh, system->n, NULL, run.now, &largest));
    if (isfinite(largest)) {
      if (failed) break;
      if (!kept) PetscCall(keep_mark(stepper, &run));
      continue;
    }
    if (system->reacts) stepper->failure = (InkFailure){0};
    PetscCall(look_again(stepper, until, &run));
    if (!stepper->failure.code) PetscCall(check_finite(stepper, run.now, run.next));
    break;
  }
  *stepper->state = stepper->u = run.now; /* the two arrays have changed places, or not */
  stepper->next = run.next;
  PetscFunctionReturn(0);
}
