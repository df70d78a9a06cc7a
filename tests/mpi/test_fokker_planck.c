/* The Fokker-Planck solver from deck to numbers: mass to round-off, the duality of density and hitting
 * probability, orders of accuracy against exact solutions, restarts that give the same bits. */
#include "../../solvers/core/mesh.h"
#include "../../solvers/fokker_planck/fokker_planck.h"

static const InkSolverType *const solver = &ink_fokker_planck;
#include "solver_bench.h"

static double absolute(double value, double expect) { return fabs(value - expect); }

static void close_to(double value, double expect, double relative) {
  if (!(fabs(value - expect) <= relative * fabs(expect)))
    print_error("got %.17g, expected %.17g\n", value, expect);
  assert_true(fabs(value - expect) <= relative * fabs(expect));
}

/* A run to `until`, and one quantity. */
static double value_of(MPI_Comm comm, const char *text, double until, const char *kind,
                       const char *argument) {
  Run run;
  start(comm, text, &run);
  advance(&run, until);
  const double value = ask(&run, kind, argument);
  finish(&run);
  return value;
}

/* ---- mass and duality ---- */

/* A plane with a side of every kind, resolved by its cells (else densities are mended and no longer dual to
 * the backward equations); the starting point is a centroid. */
static const char plane[] = "solver: fokker_planck\n%s"
                            "model:\n"
                            "  state: {x: {from: 0, to: 1, cells: 12}, v: {from: -1, to: 1, cells: 10}}\n"
                            "  drift: {x: 0.1*v, v: -0.1*x - 0.04*v}\n"
                            "  diffusion: {x: 0.1, v: 0.3, xv: 0.08}\n"
                            "  boundary: {x_min: absorbing, x_max: absorbing, v_max: absorbing}\n"
                            "probes: {start: {at: [0.375, 0.1]}}\n";

/* The same in one dimension. */
static const char line[] = "solver: fokker_planck\n%s"
                           "model: {state: {x: {from: 0, to: 1, cells: 20}}, drift: {x: 0.35 - 0.7*x}, "
                           "diffusion: {x: 0.1 + 0.05*x}, boundary: {x_min: absorbing, x_max: absorbing}}\n"
                           "probes: {start: {at: [0.375]}}\n";

/* What each side has absorbed in the end is its hitting probability at the start: one chain and its
 * transpose. */
static void check_absorbed(const char *deck, const char *point, const char *method, int sides,
                           const char *const side[], double within) {
  char head[300], text[2000];
  Run run;
  double total = 0;
  snprintf(head, sizeof head, "initial: {point: %s}\ntime: {end: 200, method: %s, tolerance: 1e-4}\n", point,
           method);
  snprintf(text, sizeof text, deck, head);
  start(MPI_COMM_WORLD, text, &run);
  for (double t = 0.1; t < 1; t += 0.3) {
    advance(&run, t);
    double mass = ask(&run, "integral", "p");
    for (int s = 0; s < sides; s++) mass += ask(&run, "absorbed", side[s]);
    assert_true(absolute(mass, 1) < 1e-13 && ask(&run, "min", "p") >= 0);
  }
  for (double t = 10; t <= 200; t += 10) advance(&run, t);
  assert_true(ask(&run, "integral", "p") < 1e-12);
  for (int s = 0; s < sides; s++) {
    snprintf(head, sizeof head, "equation: hitting_probability\ntarget: %s\n", side[s]);
    snprintf(text, sizeof text, deck, head);
    const double u = value_of(MPI_COMM_WORLD, text, 1, "probe", "start");
    close_to(ask(&run, "absorbed", side[s]), u, within);
    total += u;
  }
  close_to(total, 1, 1e-13);
  finish(&run);
}

static void absorbed_is_the_hitting_probability(void **state) {
  (void)state;
  static const char *const side[] = {"x_min", "x_max", "v_max"};
  check_absorbed(line, "[0.375]", "explicit", 2, side, 2e-12);
  check_absorbed(line, "[0.375]", "implicit", 2, side, 1e-10);
  check_absorbed(plane, "[0.375, 0.1]", "explicit", 3, side, 1e-11);
  /* linear systems of more than one axis are solved to a part of the tolerance only */
  check_absorbed(plane, "[0.375, 0.1]", "implicit", 3, side, 1e-7);
}

/* E[T] = sum over the sides of P[side] E[T | side]. */
static void mean_times_add_up(void **state) {
  (void)state;
  static const char *const sides[] = {"x_min", "x_max", "v_max"};
  char head[300], text[2000];
  double sum = 0;
  snprintf(text, sizeof text, plane, "equation: first_passage\n");
  const double all = value_of(MPI_COMM_WORLD, text, 1, "probe", "start");
  for (int s = 0; s < 3; s++) {
    snprintf(head, sizeof head, "equation: hitting_probability\ntarget: %s\n", sides[s]);
    snprintf(text, sizeof text, plane, head);
    const double u = value_of(MPI_COMM_WORLD, text, 1, "probe", "start");
    snprintf(head, sizeof head, "equation: first_passage\ntarget: %s\n", sides[s]);
    snprintf(text, sizeof text, plane, head);
    sum += u * value_of(MPI_COMM_WORLD, text, 1, "probe", "start");
  }
  close_to(sum, all, 1e-12);
}

/* ---- accuracy ---- */

static double order_of(const char *format, double until, const char *kind, const char *argument,
                       double expect, double *fine) {
  double error[2];
  for (int level = 0; level < 2; level++) {
    char text[2000];
    snprintf(text, sizeof text, format, 40 << level);
    error[level] = absolute(value_of(MPI_COMM_WORLD, text, until, kind, argument), expect);
  }
  *fine = error[1];
  if (!(log2(error[0] / error[1]) >= 1.9)) print_error("errors %g, %g\n", error[0], error[1]);
  return log2(error[0] / error[1]);
}

static void exact_solutions_are_met_to_second_order(void **state) {
  (void)state;
  double error;
  /* Gaussian stays Gaussian in a linear drift */
  assert_true(order_of("solver: fokker_planck\nmodel: {state: {x: {from: -5, to: 5, cells: %d}}, drift: {x: "
                       "-x}, diffusion: {x: 0.5}}\n"
                       "initial: {density: 'exp(-2*(x - 1)^2)'}\ntime: {end: 0.5, method: implicit, "
                       "tolerance: 1e-8}\n"
                       "exact: {p: 'exp(-(x - exp(-t))^2/(1 - 0.5*exp(-2*t)))/sqrt(pi*(1 - "
                       "0.5*exp(-2*t)))'}\n",
                       0.5, "error", "l2:p", 0, &error) >= 1.9);
  assert_true(error < 1e-2);
  /* Brownian motion: x (1 - x)/(2 D), and with a target (1 - x^2)/(6 D) */
  assert_true(order_of("solver: fokker_planck\nequation: first_passage\nmodel: {state: {x: {from: 0, to: 1, "
                       "cells: %d}}, diffusion: {x: 0.25}, boundary: {x_min: absorbing, x_max: absorbing}}\n"
                       "exact: {tau: '2*x*(1 - x)'}\n",
                       1, "error", "max:tau", 0, &error) >= 1.9);
  assert_true(order_of("solver: fokker_planck\nequation: first_passage\ntarget: x_max\nmodel: {state: {x: "
                       "{from: 0, to: 1, cells: %d}}, diffusion: {x: 0.25}, boundary: {x_min: absorbing, "
                       "x_max: absorbing}}\nexact: {tau: '(1 - x^2)/1.5'}\n",
                       1, "error", "max:tau", 0, &error) >= 1.9);
  /* the slowest decay of Brownian motion between absorbing sides: D pi^2 */
  assert_true(order_of("solver: fokker_planck\nequation: spectrum\nmodes: 2\nmodel: {state: {x: {from: 0, "
                       "to: 1, cells: %d}}, diffusion: {x: 0.25}, boundary: {x_min: absorbing, x_max: "
                       "absorbing}}\n",
                       1, "eigenvalue", "1", 0.25 * M_PI * M_PI, &error) >= 1.9);
}

/* Weak friction: the limited flows go on changing p a little for hundreds of turns, and what they found is
 * kept. The chain's own density is wrong by a factor of 2. */
static void weak_friction_is_mended(void **state) {
  (void)state;
  static const char oscillator[] =
      "solver: fokker_planck\nequation: stationary\nmodel: {state: {x: {from: -6, to: 6, cells: 100}, v: "
      "{from: "
      "-6, to: 6, cells: 100}}, drift: {x: v, v: -x - 0.1*v}, diffusion: {v: 0.1}}\n";
  close_to(value_of(MPI_COMM_WORLD, oscillator, 1, "variance", "x"), 1, 1e-3);
  close_to(value_of(MPI_COMM_WORLD, oscillator, 1, "variance", "v"), 1, 1e-3);
}

/* Rates and frequencies stand in the log and in the names of the modes, with a unit where the deck has
 * units. */
static void rates_of_decay_are_told(void **state) {
  (void)state;
  static const char ring[] = "solver: fokker_planck\nequation: spectrum\nmodes: 3\nmodel: {state: {x: {from: "
                             "0, to: %s, cells: 64}}, drift: {x: %s}, diffusion: {x: %s}, boundary: "
                             "{x_min: periodic, x_max: periodic}}\n";
  char text[1000];
  for (int units = 0; units < 2; units++) {
    Run run;
    const InkField *fields;
    int count;
    InkProgress progress = {0};
    snprintf(text, sizeof text, ring, units ? "6.283185307179586 m" : "6.283185307179586",
             units ? "1.5 m/s" : "1.5", units ? "30 m^2/s" : "30");
    start(MPI_COMM_WORLD, text, &run);
    assert_int_equal(solver->advance(run.self, 1, NULL, &progress), 0);
    assert_int_equal(progress.failure.code, 0);
    const double rate = ask(&run, "eigenvalue", "2");
    assert_int_equal(solver->fields(run.self, &fields, &count), 0);
    snprintf(text, sizeof text, "mode 2 of the density, decay rate %.6g%s, angular frequency ", rate,
             units ? " 1/s" : "");
    assert_non_null(strstr(fields[1].long_name, text));
    assert_non_null(progress.note);
    assert_ptr_equal(strstr(progress.note, "decay rates of the modes: 1: "), progress.note);
    snprintf(text, sizeof text, "; 2: %.6g%s, angular frequency ", rate, units ? " 1/s" : "");
    assert_non_null(strstr(progress.note, text));
    finish(&run);
  }
}

/* Hitting probabilities of a drifted Brownian motion are exact at the centroids: the rates are. */
static void constant_drift_is_exact(void **state) {
  (void)state;
  const double error = value_of(MPI_COMM_WORLD,
                                "solver: fokker_planck\nequation: hitting_probability\ntarget: x_max\n"
                                "model: {state: {x: {from: 0, to: 1, cells: 15}}, drift: {x: 3}, diffusion: "
                                "{x: 0.5}, boundary: {x_min: absorbing, x_max: absorbing}}\n"
                                "exact: {u: '(1 - exp(-6*x))/(1 - exp(-6))'}\n",
                                1, "error", "max:u");
  assert_true(error < 1e-13);
}

/* The stationary law is where the density ends, on a ring with a current too: to round-off where the cells
 * resolve the process, else to what the limits of the second order differ by. */
static void density_ends_in_the_stationary_law(void **state) {
  (void)state;
  static const char ring[] =
      "solver: fokker_planck\n%s"
      "model: {state: {x: {from: 0, to: 6.283185307179586, cells: %d}}, drift: {x: 0.7 - sin(x)}, diffusion: "
      "{x: %s}, boundary: {x_min: periodic, x_max: periodic}}\nprobes: {a: {at: [1]}}\n";
  static const char *const diffusion[] = {"2 + 0.5*cos(x)", "0.6 + 0.1*cos(x)", "0.3 + 0.1*cos(x)"};
  static const int cells[] = {30, 120, 30};
  static const double end[] = {400, 120, 400}, within[] = {1e-11, 1e-11, 1e-4};
  for (int d = 0; d < 3; d++) {
    char text[2000];
    Run density, law;
    snprintf(text, sizeof text, ring, "initial: {point: [0.1]}\ntime: {end: 400, method: explicit}\n",
             cells[d], diffusion[d]);
    start(MPI_COMM_WORLD, text, &density);
    advance(&density, end[d]);
    snprintf(text, sizeof text, ring, "equation: stationary\n", cells[d], diffusion[d]);
    start(MPI_COMM_WORLD, text, &law);
    advance(&law, 1);
    close_to(ask(&law, "integral", "p"), 1, 1e-15);
    close_to(ask(&density, "probe", "a"), ask(&law, "probe", "a"), within[d]);
    if (d < 2) {
      close_to(ask(&density, "flux", "x_max"), ask(&law, "flux", "x_max"), 1e-9);
      close_to(ask(&law, "flux", "x_min"), -ask(&law, "flux", "x_max"), 1e-15);
    }
    finish(&density);
    finish(&law);
  }
}

/* A condition that cuts cells counts their parts: half a cell of a symmetric law, a disc of a round one. */
static void conditions_cut_cells(void **state) {
  (void)state;
  static const char *const decks[] = {
      "solver: fokker_planck\nequation: stationary\nmodel: {state: {x: {from: -5, to: 5, cells: 101}}, "
      "drift: "
      "{x: -x}, diffusion: {x: 0.5}}\nverify: [{quantity: probability, where: x > 0, expect: 1, within: "
      "1}]\n",
      "solver: fokker_planck\nmodel: {state: {x: {from: -5, to: 5, cells: 80}, y: {from: -5, to: 5, cells: "
      "90}}, diffusion: {x: 0.5, y: 0.5}}\ninitial: {density: exp(-x^2 - y^2)}\ntime: {end: 1}\n"
      "verify: [{quantity: probability, where: x^2 + y^2 < 1, expect: 1, within: 1}]\n"};
  const double exact[] = {0.5, 1 - exp(-1)}, within[] = {1e-13, 1e-3};
  for (int d = 0; d < 2; d++) {
    Run run;
    InkValue value = {0};
    start(MPI_COMM_WORLD, decks[d], &run);
    if (d == 0) advance(&run, 1);
    const InkQuery query = {"probability", "", ink_deck_node(run.deck, "verify[0]")};
    assert_int_equal(solver->quantity(run.self, &query, &value), 0);
    close_to(value.value, exact[d], within[d]);
    finish(&run);
  }
}

/* A point keeps its mean wherever it lies between centroids, across the seam of a ring too. */
static void a_point_has_its_mean(void **state) {
  (void)state;
  static const double point[] = {0.3337, 0.0501, 0.9499};
  for (int i = 0; i < 3; i++) {
    char text[1000];
    Run run;
    snprintf(text, sizeof text,
             "solver: fokker_planck\nmodel: {state: {x: {from: 0, to: 1, cells: 10}}, diffusion: {x: 1}}\n"
             "initial: {point: [%g]}\ntime: {end: 1}\n",
             point[i]);
    start(MPI_COMM_WORLD, text, &run);
    close_to(ask(&run, "mean", "x"), point[i], 1e-14);
    close_to(ask(&run, "integral", "p"), 1, 1e-15);
    finish(&run);
  }
}

/* ---- what cannot go on, and what it costs ---- */

/* A drift or a diffusion that turns bad on the way is named; what is said of its cause is about these. */
static void faults_are_named(void **state) {
  (void)state;
  static const char *const drift[] = {"log(0.3 - t)", "-x", "1/(0.3 - t)"};
  static const char *const diffusion[] = {"0.5", "0.3 - t", "0.5"};
  static const char *const named[] = {"; drift b_x is nan in cell (0)", "; diffusion D_xx is -",
                                      "of them would be needed to t = 0.5 s; "};
  static const char *const methods[] = {"explicit", "implicit"};
  for (int c = 0; c < 3; c++)
    for (int m = 0; m < (c < 2 ? 2 : 1); m++) {
      char text[1000];
      Run run;
      InkProgress progress = {0};
      snprintf(text, sizeof text,
               "solver: fokker_planck\nmodel: {state: {x: {from: -3, to: 3, cells: 40}}, drift: {x: %s}, "
               "diffusion: {x: %s}}\ninitial: {point: [0.3]}\ntime: {end: 0.5, method: %s}\n",
               drift[c], diffusion[c], methods[m]);
      start(MPI_COMM_WORLD, text, &run);
      assert_int_equal(solver->advance(run.self, 0.5, NULL, &progress), 0);
      assert_int_equal(progress.failure.code, INK_NUMERICAL);
      const char *message = progress.failure.message;
      if (!strstr(message, named[c])) print_error("%s\n", message);
      assert_non_null(strstr(message, named[c]));
      assert_null(strstr(message, "reaction"));
      assert_null(strstr(message, "capacity"));
      finish(&run);
    }
}

/* No path is ever absorbed: the drift leads away from the only side that absorbs. */
static void no_way_out_is_told(void **state) {
  (void)state;
  Run run;
  InkProgress progress = {0};
  start(MPI_COMM_WORLD,
        "solver: fokker_planck\nequation: first_passage\nmodel: {state: {x: {from: 0, to: 1, cells: 10}}, "
        "drift: {x: -1}, diffusion: {x: 0}, boundary: {x_max: absorbing}}\n",
        &run);
  assert_int_equal(solver->advance(run.self, 1, NULL, &progress), 0);
  assert_int_equal(progress.failure.code, INK_NUMERICAL);
  assert_non_null(strstr(progress.failure.message, "paths never reach an absorbing side"));
  finish(&run);
}

/* A full matrix on few cells: run as far as these reach, and said what it costs. */
static void few_cells_are_told(void **state) {
  (void)state;
  static const char *const cells[] = {"5", "40"};
  for (int c = 0; c < 2; c++) {
    char text[1000];
    Run run;
    InkPlan plan;
    snprintf(text, sizeof text,
             "solver: fokker_planck\nmodel: {state: {x: {from: -3, to: 3, cells: %s}, v: {from: -3, to: 3, "
             "cells: 44}}, noise: {x: {w: 0.7}, v: {w: 1.9, n: %s}}}\ninitial: {point: [0, 0]}\ntime: {end: "
             "0.1}\n",
             cells[c], c == 0 ? "0" : "0.8");
    start(MPI_COMM_SELF, text, &run);
    assert_int_equal(solver->plan(run.self, &plan), 0);
    assert_true((strstr(plan.reason, "needs steps of more than 4 cells") != NULL) == (c == 0));
    assert_true((strstr(plan.reason, "numerical diffusion") != NULL) == (c == 0));
    advance(&run, 0.1);
    close_to(ask(&run, "integral", "p"), 1, 1e-14);
    finish(&run);
  }
}

static void check_plan(const char *text, const char *part, bool there, double *bytes) {
  Run run;
  InkPlan plan;
  start(MPI_COMM_SELF, text, &run);
  assert_int_equal(solver->plan(run.self, &plan), 0);
  if ((strstr(plan.reason, part) != NULL) != there) print_error("%s\n", plan.reason);
  assert_true((strstr(plan.reason, part) != NULL) == there);
  *bytes = plan.bytes_per_rank;
  finish(&run);
}

/* Wright's density of a gene, with mutation and without: only then it has no integral. Modes take memory of
 * their own. */
static void plans_tell_what_to_expect(void **state) {
  (void)state;
  static const char wright[] =
      "solver: fokker_planck\nequation: stationary\nmodel: {state: {x: {from: 0, to: "
      "1, cells: 50}}, drift: {x: '%g*(1 - x) - 3*x'}, diffusion: {x: x*(1 - x)}}\n";
  static const char resolved[] = "solver: fokker_planck\nequation: %s\nmodel: {state: {x: {from: -1, to: 1, "
                                 "cells: 4000}}, drift: {x: -x}, diffusion: {x: x^2 + 1}}\n";
  char text[1000];
  double bytes, more;
  snprintf(text, sizeof text, wright, 0.0);
  check_plan(text, "towards x_min, where diffusion vanishes, p grows as (distance)^-1", true, &bytes);
  for (int n = 0; n < 3; n++) {
    snprintf(text, sizeof text, wright, 0.01 + 0.6 * n);
    check_plan(text, "grows", false, &bytes);
  }
  snprintf(text, sizeof text, resolved, "stationary");
  check_plan(text, "grows", false, &bytes);
  snprintf(text, sizeof text, resolved, "spectrum\nmodes: 4");
  check_plan(text, "4 slowest modes", true, &more);
  assert_true(more > bytes + 8 * 4000 * 40);
}

/* ---- the same numbers on any ranks, and after a restart ---- */

static void ranks_do_not_matter(void **state) {
  (void)state;
  static const char *const heads[] = {"initial: {point: [0.4, 0.1]}\ntime: {end: 0.3, method: explicit}\n",
                                      "equation: first_passage\n",
                                      "equation: hitting_probability\ntarget: v_max\n"};
  for (int h = 0; h < 3; h++) {
    char text[2000];
    snprintf(text, sizeof text, plane, heads[h]);
    const double until = h == 0 ? 0.3 : 1;
    const double all = value_of(MPI_COMM_WORLD, text, until, "probe", "start");
    const double alone = value_of(MPI_COMM_SELF, text, until, "probe", "start");
    assert_true(all == alone && isfinite(all) && all > 0);
  }
}

/* Stored and loaded halfway the run ends with the same bits, its sums of what was absorbed included. */
static void restarts_give_the_same_bits(void **state) {
  (void)state;
  static const char *const methods[] = {"explicit", "implicit"};
  static const char *const asked[][2] = {
      {"integral", "p"}, {"probe", "start"}, {"absorbed", "x_max"}, {"mean", "v"}};
  for (int m = 0; m < 2; m++) {
    char head[300], text[2000], path[] = "/tmp/inkdrop_fokker_planck_XXXXXX";
    Run whole, first, second;
    InkStore *store = NULL;
    InkFailure failure = {0};
    if (rank_of(MPI_COMM_WORLD) == 0) assert_true(close(mkstemp(path)) == 0);
    assert_int_equal(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD), 0);
    snprintf(head, sizeof head, "initial: {point: [0.4, 0.1]}\ntime: {end: 0.4, method: %s}\n", methods[m]);
    snprintf(text, sizeof text, plane, head);
    start(MPI_COMM_WORLD, text, &whole);
    advance(&whole, 0.2);
    advance(&whole, 0.4);
    start(MPI_COMM_WORLD, text, &first);
    advance(&first, 0.2);
    assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, false, &store), 0);
    assert_int_equal(solver->save(first.self, store), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    finish(&first);
    start(MPI_COMM_WORLD, text, &second);
    assert_int_equal(ink_store_open(MPI_COMM_WORLD, path, false, &store, &failure), 0);
    assert_int_equal(solver->load(second.self, store), 0);
    assert_int_equal(ink_store_close(&store), 0);
    advance(&second, 0.4);
    for (int q = 0; q < 4; q++)
      assert_true(ask(&whole, asked[q][0], asked[q][1]) == ask(&second, asked[q][0], asked[q][1]));
    finish(&whole);
    finish(&second);
    if (rank_of(MPI_COMM_WORLD) == 0) unlink(path);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(absorbed_is_the_hitting_probability),
      cmocka_unit_test(mean_times_add_up),
      cmocka_unit_test(exact_solutions_are_met_to_second_order),
      cmocka_unit_test(weak_friction_is_mended),
      cmocka_unit_test(rates_of_decay_are_told),
      cmocka_unit_test(constant_drift_is_exact),
      cmocka_unit_test(density_ends_in_the_stationary_law),
      cmocka_unit_test(conditions_cut_cells),
      cmocka_unit_test(a_point_has_its_mean),
      cmocka_unit_test(faults_are_named),
      cmocka_unit_test(no_way_out_is_told),
      cmocka_unit_test(few_cells_are_told),
      cmocka_unit_test(plans_tell_what_to_expect),
      cmocka_unit_test(ranks_do_not_matter),
      cmocka_unit_test(restarts_give_the_same_bits),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
