/* The heat solver's materials in regions and sides in parts: the same as conditions written out, exact in
 * series, mirrored with their mirror image, and every mistake named. */
#include "heat_bench.h"

/* ---- regions ---- */

/* The same bits as the same properties written with if(), which the first true region is. */
static void regions_are_conditions(void **state) {
  (void)state;
  static const char *const written[] = {
      "conductivity: \"if(x < 0.1, 0.8, if(x < 0.15, 0.04, 1.5 + 0.01*T))\", "
      "density: \"if(x < 0.1, 1800, if(x < 0.15, 30, 2400))\", heat_capacity: \"if(x < 0.1, 900, 1000)\"",
      "conductivity: 1.5 + 0.01*T, density: 2400, heat_capacity: 1000, regions: [{where: \"x < 0.1\", "
      "conductivity: 0.8, density: 1800, heat_capacity: 900}, "
      "{where: \"x < 0.15\", conductivity: 0.04, density: 30}]"};
  double *field[2];
  size_t bytes[2];
  for (int i = 0; i < 2; i++) {
    char text[2048];
    Run run;
    snprintf(text, sizeof text,
             "solver: heat\nmesh: {x: {from: 0, to: 0.35, cells: 35}, y: {from: 0, to: 1, cells: 6}}\n"
             "material: {%s}\ninitial: {T: 300 + y}\n"
             "boundary: {x_min: {type: convection, coefficient: 8, ambient: 320}}\n"
             "time: {method: implicit, end: 3600}\n",
             written[i]);
    start(MPI_COMM_WORLD, text, &run);
    advance(&run, 3600.0);
    assert_true(fabs(ask(&run, "balance", "T")) < 1e-6);
    field[i] = field_of(&run, &bytes[i]);
    finish(&run);
  }
  assert_int_equal(bytes[0], bytes[1]);
  assert_memory_equal(field[0], field[1], bytes[0]);
  free(field[0]);
  free(field[1]);
}

/* Resistances in series: 30 K over 0.1/0.8 + 0.05/0.04 + 0.2/1.5. All regions give the conductivity, so the
 * material itself need not. */
static void regions_in_series_are_exact(void **state) {
  (void)state;
  Run run;
  start(MPI_COMM_WORLD,
        "solver: heat\nmesh: {x: {from: 0, to: 0.35, cells: 35}}\n"
        "material: {regions: [{where: \"x < 0.1\", conductivity: 0.8}, "
        "{where: \"x < 0.15\", conductivity: 0.04}, {where: \"x > 0.05\", conductivity: 1.5}]}\n"
        "boundary: {x_min: {type: value, value: 20 degC}, x_max: {type: value, value: -10 degC}}\n"
        "time: {method: steady}\n",
        &run);
  advance(&run, 1.0);
  close_to(ask(&run, "flux", "x_max"), 30.0 / (0.1 / 0.8 + 0.05 / 0.04 + 0.2 / 1.5), 1e-10);
  assert_true(fabs(ask(&run, "balance", "T")) < 1e-10);
  finish(&run);
}

/* A cell in no region, where the material has no conductivity of its own. */
static void cells_without_property_are_named(void **state) {
  (void)state;
  Run run;
  InkFailure failure = {0};
  InkProgress progress = {0};
  run.deck =
      make_deck(MPI_COMM_WORLD, "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 8}}\nmaterial: {density: 1, "
                                "heat_capacity: 1, regions: [{where: \"x < 0.7\", conductivity: 1}]}\n"
                                "initial: {T: x}\ntime: {end: 1}\n");
  assert_int_equal(ink_heat.create(MPI_COMM_WORLD, run.deck, &run.self, &failure), 0);
  if (!failure.code) {
    assert_int_equal(ink_heat.advance(run.self, 1.0, NULL, &progress), 0);
    failure = progress.failure;
    assert_int_equal(ink_heat.destroy(&run.self), 0);
  }
  assert_int_equal(failure.code, INK_NUMERICAL);
  if (!strstr(failure.message, "cell (6)")) print_error("%s\n", failure.message);
  assert_non_null(strstr(failure.message, "cell (6)"));
  assert_non_null(strstr(failure.message, "conductivity"));
  ink_deck_destroy(&run.deck);
}

/* With a diffusivity in a region alone, fluxes are of temperature; where a capacity there depends on t, heat
 * has no content. */
static void regions_give_units_and_contents(void **state) {
  (void)state;
  if (rank_of(MPI_COMM_WORLD) != 0) return;
#define HEAD "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\ninitial: {T: 20 degC}\ntime: {end: 1}\n"
  const InkQuery flux = {"flux", "x_max", NULL}, balance = {"balance", "T", NULL};
  char message[256] = "";
  const InkDim temperature = ink_dim_of("K m/s");
  InkDim dim;
  InkDeck *deck = make_deck(MPI_COMM_SELF, HEAD "material: {regions: [{where: \"x < 2\", diffusivity: 1}]}\n"
                                                "boundary: {x_max: {type: flux, value: 2 K m/s}}\n");
  assert_true(ink_heat.defined(deck, &flux, &dim, message, sizeof message));
  assert_true(ink_dim_equal(&dim, &temperature));
  assert_true(ink_heat.defined(deck, &balance, &dim, message, sizeof message));
  ink_deck_destroy(&deck);
  deck = make_deck(MPI_COMM_SELF, HEAD "material: {conductivity: 1, density: 1, heat_capacity: 1, regions: "
                                       "[{where: \"x < 0.5\", heat_capacity: 1 + t}]}\n");
  assert_false(ink_heat.defined(deck, &balance, &dim, message, sizeof message));
  assert_non_null(strstr(message, "material.regions[0].heat_capacity depends on t"));
  ink_deck_destroy(&deck);
#undef HEAD
}

/* ---- parts of a side ---- */

static const char *const plate =
    "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 12}, y: {from: 0, to: 2, cells: 10}}\n"
    "material: {conductivity: 2, density: 3, heat_capacity: 4}\ninitial: {T: 300}\n"
    "boundary: {x_min: %s, x_max: %s}\ntime: {%s}\n"
    "probes: {low: {at: [0.8, 0.3]}, high: {at: [0.8, 1.7]}}\n";

static void run_plate(const char *x_min, const char *x_max, const char *time, double until, Run *run) {
  char text[2048];
  snprintf(text, sizeof text, plate, x_min, x_max, time);
  start(MPI_COMM_WORLD, text, run);
  advance(run, until);
}

static void parts_mirror_and_keep_heat(void **state) {
  (void)state;
  static const char *const cold = "{type: value, value: 300}", *const steady = "method: steady";
  Run a, b;
  /* Mirrored parts give mirrored states; what enters leaves. */
  run_plate(cold,
            "[{where: \"y < 0.6\", type: flux, value: 50}, {type: convection, coefficient: 3, ambient: "
            "310}]",
            steady, 1.0, &a);
  run_plate(cold,
            "[{where: \"y < 1.4\", type: convection, coefficient: 3, ambient: 310}, {type: flux, value: "
            "50}]",
            steady, 1.0, &b);
  close_to(ask(&a, "probe", "low"), ask(&b, "probe", "high"), 1e-11);
  close_to(ask(&a, "probe", "high"), ask(&b, "probe", "low"), 1e-11);
  assert_true(ask(&a, "probe", "low") > ask(&a, "probe", "high") + 1.0);
  close_to(ask(&a, "flux", "x_min"), -ask(&a, "flux", "x_max"), 1e-9);
  finish(&a);
  finish(&b);
  /* Of three parts the first that is true holds: 50*0.6 + 20*0.4 + 0. */
  run_plate(cold,
            "[{where: \"y < 0.6\", type: flux, value: 50}, {where: \"y < 1\", type: flux, value: 20}, "
            "{type: symmetry}]",
            steady, 1.0, &a);
  close_to(ask(&a, "flux", "x_max"), -38.0, 1e-12);
  close_to(ask(&a, "mean", "T"), 300.0 + 38.0 / 2.0 / 2.0 * 0.5, 1e-11); /* + q/(k Ly) times the mean of x */
  finish(&a);
}

static void parts_follow_time_and_radiate(void **state) {
  (void)state;
  Run run;
  run_plate("[{where: \"t < 0.5\", type: flux, value: 24}, {type: symmetry}]", "{type: symmetry}",
            "method: explicit, end: 1, dt: 0.015625", 1.0, &run);     /* 2^-6: steps meet t = 0.5 exactly */
  close_to(ask(&run, "mean", "T"), 300.0 + 24.0 * 0.5 / 12.0, 1e-12); /* over the width of 1 m */
  finish(&run);
  run_plate("[{where: \"y > 1\", type: radiation, emissivity: 0.8, ambient: 600}, {type: symmetry}]",
            "[{where: \"y > 1\", type: convection, coefficient: 5, ambient: 250}, {type: value, value: 310}]",
            "method: implicit, end: 5", 5.0, &run);
  assert_true(fabs(ask(&run, "balance", "T")) < 1e-7);
  const double hottest = 0.8 * 5.670374419e-8 * (pow(600.0, 4) - pow(300.0, 4)),
               in = -ask(&run, "flux", "x_min");
  assert_true(in > 10.0 && in < hottest); /* through 1 m of the side */
  finish(&run);
}

/* ---- wrong decks ---- */

static void mistakes_of_regions_and_parts_are_named(void **state) {
  (void)state;
#define HEAD "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\ninitial: {T: 0}\ntime: {end: 1}\n"
  expect_errors(HEAD "material: {conductivity: 1, density: 1, heat_capacity: 1, regions: [{where: \"x < "
                     "0.5\", diffusivity: 1, density: 3}]}\n",
                4,
                (const char *const[]){"material.conductivity: contradicts material.regions[0].diffusivity",
                                      "material.density: contradicts", "material.heat_capacity: contradicts",
                                      "material.regions[0].density: contradicts"});
  expect_errors(HEAD "material: {density: 1, regions: [{where: \"x < 0.5\", conductivity: 1}, {where: "
                     "\"x < 0.6\", density: 2}]}\n",
                2,
                (const char *const[]){"material.regions[1]: conductivity is missing",
                                      "material: heat_capacity is missing"});
  expect_errors(
      HEAD "material: {diffusivity: 1, regions: [{diffusivity: 2}, {where: \"t < 1\"}]}\n", 2,
      (const char *const[]){"material.regions[0].where: is required", "material.regions[1].where: "});
  expect_errors(HEAD "material: {conductivity: 1, density: 1, heat_capacity: 1}\n"
                     "boundary: {x_max: [{type: value}, {where: \"t < 1\", type: radiation, emissivity: 1, "
                     "ambient: -5}, {where: \"t < 2\", type: symmetry}], x_min: [{type: periodic}]}\n",
                6,
                (const char *const[]){
                    "boundary.x_max[0]: where is missing", "boundary.x_max[0]: type value needs value",
                    "boundary.x_max[1].ambient: radiation needs kelvin",
                    "radiation at x_max[1] needs temperatures above 0 K",
                    "boundary.x_max[2].where: the last part has none", "boundary.x_min[0].type: "});
  expect_errors(
      HEAD "material: {regions: [{where: \"x < 0.5\", diffusivity: 1}]}\nexact: {T: x}\n"
           "manufactured: true\nboundary: {x_max: [{where: \"t < 1\", type: radiation, emissivity: 1, "
           "ambient: 5}, {type: flux, value: 1}]}\n",
      5,
      (const char *const[]){"material.regions[0].diffusivity: cannot be manufactured",
                            "boundary.x_max[0]: radiation cannot be manufactured",
                            "boundary.x_max[1].value: comes from exact",
                            "initial.T: radiation at x_max[0] needs", "initial.T: comes from exact"});
#undef HEAD
  /* One part that fixes the level is enough. */
  static const char *const steady =
      "solver: heat\nmesh: {x: {from: 0, to: 1, cells: 9}}\nmaterial: "
      "{conductivity: 1}\ntime: {method: steady}\n"
      "boundary: {x_max: [{where: \"t < 1\", type: flux, value: 1}, {type: %s}]}\n";
  char text[512];
  snprintf(text, sizeof text, steady, "value, value: 1");
  expect_errors(text, 0, NULL);
  snprintf(text, sizeof text, steady, "symmetry");
  expect_errors(text, 1, (const char *const[]){"no side fixes the level of T"});
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(regions_are_conditions),
                                     cmocka_unit_test(regions_in_series_are_exact),
                                     cmocka_unit_test(regions_give_units_and_contents),
                                     cmocka_unit_test(cells_without_property_are_named),
                                     cmocka_unit_test(parts_mirror_and_keep_heat),
                                     cmocka_unit_test(parts_follow_time_and_radiate),
                                     cmocka_unit_test(mistakes_of_regions_and_parts_are_named)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return PetscFinalize() || failed;
}
