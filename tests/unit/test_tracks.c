/* Rates: the line through samples (laws, and numbers from a textbook), when samples are taken, and that a
 * restart changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../solvers/events.h"
#include "../../solvers/verify.h"
#include "toy_fields.h"

static void assert_near(double value, double expected, double within) {
  if (!(fabs(value - expected) <= within)) fail_msg("got %.17g, expected %.17g", value, expected);
}

/* ---- the line ---- */

static void a_line_is_found_exactly(void **state) {
  (void)state;
  double t[64], y[64], slope, error;
  for (int i = 0; i < 64; i++) {
    t[i] = 1e6 + i * i * 0.25;
    y[i] = 7 - 3.5 * t[i];
  }
  ink_line_fit(64, t, y, &slope, &error);
  assert_near(slope, -3.5, 1e-12);
  assert_near(error, 0, 1e-12);
  y[5] = NAN; /* what was not found is left out */
  y[63] = -INFINITY;
  ink_line_fit(64, t, y, &slope, &error);
  assert_near(slope, -3.5, 1e-12);
  assert_near(error, 0, 1e-12);
}

/* Anscombe's first quartet (1973): slope 0.5001, its standard error 0.1179. */
static void a_textbook_example(void **state) {
  (void)state;
  static const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
  static const double y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
  double slope, error;
  ink_line_fit(11, x, y, &slope, &error);
  assert_near(slope, 0.5001, 5e-5);
  assert_near(error, 0.1179, 5e-5);
}

static double uniform_deviate(uint64_t *state) {
  *state = *state * 6364136223846793005ull + 1442695040888963407ull;
  return (double)(*state >> 11) * 0x1p-53 - 0.5;
}

/* Over many noisy lines the slope scatters about the true one as the standard error says: the squares of
 * (slope - 2) / error have the mean (n - 2) / (n - 4) (Student's t). */
static void the_error_is_that_of_noise(void **state) {
  (void)state;
  enum { POINTS = 20, LINES = 4000 };
  double t[POINTS], y[POINTS], slope, error, square = 0, mean = 0;
  uint64_t seed = 1;
  for (int l = 0; l < LINES; l++) {
    for (int i = 0; i < POINTS; i++) {
      t[i] = i;
      y[i] = 2 * t[i];
      for (int k = 0; k < 12; k++) y[i] += uniform_deviate(&seed); /* a standard normal deviate, nearly */
    }
    ink_line_fit(POINTS, t, y, &slope, &error);
    mean += (slope - 2) / LINES;
    square += (slope - 2) / error * ((slope - 2) / error) / LINES;
  }
  const double deviation = 1 / sqrt(POINTS * (POINTS * POINTS - 1) / 12.0); /* of one slope */
  assert_near(mean, 0, 4 * deviation / sqrt(LINES));
  assert_near(square, (POINTS - 2.0) / (POINTS - 4.0), 0.12);
}

static void too_few_points_have_no_line(void **state) {
  (void)state;
  const double t[] = {1, 2, 3, 3}, y[] = {1, 2, NAN, 4}, same[] = {5, 5, 5, 5};
  double slope = 0, error = 0;
  ink_line_fit(3, t, y, &slope, &error);
  assert_true(isnan(slope) && isnan(error));
  ink_line_fit(0, NULL, NULL, &slope, &error);
  assert_true(isnan(slope) && isnan(error));
  ink_line_fit(4, same, t, &slope, &error);
  assert_true(isnan(slope) && isnan(error));
  ink_line_fit(4, t, y, &slope, &error);
  assert_false(isnan(slope) || isnan(error));
}

/* ---- from the deck ---- */

static void kinds_are_told_by_name(void **state) {
  (void)state;
  assert_int_equal(ink_track_kind("front:speed"), INK_TRACK_SPEED);
  assert_int_equal(ink_track_kind("front:speed:u"), INK_TRACK_SPEED);
  assert_int_equal(ink_track_kind("growth"), INK_TRACK_GROWTH);
  assert_int_equal(ink_track_kind("growth:v"), INK_TRACK_GROWTH);
  static const char *const others[] = {"front:position", "front:speeds", "front", "growths", "amplitude", ""};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_int_equal(ink_track_kind(others[i]), INK_TRACK_NONE);
  InkPool *pool = ink_pool_create();
  InkQuery speed = ink_query_parse(pool, "front:speed:v", NULL),
           growth = ink_query_parse(pool, "growth", NULL);
  InkQuery base = ink_track_base(pool, INK_TRACK_SPEED, &speed);
  assert_string_equal(base.kind, "front");
  assert_string_equal(base.argument, "position:v");
  base = ink_track_base(pool, INK_TRACK_GROWTH, &growth);
  assert_string_equal(base.kind, "amplitude");
  assert_string_equal(base.argument, "");
  ink_pool_destroy(&pool);
}

#define SPEED  "- {quantity: 'front:speed', field: u, level: 0.5, expect: 2, within: 1e-9"
#define GROWTH "- {quantity: growth, field: v, axis: x, wavenumber: 2*pi, expect: -0.25, within: 1e-9"

static const char run[] = "time: {start: 2, end: 10}\nverify:\n";

static InkDeck *deck_with(const char *entries) {
  char text[2048];
  snprintf(text, sizeof text, "%s%s", run, entries);
  return toy_deck(text);
}

static void spans_follow_the_options(void **state) {
  (void)state;
  static const struct {
    const char *entry;
    double from, to;
  } cases[] = {{SPEED "}\n", 6, 10},
               {SPEED ", from: 4}\n", 7, 10},
               {SPEED ", to: 4}\n", 3, 4},
               {SPEED ", at: 4}\n", 3, 4},
               {SPEED ", from: 4, to: 8}\n", 6, 8},
               {GROWTH "}\n", 6, 10},
               {GROWTH ", to: 4}\n", 3, 4},
               {GROWTH ", from: 4}\n", 4, 10},
               {GROWTH ", from: 2, to: 2.5}\n", 2, 2.5}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    double from, to;
    InkDeck *deck = deck_with(cases[c].entry);
    ink_track_span(deck, 0, &from, &to);
    assert_true(from == cases[c].from && to == cases[c].to);
    assert_true(ink_verify_time(deck, 0) == to);
    assert_true(ink_track_time(from, to, 0) == from && ink_track_time(from, to, INK_TRACK_INTERVALS) == to);
    ink_deck_destroy(&deck);
  }
}

/* All that is wrong with the first entry, as printed; "" when nothing is. */
static char *refused(const char *text) {
  InkDeck *deck = toy_deck(text);
  InkErrors *errors = ink_errors_create();
  ink_events_check(deck, errors);
  ink_verify_check(deck, &toy_solver, errors);
  char *printed = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&printed, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  ink_errors_destroy(&errors);
  ink_deck_destroy(&deck);
  return printed;
}

static void assert_refused(const char *text, const char *where, const char *hint) {
  char *printed = refused(text);
  if (!where && *printed) fail_msg("'%s' was refused: %s", text, printed);
  if (where && (!strstr(printed, where) || !strstr(printed, hint)))
    fail_msg("'%s' gave: %s, without '%s' and '%s'", text, printed, where, hint);
  size_t line = strcspn(printed, "\n");
  if (where && strlen(printed) > line + 1) fail_msg("'%s' gave more than one line: %s", text, printed);
  free(printed);
}

static void mistakes_are_named(void **state) {
  (void)state;
  static const struct {
    const char *entry, *where, *hint;
  } cases[] = {
      {SPEED "}\n", NULL, NULL},
      {GROWTH ", from: 2, to: 10}\n", NULL, NULL},
      {"- {quantity: 'front:speed:v', level: 0, expect: 2 m/s, within: 1}\n", NULL, NULL},
      {"- {quantity: growth, field: u, wavenumber: 3 1/m, expect: 2 1/s, within: 1}\n", NULL, NULL},
      {"- {quantity: growth, field: u, wavenumber: 3, expect: 2 m/s, within: 1}\n", "verify[0].expect",
       "growth is in"},
      {SPEED ", from: 8, to: 4}\n", "verify[0].from", "from 8 to 4 s"},
      {SPEED ", to: 2}\n", "verify[0].to", "from 2 to 2 s"},
      {SPEED ", from: 1}\n", "verify[0].from", "outside the run"},
      {GROWTH ", to: 11}\n", "verify[0].to", "outside the run"},
      {SPEED ", at: 8, from: 4}\n", "verify[0].at", "stands for `to`"},
      {SPEED ", from: 5, to: 5.00000001}\n", "verify[0].from", "too close"},
      {"- {quantity: growth, field: u, expect: 1, within: 1}\n", "verify[0].quantity", "needs wavenumber"},
      {"- {quantity: 'front:speed', expect: 1, within: 1}\n", "verify[0].quantity", "one of u, v"},
      {"- {quantity: 'front:speed:w', expect: 1, within: 1}\n", "verify[0].quantity", "one of u, v"},
      {"- {quantity: 'front:sped', expect: 1, within: 1}\n", "verify[0].quantity", "front:speed"},
      {"- {quantity: 'mean:u', from: 3, expect: 1, within: 1}\n", "verify[0].from",
       "for front:speed and growth"},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char text[1024];
    snprintf(text, sizeof text, "%s%s", run, cases[c].entry);
    assert_refused(text, cases[c].where, cases[c].hint);
  }
  assert_refused("time: {method: steady}\nverify:\n" SPEED "}\n", "verify[0].quantity", "steady");
}

/* ---- samples ---- */

/* Runs the toy over its targets from the one after `now` until `stop`. */
static void walk(const InkEvents *events, Toy *toy, double stop, InkVerify *verify) {
  const InkEvent *event;
  if (toy->now == events->start && events->initial & INK_EVENT_TRACK)
    assert_int_equal(ink_verify_sample(verify, &toy_solver, toy, toy->now, events->same), 0);
  while ((event = ink_events_after(events, toy->now)) && event->time <= stop) {
    toy->now = event->time;
    if (event->what & INK_EVENT_TRACK)
      assert_int_equal(ink_verify_sample(verify, &toy_solver, toy, toy->now, events->same), 0);
    if (event->what & INK_EVENT_VERIFY)
      assert_int_equal(ink_verify_evaluate(verify, &toy_solver, toy, toy->now, events->same), 0);
  }
}

typedef struct Walk {
  InkDeck *deck;
  InkEvents *events;
  InkVerify *verify;
  Toy toy;
} Walk;

static void begin(Walk *w, const char *entries) {
  w->deck = deck_with(entries);
  w->toy = (Toy){.now = 2, .start = 0.3, .speed = 2, .rate = -0.25, .appears = -1};
  assert_int_equal(ink_events_create(w->deck, INK_EVENT_ALL, &w->events), 0);
  assert_int_equal(ink_verify_create(MPI_COMM_SELF, w->deck, &w->verify), 0);
}

static void end(Walk *w) {
  assert_int_equal(ink_verify_destroy(&w->verify), 0);
  ink_events_destroy(&w->events);
  ink_deck_destroy(&w->deck);
}

static void rates_are_found(void **state) {
  (void)state;
  Walk w;
  bool pass;
  begin(&w, SPEED ", to: 9}\n" GROWTH ", from: 2}\n" SPEED ", from: 9.6}\n"
                  "- {quantity: 'mean:u', at: 3, expect: 3, within: 0}\n");
  walk(w.events, &w.toy, 10, w.verify);
  /* Every sample is taken once, and nothing else is asked but the mean. */
  assert_int_equal(w.toy.asked, 3 * (INK_TRACK_INTERVALS + 1) + 1);
  InkVerdict *v = ink_verify_verdicts(w.verify, &pass);
  assert_true(pass);
  assert_true(v[0].at == 9 && v[1].at == 10 && v[2].at == 10);
  assert_string_equal(v[0].unit, "m/s");
  for (int i = 0; i < 3; i++) {
    assert_true(v[i].standard_error < 1e-10);
    assert_int_equal(w.verify->entry[i].track->count, INK_TRACK_INTERVALS + 1);
  }
  free(v);
  end(&w);
}

static void what_is_not_there_is_left_out(void **state) {
  (void)state;
  Walk w;
  bool pass;
  for (int late = 0; late < 2; late++) {
    begin(&w, SPEED "}\n");
    w.toy.appears = late ? 9.97 : 8; /* with 2 or with half of the samples */
    walk(w.events, &w.toy, 10, w.verify);
    InkVerdict *v = ink_verify_verdicts(w.verify, &pass);
    assert_true(pass == !late && isnan(v[0].value) == late);
    free(v);
    end(&w);
  }
}

/* Samples are targets, and they depend on the deck alone; they join those that are there anyhow. */
static void samples_are_targets(void **state) {
  (void)state;
  Walk w;
  begin(&w, GROWTH ", from: 2, to: 10}\n");
  assert_int_equal(w.events->count, INK_TRACK_INTERVALS);
  assert_true(w.events->initial & INK_EVENT_TRACK);
  for (int e = 0; e < w.events->count; e++) assert_true(w.events->event[e].what & INK_EVENT_TRACK);
  unsigned last = w.events->event[w.events->count - 1].what;
  assert_true(last & INK_EVENT_VERIFY && last & INK_EVENT_END);
  end(&w);
}

/* Stopped anywhere and continued from a file, the verdicts have the same bits. */
static void a_restart_changes_nothing(void **state) {
  (void)state;
  static const char entries[] = SPEED ", to: 9}\n" GROWTH ", from: 2, to: 5}\n"
                                      "- {quantity: 'mean:u', at: 3, expect: 3, within: 0}\n";
  static const double stops[] = {2, 3.5, 6.02, 9.5, 10};
  Walk whole, first, second;
  bool pass;
  begin(&whole, entries);
  walk(whole.events, &whole.toy, 10, whole.verify);
  InkVerdict *expected = ink_verify_verdicts(whole.verify, &pass);
  for (size_t s = 0; s < sizeof stops / sizeof *stops; s++) {
    char path[] = "/tmp/inkdrop_tracks_XXXXXX";
    InkStore *store;
    InkFailure failure = {0};
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    begin(&first, entries);
    walk(first.events, &first.toy, stops[s], first.verify);
    assert_int_equal(ink_store_create(MPI_COMM_SELF, path, false, &store), 0);
    assert_int_equal(ink_store_group(store, "/driver"), 0);
    assert_int_equal(ink_verify_save(first.verify, store), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    begin(&second, entries);
    assert_int_equal(ink_store_open(MPI_COMM_SELF, path, false, &store, &failure), 0);
    assert_int_equal(ink_verify_load(second.verify, store), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    assert_int_equal(failure.code, 0);
    second.toy.now = first.toy.now;
    walk(second.events, &second.toy, 10, second.verify);
    InkVerdict *got = ink_verify_verdicts(second.verify, &pass);
    for (int i = 0; i < 3; i++) {
      assert_memory_equal(&got[i].value, &expected[i].value, sizeof(double));
      assert_memory_equal(&got[i].standard_error, &expected[i].standard_error, sizeof(double));
      assert_string_equal(got[i].unit, expected[i].unit);
    }
    assert_true(pass);
    free(got);
    end(&first);
    end(&second);
    unlink(path);
  }
  free(expected);
  end(&whole);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_is_found_exactly),
      cmocka_unit_test(a_textbook_example),
      cmocka_unit_test(the_error_is_that_of_noise),
      cmocka_unit_test(too_few_points_have_no_line),
      cmocka_unit_test(kinds_are_told_by_name),
      cmocka_unit_test(spans_follow_the_options),
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(rates_are_found),
      cmocka_unit_test(what_is_not_there_is_left_out),
      cmocka_unit_test(samples_are_targets),
      cmocka_unit_test(a_restart_changes_nothing),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
