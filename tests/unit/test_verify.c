/* Verify entries: how a quantity is split, what is refused with which hint, and the verdicts. The solver here
 * answers every question with the length of its argument, so that a test knows the values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../../solvers/verify.h"
#include "deck_text.h"

static const char bar[] = "solver: heat\n"
                          "mesh: {x: {from: 0, to: 1 m, cells: 8}}\n"
                          "material: {diffusivity: 1 m^2/s}\n"
                          "initial: {T: 20 degC}\n"
                          "time: {end: 2 s}\n"
                          "probes: {p: {field: T, at: [0.5 m]}}\n";

static InkDeck *bar_with(const char *verify) {
  char text[2048], *messages;
  const char *const none[] = {NULL};
  snprintf(text, sizeof text, "%sverify:\n%s", bar, verify);
  InkDeck *deck = deck_of_text(text, none, &messages);
  assert_string_equal(messages, "");
  free(messages);
  assert_non_null(deck);
  return deck;
}

static void quantities_are_split_at_the_first_colon(void **state) {
  (void)state;
  static const struct {
    const char *text, *kind, *argument;
  } cases[] = {{"probe:centre", "probe", "centre"},
               {"error:l2:T", "error", "l2:T"},
               {"growth", "growth", ""},
               {"flux:x_min", "flux", "x_min"},
               {"probe:", "probe", ""},
               {"", "", ""},
               {":T", "", "T"},
               {"front:speed", "front", "speed"}};
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    InkQuery query = ink_query_parse(pool, cases[i].text, NULL);
    assert_string_equal(query.kind, cases[i].kind);
    assert_string_equal(query.argument, cases[i].argument);
    assert_null(query.entry);
  }
  ink_pool_destroy(&pool);
}

/* Everything wrong with the entries, as printed. */
static char *refused(const char *verify) {
  InkDeck *deck = bar_with(verify);
  InkErrors *errors = ink_errors_create();
  ink_verify_check(deck, ink_solver_find("heat"), errors);
  char *printed = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&printed, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
  return printed;
}

static void assert_refused(const char *entry, const char *where, const char *hint) {
  char text[512];
  snprintf(text, sizeof text, "- {quantity: \"max:T\", expect: 0, within: 1}\n- {%s}\n", entry);
  char *printed = refused(text);
  if (!where && *printed) fail_msg("'%s' was refused: %s", entry, printed);
  if (where && (!strstr(printed, where) || !strstr(printed, hint)))
    fail_msg("'%s' gave: %s, without '%s' and '%s'", entry, printed, where, hint);
  free(printed);
}

static void entries_are_checked(void **state) {
  (void)state;
  assert_refused("quantity: \"probe:p\", expect: 20 degC, within: 1", NULL, NULL);
  assert_refused("quantity: \"prob:p\", expect: 0, within: 1", "verify[1].quantity", "did you mean 'probe'?");
  assert_refused("quantity: \"fluks:x_min\", expect: 0, within: 1", "verify[1].quantity",
                 "did you mean 'flux'?");
  assert_refused("quantity: \"zzzzzzzz\", expect: 0, within: 1", "verify[1].quantity",
                 "unknown quantity 'zzzzzzzz'");
  assert_refused("quantity: \"probe\", expect: 0, within: 1", "verify[1].quantity", "probe:NAME");
  assert_refused("quantity: \"probe:q\", expect: 0, within: 1", "verify[1].quantity", "q");
  assert_refused("quantity: \"probe:p\", expect: 3 m, within: 1", "verify[1].expect", "probe:p is in");
  assert_refused("quantity: \"eigenvalue:1\", expect: 0, within: 1", "verify[1].quantity", "");
}

/* A solver whose every quantity is the number of letters of its argument. */
static PetscErrorCode letters(void *self, const InkQuery *query, InkValue *value) {
  int *asked = self;
  (*asked)++;
  *value = (InkValue){.value = (double)strlen(query->argument), .unit = "K"};
  return 0;
}

static void verdicts_follow_the_values(void **state) {
  (void)state;
  InkDeck *deck = bar_with("- {quantity: \"probe:four\", at: 1 s, expect: 5, within: 1}\n"
                           "- {quantity: \"probe:four\", expect: 5, within: 10 %}\n"
                           "- {quantity: \"probe:four\", expect: 5, within: 20 %}\n"
                           "- {quantity: \"probe:four\", at: 0.5, expect: 4, within: 1}\n"
                           "- {quantity: \"probe:four\", expect: -269.15 degC, within: 1e-9}\n");
  const InkSolverType solver = {.quantity = letters};
  InkVerify *verify;
  int asked = 0;
  bool pass;
  assert_int_equal(ink_verify_create(MPI_COMM_SELF, deck, &verify), 0);
  assert_int_equal(ink_verify_evaluate(verify, &solver, &asked, 1, 1e-9), 0);
  assert_int_equal(asked, 1);
  assert_int_equal(ink_verify_evaluate(verify, &solver, &asked, 1 + 1e-6, 1e-9), 0);
  assert_int_equal(asked, 1); /* no entry has this time */
  assert_int_equal(ink_verify_evaluate(verify, &solver, &asked, 2, 1e-9), 0);
  assert_int_equal(asked, 4); /* those without `at` are due at the end */

  InkVerdict *v = ink_verify_verdicts(verify, &pass);
  static const bool expected[] = {true, false, true, false, true};
  assert_false(pass);
  for (int i = 0; i < 5; i++) assert_int_equal(v[i].pass, expected[i]);
  assert_true(v[0].value == 4 && v[0].difference == -1 && v[0].at == 1 && v[0].within == 1);
  assert_true(fabs(v[1].within - 0.5) < 1e-15);
  assert_true(isnan(v[3].value)); /* its time never came */
  assert_string_equal(v[0].unit, "K");
  assert_string_equal(v[4].unit, "degC");
  assert_true(fabs(v[4].value / v[4].display_factor - v[4].display_offset + 269.15) < 1e-9);
  free(v);
  assert_int_equal(ink_verify_destroy(&verify), 0);
  ink_deck_destroy(&deck);
}

static void a_deck_without_entries_passes(void **state) {
  (void)state;
  const char *const none[] = {NULL};
  InkDeck *deck = deck_of_text(bar, none, NULL);
  InkVerify *verify;
  bool pass = false;
  assert_int_equal(ink_verify_create(MPI_COMM_SELF, deck, &verify), 0);
  InkVerdict *verdicts = ink_verify_verdicts(verify, &pass);
  assert_int_equal(verify->count, 0);
  assert_true(pass);
  free(verdicts);
  assert_int_equal(ink_verify_destroy(&verify), 0);
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantities_are_split_at_the_first_colon),
      cmocka_unit_test(entries_are_checked),
      cmocka_unit_test(verdicts_follow_the_values),
      cmocka_unit_test(a_deck_without_entries_passes),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
