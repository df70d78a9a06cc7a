/* The Fokker-Planck solver: set-up, fields, checkpoints. */
#include "fokker_planck_impl.h"
#include <string.h>
#include "../core/observe.h"

static const char *const methods[] = {"explicit", "implicit", NULL};

/* ---- setting up ---- */

/* Densities are mended to second order where edges do not resolve the drift. */
static PetscErrorCode make_antidiffusion(InkFokkerPlanck *f) {
  PetscFunctionBeginUser;
  double share;
  if (f->equation != INK_DENSITY && f->equation != INK_STATIONARY) PetscFunctionReturn(0);
  PetscCall(ink_generator_excess(f->generator, true));
  PetscCall(ink_antidiffusion_share(f->generator, &share));
  if (share > 0 || f->generator->moving)
    PetscCall(ink_antidiffusion_create(f->generator, &f->antidiffusion));
  else
    PetscCall(ink_generator_excess(f->generator, false));
  PetscFunctionReturn(0);
}

static const char *mode_name(InkPool *pool, int number) {
  char text[64];
  snprintf(text, sizeof text, "mode %d of the density", number);
  return ink_pool_strdup(pool, text);
}

/* " 1/s", or "" where the deck has no unit of time. */
static const char *unit_of_rates(InkFokkerPlanck *f) {
  const InkQuery query = {.kind = "eigenvalue", .argument = "1"};
  InkInquiry inquiry;
  char message[256], text[80];
  if (!ink_inquiry_read(f->deck, &query, &inquiry, message, sizeof message)) return "";
  const char *unit = ink_dim_text(f->pool, &f->texts, &inquiry.dim);
  (void)snprintf(text, sizeof text, " %s", unit);
  return strcmp(unit, "1") == 0 ? "" : ink_pool_strdup(f->pool, text);
}

/* "0.3 1/s, angular frequency 1.5 1/s" of a mode, the second only where it turns. */
static void rate_in_words(const InkFokkerPlanck *f, int k, const char *unit, char *text, size_t size) {
  const int used = snprintf(text, size, "%.6g%s", f->decay[k], unit);
  if (f->frequency[k] > 0 && used < (int)size)
    (void)snprintf(text + used, size - (size_t)used, ", angular frequency %.6g%s", f->frequency[k], unit);
}

/* The modes' rates, once they are known: in the names of the fields, and in a line for the log. */
static const char *tell_rates(InkFokkerPlanck *f) {
  char line[INK_MAX_MODES * 96] = "decay rates of the modes";
  const char *unit = unit_of_rates(f);
  for (int k = 0; k < f->n; k++) {
    char rate[96], name[160];
    rate_in_words(f, k, unit, rate, sizeof rate);
    (void)snprintf(name, sizeof name, "%s, decay rate %s", mode_name(f->pool, k + 1), rate);
    f->field[k].long_name = ink_pool_strdup(f->pool, name);
    const size_t used = strlen(line);
    (void)snprintf(line + used, sizeof line - used, "%s %d: %s", k ? ";" : ":", k + 1, rate);
  }
  return ink_pool_strdup(f->pool, line);
}

static PetscErrorCode make_fields(InkFokkerPlanck *f) {
  PetscFunctionBeginUser;
  static const char *const long_name[] = {[INK_DENSITY] = "probability density",
                                          [INK_STATIONARY] = "stationary probability density",
                                          [INK_FIRST_PASSAGE] = "mean first-passage time",
                                          [INK_HITTING_PROBABILITY] =
                                              "probability to leave through the target"};
  PetscCall(ink_mesh_fields(f->mesh, f->n, &f->u));
  PetscCall(PetscCalloc1((size_t)f->n, &f->field));
  for (int i = 0; i < f->n; i++) {
    f->field[i] = (InkField){.name = f->name[i],
                             .long_name = f->equation == INK_SPECTRUM ? mode_name(f->pool, i + 1)
                                                                      : long_name[f->equation],
                             .unit = ink_dim_text(f->pool, &f->texts, &f->dim[i]),
                             .values = ink_mesh_first(f->mesh, f->u + (int64_t)i * f->mesh->size)};
    ink_mesh_grid(f->mesh, f->deck, &f->field[i].grid);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode make_exact(InkFokkerPlanck *f, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)f->n, &f->exact));
  for (int i = 0; i < f->n; i++) {
    char message[256] = "";
    const InkExpr *exact = ink_deck_expression(f->deck, "exact.%s", f->name[i]);
    if (!exact) continue;
    f->exact[i] = ink_program_create(1, &exact, INK_ROW_UNIFORM, message, sizeof message);
    if (!f->exact[i]) ink_fail(failure, INK_USAGE, "exact.%s: %s", f->name[i], message);
  }
  PetscFunctionReturn(0);
}

/* What absorbing sides are worth: 0, or 1 at the target of a hitting probability. */
static PetscErrorCode make_side_values(InkFokkerPlanck *f) {
  PetscFunctionBeginUser;
  int64_t most = 1;
  for (int side = 0; side < INK_SIDES; side++) {
    const int64_t count = ink_side_count(f->mesh, side);
    if (count > most) most = count;
  }
  PetscCall(PetscCalloc1((size_t)most, &f->nothing));
  PetscCall(PetscMalloc1((size_t)most, &f->one));
  for (int64_t i = 0; i < most; i++) f->one[i] = 1.0;
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(InkFokkerPlanck *f, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkModel model;
  ink_model_read(f->deck, pool, &model);
  for (int a = 0; a < model.process.dim; a++) f->diffuses[a] = model.process.diffusion[a][a] != NULL;
  PetscCall(ink_model_generator(f->comm, f->deck, &model.process, f->n, &f->mesh, &f->generator, failure));
  if (failure->code) PetscFunctionReturn(0);
  ink_fokker_planck_remark(f, &model.process, f->remark, sizeof f->remark);
  PetscCall(make_antidiffusion(f));
  PetscCall(make_fields(f));
  PetscCall(make_side_values(f));
  PetscCall(make_exact(f, failure));
  PetscCall(ink_failure_agree(f->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  if (f->equation == INK_DENSITY)
    PetscCall(ink_density_create(f, failure));
  else
    PetscCall(ink_solve_create(f, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode fokker_planck_destroy(void **self) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = *self;
  if (!f) PetscFunctionReturn(0);
  if (f->stepper) PetscCall(ink_stepper_destroy(&f->stepper));
  PetscCall(ink_antidiffusion_destroy(&f->antidiffusion));
  if (f->generator) PetscCall(ink_generator_destroy(&f->generator));
  for (int i = 0; f->exact && i < f->n; i++)
    if (f->exact[i]) ink_program_destroy(&f->exact[i]);
  PetscCall(PetscFree(f->exact));
  PetscCall(PetscFree(f->field));
  PetscCall(PetscFree(f->nothing));
  PetscCall(PetscFree(f->one));
  if (f->u) ink_mesh_free(&f->u);
  if (f->mesh) PetscCall(ink_mesh_destroy(&f->mesh));
  ink_pool_destroy(&f->pool);
  PetscCall(PetscFree(f));
  *self = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode fokker_planck_create(MPI_Comm comm, const InkDeck *deck, void **self,
                                           InkFailure *failure) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f;
  PetscCall(PetscNew(&f));
  *self = f;
  f->comm = comm;
  f->deck = deck;
  f->equation = ink_deck_equation(deck);
  f->target = -1;
  if ((f->equation == INK_FIRST_PASSAGE || f->equation == INK_HITTING_PROBABILITY) &&
      ink_deck_has(deck, "target"))
    f->target = ink_deck_side(deck, ink_deck_text(deck, "target"));
  f->n = ink_deck_fields(deck, &f->name, &f->dim);
  f->now = ink_deck_number(deck, "time.start");
  f->pool = ink_pool_create();
  InkPool *pool = ink_pool_create();
  PetscCall(set_up(f, pool, failure));
  ink_pool_destroy(&pool);
  if (failure->code) PetscCall(fokker_planck_destroy(self));
  PetscFunctionReturn(0);
}

/* ---- running ---- */

static PetscErrorCode fokker_planck_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  *plan = f->plan;
  if (f->equation == INK_DENSITY) PetscCall(ink_density_plan(f, plan));
  char remark[240];
  ink_generator_remark(f->generator, remark, sizeof remark);
  const char *const more[] = {remark, f->remark};
  for (int i = 0; i < 2; i++) {
    const size_t used = strlen(plan->reason);
    if (*more[i]) snprintf(plan->reason + used, sizeof plan->reason - used, "; %s", more[i]);
  }
  f->told = f->generator->added;
  PetscFunctionReturn(0);
}

static PetscErrorCode fokker_planck_fields(void *self, const InkField **fields, int *count) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  for (int i = 0; i < f->n; i++) /* the stepper may have changed the array */
    f->field[i].values = ink_mesh_first(f->mesh, f->u + (int64_t)i * f->mesh->size);
  *fields = f->field;
  *count = f->n;
  PetscFunctionReturn(0);
}

static PetscErrorCode fokker_planck_advance(void *self, double until, InkClock *clock,
                                            InkProgress *progress) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  if (f->equation == INK_DENSITY) {
    PetscCall(ink_density_advance(f, until, clock, progress));
    PetscFunctionReturn(0);
  }
  if (!f->solved) {
    PetscCall(ink_solve(f, &progress->failure));
    if (progress->failure.code) PetscFunctionReturn(0);
    progress->step = 1;
    if (f->note[0]) progress->note = f->note;
    if (f->equation == INK_SPECTRUM) progress->note = tell_rates(f);
  }
  progress->dt = until - f->now;
  progress->now = f->now = until;
  PetscFunctionReturn(0);
}

static bool fokker_planck_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                                  size_t size) {
  InkInquiry inquiry;
  if (!ink_inquiry_read(deck, query, &inquiry, message, size)) return false;
  *dim = inquiry.dim;
  return true;
}

/* ---- checkpoints ---- */

static PetscErrorCode fokker_planck_save(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  InkBox box;
  char path[64];
  const int64_t solved = f->solved;
  ink_mesh_box(f->mesh, &box);
  PetscCall(ink_store_group(store, "/state"));
  for (int i = 0; i < f->n; i++) {
    snprintf(path, sizeof path, "/state/%s", f->name[i]);
    PetscCall(ink_store_write(store, path, &box, ink_mesh_first(f->mesh, f->u + (int64_t)i * f->mesh->size),
                              false, 0));
  }
  PetscCall(ink_store_write_numbers(store, "/state/now", 1, &f->now));
  if (f->equation == INK_DENSITY) {
    PetscCall(ink_density_save(f, store));
    PetscFunctionReturn(0);
  }
  PetscCall(ink_store_write_integers(store, "/state/solved", 1, &solved));
  PetscCall(ink_store_write_numbers(store, "/state/decay", INK_MAX_MODES, f->decay));
  PetscCall(ink_store_write_numbers(store, "/state/frequency", INK_MAX_MODES, f->frequency));
  PetscFunctionReturn(0);
}

static PetscErrorCode fokker_planck_load(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  InkBox box;
  char path[64];
  int64_t solved = 0;
  ink_mesh_box(f->mesh, &box);
  for (int i = 0; i < f->n; i++) {
    snprintf(path, sizeof path, "/state/%s", f->name[i]);
    PetscCall(ink_store_read(store, path, &box, ink_mesh_first(f->mesh, f->u + (int64_t)i * f->mesh->size)));
  }
  PetscCall(ink_store_read_numbers(store, "/state/now", 1, &f->now));
  if (f->equation == INK_DENSITY) {
    PetscCall(ink_density_load(f, store));
    PetscFunctionReturn(0);
  }
  PetscCall(ink_store_read_integers(store, "/state/solved", 1, &solved));
  PetscCall(ink_store_read_numbers(store, "/state/decay", INK_MAX_MODES, f->decay));
  PetscCall(ink_store_read_numbers(store, "/state/frequency", INK_MAX_MODES, f->frequency));
  f->solved = solved != 0;
  if (f->solved && f->equation == INK_SPECTRUM) (void)tell_rates(f);
  PetscFunctionReturn(0);
}

const InkSolverType ink_fokker_planck = {
    .name = "fokker_planck",
    .summary =
        "dX = b dt + B dW: p_t = -d_i(b_i p) + d_i d_j(D_ij p), its stationary law, first passage, modes",
    .methods = methods,
    .schema = {.tables = ink_fokker_planck_tables,
               .fields = ink_fokker_planck_fields,
               .axes = ink_model_axes,
               .field_dim = ink_fokker_planck_field_dim,
               .unit = ink_fokker_planck_unit},
    .check = ink_fokker_planck_check,
    .create = fokker_planck_create,
    .plan = fokker_planck_plan,
    .fields = fokker_planck_fields,
    .advance = fokker_planck_advance,
    .defined = fokker_planck_defined,
    .quantity = ink_fokker_planck_quantity,
    .save = fokker_planck_save,
    .load = fokker_planck_load,
    .destroy = fokker_planck_destroy};
