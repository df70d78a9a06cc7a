/* The additive Runge-Kutta pair: order conditions of both tableaus and of every mixture of them (a condition
 * of order p holds with any of the two matrices in each place, as both share b and c), its structure, and the
 * stability of the implicit part. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <complex.h>
#include <math.h>
#include <cmocka.h>
#include "../../solvers/core/stepping_tableau.h"

enum { S = INK_ARK_STAGES };

typedef const double (*Matrix)[S];

static Matrix matrix(int which) { return which ? ink_ark.stiff : ink_ark.rest; }

/* out = A in, stage by stage. */
static void apply(Matrix a, const double in[S], double out[S]) {
  for (int i = 0; i < S; i++) {
    out[i] = 0;
    for (int j = 0; j < S; j++) out[i] += a[i][j] * in[j];
  }
}

static double dot(const double b[S], const double x[S]) {
  double sum = 0;
  for (int i = 0; i < S; i++) sum += b[i] * x[i];
  return sum;
}

static void product(const double x[S], const double y[S], double out[S]) {
  for (int i = 0; i < S; i++) out[i] = x[i] * y[i];
}

static void near(double value, double expected) {
  if (fabs(value - expected) > 1e-14) print_message("%.17g, not %.17g\n", value, expected);
  assert_true(fabs(value - expected) <= 1e-14);
}

/* Largest violation of the conditions of one order with weights b. */
static void check_order(const double b[S], int order) {
  const double *c = ink_ark.c, ones[S] = {1, 1, 1, 1, 1, 1};
  double c2[S], c3[S], x[S], y[S];
  product(c, c, c2);
  product(c2, c, c3);
  if (order == 1) near(dot(b, ones), 1);
  if (order == 2) near(dot(b, c), 1.0 / 2);
  if (order == 3) near(dot(b, c2), 1.0 / 3);
  if (order == 4) near(dot(b, c3), 1.0 / 4);
  for (int first = 0; first < 2 && order > 2; first++) {
    apply(matrix(first), order == 3 ? c : c2, x);
    near(dot(b, x), order == 3 ? 1.0 / 6 : 1.0 / 12);
    if (order == 3) continue;
    apply(matrix(first), c, x);
    product(c, x, y);
    near(dot(b, y), 1.0 / 8);
    for (int second = 0; second < 2; second++) {
      apply(matrix(second), x, y); /* x is matrix(first) c */
      near(dot(b, y), 1.0 / 24);
    }
  }
}

static void test_row_sums(void **state) {
  (void)state;
  const double ones[S] = {1, 1, 1, 1, 1, 1};
  for (int which = 0; which < 2; which++) {
    double sum[S];
    apply(matrix(which), ones, sum);
    for (int i = 0; i < S; i++) near(sum[i], ink_ark.c[i]);
  }
}

static void test_order_of_the_method(void **state) {
  (void)state;
  for (int order = 1; order <= 4; order++) check_order(ink_ark.b, order);
}

static void test_order_of_the_embedded_method(void **state) {
  (void)state;
  double c3[S];
  for (int order = 1; order <= 3; order++) check_order(ink_ark.embedded, order);
  product(ink_ark.c, ink_ark.c, c3);
  product(c3, ink_ark.c, c3);
  assert_true(fabs(dot(ink_ark.embedded, c3) - 1.0 / 4) > 1e-4); /* or it would estimate nothing */
}

static void test_structure(void **state) {
  (void)state;
  for (int i = 0; i < S; i++) {
    for (int j = i; j < S; j++) assert_true(ink_ark.rest[i][j] == 0);
    for (int j = i + 1; j < S; j++) assert_true(ink_ark.stiff[i][j] == 0);
    assert_true(ink_ark.stiff[i][i] == (i ? 0.25 : 0));
    assert_true(ink_ark.stiff[S - 1][i] == ink_ark.b[i]); /* stiffly accurate */
  }
}

/* Stage order 2 of the implicit part: A c = c^2 / 2. */
static void test_stage_order(void **state) {
  (void)state;
  double x[S];
  apply(ink_ark.stiff, ink_ark.c, x);
  for (int i = 0; i < S; i++) near(x[i], ink_ark.c[i] * ink_ark.c[i] / 2);
}

/* R(z) = 1 + z b (I - z A)^-1 1 of the implicit part. */
static double complex growth(double complex z) {
  double complex k[S], sum = 1;
  for (int i = 0; i < S; i++) {
    double complex u = 1;
    for (int j = 0; j < i; j++) u += z * ink_ark.stiff[i][j] * k[j];
    k[i] = u / (1 - z * ink_ark.stiff[i][i]);
    sum += z * ink_ark.b[i] * k[i];
  }
  return sum;
}

static void test_stability(void **state) {
  (void)state;
  for (double y = 1e-3; y < 1e6; y *= 1.1) assert_true(cabs(growth(I * y)) <= 1 + 1e-12);
  for (double x = 1e-3; x < 1e6; x *= 1.1) assert_true(cabs(growth(-x)) < 1);
  assert_true(cabs(growth(-1e8)) < 1e-6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_row_sums),
      cmocka_unit_test(test_order_of_the_method),
      cmocka_unit_test(test_order_of_the_embedded_method),
      cmocka_unit_test(test_structure),
      cmocka_unit_test(test_stage_order),
      cmocka_unit_test(test_stability),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
