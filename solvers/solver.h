/* What an equation must provide, and all the driver knows of it.
 *
 * An equation is one folder with one InkSolverType, and one line in registry.c. The driver calls, in this
 * order: rank 0:    fields and units of the schema, then check          (no MPI, may be the verb `check` on a
 * laptop) all ranks: create, plan, [load], then again and again { advance, fields, quantity }, save at
 * checkpoints, destroy. Every function below is required unless marked optional; all but check are collective
 * over the communicator given to create. */
#ifndef INK_SOLVER_H
#define INK_SOLVER_H

#include "../io/deck.h"
#include "../io/snapshot.h"
#include "../io/store.h"

/* The driver's clock: the deadline, signals and OUT/STOP. */
typedef struct InkClock InkClock;
/* Collective and cheap: call after every step. *due is the same on all ranks: PETSC_TRUE when the driver
 * wants control back (walltime, signal, wall-clock checkpoint, progress line). It never depends on the
 * solution and never changes a step. */
PetscErrorCode ink_clock_due(InkClock *clock, PetscBool *due);
/* When due: will the driver store the state (a checkpoint, a stop)? If not, it only wants to report. The same
 * on all ranks. */
bool ink_clock_saves(const InkClock *clock);

/* A field as observers and writers see it. */
typedef struct InkField {
  const char *name, *long_name, *unit;
  InkGrid grid;
  const double *values; /* first owned cell; strides in grid.box */
} InkField;

typedef struct InkPlan {
  double cells;       /* global */
  const char *counts; /* what `cells` counts: NULL: cells; "particles" */
  double bytes_per_rank;
  char method[32];                /* chosen: "explicit", "implicit", "steady" */
  int order;                      /* in time, of the method; 0: steady */
  char reason[800];               /* why, in words with numbers */
  double dt;                      /* first or fixed step; 0: none */
  double dt_gershgorin, dt_exact; /* monotone limits of the explicit step; 0 when they do not apply */
  double steps;                   /* estimate */
  double seconds;                 /* estimate of wall time on this many ranks */
} InkPlan;

typedef struct InkProgress {
  double now;         /* progress coordinate: time [s] or sampling steps */
  int64_t step;       /* steps done since the start of the run (restarts included) */
  double dt;          /* last step */
  InkFailure failure; /* code INK_NUMERICAL: the run ends with exit 4 (message names field, cell, time, cause,
                         what to try) */
  const char *note;   /* something for people to know that just happened, or NULL; the solver's */
} InkProgress;

/* A question of `verify` or of the series. Where a quantity is of a field that does not stand in its name,
 * the field is the option `field` of the entry, or follows after a colon, which means the same:
 * flux|mean_flux|current SIDE[:FIELD], front position[:FIELD], amplitude|wavelength|spots [FIELD]; with one
 * field it may be left out. The driver asks `front position` and `amplitude` again and again, with the entry,
 * for front:speed and growth (tracks.h): a solver that defines the former has the latter. */
typedef struct InkQuery {
  const char *kind;     /* "probe", "integral", "flux", "error", ... the part before ':' */
  const char *argument; /* "centre", "T", "x_min", "l2:T", "x_min:u"; "" when there is none */
  const InkNode *entry; /* the verify entry for options (field, level, axis, wavenumber); may be NULL */
} InkQuery;

typedef struct InkValue {
  double value, standard_error;
  const char *unit; /* SI unit for display; "1" when not known */
} InkValue;

typedef struct InkSolverType {
  const char *name, *summary;
  const char *const *methods; /* for `list`; ends with NULL */
  bool draws;                 /* its values come from random numbers and have standard errors */
  void (*list)(FILE *out);    /* what else `list` shows: kinetics, samplers. Optional */
  InkSchema schema;           /* key rows, field names, symbolic units */

  /* Rank 0, before broadcast, no MPI: everything wrong with the deck that the key table cannot say (sides,
   * sections that contradict each other, probes outside, quantities not defined). `ranks`: how many ranks
   * will run. All errors in one call. */
  void (*check)(const InkDeck *deck, int ranks, InkErrors *errors);

  /* What `check` prints of a good deck before anything runs, besides the plan: the physics it can foresee.
   * Rank 0, no MPI. Optional. */
  void (*analyse)(const InkDeck *deck, FILE *out);

  /* Sets up on a good deck at time.start with the initial state. failure: what a user can cause (NaN in
   * initial, too many ranks). */
  PetscErrorCode (*create)(MPI_Comm comm, const InkDeck *deck, void **self, InkFailure *failure);
  /* The times the run will be advanced to, in order, the last one its end. Called once, after create and
   * before load, fields and advance (not by `check`). Optional: for solvers that must know them all. */
  PetscErrorCode (*targets)(void *self, int count, const double *time, InkFailure *failure);
  PetscErrorCode (*plan)(void *self, InkPlan *plan);
  /* The fields, valid until the next advance. *count is set; the array is owned by the solver. */
  PetscErrorCode (*fields)(void *self, const InkField **fields, int *count);
  /* Advances to `until` of the solver's own progress coordinate, hitting it exactly, or to the first step
   * boundary where ink_clock_due() says so. dt is chosen so that the interval that remains to `until` is
   * divided evenly. */
  PetscErrorCode (*advance)(void *self, double until, InkClock *clock, InkProgress *progress);
  /* Is `query` defined for this solver and deck? Rank 0, no MPI. If not, one line to message. unit: of the
   * value, for checking `expect` (known false: any). */
  bool (*defined)(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message, size_t size);
  PetscErrorCode (*quantity)(void *self, const InkQuery *query, InkValue *value);
  /* State + step + time + next dt + controller + budgets, under "/state" of the store. load gives the same
   * bits back on any rank count. */
  PetscErrorCode (*save)(void *self, InkStore *store);
  PetscErrorCode (*load)(void *self, InkStore *store);
  PetscErrorCode (*destroy)(void **self);
} InkSolverType;

/* registry.c */
extern const InkSolverType *const ink_solvers[];        /* ends with NULL */
const InkSolverType *ink_solver_find(const char *name); /* NULL: no such solver */
extern const InkSchemas ink_schemas;                    /* the same for io */
#endif
