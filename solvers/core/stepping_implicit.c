/* TR-BDF2: a trapezoidal stage to t + gamma dt, then a BDF2 stage to t + dt, gamma = 2 - sqrt(2), so that
 * both have the same matrix (Bank et al., IEEE Trans. CAD 4 (1985) 436; Hosea & Shampine, Appl. Numer. Math.
 * 20 (1996) 21). With k = M^-1 G, d = gamma/2, w = sqrt(2)/4:
 *
 *     U2 = u0 + d dt (k1 + k2)                   t2 = t + gamma dt
 *     U3 = u0 + dt (w k1 + w k2 + d k3)          t3 = t + dt
 *     error = dt ((4w - 1)/3 k1 - k2/3 + 2d/3 k3)
 *
 * second order, L-stable, one-step. A stage solves rate M(t,U)(U - base) = G(t,U), rate = 1/(d dt); k2 and k3
 * are taken as rate (U - base), so that errors of the solver are not multiplied by the stiffness. The error
 * estimate is third order in dt and is filtered by the stage's matrix, (rate M - dG/du) e = rate M error,
 * which keeps it bounded for the stiff components that the step itself damps. Data that do not fit the
 * initial state are resolved by the control of the error; a fixed dt takes such a step as two backward-Euler
 * half steps.
 *
 * Conservation. Summed over the cells, M (U3 - u0) differs from dt sum b_j G_j by the solver's residuals.
 * That sum is known, and is taken out by one small shift of the whole field (of the size of the solver's
 * tolerance), so that the content changes by exactly the flows and sources that accumulate() was told of.
 *
 * Data that depend on t are looked at inside a step as well (see_data).
 *
 * Control: max norm of the estimate relative to the field's range so far, factor 0.9 error^(-1/3) within
 * [0.2, 5], and no change of dt for less than 20 %, so that a constant matrix is used many times. */
#include <float.h>
#include <math.h>
#include "reduction.h"
#include "stepping_impl.h"

static const double GAMMA = 0.58578643762690495120; /* 2 - sqrt(2) */
static const double D = 0.29289321881345247560;     /* gamma / 2 */
static const double W = 0.35355339059327376220;     /* sqrt(2) / 4 */
static const double NEWTON_FRACTION = 1e-3;         /* of the tolerance goes to the algebraic equations */
static const double TIGHT = 1e-12,
                    ROUND_OFF = 1e-9;     /* the same with a fixed dt, of the range: see accuracy */
static const int LOOKS = 1024;            /* see see_data */
static const double HIDDEN_FRACTION = 10; /* of the tolerance, may be hidden from a step */
static const int MAX_NEWTON = 12, MAX_NOT_FINITE = 12;

typedef struct InkAttempt {
  double t, middle, dt, end; /* middle: time of the second stage */
  double weight[3];          /* of the rates at t, middle and end, over dt */
  double low, high;          /* range so far */
  /* Tolerance of the stage equations, and where round-off may end them. With a fixed dt there is no error
   * that they could be compared with, so they are solved as well as the arithmetic allows. */
  double accuracy, acceptable;
  InkNewtonResult result;
  double defect; /* dt sum of b_j times the residuals, over all cells */
  double error;  /* estimated, relative to what is allowed */
} InkAttempt;

static PetscErrorCode sum_cells(const InkMesh *mesh, const double *values, double *total) {
  PetscFunctionBeginUser;
  InkSum sum;
  ink_sum_clear(&sum);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      ink_sum_add_array(&sum, mesh->count[0],
                        values + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2]);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, total));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  double **const array[] = {&stepper->k1,    &stepper->second, &stepper->k2,
                            &stepper->third, &stepper->base,   &stepper->work};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) PetscCall(ink_stepper_array(stepper, array[a]));
  if (!stepper->newton) PetscCall(ink_newton_create(&stepper->system, &stepper->newton, &stepper->failure));
  PetscFunctionReturn(0);
}

/* Solves a stage into U, which holds the start. weight: b_j, for the defect. */
static PetscErrorCode solve_stage(InkStepper *stepper, InkAttempt *attempt, double time, double weight,
                                  bool second, double *U) {
  PetscFunctionBeginUser;
  const InkNewtonProblem problem = {.t = time,
                                    .rate = 1 / (D * attempt->dt),
                                    .base = stepper->base,
                                    .tolerance = attempt->accuracy,
                                    .acceptable = attempt->acceptable,
                                    .max_iterations = MAX_NEWTON,
                                    .keep_preconditioner = second};
  PetscCall(ink_newton_solve(stepper->newton, &problem, U, &attempt->result));
  if (!attempt->result.converged) PetscFunctionReturn(0);
  double residual;
  PetscCall(sum_cells(stepper->system.mesh, ink_newton_last_residual(stepper->newton), &residual));
  attempt->defect += attempt->dt * weight * residual;
  PetscFunctionReturn(0);
}

/* The filtered error estimate into work, its norm into attempt->error. */
static PetscErrorCode estimate_error(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const double dt = attempt->dt, rate = 1 / (D * dt);
  double *e = stepper->work, *k3 = stepper->base; /* base is used up: k3 = rate (U3 - base) */
  ink_field_combine(mesh, 2, (InkTerm[]){{rate, stepper->third}, {-rate, stepper->base}}, k3);
  ink_field_combine(
      mesh, 3, (InkTerm[]){{dt * (4 * W - 1) / 3, stepper->k1}, {-dt / 3, stepper->k2}, {dt * 2 * D / 3, k3}},
      e);
  const double *capacity = ink_newton_capacity(stepper->newton);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t c = row; c < row + mesh->count[0]; c++) e[c] *= rate * capacity[c];
    }
  InkLinearResult linear;
  PetscCall(ink_newton_linear(stepper->newton, e, 1e-4, 0.01 * attempt->accuracy, e, &linear));
  double low, high;
  PetscCall(ink_stepper_include(stepper, stepper->third, &low, &high));
  attempt->low = low;
  attempt->high = high;
  PetscCall(ink_field_max_abs(mesh, e, &attempt->error));
  attempt->error /= stepper->options.tolerance * ink_stepper_scale(stepper, low, high);
  if (!linear.converged) attempt->error = INFINITY;
  PetscFunctionReturn(0);
}

/* Two backward-Euler half steps instead, for a fixed dt whose data jump: |dt k1| exceeds the field's range,
 * so the trapezoidal stage would overshoot, which a capacity that depends on u turns into a loss of content.
 * First order, but rare, so the order of the run stays two. */
static PetscErrorCode damped_step(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  double *const from[2] = {stepper->u, stepper->second}, *const to[2] = {stepper->second, stepper->third};
  attempt->defect = 0;
  attempt->middle = attempt->t + attempt->dt / 2;
  attempt->weight[0] = 0;
  attempt->weight[1] = attempt->weight[2] = 0.5;
  for (int half = 0; half < 2; half++) {
    double residual;
    ink_field_copy(mesh, from[half], stepper->base);
    ink_field_copy(mesh, from[half], to[half]);
    const InkNewtonProblem problem = {.t = half ? attempt->end : attempt->middle,
                                      .rate = 2 / attempt->dt,
                                      .base = stepper->base,
                                      .tolerance = attempt->accuracy,
                                      .acceptable = attempt->acceptable,
                                      .max_iterations = MAX_NEWTON,
                                      .keep_preconditioner = half > 0};
    PetscCall(ink_newton_solve(stepper->newton, &problem, to[half], &attempt->result));
    if (!attempt->result.converged) PetscFunctionReturn(0);
    PetscCall(sum_cells(mesh, ink_newton_last_residual(stepper->newton), &residual));
    attempt->defect += attempt->dt / 2 * residual;
  }
  PetscCall(ink_stepper_include(stepper, stepper->third, &attempt->low, &attempt->high));
  PetscFunctionReturn(0);
}

/* Tries the step; k1 is in place. Sets attempt->result and, when the stages were solved, ->error. */
static PetscErrorCode try_step(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  double *u = stepper->u, *second = stepper->second, *third = stepper->third, *k1 = stepper->k1;
  const double dt = attempt->dt, rate = 1 / (D * dt);
  attempt->defect = attempt->error = 0;
  attempt->middle = attempt->t + GAMMA * dt;
  attempt->weight[0] = attempt->weight[1] = W;
  attempt->weight[2] = D;
  ink_field_combine(mesh, 2, (InkTerm[]){{1, u}, {D * dt, k1}}, stepper->base);
  ink_field_copy(mesh, u, second);
  PetscCall(solve_stage(stepper, attempt, attempt->middle, W, false, second));
  if (!attempt->result.converged) PetscFunctionReturn(0);
  ink_field_combine(mesh, 2, (InkTerm[]){{rate, second}, {-rate, stepper->base}}, stepper->k2);
  ink_field_combine(mesh, 3, (InkTerm[]){{1, u}, {W * dt, k1}, {W * dt, stepper->k2}}, stepper->base);
  ink_field_combine(mesh, 2, (InkTerm[]){{1 - 1 / GAMMA, u}, {1 / GAMMA, second}}, third);
  PetscCall(solve_stage(stepper, attempt, attempt->end, D, true, third));
  if (!attempt->result.converged) PetscFunctionReturn(0);
  PetscCall(estimate_error(stepper, attempt));
  PetscFunctionReturn(0);
}

/* Takes the attempt as the new state: budget, conservation, controller. */
static PetscErrorCode accept(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double dt = attempt->dt;
  const double time[3] = {attempt->t, attempt->middle, attempt->end};
  double *const state[3] = {stepper->u, stepper->second, stepper->third};
  for (int stage = 0; stage < 3 && system->accumulate; stage++)
    if (attempt->weight[stage] != 0)
      PetscCall(system->accumulate(system->context, dt * attempt->weight[stage], time[stage], state[stage]));
  double mass;
  PetscCall(sum_cells(system->mesh, ink_newton_capacity(stepper->newton), &mass));
  const double shift = mass > 0 ? -attempt->defect / mass : 0;
  for (int64_t k = 0; k < system->mesh->count[2]; k++)
    for (int64_t j = 0; j < system->mesh->count[1]; j++) {
      const int64_t row = system->mesh->origin + j * system->mesh->stride[1] + k * system->mesh->stride[2];
      for (int64_t c = row; c < row + system->mesh->count[0]; c++) stepper->u[c] = stepper->third[c] + shift;
    }
  InkController *c = &stepper->controller;
  c->low = attempt->low;
  c->high = attempt->high;
  const double factor = attempt->error > 0 ? 0.9 * pow(attempt->error, -1.0 / 3) : INFINITY;
  /* A step cut short by its target says nothing against the longer one wanted before. */
  const double most = fmax(c->dt_next, (c->rejected != 0 ? 1 : 5) * dt);
  c->dt_next = factor > 1.2 ? fmin(factor * dt, most) : fmin(c->dt_next, 1.2 * dt);
  c->rejected = 0;
  PetscFunctionReturn(0);
}

/* The failure of a step that cannot be shortened any more. */
static PetscErrorCode give_up(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  if (attempt->result.converged) {
    ink_fail(&stepper->failure, INK_NUMERICAL,
             "%s: time.tolerance = %g cannot be met at t = %.9g s (dt = %.3g s): data jump there, or the "
             "solution grows without bound; raise time.tolerance, set time.dt, or look at the expressions",
             system->field, stepper->options.tolerance, attempt->t, attempt->dt);
    PetscFunctionReturn(0);
  }
  if (!attempt->result.finite) {
    PetscCall(ink_stepper_not_finite(
        stepper, ink_newton_last_residual(stepper->newton), "the equation", attempt->end,
        "the likely cause is an expression (source, material or boundary) that is NaN there, or a "
        "coefficient of the wrong sign (conductivity below 0, capacity not above 0), "
        "or a solution "
        "that grows without bound; the last state is kept; look at the expressions, or set a smaller "
        "time.dt"));
    PetscFunctionReturn(0);
  }
  InkWorst worst;
  char place[160];
  ink_field_copy(system->mesh, ink_newton_last_residual(stepper->newton), stepper->work);
  ink_field_divide(system->mesh, ink_newton_capacity(stepper->newton), stepper->work);
  PetscCall(ink_field_worst(system->mesh, stepper->work, &worst));
  ink_field_place(system->mesh, &worst, place, sizeof place);
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: the implicit step from t = %.9g s with dt = %.3g s has no solution that could be found: %s; the "
      "equation is worst satisfied in %s; the likely cause is a coefficient that jumps or changes steeply "
      "with "
      "%s there: set a smaller time.dt, smooth it, or use time.method: explicit",
      system->field, attempt->t, attempt->dt, attempt->result.reason, place, system->field);
  PetscFunctionReturn(0);
}

/* Shortens the wanted dt after a failed attempt; false: it cannot be shortened. */
static bool shorten(InkStepper *stepper, const InkAttempt *attempt, double until, int *not_finite) {
  InkController *c = &stepper->controller;
  double factor = 0.5;
  if (!attempt->result.finite) {
    factor = 0.25;
    if (++*not_finite > MAX_NOT_FINITE) return false;
  } else if (attempt->result.converged) {
    factor = isfinite(attempt->error) ? fmax(0.2, fmin(0.9, 0.9 * pow(attempt->error, -1.0 / 3))) : 0.2;
  }
  c->dt_next = factor * attempt->dt;
  c->rejected = 1;
  const double resolution = 64 * DBL_EPSILON * fmax(fabs(attempt->t), fabs(until));
  return stepper->options.dt <= 0 && c->dt_next > fmax(resolution, DBL_MIN);
}

/* Has the field had no range so far? */
static bool at_rest(const InkController *c) {
  return c->high - c->low <= 1e-12 * fmax(fabs(c->low), fabs(c->high));
}

/* When the field has no range yet, the one to expect: from two long backward-Euler steps, linearised. */
static PetscErrorCode foresee_range(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  const InkMesh *mesh = stepper->system.mesh;
  const double share[2] = {0.37, 1}, span = until - stepper->time;
  for (int s = 0; s < 2; s++) {
    const double dt = share[s] * span;
    const InkNewtonProblem problem = {.t = stepper->time + dt, .rate = 1 / dt, .base = stepper->u};
    const double *residual;
    bool finite;
    double size, low, high;
    PetscCall(ink_newton_residual(stepper->newton, &problem, stepper->u, &residual));
    PetscCall(ink_field_max_abs(mesh, residual, &size));
    if (!isfinite(size) || size == 0) continue;
    PetscCall(ink_newton_matrix(stepper->newton, &problem, stepper->u, &finite));
    if (!finite) continue;
    InkLinearResult linear;
    PetscCall(ink_newton_linear(stepper->newton, residual, 1e-3, 0, stepper->work, &linear));
    if (!linear.converged) continue;
    ink_field_combine(mesh, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->work}}, stepper->work);
    PetscCall(ink_stepper_include(stepper, stepper->work, &low, &high));
    if (isfinite(high - low)) c->expected = fmax(c->expected, high - low);
  }
  PetscFunctionReturn(0);
}

/* The controller at the start of a run; k1 is in place. */
static PetscErrorCode start_controller(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  PetscCall(ink_stepper_include(stepper, stepper->u, &c->low, &c->high));
  c->started = 1;
  if (at_rest(c)) PetscCall(foresee_range(stepper, until));
  double speed;
  PetscCall(ink_field_max_abs(stepper->system.mesh, stepper->k1, &speed));
  const double scale = ink_stepper_scale(stepper, c->low, c->high), span = until - stepper->time;
  c->dt_next = fmin(1e-2 * span, speed > 0 ? 1e-2 * scale / speed : span);
  c->dt_next = fmax(c->dt_next, 1024 * DBL_EPSILON * fmax(fabs(stepper->time), fabs(until)));
  if (stepper->options.dt > 0) c->dt_next = stepper->options.dt;
  PetscFunctionReturn(0);
}

/* What a step of length dt from t would not see. The method looks at the data at t, t + gamma dt and t + dt;
 * in between, G(tau, u) with u as it is at t must follow the parabola through them. *hidden: how far it does
 * not, as a change of u: max |difference / M| times dt, or times the monotone step where that is shorter, as
 * boundary values do not act for longer than that on a cell. */
static PetscErrorCode hidden_change(InkStepper *stepper, double t, double dt, int samples, double *hidden) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkMesh *mesh = system->mesh;
  double *g0 = stepper->work, *middle = stepper->second, *end = stepper->third, *now = stepper->k2, most, act;
  *hidden = 0;
  PetscCall(system->monotone_step(system->context, t, stepper->u, &act));
  act = act > 0 ? fmin(act, dt) : dt;
  PetscCall(system->rhs(system->context, t, stepper->u, g0));
  PetscCall(system->rhs(system->context, t + GAMMA * dt, stepper->u, middle));
  PetscCall(system->rhs(system->context, t + dt, stepper->u, end));
  PetscCall(system->capacity(system->context, t, stepper->u, stepper->mass));
  for (int n = 1; n < samples; n++) {
    const double s = (double)n / samples;
    PetscCall(system->rhs(system->context, t + s * dt, stepper->u, now));
    ink_field_combine(mesh, 4,
                      (InkTerm[]){{1, now},
                                  {-(s - GAMMA) * (s - 1) / GAMMA, g0},
                                  {-s * (s - 1) / (GAMMA * (GAMMA - 1)), middle},
                                  {-s * (s - GAMMA) / (1 - GAMMA), end}},
                      now);
    ink_field_divide(mesh, stepper->mass, now);
    PetscCall(ink_field_max_abs(mesh, now, &most));
    if (most * act > *hidden) *hidden = most * act;
  }
  PetscFunctionReturn(0);
}

/* Halves the wanted dt until no data are stepped over: a pulse of a wall or a source that is over before the
 * step ends would leave no trace in the error estimate. Looks at every LOOKS-th part of the time from the
 * start of the run to the target; what is shorter can be missed. */
static PetscErrorCode see_data(InkStepper *stepper, double t, double until) {
  PetscFunctionBeginUser;
  InkController *c = &stepper->controller;
  if (!stepper->system.moving || stepper->options.dt > 0) PetscFunctionReturn(0);
  const double look = (until - stepper->start) / LOOKS;
  const double allowed =
      HIDDEN_FRACTION * stepper->options.tolerance * ink_stepper_scale(stepper, c->low, c->high);
  while (true) {
    bool last;
    const double dt = ink_even_step(t, until, c->dt_next, &last);
    const int samples = (int)fmin(LOOKS, ceil(dt / look));
    double hidden;
    if (samples < 2) PetscFunctionReturn(0);
    PetscCall(hidden_change(stepper, t, dt, samples, &hidden));
    if (!(hidden > allowed)) PetscFunctionReturn(0);
    if (at_rest(c)) c->expected = fmax(c->expected, hidden); /* the range to come */
    c->dt_next = dt / 2;
  }
}

static void set_accuracy(const InkStepper *stepper, InkAttempt *attempt) {
  const InkController *c = &stepper->controller;
  const double scale = ink_stepper_scale(stepper, c->low, c->high);
  const double least = 100 * DBL_EPSILON * fmax(fabs(c->low), fabs(c->high));
  const bool fixed = stepper->options.dt > 0;
  attempt->accuracy = fmax(least, scale * (fixed ? TIGHT : NEWTON_FRACTION * stepper->options.tolerance));
  attempt->acceptable = fmax(attempt->accuracy, fixed ? ROUND_OFF * scale : 0);
}

/* One accepted step, or a failure. */
static PetscErrorCode step(InkStepper *stepper, double until, double *dt, bool *last) {
  PetscFunctionBeginUser;
  const double fixed = stepper->options.dt, t = stepper->time;
  InkController *c = &stepper->controller;
  double speed;
  PetscCall(ink_stepper_rate(stepper, t, stepper->u, stepper->k1));
  PetscCall(ink_field_max_abs(stepper->system.mesh, stepper->k1, &speed));
  if (!isfinite(speed)) {
    PetscCall(
        ink_stepper_not_finite(stepper, stepper->k1, "the rate of change", t,
                               "the likely cause is an expression (source, material or boundary) that is NaN "
                               "there, or a coefficient of the wrong sign (conductivity below 0, capacity "
                               "not above 0); "
                               "the last state is kept; look at the expressions"));
    PetscFunctionReturn(0);
  }
  if (c->started == 0) PetscCall(start_controller(stepper, until));
  PetscCall(see_data(stepper, t, until));
  int not_finite = 0;
  while (true) {
    *dt = ink_even_step(t, until, fixed > 0 ? fixed : c->dt_next, last);
    InkAttempt attempt = {.t = t, .dt = *dt, .end = *last ? until : t + *dt};
    set_accuracy(stepper, &attempt);
    if (fixed > 0 && *dt * speed > ink_stepper_scale(stepper, c->low, c->high))
      PetscCall(damped_step(stepper, &attempt));
    else
      PetscCall(try_step(stepper, &attempt));
    if (attempt.result.converged && (fixed > 0 || attempt.error <= 1)) {
      PetscCall(accept(stepper, &attempt));
      PetscFunctionReturn(0);
    }
    if (!shorten(stepper, &attempt, until, &not_finite)) {
      PetscCall(give_up(stepper, &attempt));
      PetscFunctionReturn(0);
    }
  }
}

PetscErrorCode ink_implicit_advance(InkStepper *stepper, double until, InkClock *clock) {
  PetscFunctionBeginUser;
  PetscBool due = PETSC_FALSE;
  PetscCall(make_arrays(stepper));
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
