/* One field that depends on itself alone, by undamped Newton steps in plain loops over the faces:
 *
 *     f(us) = ks (us - u)/d - q(us) = 0,     dq/du = q'(us) dus/du,
 *     dus/du = (ks/d - k'(u)/2 (us - u)/d) / f'(us).
 *
 * This is what a radiating or naturally convecting side costs at every step. Faces that it does not settle
 * are left to the damped iteration. */
#include <math.h>
#include "boundary_impl.h"

enum { STEPS = 60 };

/* The field on the faces. */
typedef struct Single {
  int64_t count;
  double d;
  bool k_state, law_state; /* k, q depend on us */
  const double *u, *k, *dk, *ks, *dks, *law, *dlaw;
  double *us;
  unsigned char *status;
} Single;

static Single single_of(const InkClosure *closure) {
  const struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  const int s = parts->newton.field[0];
  const InkSideField *field = &parts->field[s];
  const InkConductor *conductor = &parts->conductor[field->conductor];
  return (Single){.count = count,
                  .d = closure->distance,
                  .k_state = conductor->dependences > 0,
                  .law_state = field->dependences > 0,
                  .u = parts->state + s * count,
                  .k = conductor->cell,
                  .dk = conductor->cell + (conductor->dependences ? count : 0),
                  .ks = conductor->surface,
                  .dks = conductor->surface ? conductor->surface + count : NULL,
                  .law = field->data,
                  .dlaw = field->data + (field->dependences ? count : 0),
                  .us = closure->surface + s * count,
                  .status = parts->newton.status};
}

/* One Newton step of every open face; returns how many are still open. */
static int64_t newton_step(const Single *single) {
  const double d = single->d;
  int64_t open = 0;
  for (int64_t i = 0; i < single->count; i++) {
    if (single->status[i] != INK_FACE_OPEN) continue;
    const double u = single->u[i], us = single->us[i], gradient = (us - u) / d;
    const double ks = single->k_state ? 0.5 * (single->k[i] + single->ks[i]) : single->k[i];
    const double f = ks * gradient - single->law[i];
    const double df = ks / d + (single->k_state ? 0.5 * single->dks[i] * gradient : 0.0) -
                      (single->law_state ? single->dlaw[i] : 0.0);
    const double step = df == 0.0 ? 0.0 : f / df;
    single->us[i] = us - step;
    if (fabs(step) <= ink_surface_tolerance * (fabs(us) + fabs(u)))
      single->status[i] = INK_FACE_SETTLED;
    else
      open++;
  }
  return open;
}

void ink_side_solve_single(InkClosure *closure, double t) {
  const Single single = single_of(closure);
  int64_t open = closure->count;
  for (int64_t i = 0; i < single.count; i++) single.us[i] = single.u[i];
  for (int step = 0; step < STEPS && open > 0; step++) {
    ink_side_surface_terms(closure, t);
    open = newton_step(&single);
  }
}

void ink_side_finish_single(InkClosure *closure) {
  const Single single = single_of(closure);
  const int s = closure->parts->newton.field[0];
  const bool radiation = closure->parts->field[s].part[0].type == INK_SIDE_RADIATION;
  const double d = single.d;
  double *inflow = closure->inflow + s * single.count;
  double *slope = closure->slope + (s * closure->n + s) * single.count;
  for (int64_t i = 0; i < single.count; i++) {
    if (single.status[i] != INK_FACE_SETTLED) continue;
    const double u = single.u[i], us = single.us[i], gradient = (us - u) / d;
    const double ks = single.k_state ? 0.5 * (single.k[i] + single.ks[i]) : single.k[i];
    const double dlaw = single.law_state ? single.dlaw[i] : 0.0;
    const double df = ks / d + (single.k_state ? 0.5 * single.dks[i] * gradient : 0.0) - dlaw;
    const double du = ks / d - (single.k_state ? 0.5 * single.dk[i] * gradient : 0.0);
    inflow[i] = single.law[i];
    slope[i] = df == 0.0 ? 0.0 : dlaw * du / df;
    if (radiation && !(u > 0.0 && us > 0.0)) inflow[i] = slope[i] = NAN;
  }
}
