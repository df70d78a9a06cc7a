/* Targets: complete, in order, merged where they are the same but for rounding, and the end always there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../solvers/events.h"
#include "../../solvers/solver.h"

static InkDeck *deck_of(const char *start, const char *sections, int expected_errors) {
  char path[] = "/tmp/inkdrop_events_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "w");
  fprintf(file, "%s%s", start, sections);
  fclose(file);
  InkErrors *errors = ink_errors_create();
  const char *const settings[] = {NULL};
  InkDeck *deck = ink_deck_read(path, settings, &ink_schemas, errors);
  if (ink_errors_count(errors) == 0) ink_events_check(deck, errors);
  if (ink_errors_count(errors) != expected_errors) ink_errors_print(errors, stderr);
  assert_int_equal(ink_errors_count(errors), expected_errors);
  ink_errors_destroy(&errors);
  unlink(path);
  return deck;
}

/* A deck of one bar with the given time, output and verify sections. */
static InkDeck *deck_with(const char *sections, int expected_errors) {
  return deck_of("solver: heat\nmesh: {x: {from: 0, to: 1, cells: 8}}\nmaterial: {diffusivity: 1}\n"
                 "initial: {T: 0}\nprobes: {p: {field: T, at: [0.5]}}\n",
                 sections, expected_errors);
}

static InkEvents *events_of(const InkDeck *deck, unsigned mask) {
  InkEvents *events;
  assert_int_equal(ink_events_create(deck, mask, &events), 0);
  for (int e = 1; e < events->count; e++) {
    assert_true(events->event[e].time > events->event[e - 1].time + events->same);
  }
  assert_true(events->event[0].time > events->start);
  assert_true(events->event[events->count - 1].time == events->end);
  assert_true(events->event[events->count - 1].what & INK_EVENT_END);
  assert_true(events->event[events->count - 1].what & INK_EVENT_SNAPSHOT);
  assert_true(events->initial & INK_EVENT_SNAPSHOT);
  return events;
}

static int count_of(const InkEvents *events, unsigned what) {
  int count = 0;
  for (int e = 0; e < events->count; e++) count += (events->event[e].what & what) != 0;
  return count;
}

static void only_the_end(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {start: 2, end: 5}\n", 0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  assert_int_equal(events->count, 1);
  assert_true(events->start == 2 && events->end == 5);
  assert_int_equal(events->initial, INK_EVENT_SNAPSHOT);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

/* 0.1 * 3 is not 0.3: the time written in the deck is kept, and there is one target, not two. */
static void same_times_are_joined(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {end: 1}\noutput: {snapshots: {every: 0.1}, series: {every: 0.05}}\n"
                            "verify:\n- {quantity: 'probe:p', at: 0.3, expect: 0, within: 1}\n"
                            "- {quantity: 'probe:p', expect: 0, within: 1}\n",
                            0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  assert_int_equal(events->count, 20);
  assert_int_equal(count_of(events, INK_EVENT_SNAPSHOT), 10);
  assert_int_equal(count_of(events, INK_EVENT_SERIES), 20);
  assert_int_equal(count_of(events, INK_EVENT_VERIFY), 2);
  const InkEvent *event = ink_events_after(events, 0.26);
  assert_true(event->time == 0.3);
  assert_int_equal(event->what, INK_EVENT_SNAPSHOT | INK_EVENT_SERIES | INK_EVENT_VERIFY);
  assert_int_equal(events->initial, INK_EVENT_SNAPSHOT | INK_EVENT_SERIES);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

static void interval_that_does_not_divide_the_run(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {end: 1}\noutput: {snapshots: {every: 0.3}, series: {every: 0.4}}\n"
                            "checkpoint: {every_simulated: 0.25}\n",
                            0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  assert_int_equal(count_of(events, INK_EVENT_SNAPSHOT), 4); /* 0.3 0.6 0.9 1 */
  assert_int_equal(count_of(events, INK_EVENT_SERIES), 3);   /* 0.4 0.8 1 */
  assert_int_equal(count_of(events, INK_EVENT_CHECKPOINT), 3);
  ink_events_destroy(&events);
  events = events_of(deck, 0);
  assert_int_equal(events->count, 1);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

static void given_times_in_any_order(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {end: 1}\noutput: {snapshots: {at: [0.7, 0, 0.2, 0.7, 1]}}\n", 0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  assert_int_equal(events->count, 3);
  assert_true(events->event[0].time == 0.2 && events->event[1].time == 0.7 && events->event[2].time == 1);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

/* Walking from target to target visits each once, from any time in between. */
static void after_finds_the_next(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {end: 7}\noutput: {snapshots: {every: 0.013}}\n", 0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  const InkEvent *event;
  double now = events->start;
  for (int e = 0; (event = ink_events_after(events, now)); e++) {
    assert_ptr_equal(event, &events->event[e]);
    assert_ptr_equal(ink_events_after(events, now + 0.5 * (event->time - now)), event);
    now = event->time;
  }
  assert_true(now == events->end);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

static void mistakes(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "time: {start: 3, end: 3}\n",
      "time: {end: 1}\noutput: {snapshots: {at: [2]}}\n",
      "time: {start: 1, end: 2}\nverify: [{quantity: 'probe:p', at: 0.5, expect: 0, within: 1}]\n",
      "time: {end: 1}\noutput: {snapshots: {every: 1.0e-9}}\n",
      "time: {end: 1}\noutput: {snapshots: {every: 3.0e-7}, series: {every: 3.0e-7}}\n", /* each is not too
                                                                                            many */
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    InkDeck *deck = deck_with(wrong[i], 1);
    ink_deck_destroy(&deck);
  }
}

static void steady_needs_no_end(void **state) {
  (void)state;
  InkDeck *deck = deck_with("time: {method: steady}\n", 0);
  InkEvents *events = events_of(deck, INK_EVENT_ALL);
  assert_int_equal(events->count, 1);
  ink_events_destroy(&events);
  ink_deck_destroy(&deck);
}

/* What one solve answers has no state before it: there is nothing to write at the start. */
static void unsolved_fields_are_not_written(void **state) {
  (void)state;
  static const char *const outputs[] = {"", "output: {snapshots: {at: [0]}, series: {every: 1}}\n"};
  for (int o = 0; o < 2; o++) {
    InkDeck *deck = deck_of("solver: population\nequation: hitting_probability\ntarget: x_max\n"
                            "population: {kind: moran, size: 20}\n",
                            outputs[o], 0);
    InkEvents *events;
    assert_int_equal(ink_events_create(deck, INK_EVENT_ALL, &events), 0);
    assert_int_equal(events->initial, 0);
    assert_int_equal(events->count, 1);
    assert_true(events->event[0].what & INK_EVENT_SNAPSHOT);
    assert_true(events->event[0].time == events->end);
    ink_events_destroy(&events);
    ink_deck_destroy(&deck);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unsolved_fields_are_not_written),
      cmocka_unit_test(only_the_end),
      cmocka_unit_test(same_times_are_joined),
      cmocka_unit_test(interval_that_does_not_divide_the_run),
      cmocka_unit_test(given_times_in_any_order),
      cmocka_unit_test(after_finds_the_next),
      cmocka_unit_test(mistakes),
      cmocka_unit_test(steady_needs_no_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
