/* What the files of the store share; not for others. */
#ifndef INK_IO_STORE_IMPL_H
#define INK_IO_STORE_IMPL_H

#include "store.h"

/* Rank 0 alone has the file open in libhdf5 and makes every object. The values of large arrays go to and come
 * from the file by each rank's own pwrite and pread at the address that libhdf5 gave the (contiguous)
 * dataset. So a full disk is an errno on the rank that met it: no rank waits in a collective call that
 * another left. */
struct InkStore {
  MPI_Comm comm;
  int rank, size;
  bool writing, sum;
  char *path, *tmp;              /* tmp: the name under which it is written */
  hid_t file;                    /* rank 0; H5I_INVALID_HID elsewhere */
  int driver_error;              /* rank 0: the first errno below libhdf5 */
  int fd;                        /* for pwrite and pread; -1 until it is needed */
  struct InkBlockHashes *hashes; /* of what this rank writes; NULL: no sum is wanted */
  InkFailure failure;            /* of this rank, until the ranks agree */
};

/* Notes that an HDF5 call failed: reads the error stack (errno of the system call where there is one). */
void ink_store_note_h5(InkStore *store, const char *doing);
/* Notes that a system call failed with `error` (an errno). */
void ink_store_note_errno(InkStore *store, const char *doing, int error);
/* The same in words: "no space left: cannot write PATH (hint)". */
void ink_storage_fail(InkFailure *failure, const char *doing, const char *path, int error);
/* The innermost line of the HDF5 error stack; *error is the errno in it, or 0. Clears the stack. */
void ink_h5_error(char *text, size_t size, int *error);
/* True on rank 0 while nothing has failed: it may call libhdf5. */
static inline bool ink_store_root(const InkStore *store) {
  return store->rank == 0 && store->failure.code == INK_DONE && store->file >= 0;
}
int ink_fsync_folder_of(const char *path);         /* 0 or errno */
int ink_fsync_path(const char *path);              /* 0 or errno */
char *ink_text_join(const char *a, const char *b); /* a followed by b; free() it */

/* Access list of a serial open of our files: format bounds, no libhdf5 file locks. */
hid_t ink_h5_access(void);
/* Creation list of datasets and groups that holds no time stamps. */
hid_t ink_h5_dataset_creation(void);
hid_t ink_h5_group_creation(void);
/* Dataset of doubles or floats, contiguous (space taken at once) or compressed. -1 on failure. */
hid_t ink_h5_array(hid_t file, const char *path, int rank, const hsize_t *size, hid_t type, int compression);
/* Slabs of a compressed dataset: as many of the slowest cells as make about 1 MiB. */
void ink_h5_chunk(int rank, const hsize_t *size, size_t bytes, hsize_t *chunk);
/* Serial attributes and small arrays on any object; true when it worked. */
bool ink_h5_attribute_text(hid_t object, const char *name, const char *text);
/* With the final NUL in the file: how the dimension scale specification wants CLASS and NAME. */
bool ink_h5_attribute_terminated(hid_t object, const char *name, const char *text);
bool ink_h5_attribute(hid_t object, const char *name, hid_t type, hid_t memory, int n, const void *values);
bool ink_h5_small(hid_t file, const char *path, hid_t type, hid_t memory, int rank, const hsize_t *size,
                  const void *values);
bool ink_h5_text(hid_t file, const char *path, const char *text);
bool ink_h5_group(hid_t file, const char *path);
char *ink_h5_read_text(hid_t file, const char *path); /* NULL when absent; free() it */

#endif
