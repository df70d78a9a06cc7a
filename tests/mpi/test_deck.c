/* The deck that rank 0 reads arrives on every rank bit by bit: texts, numbers, trees, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../unit/deck_text.h"
#include "../unit/state_deck.h"

static void assert_same_node(const InkNode *a, const InkNode *b, const InkDeck *deck) {
  assert_int_equal(a->kind, b->kind);
  assert_ptr_equal(a->type, b->type); /* rows of the table of the same program */
  assert_int_equal(a->place.line, b->place.line);
  assert_string_equal(a->key ? a->key : "", b->key ? b->key : "");
  assert_string_equal(a->text ? a->text : "", b->text ? b->text : "");
  assert_memory_equal(&a->number, &b->number, sizeof a->number);
  assert_memory_equal(a->dim.exponent, b->dim.exponent, sizeof a->dim.exponent);
  assert_true(a->percent == b->percent && a->defaulted == b->defaulted && a->dim.known == b->dim.known);
  assert_int_equal(a->count, b->count);
  assert_int_equal(a->expression != NULL, b->expression != NULL);
  if (a->expression) {
    InkPool *pool = ink_pool_create();
    const char *const *names = ink_deck_variable_names(deck);
    assert_string_equal(ink_expr_print(pool, a->expression, names),
                        ink_expr_print(pool, b->expression, names));
    assert_true(ink_expr_variables(a->expression) == ink_expr_variables(b->expression));
    ink_pool_destroy(&pool);
  }
  const InkNode *p = a->first, *q = b->first;
  for (; p && q; p = p->next, q = q->next) assert_same_node(p, q, deck);
}

static void every_rank_has_the_same_deck(void **state) {
  (void)state;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  InkDeck *own = deck_of_text(deck_good, NULL, NULL); /* what rank 0 sends, read here to compare */
  InkDeck *deck = rank == 0 ? deck_of_text(deck_good, NULL, NULL) : NULL;
  assert_int_equal(ink_deck_broadcast(MPI_COMM_WORLD, &ink_schemas, &deck), 0);
  assert_same_node(ink_deck_node(own, "%s", ""), ink_deck_node(deck, "%s", ""), deck);
  assert_string_equal(ink_deck_yaml(deck), ink_deck_yaml(own));
  assert_true(ink_deck_hash(deck) == ink_deck_hash(own));
  const char *const *names;
  const InkDim *dims;
  assert_int_equal(ink_deck_fields(deck, &names, &dims), 1);
  assert_string_equal(names[0], "T");
  assert_true(dims[0].known);
  ink_deck_destroy(&deck);
  ink_deck_destroy(&own);
}

/* Names, sides, sections and dimensions of state variables are the same on all ranks. */
static void every_rank_has_the_same_axes(void **state) {
  (void)state;
  int rank;
  char *lines;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  InkDeck *own = state_deck(state_good, &lines);
  assert_string_equal(lines, "");
  free(lines);
  InkDeck *deck = rank == 0 ? own : NULL;
  assert_int_equal(ink_deck_broadcast(MPI_COMM_WORLD, &state_schemas, &deck), 0);
  const InkDomainAxis *a, *b;
  assert_int_equal(ink_deck_state(own, &a), 2);
  assert_int_equal(ink_deck_state(deck, &b), 2);
  for (int i = 0; i < 2; i++) {
    assert_string_equal(a[i].name, b[i].name);
    assert_string_equal(a[i].section, b[i].section);
    for (int end = 0; end < 2; end++) assert_string_equal(a[i].side[end], b[i].side[end]);
    assert_string_equal(a[i].unit, b[i].unit);
    assert_true(a[i].dim.known == b[i].dim.known);
    assert_memory_equal(a[i].dim.exponent, b[i].dim.exponent, sizeof a[i].dim.exponent);
  }
  assert_same_node(ink_deck_node(own, "%s", ""), ink_deck_node(deck, "%s", ""), deck);
  assert_string_equal(ink_deck_yaml(deck), ink_deck_yaml(own));
  if (rank != 0) ink_deck_destroy(&own);
  ink_deck_destroy(&deck);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_rank_has_the_same_deck),
                                     cmocka_unit_test(every_rank_has_the_same_axes)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
