/* What is said when a run in time cannot go on: which field, where, when, why, and what to try. */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

static const char *name_of(const InkStepper *stepper, const InkWorst *worst) {
  return stepper->system.field[worst->field];
}

void ink_stepper_names(const InkStepper *stepper, char *text, size_t size) {
  ink_names_join(stepper->system.field, stepper->system.n, text, size);
}

static const InkSuspects *suspects_of(const InkStepper *stepper) {
  static const InkSuspects usual = {
      .expression = "an expression (source, reaction, material or boundary)",
      .sign = "conductivity or diffusion below 0, capacity not above 0",
      .growth = "a reaction or source that feeds itself (as u^2 does): end the run before that time, or look "
                "at the signs and the saturation of the reaction",
      .steep = "a coefficient that jumps or changes steeply with the field there",
      .loss =
          "a reaction, source or side that takes away what is not there: let it vanish with the field, or "
          "leave `positive` out"};
  return stepper->system.suspects ? stepper->system.suspects : &usual;
}

/* What the system itself finds wrong at (t,u): "" or "; " and a line. */
static PetscErrorCode fault_of(InkStepper *stepper, double t, double *u, char *text, size_t size) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  char line[400] = "";
  double largest;
  text[0] = '\0';
  if (!system->fault || !u) PetscFunctionReturn(0);
  PetscCall(ink_field_norm(system->mesh, system->n, NULL, u, &largest));
  if (!system->linear && !isfinite(largest)) PetscFunctionReturn(0); /* all is undefined: it says nothing */
  PetscCall(system->fault(system->context, t, u, line, sizeof line));
  snprintf(text, size, "%s%s", line[0] ? "; " : "", line);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_not_finite(InkStepper *stepper, const double *values, double *const u[2],
                                      const char *what, double t, const InkAdvice *advice) {
  PetscFunctionBeginUser;
  const InkSuspects *suspects = suspects_of(stepper);
  InkWorst worst;
  char place[160], fault[410], sign[160] = "";
  PetscCall(ink_field_worst(stepper->system.mesh, stepper->system.n, NULL, values, &worst));
  ink_field_place(stepper->system.mesh, &worst, place, sizeof place);
  PetscCall(fault_of(stepper, t, u[0], fault, sizeof fault));
  if (!fault[0]) PetscCall(fault_of(stepper, t, u[1], fault, sizeof fault));
  if (advice->sign) snprintf(sign, sizeof sign, ", or a coefficient of the wrong sign (%s)", suspects->sign);
  ink_fail(&stepper->failure, INK_NUMERICAL,
           "%s: %s is not finite (%g) in %s, t = %.9g s%s; the likely cause is %s %s%s%s",
           name_of(stepper, &worst), what, worst.value, place, t, fault, suspects->expression, advice->how,
           sign, advice->remedy);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_blow_up(InkStepper *stepper, const double *u, double t, double dt) {
  PetscFunctionBeginUser;
  InkWorst worst;
  char place[160];
  bool scales = stepper->controller.started != 0;
  for (int f = 0; f < stepper->system.n; f++) {
    stepper->gain[f] = stepper->controller.range[f].first;
    scales = scales && stepper->gain[f] > 0;
  }
  PetscCall(
      ink_field_worst(stepper->system.mesh, stepper->system.n, scales ? stepper->gain : NULL, u, &worst));
  ink_field_place(stepper->system.mesh, &worst, place, sizeof place);
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: the solution grows without bound: it is %.3g in %s at t = %.9g s, which is as far as it can be "
      "followed (dt = %.3g s); the likely cause is %s%s",
      name_of(stepper, &worst), worst.value, place, t, dt, suspects_of(stepper)->growth,
      stepper->options.dt > 0 ? "; or time.dt is too long for it: try a shorter one" : "");
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_no_step(InkStepper *stepper, double t, double *u, double limit) {
  PetscFunctionBeginUser;
  char names[128], fault[410];
  ink_stepper_names(stepper, names, sizeof names);
  PetscCall(fault_of(stepper, t, u, fault, sizeof fault));
  ink_fail(
      &stepper->failure, INK_NUMERICAL,
      "%s: there is no stable explicit step at t = %.9g s (limit %g s)%s; a coefficient is NaN, infinite "
      "or of the wrong sign (%s): look at its expression",
      names, t, limit, fault, suspects_of(stepper)->sign);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_is_negative(InkStepper *stepper, const double *values, double t, double dt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  InkWorst worst;
  char place[160];
  PetscCall(ink_stepper_array(stepper, &stepper->next));
  for (int f = 0; f < stepper->system.n; f++)
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t c = f * mesh->size + mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
          stepper->next[c] = values[c] < 0 ? values[c] : 0;
        }
  PetscCall(ink_field_worst(mesh, stepper->system.n, NULL, stepper->next, &worst));
  if (!(worst.value < 0)) PetscFunctionReturn(0);
  ink_field_place(mesh, &worst, place, sizeof place);
  if (dt == 0)
    ink_fail(
        &stepper->failure, INK_USAGE,
        "%s: starts negative (%.6g) in %s, but the deck says that fields stay positive; change its initial "
        "expression, or leave `positive` out",
        name_of(stepper, &worst), worst.value, place);
  else
    ink_fail(&stepper->failure, INK_NUMERICAL,
             "%s: becomes negative (%.3g) in %s after t = %.9g s however short the steps (dt = %.3g s); the "
             "likely cause is %s",
             name_of(stepper, &worst), worst.value, place, t, dt, suspects_of(stepper)->loss);
  PetscFunctionReturn(0);
}

/* Where the equation is worst satisfied. */
static PetscErrorCode no_solution(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  InkWorst worst;
  char place[160];
  ink_field_copy(system->mesh, system->n, ink_newton_last_residual(stepper->newton), stepper->second);
  ink_field_divide(system->mesh, system->n, ink_newton_capacity(stepper->newton), stepper->second);
  PetscCall(ink_field_worst(system->mesh, system->n, stepper->scale, stepper->second, &worst));
  ink_field_place(system->mesh, &worst, place, sizeof place);
  ink_fail(&stepper->failure, INK_NUMERICAL,
           "%s: the implicit step from t = %.9g s with dt = %.3g s has no solution that could be found: %s; "
           "the equation is worst satisfied in %s; the likely cause is %s: set a smaller time.dt, smooth it, "
           "or use time.method: explicit",
           name_of(stepper, &worst), attempt->t, attempt->dt, attempt->result.reason, place,
           suspects_of(stepper)->steep);
  PetscFunctionReturn(0);
}

/* The error estimate, which stands in attempt->scratch, stays above the tolerance. */
static PetscErrorCode too_coarse(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  InkWorst worst;
  char place[160];
  PetscCall(
      ink_field_worst(stepper->system.mesh, stepper->system.n, stepper->scale, attempt->scratch, &worst));
  ink_field_place(stepper->system.mesh, &worst, place, sizeof place);
  ink_fail(&stepper->failure, INK_NUMERICAL,
           "%s: time.tolerance = %g cannot be met at t = %.9g s (dt = %.3g s), worst in %s: data jump there, "
           "or the solution grows without bound; raise time.tolerance, set time.dt, or look at the "
           "expressions",
           name_of(stepper, &worst), stepper->options.tolerance, attempt->t, attempt->dt, place);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_give_up(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  if (ink_control_grows(stepper)) {
    PetscCall(ink_stepper_blow_up(stepper, stepper->u, attempt->t, attempt->dt));
  } else if (!attempt->result.finite) {
    static const InkAdvice advice = {"that is NaN there", true,
                                     ", or a solution that grows without bound; the last state is kept; look "
                                     "at the expressions, or set a smaller time.dt"};
    PetscCall(ink_stepper_not_finite(stepper, attempt->culprit,
                                     (double *const[]){stepper->u, attempt->suspect}, "the equation",
                                     attempt->end, &advice));
  } else if (!attempt->result.converged) {
    PetscCall(no_solution(stepper, attempt));
  } else {
    if (attempt->negative)
      PetscCall(ink_stepper_is_negative(stepper, attempt->next, attempt->t, attempt->dt));
    if (!stepper->failure.code) PetscCall(too_coarse(stepper, attempt));
  }
  PetscFunctionReturn(0);
}
