/* A file from .tmp to its final name: create, open, commit, close.
 *
 * NAME.tmp is written, synced by every rank that wrote, closed, synced, hashed (what large arrays
 * hold is hashed while it is written), then renamed and its folder
 * synced: a run may be killed at any instant and every file under a final name is complete. */
#include "store_impl.h"
#include "checksum.h"
#include "h5_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static herr_t innermost(unsigned n, const H5E_error2_t *entry, void *data) {
  char *text = data;
  if (n == 0 && entry->desc) snprintf(text, 512, "%s", entry->desc);
  return 0;
}

void ink_h5_error(char *text, size_t size, int *error) {
  char line[512] = "unknown cause";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, line);
  H5Eclear2(H5E_DEFAULT);
  const char *number = strstr(line, "errno = ");
  *error = number ? atoi(number + strlen("errno = ")) : 0;
  snprintf(text, size, "%s", line);
}

void ink_store_note_errno(InkStore *store, const char *doing, int error) {
  ink_storage_fail(&store->failure, doing, store->path, error);
}

void ink_store_note_h5(InkStore *store, const char *doing) {
  char text[256];
  int error;
  ink_h5_error(text, sizeof text, &error);
  if (store->driver_error) error = store->driver_error;
  if (error)
    ink_store_note_errno(store, doing, error);
  else
    ink_fail(&store->failure, INK_STORAGE, "cannot %s %s: HDF5 says: %s", doing, store->path, text);
}

hid_t ink_h5_access(void) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  /* 1.8 as the low bound: from 1.10 on a file carries an "open" mark that a killed run leaves behind. */
  H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_file_locking(list, 0, 1);
  H5Pset_alignment(list, 1 << 16, 4096);
  return list;
}

static PetscErrorCode store_new(MPI_Comm comm, const char *path, bool writing, InkStore **store) {
  PetscFunctionBeginUser;
  InkStore *s = calloc(1, sizeof *s);
  PetscCheck(s, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a store");
  s->comm = comm;
  s->writing = writing;
  s->path = ink_text_join(path, "");
  s->tmp = ink_text_join(path, writing ? ".tmp" : "");
  s->file = H5I_INVALID_HID;
  s->fd = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &s->rank));
  PetscCallMPI(MPI_Comm_size(comm, &s->size));
  if (s->rank == 0) H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  *store = s;
  PetscFunctionReturn(0);
}

static void store_free(InkStore **store) {
  ink_block_hashes_destroy(&(*store)->hashes);
  free((*store)->path);
  free((*store)->tmp);
  free(*store);
  *store = NULL;
}

/* A limit on file sizes must be an error of write, not the end of the process. */
static void ignore_size_signal(void) {
  struct sigaction action;
  if (sigaction(SIGXFSZ, NULL, &action) == 0 && action.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
}

PetscErrorCode ink_store_create(MPI_Comm comm, const char *path, bool sum, InkStore **store) {
  PetscFunctionBeginUser;
  PetscCall(store_new(comm, path, true, store));
  InkStore *s = *store;
  s->sum = sum;
  if (sum) s->hashes = ink_block_hashes_create();
  ignore_size_signal();
  if (s->rank == 0) {
    hid_t access = ink_h5_access(), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_obj_track_times(creation, 0);
    if (ink_h5_file_driver(access, &s->driver_error))
      s->file = H5Fcreate(s->tmp, H5F_ACC_TRUNC, creation, access);
    if (s->file < 0) ink_store_note_h5(s, "create");
    H5Pclose(creation);
    H5Pclose(access);
  }
  PetscCallMPI(MPI_Barrier(comm)); /* the others open the file by name */
  PetscFunctionReturn(0);
}

/* Does the file's checksum hold? Collective. */
static PetscErrorCode verify_sum(InkStore *s, bool need_sum) {
  PetscFunctionBeginUser;
  InkChecksum stored = {0}, found = {0};
  char text[256];
  int state = INK_SUM_ABSENT;
  if (s->rank == 0) {
    struct stat status;
    if (access(s->path, R_OK) || stat(s->path, &status))
      ink_store_note_errno(s, "read", errno);
    else if (!S_ISREG(status.st_mode))
      ink_fail(&s->failure, INK_STORAGE, "%s: is not a file", s->path);
    else
      state = (int)ink_checksum_read(s->path, &stored);
    if (state == INK_SUM_BAD)
      ink_fail(&s->failure, INK_STORAGE, "%s: %s.sum is not a checksum file", s->path, s->path);
    if (state == INK_SUM_ABSENT && need_sum && s->failure.code == INK_DONE)
      ink_fail(&s->failure, INK_STORAGE, "%s: its checksum %s.sum is missing", s->path, s->path);
  }
  PetscCall(ink_failure_agree(s->comm, &s->failure));
  PetscCallMPI(MPI_Bcast(&state, 1, MPI_INT, 0, s->comm));
  if (s->failure.code != INK_DONE || state != INK_SUM_GOOD) PetscFunctionReturn(0);
  PetscCall(ink_checksum_file(s->comm, s->path, NULL, &found, &s->failure));
  if (s->rank == 0 && s->failure.code == INK_DONE && !ink_checksum_equal(&stored, &found, text, sizeof text))
    ink_fail(&s->failure, INK_STORAGE, "%s: %s", s->path, text);
  PetscCall(ink_failure_agree(s->comm, &s->failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_open(MPI_Comm comm, const char *path, bool need_sum, InkStore **store,
                              InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(store_new(comm, path, false, store));
  InkStore *s = *store;
  PetscCall(verify_sum(s, need_sum));
  if (s->rank == 0 && s->failure.code == INK_DONE) {
    hid_t access = ink_h5_access();
    s->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (s->file < 0) ink_store_note_h5(s, "open");
    H5Pclose(access);
  }
  PetscCall(ink_failure_agree(comm, &s->failure));
  if (s->failure.code != INK_DONE) {
    if (failure->code == INK_DONE) *failure = s->failure;
    PetscCall(ink_store_close(store));
  }
  PetscFunctionReturn(0);
}

/* libhdf5 writes most of what it has to write when the file is closed. Its driver never fails (h5_file.h), so
 * that closing always works; the errors are asked for here. */
static void close_h5(InkStore *s) {
  if (s->file < 0) return;
  if (H5Fclose(s->file) < 0 && s->writing) ink_store_note_h5(s, "write");
  if (s->driver_error && s->writing) ink_store_note_errno(s, "write", s->driver_error);
  s->file = H5I_INVALID_HID;
}

static void close_fd(InkStore *s) {
  if (s->fd < 0) return;
  if (s->writing && fsync(s->fd)) ink_store_note_errno(s, "write", errno);
  if (close(s->fd) && s->writing) ink_store_note_errno(s, "write", errno);
  s->fd = -1;
}

/* Rank 0: the file gets its final name; its sum first. */
static void take_final_name(InkStore *s, const InkChecksum *sum) {
  int error = 0;
  if (s->sum) ink_checksum_write(s->path, sum, &s->failure);
  if (s->failure.code != INK_DONE) return;
  if (rename(s->tmp, s->path)) error = errno;
  if (!error) error = ink_fsync_folder_of(s->path);
  if (error) ink_store_note_errno(s, "write", error);
}

PetscErrorCode ink_store_commit(InkStore **store, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *s = *store;
  InkChecksum sum = {0};
  close_fd(s);
  close_h5(s);
  PetscCall(ink_failure_agree(s->comm, &s->failure));
  if (!s->writing) { /* reading: only what went wrong is of interest */
    if (failure->code == INK_DONE) *failure = s->failure;
    PetscCall(ink_store_close(store));
    PetscFunctionReturn(0);
  }
  if (s->rank == 0 && s->failure.code == INK_DONE) {
    int error = ink_fsync_path(s->tmp);
    if (error) ink_store_note_errno(s, "write", error);
  }
  PetscCall(ink_failure_agree(s->comm, &s->failure));
  if (s->sum && s->failure.code == INK_DONE)
    PetscCall(ink_checksum_file(s->comm, s->tmp, s->hashes, &sum, &s->failure));
  if (s->rank == 0 && s->failure.code == INK_DONE) take_final_name(s, &sum);
  PetscCall(ink_failure_agree(s->comm, &s->failure));
  if (failure->code == INK_DONE) *failure = s->failure;
  PetscCall(ink_store_close(store));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_close(InkStore **store) {
  PetscFunctionBeginUser;
  InkStore *s = *store;
  if (!s) PetscFunctionReturn(0);
  if (!s->driver_error) s->driver_error = ECANCELED; /* what is not wanted need not be written */
  close_h5(s);
  if (s->fd >= 0) close(s->fd);
  if (s->writing && s->rank == 0) unlink(s->tmp); /* gone already when it was renamed */
  store_free(store);
  PetscFunctionReturn(0);
}

hid_t ink_store_hid(InkStore *store) { return store->file; }
