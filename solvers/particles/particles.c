/* The particle solver: set-up, the way through time, fields, checkpoints. */
#include <math.h>
#include <string.h>
#include "../core/memory.h"
#include "particles_impl.h"

static const char *const methods[] = {"euler_maruyama", "milstein", "heun", "exact", "jump", NULL};
static const char *const titles[] = {[INK_EULER_MARUYAMA] = "Euler-Maruyama",
                                     [INK_MILSTEIN] = "Milstein",
                                     [INK_HEUN] = "stochastic Heun",
                                     [INK_EXACT] = "exact steps",
                                     [INK_JUMP] = "jumps on the cells"};

/* Steps of all particles between two looks at the clock, together about so many. */
static const double WORK = 4e7;
enum { LEAST_STEPS = 8, MOST_STEPS = 1024 };
/* Of the run, and of the chain's longest step. */
static const double LONGEST = 0.01;

/* ---- setting up ---- */

static PetscErrorCode make_ensemble(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkEnsembleNeeds needs = ink_deck_needs(s->deck);
  const int dim = s->model.process.dim;
  int64_t count = ink_deck_integer(s->deck, "particles.count");
  int ranks;
  if (ink_deck_has(s->deck, "particles.start.file") && !ink_deck_has(s->deck, "particles.count"))
    PetscCall(ink_start_count(s->comm, s->deck, &count, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_size(s->comm, &ranks));
  PetscCall(ink_memory_check(s->comm, (double)count / ranks * ink_ensemble_bytes(dim, &needs), failure));
  if (failure->code) {
    char why[sizeof failure->message];
    (void)snprintf(why, sizeof why, "%s", failure->message);
    (void)snprintf(failure->message, sizeof failure->message, "particles.count = %.9g: %.400s", (double)count,
                   why);
    PetscFunctionReturn(0);
  }
  const uint64_t seed = (uint64_t)ink_deck_integer(s->deck, "seed");
  PetscCall(ink_ensemble_create(s->comm, seed, count, dim, &needs, &s->ensemble));
  PetscFunctionReturn(0);
}

static InkPathOptions path_options(const InkParticles *s) {
  InkPathOptions options = {.scheme = s->scheme, .bridge = ink_deck_bool(s->deck, "particles.bridge")};
  for (int a = 0; a < s->mesh->dim; a++) {
    options.from[a] = s->mesh->axis[a].from;
    options.to[a] = s->mesh->axis[a].to;
    options.periodic[a] = s->mesh->axis[a].periodic;
  }
  for (int side = 0; side < INK_SIDES; side++) options.absorbing[side] = s->model.process.absorbing[side];
  options.regions = ink_deck_count(s->deck, "particles.absorbing");
  for (int r = 0; r < options.regions; r++) {
    options.region_name[r] = ink_deck_name(s->deck, "particles.absorbing", r);
    options.region[r] = ink_deck_expression(s->deck, "particles.absorbing.%s", options.region_name[r]);
  }
  return options;
}

/* The step the deck gives, or 0. */
static double given_step(const InkDeck *deck) {
  if (ink_deck_node(deck, "particles.dt")) return ink_deck_number(deck, "particles.dt");
  return ink_deck_node(deck, "time.dt") ? ink_deck_number(deck, "time.dt") : 0;
}

/* The step that is taken, and why, into the plan. chosen: what the scheme asks for. */
static void decide_step(InkParticles *s, double chosen, const char *why) {
  const double given = given_step(s->deck), span = s->end - s->start;
  const char *what = titles[s->scheme], *unit = ink_deck_seconds(s->deck);
  if (given > 0) {
    s->dt_longest = given;
    (void)snprintf(s->plan.reason, sizeof s->plan.reason, "%s in steps of %.6g%s, as the deck says", what,
                   given, unit);
    return;
  }
  s->dt_longest = chosen < LONGEST * span ? chosen : LONGEST * span;
  (void)snprintf(s->plan.reason, sizeof s->plan.reason, "%s in steps of %.6g%s: %s", what, s->dt_longest,
                 unit, chosen < LONGEST * span ? why : "a hundredth of the run");
}

static PetscErrorCode make_paths(InkParticles *s, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkSde sde;
  char why[400] = "";
  if (s->compares) PetscCall(ink_beside_create(s, failure));
  if (!s->compares) PetscCall(ink_mesh_create(s->comm, s->deck, &s->mesh, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  ink_sde_read(&s->model, s->scheme, pool, &sde);
  const InkPathOptions options = path_options(s);
  PetscCall(ink_paths_create(&sde, &options, &s->paths, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  double chosen = ink_sde_step(&sde, options.from, options.to, s->start, why, sizeof why);
  if (s->scheme == INK_EXACT && !s->ensemble->fate) chosen = INFINITY; /* only walls ask for short steps */
  decide_step(s, chosen, why);
  ink_paths_mover(s->paths, &s->mover);
  s->plan.order = s->scheme == INK_EXACT ? 0 : 1;
  PetscFunctionReturn(0);
}

/* The shortest of the chain's longest steps at some times of the run. */
static PetscErrorCode chain_step(InkParticles *s, double *dt) {
  PetscFunctionBeginUser;
  enum { LOOKS = 16 };
  *dt = INFINITY;
  for (int i = 0; i <= LOOKS; i++) {
    double here;
    PetscCall(ink_cell_chain_longest(s->chain, s->start + (s->end - s->start) * i / LOOKS, &here));
    if (!(here >= *dt)) *dt = isnan(*dt) ? *dt : here; /* NaN: the process is undefined, which a step tells */
  }
  PetscFunctionReturn(0);
}

/* What the cells are too wide for. */
static PetscErrorCode chain_remark(InkParticles *s) {
  PetscFunctionBeginUser;
  double peclet;
  PetscCall(ink_cell_chain_peclet(s->chain, &peclet));
  const size_t used = strlen(s->plan.reason);
  char *more = s->plan.reason + used;
  const size_t room = sizeof s->plan.reason - used;
  if (isinf(peclet))
    (void)snprintf(more, room,
                   "; where nothing diffuses the chain carries particles upwind, which spreads them: by less "
                   "with more cells");
  else if (peclet > 0.2)
    (void)snprintf(more, room,
                   "; the drift carries particles up to |b h/D| = %.3g a cell: above 0.2 the chain spreads "
                   "more than the process does, take more cells",
                   peclet);
  PetscFunctionReturn(0);
}

static PetscErrorCode make_chain(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  double longest;
  PetscCall(ink_mesh_create(s->comm, s->deck, &s->mesh, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_cell_chain_create(s->comm, s->deck, &s->model.process, &s->chain, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(chain_step(s, &longest));
  decide_step(s, ink_explicit_fraction * longest, "nine tenths of the longest with probabilities >= 0");
  if (s->dt_longest > longest * (1 + 1e-9))
    ink_fail(failure, INK_USAGE,
             "particles.dt = %.6g is above %.6g, the longest step in which no particle jumps with a "
             "probability above 1; lower it, leave it out, or take fewer cells",
             s->dt_longest, longest);
  PetscCall(chain_remark(s));
  s->plan.order = 1;
  if (!s->reverse) ink_cell_chain_forward(s->chain, &s->mover);
  PetscFunctionReturn(0);
}

/* ---- where they start ---- */

/* Particles of a chain that start at places: the cells they are in. */
static PetscErrorCode enter_cells(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkEnsemble *e = s->ensemble;
  const InkMesh *mesh = ink_cell_chain_mesh(s->chain);
  const double *mass = ink_cell_chain_mass(s->chain);
  for (int64_t i = 0; i < e->n && !failure->code; i++) {
    double at[3] = {0, 0, 0};
    for (int a = 0; a < e->dim; a++) at[a] = e->x[a][i];
    const int64_t cell = ink_cell_chain_cell(s->chain, at);
    int64_t index[3] = {cell % mesh->axis[0].cells, cell / mesh->axis[0].cells % mesh->axis[1].cells,
                        cell / mesh->axis[0].cells / mesh->axis[1].cells};
    e->cell[i] = (double)cell;
    for (int a = 0; a < e->dim; a++) e->x[a][i] = mesh->axis[a].centroid[index[a]];
    if (s->reverse && !(mass[cell] > 0)) {
      char place[160];
      double centre[3] = {0, 0, 0};
      for (int a = 0; a < e->dim; a++) centre[a] = e->x[a][i];
      ink_mesh_place(mesh, index, centre, place, sizeof place);
      ink_fail(failure, INK_USAGE,
               "particles.start: particle %lld starts in %s, where the density at time.end is 0: no path of "
               "the process ends there, so there is none to go back",
               (long long)(e->first + i), place);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode place_particles(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  if (ink_start_is_given(s->deck)) {
    PetscCall(ink_start_given(s->deck, s->ensemble, failure));
    PetscCall(ink_failure_agree(s->comm, failure));
    if (s->chain && !failure->code) PetscCall(enter_cells(s, failure));
  } else if (s->chain) {
    ink_cell_chain_draw(s->chain, ink_cell_chain_mass(s->chain), s->ensemble);
  } else {
    PetscCall(ink_start_initial(s->deck, s->ensemble, failure));
  }
  PetscCall(ink_failure_agree(s->comm, failure));
  s->counted = false;
  PetscFunctionReturn(0);
}

/* ---- the whole ---- */

static PetscErrorCode set_up(InkParticles *s, InkPool *pool, InkFailure *failure) {
  PetscFunctionBeginUser;
  ink_model_read(s->deck, pool, &s->model);
  PetscCall(make_ensemble(s, failure));
  if (failure->code) PetscFunctionReturn(0);
  if (s->scheme == INK_JUMP)
    PetscCall(make_chain(s, failure));
  else
    PetscCall(make_paths(s, pool, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_particles_make_fields(s, failure));
  if (!failure->code && !s->reverse) PetscCall(place_particles(s, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode particles_destroy(void **self) {
  PetscFunctionBeginUser;
  InkParticles *s = *self;
  if (!s) PetscFunctionReturn(0);
  PetscCall(ink_paths_destroy(&s->paths));
  PetscCall(ink_cell_chain_destroy(&s->chain));
  PetscCall(ink_beside_destroy(s));
  PetscCall(ink_ensemble_destroy(&s->ensemble));
  PetscCall(ink_particles_free_fields(s));
  PetscCall(PetscFree(s->lattice));
  if (s->mesh) PetscCall(ink_mesh_destroy(&s->mesh));
  ink_pool_destroy(&s->pool);
  PetscCall(PetscFree(s));
  *self = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode particles_create(MPI_Comm comm, const InkDeck *deck, void **self, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkParticles *s;
  PetscCall(PetscNew(&s));
  *self = s;
  s->comm = comm;
  s->deck = deck;
  s->scheme = ink_deck_scheme(deck);
  s->reverse = ink_deck_is_reverse(deck);
  s->compares = ink_deck_compares(deck);
  s->start = s->now = ink_deck_number(deck, "time.start");
  s->end = ink_deck_number(deck, "time.end");
  s->pool = ink_pool_create();
  PetscCall(set_up(s, s->pool, failure));
  if (failure->code) PetscCall(particles_destroy(self));
  PetscFunctionReturn(0);
}

/* ---- the plan ---- */

static PetscErrorCode particles_plan(void *self, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  const InkEnsembleNeeds needs = ink_deck_needs(s->deck);
  int ranks;
  PetscCallMPI(MPI_Comm_size(s->comm, &ranks));
  const double each = (double)s->ensemble->count / ranks;
  /* Measured, a particle and step. */
  const double seconds = s->paths ? 0.11e-9 * ink_paths_operations(s->paths) : 8e-9;
  *plan = s->plan;
  plan->cells = (double)s->ensemble->count;
  plan->counts = "particles";
  plan->dt = s->dt_longest;
  plan->steps = ceil((s->end - s->start) / s->dt_longest);
  plan->bytes_per_rank = each * ink_ensemble_bytes(s->ensemble->dim, &needs) + 24.0 * (double)s->mesh->cells;
  plan->seconds = plan->steps * each * seconds;
  (void)snprintf(plan->method, sizeof plan->method, "%s%s", s->reverse ? "reversed " : "",
                 methods[s->scheme]);
  PetscFunctionReturn(0);
}

/* ---- the way through time ---- */

/* Steps that lead from one time to the next target. The same after a restart in the middle. */
static void lay_steps(InkParticles *s, double until) {
  if (s->now < s->span.to && s->span.to == until) return; /* on the way */
  const double length = until - s->now;
  double steps = ceil(length / s->dt_longest * (1 - 1e-12));
  s->span = (InkSpan){.from = s->now, .to = until, .count = steps < 1 ? 1 : (int64_t)steps};
}

static double step_time(const InkParticles *s, int64_t k) {
  if (k >= s->span.count) return s->span.to;
  return s->span.from + (s->span.to - s->span.from) * ((double)k / (double)s->span.count);
}

/* The times of the run's steps, between the targets; those of the density are the same, seen from the end. */
static PetscErrorCode particles_targets(void *self, int count, const double *time, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  double *forward;
  int64_t n = 0;
  if (!s->reverse) PetscFunctionReturn(0);
  const double now = s->now;
  for (int pass = 0; pass < 2; pass++) {
    n = 0;
    s->now = s->start;
    for (int i = 0; i < count; i++) {
      lay_steps(s, time[i]);
      for (int64_t k = 0; pass == 1 && k < s->span.count; k++) s->lattice[n + k] = step_time(s, k);
      n += s->span.count;
      s->now = time[i];
    }
    if (pass == 0) PetscCall(PetscMalloc1((size_t)n + 1, &s->lattice));
  }
  s->lattice[n] = s->now;
  s->steps = n;
  s->now = now;
  s->span = (InkSpan){0};
  PetscCall(PetscMalloc1((size_t)n + 1, &forward));
  for (int64_t k = 0; k <= n; k++) forward[k] = s->start + (s->lattice[n] - s->lattice[n - k]);
  PetscCall(ink_cell_chain_reverse(s->chain, n, forward, &s->mover, failure));
  PetscCall(PetscFree(forward));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (!failure->code) PetscCall(place_particles(s, failure));
  PetscFunctionReturn(0);
}

/* Takes up to `most` steps on the way that is laid. */
static PetscErrorCode take_steps(InkParticles *s, int most, InkProgress *progress) {
  PetscFunctionBeginUser;
  double time[MOST_STEPS + 1];
  const int64_t left = s->span.count - s->span.done;
  InkSchedule schedule = {.first = s->step, .count = left < most ? (int)left : most, .time = time};
  for (int k = 0; k <= schedule.count; k++) time[k] = step_time(s, s->span.done + k);
  if (!s->gone) PetscCall(s->mover.advance(s->mover.context, s->ensemble, &schedule, &progress->failure));
  PetscCall(ink_failure_agree(s->comm, &progress->failure));
  s->span.done += schedule.count;
  s->step += schedule.count;
  s->now = time[schedule.count];
  progress->dt = time[schedule.count] - time[schedule.count - 1];
  s->counted = false;
  PetscFunctionReturn(0);
}

/* "of 200000 particles 12 are inside, 29123 were absorbed at x_min": where they are at the end. */
static PetscErrorCode tell_fates(InkParticles *s) {
  PetscFunctionBeginUser;
  int64_t number[INK_FATES], inside;
  PetscCall(ink_ensemble_fates(s->ensemble, number, &inside));
  (void)snprintf(s->note, sizeof s->note, "of %lld particles %lld are inside", (long long)s->ensemble->count,
                 (long long)inside);
  for (int f = 0; f < INK_FATES; f++) {
    const size_t used = strlen(s->note);
    if (number[f] == 0) continue;
    const char *name = f < INK_SIDES ? ink_side_name(s->mesh, f)
                                     : ink_deck_name(s->deck, "particles.absorbing", f - INK_SIDES);
    (void)snprintf(s->note + used, sizeof s->note - used, ", %lld were absorbed at %s", (long long)number[f],
                   name);
  }
  PetscFunctionReturn(0);
}

/* At a target: the density beside paths, and whether anyone is left. */
static PetscErrorCode arrive(InkParticles *s, InkProgress *progress) {
  PetscFunctionBeginUser;
  int64_t fates[INK_FATES], inside = s->ensemble->count;
  if (s->beside) PetscCall(ink_beside_advance(s, s->now, progress));
  if (s->ensemble->fate && !s->chain) PetscCall(ink_ensemble_fates(s->ensemble, fates, &inside));
  s->gone = inside == 0;
  if (s->now < s->end || progress->failure.code) PetscFunctionReturn(0);
  if (s->ensemble->fate) PetscCall(tell_fates(s));
  if (s->compares) {
    const size_t used = strlen(s->note);
    if (used > 0) (void)snprintf(s->note + used, sizeof s->note - used, "; ");
    PetscCall(ink_particles_compare(s, s->note + strlen(s->note), sizeof s->note - strlen(s->note)));
  }
  if (*s->note) progress->note = s->note;
  PetscFunctionReturn(0);
}

/* Has the run taken all the steps that the deck allows? Then it fails, before its end. */
static bool used_up(InkParticles *s, InkProgress *progress) {
  if (!ink_deck_has(s->deck, "time.max_steps")) return false;
  const int64_t most = ink_deck_integer(s->deck, "time.max_steps");
  if (s->step < most) return false;
  ink_fail(
      &progress->failure, INK_NUMERICAL,
      "time.max_steps = %lld steps were taken and t = %.9g%s is reached, dt = %.3g; raise time.max_steps, "
      "or allow longer steps (particles.dt)",
      (long long)most, s->now, ink_deck_seconds(s->deck), s->dt_longest);
  return true;
}

static PetscErrorCode particles_advance(void *self, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  PetscBool due = PETSC_FALSE;
  int ranks;
  PetscCallMPI(MPI_Comm_size(s->comm, &ranks));
  const double wanted = WORK * ranks / (double)s->ensemble->count;
  int64_t most = wanted < LEAST_STEPS  ? LEAST_STEPS
                 : wanted < MOST_STEPS ? (int64_t)wanted / 4 * 4
                                       : MOST_STEPS;
  if (ink_deck_has(s->deck, "time.max_steps")) {
    const int64_t left = ink_deck_integer(s->deck, "time.max_steps") - s->step;
    if (left > 0 && left < most) most = left;
  }
  if (s->refused.code) progress->failure = s->refused;
  if (s->refused.code) PetscFunctionReturn(0);
  lay_steps(s, until);
  while (s->now < until && !due && !progress->failure.code && !used_up(s, progress)) {
    PetscCall(take_steps(s, (int)most, progress));
    if (clock) PetscCall(ink_clock_due(clock, &due));
  }
  if (s->now >= until && !progress->failure.code) PetscCall(arrive(s, progress));
  progress->now = s->now;
  progress->step = s->step;
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

enum { SPAN_NUMBERS = 3, COUNTS = 4 };

/* What a reversed run's steps are: it cannot go on with others. */
static double lattice_mark(const InkParticles *s) {
  double mark = 0;
  for (int64_t k = 0; s->lattice && k <= s->steps; k++) mark += s->lattice[k] * (double)(k + 1);
  return mark;
}

static PetscErrorCode particles_save(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  const double numbers[SPAN_NUMBERS + 1] = {s->now, s->span.from, s->span.to, lattice_mark(s)};
  const int64_t counts[COUNTS] = {s->step, s->span.count, s->span.done, s->gone};
  PetscCall(ink_store_group(store, "/state"));
  PetscCall(ink_ensemble_save(s->ensemble, store));
  PetscCall(ink_store_write_numbers(store, "/state/span", SPAN_NUMBERS + 1, numbers));
  PetscCall(ink_store_write_integers(store, "/state/counts", COUNTS, counts));
  if (s->beside) PetscCall(ink_beside_save(s, store));
  if (s->chain) PetscCall(ink_cell_chain_save(s->chain, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode particles_load(void *self, InkStore *store) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  double numbers[SPAN_NUMBERS + 1] = {0};
  int64_t counts[COUNTS] = {0};
  PetscCall(ink_ensemble_load(s->ensemble, store));
  PetscCall(ink_store_read_numbers(store, "/state/span", SPAN_NUMBERS + 1, numbers));
  PetscCall(ink_store_read_integers(store, "/state/counts", COUNTS, counts));
  s->now = numbers[0];
  s->step = counts[0];
  s->span = (InkSpan){.from = numbers[1], .to = numbers[2], .count = counts[1], .done = counts[2]};
  s->gone = counts[3] != 0;
  s->counted = false;
  if (s->beside) PetscCall(ink_beside_load(s, store));
  if (s->chain) PetscCall(ink_cell_chain_load(s->chain, s->step, store));
  if (s->reverse && numbers[3] != lattice_mark(s))
    ink_fail(&s->refused, INK_USAGE,
             "time.end or the times of output have changed: the steps of a reversed run are those of its "
             "density and cannot; choose another --output");
  PetscFunctionReturn(0);
}

static PetscErrorCode particles_fields(void *self, const InkField **fields, int *count) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  PetscCall(ink_particles_count(s));
  *fields = s->field;
  *count = s->fields;
  PetscFunctionReturn(0);
}

static bool particles_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                              size_t size) {
  InkRequest request;
  const bool defined = ink_request_read(deck, query, &request, message, size);
  if (defined) *dim = request.dim;
  return defined;
}

const InkSolverType ink_particles = {
    .name = "particles",
    .summary =
        "paths of stochastic differential equations, jump processes on cells, and these reversed in time",
    .methods = methods,
    .draws = true,
    .schema = {.tables = ink_particles_tables,
               .fields = ink_particles_fields,
               .axes = ink_model_axes,
               .field_dim = ink_particles_field_dim,
               .unit = ink_particles_unit},
    .check = ink_particles_check,
    .create = particles_create,
    .targets = particles_targets,
    .plan = particles_plan,
    .fields = particles_fields,
    .advance = particles_advance,
    .defined = particles_defined,
    .quantity = ink_particles_quantity,
    .save = particles_save,
    .load = particles_load,
    .destroy = particles_destroy};
