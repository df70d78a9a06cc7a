/* SSPRK(s,2): the optimal strong-stability-preserving method of second order with s stages (Spiteri & Ruuth,
 * SIAM J. Numer. Anal. 40 (2002) 469; Gottlieb, Shu & Tadmor, SIAM Rev. 43 (2001) 89),
 *
 *     u_0 = u(t),   u_(i+1) = u_i + dt/(s-1) k(t + i dt/(s-1), u_i),  i = 0 .. s-1,
 *     u(t + dt) = (u_0 + (s-1) u_s)/s.
 *
 * Steps of forward Euler and a mean: where those are monotone, so is the whole, and s evaluations go s - 1
 * such steps far, to second order in time (error dt^3 u'''/(6 (s-1)) a step). */
#include "stepping_impl.h"

PetscErrorCode ink_staged_step(InkStepper *stepper, double t, double dt, int stages, double *now,
                               double *next) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double length = dt / (stages - 1), share = 1.0 / stages;
  PetscCall(ink_stepper_array(stepper, &stepper->second));
  double *from = now;
  for (int i = 0; i < stages; i++) {
    double *to = (stages - i) % 2 ? next : stepper->second; /* the last stage ends in `next` */
    const double time = t + i * length;
    PetscCall(system->explicit_step(system->context, time, length, false, from, to));
    if (system->accumulate) PetscCall(system->accumulate(system->context, share * dt, time, from));
    from = to;
  }
  /* As a change of the last stage, so that the rounding of 1/s takes nothing from the content. */
  ink_field_combine(system->mesh, system->n, 3, (InkTerm[]){{1, next}, {share, now}, {-share, next}}, next);
  PetscFunctionReturn(0);
}
