/* What is told of ensembles: moments, histograms, absorption rates, and places at the start, on any number of
 * ranks the same; decks' questions answered and refused. */
#include "../../solvers/particles/particles_impl.h"

static const InkSolverType *const solver = &ink_particles;
#include "solver_bench.h"
#include <hdf5.h>

#define OK(call) assert_int_equal((call), 0)

static void near(double value, double expect, double within) {
  if (!(fabs(value - expect) <= within))
    print_error("got %.17g, expected %.17g, within %.3g\n", value, expect, within);
  assert_true(fabs(value - expect) <= within);
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static InkEnsemble *make(MPI_Comm comm, int64_t count, int dim, bool absorbs, bool chain) {
  const InkEnsembleNeeds needs = {.absorbs = absorbs, .chain = chain, .moved = true, .total = true};
  InkEnsemble *e;
  OK(ink_ensemble_create(comm, 7, count, dim, &needs, &e));
  return e;
}

static InkMesh *mesh_of(MPI_Comm comm, const InkAxisSpec *axes, int dim) {
  InkFailure failure = {0};
  InkMesh *mesh;
  OK(ink_mesh_build(comm, axes, dim, INK_CARTESIAN, &mesh, &failure));
  assert_int_equal(failure.code, 0);
  return mesh;
}

/* ---- moments ---- */

/* Values i: means and variances in closed form. */
static void moments_in_closed_form(void **state) {
  (void)state;
  const int64_t count = 3001;
  const double n = 3001.0;
  InkEnsemble *e = make(MPI_COMM_WORLD, count, 1, true, false);
  InkMoments m;
  for (int64_t i = 0; i < e->n; i++) {
    e->x[0][i] = 1e6 + (double)(e->first + i); /* far from 0: nothing may cancel */
    e->fate[i] = (e->first + i) % 3 == 0 ? INK_INSIDE : (double)((e->first + i) % 3);
  }
  OK(ink_ensemble_moments(e, INK_ALL_PARTICLES, -1, e->x[0], &m));
  const double variance = (n * n - 1.0) / 12.0, fourth = variance * (3.0 * n * n - 7.0) / 20.0;
  assert_true(m.count == n);
  near(m.mean, 1e6 + 1500.0, 1e-9);
  near(m.variance, variance, 1e-12 * variance);
  near(m.mean_error, sqrt(variance / n), 1e-12 * m.mean_error);
  near(m.variance_error, sqrt((fourth - variance * variance) / n), 1e-10 * m.variance_error);
  OK(ink_ensemble_moments(e, INK_THOSE_INSIDE, -1, e->x[0], &m));
  assert_true(m.count == 1001);
  near(m.mean, 1e6 + 1500.0, 1e-9); /* 0, 3, ..., 3000 */
  near(m.variance, 9.0 * (1001.0 * 1001.0 - 1.0) / 12.0, 1e-6);
  OK(ink_ensemble_moments(e, INK_THOSE_ABSORBED, 1, e->x[0], &m));
  assert_true(m.count == 1000);
  near(m.mean, 1e6 + 1.0 + 3.0 * 499.5, 1e-9);
  OK(ink_ensemble_moments(e, INK_THOSE_ABSORBED, -1, e->x[0], &m));
  assert_true(m.count == 2000);
  OK(ink_ensemble_moments(e, INK_THOSE_ABSORBED, 4, e->x[0], &m));
  assert_true(m.count == 0 && isnan(m.mean) && isnan(m.variance) && isnan(m.mean_error));
  OK(ink_ensemble_destroy(&e));
}

/* The numbers of all ranks, and of one alone. */
static void moments_have_the_same_bits(void **state) {
  (void)state;
  InkMoments m[2];
  for (int alone = 0; alone < 2; alone++) {
    InkEnsemble *e = make(alone ? MPI_COMM_SELF : MPI_COMM_WORLD, 5000, 1, false, false);
    const InkStream stream = {3, 1};
    for (int64_t i = 0; i < e->n; i++) e->x[0][i] = ink_random_normal_at(stream, (uint64_t)(e->first + i), 0);
    OK(ink_ensemble_moments(e, INK_ALL_PARTICLES, -1, e->x[0], &m[alone]));
    OK(ink_ensemble_destroy(&e));
  }
  assert_true(same_bits(m[0].mean, m[1].mean) && same_bits(m[0].variance, m[1].variance));
  assert_true(same_bits(m[0].variance_error, m[1].variance_error));
  near(m[0].mean, 0.0, 4.0 * m[0].mean_error);
  near(m[0].variance, 1.0, 4.0 * m[0].variance_error);
  near(m[0].variance_error, sqrt(2.0 / 5000.0), 0.1 * m[0].variance_error);
}

static void fates_are_counted(void **state) {
  (void)state;
  InkEnsemble *e = make(MPI_COMM_WORLD, 1000, 2, true, false);
  int64_t number[INK_FATES], inside;
  for (int64_t i = 0; i < e->n; i++) {
    const int64_t global = e->first + i;
    e->fate[i] = global % 10 < 5 ? INK_INSIDE : global % 10 < 8 ? 3.0 : INK_SIDES + 1.0;
  }
  OK(ink_ensemble_fates(e, number, &inside));
  assert_int_equal(inside, 500);
  for (int f = 0; f < INK_FATES; f++)
    assert_int_equal(number[f], f == 3 ? 300 : f == INK_SIDES + 1 ? 200 : 0);
  OK(ink_ensemble_destroy(&e));
}

/* ---- histograms ---- */

static const InkAxisSpec uniform = {.from = -1, .to = 2, .cells = 30},
                         graded = {.from = -0.3, .to = 0.7, .cells = 17, .grading = 1.2},
                         ring = {.from = 0, .to = 0.7, .cells = 7, .periodic = true};

/* Faces, and the numbers next to them: the upper cell, the lower cell. */
static void faces_decide(void **state) {
  (void)state;
  const InkAxisSpec axes[3] = {uniform, graded, ring};
  InkMesh *mesh = mesh_of(MPI_COMM_SELF, axes, 3);
  for (int a = 0; a < 3; a++) {
    const InkAxis *axis = &mesh->axis[a];
    for (int64_t f = 0; f <= axis->cells; f++) {
      const double face = axis->face[f];
      assert_int_equal(ink_axis_cell(axis, face), f < axis->cells ? f : f - 1);
      assert_int_equal(ink_axis_cell(axis, nextafter(face, -INFINITY)), f > 0 ? f - 1 : 0);
      assert_int_equal(ink_axis_cell(axis, nextafter(face, INFINITY)), f < axis->cells ? f : f - 1);
    }
    assert_int_equal(ink_axis_cell(axis, -INFINITY), 0);
    assert_int_equal(ink_axis_cell(axis, INFINITY), axis->cells - 1);
  }
  OK(ink_mesh_destroy(&mesh));
}

/* Particle i in cell i modulo the cells: known counts; those absorbed do not count. */
static void histograms_count(void **state) {
  (void)state;
  const InkAxisSpec axes[3] = {uniform, graded, ring};
  InkMesh *mesh = mesh_of(MPI_COMM_WORLD, axes, 3);
  const int64_t cells = mesh->cells, total = 2 * cells + 5;
  int64_t *counts = malloc((size_t)cells * sizeof *counts);
  assert_non_null(counts);
  for (int chain = 0; chain < 2; chain++) {
    InkEnsemble *e = make(MPI_COMM_WORLD, total, 3, true, chain);
    for (int64_t i = 0; i < e->n; i++) {
      int64_t cell = (e->first + i) % cells;
      if (chain) e->cell[i] = (double)cell;
      for (int a = 0; a < 3; a++) {
        const double *face = mesh->axis[a].face + cell % mesh->axis[a].cells;
        if (!chain) e->x[a][i] = face[0] + 0.999 * (face[1] - face[0]);
        cell /= mesh->axis[a].cells;
      }
      if (e->first + i >= 2 * cells + 2) e->fate[i] = 1.0;
    }
    OK(ink_ensemble_histogram(e, mesh, counts));
    for (int64_t c = 0; c < cells; c++) assert_int_equal(counts[c], c < 2 ? 3 : 2);
    OK(ink_ensemble_destroy(&e));
  }
  free(counts);
  OK(ink_mesh_destroy(&mesh));
}

/* ---- absorption rates ---- */

/* Times at the quantiles of a law of density f(tau) = a + b tau: the estimate is that of its integral, which
 * is exact for linear densities, but for the sum over quantiles. grain: to the ends of steps. */
static void check_flux(double grain, double a, double b, double t, double within) {
  const int64_t count = 40000;
  InkEnsemble *e = make(MPI_COMM_WORLD, count, 1, true, false);
  double flux, error;
  for (int64_t i = 0; i < e->n; i++) {
    const double q = ((double)(e->first + i) + 0.5) / (double)count;
    const double tau = b == 0.0 ? q / a : (sqrt(a * a + 2.0 * b * q) - a) / b; /* a tau + b tau^2/2 = q */
    if (!(tau <= t)) continue;
    e->fate[i] = 2.0;
    e->when[i] = 3.0 + (grain > 0.0 ? grain * ceil(tau / grain) : tau);
  }
  OK(ink_ensemble_flux(e, 2, 3.0, 3.0 + t, grain, &flux, &error));
  near(flux, a + b * t, within);
  /* sum of K^2 = N f w integral of (4 - 6 u)^2 = 4 N f w, to leading order */
  const double w = 1.5 * t * pow((double)count, -0.2), leading = sqrt(4.0 * flux / (w * (double)count));
  near(error, leading, 0.1 * leading);
  OK(ink_ensemble_flux(e, 1, 3.0, 3.0 + t, grain, &flux, &error)); /* nobody there */
  assert_true(flux == 0.0 && error == 0.0);
  OK(ink_ensemble_flux(e, 2, 3.0, 3.0, grain, &flux, &error));
  assert_true(isnan(flux));
  OK(ink_ensemble_destroy(&e));
}

static void rates_of_known_laws(void **state) {
  (void)state;
  /* A sum over quantiles is an integral but for a particle or two: 10/(N w). */
  check_flux(0.0, 0.5, 0.0, 1.2, 2e-3);
  check_flux(0.0, 0.1, 0.4, 1.5, 2e-3);
  check_flux(0.0, 0.8, -0.3, 1.0, 2e-3);
  check_flux(0.01, 0.5, 0.0, 1.2, 4e-3);
  check_flux(0.01, 0.1, 0.4, 1.5, 4e-3);
}

/* ---- starts ---- */

static const char law_deck[] =
    "solver: particles\n"
    "model: {state: {x: {from: -1, to: 2, cells: 12}, v: {from: 0, to: 1, cells: 9}}, "
    "diffusion: {x: 1, v: 1}}\n"
    "initial: {density: '%s'}\n"
    "particles: {count: 40000}\n"
    "time: {end: 1}\n";

/* Places of a deck's particles, gathered: [2][count] on all ranks. */
static double *places(MPI_Comm comm, const char *density, int64_t count, InkFailure *failure) {
  char text[1000];
  snprintf(text, sizeof text, law_deck, density);
  InkDeck *deck = make_deck(comm, text);
  InkEnsemble *e = make(comm, count, 2, true, false);
  double *all = calloc((size_t)(2 * count), sizeof *all);
  assert_non_null(all);
  OK(ink_start_initial(deck, e, failure));
  for (int a = 0; a < 2; a++) {
    for (int64_t i = 0; i < e->n; i++) all[a * count + e->first + i] = e->x[a][i];
    for (int64_t i = e->n; i < e->room; i++) assert_true(isfinite(e->x[a][i]));
    for (int64_t i = e->n; i < e->room && e->first == 0 && !failure->code; i++)
      assert_true(same_bits(e->x[a][i], e->x[a][0])); /* padding starts like particle 0 */
  }
  OK(MPI_Allreduce(MPI_IN_PLACE, all, (int)(2 * count), MPI_DOUBLE, MPI_SUM, comm));
  OK(ink_ensemble_destroy(&e));
  ink_deck_destroy(&deck);
  return all;
}

/* Moments of x and v over a law, to 4 standard errors; places inside; same bits on any ranks, and for fewer
 * particles. */
static void starts_follow_the_law(void **state) {
  (void)state;
  enum { N = 40000, FEW = 700 };
  InkFailure failure = {0};
  /* exp(-3 x) on [-1, 2] changes by 2.1 a cell; v^2 vanishes at a wall. */
  double *x = places(MPI_COMM_WORLD, "exp(-3*x)*v^2", N, &failure), *v = x + N;
  double mean[2] = {0, 0}, square[2] = {0, 0}, both = 0;
  assert_int_equal(failure.code, 0);
  for (int64_t i = 0; i < N; i++) {
    assert_true(x[i] >= -1 && x[i] <= 2 && v[i] >= 0 && v[i] <= 1);
    mean[0] += x[i] / N;
    mean[1] += v[i] / N;
  }
  for (int64_t i = 0; i < N; i++) {
    square[0] += (x[i] - mean[0]) * (x[i] - mean[0]) / N;
    square[1] += (v[i] - mean[1]) * (v[i] - mean[1]) / N;
    both += (x[i] - mean[0]) * (v[i] - mean[1]) / N;
  }
  const double cut = exp(-9.0), mean_x = -1.0 + 1.0 / 3.0 - 3.0 * cut / (1.0 - cut);
  const double var_x = 1.0 / 9.0 - 9.0 * cut / ((1.0 - cut) * (1.0 - cut)), var_v = 3.0 / 5.0 - 9.0 / 16.0;
  near(mean[0], mean_x, 4.0 * sqrt(var_x / N));
  near(mean[1], 0.75, 4.0 * sqrt(var_v / N));
  near(square[0], var_x, 4.0 * var_x * sqrt(8.0 / N)); /* fourth moment of an exponential: 9 */
  near(square[1], var_v, 4.0 * var_v * sqrt(2.0 / N));
  near(both, 0.0, 4.0 * sqrt(var_x * var_v / N));
  double *few = places(MPI_COMM_SELF, "exp(-3*x)*v^2", FEW, &failure);
  for (int64_t i = 0; i < FEW; i++) assert_true(same_bits(few[i], x[i]) && same_bits(few[FEW + i], v[i]));
  free(few);
  free(x);
}

/* Within cells too: the law of the place in the cell, v^2 near v = 0, x in the first cell. */
static void starts_within_cells(void **state) {
  (void)state;
  enum { N = 40000 };
  InkFailure failure = {0};
  double *v = places(MPI_COMM_WORLD, "exp(-3*x)*v^2", N, &failure) + N, sum = 0, counted = 0;
  for (int64_t i = 0; i < N; i++)
    if (v[i] < 1.0 / 3.0) {
      const double in_cell = fmod(9.0 * v[i], 1.0);
      sum += in_cell;
      counted++;
    }
  free(v - N);
  /* Of v^2 on cells k = 0, 1, 2 of width 1: E = sum integral u (k + u)^2 / 9. */
  double expect = 0;
  for (int k = 0; k < 3; k++) expect += (k * k / 2.0 + 2.0 * k / 3.0 + 0.25) / 9.0;
  near(counted / N, 1.0 / 27.0, 4.0 * sqrt(1.0 / 27.0 / N));
  near(sum / counted, expect, 4.0 * sqrt(1.0 / 12.0 / counted));
  assert_true(fabs(expect - 0.5) > 6.0 * sqrt(1.0 / 12.0 / counted)); /* uniform places would show */
}

static void bad_laws(void **state) {
  (void)state;
  static const struct {
    const char *density, *says;
  } bad[] = {{"x", "down to"}, {"1/(x - 0.125)", "not finite"}, {"0*x", "0 in all cells"}};
  for (int b = 0; b < 3; b++) {
    InkFailure failure = {0};
    free(places(MPI_COMM_WORLD, bad[b].density, 100, &failure));
    assert_int_equal(failure.code, INK_NUMERICAL);
    if (!strstr(failure.message, bad[b].says)) print_error("%s\n", failure.message);
    assert_non_null(strstr(failure.message, bad[b].says));
  }
}

/* ---- samples from files ---- */

static void write_dataset(hid_t file, const char *name, int rank, const hsize_t *size, const double *values) {
  hid_t space = H5Screate_simple(rank, size, NULL);
  hid_t data = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(data);
  H5Sclose(space);
}

enum { SAMPLES = 700 };
static double sample_x(int64_t i) { return -1.0 + 3.0 * (double)i / SAMPLES; }
static double sample_v(int64_t i) { return (double)i / SAMPLES; }

/* Rank 0: path_x(time, path) beside the axis x, and v. bad: that sample is outside. */
static void write_samples(const char *path, int bad) {
  if (rank_of(MPI_COMM_WORLD) == 0) {
    static double x[2 * SAMPLES], v[SAMPLES];
    const double axis[3] = {0, 0, 0};
    const hsize_t one = SAMPLES, two[2] = {2, SAMPLES}, cells = 3;
    for (int i = 0; i < SAMPLES; i++) {
      x[i] = 99; /* an earlier time */
      x[SAMPLES + i] = sample_x(i);
      v[i] = i == bad ? NAN : sample_v(i);
    }
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    write_dataset(file, "path_x", 2, two, x);
    write_dataset(file, "x", 1, &cells, axis);
    write_dataset(file, "v", 1, &one, v);
    H5Fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* More particles than samples, fewer, and as many as fit twice; the deck lies in the same folder. */
static void starts_from_files(void **state) {
  (void)state;
  static const int64_t counts[] = {300, 699, 1100, 5000};
  static const char deck_text[] =
      "solver: particles\n"
      "model: {state: {x: {from: -1, to: 2, cells: 12}, v: {from: 0, to: 1, cells: 9}}, diffusion: {x: 1}}\n"
      "particles: {start: {file: %s}}\n"
      "time: {end: 1}\n";
  char text[1000], name[64] = "inkdrop_samples.h5", path[100];
  int64_t number;
  int process = (int)getpid();
  OK(MPI_Bcast(&process, 1, MPI_INT, 0, MPI_COMM_WORLD));
  snprintf(name, sizeof name, "inkdrop_samples_%d.h5", process);
  snprintf(path, sizeof path, "/tmp/%s", name);
  snprintf(text, sizeof text, deck_text, name); /* decks of tests lie in /tmp */
  InkDeck *deck = make_deck(MPI_COMM_WORLD, text);
  for (int bad = -1; bad < 1000; bad += 400) { /* -1, 399, 799: none of them */
    InkFailure failure = {0};
    write_samples(path, bad);
    assert_true(ink_start_is_given(deck));
    OK(ink_start_count(MPI_COMM_WORLD, deck, &number, &failure));
    assert_int_equal(failure.code, 0);
    assert_int_equal(number, SAMPLES);
    for (int c = 0; c < 4; c++) {
      InkEnsemble *e = make(MPI_COMM_WORLD, counts[c], 2, true, false);
      failure = (InkFailure){0};
      OK(ink_start_given(deck, e, &failure));
      assert_int_equal(failure.code, bad == 399 && counts[c] > 399 ? INK_USAGE : 0);
      if (failure.code) assert_non_null(strstr(failure.message, "sample 399 is outside the domain: v = nan"));
      for (int64_t i = 0; i < e->n && !failure.code; i++) {
        assert_true(e->x[0][i] == sample_x((e->first + i) % SAMPLES));
        assert_true(e->x[1][i] == sample_v((e->first + i) % SAMPLES));
      }
      for (int64_t i = e->n; i < e->room; i++) assert_true(e->x[0][i] == sample_x(0));
      OK(ink_ensemble_destroy(&e));
    }
  }
  if (rank_of(MPI_COMM_WORLD) == 0) unlink(path);
  MPI_Barrier(MPI_COMM_WORLD);
  InkFailure failure = {0};
  OK(ink_start_count(MPI_COMM_WORLD, deck, &number, &failure));
  assert_int_equal(failure.code, INK_USAGE);
  assert_non_null(strstr(failure.message, "particles.start.file: "));
  ink_deck_destroy(&deck);
}

/* ---- from decks ---- */

/* A chain at its start: what is asked of the particles, and the same of the histogram. */
static void questions_of_a_chain(void **state) {
  (void)state;
  Run run;
  start(MPI_COMM_WORLD,
        "solver: particles\n"
        "model: {state: {x: {from: -2, to: 2, cells: 40}}, drift: {x: -x}, diffusion: {x: 0.5}, "
        "boundary: {x_max: absorbing}}\n"
        "initial: {density: 'exp(-2*x^2)'}\n"
        "particles: {count: 20000, scheme: jump}\n"
        "probes: {middle: {at: [0.1]}}\n"
        "time: {end: 1}\n",
        &run);
  advance(&run, 0.5);
  const InkParticles *s = run.self;
  assert_true(s->compares);
  near(ask(&run, "integral", "p") + ask(&run, "absorbed", "x_max"), 1.0, 1e-14);
  near(ask(&run, "integral", "density"), 1.0 - ask(&run, "absorbed", "x_max"),
       4.0 * sqrt(ask(&run, "absorbed", "x_max") / 20000));
  /* The mean over particles is that of their cells' centroids. */
  double sum = 0, all = 0, mass = 0;
  for (int64_t c = 0; c < 40; c++) {
    sum += (double)s->counts[c] * s->mesh->axis[0].centroid[c];
    all += (double)s->counts[c];
    mass += s->mass[c];
  }
  near(ask(&run, "mean", "x"), sum / all, 1e-14);
  near(ask(&run, "integral", "density"), mass, 1e-14);
  const double chance = ask(&run, "distance", "total_variation");
  assert_true(chance > 0.0 && chance < 0.05);
  assert_true(ask(&run, "p_value", "chi_squared") > 1e-5);
  assert_true(ask(&run, "p_value", "kolmogorov_smirnov") > 1e-5);
  near(ask(&run, "distance", "wasserstein"), 0.0, 0.05);
  const InkQuery query = {"probe", "middle", NULL};
  InkValue value;
  OK(ink_particles_quantity(run.self, &query, &value)); /* at the centroid of cell 21 (0.1 = -2 + 21 h) */
  near(value.standard_error, sqrt(0.25 * ((double)s->counts[20] + (double)s->counts[21])) / (20000 * 0.1),
       1e-9);
  near(value.value, ((double)s->counts[20] + (double)s->counts[21]) / 2 / (20000 * 0.1), 1e-9);
  finish(&run);
}

/* A question with the options of the deck's entry i; its standard error. */
static double ask_entry(const Run *run, int i, double *error) {
  const InkQuery query = {ink_deck_text(run->deck, "verify[%d].quantity", i), "",
                          ink_deck_node(run->deck, "verify[%d]", i)};
  InkValue value;
  OK(ink_particles_quantity(run->self, &query, &value));
  *error = value.standard_error;
  return value.value;
}

static double sum_all(double value) {
  OK(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
  return value;
}

/* Paths: each answer against a plain sum over the particles. */
static void questions_of_paths(void **state) {
  (void)state;
  enum { N = 5000 };
  Run run;
  start(MPI_COMM_WORLD,
        "solver: particles\n"
        "model: {state: {x: {from: 0, to: 1, cells: 20}, v: {from: -1, to: 1, cells: 20}}, drift: {x: v}, "
        "diffusion: {x: 0.1, v: 0.3}, boundary: {x_min: absorbing, x_max: absorbing}}\n"
        "initial: {point: [0.5, 0.2]}\n"
        "particles: {count: 5000}\n"
        "time: {start: 1, end: 2}\n"
        "verify:\n"
        "- {quantity: probability, where: x > 0.6, expect: 1, within: 1}\n"
        "- {quantity: expectation, of: t + x*v, expect: 1, within: 1}\n"
        "- {quantity: msd, expect: 1, within: 1}\n"
        "- {quantity: total_variation, expect: 1, within: 1}\n"
        "- {quantity: quadratic_variation, expect: 1, within: 1}\n",
        &run);
  advance(&run, 1.5);
  const InkParticles *s = run.self;
  const InkEnsemble *e = s->ensemble;
  double gone = 0, late = 0, inside = 0, x = 0, true_ones = 0, value = 0, msd = 0, squares = 0, error;
  for (int64_t i = 0; i < e->n; i++) {
    const bool in = ink_is_inside(e, i);
    gone += e->fate[i] == 1;
    late += e->fate[i] == 1 ? e->when[i] - 1.0 : 0;
    inside += in;
    x += in ? e->x[0][i] : 0;
    true_ones += in && e->x[0][i] > 0.6;
    value += in ? 1.5 + e->x[0][i] * e->x[1][i] : 0;
    msd += e->moved[0][i] * e->moved[0][i] + e->moved[1][i] * e->moved[1][i];
    squares += e->quadratic[0][i] + e->quadratic[1][i];
  }
  gone = sum_all(gone);
  inside = sum_all(inside);
  true_ones = sum_all(true_ones) / N;
  assert_true(gone > 100 && inside > 100);
  near(ask(&run, "absorbed", "x_max"), gone / N, 1e-14);
  near(ask(&run, "first_passage_time", "x_max"), sum_all(late) / gone, 1e-12);
  near(ask(&run, "mean", "x"), sum_all(x) / inside, 1e-12);
  near(ask(&run, "integral", "p"), inside / N, 1e-14);
  near(ask_entry(&run, 0, &error), true_ones, 1e-14);
  near(error, sqrt(true_ones * (1 - true_ones) / N), 1e-12);
  near(ask_entry(&run, 1, &error), sum_all(value) / N, 1e-12);
  near(ask_entry(&run, 2, &error), sum_all(msd) / N, 1e-12);
  near(ask_entry(&run, 4, &error), sum_all(squares) / N, 1e-12);
  /* A path is at least as long as the way along an axis, and at most as both. */
  const double length = ask_entry(&run, 3, &error);
  const double along_x = ask(&run, "total_variation", "x"), along_v = ask(&run, "total_variation", "v");
  assert_true(length > fmax(along_x, along_v) && length < along_x + along_v && error > 0);
  assert_true(isnan(ask(&run, "mean", "nothing")));
  finish(&run);
}

/* Of a chain the cells count as far as a condition is true in them; time goes back in reversed runs. */
static void questions_of_a_reversed_chain(void **state) {
  (void)state;
  enum { N = 4000 };
  const double targets[] = {0.25, 1.0};
  Run run;
  InkFailure failure = {0};
  start(MPI_COMM_WORLD,
        "solver: particles\n"
        "direction: reverse\n"
        "model: {state: {x: {from: -2, to: 2, cells: 40}}, drift: {x: -x}, diffusion: {x: 0.5}}\n"
        "initial: {density: 'exp(-2*x^2)'}\n"
        "particles: {count: 4000}\n"
        "time: {end: 1}\n"
        "verify:\n"
        "- {quantity: probability, where: x > 0.05, expect: 1, within: 1}\n"
        "- {quantity: expectation, of: t, expect: 1, within: 1}\n",
        &run);
  OK(solver->targets(run.self, 2, targets, &failure));
  assert_int_equal(failure.code, 0);
  advance(&run, 0.25);
  InkParticles *s = run.self;
  double error, above = 0;
  near(ask_entry(&run, 1, &error), 0.75, 1e-14);
  OK(ink_particles_count(s));
  for (int64_t c = 21; c < 40; c++) above += (double)s->counts[c];
  near(ask_entry(&run, 0, &error), (above + 0.5 * (double)s->counts[20]) / N, 1e-12); /* 0.05: half a cell */
  char text[600];
  OK(ink_particles_compare(s, text, sizeof text));
  assert_non_null(strstr(text, "4000 particles against the density at t = 0.75: total variation"));
  assert_non_null(strstr(text, "Kolmogorov-Smirnov in x p ="));
  assert_true(ask(&run, "p_value", "chi_squared") > 1e-4);
  finish(&run);
}

static void refusals(void **state) {
  (void)state;
  static const char deck_text[] =
      "solver: particles\n"
      "model: {state: {x: {from: 0 m, to: 1 m, cells: 9}, v: {from: 0 m/s, to: 1 m/s, cells: 9}}, diffusion: "
      "{v: 1 m^2/s^3}, boundary: {v_min: periodic, v_max: periodic, x_min: absorbing}}\n"
      "initial: {point: [0.5 m, 0.5 m/s]}\n"
      "particles: {compare: false}\n"
      "time: {end: 1 s}\n";
  static const struct {
    const char *kind, *argument, *says; /* NULL: defined, of the dimension in unit */
    const char *unit;
  } asked[] = {
      {"mean", "x", NULL, "m"},
      {"variance", "v", NULL, "m^2/s^2"},
      {"mean", "p", NULL, "s/m^2"},
      {"integral", "p", NULL, "1"},
      {"variance", "total_variation:x", NULL, "m^2"},
      {"quadratic_variation", "v", NULL, "m^2/s^2"},
      {"mean", "first_passage_time:x_min", NULL, "s"},
      {"first_passage_time", "", NULL, "s"},
      {"flux", "x_min", NULL, "1/s"},
      {"flux", "x_max:p", NULL, "1/s"},
      {"absorbed", "x_min", NULL, "1"},
      {"msd", "", "needs a state variable after it, as they have different units: x, v", ""},
      {"msd", "z", "there is no state variable 'z'; there are x, v", ""},
      {"flux", "v_min", "the side is periodic", ""},
      {"flux", "y_min", "the domain has no side 'y_min'", ""},
      {"absorbed", "x_max", "the side does not absorb (model.boundary.x_max); what absorbs: x_min", ""},
      {"first_passage_time", "gate", "'gate' is neither a side", ""},
      {"mean", "q", "'q' is neither a state variable (x, v) nor the field p", ""},
      {"mean", "density", "no density goes along", ""},
      {"probe", "here", "there is no probes.here", ""},
      {"error", "l2:p", "needs exact.p", ""},
      {"error", "p", "write error:l2:p", ""},
      {"distance", "wasserstein:x", "particles.compare is false", ""},
      {"distance", "hellinger", "write distance:total_variation", ""},
      {"p_value", "", "write p_value:chi_squared", ""},
      {"probability", "", "needs where", ""},
      {"expectation", "", "needs of", ""},
      {"spots", "p", "spots is not defined for particles", ""}};
  InkDeck *deck = make_deck(MPI_COMM_WORLD, deck_text);
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    const InkQuery query = {asked[i].kind, asked[i].argument, NULL};
    InkRequest request;
    char message[512] = "", unit[64];
    const bool defined = ink_request_read(deck, &query, &request, message, sizeof message);
    if (defined) ink_dim_print(&request.dim, unit, sizeof unit);
    if (defined != !asked[i].says || (defined && strcmp(unit, asked[i].unit) != 0) ||
        (!defined && !strstr(message, asked[i].says)))
      fail_msg("%s:%s: '%s' %s", asked[i].kind, asked[i].argument, message, defined ? unit : "");
  }
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(moments_in_closed_form),
                                     cmocka_unit_test(moments_have_the_same_bits),
                                     cmocka_unit_test(fates_are_counted),
                                     cmocka_unit_test(faces_decide),
                                     cmocka_unit_test(histograms_count),
                                     cmocka_unit_test(rates_of_known_laws),
                                     cmocka_unit_test(starts_follow_the_law),
                                     cmocka_unit_test(starts_within_cells),
                                     cmocka_unit_test(bad_laws),
                                     cmocka_unit_test(starts_from_files),
                                     cmocka_unit_test(questions_of_a_chain),
                                     cmocka_unit_test(questions_of_paths),
                                     cmocka_unit_test(questions_of_a_reversed_chain),
                                     cmocka_unit_test(refusals)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
