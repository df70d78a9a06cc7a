/* `auto`: explicit or implicit, whichever is estimated to take less time; and which implicit method.
 *
 *     explicit   steps = (end - now) / monotone step
 *     TR-BDF2    steps = START_STEPS + SWEEP (1e-5 / tolerance)^(1/3)
 *     split      steps = START_SPLIT + SWEEP_SPLIT (1e-5 / tolerance)^(1/4),
 *                but at least (end - now) * rate / STABLE (rate: see split_rest)
 *     seconds    steps (overhead of a step + cost of a cell and step * cells)
 *     staged     (densities, instead of explicit) steps of up to nine monotone ones, ten stages each
 *
 * on one rank, whatever the number there is: the method, and with it the result, must not depend on the rank
 * count.
 *
 * A second-order method with an embedded third-order estimate takes steps that grow as tolerance^(1/3). In
 * eight relaxations of a slab, cylinder or sphere from a jump at the start it took 88 to 190 steps at 1e-5
 * (about 30 of them to pass the jump), with a periodic or degenerate front 350 to 900; the split method, of
 * fourth order with a third-order estimate, took 20, 42 and 116 at 1e-3, 1e-5 and 1e-7 on a square. The costs
 * were measured on one core of an x86-64 server (1-D 300 and 2000 cells, 2-D 512^2, 3-D 64^3; an implicit
 * step is two stages and the filter of its error, with multigrid in 2-D and 3-D; where the steps are so short
 * that a cheaper solver would do, explicit wins by far anyway). They are good to a factor of three, which is
 * what the choice needs: the methods usually differ by more. n fields cost an explicit or split step n times,
 * a coupled matrix n^2 times as much.
 *
 * Accuracy. An implicit run may make an error of tolerance a step. Forward Euler's is estimated from the
 * start's local error, steps * dt/2 max |k(t + dt, u + dt k) - k(t,u)| of the fields' sizes, but only when it
 * would take fewer than 0.01 / tolerance steps (1000): with that many its error, about 1/steps of the change,
 * is below the other's, whatever jumps at the start say (unless the system reacts or the solution is carried
 * along: then errors grow with it or add up; what mends a step mends its error in time, too). Where forward
 * Euler's is the larger one implicit is taken though it takes longer, but not when that is more than a second
 * and five times as long (the estimate is a bound, and errors in time and space of forward Euler partly
 * cancel; where the system reacts or carries, ten minutes); the reason then says so.
 */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

static const double EXPLICIT_STEP = 1e-5, EXPLICIT_CELL = 4e-9;
static const double FINISH_CELL = 2e-8;                                          /* to mend a step */
static const double IMPLICIT_STEP = 1e-4, IMPLICIT_CELL[3] = {2e-7, 4e-6, 8e-6}; /* one, two, three axes */
static const double SPLIT_STEP = 1e-4, SPLIT_CELL = 1e-7; /* six stages: a transform and the rest each */
static const double NONLINEAR_FACTOR = 3;                 /* matrices and Newton iterations */
/* The same of a density: no coupled matrix, and a preconditioner that needs few iterations. Its implicit
 * steps are preferred while they take no more than a second: their error is controlled. */
static const double DENSITY_CELL[3] = {2e-7, 5e-7, 1e-6}, DENSITY_PATIENCE = 1;
static const double TIGHT = 1e-5, TIGHT_FACTOR = 5; /* below this tolerance, and times as long */
static const double START_STEPS = 30, SWEEP = 120;
static const double START_SPLIT = 20, SWEEP_SPLIT = 30;
static const double STABLE = 4;       /* |eigenvalue| dt of the explicit part, at the most */
static const double STABLE_FIXED = 1; /* the same for a dt that the deck fixes */

static const double MANY_STEPS = 0.01;                 /* over the tolerance: see Accuracy */
static const double PATIENCE = 1, PATIENCE_FACTOR = 5; /* seconds, and times as long as explicit */
static const double PATIENCE_LONG = 600;               /* the same seconds where errors grow or add up */

/* One method's expected work. */
typedef struct InkWork {
  double steps, seconds;
} InkWork;

typedef struct InkEstimate {
  InkWork euler, trbdf2, split;
  double limit;                   /* explicit step */
  double longest;                 /* that can be mended (InkFinish) */
  double rate;                    /* of the split form's rest; NaN: there is no split form, or */
  bool unstable;                  /* a field rests where it is unstable (stepping_rest.c) */
  double explicit_error, allowed; /* of the fields' sizes; explicit_error 0: not estimated */
} InkEstimate;

/* The largest over the fields of forward Euler's local error over max |u + dt k|. */
static PetscErrorCode local_error(const InkSystem *system, double *u, double t, double dt, double *error) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = system->mesh;
  const int n = system->n;
  double *next, *difference, *size;
  PetscCall(ink_mesh_fields(mesh, n, &next));
  PetscCall(ink_mesh_fields(mesh, n, &difference));
  PetscCall(PetscMalloc1(n, &size));
  PetscCall(ink_euler_error(system, t, dt, u, next, difference));
  for (int f = 0; f < n; f++) {
    PetscCall(ink_field_norm(mesh, 1, NULL, next + f * mesh->size, &size[f]));
    if (!(size[f] > 0)) size[f] = 1;
  }
  PetscCall(ink_field_norm(mesh, n, size, difference, error));
  PetscCall(PetscFree(size));
  ink_mesh_free(&difference);
  ink_mesh_free(&next);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_euler_error(const InkSystem *system, double *u, double time, double end, double dt,
                                       double *error) {
  PetscFunctionBeginUser;
  const double span = end - time;
  PetscCall(local_error(system, u, time, fmin(dt, span), error));
  *error = fmin(1, *error * fmax(1, ceil(span / dt)));
  PetscFunctionReturn(0);
}

static PetscErrorCode estimate_implicit(const InkSystem *system, double *u, double time, double span,
                                        double tolerance, InkEstimate *e) {
  PetscFunctionBeginUser;
  const double cells = (double)system->mesh->cells, n = system->n;
  e->longest = INFINITY;
  if (system->finish) PetscCall(system->finish->longest(system->finish->context, time, u, &e->longest));
  e->trbdf2.steps = fmax(ceil(START_STEPS + SWEEP * cbrt(1e-5 / tolerance)), ceil(span / e->longest));
  const int axis = system->mesh->dim - 1;
  const double cell = system->fades ? DENSITY_CELL[axis] : IMPLICIT_CELL[axis];
  e->trbdf2.seconds =
      e->trbdf2.steps * (IMPLICIT_STEP + n * n * cells * cell) * (system->linear ? 1 : NONLINEAR_FACTOR);
  e->rate = NAN;
  e->unstable = false;
  if (system->split_rest && system->split_solve)
    PetscCall(ink_rests_unstable(system, time, span, u, &e->rate, &e->unstable));
  if (e->unstable) e->rate = NAN;
  e->split = (InkWork){INFINITY, INFINITY};
  if (!isfinite(e->rate)) PetscFunctionReturn(0);
  e->split.steps =
      fmax(ceil(START_SPLIT + SWEEP_SPLIT * sqrt(sqrt(1e-5 / tolerance))), ceil(span * e->rate / STABLE));
  e->split.seconds = e->split.steps * (SPLIT_STEP + n * cells * SPLIT_CELL);
  PetscFunctionReturn(0);
}

static bool split_wins(const InkEstimate *e) { return e->split.seconds <= e->trbdf2.seconds; }

static InkWork implicit_work(const InkEstimate *e) { return split_wins(e) ? e->split : e->trbdf2; }

/* The monotone step; of a density whose coefficients move, the shortest at a few times of the run. */
static PetscErrorCode shortest_step(const InkSystem *system, double *u, double time, double span,
                                    double *limit) {
  PetscFunctionBeginUser;
  enum { LATER = 8 };
  PetscCall(system->monotone_step(system->context, time, u, limit));
  for (int i = 1; i <= LATER && system->fades && system->moving; i++) {
    double later;
    PetscCall(system->monotone_step(system->context, time + span * i / LATER, u, &later));
    if (later < *limit) *limit = later;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode estimate_costs(const InkSystem *system, double *u, double time, double span,
                                     double tolerance, InkEstimate *e) {
  PetscFunctionBeginUser;
  const double cells = (double)system->mesh->cells, n = system->n;
  PetscCall(estimate_implicit(system, u, time, span, tolerance, e));
  PetscCall(shortest_step(system, u, time, span, &e->limit));
  e->limit *= ink_explicit_fraction;
  e->euler.steps = e->limit > 0 ? fmax(1, ceil(span / e->limit)) : INFINITY;
  const double cell = EXPLICIT_CELL + (system->finish ? FINISH_CELL : 0);
  e->euler.seconds = e->euler.steps * (EXPLICIT_STEP + n * cells * cell);
  PetscFunctionReturn(0);
}

static PetscErrorCode estimate_error(const InkSystem *system, double *u, double time, double span,
                                     double tolerance, InkEstimate *e) {
  PetscFunctionBeginUser;
  const InkWork implicit = implicit_work(e);
  e->allowed = implicit.steps * tolerance;
  e->explicit_error = 0;
  const bool many = e->euler.steps * tolerance >= MANY_STEPS && !system->reacts && !system->carries;
  if (e->euler.seconds > implicit.seconds || many || system->finish) PetscFunctionReturn(0);
  PetscCall(ink_stepper_euler_error(system, u, time, time + span, e->limit, &e->explicit_error));
  PetscFunctionReturn(0);
}

static void fill_plan(InkMethod method, InkWork work, double dt, InkPlan *plan) {
  snprintf(plan->method, sizeof plan->method, "%s",
           method == INK_EXPLICIT || method == INK_STAGED ? "explicit" : "implicit");
  plan->order = ink_method_order(method);
  plan->steps = work.steps;
  plan->seconds = work.seconds;
  plan->dt = dt;
}

/* Densities: TR-BDF2, or SSPRK(s,2), whose error in time is below that in space at the longest stable steps
 * of cells that resolve the density. */
static void choose_density(const InkSystem *system, double span, double tolerance, const InkEstimate *e,
                           InkMethod *method, InkPlan *plan) {
  const double cells = (double)system->mesh->cells, stage = EXPLICIT_STEP + cells * EXPLICIT_CELL;
  const double mending = system->finish ? cells * FINISH_CELL : 0, implicit = e->trbdf2.seconds;
  const double length = fmin(span, fmax(e->limit, fmin(e->longest, (INK_MOST_STAGES - 1) * e->limit)));
  const double steps = ceil(span / length), stages = 1 + ceil(length / e->limit);
  const InkWork staged = {steps, steps * (stages * stage + mending)};
  const double factor = tolerance < TIGHT * (1 - 1e-9) ? TIGHT_FACTOR : 1;
  const bool wins = implicit > DENSITY_PATIENCE && factor * staged.seconds < implicit;
  *method = wins ? INK_STAGED : INK_IMPLICIT;
  fill_plan(*method, wins ? staged : e->trbdf2, wins ? length : 0, plan);
  snprintf(
      plan->reason, sizeof plan->reason,
      "auto took %s: about %.3g steps of SSPRK(%g,2) with dt = %.3g (%.2g s of work) or about %.3g implicit "
      "steps at tolerance %.2g (%.2g s)",
      plan->method, steps, stages, length, staged.seconds, e->trbdf2.steps, tolerance, implicit);
}

PetscErrorCode ink_stepper_choose(const InkSystem *system, double *u, double time, double end,
                                  double tolerance, bool free_step, InkMethod *method, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEstimate e;
  char accuracy[128] = "";
  const double span = end - time;
  PetscCall(estimate_costs(system, u, time, span, tolerance, &e));
  if (system->fades && free_step && !system->moving) {
    choose_density(system, span, tolerance, &e, method, plan);
    PetscFunctionReturn(0);
  }
  PetscCall(estimate_error(system, u, time, span, tolerance, &e));
  const InkWork implicit = implicit_work(&e);
  const bool cheaper = e.euler.seconds <= implicit.seconds;
  const bool inaccurate = !(e.explicit_error <= e.allowed);
  const double patience = system->reacts || system->carries ? PATIENCE_LONG : PATIENCE;
  const bool too_long = implicit.seconds > patience && implicit.seconds > PATIENCE_FACTOR * e.euler.seconds;
  const bool explicit_wins = cheaper && (!inaccurate || too_long);
  *method = explicit_wins ? INK_EXPLICIT : split_wins(&e) ? INK_SPLIT : INK_IMPLICIT;
  fill_plan(*method, explicit_wins ? e.euler : implicit, explicit_wins ? fmin(e.limit, span) : 0, plan);
  if (cheaper && inaccurate)
    snprintf(accuracy, sizeof accuracy,
             "; forward Euler's error would be about %.1g of the field, against %.1g%s", e.explicit_error,
             e.allowed, explicit_wins ? ": set time.method if that is too much" : "");
  snprintf(plan->reason, sizeof plan->reason,
           "auto took %s: about %.3g explicit steps of dt = %.3g (%.2g s of work) or about %.3g %s "
           "steps at tolerance %.2g (%.2g s)%s",
           plan->method, e.euler.steps, fmin(e.limit, span), e.euler.seconds, implicit.steps,
           split_wins(&e) ? "split implicit" : "implicit", tolerance, implicit.seconds, accuracy);
  PetscFunctionReturn(0);
}

/* A dt that the deck fixes: is it well inside the stability of the explicit part? */
static void choose_fixed(const InkEstimate *e, double span, double dt, InkMethod *method, InkPlan *plan) {
  const InkWork one = e->rate * dt <= STABLE_FIXED ? e->split : e->trbdf2;
  const double steps = fmax(1, ceil(span / dt * (1 - 1e-12)));
  *method = e->rate * dt <= STABLE_FIXED ? INK_SPLIT : INK_IMPLICIT;
  fill_plan(*method, (InkWork){steps, one.seconds / one.steps * steps}, dt, plan);
  if (*method == INK_SPLIT)
    snprintf(
        plan->reason, sizeof plan->reason,
        "implicit by ARK4(3): diffusion is solved directly and the rest, with rates up to %.3g /s, is slow "
        "enough for time.dt = %.3g s",
        e->rate, dt);
  else if (isfinite(e->rate))
    snprintf(
        plan->reason, sizeof plan->reason,
        "implicit by TR-BDF2: the rest, with rates up to %.3g /s, are too fast to be taken explicitly with "
        "time.dt = %.3g s",
        e->rate, dt);
}

PetscErrorCode ink_stepper_choose_implicit(const InkSystem *system, double *u, double time, double end,
                                           const InkStepperOptions *options, InkMethod *method,
                                           InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEstimate e = {.rate = NAN};
  const double span = end - time;
  PetscCall(estimate_implicit(system, u, time, span, options->tolerance, &e));
  snprintf(plan->reason, sizeof plan->reason,
           "implicit by TR-BDF2: diffusion cannot be split off and solved directly here (that takes equal "
           "cells on two or three straight axes, constant coefficients, and sides of type value, flux or "
           "symmetry)");
  if (e.unstable)
    snprintf(plan->reason, sizeof plan->reason,
             "implicit by TR-BDF2: a field rests at an unstable state, where the rounding errors of the fast "
             "transforms of the split method would grow");
  if (options->dt > 0) {
    choose_fixed(&e, span, options->dt, method, plan);
    PetscFunctionReturn(0);
  }
  *method = split_wins(&e) ? INK_SPLIT : INK_IMPLICIT;
  fill_plan(*method, implicit_work(&e), 0, plan);
  if (*method == INK_SPLIT)
    snprintf(
        plan->reason, sizeof plan->reason,
        "implicit by ARK4(3), diffusion solved directly: about %.3g steps (%.2g s of work), against %.3g "
        "(%.2g s) by TR-BDF2",
        e.split.steps, e.split.seconds, e.trbdf2.steps, e.trbdf2.seconds);
  else if (isfinite(e.rate))
    snprintf(plan->reason, sizeof plan->reason,
             "implicit by TR-BDF2: about %.3g steps (%.2g s of work); the rest, with rates up to %.3g /s, "
             "would take %.3g steps (%.2g s) explicitly",
             e.trbdf2.steps, e.trbdf2.seconds, e.rate, e.split.steps, e.split.seconds);
  PetscFunctionReturn(0);
}
