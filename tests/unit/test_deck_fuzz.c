/* Thousands of broken decks, each made from a good one by a few random edits (the same ones in every run):
 * the reader and the solver's checks must refuse or accept each without a crash, and a deck that was read
 * must survive the round trip through OUT/deck.yaml. INKDROP_LONG=SECONDS goes on for so long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "deck_text.h"
#include "../../solvers/verify.h"

enum { ROOM = 1 << 16, SHORT_RUN = 4000 };

static const char deck_species[] =
    "solver: reaction_diffusion\n"
    "parameters: {k: 0.1 1/s, area: 2}\n"
    "mesh: {x: {from: 0, to: 1 cm, cells: 20}, y: {from: 0, to: 1 cm, cells: 20}}\n"
    "species:\n"
    "  u: {diffusion: 1e-9 m^2/s, unit: mol/L, reaction: -k*u, initial: 1 mmol/L, name: oxygen}\n"
    "  v: {diffusion: {u: 1e-12, v: '2e-9*(1 + area*x/1[m])'}, reaction: k*u}\n"
    "  w: {diffusion: 0, reaction: '1[mol/(m^3 s)]*sin(t/1[s])', initial: 0 mol/m^3}\n"
    "initial: {v: 0 mol/m^3}\n"
    "velocity: {x: 'y/1[s]'}\n"
    "boundary:\n"
    "  x_min:\n"
    "    - {where: y < 0.005, u: {type: value, value: 0, electrons: 1}, v: {type: flux, value: '0.1*u'}}\n"
    "    - {type: symmetry}\n"
    "  x_max: {u: [{where: y < 0.002, type: value, value: 1}, {type: convection, coefficient: 1e-3, ambient: "
    "v}]}\n"
    "  y_min: {type: periodic}\n"
    "  y_max: {type: periodic}\n"
    "time: {end: 1 min, positive: true}\n"
    "probes: {p: {field: v, at: [0, 0]}}\n"
    "verify:\n"
    "- {quantity: 'current:x_min', expect: 1, within: 1}\n"
    "- {quantity: 'front:speed', field: u, level: 0.5 mmol/L, axis: x, expect: 1, within: 1}\n";
static const char deck_kinetics[] = "solver: reaction_diffusion\n"
                                    "kinetics: gray_scott\n"
                                    "parameters: {F: 0.03}\n"
                                    "mesh: {x: {from: 0, to: 2.5, cells: 20}}\n"
                                    "species: {u: {initial: 1}, v: {initial: 0.1*noise(0)}}\n"
                                    "boundary: {x_min: {u: {type: value, value: 1}}}\n"
                                    "time: {end: 100}\n";
static const char *const originals[] = {deck_good, deck_species, deck_kinetics};
enum { ORIGINALS = sizeof originals / sizeof *originals };

typedef struct Fuzz {
  uint64_t state; /* xorshift64* */
  char text[ROOM];
  size_t length;
} Fuzz;

static size_t below(Fuzz *f, size_t n) {
  f->state ^= f->state >> 12;
  f->state ^= f->state << 25;
  f->state ^= f->state >> 27;
  return n ? (size_t)((f->state * 0x2545F4914F6CDD1DULL) >> 33) % n : 0;
}

static void replace(Fuzz *f, size_t at, size_t drop, const char *piece, size_t size) {
  if (at + drop > f->length || f->length - drop + size > ROOM) return;
  memmove(f->text + at + size, f->text + at + drop, f->length - at - drop);
  memcpy(f->text + at, piece, size);
  f->length = f->length - drop + size;
}

static const char *const tokens[] = {"*",
                                     "&a ",
                                     "!x ",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     "\t",
                                     "- ",
                                     ": ",
                                     "'",
                                     "\"",
                                     "#",
                                     "|",
                                     ">",
                                     "?",
                                     "---\n",
                                     "...\n",
                                     "%YAML 1.1",
                                     "\n",
                                     "  ",
                                     ",",
                                     "1e999",
                                     "-1",
                                     "0",
                                     "nan",
                                     "1/0",
                                     "[m]",
                                     "[degC]",
                                     " degC",
                                     " W/m2K",
                                     " %",
                                     "^",
                                     "^-1e9",
                                     "((((",
                                     "))))",
                                     "noise(99)",
                                     "if(",
                                     "x",
                                     "T",
                                     "t",
                                     "pi",
                                     "a",
                                     "true",
                                     "sin(",
                                     "<<: ",
                                     "~",
                                     "null",
                                     "0x10",
                                     "7:30",
                                     "\xFF",
                                     "\xC2\xB0",
                                     "\xEF\xBB\xBF",
                                     "\\",
                                     "@",
                                     "cells: ",
                                     "type: ",
                                     "flux",
                                     "convection",
                                     "verify:",
                                     "mesh:",
                                     "steady",
                                     "include: d.yaml\n",
                                     "segments: [{to: 1, cells: 3}]",
                                     "99999999999999999999",
                                     "=",
                                     "$",
                                     "1.5.2",
                                     "e",
                                     "+",
                                     "--",
                                     "tan(",
                                     "min(",
                                     "unit",
                                     "."};

static void edit(Fuzz *f) {
  size_t at = below(f, f->length + 1), n = below(f, 40);
  char span[64];
  switch (below(f, 7)) {
  case 0: /* one byte */
    span[0] = (char)below(f, 256);
    replace(f, at, 1, span, 1);
    break;
  case 1:
  case 2: { /* a token, over something or in between */
    const char *token = tokens[below(f, sizeof tokens / sizeof *tokens)];
    replace(f, at, below(f, 2) ? below(f, 6) : 0, token, strlen(token));
    break;
  }
  case 3: /* a span away */
    replace(f, at, n, "", 0);
    break;
  case 4: { /* a span twice, or elsewhere */
    if (at + n > f->length) return;
    memcpy(span, f->text + at, n);
    replace(f, below(f, f->length + 1), 0, span, n);
    break;
  }
  case 5: { /* a token many times */
    const char *token = tokens[below(f, sizeof tokens / sizeof *tokens)];
    for (size_t i = below(f, 300); i > 0; i--) replace(f, at, 0, token, strlen(token));
    break;
  }
  default: /* a line away */
    while (at > 0 && f->text[at - 1] != '\n') at--;
    for (n = 0; at + n < f->length && f->text[at + n] != '\n'; n++) {
    }
    replace(f, at, n, "", 0);
  }
}

/* An accepted deck must give itself back. */
static void check_round_trip(const InkDeck *deck) {
  char *messages;
  InkDeck *again = deck_of_text(ink_deck_yaml(deck), NULL, &messages);
  if (*messages) fail_msg("not read back: %s\n%s", messages, ink_deck_yaml(deck));
  assert_string_equal(ink_deck_yaml(again), ink_deck_yaml(deck));
  assert_true(ink_deck_hash(again) == ink_deck_hash(deck));
  free(messages);
  ink_deck_destroy(&again);
}

/* True when the deck was read without errors. */
static bool read_mutant(const Fuzz *f, const char *path, const char *const *settings) {
  FILE *stream = fopen(path, "w");
  assert_non_null(stream);
  assert_int_equal(fwrite(f->text, 1, f->length, stream), f->length);
  fclose(stream);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, settings, &ink_schemas, errors);
  assert_non_null(deck);
  const bool good = ink_errors_count(errors) == 0;
  const InkNode *name = ink_deck_sound(deck, "solver") ? ink_deck_node(deck, "solver") : NULL;
  const InkSolverType *solver = name && name->text ? ink_solver_find(name->text) : NULL;
  if (solver) { /* all that a run checks */
    solver->check(deck, 2, errors);
    ink_events_check(deck, errors);
    ink_verify_check(deck, solver, errors);
  }
  char *printed = NULL;
  size_t size = 0;
  stream = open_memstream(&printed, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  if (good)
    check_round_trip(deck);
  else
    assert_true(size > 0);
  free(printed);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
  return good;
}

/* What is edited must be good itself. */
static void originals_are_good(void **state) {
  (void)state;
  for (int o = 0; o < ORIGINALS; o++) {
    char *messages;
    InkDeck *deck = deck_of_text(originals[o], NULL, &messages);
    InkErrors *errors = ink_errors_create();
    ink_solver_find(ink_deck_text(deck, "solver"))->check(deck, 2, errors);
    ink_errors_print(errors, stderr);
    assert_string_equal(messages, "");
    assert_int_equal(ink_errors_count(errors), 0);
    ink_errors_destroy(&errors);
    free(messages);
    ink_deck_destroy(&deck);
  }
}

static void mutants_are_read_or_refused(void **state) {
  (void)state;
  char folder[] = "/tmp/inkdrop_fuzz_XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/d.yaml", folder);
  const char *longer = getenv("INKDROP_LONG");
  const time_t end = time(NULL) + (longer ? atoi(longer) : 10);
  static Fuzz fuzz = {.state = 0x9E3779B97F4A7C15ULL};
  int good = 0, count = 0;
  for (; (longer || count < SHORT_RUN) && time(NULL) < end; count++) {
    char setting[200];
    const char *original = originals[below(&fuzz, ORIGINALS)];
    fuzz.length = strlen(original);
    memcpy(fuzz.text, original, fuzz.length);
    for (size_t n = 1 + below(&fuzz, 4); n > 0; n--) edit(&fuzz);
    snprintf(setting, sizeof setting, "%s%s=%s", tokens[below(&fuzz, 60)], "mesh.x.cells",
             tokens[below(&fuzz, 60)]);
    const char *settings[] = {below(&fuzz, 4) ? NULL : setting, NULL};
    good += read_mutant(&fuzz, path, settings);
  }
  printf("%d decks, %d of them good\n", count, good);
  assert_true(count > 100 && good > 0 && good < count);
  unlink(path);
  rmdir(folder);
}

/* Each deck cut off at each byte. */
static void truncations_are_read_or_refused(void **state) {
  (void)state;
  char folder[] = "/tmp/inkdrop_fuzz_XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/d.yaml", folder);
  static Fuzz fuzz;
  for (int o = 0; o < ORIGINALS; o++) {
    memcpy(fuzz.text, originals[o], strlen(originals[o]));
    for (fuzz.length = 0; fuzz.length <= strlen(originals[o]); fuzz.length++) read_mutant(&fuzz, path, NULL);
  }
  unlink(path);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(originals_are_good),
                                     cmocka_unit_test(truncations_are_read_or_refused),
                                     cmocka_unit_test(mutants_are_read_or_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
