/* When the driver must act between targets: the deadline, signals, OUT/STOP, wall-clock checkpoints,
 * progress.
 *
 * The solver asks ink_clock_due (solver.h) after every step. Most calls only count; every `stride` steps,
 * about every 50 ms, all ranks agree on what is due. The stride follows the measured pace on rank 0 and is
 * sent with the agreement, so that all ranks poll at the same step. Nothing here looks at the solution or
 * changes a step. */
#ifndef INK_CLOCK_H
#define INK_CLOCK_H

#include <mpi.h>
#include "solver.h"

enum {
  INK_CLOCK_STOP = 1,       /* deadline, signal or OUT/STOP: checkpoint and leave with INK_STOPPED */
  INK_CLOCK_CHECKPOINT = 2, /* checkpoint.every has passed */
  INK_CLOCK_PROGRESS = 4,   /* time for a progress line */
};

typedef enum InkStopCause {
  INK_CAUSE_NONE,
  INK_CAUSE_DEADLINE,
  INK_CAUSE_SIGNAL,
  INK_CAUSE_STOP_FILE
} InkStopCause;

struct InkClock {
  MPI_Comm comm;
  int rank;
  double begin;            /* MPI_Wtime when the run began */
  double limit;            /* seconds from begin to the deadline; INFINITY: none */
  double checkpoint_every; /* seconds; INFINITY: never */
  double next_checkpoint, next_progress, next_look;
  double checkpoint_cost; /* seconds the last checkpoint took, or an estimate */
  char *stop_file;        /* OUT/STOP */
  int64_t stride, countdown;
  double last_poll, poll_interval; /* seconds; rank 0 */
  double longest_poll;             /* the longest interval of late */
  unsigned due;                    /* agreed on: INK_CLOCK_* */
  InkStopCause cause;              /* of INK_CLOCK_STOP */
};

/* walltime: time.walltime in seconds, 0 when the deck has none: then the scheduler's word is taken, see
 * ink_clock_limit. begin: MPI_Wtime at the start of the program. checkpoint_cost: a first estimate, seconds.
 * Collective. */
PetscErrorCode ink_clock_create(MPI_Comm comm, const char *out, double begin, double walltime,
                                double checkpoint_every, double checkpoint_cost, InkClock **clock);
PetscErrorCode ink_clock_destroy(InkClock **clock);

/* What has been agreed on since the last call, and clears it (INK_CLOCK_STOP stays). Not collective. */
unsigned ink_clock_take(InkClock *clock);
/* Asks now, whatever the stride. Collective. */
PetscErrorCode ink_clock_poll(InkClock *clock);
/* A checkpoint has just been written in `seconds`. The next is due checkpoint_every from now. */
void ink_clock_checkpointed(InkClock *clock, double seconds);
/* Why the run stops, in words. */
const char *ink_clock_cause(const InkClock *clock);
/* Removes OUT/STOP when it was the cause. Rank 0. */
void ink_clock_clear_stop(InkClock *clock);

/* Seconds from now to the end of the job as the environment tells, INFINITY when it does not:
 * SLURM_JOB_END_TIME (epoch), INKDROP_DEADLINE (epoch), INKDROP_TIME_LEFT (seconds, or Slurm's
 * [days-]hours:minutes:seconds), PBS_WALLTIME (seconds). `now`: epoch seconds. Pure but for the environment.
 * The first variable that is set and makes sense is taken; *source is its name, or NULL. */
double ink_clock_limit(double now, const char **source);
/* Seconds in "90", "1:30", "2:00:00", "1-00:00:00"; -1 when it is none of them. */
double ink_clock_duration(const char *text);

/* Seconds to keep before the deadline: what the last checkpoint and the end take, at most a tenth of the
 * whole, and a poll interval as long as the longest of late, for the next chance to stop comes after it (a
 * step may be long). */
double ink_clock_margin(const InkClock *clock);
/* Takes note of a poll at `now` (MPI_Wtime); an interval counts for less and less as others follow. */
void ink_clock_note_poll(InkClock *clock, double now);

/* Signal handlers for SIGUSR1, SIGTERM and SIGINT: they only note that one came. A second SIGINT ends the
 * program at once. */
void ink_clock_catch_signals(void);
#endif
