/* The section `model` of a deck: what it means as a process, and what can be wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "deck_text.h"
#include "../../solvers/core/model.h"

enum { TEXT = 2000 };

static void whole_deck(const char *model, const char *more, char text[TEXT]) {
  snprintf(text, TEXT, "solver: fokker_planck\nmodel:\n%s%s", model, more);
}

static const char started[] = "initial: {point: [0.5]}\ntime: {end: 1}\n";
static const char started_2d[] = "initial: {point: [0.5, 0.5]}\ntime: {end: 1}\n";

/* What reading and checking says of a deck, in one text; free() it. */
static char *complaints(const char *model, const char *more) {
  char text[TEXT], *read, *checked = NULL;
  size_t size = 0;
  whole_deck(model, more, text);
  InkDeck *deck = deck_of_text(text, NULL, &read);
  InkErrors *errors = ink_errors_create();
  ink_solver_find("fokker_planck")->check(deck, 1, errors);
  FILE *stream = open_memstream(&checked, &size);
  fputs(read, stream);
  ink_errors_print(errors, stream);
  fclose(stream);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
  free(read);
  return checked;
}

static InkDeck *good_deck(const char *model, const char *more) {
  char text[TEXT];
  char *said = complaints(model, more);
  if (*said) fail_msg("%s", said);
  free(said);
  whole_deck(model, more, text);
  return deck_of_text(text, NULL, NULL);
}

static double value_at(const InkExpr *e, double x, double y) {
  double variable[INK_VARS] = {[INK_VAR_X] = x, [INK_VAR_Y] = y};
  return e ? ink_expr_value(e, variable) : 0.0;
}

static void near(double value, double expect) {
  if (fabs(value - expect) > 1e-14 * (1 + fabs(expect))) fail_msg("%.17g is not %.17g", value, expect);
}

static void state_variables_are_the_axes_in_order(void **state) {
  (void)state;
  InkDeck *deck = good_deck("  state: {V: {from: 0, to: 1, cells: 10}, w: {from: -1, to: 1, cells: 20}}\n"
                            "  drift: {V: V - w, w: 3*V}\n  diffusion: {V: 0.1, w: 0.2, Vw: 0.05*V}\n"
                            "  boundary: {V_max: absorbing, w_min: periodic, w_max: periodic}\n",
                            started_2d);
  InkModel model;
  ink_model_read(deck, ink_deck_pool(deck), &model);
  const InkProcess *p = &model.process;
  assert_int_equal(p->dim, 2);
  assert_string_equal(p->name[0], "V");
  assert_string_equal(p->name[1], "w");
  near(value_at(p->drift[0], 0.75, 0.5), 0.25);
  near(value_at(p->drift[1], 0.75, 0.5), 2.25);
  near(value_at(p->diffusion[0][1], 0.5, 0.0), 0.025);
  assert_ptr_equal(p->diffusion[0][1], p->diffusion[1][0]);
  for (int side = 0; side < 4; side++) assert_int_equal(p->absorbing[side], side == 1);
  assert_int_equal(model.noises, 0);
  ink_deck_destroy(&deck);
}

/* D = B B^T/2, noises shared by name. */
static void diffusion_of_noises(void **state) {
  (void)state;
  InkDeck *deck = good_deck("  state: {x: {from: 0, to: 1, cells: 10}, v: {from: 0, to: 1, cells: 10}}\n"
                            "  noise: {x: {a: x, b: 2}, v: {b: 3*v, c: 0.5}}\n",
                            started_2d);
  InkModel model;
  ink_model_read(deck, ink_deck_pool(deck), &model);
  assert_int_equal(model.noises, 3);
  const double x = 0.3, v = 0.7;
  near(value_at(model.process.diffusion[0][0], x, v), 0.5 * (x * x + 4));
  near(value_at(model.process.diffusion[0][1], x, v), 0.5 * (2 * 3 * v));
  near(value_at(model.process.diffusion[1][1], x, v), 0.5 * (9 * v * v + 0.25));
  assert_null(model.process.drift[0]);
  ink_deck_destroy(&deck);
}

/* Geometric Brownian motion: b + s^2 x/2. Ito leaves the drift alone. */
static void stratonovich_of_geometric_brownian_motion(void **state) {
  (void)state;
  const char *const words[] = {"ito", "stratonovich"};
  for (int i = 0; i < 2; i++) {
    char text[400];
    snprintf(text, sizeof text,
             "  state: {x: {from: 0, to: 4, cells: 10}}\n  drift: {x: 0.3*x}\n"
             "  noise: {x: {w: 0.8*x}}\n  interpretation: %s\n",
             words[i]);
    InkDeck *deck = good_deck(text, started);
    InkModel model;
    ink_model_read(deck, ink_deck_pool(deck), &model);
    for (double x = 0.25; x < 4; x += 0.5) {
      near(value_at(model.process.drift[0], x, 0), 0.3 * x + (i ? 0.5 * 0.64 * x : 0.0));
      near(value_at(model.as_given[0], x, 0), 0.3 * x);
      near(value_at(model.process.diffusion[0][0], x, 0), 0.5 * 0.64 * x * x);
    }
    ink_deck_destroy(&deck);
  }
}

/* One noise in two variables: b_i + 1/2 sum_j B_j dB_i/dx_j, by hand. Brownian motion on a circle, B = (-y,
 * x), has the Ito drift -(x, y)/2. */
static void stratonovich_in_two_variables(void **state) {
  (void)state;
  InkDeck *deck = good_deck("  state: {x: {from: -2, to: 2, cells: 10}, y: {from: -2, to: 2, cells: 10}}\n"
                            "  noise: {x: {w: -y, z: sin(x)*y}, y: {w: x}}\n"
                            "  interpretation: stratonovich\n",
                            started_2d);
  InkModel model;
  ink_model_read(deck, ink_deck_pool(deck), &model);
  const double x = 0.6, y = -1.1;
  near(value_at(model.process.drift[0], x, y), -x / 2 + 0.5 * (sin(x) * y * cos(x) * y));
  near(value_at(model.process.drift[1], x, y), -y / 2);
  ink_deck_destroy(&deck);
}

/* A deck is refused with this in what is said, and nothing else. */
static void refused(const char *model, const char *more, const char *words) {
  char *said = complaints(model, more);
  if (!strstr(said, words)) fail_msg("'%s' does not say '%s'", said, words);
  if (strchr(said, '\n') != said + strlen(said) - 1) fail_msg("more than one line: %s", said);
  free(said);
}

#define STATE "  state: {x: {from: 0, to: 1, cells: 10}}\n"
#define PLANE "  state: {x: {from: 0, to: 1, cells: 10}, v: {from: 0, to: 1, cells: 10}}\n"

static void what_is_wrong_is_said(void **state) {
  (void)state;
  refused(STATE, started, "diffusion is missing");
  refused(STATE "  diffusion: {x: 1}\n", "time: {end: 1}\n", "give initial.point");
  refused(STATE "  diffusion: {x: 1}\n", "initial: {point: [0.5], density: x}\ntime: {end: 1}\n",
          "contradicts initial.point");
  refused(STATE "  diffusion: {x: 1}\n", "initial: {point: [0.5, 1]}\ntime: {end: 1}\n", "needs 1 number");
  refused(STATE "  diffusion: {x: 1}\n", "initial: {point: [1.5]}\ntime: {end: 1}\n", "outside the domain");
  refused(STATE "  diffusion: {x: 1}\n", "initial: {point: [0.5]}\n", "time.end: is required");
  refused(STATE "  diffusion: {x: -1}\n", started, "not positive semi-definite");
  refused(STATE "  diffusion: {x: 1}\n  noise: {x: {w: 1}}\n", started, "contradicts model.diffusion");
  refused(STATE "  diffusion: {x: 1}\n  interpretation: stratonovich\n", started, "needs model.noise");
  refused(STATE "  diffusion: {x: 1, xx: 1}\n", started, "is given twice");
  refused(STATE "  diffusion: {x: 1}\n  boundary: {x_min: periodic}\n", started, "periodic");
  refused(STATE "  diffusion: {x: 1}\n  boundary: {x_mix: absorbing}\n", started, "did you mean 'x_min'");
  refused(STATE "  diffusion: {x: 1}\n  drift: {X: 1}\n", started, "did you mean 'x'");
  refused(PLANE "  diffusion: {x: 1, v: 1, xw: 0.5}\n", started_2d, "is neither a state variable nor");
  refused(PLANE "  diffusion: {x: 1, v: 1, xv: 0.5, vx: 0.5}\n", started_2d, "is given twice");
  refused(PLANE "  diffusion: {x: 1, v: 1, xv: 1.01}\n", started_2d, "not positive semi-definite");
  refused("  state: {x: {from: 0, to: 1, cells: 10, grading: 1.1}, v: {from: 0, to: 1, cells: 10}}\n"
          "  diffusion: {x: 1, v: 1, xv: 0.5}\n",
          started_2d, "cross-diffusion needs equal cells");
}

/* The borderline: one noise alone makes a matrix of rank one. */
static void a_matrix_of_rank_one_is_good(void **state) {
  (void)state;
  InkDeck *deck = good_deck(PLANE "  diffusion: {x: 0.1, v: 0.4, xv: 0.2}\n", started_2d);
  ink_deck_destroy(&deck);
}

#define EQUATION(name, more) "equation: " name "\n" more

static void equations_and_their_sides(void **state) {
  (void)state;
  const char open[] = STATE "  diffusion: {x: 1}\n  boundary: {x_max: absorbing}\n";
  const char closed[] = STATE "  diffusion: {x: 1}\n";
  refused(open, EQUATION("stationary", ""), "there is no stationary density");
  refused(closed, EQUATION("first_passage", ""), "needs an absorbing side");
  refused(open, EQUATION("hitting_probability", ""), "target: is missing");
  refused(open, EQUATION("hitting_probability", "target: x_min\n"), "does not absorb");
  refused(open, EQUATION("hitting_probability", "target: x_mux\n"), "no side of this domain");
  refused(open, EQUATION("first_passage", "time: {end: 1}\n"), "warning: time: is not used");
  refused(closed, EQUATION("stationary", "initial: {point: [0.5]}\n"), "warning: initial: is not used");
  refused(STATE "  diffusion: {x: 1}\n  drift: {x: t}\n", EQUATION("stationary", ""), "depends on t");
  InkDeck *deck = good_deck(open, EQUATION("first_passage", "target: x_max\n"));
  ink_deck_destroy(&deck);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(state_variables_are_the_axes_in_order),
      cmocka_unit_test(diffusion_of_noises),
      cmocka_unit_test(stratonovich_of_geometric_brownian_motion),
      cmocka_unit_test(stratonovich_in_two_variables),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(a_matrix_of_rank_one_is_good),
      cmocka_unit_test(equations_and_their_sides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
