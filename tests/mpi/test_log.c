/* The log of a run: what rank 0 prints, and the JSON lines that programs read. The others are silent. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "../../io/log.h"

static int rank;
static char folder[64], json_file[96]; /* of this rank */

/* Sends a stream into a file until caught_end, which gives what was written; free() it. */
typedef struct Caught {
  FILE *stream;
  int number, copy, file;
} Caught;

static Caught catch_begin(FILE *stream) {
  char path[96];
  Caught c = {.stream = stream, .number = fileno(stream)};
  snprintf(path, sizeof path, "%s/caught-%d", folder, c.number);
  fflush(stream);
  c.copy = dup(c.number);
  c.file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
  dup2(c.file, c.number);
  return c;
}

static char *catch_end(const Caught *c) {
  char *text = calloc(1, 1 << 16);
  fflush(c->stream);
  dup2(c->copy, c->number);
  ssize_t n = pread(c->file, text, (1 << 16) - 1, 0);
  close(c->copy);
  close(c->file);
  assert_true(n >= 0);
  return text;
}

/* The i-th line of the JSON log (-1: the last); the caller decrefs it. */
static json_t *json_at(int i) {
  char line[4096];
  json_t *found = NULL;
  FILE *file = fopen(json_file, "r");
  assert_non_null(file);
  for (int n = 0; fgets(line, sizeof line, file); n++) {
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL); /* every line is an object of its own */
    assert_true(json_is_object(object));
    if (n == i || i < 0) {
      json_decref(found);
      found = object;
    } else
      json_decref(object);
  }
  fclose(file);
  return found;
}

static const char *word(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static InkLog *make(bool quiet, bool json) {
  if (json) unlink(json_file);
  InkLog *log = ink_log_create(MPI_COMM_WORLD, quiet, json ? json_file : NULL);
  assert_non_null(log);
  return log;
}

/* Rank 0 said `text`, the others nothing. Frees what was said. */
static void assert_said(char *said, const char *text) {
  assert_string_equal(said, rank == 0 ? text : "");
  free(said);
}

/* On ranks other than 0 there is no JSON log to look at. */
static bool no_json(void) {
  if (rank > 0) assert_int_not_equal(access(json_file, F_OK), 0);
  return rank > 0;
}

static void notes_and_warnings(void **state) {
  (void)state;
  const Caught out = catch_begin(stdout), err = catch_begin(stderr);
  InkLog *log = make(false, true);
  ink_log_note(log, "%d cells", 12);
  ink_log_warning(log, "it is \"%s\"", "late");
  ink_log_destroy(&log);
  char *said = catch_end(&out), *warned = catch_end(&err);
  assert_null(log);
  assert_said(said, "note: 12 cells\n");
  assert_said(warned, "warning: it is \"late\"\n");
  if (no_json()) return;
  json_t *note = json_at(0), *warning = json_at(1), *none = json_at(2);
  assert_null(none);
  assert_string_equal(word(note, "event"), "note");
  assert_string_equal(word(note, "text"), "12 cells");
  assert_true(json_is_real(json_object_get(note, "wall")));
  assert_string_equal(word(warning, "event"), "warning");
  assert_string_equal(word(warning, "text"), "it is \"late\"");
  json_decref(note);
  json_decref(warning);
}

static void quiet_says_warnings_only(void **state) {
  (void)state;
  const Caught out = catch_begin(stdout), err = catch_begin(stderr);
  InkLog *log = make(true, true);
  ink_log_note(log, "unheard");
  ink_log_warning(log, "heard");
  ink_log_destroy(&log);
  char *said = catch_end(&out), *warned = catch_end(&err);
  assert_said(said, "");
  assert_said(warned, "warning: heard\n");
  if (no_json()) return;
  json_t *note = json_at(0); /* programs are told all the same */
  assert_string_equal(word(note, "text"), "unheard");
  json_decref(note);
}

static void events(void **state) {
  (void)state;
  InkLog *log = make(true, true);
  ink_log_event(log, "checkpoint", "\"number\": 3, \"time\": 0.1");
  if (no_json()) {
    ink_log_destroy(&log);
    return;
  }
  json_t *event = json_at(-1);
  assert_string_equal(word(event, "event"), "checkpoint");
  assert_int_equal(json_integer_value(json_object_get(event, "number")), 3);
  assert_true(json_real_value(json_object_get(event, "time")) == 0.1);
  json_decref(event);
  ink_log_event(log, "bare", NULL);
  event = json_at(-1);
  assert_string_equal(word(event, "event"), "bare");
  json_decref(event);
  ink_log_event(log, "odd", "\"time\": nan"); /* not JSON: kept as text */
  event = json_at(-1);
  assert_string_equal(word(event, "text"), "\"time\": nan");
  json_decref(event);
  ink_log_note(log, "not UTF-8: \xff");
  event = json_at(-1);
  assert_string_equal(word(event, "event"), "note");
  assert_true(json_is_null(json_object_get(event, "text")));
  json_decref(event);
  ink_log_destroy(&log);
}

/* The JSON log of a run that continues goes on behind what was there. */
static void json_is_appended(void **state) {
  (void)state;
  InkLog *log = make(true, true);
  ink_log_event(log, "one", NULL);
  ink_log_destroy(&log);
  log = ink_log_create(MPI_COMM_WORLD, true, json_file);
  ink_log_event(log, "two", NULL);
  ink_log_destroy(&log);
  if (no_json()) return;
  json_t *one = json_at(0), *two = json_at(1);
  assert_string_equal(word(one, "event"), "one");
  assert_string_equal(word(two, "event"), "two");
  json_decref(one);
  json_decref(two);
}

/* In a log file the first line comes after 10 s at the earliest, so a short run prints none. */
static void progress_is_sparse_in_a_log(void **state) {
  (void)state;
  const Caught out = catch_begin(stdout);
  InkLog *log = make(false, false);
  for (int step = 0; step < 1000; step++) {
    const InkLogProgress p = {.now = 0.001 * step, .end = 1, .unit = "s", .step = step, .dt = 1, .cells = 1};
    ink_log_progress(log, &p);
  }
  ink_log_destroy(&log);
  char *said = catch_end(&out);
  assert_said(said, "");
}

static void json_that_cannot_be_written(void **state) {
  (void)state;
  const Caught err = catch_begin(stderr);
  InkLog *log = ink_log_create(MPI_COMM_WORLD, true, "/nowhere/log.jsonl");
  ink_log_event(log, "lost", NULL);
  ink_log_destroy(&log);
  char *warned = catch_end(&err);
  assert_said(warned, "warning: cannot write the JSON log /nowhere/log.jsonl\n");
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  snprintf(folder, sizeof folder, "/tmp/inkdrop_log_XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(json_file, sizeof json_file, "%s/log.jsonl", folder);
  const struct CMUnitTest tests[] = {cmocka_unit_test(notes_and_warnings),
                                     cmocka_unit_test(quiet_says_warnings_only),
                                     cmocka_unit_test(events),
                                     cmocka_unit_test(json_is_appended),
                                     cmocka_unit_test(progress_is_sparse_in_a_log),
                                     cmocka_unit_test(json_that_cannot_be_written)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  failed += system(command) != 0;
  MPI_Finalize();
  return failed;
}
