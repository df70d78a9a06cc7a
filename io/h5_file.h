/* The file driver under libhdf5 for files that are being written: POSIX calls that remember their first error
 * instead of failing.
 *
 * libhdf5 cannot close a file that it cannot write: what it could not flush it tries again for ever, and the
 * process dies when it ends. So after the first error this driver takes every further write and says that all
 * is well; the store asks for the error, and removes the file. */
#ifndef INK_IO_H5_FILE_H
#define INK_IO_H5_FILE_H

#include <hdf5.h>
#include <stdbool.h>

/* Sets the driver in a file access list. *error receives the errno of the first failed call (0: none); it
 * must outlive the file. */
bool ink_h5_file_driver(hid_t access, int *error);

#endif
