/* Reading files of ours without knowing beforehand what is in them; serial, for `info` and `pack`. */
#ifndef INK_IO_H5_READ_H
#define INK_IO_H5_READ_H

#include "layout.h"

/* Opens for reading after checking that it is there, is a file and is HDF5. -1: failure says why. */
hid_t ink_h5_open(const char *path, InkFailure *failure);
/* Attribute of an object, "" when absent. */
void ink_h5_attribute_read_text(hid_t file, const char *path, const char *name, char *text, size_t size);
double ink_h5_attribute_read_number(hid_t file, const char *path, const char *name, double absent);
bool ink_h5_has_attribute(hid_t file, const char *path, const char *name);
/* Size of a dataset, slowest first; returns its number of axes, -1 when it is not there. */
int ink_h5_size(hid_t file, const char *path, hsize_t size[H5S_MAX_RANK]);
bool ink_h5_read_all(hid_t file, const char *path, double *values);

/* The dimensions of a variable by name, slowest first; returns how many, -1 when they cannot be told. */
int ink_h5_dimensions(hid_t file, const char *variable, char names[4][INK_LAYOUT_NAME]);

/* Root datasets in the order of creation: those that are neither dimensions nor bounds, and the dimensions
 * that have bounds, which are the axes of the grid. */
typedef struct InkH5Names {
  int count;
  char (*name)[INK_LAYOUT_NAME];
} InkH5Names;
InkH5Names ink_h5_variables(hid_t file); /* free(names.name) */
InkH5Names ink_h5_axes(hid_t file);

/* Snapshots that a virtual dataset is made of and that are missing beside `folder`. -1: it is not virtual. */
int ink_h5_missing_sources(hid_t file, const char *variable, const char *path, int *total);

#endif
