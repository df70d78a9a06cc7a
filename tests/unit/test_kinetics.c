/* The catalogue of kinetics: every set reads as a deck, means what its source says, and gives way to what the
 * deck says itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "deck_text.h"
#include "../../solvers/reaction_diffusion/catalogue.h"

enum { TEXT = 4000, POINTS = 40 };

/* A whole deck of a set; `more` is added at the end. Every species gets an initial value that has none. */
static void deck_text(const char *name, const char *more, char text[TEXT]) {
  const InkKinetics *set = ink_kinetics_find(name);
  snprintf(text, TEXT,
           "solver: reaction_diffusion\nkinetics: %s\nmesh: {x: {from: 0, to: 1, cells: 8}}\ntime: {end: 1}\n"
           "%s",
           name, more);
  if (strstr(more, "initial:")) return;
  strncat(text, "initial: {", TEXT - strlen(text) - 1);
  bool first = true;
  for (const InkKineticsSpecies *s = set->species; s->name; s++) {
    if (s->initial) continue;
    const size_t used = strlen(text);
    snprintf(text + used, TEXT - used, "%s%s: 0.5", first ? "" : ", ", s->name);
    first = false;
  }
  strncat(text, "}\n", TEXT - strlen(text) - 1);
}

static InkDeck *deck_of(const char *name, const char *more) {
  char text[TEXT], *messages;
  deck_text(name, more, text);
  InkDeck *deck = deck_of_text(text, NULL, &messages);
  if (*messages) fail_msg("%s: %s", name, messages);
  free(messages);
  return deck;
}

static double rate(const InkDeck *deck, const char *species, const double u[]) {
  double variable[INK_VARS] = {0};
  const int n = ink_deck_fields(deck, NULL, NULL);
  for (int f = 0; f < n; f++) variable[INK_VAR_FIELD + f] = u[f];
  return ink_expr_value(ink_deck_expression(deck, "species.%s.reaction", species), variable);
}

static double constant(const InkDeck *deck, const char *species, const char *key) {
  const double variable[INK_VARS] = {0};
  return ink_expr_value(ink_deck_expression(deck, "species.%s.%s", species, key), variable);
}

/* Numbers of a fixed sequence, in (0, 2). */
static double draw(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) / 4503599627370496.0;
}

static void near(double value, double expect) {
  if (fabs(value - expect) > 1e-13 * (1 + fabs(expect))) fail_msg("%.17g is not %.17g", value, expect);
}

/* Every set: reads without complaint, has a source and documented parameters, and OUT/deck.yaml, which holds
 * all that the set stands for, gives the same deck. */
static void every_set_reads_and_round_trips(void **state) {
  (void)state;
  int count = 0;
  for (const InkKinetics *set = ink_kinetics; set->name; set++, count++) {
    InkDeck *deck = deck_of(set->name, "");
    char *messages;
    InkDeck *again = deck_of_text(ink_deck_yaml(deck), NULL, &messages);
    assert_string_equal(messages, "");
    assert_string_equal(ink_deck_yaml(again), ink_deck_yaml(deck));
    assert_true(ink_deck_hash(again) == ink_deck_hash(deck));
    assert_true(*set->summary && *set->source);
    const char *const *fields;
    int n = ink_deck_fields(deck, &fields, NULL), s = 0;
    for (; set->species[s].name; s++) {
      assert_string_equal(fields[s], set->species[s].name);
      assert_non_null(ink_deck_expression(deck, "species.%s.reaction", fields[s]));
      assert_true(constant(deck, fields[s], "diffusion") >= 0);
      if (set->species[s].initial) assert_true(isfinite(constant(deck, fields[s], "initial")));
    }
    assert_int_equal(n, s);
    for (const InkKineticsParameter *p = set->parameter; p->name; p++) {
      assert_true(*p->doc != 0);
      assert_true(isfinite(ink_deck_number(deck, "parameters.%s", p->name)));
    }
    free(messages);
    ink_deck_destroy(&again);
    ink_deck_destroy(&deck);
  }
  assert_int_equal(count, 23);
}

/* Independent right-hand sides, with the defaults. */
static void gray_scott(const double u[], double f[]) {
  const double F = 0.04, k = 0.06;
  f[0] = F * (1 - u[0]) - u[0] * u[1] * u[1];
  f[1] = u[0] * u[1] * u[1] - (F + k) * u[1];
}
static void schnakenberg(const double u[], double f[]) {
  f[0] = 0.1 - u[0] + u[0] * u[0] * u[1];
  f[1] = 0.9 - u[0] * u[0] * u[1];
}
static void gierer_meinhardt(const double u[], double f[]) {
  f[0] = u[0] * u[0] / u[1] - 0.5 * u[0];
  f[1] = u[0] * u[0] - u[1];
}
static void brusselator(const double u[], double f[]) {
  f[0] = 2 - 4 * u[0] + u[0] * u[0] * u[1];
  f[1] = 3 * u[0] - u[0] * u[0] * u[1];
}
static void fitzhugh_nagumo(const double u[], double f[]) {
  f[0] = u[0] - pow(u[0], 3) - u[1];
  f[1] = 2.5 * (u[0] - 0.6 * u[1]);
}
static void fisher_kpp(const double u[], double f[]) { f[0] = u[0] * (1 - u[0]); }
static void nagumo(const double u[], double f[]) { f[0] = u[0] * (1 - u[0]) * (u[0] - 0.2); }
static void barkley(const double u[], double f[]) {
  f[0] = 50 * u[0] * (1 - u[0]) * (u[0] - (u[1] + 0.01) / 0.75);
  f[1] = u[0] - u[1];
}
static void lotka_volterra(const double u[], double f[]) {
  f[0] = u[0] * (1 - u[1]);
  f[1] = u[1] * (u[0] - 1);
}
static void michaelis_menten(const double u[], double f[]) {
  f[0] = -u[0] * u[1] + u[2];
  f[1] = -u[0] * u[1] + 2 * u[2];
  f[2] = -f[1];
  f[3] = u[2];
}

typedef void Formula(const double u[], double f[]);

static void rates_are_those_of_the_sources(void **state) {
  (void)state;
  static const struct {
    const char *name;
    Formula *formula;
  } known[] = {{"gray_scott", gray_scott},
               {"schnakenberg", schnakenberg},
               {"gierer_meinhardt", gierer_meinhardt},
               {"brusselator", brusselator},
               {"fitzhugh_nagumo", fitzhugh_nagumo},
               {"fisher_kpp", fisher_kpp},
               {"nagumo", nagumo},
               {"barkley", barkley},
               {"lotka_volterra", lotka_volterra},
               {"michaelis_menten", michaelis_menten}};
  uint64_t random = 7;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    InkDeck *deck = deck_of(known[i].name, "");
    const char *const *fields;
    const int n = ink_deck_fields(deck, &fields, NULL);
    for (int p = 0; p < POINTS; p++) {
      double u[8], f[8];
      for (int s = 0; s < n; s++) u[s] = draw(&random);
      known[i].formula(u, f);
      for (int s = 0; s < n; s++) near(rate(deck, fields[s], u), f[s]);
    }
    ink_deck_destroy(&deck);
  }
}

/* Rates of the gates per ms at 6.3 degC, by expm1. */
static double alpha_m(double u) { return u == 25 ? 1 : 0.1 * (25 - u) / expm1((25 - u) / 10); }
static double alpha_n(double u) { return u == 10 ? 0.1 : 0.01 * (10 - u) / expm1((10 - u) / 10); }

static void hodgkin_huxley_rates(void **state) {
  (void)state;
  InkDeck *deck = deck_of("hodgkin_huxley", "parameters: {temperature: 18.5}\n");
  const double phi = pow(3, 1.22);
  static const double at[] = {-20, 0, 3.1, 9.9, 10, 10.05, 10.2, 24.95, 25, 25 + 1e-9, 60, 110};
  near(ink_deck_number(deck, "parameters.phi"), phi);
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    const double u = at[i], m = 0.3, h = 0.4, n = 0.5, y[4] = {u, m, h, n};
    near(rate(deck, "u", y),
         -(120 * m * m * m * h * (u - 115) + 36 * n * n * n * n * (u + 12) + 0.3 * (u - 10.613)));
    near(rate(deck, "m", y), phi * (alpha_m(u) * (1 - m) - 4 * exp(-u / 18) * m));
    near(rate(deck, "h", y), phi * (0.07 * exp(-u / 20) * (1 - h) - h / (exp((30 - u) / 10) + 1)));
    near(rate(deck, "n", y), phi * (alpha_n(u) * (1 - n) - 0.125 * exp(-u / 80) * n));
  }
  /* tests/references.yaml: hh-alpha-n, hh-alpha-m, hh-beta-h at u = 0 */
  const double closed[4] = {0}, open[4] = {0, 0, 1, 0};
  near(rate(deck, "n", closed), phi * 0.0581976706869326);
  near(rate(deck, "m", closed), phi * 0.22356372458463);
  near(rate(deck, "h", open), -phi * 0.0474258731775668);
  near(constant(deck, "u", "diffusion"), 0.0238 / (2 * 0.0354));
  ink_deck_destroy(&deck);
}

/* The gates start at rest for u = 0: nothing happens to them. */
static void hodgkin_huxley_starts_at_rest(void **state) {
  (void)state;
  InkDeck *deck = deck_of("hodgkin_huxley", "");
  static const char *const names[] = {"u", "m", "h", "n"};
  double y[4];
  for (int s = 0; s < 4; s++) y[s] = constant(deck, names[s], "initial");
  for (int s = 1; s < 4; s++) assert_true(fabs(rate(deck, names[s], y)) < 1e-16);
  assert_true(fabs(rate(deck, "u", y)) < 0.01);
  ink_deck_destroy(&deck);
}

/* The derivative of alpha_m and alpha_n is right where they are 0/0: -1/2 of the slope of z. */
static void derivatives_pass_the_removable_singularities(void **state) {
  (void)state;
  InkDeck *deck = deck_of("hodgkin_huxley", "");
  static const struct {
    const char *gate;
    double u, slope;
  } cases[] = {{"m", 25, 0.05}, {"n", 10, 0.005}, {"m", 25.0999, 0.05}, {"n", 10.0999, 0.005}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const InkExpr *e = ink_deck_expression(deck, "species.%s.reaction", cases[i].gate);
    const InkExpr *d = ink_expr_derivative(ink_deck_pool(deck), e, INK_VAR_FIELD);
    double v[INK_VARS] = {0};
    v[INK_VAR_FIELD] = cases[i].u; /* all gates closed: the rate is alpha */
    const double value = ink_expr_value(d, v);
    assert_true(isfinite(value) && fabs(value - cases[i].slope) < 0.005 * cases[i].slope);
    /* the same on both sides of the change from series to quotient */
    const double h = 1e-4;
    v[INK_VAR_FIELD] = cases[i].u + h;
    const double above = ink_expr_value(e, v);
    v[INK_VAR_FIELD] = cases[i].u - h;
    assert_true(fabs((above - ink_expr_value(e, v)) / (2 * h) - value) < 1e-7);
  }
  ink_deck_destroy(&deck);
}

/* Known steady states are the default initial states. */
static void initial_states_are_steady(void **state) {
  (void)state;
  static const char *const names[] = {"schnakenberg", "gierer_meinhardt", "brusselator"};
  for (int i = 0; i < 3; i++) {
    InkDeck *deck = deck_of(names[i], "");
    const double y[2] = {constant(deck, "u", "initial"), constant(deck, "v", "initial")};
    assert_true(fabs(rate(deck, "u", y)) < 1e-14 && fabs(rate(deck, "v", y)) < 1e-14);
    ink_deck_destroy(&deck);
  }
}

/* Enzyme and substrate with product are conserved, whatever the state. */
static void michaelis_menten_conserves(void **state) {
  (void)state;
  InkDeck *deck = deck_of("michaelis_menten", "parameters: {kf: 3.7, kr: 0.3, kcat: 1.9}\n");
  uint64_t random = 11;
  for (int p = 0; p < POINTS; p++) {
    double y[4];
    for (int s = 0; s < 4; s++) y[s] = draw(&random);
    assert_true(fabs(rate(deck, "E", y) + rate(deck, "ES", y)) < 1e-14);
    assert_true(fabs(rate(deck, "S", y) + rate(deck, "ES", y) + rate(deck, "P", y)) < 1e-14);
  }
  ink_deck_destroy(&deck);
}

/* Pearson's classes differ from gray_scott in F and k alone. */
static void classes_share_their_reactions(void **state) {
  (void)state;
  static const char *const letters[] = {"alpha", "beta",  "gamma", "delta", "epsilon", "zeta",
                                        "eta",   "theta", "iota",  "kappa", "lambda",  "mu"};
  const InkKinetics *base = ink_kinetics_find("gray_scott");
  for (int l = 0; l < 12; l++) {
    char name[40];
    snprintf(name, sizeof name, "gray_scott_%s", letters[l]);
    const InkKinetics *set = ink_kinetics_find(name);
    assert_non_null(set);
    for (int s = 0; s < 2; s++) assert_string_equal(set->species[s].reaction, base->species[s].reaction);
    const double F = strtod(set->parameter[2].value, NULL), k = strtod(set->parameter[3].value, NULL);
    assert_true(F > 0.005 && F < 0.06 && k > 0.04 && k < 0.07);
  }
}

static void the_decks_own_keys_win(void **state) {
  (void)state;
  InkDeck *deck = deck_of("schnakenberg", "parameters: {q: 2*b, d: 3*q, a: 0.2}\n"
                                          "species:\n"
                                          "  w: {diffusion: 0, reaction: u - w, initial: 0}\n"
                                          "  v: {diffusion: 2*d, name: food}\n"
                                          "initial: {u: 7}\n");
  const char *const *fields;
  assert_int_equal(ink_deck_fields(deck, &fields, NULL), 3);
  assert_string_equal(fields[0], "u");
  assert_string_equal(fields[1], "v");
  assert_string_equal(fields[2], "w");
  assert_true(constant(deck, "v", "diffusion") == 2 * 3 * 1.8);
  assert_string_equal(ink_deck_text(deck, "species.v.name"), "food");
  assert_string_equal(ink_deck_text(deck, "species.u.name"), "activator");
  assert_false(ink_deck_has(deck, "species.u.initial"));
  assert_true(ink_deck_has(deck, "species.v.initial"));
  const double y[3] = {0};
  assert_true(rate(deck, "u", y) == 0.2 && rate(deck, "v", y) == 0.9);
  ink_deck_destroy(&deck);
  deck = deck_of("schnakenberg", "manufactured: true\nexact: {u: 1, v: 1}\n");
  assert_false(ink_deck_has(deck, "species.u.initial"));
  ink_deck_destroy(&deck);
}

/* Defaults that depend on a parameter follow it, wherever the deck sets it, and the deck may use them. */
static void dependent_defaults_follow(void **state) {
  (void)state;
  InkDeck *deck = deck_of("hodgkin_huxley", "parameters: {warm: 12.3, temperature: 6.3 + warm - 2.3,\n"
                                            "  twice: 2*phi, thick: 2*radius}\n");
  near(ink_deck_number(deck, "parameters.phi"), 3);
  near(ink_deck_number(deck, "parameters.twice"), 6);
  near(ink_deck_number(deck, "parameters.thick"), 0.0476);
  ink_deck_destroy(&deck);
}

static void unknown_names_are_reported(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck = deck_of_text("solver: reaction_diffusion\nkinetics: gray_scot\n"
                               "mesh: {x: {from: 0, to: 1, cells: 8}}\ntime: {end: 1}\n",
                               NULL, &messages);
  assert_non_null(strstr(messages, "d.yaml:2: kinetics: unknown 'gray_scot'; did you mean 'gray_scott'?\n"));
  free(messages);
  ink_deck_destroy(&deck);
  deck = deck_of_text("solver: reaction_diffusion\nkinetics: qwertyuiop\n"
                      "mesh: {x: {from: 0, to: 1, cells: 8}}\ntime: {end: 1}\n",
                      NULL, &messages);
  assert_non_null(strstr(messages, "kinetics: unknown 'qwertyuiop'; known are gray_scott, "));
  assert_non_null(strstr(messages, "michaelis_menten"));
  free(messages);
  ink_deck_destroy(&deck);
}

/* Errors in what a set stands for point at the key `kinetics`; malformed sections are the reader's to
 * report. */
static void errors_have_a_place(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck = deck_of_text("solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 8}}\n"
                               "time: {end: 1}\ninitial: {u: 1}\nspecies: {rate: {initial: 1}}\n"
                               "kinetics: fisher_kpp\n",
                               NULL, &messages);
  assert_non_null(strstr(messages, "d.yaml:6: parameters.rate: 'rate' is reserved"));
  free(messages);
  ink_deck_destroy(&deck);
  deck = deck_of_text("solver: reaction_diffusion\nmesh: {x: {from: 0, to: 1, cells: 8}}\n"
                      "time: {end: 1}\nparameters: 3\nspecies: [u]\nkinetics: fisher_kpp\n",
                      NULL, &messages);
  assert_non_null(strstr(messages, "d.yaml:4: parameters: must be a section"));
  assert_non_null(strstr(messages, "d.yaml:5: species: must be a section"));
  free(messages);
  ink_deck_destroy(&deck);
}

static void the_list_names_all(void **state) {
  (void)state;
  for (int full = 0; full < 2; full++) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ink_kinetics_list(out, full);
    fclose(out);
    for (const InkKinetics *set = ink_kinetics; set->name; set++) {
      assert_non_null(strstr(text, set->name));
      assert_non_null(strstr(text, set->source));
    }
    assert_non_null(strstr(text, "gNa = 120"));
    assert_true((strstr(text, "sodium conductance") != NULL) == (full == 1));
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_set_reads_and_round_trips),
      cmocka_unit_test(rates_are_those_of_the_sources),
      cmocka_unit_test(hodgkin_huxley_rates),
      cmocka_unit_test(hodgkin_huxley_starts_at_rest),
      cmocka_unit_test(derivatives_pass_the_removable_singularities),
      cmocka_unit_test(initial_states_are_steady),
      cmocka_unit_test(michaelis_menten_conserves),
      cmocka_unit_test(classes_share_their_reactions),
      cmocka_unit_test(the_decks_own_keys_win),
      cmocka_unit_test(dependent_defaults_follow),
      cmocka_unit_test(unknown_names_are_reported),
      cmocka_unit_test(errors_have_a_place),
      cmocka_unit_test(the_list_names_all),
  };
  return cmocka_run_group_tests_name("kinetics", tests, NULL, NULL);
}
