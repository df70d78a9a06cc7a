/* Checkpoints: OUT/checkpoints/NNNNNN.h5 with a .sum beside it; the newest `keep` are kept. */
#ifndef INK_IO_CHECKPOINT_H
#define INK_IO_CHECKPOINT_H

#include "store.h"

/* Starts the next checkpoint (number = `number`). The caller saves its state into *store, then
 * ink_checkpoint_commit. */
PetscErrorCode ink_checkpoint_begin(MPI_Comm comm, const char *out, int number, uint64_t deck_hash,
                                    InkStore **store);
/* Commits; on success removes checkpoints older than the newest `keep`. On failure the older ones stay. */
PetscErrorCode ink_checkpoint_commit(MPI_Comm comm, const char *out, int number, int keep, InkStore **store,
                                     InkFailure *failure);
/* Opens the newest valid checkpoint in OUT (or `file` when not NULL). A corrupt one is passed over with one
 * line on stderr (which, why) and the previous one is taken. None: *store NULL, *number -1 and failure
 * untouched. `file` given but bad, or of another deck: failure. A line of its own for each on rank 0.
 * Collective. */
PetscErrorCode ink_checkpoint_open(MPI_Comm comm, const char *out, const char *file, uint64_t deck_hash,
                                   InkStore **store, int *number, InkFailure *failure);
#endif
