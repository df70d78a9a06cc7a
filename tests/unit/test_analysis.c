/* What is said of kinetics before they run, against textbook formulas: steady states, dispersion relations,
 * thresholds, fronts; and the laws of the linear algebra below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "deck_text.h"
#include "../../solvers/reaction_diffusion/analysis_impl.h"

enum { MOST = 6 };

/* ---- reactions from texts ---- */

typedef struct Case {
  int n;
  const char *name[MOST], *rate[MOST], *diffusion[MOST];
  int parameters;
  const char *parameter[MOST];
  double value[MOST];
} Case;

typedef struct Made {
  InkPool *pool;
  InkReactions reactions;
  InkModelParameters parameters;
  const InkExpr *rate[MOST], *diffusion[MOST * MOST];
} Made;

static const InkExpr *parse(Made *made, const Case *c, bool symbolic, const char *text) {
  struct InkSymbol symbol[2 * MOST];
  char message[200];
  int count = 0;
  for (int f = 0; f < c->n; f++)
    symbol[count++] = (struct InkSymbol){.name = c->name[f], .variable = INK_VAR_FIELD + f};
  for (int p = 0; p < c->parameters; p++)
    symbol[count++] = (struct InkSymbol){
        .name = c->parameter[p], .variable = symbolic ? INK_VAR_FIELD + c->n + p : -1, .value = c->value[p]};
  const InkScope scope = {.symbol = symbol, .count = count};
  const InkExpr *e = ink_expr_parse(made->pool, text, &scope, message, sizeof message);
  if (!e) fail_msg("%s: %s", text, message);
  return e;
}

/* symbolic: parameters are variables, else constants. */
static void make(const Case *c, bool symbolic, Made *made) {
  *made = (Made){.pool = ink_pool_create()};
  for (int s = 0; s < c->n; s++) {
    if (c->rate[s]) made->rate[s] = parse(made, c, symbolic, c->rate[s]);
    if (c->diffusion[s]) made->diffusion[s * c->n + s] = parse(made, c, symbolic, c->diffusion[s]);
  }
  made->reactions = (InkReactions){c->n, c->name, made->rate, made->diffusion, made->pool};
  made->parameters = (InkModelParameters){.count = c->parameters, .first = INK_VAR_FIELD + c->n};
  for (int p = 0; p < c->parameters; p++) {
    made->parameters.name[p] = c->parameter[p];
    made->parameters.value[p] = c->value[p];
  }
}

static void unmake(Made *made) { ink_pool_destroy(&made->pool); }

static const Case schnakenberg = {
    2, {"u", "v"}, {"a - u + u^2*v", "b - u^2*v"}, {"1", "d"}, 3, {"a", "b", "d"}, {0.1, 0.9, 40}};
static const Case brusselator = {2,
                                 {"u", "v"},
                                 {"A - (B + 1)*u + u^2*v", "B*u - u^2*v"},
                                 {"Du", "Dv"},
                                 4,
                                 {"A", "B", "Du", "Dv"},
                                 {2, 3, 1, 8}};
static const Case gierer_meinhardt = {2,          {"u", "v"}, {"u^2/v - b*u", "u^2 - v"}, {"1", "d"}, 2,
                                      {"b", "d"}, {0.5, 20}};
static const Case fitzhugh_nagumo = {2,     {"u", "v"}, {"u - u^3 - v", "2.5*(u - 0.6*v)"}, {"1", "d"}, 1,
                                     {"d"}, {20}};
static const Case gray_scott = {
    2,          {"u", "v"},   {"-u*v^2 + F*(1 - u)", "u*v^2 - (F + k)*v"}, {"2e-5", "1e-5"}, 2,
    {"F", "k"}, {0.04, 0.055}};

static void near(double value, double expect, double relative) {
  if (!(fabs(value - expect) <= relative * fabs(expect))) fail_msg("%.15g is not %.15g", value, expect);
}

static int states_of(const Case *c, const double *scale, InkSteadyState state[INK_MAX_STATES]) {
  Made made;
  make(c, false, &made);
  const int count = ink_steady_states(&made.reactions, scale, state);
  unmake(&made);
  return count;
}

/* ---- linear algebra ---- */

static double draw(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) / 4503599627370496.0 - 1;
}

/* A x = b: the residual is round-off, whatever the scales of the rows. */
static void solves(void **state) {
  (void)state;
  uint64_t random = 3;
  for (int n = 1; n <= 12; n++) {
    double A[144], copy[144], x[12], b[12];
    for (int i = 0; i < n; i++) {
      const double unit = pow(10, 6 * draw(&random));
      for (int j = 0; j < n; j++) A[i * n + j] = copy[i * n + j] = unit * draw(&random);
      x[i] = b[i] = unit * draw(&random);
    }
    assert_int_equal(ink_small_solve(n, A, x), n);
    for (int i = 0; i < n; i++) {
      double sum = -b[i], size = fabs(b[i]);
      for (int j = 0; j < n; j++) {
        sum += copy[i * n + j] * x[j];
        size += fabs(copy[i * n + j] * x[j]);
      }
      assert_true(fabs(sum) <= 1e-13 * size * n);
    }
  }
}

/* The rank of a sum of r outer products is r. */
static void finds_ranks(void **state) {
  (void)state;
  uint64_t random = 5;
  for (int r = 0; r <= 6; r++) {
    double A[36] = {0}, b[6] = {0};
    for (int k = 0; k < r; k++) {
      double left[6], right[6];
      for (int i = 0; i < 6; i++) {
        left[i] = draw(&random);
        right[i] = draw(&random);
      }
      for (int i = 0; i < 36; i++) A[i] += left[i / 6] * right[i % 6];
    }
    assert_int_equal(ink_small_solve(6, A, b), r);
  }
}

/* A v = lambda v, y^H A = lambda y^H, the sum of the eigenvalues is the trace, and the first is the largest.
 */
static void eigenvectors_belong(void **state) {
  (void)state;
  uint64_t random = 9;
  int pairs = 0;
  for (int n = 1; n <= 8; n++) {
    double A[64], trace = 0;
    double complex lambda[8], left[8], right[8], sum = 0;
    for (int i = 0; i < n * n; i++) A[i] = draw(&random);
    for (int i = 0; i < n; i++) trace += A[i * n + i];
    assert_true(ink_small_eigenvalues(n, A, lambda, left, right));
    for (int i = 0; i < n; i++) {
      double complex Av = 0, yA = 0;
      sum += lambda[i];
      assert_true(creal(lambda[i]) <= creal(lambda[0]));
      for (int j = 0; j < n; j++) {
        Av += A[i * n + j] * right[j];
        yA += conj(left[j]) * A[j * n + i];
      }
      assert_true(cabs(Av - lambda[0] * right[i]) < 1e-13 * n);
      assert_true(cabs(yA - lambda[0] * conj(left[i])) < 1e-13 * n);
    }
    assert_true(cabs(sum - trace) < 1e-13 * n);
    assert_true(cimag(lambda[0]) >= 0);
    pairs += cimag(lambda[0]) > 0;
  }
  assert_true(pairs > 0); /* both kinds were seen */
  const double bad[4] = {1, NAN, 0, 1};
  double complex lambda[2];
  assert_false(ink_small_eigenvalues(2, bad, lambda, NULL, NULL));
}

/* ---- steady states ---- */

/* tests/references.yaml: schnakenberg-u, schnakenberg-v. From far away too. */
static void schnakenberg_has_one_state(void **state) {
  (void)state;
  static const double scales[][2] = {{1, 1}, {0, 0}, {100, 0.01}, {1e-3, 5}};
  for (int i = 0; i < 4; i++) {
    InkSteadyState found[INK_MAX_STATES];
    assert_int_equal(states_of(&schnakenberg, scales[i], found), 1);
    near(found[0].u[0], 1, 1e-14);
    near(found[0].u[1], 0.9, 1e-14);
    assert_true(found[0].stable);
    /* trace (b - a)/(a + b) - (a + b)^2 = -0.2, determinant (a + b)^2 = 1 */
    near(creal(found[0].slowest), -0.1, 1e-12);
    near(cimag(found[0].slowest), sqrt(0.99), 1e-12);
  }
}

/* tests/references.yaml: gray-scott-u, gray-scott-v. The start is the trivial state with a few cells of v. */
static void gray_scott_has_three_states(void **state) {
  (void)state;
  const double scale[] = {0.98, 0.01};
  InkSteadyState found[INK_MAX_STATES];
  assert_int_equal(states_of(&gray_scott, scale, found), 3);
  near(found[0].u[0], 0.34387505004004, 1e-13);
  near(found[0].u[1], 0.276263136825246, 1e-13);
  near(found[1].u[0], 1 - 0.34387505004004, 1e-13);
  assert_false(found[1].stable); /* the saddle */
  assert_true(found[2].u[0] == 1 && found[2].u[1] == 0 && found[2].stable);
  near(creal(found[2].slowest), -0.04, 1e-12);
}

/* With more poison than feed only the trivial state is left. */
static void gray_scott_beyond_the_saddle_node(void **state) {
  (void)state;
  Case c = gray_scott;
  c.value[1] = 0.0601;
  const double scale[] = {1, 0.3};
  InkSteadyState found[INK_MAX_STATES];
  assert_int_equal(states_of(&c, scale, found), 1);
  assert_true(found[0].u[0] == 1 && found[0].u[1] == 0);
}

/* All roots of a polynomial, double ones too, in order; negative ones last. */
static void polynomials_have_their_roots(void **state) {
  (void)state;
  const Case c = {1, {"u"}, {"u^2*(1 - u)*(u - 3)*(u + 2)*(u - 0.01)"}, {"1"}, 0, {0}, {0}};
  const double scale[] = {1}, roots[] = {0, 0.01, 1, 3, -2};
  InkSteadyState found[INK_MAX_STATES];
  assert_int_equal(states_of(&c, scale, found), 5);
  for (int i = 0; i < 5; i++) assert_true(fabs(found[i].u[0] - roots[i]) < 1e-9);
}

/* Conserved sets and species without reactions have no isolated states; nor has u' = 1 + u^2 any. */
static void some_have_none(void **state) {
  (void)state;
  const Case enzyme = {
      4,  {"S", "E", "C", "P"}, {"C - S*E", "2*C - S*E", "S*E - 2*C", "C"}, {"1", NULL, NULL, "1"}, 0, {0},
      {0}};
  const Case inert = {2, {"u", "v"}, {"u*(1 - u)", NULL}, {"1", "1"}, 0, {0}, {0}};
  const Case blowing = {1, {"u"}, {"1 + u^2"}, {"1"}, 0, {0}, {0}};
  const double scale[] = {1, 1, 1, 1};
  InkSteadyState found[INK_MAX_STATES];
  assert_int_equal(states_of(&enzyme, scale, found), 0);
  assert_int_equal(states_of(&inert, scale, found), 0);
  assert_int_equal(states_of(&blowing, scale, found), 0);
}

/* ---- dispersion ---- */

static bool dispersion_of(const Case *c, const double *u, InkDispersion *d) {
  Made made;
  make(c, false, &made);
  const bool grows = ink_dispersion(&made.reactions, u, d);
  unmake(&made);
  return grows;
}

/* tests/references.yaml: schnakenberg-fastest-k, -growth, -band-lower, -band-upper, -growth-mode4. */
static void schnakenberg_disperses(void **state) {
  (void)state;
  const double u[] = {1, 0.9}, mode = 4 * 2 * M_PI / 50;
  InkDispersion d;
  double complex lambda;
  Made made;
  assert_true(dispersion_of(&schnakenberg, u, &d));
  assert_true(d.turing && d.frequency == 0);
  near(d.fastest, 0.420543403308774, 1e-10);
  near(d.growth, 0.411011211577509, 1e-10);
  near(d.lower, 0.183645603126994, 1e-10);
  near(d.upper, 0.860972875561201, 1e-10);
  make(&schnakenberg, false, &made);
  near(ink_growth_rate(&made.reactions, u, mode, &lambda), 0.390779003381724, 1e-12);
  assert_true(cimag(lambda) == 0);
  unmake(&made);
}

static void stable_states_let_nothing_grow(void **state) {
  (void)state;
  Case c = schnakenberg;
  const double u[] = {1, 0.9};
  InkDispersion d;
  c.value[2] = 8.5;
  assert_false(dispersion_of(&c, u, &d));
  c.value[2] = 8.6;
  assert_true(dispersion_of(&c, u, &d));
  assert_true(d.turing && d.upper < 1.1 * d.lower && d.fastest > d.lower && d.fastest < d.upper);
}

/* An unstable state of one species: r - D k^2, the band reaches down to 0 and ends at sqrt(r/D). */
static void logistic_growth_is_fastest_when_uniform(void **state) {
  (void)state;
  const Case c = {1, {"u"}, {"1.7*u*(1 - u)"}, {"0.3"}, 0, {0}, {0}};
  const double u[] = {0};
  InkDispersion d;
  assert_true(dispersion_of(&c, u, &d));
  assert_true(!d.turing && d.lower == 0 && d.fastest == 0 && d.growth == 1.7);
  near(d.upper, sqrt(1.7 / 0.3), 1e-10);
}

/* An immobile species that feeds itself grows at all wave lengths. */
static void immobile_growth_has_no_upper_edge(void **state) {
  (void)state;
  const Case c = {2, {"u", "v"}, {"v - 3*u", "v - 4*u"}, {"1", NULL}, 0, {0}, {0}};
  const double u[] = {0, 0};
  InkDispersion d;
  assert_true(dispersion_of(&c, u, &d));
  assert_true(d.turing && isinf(d.upper) && isinf(d.fastest));
}

/* Growth is that of the eigenvalue equation: lambda^2 - trace lambda + det = 0 at every k. */
static void growth_solves_the_characteristic_equation(void **state) {
  (void)state;
  const double u[] = {2, 1.5};
  Made made;
  make(&brusselator, false, &made);
  for (double k = 0; k < 3; k += 0.13) {
    const double a = 3 - 1 - k * k, b = 4, c = -3, e = -4 - 8 * k * k;
    double complex lambda;
    const double growth = ink_growth_rate(&made.reactions, u, k, &lambda);
    const double complex zero = lambda * lambda - (a + e) * lambda + (a * e - b * c);
    assert_true(cabs(zero) < 1e-11 * (1 + cabs(lambda) * cabs(lambda)));
    assert_true(growth == creal(lambda) && growth >= 0.5 * (a + e) - 1e-12);
  }
  unmake(&made);
}

/* ---- thresholds ---- */

static int thresholds_of(const Case *c, const double *u, InkThreshold threshold[INK_MAX_THRESHOLDS]) {
  Made made;
  InkModel model;
  make(c, true, &made);
  assert_true(ink_model_create(&made.reactions, &model));
  const int count = ink_model_thresholds(&model, &made.parameters, u, threshold);
  ink_model_clear(&model);
  unmake(&made);
  return count;
}

static const InkThreshold *find(const InkThreshold *threshold, int count, InkThresholdKind kind,
                                int parameter) {
  for (int i = 0; i < count; i++)
    if (threshold[i].kind == kind && threshold[i].parameter == parameter) return &threshold[i];
  fail_msg("no threshold of kind %d of parameter %d", (int)kind, parameter);
  return NULL;
}

/* tests/references.yaml: schnakenberg-dc, gierer-meinhardt-dc, fitzhugh-nagumo-dc. */
static void turing_thresholds_in_d(void **state) {
  (void)state;
  static const struct {
    const Case *c;
    double u[2];
    int d;
    double value;
  } cases[] = {{&schnakenberg, {1, 0.9}, 2, 8.56762745781211},
               {&gierer_meinhardt, {2, 4}, 1, 11.6568542494924},
               {&fitzhugh_nagumo, {0, 0}, 0, 6.66227766016838}};
  for (int i = 0; i < 3; i++) {
    InkThreshold threshold[INK_MAX_THRESHOLDS];
    const int count = thresholds_of(cases[i].c, cases[i].u, threshold);
    const InkThreshold *turing = find(threshold, count, INK_TURING, cases[i].d);
    near(turing->value, cases[i].value, 1e-8);
    near(turing->now, cases[i].c->value[cases[i].d], 0);
  }
}

/* tests/references.yaml: brusselator-turing, -turing-k, -hopf, -hopf-frequency. */
static void brusselator_thresholds(void **state) {
  (void)state;
  const double u[] = {2, 1.5};
  InkThreshold threshold[INK_MAX_THRESHOLDS];
  const int count = thresholds_of(&brusselator, u, threshold);
  const InkThreshold *turing = find(threshold, count, INK_TURING, 1);
  near(turing->value, 2.9142135623731, 1e-8);
  near(turing->wavenumber, 0.840896415253715, 1e-4);
  const InkThreshold *hopf = find(threshold, count, INK_HOPF, 1);
  near(hopf->value, 5, 1e-8);
  near(hopf->frequency, 2, 1e-6);
}

/* tests/references.yaml: gray-scott-saddle-node. */
static void gray_scott_saddle_node(void **state) {
  (void)state;
  Case c = gray_scott;
  c.value[0] = 0.03;
  c.value[1] = 0.05;
  const double scale[] = {1, 0.3};
  InkSteadyState found[INK_MAX_STATES];
  InkThreshold threshold[INK_MAX_THRESHOLDS];
  assert_int_equal(states_of(&c, scale, found), 3);
  const int count = thresholds_of(&c, found[0].u, threshold);
  near(find(threshold, count, INK_FOLD, 1)->value, 0.0566025403784439, 1e-8);
}

/* A state far from every threshold has none, and a parameter that does nothing is left alone. */
static void no_thresholds_where_none_are(void **state) {
  (void)state;
  const Case c = {1, {"u"}, {"p*(1 - u)"}, {"D"}, 3, {"p", "D", "q"}, {2, 1, 5}};
  const double u[] = {1};
  InkThreshold threshold[INK_MAX_THRESHOLDS];
  assert_int_equal(thresholds_of(&c, u, threshold), 0);
}

/* ---- fronts ---- */

static int fronts_of(const Case *c, InkFront front[INK_MAX_FRONTS], InkSteadyState found[INK_MAX_STATES]) {
  Made made;
  InkModel model;
  const double scale[] = {1, 1};
  make(c, false, &made);
  assert_true(ink_model_create(&made.reactions, &model));
  const int states = ink_model_states(&model, scale, found);
  const int count = ink_model_fronts(&model, found, states, front);
  ink_model_clear(&model);
  unmake(&made);
  return count;
}

static void fronts_are_classified(void **state) {
  (void)state;
  InkFront front[INK_MAX_FRONTS];
  InkSteadyState found[INK_MAX_STATES];
  /* tests/references.yaml: kpp-speed */
  const Case kpp = {1, {"u"}, {"1.7*u*(1 - u)"}, {"0.3"}, 0, {0}, {0}};
  assert_int_equal(fronts_of(&kpp, front, found), 1);
  assert_int_equal(front[0].kind, INK_PULLED);
  near(front[0].speed, 1.42828568570857, 1e-12);
  near(front[0].length, sqrt(0.3 / 1.7), 1e-12);
  assert_true(found[front[0].into].u[0] == 0 && found[front[0].from].u[0] == 1);
  /* pushed-front-speed: 2.5, faster than 2 */
  const Case pushed = {1, {"u"}, {"u*(1 - u)*(1 + 8*u)"}, {"1"}, 0, {0}, {0}};
  assert_int_equal(fronts_of(&pushed, front, found), 3); /* from -1/8 to 1, and into 0 from both */
  assert_int_equal(front[0].kind, INK_BISTABLE);
  for (int i = 1; i < 3; i++) {
    assert_int_equal(front[i].kind, found[front[i].from].u[0] > 0 ? INK_AT_LEAST : INK_PULLED);
    near(front[i].speed, 2, 1e-12);
  }
}

/* Nagumo's front moves so that 1 spreads when a < 1/2, and stands at 1/2. */
static void bistable_fronts_have_a_direction(void **state) {
  (void)state;
  static const char *const rate[] = {"u*(1 - u)*(u - 0.2)", "u*(1 - u)*(u - 0.7)", "u*(1 - u)*(u - 0.5)"};
  static const double a[] = {0.2, 0.7, 0.5};
  for (int i = 0; i < 3; i++) {
    InkFront front[INK_MAX_FRONTS];
    InkSteadyState found[INK_MAX_STATES];
    const Case c = {1, {"u"}, {rate[i]}, {"1"}, 0, {0}, {0}};
    assert_int_equal(fronts_of(&c, front, found), 1);
    assert_int_equal(front[0].kind, INK_BISTABLE);
    assert_true(fabs(front[0].preference - (1 - 2 * a[i]) / 12) < 1e-9);
  }
}

/* Predators that find more prey than they need invade; their row of the Jacobian is theirs alone. */
static void absent_species_invade(void **state) {
  (void)state;
  const Case c = {2, {"u", "v"}, {"u*(1 - u) - u*v", "2*u*v - 0.5*v"}, {"1", "0.2"}, 0, {0}, {0}};
  InkFront front[INK_MAX_FRONTS];
  InkSteadyState found[INK_MAX_STATES];
  const int count = fronts_of(&c, front, found);
  bool seen = false;
  for (int i = 0; i < count; i++) {
    if (front[i].species != 1) continue;
    seen = true;
    assert_true(found[front[i].into].u[0] == 1 && found[front[i].into].u[1] == 0);
    near(front[i].rate, 1.5, 1e-12);
    near(front[i].speed, 2 * sqrt(0.2 * 1.5), 1e-12);
    assert_int_equal(front[i].kind, INK_AT_LEAST);
  }
  assert_true(seen);
}

/* ---- reports of decks ---- */

static char *report_of(const char *text) {
  char *messages, *report = NULL;
  size_t size;
  InkDeck *deck = deck_of_text(text, NULL, &messages);
  if (*messages) fail_msg("%s", messages);
  free(messages);
  FILE *out = open_memstream(&report, &size);
  ink_reaction_analysis(deck, out);
  fclose(out);
  ink_deck_destroy(&deck);
  return report;
}

static void contains(const char *report, const char *line) {
  if (!strstr(report, line)) fail_msg("no '%s' in\n%s", line, report);
}

#define DECK(cells, length)                                                                                  \
  "solver: reaction_diffusion\nmesh: {x: {from: 0, to: " length ", cells: " cells "}}\ntime: {end: 1}\n"

static void a_report_names_what_matters(void **state) {
  (void)state;
  char *report =
      report_of(DECK("400", "50") "kinetics: schnakenberg\nparameters: {scale: 2, d: 20*scale}\n"
                                  "boundary: {x_min: {type: periodic}, x_max: {type: periodic}}\n");
  contains(report, "u = 1, v = 0.9: stable, slowest eigenvalues -0.1 +- 0.994987 i");
  contains(report, "growing wave numbers 0.183645603 to 0.860972876, fastest 0.420543403");
  contains(report, "growth rate 0.411011212");
  contains(report, "along x: 3.347 wavelengths, 119.5 cells a wavelength");
  /* d is an expression: the number that it is made of has the threshold */
  contains(report, "Turing threshold: scale = 0.428381373 (now 2)");
  assert_null(strstr(report, "no growing wave fits"));
  free(report);
  report = report_of(DECK("100", "10") "kinetics: brusselator\n");
  contains(report, "Turing threshold: B = 2.91421356 (now 3)");
  contains(report, "Hopf threshold: B = 5 (now 3), angular frequency 2");
  free(report);
}

static void small_domains_hold_no_wave(void **state) {
  (void)state;
  char *report = report_of(DECK("40", "3") "kinetics: schnakenberg\n");
  contains(report, "no growing wave fits between the sides");
  free(report);
  report = report_of(DECK("40", "4") "kinetics: schnakenberg\n"); /* pi/4 is in the band */
  assert_null(strstr(report, "no growing wave fits"));
  free(report);
}

static void coarse_meshes_are_warned_of(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *warning; /* NULL: none */
  } cases[] = {
      {DECK("20", "50") "kinetics: schnakenberg\n", "is 14.94, that is 5.98 cells of 2.5 along x"},
      {DECK("30", "50") "kinetics: schnakenberg\n", NULL},
      {DECK("50", "100") "kinetics: fisher_kpp\ninitial: {u: 'x < 3'}\n",
       "length sqrt(D/r) is 1, that is 0.5 cells of 2 along x"},
      {DECK("400", "100") "kinetics: fisher_kpp\ninitial: {u: 'x < 3'}\n", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[400] = "";
    InkDeck *deck = deck_of_text(cases[i].text, NULL, NULL);
    if (ink_reaction_mesh_warning(deck, text, sizeof text) != (cases[i].warning != NULL))
      fail_msg("case %zu: '%s'", i, text);
    if (cases[i].warning) contains(text, cases[i].warning);
    ink_deck_destroy(&deck);
  }
}

/* On a graded axis and in segments the widest cell counts: 1 + 2 + 4 + 8 + ... = 255 in 8 cells. */
static void the_widest_cell_counts(void **state) {
  (void)state;
  static const char *const axes[] = {"{from: 0, to: 255, cells: 8, grading: 2}",
                                     "{from: 0, to: 255, cells: 8, grading: 0.5}",
                                     "{from: 0, segments: [{to: 127, cells: 1000}, {to: 255, cells: 1}]}"};
  for (int i = 0; i < 3; i++) {
    char text[400], warning[400];
    snprintf(text, sizeof text,
             "solver: reaction_diffusion\nmesh: {x: %s}\ntime: {end: 1}\nkinetics: fisher_kpp\ninitial: {u: "
             "0.5}\n",
             axes[i]);
    InkDeck *deck = deck_of_text(text, NULL, NULL);
    assert_true(ink_reaction_mesh_warning(deck, warning, sizeof warning));
    contains(warning, "cells of 128 along x");
    ink_deck_destroy(&deck);
  }
}

static void some_decks_are_not_analysed(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {DECK("20", "1") "species: {u: {diffusion: 1, reaction: x - u, initial: 0}}\n",
       "not analysed: the reaction of u depends on place or time"},
      {DECK("20", "1") "species: {u: {diffusion: '1 + t', reaction: -u, initial: 0}}\n",
       "not analysed: the diffusion of u depends on place or time"},
      {DECK("20", "1") "species: {u: {diffusion: 1, initial: 0}}\n", "no reactions: diffusion only"},
      {DECK("20", "1") "kinetics: michaelis_menten\ninitial: {S: 1}\n", "no isolated uniform steady state"},
      {DECK("20", "1") "species: {u: {diffusion: 1, reaction: 1 + u^2, initial: 0}}\n",
       "no uniform steady state found"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *report = report_of(cases[i][0]);
    contains(report, cases[i][1]);
    free(report);
  }
}

/* tests/references.yaml: hh-rest. */
static void the_axon_rests(void **state) {
  (void)state;
  char *report = report_of(DECK("100", "1") "kinetics: hodgkin_huxley\n");
  contains(report, "u = 0.00362066");
  contains(report, ": stable");
  free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(solves),
      cmocka_unit_test(finds_ranks),
      cmocka_unit_test(eigenvectors_belong),
      cmocka_unit_test(schnakenberg_has_one_state),
      cmocka_unit_test(gray_scott_has_three_states),
      cmocka_unit_test(gray_scott_beyond_the_saddle_node),
      cmocka_unit_test(polynomials_have_their_roots),
      cmocka_unit_test(some_have_none),
      cmocka_unit_test(schnakenberg_disperses),
      cmocka_unit_test(stable_states_let_nothing_grow),
      cmocka_unit_test(logistic_growth_is_fastest_when_uniform),
      cmocka_unit_test(immobile_growth_has_no_upper_edge),
      cmocka_unit_test(growth_solves_the_characteristic_equation),
      cmocka_unit_test(turing_thresholds_in_d),
      cmocka_unit_test(brusselator_thresholds),
      cmocka_unit_test(gray_scott_saddle_node),
      cmocka_unit_test(no_thresholds_where_none_are),
      cmocka_unit_test(fronts_are_classified),
      cmocka_unit_test(bistable_fronts_have_a_direction),
      cmocka_unit_test(absent_species_invade),
      cmocka_unit_test(a_report_names_what_matters),
      cmocka_unit_test(small_domains_hold_no_wave),
      cmocka_unit_test(coarse_meshes_are_warned_of),
      cmocka_unit_test(the_widest_cell_counts),
      cmocka_unit_test(some_decks_are_not_analysed),
      cmocka_unit_test(the_axon_rests),
  };
  return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
