/* Checkpoints: which to write, which to keep, which to take up again.
 *
 * NNNNNN.h5.sum gets its final name before NNNNNN.h5: an .h5 without a valid sum does not exist for a
 * restart. When old ones go, the .h5 goes first, for the same reason. */
#include "checkpoint.h"
#include "store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *checkpoint_path(const char *out, int number) {
  char name[64];
  snprintf(name, sizeof name, "/checkpoints/%06d.h5", number);
  return ink_text_join(out, name);
}

static int descending(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x < y) - (x > y);
}

/* Numbers of the checkpoints that stand in OUT, newest first; the caller frees *numbers. */
static int list_checkpoints(const char *out, int **numbers) {
  char *folder = ink_text_join(out, "/checkpoints");
  DIR *listing = opendir(folder);
  struct dirent *entry;
  int n = 0;
  *numbers = NULL;
  while (listing && (entry = readdir(listing))) {
    int number = -1, end = 0;
    if (sscanf(entry->d_name, "%d.h5%n", &number, &end) != 1 || end == 0 || entry->d_name[end]) continue;
    int *grown = realloc(*numbers, (size_t)(n + 1) * sizeof **numbers);
    if (!grown) break;
    *numbers = grown;
    grown[n++] = number;
  }
  if (listing) closedir(listing);
  free(folder);
  if (n > 1) qsort(*numbers, (size_t)n, sizeof **numbers, descending);
  return n;
}

/* Is it left over: an unfinished file, or a sum whose .h5 is not there? */
static bool is_leftover(int folder, const char *name) {
  size_t length = strlen(name);
  char h5[NAME_MAX + 1];
  if (length > 4 && strcmp(name + length - 4, ".tmp") == 0) return true;
  if (length < 5 || strcmp(name + length - 4, ".sum") != 0) return false;
  snprintf(h5, sizeof h5, "%.*s", (int)(length - 4), name);
  return faccessat(folder, h5, F_OK, 0) != 0;
}

static void remove_leftovers(const char *out) {
  char *folder = ink_text_join(out, "/checkpoints");
  DIR *listing = opendir(folder);
  struct dirent *entry;
  while (listing && (entry = readdir(listing)))
    if (is_leftover(dirfd(listing), entry->d_name)) unlinkat(dirfd(listing), entry->d_name, 0);
  if (listing) closedir(listing);
  free(folder);
}

/* Closes a file in the background. */
static void *close_later(void *data) {
  close((int)(intptr_t)data);
  return NULL;
}

/* Removes a file. Its name goes at once; giving back the space of a large one takes as long as a good part of
 * writing it (0.2 ms a MB on ext4), which is mostly waiting, and happens when its last descriptor is closed:
 * a thread that does nothing else closes it, so that the run goes on. At the end of the process the kernel
 * does it. */
static void remove_file(const char *path) {
  enum { LARGE = 1 << 20 };
  struct stat status;
  pthread_attr_t detached;
  pthread_t thread;
  sigset_t all, before;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  unlink(path);
  if (fd < 0) return;
  if (fstat(fd, &status) || status.st_size < LARGE || pthread_attr_init(&detached)) {
    close(fd);
    return;
  }
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  sigfillset(&all); /* signals are for the run's own thread */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, &detached, close_later, (void *)(intptr_t)fd)) close(fd);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&detached);
}

static void remove_old(const char *out, int number, int keep) {
  int *numbers, n = list_checkpoints(out, &numbers), kept = 0;
  for (int i = 0; i < n; i++) {
    /* Those with a higher number are of an abandoned run: bad ones that a restart passed over. */
    if (numbers[i] <= number && kept++ < keep) continue;
    char *path = checkpoint_path(out, numbers[i]), *sum = ink_text_join(path, ".sum");
    remove_file(path);
    unlink(sum);
    free(path);
    free(sum);
  }
  free(numbers);
}

PetscErrorCode ink_checkpoint_begin(MPI_Comm comm, const char *out, int number, uint64_t deck_hash,
                                    InkStore **store) {
  PetscFunctionBeginUser;
  int rank;
  const int64_t hash = (int64_t)deck_hash;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *folder = ink_text_join(out, "/checkpoints");
    mkdir(folder, 0777); /* if that fails, so does making the file, which says why */
    free(folder);
    remove_leftovers(out);
  }
  char *path = checkpoint_path(out, number);
  PetscCall(ink_store_create(comm, path, true, store));
  free(path);
  PetscCall(ink_store_attribute_text(*store, "/", "inkdrop", "checkpoint"));
  PetscCall(ink_store_write_integers(*store, "/deck_hash", 1, &hash));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_checkpoint_commit(MPI_Comm comm, const char *out, int number, int keep, InkStore **store,
                                     InkFailure *failure) {
  PetscFunctionBeginUser;
  InkFailure mine = {0};
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ink_store_commit(store, &mine));
  if (rank == 0) {
    if (mine.code == INK_DONE)
      remove_old(out, number, keep < 1 ? 1 : keep);
    else
      remove_leftovers(out);
  }
  if (failure->code == INK_DONE) *failure = mine;
  PetscFunctionReturn(0);
}

/* Opens one and checks whose it is. */
static PetscErrorCode open_one(MPI_Comm comm, const char *path, uint64_t deck_hash, InkStore **store,
                               InkFailure *failure) {
  PetscFunctionBeginUser;
  int64_t hash = 0;
  PetscCall(ink_store_open(comm, path, true, store, failure));
  if (!*store) PetscFunctionReturn(0);
  bool ours = ink_store_has(*store, "/deck_hash");
  if (ours) PetscCall(ink_store_read_integers(*store, "/deck_hash", 1, &hash));
  if (!ours)
    ink_fail(failure, INK_STORAGE, "%s: is not a checkpoint", path);
  else if ((uint64_t)hash != deck_hash)
    ink_fail(failure, INK_USAGE, "%s: is a checkpoint of another deck: use that deck, or another --output",
             path);
  if (failure->code != INK_DONE) PetscCall(ink_store_close(store));
  PetscFunctionReturn(0);
}

/* The number in ".../000123.h5", so that a run goes on counting from it; 0 for another name. */
static int number_of(const char *file) {
  const char *slash = strrchr(file, '/');
  int number = 0;
  return sscanf(slash ? slash + 1 : file, "%d.h5", &number) == 1 ? number : 0;
}

PetscErrorCode ink_checkpoint_open(MPI_Comm comm, const char *out, const char *file, uint64_t deck_hash,
                                   InkStore **store, int *number, InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank, count = 0, *numbers = NULL;
  *store = NULL;
  *number = -1;
  if (file) {
    PetscCall(open_one(comm, file, deck_hash, store, failure));
    if (*store) *number = number_of(file);
    PetscFunctionReturn(0);
  }
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) count = list_checkpoints(out, &numbers);
  PetscCallMPI(MPI_Bcast(&count, 1, MPI_INT, 0, comm));
  for (int i = 0; i < count && !*store; i++) {
    InkFailure why = {0};
    int candidate = rank == 0 ? numbers[i] : 0;
    PetscCallMPI(MPI_Bcast(&candidate, 1, MPI_INT, 0, comm));
    char *path = checkpoint_path(out, candidate);
    PetscCall(open_one(comm, path, deck_hash, store, &why));
    free(path);
    if (*store)
      *number = candidate;
    else if (rank == 0)
      fprintf(stderr, "warning: checkpoint passed over: %s\n", why.message);
  }
  free(numbers);
  PetscFunctionReturn(0);
}
