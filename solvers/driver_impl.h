/* The state of a run, shared by the driver's files. */
#ifndef INK_DRIVER_IMPL_H
#define INK_DRIVER_IMPL_H

#include "../io/checkpoint.h"
#include "../io/lock.h"
#include "../io/log.h"
#include "../io/report.h"
#include "clock.h"
#include "driver.h"
#include "events.h"
#include "series_columns.h"
#include "verify.h"

typedef struct InkRun {
  MPI_Comm comm;
  int rank, ranks;
  const char *file; /* of the deck */
  InkDeck *deck;
  const InkSolverType *solver;
  void *self; /* the solver's state */
  char *out;
  InkLock *lock; /* rank 0 */
  InkLog *log;
  InkClock *clock;
  InkEvents *events;
  InkVerify *verify;
  InkColumns *columns;
  InkSeries *series;
  InkPlan plan;
  InkProgress progress;
  InkFailure failure;                 /* the first thing that went wrong, the same on all ranks */
  bool stop;                          /* the clock wants the run to end */
  double begin;                       /* MPI_Wtime when the program began */
  double start_seconds, step_seconds; /* from begin to the first step; spent in steps alone */
  int64_t first_step;                 /* steps done before this session */

  int snapshots; /* written so far */
  double *snapshot_time;
  int snapshot_room;
  InkSnapshotOptions layout;
  int checkpoint;          /* number of the next one */
  int64_t checkpoint_step; /* of the last one of this session; -1: none */
  int keep;                /* checkpoints to keep */
} InkRun;

/* driver_output.c: what a run writes and reads back. All collective; what goes wrong is in run->failure. */
PetscErrorCode ink_run_snapshot(InkRun *run);
PetscErrorCode ink_run_series_row(InkRun *run);
PetscErrorCode ink_run_results(InkRun *run); /* fields.h5 and series.h5 */
PetscErrorCode ink_run_checkpoint(InkRun *run);
/* Loads the newest checkpoint, or `file`; *loaded false: there is none. */
PetscErrorCode ink_run_load(InkRun *run, const char *file, bool *loaded);
PetscErrorCode ink_run_report(InkRun *run, const char *status, int *code);

/* driver_log.c: events of the JSON log. Not collective; rank 0 writes. */
void ink_run_log_start(const InkRun *run);
void ink_run_log_snapshot(const InkRun *run, int file, double seconds);
void ink_run_log_checkpoint(const InkRun *run, int file, double seconds);
void ink_run_log_verify(const InkRun *run, int count, const InkVerdict *verdict);
void ink_run_log_end(const InkRun *run, const char *status, int code);
#endif
