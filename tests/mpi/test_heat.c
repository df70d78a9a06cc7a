/* The heat solver from deck to numbers: convergence to a manufactured solution, exact steady states, restarts
 * that give the same bits, and every mistake of a deck named at once. */
#include "heat_bench.h"

/* ---- order ---- */

static double error_of(const char *deck, int cells, double end) {
  char text[2048];
  Run run;
  snprintf(text, sizeof text, deck, cells, cells);
  start(MPI_COMM_WORLD, text, &run);
  advance(&run, end);
  const double error = ask(&run, "error", "l2:T");
  finish(&run);
  return error;
}

static void manufactured_solutions_converge(void **state) {
  (void)state;
  static const char *const decks[] = {
      /* a conductivity of place and temperature, values, fluxes and convection */
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: %d}, y: {from: 0, to: 1, cells: %d}}\n"
      "material: {conductivity: \"(1 + x)*(1 + 0.1*T)\", density: 2, heat_capacity: 1 + y}\n"
      "exact: {T: \"2 + exp(-t)*sin(2*x)*cos(3*y) + x*y\"}\nmanufactured: true\n"
      "boundary: {x_max: {type: flux}, y_min: {type: convection, coefficient: 3}}\n"
      "time: {method: implicit, end: 0.1, tolerance: 1e-8}\n",
      /* the same with a side in parts and a capacity in regions */
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: %d}, y: {from: 0, to: 1, cells: %d}}\n"
      "material: {conductivity: \"(1 + x)*(1 + 0.1*T)\", density: 2, heat_capacity: 1 + y, "
      "regions: [{where: \"x < 0.5\", density: 3}]}\n"
      "exact: {T: \"2 + exp(-t)*sin(2*x)*cos(3*y) + x*y\"}\nmanufactured: true\n"
      "boundary: {x_max: [{where: \"y < 0.5\", type: flux}, {type: convection, coefficient: 3}]}\n"
      "time: {method: implicit, end: 0.1, tolerance: 1e-8}\n",
      /* cylindrical, with its axis, explicit */
      "solver: heat\nmesh: {coordinates: cylindrical, r: {from: 0, to: 1, cells: %d, grading: 1.0}}\n"
      "material: {diffusivity: 1 + r^2}\nexact: {T: \"exp(-t)*cos(3*r^2)\"}\nmanufactured: true\n"
      "seed: %d\ntime: {method: explicit, end: 0.1}\n",
      /* axisymmetric, with its axis, sides of every type */
      "solver: heat\nmesh: {coordinates: axisymmetric, r: {from: 0, to: 1, cells: %d}, z: {from: 1, to: 2, "
      "cells: %d}}\n"
      "material: {conductivity: \"(1 + z*r^2)*(1 + 0.1*T)\", density: 2, heat_capacity: 1 + z}\n"
      "exact: {T: \"2 + exp(-t)*cos(2*r^2)*sin(2*z)\"}\nmanufactured: true\n"
      "boundary: {r_max: {type: convection, coefficient: 3}, z_min: {type: flux}}\n"
      "time: {method: implicit, end: 0.1, tolerance: 1e-8}\n"};
  for (size_t d = 0; d < sizeof decks / sizeof *decks; d++) {
    const double coarse = error_of(decks[d], 16, 0.1), fine = error_of(decks[d], 32, 0.1);
    const double order = log2(coarse / fine);
    if (!(order >= 1.95)) print_error("deck %zu: errors %g, %g, order %g\n", d, coarse, fine, order);
    assert_true(order >= 1.95 && fine < 1e-2);
  }
}

/* ---- exact steady states ---- */

static const char *const layers =
    "solver: heat\nmesh: {x: {from: 0, to: 0.35, cells: 35}}\n"
    "material: {conductivity: \"if(x < 0.1, 0.8, if(x < 0.15, 0.04, 1.5))\"}\n"
    "boundary: {x_min: {type: value, value: 20 degC}, x_max: {type: value, value: -10 degC}}\n"
    "time: {method: steady}\n";
static const char *const kirchhoff =
    "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 40}}\n"
    "material: {conductivity: 1 + 0.01*T}\n"
    "boundary: {x_min: {type: value, value: 100}, x_max: {type: value, value: 0}}\n"
    "time: {method: steady}\n";
static const char *const radiator = "solver: heat\nmesh: {x: {from: 0, to: 0.05, cells: 10}}\n"
                                    "material: {conductivity: 20}\ninitial: {T: 600}\n"
                                    "boundary: {x_min: {type: value, value: 800}, "
                                    "x_max: {type: radiation, emissivity: 0.6, ambient: 280}}\n"
                                    "time: {method: steady}\nprobes: {end: {at: [0.05]}}\n";

static void steady_states_are_exact(void **state) {
  (void)state;
  Run run;
  start(MPI_COMM_WORLD, layers, &run);
  advance(&run, 1.0);
  close_to(ask(&run, "flux", "x_max"), 19.8895027624309, 1e-10);
  close_to(ask(&run, "mean_flux", "x_min"), -19.8895027624309, 1e-10);
  assert_true(fabs(ask(&run, "balance", "T")) < 1e-10);
  finish(&run);
  start(MPI_COMM_WORLD, kirchhoff, &run);
  advance(&run, 1.0);
  close_to(ask(&run, "flux", "x_max"), 150.0, 1e-10);
  finish(&run);
  start(MPI_COMM_WORLD, radiator, &run);
  advance(&run, 1.0);
  close_to(ask(&run, "probe", "end"), 770.539308793981, 1e-10);
  finish(&run);
}

/* ---- restart ---- */

static void restarts_give_the_same_bits(void **state) {
  (void)state;
  static const char *const deck =
      "solver: heat\nseed: 7\nmesh: {x: {from: 0, to: 1, cells: 14, grading: 1.1}, y: {from: 0, to: 2, "
      "cells: 11}}\n"
      "material: {conductivity: 1 + x, density: 2, heat_capacity: 1}\nsource: sin(t)*T\n"
      "initial: {T: 3 + noise(0)}\n"
      "boundary: {x_min: {type: value, value: 1 + t}, y_max: {type: convection, coefficient: 2, ambient: "
      "5}}\n"
      "time: {method: %s, end: 0.4}\n";
  static const char *const methods[] = {"explicit", "implicit"};
  for (int m = 0; m < 2; m++) {
    char text[2048], path[64] = "/tmp/inkdrop_restart_XXXXXX";
    InkFailure failure = {0};
    InkStore *store = NULL;
    Run whole, first, second;
    size_t bytes, same;
    snprintf(text, sizeof text, deck, methods[m]);
    if (rank_of(MPI_COMM_WORLD) == 0) close(mkstemp(path));
    assert_int_equal(MPI_Bcast(path, (int)sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD), 0);
    start(MPI_COMM_WORLD, text, &whole);
    advance(&whole, 0.2);
    advance(&whole, 0.4);
    start(MPI_COMM_WORLD, text, &first);
    advance(&first, 0.2);
    assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, false, &store), 0);
    assert_int_equal(ink_heat.save(first.self, store), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    assert_int_equal(failure.code, 0);
    finish(&first);
    start(MPI_COMM_WORLD, text, &second);
    assert_int_equal(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure), 0);
    assert_non_null(store);
    assert_int_equal(ink_heat.load(second.self, store), 0);
    assert_int_equal(ink_store_close(&store), 0);
    advance(&second, 0.4);
    double *a = field_of(&whole, &bytes), *b = field_of(&second, &same);
    assert_int_equal(bytes, same);
    assert_memory_equal(a, b, bytes);
    const double balance = ask(&whole, "balance", "T"), again = ask(&second, "balance", "T");
    assert_memory_equal(&balance, &again, sizeof balance);
    assert_true(fabs(balance) < 1e-7);
    free(a);
    free(b);
    finish(&whole);
    finish(&second);
    if (rank_of(MPI_COMM_WORLD) == 0) unlink(path);
  }
}

/* ---- wrong decks ---- */

static void mistakes_are_named(void **state) {
  (void)state;
  expect_errors(
      "solver: heat\nmesh: {coordinates: spherical, r: {from: 0, to: 1, cells: 9}}\n"
      "material: {conductivity: 1, density: 1, heat_capacity: 1}\n"
      "boundary: {r_min: {type: value, value: 1}, x_max: {type: symmetry}, r_max: {type: convection}}\n"
      "time: {end: 1}\n",
      5,
      (const char *const[]){"boundary.r_min: does not exist: r.from is 0", "boundary.x_max: does not exist",
                            "type convection needs coefficient", "type convection needs ambient",
                            "initial.T is missing"});
  expect_errors(
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\nmaterial: {diffusivity: 1, density: 3}\n"
      "initial: {T: 1, u: 2}\ntime: {end: 1}\n",
      2, (const char *const[]){"contradicts material.diffusivity", "heat has one field, T"});
  expect_errors(
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\nmaterial: {conductivity: 1}\n"
      "initial: {T: 0}\ntime: {end: 1}\nboundary: {x_max: {type: radiation, emissivity: 1, ambient: 3}}\n",
      3,
      (const char *const[]){"density is missing", "heat_capacity is missing",
                            "radiation at x_max needs temperatures above 0 K"});
  expect_errors(
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\nmaterial: {conductivity: 1}\nsource: 1\n"
      "boundary: {x_max: {type: flux, value: 1}}\ntime: {method: steady}\n",
      1, (const char *const[]){"no side fixes the level of T"});
  expect_errors("solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\nmaterial: {diffusivity: 1}\nsource: 1\n"
                "initial: {T: 1}\nexact: {T: abs(x)}\nmanufactured: true\n"
                "boundary: {x_max: {type: flux, value: 1}}\ntime: {end: 1}\n",
                4,
                (const char *const[]){"exact.T: must be smooth", "source: comes from exact",
                                      "initial.T: comes from exact",
                                      "boundary.x_max.value: comes from exact"});
}

static void quantities_are_checked(void **state) {
  (void)state;
  if (rank_of(MPI_COMM_WORLD) != 0) return;
  static const struct {
    const char *kind, *argument;
    bool defined;
  } queries[] = {{"flux", "x_max", true},     {"flux", "y_min", false},    {"flux", "x_mux", false},
                 {"error", "l2:T", false},    {"balance", "T", false},     {"mean", "T", true},
                 {"integral", "u", false},    {"probe", "nowhere", false}, {"growth", "", false},
                 {"front", "position", false}};
  InkDeck *deck =
      make_deck(MPI_COMM_SELF, "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}, y: {from: 0, to: 1, "
                               "cells: 9}}\nmaterial: {conductivity: 1, density: 1 + t, heat_capacity: 1}\n"
                               "initial: {T: 20 degC}\nboundary: {y_min: {type: periodic}, y_max: {type: "
                               "periodic}}\ntime: {end: 1}\n");
  for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
    const InkQuery query = {queries[i].kind, queries[i].argument, NULL};
    char message[256] = "";
    InkDim dim;
    assert_int_equal(ink_heat.defined(deck, &query, &dim, message, sizeof message), queries[i].defined);
    assert_int_equal(message[0] != '\0', !queries[i].defined);
  }
  ink_deck_destroy(&deck);
}

/* What cannot be seen before the mesh is there ends in a failure, not a crash. */
static void bad_initial_values_fail(void **state) {
  (void)state;
  InkFailure failure = {0};
  void *self = NULL;
  InkDeck *deck =
      make_deck(MPI_COMM_WORLD, "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\n"
                                "material: {diffusivity: 1}\ninitial: {T: log(x - 0.5)}\ntime: {end: 1}\n");
  assert_int_equal(ink_heat.create(MPI_COMM_WORLD, deck, &self, &failure), 0);
  assert_int_equal(failure.code, INK_NUMERICAL);
  assert_non_null(strstr(failure.message, "cell (0)"));
  assert_null(self);
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(manufactured_solutions_converge), cmocka_unit_test(steady_states_are_exact),
      cmocka_unit_test(restarts_give_the_same_bits),     cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(quantities_are_checked),          cmocka_unit_test(bad_initial_values_fail)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
