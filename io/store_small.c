/* Small objects: numbers, texts, attributes, groups. Rank 0 reads and writes them with libhdf5; what is read
 * is broadcast. */
#include "store_impl.h"

#include <stdlib.h>
#include <string.h>

hid_t ink_h5_dataset_creation(void) {
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(list, 0); /* no wall time in the file */
  H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
  H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  return list;
}

hid_t ink_h5_group_creation(void) {
  hid_t list = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(list, 0);
  H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  return list;
}

void ink_h5_chunk(int rank, const hsize_t *size, size_t bytes, hsize_t *chunk) {
  hsize_t below = bytes; /* bytes of one index of axis a */
  for (int a = rank - 1; a >= 0; a--) {
    hsize_t most = (1 << 20) / below;
    chunk[a] = most < 1 ? 1 : most < size[a] ? most : size[a];
    /* Axes above one that is cut are cut to 1. */
    below *= chunk[a] < size[a] ? (hsize_t)(1 << 20) : chunk[a];
  }
}

static hid_t h5_create(hid_t file, const char *path, hid_t type, hid_t space, hid_t list) {
  hid_t parents = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(parents, 1);
  hid_t dataset = H5Dcreate2(file, path, type, space, parents, list, H5P_DEFAULT);
  H5Pclose(parents);
  return dataset;
}

hid_t ink_h5_array(hid_t file, const char *path, int rank, const hsize_t *size, hid_t type, int compression) {
  hid_t list = ink_h5_dataset_creation();
  hid_t space = rank > 0 ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR);
  if (compression > 0) {
    hsize_t chunk[4];
    ink_h5_chunk(rank, size, H5Tget_size(type), chunk);
    H5Pset_chunk(list, rank, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, (unsigned)compression);
  } else {
    H5Pset_layout(list, H5D_CONTIGUOUS);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
  }
  hid_t dataset = h5_create(file, path, type, space, list);
  H5Sclose(space);
  H5Pclose(list);
  return dataset;
}

bool ink_h5_small(hid_t file, const char *path, hid_t type, hid_t memory, int rank, const hsize_t *size,
                  const void *values) {
  hid_t dataset = ink_h5_array(file, path, rank, size, type, 0);
  if (dataset < 0) return false;
  bool good = H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  return H5Dclose(dataset) >= 0 && good;
}

/* Fixed-length text: variable-length text would not be read by VTK, and hides in a heap. */
static hid_t text_type(const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1);
  size_t length = strlen(text);
  H5Tset_size(type, length ? length : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  for (const char *c = text; *c; c++)
    if ((unsigned char)*c >= 0x80) {
      H5Tset_cset(type, H5T_CSET_UTF8);
      break;
    }
  return type;
}

bool ink_h5_text(hid_t file, const char *path, const char *text) {
  hid_t type = text_type(text);
  bool good = ink_h5_small(file, path, type, type, 0, NULL, text);
  H5Tclose(type);
  return good;
}

bool ink_h5_group(hid_t file, const char *path) {
  hid_t parents = H5Pcreate(H5P_LINK_CREATE), list = ink_h5_group_creation();
  H5Pset_create_intermediate_group(parents, 1);
  hid_t group = H5Gcreate2(file, path, parents, list, H5P_DEFAULT);
  H5Pclose(list);
  H5Pclose(parents);
  return group >= 0 && H5Gclose(group) >= 0;
}

static bool write_attribute(hid_t object, const char *name, hid_t type, hid_t memory, hid_t space,
                            const void *values) {
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return false;
  bool good = H5Awrite(attribute, memory, values) >= 0;
  return H5Aclose(attribute) >= 0 && good;
}

bool ink_h5_attribute_text(hid_t object, const char *name, const char *text) {
  hid_t type = text_type(text), space = H5Screate(H5S_SCALAR);
  bool good = write_attribute(object, name, type, type, space, text);
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

bool ink_h5_attribute_terminated(hid_t object, const char *name, const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(text) + 1);
  bool good = write_attribute(object, name, type, type, space, text);
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

bool ink_h5_attribute(hid_t object, const char *name, hid_t type, hid_t memory, int n, const void *values) {
  hsize_t size = (hsize_t)n;
  hid_t space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
  bool good = write_attribute(object, name, type, memory, space, values);
  H5Sclose(space);
  return good;
}

char *ink_h5_read_text(hid_t file, const char *path) {
  char *text = NULL;
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset >= 0) {
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        H5Sget_simple_extent_npoints(space) == 1) {
      text = calloc(H5Tget_size(type) + 1, 1);
      if (text && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        free(text);
        text = NULL;
      }
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
  }
  H5Eclear2(H5E_DEFAULT);
  return text;
}

PetscErrorCode ink_store_group(InkStore *s, const char *path) {
  PetscFunctionBeginUser;
  if (ink_store_root(s) && !ink_h5_group(s->file, path)) ink_store_note_h5(s, "write");
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_write_numbers(InkStore *s, const char *path, int n, const double *values) {
  PetscFunctionBeginUser;
  hsize_t size = (hsize_t)n;
  if (ink_store_root(s) &&
      !ink_h5_small(s->file, path, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &size, values))
    ink_store_note_h5(s, "write");
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_write_integers(InkStore *s, const char *path, int n, const int64_t *values) {
  PetscFunctionBeginUser;
  hsize_t size = (hsize_t)n;
  if (ink_store_root(s) && !ink_h5_small(s->file, path, H5T_NATIVE_INT64, H5T_NATIVE_INT64, 1, &size, values))
    ink_store_note_h5(s, "write");
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_write_text(InkStore *s, const char *path, const char *text) {
  PetscFunctionBeginUser;
  if (ink_store_root(s) && !ink_h5_text(s->file, path, text)) ink_store_note_h5(s, "write");
  PetscFunctionReturn(0);
}

static void read_small(InkStore *s, const char *path, hid_t memory, int n, void *values) {
  hid_t dataset = H5Dopen2(s->file, path, H5P_DEFAULT);
  if (dataset < 0) {
    H5Eclear2(H5E_DEFAULT);
    ink_fail(&s->failure, INK_STORAGE, "%s: has no %s", s->path, path);
    return;
  }
  hid_t space = H5Dget_space(dataset);
  if (H5Sget_simple_extent_npoints(space) != n)
    ink_fail(&s->failure, INK_STORAGE, "%s: %s does not have the expected size", s->path, path);
  else if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    ink_store_note_h5(s, "read");
  H5Sclose(space);
  H5Dclose(dataset);
}

PetscErrorCode ink_store_read_numbers(InkStore *s, const char *path, int n, double *values) {
  PetscFunctionBeginUser;
  if (ink_store_root(s)) read_small(s, path, H5T_NATIVE_DOUBLE, n, values);
  PetscCallMPI(MPI_Bcast(values, n, MPI_DOUBLE, 0, s->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_read_integers(InkStore *s, const char *path, int n, int64_t *values) {
  PetscFunctionBeginUser;
  if (ink_store_root(s)) read_small(s, path, H5T_NATIVE_INT64, n, values);
  PetscCallMPI(MPI_Bcast(values, n, MPI_INT64_T, 0, s->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_read_text(InkStore *s, const char *path, char **text) {
  PetscFunctionBeginUser;
  int length = 0;
  *text = NULL;
  if (ink_store_root(s)) {
    *text = ink_h5_read_text(s->file, path);
    if (!*text) ink_fail(&s->failure, INK_STORAGE, "%s: has no text %s", s->path, path);
  }
  if (*text) length = (int)strlen(*text);
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT, 0, s->comm));
  if (!*text) *text = calloc((size_t)length + 1, 1);
  PetscCheck(*text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a text");
  PetscCallMPI(MPI_Bcast(*text, length, MPI_CHAR, 0, s->comm));
  PetscFunctionReturn(0);
}

/* What an attribute is made of; n < 0: text. */
static void attribute(InkStore *s, const char *path, const char *name, hid_t type, int n,
                      const void *values) {
  hid_t object = H5Oopen(s->file, path, H5P_DEFAULT);
  bool good = object >= 0 && (n < 0 ? ink_h5_attribute_text(object, name, values)
                                    : ink_h5_attribute(object, name, type, type, n, values));
  if (!good) ink_store_note_h5(s, "write");
  if (object >= 0) H5Oclose(object);
}

PetscErrorCode ink_store_attribute_text(InkStore *s, const char *path, const char *name, const char *text) {
  PetscFunctionBeginUser;
  if (ink_store_root(s)) attribute(s, path, name, H5I_INVALID_HID, -1, text);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_attribute_numbers(InkStore *s, const char *path, const char *name, int n,
                                           const double *values) {
  PetscFunctionBeginUser;
  if (ink_store_root(s)) attribute(s, path, name, H5T_NATIVE_DOUBLE, n, values);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_attribute_integers(InkStore *s, const char *path, const char *name, int n,
                                            const int64_t *values) {
  PetscFunctionBeginUser;
  if (ink_store_root(s)) attribute(s, path, name, H5T_NATIVE_INT64, n, values);
  PetscFunctionReturn(0);
}

/* Does every group on the way exist? (H5Lexists of a path below a missing group is an error.) */
static bool path_exists(hid_t file, const char *path) {
  char *copy = ink_text_join(path, "");
  bool found = true;
  for (char *at = copy + (*copy == '/'); found && *at;) {
    char *slash = strchr(at, '/');
    if (slash) *slash = '\0';
    found = H5Lexists(file, copy, H5P_DEFAULT) > 0;
    if (slash) *slash = '/';
    at = slash ? slash + 1 : at + strlen(at);
  }
  H5Eclear2(H5E_DEFAULT);
  free(copy);
  return found;
}

bool ink_store_has(InkStore *s, const char *path) {
  int found = 0;
  if (ink_store_root(s)) found = path_exists(s->file, path);
  if (MPI_Bcast(&found, 1, MPI_INT, 0, s->comm) != MPI_SUCCESS) return false;
  return found != 0;
}

PetscErrorCode ink_store_size(InkStore *s, const char *path, int *rank, hsize_t size[4]) {
  PetscFunctionBeginUser;
  uint64_t told[5] = {0};
  if (ink_store_root(s)) {
    hid_t dataset = H5Dopen2(s->file, path, H5P_DEFAULT);
    hsize_t found[H5S_MAX_RANK] = {0};
    int axes = 0;
    if (dataset >= 0) {
      hid_t space = H5Dget_space(dataset);
      axes = H5Sget_simple_extent_dims(space, found, NULL);
      H5Sclose(space);
      H5Dclose(dataset);
    }
    if (dataset < 0 || axes > 4) ink_fail(&s->failure, INK_STORAGE, "%s: has no array %s", s->path, path);
    H5Eclear2(H5E_DEFAULT);
    told[0] = (uint64_t)(axes > 4 ? 0 : axes);
    for (int a = 0; a < 4; a++) told[1 + a] = found[a];
  }
  PetscCallMPI(MPI_Bcast(told, 5, MPI_UINT64_T, 0, s->comm));
  *rank = (int)told[0];
  for (int a = 0; a < 4; a++) size[a] = told[1 + a];
  PetscFunctionReturn(0);
}
