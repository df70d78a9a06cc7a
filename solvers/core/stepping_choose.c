/* `auto`: explicit or implicit, whichever is estimated to take less time.
 *
 *     explicit   steps = (end - now) / monotone step
 *     implicit   steps = START_STEPS + SWEEP (1e-5 / tolerance)^(1/3)
 *     seconds    steps (overhead of a step + cost of a cell and step * cells)
 *
 * on one rank, whatever the number there is: the method, and with it the result, must not depend on the rank
 * count.
 *
 * A second-order method with an embedded third-order estimate takes steps that grow as tolerance^(1/3). In
 * eight relaxations of a slab, cylinder or sphere from a jump at the start it took 88 to 190 steps at 1e-5
 * (about 30 of them to pass the jump), with a periodic or degenerate front 350 to 900. The costs were
 * measured on one core of an x86-64 server (1-D 300 and 2000 cells, 2-D 512^2, 3-D 64^3; an implicit step is
 * two stages and the filter of its error, with multigrid in 2-D and 3-D; where the steps are so short that a
 * cheaper solver would do, explicit wins by far anyway). They are good to a factor of three, which is what
 * the choice needs: the two usually differ by more.
 *
 * Accuracy. An implicit run may make an error of tolerance a step. Forward Euler's is estimated from the
 * start's local error, steps * dt/2 max |k(t + dt, u + dt k) - k(t,u)| of the field's size, but only when it
 * would take fewer than 0.01 / tolerance steps (1000): with that many its error, about 1/steps of the change,
 * is below the other's, whatever jumps at the start say. Where forward Euler's is the larger one implicit is
 * taken though it takes longer, but not when that is more than a second and twenty times as long; the reason
 * then says so.
 */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

static const double EXPLICIT_STEP = 1e-5, EXPLICIT_CELL = 4e-9;
static const double IMPLICIT_STEP = 1e-4, IMPLICIT_CELL[3] = {2e-7, 4e-6, 8e-6}; /* one, two, three axes */
static const double NONLINEAR_FACTOR = 3; /* matrices and Newton iterations */
static const double START_STEPS = 30, SWEEP = 120;

static const double MANY_STEPS = 0.01;                  /* over the tolerance: see Accuracy */
static const double PATIENCE = 1, PATIENCE_FACTOR = 20; /* seconds, and times as long as explicit */

typedef struct InkEstimate {
  double limit, explicit_steps, implicit_steps, explicit_seconds, implicit_seconds;
  double explicit_error, allowed; /* of the field's size; explicit_error 0: not estimated */
} InkEstimate;

static PetscErrorCode rate_of_change(const InkSystem *system, double t, double *u, double *mass, double *k) {
  PetscFunctionBeginUser;
  PetscCall(system->rhs(system->context, t, u, k));
  PetscCall(system->capacity(system->context, t, u, mass));
  ink_field_divide(system->mesh, mass, k);
  PetscFunctionReturn(0);
}

/* dt/2 max |k(t + dt, u + dt k) - k(t,u)| over max |u + dt k|: forward Euler's local error. */
static PetscErrorCode local_error(const InkSystem *system, double *u, double t, double dt, double *error) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = system->mesh;
  double *mass, *before, *after, *next, size;
  double **const array[] = {&mass, &before, &after, &next};
  for (int a = 0; a < 4; a++) PetscCall(ink_mesh_array(mesh, array[a]));
  PetscCall(rate_of_change(system, t, u, mass, before));
  ink_field_combine(mesh, 2, (InkTerm[]){{1, u}, {dt, before}}, next);
  PetscCall(ink_field_max_abs(mesh, next, &size));
  PetscCall(rate_of_change(system, t + dt, next, mass, after));
  ink_field_combine(mesh, 2, (InkTerm[]){{dt / 2, after}, {-dt / 2, before}}, next);
  PetscCall(ink_field_max_abs(mesh, next, error));
  *error = size > 0 ? *error / size : *error;
  for (int a = 0; a < 4; a++) ink_mesh_free(array[a]);
  PetscFunctionReturn(0);
}

static PetscErrorCode estimate(const InkSystem *system, double *u, double time, double span, double tolerance,
                               InkEstimate *e) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = system->mesh;
  PetscCall(system->monotone_step(system->context, time, u, &e->limit));
  e->limit *= ink_explicit_fraction;
  const double cells = (double)mesh->cells;
  e->explicit_steps = e->limit > 0 ? fmax(1, ceil(span / e->limit)) : INFINITY;
  e->implicit_steps = ceil(START_STEPS + SWEEP * cbrt(1e-5 / tolerance));
  e->explicit_seconds = e->explicit_steps * (EXPLICIT_STEP + cells * EXPLICIT_CELL);
  e->implicit_seconds = e->implicit_steps * (IMPLICIT_STEP + cells * IMPLICIT_CELL[mesh->dim - 1]) *
                        (system->linear ? 1 : NONLINEAR_FACTOR);
  e->allowed = e->implicit_steps * tolerance;
  e->explicit_error = 0;
  if (e->explicit_seconds > e->implicit_seconds || e->explicit_steps * tolerance >= MANY_STEPS)
    PetscFunctionReturn(0);
  PetscCall(local_error(system, u, time, fmin(e->limit, span), &e->explicit_error));
  e->explicit_error *= e->explicit_steps;
  PetscFunctionReturn(0);
}

/* Why, in words. */
static PetscErrorCode explain(const InkEstimate *e, double span, double tolerance, bool inaccurate,
                              InkPlan *plan) {
  char accuracy[128] = "";
  PetscFunctionBeginUser;
  if (inaccurate)
    PetscCall(PetscSNPrintf(
        accuracy, sizeof accuracy, "; forward Euler's error would be about %.1g of the field, against %.1g%s",
        e->explicit_error, e->allowed,
        strcmp(plan->method, "explicit") == 0 ? ": set time.method if that is too much" : ""));
  PetscCall(PetscSNPrintf(plan->reason, sizeof plan->reason,
                          "auto took %s: about %.3g explicit steps of %.3g s (%.2g s of work) or about %.3g "
                          "implicit steps at tolerance %.2g (%.2g s)%s",
                          plan->method, e->explicit_steps, fmin(e->limit, span), e->explicit_seconds,
                          e->implicit_steps, tolerance, e->implicit_seconds, accuracy));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_choose(const InkSystem *system, double *u, double time, double end,
                                  double tolerance, InkMethod *method, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEstimate e;
  PetscCall(estimate(system, u, time, end - time, tolerance, &e));
  const bool cheaper = e.explicit_seconds <= e.implicit_seconds;
  const bool inaccurate = !(e.explicit_error <= e.allowed);
  const bool too_long =
      e.implicit_seconds > PATIENCE && e.implicit_seconds > PATIENCE_FACTOR * e.explicit_seconds;
  const bool explicit_wins = cheaper && (!inaccurate || too_long);
  *method = explicit_wins ? INK_EXPLICIT : INK_IMPLICIT;
  plan->steps = explicit_wins ? e.explicit_steps : e.implicit_steps;
  plan->seconds = explicit_wins ? e.explicit_seconds : e.implicit_seconds;
  plan->dt = explicit_wins ? fmin(e.limit, end - time) : 0;
  PetscCall(PetscStrncpy(plan->method, explicit_wins ? "explicit" : "implicit", sizeof plan->method));
  PetscCall(explain(&e, end - time, tolerance, cheaper && inaccurate, plan));
  PetscFunctionReturn(0);
}
