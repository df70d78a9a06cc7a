/* Exact sums: equal to the exact value rounded once, whatever the order and the grouping. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/reduction.h"

enum { MOST = 5000 };

static double uniform_random(void) { return 2.0 * rand() / RAND_MAX - 1; }

/* A number with a random exponent in [-range, range] and 53 random bits. */
static double wild(int range) {
  double mantissa = uniform_random() + uniform_random() * 0x1p-31;
  return ldexp(mantissa, rand() % (2 * range + 1) - range);
}

static void shuffle(double *x, int n) {
  for (int i = n - 1; i > 0; i--) {
    int j = rand() % (i + 1);
    double swap = x[i];
    x[i] = x[j];
    x[j] = swap;
  }
}

static double one_by_one(const double *x, int n) {
  InkSum s;
  ink_sum_clear(&s);
  for (int i = 0; i < n; i++) ink_sum_add(&s, x[i]);
  return ink_sum_round(&s);
}

static double by_array(const double *x, int n) {
  InkSum s;
  ink_sum_clear(&s);
  ink_sum_add_array(&s, n, x);
  return ink_sum_round(&s);
}

/* In random pieces, some by the array and some one by one. */
static double in_pieces(const double *x, int n) {
  InkSum s;
  ink_sum_clear(&s);
  for (int i = 0; i < n;) {
    int m = rand() % 4 ? 1 + rand() % 700 : 1;
    if (m > n - i) m = n - i;
    if (m == 1)
      ink_sum_add(&s, x[i]);
    else
      ink_sum_add_array(&s, m, x + i);
    i += m;
  }
  return ink_sum_round(&s);
}

static void assert_same(double a, double b) {
  if (memcmp(&a, &b, sizeof a) != 0) fail_msg("%.17g is not %.17g", a, b);
}

static void order_does_not_matter(void **state) {
  (void)state;
  static double x[MOST];
  srand(1);
  for (int turn = 0; turn < 300; turn++) {
    int n = 1 + rand() % MOST, range = turn % 3 == 0 ? 2 : turn % 3 == 1 ? 80 : 1000;
    for (int i = 0; i < n; i++) x[i] = wild(range);
    double sum = one_by_one(x, n);
    for (int again = 0; again < 4; again++) {
      assert_same(by_array(x, n), sum);
      assert_same(in_pieces(x, n), sum);
      shuffle(x, n);
      assert_same(one_by_one(x, n), sum);
    }
  }
}

/* Sums that fit into __float128 exactly: 113 bits. */
static void equals_the_exact_sum(void **state) {
  (void)state;
  static double x[MOST];
  srand(2);
  for (int turn = 0; turn < 300; turn++) {
    int n = 1 + rand() % MOST;
    __float128 exact = 0;
    for (int i = 0; i < n; i++) {
      x[i] = wild(20);
      exact += x[i];
    }
    assert_same(one_by_one(x, n), (double)exact);
    assert_same(by_array(x, n), (double)exact);
  }
}

static void cancellation(void **state) {
  (void)state;
  static double x[MOST];
  srand(3);
  for (int turn = 0; turn < 200; turn++) { /* pairs that cancel, and one small number left */
    int n = 0;
    while (n < MOST - 2) {
      x[n] = wild(900);
      x[n + 1] = -x[n];
      n += 2;
    }
    double left = wild(900);
    x[n++] = left;
    shuffle(x, n);
    assert_same(one_by_one(x, n), left);
    assert_same(by_array(x, n), left);
  }
  assert_same(by_array((double[]){1e308, 1e308, -1e308, -1e308, 5e-324}, 5), 5e-324);
  assert_same(by_array((double[]){1e16, 1, -1e16}, 3), 1);
}

static void rounding_is_to_nearest_even(void **state) {
  (void)state;
  const struct {
    double x[4], sum;
  } cases[] = {
      {{1, 0x1p-53, 0, 0}, 1},                     /* tie, to even */
      {{1, 0x1p-53, 0x1p-1074, 0}, 1 + 0x1p-52},   /* just above the tie */
      {{1, 0x1p-53, -0x1p-1074, 0}, 1},            /* just below */
      {{1 + 0x1p-52, 0x1p-53, 0, 0}, 1 + 0x1p-51}, /* tie, to even, up */
      {{-1, -0x1p-53, -0x1p-1074, 0}, -1 - 0x1p-52},
      {{0x1p1023, 0x1p1023, 0, 0}, INFINITY}, /* overflow of the sum itself */
      {{0x1p1023, 0x1p1023, -0x1p1023, 0}, 0x1p1023},
      {{0x1.fffffffffffffp1023, 0x1p969, 0, 0}, 0x1.fffffffffffffp1023},
      {{0x1.fffffffffffffp1023, 0x1p970, 0, 0}, INFINITY}, /* half a unit above the largest */
      {{0x1p-1074, 0x1p-1074, 0, 0}, 0x1p-1073},
      {{0x1p-1022, -0x1p-1074, 0, 0}, 0x1p-1022 - 0x1p-1074}, /* subnormal */
      {{-0.0, -0.0, 0, 0}, 0},
      {{5, -5, 0, 0}, 0},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    assert_same(one_by_one(cases[c].x, 4), cases[c].sum);
    double long_array[64] = {0};
    memcpy(long_array + 17, cases[c].x, sizeof cases[c].x);
    assert_same(by_array(long_array, 64), cases[c].sum);
  }
}

static void special_values(void **state) {
  (void)state;
  double x[40];
  for (int i = 0; i < 40; i++) x[i] = i;
  x[20] = INFINITY;
  assert_same(by_array(x, 40), INFINITY);
  x[21] = INFINITY;
  assert_same(by_array(x, 40), INFINITY);
  x[3] = -INFINITY;
  assert_true(isnan(by_array(x, 40)) && isnan(one_by_one(x, 40)));
  x[20] = x[21] = 0;
  assert_same(by_array(x, 40), -INFINITY);
  x[39] = NAN;
  assert_true(isnan(by_array(x, 40)) && isnan(one_by_one(x, 40)));
}

static void products_are_exact(void **state) {
  (void)state;
  srand(4);
  for (int turn = 0; turn < 2000; turn++) {
    InkSum s;
    ink_sum_clear(&s);
    __float128 exact = 0;
    for (int i = 0; i < 10;
         i++) { /* 106-bit products with nearly equal exponents fit 113 bits when they are few */
      double a = 1 + 0.3 * uniform_random(), b = 1 + 0.3 * uniform_random();
      ink_sum_add_product(&s, a, b);
      exact += (__float128)a * b;
    }
    assert_same(ink_sum_round(&s), (double)exact);
  }
  InkSum s;
  ink_sum_clear(&s);
  ink_sum_add_product(&s, 1e200, 1e200);
  assert_same(ink_sum_round(&s), INFINITY);
}

/* Carries run in time: 2^29 additions of all ones at the same place. */
static void carries(void **state) {
  (void)state;
  InkSum s;
  ink_sum_clear(&s);
  s.pending = (1 << 29) - 3; /* the next additions cross the point where carries run */
  for (int k = 0; k < 10; k++) ink_sum_add(&s, 0x1.fffffffffffffp100);
  assert_same(ink_sum_round(&s), 10 * 0x1.fffffffffffffp100);
  assert_true(s.pending < 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_does_not_matter),
      cmocka_unit_test(equals_the_exact_sum),
      cmocka_unit_test(cancellation),
      cmocka_unit_test(rounding_is_to_nearest_even),
      cmocka_unit_test(special_values),
      cmocka_unit_test(products_are_exact),
      cmocka_unit_test(carries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
