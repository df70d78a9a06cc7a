/* Slowest modes of chains whose spectra are known in closed form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <petscsys.h>

#include "../../solvers/core/spectrum.h"

static const double PI = 3.14159265358979323846;

static void ok(PetscErrorCode code) { assert_int_equal(code, 0); }

static void *made(size_t count, size_t size) {
  void *p = calloc(count, size);
  assert_non_null(p);
  return p;
}

/* A box of cells of volume 1 with an edge along each axis, all rates 0. */
static void chain_create(InkChain *chain, int dim, const int64_t cells[], bool periodic) {
  memset(chain, 0, sizeof *chain);
  chain->dim = chain->directions = dim;
  int64_t n = 1;
  for (int d = 0; d < 3; d++) {
    chain->cells[d] = d < dim ? cells[d] : 1;
    chain->periodic[d] = d < dim && periodic;
    n *= chain->cells[d];
  }
  chain->offset = made((size_t)dim, sizeof *chain->offset);
  chain->up = made((size_t)dim, sizeof *chain->up);
  chain->down = made((size_t)dim, sizeof *chain->down);
  chain->exit = made((size_t)n, sizeof(double));
  chain->volume = made((size_t)n, sizeof(double));
  for (int64_t c = 0; c < n; c++) chain->volume[c] = 1;
  for (int d = 0; d < dim; d++) {
    chain->offset[d][d] = 1;
    chain->up[d] = made((size_t)n, sizeof(double));
    chain->down[d] = made((size_t)n, sizeof(double));
  }
}

static void chain_destroy(InkChain *chain) {
  for (int d = 0; d < chain->directions; d++) {
    free(chain->up[d]);
    free(chain->down[d]);
  }
  free(chain->up);
  free(chain->down);
  free(chain->offset);
  free(chain->exit);
  free(chain->volume);
}

/* The same rate both ways along all edges of a box. */
static void walk(InkChain *chain) {
  for (int64_t c = 0, k = 0; k < chain->cells[2]; k++)
    for (int64_t j = 0; j < chain->cells[1]; j++)
      for (int64_t i = 0; i < chain->cells[0]; i++, c++) {
        const int64_t at[3] = {i, j, k};
        for (int d = 0; d < chain->dim; d++)
          if (at[d] + 1 < chain->cells[d] || chain->periodic[d]) chain->up[d][c] = chain->down[d][c] = 1;
      }
}

enum { MODES = 12 };

static void solve(const InkChain *chain, int count, double decay[], double frequency[], double *mode[]) {
  InkFailure failure = {0};
  ok(ink_spectrum_chain(chain, count, decay, frequency, mode, &failure));
  if (failure.code) fail_msg("%s", failure.message);
}

static void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%.17g, expected %.17g (off by %.3g)", value, expected, value / expected - 1);
}

/* Ehrenfest's urns: n balls, each changes urns at rate 1. Eigenvalues 2 k; from the middle to the rim the
 * stationary probability falls by 2^n. */
static void ehrenfest(void **state) {
  (void)state;
  enum { N = 100 };
  InkChain chain;
  double decay[MODES], frequency[MODES];
  chain_create(&chain, 1, (int64_t[]){N + 1}, false);
  for (int i = 0; i < N; i++) {
    chain.up[0][i] = N - i;
    chain.down[0][i] = i + 1;
  }
  solve(&chain, MODES, decay, frequency, NULL);
  for (int k = 0; k < MODES; k++) {
    close_to(decay[k], 2 * (k + 1), 1e-10);
    assert_true(frequency[k] == 0);
  }
  chain_destroy(&chain);
}

/* Four cells in a row, the middle edge of rate e: 1 + e - sqrt(1 + e^2), 2, 1 + e + sqrt(1 + e^2). Every
 * digit counts, however slow the slowest. */
static void slow_rates_keep_their_digits(void **state) {
  (void)state;
  static const double rates[] = {1, 1e-3, 1e-6, 1e-9, 1e-14, 1e-20, 1e-50, 1e-120};
  for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
    InkChain chain;
    const double e = rates[r];
    double decay[3], frequency[3], shape[4], *mode[3] = {shape, NULL, NULL};
    chain_create(&chain, 1, (int64_t[]){4}, false);
    walk(&chain);
    chain.up[0][1] = chain.down[0][1] = e;
    solve(&chain, 3, decay, frequency, mode);
    close_to(decay[0], 2 * e / (1 + e + sqrt(1 + e * e)), 1e-10);
    close_to(decay[1], 2, 1e-10);
    close_to(decay[2], 1 + e + sqrt(1 + e * e), 1e-10);
    if (e < 1e-9)
      for (int c = 0; c < 4; c++) close_to(shape[c], c < 2 ? 0.5 : -0.5, 1e-8);
    chain_destroy(&chain);
  }
}

/* Three groups whose links differ by many orders: a mode for each link and the ones within the groups. */
static void rates_of_all_sizes_at_once(void **state) {
  (void)state;
  InkChain chain;
  double decay[5], frequency[5];
  chain_create(&chain, 1, (int64_t[]){6}, false);
  walk(&chain);
  chain.up[0][1] = chain.down[0][1] = 1e-8;
  chain.up[0][3] = chain.down[0][3] = 1e-20;
  solve(&chain, 5, decay, frequency, NULL);
  close_to(decay[0], 1e-20 * (0.25 + 0.5), 1e-7); /* groups of 4 and 2 cells, to first order in the links */
  close_to(decay[1], 1e-8, 1e-7);
  for (int k = 2; k < 5; k++) close_to(decay[k], 2, 1e-7);
  chain_destroy(&chain);
}

/* Two parts that do not communicate: their mode never decays. */
static void parts_that_do_not_communicate(void **state) {
  (void)state;
  InkChain chain;
  double decay[2], frequency[2];
  chain_create(&chain, 1, (int64_t[]){4}, false);
  walk(&chain);
  chain.up[0][1] = chain.down[0][1] = 0;
  solve(&chain, 2, decay, frequency, NULL);
  assert_true(decay[0] == 0 && frequency[0] == 0);
  close_to(decay[1], 2, 1e-10);
  chain_destroy(&chain);
}

/* A ring with unequal rates: eigenvalues u (1 - e^(i k)) + d (1 - e^(-i k)), each pair once. */
static void turning_ring(void **state) {
  (void)state;
  enum { N = 60 };
  InkChain chain;
  double decay[4], frequency[4], shape[N], *mode[4] = {shape, NULL, NULL, NULL};
  chain_create(&chain, 1, (int64_t[]){N}, true);
  for (int i = 0; i < N; i++) {
    chain.up[0][i] = 3;
    chain.down[0][i] = 1;
  }
  solve(&chain, 4, decay, frequency, mode);
  for (int k = 1; k <= 4; k++) {
    const double angle = 2 * PI * k / N;
    close_to(decay[k - 1], 4 * (1 - cos(angle)), 1e-9);
    close_to(frequency[k - 1], 2 * sin(angle), 1e-9);
  }
  for (int i = 0; i < N; i++) /* all entries are equally large: the first one is taken as real */
    if (fabs(shape[i] - sqrt(2.0 / N) * cos(2 * PI * i / N)) > 1e-7) fail_msg("cell %d: %g", i, shape[i]);
  chain_destroy(&chain);
}

/* Equal eigenvalues are all found: in a cube each of the slowest three times. */
static void equal_eigenvalues(void **state) {
  (void)state;
  enum { N = 8 };
  InkChain chain;
  double decay[MODES], frequency[MODES];
  const double one = 2 * (1 - cos(PI / N)), two = 2 * (1 - cos(2 * PI / N));
  const double expected[] = {one,     one, one, 2 * one, 2 * one,   2 * one,
                             3 * one, two, two, two,     one + two, one + two};
  chain_create(&chain, 3, (int64_t[]){N, N, N}, false);
  walk(&chain);
  solve(&chain, MODES, decay, frequency, NULL);
  for (int k = 0; k < MODES; k++) close_to(decay[k], expected[k], 1e-10);
  chain_destroy(&chain);
}

/* A square torus: four, four and four. */
static void equal_eigenvalues_of_a_torus(void **state) {
  (void)state;
  enum { N = 20 };
  InkChain chain;
  double decay[MODES], frequency[MODES];
  const double one = 2 * (1 - cos(2 * PI / N)), two = 2 * (1 - cos(4 * PI / N));
  chain_create(&chain, 2, (int64_t[]){N, N}, true);
  walk(&chain);
  solve(&chain, MODES, decay, frequency, NULL);
  for (int k = 0; k < MODES; k++) {
    close_to(decay[k], k < 4 ? one : k < 8 ? 2 * one : two, 1e-10);
    assert_true(frequency[k] == 0);
  }
  chain_destroy(&chain);
}

/* Drift between absorbing ends, u up and d down, u/d = 10: the matrix is so far from symmetric that its
 * eigenvalues u + d - 2 sqrt(u d) cos(pi k/(n + 1)) cannot be had to any digit without the right scale. */
static void far_from_symmetric(void **state) {
  (void)state;
  enum { N = 200 };
  InkChain chain;
  double decay[4], frequency[4];
  chain_create(&chain, 1, (int64_t[]){N}, false);
  for (int i = 0; i < N - 1; i++) {
    chain.up[0][i] = 10;
    chain.down[0][i] = 1;
  }
  chain.exit[0] = 1;
  chain.exit[N - 1] = 10;
  solve(&chain, 4, decay, frequency, NULL);
  for (int k = 1; k <= 4; k++) {
    close_to(decay[k - 1], 11 - 2 * sqrt(10) * cos(PI * k / (N + 1)), 1e-9);
    assert_true(frequency[k - 1] == 0);
  }
  chain_destroy(&chain);
}

/* Modes turn faster than they decay, faster than many that do not turn: a rotation on a square of tori. */
static void fast_rotation_is_slow_to_decay(void **state) {
  (void)state;
  enum { N = 24, M = 24 };
  InkChain chain;
  double decay[3], frequency[3];
  chain_create(&chain, 2, (int64_t[]){N, M}, true);
  for (int c = 0; c < N * M; c++) {
    chain.up[0][c] = 4;
    chain.down[0][c] = 0.5;
    chain.up[1][c] = chain.down[1][c] = 3;
  }
  /* Along x alone 4.5 (1 - cos a) + 3.5 i sin a; along y 6 (1 - cos a), twice. */
  solve(&chain, 3, decay, frequency, NULL);
  const double turn = 1 - cos(2 * PI / N);
  close_to(decay[0], 4.5 * turn, 1e-10);
  close_to(frequency[0], 3.5 * sin(2 * PI / N), 1e-10);
  for (int k = 1; k < 3; k++) close_to(decay[k], 6 * turn, 1e-10);
  chain_destroy(&chain);
}

static void more_modes_than_cells(void **state) {
  (void)state;
  InkChain chain;
  InkFailure failure = {0};
  double decay[4], frequency[4];
  chain_create(&chain, 1, (int64_t[]){4}, false);
  walk(&chain);
  ok(ink_spectrum_chain(&chain, 4, decay, frequency, NULL, &failure));
  assert_int_equal(failure.code, INK_NUMERICAL);
  solve(&chain, 3, decay, frequency, NULL);
  chain_destroy(&chain);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL) || ink_spectrum_start()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ehrenfest),
      cmocka_unit_test(slow_rates_keep_their_digits),
      cmocka_unit_test(rates_of_all_sizes_at_once),
      cmocka_unit_test(parts_that_do_not_communicate),
      cmocka_unit_test(turning_ring),
      cmocka_unit_test(equal_eigenvalues),
      cmocka_unit_test(equal_eigenvalues_of_a_torus),
      cmocka_unit_test(far_from_symmetric),
      cmocka_unit_test(fast_rotation_is_slow_to_decay),
      cmocka_unit_test(more_modes_than_cells),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
