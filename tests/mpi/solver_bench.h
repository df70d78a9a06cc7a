/* For tests of a solver from deck to numbers: decks from text, runs, questions, and the errors of wrong
 * decks. The file that includes this names the solver before: static const InkSolverType *const solver =
 * &...; */
#ifndef INK_TESTS_SOLVER_BENCH_H
#define INK_TESTS_SOLVER_BENCH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static inline int rank_of(MPI_Comm comm) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

/* Reads and checks `text` on this rank; *printed (to be freed) gets the errors. */
static inline InkDeck *read_deck(const char *text, int *bad, char **printed) {
  char path[64] = "/tmp/inkdrop_solver_XXXXXX";
  size_t length = 0;
  const int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  FILE *file = fdopen(descriptor, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, NULL, &ink_schemas, errors);
  solver->check(deck, 1, errors);
  FILE *memory = open_memstream(printed, &length);
  ink_errors_print(errors, memory);
  fclose(memory);
  *bad = ink_errors_count(errors);
  ink_errors_destroy(&errors);
  unlink(path);
  return deck;
}

/* A good deck on all ranks of comm. */
static inline InkDeck *make_deck(MPI_Comm comm, const char *text) {
  InkDeck *deck = NULL;
  if (rank_of(comm) == 0) {
    int bad;
    char *printed = NULL;
    deck = read_deck(text, &bad, &printed);
    if (bad) print_error("%s", printed);
    free(printed);
    assert_int_equal(bad, 0);
  }
  assert_int_equal(ink_deck_broadcast(comm, &ink_schemas, &deck), 0);
  return deck;
}

typedef struct Run {
  InkDeck *deck;
  void *self;
} Run;

static inline void start(MPI_Comm comm, const char *text, Run *run) {
  InkFailure failure = {0};
  run->deck = make_deck(comm, text);
  assert_int_equal(solver->create(comm, run->deck, &run->self, &failure), 0);
  if (failure.code) print_error("%s\n", failure.message);
  assert_int_equal(failure.code, 0);
}

static inline void advance(Run *run, double until) {
  InkProgress progress = {0};
  assert_int_equal(solver->advance(run->self, until, NULL, &progress), 0);
  if (progress.failure.code) print_error("%s\n", progress.failure.message);
  assert_int_equal(progress.failure.code, 0);
}

static inline void finish(Run *run) {
  assert_int_equal(solver->destroy(&run->self), 0);
  ink_deck_destroy(&run->deck);
}

static inline double ask(const Run *run, const char *kind, const char *argument) {
  const InkQuery query = {kind, argument, NULL};
  InkValue value = {0};
  assert_int_equal(solver->quantity(run->self, &query, &value), 0);
  return value.value;
}

/* Checks `text` on rank 0 and looks for `count` sentences among the errors. */
static inline void expect_errors(const char *text, int count, const char *const sentences[]) {
  int bad;
  char *printed = NULL;
  if (rank_of(MPI_COMM_WORLD) != 0) return;
  InkDeck *deck = read_deck(text, &bad, &printed);
  if (bad != count) print_error("%d errors, expected %d:\n%s", bad, count, printed);
  assert_int_equal(bad, count);
  for (int i = 0; i < count; i++) {
    if (!strstr(printed, sentences[i])) print_error("no '%s' in:\n%s", sentences[i], printed);
    assert_non_null(strstr(printed, sentences[i]));
  }
  free(printed);
  ink_deck_destroy(&deck);
}

#endif
