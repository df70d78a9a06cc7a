/* Evolutions: set up from a deck, advanced, saved and loaded. See evolution.h. */
#include "evolution_impl.h"
#include <math.h>
#include <string.h>
#include "memory.h"
#include "method.h"
#include "nonnegative.h"

const char *const ink_evolution_methods[] = {"explicit", "implicit", "steady", NULL};

/* ---- setting up ---- */

static PetscErrorCode compile(const InkExpr *e, InkProgram **program, const char *what, InkFailure *failure) {
  char message[256] = "";
  PetscFunctionBeginUser;
  *program = ink_program_create(1, &e, INK_ROW_UNIFORM, message, sizeof message);
  if (!*program) ink_fail(failure, INK_USAGE, "%s: %s", what, message);
  PetscFunctionReturn(0);
}

/* One field at time.start; what is not finite, or negative where it must not be, is the user's to mend. */
static PetscErrorCode set_initial(InkEvolution *e, const InkEvolutionProblem *problem, int f,
                                  InkFailure *failure) {
  PetscFunctionBeginUser;
  InkProgram *program;
  double *out[1] = {e->u + (int64_t)f * e->mesh->size}, at[3], value, minimum, maximum;
  int64_t index[3];
  PetscBool found;
  const char *path = problem->initial_path[f];
  const double start = ink_deck_number(e->deck, "time.start");
  const InkFieldView view = {.mesh = e->mesh, .values = out[0]};
  PetscCall(compile(problem->initial[f], &program, path, failure));
  if (!program) PetscFunctionReturn(0);
  PetscCall(
      ink_mesh_evaluate(e->mesh, program, start, (uint64_t)ink_deck_integer(e->deck, "seed"), NULL, out));
  ink_program_destroy(&program);
  PetscCall(ink_observe_not_finite(&view, &found, index, at, &value));
  if (found) {
    char place[160];
    ink_mesh_place(e->mesh, index, at, place, sizeof place);
    ink_fail(failure, INK_NUMERICAL, "%s: %s is not finite (%s) in %s, t = %.9g s; mend the expression",
             e->name[f], path, isnan(value) ? "nan" : "infinite", place, start);
    PetscFunctionReturn(0);
  }
  if (!ink_deck_chosen(e->deck, "time.positive", "true")) PetscFunctionReturn(0);
  PetscCall(ink_observe_range(&view, &minimum, &maximum));
  if (minimum < 0.0)
    ink_fail(failure, INK_NUMERICAL, "%s: time.positive is true, but %s goes down to %.9g", e->name[f], path,
             minimum);
  PetscFunctionReturn(0);
}

static PetscErrorCode make_exact(InkEvolution *e, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)e->n, &e->exact));
  for (int f = 0; f < e->n; f++) {
    char path[128];
    const InkExpr *exact = ink_deck_expression(e->deck, "exact.%s", e->name[f]);
    snprintf(path, sizeof path, "exact.%s", e->name[f]);
    if (exact) PetscCall(compile(exact, &e->exact[f], path, failure));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode make_equation(InkEvolution *e, const InkEvolutionProblem *problem, InkPool *pool,
                                    InkFailure *failure) {
  PetscFunctionBeginUser;
  const double start = ink_deck_number(e->deck, "time.start");
  PetscCall(ink_diffusion_create(e->mesh, pool, &problem->equation, &e->diffusion, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(make_exact(e, failure));
  PetscCall(ink_mesh_fields(e->mesh, e->n, &e->u));
  for (int f = 0; f < e->n && !failure->code; f++) PetscCall(set_initial(e, problem, f, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_diffusion_budget_start(e->diffusion, start, e->u));
  ink_diffusion_system(e->diffusion, &e->system);
  PetscCall(PetscCalloc1((size_t)e->n, &e->nonnegative));
  if (!ink_deck_is_manufactured(e->deck))
    PetscCall(ink_nonnegative_fields(e->mesh, &problem->equation, start,
                                     ink_deck_has(e->deck, "time.end") ? ink_deck_number(e->deck, "time.end")
                                                                       : start,
                                     e->u, e->nonnegative));
  e->system.nonnegative = e->nonnegative;
  PetscFunctionReturn(0);
}

static PetscErrorCode make_stepper(InkEvolution *e) {
  PetscFunctionBeginUser;
  const InkStepperOptions options =
      ink_method_options(e->deck, e->method, ink_deck_chosen(e->deck, "time.positive", "true"));
  PetscCall(
      ink_stepper_create(&e->system, &options, &e->u, ink_deck_number(e->deck, "time.start"), &e->stepper));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_fields(InkEvolution *e, const InkEvolutionProblem *problem) {
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)e->n, &e->field));
  for (int f = 0; f < e->n; f++) {
    e->field[f] = (InkField){.name = e->name[f],
                             .long_name = problem->long_name[f],
                             .unit = ink_dim_text(e->pool, &e->texts, &e->dim[f]),
                             .values = ink_mesh_first(e->mesh, e->u + (int64_t)f * e->mesh->size)};
    ink_mesh_grid(e->mesh, e->deck, &e->field[f].grid);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(InkEvolution *e, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkEvolutionProblem problem;
  PetscCall(ink_mesh_create(e->comm, e->deck, &e->mesh, failure));
  /* The state and its next value are the least that any method needs. */
  if (!failure->code)
    PetscCall(ink_memory_check(e->comm, 2.0 * sizeof(double) * e->n * (double)e->mesh->size, failure));
  if (!failure->code) {
    e->model->problem(e->deck, pool, &problem);
    PetscCall(make_equation(e, &problem, pool, failure));
  }
  PetscCall(ink_failure_agree(e->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_method_choose(e->deck, &e->system, ink_deck_chosen(e->deck, "time.positive", "true"), e->u,
                              &e->method, &e->plan));
  PetscCall(make_stepper(e));
  PetscCall(make_fields(e, &problem));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_create(MPI_Comm comm, const InkDeck *deck, const InkEvolutionModel *model,
                                    InkEvolution **evolution, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkEvolution *e;
  PetscCall(PetscNew(&e));
  *evolution = e;
  e->comm = comm;
  e->deck = deck;
  e->model = model;
  e->pool = ink_pool_create();
  e->n = ink_deck_fields(deck, &e->name, &e->dim);
  InkPool *pool = ink_pool_create();
  PetscCall(set_up(e, pool, failure));
  ink_pool_destroy(&pool);
  if (!failure->code) PetscFunctionReturn(0);
  void *self = e;
  PetscCall(ink_evolution_destroy(&self));
  *evolution = NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_destroy(void **self) {
  PetscFunctionBeginUser;
  InkEvolution *e = *self;
  if (!e) PetscFunctionReturn(0);
  if (e->stepper) PetscCall(ink_stepper_destroy(&e->stepper));
  PetscCall(ink_diffusion_destroy(&e->diffusion));
  for (int f = 0; e->exact && f < e->n; f++)
    if (e->exact[f]) ink_program_destroy(&e->exact[f]);
  PetscCall(PetscFree(e->exact));
  PetscCall(PetscFree(e->field));
  PetscCall(PetscFree(e->nonnegative));
  if (e->u) ink_mesh_free(&e->u);
  if (e->mesh) PetscCall(ink_mesh_destroy(&e->mesh));
  ink_pool_destroy(&e->pool);
  PetscCall(PetscFree(e));
  *self = NULL;
  PetscFunctionReturn(0);
}

/* ---- running ---- */

PetscErrorCode ink_evolution_fields(void *self, const InkField **fields, int *count) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  for (int f = 0; f < e->n; f++) /* the stepper may have changed the array */
    e->field[f].values = ink_mesh_first(e->mesh, e->u + (int64_t)f * e->mesh->size);
  *fields = e->field;
  *count = e->n;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_advance(void *self, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  PetscCall(ink_stepper_advance(e->stepper, until, clock, progress));
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

/* Where a field stands in a checkpoint; names that the state itself uses get a sign no field can have. */
static void field_path(const char *name, char *path, size_t size) {
  static const char *const taken[] = {"budget", "method", "stepper"};
  bool clash = false;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) clash = clash || strcmp(taken[i], name) == 0;
  snprintf(path, size, "/state/%s%s", clash ? "+" : "", name);
}

PetscErrorCode ink_evolution_save(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  InkBox box;
  char path[128];
  ink_mesh_box(e->mesh, &box);
  PetscCall(ink_store_group(store, "/state"));
  for (int f = 0; f < e->n; f++) {
    field_path(e->name[f], path, sizeof path);
    PetscCall(ink_store_write(store, path, &box, ink_mesh_first(e->mesh, e->u + (int64_t)f * e->mesh->size),
                              false, 0));
  }
  PetscCall(ink_diffusion_save(e->diffusion, store));
  const int64_t method = e->method;
  PetscCall(ink_stepper_save(e->stepper, store));
  PetscCall(ink_store_write_integers(store, "/state/method", 1, &method));
  PetscFunctionReturn(0);
}

/* The method is chosen once: a run that continues keeps the one it began with, even when its end was moved.
 */
static PetscErrorCode keep_method(InkEvolution *e, InkStore *store) {
  PetscFunctionBeginUser;
  int64_t method = e->method;
  PetscCall(ink_store_read_integers(store, "/state/method", 1, &method));
  if (method == (int64_t)e->method || method < 0 || method > INK_SPLIT) PetscFunctionReturn(0);
  e->method = (InkMethod)method;
  ink_method_kept(e->deck, e->method, &e->plan);
  PetscCall(ink_stepper_destroy(&e->stepper));
  PetscCall(make_stepper(e));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_evolution_load(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkEvolution *e = self;
  InkBox box;
  char path[128];
  ink_mesh_box(e->mesh, &box);
  for (int f = 0; f < e->n; f++) {
    field_path(e->name[f], path, sizeof path);
    PetscCall(ink_store_read(store, path, &box, ink_mesh_first(e->mesh, e->u + (int64_t)f * e->mesh->size)));
  }
  PetscCall(ink_diffusion_load(e->diffusion, store));
  PetscCall(keep_method(e, store));
  PetscCall(ink_stepper_load(e->stepper, store));
  PetscFunctionReturn(0);
}
