/* Evolutions: which method steps them, and what a run will take. */
#include "evolution_impl.h"
#include <math.h>
#include <string.h>

static const double default_tolerance = 1e-5; /* of time.tolerance in the key table */

/* What a method is called in decks, and by itself. */
static const char *const deck_name[] = {[INK_EXPLICIT] = "explicit",
                                        [INK_IMPLICIT] = "implicit",
                                        [INK_STEADY] = "steady",
                                        [INK_SPLIT] = "implicit"};
static const char *const own_name[] = {[INK_EXPLICIT] = "forward Euler",
                                       [INK_IMPLICIT] = "TR-BDF2",
                                       [INK_STEADY] = "Newton's method",
                                       [INK_SPLIT] = "ARK4(3)"};

InkStepperOptions ink_evolution_options(const InkEvolution *e) {
  const InkDeck *deck = e->deck;
  InkStepperOptions options = {.method = e->method,
                               .tolerance = ink_deck_number(deck, "time.tolerance"),
                               /* The default never shortens explicit steps; compared by value, so that
                                  OUT/deck.yaml, where defaults are filled in, gives the same run. */
                               .limit_explicit = ink_deck_number(deck, "time.tolerance") != default_tolerance,
                               .positive = ink_deck_chosen(deck, "time.positive", "true")};
  if (ink_deck_has(deck, "time.dt")) options.dt = ink_deck_number(deck, "time.dt");
  if (ink_deck_has(deck, "time.max_steps")) options.max_steps = ink_deck_integer(deck, "time.max_steps");
  return options;
}

/* An explicit method that the deck asks for takes the longest stable steps; where errors grow with the
 * solution the reader is told what that may cost. */
static PetscErrorCode judge_explicit(InkEvolution *e) {
  PetscFunctionBeginUser;
  static const double worth_telling = 0.01;
  const double start = ink_deck_number(e->deck, "time.start");
  const InkStepperOptions options = ink_evolution_options(e);
  double dt, error;
  if (!e->system.reacts || options.limit_explicit || options.dt > 0) PetscFunctionReturn(0);
  PetscCall(e->system.monotone_step(e->system.context, start, e->u, &dt));
  dt *= ink_explicit_fraction;
  if (!(dt > 0)) PetscFunctionReturn(0);
  PetscCall(
      ink_stepper_euler_error(&e->system, e->u, start, ink_deck_number(e->deck, "time.end"), dt, &error));
  if (error > worth_telling)
    snprintf(
        e->plan.reason, sizeof e->plan.reason,
        "time.method is explicit; at its longest stable steps forward Euler's error may reach %.1g of the "
        "fields: time.tolerance or time.dt shortens them",
        error);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_choose(InkEvolution *e) {
  PetscFunctionBeginUser;
  const char *method = ink_deck_text(e->deck, "time.method");
  const double start = ink_deck_number(e->deck, "time.start");
  if (strcmp(method, "explicit") == 0) {
    e->method = INK_EXPLICIT;
    PetscCall(judge_explicit(e));
  }
  if (strcmp(method, "steady") == 0) e->method = INK_STEADY;
  if (strcmp(method, "implicit") == 0) {
    e->method = INK_IMPLICIT;
    const InkStepperOptions options = ink_evolution_options(e);
    PetscCall(ink_stepper_choose_implicit(&e->system, e->u, start, ink_deck_number(e->deck, "time.end"),
                                          &options, &e->method, &e->plan));
  }
  if (strcmp(method, "auto") == 0)
    PetscCall(ink_stepper_choose(&e->system, e->u, start, ink_deck_number(e->deck, "time.end"),
                                 ink_deck_number(e->deck, "time.tolerance"), &e->method, &e->plan));
  PetscFunctionReturn(0);
}

void ink_evolution_kept(InkEvolution *e) {
  const bool automatic = ink_deck_chosen(e->deck, "time.method", "auto");
  e->plan = (InkPlan){0};
  snprintf(e->plan.reason, sizeof e->plan.reason, "%s took %s when the run began",
           automatic ? "auto" : "the choice", automatic ? deck_name[e->method] : own_name[e->method]);
}

static PetscErrorCode plan_explicit(InkEvolution *e, InkPlan *plan) {
  PetscFunctionBeginUser;
  const InkDeck *deck = e->deck;
  const double start = ink_deck_number(deck, "time.start"), end = ink_deck_number(deck, "time.end");
  double step;
  PetscCall(e->system.monotone_step(e->system.context, start, e->u, &step));
  step *= ink_explicit_fraction;
  if (ink_deck_has(deck, "time.dt")) step = ink_deck_number(deck, "time.dt");
  plan->dt = fmin(step, end - start);
  plan->steps = ceil((end - start) / plan->dt * (1.0 - 1e-12));
  /* About 5e9 operations a second and rank, and no more than 7e8 cells from memory. */
  int ranks;
  PetscCallMPI(MPI_Comm_size(e->comm, &ranks));
  const double cell_seconds = fmax(ink_diffusion_operations(e->diffusion) / 5e9, e->n / 7e8);
  plan->seconds = plan->steps * plan->cells / ranks * cell_seconds;
  PetscFunctionReturn(0);
}

/* Arrays of one field that a method holds besides the state. */
static double stepper_arrays(const InkEvolution *e) {
  static const double vectors[] = {
      [INK_EXPLICIT] = 1, [INK_IMPLICIT] = 20, [INK_STEADY] = 16, [INK_SPLIT] = 16};
  static const double of_block = 20; /* the matrix, its copies and preconditioner, of a coupled pair */
  double arrays = vectors[e->method] * e->n;
  /* A state to look again from, and two for the length of the first step. */
  if (e->method == INK_EXPLICIT && e->system.reacts) arrays += 3.0 * e->n;
  if (e->method != INK_IMPLICIT && e->method != INK_STEADY) return arrays;
  for (int b = 0; b < e->n * e->n; b++)
    if (e->system.coupling[b] != INK_UNCOUPLED) arrays += of_block;
  return arrays;
}

PetscErrorCode ink_evolution_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  double bytes;
  *plan = e->plan;
  plan->cells = (double)e->mesh->cells;
  plan->order = ink_method_order(e->method);
  snprintf(plan->method, sizeof plan->method, "%s", deck_name[e->method]);
  PetscCall(ink_diffusion_limits(e->diffusion, ink_deck_number(e->deck, "time.start"), e->u,
                                 &plan->dt_gershgorin, &plan->dt_exact));
  if (!isfinite(plan->dt_gershgorin)) plan->dt_gershgorin = 0.0;
  bytes =
      (double)e->mesh->size * (8.0 * (e->n + stepper_arrays(e)) + ink_diffusion_bytes_per_cell(e->diffusion));
  PetscCallMPI(MPI_Allreduce(&bytes, &plan->bytes_per_rank, 1, MPI_DOUBLE, MPI_MAX, e->comm));
  if (e->method == INK_EXPLICIT) PetscCall(plan_explicit(e, plan));
  /* One axis is solved whole on every rank; elsewhere the choice was made for one rank. */
  if (strcmp(deck_name[e->method], "implicit") == 0 && e->mesh->dim > 1) {
    int ranks;
    PetscCallMPI(MPI_Comm_size(e->comm, &ranks));
    plan->seconds /= ranks;
  }
  if (!plan->reason[0])
    snprintf(plan->reason, sizeof plan->reason, "time.method is %s", deck_name[e->method]);
  PetscFunctionReturn(0);
}
