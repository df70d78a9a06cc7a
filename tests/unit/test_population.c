/* Exact chains of population genetics: rows, steps and solutions against what is known in closed form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/population/chain.h"

enum { MOST = 401 };

static void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%.17g, expected %.17g (off by %.3g)", value, expected, value / expected - 1);
}

static InkStateElimination *eliminated(const InkPopulation *population) {
  InkStateElimination *e = ink_state_elimination_create(population);
  assert_non_null(e);
  return e;
}

static InkTransitions *transitions_of(const InkPopulation *population) {
  InkTransitions *t = ink_transitions_create(population);
  assert_non_null(t);
  return t;
}

/* ---- rows ---- */

static void rows_have_the_moments_of_their_law(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++)
    for (int64_t n = 2; n < MOST; n += 57) {
      const InkPopulation population = {moran, n, 0.3, {0.01, 0.002}};
      double row[MOST], p, q;
      for (int64_t i = 0; i <= n; i++) {
        double sum = 0, mean = 0, square = 0;
        ink_population_row(&population, i, row);
        ink_population_offspring(&population, i, &p, &q);
        for (int64_t j = 0; j <= n; j++) {
          assert_true(row[j] >= 0);
          sum += row[j];
          mean += row[j] * (double)(j - i);
          square += row[j] * (double)((j - i) * (j - i));
        }
        const double x = (double)i / (double)n, drift = moran ? p - x : (double)n * p - (double)i;
        close_to(p + q, 1, 1e-15);
        close_to(sum, 1, 1e-14);
        assert_true(fabs(mean - drift) <= 1e-12 * (double)n);
        if (moran) assert_true(fabs(square - (p * (1 - x) + q * x)) <= 1e-14);
        if (!moran) assert_true(fabs(square - drift * drift - (double)n * p * q) <= 1e-11 * (double)n);
      }
    }
}

/* Far out in the tails too each probability has its digits. */
static void tails_have_their_digits(void **state) {
  (void)state;
  const int64_t n = 100;
  const InkPopulation population = {false, n, 0, {0, 0}};
  double row[MOST];
  ink_population_row(&population, 1, row);
  close_to(row[100], 1e-200, 1e-12);
  close_to(row[99], 99 * 100 * 1e-200, 1e-12);
  close_to(row[0], pow(0.99, 100), 1e-13);
  ink_population_row(&population, 99, row);
  close_to(row[0], 1e-200, 1e-12);
}

static void ends_absorb_without_mutation(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++)
    for (int end = 0; end < 2; end++) {
      double row[MOST];
      InkPopulation population = {moran, 30, 0.1, {0, 0}};
      const int64_t at = end ? 30 : 0;
      ink_population_row(&population, at, row);
      assert_true(ink_population_absorbs(&population, end) && row[at] == 1);
      population.mutation[1 - end] = 0.01;
      ink_population_row(&population, at, row);
      assert_true(!ink_population_absorbs(&population, end) && row[at] < 1);
      assert_true(ink_population_absorbs(&population, 1 - end));
    }
}

/* ---- hitting probabilities and times ---- */

/* (1 - r^-i)/(1 - r^-N), also where it is a thousandth of a billionth of ... : 1e-75 and less. */
static void moran_fixation(void **state) {
  (void)state;
  static const double selection[] = {0.02, -0.02, 0.5, -0.5};
  for (size_t s = 0; s < 4; s++)
    for (int64_t n = 2; n <= 250; n += 31) {
      const InkPopulation population = {true, n, selection[s], {0, 0}};
      double u[MOST];
      const double log_r = log1p(selection[s]);
      InkStateElimination *e = eliminated(&population);
      ink_population_hitting(e, 1, u);
      for (int64_t i = 1; i <= n; i++)
        close_to(u[i], expm1(-(double)i * log_r) / expm1(-(double)n * log_r), 1e-12);
      assert_true(u[0] == 0);
      ink_state_elimination_destroy(&e);
    }
}

/* N (sum over j <= i of (N - i)/(N - j) + sum over j > i of i/j) steps. Source: Moran (1958); Ewens
 * (2004), 3.54. */
static void neutral_moran_time(void **state) {
  (void)state;
  for (int64_t n = 2; n <= 40; n++) {
    const InkPopulation population = {true, n, 0, {0, 0}};
    double tau[MOST];
    InkStateElimination *e = eliminated(&population);
    ink_population_time(e, -1, tau);
    for (int64_t i = 1; i < n; i++) {
      double sum = 0;
      for (int64_t j = 1; j <= i; j++) sum += (double)(n - i) / (double)(n - j);
      for (int64_t j = i + 1; j < n; j++) sum += (double)i / (double)j;
      close_to(tau[i], (double)n * sum, 1e-12);
    }
    assert_true(tau[0] == 0 && tau[n] == 0);
    ink_state_elimination_destroy(&e);
  }
}

/* Without selection the fraction is a martingale: u = i/N; and paths that end here and there make up all of
 * them. */
static void neutral_wright_fisher(void **state) {
  (void)state;
  for (int64_t n = 2; n < MOST; n += 33) {
    const InkPopulation population = {false, n, 0, {0, 0}};
    double u[MOST], lost[MOST], tau[MOST], fixed[MOST], gone[MOST];
    InkStateElimination *e = eliminated(&population);
    ink_population_hitting(e, 1, u);
    ink_population_hitting(e, 0, lost);
    ink_population_time(e, -1, tau);
    ink_population_time(e, 1, fixed);
    ink_population_time(e, 0, gone);
    for (int64_t i = 1; i < n; i++) {
      close_to(u[i], (double)i / (double)n, 1e-12);
      close_to(lost[i] + u[i], 1, 1e-12);
      close_to(u[i] * fixed[i] + lost[i] * gone[i], tau[i], 1e-12);
      close_to(gone[n - i], fixed[i], 1e-11);
    }
    assert_true(fixed[0] == 0 && gone[n] == 0);
    ink_state_elimination_destroy(&e);
  }
}

/* tau = 1 + P tau, u = P u row by row, with selection and one-way mutation, whose only end is N. */
static void solutions_solve_their_equations(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++)
    for (int64_t n = 2; n < 100; n += 7) {
      const InkPopulation population = {moran, n, 0.1, {0, 0.05}};
      double tau[MOST], u[MOST], row[MOST];
      InkStateElimination *e = eliminated(&population);
      ink_population_time(e, -1, tau);
      ink_population_hitting(e, 1, u);
      for (int64_t i = 0; i < n; i++) {
        double sum = 1;
        ink_population_row(&population, i, row);
        for (int64_t j = 0; j <= n; j++) sum += row[j] * tau[j];
        close_to(sum, tau[i], 1e-11);
        close_to(u[i], 1, 1e-12);
      }
      assert_true(tau[n] == 0);
      ink_state_elimination_destroy(&e);
    }
}

/* ---- the long run ---- */

static void long_run_is_stationary(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++)
    for (int64_t n = 2; n < 120; n += 13) {
      const InkPopulation population = {moran, n, -0.2, {0.003, 0.001}};
      double mass[MOST], next[MOST], sum = 0;
      InkStateElimination *e = eliminated(&population);
      InkTransitions *t = transitions_of(&population);
      ink_population_stationary(e, mass);
      ink_transitions_step(t, mass, next);
      for (int64_t i = 0; i <= n; i++) {
        assert_true(mass[i] > 0);
        close_to(next[i], mass[i], 1e-12);
        sum += mass[i];
      }
      close_to(sum, 1, 1e-13);
      ink_transitions_destroy(&t);
      ink_state_elimination_destroy(&e);
    }
}

/* Births and deaths balance between neighbours, to the last small probability. */
static void moran_long_run_in_detail(void **state) {
  (void)state;
  const int64_t n = 300;
  const InkPopulation population = {true, n, 2, {1e-5, 1e-3}};
  double mass[MOST], row[2][MOST];
  InkStateElimination *e = eliminated(&population);
  ink_population_stationary(e, mass);
  for (int64_t i = 0; i < n; i++) {
    ink_population_row(&population, i, row[0]);
    ink_population_row(&population, i + 1, row[1]);
    close_to(mass[i] * row[0][i + 1], mass[i + 1] * row[1][i], 1e-12);
  }
  assert_true(mass[0] < 1e-100);
  ink_state_elimination_destroy(&e);
}

/* ---- steps ---- */

/* Heterozygosity falls by 1 - 1/N a generation, by 1 - 2/N^2 a birth and death; mass and mean stay. */
static void heterozygosity(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++) {
    enum { N = 120, STEPS = 60 };
    const InkPopulation population = {moran, N, 0, {0, 0}};
    double mass[2][N + 1] = {{0}};
    InkTransitions *t = transitions_of(&population);
    mass[0][30] = 1;
    for (int s = 0; s < STEPS; s++) ink_transitions_step(t, mass[s % 2], mass[(s + 1) % 2]);
    double sum = 0, mean = 0, differ = 0;
    for (int i = 0; i <= N; i++) {
      const double x = (double)i / N, m = mass[STEPS % 2][i];
      sum += m;
      mean += m * x;
      differ += 2 * x * (1 - x) * m;
    }
    close_to(sum, 1, 1e-13);
    close_to(mean, 0.25, 1e-13);
    close_to(differ, 0.375 * pow(1 - (moran ? 2.0 / N / N : 1.0 / N), STEPS), 1e-13);
    ink_transitions_destroy(&t);
  }
}

/* The mean of the fixation probability over the density never changes: the backward solution belongs to the
 * forward steps. */
static void backward_is_the_transpose(void **state) {
  (void)state;
  for (int moran = 0; moran < 2; moran++) {
    enum { N = 80 };
    const InkPopulation population = {moran, N, 0.07, {0, 0}};
    double mass[2][N + 1] = {{0}}, u[N + 1];
    InkStateElimination *e = eliminated(&population);
    InkTransitions *t = transitions_of(&population);
    ink_population_hitting(e, 1, u);
    mass[0][3] = 1;
    for (int s = 0; s < 200; s++) {
      double sum = 0;
      ink_transitions_step(t, mass[s % 2], mass[(s + 1) % 2]);
      for (int i = 0; i <= N; i++) sum += mass[(s + 1) % 2][i] * u[i];
      close_to(sum, u[3], 1e-12);
    }
    ink_transitions_destroy(&t);
    ink_state_elimination_destroy(&e);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_have_the_moments_of_their_law),
      cmocka_unit_test(tails_have_their_digits),
      cmocka_unit_test(ends_absorb_without_mutation),
      cmocka_unit_test(moran_fixation),
      cmocka_unit_test(neutral_moran_time),
      cmocka_unit_test(neutral_wright_fisher),
      cmocka_unit_test(solutions_solve_their_equations),
      cmocka_unit_test(long_run_is_stationary),
      cmocka_unit_test(moran_long_run_in_detail),
      cmocka_unit_test(heterozygosity),
      cmocka_unit_test(backward_is_the_transpose),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
