/* What stands in OUT and what --restart makes of it. */
#ifndef INK_RESTART_H
#define INK_RESTART_H

#include <mpi.h>
#include "../io/deck.h"
#include "options.h"

typedef enum InkStart {
  INK_START_FRESH,    /* nothing is there */
  INK_START_CONTINUE, /* an unfinished run, or a finished one whose end was moved: newest valid checkpoint, or
                         anew when there is none */
  INK_START_FINISHED, /* done already: print its table again */
} InkStart;

/* Decides for the folder `out`, which this run has locked. failure (INK_USAGE): the run of another deck, or
 * not empty under `never`. Collective: rank 0 looks, all agree. */
PetscErrorCode ink_restart_decide(MPI_Comm comm, const InkDeck *deck, const char *out,
                                  const InkOptions *options, InkStart *start, InkFailure *failure);
#endif
