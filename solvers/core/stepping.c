/* What all steppers share: creation, dispatch, targets, and what a restart needs.
 *
 * Nothing here remembers more than is saved, so that a run continued from a checkpoint takes the same steps
 * as one that was never stopped: the next step follows from t, the target and the saved state of the
 * controller alone. */
#include <math.h>
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
  PetscCall(PetscCalloc4(system->n, &s->scale, system->n, &s->defect, 2 * (size_t)system->n, &s->total,
                         system->n, &s->gain));
  PetscCall(
      PetscCalloc3(system->n, &s->seen, system->n, &s->controller.range, 2 * (size_t)system->n, &s->sums));
  *stepper = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_destroy(InkStepper **stepper) {
  PetscFunctionBeginUser;
  InkStepper *s = *stepper;
  if (!s) PetscFunctionReturn(0);
  double **const array[] = {&s->next, &s->k1, &s->second, &s->k2, &s->third, &s->base, &s->work, &s->mass};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) ink_mesh_free(array[a]);
  for (int stage = 0; stage < INK_ARK_STAGES; stage++) {
    ink_mesh_free(&s->state_of[stage]);
    ink_mesh_free(&s->rest[stage]);
  }
  PetscCall(ink_newton_destroy(&s->newton));
  PetscCall(PetscFree4(s->scale, s->defect, s->total, s->gain));
  PetscCall(PetscFree3(s->seen, s->controller.range, s->sums));
  PetscCall(PetscFree(*stepper));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_array(InkStepper *stepper, double **values) {
  PetscFunctionBeginUser;
  if (!*values) PetscCall(ink_mesh_fields(stepper->system.mesh, stepper->system.n, values));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_newton(InkStepper *stepper) {
  PetscFunctionBeginUser;
  if (!stepper->newton) PetscCall(ink_newton_create(&stepper->system, &stepper->newton, &stepper->failure));
  PetscFunctionReturn(0);
}

int ink_method_order(InkMethod method) {
  static const int order[] = {
      [INK_EXPLICIT] = 1, [INK_IMPLICIT] = 2, [INK_STEADY] = 0, [INK_SPLIT] = 4, [INK_STAGED] = 2};
  return order[method];
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
  if (stepper->options.positive && stepper->step == 0) {
    bool negative = false;
    PetscCall(ink_stepper_include(stepper, stepper->u, stepper->seen));
    for (int f = 0; f < stepper->system.n; f++) negative = negative || stepper->seen[f].low < 0;
    if (negative) PetscCall(ink_stepper_is_negative(stepper, stepper->u, stepper->time, 0));
  }
  if (stepper->failure.code == INK_DONE) {
    switch (stepper->options.method) {
    case INK_EXPLICIT:
    case INK_STAGED:
      PetscCall(ink_explicit_advance(stepper, until, clock));
      break;
    case INK_IMPLICIT:
    case INK_SPLIT:
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
  char names[128];
  ink_stepper_names(stepper, names, sizeof names);
  ink_fail(&stepper->failure, INK_NUMERICAL,
           "%s: time.max_steps = %lld steps were taken and t = %.9g s is reached, dt = %.3g s; raise "
           "time.max_steps, or allow longer steps (a coarser mesh, a larger time.tolerance, time.method: "
           "implicit)",
           names, (long long)most, stepper->time, stepper->dt);
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

PetscErrorCode ink_stepper_rate(InkStepper *stepper, double t, double *u, double *k) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  PetscCall(ink_stepper_array(stepper, &stepper->mass));
  PetscCall(system->rhs(system->context, t, u, k));
  PetscCall(system->capacity(system->context, t, u, stepper->mass));
  ink_field_divide(system->mesh, system->n, stepper->mass, k);
  PetscFunctionReturn(0);
}

/* Order of the numbers under /state/stepper: of the controller, and of each field's range. */
enum { START, TIME, DT, DT_NEXT, REJECTED, STARTED, BOUND, BOUND_FIRST, BOUND_DUE, BOUND_INTERVAL, NUMBERS };
enum { LOW, HIGH, EXPECTED, FIRST, RANGE_NUMBERS };

PetscErrorCode ink_stepper_save(const InkStepper *stepper, InkStore *store) {
  PetscFunctionBeginUser;
  const InkController *c = &stepper->controller;
  const int n = stepper->system.n;
  const double number[NUMBERS] = {
      [START] = stepper->start,   [TIME] = stepper->time,
      [DT] = stepper->dt,         [DT_NEXT] = c->dt_next,
      [REJECTED] = c->rejected,   [STARTED] = c->started,
      [BOUND] = c->bound,         [BOUND_FIRST] = c->bound_first,
      [BOUND_DUE] = c->bound_due, [BOUND_INTERVAL] = c->bound_interval,
  };
  double *range;
  PetscCall(PetscMalloc1((size_t)n * RANGE_NUMBERS, &range));
  for (int f = 0; f < n; f++) {
    range[RANGE_NUMBERS * f + LOW] = c->range[f].low;
    range[RANGE_NUMBERS * f + HIGH] = c->range[f].high;
    range[RANGE_NUMBERS * f + EXPECTED] = c->range[f].expected;
    range[RANGE_NUMBERS * f + FIRST] = c->range[f].first;
  }
  PetscCall(ink_store_group(store, "/state/stepper"));
  PetscCall(ink_store_write_numbers(store, "/state/stepper/controller", NUMBERS, number));
  PetscCall(ink_store_write_numbers(store, "/state/stepper/ranges", RANGE_NUMBERS * n, range));
  PetscCall(ink_store_write_integers(store, "/state/stepper/step", 1, &stepper->step));
  PetscCall(PetscFree(range));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_load(InkStepper *stepper, InkStore *store) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  const int n = stepper->system.n;
  double number[NUMBERS] = {0}, *range;
  PetscCall(PetscCalloc1((size_t)n * RANGE_NUMBERS, &range));
  PetscCall(ink_store_read_numbers(store, "/state/stepper/controller", NUMBERS, number));
  PetscCall(ink_store_read_numbers(store, "/state/stepper/ranges", RANGE_NUMBERS * n, range));
  PetscCall(ink_store_read_integers(store, "/state/stepper/step", 1, &stepper->step));
  stepper->start = number[START];
  stepper->time = number[TIME];
  stepper->dt = number[DT];
  c->dt_next = number[DT_NEXT];
  c->rejected = number[REJECTED];
  c->started = number[STARTED];
  c->bound = number[BOUND];
  c->bound_first = number[BOUND_FIRST];
  c->bound_due = number[BOUND_DUE];
  c->bound_interval = number[BOUND_INTERVAL];
  for (int f = 0; f < n; f++)
    c->range[f] = (InkRange){.low = range[RANGE_NUMBERS * f + LOW],
                             .high = range[RANGE_NUMBERS * f + HIGH],
                             .expected = range[RANGE_NUMBERS * f + EXPECTED],
                             .first = range[RANGE_NUMBERS * f + FIRST]};
  stepper->failure = (InkFailure){0};
  PetscCall(PetscFree(range));
  PetscFunctionReturn(0);
}
