/* Models as stochastic differential equations: factors of D, Milstein's and Heun's terms, steps, exact steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "deck_text.h"
#include "../../solvers/particles/sde.h"

typedef struct Case {
  InkDeck *deck;
  InkModel model;
  InkSde sde;
} Case;

/* The equation of a model's text; finish() it. */
static Case start(const char *text, InkScheme scheme) {
  Case c;
  char whole[2000], *said;
  snprintf(whole, sizeof whole, "solver: fokker_planck\nmodel:\n%s", text);
  c.deck = deck_of_text(whole, NULL, &said);
  ink_model_read(c.deck, ink_deck_pool(c.deck), &c.model);
  if (strstr(said, "model")) fail_msg("%s", said);
  free(said);
  ink_sde_read(&c.model, scheme, ink_deck_pool(c.deck), &c.sde);
  return c;
}

static void finish(Case *c) { ink_deck_destroy(&c->deck); }

#define LINE  "  state: {x: {from: 0, to: 2, cells: 10}}\n"
#define PLANE "  state: {x: {from: -1, to: 1, cells: 10}, y: {from: -2, to: 3, cells: 10}}\n"
#define SPACE                                                                                                \
  "  state: {x: {from: -1, to: 1, cells: 10}, y: {from: -2, to: 3, cells: 10}, z: {from: 0.5, to: 1, "       \
  "cells: 10}}\n"

static double value_at(const InkExpr *e, const double x[3], double t) {
  double variable[INK_VARS] = {[INK_VAR_X] = x[0], [INK_VAR_Y] = x[1], [INK_VAR_Z] = x[2], [INK_VAR_T] = t};
  return e ? ink_expr_value(e, variable) : 0.0;
}

static uint64_t state_of_chance = 1;

/* Between 0 and 1 (Knuth's MMIX generator). */
static double chance(void) {
  state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
  return (double)(state_of_chance >> 11) / 9007199254740992.0;
}

static void close_to(double value, double expect, double within) {
  if (!(fabs(value - expect) <= within)) fail_msg("%.17g is not %.17g +- %g", value, expect, within);
}

static void between(double value, double low, double high) {
  if (!(value >= low && value <= high)) fail_msg("%.9g is not between %g and %g", value, low, high);
}

/* ---- reading ---- */

/* B B^T = 2 D at x, lower triangular. */
static void check_factor(const InkSde *sde, const double x[3]) {
  for (int i = 0; i < sde->dim; i++)
    for (int j = 0; j < sde->dim; j++) {
      double total = 0.0;
      for (int k = 0; k < sde->noises; k++)
        total += value_at(sde->B[i][k], x, 0.3) * value_at(sde->B[j][k], x, 0.3);
      const double size = sqrt(value_at(sde->D[i][i], x, 0.3) * value_at(sde->D[j][j], x, 0.3));
      close_to(total, 2.0 * value_at(sde->D[i][j], x, 0.3), 1e-13 * size);
    }
}

static void factors_of_matrices(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int noises;
  } cases[] = {
      {LINE "  diffusion: {x: 0.32}\n", 1},
      {LINE "  diffusion: {x: x*(2 - x)}\n", 1},
      {PLANE "  diffusion: {x: 0.1, y: 0.4, xy: 0.15}\n", 2},
      {PLANE "  diffusion: {x: 0.1, y: 0.4, xy: 0.2}\n", 1}, /* rank 1 */
      {PLANE "  diffusion: {x: 0.1, y: 1e6, xy: -20}\n", 2},
      {PLANE "  diffusion: {y: 0.5}\n", 1},
      {PLANE "  diffusion: {y: 0.5 + t}\n", 1},
      {PLANE "  diffusion: {x: 1 + y^2, y: 1 + x^2, xy: -x*y}\n", 2},
      {PLANE "  diffusion: {x: y^2, y: x^2, xy: -x*y}\n", 2}, /* rank 1 everywhere, 0 at the origin */
      {PLANE "  diffusion: {x: 'max(x, 0)', y: 1, xy: '0.5*sqrt(max(x, 0))'}\n", 2},
      {SPACE "  diffusion: {x: 1, y: 2, z: 3, xy: 0.5, yz: -1, xz: 0.25}\n", 3},
      {SPACE "  diffusion: {x: 1 + y^2, y: 2, z: 3*z, xy: 0.5*y, yz: -sqrt(z), xz: 0}\n", 3},
      {SPACE "  diffusion: {y: 2, z: 3, yz: 1}\n", 2},
      {SPACE "  diffusion: {x: x^2, y: y^2, z: z^2, xy: x*y, yz: y*z, xz: x*z}\n", 3}, /* rank 1 */
  };
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    Case equation = start(cases[c].text, INK_EULER_MARUYAMA);
    const InkSde *sde = &equation.sde;
    assert_int_equal(sde->noises, cases[c].noises);
    for (int k = 0; k < sde->noises; k++) {
      const char name[] = {'w', (char)('1' + k), 0};
      assert_string_equal(sde->noise[k], name);
    }
    for (int i = 0; i < 3; i++) /* what does not diffuse has no noise */
      for (int k = 0; k < INK_MAX_NOISES; k++)
        if (k >= sde->noises || i >= sde->dim || !sde->D[i][i]) assert_null(sde->B[i][k]);
    for (int p = 0; p < 100; p++) {
      const double x[3] = {sde->dim == 1 ? 2 * chance() : 2 * chance() - 1, 5 * chance() - 2,
                           0.5 + 0.5 * chance()};
      check_factor(sde, x);
    }
    check_factor(sde, (const double[3]){0.0, 0.0, 0.0});
    check_factor(sde, (const double[3]){0.0, 1.0, 0.5});
    check_factor(sde, (const double[3]){1.0, 0.0, 0.5});
    finish(&equation);
  }
}

/* A matrix that is none of a process is not taken for one: D_xy^2 > D_xx D_yy. */
static void indefinite_matrices_have_no_factor(void **state) {
  (void)state;
  Case c = start(PLANE "  diffusion: {x: 1 + x^2, y: 1, xy: 2}\n", INK_EULER_MARUYAMA);
  assert_true(isnan(value_at(c.sde.B[1][1], (const double[3]){0.5, 0.0, 0.0}, 0.0)));
  finish(&c);
}

static void noises_are_as_given(void **state) {
  (void)state;
  Case c = start(PLANE "  drift: {x: y}\n  noise: {x: {a: x, b: 2}, y: {b: -3*y}}\n", INK_EULER_MARUYAMA);
  const double x[3] = {0.7, -1.1, 0.0};
  assert_int_equal(c.sde.noises, 2);
  assert_string_equal(c.sde.noise[1], "b");
  assert_ptr_equal(c.sde.B[0][0], c.model.B[0][0]);
  close_to(value_at(c.sde.B[1][1], x, 0), 3.3, 1e-15);
  close_to(value_at(c.sde.D[0][1], x, 0), 3.3, 1e-15);
  assert_null(c.sde.drift[1]);
  assert_null(c.sde.second[0][0][0]); /* Euler's needs none */
  finish(&c);
}

/* ---- Milstein ---- */

static void milstein_of_geometric_brownian_motion(void **state) {
  (void)state;
  Case c = start(LINE "  drift: {x: 0.3*x}\n  noise: {x: {w: 0.5*x}}\n", INK_MILSTEIN);
  for (double x = 0.1; x < 2; x += 0.1)
    close_to(value_at(c.sde.second[0][0][0], &(const double[3]){x}[0], 0), 0.125 * x, 1e-15);
  finish(&c);
}

/* b b'/2 = D'/2 also where a root is 0 and its slope infinite: square-root processes, Wright and Fisher. */
static void milstein_at_singular_ends(void **state) {
  (void)state;
  static const char *const noises[] = {
      "diffusion: {x: 0.08*x*(2 - x)}", "noise: {x: {w: 0.4*sqrt(x*(2 - x))}}",
      "noise: {x: {w: -0.4*(x*(2 - x))^0.5}}", "noise: {x: {w: sqrt(x)*0.4*sqrt(2 - x)}}"};
  for (int n = 0; n < 4; n++)
    for (int heun = 0; heun < 2; heun++) {
      char text[300];
      snprintf(text, sizeof text, LINE "  drift: {x: 1 - x}\n  %s\n", noises[n]);
      Case c = start(text, heun ? INK_HEUN : INK_MILSTEIN);
      for (int p = 0; p <= 8; p++) {
        const double x[3] = {0.25 * p, 0.0, 0.0}, half = 0.04 * (2 - 2 * x[0]);
        if (heun)
          close_to(value_at(c.sde.drift[0], x, 0), 1 - x[0] - half, 1e-15);
        else
          close_to(value_at(c.sde.second[0][0][0], x, 0), half, 1e-15);
      }
      finish(&c);
    }
}

/* Two noises that each act on one state of their own, and one noise on both. */
static void milstein_in_two_variables(void **state) {
  (void)state;
  char message[300];
  const double from[3] = {-1, -2}, to[3] = {1, 3}, x[3] = {0.6, -1.1, 0};
  Case c = start(PLANE "  noise: {x: {a: sin(x)}, y: {b: y^2}}\n", INK_MILSTEIN);
  assert_true(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  close_to(value_at(c.sde.second[0][0][0], x, 0), 0.5 * sin(x[0]) * cos(x[0]), 1e-15);
  close_to(value_at(c.sde.second[1][1][1], x, 0), 0.5 * x[1] * x[1] * 2 * x[1], 1e-14);
  assert_null(c.sde.second[0][1][1]);
  assert_null(c.sde.second[0][0][1]);
  assert_null(c.sde.second[1][0][1]);
  finish(&c);
  c = start(PLANE "  noise: {x: {w: -y}, y: {w: x}}\n", INK_MILSTEIN);
  assert_true(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  close_to(value_at(c.sde.second[0][0][0], x, 0), -0.5 * x[0], 1e-15);
  close_to(value_at(c.sde.second[1][0][0], x, 0), -0.5 * x[1], 1e-15);
  finish(&c);
  /* x: two noises times x: L^a B_b = L^b B_a = 0.06 x, once for the pair. */
  c = start(LINE "  noise: {x: {a: 0.2*x, b: 0.3*x}}\n", INK_MILSTEIN);
  assert_true(
      ink_sde_commutes(&c.sde, (const double[3]){0}, (const double[3]){2}, 0, message, sizeof message));
  close_to(value_at(c.sde.second[0][0][1], x, 0), 0.06 * x[0], 1e-15);
  close_to(value_at(c.sde.second[0][0][0], x, 0), 0.02 * x[0], 1e-15);
  finish(&c);
}

/* By its definition: second_jk = 1/4 (L^j B_ik + L^k B_ij), twice that off the diagonal; slopes by
 * differences. */
static void milstein_by_differences(void **state) {
  (void)state;
  Case c = start(PLANE "  noise: {x: {a: sin(x)*y, b: exp(x/2)}, y: {a: x*y, b: cos(x + y), c: x^2}}\n",
                 INK_MILSTEIN);
  const double x[3] = {0.4, 1.3, 0}, h = 1e-5;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = j; k < 3; k++) {
        double along = 0.0;
        for (int l = 0; l < 2; l++)
          for (int swap = 0; swap < 2; swap++) {
            const int of = swap ? j : k, by = swap ? k : j;
            double up[3] = {x[0], x[1], 0}, down[3] = {x[0], x[1], 0};
            up[l] += h;
            down[l] -= h;
            along += value_at(c.sde.B[l][by], x, 0) *
                     (value_at(c.sde.B[i][of], up, 0) - value_at(c.sde.B[i][of], down, 0)) / (2 * h);
          }
        close_to(value_at(c.sde.second[i][j][k], x, 0), (j == k ? 0.25 : 0.5) * along, 1e-9);
      }
  finish(&c);
}

static void what_does_not_commute_is_refused(void **state) {
  (void)state;
  const double from[3] = {-1, -2, 0}, to[3] = {1, 3, 0};
  char message[400] = "";
  Case c = start(PLANE "  noise: {x: {a: 1}, y: {b: x}}\n", INK_MILSTEIN);
  assert_false(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  assert_non_null(strstr(message, "the noises a and b do not commute at x = 0, y = "));
  assert_non_null(strstr(message, "take euler_maruyama or heun"));
  finish(&c);
  c = start(PLANE "  diffusion: {x: 1 + y^2, y: 1}\n", INK_MILSTEIN);
  assert_false(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  assert_non_null(strstr(message, "the noises w1 and w2"));
  finish(&c);
  /* One noise commutes with itself, constants with each other; places without a value do not count. */
  c = start(PLANE "  diffusion: {x: 1, y: 2, xy: 0.5}\n", INK_MILSTEIN);
  assert_true(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  finish(&c);
  c = start(PLANE "  noise: {x: {a: sqrt(x), b: 2*sqrt(x)}}\n", INK_MILSTEIN);
  assert_true(ink_sde_commutes(&c.sde, from, to, 0, message, sizeof message));
  finish(&c);
}

/* ---- Heun ---- */

static void drift_of_heun(void **state) {
  (void)state;
  const double x[3] = {0.6, -1.1, 0};
  Case c = start(LINE "  noise: {x: {w: x}}\n", INK_HEUN);
  close_to(value_at(c.sde.drift[0], x, 0), -0.3, 1e-15);
  finish(&c);
  c = start(LINE "  drift: {x: 0.3*x}\n  noise: {x: {w: x}}\n  interpretation: stratonovich\n", INK_HEUN);
  assert_ptr_equal(c.sde.drift[0], c.model.as_given[0]);
  finish(&c);
  c = start(LINE "  drift: {x: 0.3*x}\n  noise: {x: {w: x}}\n  interpretation: stratonovich\n",
            INK_EULER_MARUYAMA);
  close_to(value_at(c.sde.drift[0], x, 0), 0.8 * x[0], 1e-15);
  finish(&c);
  c = start(PLANE "  drift: {x: y, y: -x}\n  diffusion: {x: 1, y: 2, xy: 1}\n", INK_HEUN);
  assert_ptr_equal(c.sde.drift[0], c.model.process.drift[0]); /* additive */
  assert_ptr_equal(c.sde.drift[1], c.model.process.drift[1]);
  finish(&c);
  /* Forth by the model, back by the scheme. */
  c = start(PLANE "  drift: {x: y, y: x^2}\n  noise: {x: {w: -y, z: sin(x)*y}, y: {w: x}}\n"
                  "  interpretation: stratonovich\n",
            INK_HEUN);
  InkModel ito = c.model;
  ito.stratonovich = false;
  InkSde back;
  ink_sde_read(&ito, INK_HEUN, ink_deck_pool(c.deck), &back);
  for (int i = 0; i < 2; i++)
    close_to(value_at(back.drift[i], x, 0), value_at(c.model.as_given[i], x, 0), 1e-15);
  finish(&c);
}

/* ---- the step ---- */

static double step_of(const char *text, char *reason, size_t size) {
  Case c = start(text, INK_EULER_MARUYAMA);
  double from[3] = {0}, to[3] = {0};
  for (int i = 0; i < c.sde.dim; i++) {
    from[i] = ink_deck_number(c.deck, "model.state.%s.from", c.sde.state[i]);
    to[i] = ink_deck_number(c.deck, "model.state.%s.to", c.sde.state[i]);
  }
  const double dt = ink_sde_step(&c.sde, from, to, 0.0, reason, size);
  finish(&c);
  return dt;
}

#define AXIS(from, to) "  state: {x: {from: " #from ", to: " #to ", cells: 10}}\n"

static void steps_resolve_the_equation(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double low, high;
    const char *reason;
  } cases[] = {
      {AXIS(-4, 4) "  drift: {x: -1.5*x}\n  diffusion: {x: 0.32}\n", 0.0033333, 0.0033334,
       "the drift relaxes"},
      {AXIS(-2.5, 2.5) "  drift: {x: x - x^3}\n  diffusion: {x: 0.25}\n", 2e-4, 2e-3, "the drift relaxes"},
      {AXIS(0, 5) "  drift: {x: 0.3*x}\n  noise: {x: {w: 0.5*x}}\n", 0.001, 0.0167, ""},
      {AXIS(0, 500) "  drift: {x: 0.1*x}\n  noise: {x: {w: 2*x}}\n", 2e-6, 0.00125, ""},
      /* Bessel's: a drift without bound */
      {AXIS(0, 2) "  drift: {x: 2*0.3/x}\n  diffusion: {x: 0.3}\n", 1e-5, 1e-3, "the drift relaxes"},
      /* CIR */
      {AXIS(0, 3) "  drift: {x: 2*(0.5 - x)}\n  noise: {x: {w: 0.4*sqrt(x)}}\n", 0.00248, 0.00252,
       "the drift"},
      /* Wright and Fisher */
      {AXIS(0, 1) "  diffusion: {x: x*(1 - x)/(4*1000)}\n", 0.1, 10, ""},
      {AXIS(0, 2) "  diffusion: {x: 0.3}\n", 0.002666, 0.002667, "is a fiftieth of the axis x, D = 0.3"},
      {AXIS(-4, 4) "  drift: {x: -x + cos(10*t)}\n  diffusion: {x: 0.32}\n", 2e-4, 1.25e-3, "changes with t"},
      {AXIS(-4, 4) "  drift: {x: sin(10*t)}\n", 0.00049999, 0.00050001, "changes with t at a rate of 10"},
      {AXIS(-4, 4) "  drift: {x: 2 + exp(-5*t)}\n", 0.00099999, 0.00100001, "changes with t at a rate of 5"},
      {AXIS(-4, 4) "  drift: {x: 2 + 3*t}\n", INFINITY, INFINITY, "nothing"},
      /* Langevin, in units in which a row sum would be 10^6 */
      {"  state: {x: {from: -6e-3, to: 6e-3, cells: 10}, v: {from: -6, to: 6, cells: 10}}\n"
       "  drift: {x: v, v: -1e6*x - 500*v}\n  diffusion: {v: 500}\n",
       3.3e-6, 3.4e-6, "the drift relaxes at a rate of 1.5e+03"},
  };
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    char reason[300];
    const double dt = step_of(cases[c].text, reason, sizeof reason);
    if (!(dt >= cases[c].low && dt <= cases[c].high) || !strstr(reason, cases[c].reason))
      fail_msg("%s%.9g is not in [%g, %g]: %s", cases[c].text, dt, cases[c].low, cases[c].high, reason);
  }
}

/* Time in other units, the same steps; lengths too. */
static void steps_have_no_units(void **state) {
  (void)state;
  char reason[300];
  const double one = step_of("  state: {x: {from: 0, to: 2, cells: 10}, y: {from: 0, to: 4, cells: 10}}\n"
                             "  drift: {x: y - x^3, y: 1 - x*y}\n  diffusion: {x: 0.01, y: 0.02*x}\n",
                             reason, sizeof reason);
  const double other =
      step_of("  state: {x: {from: 0, to: 2, cells: 10}, y: {from: 0, to: 4000, cells: 10}}\n"
              "  drift: {x: 5*(y/1000 - x^3), y: 5000*(1 - x*y/1000)}\n"
              "  diffusion: {x: 0.05, y: 1e5*x}\n",
              reason, sizeof reason);
  close_to(5 * other, one, 1e-12 * one);
  between(one, 1e-4, 1e-2);
}

/* ---- exact steps ---- */

static InkExactStep step_from(const Case *c, double t, double dt) {
  char message[500];
  InkExactStep step;
  const InkExactKind kind = ink_sde_exact(&c->sde, ink_deck_pool(c->deck), message, sizeof message);
  if (kind == INK_EXACT_NONE) fail_msg("%s", message);
  ink_sde_exact_step(&c->sde, kind, t, dt, &step);
  assert_int_equal(step.kind, kind);
  assert_int_equal(step.dim, c->sde.dim);
  return step;
}

static void ornstein_and_uhlenbeck(void **state) {
  (void)state;
  for (int sign = -1; sign <= 1; sign += 2) {
    char text[300];
    snprintf(text, sizeof text, LINE "  drift: {x: 1.5*(0.7 - x)}\n  noise: {x: {w: %d*0.8}}\n", sign);
    Case c = start(text, INK_EXACT);
    for (double dt = 1e-6; dt < 1e3; dt *= 3) {
      const InkExactStep s = step_from(&c, 0.2, dt);
      assert_int_equal(s.columns, 1);
      close_to(s.P[0][0], exp(-1.5 * dt), 1e-15 * exp(-1.5 * dt));
      close_to(s.q[0], -0.7 * expm1(-1.5 * dt), 1e-15 * s.q[0]);
      const double deviation = sqrt(-0.64 * expm1(-3 * dt) / 3);
      close_to(s.L[0][0], sign * deviation, 1e-15 * deviation);
    }
    finish(&c);
  }
}

typedef struct Moments {
  double P[3][3], q[3], S[3][3];
} Moments;

static Moments moments_of(const InkExactStep *s) {
  Moments m = {0};
  memcpy(m.P, s->P, sizeof m.P);
  memcpy(m.q, s->q, sizeof m.q);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < s->columns; k++) m.S[i][j] += s->L[i][k] * s->L[j][k];
  return m;
}

/* One after the other. */
static Moments then(const Moments *a, const Moments *b) {
  Moments m = {0};
  for (int i = 0; i < 3; i++) {
    m.q[i] = b->q[i];
    for (int j = 0; j < 3; j++) {
      m.q[i] += b->P[i][j] * a->q[j];
      m.S[i][j] = b->S[i][j];
      for (int k = 0; k < 3; k++) {
        m.P[i][j] += b->P[i][k] * a->P[k][j];
        for (int l = 0; l < 3; l++) m.S[i][j] += b->P[i][k] * a->S[k][l] * b->P[j][l];
      }
    }
  }
  return m;
}

static void same_moments(const Moments *a, const Moments *b, double within) {
  for (int i = 0; i < 3; i++) {
    close_to(a->q[i], b->q[i], within * (fabs(b->q[i]) + 1e-3));
    for (int j = 0; j < 3; j++) {
      close_to(a->P[i][j], b->P[i][j], within);
      close_to(a->S[i][j], b->S[i][j], within * sqrt(b->S[i][i] * b->S[j][j]));
    }
  }
}

/* A step is its halves, one after the other: P(2h) = P(h)^2, S(2h) = P S P^T + S; also where c moves. */
static void steps_are_their_halves(void **state) {
  (void)state;
  static const char *const texts[] = {
      PLANE "  drift: {x: y, y: -x - 0.5*y}\n  diffusion: {y: 0.5}\n",
      PLANE
      "  drift: {x: y - 1, y: -4*x + 0.3*cos(2*t)}\n  noise: {x: {a: 0.1}, y: {a: 0.3, b: -0.2, c: 1}}\n",
      SPACE "  drift: {x: y, y: z, z: 1 + sin(t)}\n  diffusion: {z: 0.5}\n",
      SPACE "  drift: {x: -x + 2*y, y: -3*y + z - t, z: -0.1*z + x + 1}\n"
            "  diffusion: {x: 1, y: 2, z: 0.5, xy: 0.5, yz: -0.3}\n",
  };
  for (int n = 0; n < 4; n++) {
    Case c = start(texts[n], INK_EXACT);
    for (double h = 1e-3; h < 3; h *= 2.5) {
      const InkExactStep first = step_from(&c, 0.4, h), second = step_from(&c, 0.4 + h, h),
                         both = step_from(&c, 0.4, 2 * h);
      const Moments a = moments_of(&first), b = moments_of(&second), whole = moments_of(&both);
      const Moments halves = then(&a, &b);
      same_moments(&whole, &halves, 1e-14);
    }
    finish(&c);
  }
}

/* A particle in a spring, underdamped, and its spread in closed form (Chandrasekhar, Rev. Mod. Phys. 15
 * (1943), 211-215): with beta = gamma/2, w^2 = k - beta^2. */
static void langevin_in_closed_form(void **state) {
  (void)state;
  Case c = start(PLANE "  drift: {x: y, y: -x - 0.5*y}\n  diffusion: {y: 0.5}\n", INK_EXACT);
  const double gamma = 0.5, beta = 0.25, w = sqrt(1 - beta * beta);
  for (double t = 0.05; t < 40; t *= 2) {
    const InkExactStep s = step_from(&c, 0, t);
    const Moments m = moments_of(&s);
    const double e = exp(-beta * t), co = cos(w * t), si = sin(w * t);
    close_to(m.P[0][0], e * (co + beta / w * si), 1e-14);
    close_to(m.P[0][1], e * si / w, 1e-14);
    close_to(m.P[1][0], -e * si / w, 1e-14);
    close_to(m.P[1][1], e * (co - beta / w * si), 1e-14);
    /* kT = 1: the spread from a point is 1 - P P^T in equilibrium's variables */
    close_to(m.S[0][0], 1 - m.P[0][0] * m.P[0][0] - m.P[0][1] * m.P[0][1], 1e-14);
    close_to(m.S[0][1], -m.P[0][0] * m.P[1][0] - m.P[0][1] * m.P[1][1], 1e-14);
    close_to(m.S[1][1], 1 - m.P[1][0] * m.P[1][0] - m.P[1][1] * m.P[1][1], 1e-14);
    assert_int_equal(s.columns, 2);
  }
  /* Short steps: S_xx = 2 gamma dt^3/3, S_xy = gamma dt^2 to leading order */
  const InkExactStep s = step_from(&c, 0, 1e-5);
  const Moments m = moments_of(&s);
  close_to(m.S[0][0] / (2 * gamma * 1e-15 / 3), 1, 1e-4);
  close_to(m.S[0][1] / (gamma * 1e-10), 1, 1e-4);
  finish(&c);
}

/* Long after, nothing of the start is left and A S + S A^T + Q = 0, A q + c = 0. */
static void the_stationary_limit(void **state) {
  (void)state;
  Case c =
      start(PLANE "  drift: {x: -40*x + y + 1, y: -2*y - x}\n  diffusion: {x: 1, y: 3, xy: 1}\n", INK_EXACT);
  const double A[2][2] = {{-40, 1}, {-1, -2}}, D[2][2] = {{1, 1}, {1, 3}}, push[2] = {1, 0};
  for (double dt = 30; dt < 1e9; dt *= 100) {
    const InkExactStep s = step_from(&c, 0, dt);
    const Moments m = moments_of(&s);
    for (int i = 0; i < 2; i++) {
      close_to(A[i][0] * m.q[0] + A[i][1] * m.q[1] + push[i], 0, 1e-14);
      for (int j = 0; j < 2; j++) {
        double rest = 2 * D[i][j];
        for (int k = 0; k < 2; k++) rest += A[i][k] * m.S[k][j] + m.S[i][k] * A[j][k];
        close_to(rest, 0, 1e-12);
        close_to(m.P[i][j], 0, 1e-20);
      }
    }
  }
  finish(&c);
}

/* One noise on two states that relax alike: S without full rank, whatever rounding makes of it. */
static void singular_spreads(void **state) {
  (void)state;
  Case c = start(PLANE "  drift: {x: -x, y: -y}\n  noise: {x: {w: 0.7}, y: {w: -2.1}}\n", INK_EXACT);
  for (double dt = 0.01; dt < 10; dt *= 1.1) {
    const InkExactStep s = step_from(&c, 0, dt);
    close_to(s.L[1][0] / s.L[0][0], -3, 1e-14);
    assert_true(s.L[1][1] == 0.0 && s.L[0][1] == 0.0);
  }
  finish(&c);
  c = start(PLANE "  noise: {x: {a: -2}, y: {b: 3}}\n", INK_EXACT); /* columns go with their noises */
  const InkExactStep b = step_from(&c, 0, 0.25);
  close_to(b.L[0][0], -1, 1e-15);
  close_to(b.L[1][1], 1.5, 1e-15);
  close_to(b.P[0][0], 1, 0);
  close_to(b.P[0][1], 0, 0);
  finish(&c);
}

static void geometric_steps(void **state) {
  (void)state;
  Case c = start(LINE "  drift: {x: 0.3*x}\n  noise: {x: {w: 0.5*x}}\n", INK_EXACT);
  const InkExactStep s = step_from(&c, 0, 0.01);
  assert_int_equal(s.kind, INK_EXACT_GEOMETRIC);
  assert_int_equal(s.columns, 1);
  close_to(s.q[0], (0.3 - 0.125) * 0.01, 1e-18);
  close_to(s.L[0][0], 0.05, 1e-17);
  finish(&c);
  c = start(PLANE "  drift: {x: x/5 - x}\n  noise: {x: {a: 0.5*x, b: -x}, y: {b: y}}\n", INK_EXACT);
  const InkExactStep p = step_from(&c, 0, 0.25);
  assert_int_equal(p.kind, INK_EXACT_GEOMETRIC);
  close_to(p.q[0], (-0.8 - 0.5 * 1.25) * 0.25, 1e-15);
  close_to(p.q[1], -0.125, 1e-15);
  close_to(p.L[0][1], -0.5, 1e-15);
  close_to(p.L[1][0], 0, 0);
  finish(&c);
}

/* dx = cos(t) dt without noise: the integral of the drift, to rounding. */
static void a_smooth_path(void **state) {
  (void)state;
  Case c = start(AXIS(-2, 2) "  drift: {x: cos(t)}\n  noise: {x: {w: 0}}\n", INK_EXACT);
  double x = 0.0;
  for (int n = 0; n < 100; n++) {
    const InkExactStep s = step_from(&c, 0.1 * n, 0.1);
    close_to(s.L[0][0], 0, 0);
    close_to(s.P[0][0], 1, 0);
    x += s.q[0];
    close_to(x, sin(0.1 * (n + 1)), 2e-15);
  }
  finish(&c);
  /* Behind a stiff relaxation, in one long step: x' = -200 (x - sin t), x(0) = 0. */
  c = start(AXIS(-2, 2) "  drift: {x: -200*(x - sin(t))}\n  diffusion: {x: 1}\n", INK_EXACT);
  const InkExactStep s = step_from(&c, 0, 2);
  close_to(s.q[0], 200 * (200 * sin(2) - cos(2) + exp(-400)) / 40001, 1e-14);
  finish(&c);
}

static void kinds(void **state) {
  (void)state;
  static const struct {
    const char *text;
    InkExactKind kind;
    const char *words;
  } cases[] = {
      {LINE "  drift: {x: -x*2 + t^2}\n  diffusion: {x: 1}\n", INK_EXACT_LINEAR, ""},
      {LINE "  drift: {x: 'if(t < 1, 1, 2)'}\n  diffusion: {x: 1}\n", INK_EXACT_LINEAR, ""},
      {LINE "  noise: {x: {w: x}}\n", INK_EXACT_GEOMETRIC, ""},
      {LINE "  drift: {x: x - x^3}\n  diffusion: {x: 1}\n", INK_EXACT_NONE, "the drift of x is not linear"},
      {LINE "  drift: {x: t*x}\n  diffusion: {x: 1}\n", INK_EXACT_NONE, "the drift of x is not linear"},
      {LINE "  drift: {x: sign(x)}\n  diffusion: {x: 1}\n", INK_EXACT_NONE, "the drift of x is not linear"},
      {LINE "  drift: {x: 'mod(x, 1)'}\n  diffusion: {x: 1}\n", INK_EXACT_NONE,
       "the drift of x is not linear"},
      {LINE "  drift: {x: floor(x) - x}\n  diffusion: {x: 1}\n", INK_EXACT_NONE, "the drift of x is not"},
      {LINE "  drift: {x: 'if(x < 1, 1, 2)'}\n  diffusion: {x: 1}\n", INK_EXACT_NONE,
       "the drift of x is not"},
      {LINE "  drift: {x: -x}\n  diffusion: {x: 1 + t}\n", INK_EXACT_NONE, "the noise w1 of x is neither"},
      {LINE "  drift: {x: -x}\n  noise: {x: {b: sqrt(x)}}\n", INK_EXACT_NONE, "the noise b of x is neither"},
      {LINE "  drift: {x: 1 - x}\n  noise: {x: {w: x}}\n", INK_EXACT_NONE, "not every drift and noise"},
      {LINE "  noise: {x: {w: x, v: 1}}\n", INK_EXACT_NONE, "the noise w of x is x times a number, but"},
      {PLANE "  drift: {x: y}\n  noise: {x: {w: x}, y: {w: y}}\n", INK_EXACT_NONE,
       "not every drift and noise"},
      {PLANE "  noise: {x: {w: y}}\n", INK_EXACT_NONE, "the noise w of x is neither constant nor x times"},
      {PLANE "  drift: {y: 3*x*y}\n  diffusion: {x: 1}\n", INK_EXACT_NONE, "take euler_maruyama or milstein"},
  };
  for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
    char message[500] = "";
    Case c = start(cases[n].text, INK_EXACT);
    const InkExactKind kind = ink_sde_exact(&c.sde, ink_deck_pool(c.deck), message, sizeof message);
    if (kind != cases[n].kind || !strstr(message, cases[n].words))
      fail_msg("%sis kind %d: '%s'", cases[n].text, kind, message);
    finish(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(factors_of_matrices),
      cmocka_unit_test(indefinite_matrices_have_no_factor),
      cmocka_unit_test(noises_are_as_given),
      cmocka_unit_test(milstein_of_geometric_brownian_motion),
      cmocka_unit_test(milstein_at_singular_ends),
      cmocka_unit_test(milstein_in_two_variables),
      cmocka_unit_test(milstein_by_differences),
      cmocka_unit_test(what_does_not_commute_is_refused),
      cmocka_unit_test(drift_of_heun),
      cmocka_unit_test(steps_resolve_the_equation),
      cmocka_unit_test(steps_have_no_units),
      cmocka_unit_test(ornstein_and_uhlenbeck),
      cmocka_unit_test(steps_are_their_halves),
      cmocka_unit_test(langevin_in_closed_form),
      cmocka_unit_test(the_stationary_limit),
      cmocka_unit_test(singular_spreads),
      cmocka_unit_test(geometric_steps),
      cmocka_unit_test(a_smooth_path),
      cmocka_unit_test(kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
