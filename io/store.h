/* HDF5 files that are complete or absent: NAME.tmp, write, sync, close, fsync, rename, fsync of the folder.
 *
 * An InkStore is one open file. All calls are collective over its communicator. A storage failure on any rank
 * (disk full, quota, permission) is agreed on by all ranks, recorded in the store's failure, the .tmp is
 * removed, and later calls do nothing: check once, at ink_store_commit. Return values are for internal errors
 * only. */
#ifndef INK_IO_STORE_H
#define INK_IO_STORE_H

#include <hdf5.h>
#include <mpi.h>
#include <petscsys.h>
#include "error.h"

/* A rank's box of a global array, slowest axis first, and how it lies in memory. */
typedef struct InkBox {
  int rank;         /* 0 to 4 */
  hsize_t size[4];  /* global */
  hsize_t start[4]; /* owned by this rank */
  hsize_t count[4];
  hsize_t stride[4]; /* in memory, in elements; 0 everywhere: packed */
} InkBox;

typedef struct InkStore InkStore;

/* Opens PATH.tmp for writing on all ranks. sum: also write PATH.sum (whole-file checksum, rank-count
 * independent) before renaming. */
PetscErrorCode ink_store_create(MPI_Comm comm, const char *path, bool sum, InkStore **store);
/* Opens PATH for reading; when a .sum stands beside it, it is verified before libhdf5 sees the file. On
 * failure *store is NULL and failure says why (all ranks agree). Metadata is read on rank 0 and broadcast. */
PetscErrorCode ink_store_open(MPI_Comm comm, const char *path, bool need_sum, InkStore **store,
                              InkFailure *failure);
/* Makes the file stand under its final name, or removes the .tmp; destroys the store. failure: what went
 * wrong, on all ranks. Of a store open for reading: closes it and tells whether all reads worked. */
PetscErrorCode ink_store_commit(InkStore **store, InkFailure *failure);
/* Closes without committing (a .tmp is removed). */
PetscErrorCode ink_store_close(InkStore **store);

PetscErrorCode ink_store_group(InkStore *store, const char *path); /* makes a group and its parents */
/* A double (or float32) array, each rank its box. `path` "/T" or "/state/T". chunk: 0 contiguous, else
 * compression level 1-9. */
PetscErrorCode ink_store_write(InkStore *store, const char *path, const InkBox *box, const double *values,
                               bool single, int compression);
PetscErrorCode ink_store_read(InkStore *store, const char *path, const InkBox *box, double *values);
/* Small arrays that every rank holds alike (rank 0's are written; reading gives them to all). */
PetscErrorCode ink_store_write_numbers(InkStore *store, const char *path, int n, const double *values);
PetscErrorCode ink_store_read_numbers(InkStore *store, const char *path, int n, double *values);
PetscErrorCode ink_store_write_integers(InkStore *store, const char *path, int n, const int64_t *values);
PetscErrorCode ink_store_read_integers(InkStore *store, const char *path, int n, int64_t *values);
PetscErrorCode ink_store_write_text(InkStore *store, const char *path, const char *text);
PetscErrorCode ink_store_read_text(InkStore *store, const char *path, char **text); /* free() it */
/* Attributes; path "/T" or "/". Text is fixed-length. */
PetscErrorCode ink_store_attribute_text(InkStore *store, const char *path, const char *name,
                                        const char *text);
PetscErrorCode ink_store_attribute_numbers(InkStore *store, const char *path, const char *name, int n,
                                           const double *values);
PetscErrorCode ink_store_attribute_integers(InkStore *store, const char *path, const char *name, int n,
                                            const int64_t *values);
bool ink_store_has(InkStore *store, const char *path); /* collective */
/* Size of a dataset, slowest first; rank of it returned in *rank. */
PetscErrorCode ink_store_size(InkStore *store, const char *path, int *rank, hsize_t size[4]);
hid_t ink_store_hid(InkStore *store); /* for the layout code in io/ only */

/* Writes a small text file (report.json, deck.yaml) the same safe way. Rank 0 only; failure local. */
void ink_write_text(const char *path, const char *text, InkFailure *failure);
char *ink_read_text(const char *path); /* NULL when unreadable; free() it. Rank 0 only. */

/* Collective: all ranks take the failure of the lowest failing rank. */
PetscErrorCode ink_failure_agree(MPI_Comm comm, InkFailure *failure);

/* Checks an HDF5 call inside a function that has `store` in scope: a failure is noted in the store with the
 * error stack's first line, and the function goes on to its collective agreement. See store.c. */
#endif
