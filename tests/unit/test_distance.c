/* Distances of histograms from densities: tails against numbers of 17 digits (mpmath), laws that hold
 * exactly, and what happens by chance to samples of the density itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/particles/distance.h"

static void near(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected))) {
    print_message("%.17g is not %.17g\n", value, expected);
    fail();
  }
}

/* ---- tails ---- */

static void chi_squared_tails(void **state) {
  (void)state;
  static const struct {
    double x, k, tail;
  } known[] = {{3.84, 1, 0.050043521248705103},   {0.001, 1, 0.97477287936996039},
               {0.5, 2, 0.77880078307140487},     {10, 3, 0.018566135463043233},
               {30, 10, 0.00085664121077530039},  {5, 20, 0.99972264790537916},
               {100, 100, 0.48119168452795672},   {160, 100, 0.00013078397659141034},
               {1031, 1020, 0.39842658744743396}, {900, 1020, 0.99705565871180456},
               {2e5, 2e5, 0.49957947788963482},   {201500, 2e5, 0.0089699019963097648},
               {1e7, 1e7, 0.49994052919606216},   {1.001e7, 1e7, 0.012693185164478449},
               {700, 5, 4.9119861035732006e-149}, {1e-8, 4, 0.99999999999999999}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    near(ink_chi_squared_tail(known[i].x, known[i].k), known[i].tail, known[i].k > 1e4 ? 5e-12 : 1e-12);
  for (double x = 0.1; x < 200; x *= 1.7) near(ink_chi_squared_tail(x, 2), exp(-x / 2), 1e-12);
  for (double x = 0.1; x < 60; x *= 1.7) near(ink_chi_squared_tail(x, 1), erfc(sqrt(x / 2)), 1e-12);
  /* Q(a + 1, y) = Q(a, y) + y^a e^-y/Gamma(a + 1), through the change of methods */
  for (double y = 40; y < 60; y++)
    near(ink_chi_squared_tail(2 * y, 102) - ink_chi_squared_tail(2 * y, 100),
         exp(50 * log(y) - y - lgamma(51)), 1e-10);
}

static void ends_of_tails(void **state) {
  (void)state;
  assert_true(ink_chi_squared_tail(0, 7) == 1);
  assert_true(ink_chi_squared_tail(-1, 7) == 1);
  assert_true(ink_chi_squared_tail(INFINITY, 7) == 0);
  assert_true(ink_chi_squared_tail(1e5, 7) == 0); /* below the smallest number */
  assert_true(isnan(ink_chi_squared_tail(NAN, 7)));
  assert_true(ink_kolmogorov_tail(0) == 1);
  assert_true(ink_kolmogorov_tail(0.01) == 1);
  assert_true(ink_kolmogorov_tail(50) == 0);
  assert_true(isnan(ink_kolmogorov_tail(NAN)));
}

static void kolmogorov_tails(void **state) {
  (void)state;
  static const double known[][2] = {{0.2, 0.99999999999949496},    {0.3, 0.99999069419866543},
                                    {0.5, 0.96394524366487509},    {0.8276, 0.49995841656354728},
                                    {1.0, 0.26999967167735452},    {1.179, 0.12403722444011726},
                                    {1.181, 0.12287264159411772},  {1.3581, 0.049999630431667413},
                                    {2.0, 0.00067092525577969535}, {4.0, 2.5328331098188351e-14}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    near(ink_kolmogorov_tail(known[i][0]), known[i][1], 1e-13);
}

/* ---- samples ---- */

static uint64_t state_of_chance;

/* Between 0 and 1 (Knuth's MMIX generator). */
static double chance(void) {
  state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
  return ((double)(state_of_chance >> 11) + 0.5) / 9007199254740992.0;
}

/* Masses that vary over orders of magnitude; together 1 - absorbed. */
static void make_masses(int cells, double absorbed, double *mass) {
  double sum = 0;
  for (int c = 0; c < cells; c++) {
    const double x = 6 * ((c + 0.5) / cells - 0.4);
    sum += mass[c] = exp(-x * x);
  }
  for (int c = 0; c < cells; c++) mass[c] *= (1 - absorbed) / sum;
}

static void draw(int cells, const double *mass, int64_t total, int64_t *counts) {
  memset(counts, 0, (size_t)cells * sizeof *counts);
  for (int64_t i = 0; i < total; i++) {
    double left = chance();
    for (int c = 0; c < cells; c++) {
      left -= mass[c];
      if (left < 0) {
        counts[c]++;
        break;
      }
    }
  }
}

enum { CELLS = 40, SAMPLES = 200 };

/* p-values of samples of the density itself are uniform: mean 1/2 and variance 1/12 within 4 errors, and by
 * Kolmogorov's test. Others' are not. */
static void chi_squared_by_chance(void **state) {
  (void)state;
  double mass[CELLS], sum = 0, square = 0, excess = 0;
  int64_t counts[CELLS], below[10] = {0};
  make_masses(CELLS, 0.1, mass);
  state_of_chance = 1;
  for (int s = 0; s < SAMPLES; s++) {
    draw(CELLS, mass, 1000, counts);
    const InkChiSquared chi = ink_chi_squared(CELLS, counts, 1000, mass);
    assert_true(chi.freedom > 10 && chi.freedom < CELLS);
    sum += chi.p_value;
    square += (chi.p_value - 0.5) * (chi.p_value - 0.5);
    excess += (chi.statistic - chi.freedom) / chi.freedom;
    below[(int)fmin(10 * chi.p_value, 9)]++;
  }
  const double n = SAMPLES;
  near(sum / n, 0.5, 4 * sqrt(1 / (12 * n)) / 0.5);
  near(square / n, 1.0 / 12, 4 * sqrt((1.0 / 80 - 1.0 / 144) / n) * 12);
  assert_true(fabs(excess / n) < 4 * sqrt(2.0 / 10 / n));
  for (int b = 0; b < 10; b++) assert_true(fabs((double)below[b] - n / 10) < 4.5 * sqrt(n * 0.09));
  make_masses(CELLS, 0.2, mass); /* absorption alone is wrong */
  assert_true(ink_chi_squared(CELLS, counts, 1000, mass).p_value < 1e-6);
}

static void chi_squared_by_hand(void **state) {
  (void)state;
  /* Bins of 100 particles: 10 | 50 | 4 + 6 | 3 and what is absorbed, 27. */
  const double mass[] = {0.10, 0.50, 0.04, 0.06, 0.03};
  const int64_t counts[] = {12, 45, 2, 11, 5}; /* 25 are absorbed */
  InkChiSquared chi = ink_chi_squared(5, counts, 100, mass);
  near(chi.statistic, 4.0 / 10 + 25.0 / 50 + 9.0 / 10 + 0.0 / 30, 1e-12);
  assert_true(chi.freedom == 3);
  near(chi.p_value, ink_chi_squared_tail(chi.statistic, 3), 1e-15);
  /* What is too little for a bin joins the last one. */
  const double whole[] = {0.5, 0.46, 0.04};
  const int64_t there[] = {55, 44, 1};
  chi = ink_chi_squared(3, there, 100, whole);
  near(chi.statistic, 25.0 / 50 + 25.0 / 50, 1e-12);
  assert_true(chi.freedom == 1);
  /* Where nothing can be. */
  const double hole[] = {0.5, 0.0, 0.5};
  const int64_t in_hole[] = {50, 1, 49};
  chi = ink_chi_squared(3, in_hole, 100, hole);
  assert_true(isinf(chi.statistic) && chi.p_value == 0);
  const int64_t none[] = {50, 0, 50};
  assert_true(ink_chi_squared(3, none, 100, hole).p_value == 1);
  /* One bin says nothing. */
  assert_true(ink_chi_squared(1, (const int64_t[]){3}, 3, (const double[]){1.0}).p_value == 1);
  assert_true(isnan(ink_chi_squared(1, (const int64_t[]){0}, 0, (const double[]){1.0}).p_value));
}

/* ---- total variation ---- */

static void total_variation_by_hand(void **state) {
  (void)state;
  double expected;
  const double mass[] = {0.5, 0.25};
  near(ink_distance_total_variation(2, (const int64_t[]){50, 25}, 100, mass, &expected) + 1, 1, 1e-15);
  near(ink_distance_total_variation(2, (const int64_t[]){60, 25}, 100, mass, &expected), 0.1, 1e-12);
  near(ink_distance_total_variation(2, (const int64_t[]){0, 0}, 100, mass, &expected), 0.75, 1e-12);
  /* Mean deviations, enumerated: n = 10, m = 0.1; n = 50, m = 0.3; n = 100, m = 0.97; n = 1000, m = 0.0004.
   * Two cells m and 1 - m deviate by the same. */
  static const double known[][3] = {{10, 0.1, 0.6973568802},
                                    {50, 0.3, 2.5692840985434305},
                                    {100, 0.97, 1.3238994219461942},
                                    {1000, 0.0004, 0.53621312661889237}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const double two[] = {known[i][1], 1 - known[i][1]};
    const int64_t n = (int64_t)known[i][0];
    (void)ink_distance_total_variation(2, (const int64_t[]){0, n}, n, two, &expected);
    near(expected, known[i][2] / known[i][0], 1e-11);
  }
}

/* What is expected is the mean over samples; a cell's deviation has at most the standard deviation
 * sqrt(m/n), so that the sum's is below sum sqrt(m/n)/2. */
static void total_variation_by_chance(void **state) {
  (void)state;
  double mass[CELLS], sum = 0, expected = 0, bound = 0;
  int64_t counts[CELLS];
  make_masses(CELLS, 0.1, mass);
  state_of_chance = 2;
  for (int s = 0; s < SAMPLES; s++) {
    draw(CELLS, mass, 1000, counts);
    sum += ink_distance_total_variation(CELLS, counts, 1000, mass, &expected);
  }
  /* deviations |X - n m| have the variance n m (1 - m) - mean^2; nearly uncorrelated */
  for (int c = 0; c < CELLS; c++) bound += mass[c] / 1000;
  near(sum / SAMPLES, expected, 4 * 0.5 * sqrt(2 * bound / SAMPLES) / expected);
}

/* ---- along an axis ---- */

static void faces(int n, double from, double to, double *face) {
  for (int i = 0; i <= n; i++) face[i] = from + (to - from) * i / n;
}

/* A law moved by whole cells has gone as far; also on graded axes, whose faces move along. */
static void wasserstein_of_a_shift(void **state) {
  (void)state;
  double mass[CELLS], counts[CELLS] = {0}, face[CELLS + 1];
  faces(CELLS, -2, 3, face);
  make_masses(CELLS, 0, mass);
  for (int c = 0; c < CELLS; c++) mass[c] = c < CELLS - 7 ? mass[c] : 0;
  for (int c = 7; c < CELLS; c++) counts[c] = 1e9 * mass[c - 7];
  near(ink_distance_wasserstein(CELLS, counts, mass, face), 7 * face[1] - 7 * face[0], 1e-12);
  /* the other way, and neither total matters */
  near(ink_distance_wasserstein(CELLS, mass, counts, face), 7 * face[1] - 7 * face[0], 1e-12);
  near(ink_distance_wasserstein(CELLS, mass, mass, face) + 1, 1, 1e-15);
}

static void wasserstein_by_hand(void **state) {
  (void)state;
  const double face[] = {0, 1, 2, 4};
  /* All in the first cell against all in the last: triangles and a rectangle. */
  near(ink_distance_wasserstein(3, (const double[]){5, 0, 0}, (const double[]){0, 0, 1}, face), 0.5 + 1 + 1,
       1e-15);
  /* The difference changes sign in the second cell: 1/4 at 1, -1/4 at 2. */
  near(ink_distance_wasserstein(3, (const double[]){2, 0, 2}, (const double[]){0.25, 0.5, 0.25}, face),
       0.125 + 0.125 + 0.25, 1e-15);
  assert_true(isnan(ink_distance_wasserstein(3, (const double[]){0, 0, 0}, (const double[]){1, 0, 0}, face)));
  assert_true(isnan(ink_distance_wasserstein(3, (const double[]){1, 0, 0}, (const double[]){0, 0, 0}, face)));
}

static void kolmogorov_by_hand(void **state) {
  (void)state;
  double p;
  const double distance =
      ink_distance_kolmogorov_smirnov(3, (const double[]){60, 30, 10}, (const double[]){0.25, 0.25, 0.5}, &p);
  near(distance, 0.4, 1e-15);
  near(p, ink_kolmogorov_tail((10 + 0.12 + 0.011) * 0.4), 1e-12);
  (void)ink_distance_kolmogorov_smirnov(3, (const double[]){25, 25, 50}, (const double[]){1, 1, 2}, &p);
  assert_true(p == 1);
  assert_true(isnan(ink_distance_kolmogorov_smirnov(1, (const double[]){0}, (const double[]){1}, &p)));
}

/* On many cells the p-value of samples is uniform; looking at faces only makes it a little larger. */
static void kolmogorov_by_chance(void **state) {
  (void)state;
  enum { MANY = 400, N = 500 };
  double mass[MANY], counts[MANY], p, sum = 0;
  int small = 0;
  for (int c = 0; c < MANY; c++) mass[c] = 1.0 / MANY;
  state_of_chance = 3;
  for (int s = 0; s < SAMPLES; s++) {
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < N; i++) counts[(int)(MANY * chance())]++;
    (void)ink_distance_kolmogorov_smirnov(MANY, counts, mass, &p);
    sum += p;
    small += p < 0.1;
  }
  assert_true(sum / SAMPLES > 0.5 - 4 * sqrt(1 / (12.0 * SAMPLES)));
  assert_true(sum / SAMPLES < 0.5 + 4 * sqrt(1 / (12.0 * SAMPLES)) + 0.05);
  assert_true(small < SAMPLES * 0.1 + 4 * sqrt(SAMPLES * 0.09) && small > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chi_squared_tails),         cmocka_unit_test(ends_of_tails),
      cmocka_unit_test(kolmogorov_tails),          cmocka_unit_test(chi_squared_by_chance),
      cmocka_unit_test(chi_squared_by_hand),       cmocka_unit_test(total_variation_by_hand),
      cmocka_unit_test(total_variation_by_chance), cmocka_unit_test(wasserstein_of_a_shift),
      cmocka_unit_test(wasserstein_by_hand),       cmocka_unit_test(kolmogorov_by_hand),
      cmocka_unit_test(kolmogorov_by_chance)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
