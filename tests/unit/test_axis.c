/* Laws of one axis: volumes add up to the domain, centroids lie inside and carry the first moment, widths
 * have the ratio asked for, faces at segment ends and at both ends are exact. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "../../solvers/core/mesh.h"

static const double pi = 3.14159265358979323846;

static void assert_close(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("got %.17g, expected %.17g within %g", value, expected, relative);
}

static InkAxis made(InkAxisSpec spec, InkCoordinates coordinates) {
  InkAxis axis;
  assert_int_equal(
      ink_axis_create(&spec, coordinates == INK_CARTESIAN ? INK_VAR_X : INK_VAR_R, coordinates, &axis), 0);
  return axis;
}

static double domain_volume(InkCoordinates coordinates, double a, double b) {
  if (coordinates == INK_CYLINDRICAL) return pi * (b * b - a * a);
  if (coordinates == INK_SPHERICAL) return 4 * pi / 3 * (b * b * b - a * a * a);
  return b - a;
}

/* Integral of r over the volume. */
static double domain_moment(InkCoordinates coordinates, double a, double b) {
  if (coordinates == INK_CYLINDRICAL) return 2 * pi / 3 * (b * b * b - a * a * a);
  if (coordinates == INK_SPHERICAL) return pi * (b * b * b * b - a * a * a * a);
  return 0.5 * (b * b - a * a);
}

static void volumes_and_moments_add_up(void **state) {
  (void)state;
  static const double ends[][2] = {{0, 1}, {0.3, 2}, {0, 1e-6}, {5, 5.01}};
  static const double gradings[] = {1, 1.05, 0.9};
  for (int c = INK_CARTESIAN; c <= INK_SPHERICAL; c++)
    for (int e = 0; e < 4; e++)
      for (int g = 0; g < 3; g++) {
        InkAxisSpec spec = {.from = ends[e][0], .to = ends[e][1], .cells = 37, .grading = gradings[g]};
        InkAxis axis = made(spec, (InkCoordinates)c);
        double volume = 0, moment = 0;
        for (int i = 0; i < 37; i++) {
          assert_true(axis.centroid[i] > axis.face[i] && axis.centroid[i] < axis.face[i + 1]);
          volume += axis.volume[i];
          moment += axis.volume[i] * axis.centroid[i];
        }
        assert_close(volume, domain_volume((InkCoordinates)c, spec.from, spec.to), 1e-12);
        assert_close(moment, domain_moment((InkCoordinates)c, spec.from, spec.to), 1e-12);
        ink_axis_destroy(&axis);
      }
}

/* Divergence theorem for a constant field in a plane, a cylinder and a sphere: d(volume)/dr = area. */
static void areas_are_derivatives_of_volumes(void **state) {
  (void)state;
  InkAxisSpec spec = {.from = 0.5, .to = 0.5 + 1e-3, .cells = 1000};
  for (int c = INK_CARTESIAN; c <= INK_SPHERICAL; c++) {
    InkAxis axis = made(spec, (InkCoordinates)c);
    for (int i = 0; i < 1000; i++)
      assert_close(axis.volume[i] / 1e-6, 0.5 * (axis.area[i] + axis.area[i + 1]), 1e-10);
    ink_axis_destroy(&axis);
  }
}

static void neighbouring_widths_have_the_ratio(void **state) {
  (void)state;
  static const double gradings[] = {1.2, 0.8, 1.0001, 1 / 1.2};
  double face[51];
  for (int g = 0; g < 4; g++) {
    ink_axis_faces(-1, 3, 50, gradings[g], face);
    assert_true(face[0] == -1 && face[50] == 3);
    for (int i = 1; i < 50; i++)
      assert_close((face[i + 1] - face[i]) / (face[i] - face[i - 1]), gradings[g], 1e-8);
    InkAxisSpec spec = {.from = -1, .to = 3, .cells = 50, .grading = gradings[g]};
    assert_close(ink_axis_width_ratio(&spec), pow(fmax(gradings[g], 1 / gradings[g]), 49), 1e-10);
  }
}

static void symmetric_axes_are_exactly_symmetric(void **state) {
  (void)state;
  double face[102], mirror[102];
  for (int n = 1; n <= 101; n++) {
    ink_axis_faces(-0.3, 0.3, n, 1, face);
    for (int i = 0; i <= n; i++) assert_true(face[i] == -face[n - i]);
    ink_axis_faces(-0.3, 0.3, n, 1.01, face);
    ink_axis_faces(-0.3, 0.3, n, 1 / 1.01, mirror);
    for (int i = 0; i <= n; i++) assert_close(face[i] + 1, -mirror[n - i] + 1, 1e-13);
  }
}

static void segments_meet_exactly(void **state) {
  (void)state;
  InkAxisSegment segment[3] = {{0.1, 7, 1}, {0.35, 5, 1.3}, {1.0 / 3 + 1, 11, 0}};
  InkAxisSpec spec = {.from = 0, .segments = 3, .segment = segment};
  InkAxis axis = made(spec, INK_CARTESIAN);
  assert_int_equal(axis.cells, 23);
  assert_true(axis.face[0] == 0 && axis.face[7] == 0.1 && axis.face[12] == 0.35);
  assert_true(axis.face[23] == 1.0 / 3 + 1 && axis.to == 1.0 / 3 + 1);
  for (int i = 0; i < 23; i++) assert_true(axis.face[i] < axis.face[i + 1]);
  for (int i = 0; i < 7; i++) assert_close(axis.face[i + 1] - axis.face[i], 0.1 / 7, 1e-13);
  assert_false(axis.uniform);
  ink_axis_destroy(&axis);
}

static void uniform_axes_say_so(void **state) {
  (void)state;
  InkAxis axis = made((InkAxisSpec){.from = 0.1, .to = 0.7, .cells = 19, .grading = 1}, INK_CARTESIAN);
  assert_true(axis.uniform && axis.has_min);
  for (int i = 1; i < 19; i++) assert_true(axis.volume[i] == axis.volume[0]);
  ink_axis_destroy(&axis);
  axis = made((InkAxisSpec){.from = 0, .to = 0.7, .cells = 19, .grading = 1.1}, INK_SPHERICAL);
  assert_false(axis.uniform || axis.has_min);
  ink_axis_destroy(&axis);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(volumes_and_moments_add_up),
      cmocka_unit_test(areas_are_derivatives_of_volumes),
      cmocka_unit_test(neighbouring_widths_have_the_ratio),
      cmocka_unit_test(symmetric_axes_are_exactly_symmetric),
      cmocka_unit_test(segments_meet_exactly),
      cmocka_unit_test(uniform_axes_say_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
