/* Random numbers: words are Random123's; deviates are Box and Muller's of their words, in libm's functions;
 * all are the same however they are asked for; samples are normal and independent. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <Random123/philox.h>

#include "../../solvers/core/random.h"

enum { MANY = 1 << 19 };

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

/* ---- words and deviates by blocks ---- */

static uint64_t random123_word(InkStream stream, uint64_t index, uint64_t number) {
  uint64_t pair = number / 2;
  philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
  philox4x32_ctr_t counter = {
      {(uint32_t)index, (uint32_t)(index >> 32 | pair >> 32 << 16), (uint32_t)pair, ~stream.stream}};
  philox4x32_ctr_t bits = philox4x32(counter, key);
  return number % 2 ? (uint64_t)bits.v[3] << 32 | bits.v[2] : (uint64_t)bits.v[1] << 32 | bits.v[0];
}

static const InkStream some_streams[] = {{0, 0}, {42, 3}, {UINT64_C(0xfedcba9876543210), 0xfffffffe}};
static const uint64_t some_indices[] = {0, 1, UINT64_C(0xfffffefd), (UINT64_C(1) << 48) - 2000};
static const uint64_t some_blocks[] = {0, 1, UINT64_C(0x7fffffff), UINT64_C(0x123456789abc)};

static void words_are_those_of_random123(void **state) {
  (void)state;
  enum { N = 411 }; /* parts, and across 2^32 */
  static uint64_t words[INK_DRAWS * N];
  for (size_t s = 0; s < 3; s++)
    for (size_t i = 0; i < 4; i++)
      for (size_t b = 0; b < 4; b++) {
        ink_random_words(some_streams[s], some_indices[i], N, some_blocks[b], words);
        for (uint64_t d = 0; d < INK_DRAWS; d++)
          for (uint64_t k = 0; k < N; k++)
            assert_int_equal(words[d * N + k], random123_word(some_streams[s], some_indices[i] + k,
                                                              INK_DRAWS * some_blocks[b] + d));
      }
}

/* What the header and random.c say of words, in plain C. */
static double uniform_of_word(uint64_t word) { return ((double)(word >> 12) + 0.5) * 0x1p-52; }

typedef struct Polar {
  double radius, angle, sign[2];
} Polar;

static Polar polar_of_words(uint64_t a, uint64_t b) {
  double u = (double)(a | 1) * 0x1p-64, quarter = (double)(b >> 12) * 0x1p-52;
  double log_u = u > 0.5 ? log1p(-(double)(-(a | 1)) * 0x1p-64) : log(u); /* -a = 2^64 - a */
  if (u == 1) log_u = 0;
  return (Polar){sqrt(-2 * log_u), M_PI / 2 * quarter, {b & 1 ? -1 : 1, b & 2 ? -1 : 1}};
}

static void deviates_are_those_of_their_words(void **state) {
  (void)state;
  enum { N = 50000 };
  static uint64_t words[INK_DRAWS * N];
  static double u[INK_DRAWS * N], z[INK_DRAWS * N];
  ink_random_words(some_streams[1], 17, N, 5, words);
  ink_random_uniforms(some_streams[1], 17, N, 5, u);
  ink_random_normals(some_streams[1], 17, N, 5, z);
  for (size_t k = 0; k < INK_DRAWS * N; k++) assert_true(u[k] == uniform_of_word(words[k]));
  for (size_t d = 0; d < INK_DRAWS; d += 2)
    for (size_t k = d * N; k < (d + 1) * N; k++) {
      Polar p = polar_of_words(words[k], words[k + N]);
      double x = p.sign[0] * p.radius * cos(p.angle), y = p.sign[1] * p.radius * sin(p.angle);
      /* The root halves the error of the logarithm, and u is rounded to 2^-53 of itself. */
      double bound = 1e-13 * p.radius + 0x1p-53 / p.radius;
      if (fabs(z[k] - x) > bound || fabs(z[k + N] - y) > bound)
        fail_msg("%a, %a, not %a, %a", z[k], z[k + N], x, y);
      assert_true(fabs(hypot(z[k], z[k + N]) - p.radius) < bound);
    }
}

static void deviates_depend_on_index_and_draw_only(void **state) {
  (void)state;
  enum { N = 700 };
  static double whole[2][INK_DRAWS * N], part[INK_DRAWS * N + 2];
  InkStream stream = some_streams[1];
  srand(2);
  for (size_t i = 0; i < 4; i++) {
    uint64_t first = some_indices[i], block = some_blocks[i];
    ink_random_uniforms(stream, first, N, block, whole[0]);
    ink_random_normals(stream, first, N, block, whole[1]);
    for (int turn = 0; turn < 200; turn++) {
      size_t from = (size_t)rand() % N, n = (size_t)rand() % (N - from) + 1, shift = (size_t)rand() % 2;
      for (int kind = 0; kind < 2; kind++) {
        part[shift] = part[shift + INK_DRAWS * n] = 7;
        (kind ? ink_random_normals : ink_random_uniforms)(stream, first + from, n, block, part + shift);
        for (size_t d = 0; d < INK_DRAWS; d++)
          assert_memory_equal(part + shift + d * n, whole[kind] + d * N + from, n * sizeof *part);
        assert_true(part[shift + INK_DRAWS * n] == 7 || shift + INK_DRAWS * n >= INK_DRAWS * N + 2);
      }
      uint64_t d = (uint64_t)turn % INK_DRAWS;
      assert_true(ink_random_uniform_at(stream, first + from, INK_DRAWS * block + d) ==
                  whole[0][d * N + from]);
      assert_true(ink_random_normal_at(stream, first + from, INK_DRAWS * block + d) ==
                  whole[1][d * N + from]);
    }
  }
  ink_random_normals(stream, 0, 0, 0, NULL);
}

/* ---- samples ---- */

enum { INDICES = MANY / INK_DRAWS };

typedef struct Sample {
  double moment[7], bin[64], beyond[2]; /* bins of equal probability; |z| > 3, > 4 */
} Sample;

static Sample sample_of(const double *z) {
  Sample s = {0};
  for (int i = 0; i < MANY; i++) {
    double power = 1, cdf = erfc(-z[i] * M_SQRT1_2) / 2;
    for (int p = 1; p <= 6; p++) s.moment[p] += (power *= z[i]) / MANY;
    s.bin[(int)fmin(64 * cdf, 63)]++;
    s.beyond[0] += fabs(z[i]) > 3;
    s.beyond[1] += fabs(z[i]) > 4;
  }
  return s;
}

/* As moments_and_distribution; a chi-squared of 64 bins has mean 63 and variance 126. Nine sums are looked
 * at: of 4.5 standard errors, 6e-5 is the chance that good numbers fail. */
static void normals_by_blocks_have_the_moments_of_the_law(void **state) {
  (void)state;
  double *z = malloc(MANY * sizeof *z);
  assert_non_null(z);
  ink_random_normals((InkStream){7, 1}, 0, INDICES, 3, z);
  const double expected[] = {1, 0, 1, 0, 3, 0, 15}, even[] = {1, 1, 3, 15, 105, 945, 10395};
  Sample s = sample_of(z);
  free(z);
  for (int p = 1; p <= 6; p++) {
    double error = sqrt((even[p] - expected[p] * expected[p]) / MANY);
    if (fabs(s.moment[p] - expected[p]) > 4.5 * error) fail_msg("moment %d is %g", p, s.moment[p]);
  }
  double chi = 0;
  for (int k = 0; k < 64; k++) chi += pow(s.bin[k] - MANY / 64., 2) / (MANY / 64.);
  if (fabs(chi - 63) > 4.5 * sqrt(126)) fail_msg("chi-squared %g", chi);
  for (int k = 0; k < 2; k++) {
    double mean = MANY * erfc((3 + k) * M_SQRT1_2);
    if (fabs(s.beyond[k] - mean) > 4.5 * sqrt(mean))
      fail_msg("%g beyond %d, not %g", s.beyond[k], 3 + k, mean);
  }
}

/* A pair (x, y) shares its words: its radius and angle have their laws and are independent. In 32 by 32 cells
 * of equal probability of exp(-r^2/2) and angle, chi-squared has mean 1023 and variance 2046. */
static void pairs_are_uniform_in_radius_and_angle(void **state) {
  (void)state;
  enum { CELLS = 32 };
  double *z = malloc(MANY * sizeof *z);
  assert_non_null(z);
  ink_random_normals((InkStream){11, 2}, 0, INDICES, 1, z);
  for (int d = 0; d < INK_DRAWS; d += 2) {
    double count[CELLS * CELLS] = {0}, chi = 0, mean = (double)INDICES / (CELLS * CELLS);
    for (int i = d * INDICES; i < (d + 1) * INDICES; i++) {
      double x = z[i], y = z[i + INDICES];
      int ring = (int)fmin(CELLS * exp(-(x * x + y * y) / 2), CELLS - 1);
      int sector = (int)fmin(CELLS * (atan2(y, x) / (2 * M_PI) + 0.5), CELLS - 1);
      count[CELLS * ring + sector]++;
    }
    for (int k = 0; k < CELLS * CELLS; k++) chi += pow(count[k] - mean, 2) / mean;
    if (fabs(chi - (CELLS * CELLS - 1)) > 4 * sqrt(2 * (CELLS * CELLS - 1))) fail_msg("chi-squared %g", chi);
  }
  free(z);
}

/* Of deviates and of their squares: within five standard errors, as thirty-eight such sums are looked at
 * (Bonferroni: a chance of 2e-5). */
static void assert_independent(const double *a, const double *b, int n, const char *what) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++) {
    sum += a[i] * b[i];
    squares += (a[i] * a[i] - 1) * (b[i] * b[i] - 1) / 2;
  }
  if (fabs(sum) > 5 * sqrt(n) || fabs(squares) > 5 * sqrt(n))
    fail_msg("%s: %g, %g", what, sum / sqrt(n), squares / sqrt(n));
}

static void blocks_streams_and_seeds_are_independent(void **state) {
  (void)state;
  double *a = malloc(MANY * sizeof *a), *b = malloc(MANY * sizeof *b);
  assert_true(a && b);
  ink_random_normals((InkStream){1, 0}, 0, INDICES, 0, a);
  for (int lag = 1; lag <= 9; lag++) assert_independent(a, a + lag, INDICES - lag, "indices");
  for (int d = 1; d < INK_DRAWS; d++) assert_independent(a, a + d * INDICES, INDICES, "draws");
  assert_independent(a + INDICES, a + 2 * INDICES, INDICES, "draws");
  assert_independent(a + 2 * INDICES, a + 3 * INDICES, INDICES, "a pair");
  const InkStream others[] = {{1, 1}, {2, 0}, {1 + (UINT64_C(1) << 32), 0}};
  for (size_t k = 0; k < 3; k++) {
    ink_random_normals(others[k], 0, INDICES, 0, b);
    assert_independent(a, b, MANY, "streams and seeds");
  }
  ink_random_normals((InkStream){1, 0}, 0, INDICES, 1, b);
  assert_independent(a, b, MANY, "blocks");
  ink_random_normal(1, 0, 0, MANY, b);
  assert_independent(a, b, MANY, "noise(k)");
  free(a);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_equal_to_the_whole),
      cmocka_unit_test(moments_and_distribution),
      cmocka_unit_test(neighbours_streams_and_seeds_are_independent),
      cmocka_unit_test(words_are_those_of_random123),
      cmocka_unit_test(deviates_are_those_of_their_words),
      cmocka_unit_test(deviates_depend_on_index_and_draw_only),
      cmocka_unit_test(normals_by_blocks_have_the_moments_of_the_law),
      cmocka_unit_test(pairs_are_uniform_in_radius_and_angle),
      cmocka_unit_test(blocks_streams_and_seeds_are_independent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
