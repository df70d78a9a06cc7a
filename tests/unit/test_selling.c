/* Selling's decomposition: the matrix comes back, with positive weights on few short offsets; and a drift
 * shared over the offsets is that drift. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>
#include "../../solvers/core/rates.h"

static uint64_t state_of_chance = 1;

/* Between -1 and 1 (Knuth's MMIX generator). */
static double chance(void) {
  state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
  return (double)(int64_t)(state_of_chance >> 11) / 4503599627370496.0 - 1.0;
}

static double largest(int dim, const double D[3][3]) {
  double most = 0.0;
  for (int i = 0; i < dim; i++) most = fmax(most, D[i][i]);
  return most;
}

/* Of what is decomposed against what was asked for with `added` on the diagonal of coupled axes. */
static double defect(int dim, const double D[3][3], const InkSelling *s) {
  const double most = largest(dim, D);
  double worst = 0.0;
  for (int i = 0; i < dim; i++)
    for (int j = 0; j < dim; j++) {
      double sum = 0.0;
      bool coupled = false;
      for (int k = 0; k < dim; k++) coupled |= k != i && D[i][k] != 0.0;
      for (int k = 0; k < s->count; k++) sum += s->weight[k] * (s->offset[k][i] * s->offset[k][j]);
      const double expected = D[i][j] + (i == j && coupled ? s->added * most : 0.0);
      worst = fmax(worst, fabs(sum - expected));
    }
  return most > 0.0 ? worst / most : worst;
}

static int reach(const InkSelling *s) {
  int r = 0;
  for (int k = 0; k < s->count; k++)
    for (int i = 0; i < 3; i++) r = abs(s->offset[k][i]) > r ? abs(s->offset[k][i]) : r;
  return r;
}

static void check(int dim, const double D[3][3], int radius, InkSelling *s) {
  assert_true(ink_selling(dim, D, radius, s));
  assert_true(s->count <= dim * (dim + 1) / 2);
  assert_true(reach(s) <= radius);
  if (defect(dim, D, s) > 1e-14) {
    print_message("dim %d defect %g added %g\n", dim, defect(dim, D, s), s->added);
    for (int i = 0; i < dim; i++) print_message("  %.17g %.17g %.17g\n", D[i][0], D[i][1], D[i][2]);
    for (int k = 0; k < s->count; k++)
      print_message("  %d %d %d: %g\n", s->offset[k][0], s->offset[k][1], s->offset[k][2], s->weight[k]);
  }
  assert_true(defect(dim, D, s) <= 1e-14);
  for (int k = 0; k < s->count; k++) {
    const int *v = s->offset[k];
    assert_true(s->weight[k] > 0.0);
    assert_true((v[0] ? v[0] : v[1] ? v[1] : v[2]) > 0);
    for (int l = 0; l < k; l++)
      assert_false(v[0] == s->offset[l][0] && v[1] == s->offset[l][1] && v[2] == s->offset[l][2]);
  }
}

/* diag(ratio, 1) turned by an angle. */
static void turned(double ratio, double angle, double D[3][3]) {
  const double c = cos(angle), s = sin(angle);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) D[i][j] = 0.0;
  D[0][0] = ratio * c * c + s * s;
  D[1][1] = ratio * s * s + c * c;
  D[0][1] = D[1][0] = (ratio - 1.0) * c * s;
}

/* rank vectors' squares; scaled by axis. */
static void random_matrix(int dim, int rank, double D[3][3]) {
  double B[3][3], scale[3];
  for (int i = 0; i < 3; i++) {
    scale[i] = pow(10.0, chance());
    for (int j = 0; j < 3; j++) {
      B[i][j] = chance();
      D[i][j] = 0.0;
    }
  }
  for (int i = 0; i < dim; i++)
    for (int j = 0; j <= i; j++) {
      for (int k = 0; k < rank; k++) D[i][j] += B[i][k] * B[j][k] * scale[i] * scale[j];
      D[j][i] = D[i][j];
    }
}

static void test_simple(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3] = {{0}};
  for (int dim = 1; dim <= 3; dim++) {
    check(dim, (const double(*)[3])D, 1, &s);
    assert_int_equal(s.count, 0);
  }
  D[1][1] = 0.5;
  check(2, (const double(*)[3])D, 1, &s);
  assert_int_equal(s.count, 1);
  assert_int_equal(s.offset[0][1], 1);
  assert_true(s.weight[0] == 0.5);
  D[0][0] = 1e-300;
  D[2][2] = 1e300;
  check(3, (const double(*)[3])D, 1, &s);
  assert_int_equal(s.count, 3);
  assert_true(s.weight[0] == 1e-300 && s.weight[2] == 1e300);
  const double even[3][3] = {{2, 1, 0}, {1, 2, 0}, {0, 0, 3}};
  check(3, even, 1, &s);
  assert_int_equal(s.count, 4);
  assert_true(s.added == 0.0);
}

static void test_refused(void **state) {
  (void)state;
  InkSelling s;
  assert_false(ink_selling(1, (const double[3][3]){{-1}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{1, 1.1}, {1.1, 1}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{0, 1e-3}, {1e-3, 1}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{1, 0}, {0, -1e-6}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{NAN, 0}, {0, 1}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{1, NAN}, {NAN, 1}}, 8, &s));
  assert_false(ink_selling(2, (const double[3][3]){{INFINITY, 0}, {0, 1}}, 8, &s));
  assert_false(ink_selling(3, (const double[3][3]){{1, -.9, -.9}, {-.9, 1, -.9}, {-.9, -.9, 1}}, 8, &s));
  assert_true(ink_selling(3, (const double[3][3]){{1, .9, .9}, {.9, 1, .9}, {.9, .9, 1}}, 8, &s));
}

/* The anisotropies that the header promises at radius 8, at any angle; 100:1 needs 5 cells. */
static void test_turned(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3];
  int furthest = 0;
  for (int step = 0; step <= 20000; step++) {
    const double angle = step * (2.0 * acos(-1.0) / 20000);
    turned(256.0, angle, D);
    check(2, (const double(*)[3])D, INK_SELLING_RADIUS, &s);
    assert_true(s.added == 0.0);
    turned(100.0, angle, D);
    check(2, (const double(*)[3])D, INK_SELLING_RADIUS, &s);
    assert_true(s.added == 0.0);
    if (reach(&s) > furthest) furthest = reach(&s);
  }
  assert_int_equal(furthest, 5);
}

static void test_random(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3];
  int capped = 0, singular = 0;
  for (int trial = 0; trial < 60000; trial++) {
    const int dim = 1 + trial % 3, rank = 1 + trial / 3 % 3;
    random_matrix(dim, rank, D);
    check(dim, (const double(*)[3])D, INK_SELLING_RADIUS, &s);
    capped += s.added > 0.0;
    singular += rank < dim;
    assert_true(rank < dim || dim == 1 || s.added < 0.1);
  }
  assert_true(capped > singular / 2);
}

/* w v v^T with v within the radius is that alone, round-off in w v v^T or not. */
static void test_one_direction(void **state) {
  (void)state;
  InkSelling s;
  const int r = INK_SELLING_RADIUS;
  for (int a = 1; a <= r; a++)
    for (int b = -r; b <= r; b++) {
      double D[3][3] = {{0}};
      int g = a, h = abs(b);
      while (h) {
        const int left = g % h;
        g = h;
        h = left;
      }
      if (g > 1) continue;
      D[0][0] = 0.1 * (a * a);
      D[0][1] = D[1][0] = 0.1 * (a * b);
      D[1][1] = 0.1 * (b * b);
      check(2, (const double(*)[3])D, r, &s);
      if (s.count != 1 || s.added != 0.0) print_message("%d %d: count %d added %g\n", a, b, s.count, s.added);
      assert_true(s.added == 0.0);
      assert_int_equal(s.count, 1);
      assert_true(s.offset[0][0] == a && s.offset[0][1] == b);
    }
}

/* How near the shares come to what the header allows: 1 is the limit. */
static double detour(int dim, const InkSelling *s, const double drift[3], const double share[]) {
  double steepest = 0.0, shares = 0.0, axes = 0.0;
  for (int k = 0; k < s->count; k++) {
    steepest = fmax(steepest, fabs(share[k]) / s->weight[k]);
    for (int i = 0; i < dim; i++) shares += fabs(share[k]) * (s->offset[k][i] * s->offset[k][i]);
  }
  for (int i = 0; i < dim; i++) axes += fabs(drift[i]);
  return fmin(steepest / INK_SELLING_STEEPEST, shares / (INK_SELLING_DETOUR * axes));
}

static void test_drift(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3], share[INK_SELLING_MAX], rest[3];
  for (int trial = 0; trial < 30000; trial++) {
    const int dim = 1 + trial % 3, rank = 1 + trial / 3 % 3;
    random_matrix(dim, rank, D);
    check(dim, (const double(*)[3])D, INK_SELLING_RADIUS, &s);
    const double drift[3] = {chance(), chance(), chance()};
    ink_selling_drift(dim, &s, drift, share, rest);
    for (int i = 0; i < dim; i++) {
      double sum = rest[i], size = fabs(drift[i]) + fabs(rest[i]);
      for (int k = 0; k < s.count; k++) {
        sum += share[k] * s.offset[k][i];
        size += fabs(share[k] * s.offset[k][i]);
      }
      assert_true(fabs(sum - drift[i]) <= 2e-15 * size);
      if (rank >= dim && s.added == 0.0 && detour(dim, &s, drift, share) < 0.98)
        assert_true(fabs(rest[i]) <= 1e-12 * size);
    }
    assert_true(detour(dim, &s, drift, share) <= 1.0);
  }
}

/* The shares are those of a gradient: share_k = weight_k <offset_k, m>, D m = drift. */
static void test_drift_of_a_gradient(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3], share[INK_SELLING_MAX], rest[3];
  for (int trial = 0; trial < 10000; trial++) {
    const int dim = 2 + trial % 2;
    double drift[3] = {0}, m[3];
    random_matrix(dim, 3, D);
    for (int i = 0; i < dim; i++) D[i][i] += 0.1;
    check(dim, (const double(*)[3])D, 100, &s);
    for (int i = 0; i < dim; i++) m[i] = chance() / (dim * reach(&s));
    for (int i = 0; i < dim; i++)
      for (int j = 0; j < dim; j++) drift[i] += D[i][j] * m[j];
    ink_selling_drift(dim, &s, drift, share, rest);
    for (int k = 0; k < s.count; k++) {
      double along = 0.0;
      for (int i = 0; i < dim; i++) along += s.offset[k][i] * m[i];
      assert_true(fabs(share[k] - s.weight[k] * along) <= 1e-10 * largest(dim, (const double(*)[3])D));
    }
  }
}

/* Below anisotropies of 15 a drift of any strength is shared out whole. */
static void test_strong_drift(void **state) {
  (void)state;
  InkSelling s;
  double D[3][3], share[INK_SELLING_MAX], rest[3];
  for (int step = 0; step < 4000; step++) {
    const double angle = step * acos(-1.0) / 400, drift[3] = {1e3 * chance(), 1e3 * chance(), 0};
    turned(15.0, angle, D);
    check(2, (const double(*)[3])D, INK_SELLING_RADIUS, &s);
    ink_selling_drift(2, &s, drift, share, rest);
    assert_true(rest[0] == 0.0 && rest[1] == 0.0);
  }
}

/* What no direction can carry is left over, the rest of the drift is not. */
static void test_drift_left_over(void **state) {
  (void)state;
  InkSelling s;
  double share[INK_SELLING_MAX], rest[3];
  const double langevin[3][3] = {{0, 0}, {0, 0.5}};
  assert_true(ink_selling(2, langevin, 8, &s));
  ink_selling_drift(2, &s, (const double[3]){-3, 7}, share, rest);
  assert_true(share[0] == 7 && rest[0] == -3 && rest[1] == 0);
  const double line[3][3] = {{4, 2}, {2, 1}};
  assert_true(ink_selling(2, line, 8, &s));
  ink_selling_drift(2, &s, (const double[3]){2, 1}, share, rest);
  assert_true(share[0] == 1 && rest[0] == 0 && rest[1] == 0);
  ink_selling_drift(2, &s, (const double[3]){2, 2}, share, rest);
  assert_true(share[0] == 1 && rest[0] == 0 && rest[1] == 1);
  ink_selling_drift(2, &(InkSelling){0}, (const double[3]){2, 2}, share, rest);
  assert_true(rest[0] == 2 && rest[1] == 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_simple),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_turned),
      cmocka_unit_test(test_random),
      cmocka_unit_test(test_one_direction),
      cmocka_unit_test(test_drift),
      cmocka_unit_test(test_drift_of_a_gradient),
      cmocka_unit_test(test_strong_drift),
      cmocka_unit_test(test_drift_left_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
