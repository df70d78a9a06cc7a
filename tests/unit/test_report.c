/* The verify table and OUT/report.json: what is written is valid JSON, says the same as the table, and is
 * printed again as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>

#include "../../io/report.h"

static char folder[64];

static const InkVerdict verdicts[] = {{.quantity = "probe:centre",
                                       .at = 32,
                                       .value = 309.75,
                                       .expect = 309.75,
                                       .difference = 0,
                                       .within = 0.1,
                                       .pass = true,
                                       .source = "S1-T3",
                                       .unit = "degC",
                                       .display_offset = 273.15,
                                       .display_factor = 1},
                                      {.quantity = "front:speed",
                                       .at = 0.5,
                                       .value = 2e-3,
                                       .expect = 3e-3,
                                       .difference = -1e-3,
                                       .within = 1e-4,
                                       .pass = false,
                                       .source = NULL,
                                       .unit = "mm/s",
                                       .display_offset = 0,
                                       .display_factor = 1e-3},
                                      {.quantity = "max:T",
                                       .at = 1,
                                       .value = NAN,
                                       .expect = 1,
                                       .difference = NAN,
                                       .within = 0.5,
                                       .pass = false,
                                       .source = "text that is not UTF-8: \xff",
                                       .standard_error = 0.25}};

static InkReport sample(void) {
  return (InkReport){.title = "Quote \" and µ",
                     .deck = "a.yaml",
                     .solver = "heat",
                     .status = "finished",
                     .exit_code = 3,
                     .time = 0.1,
                     .steps = 1234567890123,
                     .count = 3,
                     .verdicts = verdicts,
                     .ranks = 2,
                     .wall_seconds = 1.5,
                     .cells = 100,
                     .method = "explicit",
                     .instruction_set = "avx2"};
}

static char *printed(const InkReport *report) {
  char *text = NULL;
  size_t length;
  FILE *stream = open_memstream(&text, &length);
  ink_report_print(report, stream);
  fclose(stream);
  return text;
}

static char *printed_again(int *code) {
  char *text = NULL;
  size_t length;
  FILE *stream = open_memstream(&text, &length);
  *code = ink_report_reprint(folder, stream);
  fclose(stream);
  return text;
}

static void write_it(const InkReport *report) {
  InkFailure failure = {0};
  ink_report_write(folder, report, &failure);
  assert_int_equal(failure.code, INK_DONE);
}

static json_t *written(void) {
  char path[128];
  snprintf(path, sizeof path, "%s/report.json", folder);
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(root);
  return root;
}

static void table(void **state) {
  (void)state;
  const InkReport report = sample();
  char *text = printed(&report);
  /* In the unit shown: 309.75 K is 36.6 degC; a difference has no offset. */
  assert_non_null(
      strstr(text, "probe:centre   32   36.6                    36.6           0     0.1  pass\n"));
  assert_non_null(strstr(text, "-1     0.1  FAIL\n"));
  assert_non_null(strstr(text, "2 of 3 out of tolerance\n"));
  /* Aligned: every row ends in one of two words of four letters. */
  size_t width = 0;
  int rows = 0;
  for (const char *line = text, *end; (end = strchr(line, '\n')) && rows < 4; line = end + 1, rows++) {
    if (rows > 0) assert_int_equal((size_t)(end - line), width);
    width = (size_t)(end - line);
  }
  assert_int_equal(rows, 4);
  free(text);
  const InkReport none = {.count = 0};
  text = printed(&none);
  assert_string_equal(text, "");
  free(text);
}

/* Only where some value has one; in the unit shown. */
static void standard_errors(void **state) {
  (void)state;
  InkVerdict some[2] = {verdicts[0], verdicts[1]};
  const InkReport report = {.count = 2, .verdicts = some};
  char *text = printed(&report);
  assert_null(strstr(text, "standard error"));
  assert_null(strstr(text, "+-"));
  assert_non_null(strstr(text, "probe:centre   32   36.6    36.6           0     0.1  pass\n"));
  free(text);
  some[1].standard_error = 1.25e-5; /* m/s */
  text = printed(&report);
  assert_non_null(strstr(text, "at  value  standard error  expect"));
  assert_non_null(strstr(text, "front:speed   0.5      2        +- 0.013       3"));
  assert_non_null(
      strstr(text, "probe:centre   32   36.6                    36.6           0     0.1  pass\n"));
  free(text);
}

static void json_says_the_same(void **state) {
  (void)state;
  const InkReport report = sample();
  write_it(&report);
  json_t *root = written();
  const json_t *list = json_object_get(root, "verify"), *run = json_object_get(root, "run");
  assert_string_equal(json_string_value(json_object_get(root, "title")), report.title);
  assert_string_equal(json_string_value(json_object_get(root, "status")), "finished");
  assert_int_equal(json_integer_value(json_object_get(root, "exit_code")), 3);
  assert_int_equal(json_integer_value(json_object_get(root, "steps")), 1234567890123);
  assert_true(json_number_value(json_object_get(root, "time")) == 0.1); /* all its digits */
  assert_true(json_is_null(json_object_get(root, "message")));
  assert_int_equal(json_array_size(list), 3);
  static const char *const keys[] = {"quantity", "at",   "value",  "expect", "difference",
                                     "within",   "pass", "source", "unit"};
  for (size_t i = 0; i < 3; i++)
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
      assert_non_null(json_object_get(json_array_get(list, i), keys[k]));
  const json_t *first = json_array_get(list, 0), *last = json_array_get(list, 2);
  assert_true(json_number_value(json_object_get(first, "value")) == 309.75); /* SI */
  assert_true(json_is_true(json_object_get(first, "pass")));
  assert_null(json_object_get(first, "standard_error"));
  assert_true(json_is_null(json_object_get(last, "value"))); /* JSON has no NaN */
  assert_true(json_is_null(json_object_get(last, "source")));
  assert_true(json_number_value(json_object_get(last, "standard_error")) == 0.25);
  assert_int_equal(json_integer_value(json_object_get(run, "ranks")), 2);
  json_decref(root);
}

static void printed_again_as_it_was(void **state) {
  (void)state;
  const InkReport report = sample();
  int code;
  write_it(&report);
  char *first = printed(&report), *again = printed_again(&code);
  assert_int_equal(code, 3);
  assert_string_equal(first, again);
  free(first);
  free(again);
}

static void only_a_finished_one_counts(void **state) {
  (void)state;
  InkReport report = sample();
  int code;
  char path[128], *text;
  report.status = "stopped";
  report.exit_code = 75;
  write_it(&report);
  text = printed_again(&code);
  assert_int_equal(code, -1);
  assert_string_equal(text, "");
  free(text);
  snprintf(path, sizeof path, "%s/report.json", folder);
  static const char *const bad[] = {"", "{", "[]", "{\"status\": \"finished\"}",
                                    "{\"status\": 1, \"exit_code\": 0}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    FILE *file = fopen(path, "w");
    fputs(bad[i], file);
    fclose(file);
    free(printed_again(&code));
    assert_int_equal(code, -1);
  }
  assert_int_equal(unlink(path), 0);
  free(printed_again(&code));
  assert_int_equal(code, -1);
}

/* An entry without its keys is printed as far as it goes. */
static void foreign_entries(void **state) {
  (void)state;
  char path[128];
  int code;
  snprintf(path, sizeof path, "%s/report.json", folder);
  FILE *file = fopen(path, "w");
  fputs("{\"status\": \"finished\", \"exit_code\": 0, \"verify\": [{}, 3, {\"quantity\": 4, \"value\": "
        "\"x\"}]}",
        file);
  fclose(file);
  char *text = printed_again(&code);
  assert_int_equal(code, 0);
  assert_non_null(strstr(text, "3 of 3 out of tolerance"));
  free(text);
}

static void cannot_be_written(void **state) {
  (void)state;
  const InkReport report = sample();
  InkFailure failure = {0};
  ink_report_write("/nowhere/at/all", &report, &failure);
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, "/nowhere/at/all/report.json"));
}

int main(void) {
  snprintf(folder, sizeof folder, "/tmp/inkdrop_report_XXXXXX");
  if (!mkdtemp(folder)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(table),
                                     cmocka_unit_test(standard_errors),
                                     cmocka_unit_test(json_says_the_same),
                                     cmocka_unit_test(printed_again_as_it_was),
                                     cmocka_unit_test(only_a_finished_one_counts),
                                     cmocka_unit_test(foreign_entries),
                                     cmocka_unit_test(cannot_be_written)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return failed + (system(command) != 0);
}
