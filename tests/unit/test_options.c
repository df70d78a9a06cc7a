/* The command line: what is taken, what is refused and how, where results go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "../../solvers/options.h"

enum { MOST_WORDS = 16 };

/* Splits a command line at blanks and reads it; the words must outlive the options. */
static bool parse(char *line, char *word[MOST_WORDS], InkOptions *options) {
  int count = 0;
  for (char *w = strtok(line, " "); w && count < MOST_WORDS; w = strtok(NULL, " ")) word[count++] = w;
  return ink_options_parse(count, word, options);
}

#define GOOD(text)                                                                                           \
  char line[] = text, *word[MOST_WORDS];                                                                     \
  InkOptions o;                                                                                              \
  assert_true(parse(line, word, &o))

static void run_takes_its_options(void **state) {
  (void)state;
  GOOD("inkdrop run a.yaml --set time.end=3 b.yaml --output=res --restart never --quiet --set x=1 -- "
       "-ksp_view -x");
  assert_int_equal(o.verb, INK_VERB_RUN);
  assert_int_equal(o.arguments, 2);
  assert_string_equal(o.argument[0], "a.yaml");
  assert_string_equal(o.argument[1], "b.yaml");
  assert_null(o.argument[2]);
  assert_int_equal(o.settings, 2);
  assert_string_equal(o.setting[0], "time.end=3");
  assert_string_equal(o.setting[1], "x=1");
  assert_null(o.setting[2]);
  assert_string_equal(o.output, "res");
  assert_int_equal(o.restart, INK_RESTART_NEVER);
  assert_true(o.quiet);
  assert_int_equal(o.petsc_count, 2);
  assert_string_equal(o.petsc[0], "-ksp_view");
  ink_options_free(&o);
}

static void restart_file_and_json_log(void **state) {
  (void)state;
  GOOD("inkdrop run --restart out/checkpoints/000003.h5 --json-log run.jsonl a.yaml");
  assert_int_equal(o.restart, INK_RESTART_FILE);
  assert_string_equal(o.restart_file, "out/checkpoints/000003.h5");
  assert_string_equal(o.json_log_file, "run.jsonl");
  assert_int_equal(o.arguments, 1);
  ink_options_free(&o);
}

static void json_log_does_not_eat_the_deck(void **state) {
  (void)state;
  GOOD("inkdrop run --json-log a.yaml");
  assert_true(o.json_log);
  assert_null(o.json_log_file);
  assert_string_equal(o.argument[0], "a.yaml");
  ink_options_free(&o);
}

static void json_means_what_the_verb_says(void **state) {
  (void)state;
  GOOD("inkdrop describe heat.mesh --json");
  assert_true(o.json);
  ink_options_free(&o);
  char other[] = "inkdrop convergence a.yaml --json table.json --levels 3 --expect-order 1.95";
  assert_true(parse(other, word, &o));
  assert_string_equal(o.json_file, "table.json");
  assert_int_equal(o.levels, 3);
  assert_true(o.expect_order == 1.95);
  ink_options_free(&o);
}

static void help_is_reached_from_a_verb(void **state) {
  (void)state;
  GOOD("inkdrop run --help");
  assert_int_equal(o.verb, INK_VERB_HELP);
  ink_options_free(&o);
}

static void mistakes_are_one_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *says;
  } wrong[] = {
      {"inkdrop", "inkdrop run DECK"},
      {"inkdrop runn a.yaml", "unknown verb 'runn'"},
      {"inkdrop a.yaml", "inkdrop run a.yaml"},
      {"inkdrop run", "needs a deck"},
      {"inkdrop run a.yaml --set", "--set needs a value"},
      {"inkdrop run a.yaml --set -- -x", "--set needs a value"},
      {"inkdrop run a.yaml --set time.end", "KEY.PATH=VALUE"},
      {"inkdrop run a.yaml --quiet=1", "takes no value"},
      {"inkdrop run a.yaml --levels 3", "--levels is not an option of run"},
      {"inkdrop run a.yaml -ksp_view", "PETSc options go after --"},
      {"inkdrop convergence a.yaml --levels one", "--levels takes a number"},
      {"inkdrop convergence a.yaml --levels 99", "--levels takes a number"},
      {"inkdrop convergence a.yaml b.yaml", "'b.yaml' is too much"},
      {"inkdrop info", "needs a file"},
      {"inkdrop pack out", "needs the folder"},
      {"inkdrop list x", "'x' is too much"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char line[256], *word[MOST_WORDS];
    InkOptions o;
    snprintf(line, sizeof line, "%s", wrong[i].line);
    assert_false(parse(line, word, &o));
    if (!strstr(o.message, wrong[i].says)) fail_msg("'%s' says: %s", wrong[i].line, o.message);
    assert_null(strchr(o.message, '\n'));
    ink_options_free(&o);
  }
}

static void assert_out(const char *text, int deck, const char *expected) {
  char line[256], *word[MOST_WORDS];
  InkOptions o;
  snprintf(line, sizeof line, "%s", text);
  assert_true(parse(line, word, &o));
  char *out = ink_options_out(&o, o.argument[deck]);
  assert_string_equal(out, expected);
  free(out);
  ink_options_free(&o);
}

static void where_results_go(void **state) {
  (void)state;
  assert_out("inkdrop run inputs/heat/nafems_t3.yaml", 0, "nafems_t3.out");
  assert_out("inkdrop run a.b.yml", 0, "a.b.out");
  assert_out("inkdrop run noextension", 0, "noextension.out");
  assert_out("inkdrop run a.yaml --output here", 0, "here");
  assert_out("inkdrop run x/a.yaml y/b.yaml --output here", 0, "here/a.out");
  assert_out("inkdrop run x/a.yaml y/b.yaml --output here", 1, "here/b.out");
  assert_out("inkdrop run x/a.yaml y/b.yaml", 1, "b.out");
}

/* The order is total: the worse of two is the same whichever comes first, and 0 never wins. */
static void worst_exit_code(void **state) {
  (void)state;
  static const int order[] = {1, 4, 74, 3, 2, 75, 0};
  for (int i = 0; i < 7; i++)
    for (int j = i; j < 7; j++) {
      assert_int_equal(ink_exit_worst(order[i], order[j]), order[i]);
      assert_int_equal(ink_exit_worst(order[j], order[i]), order[i]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(run_takes_its_options),
      cmocka_unit_test(restart_file_and_json_log),
      cmocka_unit_test(json_log_does_not_eat_the_deck),
      cmocka_unit_test(json_means_what_the_verb_says),
      cmocka_unit_test(help_is_reached_from_a_verb),
      cmocka_unit_test(mistakes_are_one_line),
      cmocka_unit_test(where_results_go),
      cmocka_unit_test(worst_exit_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
