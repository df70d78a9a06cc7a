/* The resolved deck: quantities, dimensions, defaults, errors, and the round trip through OUT/deck.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "deck_text.h"
#include "../../io/deck_impl.h"

static void values_are_si(void **state) {
  (void)state;
  InkDeck *deck = deck_of_text(deck_good, NULL, NULL);
  assert_true(ink_deck_number(deck, "mesh.%s.to", "x") == 0.1);
  assert_int_equal(ink_deck_integer(deck, "mesh.x.cells"), 200);
  assert_true(ink_deck_number(deck, "time.end") == 60);
  assert_true(ink_deck_number(deck, "parameters.twice") == 200);
  assert_true(ink_deck_number(deck, "verify[0].within") == 0.05); /* a difference: degC means K */
  assert_true(ink_deck_number(deck, "verify[0].expect") == 36.6 + 273.15);
  assert_true(ink_deck_number(deck, "verify[1].within") == 0.015);
  assert_true(ink_deck_node(deck, "verify[1].within")->percent);
  assert_true(ink_expr_value(ink_deck_expression(deck, "initial.T"), NULL) == 20 + 273.15);
  const double *at;
  assert_int_equal(ink_deck_numbers(deck, &at, "output.snapshots.at"), 2);
  assert_true(at[0] == 10 && at[1] == 30);
  assert_int_equal(ink_deck_count(deck, "verify"), 2);
  assert_string_equal(ink_deck_name(deck, "boundary", 1), "x_max");
  assert_string_equal(ink_deck_text(deck, "time.method"), "implicit");
  assert_null(ink_deck_expression(deck, "source"));
  ink_deck_destroy(&deck);
}

static void defaults_are_filled_in(void **state) {
  (void)state;
  InkDeck *deck = deck_of_text(deck_good, NULL, NULL);
  assert_string_equal(ink_deck_text(deck, "mesh.coordinates"), "cartesian");
  assert_true(ink_deck_number(deck, "mesh.x.grading") == 1);
  assert_true(ink_deck_number(deck, "checkpoint.every") == 600);
  assert_int_equal(ink_deck_integer(deck, "checkpoint.keep"), 2);
  assert_false(ink_deck_bool(deck, "manufactured"));
  assert_false(ink_deck_has(deck, "checkpoint"));
  assert_false(ink_deck_has(deck, "time.start"));
  assert_true(ink_deck_has(deck, "time.end"));
  ink_deck_destroy(&deck);
}

/* Reading OUT/deck.yaml gives the same deck, so writing it again gives the same text and hash. */
static void yaml_round_trips(void **state) {
  (void)state;
  InkDeck *deck = deck_of_text(deck_good, NULL, NULL);
  char *messages;
  InkDeck *again = deck_of_text(ink_deck_yaml(deck), NULL, &messages);
  assert_string_equal(messages, "");
  assert_string_equal(ink_deck_yaml(again), ink_deck_yaml(deck));
  assert_true(ink_deck_hash(again) == ink_deck_hash(deck));
  assert_null(ink_deck_difference(deck, ink_deck_yaml(again), &ink_schemas));
  free(messages);
  ink_deck_destroy(&again);
  ink_deck_destroy(&deck);
}

static void numbers_read_back_bit_by_bit(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  static const double values[] = {0.0,  1.0,  -1.5,  1e-6,   0.1,  1.0 / 3,       7200.0,
                                  1e15, 1e16, 1e300, 5e-324, 1e22, 123456789.125, 0.30000000000000004};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    const char *text = ink_yaml_number(pool, values[i]);
    assert_true(strtod(text, NULL) == values[i]);
    assert_non_null(strchr(text, '.'));
    const char *e = strchr(text, 'e');
    assert_true(!e || e[1] == '+' || e[1] == '-');
  }
  assert_string_equal(ink_yaml_number(pool, 1e-6), "1.0e-06");
  assert_string_equal(ink_yaml_number(pool, 7200), "7200.0");
  ink_pool_destroy(&pool);
}

/* What a restart may change does not change the hash; all else does, and is named. */
static void hash_sees_what_matters(void **state) {
  (void)state;
  static const struct {
    const char *setting, *key; /* NULL: may change */
  } cases[] = {{"time.end=3 min", NULL},
               {"output.snapshots.at=[5]", NULL},
               {"output.precision=f32", NULL},
               {"checkpoint.every=5 s", NULL},
               {"time.walltime=1 h", NULL},
               {"mesh.x.cells=201", "mesh.x.cells"},
               {"time.tolerance=1e-5", "time.tolerance"},
               {"source=3", "source"},
               {"boundary.x_min.value=1 degC", "boundary.x_min.value"},
               {"seed=1", "seed"},
               {"initial.T=293.15", ""}}; /* the same in SI */
  InkDeck *deck = deck_of_text(deck_good, NULL, NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *settings[] = {cases[i].setting, NULL};
    InkDeck *other = deck_of_text(deck_good, settings, NULL);
    const char *difference = ink_deck_difference(deck, ink_deck_yaml(other), &ink_schemas);
    bool changed = cases[i].key && *cases[i].key;
    assert_int_equal(ink_deck_hash(other) != ink_deck_hash(deck), changed);
    if (changed)
      assert_string_equal(difference, cases[i].key);
    else
      assert_null(difference);
    ink_deck_destroy(&other);
  }
  ink_deck_destroy(&deck);
}

/* The good deck with one setting must be refused with a line that holds `word`. */
static void refused(const char *setting, const char *word) {
  const char *settings[] = {setting, NULL};
  char *messages;
  InkDeck *deck = deck_of_text(deck_good, settings, &messages);
  if (!strstr(messages, word)) fail_msg("--set '%s': wanted '%s', got: %s", setting, word, messages);
  free(messages);
  ink_deck_destroy(&deck);
}

static void single_mistakes(void **state) {
  (void)state;
  refused("material.conductvity=3", "did you mean 'conductivity'?");
  refused("material.cells=3", "'cells' belongs under mesh.AXIS");
  refused("quux=3", "unknown key");
  refused("mesh.x.cells=0", "must be at least 3, got 0");
  refused("mesh.x.cells=1.5", "must be an integer");
  refused("mesh.x.cells=0x10", "must be an integer");
  refused("mesh.x.to=1 s", "needs m, got s");
  refused("mesh.x.to=[1]", "must be a number or quantity, got a list");
  refused("mesh.x=3", "must be a section");
  refused("mesh.x.grading=0", "greater than 0");
  refused("mesh.x.to=inf", "unknown name 'inf'");
  refused("mesh.x.to=1e999", "not a finite number");
  refused("mesh.x.to=1/0", "not a finite number");
  refused("mesh.x.to=x", "may not depend on position");
  refused("mesh.x.to=5mm", "'5 mm'");
  refused("mesh.x.to=5 blorb", "unknown unit 'blorb'");
  refused("material.conductivity=3 W/mK", "did you mean 'W/(m K)'?");
  refused("initial.T=20 C + 3", "cannot stand in a unit");
  refused("initial.T=1 + t", "may not depend on time");
  refused("initial.T=1 + y", "not an axis of the mesh");
  refused("initial.T=20[degC] + 3[s]", "column");
  refused("boundary.x_min.value=20 C", "did you mean 'degC'?");
  refused("boundary.x_min.value=3[s]", "needs K, got s");
  refused("boundary.x_min.type=symmetry", "applies only when type is value or flux; here it is 'symmetry'");
  refused("boundary.x_min.type=vlaue", "did you mean 'value'?");
  refused("boundary.x_min={type: flux, value: 3 W/m2K}", "W/(m^2 K)");
  refused("boundary.x_min={value: 3}", "boundary.x_min.type: is required");
  refused("time.method=implict", "did you mean 'implicit'?");
  refused("time.dt=-1 s", "greater than 0 s");
  refused("manufactured=yes", "must be true or false, got 'yes'");
  refused("solver=hat", "did you mean 'heat'?");
  refused("parameters.t=3", "reserved");
  refused("parameters.T=3", "field of the solver");
  refused("parameters.sin=3", "reserved");
  refused("parameters.p=q", "unknown name 'q'");
  refused("parameters.p-q=3", "is not a name");
  refused("verify[1].expect=0", "a percentage of 0");
  refused("verify[1].expect=20 degC", "degC");
  refused("verify[0].within=3 s", "wrong dimension");
  refused("probes.a.at=3", "must be a list of numbers");
  refused("checkpoint.keep=0", "at least 1");
  refused("output.compression=10", "at most 9");
  refused("seed=1e17", "2^53");
}

static void dimensionless_decks_are_fine(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck =
      deck_of_text("solver: heat\nmesh: {x: {from: 0, to: 1, cells: 1e1}}\n"
                   "material: {conductivity: 1 + T^2, density: 1, heat_capacity: 1}\n"
                   "initial: {T: 'exp(-x^2) + noise(0)'}\nsource: 'x*t + sin(T)'\ntime: {end: 1}\n"
                   "verify: [{quantity: 'probe:a', expect: -1, within: 1 %}]\n",
                   NULL, &messages);
  assert_string_equal(messages, "");
  assert_int_equal(ink_deck_integer(deck, "mesh.x.cells"), 10);
  free(messages);
  ink_deck_destroy(&deck);
}

static const char deck_species[] =
    "solver: reaction_diffusion\n"
    "mesh: {x: {from: 0, to: 1, cells: 9}}\n"
    "species:\n"
    "  u: {diffusion: 1, unit: mol/L, initial: 1 mmol/L}\n"
    "  v: {diffusion: {u: 2, v: 3}, initial: 5 kg/m^3}\n"
    "boundary:\n"
    "  x_min: {u: {type: value, value: 1}, v: [{where: t < 1, type: flux, value: 7}, {type: symmetry}]}\n"
    "  x_max: [{type: symmetry}]\n"
    "time: {end: 1}\n"
    "verify: [{quantity: 'front:position', field: v, level: 2, axis: x, expect: 0, within: 1}]\n";

static void species_refused(const char *setting, const char *word) {
  const char *settings[] = {setting, NULL};
  char *messages;
  InkDeck *deck = deck_of_text(deck_species, settings, &messages);
  if (!strstr(messages, word)) fail_msg("--set '%s': wanted '%s', got: %s", setting, word, messages);
  free(messages);
  ink_deck_destroy(&deck);
}

/* Rows of one path that differ in kind: the one that fits holds. */
static void rows_fit_the_node(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck = deck_of_text(deck_species, NULL, &messages);
  assert_string_equal(messages, "");
  assert_true(ink_expr_value(ink_deck_expression(deck, "species.u.diffusion"), NULL) == 1);
  assert_true(ink_expr_value(ink_deck_expression(deck, "species.v.diffusion.u"), NULL) == 2);
  assert_true(ink_expr_value(ink_deck_expression(deck, "boundary.x_min.v[0].value"), NULL) == 7);
  assert_int_equal(ink_deck_count(deck, "boundary.x_max"), 1);
  free(messages);
  ink_deck_destroy(&deck);
  species_refused("boundary.x_max=3", "must be a section (a mapping of keys), or a list of mappings");
  species_refused("boundary.x_min.u=[3]", "must be a mapping, got 3");
  species_refused("species.u.diffusion=[1]", "must be a number, quantity or expression, or a section");
  species_refused("boundary.x_min.v[0].type=radiation", "which the solver heat has");
}

/* A symbolic unit is that of the field the key is about. */
static void units_follow_the_field(void **state) {
  (void)state;
  species_refused("species.u.initial=1 kg/m^3", "needs mol/m^3, got kg/m^3");
  species_refused("initial.u=1 K", "needs mol/m^3, got K");
  species_refused("boundary.x_min.u.value=1 kg/m^3", "needs mol/m^3");
  species_refused("boundary.x_min.v[0].value=1 kg/m^3", "needs kg/(m^2 s)");
  species_refused("species.v.diffusion.u=1 m^2/s", "needs kg m^2/(mol s)");
  species_refused("species.v.diffusion.v=1 m^2", "needs m^2/s");
  species_refused("species.u.reaction=1 mol/L", "needs mol/(m^3 s)");
  species_refused("verify[0].level=1 mol/L", "needs kg/m^3");
  species_refused("exact.u=1 K", "needs mol/m^3");
  species_refused("species.sin={diffusion: 1}", "species.sin: 'sin' is reserved");
  species_refused("species.time={diffusion: 1}", "species.time: 'time' is reserved (output files have it)");
  species_refused("species.x_bnds={diffusion: 1}", "species.x_bnds: 'x_bnds' is reserved");
  species_refused("species.u.reaction=w", "unknown name 'w': did you mean v?");
  species_refused("parameters.u=1", "a field of the solver");
}

/* All errors in one run, by line, each once, and no error that only follows from another. */
static void errors_come_together(void **state) {
  (void)state;
  char *messages;
  InkDeck *deck = deck_of_text("solver: heat\n"
                               "mesh:\n"
                               "  x: {from: 0, too: 1, cells: 0}\n"
                               "material: {conductivity: q, density: 1, heat_capacity: 1}\n"
                               "parameters: {p: zz, s: 2*p}\n"
                               "boundary:\n"
                               "  x_min: {type: valeu, value: p}\n"
                               "time: {end: 1 m}\n",
                               NULL, &messages);
  static const char *const lines[] = {
      "d.yaml:3: mesh.x.too:",   "d.yaml:3: mesh.x.cells:",        "d.yaml:4: material.conductivity:",
      "d.yaml:5: parameters.p:", "d.yaml:7: boundary.x_min.type:", "d.yaml:8: time.end:"};
  const char *at = messages;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    if (strncmp(at, lines[i], strlen(lines[i])) != 0) fail_msg("wanted '%s' at: %s", lines[i], messages);
    at = strchr(at, '\n') + 1;
  }
  if (*at) fail_msg("more errors than mistakes: %s", messages);
  free(messages);
  ink_deck_destroy(&deck);
}

static void solver_errors_find_their_place(void **state) {
  (void)state;
  InkDeck *deck = deck_of_text(deck_good, NULL, NULL);
  InkErrors *errors = ink_errors_create();
  ink_deck_error(deck, errors, "probes.a.at", "is outside");
  ink_deck_error(deck, errors, "probes.a.field", "is missing");
  ink_deck_error(deck, errors, "source", "is missing");
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  assert_non_null(strstr(text, "d.yaml:12: probes.a.at: is outside"));
  assert_non_null(strstr(text, "d.yaml:12: probes.a.field: is missing"));
  free(text);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_si),
      cmocka_unit_test(defaults_are_filled_in),
      cmocka_unit_test(yaml_round_trips),
      cmocka_unit_test(numbers_read_back_bit_by_bit),
      cmocka_unit_test(hash_sees_what_matters),
      cmocka_unit_test(single_mistakes),
      cmocka_unit_test(dimensionless_decks_are_fine),
      cmocka_unit_test(rows_fit_the_node),
      cmocka_unit_test(units_follow_the_field),
      cmocka_unit_test(errors_come_together),
      cmocka_unit_test(solver_errors_find_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
