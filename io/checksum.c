/* Whole-file checksums: XXH3 of 4 MiB blocks, then XXH3 of the block hashes. */
#include "checksum.h"
#include "store.h"
#include "store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { BLOCK = 4 << 20 };

static int64_t block_count(int64_t bytes) { return (bytes + BLOCK - 1) / BLOCK; }

struct InkBlockHashes {
  int64_t room;   /* blocks */
  uint64_t *hash; /* 0 where not known */
  char *known;    /* 0 or 1 */
  int64_t next;   /* where the block being hashed goes on; -1: none is */
  XXH3_state_t *state;
};

InkBlockHashes *ink_block_hashes_create(void) {
  InkBlockHashes *h = calloc(1, sizeof *h);
  if (!h) abort();
  h->next = -1;
  h->state = XXH3_createState();
  if (!h->state) abort();
  return h;
}

void ink_block_hashes_destroy(InkBlockHashes **hashes) {
  InkBlockHashes *h = *hashes;
  if (!h) return;
  XXH3_freeState(h->state);
  free(h->hash);
  free(h->known);
  free(h);
  *hashes = NULL;
}

static void block_is_done(InkBlockHashes *h, int64_t block) {
  if (block >= h->room) {
    int64_t room = 2 * block + 16;
    h->hash = realloc(h->hash, (size_t)room * sizeof *h->hash);
    h->known = realloc(h->known, (size_t)room);
    if (!h->hash || !h->known) abort();
    memset(h->hash + h->room, 0, (size_t)(room - h->room) * sizeof *h->hash);
    memset(h->known + h->room, 0, (size_t)(room - h->room));
    h->room = room;
  }
  h->hash[block] = XXH3_64bits_digest(h->state);
  h->known[block] = 1;
  h->next = -1;
}

void ink_block_hashes_add(InkBlockHashes *h, const void *data, size_t length, int64_t at) {
  const char *from = data;
  while (length > 0) {
    size_t n = (size_t)(BLOCK - at % BLOCK);
    if (n > length) n = length;
    if (at % BLOCK == 0) {
      XXH3_64bits_reset(h->state);
      h->next = at;
    }
    if (at == h->next) {
      XXH3_64bits_update(h->state, from, n);
      h->next += (int64_t)n;
      if (h->next % BLOCK == 0) block_is_done(h, at / BLOCK);
    } else
      h->next = -1;
    from += n;
    at += (int64_t)n;
    length -= n;
  }
}

/* Hashes the first, first + step, ... of the blocks that are not known. Returns 0 or an errno. */
static int hash_blocks(int fd, int64_t bytes, const char *known, int64_t first, int64_t step,
                       uint64_t *hashes) {
  int error = 0;
  int64_t unknown = 0;
  char *buffer = malloc(BLOCK);
  if (!buffer) return ENOMEM;
  for (int64_t b = 0; b < block_count(bytes) && !error; b++) {
    if (known[b] || unknown++ % step != first) continue;
    int64_t length = bytes - b * BLOCK < BLOCK ? bytes - b * BLOCK : BLOCK, got = 0;
    while (got < length) {
      ssize_t n = pread(fd, buffer + got, (size_t)(length - got), b * BLOCK + got);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        error = n < 0 ? errno : EIO;
        break;
      }
      got += n;
    }
    hashes[b] = XXH3_64bits(buffer, (size_t)got);
  }
  free(buffer);
  return error;
}

static uint64_t hash_of_hashes(const uint64_t *hashes, int64_t bytes) {
  return XXH3_64bits_withSeed(hashes, (size_t)block_count(bytes) * sizeof *hashes, (XXH64_hash_t)bytes);
}

static int open_and_size(const char *path, int *fd, int64_t *bytes) {
  struct stat status;
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return errno;
  if (fstat(*fd, &status)) return errno;
  *bytes = (int64_t)status.st_size;
  return S_ISREG(status.st_mode) ? 0 : EISDIR;
}

bool ink_checksum_serial(const char *path, InkChecksum *sum) {
  int fd = -1, error = open_and_size(path, &fd, &sum->bytes);
  if (!error) {
    uint64_t *hashes = calloc((size_t)block_count(sum->bytes) + 1, sizeof *hashes);
    char *known = calloc((size_t)block_count(sum->bytes) + 1, 1);
    error = hashes && known ? hash_blocks(fd, sum->bytes, known, 0, 1, hashes) : ENOMEM;
    if (!error) sum->hash = hash_of_hashes(hashes, sum->bytes);
    free(hashes);
    free(known);
  }
  if (fd >= 0) close(fd);
  errno = error;
  return error == 0;
}

PetscErrorCode ink_checksum_file(MPI_Comm comm, const char *path, const InkBlockHashes *written,
                                 InkChecksum *sum, InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank, size, fd = -1, error;
  int64_t bytes = 0, shortest;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  error = open_and_size(path, &fd, &bytes);
  /* All ranks must see the same length; one that cannot open the file counts as zero and fails below. */
  PetscCallMPI(MPI_Allreduce(&bytes, &shortest, 1, MPI_INT64_T, MPI_MIN, comm));
  const int64_t blocks = block_count(shortest);
  uint64_t *hashes = calloc((size_t)blocks + 1, sizeof *hashes);
  char *known = calloc((size_t)blocks + 1, 1);
  PetscCheck(hashes && known, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for block hashes");
  for (int64_t b = 0; written && b < blocks && b < written->room; b++) {
    known[b] = written->known[b];
    hashes[b] = written->hash[b];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, known, (int)blocks, MPI_BYTE, MPI_BOR, comm));
  if (!error) error = hash_blocks(fd, shortest, known, rank, size, hashes);
  if (error) ink_storage_fail(failure, "read", path, error);
  if (fd >= 0) close(fd);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, hashes, (int)blocks, MPI_UINT64_T, MPI_BOR, comm));
  sum->bytes = shortest;
  sum->hash = hash_of_hashes(hashes, shortest);
  free(hashes);
  free(known);
  PetscCall(ink_failure_agree(comm, failure));
  PetscFunctionReturn(0);
}

#define SUM_FORMAT "xxh3-64 of 4 MiB blocks: "

void ink_checksum_write(const char *path, const InkChecksum *sum, InkFailure *failure) {
  char text[128], *name = ink_text_join(path, ".sum");
  snprintf(text, sizeof text, SUM_FORMAT "%016" PRIx64 " %" PRId64 " bytes\n", sum->hash, sum->bytes);
  ink_write_text(name, text, failure);
  free(name);
}

InkSumState ink_checksum_read(const char *path, InkChecksum *sum) {
  InkSumState state = INK_SUM_BAD;
  char *name = ink_text_join(path, ".sum");
  char *text = access(name, F_OK) == 0 ? ink_read_text(name) : NULL;
  if (access(name, F_OK) != 0)
    state = INK_SUM_ABSENT;
  else if (text && strncmp(text, SUM_FORMAT, strlen(SUM_FORMAT)) == 0) {
    int end = 0;
    const char *rest = text + strlen(SUM_FORMAT);
    if (sscanf(rest, "%16" SCNx64 " %" SCNd64 " bytes%n", &sum->hash, &sum->bytes, &end) == 2 && end > 0)
      state = INK_SUM_GOOD;
  }
  free(text);
  free(name);
  return state;
}

bool ink_checksum_equal(const InkChecksum *stored, const InkChecksum *found, char *text, size_t size) {
  if (stored->bytes != found->bytes) {
    snprintf(text, size, "the file has %" PRId64 " bytes but its checksum was made of %" PRId64 "%s",
             found->bytes, stored->bytes, found->bytes < stored->bytes ? ": it is cut short" : "");
    return false;
  }
  if (stored->hash != found->hash) {
    snprintf(text, size,
             "the checksum does not hold (%016" PRIx64 ", should be %016" PRIx64 "): the file is damaged",
             found->hash, stored->hash);
    return false;
  }
  return true;
}
