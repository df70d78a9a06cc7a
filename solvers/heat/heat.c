/* The heat solver: sets the equation up from the deck, steps it, saves and loads it. */
#include "heat_impl.h"
#include <math.h>
#include <string.h>
#include "../core/memory.h"

static const char *const methods[] = {"explicit", "implicit", "steady", NULL};

/* ---- setting up ---- */

static PetscErrorCode compile(const InkExpr *e, InkProgram **program, const char *what, InkFailure *failure) {
  char message[256] = "";
  PetscFunctionBeginUser;
  *program = ink_program_create(1, &e, INK_ROW_UNIFORM, message, sizeof message);
  if (!*program) ink_fail(failure, INK_USAGE, "%s: %s", what, message);
  PetscFunctionReturn(0);
}

/* T at time.start; not finite, or too cold for a radiating side, is the user's to mend. */
static PetscErrorCode set_initial(InkHeat *heat, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkProgram *program;
  double *out[1] = {heat->T}, at[3], value, minimum, maximum;
  int64_t index[3];
  PetscBool found;
  const double start = ink_deck_number(heat->deck, "time.start");
  const InkFieldView view = {.mesh = heat->mesh, .values = heat->T};
  PetscCall(compile(ink_heat_initial(heat->deck, pool), &program, "initial.T", failure));
  if (!program) PetscFunctionReturn(0);
  PetscCall(ink_mesh_evaluate(heat->mesh, program, start, (uint64_t)ink_deck_integer(heat->deck, "seed"),
                              NULL, out));
  ink_program_destroy(&program);
  PetscCall(ink_observe_not_finite(&view, &found, index, at, &value));
  if (found) {
    char place[160];
    ink_mesh_place(heat->mesh, index, at, place, sizeof place);
    ink_fail(failure, INK_NUMERICAL, "T: initial.T is not finite (%s) in %s, t = %.9g s; mend the expression",
             isnan(value) ? "nan" : "infinite", place, start);
    PetscFunctionReturn(0);
  }
  PetscCall(ink_observe_range(&view, &minimum, &maximum));
  for (int side = 0; side < INK_SIDES; side++) {
    const char *name = ink_side_name(heat->mesh, side);
    if (!ink_side_exists(heat->mesh, side) || minimum > 0.0) continue;
    if (ink_heat_side_type(heat->deck, name) == INK_SIDE_RADIATION)
      ink_fail(failure, INK_NUMERICAL,
               "radiation at %s needs temperatures above 0 K, but initial.T goes down to %g K", name,
               minimum);
  }
  PetscFunctionReturn(0);
}

/* Are temperatures kelvin for certain? Known on rank 0, where units are. */
static PetscErrorCode find_units(InkHeat *heat) {
  PetscFunctionBeginUser;
  const char *const *names;
  const InkDim *dims;
  int known = 0, rank;
  PetscCallMPI(MPI_Comm_rank(heat->comm, &rank));
  if (rank == 0) {
    const InkDim kelvin = ink_dim_of("K");
    ink_deck_fields(heat->deck, &names, &dims);
    known = dims[0].known && ink_dim_equal(&dims[0], &kelvin);
  }
  PetscCallMPI(MPI_Bcast(&known, 1, MPI_INT, 0, heat->comm));
  heat->units = known;
  PetscFunctionReturn(0);
}

static PetscErrorCode choose_method(InkHeat *heat) {
  PetscFunctionBeginUser;
  const InkDeck *deck = heat->deck;
  const char *method = ink_deck_text(deck, "time.method");
  const double start = ink_deck_number(deck, "time.start");
  if (strcmp(method, "explicit") == 0) heat->method = INK_EXPLICIT;
  if (strcmp(method, "implicit") == 0) heat->method = INK_IMPLICIT;
  if (strcmp(method, "steady") == 0) heat->method = INK_STEADY;
  if (strcmp(method, "auto") != 0) PetscFunctionReturn(0);
  PetscCall(ink_stepper_choose(&heat->system, heat->T, start, ink_deck_number(deck, "time.end"),
                               ink_deck_number(deck, "time.tolerance"), &heat->method, &heat->plan));
  PetscFunctionReturn(0);
}

static const double default_tolerance = 1e-5; /* of time.tolerance in the key table */

static PetscErrorCode make_stepper(InkHeat *heat) {
  PetscFunctionBeginUser;
  const InkDeck *deck = heat->deck;
  InkStepperOptions options = {.method = heat->method,
                               .tolerance = ink_deck_number(deck, "time.tolerance"),
                               /* The default never shortens explicit steps; compared by value, so that
                                  OUT/deck.yaml, where defaults are filled in, gives the same run. */
                               .limit_explicit =
                                   ink_deck_number(deck, "time.tolerance") != default_tolerance};
  if (ink_deck_has(deck, "time.dt")) options.dt = ink_deck_number(deck, "time.dt");
  if (ink_deck_has(deck, "time.max_steps")) options.max_steps = ink_deck_integer(deck, "time.max_steps");
  PetscCall(ink_stepper_create(&heat->system, &options, &heat->T, ink_deck_number(deck, "time.start"),
                               &heat->stepper));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_equation(InkHeat *heat, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkDiffusionSpec spec;
  const double start = ink_deck_number(heat->deck, "time.start");
  ink_heat_problem(heat->deck, pool, heat->mesh->dim, heat->mesh->coordinates, &spec);
  PetscCall(ink_diffusion_create(heat->mesh, pool, &spec, &heat->diffusion, failure));
  if (failure->code) PetscFunctionReturn(0);
  if (ink_deck_expression(heat->deck, "exact.T"))
    PetscCall(compile(ink_deck_expression(heat->deck, "exact.T"), &heat->exact, "exact.T", failure));
  PetscCall(ink_mesh_array(heat->mesh, &heat->T));
  if (!failure->code) PetscCall(set_initial(heat, pool, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_diffusion_budget_start(heat->diffusion, start, heat->T));
  ink_diffusion_system(heat->diffusion, &heat->system);
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_destroy(void **self) {
  PetscFunctionBeginUser;
  InkHeat *heat = *self;
  if (!heat) PetscFunctionReturn(0);
  if (heat->stepper) PetscCall(ink_stepper_destroy(&heat->stepper));
  PetscCall(ink_diffusion_destroy(&heat->diffusion));
  if (heat->exact) ink_program_destroy(&heat->exact);
  if (heat->T) ink_mesh_free(&heat->T);
  if (heat->mesh) PetscCall(ink_mesh_destroy(&heat->mesh));
  PetscCall(PetscFree(heat));
  *self = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_create(MPI_Comm comm, const InkDeck *deck, void **self, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkHeat *heat;
  PetscCall(PetscNew(&heat));
  *self = heat;
  heat->comm = comm;
  heat->deck = deck;
  PetscCall(ink_mesh_create(comm, deck, &heat->mesh, failure));
  /* The state and its next value are the least that any method needs. */
  if (!failure->code)
    PetscCall(ink_memory_check(comm, 2.0 * sizeof(double) * (double)heat->mesh->size, failure));
  if (!failure->code) {
    InkPool *pool = ink_pool_create();
    PetscCall(make_equation(heat, pool, failure));
    ink_pool_destroy(&pool);
  }
  PetscCall(ink_failure_agree(comm, failure));
  if (failure->code) {
    PetscCall(heat_destroy(self));
    PetscFunctionReturn(0);
  }
  PetscCall(find_units(heat));
  PetscCall(choose_method(heat));
  PetscCall(make_stepper(heat));
  heat->field = (InkField){.name = "T",
                           .long_name = "temperature",
                           .unit = heat->units ? "K" : "1",
                           .values = ink_mesh_first(heat->mesh, heat->T)};
  ink_mesh_grid(heat->mesh, deck, &heat->field.grid);
  PetscFunctionReturn(0);
}

/* ---- plan ---- */

static PetscErrorCode plan_explicit(InkHeat *heat, InkPlan *plan) {
  PetscFunctionBeginUser;
  const InkDeck *deck = heat->deck;
  const double start = ink_deck_number(deck, "time.start"), end = ink_deck_number(deck, "time.end");
  double step;
  PetscCall(heat->system.monotone_step(heat->system.context, start, heat->T, &step));
  step *= ink_explicit_fraction;
  if (ink_deck_has(deck, "time.dt")) step = ink_deck_number(deck, "time.dt");
  if (!plan->reason[0]) snprintf(plan->reason, sizeof plan->reason, "time.method is explicit");
  plan->dt = fmin(step, end - start);
  plan->steps = ceil((end - start) / plan->dt * (1.0 - 1e-12));
  /* About 5e9 operations a second and rank, and no more than 7e8 cells from memory. */
  int ranks;
  PetscCallMPI(MPI_Comm_size(heat->comm, &ranks));
  const double cell_seconds = fmax(ink_diffusion_operations(heat->diffusion) / 5e9, 1.0 / 7e8);
  plan->seconds = plan->steps * plan->cells / ranks * cell_seconds;
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  static const double stepper_arrays[] = {[INK_EXPLICIT] = 1, [INK_IMPLICIT] = 40, [INK_STEADY] = 36};
  double exact, bytes;
  *plan = heat->plan;
  plan->cells = (double)heat->mesh->cells;
  snprintf(plan->method, sizeof plan->method, "%s", methods[heat->method]);
  PetscCall(ink_diffusion_limits(heat->diffusion, ink_deck_number(heat->deck, "time.start"), heat->T,
                                 &plan->dt_gershgorin, &exact));
  plan->dt_exact = exact;
  if (!isfinite(plan->dt_gershgorin)) plan->dt_gershgorin = 0.0;
  bytes = (double)heat->mesh->size *
          (8.0 * (1.0 + stepper_arrays[heat->method]) + ink_diffusion_bytes_per_cell(heat->diffusion));
  PetscCallMPI(MPI_Allreduce(&bytes, &plan->bytes_per_rank, 1, MPI_DOUBLE, MPI_MAX, heat->comm));
  if (heat->method == INK_EXPLICIT) PetscCall(plan_explicit(heat, plan));
  if (heat->method == INK_IMPLICIT && heat->mesh->dim > 1) { /* one axis is solved whole on every rank */
    int ranks;
    PetscCallMPI(MPI_Comm_size(heat->comm, &ranks));
    plan->seconds /= ranks; /* the choice is made for one */
  }
  if (!plan->reason[0])
    snprintf(plan->reason, sizeof plan->reason, "time.method is %s", methods[heat->method]);
  PetscFunctionReturn(0);
}

/* ---- running ---- */

static PetscErrorCode heat_fields(void *self, const InkField **fields, int *count) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  heat->field.values = ink_mesh_first(heat->mesh, heat->T); /* the stepper may have changed the array */
  *fields = &heat->field;
  *count = 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_advance(void *self, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  PetscCall(ink_stepper_advance(heat->stepper, until, clock, progress));
  if (!progress->failure.code) PetscFunctionReturn(0);
  for (int side = 0; side < INK_SIDES; side++) {
    const char *name = ink_side_name(heat->mesh, side);
    const size_t used = strlen(progress->failure.message);
    if (!ink_side_exists(heat->mesh, side) || ink_heat_side_type(heat->deck, name) != INK_SIDE_RADIATION)
      continue;
    snprintf(progress->failure.message + used, sizeof progress->failure.message - used,
             " (the radiating side %s needs temperatures above 0 K)", name);
    break;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_save(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  InkBox box;
  ink_mesh_box(heat->mesh, &box);
  PetscCall(ink_store_group(store, "/state"));
  PetscCall(ink_store_write(store, "/state/T", &box, ink_mesh_first(heat->mesh, heat->T), false, 0));
  PetscCall(ink_diffusion_save(heat->diffusion, store));
  const int64_t method = heat->method;
  PetscCall(ink_stepper_save(heat->stepper, store));
  PetscCall(ink_store_write_integers(store, "/state/method", 1, &method));
  PetscFunctionReturn(0);
}

/* `auto` decides once: a run that continues keeps the method it began with, even when its end was moved. */
static PetscErrorCode keep_method(InkHeat *heat, InkStore *store) {
  PetscFunctionBeginUser;
  int64_t method = heat->method;
  PetscCall(ink_store_read_integers(store, "/state/method", 1, &method));
  if (method == (int64_t)heat->method || method < 0 || method > INK_STEADY) PetscFunctionReturn(0);
  heat->method = (InkMethod)method;
  heat->plan = (InkPlan){0};
  snprintf(heat->plan.reason, sizeof heat->plan.reason, "auto took %s when the run began", methods[method]);
  PetscCall(ink_stepper_destroy(&heat->stepper));
  PetscCall(make_stepper(heat));
  PetscFunctionReturn(0);
}

static PetscErrorCode heat_load(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkHeat *heat = self;
  InkBox box;
  ink_mesh_box(heat->mesh, &box);
  PetscCall(ink_store_read(store, "/state/T", &box, ink_mesh_first(heat->mesh, heat->T)));
  PetscCall(ink_diffusion_load(heat->diffusion, store));
  PetscCall(keep_method(heat, store));
  PetscCall(ink_stepper_load(heat->stepper, store));
  PetscFunctionReturn(0);
}

const InkSolverType ink_heat = {.name = "heat",
                                .summary = "heat conduction: rho c dT/dt = div(k grad T) + source",
                                .methods = methods,
                                .schema = {ink_heat_tables, ink_heat_fields, ink_heat_unit},
                                .check = ink_heat_check,
                                .create = heat_create,
                                .plan = heat_plan,
                                .fields = heat_fields,
                                .advance = heat_advance,
                                .defined = ink_heat_defined,
                                .quantity = ink_heat_quantity,
                                .save = heat_save,
                                .load = heat_load,
                                .destroy = heat_destroy};
