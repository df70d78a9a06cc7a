/* Checksum of a whole file, the same whatever the number of ranks that compute it.
 *
 * The file is cut into blocks of 4 MiB; each is hashed with XXH3 (64 bit), and the sum is the XXH3 of the
 * list of the block hashes with the file's length as seed. PATH.sum holds it as text. */
#ifndef INK_IO_CHECKSUM_H
#define INK_IO_CHECKSUM_H

#include <mpi.h>
#include <petscsys.h>
#include <stdint.h>
#include "error.h"

typedef struct InkChecksum {
  uint64_t hash;
  int64_t bytes; /* length of the file */
} InkChecksum;

/* Hashes of blocks that this rank has written itself, taken from memory while writing, so that they need not
 * be read again. Tell it of every write in the order of their places in the file; blocks that were not
 * written whole and in order are left out. Not collective. */
typedef struct InkBlockHashes InkBlockHashes;
InkBlockHashes *ink_block_hashes_create(void);
void ink_block_hashes_add(InkBlockHashes *hashes, const void *data, size_t length, int64_t at);
void ink_block_hashes_destroy(InkBlockHashes **hashes);

/* Sum of PATH; blocks that are not in any rank's `written` (NULL: none) are read, by the ranks in turn.
 * Collective; failure is the same on all ranks. */
PetscErrorCode ink_checksum_file(MPI_Comm comm, const char *path, const InkBlockHashes *written,
                                 InkChecksum *sum, InkFailure *failure);
/* The same on one rank without MPI. False: unreadable (errno is set). */
bool ink_checksum_serial(const char *path, InkChecksum *sum);

/* Writes PATH.sum for the file that will be called PATH. Rank 0. */
void ink_checksum_write(const char *path, const InkChecksum *sum, InkFailure *failure);
typedef enum InkSumState { INK_SUM_GOOD, INK_SUM_ABSENT, INK_SUM_BAD } InkSumState;
/* Reads PATH.sum. INK_SUM_BAD: it is there but is not one of ours. Rank 0. */
InkSumState ink_checksum_read(const char *path, InkChecksum *sum);
/* Compares; when they differ, one line of why to text. */
bool ink_checksum_equal(const InkChecksum *stored, const InkChecksum *found, char *text, size_t size);
#endif
