/* What all steppers share: creation, dispatch, targets, the range tolerances are relative to, failures, and
 * what a restart needs.
 *
 * Nothing here remembers more than is saved, so that a run continued from a checkpoint takes the same steps
 * as one that was never stopped: the next step follows from t, the target and the wanted dt alone. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

PetscErrorCode ink_stepper_create(const InkSystem *system, const InkStepperOptions *options, double **u,
                                  double time, InkStepper **stepper) {
  PetscFunctionBeginUser;
  InkStepper *s;
  PetscCall(PetscNew(&s));
  s->system = *system;
  s->options = *options;
  s->state = u;
  s->u = *u;
  s->start = s->time = time;
  *stepper = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_destroy(InkStepper **stepper) {
  PetscFunctionBeginUser;
  InkStepper *s = *stepper;
  if (!s) PetscFunctionReturn(0);
  double **const array[] = {&s->next, &s->k1, &s->second, &s->k2, &s->third, &s->base, &s->work, &s->mass};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) ink_mesh_free(array[a]);
  PetscCall(ink_newton_destroy(&s->newton));
  PetscCall(PetscFree(*stepper));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_array(InkStepper *stepper, double **values) {
  PetscFunctionBeginUser;
  if (!*values) PetscCall(ink_mesh_array(stepper->system.mesh, values));
  PetscFunctionReturn(0);
}

void ink_stepper_progress(const InkStepper *stepper, InkProgress *progress) {
  progress->now = stepper->time;
  progress->step = stepper->step;
  progress->dt = stepper->dt;
  progress->failure = stepper->failure;
}

PetscErrorCode ink_stepper_advance(InkStepper *stepper, double until, InkClock *clock,
                                   InkProgress *progress) {
  PetscFunctionBeginUser;
  stepper->u = *stepper->state;
  if (stepper->failure.code == INK_DONE) {
    switch (stepper->options.method) {
    case INK_EXPLICIT:
      PetscCall(ink_explicit_advance(stepper, until, clock));
      break;
    case INK_IMPLICIT:
      PetscCall(ink_implicit_advance(stepper, until, clock));
      break;
    case INK_STEADY:
      PetscCall(ink_steady_advance(stepper, until));
      break;
    }
  }
  ink_stepper_progress(stepper, progress);
  PetscFunctionReturn(0);
}

double ink_even_step(double t, double until, double wanted, bool *last) {
  const double steps = ceil((until - t) / wanted * (1 - 1e-12));
  *last = !(steps > 1);
  return *last ? until - t : (until - t) / steps;
}

bool ink_stepper_may_step(InkStepper *stepper) {
  const int64_t most = stepper->options.max_steps;
  if (most <= 0 || stepper->step < most) return true;
  ink_fail(&stepper->failure, INK_NUMERICAL,
           "%s: time.max_steps = %lld steps were taken and t = %.9g s is reached, dt = %.3g s; raise "
           "time.max_steps, or allow longer steps (a coarser mesh, a larger time.tolerance, time.method: "
           "implicit)",
           stepper->system.field, (long long)most, stepper->time, stepper->dt);
  return false;
}

PetscErrorCode ink_stepper_after_step(InkStepper *stepper, double t, double dt, InkClock *clock,
                                      PetscBool *due) {
  PetscFunctionBeginUser;
  stepper->time = t;
  stepper->dt = dt;
  stepper->step++;
  *due = PETSC_FALSE;
  if (clock) PetscCall(ink_clock_due(clock, due));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_not_finite(InkStepper *stepper, const double *values, const char *what, double t,
                                      const char *advice) {
  PetscFunctionBeginUser;
  InkWorst worst;
  char place[160];
  PetscCall(ink_field_worst(stepper->system.mesh, values, &worst));
  ink_field_place(stepper->system.mesh, &worst, place, sizeof place);
  ink_fail(&stepper->failure, INK_NUMERICAL, "%s: %s is not finite (%g) in %s, t = %.9g s; %s",
           stepper->system.field, what, worst.value, place, t, advice);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_rate(InkStepper *stepper, double t, double *u, double *k) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  PetscCall(ink_stepper_array(stepper, &stepper->mass));
  PetscCall(system->rhs(system->context, t, u, k));
  PetscCall(system->capacity(system->context, t, u, stepper->mass));
  ink_field_divide(system->mesh, stepper->mass, k);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_include(InkStepper *stepper, const double *u, double *low, double *high) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  double pair[2] = {-INFINITY, -INFINITY}; /* -low, high */
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const double value = u[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]];
        pair[0] = -value > pair[0] ? -value : pair[0];
        pair[1] = value > pair[1] ? value : pair[1];
      }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, mesh->comm));
  const InkController *c = &stepper->controller;
  *low = c->started != 0 ? fmin(c->low, -pair[0]) : -pair[0];
  *high = c->started != 0 ? fmax(c->high, pair[1]) : pair[1];
  PetscFunctionReturn(0);
}

double ink_stepper_scale(const InkStepper *stepper, double low, double high) {
  const double magnitude = fmax(fabs(low), fabs(high));
  /* Below this range the tolerance would ask for more digits than the field has. */
  const double least = 1e3 * DBL_EPSILON * magnitude / stepper->options.tolerance;
  const double scale = fmax(fmax(high - low, stepper->controller.expected), least);
  if (high > low || stepper->controller.expected > 0) return scale;
  return magnitude > 0 ? magnitude : 1;
}

/* Order of the numbers under /state/stepper. */
enum { START, TIME, DT, DT_NEXT, LOW, HIGH, EXPECTED, REJECTED, STARTED, NUMBERS };

PetscErrorCode ink_stepper_save(const InkStepper *stepper, InkStore *store) {
  PetscFunctionBeginUser;
  const InkController *c = &stepper->controller;
  const double number[NUMBERS] = {
      [START] = stepper->start, [TIME] = stepper->time,   [DT] = stepper->dt,
      [DT_NEXT] = c->dt_next,   [LOW] = c->low,           [HIGH] = c->high,
      [EXPECTED] = c->expected, [REJECTED] = c->rejected, [STARTED] = c->started,
  };
  PetscCall(ink_store_group(store, "/state/stepper"));
  PetscCall(ink_store_write_numbers(store, "/state/stepper/controller", NUMBERS, number));
  PetscCall(ink_store_write_integers(store, "/state/stepper/step", 1, &stepper->step));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_load(InkStepper *stepper, InkStore *store) {
  PetscFunctionBeginUser;
  double number[NUMBERS] = {0};
  PetscCall(ink_store_read_numbers(store, "/state/stepper/controller", NUMBERS, number));
  PetscCall(ink_store_read_integers(store, "/state/stepper/step", 1, &stepper->step));
  stepper->start = number[START];
  stepper->time = number[TIME];
  stepper->dt = number[DT];
  stepper->controller = (InkController){.dt_next = number[DT_NEXT],
                                        .low = number[LOW],
                                        .high = number[HIGH],
                                        .expected = number[EXPECTED],
                                        .rejected = number[REJECTED],
                                        .started = number[STARTED]};
  stepper->failure = (InkFailure){0};
  PetscFunctionReturn(0);
}
