/* The lock of an output folder: an open-file-description lock on OUT/.lock, which the kernel drops when the
 * process ends, however it ends. The file's text names who holds it. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "lock.h"
#include "store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct InkLock {
  int fd;
  char *out;
};

/* Makes a folder and its parents. Returns 0 or an errno. */
static int make_folders(const char *path) {
  char *copy = ink_text_join(path, "");
  int error = 0;
  for (char *c = copy + 1; !error && *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    if (mkdir(copy, 0777) && errno != EEXIST) error = errno;
    *c = '/';
  }
  if (!error && mkdir(copy, 0777) && errno != EEXIST) error = errno;
  struct stat status;
  if (!error && stat(copy, &status) == 0 && !S_ISDIR(status.st_mode)) error = ENOTDIR;
  free(copy);
  return error;
}

/* The holder's own words, "process 123 on host", or that it is not known. */
static void read_holder(int fd, char *text, size_t size) {
  ssize_t n = pread(fd, text, size - 1, 0);
  text[n > 0 ? n : 0] = '\0';
  text[strcspn(text, "\n")] = '\0';
  if (!*text) snprintf(text, size, "a process that is not known");
}

static void write_holder(int fd) {
  char host[256] = "", text[320];
  gethostname(host, sizeof host - 1);
  int length = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
  /* Only for the message to the next one: that it cannot be written does no harm. */
  if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) < 0) errno = 0;
}

/* Opens OUT/.lock and locks it. *refused: the errno of the lock, 0 when it is ours. Returns the file, or -1
 * and *error. */
static int open_lock(const char *out, const char *path, int *refused, int *error) {
  for (;;) {
    *error = make_folders(out);
    if (*error) return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
      *error = errno;
      return -1;
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat status;
    *refused = fcntl(fd, F_OFD_SETLK, &whole) ? errno : 0;
    /* Removed by its last holder between our open and our lock: what we hold is no longer the file in OUT. */
    if (*refused || fstat(fd, &status) || status.st_nlink > 0) return fd;
    close(fd);
  }
}

InkLock *ink_lock_take(const char *out, InkFailure *failure) {
  int refused = 0, error = 0;
  char *path = ink_text_join(out, "/.lock");
  InkLock *lock = NULL;
  int fd = open_lock(out, path, &refused, &error);
  if (error) {
    ink_storage_fail(failure, "write to", out, error);
  } else if (refused == EAGAIN || refused == EACCES) {
    char holder[320];
    read_holder(fd, holder, sizeof holder);
    ink_fail(failure, INK_USAGE, "%s: in use by another run (%s): wait for it, or give another --output", out,
             holder);
    close(fd);
  } else {
    if (refused)
      fprintf(stderr, "note: %s: the file system has no locks (%s): make sure that no other run uses it\n",
              out, strerror(refused));
    write_holder(fd);
    lock = malloc(sizeof *lock);
    if (!lock) abort();
    *lock = (InkLock){.fd = fd, .out = ink_text_join(out, "")};
  }
  free(path);
  return lock;
}

/* Does OUT hold nothing but the lock? */
static bool holds_nothing(const char *out) {
  DIR *folder = opendir(out);
  int others = 0;
  if (!folder) return false;
  for (struct dirent *entry; (entry = readdir(folder));)
    others += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && strcmp(entry->d_name, ".lock");
  closedir(folder);
  return others == 0;
}

void ink_lock_release(InkLock **lock) {
  if (!*lock) return;
  if (holds_nothing((*lock)->out)) { /* the run failed before it wrote anything */
    char *path = ink_text_join((*lock)->out, "/.lock");
    unlink(path);
    rmdir((*lock)->out);
    free(path);
  }
  close((*lock)->fd);
  free((*lock)->out);
  free(*lock);
  *lock = NULL;
}
