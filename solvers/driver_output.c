/* What a run writes: snapshots and their index, the series, checkpoints, the report; and how a checkpoint is
 * read back. */
#include "driver_impl.h"

#include <stdlib.h>
#include <string.h>
#include "core/evaluate.h"

static InkRunRecord record(const InkRun *run) {
  return (InkRunRecord){.deck = ink_deck_yaml(run->deck),
                        .title = ink_deck_node(run->deck, "title") ? ink_deck_text(run->deck, "title") : "",
                        .solver = run->solver->name,
                        .method = run->plan.method,
                        .instruction_set = ink_program_instruction_set(),
                        .ranks = run->ranks,
                        .wall_seconds = MPI_Wtime() - run->begin,
                        .step = run->progress.step};
}

/* The fields as the writers want them, each on its own grid; the first field's is the snapshots'. Free with
 * PetscFree. */
static PetscErrorCode writers_fields(InkRun *run, int *count, const InkGrid **grid, InkFieldData **data) {
  const InkField *field;
  PetscFunctionBeginUser;
  PetscCall(run->solver->fields(run->self, &field, count));
  PetscCall(PetscMalloc1((size_t)*count, data));
  for (int f = 0; f < *count; f++)
    (*data)[f] =
        (InkFieldData){field[f].name, field[f].long_name, field[f].unit, field[f].values, &field[f].grid};
  *grid = &field[0].grid;
  PetscFunctionReturn(0);
}

static PetscErrorCode write_index(InkRun *run) {
  const InkGrid *grid;
  InkFieldData *data;
  int count;
  PetscFunctionBeginUser;
  InkRunRecord about = record(run);
  PetscCall(writers_fields(run, &count, &grid, &data));
  PetscCall(ink_index_write(run->comm, run->out, run->snapshots, run->snapshot_time, grid, count, data,
                            &about, &run->layout, &run->failure));
  PetscCall(PetscFree(data));
  PetscFunctionReturn(0);
}

static PetscErrorCode keep_time(InkRun *run, double time) {
  PetscFunctionBeginUser;
  if (run->snapshots == run->snapshot_room) {
    run->snapshot_room = run->snapshot_room ? 2 * run->snapshot_room : 64;
    PetscCall(PetscRealloc((size_t)run->snapshot_room * sizeof(double), &run->snapshot_time));
  }
  run->snapshot_time[run->snapshots++] = time;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_snapshot(InkRun *run) {
  const InkGrid *grid;
  InkFieldData *data;
  int count;
  PetscFunctionBeginUser;
  if (run->failure.code) PetscFunctionReturn(0);
  double begin = MPI_Wtime();
  InkRunRecord about = record(run);
  PetscCall(writers_fields(run, &count, &grid, &data));
  PetscCall(ink_snapshot_write(run->comm, run->out, run->snapshots, run->progress.now, grid, count, data,
                               &about, &run->layout, &run->failure));
  PetscCall(PetscFree(data));
  if (run->failure.code) PetscFunctionReturn(0);
  ink_run_log_snapshot(run, run->snapshots, MPI_Wtime() - begin);
  PetscCall(keep_time(run, run->progress.now));
  /* The index names every snapshot, so rewriting it after each one would cost the square of their number. */
  if (run->snapshots <= 64 || run->snapshots % 64 == 0) PetscCall(write_index(run));
  PetscFunctionReturn(0);
}

/* Makes the series when there is none yet: the units are those of the first values. */
static PetscErrorCode series_values(InkRun *run, double *value) {
  const char **unit;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)run->columns->count, &unit));
  PetscCall(ink_columns_values(run->columns, run->solver, run->self, value, unit));
  if (!run->series)
    run->series = ink_series_create(run->columns->count, run->columns->name, unit, run->columns->long_name);
  PetscCall(PetscFree(unit));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_series_row(InkRun *run) {
  double *value;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)run->columns->count, &value));
  PetscCall(series_values(run, value));
  ink_series_append(run->series, run->progress.now, value);
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_results(InkRun *run) {
  PetscFunctionBeginUser;
  if (run->snapshots > 0) PetscCall(write_index(run));
  if (run->series) {
    InkRunRecord about = record(run);
    PetscCall(ink_series_write(run->comm, run->out, run->series, &about, &run->failure));
  }
  PetscFunctionReturn(0);
}

/* The driver's own part of a checkpoint. */
static PetscErrorCode save_driver(InkRun *run, InkStore *store) {
  int64_t counts[2] = {run->progress.step, run->snapshots};
  double numbers[2] = {run->progress.now, run->progress.dt};
  PetscFunctionBeginUser;
  PetscCall(ink_store_group(store, "/driver"));
  PetscCall(ink_store_write_integers(store, "/driver/counts", 2, counts));
  PetscCall(ink_store_write_numbers(store, "/driver/numbers", 2, numbers));
  if (run->snapshots > 0)
    PetscCall(ink_store_write_numbers(store, "/driver/snapshot_times", run->snapshots, run->snapshot_time));
  PetscCall(ink_verify_save(run->verify, store));
  if (run->series) {
    PetscCall(ink_store_write_text(store, "/driver/columns", run->columns->names));
    PetscCall(ink_series_save(run->series, store));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_checkpoint(InkRun *run) {
  InkStore *store = NULL;
  PetscFunctionBeginUser;
  if (run->failure.code || run->checkpoint_step == run->progress.step) PetscFunctionReturn(0);
  double begin = MPI_Wtime();
  PetscCall(ink_run_results(run)); /* what stands beside a checkpoint is complete up to it */
  if (run->failure.code) PetscFunctionReturn(0);
  PetscCall(ink_checkpoint_begin(run->comm, run->out, run->checkpoint, ink_deck_hash(run->deck), &store));
  PetscCall(save_driver(run, store));
  PetscCall(run->solver->save(run->self, store));
  PetscCall(ink_checkpoint_commit(run->comm, run->out, run->checkpoint, run->keep, &store, &run->failure));
  if (run->failure.code) PetscFunctionReturn(0);
  double seconds = MPI_Wtime() - begin;
  ink_clock_checkpointed(run->clock, seconds);
  ink_run_log_checkpoint(run, run->checkpoint, seconds);
  run->checkpoint_step = run->progress.step;
  run->checkpoint++;
  PetscFunctionReturn(0);
}

static PetscErrorCode load_series(InkRun *run, InkStore *store) {
  double *value;
  char *names = NULL;
  PetscFunctionBeginUser;
  if (!ink_store_has(store, "/driver/columns")) PetscFunctionReturn(0);
  PetscCall(ink_store_read_text(store, "/driver/columns", &names));
  bool same = names && strcmp(names, run->columns->names) == 0;
  free(names);
  if (!same) {
    ink_log_note(run->log, "the columns of the series have changed: it starts again from here");
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)run->columns->count, &value));
  PetscCall(series_values(run, value));
  PetscCall(PetscFree(value));
  PetscCall(ink_series_load(run->series, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode load_driver(InkRun *run, InkStore *store) {
  int64_t counts[2] = {0};
  double numbers[2] = {0};
  PetscFunctionBeginUser;
  PetscCall(ink_store_read_integers(store, "/driver/counts", 2, counts));
  PetscCall(ink_store_read_numbers(store, "/driver/numbers", 2, numbers));
  run->progress = (InkProgress){.now = numbers[0], .dt = numbers[1], .step = counts[0]};
  run->first_step = counts[0];
  run->snapshots = run->snapshot_room = (int)counts[1];
  PetscCall(PetscMalloc1((size_t)run->snapshots, &run->snapshot_time));
  if (run->snapshots > 0)
    PetscCall(ink_store_read_numbers(store, "/driver/snapshot_times", run->snapshots, run->snapshot_time));
  PetscCall(ink_verify_load(run->verify, store));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_load(InkRun *run, const char *file, bool *loaded) {
  InkStore *store = NULL;
  int number = -1;
  PetscFunctionBeginUser;
  PetscCall(ink_checkpoint_open(run->comm, run->out, file, ink_deck_hash(run->deck), &store, &number,
                                &run->failure));
  *loaded = store != NULL;
  if (!store || run->failure.code) PetscFunctionReturn(0);
  PetscCall(load_driver(run, store));
  PetscCall(run->solver->load(run->self, store));
  PetscCall(load_series(run, store));
  PetscCall(ink_store_commit(&store, &run->failure)); /* tells whether all could be read */
  if (!run->failure.code && run->progress.now > run->events->end + run->events->same)
    ink_fail(&run->failure, INK_USAGE,
             "the checkpoint is of %g s, after time.end (%g s): choose another --output, or a later end",
             run->progress.now, run->events->end);
  if (run->failure.code) PetscFunctionReturn(0);
  run->checkpoint = number + 1;
  /* First the index without them, then the snapshots that the run will write again. */
  if (run->snapshots > 0) PetscCall(write_index(run));
  if (run->rank == 0) ink_snapshot_remove_from(run->out, run->snapshots);
  PetscCallMPI(MPI_Barrier(run->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_report(InkRun *run, const char *status, int *code) {
  bool pass;
  PetscFunctionBeginUser;
  InkVerdict *verdicts = ink_verify_verdicts(run->verify, &pass);
  bool finished = strcmp(status, "finished") == 0;
  *code = run->failure.code ? (int)run->failure.code
          : !finished       ? INK_STOPPED
          : pass            ? INK_DONE
                            : INK_UNVERIFIED;
  InkReport report = {.title = ink_deck_node(run->deck, "title") ? ink_deck_text(run->deck, "title") : "",
                      .deck = run->file,
                      .solver = run->solver->name,
                      .status = status,
                      .exit_code = *code,
                      .message = run->failure.code ? run->failure.message : NULL,
                      .time = run->progress.now,
                      .steps = run->progress.step,
                      .count = finished ? run->verify->count : 0,
                      .verdicts = verdicts,
                      .ranks = run->ranks,
                      .wall_seconds = MPI_Wtime() - run->begin,
                      .step_seconds = run->step_seconds,
                      .start_seconds = run->start_seconds,
                      .cells = run->plan.cells,
                      .method = run->plan.method,
                      .instruction_set = ink_program_instruction_set()};
  if (run->rank == 0) {
    ink_report_print(&report, stdout);
    ink_report_write(run->out, &report, &run->failure);
    fflush(stdout);
  }
  PetscCall(ink_failure_agree(run->comm, &run->failure));
  if (run->failure.code) *code = (int)run->failure.code;
  ink_run_log_verify(run, report.count, verdicts);
  ink_run_log_end(run, status, *code);
  free(verdicts);
  PetscFunctionReturn(0);
}
