/* The operator's laws for several fields: every block of the Jacobian is the derivative, nothing is lost
 * whatever crosses or carries, budgets close, explicit bits do not know the decomposition; Scharfetter-Gummel
 * fluxes are exact, monotone and upwind where they should be; the split form is the same operator. */
#include <stdio.h>
#include <unistd.h>
#include "operator_bench.h"

/* ---- mixtures ---- */

/* Everything at once: cross-diffusion that depends on the fields, reactions, coupled sides. */
static const Mixture crossed = {
    .coordinates = INK_CARTESIAN,
    .dim = 2,
    .axis = {graded, ring},
    .n = 2,
    .species = {{.k = {"1 + 0.2*u*v", "0.3 + 0.1*v*u"},
                 .s = "u*(1 - u) - u*v^2 + t",
                 .start = "1.5 + 0.3*sin(5*x) + 0.2*cos(pi*y)",
                 .side = {{INK_SIDE_VALUE, "1 + 0.1*v", 0, 0, 0}, {INK_SIDE_FLUX, "0.2*u*v - u", 0, 0, 0}}},
                {.k = {"-0.2*u", "1.5 + x"},
                 .c = "1 + x*y^2",
                 .s = "u*v^2 - 2*v",
                 .start = "1 + 0.2*cos(3*x) + 0.1*sin(pi*y)",
                 .side = {{INK_SIDE_CONVECTION, 0, "2 + u", "1", 0}, {INK_SIDE_FLUX, "1", 0, 0, 0}}}}};

/* Advection along both axes, k(x,u), an immobile field that reacts, capacities. */
static const Mixture carried = {
    .coordinates = INK_CARTESIAN,
    .dim = 2,
    .axis = {graded, narrow},
    .velocity = {"5*(1 + y)", "-3*x + t"},
    .n = 3,
    .species = {{.k = {"(1 + x)*(0.4 + 0.1*u*w)", NULL, "0.2*x"},
                 .c = "2",
                 .s = "-u*w",
                 .start = "2 + sin(5*x) + y",
                 .side = {{INK_SIDE_VALUE, "2", 0, 0, 0}, {INK_SIDE_FLUX, "3", 0, 0, 0}}},
                {.k = {NULL, "0.05"}, .s = "x", .start = "1 + x*y"},
                {.k = {NULL, NULL, NULL}, .s = "u*w - w^3 + v", .start = "1 + 0.1*cos(4*y)"}}};

/* The same along the axes of a cylinder. */
static const Mixture tank = {.coordinates = INK_AXISYMMETRIC,
                             .dim = 2,
                             .axis = {{.from = 0.0, .to = 1.0, .cells = 12}, narrow},
                             .velocity = {"r*(1 - r)", "2*(1 - r^2)"},
                             .n = 2,
                             .species = {{.k = {"0.3 + 0.1*z", "0.1*v"},
                                          .s = "-u*v",
                                          .start = "1 + 0.3*cos(3*r) + z",
                                          .side = {{0}, {INK_SIDE_CONVECTION, 0, "2", "1", 0}}},
                                         {.k = {NULL, "0.2 + 0.1*u"},
                                          .c = "3",
                                          .s = "u*v",
                                          .start = "1 + 0.3*r^2 - 0.5*z",
                                          .side = {{0}, {0}, {INK_SIDE_VALUE, "1 + r", 0, 0, 0}}}}};

/* Constant coefficients: weights, the reaction in the same pass. */
static const Mixture spots = {
    .coordinates = INK_CARTESIAN,
    .dim = 2,
    .axis = {{.from = 0.0, .to = 1.0, .cells = 40}, ring},
    .n = 2,
    .species = {{.k = {"0.02"},
                 .s = "-u*v^2 + 0.04*(1 - u)",
                 .start = "1 - 0.5*exp(-20*(x - 0.4)^2 - 20*(y - 1)^2)",
                 .side = {{INK_SIDE_VALUE, "1 + 0.1*t", 0, 0, 0}, {INK_SIDE_FLUX, "0.1*cos(pi*y)", 0, 0, 0}}},
                {.k = {NULL, "0.01"},
                 .c = "1.5",
                 .s = "u*v^2 - 0.1*v",
                 .start = "0.25*exp(-20*(x - 0.4)^2 - 20*(y - 1)^2)",
                 .side = {{INK_SIDE_FLUX, "0.01", 0, 0, 0}, {INK_SIDE_VALUE, "0.1", 0, 0, 0}}}}};

static const Mixture *const mixtures[] = {&crossed, &carried, &tank, &spots};
enum { MIXTURES = sizeof mixtures / sizeof *mixtures };

static double size_of(const Bench *bench, const double *values) {
  double size = 0.0;
  for (int f = 0; f < bench->n; f++) size = fmax(size, largest(bench, values + f * bench->mesh->size));
  return size;
}

/* ---- laws ---- */

static void every_block_of_the_jacobian_is_the_derivative(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) {
    Bench bench;
    mix(mixtures[p], &bench);
    const double error = jacobian_error(&bench, 0.2);
    if (error > 1e-7) print_error("mixture %d: error %g\n", p, error);
    assert_true(error <= 1e-7);
    tear_down(&bench);
  }
}

static void the_explicit_step_is_forward_euler(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) {
    Bench bench;
    mix(mixtures[p], &bench);
    const double error = euler_error(&bench);
    if (error >= 1e-14 * size_of(&bench, bench.u)) print_error("mixture %d: error %g\n", p, error);
    assert_true(error < 1e-14 * size_of(&bench, bench.u));
    tear_down(&bench);
  }
}

static void explicit_bits_do_not_depend_on_the_ranks(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) check_bits(mixtures[p]);
}

static void budgets_close(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) {
    Bench bench;
    mix(mixtures[p], &bench);
    const double t = march(&bench, 100, 1.0);
    for (int f = 0; f < bench.n; f++) {
      InkBudget budget;
      assert_int_equal(ink_diffusion_budget(bench.diffusion, f, t, bench.u, &budget), 0);
      if (!(fabs(budget.balance) < 1e-13))
        print_error("mixture %d, field %d: balance %g\n", p, f, budget.balance);
      assert_true(fabs(budget.balance) < 1e-13);
      assert_true(fabs(budget.change) > 1e-6 * budget.scale);
    }
    tear_down(&bench);
  }
}

/* The same step, but the budget does not hear of it. */
static void a_trial_step_leaves_no_trace(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) {
    Bench bench;
    mix(mixtures[p], &bench);
    const double t = march(&bench, 10, 1.0);
    InkBudget before, after;
    double *trial;
    assert_int_equal(ink_mesh_fields(bench.mesh, bench.n, &trial), 0);
    assert_int_equal(ink_diffusion_budget(bench.diffusion, 0, t, bench.u, &before), 0);
    assert_int_equal(bench.system.explicit_step(bench.diffusion, t, 1e-4, false, bench.u, trial), 0);
    assert_int_equal(ink_diffusion_budget(bench.diffusion, 0, t, bench.u, &after), 0);
    assert_memory_equal(&before, &after, sizeof before);
    explicit_step(&bench, t, 1e-4);
    for (int f = 0; f < bench.n; f++)
      for (int64_t k = 0; k < bench.mesh->count[2]; k++)
        for (int64_t j = 0; j < bench.mesh->count[1]; j++) {
          const int64_t row = f * bench.mesh->size + bench.mesh->origin + j * bench.mesh->stride[1] +
                              k * bench.mesh->stride[2];
          assert_memory_equal(trial + row, bench.u + row, (size_t)bench.mesh->count[0] * sizeof *trial);
        }
    ink_mesh_free(&trial);
    tear_down(&bench);
  }
}

/* Without reactions and open sides nothing comes and nothing goes, whatever crosses or carries. */
static void closed_domains_keep_every_field(void **state) {
  (void)state;
  for (int p = 0; p < MIXTURES; p++) {
    Mixture mixture = *mixtures[p];
    Bench bench;
    for (int f = 0; f < mixture.n; f++) {
      mixture.species[f].s = NULL;
      memset(mixture.species[f].side, 0, sizeof mixture.species[f].side);
    }
    mix(&mixture, &bench);
    assert_null(bench.system.accumulate);
    assert_true(bench.system.singular);
    const double t = march(&bench, 100, 1.0);
    for (int f = 0; f < bench.n; f++) {
      InkBudget budget;
      assert_int_equal(ink_diffusion_budget(bench.diffusion, f, t, bench.u, &budget), 0);
      assert_true(fabs(budget.balance) < 2e-14 && budget.scale > 0.0);
    }
    tear_down(&bench);
  }
}

/* A budget that was stored and loaded goes on as if it had not been. */
static void budgets_survive_a_checkpoint(void **state) {
  (void)state;
  char folder[] = "/tmp/inkdrop-operator-XXXXXX", path[64];
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) assert_non_null(mkdtemp(folder));
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  (void)snprintf(path, sizeof path, "%s/budget.h5", folder);
  Bench first, second;
  InkStore *store;
  InkFailure failure = {0};
  mix(&tank, &first);
  mix(&tank, &second);
  march(&first, 10, 1.0);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, false, &store), 0);
  assert_int_equal(ink_diffusion_save(first.diffusion, store), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_int_equal(failure.code, 0);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure), 0);
  assert_int_equal(ink_diffusion_load(second.diffusion, store), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_int_equal(failure.code, 0);
  memcpy(second.u, first.u, (size_t)(first.n * first.mesh->size) * sizeof(double));
  march(&first, 10, 1.0);
  march(&second, 10, 1.0);
  for (int f = 0; f < 2; f++) {
    InkBudget a, b;
    assert_int_equal(ink_diffusion_budget(first.diffusion, f, 0.0, first.u, &a), 0);
    assert_int_equal(ink_diffusion_budget(second.diffusion, f, 0.0, second.u, &b), 0);
    assert_memory_equal(&a.source, &b.source, sizeof a.source);
    assert_memory_equal(a.inflow, b.inflow, sizeof a.inflow);
    assert_true(a.source != 0.0 && a.inflow[f ? 2 : 1] != 0.0);
  }
  tear_down(&first);
  tear_down(&second);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) assert_int_equal(unlink(path) || rmdir(folder), 0);
}

/* What is promised of the system. */
static void the_system_says_what_it_is(void **state) {
  (void)state;
  Bench bench;
  mix(&crossed, &bench);
  assert_false(bench.system.linear || bench.system.symmetric || bench.system.constant);
  assert_false(bench.system.steady_bound || bench.system.singular);
  assert_true(bench.system.moving && bench.system.accumulate && !bench.system.split_solve);
  for (int b = 0; b < 4; b++) assert_int_equal(bench.system.coupling[b], INK_NEIGHBOURS);
  tear_down(&bench);
  mix(&carried, &bench);
  const InkCoupling expected[9] = {INK_NEIGHBOURS, INK_UNCOUPLED,  INK_NEIGHBOURS,
                                   INK_UNCOUPLED,  INK_NEIGHBOURS, INK_UNCOUPLED,
                                   INK_LOCAL,      INK_LOCAL,      INK_LOCAL};
  for (int b = 0; b < 9; b++) assert_int_equal(bench.system.coupling[b], expected[b]);
  tear_down(&bench);
  mix(&spots, &bench);
  assert_int_equal(bench.system.coupling[0], INK_NEIGHBOURS);
  assert_int_equal(bench.system.coupling[1], INK_LOCAL);
  assert_true(bench.system.split_solve && bench.system.split_rest && !bench.system.constant);
  tear_down(&bench);
}

/* ---- limits ---- */

/* On equal cells of width h: 2 D/h^2 for each axis, the rates of an inflow, and decay. */
static void the_monotone_bound_is_the_sum_of_the_rates(void **state) {
  (void)state;
  const double h = 1.0 / 8.0, z = 3.0 * h / 0.7;
  const struct {
    const char *velocity, *source;
    double rate;
  } cases[] = {{NULL, NULL, 2.0 * 0.7 / (h * h)},
               {NULL, "-5*u", 2.0 * 0.7 / (h * h) + 5.0},
               {NULL, "-5*u*v", 2.0 * 0.7 / (h * h) + 10.0},
               {NULL, "5*u", 2.0 * 0.7 / (h * h)},
               {"3", "-v", 0.7 / (h * h) * (2.0 * z / expm1(z) + z)}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const Mixture mixture = {.dim = 1,
                             .axis = {ring},
                             .velocity = {cases[i].velocity},
                             .n = 2,
                             .species = {{.k = {"0.7"}, .s = cases[i].source, .start = "cos(pi*x)"},
                                         {.k = {NULL, "0.01"}, .start = "2"}}};
    Bench bench;
    double dt, exact;
    mix(&mixture, &bench);
    assert_int_equal(ink_diffusion_limits(bench.diffusion, 0.0, bench.u, &dt, &exact), 0);
    if (fabs(dt * cases[i].rate - 1.0) > 1e-13) print_error("case %zu: %.17g\n", i, dt * cases[i].rate);
    assert_true(fabs(dt * cases[i].rate - 1.0) <= 1e-13);
    assert_int_equal(bench.system.steady_bound, i != 2);
    tear_down(&bench);
  }
}

/* Gradients that cross strongly: the largest eigenvalue of k is 1.9, almost twice what the own ones say. */
static void cross_diffusion_is_stable_at_the_bound(void **state) {
  (void)state;
  const Mixture mixture = {.dim = 2,
                           .axis = {even, ring},
                           .n = 2,
                           .species = {{.k = {"1", "0.9"}, .start = "cos(17*pi*x)*cos(8*pi*y)"},
                                       {.k = {"0.9", "1"}, .start = "cos(17*pi*x)*cos(8*pi*y)"}}};
  Bench bench;
  mix(&mixture, &bench);
  const double before = size_of(&bench, bench.u);
  march(&bench, 200, 1.0 / 0.9);
  assert_true(size_of(&bench, bench.u) <= before);
  tear_down(&bench);
}

/* ---- Scharfetter-Gummel ---- */

/* In a closed column u = exp(w x/D) carries no flux, on any mesh and for any cell Peclet number. */
static void equilibrium_is_exact(void **state) {
  (void)state;
  const struct {
    InkAxisSpec axis;
    const char *k, *w, *start;
  } cases[] = {{even, "0.7", "3", "exp(3*x/0.7)"},
               {graded, "0.1", "2", "exp(20*(x - 1))"},
               {graded, "0.1", "-2", "exp(-20*x)"},
               {even, "2", "1e-9", "exp(0.5e-9*x)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const Mixture mixture = {.dim = 1,
                             .axis = {cases[i].axis},
                             .velocity = {cases[i].w},
                             .n = 1,
                             .species = {{.k = {cases[i].k}, .start = cases[i].start}}};
    Bench bench;
    mix(&mixture, &bench);
    assert_false(bench.system.symmetric);
    assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, bench.v), 0);
    /* Against the diffusive flows k u / h, which cancel. */
    const double scale = largest(&bench, bench.u) * strtod(cases[i].k, NULL) * 20.0;
    assert_true(largest(&bench, bench.v) <= 1e-12 * scale);
    tear_down(&bench);
  }
}

/* u = exp(w x/D) between two values: the half cells carry it too, and a constant is carried as it is. */
static void exponentials_are_exact_up_to_the_sides(void **state) {
  (void)state;
  const Mixture mixture = {
      .dim = 1,
      .axis = {graded},
      .velocity = {"2"},
      .n = 1,
      .species = {{.k = {"0.5"},
                   .start = "3 + exp(4*(x - 1))",
                   .side = {{INK_SIDE_VALUE, "3 + exp(-3.2)", 0, 0, 0}, {INK_SIDE_VALUE, "4", 0, 0, 0}}}}};
  Bench bench;
  double outward, area;
  mix(&mixture, &bench);
  assert_int_equal(bench.system.rhs(bench.diffusion, 0.0, bench.u, bench.v), 0);
  assert_true(largest(&bench, bench.v) <= 1e-12 * 4.0 * 0.5 * 20.0);
  assert_int_equal(ink_diffusion_flux(bench.diffusion, 1, 0, 0.0, bench.u, &outward, &area), 0);
  assert_true(fabs(outward - 6.0) <= 1e-12 * 40.0); /* w times the constant */
  tear_down(&bench);
}

/* A step carried round a ring at cell Peclet numbers of 1000 and beyond stays between its values. */
static void strong_advection_is_monotone(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    static const char *const k[] = {"1.25e-4", "1e-300", "0"};
    const Mixture mixture = {.dim = 2,
                             .axis = {ring, even},
                             .velocity = {"1"},
                             .n = 1,
                             .species = {{.k = {k[i]}, .start = "if(x < 1, 1, 0)*(1 + y)"}}};
    Bench bench;
    double low, high, min, max;
    mix(&mixture, &bench);
    const InkFieldView before = {.mesh = bench.mesh, .values = bench.u};
    assert_int_equal(ink_observe_range(&before, &low, &high), 0);
    march(&bench, 200, 1.0 / 0.9);
    const InkFieldView after = {.mesh = bench.mesh, .values = bench.u};
    assert_int_equal(ink_observe_range(&after, &min, &max), 0);
    assert_true(min >= low - 1e-14 && max <= high + 1e-14 && max > min);
    tear_down(&bench);
  }
}

/* Without diffusion the flux is the upwind one, either way; at the bound, a step moves by a cell. */
static void without_diffusion_the_flux_is_upwind(void **state) {
  (void)state;
  for (int way = 0; way < 2; way++) {
    const Mixture mixture = {.dim = 1,
                             .axis = {ring},
                             .velocity = {way ? "-3" : "3"},
                             .n = 1,
                             .species = {{.k = {"0"}, .start = "sin(pi*x) + x*(2 - x)"}}};
    Bench bench;
    double dt;
    mix(&mixture, &bench);
    double *before = gather(bench.mesh, bench.u);
    assert_int_equal(bench.system.monotone_step(bench.diffusion, 0.0, bench.u, &dt), 0);
    assert_true(fabs(dt - 0.125 / 3.0) <= 1e-15);
    explicit_step(&bench, 0.0, dt);
    double *after = gather(bench.mesh, bench.u);
    for (int i = 0; i < 16; i++) assert_true(fabs(after[i] - before[(way ? i + 1 : i + 15) % 16]) <= 1e-14);
    free(before);
    free(after);
    tear_down(&bench);
  }
}

/* ---- immobile fields ---- */

static void an_immobile_field_only_reacts(void **state) {
  (void)state;
  Bench bench;
  const double dt = 1e-3;
  mix(&carried, &bench);
  double *u = gather(bench.mesh, bench.u), *v = gather(bench.mesh, bench.u + bench.mesh->size);
  double *w = gather(bench.mesh, bench.u + 2 * bench.mesh->size);
  explicit_step(&bench, 0.0, dt);
  double *next = gather(bench.mesh, bench.u + 2 * bench.mesh->size);
  for (int64_t i = 0; i < bench.mesh->cells; i++)
    assert_true(fabs(next[i] - (w[i] + dt * (u[i] * w[i] - w[i] * w[i] * w[i] + v[i]))) <= 1e-15);
  free(u);
  free(v);
  free(w);
  free(next);
  tear_down(&bench);
}

/* ---- split form ---- */

/* (u - b)/h of the split solve is the whole operator at u less the rest. */
static void the_split_form_is_the_operator(void **state) {
  (void)state;
  Bench bench;
  const double t = 0.4, h = 0.3;
  mix(&spots, &bench);
  const InkMesh *mesh = bench.mesh;
  double *g = array_of(&bench), *m = array_of(&bench), *f = array_of(&bench), *b = array_of(&bench), rate;
  memcpy(b, bench.u, (size_t)(bench.n * mesh->size) * sizeof *b);
  for (int64_t i = 0; i < bench.n * mesh->size; i++) m[i] = 1.0;
  assert_int_equal(bench.system.split_solve(bench.diffusion, t, h, b, bench.u), 0);
  assert_int_equal(bench.system.rhs(bench.diffusion, t, bench.u, g), 0);
  assert_int_equal(bench.system.capacity(bench.diffusion, t, bench.u, m), 0);
  assert_int_equal(bench.system.split_rest(bench.diffusion, t, bench.u, f, &rate), 0);
  for (int64_t i = 0; i < bench.n * mesh->size; i++) f[i] = bench.u[i] - h * (g[i] / m[i] - f[i]) - b[i];
  assert_true(size_of(&bench, f) <= 1e-11);
  assert_true(rate > 0.04 && rate < 2.0);
  /* In place it is the same. */
  assert_int_equal(bench.system.split_solve(bench.diffusion, t, h, b, b), 0);
  for (int64_t i = 0; i < bench.n * mesh->size; i++) b[i] -= bench.u[i];
  assert_true(size_of(&bench, b) == 0.0);
  ink_mesh_free(&g);
  ink_mesh_free(&m);
  ink_mesh_free(&f);
  ink_mesh_free(&b);
  tear_down(&bench);
}

static void split_bits_do_not_depend_on_the_ranks(void **state) {
  (void)state;
  Bench shared, alone;
  mix(&spots, &shared);
  mix_on(MPI_COMM_SELF, &spots, &alone);
  assert_int_equal(shared.system.split_solve(shared.diffusion, 0.1, 0.2, shared.u, shared.u), 0);
  assert_int_equal(alone.system.split_solve(alone.diffusion, 0.1, 0.2, alone.u, alone.u), 0);
  for (int f = 0; f < 2; f++) {
    double *a = gather(shared.mesh, shared.u + f * shared.mesh->size);
    double *b = gather(alone.mesh, alone.u + f * alone.mesh->size);
    assert_memory_equal(a, b, (size_t)shared.mesh->cells * sizeof *a);
    free(a);
    free(b);
  }
  tear_down(&shared);
  tear_down(&alone);
}

/* ---- axisymmetric ---- */

/* Without change along z each slice is the one-dimensional cylinder, times its height. */
static void slices_of_a_cylinder_are_cylinders(void **state) {
  (void)state;
  const InkAxisSpec r = {.from = 0.0, .to = 1.0, .cells = 12}, z = {.from = 0.0, .to = 2.0, .cells = 10};
  const Side warm = {INK_SIDE_CONVECTION, 0, "2", "1", 0};
  const Species species = {.k = {"0.3 + r"}, .s = "-u*r", .start = "cos(3*r)", .side = {{0}, warm}};
  const Mixture disc = {.coordinates = INK_CYLINDRICAL,
                        .dim = 1,
                        .axis = {r},
                        .velocity = {"r*(1 - r)"},
                        .n = 1,
                        .species = {species}};
  const Mixture column = {.coordinates = INK_AXISYMMETRIC,
                          .dim = 2,
                          .axis = {r, z},
                          .velocity = {"r*(1 - r)"},
                          .n = 1,
                          .species = {species}};
  Bench flat, tall;
  double outward[2], area[2];
  mix_on(MPI_COMM_SELF, &disc, &flat);
  mix(&column, &tall);
  assert_int_equal(flat.system.rhs(flat.diffusion, 0.0, flat.u, flat.v), 0);
  assert_int_equal(tall.system.rhs(tall.diffusion, 0.0, tall.u, tall.v), 0);
  double *one = gather(flat.mesh, flat.v), *all = gather(tall.mesh, tall.v);
  for (int i = 0; i < 120; i++) assert_true(fabs(all[i] / 0.2 - one[i % 12]) <= 1e-13);
  assert_int_equal(ink_diffusion_flux(flat.diffusion, 1, 0, 0.0, flat.u, &outward[0], &area[0]), 0);
  assert_int_equal(ink_diffusion_flux(tall.diffusion, 1, 0, 0.0, tall.u, &outward[1], &area[1]), 0);
  assert_true(fabs(area[1] - 4.0 * M_PI) <= 1e-13 && fabs(area[0] - 2.0 * M_PI) <= 1e-13);
  assert_true(fabs(outward[1] - 2.0 * outward[0]) <= 1e-12);
  free(one);
  free(all);
  tear_down(&flat);
  tear_down(&tall);
}

/* ---- faults ---- */

static void faults_are_named(void **state) {
  (void)state;
  const struct {
    Species species[2];
    const char *velocity, *says;
  } cases[] = {{{{.k = {"u - 2*x"}, .start = "1"}, {.k = {NULL, "1"}, .start = "1"}},
                NULL,
                "diffusion of u is -0.125 in cell (4) at x = "},
               {{{.k = {"1", "1/(v - 1)"}, .start = "1"}, {.k = {NULL, "1"}, .start = "1"}},
                NULL,
                "diffusion of u by v is nan in cell (0) at x = "},
               {{{.k = {"1"}, .start = "1"}, {.k = {NULL, "1"}, .c = "if(x > 1.9, v - 1, 1)", .start = "1"}},
                NULL,
                "capacity of v is 0 in cell (15) at x = "},
               {{{.k = {"1"}, .start = "1"}, {.k = {NULL, "1"}, .s = "log(v - x)", .start = "1"}},
                NULL,
                "reaction of v is nan in cell (8) at x = "},
               {{{.k = {"1"}, .start = "1"}, {.k = {NULL, "1"}, .start = "1"}},
                "sqrt(x - 0.5)",
                "velocity.x is nan in cell (0) at x = "},
               {{{.k = {"1"}, .start = "1"}, {.k = {NULL, "1"}, .start = "1"}}, NULL, ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const Mixture mixture = {.dim = 1,
                             .axis = {ring},
                             .velocity = {cases[i].velocity},
                             .n = 2,
                             .species = {cases[i].species[0], cases[i].species[1]}};
    Bench bench;
    char text[256] = "before";
    mix(&mixture, &bench);
    assert_int_equal(bench.system.fault(bench.diffusion, 0.0, bench.u, text, sizeof text), 0);
    if (strncmp(text, cases[i].says, strlen(cases[i].says))) print_error("case %zu: '%s'\n", i, text);
    assert_int_equal(strncmp(text, cases[i].says, strlen(cases[i].says)), 0);
    if (!cases[i].says[0]) assert_string_equal(text, "");
    tear_down(&bench);
  }
}

/* A side whose law has no solution, and one field by itself, called what heat calls it. */
static void faults_of_sides_and_of_one_field_are_named(void **state) {
  (void)state;
  const Problem cold = {INK_CARTESIAN, 1,    {even}, "1",
                        "1",           NULL, "-5",   {{0}, {INK_SIDE_RADIATION, 0, 0, "0.1", "1"}}};
  const Problem negative = {INK_CARTESIAN, 1, {even}, "x - 0.5", "1", NULL, "1", {{0}}};
  Bench bench;
  char text[256];
  set_up(&cold, &bench);
  assert_int_equal(bench.system.fault(bench.diffusion, 0.0, bench.u, text, sizeof text), 0);
  assert_non_null(strstr(text, "side x_max: the law of T has no solution at cell (17) at x = "));
  tear_down(&bench);
  set_up(&negative, &bench);
  double dt;
  assert_int_equal(bench.system.monotone_step(bench.diffusion, 0.0, bench.u, &dt), 0);
  assert_false(dt > 0.0);
  assert_int_equal(bench.system.fault(bench.diffusion, 0.0, bench.u, text, sizeof text), 0);
  assert_non_null(strstr(text, "diffusion coefficient (conductivity) of T is -0.47"));
  tear_down(&bench);
}

static void the_reaction_of_one_field_is_called_so(void **state) {
  (void)state;
  const Mixture mixture = {
      .dim = 1, .axis = {ring}, .n = 1, .species = {{.k = {"1"}, .s = "log(u - x)", .start = "1"}}};
  Bench bench;
  char text[256];
  mix(&mixture, &bench);
  assert_int_equal(bench.system.fault(bench.diffusion, 0.0, bench.u, text, sizeof text), 0);
  assert_non_null(strstr(text, "source (reaction) of T is nan in cell (8) at x = "));
  tear_down(&bench);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_block_of_the_jacobian_is_the_derivative),
                                     cmocka_unit_test(the_explicit_step_is_forward_euler),
                                     cmocka_unit_test(explicit_bits_do_not_depend_on_the_ranks),
                                     cmocka_unit_test(budgets_close),
                                     cmocka_unit_test(a_trial_step_leaves_no_trace),
                                     cmocka_unit_test(budgets_survive_a_checkpoint),
                                     cmocka_unit_test(closed_domains_keep_every_field),
                                     cmocka_unit_test(the_system_says_what_it_is),
                                     cmocka_unit_test(the_monotone_bound_is_the_sum_of_the_rates),
                                     cmocka_unit_test(cross_diffusion_is_stable_at_the_bound),
                                     cmocka_unit_test(equilibrium_is_exact),
                                     cmocka_unit_test(exponentials_are_exact_up_to_the_sides),
                                     cmocka_unit_test(strong_advection_is_monotone),
                                     cmocka_unit_test(without_diffusion_the_flux_is_upwind),
                                     cmocka_unit_test(an_immobile_field_only_reacts),
                                     cmocka_unit_test(the_split_form_is_the_operator),
                                     cmocka_unit_test(split_bits_do_not_depend_on_the_ranks),
                                     cmocka_unit_test(slices_of_a_cylinder_are_cylinders),
                                     cmocka_unit_test(faults_are_named),
                                     cmocka_unit_test(faults_of_sides_and_of_one_field_are_named),
                                     cmocka_unit_test(the_reaction_of_one_field_is_called_so)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
