/* The control of implicit steps: the ranges that tolerances are relative to, the first step, data that move,
 * and the next step.
 *
 * Control: max norm over the fields of the estimate relative to each field's own range so far (of systems
 * that fade, its present range), factor 0.9 error^(-1/order) within [0.2, 5], and no change of dt for less
 * than 20 %, so that a constant matrix is used many times. */
#include <float.h>
#include <math.h>
#include "stepping_impl.h"

static const double GAMMA = 0.58578643762690495120;  /* 2 - sqrt(2): see hidden_change */
static const double NEWTON_FRACTION = 1e-3;          /* of the tolerance goes to the algebraic equations */
static const double TIGHT = 1e-12, ROUND_OFF = 1e-9; /* the same with a fixed dt, of the range */
static const int LOOKS = 1024;                       /* see ink_control_see_data */
static const double HIDDEN_FRACTION = 10;            /* of the tolerance, may be hidden from a step */
static const double GROWTH = 1e3;                    /* of a field's scale */

PetscErrorCode ink_stepper_include(InkStepper *stepper, const double *u, InkRange range[]) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const InkController *c = &stepper->controller;
  const int n = stepper->system.n;
  double *pair; /* -low, high of each field */
  PetscCall(PetscMalloc1(2 * (size_t)n, &pair));
  for (int f = 0; f < n; f++) {
    double low = -INFINITY, high = -INFINITY;
    const double *values = u + f * mesh->size + mesh->origin;
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const double value = values[i + j * mesh->stride[1] + k * mesh->stride[2]];
          low = -value > low ? -value : low;
          high = value > high ? value : high;
        }
    pair[2 * f] = low;
    pair[2 * f + 1] = high;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2 * n, MPI_DOUBLE, MPI_MAX, mesh->comm));
  for (int f = 0; f < n; f++) {
    const InkRange before = c->range[f];
    range[f] = before;
    const bool keep = c->started != 0 && !stepper->system.fades;
    range[f].low = keep ? fmin(before.low, -pair[2 * f]) : -pair[2 * f];
    range[f].high = keep ? fmax(before.high, pair[2 * f + 1]) : pair[2 * f + 1];
  }
  PetscCall(PetscFree(pair));
  PetscFunctionReturn(0);
}

double ink_stepper_scale(const InkStepper *stepper, const InkRange *range) {
  const double magnitude = fmax(fabs(range->low), fabs(range->high));
  /* Below this range the tolerance would ask for more digits than the field has. */
  const double least = 1e3 * DBL_EPSILON * magnitude / stepper->options.tolerance;
  const double scale = fmax(fmax(range->high - range->low, range->expected), least);
  if (range->high > range->low || range->expected > 0) return scale;
  return magnitude > 0 ? magnitude : 1;
}

void ink_stepper_scales(InkStepper *stepper, const InkRange range[]) {
  for (int f = 0; f < stepper->system.n; f++) stepper->scale[f] = ink_stepper_scale(stepper, &range[f]);
}

bool ink_control_grows(const InkStepper *stepper) {
  const InkController *c = &stepper->controller;
  if (c->started == 0) return false;
  for (int f = 0; f < stepper->system.n; f++)
    if (c->range[f].first > 0 && ink_stepper_scale(stepper, &c->range[f]) > GROWTH * c->range[f].first)
      return true;
  return false;
}

/* Has the field had no range so far? */
static bool at_rest(const InkRange *range) {
  return range->high - range->low <= 1e-12 * fmax(fabs(range->low), fabs(range->high));
}

/* A long step dt from the start, linearised backward Euler, into *result; NULL when there is none. */
static PetscErrorCode newton_look(InkStepper *stepper, double dt, double **result) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  const InkNewtonProblem problem = {
      .t = stepper->time + dt, .rate = 1 / dt, .base = stepper->u, .scale = stepper->scale};
  const double *residual;
  bool finite;
  double size;
  *result = NULL;
  PetscCall(ink_newton_residual(stepper->newton, &problem, stepper->u, &residual));
  PetscCall(ink_field_norm(mesh, n, NULL, residual, &size));
  if (!isfinite(size) || size == 0) PetscFunctionReturn(0);
  PetscCall(ink_newton_matrix(stepper->newton, &problem, stepper->u, &finite));
  if (!finite) PetscFunctionReturn(0);
  InkLinearResult linear;
  PetscCall(ink_newton_linear(stepper->newton, residual, 1e-3, 0, stepper->work, &linear));
  if (!linear.converged) PetscFunctionReturn(0);
  ink_field_combine(mesh, n, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->work}}, stepper->work);
  *result = stepper->work;
  PetscFunctionReturn(0);
}

/* The same by the split form: the stiff part implicit, the rest explicit for no longer than it is stable. */
static PetscErrorCode split_look(InkStepper *stepper, double dt, double **result) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  double *look = stepper->state_of[1], rate = 0;
  PetscCall(system->split_rest(system->context, stepper->time, stepper->u, look, &rate));
  const double length = rate > 0 ? fmin(dt, 1 / rate) : dt;
  ink_field_combine(system->mesh, system->n, 2, (InkTerm[]){{1, stepper->u}, {length, look}}, look);
  PetscCall(system->split_solve(system->context, stepper->time + dt, dt, look, look));
  *result = look;
  PetscFunctionReturn(0);
}

/* A field that has no range yet will have that of stepper->seen. What is foretold of a nonlinear system is
 * believed up to ten times the field's size. */
static void expect_range(InkStepper *stepper, int f) {
  InkRange *range = &stepper->controller.range[f];
  const double size = fmax(fabs(range->low), fabs(range->high));
  double expected = stepper->seen[f].high - stepper->seen[f].low;
  if (!at_rest(range) || !isfinite(expected)) return;
  if (!stepper->system.linear && size > 0) expected = fmin(expected, 10 * size);
  range->expected = fmax(range->expected, expected);
}

/* When a field has no range yet, the one to expect: from two long steps, linearised. */
static PetscErrorCode foresee_ranges(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  const double share[2] = {0.37, 1}, span = until - stepper->time;
  for (int s = 0; s < 2; s++) {
    double *look = NULL;
    if (stepper->options.method == INK_SPLIT)
      PetscCall(split_look(stepper, share[s] * span, &look));
    else
      PetscCall(newton_look(stepper, share[s] * span, &look));
    if (!look) continue;
    PetscCall(ink_stepper_include(stepper, look, stepper->seen));
    for (int f = 0; f < stepper->system.n; f++) expect_range(stepper, f);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_control_start(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  bool rest = false;
  PetscCall(ink_stepper_include(stepper, stepper->u, c->range));
  c->started = 1;
  ink_stepper_scales(stepper, c->range);
  for (int f = 0; f < stepper->system.n; f++) rest = rest || at_rest(&c->range[f]);
  if (rest) PetscCall(foresee_ranges(stepper, until));
  ink_stepper_scales(stepper, c->range);
  for (int f = 0; f < stepper->system.n; f++) c->range[f].first = stepper->scale[f];
  double speed;
  PetscCall(ink_field_norm(stepper->system.mesh, stepper->system.n, stepper->scale, stepper->k1, &speed));
  const double span = until - stepper->time;
  c->dt_next = fmin(1e-2 * span, speed > 0 ? 1e-2 / speed : span);
  c->dt_next = fmax(c->dt_next, 1024 * DBL_EPSILON * fmax(fabs(stepper->time), fabs(until)));
  if (stepper->options.dt > 0) c->dt_next = stepper->options.dt;
  PetscFunctionReturn(0);
}

/* What a step of length dt from t would not see. The method looks at the data at t, t + gamma dt and t + dt
 * (the split one at three more times); in between, G(tau, u) with u as it is at t must follow the parabola
 * through them. hidden[f]: how far it does not, as a change of field f: max |difference / M| times dt, or
 * times the monotone step where that is shorter, as boundary values do not act for longer than that on a
 * cell. */
static PetscErrorCode hidden_change(InkStepper *stepper, double t, double dt, int samples, double hidden[]) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkMesh *mesh = system->mesh;
  const bool split = stepper->options.method == INK_SPLIT;
  double *g0 = split ? stepper->state_of[1] : stepper->work,
         *middle = split ? stepper->state_of[2] : stepper->second,
         *end = split ? stepper->state_of[3] : stepper->third,
         *now = split ? stepper->state_of[4] : stepper->k2, most, act;
  for (int f = 0; f < system->n; f++) hidden[f] = 0;
  PetscCall(system->monotone_step(system->context, t, stepper->u, &act));
  act = act > 0 ? fmin(act, dt) : dt;
  PetscCall(system->rhs(system->context, t, stepper->u, g0));
  PetscCall(system->rhs(system->context, t + GAMMA * dt, stepper->u, middle));
  PetscCall(system->rhs(system->context, t + dt, stepper->u, end));
  PetscCall(system->capacity(system->context, t, stepper->u, stepper->mass));
  for (int i = 1; i < samples; i++) {
    const double s = (double)i / samples;
    PetscCall(system->rhs(system->context, t + s * dt, stepper->u, now));
    ink_field_combine(mesh, system->n, 4,
                      (InkTerm[]){{1, now},
                                  {-(s - GAMMA) * (s - 1) / GAMMA, g0},
                                  {-s * (s - 1) / (GAMMA * (GAMMA - 1)), middle},
                                  {-s * (s - GAMMA) / (1 - GAMMA), end}},
                      now);
    ink_field_divide(mesh, system->n, stepper->mass, now);
    for (int f = 0; f < system->n; f++) {
      PetscCall(ink_field_norm(mesh, 1, NULL, now + f * mesh->size, &most));
      if (most * act > hidden[f]) hidden[f] = most * act;
    }
  }
  PetscFunctionReturn(0);
}

/* Halves the wanted dt until no data are stepped over: a pulse of a wall or a source that is over before the
 * step ends would leave no trace in the error estimate. Looks at every LOOKS-th part of the time from the
 * start of the run to the target; what is shorter can be missed. */
PetscErrorCode ink_control_see_data(InkStepper *stepper, double t, double until) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  const int n = stepper->system.n;
  if (!stepper->system.moving || stepper->options.dt > 0) PetscFunctionReturn(0);
  const double look = (until - stepper->start) / LOOKS;
  ink_stepper_scales(stepper, c->range);
  while (true) {
    bool last, hides = false;
    const double dt = ink_even_step(t, until, c->dt_next, &last);
    const int samples = (int)fmin(LOOKS, ceil(dt / look));
    if (samples < 2) PetscFunctionReturn(0);
    PetscCall(hidden_change(stepper, t, dt, samples, stepper->gain));
    for (int f = 0; f < n; f++)
      hides = hides || stepper->gain[f] > HIDDEN_FRACTION * stepper->options.tolerance * stepper->scale[f];
    if (!hides) PetscFunctionReturn(0);
    for (int f = 0; f < n; f++) /* the range to come */
      if (at_rest(&c->range[f])) c->range[f].expected = fmax(c->range[f].expected, stepper->gain[f]);
    c->dt_next = dt / 2;
  }
}

void ink_control_accuracy(const InkStepper *stepper, InkAttempt *attempt) {
  const InkController *c = &stepper->controller;
  const bool fixed = stepper->options.dt > 0;
  double least = 0;
  for (int f = 0; f < stepper->system.n; f++)
    least = fmax(least,
                 100 * DBL_EPSILON * fmax(fabs(c->range[f].low), fabs(c->range[f].high)) / stepper->scale[f]);
  attempt->accuracy = fmax(least, fixed ? TIGHT : NEWTON_FRACTION * stepper->options.tolerance);
  attempt->acceptable = fmax(attempt->accuracy, fixed ? ROUND_OFF : 0);
}

void ink_control_reject(InkStepper *stepper, const InkAttempt *attempt) {
  if (!attempt->result.converged || !isfinite(attempt->error) || attempt->error <= 1) return;
  for (int f = 0; f < stepper->system.n; f++) expect_range(stepper, f);
}

void ink_control_accept(InkStepper *stepper, const InkAttempt *attempt, int order) {
  InkController *c = &stepper->controller;
  const double dt = attempt->dt;
  for (int f = 0; f < stepper->system.n; f++) c->range[f] = stepper->seen[f];
  const double factor = attempt->error > 0 ? 0.9 * pow(attempt->error, -1.0 / order) : INFINITY;
  /* A step cut short by its target says nothing against the longer one wanted before. */
  const bool careful = c->rejected != 0 || attempt->substeps > 0;
  const double most = fmax(c->dt_next, (careful ? 1 : 5) * dt);
  c->dt_next = factor > 1.2 ? fmin(factor * dt, most) : fmin(c->dt_next, 1.2 * dt);
  c->rejected = 0;
}
