/* Progress and messages: one live line on a terminal, a line every so often in a log, JSON lines with
 * --json-log. Rank 0 prints; on other ranks every call does nothing. */
#ifndef INK_IO_LOG_H
#define INK_IO_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <mpi.h>

typedef struct InkLog InkLog;
InkLog *ink_log_create(MPI_Comm comm, bool quiet, const char *json_file /* NULL: none */);
void ink_log_destroy(InkLog **log);

/* A line of information on stdout ("note: ..."); event "note" in the JSON log. */
__attribute__((format(printf, 2, 3))) void ink_log_note(InkLog *log, const char *format, ...);
/* A warning on stderr. */
__attribute__((format(printf, 2, 3))) void ink_log_warning(InkLog *log, const char *format, ...);

typedef struct InkLogProgress {
  double now, end;  /* progress coordinate */
  const char *unit; /* "s", "steps" */
  int64_t step;
  double dt;
  double cells;       /* global cells: cells/s = cells * steps per second */
  const char *counts; /* what they are: NULL: cells; "particles" */
} InkLogProgress;
/* Call as often as you like: prints at most every 0.2 s on a terminal, every `10 s` growing to 60 s in a log.
 * Adds ETA, cells/s and memory (the most that rank 0 has held so far). */
void ink_log_progress(InkLog *log, const InkLogProgress *progress);
/* Ends the live line so that other output starts on a fresh line. */
void ink_log_flush(InkLog *log);
/* JSON log only: {"event": event, ...fields}; fields is a JSON object text without braces, or NULL. */
void ink_log_event(InkLog *log, const char *event, const char *fields);
#endif
