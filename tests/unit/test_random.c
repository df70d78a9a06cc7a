/* Normal deviates: the published Philox answers are Random123's own matter; here, that the deviates are
 * normal, independent, and the same however they are asked for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/random.h"

enum { MANY = 1 << 20 };

static void parts_are_equal_to_the_whole(void **state) {
  (void)state;
  enum { N = 1000 };
  static double whole[N], part[N + 2];
  const uint64_t starts[] = {0, 1, 12345678901ull, UINT64_C(1) << 33, (UINT64_C(1) << 33) - 500};
  srand(1);
  for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
    ink_random_normal(42, 3, starts[s], N, whole);
    for (int turn = 0; turn < 300; turn++) {
      size_t from = (size_t)rand() % N, n = (size_t)rand() % (N - from) + 1;
      part[0] = part[n + 1] = 7;
      ink_random_normal(42, 3, starts[s] + from, n, part + 1);
      assert_memory_equal(part + 1, whole + from, n * sizeof(double));
      assert_true(part[0] == 7 && part[n + 1] == 7);
    }
  }
  ink_random_normal(42, 3, 0, 0, NULL);
}

static double sample_moment(const double *z, int n, int power) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += pow(z[i], power);
  return sum / n;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Bounds of five standard errors: E z^2k = 1 3 5 ... (2k-1), Var(z^p) = E z^2p - (E z^p)^2. */
static void moments_and_distribution(void **state) {
  (void)state;
  double *z = malloc(MANY * sizeof *z);
  assert_non_null(z);
  const double expected[] = {1, 0, 1, 0, 3, 0, 15}, even[] = {1, 1, 3, 15, 105, 945, 10395};
  for (uint32_t stream = 0; stream < 3; stream++) {
    ink_random_normal(stream + 1, stream, 0, MANY, z);
    for (int p = 1; p <= 6; p++) {
      double error = sqrt((even[p] - expected[p] * expected[p]) / MANY);
      double moment = sample_moment(z, MANY, p);
      if (fabs(moment - expected[p]) > 5 * error) fail_msg("moment %d is %g", p, moment);
    }
    qsort(z, MANY, sizeof *z, compare);
    double distance = 0; /* Kolmogorov-Smirnov */
    for (int i = 0; i < MANY; i++) {
      double cdf = 0.5 * erfc(-z[i] * M_SQRT1_2);
      distance = fmax(distance, fmax(fabs(cdf - (double)i / MANY), fabs(cdf - (i + 1.0) / MANY)));
    }
    if (distance * sqrt(MANY) > 1.95) fail_msg("Kolmogorov-Smirnov distance %g", distance); /* 0.1 % */
  }
  free(z);
}

static double correlation(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum / n * sqrt(n);
}

static void neighbours_streams_and_seeds_are_independent(void **state) {
  (void)state;
  double *a = malloc(MANY * sizeof *a), *b = malloc(MANY * sizeof *b);
  assert_true(a && b);
  ink_random_normal(1, 0, 0, MANY, a);
  for (int lag = 1; lag <= 64; lag++) assert_true(fabs(correlation(a, a + lag, MANY - lag)) < 5);
  ink_random_normal(1, 1, 0, MANY, b);
  assert_true(fabs(correlation(a, b, MANY)) < 5);
  ink_random_normal(2, 0, 0, MANY, b);
  assert_true(fabs(correlation(a, b, MANY)) < 5);
  ink_random_normal(1 + (UINT64_C(1) << 32), 0, 0, MANY, b);
  assert_true(fabs(correlation(a, b, MANY)) < 5);
  /* Squares too, as the halves of a pair share their radius. */
  for (int i = 0; i < MANY; i++) {
    a[i] = (a[i] * a[i] - 1) / 2;
    b[i] = i ? a[i - 1] : 0;
  }
  assert_true(fabs(correlation(a, b, MANY)) < 5);
  free(a);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_equal_to_the_whole),
      cmocka_unit_test(moments_and_distribution),
      cmocka_unit_test(neighbours_streams_and_seeds_are_independent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
