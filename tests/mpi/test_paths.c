/* Paths of stochastic differential equations: moments that the schemes have exactly, strong errors and
 * orders, walls and regions against known laws, and the same bits for any split of steps and any number of
 * ranks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/mesh.h"
#include "../../solvers/particles/paths.h"

#define OK(call) assert_int_equal((call), 0)
#define SAY(condition, ...)                                                                                  \
  do {                                                                                                       \
    if (!(condition)) print_error(__VA_ARGS__);                                                              \
    assert_true(condition);                                                                                  \
  } while (0)

typedef struct Case {
  int dim, noises;
  const char *drift[3];
  const char *ito[3]; /* given drift is Stratonovich: the Ito one */
  const char *noise[3][3];
  double from[3], to[3], start[3];
  bool absorbing[INK_SIDES], periodic[3];
  const char *region;
  InkScheme scheme;
  bool without_bridge, keeps;
  double dt;
} Case;

typedef struct Bench {
  InkPool *pool;
  InkPaths *paths;
  InkMover mover;
  InkEnsemble *e;
  double dt;
} Bench;

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {{.name = "x", .variable = INK_VAR_X},
                                {.name = "y", .variable = INK_VAR_Y},
                                {.name = "z", .variable = INK_VAR_Z},
                                {.name = "t", .variable = INK_VAR_T}};
  const InkScope scope = {.symbol = symbols, .count = 4};
  char message[256] = "";
  if (!text) return NULL;
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  SAY(e, "%s: %s\n", text, message);
  return e;
}

static void read_model(const Case *c, InkPool *pool, InkModel *model) {
  static const char *const x[] = {"x", "y", "z"}, *const w[] = {"w1", "w2", "w3"};
  *model = (InkModel){.process.dim = c->dim, .noises = c->noises, .stratonovich = c->ito[0] != NULL};
  for (int a = 0; a < c->dim; a++) {
    model->process.name[a] = x[a];
    model->as_given[a] = parse(pool, c->drift[a]);
    model->process.drift[a] = c->ito[0] ? parse(pool, c->ito[a]) : model->as_given[a];
    for (int k = 0; k < c->noises; k++) model->B[a][k] = parse(pool, c->noise[a][k]);
  }
  for (int k = 0; k < c->noises; k++) model->noise[k] = w[k];
}

static void set_up(MPI_Comm comm, const Case *c, int64_t count, Bench *b) {
  InkModel model;
  InkSde sde;
  InkFailure failure = {0};
  const InkEnsembleNeeds needs = {
      .absorbs = true, .moved = c->keeps, .quadratic = c->keeps, .total = c->keeps};
  InkPathOptions options = {.scheme = c->scheme, .bridge = !c->without_bridge};
  *b = (Bench){.pool = ink_pool_create(), .dt = c->dt};
  read_model(c, b->pool, &model);
  ink_sde_read(&model, c->scheme, b->pool, &sde);
  for (int a = 0; a < c->dim; a++) {
    options.from[a] = c->from[a];
    options.to[a] = c->to[a];
    options.periodic[a] = c->periodic[a];
    for (int end = 0; end < 2; end++) options.absorbing[2 * a + end] = c->absorbing[2 * a + end];
  }
  options.regions = c->region != NULL;
  options.region[0] = parse(b->pool, c->region);
  options.region_name[0] = "target";
  OK(ink_paths_create(&sde, &options, &b->paths, &failure));
  SAY(!failure.code, "%s\n", failure.message);
  ink_paths_mover(b->paths, &b->mover);
  OK(ink_ensemble_create(comm, 11, count, c->dim, &needs, &b->e));
  for (int a = 0; a < c->dim; a++)
    for (int64_t i = 0; i < b->e->room; i++) b->e->x[a][i] = c->start[a];
}

/* Steps first .. first + count - 1, of dt each from t = 0 on. */
static void take_steps(Bench *b, int first, int count, InkFailure *failure) {
  double *time = malloc((size_t)(count + 1) * sizeof *time);
  for (int k = 0; k <= count; k++) time[k] = (first + k) * b->dt;
  const InkSchedule schedule = {first, count, time};
  OK(b->mover.advance(b->mover.context, b->e, &schedule, failure));
  free(time);
}

static void go(Bench *b, int first, int count) {
  InkFailure failure = {0};
  take_steps(b, first, count, &failure);
  SAY(!failure.code, "%s\n", failure.message);
}

static void tear_down(Bench *b) {
  OK(ink_paths_destroy(&b->paths));
  OK(ink_ensemble_destroy(&b->e));
  ink_pool_destroy(&b->pool);
}

typedef struct Moments {
  double count, mean, variance, error;
} Moments;

/* Of value[i] of those with the fate (< -1: of all). */
static Moments moments(const InkEnsemble *e, const double *value, int fate) {
  double sum[3] = {0, 0, 0};
  for (int64_t i = 0; i < e->n; i++) {
    if (fate >= INK_INSIDE && e->fate[i] != fate) continue;
    sum[0] += 1.0;
    sum[1] += value[i];
    sum[2] += value[i] * value[i];
  }
  MPI_Allreduce(MPI_IN_PLACE, sum, 3, MPI_DOUBLE, MPI_SUM, e->comm);
  Moments m = {.count = sum[0], .mean = sum[1] / sum[0]};
  m.variance = sum[2] / sum[0] - m.mean * m.mean;
  m.error = sqrt(m.variance / m.count);
  return m;
}

static Moments run_moments(const Case *c, int64_t count, int steps) {
  Bench b;
  set_up(MPI_COMM_WORLD, c, count, &b);
  go(&b, 0, steps);
  const Moments m = moments(b.e, b.e->x[0], -2);
  tear_down(&b);
  return m;
}

/* ---- schemes ---- */

#define WIDE .from = {-50, -50, -50}, .to = {50, 50, 50}

static void euler_has_its_own_moments(void **state) {
  (void)state;
  enum { N = 40000, STEPS = 40 };
  const Case ou = {1, 1, {"-1.5*x"}, {0}, {{"0.8"}}, WIDE, .start = {0.7}, .dt = 0.05};
  const Moments m = run_moments(&ou, N, STEPS);
  const double r = 1.0 - 1.5 * 0.05, mean = 0.7 * pow(r, STEPS);
  const double variance = 0.64 * 0.05 * (1.0 - pow(r, 2 * STEPS)) / (1.0 - r * r);
  SAY(fabs(m.mean - mean) < 4.0 * sqrt(variance / N), "mean %g, not %g\n", m.mean, mean);
  SAY(fabs(m.variance - variance) < 4.0 * variance * sqrt(2.0 / N), "variance %g, not %g\n", m.variance,
      variance);
}

static void exact_steps_have_the_law_of_the_equation(void **state) {
  (void)state;
  enum { N = 40000 };
  const Case ou = {
      1, 1, {"-1.5*x + sin(t)"}, {0}, {{"0.8"}}, WIDE, .start = {0.7}, .scheme = INK_EXACT, .dt = 0.5};
  const Moments m = run_moments(&ou, N, 4);
  const double a = 1.5, t = 2.0, decay = exp(-a * t);
  const double mean = 0.7 * decay + (a * sin(t) - cos(t) + decay) / (a * a + 1.0);
  const double variance = 0.32 / a * (1.0 - decay * decay);
  SAY(fabs(m.mean - mean) < 4.0 * sqrt(variance / N), "mean %g, not %g\n", m.mean, mean);
  SAY(fabs(m.variance - variance) < 4.0 * variance * sqrt(2.0 / N), "variance %g, not %g\n", m.variance,
      variance);
}

static const Case geometric = {
    1, 1, {"0.3*x"}, {0}, {{"0.5*x"}}, .from = {-10}, .to = {1000}, .start = {1}, .dt = 0.02};

/* RMS difference at T between a scheme and the exact solution on the same Brownian paths. */
static double strong_error(InkScheme scheme, double T, int steps, int64_t count) {
  Bench b[2];
  double sum = 0.0;
  for (int n = 0; n < 2; n++) {
    Case c = geometric;
    c.scheme = n == 0 ? scheme : INK_EXACT;
    c.dt = T / steps;
    set_up(MPI_COMM_WORLD, &c, count, &b[n]);
    go(&b[n], 0, steps);
  }
  for (int64_t i = 0; i < b[0].e->n; i++) sum += pow(b[0].e->x[0][i] - b[1].e->x[0][i], 2.0);
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  for (int n = 0; n < 2; n++) tear_down(&b[n]);
  return sqrt(sum / (double)count);
}

static void strong_errors_are_known(void **state) {
  (void)state;
  const double euler = strong_error(INK_EULER_MARUYAMA, 2.0, 100, 40000),
               milstein = strong_error(INK_MILSTEIN, 2.0, 100, 40000);
  SAY(fabs(euler / 0.08387 - 1.0) < 0.05, "Euler-Maruyama: %g\n", euler);
  SAY(fabs(milstein / 0.0151957 - 1.0) < 0.05, "Milstein: %g\n", milstein);
}

static void strong_orders(void **state) {
  (void)state;
  static const InkScheme scheme[] = {INK_EULER_MARUYAMA, INK_MILSTEIN};
  for (int n = 0; n < 2; n++) {
    const double coarse = strong_error(scheme[n], 1.0, 16, 4096),
                 fine = strong_error(scheme[n], 1.0, 512, 4096);
    const double order = log2(coarse / fine) / 5.0;
    SAY(fabs(order - (n + 1) / 2.0) < 0.06, "order %g\n", order);
  }
}

static void heun_is_stratonovich(void **state) {
  (void)state;
  const Case c = {1,
                  1,
                  {"-0.3*x"},
                  {"-0.3*x + 0.18*x"},
                  {{"0.6*x"}},
                  .from = {-10},
                  .to = {1000},
                  .start = {1},
                  .scheme = INK_HEUN,
                  .dt = 0.02};
  const Moments m = run_moments(&c, 40000, 100);
  SAY(fabs(m.mean - 0.786627861066553) < 4.0 * m.error + 1e-3, "mean %g\n", m.mean);
}

/* ---- walls ---- */

/* Mean time of the absorbed, all, and the part of those with `fate`. */
static Moments exit_time(const Case *c, int64_t count, int steps, int fate, double *part) {
  Bench b;
  set_up(MPI_COMM_WORLD, c, count, &b);
  go(&b, 0, steps);
  const double left = moments(b.e, b.e->x[0], INK_INSIDE).count;
  SAY(left < 1e-3 * (double)count, "%g are left\n", left);
  *part = moments(b.e, b.e->x[0], fate).count / (double)count;
  for (int64_t i = 0; i < b.e->n; i++)
    if (b.e->fate[i] == INK_INSIDE) b.e->when[i] = steps * c->dt;
  const Moments m = moments(b.e, b.e->when, -2);
  tear_down(&b);
  return m;
}

static const Case interval = {1,
                              1,
                              {NULL},
                              {0},
                              {{"sqrt(0.6)"}},
                              .from = {0},
                              .to = {2},
                              .start = {0.5},
                              .absorbing = {true, true},
                              .dt = 0.02};

static void exit_from_an_interval(void **state) {
  (void)state;
  enum { N = 20000 };
  double upper;
  Moments m = exit_time(&interval, N, 800, 1, &upper);
  SAY(fabs(m.mean - 1.25) < 4.0 * m.error + 0.0125, "mean %g\n", m.mean);
  SAY(fabs(upper - 0.25) < 4.0 * sqrt(0.25 * 0.75 / N), "upper end %g\n", upper);
  /* looked at between steps only, walls seem 0.5826 sqrt(0.6 dt) further (Chernoff; Siegmund) */
  Case blind = interval;
  blind.without_bridge = true;
  m = exit_time(&blind, N, 1000, 1, &upper);
  const double shift = 0.5826 * sqrt(0.6 * 0.02);
  const double expected = (0.5 + shift) * (1.5 + shift) / 0.6;
  SAY(fabs(m.mean - expected) < 4.0 * m.error + 0.05 * (expected - 1.25) + 0.02, "blind: mean %g, not %g\n",
      m.mean, expected);
}

/* Noise that vanishes at the walls: a martingale, whose mean stays. */
static void wright_fisher_is_a_martingale(void **state) {
  (void)state;
  const Case c = {1,
                  1,
                  {NULL},
                  {0},
                  {{"sqrt(x*(1 - x))"}},
                  .from = {0},
                  .to = {1},
                  .start = {0.3},
                  .absorbing = {true, true},
                  .dt = 0.02};
  const Moments m = run_moments(&c, 20000, 300);
  SAY(fabs(m.mean - 0.3) < 4.0 * m.error, "mean %g\n", m.mean);
  assert_true(m.variance > 0.2);
}

/* Deviation of counts in 8 x 8 bins from equal ones, in standard deviations of chi-squared. */
static double unevenness(const InkEnsemble *e, const Case *c) {
  enum { BINS = 8 };
  double count[BINS * BINS] = {0}, sum = 0.0;
  const int bins = c->dim == 1 ? BINS : BINS * BINS;
  for (int64_t i = 0; i < e->n; i++) {
    int bin = 0;
    for (int a = c->dim - 1; a >= 0; a--) {
      const double part = (e->x[a][i] - c->from[a]) / (c->to[a] - c->from[a]);
      assert_true(part >= 0.0 && part <= 1.0);
      bin = bin * BINS + (part < 1.0 ? (int)(part * BINS) : BINS - 1);
    }
    count[bin] += 1.0;
  }
  MPI_Allreduce(MPI_IN_PLACE, count, BINS * BINS, MPI_DOUBLE, MPI_SUM, e->comm);
  const double expected = (double)e->count / bins;
  for (int k = 0; k < bins; k++) sum += (count[k] - expected) * (count[k] - expected) / expected;
  return (sum - (bins - 1)) / sqrt(2.0 * (bins - 1));
}

static void reflected_paths_fill_the_box_evenly(void **state) {
  (void)state;
  const Case line = {1, 1, {NULL}, {0}, {{"1"}}, .from = {-1}, .to = {1}, .start = {-0.9}, .dt = 0.04};
  Case square = {
      2, 2, {NULL, NULL}, {0}, {{"0.6", NULL}, {"0.45", "0.2"}}, .from = {0, -1}, .to = {1, 1}, .dt = 0.002};
  Bench b;
  set_up(MPI_COMM_WORLD, &line, 40000, &b);
  go(&b, 0, 150);
  double uneven = unevenness(b.e, &line);
  SAY(uneven < 4.5, "on a line: %g\n", uneven);
  tear_down(&b);
  for (int blind = 0; blind < 2; blind++) { /* what is even stays so */
    square.without_bridge = blind;
    set_up(MPI_COMM_WORLD, &square, 40000, &b);
    for (int64_t i = 0; i < b.e->room; i++)
      for (int a = 0; a < 2; a++)
        b.e->x[a][i] = square.from[a] +
                       (square.to[a] - square.from[a]) *
                           ink_random_uniform_at((InkStream){5, (uint32_t)a}, (uint64_t)(b.e->first + i), 0);
    go(&b, 0, 150);
    uneven = unevenness(b.e, &square);
    SAY(uneven < 4.5, "in a square: %g\n", uneven);
    tear_down(&b);
  }
}

static void exit_from_a_ball(void **state) {
  (void)state;
  const Case ball = {3,
                     3,
                     {NULL, NULL, NULL},
                     {0},
                     {{"sqrt(0.8)"}, {NULL, "sqrt(0.8)"}, {NULL, NULL, "sqrt(0.8)"}},
                     .from = {-4, -4, -4},
                     .to = {4, 4, 4},
                     .region = "1.5^2 - x^2 - y^2 - z^2",
                     .dt = 0.01};
  Bench b;
  double part;
  const Moments m = exit_time(&ball, 8192, 500, INK_SIDES, &part);
  SAY(fabs(m.mean - 0.9375) < 4.0 * m.error + 0.009375, "mean %g (%g)\n", m.mean, m.error);
  assert_true(part > 0.999);
  set_up(MPI_COMM_WORLD, &ball, 1000, &b);
  go(&b, 0, 100);
  for (int64_t i = 0; i < b.e->n; i++) { /* where: on the surface, nearly */
    const double r = sqrt(pow(b.e->x[0][i], 2) + pow(b.e->x[1][i], 2) + pow(b.e->x[2][i], 2));
    assert_true(b.e->fate[i] == INK_INSIDE ? r < 1.5 : fabs(r - 1.5) < 0.1);
  }
  tear_down(&b);
}

/* phi need not be defined beyond a wall that absorbs: those who end there are the wall's. */
static void walls_come_before_regions(void **state) {
  (void)state;
  const Case c = {1,
                  1,
                  {NULL},
                  {0},
                  {{"1"}},
                  .from = {0},
                  .to = {2},
                  .start = {1},
                  .absorbing = {true, false},
                  .region = "sqrt(x) - 0.1",
                  .dt = 0.25};
  Bench b;
  set_up(MPI_COMM_WORLD, &c, 1000, &b);
  go(&b, 0, 80);
  const double wall = moments(b.e, b.e->x[0], 0).count, region = moments(b.e, b.e->x[0], INK_SIDES).count;
  SAY(region > 50 && wall > 300 && wall + region > 980, "wall %g, region %g\n", wall, region);
  tear_down(&b);
}

static void turns_are_unfolded(void **state) {
  (void)state;
  const Case ring = {1,
                     1,
                     {"2"},
                     {0},
                     {{NULL}},
                     .from = {-1},
                     .to = {2},
                     .start = {1.5},
                     .periodic = {true},
                     .keeps = true,
                     .dt = 0.01};
  Bench b;
  set_up(MPI_COMM_WORLD, &ring, 300, &b);
  go(&b, 0, 1000); /* 20 on: to 21.5 = 0.5 + 7 * 3 */
  for (int64_t i = 0; i < b.e->n; i++) {
    assert_true(fabs(b.e->x[0][i] - 0.5) < 1e-11);
    assert_true(fabs(b.e->moved[0][i] - 20.0) < 1e-11 && fabs(b.e->total[0][i] - 20.0) < 1e-11);
    assert_true(fabs(b.e->quadratic[0][i] - 0.4) < 1e-12 && fabs(b.e->length[i] - 20.0) < 1e-11);
  }
  tear_down(&b);
}

/* ---- bits ---- */

/* Everything at once: a wall that absorbs, one that reflects along a slanting conormal, a periodic axis, a
 * region; and linear and geometric equations for exact steps. */
static const Case mixed[] = {
    {3,
     3,
     {"-x + 0.3*sin(t)", "1 + x", "-z^3"},
     {0},
     {{"0.5 + 0.1*y^2", NULL, "0.1"}, {NULL, "0.4"}, {"0.3*x", NULL, "0.5"}},
     .from = {0, 0, -0.7},
     .to = {1.2, 1, 0.7},
     .start = {0.6, 0.3, 0},
     .absorbing = {false, true},
     .periodic = {false, true, false},
     .region = "(x - 1)^2 + z^2 - 0.1",
     .keeps = true,
     .dt = 0.01},
    {1,
     1,
     {"1 - x"},
     {0},
     {{"0.7"}},
     .from = {0},
     .to = {2},
     .start = {1},
     .absorbing = {true, false},
     .keeps = true,
     .dt = 0.02},
    {1,
     1,
     {"0.3*x"},
     {0},
     {{"0.6*x"}},
     .from = {0.5},
     .to = {2},
     .start = {1},
     .absorbing = {true, true},
     .keeps = true,
     .dt = 0.02},
};

typedef struct Array {
  const double *values;
} Array;

static int arrays_of(const InkEnsemble *e, Array array[16]) {
  int n = 0;
  for (int a = 0; a < e->dim; a++) {
    array[n++].values = e->x[a];
    array[n++].values = e->moved[a];
    array[n++].values = e->quadratic[a];
    array[n++].values = e->total[a];
  }
  array[n++].values = e->length;
  array[n++].values = e->fate;
  array[n++].values = e->when;
  return n;
}

static void same_bits_on_one_rank_and_many(const Case *c) {
  enum { N = 1300, STEPS = 61 };
  static const int split[] = {0, 3, 4, 17, 30, STEPS};
  Bench whole, parts;
  Array a[16], b[16];
  set_up(MPI_COMM_SELF, c, N, &whole);
  set_up(MPI_COMM_WORLD, c, N, &parts);
  go(&whole, 0, STEPS);
  for (int k = 0; k < 5; k++) go(&parts, split[k], split[k + 1] - split[k]);
  const int n = arrays_of(whole.e, a);
  OK(n - arrays_of(parts.e, b));
  for (int k = 0; k < n; k++)
    assert_memory_equal(a[k].values + parts.e->first, b[k].values, (size_t)parts.e->n * sizeof(double));
  const double absorbed = (double)N - moments(whole.e, whole.e->x[0], INK_INSIDE).count;
  SAY(absorbed > 0.05 * N && absorbed < 0.95 * N, "absorbed: %g\n", absorbed);
  tear_down(&whole);
  tear_down(&parts);
}

static void the_same_bits(void **state) {
  (void)state;
  static const InkScheme scheme[] = {INK_EULER_MARUYAMA, INK_MILSTEIN, INK_HEUN, INK_EXACT};
  for (int n = 0; n < 3; n++)
    for (int s = n == 0 ? 0 : 3; s < 4; s++) {
      Case c = mixed[n];
      c.scheme = scheme[s];
      if (n == 0 && scheme[s] == INK_EXACT) continue;
      same_bits_on_one_rank_and_many(&c);
      c.without_bridge = true;
      same_bits_on_one_rank_and_many(&c);
    }
}

static void the_absorbed_rest(void **state) {
  (void)state;
  Bench b;
  Array a[16];
  double *before[16];
  set_up(MPI_COMM_WORLD, &mixed[0], 1000, &b);
  go(&b, 0, 40);
  const int n = arrays_of(b.e, a);
  const size_t bytes = (size_t)(b.e->n + 1) * sizeof(double);
  for (int k = 0; k < n; k++) {
    before[k] = malloc(bytes);
    memcpy(before[k], a[k].values, (size_t)b.e->n * sizeof(double));
  }
  go(&b, 40, 40);
  const double *fate = before[n - 2];
  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < b.e->n; i++)
      if (fate[i] != INK_INSIDE) assert_true(a[k].values[i] == before[k][i]);
  for (int k = 0; k < n; k++) free(before[k]);
  tear_down(&b);
}

/* ---- faults ---- */

static void check_fault(const Case *c, const char *const words[]) {
  Bench b;
  InkFailure failure = {0};
  set_up(MPI_COMM_WORLD, c, 700, &b);
  take_steps(&b, 0, 50, &failure);
  OK(ink_failure_agree(MPI_COMM_WORLD, &failure));
  assert_int_equal(failure.code, INK_NUMERICAL);
  for (int w = 0; words[w]; w++)
    SAY(strstr(failure.message, words[w]), "no '%s' in: %s\n", words[w], failure.message);
  tear_down(&b);
}

static void faults_are_named(void **state) {
  (void)state;
  Case c = {1, 1, {"log(x)"}, {0}, {{"0.1"}}, .from = {-1}, .to = {1}, .start = {0.2}, .dt = 0.05};
  check_fault(&c, (const char *[]){" at t = ", "the drift of x is nan at x = -", "particles.dt", NULL});
  c.drift[0] = "-1";
  c.noise[0][0] = "sqrt(x)";
  check_fault(&c, (const char *[]){"the noise w1 of x is ", "nan at x = -", NULL});
  c.noise[0][0] = "0.1";
  c.drift[0] = "exp(800*x)*1e300";
  check_fault(&c, (const char *[]){"particle 0 at t = 0: ", "x = 0.2", NULL});
  c.drift[0] = NULL;
  c.region = "sqrt(x)";
  check_fault(&c, (const char *[]){"particles.absorbing.target is ", "nan at x = -", NULL});
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(euler_has_its_own_moments),
                                     cmocka_unit_test(exact_steps_have_the_law_of_the_equation),
                                     cmocka_unit_test(strong_errors_are_known),
                                     cmocka_unit_test(strong_orders),
                                     cmocka_unit_test(heun_is_stratonovich),
                                     cmocka_unit_test(exit_from_an_interval),
                                     cmocka_unit_test(wright_fisher_is_a_martingale),
                                     cmocka_unit_test(reflected_paths_fill_the_box_evenly),
                                     cmocka_unit_test(exit_from_a_ball),
                                     cmocka_unit_test(walls_come_before_regions),
                                     cmocka_unit_test(turns_are_unfolded),
                                     cmocka_unit_test(the_same_bits),
                                     cmocka_unit_test(the_absorbed_rest),
                                     cmocka_unit_test(faults_are_named)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
