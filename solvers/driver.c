/* The one loop: advance, observe, checkpoint, stop. */
#include "driver_impl.h"

#include <stdlib.h>
#include <string.h>
#include "core/evaluate.h"
#include "restart.h"

/* What the plan counts. */
static const char *counted(const InkRun *run) { return run->plan.counts ? run->plan.counts : "cells"; }

static void show_progress(const InkRun *run) {
  InkLogProgress line = {.now = run->progress.now,
                         .end = run->events->end,
                         .unit = *ink_deck_seconds(run->deck) ? "s" : "",
                         .step = run->progress.step,
                         .dt = run->progress.dt,
                         .cells = run->plan.cells,
                         .counts = counted(run)};
  ink_log_progress(run->log, &line);
}

/* At a target, or at the start: what the deck asked for at this time. */
static PetscErrorCode observe(InkRun *run, unsigned what) {
  PetscFunctionBeginUser;
  if (what & INK_EVENT_SERIES) PetscCall(ink_run_series_row(run));
  if (what & INK_EVENT_TRACK)
    PetscCall(ink_verify_sample(run->verify, run->solver, run->self, run->progress.now, run->events->same));
  if (what & INK_EVENT_VERIFY)
    PetscCall(ink_verify_evaluate(run->verify, run->solver, run->self, run->progress.now, run->events->same));
  if (what & INK_EVENT_SNAPSHOT) PetscCall(ink_run_snapshot(run));
  if (what & (INK_EVENT_CHECKPOINT | INK_EVENT_END)) PetscCall(ink_run_checkpoint(run));
  PetscFunctionReturn(0);
}

/* At any step boundary: what the wall clock, a signal or OUT/STOP asks for. */
static PetscErrorCode attend(InkRun *run) {
  PetscFunctionBeginUser;
  unsigned due = ink_clock_take(run->clock);
  if (due & INK_CLOCK_PROGRESS) show_progress(run);
  if (run->progress.now >= run->events->end) PetscFunctionReturn(0);
  run->stop = (due & INK_CLOCK_STOP) != 0;
  if (due & (INK_CLOCK_STOP | INK_CLOCK_CHECKPOINT)) PetscCall(ink_run_checkpoint(run));
  PetscFunctionReturn(0);
}

static PetscErrorCode loop(InkRun *run) {
  const InkEvent *next;
  PetscFunctionBeginUser;
  run->start_seconds = MPI_Wtime() - run->begin;
  while (!run->stop && !run->failure.code && (next = ink_events_after(run->events, run->progress.now))) {
    double before = MPI_Wtime();
    PetscCall(run->solver->advance(run->self, next->time, run->clock, &run->progress));
    run->step_seconds += MPI_Wtime() - before;
    run->failure = run->progress.failure;
    if (run->failure.code) break;
    if (run->progress.note) ink_log_note(run->log, "%s", run->progress.note);
    run->progress.note = NULL;
    if (run->progress.now >= next->time) PetscCall(observe(run, next->what));
    if (!run->failure.code) PetscCall(attend(run));
  }
  PetscFunctionReturn(0);
}

/* " of u, v and w" when there are several fields; "" for one. */
static void fields_in_words(const InkDeck *deck, char *text, size_t size) {
  const char *const *names;
  const InkDim *dims;
  int count = ink_deck_fields(deck, &names, &dims);
  text[0] = '\0';
  for (int f = 0; f < count && count > 1; f++) {
    size_t length = strlen(text);
    const char *before = f == 0 ? " of " : f + 1 < count ? ", " : " and ";
    snprintf(text + length, size - length, "%s%s", before, names[f]);
  }
}

static void introduce(const InkRun *run) {
  char sides[256], fields[256];
  fields_in_words(run->deck, fields, sizeof fields);
  ink_log_note(run->log, "%s: %s, %.0f %s%s on %d rank%s, %s", run->file, run->solver->name, run->plan.cells,
               counted(run), fields, run->ranks, run->ranks == 1 ? "" : "s", ink_program_instruction_set());
  ink_log_note(run->log, "method %s: %s", run->plan.method, run->plan.reason);
  ink_defaulted_sides(run->deck, sides, sizeof sides);
  if (sides[0])
    ink_log_note(run->log, "sides not given %s: %s",
                 ink_deck_state(run->deck, NULL) < 0 ? "are zero-flux" : "reflect", sides);
}

static PetscErrorCode write_deck(InkRun *run) {
  char path[4096];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/deck.yaml", run->out);
  if (run->rank == 0) ink_write_text(path, ink_deck_yaml(run->deck), &run->failure);
  PetscCall(ink_failure_agree(run->comm, &run->failure));
  PetscFunctionReturn(0);
}

/* The initial state, or that of a checkpoint. Nothing in OUT is touched before the checkpoint has been read.
 */
static PetscErrorCode start(InkRun *run, InkStart what, const InkOptions *options) {
  bool loaded = false;
  PetscFunctionBeginUser;
  run->progress.now = run->events->start;
  if (what == INK_START_CONTINUE) PetscCall(ink_run_load(run, options->restart_file, &loaded));
  if (!run->failure.code) PetscCall(write_deck(run));
  if (run->failure.code) PetscFunctionReturn(0);
  if (loaded) PetscCall(run->solver->plan(run->self, &run->plan)); /* the method is the checkpoint's */
  introduce(run);
  ink_run_log_start(run);
  if (loaded) {
    ink_log_note(run->log, "continuing from checkpoint %06d: time %g%s, step %lld", run->checkpoint - 1,
                 run->progress.now, ink_deck_seconds(run->deck), (long long)run->progress.step);
    PetscFunctionReturn(0);
  }
  if (what == INK_START_CONTINUE) {
    ink_log_note(run->log, "%s holds an unfinished run without a checkpoint: starting anew", run->out);
    if (run->rank == 0) ink_snapshot_remove_from(run->out, 0);
  }
  PetscCall(observe(run, run->events->initial));
  PetscFunctionReturn(0);
}

static PetscErrorCode finish(InkRun *run, int *code) {
  PetscFunctionBeginUser;
  ink_log_flush(run->log);
  InkFailure first = run->failure;
  PetscCall(ink_run_results(run));
  if (first.code) run->failure = first; /* what happened, not what followed from it */
  const char *status = run->failure.code ? "failed" : run->stop ? "stopped" : "finished";
  PetscCall(ink_run_report(run, status, code));
  if (run->failure.code) PetscFunctionReturn(0);

  long long steps = (long long)(run->progress.step - run->first_step);
  if (ink_deck_is_steady(run->deck) && !run->stop)
    ink_log_note(run->log, "%s: solved in %.3g s (%.3g s in all)", status, run->step_seconds,
                 MPI_Wtime() - run->begin);
  else
    ink_log_note(run->log, "%s at %g%s: %lld step%s in %.3g s (%.3g s in all), %.3g %s/s", status,
                 run->progress.now, ink_deck_seconds(run->deck), steps, steps == 1 ? "" : "s",
                 run->step_seconds, MPI_Wtime() - run->begin,
                 run->step_seconds > 0 ? run->plan.cells * (double)steps / run->step_seconds : 0,
                 counted(run));
  if (run->stop) {
    ink_log_note(run->log, "stopped with a checkpoint because %s; run it again to continue",
                 ink_clock_cause(run->clock));
    if (run->rank == 0) ink_clock_clear_stop(run->clock);
  } else
    ink_log_note(run->log, "results: xarray.open_dataset('%s/fields.h5'), or open that file in ParaView",
                 run->out);
  PetscFunctionReturn(0);
}

/* All that the loop needs. A failure is in run->failure. */
static PetscErrorCode set_up(InkRun *run, const InkOptions *options) {
  PetscFunctionBeginUser;
  char json[4096];
  const char *const *names;
  const InkDim *dims;
  double bytes; /* of a checkpoint, nearly */
  snprintf(json, sizeof json, "%s/log.jsonl", run->out);
  if (options->json_log_file) snprintf(json, sizeof json, "%s", options->json_log_file);
  run->log = ink_log_create(run->comm, options->quiet, options->json_log ? json : NULL);
  PetscCall(run->solver->create(run->comm, run->deck, &run->self, &run->failure));
  PetscCall(ink_failure_agree(run->comm, &run->failure));
  if (run->failure.code) PetscFunctionReturn(0);
  PetscCall(run->solver->plan(run->self, &run->plan));
  PetscCall(ink_events_create(run->deck, INK_EVENT_ALL, &run->events));
  PetscCall(ink_events_tell(run->events, run->solver, run->self, &run->failure));
  if (run->failure.code) PetscFunctionReturn(0);
  PetscCall(ink_verify_create(run->comm, run->deck, &run->verify));
  PetscCall(ink_columns_create(run->comm, run->deck, run->solver, &run->columns));
  bytes = 8 * run->plan.cells * ink_deck_fields(run->deck, &names, &dims);
  PetscCall(
      ink_clock_create(run->comm, run->out, run->begin, ink_deck_number_or(run->deck, "time.walltime", 0),
                       ink_deck_number_or(run->deck, "checkpoint.every", 600), bytes / 1e8, &run->clock));
  run->keep = (int)ink_deck_number_or(run->deck, "checkpoint.keep", 2);
  run->layout.compression = (int)ink_deck_number_or(run->deck, "output.compression", 0);
  run->layout.single = ink_deck_chosen(run->deck, "output.precision", "f32");
  PetscFunctionReturn(0);
}

/* A failure before there is a run to report on, or the end of one. Rank 0 prints, once. */
static void tell(InkRun *run, int *code) {
  if (!run->failure.code) return;
  *code = (int)run->failure.code;
  if (run->log) ink_log_flush(run->log);
  if (run->rank == 0) fprintf(stderr, "%s: %s\n", run->file, run->failure.message);
}

static PetscErrorCode run_locked(InkRun *run, const InkOptions *options, int *code) {
  InkStart what = INK_START_FRESH;
  PetscFunctionBeginUser;
  PetscCall(ink_restart_decide(run->comm, run->deck, run->out, options, &what, &run->failure));
  if (run->failure.code) PetscFunctionReturn(0);
  if (what == INK_START_FINISHED) {
    if (run->rank == 0) {
      printf("note: %s is finished; its table again\n", run->out);
      *code = ink_report_reprint(run->out, stdout);
    }
    PetscCallMPI(MPI_Bcast(code, 1, MPI_INT, 0, run->comm));
    if (*code >= 0) PetscFunctionReturn(0);
    what = INK_START_CONTINUE;
  }
  PetscCall(set_up(run, options));
  if (run->failure.code) PetscFunctionReturn(0);
  PetscCall(start(run, what, options));
  if (run->failure.code) PetscFunctionReturn(0); /* what stands in OUT stays */
  PetscCall(loop(run));
  PetscCall(finish(run, code));
  PetscFunctionReturn(0);
}

static PetscErrorCode clean_up(InkRun *run) {
  PetscFunctionBeginUser;
  if (run->self) PetscCall(run->solver->destroy(&run->self));
  PetscCall(ink_clock_destroy(&run->clock));
  ink_events_destroy(&run->events);
  PetscCall(ink_verify_destroy(&run->verify));
  PetscCall(ink_columns_destroy(&run->columns));
  ink_series_destroy(&run->series);
  PetscCall(PetscFree(run->snapshot_time));
  if (run->log) ink_log_destroy(&run->log);
  if (run->lock) ink_lock_release(&run->lock);
  ink_deck_destroy(&run->deck);
  free(run->out);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_run_deck(MPI_Comm comm, const char *deck, const InkOptions *options, double begin,
                            int *code) {
  InkRun run = {.comm = comm, .file = deck, .begin = begin, .checkpoint_step = -1};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &run.rank));
  PetscCallMPI(MPI_Comm_size(comm, &run.ranks));
  *code = INK_USAGE;
  PetscCall(ink_prepare_deck(comm, deck, options->setting, &run.deck, &run.solver));
  if (!run.deck) PetscFunctionReturn(0);
  run.out = ink_options_out(options, deck);
  PetscCheck(run.out, comm, PETSC_ERR_MEM, "no memory for the name of the output folder");
  if (run.rank == 0) run.lock = ink_lock_take(run.out, &run.failure);
  PetscCall(ink_failure_agree(comm, &run.failure));
  if (!run.failure.code) PetscCall(run_locked(&run, options, code));
  tell(&run, code);
  PetscCall(clean_up(&run));
  PetscFunctionReturn(0);
}
