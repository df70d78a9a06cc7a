/* Storage failures in words, the ranks' agreement on them, and small text files written safely. */
#include "store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *ink_text_join(const char *a, const char *b) {
  size_t size = strlen(a) + strlen(b) + 1;
  char *text = malloc(size);
  if (!text) abort();
  snprintf(text, size, "%s%s", a, b);
  return text;
}

void ink_storage_fail(InkFailure *failure, const char *doing, const char *path, int error) {
  switch (error) {
  case ENOSPC:
    ink_fail(failure, INK_STORAGE,
             "no space left: cannot %s %s: free some space or give another --output, then submit again",
             doing, path);
    break;
  case EDQUOT:
    ink_fail(
        failure, INK_STORAGE,
        "quota exceeded: cannot %s %s: free some of your space or give another --output, then submit again",
        doing, path);
    break;
  case EFBIG:
    ink_fail(failure, INK_STORAGE,
             "file too large: cannot %s %s: raise the limit on file sizes (ulimit -f), then submit again",
             doing, path);
    break;
  case EACCES:
  case EPERM:
  case EROFS:
    ink_fail(failure, INK_STORAGE,
             "cannot %s %s: %s: check the folder's permissions or give another --output", doing, path,
             strerror(error));
    break;
  default:
    ink_fail(failure, INK_STORAGE, "cannot %s %s: %s", doing, path, strerror(error));
  }
}

PetscErrorCode ink_failure_agree(MPI_Comm comm, InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank, size, mine, lowest;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  mine = failure->code != INK_DONE ? rank : size;
  PetscCallMPI(MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, comm));
  if (lowest < size) PetscCallMPI(MPI_Bcast(failure, (int)sizeof *failure, MPI_BYTE, lowest, comm));
  PetscFunctionReturn(0);
}

int ink_fsync_path(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
  if (fd < 0) return errno;
  if (fsync(fd)) error = errno;
  close(fd);
  /* A file system that cannot sync folders says EINVAL; there is nothing more to be done then. */
  return error == EINVAL ? 0 : error;
}

int ink_fsync_folder_of(const char *path) {
  char *copy = ink_text_join(path, "");
  int error = ink_fsync_path(dirname(copy));
  free(copy);
  return error;
}

static int write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text += n;
    length -= (size_t)n;
  }
  return 0;
}

void ink_write_text(const char *path, const char *text, InkFailure *failure) {
  char *tmp = ink_text_join(path, ".tmp");
  int error = 0, fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    error = errno;
  else {
    error = write_all(fd, text, strlen(text));
    if (!error && fsync(fd)) error = errno;
    if (close(fd) && !error) error = errno;
    if (!error && rename(tmp, path)) error = errno;
    if (error)
      unlink(tmp);
    else
      error = ink_fsync_folder_of(path);
  }
  if (error) ink_storage_fail(failure, "write", path, error);
  free(tmp);
}

char *ink_read_text(const char *path) {
  FILE *stream = fopen(path, "rb");
  struct stat status;
  if (!stream) return NULL;
  if (fstat(fileno(stream), &status) || !S_ISREG(status.st_mode)) {
    fclose(stream);
    return NULL;
  }
  char *text = malloc((size_t)status.st_size + 1);
  if (text) text[fread(text, 1, (size_t)status.st_size, stream)] = '\0';
  fclose(stream);
  return text;
}
