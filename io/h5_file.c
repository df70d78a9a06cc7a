/* A file driver of libhdf5 that remembers its first error (see h5_file.h). */
#include "h5_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One open file; libhdf5 knows its first member only. */
typedef struct File {
  H5FD_t common;
  int fd;
  haddr_t eoa, eof; /* end of what libhdf5 has given out; end of the file */
  int *error;
} File;

typedef struct Settings {
  int *error;
} Settings;

static H5FD_t *file_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)most;
  const Settings *settings = H5Pget_driver_info(access);
  if (!settings) return NULL;
  File *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->error = settings->error;
  file->fd =
      open(name,
           O_RDWR | O_CLOEXEC | (flags & H5F_ACC_CREAT ? O_CREAT : 0) | (flags & H5F_ACC_TRUNC ? O_TRUNC : 0),
           0666);
  if (file->fd < 0) {
    *file->error = errno;
    free(file);
    return NULL;
  }
  off_t end = lseek(file->fd, 0, SEEK_END);
  file->eof = end > 0 ? (haddr_t)end : 0;
  return &file->common;
}

static herr_t file_close(H5FD_t *common) {
  File *file = (File *)(void *)common;
  if (close(file->fd) && !*file->error) *file->error = errno;
  free(file);
  return 0;
}

static haddr_t file_get_eoa(const H5FD_t *common, H5FD_mem_t type) {
  (void)type;
  return ((const File *)(const void *)common)->eoa;
}

static herr_t file_set_eoa(H5FD_t *common, H5FD_mem_t type, haddr_t end) {
  (void)type;
  ((File *)(void *)common)->eoa = end;
  return 0;
}

static haddr_t file_get_eof(const H5FD_t *common, H5FD_mem_t type) {
  (void)type;
  return ((const File *)(const void *)common)->eof;
}

static herr_t file_query(const H5FD_t *common, unsigned long *flags) {
  (void)common;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

/* What lies past the end of the file reads as zeros. */
static herr_t file_read(H5FD_t *common, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                        void *data) {
  File *file = (File *)(void *)common;
  char *to = data;
  (void)type;
  (void)transfer;
  while (size > 0) {
    ssize_t n = pread(file->fd, to, size, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && !*file->error) *file->error = errno;
    if (n <= 0) break;
    to += n;
    at += (haddr_t)n;
    size -= (size_t)n;
  }
  memset(to, 0, size);
  return 0;
}

static herr_t file_write(H5FD_t *common, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         const void *data) {
  File *file = (File *)(void *)common;
  const char *from = data;
  const haddr_t end = at + size;
  (void)type;
  (void)transfer;
  while (size > 0 && !*file->error) {
    ssize_t n = pwrite(file->fd, from, size, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      *file->error = errno;
    else {
      from += n;
      at += (haddr_t)n;
      size -= (size_t)n;
    }
  }
  if (end > file->eof) file->eof = end;
  return 0;
}

static herr_t file_truncate(H5FD_t *common, hid_t transfer, hbool_t closing) {
  File *file = (File *)(void *)common;
  (void)transfer;
  (void)closing;
  if (file->eoa != file->eof && !*file->error && ftruncate(file->fd, (off_t)file->eoa)) *file->error = errno;
  file->eof = file->eoa;
  return 0;
}

static const H5FD_class_t driver = {.name = "inkdrop",
                                    .maxaddr = ((haddr_t)1 << 62),
                                    .fc_degree = H5F_CLOSE_WEAK,
                                    .fapl_size = sizeof(Settings),
                                    .open = file_open,
                                    .close = file_close,
                                    .query = file_query,
                                    .get_eoa = file_get_eoa,
                                    .set_eoa = file_set_eoa,
                                    .get_eof = file_get_eof,
                                    .read = file_read,
                                    .write = file_write,
                                    .truncate = file_truncate,
                                    .fl_map = H5FD_FLMAP_DICHOTOMY};

bool ink_h5_file_driver(hid_t access, int *error) {
  const Settings settings = {error};
  hid_t id = H5FDregister(&driver);
  *error = 0;
  if (id < 0) return false;
  bool good = H5Pset_driver(access, id, &settings) >= 0;
  H5FDunregister(id); /* the list, and later the file, hold it */
  return good;
}
