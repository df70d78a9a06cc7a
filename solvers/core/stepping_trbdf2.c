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
 * half steps. */
#include <math.h>
#include "stepping_impl.h"

static const double GAMMA = 0.58578643762690495120; /* 2 - sqrt(2) */
static const double D = 0.29289321881345247560;     /* gamma / 2 */
static const double W = 0.35355339059327376220;     /* sqrt(2) / 4 */

PetscErrorCode ink_trbdf2_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  double **const array[] = {&stepper->k1,    &stepper->second, &stepper->k2,
                            &stepper->third, &stepper->base,   &stepper->work};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) PetscCall(ink_stepper_array(stepper, array[a]));
  PetscCall(ink_stepper_newton(stepper));
  PetscFunctionReturn(0);
}

/* The filtered error estimate into work, its norm into attempt->error; the range that it is relative to has
 * the new state in it. */
static PetscErrorCode estimate_error(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  const double dt = attempt->dt, rate = 1 / (D * dt);
  double *e = stepper->work, *k3 = stepper->base; /* base is used up: k3 = rate (U3 - base) */
  ink_field_combine(mesh, n, 2, (InkTerm[]){{rate, stepper->third}, {-rate, stepper->base}}, k3);
  ink_field_combine(
      mesh, n, 3,
      (InkTerm[]){{dt * (4 * W - 1) / 3, stepper->k1}, {-dt / 3, stepper->k2}, {dt * 2 * D / 3, k3}}, e);
  ink_field_multiply(mesh, n, rate, attempt->capacity, e);
  InkLinearResult linear;
  PetscCall(ink_newton_linear(stepper->newton, e, 1e-4, 0.01 * attempt->accuracy, e, &linear));
  PetscCall(ink_stepper_include(stepper, stepper->third, stepper->seen));
  for (int f = 0; f < n; f++) stepper->total[f] = ink_stepper_scale(stepper, &stepper->seen[f]);
  PetscCall(ink_field_norm(mesh, n, stepper->total, e, &attempt->error));
  attempt->error /= stepper->options.tolerance;
  if (!linear.converged) attempt->error = INFINITY;
  PetscFunctionReturn(0);
}

/* Tries the step; k1 is in place. Sets attempt->result and, when the stages were solved, ->error. */
PetscErrorCode ink_trbdf2_try(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  double *u = stepper->u, *second = stepper->second, *third = stepper->third, *k1 = stepper->k1;
  const double dt = attempt->dt, rate = 1 / (D * dt), middle = attempt->t + GAMMA * dt;
  for (int f = 0; f < n; f++) stepper->defect[f] = 0;
  attempt->error = 0;
  attempt->next = third;
  attempt->scratch = stepper->work;
  attempt->spare = stepper->base;
  attempt->capacity = ink_newton_capacity(stepper->newton);
  attempt->stages = 3;
  attempt->stage[0] = (InkStage){W, attempt->t, u};
  attempt->stage[1] = (InkStage){W, middle, second};
  attempt->stage[2] = (InkStage){D, attempt->end, third};
  ink_field_combine(mesh, n, 2, (InkTerm[]){{1, u}, {D * dt, k1}}, stepper->base);
  ink_field_copy(mesh, n, u, second);
  PetscCall(ink_stage_solve(stepper, attempt, &(InkStageProblem){middle, rate, dt * W, false}, second));
  if (!attempt->result.converged) PetscFunctionReturn(0);
  ink_field_combine(mesh, n, 2, (InkTerm[]){{rate, second}, {-rate, stepper->base}}, stepper->k2);
  ink_field_combine(mesh, n, 3, (InkTerm[]){{1, u}, {W * dt, k1}, {W * dt, stepper->k2}}, stepper->base);
  ink_field_combine(mesh, n, 2, (InkTerm[]){{1 - 1 / GAMMA, u}, {1 / GAMMA, second}}, third);
  PetscCall(ink_stage_solve(stepper, attempt, &(InkStageProblem){attempt->end, rate, dt * D, true}, third));
  if (!attempt->result.converged) PetscFunctionReturn(0);
  PetscCall(estimate_error(stepper, attempt));
  PetscFunctionReturn(0);
}
