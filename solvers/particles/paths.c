/* Paths: compiles an equation, and takes blocks of particles through a schedule. See paths.h.
 *
 * A block stays in the first-level cache for all steps of the schedule; normal deviates are drawn for it four
 * steps at a time. A particle's step is a function of its place, the step's times, and (seed, particle, step)
 * alone: no bit depends on where a schedule begins, on blocks passed over, or on the ranks. */
#include "paths_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory: arrays of a block, one after the other ---- */

/* Gives out arrays; without memory it only counts. */
typedef struct InkShelf {
  double *memory;
  size_t used;
} InkShelf;

static double *put(InkShelf *shelf, size_t doubles) {
  double *at = shelf->memory ? shelf->memory + shelf->used : NULL;
  shelf->used += (doubles + INK_LINE - 1) / INK_LINE * INK_LINE;
  return at;
}

static void lay_out_block(InkPaths *p, InkShelf *shelf) {
  InkPathBlock *block = &p->block;
  for (int a = 0; a < p->sde.dim; a++) {
    block->x[a] = put(shelf, INK_BLOCK);
    block->y[a] = put(shelf, INK_BLOCK);
  }
  for (int k = 0; k < p->deviates; k++) block->z[k] = put(shelf, INK_DRAWS * INK_BLOCK);
  for (int set = 0; set < (p->option.scheme == INK_HEUN ? 2 : 1); set++)
    for (int o = 0; o < p->outputs; o++) p->out[set][o] = put(shelf, INK_BLOCK);
  block->fate = put(shelf, INK_BLOCK);
  block->when = put(shelf, INK_BLOCK);
  for (int a = 0; a < p->sde.dim; a++) block->predicted[a] = put(shelf, INK_BLOCK);
  block->part = put(shelf, INK_BLOCK);
  block->taker = put(shelf, INK_BLOCK);
  for (int a = 0; a < p->sde.dim; a++)
    if (!p->axis[a].periodic) block->uniform[2 * a] = put(shelf, INK_DRAWS * INK_BLOCK);
  for (int r = 0; r < p->option.regions; r++) {
    block->uniform[INK_SIDES + r] = put(shelf, INK_DRAWS * INK_BLOCK);
    for (int row = 0; row < INK_GAP_ROWS; row++)
      for (int end = 0; end < 2; end++) block->gap[end][r][row] = put(shelf, INK_BLOCK);
  }
}

/* ---- compiling ---- */

/* What the program computes, in the making. */
typedef struct InkOutputs {
  const InkExpr *tree[INK_OUTPUTS];
  int count;
} InkOutputs;

/* One more output, unless e is a number. */
static void list(const InkExpr *e, InkOutputs *outputs) {
  if (e && !ink_expr_is_constant(e)) outputs->tree[outputs->count++] = e;
}

/* Is there a coefficient? */
static bool present(const InkExpr *e) {
  return e && !(ink_expr_is_constant(e) && ink_expr_value(e, NULL) == 0.0);
}

/* Walks through the coefficients in a fixed order, twice: to list the outputs, then to say where values lie.
 */
typedef struct InkBinder {
  InkPaths *paths;
  InkShelf *shelf; /* of numbers */
  int set, next;
} InkBinder;

static InkValues bind(InkBinder *b, const InkExpr *e) {
  if (e && !ink_expr_is_constant(e)) return (InkValues){b->paths->out[b->set][b->next++], INK_WIDTH};
  double *number = put(b->shelf, INK_LINE);
  for (int k = 0; k < INK_LINE && number; k++) number[k] = e ? ink_expr_value(e, NULL) : 0.0;
  return (InkValues){number, 0};
}

static void bind_set(InkPaths *p, const InkSde *sde, InkShelf *shelf, int set) {
  InkCoefficients *c = &p->at[set];
  InkBinder b = {.paths = p, .shelf = shelf, .set = set};
  memset(c, 0, sizeof *c);
  for (int a = 0; a < sde->dim; a++) {
    c->drift[a] = bind(&b, sde->drift[a]);
    for (int k = 0; k < sde->noises; k++) {
      if (!present(sde->B[a][k])) continue;
      c->B[a][k] = bind(&b, sde->B[a][k]);
      c->noise[a][c->noises[a]++] = (InkTerm){c->B[a][k], k, k};
    }
    for (int j = 0; j < sde->noises; j++)
      for (int k = j; k < sde->noises; k++)
        if (present(sde->second[a][j][k]))
          c->second[a][c->seconds[a]++] = (InkTerm){bind(&b, sde->second[a][j][k]), j, k};
  }
}

static void list_outputs(const InkSde *sde, InkOutputs *outputs) {
  for (int a = 0; a < sde->dim; a++) {
    list(sde->drift[a], outputs);
    for (int k = 0; k < sde->noises; k++) list(sde->B[a][k], outputs);
    for (int j = 0; j < sde->noises; j++)
      for (int k = j; k < sde->noises; k++) list(sde->second[a][j][k], outputs);
  }
}

/* The equation with trees of its own: exact steps are made from them. */
static void copy_equation(InkPaths *p, const InkSde *sde) {
  p->sde = *sde;
  memset(p->sde.second, 0, sizeof p->sde.second);
  for (int a = 0; a < sde->dim; a++) {
    p->sde.drift[a] = sde->drift[a] ? ink_expr_copy(p->pool, sde->drift[a]) : NULL;
    for (int k = 0; k < sde->noises; k++)
      p->sde.B[a][k] = sde->B[a][k] ? ink_expr_copy(p->pool, sde->B[a][k]) : NULL;
    for (int b = 0; b < sde->dim; b++)
      p->sde.D[a][b] = sde->D[a][b] ? ink_expr_copy(p->pool, sde->D[a][b]) : NULL;
  }
}

/* What a step needs the program for: exact ones for bridges only. */
static void stepped_equation(const InkPaths *p, const InkSde *sde, InkSde *stepped) {
  *stepped = *sde;
  if (p->option.scheme != INK_MILSTEIN) memset(stepped->second, 0, sizeof stepped->second);
  if (p->option.scheme == INK_EXACT) memset(stepped->drift, 0, sizeof stepped->drift);
}

static void set_axis(InkPaths *p, const InkSde *sde, int a) {
  InkAxisEnds *axis = &p->axis[a];
  const InkPathOptions *o = &p->option;
  *axis = (InkAxisEnds){.from = o->from[a],
                        .to = o->to[a],
                        .middle = 0.5 * (o->from[a] + o->to[a]),
                        .periodic = o->periodic[a],
                        .steady = true};
  const double rounding = 8.0 * 0x1p-52 * fmax(fabs(axis->from), fabs(axis->to));
  axis->half = 0.5 * (axis->to - axis->from) - rounding;
  axis->bridges = o->bridge && !axis->periodic;
  for (int end = 0; end < 2; end++) axis->absorbing[end] = !axis->periodic && o->absorbing[2 * a + end];
  for (int k = 0; k < sde->noises; k++) {
    if (!present(sde->B[a][k])) continue;
    const bool number = ink_expr_is_constant(sde->B[a][k]);
    const double B = number ? ink_expr_value(sde->B[a][k], NULL) : 0.0;
    axis->steady = axis->steady && number;
    axis->squares += B * B;
    for (int b = 0; b < sde->dim; b++) axis->couples[b] = axis->couples[b] || present(sde->B[b][k]);
  }
}

static InkProgram *compile(int count, const InkExpr *const tree[], const char *what, InkFailure *failure) {
  char message[256] = "";
  InkProgram *program = ink_program_create(count, tree, UINT64_C(1) << INK_VAR_T, message, sizeof message);
  if (!program) ink_fail(failure, INK_USAGE, "%s: %s", what, message);
  return program;
}

static void compile_regions(InkPaths *p, InkFailure *failure) {
  const InkExpr *tree[INK_GAP_ROWS * INK_MAX_REGIONS];
  int count = 0;
  if (p->option.regions == 0) return;
  for (int r = 0; r < p->option.regions; r++) {
    tree[count++] = p->option.region[r];
    for (int a = 0; a < p->sde.dim && p->option.bridge; a++)
      tree[count++] = ink_expr_derivative(p->pool, p->option.region[r], INK_VAR_X + a);
  }
  p->region = compile(count, tree, "particles.absorbing", failure);
}

/* Memory for the block and the numbers, zeroed: lanes nobody uses must not slow the processor down. */
static PetscErrorCode allocate(InkPaths *p, const InkSde *stepped) {
  PetscFunctionBeginUser;
  const int sets = p->option.scheme == INK_HEUN ? 2 : 1;
  InkShelf shelf = {0};
  for (int pass = 0; pass < 2; pass++) {
    lay_out_block(p, &shelf);
    for (int set = 0; set < sets; set++) bind_set(p, stepped, &shelf, set);
    if (pass == 1) break;
    shelf.memory = aligned_alloc(INK_LINE * sizeof(double), shelf.used * sizeof(double));
    PetscCheck(shelf.memory, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a block of particles");
    memset(shelf.memory, 0, shelf.used * sizeof(double));
    p->memory = shelf.memory;
    shelf.used = 0;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_paths_create(const InkSde *sde, const InkPathOptions *options, InkPaths **paths,
                                InkFailure *failure) {
  PetscFunctionBeginUser;
  InkPaths *p;
  InkSde stepped;
  InkOutputs outputs = {.count = 0};
  char message[512];
  PetscCall(PetscNew(&p));
  *paths = p;
  p->pool = ink_pool_create();
  p->option = *options;
  copy_equation(p, sde);
  stepped_equation(p, sde, &stepped);
  p->deviates = sde->noises;
  if (options->scheme == INK_EXACT) {
    p->exact = ink_sde_exact(&p->sde, p->pool, message, sizeof message);
    if (p->exact == INK_EXACT_NONE) ink_fail(failure, INK_USAGE, "%s", message);
    if (p->exact == INK_EXACT_LINEAR) p->deviates = sde->dim;
    PetscCall(PetscMalloc1(INK_EXACT_STEPS, &p->exact_step));
  }
  for (int a = 0; a < sde->dim; a++) set_axis(p, sde, a);
  list_outputs(&stepped, &outputs);
  p->outputs = outputs.count;
  if (outputs.count > 0) p->program = compile(outputs.count, outputs.tree, "model", failure);
  compile_regions(p, failure);
  PetscCall(allocate(p, &stepped));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_paths_destroy(InkPaths **paths) {
  PetscFunctionBeginUser;
  InkPaths *p = *paths;
  if (!p) PetscFunctionReturn(0);
  ink_program_destroy(&p->program);
  ink_program_destroy(&p->region);
  ink_pool_destroy(&p->pool);
  PetscCall(PetscFree(p->exact_step));
  free(p->memory);
  PetscCall(PetscFree(p));
  *paths = NULL;
  PetscFunctionReturn(0);
}

double ink_paths_operations(const InkPaths *p) {
  const double DEVIATE = 30.0, UPDATE = 8.0; /* about */
  const double runs = p->option.scheme == INK_HEUN ? 2.0 : 1.0;
  double operations = DEVIATE * p->deviates + runs * UPDATE * p->sde.dim;
  if (p->program) operations += runs * ink_program_operations(p->program);
  if (p->region) operations += ink_program_operations(p->region) + UPDATE * p->option.regions;
  return operations;
}

/* ---- a block through a schedule ---- */

void ink_paths_evaluate(const InkPaths *p, int at, double *const x[3], double t) {
  if (!p->program) return;
  const double *in[INK_VARS] = {NULL};
  for (int a = 0; a < p->sde.dim; a++) in[INK_VAR_X + a] = x[a];
  in[INK_VAR_T] = &t;
  ink_program_run(p->program, INK_BLOCK, in, p->out[at]);
}

/* Takes in the block of the ensemble at `offset`. */
static void take_in(InkPaths *p, const InkEnsemble *e, int64_t offset) {
  InkPathBlock *block = &p->block;
  const int64_t lanes = e->n - offset < INK_BLOCK ? e->n - offset : INK_BLOCK;
  const size_t bytes = INK_BLOCK * sizeof(double);
  block->inside = 0;
  for (int64_t i = 0; i < INK_BLOCK; i++) {
    block->fate[i] = i >= lanes ? 0.0 : e->fate ? e->fate[offset + i] : INK_INSIDE;
    block->inside += block->fate[i] == INK_INSIDE;
  }
  if (e->when) memcpy(block->when, e->when + offset, bytes);
  for (int a = 0; a < p->sde.dim; a++) {
    memcpy(block->x[a], e->x[a] + offset, bytes);
    block->far[a] = false;
  }
  for (int fate = 0; fate < INK_FATES; fate++) block->drawn[fate] = -1;
  block->hits = 0;
  block->gauged = false;
}

static void give_back(const InkPaths *p, InkEnsemble *e, int64_t offset) {
  const InkPathBlock *block = &p->block;
  const size_t bytes = (size_t)(e->n - offset < INK_BLOCK ? e->n - offset : INK_BLOCK) * sizeof(double);
  for (int a = 0; a < p->sde.dim; a++) memcpy(e->x[a] + offset, block->x[a], bytes);
  if (e->fate) memcpy(e->fate + offset, block->fate, bytes);
  if (e->when) memcpy(e->when + offset, block->when, bytes);
}

/* What the ensemble keeps of a path, from this step's increments. */
static void accumulate(const InkPaths *p, InkEnsemble *e, int64_t offset) {
  const InkPathBlock *block = &p->block;
  if (!e->moved[0] && !e->quadratic[0] && !e->total[0] && !e->length) return;
  for (int64_t i = 0; i < INK_BLOCK; i += INK_WIDTH) {
    InkVector squares = ink_all(0.0);
    for (int a = 0; a < p->sde.dim; a++) {
      const InkVector d = ink_load(block->y[a] + i) - ink_load(block->x[a] + i);
      double *moved = e->moved[a], *quadratic = e->quadratic[a], *total = e->total[a];
      if (moved) ink_store(moved + offset + i, ink_load(moved + offset + i) + d);
      if (quadratic) ink_store(quadratic + offset + i, ink_fma(d, d, ink_load(quadratic + offset + i)));
      if (total) ink_store(total + offset + i, ink_load(total + offset + i) + ink_abs(d));
      squares = ink_fma(d, d, squares);
    }
    if (e->length) ink_store(e->length + offset + i, ink_load(e->length + offset + i) + ink_sqrt(squares));
  }
}

/* One step of the block. */
static void step_block(InkPaths *p, InkEnsemble *e, int64_t offset, const InkStep *step,
                       InkFailure *failure) {
  InkPathBlock *block = &p->block;
  const InkStream noise = {.seed = e->seed};
  ink_paths_scheme(p, step);
  const bool near = block->near[0] || block->near[1] || block->near[2];
  if (near) {
    const int lost = ink_paths_lost(p);
    if (lost >= 0) ink_paths_blame(p, step, lost, failure);
    if (failure->code) return;
    ink_paths_walls(p, &noise, step);
  }
  if (p->option.regions > 0) ink_paths_regions(p, &noise, step, failure);
  if (failure->code) return;
  if (block->hits > 0) ink_paths_absorb(p, step);
  accumulate(p, e, offset);
  for (int a = 0; a < p->sde.dim; a++) {
    if (block->near[a] && p->axis[a].periodic) ink_paths_wrap(&p->axis[a], block->y[a], block->y[a]);
    double *x = block->x[a];
    block->x[a] = block->y[a];
    block->y[a] = x;
  }
}

static void draw(InkPaths *p, uint64_t seed, int64_t four) {
  for (int k = 0; k < p->deviates; k++)
    ink_random_normals_of((InkStream){seed, (uint32_t)(INK_STREAM_NOISE + k)}, p->block.number, INK_BLOCK,
                          (uint64_t)four, p->block.z[k]);
}

static void run_block(InkPaths *p, InkEnsemble *e, int64_t offset, const InkSchedule *schedule,
                      InkFailure *failure) {
  take_in(p, e, offset);
  for (int k = 0; k < schedule->count && p->block.inside > 0 && !failure->code; k++) {
    const double t = schedule->time[k], end = schedule->time[k + 1];
    const InkStep step = {.number = schedule->first + k,
                          .t = t,
                          .end = end,
                          .dt = end - t,
                          .root = sqrt(end - t),
                          .exact = p->exact_step ? &p->exact_step[k] : NULL};
    if (k == 0 || step.number % INK_DRAWS == 0) draw(p, e->seed, step.number / INK_DRAWS);
    step_block(p, e, offset, &step, failure);
  }
  give_back(p, e, offset);
}

/* ---- blocks of an ensemble ---- */

/* The arrays of an ensemble, and room for a block of each in the same order. */
static int columns(InkPaths *p, const InkEnsemble *e, double *from[INK_COLUMNS], double *to[INK_COLUMNS]) {
  InkEnsemble *packed = &p->packed;
  int n = 0;
  *packed = (InkEnsemble){.seed = e->seed, .dim = e->dim};
  for (int a = 0; a < e->dim; a++) {
    double *const array[] = {e->x[a], e->moved[a], e->quadratic[a], e->total[a]};
    double **const room[] = {&packed->x[a], &packed->moved[a], &packed->quadratic[a], &packed->total[a]};
    for (int k = 0; k < 4; k++)
      if (array[k]) {
        from[n] = array[k];
        to[n] = *room[k] = p->room[n];
        n++;
      }
  }
  double *const array[] = {e->length, e->fate, e->when};
  double **const room[] = {&packed->length, &packed->fate, &packed->when};
  for (int k = 0; k < 3; k++)
    if (array[k]) {
      from[n] = array[k];
      to[n] = *room[k] = p->room[n];
      n++;
    }
  return n;
}

/* Takes n particles, at `place` in the arrays, through the schedule as one block. */
static void run_packed(InkPaths *p, InkEnsemble *e, int n, const int64_t place[INK_BLOCK],
                       const InkSchedule *schedule, InkFailure *failure) {
  double *from[INK_COLUMNS], *to[INK_COLUMNS];
  const int count = columns(p, e, from, to);
  if (n == 0) return;
  for (int c = 0; c < count; c++)
    for (int i = 0; i < n; i++) to[c][i] = from[c][place[i]];
  for (int i = 0; i < INK_BLOCK; i++) p->block.number[i] = (uint64_t)(e->first + place[i < n ? i : n - 1]);
  p->packed.n = n;
  run_block(p, &p->packed, 0, schedule, failure);
  for (int c = 0; c < count; c++)
    for (int i = 0; i < n; i++) from[c][place[i]] = to[c][i];
}

/* Blocks that are whole go through the schedule where they are; those inside of others are gathered, so that
 * runs in which most are absorbed cost what is left. */
static void run_all(InkPaths *p, InkEnsemble *e, const InkSchedule *schedule, InkFailure *failure) {
  int64_t place[INK_BLOCK];
  int n = 0;
  for (int64_t offset = 0; offset < e->n && !failure->code; offset += INK_BLOCK) {
    const int64_t end = offset + INK_BLOCK < e->n ? offset + INK_BLOCK : e->n;
    int64_t inside = 0;
    for (int64_t i = offset; i < end; i++) inside += ink_is_inside(e, i);
    if (inside == end - offset) {
      for (int i = 0; i < INK_BLOCK; i++) p->block.number[i] = (uint64_t)(e->first + offset + i);
      run_block(p, e, offset, schedule, failure);
      continue;
    }
    for (int64_t i = offset; i < end && inside > 0 && !failure->code; i++) {
      if (!ink_is_inside(e, i)) continue;
      place[n++] = i;
      if (n < INK_BLOCK) continue;
      run_packed(p, e, n, place, schedule, failure);
      n = 0;
    }
  }
  if (!failure->code) run_packed(p, e, n, place, schedule, failure);
}

static PetscErrorCode advance(void *context, InkEnsemble *e, const InkSchedule *schedule,
                              InkFailure *failure) {
  PetscFunctionBeginUser;
  InkPaths *p = context;
  InkSchedule part = *schedule;
  for (int done = 0; done < schedule->count && !failure->code; done += part.count) {
    part = (InkSchedule){schedule->first + done, schedule->count - done, schedule->time + done};
    if (p->exact_step && part.count > INK_EXACT_STEPS) part.count = INK_EXACT_STEPS;
    for (int k = 0; k < part.count && p->exact_step; k++)
      ink_sde_exact_step(&p->sde, p->exact, part.time[k], part.time[k + 1] - part.time[k], &p->exact_step[k]);
    run_all(p, e, &part, failure);
  }
  PetscFunctionReturn(0);
}

void ink_paths_mover(InkPaths *paths, InkMover *mover) {
  *mover = (InkMover){.context = paths, .advance = advance};
}
