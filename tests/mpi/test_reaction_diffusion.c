/* The reaction-diffusion solver from deck to numbers: convergence to a manufactured solution of two coupled
 * species, conservation, species that do not meet behave as if alone, restarts that give the same bits, and
 * mistakes of a deck named at once. */
#include "../../solvers/core/mesh.h"
#include "../../solvers/reaction_diffusion/reaction_diffusion.h"

static const InkSolverType *const solver = &ink_reaction_diffusion;
#include "solver_bench.h"

static void close_to(double value, double expect, double within) {
  if (!(fabs(value - expect) <= within)) print_error("got %.15g, expected %.15g\n", value, expect);
  assert_true(fabs(value - expect) <= within);
}

/* The owned values of a field (two axes at most); free() them. */
static double *values_of(const Run *run, int field, size_t *count) {
  const InkField *fields;
  int n;
  assert_int_equal(solver->fields(run->self, &fields, &n), 0);
  assert_true(field < n);
  const InkBox *box = &fields[field].grid.box;
  const bool plane = fields[field].grid.dim == 2;
  const size_t nx = (size_t)box->count[plane ? 1 : 0], ny = plane ? (size_t)box->count[0] : 1;
  const size_t sx = (size_t)box->stride[plane ? 1 : 0], sy = plane ? (size_t)box->stride[0] : 0;
  double *values = malloc((nx * ny + 1) * sizeof(double));
  assert_non_null(values);
  for (size_t j = 0; j < ny; j++)
    for (size_t i = 0; i < nx; i++) values[j * nx + i] = fields[field].values[j * sy + i * sx];
  *count = nx * ny;
  return values;
}

/* ---- order ---- */

static void errors_of(const char *deck, int cells, double end, double error[2]) {
  char text[4096];
  Run run;
  snprintf(text, sizeof text, deck, cells, cells);
  start(MPI_COMM_WORLD, text, &run);
  advance(&run, end);
  error[0] = ask(&run, "error", "l2:u");
  error[1] = ask(&run, "error", "l2:v");
  finish(&run);
}

static void manufactured_solutions_converge(void **state) {
  (void)state;
  static const char *const decks[] = {
      /* coefficients of place, time and both species, cross-diffusion, sides of every type */
      "solver: reaction_diffusion\n"
      "mesh: {x: {from: 0, to: 1, cells: %d}, y: {from: 0, to: 1, cells: %d}}\n"
      "species:\n"
      "  u: {diffusion: \"(1 + x)*(1 + 0.1*v)\", reaction: \"v^2*u - 2*u\"}\n"
      "  v: {diffusion: {u: \"0.1*x\", v: 0.5 + 0.2*t}, reaction: \"u - u*v^2\"}\n"
      "boundary:\n"
      "  x_max: {u: {type: flux}, v: {type: convection, coefficient: 1 + 0.1*u}}\n"
      "  y_min: {v: {type: flux}}\n"
      "exact: {u: \"2 + exp(-t)*sin(2*x)*cos(3*y)\", v: \"1 + 0.5*cos(t)*cos(x + y)\"}\n"
      "manufactured: true\ntime: {method: implicit, end: 0.05, tolerance: 1e-7}\n",
      /* axisymmetric, carried along the axis, one species immobile, explicit */
      "solver: reaction_diffusion\n"
      "mesh: {coordinates: axisymmetric, r: {from: 0, to: 1, cells: %d}, z: {from: 0, to: 1, cells: %d}}\n"
      "species: {u: {diffusion: 1, reaction: \"-u*v\"}, v: {diffusion: 0, reaction: \"-u*v\"}}\n"
      "velocity: {z: 2 - r^2}\n"
      "exact: {u: \"2 + exp(-t)*cos(3*r^2)*sin(z)\", v: \"3 + exp(-2*t)*r^2*z\"}\n"
      "manufactured: true\ntime: {method: explicit, end: 0.05}\n"};
  for (int d = 0; d < 2; d++) {
    double coarse[2], fine[2];
    errors_of(decks[d], 16, 0.05, coarse);
    errors_of(decks[d], 32, 0.05, fine);
    for (int f = 0; f < 2; f++) {
      const double order = log2(coarse[f] / fine[f]);
      if (!(order >= 1.95))
        print_error("deck %d, field %d: errors %g, %g, order %g\n", d, f, coarse[f], fine[f], order);
      assert_true(order >= 1.95 && fine[f] < 1e-2);
    }
  }
}

/* ---- laws ---- */

/* A + B -> C in a closed box: u + w and v + w stay what they were, and so does each budget. */
static void what_reacts_is_conserved(void **state) {
  (void)state;
  static const char *const deck =
      "solver: reaction_diffusion\nseed: 3\n"
      "mesh: {x: {from: 0, to: 1, cells: 15, grading: 1.1}, y: {from: 0, to: 2, cells: 12}}\n"
      "species:\n"
      "  u: {diffusion: 0.1, reaction: -3*u*v, initial: 1 + x + 0.1*noise(0)}\n"
      "  v: {diffusion: 0.02*(1 + u), reaction: -3*u*v, initial: 2 - y/2}\n"
      "  w: {diffusion: 0, reaction: 3*u*v, initial: 0}\n"
      "velocity: {x: y*(2 - y)*x*(1 - x), y: 0}\n"
      "time: {method: %s, end: 0.2}\n"
      "verify: [{quantity: \"balance:u\", expect: 0, within: 1e-9}]\n";
  static const char *const methods[] = {"explicit", "implicit"};
  for (int m = 0; m < 2; m++) {
    char text[2048];
    Run run;
    snprintf(text, sizeof text, deck, methods[m]);
    start(MPI_COMM_WORLD, text, &run);
    const double uw = ask(&run, "integral", "u") + ask(&run, "integral", "w");
    const double vw = ask(&run, "integral", "v") + ask(&run, "integral", "w");
    advance(&run, 0.2);
    assert_true(ask(&run, "integral", "w") > 0.1);
    /* implicit steps: to what is left of the stage equations */
    const double within = m == 0 ? 1e-13 : 1e-7;
    close_to((ask(&run, "integral", "u") + ask(&run, "integral", "w")) / uw, 1.0, within);
    close_to((ask(&run, "integral", "v") + ask(&run, "integral", "w")) / vw, 1.0, within);
    close_to(ask(&run, "balance", "u"), 0.0, within);
    close_to(ask(&run, "balance", "w"), 0.0, within);
    finish(&run);
  }
}

/* Two species that have nothing to do with each other take the same bits as each in a deck of its own, and a
 * law of the whole side is the law of its only species. */
static void strangers_do_not_meet(void **state) {
  (void)state;
  static const char *const head =
      "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 21}, y: {from: "
      "0, to: 1, cells: 8}}\ntime: {method: explicit, end: 0.1, dt: 1e-4}\n";
  static const char *const both =
      "species: {u: {diffusion: 1, reaction: u*(1 - u), initial: x}, v: {diffusion: 0.5 + v, initial: 1 - "
      "x*y}}\n"
      "boundary: {x_min: {u: {type: value, value: 1 + t}, v: {type: flux, value: 1 - v}}}\n";
  static const char *const alone[] = {
      "species: {u: {diffusion: 1, reaction: u*(1 - u)}}\ninitial: {u: x}\n"
      "boundary: {x_min: {type: value, value: 1 + t}}\n",
      "species: {v: {diffusion: 0.5 + v, initial: 1 - x*y}}\n"
      "boundary: {x_min: [{where: y < 0.5, type: flux, value: 1 - v}, {v: {type: flux, value: 1 - v}}]}\n"};
  char text[2048];
  Run together, single;
  snprintf(text, sizeof text, "%s%s", head, both);
  start(MPI_COMM_WORLD, text, &together);
  advance(&together, 0.1);
  for (int f = 0; f < 2; f++) {
    size_t count, same;
    snprintf(text, sizeof text, "%s%s", head, alone[f]);
    start(MPI_COMM_WORLD, text, &single);
    advance(&single, 0.1);
    double *a = values_of(&together, f, &count), *b = values_of(&single, 0, &same);
    assert_int_equal(count, same);
    assert_memory_equal(a, b, count * sizeof *a);
    free(a);
    free(b);
    finish(&single);
  }
  finish(&together);
}

/* An electrode on half of a side that takes what arrives: in the steady state the current is n F times the
 * flux in at the other side, and positive. */
static void currents_count_electrons(void **state) {
  (void)state;
  Run run;
  start(MPI_COMM_WORLD,
        "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1e-3, cells: 20}, y: {from: 0, to: 1e-3, cells: "
        "20}}\n"
        "species: {O: {diffusion: 1e-9, initial: 1}, R: {diffusion: 1e-9, initial: 0}}\n"
        "boundary:\n"
        "  x_min: [{where: y < 5e-4, O: {type: value, value: 0, electrons: 2}, R: {type: flux, value: 0}}, "
        "{type: symmetry}]\n"
        "  x_max: {O: {type: value, value: 1}, R: {type: value, value: 0.1*O}}\n"
        "time: {method: steady}\n",
        &run);
  advance(&run, 1.0);
  const double current = ask(&run, "current", "x_min"), flux = ask(&run, "flux", "x_max:O");
  assert_true(current > 0.0 && flux < 0.0);
  close_to(current / (-2.0 * 96485.33212 * flux), 1.0, 1e-8);
  close_to(ask(&run, "max", "R"), 0.1, 1e-9);
  finish(&run);
}

/* du/dt = -u v, dv/dt = 0 in every cell: what does not move only reacts. */
static void immobile_species_only_react(void **state) {
  (void)state;
  Run run;
  start(MPI_COMM_WORLD,
        "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 12}}\n"
        "species: {u: {diffusion: 0, reaction: -u*v, initial: 3}, v: {diffusion: 0, initial: 2}}\n"
        "velocity: {x: 5}\n"
        "time: {method: implicit, end: 1, tolerance: 1e-8}\n",
        &run);
  advance(&run, 1.0);
  close_to(ask(&run, "max", "u"), 3.0 * exp(-2.0), 1e-5);
  close_to(ask(&run, "min", "u"), ask(&run, "max", "u"), 0.0);
  close_to(ask(&run, "min", "v"), 2.0, 0.0);
  finish(&run);
}

/* ---- restart ---- */

static void save_and_load(const Run *from, const Run *to) {
  char path[64] = "/tmp/inkdrop_restart_XXXXXX";
  InkFailure failure = {0};
  InkStore *store = NULL;
  if (rank_of(MPI_COMM_WORLD) == 0) close(mkstemp(path));
  assert_int_equal(MPI_Bcast(path, (int)sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD), 0);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, false, &store), 0);
  assert_int_equal(solver->save(from->self, store), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_int_equal(failure.code, 0);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure), 0);
  assert_non_null(store);
  assert_int_equal(solver->load(to->self, store), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0); /* all have read when this returns */
  assert_int_equal(failure.code, 0);
  if (rank_of(MPI_COMM_WORLD) == 0) unlink(path);
}

static void restarts_give_the_same_bits(void **state) {
  (void)state;
  /* The last has constant coefficients and no flow: it is stepped by ARK4(3). */
  static const struct {
    const char *method, *diffusion;
  } cases[] = {{"explicit", "0.01*(1 + method)"}, {"implicit", "0.01*(1 + method)"}, {"implicit", "0.01"}};
  for (int c = 0; c < 3; c++) {
    char text[2048];
    Run whole, first, second;
    snprintf(
        text, sizeof text,
        "solver: reaction_diffusion\nseed: 7\n"
        "mesh: {x: {from: 0, to: 1, cells: 14}, y: {from: 0, to: 2, cells: 11}}\n"
        "species:\n"
        "  method: {diffusion: %s, reaction: \"method^2*v - method\", initial: 1 + 0.1*noise(0)}\n"
        "  v: {diffusion: 0.1, reaction: \"0.9 - method^2*v + 0.1*sin(t)\", initial: 0.9 + 0.1*noise(1)}\n"
        "boundary: {x_min: {type: periodic}, x_max: {type: periodic}, y_max: {v: {type: value, value: 1 + "
        "t}}}\n"
        "time: {method: %s, end: 0.4, positive: true}\n"
        "verify: [{quantity: \"balance:v\", expect: 0, within: 1e-9}]\n",
        cases[c].diffusion, cases[c].method);
    start(MPI_COMM_WORLD, text, &whole);
    advance(&whole, 0.2);
    advance(&whole, 0.4);
    start(MPI_COMM_WORLD, text, &first);
    advance(&first, 0.2);
    start(MPI_COMM_WORLD, text, &second);
    save_and_load(&first, &second);
    advance(&second, 0.4);
    for (int f = 0; f < 2; f++) {
      size_t count, same;
      double *a = values_of(&whole, f, &count), *b = values_of(&second, f, &same);
      assert_int_equal(count, same);
      if (memcmp(a, b, count * sizeof *a) != 0)
        print_error("%s, diffusion %s, field %d\n", cases[c].method, cases[c].diffusion, f);
      assert_memory_equal(a, b, count * sizeof *a);
      free(a);
      free(b);
    }
    const double balance = ask(&whole, "balance", "v"), again = ask(&second, "balance", "v");
    assert_memory_equal(&balance, &again, sizeof balance);
    finish(&whole);
    finish(&first);
    finish(&second);
  }
}

/* ---- wrong decks ---- */

static void mistakes_are_named(void **state) {
  (void)state;
  expect_errors(
      "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 9}}\n"
      "species: {u: {diffusion: 1, reaction: 1 - u*w, initial: 0}, v: {diffusion: 0, initial: 1}}\n"
      "initial: {u: 1, q: 3}\nvelocity: {y: 1}\n"
      "boundary: {x_min: {type: value, value: 1}, x_max: {v: {type: convection, coefficient: 1}}, y_max: "
      "{type: symmetry}}\n"
      "time: {end: 1}\n",
      8,
      (const char *const[]){"unknown name 'w': did you mean v?", "species.u.initial: is given twice",
                            "there is no species 'q'", "velocity.y: is no axis of the mesh",
                            "boundary.x_min: there are several species", "v is immobile",
                            "type convection needs ambient", "boundary.y_max: does not exist"});
  expect_errors(
      "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 9}}\n"
      "species: {u: {diffusion: 1, reaction: u, initial: 0}, v: {diffusion: {u: 1}}}\n"
      "boundary: {x_min: {u: {type: value, value: 1 + x}}, x_max: {u: {type: flux}, w: {type: symmetry}}}\n"
      "exact: {u: abs(x)}\nmanufactured: true\ntime: {end: 1}\n",
      6,
      (const char *const[]){"species.u.initial: comes from exact", "species.v.diffusion: needs v",
                            "boundary.x_min.u.value: comes from exact",
                            "boundary.x_max.w: there is no species 'w'", "exact.u: must be smooth",
                            "manufactured: needs exact.v"});
  expect_errors(
      "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 9}, y: {from: 0, to: 1, cells: 9}}\n"
      "species: {u: {diffusion: 1}, v: {diffusion: 1, reaction: 1 - u}}\n"
      "boundary:\n"
      "  x_min: [{where: y < 0.5, u: {type: flux, value: 0, electrons: 1}}, {where: y < 0.7, type: "
      "symmetry}, {u: {type: flux, value: 1}}]\n"
      "  x_max: {v: [{type: flux, value: 1}, {where: y, type: symmetry}]}\n"
      "time: {method: steady}\n",
      4,
      (const char *const[]){"electrons must be the same (1)", "boundary.x_max.v[0]: where is missing",
                            "boundary.x_max.v[1].where: the last part has none",
                            "nothing fixes the level of u"});
}

static void quantities_are_checked(void **state) {
  (void)state;
  if (rank_of(MPI_COMM_WORLD) != 0) return;
  static const struct {
    const char *kind, *argument, *dimension; /* NULL: not defined */
  } queries[] = {
      {"flux", "x_max:u", "mol/s"},   {"flux", "x_max", NULL},      {"flux", "y_min:u", NULL},
      {"current", "x_max", "A"},      {"current", "x_max:v", NULL}, {"error", "l2:u", NULL},
      {"balance", "u", NULL},         {"balance", "v", "1"},        {"mean", "u", "mol/m^3"},
      {"integral", "v", "mol"},       {"probe", "end", "mol/m^3"},  {"mean_flux", "x_max:v", "mol/(m^2 s)"},
      {"wavelength", "u", "m"},       {"spots", "u", NULL},         {"growth", "u", NULL},
      {"variance", "v", "mol^2/m^6"}, {"absorbed", "x_max", NULL}};
  InkDeck *deck =
      make_deck(MPI_COMM_SELF, "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: "
                               "9}, y: {from: 0, to: 1, cells: 9}, z: {from: "
                               "0, to: 1, cells: 9}}\n"
                               "species: {u: {diffusion: 1, unit: mol/L, reaction: \"-2[1/s]*u\", initial: "
                               "1}, v: {diffusion: 1, initial: 2 mmol/L}}\n"
                               "boundary: {y_min: {type: periodic}, y_max: {type: periodic}, "
                               "x_max: {u: {type: value, value: 0, electrons: "
                               "1}}}\n"
                               "probes: {end: {field: v, at: [1, 0, 0]}}\ntime: {end: 1}\n");
  for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
    const InkQuery query = {queries[i].kind, queries[i].argument, NULL};
    char message[256] = "", text[64];
    InkDim dim;
    const bool defined = solver->defined(deck, &query, &dim, message, sizeof message);
    if (defined != (queries[i].dimension != NULL)) print_error("%s:%s\n", query.kind, query.argument);
    assert_int_equal(defined, queries[i].dimension != NULL);
    assert_int_equal(message[0] != '\0', !defined);
    if (!defined) continue;
    ink_dim_print(&dim, text, sizeof text);
    assert_string_equal(text, queries[i].dimension);
  }
  ink_deck_destroy(&deck);
}

/* What a run must not do ends in words that name the field. */
static void failures_name_the_field(void **state) {
  (void)state;
  InkFailure failure = {0};
  InkProgress progress = {0};
  void *self = NULL;
  Run run;
  InkDeck *deck = make_deck(MPI_COMM_WORLD,
                            "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 9}}\n"
                            "species: {u: {diffusion: 1, initial: 1}, v: {diffusion: 1, initial: x - 0.5}}\n"
                            "time: {end: 1, positive: true}\n");
  assert_int_equal(solver->create(MPI_COMM_WORLD, deck, &self, &failure), 0);
  assert_int_equal(failure.code, INK_NUMERICAL);
  assert_non_null(strstr(failure.message, "v: time.positive is true, but species.v.initial goes down to"));
  assert_null(self);
  ink_deck_destroy(&deck);
  start(MPI_COMM_WORLD,
        "solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 9}}\n"
        "species: {u: {diffusion: 1, initial: 1}, v: {diffusion: 0, reaction: v^2, initial: 1}}\n"
        "time: {end: 2, method: implicit}\n",
        &run);
  assert_int_equal(solver->advance(run.self, 2.0, NULL, &progress), 0);
  assert_int_equal(progress.failure.code, INK_NUMERICAL);
  if (!strstr(progress.failure.message, "v")) print_error("%s\n", progress.failure.message);
  assert_true(progress.now < 1.01);
  finish(&run);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(manufactured_solutions_converge),
                                     cmocka_unit_test(what_reacts_is_conserved),
                                     cmocka_unit_test(strangers_do_not_meet),
                                     cmocka_unit_test(currents_count_electrons),
                                     cmocka_unit_test(immobile_species_only_react),
                                     cmocka_unit_test(restarts_give_the_same_bits),
                                     cmocka_unit_test(mistakes_are_named),
                                     cmocka_unit_test(quantities_are_checked),
                                     cmocka_unit_test(failures_name_the_field)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
