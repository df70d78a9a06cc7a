/* Rates between neighbouring cells: equilibrium, symmetry, the limits of weak and strong drift, and
 * degenerate diffusion. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <float.h>
#include <cmocka.h>
#include "../../solvers/core/boundary.h"
#include "../../solvers/core/rates.h"

enum { N = 37 }; /* vectors and a rest */

typedef struct Row {
  double drift[2][N], diffusion[2][N], low[N], high[N], distance[N], area[N], up[N], down[N];
} Row;

static InkEdgeRow edges(const Row *r) {
  return (InkEdgeRow){
      {r->drift[0], r->drift[1]}, {r->diffusion[0], r->diffusion[1]}, r->low, r->high, r->distance, r->area};
}

static void rates(Row *r, int64_t n) {
  const InkEdgeRow row = edges(r);
  ink_edge_rates(n, &row, r->up, r->down);
}

static uint64_t state_of_chance = 1;

/* Between 0 and 1 (Knuth's MMIX generator). */
static double chance(void) {
  state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
  return (double)(state_of_chance >> 11) / 9007199254740992.0;
}

/* Positive numbers, drifts up to `strong` either way. */
static Row random_row(double strong) {
  Row r;
  for (int i = 0; i < N; i++) {
    for (int g = 0; g < 2; g++) {
      r.drift[g][i] = strong * (2.0 * chance() - 1.0);
      r.diffusion[g][i] = 0.1 + chance();
    }
    r.low[i] = 0.1 + chance();
    r.high[i] = 0.1 + chance();
    r.distance[i] = 0.1 + chance();
    r.area[i] = 0.1 + chance();
  }
  return r;
}

/* The same numbers everywhere. */
static Row plain_row(double drift, double diffusion, double distance) {
  Row r;
  for (int i = 0; i < N; i++) {
    r.drift[0][i] = r.drift[1][i] = drift;
    r.diffusion[0][i] = r.diffusion[1][i] = r.low[i] = r.high[i] = diffusion;
    r.distance[i] = distance;
    r.area[i] = 1.0;
  }
  return r;
}

static double exponent(const Row *r, int i) {
  return 0.5 * r->distance[i] * (r->drift[0][i] / r->diffusion[0][i] + r->drift[1][i] / r->diffusion[1][i]);
}

/* D p = exp(z): nothing flows. */
static void test_equilibrium(void **state) {
  (void)state;
  for (double strong = 1e-6; strong < 300.0; strong *= 3.0) {
    Row r = random_row(strong);
    rates(&r, N);
    for (int i = 0; i < N; i++) {
      const double z = exponent(&r, i);
      const double forth = r.up[i] / r.low[i], back = r.down[i] / r.high[i] * exp(z);
      assert_true(forth > 0.0);
      assert_true(fabs(forth - back) <= (8.0 + 2.0 * fabs(z)) * DBL_EPSILON * forth);
    }
  }
}

/* The difference of the coefficients is what the drift carries, each is the Bernoulli function's. */
static void test_bernoulli(void **state) {
  (void)state;
  for (double strong = 1e-12; strong < 1e3; strong *= 3.0) {
    Row r = random_row(strong);
    rates(&r, N);
    for (int i = 0; i < N; i++) {
      const double z = exponent(&r, i), unit = r.area[i] / r.distance[i];
      const double up = unit * r.low[i] * ink_bernoulli(-z), down = unit * r.high[i] * ink_bernoulli(z);
      assert_true(fabs(r.up[i] - up) <= 8.0 * DBL_EPSILON * up);
      assert_true(fabs(r.down[i] - down) <= 8.0 * DBL_EPSILON * down);
      assert_true(fabs(r.up[i] / r.low[i] - r.down[i] / r.high[i] - unit * z) <=
                  8.0 * DBL_EPSILON * (r.up[i] / r.low[i] + r.down[i] / r.high[i]));
    }
  }
}

/* Without drift, and with one too weak to be seen, a cell's rate is its own D, to the bit. */
static void test_neutral(void **state) {
  (void)state;
  const double weak[] = {0.0, -0.0, 5e-324, -1e-310, 1e-200, -1e-18};
  for (int w = 0; w < 6; w++) {
    Row r = random_row(0.0);
    for (int i = 0; i < N; i++) r.drift[0][i] = r.drift[1][i] = weak[w];
    rates(&r, N);
    for (int i = 0; i < N; i++) {
      assert_true(r.up[i] == r.area[i] / r.distance[i] * r.low[i]);
      assert_true(r.down[i] == r.area[i] / r.distance[i] * r.high[i]);
    }
  }
}

static void test_strong_drift(void **state) {
  (void)state;
  for (double b = 1e4; b <= 1e300; b *= 1e4)
    for (int way = -1; way <= 1; way += 2) {
      Row r = plain_row(way * b, 0.5, 0.125);
      rates(&r, N);
      for (int i = 0; i < N; i++) {
        const double along = way > 0 ? r.up[i] : r.down[i], against = way > 0 ? r.down[i] : r.up[i];
        assert_true(against == 0.0);
        assert_true(fabs(along - b) <= 4.0 * DBL_EPSILON * b);
      }
    }
  Row r = plain_row(1e200, 1e-200, 1.0); /* b/D overflows */
  r.drift[1][3] = -1e200;
  rates(&r, N);
  assert_true(r.up[0] == 1e200 && r.down[0] == 0.0);
  assert_true(r.up[3] == 0.0 && r.down[3] == 0.0);
}

/* Across exp(z) = 1e304, where one formula gives way to another, the rates go on smoothly. */
static void test_no_step_at_the_far_end(void **state) {
  (void)state;
  Row r = random_row(0.0);
  for (int i = 0; i < N; i++) {
    r.distance[i] = 1.0;
    r.diffusion[0][i] = r.diffusion[1][i] = 1.0;
    r.drift[0][i] = r.drift[1][i] = 700.0 * (1.0 + (i - N / 2) * 1e-14);
    r.low[i] = 3.0;
    r.area[i] = 1.0;
  }
  rates(&r, N);
  for (int i = 0; i < N; i++) {
    assert_true(fabs(r.up[i] - 3.0 * r.drift[0][i]) <= 1e-12);
    assert_true(r.down[i] >= 0.0 && r.down[i] < 1e-300);
  }
}

/* Turned round, the row has the same bits; and a lane does not know its neighbours. */
static void test_mirrored(void **state) {
  (void)state;
  for (double strong = 1e-3; strong < 1e5; strong *= 7.0) {
    Row r = random_row(strong), m = r;
    r.diffusion[0][5] = r.low[11] = 0.0;
    for (int i = 0; i < N; i++) {
      const int o = N - 1 - i;
      m.distance[o] = r.distance[i];
      m.area[o] = r.area[i];
      m.low[o] = r.high[i];
      m.high[o] = r.low[i];
      for (int g = 0; g < 2; g++) {
        m.drift[g][o] = -r.drift[1 - g][i];
        m.diffusion[g][o] = r.diffusion[1 - g][i];
      }
    }
    rates(&r, N);
    rates(&m, N);
    for (int i = 0; i < N; i++) {
      assert_true(r.up[i] == m.down[N - 1 - i]);
      assert_true(r.down[i] == m.up[N - 1 - i]);
    }
    for (int n = 1; n < N; n++) {
      Row part = r;
      for (int i = 0; i < N; i++) part.up[i] = part.down[i] = -1.0;
      rates(&part, n);
      for (int i = 0; i < N; i++) {
        assert_true(part.up[i] == (i < n ? r.up[i] : -1.0));
        assert_true(part.down[i] == (i < n ? r.down[i] : -1.0));
      }
    }
  }
}

static void test_degenerate(void **state) {
  (void)state;
  Row r = random_row(3.0);
  for (int i = 0; i < N; i++) {
    double *place[] = {&r.low[i], &r.high[i], &r.diffusion[0][i], &r.diffusion[1][i]};
    const double little[] = {0.0, 1e-17, -1e-18, -0.0};
    if (i % 5 < 4) *place[i % 5] = little[i % 4];
  }
  for (int g = 0; g < 2; g++) r.diffusion[g][8] = r.low[8] = r.high[8] = 0.0;
  for (int g = 0; g < 2; g++) r.drift[g][9] = r.diffusion[g][9] = r.low[9] = r.high[9] = 0.0;
  rates(&r, N);
  for (int i = 0; i < N; i++) {
    if (i % 5 == 4 && i != 9) continue;
    const double b = 0.5 * r.drift[0][i] + 0.5 * r.drift[1][i];
    const double up = r.area[i] * (fmax(r.low[i], 0.0) / r.distance[i] + fmax(b, 0.0));
    const double down = r.area[i] * (fmax(r.high[i], 0.0) / r.distance[i] + fmax(-b, 0.0));
    assert_true(fabs(r.up[i] - up) <= 4.0 * DBL_EPSILON * up);
    assert_true(fabs(r.down[i] - down) <= 4.0 * DBL_EPSILON * down);
  }
  assert_true(r.up[9] == 0.0 && r.down[9] == 0.0);
}

static void test_unknown_data(void **state) {
  (void)state;
  for (int place = 0; place < 6; place++)
    for (int zero = 0; zero < 2; zero++) {
      Row r = random_row(1.0);
      double *rows[] = {r.drift[0], r.drift[1], r.diffusion[0], r.diffusion[1], r.low, r.high};
      if (zero) rows[place == 4 ? 5 : 4][7] = 0.0;
      rows[place][7] = NAN;
      rates(&r, N);
      for (int i = 0; i < N; i++) {
        assert_int_equal(isnan(r.up[i]) != 0, i == 7);
        assert_int_equal(isnan(r.down[i]) != 0, i == 7);
      }
    }
}

/* An exit is an edge to a cell at the wall whose density is 0. */
static void test_exit(void **state) {
  (void)state;
  for (double strong = 1e-3; strong < 1e5; strong *= 7.0) {
    Row r = random_row(strong);
    double out[N];
    InkEdgeRow row = edges(&r);
    r.diffusion[1][4] = 0.0;
    rates(&r, N);
    row.high = NULL;
    ink_exit_rates(N, &row, out);
    for (int i = 0; i < N; i++) assert_true(out[i] == r.up[i]);
  }
}

/* ---- a whole axis: b and D of position, N cells of 1/N ---- */

static double bend(double x) { return 1.0 + 0.5 * sin(3.0 * x); }                /* D */
static double pull(double x) { return -2.0 * x + cos(5.0 * x); }                 /* b */
static double cubic(double x) { return 1.0 + x * (2.0 + x * (-3.0 - 4.0 * x)); } /* b/D */
static double cubic_integral(double x) { return x * (1.0 + x * (1.0 + x * (-1.0 - x))); }

static void axis_edge(double low, double h, double (*b)(double), double (*D)(double), double *up,
                      double *down) {
  const double third = sqrt(3.0) / 6.0, one = 1.0;
  double drift[2], diffusion[2];
  for (int g = 0; g < 2; g++) {
    const double x = low + (g ? 0.5 + third : 0.5 - third) * h;
    diffusion[g] = D(x);
    drift[g] = b ? b(x) : cubic(x) * diffusion[g];
  }
  const double below = D(low), above = D(low + h);
  const InkEdgeRow row = {{&drift[0], &drift[1]}, {&diffusion[0], &diffusion[1]}, &below, &above, &h, &one};
  ink_edge_rates(1, &row, up, down);
}

/* b/D cubic: p = exp(integral b/D)/D is at rest on any mesh. */
static void test_cubic_is_exact(void **state) {
  (void)state;
  for (double h = 2.0; h > 1e-3; h /= 3.0) {
    double up, down;
    axis_edge(-1.0, h, NULL, bend, &up, &down);
    const double low = exp(cubic_integral(-1.0)) / bend(-1.0);
    const double high = exp(cubic_integral(h - 1.0)) / bend(h - 1.0);
    assert_true(fabs(up * low - down * high) <= 4e-15 * (up * low));
  }
}

/* Flow of a smooth density against b p - (D p)' in the middle: second order. */
static double flow_error(double h) {
  double up, down;
  axis_edge(0.3 - h / 2, h, pull, bend, &up, &down);
  const double flow = up * exp(-0.3 + h / 2) - down * exp(-0.3 - h / 2); /* p = exp(-x) */
  const double slope = 1.5 * cos(0.9);
  return fabs(flow - (pull(0.3) + bend(0.3) - slope) * exp(-0.3));
}

static void test_second_order(void **state) {
  (void)state;
  for (double h = 0.1; h > 0.005; h /= 2.0) {
    const double order = log2(flow_error(h) / flow_error(h / 2));
    assert_true(fabs(order - 2.0) < 0.05);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_equilibrium),
      cmocka_unit_test(test_bernoulli),
      cmocka_unit_test(test_neutral),
      cmocka_unit_test(test_strong_drift),
      cmocka_unit_test(test_no_step_at_the_far_end),
      cmocka_unit_test(test_mirrored),
      cmocka_unit_test(test_degenerate),
      cmocka_unit_test(test_unknown_data),
      cmocka_unit_test(test_exit),
      cmocka_unit_test(test_cubic_is_exact),
      cmocka_unit_test(test_second_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
