/* Steady states: G(t,U) = 0 at the time asked for.
 *
 * Newton's method with the exact matrix and backtracking on the max norm of the residual over the matrix's
 * diagonal (which has the unit of u). Where it fails, pseudo-transient continuation: linearised
 * backward-Euler steps whose length grows as the residual falls (Mulder & van Leer 1985; Kelley & Keyes, SIAM
 * J. Numer. Anal. 35 (1998) 508), with Newton tried again every time the residual has fallen by a factor
 * of 20.
 *
 * Converged: the update is below 1e-12 of the field's range, or below 1e-9 and not falling any more
 * (round-off). A linear system takes one solve and one or two more that refine it, which is what gives fluxes
 * to 1e-10. */
#include <float.h>
#include <math.h>
#include "stepping_impl.h"

static const double CONVERGED = 1e-12, ROUND_OFF = 1e-9; /* of the range */
static const int MAX_NEWTON = 50, MAX_CONTINUATION = 400;

typedef struct InkSteady {
  InkNewtonProblem problem; /* t, rate 0 */
  bool solved;
  int iterations;
  char reason[200];
} InkSteady;

/* max |values / diagonal of the matrix| */
static PetscErrorCode diagonal_norm(InkStepper *stepper, const double *values, double *norm) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  ink_field_copy(mesh, values, stepper->work);
  ink_field_divide(mesh, ink_newton_diagonal(stepper->newton), stepper->work);
  PetscCall(ink_field_max_abs(mesh, stepper->work, norm));
  PetscFunctionReturn(0);
}

/* The range updates are compared with: of the field itself, else its size, else 1. */
static PetscErrorCode field_range(InkStepper *stepper, double *range) {
  PetscFunctionBeginUser;
  double low, high;
  PetscCall(ink_stepper_include(stepper, stepper->u, &low, &high));
  const double size = fmax(fabs(low), fabs(high));
  *range = high - low > 1e-12 * size ? high - low : size > 0 ? size : 1;
  PetscFunctionReturn(0);
}

/* u = from - length * update for the longest length 1, 1/2, ... that lessens the residual; 0: none does.
 * `before`: its norm at `from`. */
static PetscErrorCode search(InkStepper *stepper, const InkSteady *steady, const double *from,
                             const double *update, double before, double *length) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  for (*length = 1; *length > 1e-3; *length /= 2) {
    const double *residual;
    double norm;
    ink_field_combine(mesh, 2, (InkTerm[]){{1, from}, {-*length, update}}, stepper->u);
    PetscCall(ink_newton_residual(stepper->newton, &steady->problem, stepper->u, &residual));
    PetscCall(diagonal_norm(stepper, residual, &norm));
    if (norm <= (1 - 1e-4 * *length) * before) PetscFunctionReturn(0);
  }
  *length = 0;
  PetscFunctionReturn(0);
}

/* Newton's update into k1 and the residual's norm; reason set when there is none. */
static PetscErrorCode newton_update(InkStepper *stepper, InkSteady *steady, double range, double *norm,
                                    double *size) {
  PetscFunctionBeginUser;
  const double *residual;
  bool finite;
  PetscCall(ink_newton_residual(stepper->newton, &steady->problem, stepper->u, &residual));
  PetscCall(ink_newton_matrix(stepper->newton, &steady->problem, stepper->u, &finite));
  PetscCall(ink_field_max_abs(stepper->system.mesh, residual, size));
  if (!finite || !isfinite(*size)) {
    PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "the equation is not finite"));
    PetscFunctionReturn(0);
  }
  PetscCall(diagonal_norm(stepper, residual, norm));
  InkLinearResult linear;
  PetscCall(
      ink_newton_linear(stepper->newton, residual, 1e-8, 0.1 * CONVERGED * range, stepper->k1, &linear));
  if (!linear.converged) PetscCall(PetscStrncpy(steady->reason, linear.reason, sizeof steady->reason));
  PetscCall(ink_field_max_abs(stepper->system.mesh, stepper->k1, size));
  if (!isfinite(*size))
    PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "the matrix is singular"));
  PetscFunctionReturn(0);
}

static PetscErrorCode newton(InkStepper *stepper, InkSteady *steady) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  double before = INFINITY, size = 0, norm = 0, range = 0, length = 1;
  steady->reason[0] = '\0';
  for (int iteration = 0; iteration < MAX_NEWTON; iteration++, before = size, steady->iterations++) {
    PetscCall(field_range(stepper, &range));
    PetscCall(newton_update(stepper, steady, range, &norm, &size));
    if (steady->reason[0]) PetscFunctionReturn(0);
    length = 1;
    if (stepper->system.linear || size <= 1e-6 * range) {
      ink_field_combine(mesh, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->k1}}, stepper->u);
    } else {
      ink_field_copy(mesh, stepper->u, stepper->second);
      PetscCall(search(stepper, steady, stepper->second, stepper->k1, norm, &length));
      if (length == 0) {
        ink_field_copy(mesh, stepper->second, stepper->u);
        PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "Newton's method found no way down"));
        PetscFunctionReturn(0);
      }
    }
    PetscCall(field_range(stepper, &range));
    steady->solved = length == 1 && (size <= CONVERGED * range ||
                                     (size <= ROUND_OFF * range && iteration > 1 && size > 0.3 * before));
    if (steady->solved) PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason,
                          "Newton's method does not converge (%d iterations, last update %.3g)", MAX_NEWTON,
                          size));
  PetscFunctionReturn(0);
}

/* One linearised backward-Euler step of length tau from u; taken when the new rate of change `speed` is
 * finite and has not grown tenfold. */
static PetscErrorCode continuation_step(InkStepper *stepper, InkSteady *steady, double tau, double *speed,
                                        bool *taken) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const InkNewtonProblem problem = {.t = steady->problem.t, .rate = 1 / tau, .base = stepper->second};
  const double *residual;
  InkLinearResult linear;
  bool finite;
  double fresh;
  *taken = false;
  ink_field_copy(mesh, stepper->u, stepper->second);
  PetscCall(ink_newton_residual(stepper->newton, &problem, stepper->u, &residual));
  PetscCall(ink_newton_matrix(stepper->newton, &problem, stepper->u, &finite));
  if (!finite) PetscFunctionReturn(0);
  PetscCall(ink_newton_linear(stepper->newton, residual, 1e-6, 0, stepper->k1, &linear));
  if (!linear.converged) PetscFunctionReturn(0);
  ink_field_combine(mesh, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->k1}}, stepper->u);
  PetscCall(ink_stepper_rate(stepper, steady->problem.t, stepper->u, stepper->k1));
  PetscCall(ink_field_max_abs(mesh, stepper->k1, &fresh));
  *taken = isfinite(fresh) && fresh <= 10 * *speed;
  if (*taken)
    *speed = fresh;
  else
    ink_field_copy(mesh, stepper->second, stepper->u);
  PetscFunctionReturn(0);
}

static PetscErrorCode continuation(InkStepper *stepper, InkSteady *steady) {
  PetscFunctionBeginUser;
  double speed, range, low, high;
  PetscCall(ink_stepper_rate(stepper, steady->problem.t, stepper->u, stepper->k1));
  PetscCall(ink_field_max_abs(stepper->system.mesh, stepper->k1, &speed));
  if (!(isfinite(speed) && speed > 0)) PetscFunctionReturn(0);
  PetscCall(ink_stepper_include(stepper, stepper->u, &low, &high));
  range = high > low ? high - low : fmax(fmax(fabs(low), fabs(high)), 1e-6);
  double tau = 0.1 * range / speed, tried = speed;
  for (int s = 0; s < MAX_CONTINUATION && !steady->solved; s++, steady->iterations++) {
    const double before = speed;
    bool taken;
    PetscCall(continuation_step(stepper, steady, tau, &speed, &taken));
    tau *= taken ? fmin(10, fmax(0.5, before / fmax(speed, DBL_MIN))) * 1.2 : 0.25;
    if (!isfinite(tau) || tau < DBL_MIN) break;
    if (speed < 0.05 * tried || s == MAX_CONTINUATION - 1) {
      tried = speed;
      ink_field_copy(stepper->system.mesh, stepper->u, stepper->third);
      PetscCall(newton(stepper, steady));
      if (!steady->solved) ink_field_copy(stepper->system.mesh, stepper->third, stepper->u);
    }
  }
  PetscFunctionReturn(0);
}

/* Says why there is no steady state that could be found. */
static PetscErrorCode give_up(InkStepper *stepper, const InkSteady *steady) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double *residual;
  double size;
  PetscCall(ink_newton_residual(stepper->newton, &steady->problem, stepper->u, &residual));
  PetscCall(ink_field_max_abs(system->mesh, residual, &size));
  if (!isfinite(size)) {
    PetscCall(
        ink_stepper_not_finite(stepper, residual, "the equation", steady->problem.t,
                               "the likely cause is an expression (source, material or boundary) that is NaN "
                               "there, or a coefficient of the wrong sign (conductivity below 0, capacity "
                               "not above 0); "
                               "look at the expressions and at the initial state"));
    PetscFunctionReturn(0);
  }
  InkWorst worst;
  char place[160];
  ink_field_copy(system->mesh, residual, stepper->work);
  ink_field_divide(system->mesh, ink_newton_capacity(stepper->newton), stepper->work);
  PetscCall(ink_field_worst(system->mesh, stepper->work, &worst));
  ink_field_place(system->mesh, &worst, place, sizeof place);
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: no steady state was found (t = %.9g s, %d iterations): %s; the equation is worst satisfied in %s; "
      "there may be none (sources that feed themselves, a level that nothing fixes): start from an initial "
      "state closer to it, or run in time with time.method: implicit",
      system->field, steady->problem.t, steady->iterations, steady->reason, place);
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  PetscCall(ink_stepper_array(stepper, &stepper->k1));
  PetscCall(ink_stepper_array(stepper, &stepper->second));
  PetscCall(ink_stepper_array(stepper, &stepper->third));
  PetscCall(ink_stepper_array(stepper, &stepper->work));
  PetscCall(ink_stepper_array(stepper, &stepper->next));
  if (!stepper->newton) PetscCall(ink_newton_create(&stepper->system, &stepper->newton, &stepper->failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_steady_advance(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  if (system->singular) {
    ink_fail(&stepper->failure, INK_USAGE,
             "%s: time.method: steady has no unique answer here, as no side fixes the level of %s (all are "
             "symmetry, flux or periodic); give a side of type value, convection or radiation, or run in "
             "time with "
             "time.method: implicit",
             system->field, system->field);
    PetscFunctionReturn(0);
  }
  if (!ink_stepper_may_step(stepper)) PetscFunctionReturn(0);
  PetscCall(make_arrays(stepper));
  if (stepper->failure.code) PetscFunctionReturn(0);
  InkSteady steady = {.problem = {.t = until}};
  ink_field_copy(system->mesh, stepper->u, stepper->next); /* given back when there is no answer */
  PetscCall(newton(stepper, &steady));
  if (!steady.solved && !system->linear) {
    ink_field_copy(system->mesh, stepper->next, stepper->u);
    PetscCall(continuation(stepper, &steady));
  }
  if (!steady.solved) {
    PetscCall(give_up(stepper, &steady));
    ink_field_copy(system->mesh, stepper->next, stepper->u);
    PetscFunctionReturn(0);
  }
  stepper->dt = until - stepper->time;
  stepper->time = until;
  stepper->step++;
  PetscFunctionReturn(0);
}
