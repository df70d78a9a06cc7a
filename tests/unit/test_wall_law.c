/* Densities y^(a-1) (1 + growth y) beside a wall: what is read off a process, and the cells' means. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/wall_law.h"

enum { CELLS = 100 };

/* Widths with the ratio `grading`, from 0 to 1. */
static void make_axis(double grading, double *face, double *centroid) {
  double width = 1.0, sum = 0.0;
  for (int c = 0; c <= CELLS; c++, width *= grading) {
    face[c] = sum;
    sum += width;
  }
  for (int c = 0; c < CELLS; c++) face[c] /= face[CELLS];
  face[CELLS] = 1.0;
  for (int c = 0; c < CELLS; c++) centroid[c] = 0.5 * (face[c] + face[c + 1]);
}

/* Of y^(power-1). */
static double mean_power(long double low, long double high, long double power) {
  return (double)((powl(high, power) - powl(low, power)) / power / (high - low));
}

/* What two Gauss points lose of a times the integral of 1/y on the way to the last cell. */
static double lost(const double *centroid, int cell, int last, double a) {
  double sum = 0.0;
  for (int c = cell; c < last; c++) {
    const double h = centroid[c + 1] - centroid[c], m = 0.5 * (centroid[c] + centroid[c + 1]);
    sum += 0.5 * h * (1 / (m - h / sqrt(12)) + 1 / (m + h / sqrt(12))) - log(centroid[c + 1] / centroid[c]);
  }
  return exp(a * sum);
}

/* mean / what the rates make of the centroid's value, on equal and unequal cells; the first cell's
 * 1/(a 2^(1-a)). */
static void test_means(void **state) {
  (void)state;
  double face[CELLS + 1], centroid[CELLS];
  InkWallLaw law;
  for (double grading = 1.0; grading < 1.2; grading += 0.05) {
    make_axis(grading, face, centroid);
    ink_wall_law(CELLS, face, centroid, false, &law);
    assert_int_equal(law.cells, INK_WALL_CELLS);
    for (double a = 1e-6; a < 0.9; a = a < 0.01 ? a * 10 : a + 0.09)
      for (int c = 0; c <= law.cells / 2; c++) {
        const double mean = mean_power(face[c], face[c + 1], a), value = pow(centroid[c], a - 1);
        const double g = mean / value * lost(centroid, c, law.cells, a);
        const double got = ink_wall_mean(&law, c, (InkWallDensity){.a = a});
        assert_true(fabs(got / g - 1) < 3e-12);
      }
  }
  make_axis(1.0, face, centroid);
  ink_wall_law(CELLS, face, centroid, false, &law);
  for (int c = 0; c < law.cells; c++) { /* falls off */
    const double a = 0.3, y = c + 0.5, g = ink_wall_mean(&law, c, (InkWallDensity){.a = a});
    const double far = law.weight[c] * (1 - a) * (2 - a) / 24 / (y * y);
    assert_true(c < 3 || fabs(g - 1 - far) < 0.1 * far + 1e-9);
    assert_true(c == 0 || law.weight[c] <= law.weight[c - 1]);
  }
  assert_true(law.weight[0] == 1.0 && law.weight[law.cells - 1] < 0.1);
}

/* The growth within a cell, to first order. */
static void test_growth(void **state) {
  (void)state;
  double face[CELLS + 1], centroid[CELLS];
  InkWallLaw law;
  make_axis(1.0, face, centroid);
  ink_wall_law(CELLS, face, centroid, false, &law);
  for (double a = 0.01; a < 0.9; a += 0.1)
    for (int c = 0; c <= law.cells / 2; c++) {
      const double still = mean_power(face[c], face[c + 1], a),
                   first = mean_power(face[c], face[c + 1], a + 1), growth = 3.0;
      const double expect = (still + growth * first) / (1 + growth * centroid[c]) / still;
      const double got = ink_wall_mean(&law, c, (InkWallDensity){a, growth}) /
                         ink_wall_mean(&law, c, (InkWallDensity){.a = a});
      if (!(fabs(got - expect) < 3e-4 && (c > 0 || fabs(got - 1) > 5e-4)))
        print_error("a %g c %d: %g %g\n", a, c, got, expect);
    }
  for (double growth = -1e9; growth < 2e9; growth += 1e9)
    assert_true(ink_wall_mean(&law, 0, (InkWallDensity){0.1, growth}) > 0.0);
}

/* The upper end is the lower one of the axis turned round; a = 1 is reached without a jump; few cells. */
static void test_ends(void **state) {
  (void)state;
  double face[CELLS + 1], centroid[CELLS], turned[CELLS + 1], middle[CELLS];
  InkWallLaw law, other;
  make_axis(1.05, face, centroid);
  for (int c = 0; c <= CELLS; c++) turned[c] = -face[CELLS - c];
  for (int c = 0; c < CELLS; c++) middle[c] = -centroid[CELLS - 1 - c];
  memset(&law, 0, sizeof law);
  memset(&other, 0, sizeof other);
  ink_wall_law(CELLS, face, centroid, false, &law);
  ink_wall_law(CELLS, turned, middle, true, &other);
  assert_memory_equal(&law, &other, sizeof law);
  for (int c = 0; c < law.cells; c++) {
    assert_true(fabs(ink_wall_mean(&law, c, (InkWallDensity){1.0, 5.0}) - 1) < 1e-15);
    assert_true(fabs(ink_wall_mean(&law, c, (InkWallDensity){1.0 - 1e-9, 5.0}) - 1) < 1e-8);
  }
  for (int cells = 1; cells < 5; cells++) {
    ink_wall_law(cells, face, centroid, false, &law);
    assert_int_equal(law.cells, cells / 2);
    for (int c = 0; c < law.cells; c++) assert_true(law.weight[c] > 0.0 && law.weight[c] <= 1.0);
  }
}

/* ---- from a process ---- */

typedef double (*Law)(double y);
static double genes(double y) { return 0.5 * y * (1 - y); }
static double sine(double y) { return sin(M_PI * (1 - y)); } /* not quite 0 at the wall */
static double root(double y) { return sqrt(y); }
static double steep(double y) { return pow(y, 1.05); }
static double square(double y) { return y * y; }
static double plain(double y) { return 1 + 0 * y; }
static double shifted(double y) { return y + 1e-9; }
static double unknown(double y) { return y > 0 ? y : NAN; }

static InkWallDensity density_of(Law D, double drift, double slope, double h) {
  const double y[2] = {h / 128, h / 2048};
  return ink_wall_density(
      &(InkWallProcess){drift, D(0.0), {y[0], y[1]}, drift + slope * y[0], {D(y[0]), D(y[1])}, h / 2});
}

static void test_processes(void **state) {
  (void)state;
  for (double h = 0.2; h > 1e-4; h /= 5) {
    /* 2 N = 1/D': y^(a-1) (1-y)^(b-1) exp(s y) for drift D' (a (1-y) - b y + s y (1-y)) */
    const double a = 0.3, b = 0.2, s = 2.0;
    const InkWallDensity density = density_of(genes, 0.5 * a, 0.5 * (s - a - b), h);
    assert_true(fabs(density.a - a) < 1e-4 * h);
    assert_true(fabs(density.growth - (s + 1 - b)) < 0.05 * h + 1e-6);
    assert_true(fabs(density_of(sine, 0.2 * M_PI, 0.0, h).a - 0.2) < 1e-4 * h);
    assert_true(density_of(genes, 0.5, 1.0, h).a == 1.0 && density_of(genes, 0.6, 1.0, h).a == 1.0);
    assert_true(density_of(genes, 0.0, 1.0, h).a == 1.0 && density_of(genes, -0.1, 1.0, h).a == 1.0);
    assert_true(density_of(genes, 1e-17, 1.0, h).a == 1.0 && density_of(genes, NAN, 1.0, h).a == 1.0);
    static const Law others[] = {root, steep, square, plain, shifted, unknown};
    for (int n = 0; n < 6; n++) assert_true(density_of(others[n], 0.1 * h, 0.0, h).a == 1.0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_means), cmocka_unit_test(test_growth),
                                     cmocka_unit_test(test_ends), cmocka_unit_test(test_processes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
