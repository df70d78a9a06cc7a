/* Walls between two steps: the laws of the Brownian bridge's extremes and first touch, folds and turns. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>
#include "../../solvers/core/random.h"
#include "../../solvers/particles/walls.h"

static double relative(double a, double b) { return fabs(a - b) / fabs(b); }

static void crossings(void **state) {
  (void)state;
  /* from 0 to 0.4 in dt = 0.5, level 1.1 */
  assert_true(relative(ink_bridge_crossing(1.1, 0.7, 0.5), 0.0459592566490442) < 1e-12);
  assert_true(ink_bridge_crossing(1.0, 0.0, 0.5) == 1.0);
  assert_true(ink_bridge_crossing(1.0, -0.3, 0.5) == 1.0);
  assert_true(ink_bridge_crossing(0.0, 0.3, 0.5) == 1.0);
  assert_true(ink_bridge_crossing(0.0, 0.3, 0.0) == 0.0);
  assert_true(ink_bridge_crossing(0.2, 0.3, 0.0) == 0.0);
  assert_true(ink_bridge_crossing(0.2, -0.3, 0.0) == 1.0);
}

/* P(excursion > a) is the chance to touch a wall that lies a further out; excursion and chance are inverse to
 * each other. */
static void excursions(void **state) {
  (void)state;
  static const double place[][2] = {{0.3, 0.2}, {0.3, -0.2},  {0.1, -1.5},
                                    {0.0, 0.4}, {1e-9, 1e-9}, {2.0, 1e-3}};
  int reached = 0;
  for (int n = 0; n < 6; n++)
    for (double u = 0.001; u < 1.0; u += 0.0317) {
      const double x = place[n][0], y = place[n][1], v = 0.13, a = ink_bridge_excursion(x, y, v, u);
      const double touch = ink_bridge_crossing(x, y, v);
      assert_true(y + a >= -1e-15);
      if (fabs(u - touch) < 1e-12) continue;
      assert_int_equal(a > 0.0, u < touch);
      if (a == 0.0) continue;
      reached++;
      assert_true(relative(exp(-2.0 * (x + a) * (y + a) / v), u) < 1e-9);
    }
  assert_true(reached > 90);
  assert_true(ink_bridge_excursion(0.3, -0.2, 0.0, 0.5) == 0.2); /* without noise: back to the wall */
}

static double normal_law(double z) { return 0.5 * erfc(-z / sqrt(2.0)); }

/* P(touched by part s of the step): beyond it at s, or touched before and back. */
static double touched_by(double s, double x, double y, double v) {
  const double mean = x * (1.0 - s) + y * s, deviation = sqrt(v * s * (1.0 - s)), c = 2.0 * x / (v * s);
  return normal_law(-mean / deviation) +
         exp(-c * mean + 0.5 * c * c * deviation * deviation) * normal_law(mean / deviation - c * deviation);
}

static void times(void **state) {
  (void)state;
  enum { N = 20000 };
  static const double place[][2] = {{0.3, 0.2}, {0.3, -0.2}, {0.05, -0.6}, {0.5, 1e-12}};
  const double v = 0.2;
  for (int n = 0; n < 4; n++) {
    const double x = place[n][0], y = place[n][1], all = ink_bridge_crossing(x, y, v);
    const InkStream stream = {7, 1};
    int before[9] = {0};
    for (uint64_t i = 0; i < N; i++) {
      const double normal = ink_random_normal_at(stream, i, (uint64_t)n * 8),
                   uniform = ink_random_uniform_at(stream, i, (uint64_t)n * 8 + 2);
      const double part = ink_bridge_time(x, y, v, normal, uniform);
      assert_true(part > 0.0 && part <= 1.0);
      for (int k = 0; k < 9; k++) before[k] += part <= 0.1 * (k + 1);
    }
    for (int k = 0; k < 9; k++) {
      const double p = touched_by(0.1 * (k + 1), x, y, v) / all;
      assert_true(fabs(before[k] / (double)N - p) < 4.5 * sqrt(p * (1.0 - p) / N) + 1e-6);
    }
  }
}

static void times_at_the_edges(void **state) {
  (void)state;
  assert_true(ink_bridge_time(0.0, 0.4, 0.1, 0.5, 0.5) == 0.0);
  assert_true(fabs(ink_bridge_time(0.3, -0.1, 0.0, 0.5, 0.7) - 0.75) < 1e-15); /* a straight line */
  assert_true(ink_bridge_time(0.3, 0.0, 0.0, 0.0, 0.5) == 1.0);
  const double late = ink_bridge_time(0.3, 0.0, 0.1, 1e-200, 0.999);
  assert_true(late > 0.999 && late <= 1.0);
}

static void folds(void **state) {
  (void)state;
  for (double x = -11.0; x < 11.0; x += 0.0625) {
    const double y = ink_fold(x, -1.0, 2.0);
    assert_true(y >= -1.0 && y <= 2.0);
    /* the cosine that a reflecting box has as its mode does not see folds */
    assert_true(fabs(cos(M_PI * (x + 1.0) / 3.0) - cos(M_PI * (y + 1.0) / 3.0)) < 1e-12);
    assert_true(y == x || x < -1.0 || x > 2.0);
  }
  assert_true(isnan(ink_fold(NAN, 0.0, 1.0)));
}

static void turns(void **state) {
  (void)state;
  for (double x = -11.0; x < 11.0; x += 0.0625) {
    const double y = ink_wrap(x, -1.0, 2.0), turn = (x - y) / 3.0;
    assert_true(y >= -1.0 && y < 2.0);
    assert_true(fabs(turn - round(turn)) < 1e-12);
    assert_true(y == x || x < -1.0 || x >= 2.0);
  }
  assert_true(ink_wrap(-1e-20, 0.0, 0.1) < 0.1);
  assert_true(ink_wrap(0.1, 0.0, 0.1) == 0.0);
  assert_true(isnan(ink_wrap(NAN, 0.0, 1.0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(crossings), cmocka_unit_test(excursions),
                                     cmocka_unit_test(times),     cmocka_unit_test(times_at_the_edges),
                                     cmocka_unit_test(folds),     cmocka_unit_test(turns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
