/* Which method steps a system, and what a run will take. See method.h. */
#include "method.h"
#include <math.h>
#include <string.h>

static const double default_tolerance = 1e-5; /* of time.tolerance in the key table */

/* What a method is called in decks, and by itself. */
static const char *const deck_name[] = {[INK_EXPLICIT] = "explicit",
                                        [INK_IMPLICIT] = "implicit",
                                        [INK_STEADY] = "steady",
                                        [INK_SPLIT] = "implicit",
                                        [INK_STAGED] = "explicit"};
static const char *const own_name[] = {[INK_EXPLICIT] = "forward Euler",
                                       [INK_IMPLICIT] = "TR-BDF2",
                                       [INK_STEADY] = "Newton's method",
                                       [INK_SPLIT] = "ARK4(3)",
                                       [INK_STAGED] = "SSPRK(s,2)"};

const char *ink_method_name(InkMethod method) { return deck_name[method]; }

InkStepperOptions ink_method_options(const InkDeck *deck, InkMethod method, bool positive) {
  InkStepperOptions options = {.method = method,
                               .tolerance = ink_deck_number(deck, "time.tolerance"),
                               /* The default never shortens explicit steps; compared by value, so that
                                  OUT/deck.yaml, where defaults are filled in, gives the same run. */
                               .limit_explicit = ink_deck_number(deck, "time.tolerance") != default_tolerance,
                               .positive = positive};
  if (ink_deck_has(deck, "time.dt")) options.dt = ink_deck_number(deck, "time.dt");
  if (ink_deck_has(deck, "time.max_steps")) options.max_steps = ink_deck_integer(deck, "time.max_steps");
  return options;
}

/* An explicit method that the deck asks for takes the longest stable steps; where errors grow with the
 * solution the reader is told what that may cost. */
static PetscErrorCode judge_explicit(const InkDeck *deck, const InkSystem *system, double *u, InkPlan *plan) {
  PetscFunctionBeginUser;
  static const double worth_telling = 0.01;
  const double start = ink_deck_number(deck, "time.start");
  const InkStepperOptions options = ink_method_options(deck, INK_EXPLICIT, false);
  double dt, error;
  if (!system->reacts || options.limit_explicit || options.dt > 0) PetscFunctionReturn(0);
  PetscCall(system->monotone_step(system->context, start, u, &dt));
  dt *= ink_explicit_fraction;
  if (!(dt > 0)) PetscFunctionReturn(0);
  PetscCall(ink_stepper_euler_error(system, u, start, ink_deck_number(deck, "time.end"), dt, &error));
  if (error > worth_telling)
    snprintf(
        plan->reason, sizeof plan->reason,
        "time.method is explicit; at its longest stable steps forward Euler's error may reach %.1g of the "
        "fields: time.tolerance or time.dt shortens them",
        error);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_method_choose(const InkDeck *deck, const InkSystem *system, bool positive, double *u,
                                 InkMethod *method, InkPlan *plan) {
  PetscFunctionBeginUser;
  const char *asked = ink_deck_text(deck, "time.method");
  const double start = ink_deck_number(deck, "time.start");
  if (strcmp(asked, "explicit") == 0) {
    *method = INK_EXPLICIT;
    PetscCall(judge_explicit(deck, system, u, plan));
  }
  if (strcmp(asked, "steady") == 0) *method = INK_STEADY;
  if (strcmp(asked, "implicit") == 0) {
    *method = INK_IMPLICIT;
    const InkStepperOptions options = ink_method_options(deck, *method, positive);
    PetscCall(ink_stepper_choose_implicit(system, u, start, ink_deck_number(deck, "time.end"), &options,
                                          method, plan));
  }
  if (strcmp(asked, "auto") == 0)
    PetscCall(ink_stepper_choose(system, u, start, ink_deck_number(deck, "time.end"),
                                 ink_deck_number(deck, "time.tolerance"), !ink_deck_has(deck, "time.dt"),
                                 method, plan));
  PetscFunctionReturn(0);
}

void ink_method_kept(const InkDeck *deck, InkMethod method, InkPlan *plan) {
  const bool automatic = ink_deck_chosen(deck, "time.method", "auto");
  *plan = (InkPlan){0};
  snprintf(plan->reason, sizeof plan->reason, "%s took %s when the run began",
           automatic ? "auto" : "the choice", automatic ? deck_name[method] : own_name[method]);
}

double ink_method_arrays(const InkSystem *system, InkMethod method) {
  static const double vectors[] = {
      [INK_EXPLICIT] = 1, [INK_IMPLICIT] = 20, [INK_STEADY] = 16, [INK_SPLIT] = 16, [INK_STAGED] = 2};
  static const double of_block = 20; /* the matrix, its copies and preconditioner, of a coupled pair */
  static const double of_far = 6;    /* the same, of one more neighbour */
  const int n = system->n;
  double arrays = vectors[method] * n;
  /* A state to look again from, and two for the length of the first step. */
  if (method == INK_EXPLICIT && system->reacts) arrays += 3.0 * n;
  if (method != INK_IMPLICIT && method != INK_STEADY) return arrays;
  for (int b = 0; b < n * n; b++)
    if (system->coupling[b] != INK_UNCOUPLED) arrays += of_block;
  if (system->reach) arrays += 2.0 * of_far * system->reach->count;
  return arrays;
}

static PetscErrorCode plan_explicit(const InkDeck *deck, const InkSystem *system, bool staged,
                                    double cell_seconds, double *u, InkPlan *plan) {
  PetscFunctionBeginUser;
  const double start = ink_deck_number(deck, "time.start"), end = ink_deck_number(deck, "time.end");
  double step;
  int ranks;
  PetscCall(system->monotone_step(system->context, start, u, &step));
  step *= ink_explicit_fraction;
  if (ink_deck_has(deck, "time.dt")) step = ink_deck_number(deck, "time.dt");
  if (staged) {
    step *= INK_MOST_STAGES - 1;
    cell_seconds *= INK_MOST_STAGES;
  }
  plan->dt = fmin(step, end - start);
  plan->steps = ceil((end - start) / plan->dt * (1.0 - 1e-12));
  PetscCallMPI(MPI_Comm_size(system->mesh->comm, &ranks));
  plan->seconds = plan->steps * plan->cells / ranks * cell_seconds;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_method_plan(const InkDeck *deck, const InkSystem *system, InkMethod method,
                               double cell_seconds, double *u, InkPlan *plan) {
  PetscFunctionBeginUser;
  plan->cells = (double)system->mesh->cells;
  plan->order = ink_method_order(method);
  snprintf(plan->method, sizeof plan->method, "%s", deck_name[method]);
  if (method == INK_EXPLICIT || method == INK_STAGED)
    PetscCall(plan_explicit(deck, system, method == INK_STAGED, cell_seconds, u, plan));
  /* One axis is solved whole on every rank; elsewhere the choice was made for one rank. */
  if (strcmp(deck_name[method], "implicit") == 0 && system->mesh->dim > 1) {
    int ranks;
    PetscCallMPI(MPI_Comm_size(system->mesh->comm, &ranks));
    plan->seconds /= ranks;
  }
  if (!plan->reason[0]) snprintf(plan->reason, sizeof plan->reason, "time.method is %s", deck_name[method]);
  PetscFunctionReturn(0);
}
