/* A run of the toy system from a profile, for the tests of steppers. */
#ifndef INK_TESTS_TOY_RUN_H
#define INK_TESTS_TOY_RUN_H

#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "toy_system.h"
#include "../../solvers/clock.h"

#define OK(call) assert_int_equal((call), 0)

typedef struct Run {
  Toy toy;
  InkSystem system;
  InkMesh *mesh;
  double *u;
  InkStepper *stepper;
  InkProgress progress;
} Run;

typedef double (*Profile)(const InkMesh *mesh, int64_t c);

static inline double cosine(const InkMesh *mesh, int64_t c) {
  double product = 1;
  for (int a = 0; a < mesh->dim; a++) product *= cos(M_PI * toy_at(mesh, c, a));
  return product;
}
static inline double ones(const InkMesh *mesh, int64_t c) { return (void)mesh, (void)c, 1; }
static inline double zeros(const InkMesh *mesh, int64_t c) { return (void)mesh, (void)c, 0; }
static inline double zigzag(const InkMesh *mesh, int64_t c) {
  return (mesh->start[0] + toy_local(mesh, c, 0)) % 2 ? -1 : 1;
}

/* A rotation: u' = rate v, v' = -rate u. */
static inline void rotation(const Toy *toy, double t, const double u[], double r[]) {
  (void)t;
  r[0] = toy->rate * u[1];
  r[1] = -toy->rate * u[0];
}
static inline void rotation_slopes(const Toy *toy, double t, const double u[], double slope[]) {
  (void)t;
  (void)u;
  slope[1] = toy->rate;
  slope[2] = -toy->rate;
}

/* Starts a run of `toy` (whose mesh is made here, on the ranks of `comm`) from a profile. */
static inline void begin_on(MPI_Comm comm, Run *run, int dim, int64_t cells, Toy toy, bool linear,
                            bool constant, Profile profile, InkStepperOptions options) {
  memset(run, 0, sizeof *run);
  run->mesh = toy_mesh_on(comm, dim, cells, false);
  run->toy = toy;
  run->toy.mesh = run->mesh;
  const double width = 1.0 / (double)cells;
  if (run->toy.limit == 0) run->toy.limit = width * width / (2.0 * dim * fmax(toy.diffusivity, 1e-300));
  run->system = toy_system(&run->toy, linear, constant);
  OK(ink_mesh_fields(run->mesh, run->system.n, &run->u));
  for (int f = 0; f < run->system.n; f++)
    for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
      run->u[f * run->mesh->size + c] = f ? 1 - profile(run->mesh, c) : profile(run->mesh, c);
  OK(ink_stepper_create(&run->system, &options, &run->u, 0, &run->stepper));
}

static inline void begin(Run *run, int dim, int64_t cells, Toy toy, bool linear, bool constant,
                         Profile profile, InkStepperOptions options) {
  begin_on(PETSC_COMM_WORLD, run, dim, cells, toy, linear, constant, profile, options);
}

static inline void end(Run *run) {
  OK(ink_stepper_destroy(&run->stepper));
  ink_mesh_free(&run->u);
  OK(ink_mesh_destroy(&run->mesh));
}

static inline void advance(Run *run, double until) {
  OK(ink_stepper_advance(run->stepper, until, NULL, &run->progress));
  if (run->progress.failure.code) print_message("%s\n", run->progress.failure.message);
  assert_int_equal(run->progress.failure.code, INK_DONE);
  assert_true(run->progress.now == until);
}

/* Integral of a field over the domain, and what accumulate() was told of it. */
static inline double content_of(const Run *run, int field) {
  double sum = 0;
  for (int64_t c = toy_first(run->mesh); c >= 0; c = toy_next(run->mesh, c))
    sum += toy_volume(run->mesh, c) * run->u[field * run->mesh->size + c];
  OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, run->mesh->comm));
  return sum;
}

static inline double budget_of(const Run *run, int field) {
  double sum = run->toy.budget[field];
  OK(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, run->mesh->comm));
  return sum;
}

static inline double content(const Run *run) { return content_of(run, 0); }
static inline double budget(const Run *run) { return budget_of(run, 0); }

/* Eigenvalue of the discrete cosine mode. */
static inline double decay(int dim, int64_t cells, double diffusivity) {
  const double h = 1.0 / (double)cells, s = sin(M_PI * h / 2);
  return dim * diffusivity * 4 * s * s / (h * h);
}

static inline void expect_failure(Run *run, double until, InkExit code, const char *const words[]) {
  OK(ink_stepper_advance(run->stepper, until, NULL, &run->progress));
  if (getenv("INK_SHOW")) print_message("%s\n", run->progress.failure.message);
  assert_int_equal(run->progress.failure.code, code);
  for (int w = 0; words[w]; w++) {
    if (!strstr(run->progress.failure.message, words[w]))
      print_message("no '%s' in: %s\n", words[w], run->progress.failure.message);
    assert_non_null(strstr(run->progress.failure.message, words[w]));
  }
  end(run);
}

/* Runs in pieces: control goes back after every step, and at `change` everything is saved and loaded into a
 * new stepper. The result has the bits of the run in one piece. */
static inline void check_restart(Toy toy, bool linear, bool constant, InkStepperOptions options, int dim) {
  char path[64] = "/tmp/inkdrop_stepping_XXXXXX";
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) close(mkstemp(path));
  OK(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD));
  Run whole, pieces;
  begin(&whole, dim, 12, toy, linear, constant, cosine, options);
  begin(&pieces, dim, 12, toy, linear, constant, cosine, options);
  advance(&whole, 0.07);
  advance(&whole, 0.1);
  for (int target = 0; target < 2; target++) {
    const double until = target ? 0.1 : 0.07;
    while (pieces.progress.now < until) {
      InkClock clock = {.comm = MPI_COMM_WORLD, .countdown = 1000, .due = INK_CLOCK_PROGRESS};
      OK(ink_stepper_advance(pieces.stepper, until, &clock, &pieces.progress));
      assert_int_equal(pieces.progress.failure.code, INK_DONE);
      if (pieces.progress.step % 5) continue;
      InkStore *store;
      InkFailure failure = {0};
      OK(ink_store_create(MPI_COMM_WORLD, path, false, &store));
      OK(ink_store_group(store, "/state"));
      OK(ink_stepper_save(pieces.stepper, store));
      OK(ink_store_commit(&store, &failure));
      assert_int_equal(failure.code, INK_DONE);
      OK(ink_stepper_destroy(&pieces.stepper));
      OK(ink_stepper_create(&pieces.system, &options, &pieces.u, 0, &pieces.stepper));
      OK(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure));
      OK(ink_stepper_load(pieces.stepper, store));
      OK(ink_store_close(&store));
    }
  }
  assert_int_equal(pieces.progress.step, whole.progress.step);
  for (int f = 0; f < whole.system.n; f++)
    for (int64_t c = toy_first(whole.mesh); c >= 0; c = toy_next(whole.mesh, c))
      assert_true(pieces.u[f * pieces.mesh->size + c] == whole.u[f * whole.mesh->size + c]);
  end(&whole);
  end(&pieces);
  OK(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0) unlink(path);
}

/* Every rank also runs the whole problem alone: explicit steps, and implicit ones on one axis, have the same
 * bits; implicit ones on more axes agree within what the tolerance leaves to the linear solver. */
static inline void check_ranks(Toy toy, bool linear, bool constant, InkStepperOptions options, int dim,
                               double allowed) {
  Run shared, alone;
  begin(&shared, dim, 12, toy, linear, constant, cosine, options);
  begin_on(PETSC_COMM_SELF, &alone, dim, 12, toy, linear, constant, cosine, options);
  advance(&shared, 0.1);
  advance(&alone, 0.1);
  assert_int_equal(shared.progress.step, alone.progress.step);
  for (int64_t c = toy_first(alone.mesh); c >= 0; c = toy_next(alone.mesh, c)) {
    int64_t local[3] = {0}, at = shared.mesh->origin;
    bool mine = true;
    for (int axis = 0; axis < dim; axis++) {
      local[axis] = toy_local(alone.mesh, c, axis) - shared.mesh->start[axis];
      mine = mine && local[axis] >= 0 && local[axis] < shared.mesh->count[axis];
      at += local[axis] * (axis ? shared.mesh->stride[axis] : 1);
    }
    for (int f = 0; mine && f < shared.system.n; f++)
      assert_true(fabs(shared.u[f * shared.mesh->size + at] - alone.u[f * alone.mesh->size + c]) <= allowed);
  }
  end(&shared);
  end(&alone);
}

#endif
