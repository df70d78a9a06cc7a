/* Antidiffusion on a generator: second order where nothing diffuses, no new extremum, no negative value, the
 * same mass, the same bits on any rank count; detailed balance stays exact; within the steppers; stationary.
 */
#include "generator_bench.h"
#include "../../solvers/core/antidiffusion.h"
#include "../../solvers/core/elimination.h"

static void begin(const Problem *problem, MPI_Comm comm, Bench *bench, InkAntidiffusion **a) {
  set_up_on(comm, problem, 0.0, NULL, bench);
  assert_non_null(bench->generator);
  OK(ink_antidiffusion_create(bench->generator, a));
}

static void end(Bench *bench, InkAntidiffusion **a) {
  OK(ink_antidiffusion_destroy(a));
  tear_down(bench);
}

static double content(const Bench *bench) { return dot(bench->mesh, bench->p, bench->generator->volume); }

/* min and max of p over all ranks */
static void range(const Bench *bench, double pair[2]) {
  pair[0] = INFINITY;
  pair[1] = INFINITY;
  EACH_PLACE(bench->mesh, place) {
    pair[0] = fmin(pair[0], bench->p[place.cell]);
    pair[1] = fmin(pair[1], -bench->p[place.cell]);
  }
  OK(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MIN, bench->mesh->comm));
  pair[1] = -pair[1];
}

/* Explicit steps to `until`, mended; returns how many. */
static int64_t run(Bench *bench, InkAntidiffusion *a, double until) {
  double dt;
  OK(bench->system.monotone_step(bench->generator, 0, bench->p, &dt));
  const int64_t steps = (int64_t)ceil(until / (0.9 * dt));
  dt = until / (double)steps;
  for (int64_t n = 0; n < steps; n++) {
    const double t = (double)n * dt;
    OK(bench->system.explicit_step(bench->generator, t, dt, true, bench->p, bench->g));
    if (a) OK(ink_antidiffusion_mend(a, t, dt, true, bench->p, bench->g));
    double *const swap = bench->p;
    bench->p = bench->g;
    bench->g = swap;
  }
  return steps;
}

/* ---- carried without diffusion ---- */

typedef struct Blob {
  double at[2], variance;
} Blob;

static double blob_value(const Blob *blob, const double x[3]) {
  const double dx = x[0] - blob->at[0], dy = x[1] - blob->at[1];
  return exp(-0.5 * (dx * dx + dy * dy) / blob->variance);
}

static void set_blob(const Bench *bench, const Blob *blob) {
  EACH_PLACE(bench->mesh, place) bench->p[place.cell] = blob_value(blob, place.x);
}

/* Error in the mean, of the blob's content. */
static double blob_error(const Bench *bench, const Blob *blob) {
  double error = 0;
  EACH_PLACE(bench->mesh, place)
  error += fabs(bench->p[place.cell] - blob_value(blob, place.x)) * bench->generator->volume[place.cell];
  OK(MPI_Allreduce(MPI_IN_PLACE, &error, 1, MPI_DOUBLE, MPI_SUM, bench->mesh->comm));
  return error / (2 * M_PI * blob->variance);
}

static Problem rotation(int64_t cells) {
  return (Problem){.dim = 2,
                   .axis = {{.from = -1, .to = 1, .cells = cells}, {.from = -1, .to = 1, .cells = cells}},
                   .drift = {"-2*pi*y", "2*pi*x"}};
}

/* Solid-body rotation of a Gaussian by a quarter: the order of the error, mass and sign. */
static void test_rotation(void **state) {
  (void)state;
  const Blob start = {{0.4, 0}, 0.02}, stop = {{0, 0.4}, 0.02};
  double error[2];
  for (int level = 0; level < 2; level++) {
    const Problem problem = rotation(60 << level);
    Bench bench;
    InkAntidiffusion *a;
    double pair[2], share;
    begin(&problem, PETSC_COMM_WORLD, &bench, &a);
    OK(ink_antidiffusion_share(bench.generator, &share));
    assert_true(share == 1);
    set_blob(&bench, &start);
    const double mass = content(&bench);
    run(&bench, a, 0.25);
    error[level] = blob_error(&bench, &stop);
    range(&bench, pair);
    assert_true(pair[0] >= 0 && pair[1] <= 1);
    assert_true(fabs(content(&bench) / mass - 1) < 1e-14);
    end(&bench, &a);
  }
  assert_true(log2(error[0] / error[1]) > 1.8);
  assert_true(error[1] < 0.02);
}

/* A plateau with an edge: no new extremum, though the flow wants one. */
static void test_plateau(void **state) {
  (void)state;
  const Problem problem = rotation(50);
  Bench bench;
  InkAntidiffusion *a;
  double pair[2];
  begin(&problem, PETSC_COMM_WORLD, &bench, &a);
  EACH_PLACE(bench.mesh, place)
  bench.p[place.cell] = fabs(place.x[0] - 0.4) < 0.2 && fabs(place.x[1]) < 0.2 ? 1 : 0;
  const double mass = content(&bench);
  run(&bench, a, 0.25);
  range(&bench, pair);
  assert_true(pair[0] >= 0 && pair[1] <= 1 + 1e-13);
  assert_true(pair[1] > 0.99); /* upwind alone: 0.7 */
  assert_true(fabs(content(&bench) / mass - 1) < 1e-14);
  end(&bench, &a);
}

/* A drift that changes with time, on a periodic mesh: x moves by (1 - cos(2 pi t))/4, y by t/2. */
static void test_moving_drift(void **state) {
  (void)state;
  const Blob start = {{0.25, -0.1}, 0.02}, stop = {{-0.25, 0.15}, 0.02};
  double error[2];
  for (int level = 0; level < 2; level++) {
    Problem problem = {.dim = 2, .drift = {"-pi*sin(2*pi*t)/2", "1/2"}};
    for (int axis = 0; axis < 2; axis++)
      problem.axis[axis] = (InkAxisSpec){.from = -1, .to = 1, .cells = 80 << level, .periodic = true};
    Bench bench;
    InkAntidiffusion *a;
    begin(&problem, PETSC_COMM_WORLD, &bench, &a);
    set_blob(&bench, &start);
    /* The bound at the start is not that of the run: fixed steps. */
    const int64_t steps = 80 << level;
    const double dt = 0.5 / (double)steps;
    for (int64_t n = 0; n < steps; n++) {
      const double t = (double)n * dt;
      OK(bench.system.explicit_step(bench.generator, t, dt, true, bench.p, bench.g));
      OK(ink_antidiffusion_mend(a, t, dt, true, bench.p, bench.g));
      double *const swap = bench.p;
      bench.p = bench.g;
      bench.g = swap;
    }
    error[level] = blob_error(&bench, &stop);
    end(&bench, &a);
  }
  assert_true(log2(error[0] / error[1]) > 1.8);
}

/* ---- with diffusion ---- */

/* The density with no flow through any edge, of rates that are products along the axes. */
static void balance(const Bench *bench) {
  const InkMesh *mesh = bench->mesh;
  EACH_PLACE(mesh, place) {
    double value = 1;
    for (int64_t c = mesh->origin; c < mesh->origin + place.at[0]; c++)
      value *= bench->generator->up[0][c] / bench->generator->down[0][c];
    for (int64_t j = 0; j < place.at[1]; j++) {
      const int64_t c = mesh->origin + place.at[0] + j * mesh->stride[1];
      value *= bench->generator->up[1][c] / bench->generator->down[1][c];
    }
    bench->p[place.cell] = value;
  }
}

/* A drift with a potential and cells that are far too large for it, z up to 40: the density in balance stays,
 * while one that is not is mended. */
static void test_detailed_balance(void **state) {
  (void)state;
  const Problem problem = {.dim = 2,
                           .axis = {{.from = -2, .to = 2, .cells = 20}, {.from = -2, .to = 2, .cells = 24}},
                           .drift = {"-2*x", "-sin(3*y)"},
                           .diffusion = {"0.02", "0.01"}};
  Bench bench;
  InkAntidiffusion *a;
  begin(&problem, PETSC_COMM_SELF, &bench, &a);
  for (int balanced = 0; balanced < 2; balanced++) {
    double *kept, *plain, most = 0, difference = 0;
    OK(ink_mesh_array(bench.mesh, &kept));
    OK(ink_mesh_array(bench.mesh, &plain));
    balance(&bench);
    EACH_PLACE(bench.mesh, place) if (!balanced) bench.p[place.cell] *= 2 + sin(5 * place.x[0]);
    EACH_PLACE(bench.mesh, place) kept[place.cell] = bench.p[place.cell];
    run(&bench, NULL, 0.5);
    EACH_PLACE(bench.mesh, place) {
      plain[place.cell] = bench.p[place.cell];
      bench.p[place.cell] = kept[place.cell];
    }
    run(&bench, a, 0.5);
    EACH_PLACE(bench.mesh, place) {
      most = fmax(most, fabs(bench.p[place.cell] / kept[place.cell] - 1));
      difference = fmax(difference, fabs(bench.p[place.cell] / plain[place.cell] - 1));
    }
    assert_true(balanced ? most < 1e-12 : difference > 1e-3);
    ink_mesh_free(&kept);
    ink_mesh_free(&plain);
  }
  end(&bench, &a);
}

/* Edges along Selling's offsets. */
static void test_far_edges(void **state) {
  (void)state;
  const Problem problem = {.dim = 2,
                           .axis = {{.from = -2, .to = 2, .cells = 40}, {.from = -2, .to = 2, .cells = 40}},
                           .drift = {"5*y - x", "-5*x - y"},
                           .diffusion = {"0.04", "0.02", NULL, "0.025"}};
  Bench bench;
  InkAntidiffusion *a;
  double pair[2];
  begin(&problem, PETSC_COMM_WORLD, &bench, &a);
  assert_true(bench.generator->directions > 2);
  set_blob(&bench, &(Blob){{0.8, 0}, 0.02});
  const double mass = content(&bench);
  run(&bench, a, 1);
  range(&bench, pair);
  assert_true(pair[0] >= 0);
  assert_true(fabs(content(&bench) / mass - 1) < 1e-14);
  end(&bench, &a);
}

/* Langevin with inertia: dx = v dt, dv = (-x - v/2) dt + dW. */
static Problem kramers(int64_t cells) {
  return (Problem){.dim = 2,
                   .axis = {{.from = -6, .to = 6, .cells = cells}, {.from = -6, .to = 6, .cells = cells}},
                   .drift = {"y", "-x-0.5*y"},
                   .diffusion = {NULL, "0.5"}};
}

static double variance(const Bench *bench, int axis) {
  InkSum sum;
  double value;
  ink_sum_clear(&sum);
  EACH_PLACE(bench->mesh, place)
  ink_sum_add_product(&sum, bench->p[place.cell] * bench->generator->volume[place.cell],
                      place.x[axis] * place.x[axis]);
  OK(ink_sum_reduce(bench->mesh->comm, 1, &sum, &value));
  return value / content(bench);
}

/* Explicit and implicit steppers mend their steps; implicit ones that a tolerance would allow to be longer
 * are as long as can be mended. */
static void test_steppers(void **state) {
  (void)state;
  static const InkStepperOptions options[3] = {{.method = INK_EXPLICIT, .tolerance = 1e-4, .positive = true},
                                               {.method = INK_IMPLICIT, .tolerance = 1e-4, .positive = true},
                                               {.method = INK_IMPLICIT, .tolerance = 0.5, .positive = true}};
  static const double within[3] = {0.0012, 0.0022, 0.02};
  for (int k = 0; k < 3; k++) {
    const Problem problem = kramers(100);
    Bench bench;
    InkAntidiffusion *a;
    InkFinish finish;
    InkStepper *stepper;
    InkProgress progress = {0};
    double pair[2], longest;
    begin(&problem, PETSC_COMM_WORLD, &bench, &a);
    ink_antidiffusion_finish(a, &finish);
    bench.system.finish = &finish;
    set_blob(&bench, &(Blob){{0, 0}, 0.04});
    const double mass = content(&bench);
    OK(ink_stepper_create(&bench.system, &options[k], &bench.p, 0, &stepper));
    OK(ink_stepper_advance(stepper, 0.75, NULL, &progress));
    OK(ink_stepper_advance(stepper, 1.5, NULL, &progress));
    assert_int_equal(progress.failure.code, INK_DONE);
    range(&bench, pair);
    assert_true(pair[0] >= 0);
    assert_true(fabs(content(&bench) / mass - 1) < 1e-13);
    /* Exact: dC/dt = F C + C F^T + diag(0, 1) from 0.04 I. Without mending 0.51 and 0.54. */
    assert_true(fabs(variance(&bench, 0) - 0.459435) < within[k]);
    assert_true(fabs(variance(&bench, 1) - 0.514383) < within[k]);
    OK(ink_antidiffusion_longest(a, 1.5, bench.p, &longest));
    assert_true(progress.dt < 1.05 * longest);
    OK(ink_stepper_destroy(&stepper));
    end(&bench, &a);
  }
}

/* ---- stationary ---- */

/* The generator's own density, content 1, into p. */
static void own_stationary(Bench *bench) {
  const InkMesh *mesh = bench->mesh;
  InkChain chain;
  int rank;
  OK(MPI_Comm_rank(mesh->comm, &rank));
  double *all = calloc((size_t)mesh->cells, sizeof *all);
  assert_non_null(all);
  OK(ink_generator_gather(bench->generator, &chain));
  if (rank == 0) {
    InkElimination *elimination = ink_elimination_create(&chain, NULL, NULL);
    assert_non_null(elimination);
    ink_elimination_stationary(elimination, all);
    ink_elimination_destroy(&elimination);
  }
  OK(ink_chain_clear(&chain));
  OK(ink_mesh_scatter(mesh, all, bench->p));
  free(all);
  const double whole = content(bench);
  EACH_PLACE(mesh, place) bench->p[place.cell] /= whole;
}

/* The stationary law is a Gaussian of variance 1: error of its variances, before and after. */
static void test_stationary(void **state) {
  (void)state;
  double error[2];
  for (int level = 0; level < 2; level++) {
    const Problem problem = kramers(40 << level);
    Bench bench;
    InkAntidiffusion *a;
    InkDeferred deferred;
    double pair[2];
    begin(&problem, PETSC_COMM_WORLD, &bench, &a);
    own_stationary(&bench);
    const double before = variance(&bench, 0) - 1;
    OK(ink_antidiffusion_stationary(a, 0, 1e-6, 1, bench.p, &deferred)); /* too few turns: as it was */
    assert_true(!deferred.converged && deferred.turns == 1);
    assert_true(variance(&bench, 0) - 1 == before);
    OK(ink_antidiffusion_stationary(a, 0, 1e-6, 200, bench.p, &deferred));
    assert_true(deferred.converged);
    error[level] = fmax(fabs(variance(&bench, 0) - 1), fabs(variance(&bench, 1) - 1));
    assert_true(error[level] < 0.06 * before);
    assert_true(fabs(content(&bench) - 1) < 1e-14);
    range(&bench, pair);
    assert_true(pair[0] >= 0);
    end(&bench, &a);
  }
  assert_true(log2(error[0] / error[1]) > 1.7);
}

/* ---- ranks ---- */

static void test_same_bits(void **state) {
  (void)state;
  const Problem problem[2] = {
      kramers(40),
      {.dim = 2,
       .axis = {{.from = -2, .to = 2, .cells = 24}, {.from = -2, .to = 2, .cells = 24, .periodic = true}},
       .drift = {"5*y - x", "-5*x - y"},
       .diffusion = {"0.04", "0.02", NULL, "0.025"}}};
  for (int k = 0; k < 3; k++) {
    const bool stationary = k == 2;
    Bench bench[2];
    InkAntidiffusion *a[2];
    double longest[2];
    for (int alone = 0; alone < 2; alone++) {
      begin(&problem[k % 2], alone ? PETSC_COMM_SELF : PETSC_COMM_WORLD, &bench[alone], &a[alone]);
      set_blob(&bench[alone], &(Blob){{0.5, 0}, 0.3});
      run(&bench[alone], a[alone], 0.3);
      OK(ink_antidiffusion_longest(a[alone], 0.3, bench[alone].p, &longest[alone]));
      if (stationary) {
        InkDeferred deferred;
        own_stationary(&bench[alone]);
        OK(ink_antidiffusion_stationary(a[alone], 0, 1e-3, 50, bench[alone].p, &deferred));
        assert_true(deferred.converged && deferred.turns > 1);
      }
    }
    assert_true(longest[0] == longest[1]);
    const InkMesh *mesh = bench[0].mesh, *whole = bench[1].mesh;
    for (int64_t j = 0; j < mesh->count[1]; j++)
      assert_memory_equal(bench[0].p + mesh->origin + j * mesh->stride[1],
                          bench[1].p + whole->origin + mesh->start[0] +
                              (mesh->start[1] + j) * whole->stride[1],
                          (size_t)mesh->count[0] * sizeof(double));
    for (int alone = 0; alone < 2; alone++) end(&bench[alone], &a[alone]);
  }
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rotation),     cmocka_unit_test(test_plateau),
      cmocka_unit_test(test_moving_drift), cmocka_unit_test(test_detailed_balance),
      cmocka_unit_test(test_far_edges),    cmocka_unit_test(test_steppers),
      cmocka_unit_test(test_stationary),   cmocka_unit_test(test_same_bits),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
