/* For the heat solver's tests: decks from text, runs, questions, and the errors of wrong decks. */
#ifndef INK_TESTS_HEAT_BENCH_H
#define INK_TESTS_HEAT_BENCH_H

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

#include "../../solvers/core/mesh.h"
#include "../../solvers/heat/heat.h"

static inline int rank_of(MPI_Comm comm) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

static inline void write_deck(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Reads `text` as a deck on rank 0 of comm and gives it to all its ranks. */
static inline InkDeck *make_deck(MPI_Comm comm, const char *text) {
  InkDeck *deck = NULL;
  int bad = 0;
  if (rank_of(comm) == 0) {
    char path[64] = "/tmp/inkdrop_heat_XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    write_deck(path, text);
    InkErrors *errors = ink_errors_create();
    deck = ink_deck_read(path, NULL, &ink_schemas, errors);
    if (!ink_errors_count(errors)) ink_heat.check(deck, 1, errors);
    ink_errors_print(errors, stderr);
    bad = ink_errors_count(errors);
    ink_errors_destroy(&errors);
    unlink(path);
  }
  assert_int_equal(bad, 0);
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
  assert_int_equal(ink_heat.create(comm, run->deck, &run->self, &failure), 0);
  if (failure.code) print_error("%s\n", failure.message);
  assert_int_equal(failure.code, 0);
}

static inline void advance(Run *run, double until) {
  InkProgress progress = {0};
  assert_int_equal(ink_heat.advance(run->self, until, NULL, &progress), 0);
  if (progress.failure.code) print_error("%s\n", progress.failure.message);
  assert_int_equal(progress.failure.code, 0);
}

static inline void finish(Run *run) {
  assert_int_equal(ink_heat.destroy(&run->self), 0);
  ink_deck_destroy(&run->deck);
}

static inline double ask(const Run *run, const char *kind, const char *argument) {
  const InkQuery query = {kind, argument, NULL};
  InkValue value = {0};
  assert_int_equal(ink_heat.quantity(run->self, &query, &value), 0);
  return value.value;
}

static inline void close_to(double value, double expect, double relative) {
  if (!(fabs(value - expect) <= relative * fabs(expect)))
    print_error("got %.15g, expected %.15g\n", value, expect);
  assert_true(fabs(value - expect) <= relative * fabs(expect));
}

/* The owned values of the temperature; free() them. */
static inline double *field_of(const Run *run, size_t *bytes) {
  const InkField *fields;
  int count;
  assert_int_equal(ink_heat.fields(run->self, &fields, &count), 0);
  assert_int_equal(count, 1);
  const InkBox *box = &fields[0].grid.box;
  size_t nx = (size_t)box->count[1], ny = (size_t)box->count[0];
  double *values = malloc((nx * ny + 1) * sizeof(double));
  assert_non_null(values);
  for (size_t j = 0; j < ny; j++)
    for (size_t i = 0; i < nx; i++)
      values[j * nx + i] = fields[0].values[j * (size_t)box->stride[0] + i * (size_t)box->stride[1]];
  *bytes = nx * ny * sizeof(double);
  return values;
}

/* Checks `text` on rank 0 and looks for `count` sentences among the errors. */
static inline void expect_errors(const char *text, int count, const char *const sentences[]) {
  if (rank_of(MPI_COMM_WORLD) != 0) return;
  char path[64] = "/tmp/inkdrop_heat_XXXXXX", *printed = NULL;
  size_t length = 0;
  const int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  close(descriptor);
  write_deck(path, text);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, NULL, &ink_schemas, errors);
  ink_heat.check(deck, 1, errors);
  FILE *memory = open_memstream(&printed, &length);
  ink_errors_print(errors, memory);
  fclose(memory);
  if (ink_errors_count(errors) != count)
    print_error("%d errors, expected %d:\n%s", ink_errors_count(errors), count, printed);
  assert_int_equal(ink_errors_count(errors), count);
  for (int i = 0; i < count; i++) {
    if (!strstr(printed, sentences[i])) print_error("no '%s' in:\n%s", sentences[i], printed);
    assert_non_null(strstr(printed, sentences[i]));
  }
  free(printed);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
  unlink(path);
}

#endif
