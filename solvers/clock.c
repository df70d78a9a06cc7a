/* The driver's clock. See clock.h. */
#include "clock.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Set by the handlers. A signal has nowhere else to leave its word. */
static volatile sig_atomic_t signal_came;

static void note_signal(int signal_number) {
  (void)signal_number;
  signal_came = 1;
}

void ink_clock_catch_signals(void) {
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_flags |= (int)SA_RESETHAND; /* who presses Ctrl-C twice does not want to wait */
  sigaction(SIGINT, &action, NULL);
}

double ink_clock_duration(const char *text) {
  double part[3] = {0}, days = 0;
  int parts = 0;
  const char *at = text;
  char *end;
  if (strchr(at, '-')) {
    days = (double)strtol(at, &end, 10);
    if (end == at || *end != '-' || days < 0) return -1;
    at = end + 1;
  }
  for (;; at = end + 1) {
    if (parts == 3) return -1;
    part[parts] = strtod(at, &end);
    if (end == at || !(part[parts] >= 0) || !isfinite(part[parts])) return -1;
    parts++;
    if (*end == '\0') break;
    if (*end != ':') return -1;
  }
  if (days > 0 || strchr(text, '-')) /* days-hours[:minutes[:seconds]] */
    return 86400 * days + 3600 * part[0] + 60 * part[1] + part[2];
  double seconds = 0;
  for (int i = 0; i < parts; i++) seconds = 60 * seconds + part[i];
  return seconds;
}

double ink_clock_limit(double now, const char **source) {
  static const struct {
    const char *name;
    bool epoch;
  } variable[] = {{"SLURM_JOB_END_TIME", true},
                  {"INKDROP_DEADLINE", true},
                  {"INKDROP_TIME_LEFT", false},
                  {"PBS_WALLTIME", false}};
  for (size_t v = 0; v < sizeof variable / sizeof *variable; v++) {
    const char *text = getenv(variable[v].name);
    if (!text || !*text) continue;
    double seconds = ink_clock_duration(text);
    if (seconds < 0 || (variable[v].epoch && seconds == 0)) continue; /* "UNLIMITED", "INVALID", 0 */
    if (source) *source = variable[v].name;
    return variable[v].epoch ? seconds - now : seconds;
  }
  if (source) *source = NULL;
  return INFINITY;
}

PetscErrorCode ink_clock_create(MPI_Comm comm, const char *out, double begin, double walltime,
                                double checkpoint_every, double checkpoint_cost, InkClock **clock) {
  InkClock *c;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  c->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &c->rank));
  double now = MPI_Wtime();
  c->begin = begin;
  c->limit = walltime > 0 ? walltime : (now - begin) + ink_clock_limit((double)time(NULL), NULL);
  c->checkpoint_every = checkpoint_every > 0 ? checkpoint_every : INFINITY;
  c->checkpoint_cost = checkpoint_cost;
  c->next_checkpoint = now + c->checkpoint_every;
  c->next_progress = now;
  c->next_look = now;
  c->last_poll = now;
  c->stride = c->countdown = 1;
  if (out) {
    size_t size = strlen(out) + sizeof "/STOP";
    PetscCall(PetscMalloc1(size, &c->stop_file));
    snprintf(c->stop_file, size, "%s/STOP", out);
  }
  *clock = c;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_clock_destroy(InkClock **clock) {
  PetscFunctionBeginUser;
  if (*clock) PetscCall(PetscFree((*clock)->stop_file));
  PetscCall(PetscFree(*clock));
  PetscFunctionReturn(0);
}

double ink_clock_margin(const InkClock *clock) {
  return fmin(0.1 * clock->limit, 2 * clock->checkpoint_cost + 1) + 1.25 * clock->longest_poll;
}

/* What rank 0 sees; the signals of the others come with the agreement. */
static void look(InkClock *clock, double now, InkStopCause *cause, unsigned *due) {
  if (isfinite(clock->limit) && now - clock->begin > clock->limit - ink_clock_margin(clock))
    *cause = INK_CAUSE_DEADLINE;
  if (clock->stop_file && now >= clock->next_look) {
    if (access(clock->stop_file, F_OK) == 0) *cause = INK_CAUSE_STOP_FILE;
    clock->next_look = now + 0.25;
  }
  if (now >= clock->next_checkpoint) *due |= INK_CLOCK_CHECKPOINT;
  if (now >= clock->next_progress) {
    *due |= INK_CLOCK_PROGRESS;
    clock->next_progress = now + 0.2;
  }
}

void ink_clock_note_poll(InkClock *clock, double now) {
  clock->poll_interval = now - clock->last_poll;
  clock->longest_poll = fmax(clock->poll_interval, 0.95 * clock->longest_poll);
  clock->last_poll = now;
}

/* The stride that makes the next poll come after about 50 ms, growing at most fourfold at a time. */
static int64_t next_stride(const InkClock *clock) {
  const double wanted = 0.05;
  double stride = (double)clock->stride * fmin(4, wanted / fmax(clock->poll_interval, 1e-9));
  return (int64_t)fmin(fmax(stride, 1), 1 << 20);
}

PetscErrorCode ink_clock_poll(InkClock *clock) {
  PetscFunctionBeginUser;
  double now = MPI_Wtime();
  InkStopCause cause = signal_came ? INK_CAUSE_SIGNAL : INK_CAUSE_NONE;
  unsigned due = 0;
  if (clock->rank == 0) ink_clock_note_poll(clock, now);
  if (clock->rank == 0 && cause == INK_CAUSE_NONE) look(clock, now, &cause, &due);
  /* Only rank 0 puts in a stride and what is due, so the maximum is rank 0's; a signal may come from any. */
  int64_t agreed[4] = {cause == INK_CAUSE_SIGNAL, cause, due, clock->rank == 0 ? next_stride(clock) : 0};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, agreed, 4, MPI_INT64_T, MPI_MAX, clock->comm));
  if (agreed[0]) agreed[1] = INK_CAUSE_SIGNAL;
  if (agreed[1] != INK_CAUSE_NONE && clock->cause == INK_CAUSE_NONE) clock->cause = (InkStopCause)agreed[1];
  clock->due |= (unsigned)agreed[2];
  if (clock->cause != INK_CAUSE_NONE) clock->due |= INK_CLOCK_STOP;
  clock->stride = clock->countdown = agreed[3];
  PetscFunctionReturn(0);
}

PetscErrorCode ink_clock_due(InkClock *clock, PetscBool *due) {
  PetscFunctionBeginUser;
  *due = PETSC_FALSE;
  if (!clock) PetscFunctionReturn(0);
  if (--clock->countdown <= 0) PetscCall(ink_clock_poll(clock));
  *due = clock->due ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

bool ink_clock_saves(const InkClock *clock) {
  return clock && (clock->due & (INK_CLOCK_STOP | INK_CLOCK_CHECKPOINT));
}

unsigned ink_clock_take(InkClock *clock) {
  unsigned due = clock->due;
  clock->due &= INK_CLOCK_STOP;
  return due;
}

void ink_clock_checkpointed(InkClock *clock, double seconds) {
  clock->checkpoint_cost = seconds;
  clock->next_checkpoint = MPI_Wtime() + clock->checkpoint_every;
  clock->last_poll += seconds; /* the pace of the steps is measured without it */
}

const char *ink_clock_cause(const InkClock *clock) {
  switch (clock->cause) {
  case INK_CAUSE_DEADLINE:
    return "the walltime is nearly used up";
  case INK_CAUSE_SIGNAL:
    return "a signal asked to stop";
  case INK_CAUSE_STOP_FILE:
    return "OUT/STOP asked to stop";
  case INK_CAUSE_NONE:
    break;
  }
  return "";
}

void ink_clock_clear_stop(InkClock *clock) {
  if (clock->cause == INK_CAUSE_STOP_FILE && clock->stop_file) unlink(clock->stop_file);
}
