/* The chain on the generator's cells and its time reversal: their laws by enumeration, particles against
 * densities, and the same bits however the work is shared out. */
#include "../../io/store.h"
#include "../../solvers/particles/cell_chain_impl.h"
#include "../../solvers/particles/distance.h"
#include "../unit/deck_text.h"
#include "generator_bench.h"

#define EVEN(FROM, TO, CELLS)                                                                                \
  { .from = FROM, .to = TO, .cells = CELLS }
#define RING(TO, CELLS)                                                                                      \
  { .from = 0, .to = TO, .cells = CELLS, .periodic = true }

static const double LEAST_P = 1e-4; /* the seeds are fixed: a chain that is wrong gives far less */
enum { SEED = 11 };

/* ---- chains and particles ---- */

typedef struct Setting {
  InkPool *pool;
  InkCellChain *chain;
} Setting;

/* The chain of a process, begun with a density. */
static Setting chain_of(const Problem *problem, const char *density) {
  Setting s = {.pool = ink_pool_create()};
  InkFailure none = {0};
  InkMesh *mesh;
  int width;
  const InkProcess process = process_of(problem, s.pool);
  OK(ink_mesh_build(MPI_COMM_SELF, problem->axis, problem->dim, INK_CARTESIAN, &mesh, &none));
  OK(ink_generator_width(mesh, &process, 0.0, &width, &none));
  OK(ink_mesh_destroy(&mesh));
  OK(ink_mesh_build_wide(MPI_COMM_SELF, problem->axis, problem->dim, INK_CARTESIAN, width, &mesh, &none));
  OK(ink_cell_chain_build(PETSC_COMM_WORLD, mesh, &process, 0.0, &s.chain, &none));
  if (none.code) print_error("%s\n", none.message);
  assert_int_equal(none.code, 0);
  const InkExpr *e = parse(s.pool, density);
  double total = 0.0;
  int64_t row = 0;
  EACH_PLACE(mesh, place) {
    const double m = value_at(e, place.x, 0.0) * s.chain->generator->volume[place.cell];
    total += s.chain->start[row++] = m;
  }
  for (row = 0; row < s.chain->cells; row++) s.chain->mass[row] = s.chain->start[row] /= total;
  return s;
}
static void end(Setting *s) {
  OK(ink_cell_chain_destroy(&s->chain));
  ink_pool_destroy(&s->pool);
}

/* Uneven steps, none longer than 0.95 of the longest. */
static void set_times(InkCellChain *chain, int steps, double *time) {
  time[0] = 0.0;
  for (int k = 0; k < steps; k++) {
    double longest;
    OK(ink_cell_chain_longest(chain, time[k], &longest));
    time[k + 1] = time[k] + longest * (0.8 + 0.05 * (k % 4));
  }
}

static InkEnsemble *particles(MPI_Comm comm, const InkCellChain *chain, int64_t count, bool adds) {
  const InkEnsembleNeeds needs = {.absorbs = !chain->generator->conserves,
                                  .moved = adds,
                                  .quadratic = adds,
                                  .total = adds,
                                  .chain = true};
  InkEnsemble *e;
  OK(ink_ensemble_create(comm, SEED, count, chain->mesh->dim, &needs, &e));
  return e;
}

/* Steps first to end - 1 of time[]. */
static void advance(const InkMover *mover, InkEnsemble *e, int first, int last, const double *time) {
  InkFailure failure = {0};
  OK(mover->advance(mover->context, e, &(InkSchedule){first, last - first, time + first}, &failure));
  if (failure.code) print_error("%s\n", failure.message);
  assert_int_equal(failure.code, 0);
}

static void add_ranks(int64_t n, int64_t *counts) {
  OK(MPI_Allreduce(MPI_IN_PLACE, counts, (int)n, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD));
}

/* Particles by row: in cells, and absorbed at sides. */
static void histogram(const InkCellChain *chain, const InkEnsemble *e, int64_t *counts) {
  const int64_t rows = chain->cells + INK_SIDES;
  for (int64_t row = 0; row < rows; row++) counts[row] = 0;
  for (int64_t i = 0; i < e->n; i++)
    counts[ink_is_inside(e, i) ? (int64_t)e->cell[i] : chain->cells + (int64_t)e->fate[i]]++;
  if (e->comm == PETSC_COMM_WORLD) add_ranks(rows, counts);
}

static double p_value(const InkCellChain *chain, const InkEnsemble *e, const double *mass) {
  int64_t *counts = calloc((size_t)chain->cells + INK_SIDES, sizeof *counts);
  histogram(chain, e, counts);
  const double p = ink_chi_squared(chain->cells + INK_SIDES, counts, e->count, mass).p_value;
  free(counts);
  return p;
}
#define LIKELY(p)   TRUE_OR_SAY((p) >= LEAST_P, "line %d: p = %g\n", __LINE__, p)
#define UNLIKELY(p) TRUE_OR_SAY((p) < 1e-9, "line %d: p = %g\n", __LINE__, p)

/* ---- forward ---- */

static const Problem problems[] = {
    {1,
     {{.from = -1, .to = 2, .cells = 30, .grading = 1.05}},
     {"x - x^3"},
     {"0.2 + 0.1*x^2"},
     {true, false},
     0},
    {1, {RING(3, 20)}, {"1 + sin(2*pi*x/3)"}, {"0.2"}, {0}, 0},
    {2,
     {EVEN(-1, 1, 14), EVEN(-1, 1, 12)},
     {"-x", "y"},
     {"0.7525", "0.2575", NULL, "0.99*sqrt(3)/4"},
     {true, false, false, true},
     0},
    {2, {EVEN(-1, 1, 12), RING(2, 11)}, {"y", "3"}, {"0.3", "0.2", NULL, "0.1*x"}, {false, true}, 0},
    {2, {EVEN(0, 1, 9), EVEN(0, 1, 10)}, {"1 - y", "x"}, {"0.1", "0.05 + 0.1*y"}, {0}, 0},
    {1, {EVEN(-1, 1, 25)}, {"2*cos(30*t)"}, {"0.3 + 0.2*sin(20*t)"}, {true, true}, 0},
    {2, {EVEN(-1, 1, 10), EVEN(-1, 1, 9)}, {"-x", "y"}, {"1", "1", NULL, "0.9*cos(9*t)"}, {0}, 2},
    {3,
     {EVEN(-1, 1, 6), RING(1, 5), EVEN(0, 1, 4)},
     {"y", "1", "-z"},
     {"0.2", "0.1", "0.1"},
     {true, false, false, false, false, true},
     0},
};
static const char *const start[] = {"exp(-4*(x - 0.5)^2)",
                                    "if(x < 1, 1, 0.1)",
                                    "1 + x*y",
                                    "exp(-x^2)",
                                    "x + y",
                                    "1 - x^2",
                                    "exp(-x^2 - y^2)",
                                    "1 + z"};
enum { PROBLEMS = sizeof problems / sizeof *problems, STEPS = 22, COUNT = 40000 };

/* What a step absorbs at each side, onto what was absorbed before. */
static void absorb_masses(const InkCellChain *chain, double dt, double *mass) {
  const InkGenerator *g = chain->generator;
  int64_t row = 0;
  EACH_PLACE(chain->mesh, place) {
    for (int side = 0; side < INK_SIDES; side++)
      if (g->exit[side])
        mass[chain->cells + side] +=
            dt * g->exit[side][place.cell] / g->volume[place.cell] * chain->mass[row];
    row++;
  }
}

/* Nothing is lost, and the density is that of the generator's own explicit steps. */
static void check_density(const InkCellChain *chain, const double *mass, const double *p) {
  double total = 0.0, most = 0.0;
  int64_t row = 0;
  for (int64_t i = 0; i < chain->cells + INK_SIDES; i++) total += mass[i];
  TRUE_OR_SAY(fabs(total - 1.0) < 2e-14, "mass %.17g\n", total);
  EACH_PLACE(chain->mesh, place) {
    most = fmax(most, fabs(p[place.cell] * chain->generator->volume[place.cell] - mass[row]));
    assert_true(mass[row++] >= 0.0);
  }
  TRUE_OR_SAY(most < 1e-14, "masses differ by %g\n", most);
}

static void particles_follow_the_density_of(int n) {
  Setting s = chain_of(&problems[n], start[n]);
  InkCellChain *chain = s.chain;
  InkEnsemble *e = particles(PETSC_COMM_WORLD, chain, COUNT, false);
  InkMover mover;
  InkSystem system;
  double time[STEPS + 1], *mass = calloc((size_t)chain->cells + INK_SIDES, sizeof *mass), *p, *next;
  int64_t row = 0;
  ink_generator_system(chain->generator, &system);
  OK(ink_mesh_array(chain->mesh, &p));
  OK(ink_mesh_array(chain->mesh, &next));
  EACH_PLACE(chain->mesh, place) p[place.cell] = chain->start[row++] / chain->generator->volume[place.cell];
  set_times(chain, STEPS, time);
  ink_cell_chain_forward(chain, &mover);
  ink_cell_chain_draw(chain, chain->start, e);
  memcpy(mass, chain->start, (size_t)chain->cells * sizeof *mass);
  LIKELY(p_value(chain, e, mass));
  for (int k = 0; k < STEPS; k++) {
    OK(system.explicit_step(chain->generator, time[k], time[k + 1] - time[k], false, p, next));
    absorb_masses(chain, time[k + 1] - time[k], mass);
    advance(&mover, e, k, k + 1, time);
    double *const swap = p;
    p = next;
    next = swap;
    memcpy(mass, ink_cell_chain_mass(chain), (size_t)chain->cells * sizeof *mass);
    check_density(chain, mass, p);
    if (k % 7 == 0) LIKELY(p_value(chain, e, mass));
  }
  LIKELY(p_value(chain, e, mass));
  memcpy(mass, chain->start, (size_t)chain->cells * sizeof *mass);
  UNLIKELY(p_value(chain, e, mass)); /* the start's law is another */
  ink_mesh_free(&p);
  ink_mesh_free(&next);
  free(mass);
  OK(ink_ensemble_destroy(&e));
  end(&s);
}
static void particles_follow_the_density(void **state) {
  (void)state;
  for (int n = 0; n < PROBLEMS; n++) particles_follow_the_density_of(n);
}

static void the_absorbed_are_at_their_walls(void **state) {
  (void)state;
  Setting s = chain_of(&problems[2], start[2]);
  const InkMesh *mesh = ink_cell_chain_mesh(s.chain);
  InkEnsemble *e = particles(PETSC_COMM_WORLD, s.chain, COUNT, false);
  InkMover mover;
  double time[STEPS + 1];
  set_times(s.chain, STEPS, time);
  ink_cell_chain_forward(s.chain, &mover);
  ink_cell_chain_draw(s.chain, s.chain->start, e);
  advance(&mover, e, 0, STEPS, time);
  int64_t late = 0;
  for (int64_t i = 0; i < e->n; i++) {
    const double at[3] = {e->x[0][i], e->x[1][i]};
    if (ink_is_inside(e, i)) {
      assert_true(isnan(e->when[i]) && (double)ink_cell_chain_cell(s.chain, at) == e->cell[i]);
      continue;
    }
    const int side = (int)e->fate[i];
    assert_true((side == 0 || side == 3) && e->cell[i] == -1.0);
    assert_true(at[side / 2] == (side % 2 ? mesh->axis[side / 2].to : mesh->axis[side / 2].from));
    bool found = false;
    for (int k = 1; k <= STEPS; k++) found = found || e->when[i] == time[k];
    assert_true(found);
    late += e->when[i] > time[STEPS / 2];
  }
  add_ranks(1, &late);
  assert_true(late > 0);
  OK(ink_ensemble_destroy(&e));
  end(&s);
}

/* ---- the same bits ---- */

static void assert_same(const InkEnsemble *some, const InkEnsemble *all) {
  const double *const array[][2] = {{some->cell, all->cell},         {some->fate, all->fate},
                                    {some->when, all->when},         {some->length, all->length},
                                    {some->x[0], all->x[0]},         {some->x[1], all->x[1]},
                                    {some->moved[0], all->moved[0]}, {some->moved[1], all->moved[1]},
                                    {some->total[0], all->total[0]}, {some->quadratic[1], all->quadratic[1]}};
  for (size_t k = 0; k < sizeof array / sizeof *array; k++)
    if (array[k][0] && some->n > 0)
      assert_memory_equal(array[k][0], array[k][1] + some->first, (size_t)some->n * sizeof(double));
}

/* What a restart after `step` steps does. */
static void carry(const InkCellChain *from, InkCellChain *to, int64_t step) {
  char path[64];
  int pid = (int)getpid();
  InkStore *store;
  InkFailure failure = {0};
  OK(MPI_Bcast(&pid, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  (void)snprintf(path, sizeof path, "cell_chain.%d.h5", pid);
  OK(ink_store_create(PETSC_COMM_WORLD, path, false, &store));
  OK(ink_store_group(store, "/state"));
  OK(ink_cell_chain_save(from, store));
  OK(ink_store_commit(&store, &failure));
  assert_int_equal(failure.code, INK_DONE);
  OK(ink_store_open(PETSC_COMM_WORLD, path, false, &store, &failure));
  assert_non_null(store);
  OK(ink_cell_chain_load(to, step, store));
  OK(ink_store_commit(&store, &failure));
  assert_int_equal(failure.code, INK_DONE);
  if (pid == (int)getpid()) assert_int_equal(unlink(path), 0);
}

/* All particles on one rank in one schedule, against particles that are shared out and cut steps. */
static void check_bits(int n, bool reversed) {
  enum { FEW = 3001 };
  Setting s[2];
  InkEnsemble *e[2];
  InkMover mover[2];
  InkFailure none = {0};
  double time[STEPS + 1];
  for (int k = 0; k < 2; k++) {
    s[k] = chain_of(&problems[n], start[n]);
    e[k] = particles(k ? MPI_COMM_SELF : PETSC_COMM_WORLD, s[k].chain, FEW, true);
    set_times(s[k].chain, STEPS, time);
    if (reversed)
      OK(ink_cell_chain_reverse(s[k].chain, STEPS, time, &mover[k], &none));
    else
      ink_cell_chain_forward(s[k].chain, &mover[k]);
    ink_cell_chain_draw(s[k].chain, ink_cell_chain_mass(s[k].chain), e[k]);
  }
  assert_same(e[0], e[1]);
  static const int cut[] = {0, 1, 3, 4, 9, 17, STEPS};
  for (size_t c = 0; c + 1 < sizeof cut / sizeof *cut; c++) {
    advance(&mover[0], e[0], cut[c], cut[c + 1], time);
    carry(s[0].chain, s[1].chain, cut[c + 1]);
    assert_memory_equal(s[0].chain->mass, s[1].chain->mass, (size_t)s[0].chain->cells * sizeof(double));
  }
  if (reversed)
    OK(ink_chain_history_recall(s[1].chain, STEPS));
  else
    memcpy(s[1].chain->mass, s[1].chain->start, (size_t)s[1].chain->cells * sizeof(double));
  advance(&mover[1], e[1], 0, STEPS, time);
  assert_same(e[0], e[1]);
  for (int k = 0; k < 2; k++) {
    OK(ink_ensemble_destroy(&e[k]));
    end(&s[k]);
  }
}
static void bits_do_not_depend_on_ranks_and_cuts(void **state) {
  (void)state;
  for (int n = 0; n < PROBLEMS; n++) {
    check_bits(n, false);
    check_bits(n, true);
  }
}

/* ---- what is added up on the way ---- */

typedef struct Sample {
  double mean, error;
} Sample;
static Sample mean_of(const InkEnsemble *e, const double *value) {
  double sum[2] = {0.0, 0.0};
  for (int64_t i = 0; i < e->n; i++) sum[0] += value[i];
  OK(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  const double mean = sum[0] / (double)e->count;
  for (int64_t i = 0; i < e->n; i++) sum[1] += (value[i] - mean) * (value[i] - mean);
  OK(MPI_Allreduce(MPI_IN_PLACE, sum + 1, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  return (Sample){mean, sqrt(sum[1]) / (double)e->count};
}
static void near(Sample sample, double expected) {
  TRUE_OR_SAY(fabs(sample.mean - expected) <= 4.5 * sample.error, "%.9g +- %.3g, not %.9g\n", sample.mean,
              sample.error, expected);
  assert_true(sample.error > 0.0 && sample.error < 0.05 * fabs(expected));
}

/* On a ring the mean way is b t, unfolded, and the squares of the jumps add up to 2 D t and what the
 * generator's upwind diffusion adds. */
static void ways_are_unfolded(void **state) {
  (void)state;
  static const Problem ring = {1, {RING(3, 12)}, {"4"}, {"0.5"}, {0}, 0};
  Setting s = chain_of(&ring, "if(x < 0.5, 1, 0)");
  InkCellChain *chain = s.chain;
  InkEnsemble *e = particles(PETSC_COMM_WORLD, chain, COUNT, true);
  enum { MANY = 150 };
  double time[MANY + 1], *from = calloc((size_t)e->n + 1, sizeof *from);
  InkMover mover;
  set_times(chain, MANY, time);
  ink_cell_chain_forward(chain, &mover);
  ink_cell_chain_draw(chain, chain->start, e);
  if (e->n) memcpy(from, e->x[0], (size_t)e->n * sizeof *from);
  advance(&mover, e, 0, MANY, time);
  const double h = 0.25, rate = chain->largest, turns = mean_of(e, e->moved[0]).mean / 3.0;
  assert_true(turns > 2.0);
  near(mean_of(e, e->moved[0]), 4.0 * time[MANY]);
  near(mean_of(e, e->quadratic[0]), h * h * rate * time[MANY]);
  near(mean_of(e, e->total[0]), h * rate * time[MANY]);
  for (int64_t i = 0; i < e->n; i++) {
    const double folded = e->moved[0][i] - (e->x[0][i] - from[i]);
    assert_true(fabs(folded - 3.0 * round(folded / 3.0)) < 1e-11);
    assert_true(fabs(e->length[i] - e->total[0][i]) < 1e-11);
  }
  free(from);
  OK(ink_ensemble_destroy(&e));
  end(&s);
}

/* Jumps along the offsets of a full matrix, through both seams; without drift <dx dy> is 2 D_xy t. */
static void ways_through_corners_are_unfolded(void **state) {
  (void)state;
  static const Problem torus[] = {
      {2, {RING(1, 7), RING(2, 9)}, {"3", "-2"}, {"0.1", "0.9", NULL, "0.28"}, {0}, 0},
      {2, {RING(1, 7), RING(2, 9)}, {NULL}, {"0.1", "0.9", NULL, "0.28"}, {0}, 0}};
  enum { MANY = 120 };
  for (int c = 0; c < 2; c++) {
    Setting s = chain_of(&torus[c], "1");
    assert_true(s.chain->generator->directions > 2);
    InkEnsemble *e = particles(PETSC_COMM_WORLD, s.chain, COUNT, true);
    double time[MANY + 1], *product = calloc((size_t)e->n + 1, sizeof *product);
    InkMover mover;
    set_times(s.chain, MANY, time);
    ink_cell_chain_forward(s.chain, &mover);
    ink_cell_chain_draw(s.chain, s.chain->start, e);
    advance(&mover, e, 0, MANY, time);
    for (int64_t i = 0; i < e->n; i++) {
      assert_true(e->length[i] <= (e->total[0][i] + e->total[1][i]) * (1.0 + 1e-12));
      assert_true(e->length[i] >= hypot(e->moved[0][i], e->moved[1][i]) * (1.0 - 1e-12));
      product[i] = e->moved[0][i] * e->moved[1][i];
    }
    if (c == 0) {
      near(mean_of(e, e->moved[0]), 3.0 * time[MANY]);
      near(mean_of(e, e->moved[1]), -2.0 * time[MANY]);
    } else {
      near(mean_of(e, product), 2.0 * 0.28 * time[MANY]);
      near(mean_of(e, e->quadratic[0]), 2.0 * 0.1 * time[MANY]);
      near(mean_of(e, e->quadratic[1]), 2.0 * 0.9 * time[MANY]);
    }
    free(product);
    OK(ink_ensemble_destroy(&e));
    end(&s);
  }
}

/* ---- reversed ---- */

/* Five cells and seven steps: all that can happen. */
enum { SMALL = 5, SHORT = 7 };
static const Problem small[] = {
    {1,
     {{.from = -1, .to = 1, .cells = SMALL, .grading = 1.2}},
     {"3*x - 4*x^3 + 1"},
     {"0.4 + 0.3*x"},
     {0},
     0},
    {1, {{.from = -1, .to = 1, .cells = SMALL, .grading = 0.8}}, {"1 - x"}, {"0.4 + 0.3*x"}, {true, true}, 0},
    {1, {RING(1, SMALL)}, {"2*sin(2*pi*x)"}, {"0.2"}, {0}, 0},
    {1, {EVEN(-1, 1, SMALL)}, {"x + 10*t"}, {"0.4 + t"}, {false, true}, 0}};
enum { SMALLS = sizeof small / sizeof *small };

typedef double Matrix[SMALL][SMALL];

static void multiply(Matrix a, Matrix b, Matrix product) {
  for (int i = 0; i < SMALL; i++)
    for (int j = 0; j < SMALL; j++) {
      product[i][j] = 0.0;
      for (int k = 0; k < SMALL; k++) product[i][j] += a[i][k] * b[k][j];
    }
}

/* Probabilities of a forward step, from the generator's own arrays. */
static void forward_step(const InkGenerator *g, double dt, Matrix P) {
  const int64_t o = g->mesh->origin;
  memset(P, 0, sizeof(Matrix));
  for (int i = 0; i < SMALL; i++) {
    const double V = g->volume[o + i];
    double up = dt * g->up[0][o + i] / V, down = dt * g->down[0][o + i - 1] / V, stays = 1.0 - up - down;
    for (int side = 0; side < 2; side++)
      if (g->exit[side]) stays -= dt * g->exit[side][o + i] / V;
    P[i][(i + 1) % SMALL] += up;
    P[i][(i + SMALL - 1) % SMALL] += down;
    P[i][i] += stays;
  }
}

/* Probabilities of a table's options. */
static void table_step(const InkTable *table, Matrix P) {
  memset(P, 0, sizeof(Matrix));
  for (int j = 0; j < SMALL; j++) {
    double before = 0.0;
    for (int k = 0; k <= table->options; k++) {
      const double limit = k < table->options ? table->number[j * table->options + k] : 1.0;
      assert_true(limit >= before && limit <= 1.0);
      P[j][table->to[j * (table->options + 1) + k]] += limit - before;
      before = limit;
    }
  }
}

/* Joint law of the cells at the start and the end, forward. */
static void joint_law(InkCellChain *chain, const double *time, Matrix joint) {
  memset(joint, 0, sizeof(Matrix));
  for (int i = 0; i < SMALL; i++) joint[i][i] = chain->start[i];
  for (int n = 0; n < SHORT; n++) {
    Matrix P, next;
    OK(ink_generator_at(chain->generator, time[n]));
    forward_step(chain->generator, time[n + 1] - time[n], P);
    multiply(joint, P, next);
    memcpy(joint, next, sizeof(Matrix));
  }
}

/* m_0(i) P_0 .. P_(N-1) (i, j) = m_N(j) P~_(N-1) .. P~_0 (j, i), and each P~_n is Bayes' formula. */
static void reversed_steps_are_those_of_bayes(void **state) {
  (void)state;
  for (int c = 0; c < SMALLS; c++) {
    Setting s = chain_of(&small[c], "1 + 0.8*sin(3*x)");
    InkCellChain *chain = s.chain;
    InkMover mover;
    InkFailure none = {0};
    InkTable back;
    Matrix joint, reversed = {{0}}, P, Q, next;
    double time[SHORT + 1], mass[SHORT + 1][SMALL];
    set_times(chain, SHORT, time);
    joint_law(chain, time, joint);
    OK(ink_table_create(chain->mesh, &back));
    OK(ink_cell_chain_reverse(chain, SHORT, time, &mover, &none));
    for (int n = SHORT; n >= 0; n--) {
      OK(ink_chain_history_recall(chain, n));
      memcpy(mass[n], chain->mass, sizeof mass[n]);
    }
    for (int j = 0; j < SMALL; j++) reversed[j][j] = mass[SHORT][j];
    for (int n = SHORT - 1; n >= 0; n--) {
      OK(ink_cell_chain_back(chain, n, &back, &none));
      table_step(&back, Q);
      OK(ink_generator_at(chain->generator, time[n]));
      forward_step(chain->generator, time[n + 1] - time[n], P);
      for (int i = 0; i < SMALL; i++)
        for (int j = 0; j < SMALL; j++)
          assert_true(fabs(mass[n + 1][j] * Q[j][i] - mass[n][i] * P[i][j]) < 1e-15);
      multiply(reversed, Q, next);
      memcpy(reversed, next, sizeof(Matrix));
    }
    for (int i = 0; i < SMALL; i++)
      for (int j = 0; j < SMALL; j++)
        TRUE_OR_SAY(fabs(reversed[j][i] - joint[i][j]) < 1e-14, "chain %d: <%d, %d> %.17g, not %.17g\n", c, i,
                    j, reversed[j][i], joint[i][j]);
    OK(ink_table_destroy(&back));
    end(&s);
  }
}

/* The same joint law of sampled particles. */
static void reversed_particles_have_the_joint_law(void **state) {
  (void)state;
  enum { MANY = 200000 };
  for (int c = 0; c < SMALLS; c++) {
    Setting s = chain_of(&small[c], "1 + 0.8*sin(3*x)");
    InkCellChain *chain = s.chain;
    InkMover mover;
    InkFailure none = {0};
    Matrix joint;
    double time[SHORT + 1], expected[SMALL * SMALL], other[SMALL * SMALL], total = 0.0;
    int64_t counts[SMALL * SMALL] = {0};
    set_times(chain, SHORT, time);
    joint_law(chain, time, joint);
    OK(ink_cell_chain_reverse(chain, SHORT, time, &mover, &none));
    for (int j = 0; j < SMALL; j++) total += chain->mass[j];
    for (int i = 0; i < SMALL; i++)
      for (int j = 0; j < SMALL; j++) {
        expected[i * SMALL + j] = joint[i][j] / total; /* of those that are there at the end */
        other[i * SMALL + j] = joint[j][i] / total;
      }
    InkEnsemble *e = particles(PETSC_COMM_WORLD, chain, MANY, false);
    double *last = calloc((size_t)e->n + 1, sizeof *last);
    ink_cell_chain_draw(chain, ink_cell_chain_mass(chain), e);
    if (e->n) memcpy(last, e->cell, (size_t)e->n * sizeof *last);
    advance(&mover, e, 0, SHORT, time);
    for (int64_t i = 0; i < e->n; i++) counts[(int)e->cell[i] * SMALL + (int)last[i]]++;
    add_ranks(SMALL * SMALL, counts);
    LIKELY(ink_chi_squared(SMALL * SMALL, counts, MANY, expected).p_value);
    UNLIKELY(ink_chi_squared(SMALL * SMALL, counts, MANY, other).p_value);
    free(last);
    OK(ink_ensemble_destroy(&e));
    end(&s);
  }
}

/* Masses of those that are there, made 1. */
static void normalise(int64_t n, const double *mass, double *out) {
  double total = 0.0;
  for (int64_t i = 0; i < n; i++) total += mass[i];
  for (int64_t i = 0; i < n; i++) out[i] = mass[i] / total;
}

/* m_0(i) times the probability to be in `last` (-1: anywhere inside) after all steps, over all i: by the
 * density of a start in i. Sum 1. */
static void posterior(InkCellChain *chain, int steps, const double *time, int64_t last, double *law) {
  const int64_t cells = chain->cells;
  double *m = calloc((size_t)(cells * cells), sizeof *m), *next = calloc((size_t)cells, sizeof *next);
  for (int64_t i = 0; i < cells; i++) m[i * cells + i] = 1.0;
  for (int n = 0; n < steps; n++) {
    OK(ink_cell_chain_at(chain, time[n], &chain->out));
    for (int64_t i = 0; i < cells; i++) {
      ink_cell_chain_step(chain, time[n + 1] - time[n], m + i * cells, next);
      memcpy(m + i * cells, next, (size_t)cells * sizeof *m);
    }
  }
  for (int64_t i = 0; i < cells; i++) {
    double inside = 0.0;
    for (int64_t j = 0; j < cells; j++) inside += last < 0 || j == last ? m[i * cells + j] : 0.0;
    law[i] = chain->start[i] * inside;
  }
  normalise(cells, law, law);
  free(m);
  free(next);
}

/* From the density at the end back to the start, or of chains that absorb, to where those start who are there
 * at the end; from one cell back to Bayes' posterior. */
static void check_reversed(int n) {
  Setting s = chain_of(&problems[n], start[n]);
  InkCellChain *chain = s.chain;
  InkMover mover;
  InkFailure none = {0};
  double time[STEPS + 1], *law[2], *now = calloc((size_t)chain->cells + INK_SIDES, sizeof *now);
  const int64_t cell = ink_cell_chain_cell(chain, (const double[]){0.4, 0.4, 0.4});
  set_times(chain, STEPS, time);
  for (int k = 0; k < 2; k++) {
    law[k] = calloc((size_t)chain->cells + INK_SIDES, sizeof *law[k]);
    posterior(chain, STEPS, time, k ? cell : -1, law[k]);
  }
  OK(ink_cell_chain_reverse(chain, STEPS, time, &mover, &none));
  assert_int_equal(none.code, 0);
  InkEnsemble *e = particles(PETSC_COMM_WORLD, chain, COUNT, false);
  for (int64_t i = 0; i < e->n; i++) e->cell[i] = (double)cell;
  advance(&mover, e, 0, STEPS, time);
  LIKELY(p_value(chain, e, law[1]));
  UNLIKELY(p_value(chain, e, law[0]));
  OK(ink_chain_history_recall(chain, STEPS));
  ink_cell_chain_draw(chain, ink_cell_chain_mass(chain), e);
  static const int stop[] = {0, 5, 13, STEPS};
  for (int k = 0; k < 3; k++) {
    advance(&mover, e, stop[k], stop[k + 1], time);
    normalise(chain->cells, ink_cell_chain_mass(chain), now);
    if (chain->generator->conserves) LIKELY(p_value(chain, e, now));
  }
  assert_memory_equal(chain->mass, chain->start, (size_t)chain->cells * sizeof(double));
  LIKELY(p_value(chain, e, law[0]));
  UNLIKELY(p_value(chain, e, law[1]));
  for (int k = 0; k < 2; k++) free(law[k]);
  free(now);
  OK(ink_ensemble_destroy(&e));
  end(&s);
}
static void reversed_chains_end_in_the_initial_density(void **state) {
  (void)state;
  for (int n = 0; n < PROBLEMS; n++) check_reversed(n);
}

/* Many steps on a coarse law: what is kept and what is computed again are the same. */
static void masses_are_recalled(void **state) {
  (void)state;
  Setting s = chain_of(&problems[5], start[5]);
  InkCellChain *chain = s.chain;
  InkMover forward, mover;
  InkFailure none = {0};
  InkEnsemble *e = particles(PETSC_COMM_WORLD, chain, 1, false);
  double time[STEPS + 1], mass[STEPS + 1][25];
  assert_int_equal(chain->cells, 25);
  set_times(chain, STEPS, time);
  ink_cell_chain_forward(chain, &forward);
  ink_cell_chain_draw(chain, chain->start, e);
  for (int k = 0; k <= STEPS; k++) {
    memcpy(mass[k], ink_cell_chain_mass(chain), sizeof mass[k]);
    if (k < STEPS) advance(&forward, e, k, k + 1, time);
  }
  for (int steps = 0; steps <= STEPS; steps++) {
    OK(ink_cell_chain_reverse(chain, steps, time, &mover, &none));
    assert_memory_equal(ink_cell_chain_mass(chain), mass[steps], sizeof mass[steps]);
    for (int k = 0; k <= steps; k++) {
      OK(ink_chain_history_recall(chain, steps - k));
      assert_memory_equal(ink_cell_chain_mass(chain), mass[steps - k], sizeof mass[steps]);
    }
  }
  OK(ink_ensemble_destroy(&e));
  end(&s);
}

/* ---- failures, decks ---- */

static InkFailure failure_of(const Problem *problem, double from, double to, bool reversed) {
  Setting s = chain_of(problem, "1");
  InkMover mover;
  InkFailure failure = {0};
  const double time[2] = {from, to};
  if (reversed) {
    OK(ink_cell_chain_reverse(s.chain, 1, time, &mover, &failure));
  } else {
    InkEnsemble *e = particles(PETSC_COMM_WORLD, s.chain, 10, false);
    ink_cell_chain_forward(s.chain, &mover);
    ink_cell_chain_draw(s.chain, s.chain->start, e);
    OK(mover.advance(mover.context, e, &(InkSchedule){0, 1, time}, &failure));
    OK(ink_ensemble_destroy(&e));
  }
  end(&s);
  return failure;
}

static void steps_that_are_too_long_are_refused(void **state) {
  (void)state;
  static const Problem resting = {1, {EVEN(0, 1, 10)}, {NULL}, {"1"}, {0}, 0},
                       growing = {1, {EVEN(0, 1, 10)}, {NULL}, {"1 + t"}, {0}, 0},
                       failing = {1, {EVEN(0, 1, 10)}, {NULL}, {"1 - t"}, {0}, 0};
  for (int reversed = 0; reversed < 2; reversed++) {
    assert_int_equal(failure_of(&resting, 0.0, 0.005, reversed).code, 0);
    assert_int_equal(failure_of(&growing, 0.9, 0.902, reversed).code, 0);
    InkFailure failure = failure_of(&resting, 0.0, 0.0051, reversed);
    assert_int_equal(failure.code, INK_NUMERICAL);
    assert_non_null(strstr(failure.message, "the step of 0.0051 s is longer than 0.005 s"));
    failure = failure_of(&growing, 1.0, 1.004, reversed);
    assert_non_null(strstr(failure.message, "at t = 1 s the step of 0.004 s is longer than 0.0025 s"));
    failure = failure_of(&failing, 1.5, 1.501, reversed);
    assert_int_equal(failure.code, INK_NUMERICAL);
    assert_non_null(strstr(failure.message, "diffusion D_xx is -0.5 in cell (0)"));
  }
}

static const char deck_text[] = "solver: fokker_planck\n"
                                "model:\n"
                                "  state: {x: {from: 0, to: 1, cells: 12}, v: {from: -1, to: 1, cells: 10}}\n"
                                "  drift: {x: 3, v: -v}\n"
                                "  diffusion: {x: 0.1, v: 0.3, xv: 0.08}\n"
                                "  boundary: {x_min: absorbing, v_min: periodic, v_max: periodic}\n"
                                "initial: {point: [0.375, 0.1]}\n"
                                "time: {end: 1}\n";

static void decks_make_chains(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck = deck_of_text(deck_text, (const char *const[]){NULL}, &messages);
  InkPool *pool = ink_pool_create();
  InkModel model;
  InkCellChain *chain;
  InkFailure none = {0};
  double longest, peclet;
  assert_string_equal(messages, "");
  ink_model_read(deck, pool, &model);
  OK(ink_cell_chain_create(PETSC_COMM_WORLD, deck, &model.process, &chain, &none));
  assert_int_equal(none.code, 0);
  const double *mass = ink_cell_chain_mass(chain);
  static const double at[3] = {0.375, 0.1}, seam[3] = {1.0, 1.0}, out[3] = {0.5, 1.01};
  const int64_t cell = ink_cell_chain_cell(chain, at);
  assert_int_equal(cell, 4 + 12 * 5);
  assert_int_equal(ink_cell_chain_cell(chain, seam), 119);
  assert_int_equal(ink_cell_chain_cell(chain, out), -1);
  assert_true(fabs(mass[cell] - 1.0) < 1e-14);
  OK(ink_cell_chain_longest(chain, 0.0, &longest));
  assert_true(fabs(longest * chain->largest - 1.0) < 1e-15);
  OK(ink_cell_chain_peclet(chain, &peclet));
  assert_true(fabs(peclet - 3.0 / 12.0 / 0.1) < 1e-12);
  OK(ink_cell_chain_destroy(&chain));
  ink_pool_destroy(&pool);
  ink_deck_destroy(&deck);
  free(messages);
}

static void bad_starts_are_told(void **state) {
  (void)state;
  InkDeck *deck = deck_of_text("solver: fokker_planck\n"
                               "model: {state: {x: {from: 0, to: 1, cells: 12}}, diffusion: {x: 1}}\n"
                               "initial: {density: x - 0.5}\ntime: {end: 1}\n",
                               (const char *const[]){NULL}, NULL);
  InkPool *pool = ink_pool_create();
  InkModel model;
  InkCellChain *chain;
  InkFailure failure = {0};
  ink_model_read(deck, pool, &model);
  OK(ink_cell_chain_create(PETSC_COMM_WORLD, deck, &model.process, &chain, &failure));
  assert_null(chain);
  assert_int_equal(failure.code, INK_NUMERICAL);
  assert_non_null(strstr(failure.message, "initial.density goes down to"));
  ink_pool_destroy(&pool);
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(particles_follow_the_density),
                                     cmocka_unit_test(the_absorbed_are_at_their_walls),
                                     cmocka_unit_test(bits_do_not_depend_on_ranks_and_cuts),
                                     cmocka_unit_test(ways_are_unfolded),
                                     cmocka_unit_test(ways_through_corners_are_unfolded),
                                     cmocka_unit_test(reversed_steps_are_those_of_bayes),
                                     cmocka_unit_test(reversed_particles_have_the_joint_law),
                                     cmocka_unit_test(reversed_chains_end_in_the_initial_density),
                                     cmocka_unit_test(masses_are_recalled),
                                     cmocka_unit_test(steps_that_are_too_long_are_refused),
                                     cmocka_unit_test(decks_make_chains),
                                     cmocka_unit_test(bad_starts_are_told)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
