/* The deck's `verify` entries: checked when the deck is read, evaluated when their time comes, judged at the
 * end.
 *
 * The values are kept until the end and go into checkpoints, so a restart does not need times that are past.
 */
#ifndef INK_VERIFY_H
#define INK_VERIFY_H

#include "../io/report.h"
#include "events.h"
#include "solver.h"
#include "tracks.h"

typedef struct InkVerifyEntry {
  const char *quantity; /* as written; the deck's */
  InkQuery query;
  double at, expect, within; /* SI; within absolute */
  const char *source;
  double display_factor, display_offset; /* value shown = value / factor - offset; rank 0 */
  const char *display_unit;              /* NULL: that of the value */
  InkTrack *track;                       /* of a rate; NULL: the query is asked at one time */
  bool done;
  InkValue value;
  char unit[64]; /* the value's unit, kept over restarts */
} InkVerifyEntry;

typedef struct InkVerify {
  int count;
  InkVerifyEntry *entry;
  InkPool *pool; /* of the entries' texts */
} InkVerify;

/* Splits "error:l2:T" into kind "error" and argument "l2:T". The texts are made in `pool`. */
InkQuery ink_query_parse(InkPool *pool, const char *quantity, const InkNode *entry);

/* Deck checks (rank 0): quantities known, spelt right and defined; dimensions of `expect`. */
void ink_verify_check(const InkDeck *deck, const InkSolverType *solver, InkErrors *errors);

/* Not collective; display units are read on rank 0 only. */
PetscErrorCode ink_verify_create(MPI_Comm comm, const InkDeck *deck, InkVerify **verify);
PetscErrorCode ink_verify_destroy(InkVerify **verify);

/* Takes the samples of rates that are due at `time`. Collective. */
PetscErrorCode ink_verify_sample(InkVerify *verify, const InkSolverType *solver, void *self, double time,
                                 double same);
/* Evaluates the entries whose time is `time`, closer than `same`. Collective. */
PetscErrorCode ink_verify_evaluate(InkVerify *verify, const InkSolverType *solver, void *self, double time,
                                   double same);
/* Verdicts in the order of the deck, to be freed with free(); an entry that was not evaluated fails with NaN.
 * *pass: all of them do. */
InkVerdict *ink_verify_verdicts(const InkVerify *verify, bool *pass);

/* The values so far and the samples of rates, in a checkpoint. Collective. */
PetscErrorCode ink_verify_save(const InkVerify *verify, InkStore *store);
PetscErrorCode ink_verify_load(InkVerify *verify, InkStore *store);
#endif
