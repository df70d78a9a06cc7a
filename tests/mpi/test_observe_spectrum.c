/* Amplitudes and wavelengths of known waves: they obey their definitions, scale and shift as they must, and
 * do not depend on the ranks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>
#include "../../solvers/core/observe.h"

static const double pi = 3.14159265358979323846;

/* mean + sum over waves of amplitude cos(k . x + phase) */
typedef struct Wave {
  double amplitude, k[3], phase;
} Wave;

typedef struct Field {
  double mean;
  int waves;
  Wave wave[3];
} Field;

typedef struct Case {
  InkMesh *mesh;
  double *values;
  InkFieldView view;
} Case;

static double value_at(const Field *field, const double at[3]) {
  double value = field->mean;
  for (int w = 0; w < field->waves; w++) {
    const Wave *wave = &field->wave[w];
    double phase = wave->phase;
    for (int a = 0; a < 3; a++) phase += wave->k[a] * at[a];
    value += wave->amplitude * cos(phase);
  }
  return value;
}

static Case made(MPI_Comm comm, int dim, const InkAxisSpec spec[], InkCoordinates coordinates,
                 const Field *field) {
  Case c = {0};
  InkFailure failure = {0};
  assert_int_equal(ink_mesh_build(comm, spec, dim, coordinates, &c.mesh, &failure), 0);
  assert_int_equal(ink_mesh_array(c.mesh, &c.values), 0);
  c.view = (InkFieldView){.mesh = c.mesh, .values = c.values};
  const InkMesh *mesh = c.mesh;
  int64_t p[3];
  for (p[2] = 0; p[2] < mesh->count[2]; p[2]++)
    for (p[1] = 0; p[1] < mesh->count[1]; p[1]++)
      for (p[0] = 0; p[0] < mesh->count[0]; p[0]++) {
        double at[3] = {0};
        for (int a = 0; a < dim; a++) at[a] = mesh->axis[a].centroid[mesh->start[a] + p[a]];
        c.values[mesh->origin + p[0] + p[1] * mesh->stride[1] + p[2] * mesh->stride[2]] = value_at(field, at);
      }
  return c;
}

static void clear(Case *c) {
  ink_mesh_free(&c->values);
  assert_int_equal(ink_mesh_destroy(&c->mesh), 0);
}

static double amplitude_of(int dim, const InkAxisSpec spec[], const Field *field, int axis, double k) {
  double amplitude = -1;
  Case c = made(PETSC_COMM_WORLD, dim, spec, INK_CARTESIAN, field);
  assert_int_equal(ink_observe_amplitude(&c.view, axis, k, &amplitude), 0);
  clear(&c);
  return amplitude;
}

static double wavelength_of(int dim, const InkAxisSpec spec[], InkCoordinates coordinates,
                            const Field *field) {
  double wavelength = -1;
  Case c = made(PETSC_COMM_WORLD, dim, spec, coordinates, field);
  assert_int_equal(ink_observe_wavelength(&c.view, &wavelength), 0);
  clear(&c);
  return wavelength;
}

static void assert_near(double value, double expected, double within) {
  if (!(fabs(value - expected) <= within)) fail_msg("got %.17g, expected %.17g", value, expected);
}

static const InkAxisSpec ring[3] = {{.from = 1, .to = 3, .cells = 48, .periodic = true},
                                    {.from = 0, .to = 1, .cells = 24, .periodic = true},
                                    {.from = 0, .to = 1, .cells = 8, .periodic = true}};
static const InkAxisSpec box[3] = {
    {.from = 0, .to = 2, .cells = 48}, {.from = 0, .to = 1, .cells = 24}, {.from = 0, .to = 1, .cells = 8}};
static const InkAxisSpec graded[3] = {{.from = -1, .to = 2, .cells = 31, .grading = 1.05},
                                      {.from = 0, .to = 0.5, .cells = 16, .grading = 0.9},
                                      {.from = 10, .to = 11, .cells = 9}};

static void a_wave_has_its_amplitude(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int m = 1; m <= 5; m += 2) {
      Field field = {.mean = 40, .waves = 1, .wave = {{0.25, {m * pi}, 0.7}}};
      assert_near(amplitude_of(dim, ring, &field, 0, m * pi), 0.25, 1e-13);
      assert_near(amplitude_of(dim, ring, &field, 0, (m + 1) * pi), 0, 1e-13); /* waves are orthogonal */
    }
}

/* Between walls a wave may have half a wavelength left over, and the mean must not show. */
static void half_waves_between_walls(void **state) {
  (void)state;
  for (int m = 1; m <= 4; m++) {
    Field field = {.mean = 40, .waves = 1, .wave = {{1e-3, {0, m * pi}, 0}}};
    assert_near(amplitude_of(2, box, &field, 1, m * pi), 1e-3, 1e-13);
  }
}

static void amplitudes_scale_and_add_up(void **state) {
  (void)state;
  Field field = {.mean = -3, .waves = 1, .wave = {{1, {7.3, 1, 0.1}, 0.2}}};
  double once = amplitude_of(3, graded, &field, 0, 7.3), mean = amplitude_of(3, graded, &field, 0, 0);
  field.mean *= 1024;
  field.wave[0].amplitude *= 1024;
  double large = amplitude_of(3, graded, &field, 0, 7.3);
  assert_true(once > 0.1);
  assert_near(large / 1024, once, 1e-15);
  assert_near(amplitude_of(3, graded, &field, 0, 0) / 1024, mean, 1e-14);
  Field level = {.mean = -3};
  assert_near(amplitude_of(3, graded, &level, 2, 0), 3, 1e-14);
  assert_near(amplitude_of(3, graded, &level, 2, 5), 0, 1e-14);
}

static void a_wave_has_its_wavelength(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++)
    for (int m = 1; m <= 8; m++) {
      Field field = {.mean = 5, .waves = 1, .wave = {{0.1, {m * pi}, 0.3}}};
      assert_near(wavelength_of(dim, ring, INK_CARTESIAN, &field), 2.0 / m, 1e-12);
      field.wave[0] = (Wave){0.1, {m * pi / 2}, 0};
      assert_near(wavelength_of(dim, box, INK_CARTESIAN, &field), 4.0 / m, 1e-12);
    }
}

static void waves_across_have_theirs(void **state) {
  (void)state;
  Field across = {.mean = 5, .waves = 1, .wave = {{0.1, {3 * pi, 4 * pi}, 1}}}; /* |k| = 5 pi */
  assert_near(wavelength_of(2, ring, INK_CARTESIAN, &across), 2.0 / 5, 1e-12);
  Field along_y = {.mean = 5, .waves = 1, .wave = {{0.1, {0, 6 * pi}, 1}}};
  assert_near(wavelength_of(2, ring, INK_CARTESIAN, &along_y), 1.0 / 3, 1e-12);
}

/* P is the mean power of a bin: in one dimension two waves count with their squared amplitudes. */
static void spectra_are_weighted_with_power(void **state) {
  (void)state;
  Field field = {.waves = 2, .wave = {{1, {2 * pi}, 0}, {2, {6 * pi}, 1}}};
  double expected = 2 * pi * (1 + 4) / (2 * pi + 4 * 6 * pi);
  assert_near(wavelength_of(1, ring, INK_CARTESIAN, &field), expected, 1e-12);
  field.mean = 100;
  field.wave[0].phase = 0.5; /* places do not matter, nor does the level or the scale */
  assert_near(wavelength_of(1, ring, INK_CARTESIAN, &field), expected, 1e-11);
  field.wave[0].amplitude = 10;
  field.wave[1].amplitude = 20;
  assert_near(wavelength_of(1, ring, INK_CARTESIAN, &field), expected, 1e-11);
}

static void no_spectrum_no_wavelength(void **state) {
  (void)state;
  Field wave = {.mean = 5, .waves = 1, .wave = {{0.1, {3}, 0}}}, level = {.mean = 0.1}, bad = {.mean = NAN};
  InkAxisSpec radius = {.from = 0, .to = 1, .cells = 16};
  assert_true(isnan(wavelength_of(2, ring, INK_CARTESIAN, &level)));
  assert_true(isnan(wavelength_of(2, ring, INK_CARTESIAN, &bad)));
  assert_true(isnan(wavelength_of(2, graded, INK_CARTESIAN, &wave)));
  assert_true(isnan(wavelength_of(1, &radius, INK_CYLINDRICAL, &wave)));
}

static void any_rank_count_gives_the_same_bits(void **state) {
  (void)state;
  Field field = {.mean = 1, .waves = 3, .wave = {{1, {91, 17, 3}, 1}, {7, {3, 33}, 2}, {1e3, {8, 8, 8}, 3}}};
  const InkAxisSpec *specs[] = {ring, box, graded};
  for (int s = 0; s < 3; s++)
    for (int dim = 1; dim <= 3; dim++) {
      double value[2][4];
      for (int i = 0; i < 2; i++) {
        Case c = made(i ? PETSC_COMM_WORLD : PETSC_COMM_SELF, dim, specs[s], INK_CARTESIAN, &field);
        memset(value[i], 0, sizeof value[i]);
        for (int a = 0; a < dim; a++)
          assert_int_equal(ink_observe_amplitude(&c.view, a, 3.7, &value[i][a]), 0);
        assert_int_equal(ink_observe_wavelength(&c.view, &value[i][3]), 0);
        clear(&c);
      }
      assert_memory_equal(value[0], value[1], sizeof value[0]);
    }
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wave_has_its_amplitude),    cmocka_unit_test(half_waves_between_walls),
      cmocka_unit_test(amplitudes_scale_and_add_up), cmocka_unit_test(a_wave_has_its_wavelength),
      cmocka_unit_test(waves_across_have_theirs),    cmocka_unit_test(spectra_are_weighted_with_power),
      cmocka_unit_test(no_spectrum_no_wavelength),   cmocka_unit_test(any_rank_count_gives_the_same_bits),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
