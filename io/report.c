/* The verify table and OUT/report.json. */
#include "report.h"
#include "json.h"
#include "store_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_COLUMN = 3, COLUMNS = 8, CELL = 96 };

typedef struct Row {
  char cell[COLUMNS][CELL];
} Row;

/* A value as shown: in the deck's unit. Differences have no offset. */
static double shown(const InkVerdict *v, double value, bool difference) {
  double factor = v->display_factor != 0 ? v->display_factor : 1;
  return value / factor - (difference ? 0 : v->display_offset);
}

/* steady: what was solved for has no time. */
static void fill_row(const InkVerdict *v, bool steady, Row *row) {
  snprintf(row->cell[0], CELL, "%s", v->quantity);
  if (steady)
    snprintf(row->cell[1], CELL, "-");
  else
    snprintf(row->cell[1], CELL, "%.6g", v->at);
  snprintf(row->cell[2], CELL, "%.8g", shown(v, v->value, false));
  if (v->standard_error > 0)
    snprintf(row->cell[ERROR_COLUMN], CELL, "+- %.2g", shown(v, v->standard_error, true));
  snprintf(row->cell[4], CELL, "%.8g", shown(v, v->expect, false));
  snprintf(row->cell[5], CELL, "%.3g", shown(v, v->difference, true));
  snprintf(row->cell[6], CELL, "%.3g", shown(v, v->within, true));
  snprintf(row->cell[7], CELL, "%s", v->pass ? "pass" : "FAIL");
}

/* errors: some values have standard errors, and a column for them. */
static void print_table(int count, const Row *rows, bool errors, FILE *stream) {
  int width[COLUMNS] = {0};
  for (int i = 0; i < count; i++)
    for (int c = 0; c < COLUMNS; c++) {
      int length = (int)strlen(rows[i].cell[c]);
      if (length > width[c]) width[c] = length;
    }
  for (int i = 0; i < count; i++) {
    fprintf(stream, "%-*s", width[0], rows[i].cell[0]);
    for (int c = 1; c < COLUMNS - 1; c++)
      if (c != ERROR_COLUMN || errors) fprintf(stream, "  %*s", width[c], rows[i].cell[c]);
    fprintf(stream, "  %s\n", rows[i].cell[COLUMNS - 1]);
  }
}

void ink_report_print(const InkReport *report, FILE *stream) {
  static const Row head = {
      {"quantity", "at", "value", "standard error", "expect", "difference", "within", "pass"}};
  if (report->count == 0) return;
  Row *rows = calloc((size_t)report->count + 1, sizeof *rows);
  if (!rows) abort();
  rows[0] = head;
  int failed = 0;
  bool errors = false;
  const bool steady = report->method && strcmp(report->method, "steady") == 0;
  for (int i = 0; i < report->count; i++) {
    fill_row(&report->verdicts[i], steady, &rows[i + 1]);
    failed += !report->verdicts[i].pass;
    errors = errors || report->verdicts[i].standard_error > 0;
  }
  print_table(report->count + 1, rows, errors, stream);
  if (failed) fprintf(stream, "%d of %d out of tolerance\n", failed, report->count);
  free(rows);
}

static json_t *verdict_json(const InkVerdict *v) {
  json_t *entry = json_object();
  json_object_set_new(entry, "quantity", ink_json_text(v->quantity));
  json_object_set_new(entry, "at", ink_json_number(v->at));
  json_object_set_new(entry, "value", ink_json_number(v->value));
  json_object_set_new(entry, "expect", ink_json_number(v->expect));
  json_object_set_new(entry, "difference", ink_json_number(v->difference));
  json_object_set_new(entry, "within", ink_json_number(v->within));
  json_object_set_new(entry, "pass", json_boolean(v->pass));
  json_object_set_new(entry, "source", ink_json_text(v->source));
  json_object_set_new(entry, "unit", ink_json_text(v->unit));
  if (v->standard_error > 0) json_object_set_new(entry, "standard_error", ink_json_number(v->standard_error));
  if (v->display_factor != 0)
    json_object_set_new(entry, "display_factor", ink_json_number(v->display_factor));
  if (v->display_offset != 0)
    json_object_set_new(entry, "display_offset", ink_json_number(v->display_offset));
  return entry;
}

static json_t *report_json(const InkReport *r) {
  json_t *root = json_object(), *verify = json_array(), *run = json_object();
  json_object_set_new(root, "title", ink_json_text(r->title));
  json_object_set_new(root, "deck", ink_json_text(r->deck));
  json_object_set_new(root, "solver", ink_json_text(r->solver));
  json_object_set_new(root, "status", ink_json_text(r->status));
  json_object_set_new(root, "exit_code", json_integer(r->exit_code));
  json_object_set_new(root, "message", ink_json_text(r->message));
  json_object_set_new(root, "time", ink_json_number(r->time));
  json_object_set_new(root, "steps", json_integer((json_int_t)r->steps));
  for (int i = 0; i < r->count; i++) json_array_append_new(verify, verdict_json(&r->verdicts[i]));
  json_object_set_new(root, "verify", verify);
  json_object_set_new(run, "ranks", json_integer(r->ranks));
  json_object_set_new(run, "wall_seconds", ink_json_number(r->wall_seconds));
  json_object_set_new(run, "step_seconds", ink_json_number(r->step_seconds));
  json_object_set_new(run, "start_seconds", ink_json_number(r->start_seconds));
  json_object_set_new(run, "cells", ink_json_number(r->cells));
  json_object_set_new(run, "method", ink_json_text(r->method));
  json_object_set_new(run, "instruction_set", ink_json_text(r->instruction_set));
  json_object_set_new(run, "version", ink_json_text(INKDROP_VERSION));
  json_object_set_new(run, "commit", ink_json_text(INKDROP_COMMIT));
  json_object_set_new(root, "run", run);
  return root;
}

void ink_report_write(const char *out, const InkReport *report, InkFailure *failure) {
  char *path = ink_text_join(out, "/report.json");
  json_t *root = report_json(report);
  char *dump = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  if (!dump) abort();
  char *lines = ink_text_join(dump, "\n");
  ink_write_text(path, lines, failure);
  free(lines);
  free(dump);
  json_decref(root);
  free(path);
}

static double real_of(const json_t *entry, const char *key, double absent) {
  const json_t *value = json_object_get(entry, key);
  return json_is_number(value) ? json_number_value(value) : absent;
}

static InkVerdict verdict_of(const json_t *entry) {
  return (InkVerdict){.quantity = json_string_value(json_object_get(entry, "quantity")),
                      .at = real_of(entry, "at", NAN),
                      .value = real_of(entry, "value", NAN),
                      .expect = real_of(entry, "expect", NAN),
                      .difference = real_of(entry, "difference", NAN),
                      .within = real_of(entry, "within", NAN),
                      .standard_error = real_of(entry, "standard_error", 0),
                      .pass = json_is_true(json_object_get(entry, "pass")),
                      .display_factor = real_of(entry, "display_factor", 1),
                      .display_offset = real_of(entry, "display_offset", 0)};
}

int ink_report_reprint(const char *out, FILE *stream) {
  char *path = ink_text_join(out, "/report.json");
  json_t *root = json_load_file(path, 0, NULL);
  free(path);
  const json_t *status = json_object_get(root, "status"), *code = json_object_get(root, "exit_code");
  const json_t *verify = json_object_get(root, "verify");
  int exit_code = -1;
  if (json_is_string(status) && strcmp(json_string_value(status), "finished") == 0 && json_is_integer(code)) {
    size_t count = json_array_size(verify);
    InkVerdict *verdicts = calloc(count + 1, sizeof *verdicts);
    if (!verdicts) abort();
    for (size_t i = 0; i < count; i++) {
      verdicts[i] = verdict_of(json_array_get(verify, i));
      if (!verdicts[i].quantity) verdicts[i].quantity = "?";
    }
    const json_t *method = json_object_get(json_object_get(root, "run"), "method");
    const InkReport report = {.count = (int)count, .verdicts = verdicts, .method = json_string_value(method)};
    ink_report_print(&report, stream);
    free(verdicts);
    exit_code = (int)json_integer_value(code);
  }
  json_decref(root);
  return exit_code;
}
