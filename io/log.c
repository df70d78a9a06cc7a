/* Progress and messages of a run: for people on a terminal, for a log file, for programs as JSON lines. */
#include "log.h"
#include "json.h"
#include "store_impl.h"
#include "terminal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct InkLog {
  bool speaks; /* rank 0 */
  bool quiet, terminal;
  bool live;      /* an unfinished line stands on the terminal */
  size_t columns; /* of the terminal */
  FILE *json;
  double begun, last, pause; /* seconds; pause: between lines of a log */
  double first_now;          /* progress at the first call, from which the ETA is reckoned */
  int64_t first_step;
  bool started;
};

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

InkLog *ink_log_create(MPI_Comm comm, bool quiet, const char *json_file) {
  InkLog *log = calloc(1, sizeof *log);
  int rank = 0;
  if (!log) abort();
  MPI_Comm_rank(comm, &rank);
  log->speaks = rank == 0;
  log->quiet = quiet;
  log->terminal = log->speaks && ink_terminal_watches(&log->columns);
  log->begun = seconds();
  log->last = log->begun;
  log->pause = 10;
  if (log->speaks && json_file) {
    log->json = fopen(json_file, "a");
    if (!log->json) fprintf(stderr, "warning: cannot write the JSON log %s\n", json_file);
  }
  return log;
}

void ink_log_destroy(InkLog **log) {
  if (!*log) return;
  ink_log_flush(*log);
  if ((*log)->json) fclose((*log)->json);
  free(*log);
  *log = NULL;
}

void ink_log_flush(InkLog *log) {
  if (log->live) {
    fputc('\n', stdout);
    log->live = false;
  }
  if (log->speaks) fflush(stdout);
}

/* One JSON line, {"event": ..., "wall": seconds since the start, ...}. Takes over `object`. */
static void json_line(InkLog *log, const char *event, json_t *object) {
  json_t *line = json_object();
  json_object_set_new(line, "event", json_string(event));
  json_object_set_new(line, "wall", json_real(seconds() - log->begun));
  if (object) json_object_update(line, object);
  json_dumpf(line, log->json, JSON_COMPACT | JSON_REAL_PRECISION(17));
  fputc('\n', log->json);
  fflush(log->json);
  json_decref(line);
  json_decref(object);
}

static void json_text(InkLog *log, const char *event, const char *text) {
  if (log->json) json_line(log, event, json_pack("{s:o}", "text", ink_json_text(text)));
}

void ink_log_note(InkLog *log, const char *format, ...) {
  char text[2048];
  va_list arguments;
  if (!log->speaks) return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  json_text(log, "note", text);
  if (log->quiet) return;
  ink_log_flush(log);
  printf("note: %s\n", text);
  fflush(stdout);
}

void ink_log_warning(InkLog *log, const char *format, ...) {
  char text[2048];
  va_list arguments;
  if (!log->speaks) return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  json_text(log, "warning", text);
  ink_log_flush(log);
  fprintf(stderr, "warning: %s\n", text);
}

/* "3 h 05 min", "2 min 10 s", "4 s". */
static void print_duration(double s, char *text, size_t size) {
  if (!(s >= 0 && s < 1e9))
    snprintf(text, size, "?");
  else if (s >= 86400)
    snprintf(text, size, "%d d %02d h", (int)(s / 86400), (int)(fmod(s, 86400) / 3600));
  else if (s >= 3600)
    snprintf(text, size, "%d h %02d min", (int)(s / 3600), (int)(fmod(s, 3600) / 60));
  else if (s >= 60)
    snprintf(text, size, "%d min %02d s", (int)(s / 60), (int)fmod(s, 60));
  else
    snprintf(text, size, "%.0f s", s);
}

static double resident_megabytes(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? 0 : (double)usage.ru_maxrss / 1024; /* kB on Linux */
}

/* Rates since the first call, which need not be the start of the run (restarts). */
static void rates(const InkLog *log, const InkLogProgress *p, double now, double *eta, double *cell_rate) {
  double passed = now - log->begun, done = p->now - log->first_now;
  *eta = done > 0 && passed > 0 ? passed * (p->end - p->now) / done : NAN;
  *cell_rate = passed > 0 ? p->cells * (double)(p->step - log->first_step) / passed : 0;
}

static bool is_due(InkLog *log, double now) {
  double pause = log->terminal && !log->quiet ? 0.2 : log->pause;
  if (now - log->last < pause) return false;
  log->last = now;
  if (!log->terminal && log->pause < 60) log->pause = fmin(60, log->pause * 1.5);
  return true;
}

void ink_log_progress(InkLog *log, const InkLogProgress *p) {
  if (!log->speaks) return;
  if (!log->started) {
    log->started = true;
    log->first_now = p->now;
    log->first_step = p->step;
    log->begun = seconds();
  }
  double now = seconds(), eta, cell_rate;
  if (!is_due(log, now)) return;
  rates(log, p, now, &eta, &cell_rate);
  if (log->json) {
    json_t *object =
        json_pack("{s:f, s:f, s:I, s:f, s:f, s:f}", "now", p->now, "end", p->end, "step", (json_int_t)p->step,
                  "dt", p->dt, "cells_per_second", cell_rate, "memory_MB", resident_megabytes());
    if (object && isfinite(eta)) json_object_set_new(object, "eta_seconds", json_real(eta));
    json_line(log, "progress", object);
  }
  if (log->quiet) return;
  char left[48], line[256];
  print_duration(eta, left, sizeof left);
  snprintf(line, sizeof line, "%.6g of %.6g %s  step %lld  dt %.3g  left %s  %.3g %s/s  %.0f MB", p->now,
           p->end, p->unit, (long long)p->step, p->dt, left, cell_rate, p->counts ? p->counts : "cells",
           resident_megabytes());
  if (log->terminal) /* a line that is wider than the terminal could not be written over */
    printf("\r\033[K%.*s", (int)log->columns - 1, line);
  else
    printf("%s\n", line);
  log->live = log->terminal;
  fflush(stdout);
}

void ink_log_event(InkLog *log, const char *event, const char *fields) {
  if (!log->json) return;
  json_t *object = NULL;
  if (fields) {
    char *open = ink_text_join("{", fields), *whole = ink_text_join(open, "}");
    object = json_loads(whole, 0, NULL);
    if (!object) object = json_pack("{s:o}", "text", ink_json_text(fields));
    free(open);
    free(whole);
  }
  json_line(log, event, object);
}
