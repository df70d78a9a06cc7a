/* Random numbers: words are Random123's; deviates are the quantiles of their words, quantiles are inverse to
 * erfc; all are the same however they are asked for; samples are normal and independent. */
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
static const uint64_t some_indices[] = {0, 1, UINT64_C(0xfffffffd), (UINT64_C(1) << 48) - 2000};
static const uint64_t some_blocks[] = {0, 1, UINT64_C(0x7fffffff), UINT64_C(0x123456789abc)};

static void words_are_those_of_random123(void **state) {
  (void)state;
  enum { N = 11 };
  uint64_t words[INK_DRAWS * N];
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

/* What the header and random.c say of words, in plain C; bit for bit. */
static double uniform_of_word(uint64_t word) { return ((double)(word >> 12) + 0.5) * 0x1p-52; }

static double normal_of_word(uint64_t word) {
  double p = (double)(word | 1) * 0x1p-65, z;
  ink_normal_quantile(1, &p, &z);
  return word & 1 ? -z : z;
}

static void deviates_are_those_of_their_words(void **state) {
  (void)state;
  enum { N = 50000 }; /* forty of them in each block lie in the far tails */
  static uint64_t words[INK_DRAWS * N];
  static double u[INK_DRAWS * N], z[INK_DRAWS * N];
  ink_random_words(some_streams[1], 17, N, 5, words);
  ink_random_uniforms(some_streams[1], 17, N, 5, u);
  ink_random_normals(some_streams[1], 17, N, 5, z);
  for (size_t k = 0; k < INK_DRAWS * N; k++) {
    double expected = normal_of_word(words[k]);
    assert_true(u[k] == uniform_of_word(words[k]));
    assert_memory_equal(&z[k], &expected, sizeof expected);
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

/* ---- quantiles ---- */

/* erfc gives back p: in units of z, as dp = phi(z) dz. */
static void normal_quantile_is_inverse_to_erfc(void **state) {
  (void)state;
  enum { N = 200000 };
  static double p[N], z[N], mirrored[N];
  for (int k = 0; k < N; k++) p[k] = exp(-log(2) - 700 * pow((double)k / N, 2.5));
  ink_normal_quantile(N, p, z);
  double worst = 0;
  for (int k = 0; k < N; k++) {
    double back = erfc(-z[k] * M_SQRT1_2) / 2; /* phi(z) = p |z| in the far tail */
    double density = fmax(exp(-z[k] * z[k] / 2) / sqrt(2 * M_PI), p[k] * fabs(z[k]));
    worst = fmax(worst, fabs(back - p[k]) / density / fmax(1, fabs(z[k])));
    if (k && z[k] > z[k - 1]) fail_msg("not monotone at %g", p[k]);
  }
  if (worst > 2e-14) fail_msg("off by %g", worst);
  for (int k = 0; k < N; k++) p[k] = (k + 0.5) / N;
  ink_normal_quantile(N, p, z);
  for (int k = 0; k < N; k++) p[k] = 1 - p[k];
  ink_normal_quantile(N, p, mirrored);
  for (int k = 0; k < N; k++)
    if (p[k] != 0.5 && 1 - p[k] == (k + 0.5) / N) assert_true(mirrored[k] == -z[k]);
  for (int k = 1; k < N; k++) assert_true(z[k] > z[k - 1]);
}

/* Words 0 and all ones; known digits of the tail. */
static void extreme_words_have_finite_normals(void **state) {
  (void)state;
  assert_true(fabs(normal_of_word(0) + 9.1552937726860725) < 1e-13);
  assert_true(fabs(normal_of_word(1) - 9.1552937726860725) < 1e-13);
  assert_true(fabs(normal_of_word(UINT64_MAX)) < 1e-14 && fabs(normal_of_word(UINT64_MAX - 1)) < 1e-14);
  double u[] = {0x1p-53, 1 - 0x1p-53, 0.5}, z[3];
  ink_normal_quantile(3, u, z);
  assert_true(z[0] == -z[1] && fabs(z[0] + 8.2095361516013874) < 1e-13 && fabs(z[2]) < 1e-14);
}

static void exponential_quantile_is_inverse_to_exp(void **state) {
  (void)state;
  enum { N = 10000 };
  static double u[N], x[N];
  for (int k = 0; k < N; k++) u[k] = (k + 0.5) / N;
  memcpy(x, u, sizeof u);
  ink_exponential_quantile(N, x, x);
  for (int k = 0; k < N; k++)
    assert_true(fabs(-expm1(-x[k]) - u[k]) < 4e-16 * u[k] + 4e-16 * (1 - u[k]) * x[k]);
  double ends[] = {0x1p-53, 1 - 0x1p-53};
  ink_exponential_quantile(2, ends, ends);
  assert_true(fabs(ends[0] / 0x1p-53 - 1) < 1e-15 && fabs(ends[1] - 53 * M_LN2) < 1e-13);
}

/* ---- samples ---- */

enum { INDICES = MANY / INK_DRAWS };

/* As moments_and_distribution; a chi-squared of 64 bins has mean 63 and variance 126. */
static void normals_by_blocks_have_the_moments_of_the_law(void **state) {
  (void)state;
  double *z = malloc(MANY * sizeof *z);
  assert_non_null(z);
  ink_random_normals((InkStream){7, 1}, 0, INDICES, 3, z);
  const double expected[] = {1, 0, 1, 0, 3, 0, 15}, even[] = {1, 1, 3, 15, 105, 945, 10395};
  double moment[7] = {0}, bin[64] = {0}, beyond[2] = {0}, edge[63];
  for (int k = 0; k < 63; k++) edge[k] = (k + 1) / 64.;
  ink_normal_quantile(63, edge, edge);
  for (int i = 0; i < MANY; i++) {
    double power = 1;
    for (int p = 1; p <= 6; p++) moment[p] += power *= z[i];
    int low = 0;
    for (int half = 32; half; half /= 2)
      if (z[i] >= edge[low + half - 1]) low += half;
    bin[low]++;
    beyond[0] += fabs(z[i]) > 3;
    beyond[1] += fabs(z[i]) > 4;
  }
  free(z);
  for (int p = 1; p <= 6; p++) {
    double error = sqrt((even[p] - expected[p] * expected[p]) / MANY);
    if (fabs(moment[p] / MANY - expected[p]) > 4 * error) fail_msg("moment %d is %g", p, moment[p] / MANY);
  }
  double chi = 0;
  for (int k = 0; k < 64; k++) chi += pow(bin[k] - MANY / 64., 2) / (MANY / 64.);
  if (fabs(chi - 63) > 4 * sqrt(126)) fail_msg("chi-squared %g", chi);
  for (int k = 0; k < 2; k++) {
    double mean = MANY * erfc((3 + k) * M_SQRT1_2);
    if (fabs(beyond[k] - mean) > 4 * sqrt(mean)) fail_msg("%g beyond %d, not %g", beyond[k], 3 + k, mean);
  }
}

/* Of deviates and of their squares: within five standard errors, as thirty-four such sums are looked at. */
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
      cmocka_unit_test(normal_quantile_is_inverse_to_erfc),
      cmocka_unit_test(extreme_words_have_finite_normals),
      cmocka_unit_test(exponential_quantile_is_inverse_to_exp),
      cmocka_unit_test(normals_by_blocks_have_the_moments_of_the_law),
      cmocka_unit_test(blocks_streams_and_seeds_are_independent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
