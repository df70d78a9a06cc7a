/* Slowest modes of processes whose spectra are known, on any number of ranks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <petscsys.h>

#include "../../solvers/core/observe.h"
#include "../../solvers/core/spectrum.h"

static const double PI = 3.14159265358979323846;

static void ok(PetscErrorCode code) { assert_int_equal(code, 0); }

static void close_to(double value, double expected, double within) {
  if (!(fabs(value - expected) <= within))
    fail_msg("%.17g, expected %.17g within %.3g", value, expected, within);
}

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {{.name = "x", .variable = INK_VAR_X}, {.name = "y", .variable = INK_VAR_Y}};
  const InkScope scope = {.symbol = symbols, .count = 2};
  char message[256] = "";
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  if (!e) fail_msg("%s: %s", text, message);
  return e;
}

/* dX = b dt + B dW on a line or a square. */
typedef struct Case {
  int dim;
  double from, to;
  int64_t cells;
  bool periodic, absorbing;
  const char *drift[2], *diffusion[2], *cross;
  int shapes; /* modes to look at; 0: all */
} Case;

static void process_of(const Case *given, InkPool *pool, InkProcess *process) {
  static const char *const name[] = {"x", "y"};
  *process = (InkProcess){.dim = given->dim};
  for (int d = 0; d < given->dim; d++) {
    process->name[d] = name[d];
    if (given->drift[d]) process->drift[d] = parse(pool, given->drift[d]);
    process->diffusion[d][d] = parse(pool, given->diffusion[d]);
    process->absorbing[2 * d] = process->absorbing[2 * d + 1] = given->absorbing;
  }
  if (given->cross) process->diffusion[0][1] = process->diffusion[1][0] = parse(pool, given->cross);
}

/* The mesh wide enough for the process. */
static void mesh_of(const Case *given, const InkProcess *process, InkMesh **mesh) {
  InkFailure failure = {0};
  int width = 1;
  InkAxisSpec axis[2];
  for (int d = 0; d < given->dim; d++)
    axis[d] = (InkAxisSpec){
        .from = given->from, .to = given->to, .cells = given->cells, .periodic = given->periodic};
  ok(ink_mesh_build(PETSC_COMM_WORLD, axis, given->dim, INK_CARTESIAN, mesh, &failure));
  if (!failure.code) ok(ink_generator_width(*mesh, process, 0, &width, &failure));
  if (!failure.code && width > 1) {
    ok(ink_mesh_destroy(mesh));
    ok(ink_mesh_build_wide(PETSC_COMM_WORLD, axis, given->dim, INK_CARTESIAN, width, mesh, &failure));
  }
  if (failure.code) fail_msg("%s", failure.message);
}

/* The modes are checked for what holds of all: integral of the square 1 and, where nothing leaves, integral
 * 0. */
static void check_mode(const InkMesh *mesh, double *mode, bool conserves) {
  double integral, mean, variance, largest, smallest;
  const InkFieldView view = {.mesh = mesh, .values = mode};
  double volume = 1;
  for (int d = 0; d < mesh->dim; d++) volume *= mesh->axis[d].to - mesh->axis[d].from;
  ok(ink_observe_integral(&view, &integral));
  ok(ink_observe_mean_variance(&view, &mean, &variance));
  ok(ink_observe_range(&view, &smallest, &largest));
  close_to(volume * (variance + mean * mean), 1, 1e-12);
  if (conserves) close_to(integral, 0, 1e-8);
  assert_true(largest > 0 && largest >= -smallest * (1 - 1e-5));
}

static void solve(const Case *given, int count, double decay[], double frequency[]) {
  InkPool *pool = ink_pool_create();
  InkProcess process;
  InkMesh *mesh;
  InkGenerator *generator;
  InkFailure failure = {0};
  double **mode;
  process_of(given, pool, &process);
  mesh_of(given, &process, &mesh);
  ok(ink_generator_create(mesh, &process, 0, &generator, &failure));
  if (failure.code) fail_msg("%s", failure.message);
  ok(PetscCalloc1(count, &mode));
  const int shapes = given->shapes > 0 ? given->shapes : count;
  for (int k = 0; k < shapes; k++) ok(ink_mesh_array(mesh, &mode[k]));
  ok(ink_spectrum(generator, count, decay, frequency, mode, &failure));
  if (failure.code) fail_msg("%s", failure.message);
  for (int k = 0; k < shapes; k++) {
    check_mode(mesh, mode[k], !given->absorbing);
    ink_mesh_free(&mode[k]);
  }
  ok(PetscFree(mode));
  ok(ink_generator_destroy(&generator));
  ok(ink_mesh_destroy(&mesh));
  ink_pool_destroy(&pool);
}

/* Ornstein-Uhlenbeck: n theta, whatever D. */
static void ornstein_uhlenbeck(void **state) {
  (void)state;
  double decay[3], frequency[3];
  const Case given = {.dim = 1, .from = -4, .to = 4, .cells = 400, .drift = {"-1.2*x"}, .diffusion = {"0.4"}};
  solve(&given, 3, decay, frequency);
  for (int n = 1; n <= 3; n++) {
    close_to(decay[n - 1], 1.2 * n, 1e-3 * n);
    assert_true(frequency[n - 1] == 0);
  }
}

/* x - x^3: the rate between the wells, from a spectral method. */
static void double_well(void **state) {
  (void)state;
  double decay[1], frequency[1];
  const Case given = {
      .dim = 1, .from = -3, .to = 3, .cells = 400, .drift = {"x - x^3"}, .diffusion = {"0.1"}};
  solve(&given, 1, decay, frequency);
  close_to(decay[0], 0.0335452873080006, 5e-3 * 0.0335452873080006);
}

/* The odd mode of a double well of little noise decays at 1/T, T the mean time to reach the top from the
 * stationary law of one well: D Z T = integral of exp(U/D) (integral from y on of exp(-U/D))^2, to a relative
 * error of the order of the rate itself. */
static double slow_rate(double D) {
  enum { N = 40000 };
  const double end = 2, h = end / N; /* beyond, nothing */
  double tail = 0, sum = 0;
  for (int i = N; i >= 0; i--) {
    const double x = i * h, u = (x * x * x * x / 4 - x * x / 2) / D, weight = i == 0 || i == N ? h / 2 : h;
    tail += exp(-u) * h / 2;
    sum += weight * exp(u) * tail * tail;
    tail += exp(-u) * h / 2;
  }
  return D * tail / sum;
}

static void little_noise(void **state) {
  (void)state;
  static const double D[] = {0.02, 0.008, 0.004};
  static const char *const text[] = {"0.02", "0.008", "0.004"};
  for (int i = 0; i < 3; i++) {
    double decay[2], frequency[2];
    const Case given = {.dim = 1,
                        .from = -3,
                        .to = 3,
                        .cells = 1200,
                        .drift = {"x - x^3"},
                        .diffusion = {text[i]},
                        .shapes = 1};
    solve(&given, 2, decay, frequency);
    close_to(decay[0], slow_rate(D[i]), 2e-3 * slow_rate(D[i]));
    assert_true(decay[1] > 0.5 &&
                decay[1] < 1.1); /* on the top of the barrier, where paths leave at the rate 1 */
  }
}

/* A ring with drift: D k^2 and v k. */
static void ring(void **state) {
  (void)state;
  double decay[3], frequency[3];
  const Case given = {.dim = 1,
                      .from = 0,
                      .to = 2 * PI,
                      .cells = 400,
                      .periodic = true,
                      .drift = {"0.7"},
                      .diffusion = {"0.5"}};
  solve(&given, 3, decay, frequency);
  for (int k = 1; k <= 3; k++) {
    close_to(decay[k - 1], 0.5 * k * k, 1e-3 * k * k);
    close_to(frequency[k - 1], 0.7 * k, 1e-3 * k);
  }
}

/* Pure diffusion between absorbing ends: D (k pi/L)^2. */
static void absorbing_interval(void **state) {
  (void)state;
  double decay[3], frequency[3];
  const Case given = {.dim = 1, .from = 0, .to = 2, .cells = 400, .absorbing = true, .diffusion = {"0.3"}};
  solve(&given, 3, decay, frequency);
  for (int k = 1; k <= 3; k++) {
    const double exact = 0.3 * PI * PI * k * k / 4;
    close_to(decay[k - 1], exact, 1e-4 * k * k * exact);
  }
}

/* A trap that turns: b = -theta x + omega J x with correlated noise; the eigenvalues are those of the drift's
 * matrix, theta -+ i omega, and their sums, whatever D. */
static void turning_trap(void **state) {
  (void)state;
  double decay[3], frequency[3];
  const Case given = {.dim = 2,
                      .from = -4,
                      .to = 4,
                      .cells = 64,
                      .drift = {"-x - 0.5*y", "0.5*x - y"},
                      .diffusion = {"0.5", "0.4"},
                      .cross = "0.3"};
  solve(&given, 3, decay, frequency);
  close_to(decay[0], 1, 0.03);
  close_to(frequency[0], 0.5, 0.03);
  close_to(decay[1], 2, 0.12);
  close_to(decay[2], 2, 0.12);
  close_to(frequency[1] + frequency[2], 1, 0.06);
}

/* The square has two modes of each of its slowest rates. */
static void square(void **state) {
  (void)state;
  double decay[3], frequency[3];
  const Case given = {.dim = 2, .from = 0, .to = 1, .cells = 24, .diffusion = {"1", "1"}};
  solve(&given, 3, decay, frequency);
  const double h = 1.0 / 24, one = 2 * (1 - cos(PI * h)) / (h * h);
  close_to(decay[0], one, 1e-9 * one);
  close_to(decay[1], one, 1e-9 * one);
  close_to(decay[2], 2 * one, 1e-9 * one);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ornstein_uhlenbeck),
      cmocka_unit_test(double_well),
      cmocka_unit_test(little_noise),
      cmocka_unit_test(ring),
      cmocka_unit_test(absorbing_interval),
      cmocka_unit_test(turning_trap),
      cmocka_unit_test(square),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
