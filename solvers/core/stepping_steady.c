/* Steady states: G(t,U) = 0 at the time asked for.
 *
 * Newton's method with the exact matrix and backtracking on the residual as a change of the fields (see
 * ink_newton_merit). Where it fails, pseudo-transient continuation: linearised backward-Euler steps whose
 * length grows as the residual falls (Mulder & van Leer 1985; Kelley & Keyes, SIAM J. Numer. Anal. 35 (1998)
 * 508), with Newton tried again every time the residual has fallen by a factor of 20.
 *
 * Converged: the update is below 1e-12 of each field's range, or below 1e-9 and not falling any more
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

/* The scales updates are compared with: each field's own range, else its size, else 1. */
static PetscErrorCode set_scales(InkStepper *stepper) {
  PetscFunctionBeginUser;
  PetscCall(ink_stepper_include(stepper, stepper->u, stepper->seen));
  for (int f = 0; f < stepper->system.n; f++) {
    const double low = stepper->seen[f].low, high = stepper->seen[f].high;
    const double size = fmax(fabs(low), fabs(high));
    stepper->scale[f] = high - low > 1e-12 * size ? high - low : size > 0 ? size : 1;
  }
  PetscFunctionReturn(0);
}

/* u = from - length * update for the longest length 1, 1/2, ... that lessens the residual; 0: none does.
 * `before`: its norm at `from`. */
static PetscErrorCode search(InkStepper *stepper, const InkSteady *steady, const double *from,
                             const double *update, double before, double *length) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  for (*length = 1; *length > 1e-3; *length /= 2) {
    const double *residual;
    double norm;
    ink_field_combine(system->mesh, system->n, 2, (InkTerm[]){{1, from}, {-*length, update}}, stepper->u);
    PetscCall(ink_newton_residual(stepper->newton, &steady->problem, stepper->u, &residual));
    PetscCall(ink_newton_merit(stepper->newton, residual, &norm));
    if (norm <= (1 - 1e-4 * *length) * before) PetscFunctionReturn(0);
  }
  *length = 0;
  PetscFunctionReturn(0);
}

/* Newton's update into k1, its size in units of the scales, and the residual's norm; reason set when there is
 * none. */
static PetscErrorCode newton_update(InkStepper *stepper, InkSteady *steady, double *norm, double *size) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double *residual;
  bool finite;
  PetscCall(ink_newton_residual(stepper->newton, &steady->problem, stepper->u, &residual));
  PetscCall(ink_newton_matrix(stepper->newton, &steady->problem, stepper->u, &finite));
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, residual, size));
  if (!finite || !isfinite(*size)) {
    PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "the equation is not finite"));
    PetscFunctionReturn(0);
  }
  PetscCall(ink_newton_merit(stepper->newton, residual, norm));
  InkLinearResult linear;
  PetscCall(ink_newton_linear(stepper->newton, residual, 1e-8, 0.1 * CONVERGED, stepper->k1, &linear));
  if (!linear.converged) PetscCall(PetscStrncpy(steady->reason, linear.reason, sizeof steady->reason));
  PetscCall(ink_field_norm(system->mesh, system->n, stepper->scale, stepper->k1, size));
  if (!isfinite(*size))
    PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "the matrix is singular"));
  PetscFunctionReturn(0);
}

/* u -= k1, or less of it. length: how much; 0: no way down. */
static PetscErrorCode follow(InkStepper *stepper, InkSteady *steady, double norm, double size,
                             double *length) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  *length = 1;
  if (system->linear || size <= 1e-6) {
    ink_field_combine(system->mesh, system->n, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->k1}},
                      stepper->u);
    PetscFunctionReturn(0);
  }
  ink_field_copy(system->mesh, system->n, stepper->u, stepper->second);
  PetscCall(search(stepper, steady, stepper->second, stepper->k1, norm, length));
  if (*length > 0) PetscFunctionReturn(0);
  ink_field_copy(system->mesh, system->n, stepper->second, stepper->u);
  PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason, "Newton's method found no way down"));
  PetscFunctionReturn(0);
}

static PetscErrorCode newton(InkStepper *stepper, InkSteady *steady) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  double before = INFINITY, size = 0, norm = 0, length = 1;
  steady->reason[0] = '\0';
  steady->problem.scale = stepper->scale;
  PetscCall(set_scales(stepper));
  for (int iteration = 0; iteration < MAX_NEWTON; iteration++, before = size, steady->iterations++) {
    PetscCall(newton_update(stepper, steady, &norm, &size));
    if (steady->reason[0]) PetscFunctionReturn(0);
    PetscCall(follow(stepper, steady, norm, size, &length));
    if (length == 0) PetscFunctionReturn(0);
    PetscCall(set_scales(stepper));
    PetscCall(ink_field_norm(system->mesh, system->n, stepper->scale, stepper->k1, &size));
    steady->solved =
        length == 1 && (size <= CONVERGED || (size <= ROUND_OFF && iteration > 1 && size > 0.3 * before));
    if (steady->solved) PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(steady->reason, sizeof steady->reason,
                          "Newton's method does not converge (%d iterations, last update %.3g of the range)",
                          MAX_NEWTON, size));
  PetscFunctionReturn(0);
}

/* One linearised backward-Euler step of length tau from u; taken when the new rate of change `speed` is
 * finite and has not grown tenfold. */
static PetscErrorCode continuation_step(InkStepper *stepper, InkSteady *steady, double tau, double *speed,
                                        bool *taken) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  const InkNewtonProblem problem = {
      .t = steady->problem.t, .rate = 1 / tau, .base = stepper->second, .scale = stepper->scale};
  const double *residual;
  InkLinearResult linear;
  bool finite;
  double fresh;
  *taken = false;
  ink_field_copy(mesh, n, stepper->u, stepper->second);
  PetscCall(ink_newton_residual(stepper->newton, &problem, stepper->u, &residual));
  PetscCall(ink_newton_matrix(stepper->newton, &problem, stepper->u, &finite));
  if (!finite) PetscFunctionReturn(0);
  PetscCall(ink_newton_linear(stepper->newton, residual, 1e-6, 0, stepper->k1, &linear));
  if (!linear.converged) PetscFunctionReturn(0);
  ink_field_combine(mesh, n, 2, (InkTerm[]){{1, stepper->u}, {-1, stepper->k1}}, stepper->u);
  PetscCall(ink_stepper_rate(stepper, steady->problem.t, stepper->u, stepper->k1));
  PetscCall(ink_field_norm(mesh, n, stepper->scale, stepper->k1, &fresh));
  *taken = isfinite(fresh) && fresh <= 10 * *speed;
  if (*taken)
    *speed = fresh;
  else
    ink_field_copy(mesh, n, stepper->second, stepper->u);
  PetscFunctionReturn(0);
}

/* Scales of the continuation, kept while it lasts: a field that is 0 has hardly one. */
static PetscErrorCode set_continuation_scales(InkStepper *stepper) {
  PetscFunctionBeginUser;
  PetscCall(ink_stepper_include(stepper, stepper->u, stepper->seen));
  for (int f = 0; f < stepper->system.n; f++) {
    const double low = stepper->seen[f].low, high = stepper->seen[f].high;
    stepper->scale[f] = high > low ? high - low : fmax(fmax(fabs(low), fabs(high)), 1e-6);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode continuation(InkStepper *stepper, InkSteady *steady) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  double speed;
  PetscCall(set_continuation_scales(stepper));
  PetscCall(ink_stepper_rate(stepper, steady->problem.t, stepper->u, stepper->k1));
  PetscCall(ink_field_norm(mesh, n, stepper->scale, stepper->k1, &speed));
  if (!(isfinite(speed) && speed > 0)) PetscFunctionReturn(0);
  double tau = 0.1 / speed, tried = speed;
  for (int s = 0; s < MAX_CONTINUATION && !steady->solved; s++, steady->iterations++) {
    const double before = speed;
    bool taken;
    PetscCall(continuation_step(stepper, steady, tau, &speed, &taken));
    tau *= taken ? fmin(10, fmax(0.5, before / fmax(speed, DBL_MIN))) * 1.2 : 0.25;
    if (!isfinite(tau) || tau < DBL_MIN) break;
    if (speed < 0.05 * tried || s == MAX_CONTINUATION - 1) {
      tried = speed;
      for (int f = 0; f < n; f++) stepper->gain[f] = stepper->scale[f];
      ink_field_copy(mesh, n, stepper->u, stepper->third);
      PetscCall(newton(stepper, steady));
      if (!steady->solved) ink_field_copy(mesh, n, stepper->third, stepper->u);
      for (int f = 0; f < n; f++) stepper->scale[f] = stepper->gain[f];
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
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, residual, &size));
  if (!isfinite(size)) {
    static const InkAdvice advice = {"that is NaN there", true,
                                     "; look at the expressions and at the initial state"};
    PetscCall(ink_stepper_not_finite(stepper, residual, (double *const[]){stepper->u, stepper->next},
                                     "the equation", steady->problem.t, &advice));
    PetscFunctionReturn(0);
  }
  InkWorst worst;
  char place[160];
  PetscCall(set_scales(stepper));
  ink_field_copy(system->mesh, system->n, residual, stepper->work);
  ink_field_divide(system->mesh, system->n, ink_newton_capacity(stepper->newton), stepper->work);
  PetscCall(ink_field_worst(system->mesh, system->n, stepper->scale, stepper->work, &worst));
  ink_field_place(system->mesh, &worst, place, sizeof place);
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: no steady state was found (t = %.9g s, %d iterations): %s; the equation is worst satisfied in %s; "
      "there may be none (sources that feed themselves, a level that nothing fixes): start from an initial "
      "state closer to it, or run in time with time.method: implicit",
      system->field[worst.field], steady->problem.t, steady->iterations, steady->reason, place);
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  double **const array[] = {&stepper->k1, &stepper->second, &stepper->third, &stepper->work, &stepper->next};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) PetscCall(ink_stepper_array(stepper, array[a]));
  PetscCall(ink_stepper_newton(stepper));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_steady_advance(InkStepper *stepper, double until) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  if (system->singular) {
    char names[128];
    ink_stepper_names(stepper, names, sizeof names);
    ink_fail(&stepper->failure, INK_USAGE,
             "%s: time.method: steady has no unique answer here, as no side fixes the level of %s (all are "
             "symmetry, flux or periodic); give a side of type value, convection or radiation, or run in "
             "time with time.method: implicit",
             names, names);
    PetscFunctionReturn(0);
  }
  if (!ink_stepper_may_step(stepper)) PetscFunctionReturn(0);
  PetscCall(make_arrays(stepper));
  if (stepper->failure.code) PetscFunctionReturn(0);
  InkSteady steady = {.problem = {.t = until}};
  /* `next` is given back when there is no answer. */
  ink_field_copy(system->mesh, system->n, stepper->u, stepper->next);
  PetscCall(newton(stepper, &steady));
  if (!steady.solved && !system->linear) {
    ink_field_copy(system->mesh, system->n, stepper->next, stepper->u);
    PetscCall(continuation(stepper, &steady));
  }
  if (!steady.solved) {
    PetscCall(give_up(stepper, &steady));
    ink_field_copy(system->mesh, system->n, stepper->next, stepper->u);
    PetscFunctionReturn(0);
  }
  stepper->dt = until - stepper->time;
  stepper->time = until;
  stepper->step++;
  PetscFunctionReturn(0);
}
