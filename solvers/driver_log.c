/* What a run tells programs that follow it: the events of the JSON log (--json-log), one line each.
 *
 *   start       deck, solver, cells, ranks, method, reason, time, step
 *   progress    by io/log.c
 *   snapshot    number, time, file, seconds
 *   checkpoint  number, time, step, file, seconds, bytes
 *   verify      quantity, at, value, expect, difference, within, pass: an entry each
 *   end         status, code, time, steps, wall_seconds, step_seconds (in steps alone), first_step_seconds
 * (from the start of the program to the first step) */
#include "driver_impl.h"
#include "../io/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Takes over `fields`, an object. */
static void send(const InkRun *run, const char *event, json_t *fields) {
  char *text = json_dumps(fields, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(fields);
  if (!text) return;
  text[strlen(text) - 1] = '\0'; /* the log wants the inside of the braces */
  ink_log_event(run->log, event, text + 1);
  free(text);
}

void ink_run_log_start(const InkRun *run) {
  send(run, "start",
       json_pack("{s:o, s:s, s:f, s:i, s:s, s:o, s:f, s:I}", "deck", ink_json_text(run->file), "solver",
                 run->solver->name, "cells", run->plan.cells, "ranks", run->ranks, "method", run->plan.method,
                 "reason", ink_json_text(run->plan.reason), "time", run->progress.now, "step",
                 (json_int_t)run->progress.step));
}

static json_t *file_fields(const InkRun *run, const char *folder, int number_of_file, double seconds,
                           bool with_size) {
  char path[4096];
  struct stat status;
  snprintf(path, sizeof path, "%s/%s/%06d.h5", run->out, folder, number_of_file);
  json_t *fields =
      json_pack("{s:i, s:f, s:I, s:o, s:f}", "number", number_of_file, "time", run->progress.now, "step",
                (json_int_t)run->progress.step, "file", ink_json_text(path), "seconds", seconds);
  if (with_size && stat(path, &status) == 0)
    json_object_set_new(fields, "bytes", json_integer((json_int_t)status.st_size));
  return fields;
}

void ink_run_log_snapshot(const InkRun *run, int file, double seconds) {
  if (run->rank == 0) send(run, "snapshot", file_fields(run, "snapshots", file, seconds, false));
}

void ink_run_log_checkpoint(const InkRun *run, int file, double seconds) {
  if (run->rank == 0) send(run, "checkpoint", file_fields(run, "checkpoints", file, seconds, true));
}

void ink_run_log_verify(const InkRun *run, int count, const InkVerdict *verdict) {
  for (int i = 0; run->rank == 0 && i < count; i++) {
    const InkVerdict *v = &verdict[i];
    send(run, "verify",
         json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "quantity", ink_json_text(v->quantity), "at",
                   ink_json_number(v->at), "value", ink_json_number(v->value), "expect",
                   ink_json_number(v->expect), "difference", ink_json_number(v->difference), "within",
                   ink_json_number(v->within), "pass", (int)v->pass));
  }
}

void ink_run_log_end(const InkRun *run, const char *status, int code) {
  send(run, "end",
       json_pack("{s:s, s:i, s:f, s:I, s:f, s:f, s:f}", "status", status, "code", code, "time",
                 run->progress.now, "steps", (json_int_t)(run->progress.step - run->first_step),
                 "wall_seconds", MPI_Wtime() - run->begin, "step_seconds", run->step_seconds,
                 "first_step_seconds", run->start_seconds));
}
