/* Evolutions: the values of their quantities. */
#include "evolution_impl.h"
#include <math.h>

static const double faraday = 96485.33212; /* C/mol, CODATA 2018 */

static PetscErrorCode flux_value(InkEvolution *e, const InkQuestion *q, double now, double *value) {
  PetscFunctionBeginUser;
  double area;
  PetscCall(ink_diffusion_flux(e->diffusion, q->side, q->field, now, e->u, value, &area));
  if (q->what == INK_ASKED_MEAN_FLUX) *value /= area;
  if (q->what == INK_ASKED_CURRENT) *value *= q->number * faraday;
  if (*value == 0.0) *value = 0.0; /* no minus sign before nothing */
  PetscFunctionReturn(0);
}

static PetscErrorCode probe_value(InkEvolution *e, const InkQuestion *q, double now, InkFieldView *view,
                                  double *value) {
  PetscFunctionBeginUser;
  const double *given;
  double at[3] = {0.0, 0.0, 0.0};
  const int n = ink_deck_numbers(e->deck, &given, "probes.%s.at", q->probe);
  for (int a = 0; a < n && a < 3; a++) at[a] = given[a];
  ink_diffusion_surfaces(e->diffusion, q->field, now, e->u, view->side_value);
  PetscCall(ink_observe_probe(view, at, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode balance_value(InkEvolution *e, const InkQuestion *q, double now, double *value) {
  PetscFunctionBeginUser;
  InkBudget budget;
  if (e->method == INK_STEADY)
    PetscCall(ink_diffusion_steady_budget(e->diffusion, q->field, now, e->u, &budget));
  else
    PetscCall(ink_diffusion_budget(e->diffusion, q->field, now, e->u, &budget));
  *value = budget.balance;
  PetscFunctionReturn(0);
}

/* What is seen of the field alone. */
static PetscErrorCode field_value(const InkQuestion *q, const InkFieldView *view, double *value) {
  PetscFunctionBeginUser;
  double first = NAN, second = NAN;
  int64_t count = 0;
  switch (q->what) {
  case INK_ASKED_INTEGRAL:
    PetscCall(ink_observe_integral(view, value));
    break;
  case INK_ASKED_MEAN:
  case INK_ASKED_VARIANCE:
    PetscCall(ink_observe_mean_variance(view, &first, &second));
    *value = q->what == INK_ASKED_MEAN ? first : second;
    break;
  case INK_ASKED_MIN:
  case INK_ASKED_MAX:
    PetscCall(ink_observe_range(view, &first, &second));
    *value = q->what == INK_ASKED_MIN ? first : second;
    break;
  case INK_ASKED_FRONT_POSITION:
    PetscCall(ink_observe_front(view, q->axis, q->number, value));
    break;
  case INK_ASKED_AMPLITUDE:
    PetscCall(ink_observe_amplitude(view, q->axis, q->number, value));
    break;
  case INK_ASKED_WAVELENGTH:
    PetscCall(ink_observe_wavelength(view, value));
    break;
  case INK_ASKED_SPOTS:
    PetscCall(ink_observe_regions(view, q->number, &count));
    *value = (double)count;
    break;
  default: /* front:speed and growth are the driver's, from samples */
    *value = NAN;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_quantity(void *self, const InkQuery *query, InkValue *value) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  InkQuestion q;
  InkProgress progress = {0};
  char message[512];
  double l2, largest;
  *value = (InkValue){.value = NAN, .unit = "1"};
  if (!ink_question_read(e->deck, e->model, query, &q, message, sizeof message)) PetscFunctionReturn(0);
  InkFieldView view = {.mesh = e->mesh, .values = e->u + (int64_t)q.field * e->mesh->size};
  ink_stepper_progress(e->stepper, &progress);
  const double now = progress.now;
  /* Where the field's unit is not known nothing says that lengths and times are in metres and seconds. */
  if (e->dim[q.field].known) value->unit = ink_dim_text(e->pool, &e->texts, &q.dim);
  switch (q.what) {
  case INK_ASKED_PROBE:
    PetscCall(probe_value(e, &q, now, &view, &value->value));
    break;
  case INK_ASKED_FLUX:
  case INK_ASKED_MEAN_FLUX:
  case INK_ASKED_CURRENT:
    PetscCall(flux_value(e, &q, now, &value->value));
    break;
  case INK_ASKED_ERROR_L2:
  case INK_ASKED_ERROR_MAX:
    PetscCall(ink_observe_error(&view, e->exact[q.field], now, &l2, &largest));
    value->value = q.what == INK_ASKED_ERROR_L2 ? l2 : largest;
    break;
  case INK_ASKED_BALANCE:
    PetscCall(balance_value(e, &q, now, &value->value));
    break;
  default:
    PetscCall(field_value(&q, &view, &value->value));
  }
  PetscFunctionReturn(0);
}
