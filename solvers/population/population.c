/* The population solver: every rank steps, or solves for, all states, and keeps its own cells of the field.
 *
 * State i is the cell of the axis x whose centroid is i/N; the field p is the state's probability over the
 * width of the cell, 1/N, so that its integral is 1. */
#include <math.h>
#include <string.h>
#include "../core/memory.h"
#include "population_impl.h"

static const char *const methods[] = {"auto", NULL};

/* ---- setting up ---- */

static PetscErrorCode make_mesh(InkPopulationRun *r, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double n = (double)r->population.size;
  const InkAxisSpec axis = {
      .from = -0.5 / n, .to = 1 + 0.5 / n, .cells = r->population.size + 1, .name = "x", .unit = "1"};
  PetscCall(ink_mesh_build(r->comm, &axis, 1, INK_CARTESIAN, &r->mesh, failure));
  PetscFunctionReturn(0);
}

/* This rank's cells of what all have. */
static void take_own(InkPopulationRun *r) {
  const InkAxis *axis = &r->mesh->axis[0];
  const bool density = r->equation == INK_POPULATION_DENSITY || r->equation == INK_POPULATION_STATIONARY;
  for (int64_t i = 0; i < r->mesh->count[0]; i++) {
    const int64_t state = r->mesh->start[0] + i;
    r->u[r->mesh->origin + i] = density ? r->value[state] / axis->volume[state] : r->value[state];
  }
}

static PetscErrorCode make_density(InkPopulationRun *r, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double *point;
  int64_t copies;
  r->transitions = ink_transitions_create(&r->population);
  if (!r->transitions)
    ink_fail(failure, INK_USAGE, "population.size: there is no memory for the chain's matrix");
  ink_deck_numbers(r->deck, &point, "initial.point");
  (void)ink_population_copies(&r->population, point[0], &copies);
  r->value[copies] = 1;
  take_own(r);
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(InkPopulationRun *r, InkFailure *failure) {
  PetscFunctionBeginUser;
  static const char *const meaning[] = {"probability density", "stationary probability density",
                                        "mean number of steps until absorption",
                                        "probability to end at the target"};
  const char *const *names;
  PetscCall(make_mesh(r, failure));
  if (!failure->code)
    PetscCall(ink_memory_check(r->comm, ink_state_elimination_bytes(&r->population), failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)r->mesh->cells, &r->value));
  PetscCall(PetscCalloc1((size_t)r->mesh->cells, &r->next)); /* apart, as the two change places */
  PetscCall(ink_mesh_array(r->mesh, &r->u));
  ink_deck_fields(r->deck, &names, NULL);
  r->field = (InkField){.name = names[0],
                        .long_name = meaning[r->equation],
                        .unit = "1",
                        .values = ink_mesh_first(r->mesh, r->u)};
  ink_mesh_grid(r->mesh, r->deck, &r->field.grid);
  if (r->equation == INK_POPULATION_DENSITY) PetscCall(make_density(r, failure));
  PetscCall(ink_failure_agree(r->comm, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode population_destroy(void **self) {
  PetscFunctionBeginUser;
  InkPopulationRun *r = *self;
  if (!r) PetscFunctionReturn(0);
  ink_transitions_destroy(&r->transitions);
  PetscCall(PetscFree(r->value));
  PetscCall(PetscFree(r->next));
  if (r->u) ink_mesh_free(&r->u);
  if (r->mesh) PetscCall(ink_mesh_destroy(&r->mesh));
  PetscCall(PetscFree(r));
  *self = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode population_create(MPI_Comm comm, const InkDeck *deck, void **self,
                                        InkFailure *failure) {
  PetscFunctionBeginUser;
  InkPopulationRun *r;
  PetscCall(PetscNew(&r));
  *self = r;
  r->comm = comm;
  r->deck = deck;
  r->population = ink_population_of(deck);
  r->equation = ink_population_equation(deck);
  r->target = ink_deck_has(deck, "target") ? ink_population_end(ink_deck_text(deck, "target")) : -1;
  r->now = ink_deck_number(deck, "time.start");
  PetscCall(set_up(r, failure));
  if (failure->code) PetscCall(population_destroy(self));
  PetscFunctionReturn(0);
}

/* ---- running ---- */

static PetscErrorCode population_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  const InkPopulationRun *r = self;
  const double states = (double)r->mesh->cells;
  const bool density = r->equation == INK_POPULATION_DENSITY;
  *plan = (InkPlan){
      .cells = states,
      .bytes_per_rank = ink_state_elimination_bytes(&r->population),
      .steps = density ? ink_deck_number(r->deck, "time.end") - ink_deck_number(r->deck, "time.start") : 1,
      .dt = density ? 1 : 0};
  plan->seconds = density ? plan->steps * states * states * 3e-10 : states * states * states * 2e-10;
  PetscCall(PetscSNPrintf(plan->method, sizeof plan->method, density ? "explicit" : "steady"));
  PetscCall(PetscSNPrintf(plan->reason, sizeof plan->reason,
                          density
                              ? "the chain's own steps, a product with its matrix of %.0f states each (%s)"
                              : "elimination of the chain's %.0f states, on each rank (%s)",
                          states,
                          r->population.moran ? "a step is a birth and a death, N steps a generation"
                                              : "a step is a generation"));
  PetscFunctionReturn(0);
}

static PetscErrorCode population_fields(void *self, const InkField **fields, int *count) {
  PetscFunctionBeginUser;
  InkPopulationRun *r = self;
  *fields = &r->field;
  *count = 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode advance_density(InkPopulationRun *r, double until, InkClock *clock,
                                      InkProgress *progress) {
  PetscFunctionBeginUser;
  PetscBool due = PETSC_FALSE;
  while (r->now < until && !due) {
    double *old = r->value;
    ink_transitions_step(r->transitions, old, r->next);
    r->value = r->next;
    r->next = old;
    r->now += 1;
    r->step++;
    if (clock) PetscCall(ink_clock_due(clock, &due));
  }
  take_own(r);
  progress->now = r->now;
  progress->step = r->step;
  progress->dt = 1;
  PetscFunctionReturn(0);
}

static void solve(InkPopulationRun *r, InkFailure *failure) {
  InkStateElimination *elimination = ink_state_elimination_create(&r->population);
  if (!elimination) {
    ink_fail(failure, INK_USAGE, "population.size: there is no memory for the chain's matrix");
    return;
  }
  if (r->equation == INK_POPULATION_STATIONARY)
    ink_population_stationary(elimination, r->value);
  else if (r->equation == INK_POPULATION_HITTING)
    ink_population_hitting(elimination, r->target, r->value);
  else
    ink_population_time(elimination, r->target, r->value);
  ink_state_elimination_destroy(&elimination);
  for (int64_t i = 0; i <= r->population.size && !failure->code; i++)
    if (!isfinite(r->value[i]))
      ink_fail(failure, INK_NUMERICAL, "%s: is not finite at x = %.9g: it is too large for double precision",
               r->field.name, (double)i / (double)r->population.size);
}

static PetscErrorCode population_advance(void *self, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  InkPopulationRun *r = self;
  if (r->equation == INK_POPULATION_DENSITY) {
    PetscCall(advance_density(r, until, clock, progress));
    PetscFunctionReturn(0);
  }
  if (!r->solved) {
    solve(r, &progress->failure);
    PetscCall(ink_failure_agree(r->comm, &progress->failure));
    if (progress->failure.code) PetscFunctionReturn(0);
    take_own(r);
    r->solved = true;
    r->step = 1;
  }
  progress->dt = until - r->now;
  progress->step = r->step;
  progress->now = r->now = until;
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

/* Owned values between the array of all states and one of the mesh. */
static PetscErrorCode population_save(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkPopulationRun *r = self;
  InkBox box;
  const int64_t counts[2] = {r->step, r->solved};
  ink_mesh_box(r->mesh, &box);
  PetscCall(ink_store_group(store, "/state"));
  PetscCall(ink_store_write(store, "/state/value", &box, r->value + r->mesh->start[0], false, 0));
  PetscCall(ink_store_write_numbers(store, "/state/now", 1, &r->now));
  PetscCall(ink_store_write_integers(store, "/state/counts", 2, counts));
  PetscFunctionReturn(0);
}

/* All ranks' parts of the states to all. */
static PetscErrorCode share(InkPopulationRun *r) {
  PetscFunctionBeginUser;
  int ranks, *counts, *starts, mine[2] = {(int)r->mesh->start[0], (int)r->mesh->count[0]};
  PetscCallMPI(MPI_Comm_size(r->comm, &ranks));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &starts));
  PetscCallMPI(MPI_Allgather(&mine[0], 1, MPI_INT, starts, 1, MPI_INT, r->comm));
  PetscCallMPI(MPI_Allgather(&mine[1], 1, MPI_INT, counts, 1, MPI_INT, r->comm));
  PetscCallMPI(
      MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, r->value, counts, starts, MPI_DOUBLE, r->comm));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

static PetscErrorCode population_load(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkPopulationRun *r = self;
  InkBox box;
  int64_t counts[2] = {0, 0};
  ink_mesh_box(r->mesh, &box);
  PetscCall(ink_store_read(store, "/state/value", &box, r->value + r->mesh->start[0]));
  PetscCall(ink_store_read_numbers(store, "/state/now", 1, &r->now));
  PetscCall(ink_store_read_integers(store, "/state/counts", 2, counts));
  r->step = counts[0];
  r->solved = counts[1] != 0;
  PetscCall(share(r));
  take_own(r);
  PetscFunctionReturn(0);
}

const InkSolverType ink_population = {
    .name = "population",
    .summary =
        "exact chains of population genetics (Wright-Fisher, Moran): density, stationary law, times and "
        "probabilities of fixation",
    .methods = methods,
    .schema = {.tables = ink_population_tables,
               .fields = ink_population_fields,
               .axes = ink_population_axes,
               .field_dim = ink_population_field_dim},
    .check = ink_population_check,
    .create = population_create,
    .plan = population_plan,
    .fields = population_fields,
    .advance = population_advance,
    .defined = ink_population_defined,
    .quantity = ink_population_quantity,
    .save = population_save,
    .load = population_load,
    .destroy = population_destroy};
