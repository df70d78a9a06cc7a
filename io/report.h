/* The verify table and OUT/report.json. */
#ifndef INK_IO_REPORT_H
#define INK_IO_REPORT_H
#include "error.h"
#include <stdint.h>

typedef struct InkVerdict {
  const char *quantity;                     /* "probe:centre" */
  double at;                                /* time */
  double value, expect, difference, within; /* within: absolute, in the same unit */
  double standard_error;                    /* 0 when exact */
  bool pass;
  const char *source, *unit;
  double display_offset, display_factor; /* value shown = value / factor - offset; 0 and 1 when SI is shown */
} InkVerdict;

typedef struct InkReport {
  const char *title, *deck, *solver, *status; /* "finished", "stopped", "failed" */
  int exit_code;
  const char *message; /* failure, or NULL */
  double time;
  int64_t steps;
  int count;
  const InkVerdict *verdicts;
  /* into "run": */
  int ranks;
  double wall_seconds, cells;
  double step_seconds;  /* spent in steps alone */
  double start_seconds; /* from the start of the program to the first step */
  const char *method, *instruction_set;
} InkReport;

/* The table, aligned; nothing when there are no entries. Where some values have a standard error, there is a
 * column for it, after that of the values: "+- 0.0012", in the unit shown. */
void ink_report_print(const InkReport *report, FILE *stream);
/* Writes OUT/report.json ("verify" is the list of {quantity, at, value, expect, difference, within, pass,
 * source, unit}, and of values that have one, standard_error, in SI). Rank 0. */
void ink_report_write(const char *out, const InkReport *report, InkFailure *failure);
/* Reads OUT/report.json and prints its table again; returns its exit code, or -1 when there is none or it is
 * not finished. */
int ink_report_reprint(const char *out, FILE *stream);
#endif
