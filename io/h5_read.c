/* Reading our files again: attributes, sizes, variables, the sources of an index. */
#include "h5_read.h"
#include "store_impl.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hid_t ink_h5_open(const char *path, InkFailure *failure) {
  struct stat status;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (stat(path, &status) || access(path, R_OK)) {
    ink_storage_fail(failure, "read", path, errno);
    return H5I_INVALID_HID;
  }
  if (!S_ISREG(status.st_mode)) {
    ink_fail(failure, INK_STORAGE, "%s: is not a file", path);
    return H5I_INVALID_HID;
  }
  hid_t access_list = ink_h5_access(), file = H5I_INVALID_HID;
  if (H5Fis_hdf5(path) <= 0)
    ink_fail(failure, INK_STORAGE, "%s: is not an HDF5 file", path);
  else {
    file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
    if (file < 0) {
      char text[256];
      int error;
      ink_h5_error(text, sizeof text, &error);
      ink_fail(failure, INK_STORAGE, "%s: cannot be opened, it is cut short or damaged: HDF5 says: %s", path,
               text);
    }
  }
  H5Eclear2(H5E_DEFAULT);
  H5Pclose(access_list);
  return file;
}

bool ink_h5_has_attribute(hid_t file, const char *path, const char *name) {
  return H5Aexists_by_name(file, path, name, H5P_DEFAULT) > 0;
}

void ink_h5_attribute_read_text(hid_t file, const char *path, const char *name, char *text, size_t size) {
  *text = '\0';
  if (!ink_h5_has_attribute(file, path, name)) return;
  hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
      H5Sget_simple_extent_npoints(space) == 1) {
    char *all = calloc(H5Tget_size(type) + 1, 1);
    if (all && H5Aread(attribute, type, all) >= 0) snprintf(text, size, "%s", all);
    free(all);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

double ink_h5_attribute_read_number(hid_t file, const char *path, const char *name, double absent) {
  double value = absent;
  if (!ink_h5_has_attribute(file, path, name)) return absent;
  hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Aget_space(attribute);
  if (H5Sget_simple_extent_npoints(space) != 1 || H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) < 0)
    value = absent;
  H5Sclose(space);
  H5Aclose(attribute);
  return value;
}

int ink_h5_size(hid_t file, const char *path, hsize_t size[H5S_MAX_RANK]) {
  if (H5Lexists(file, path, H5P_DEFAULT) <= 0) return -1;
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) return -1;
  hid_t space = H5Dget_space(dataset);
  int rank = H5Sget_simple_extent_dims(space, size, NULL);
  H5Sclose(space);
  H5Dclose(dataset);
  return rank;
}

bool ink_h5_read_all(hid_t file, const char *path, double *values) {
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) return false;
  bool good = H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  H5Dclose(dataset);
  return good;
}

int ink_h5_dimensions(hid_t file, const char *variable, char names[4][INK_LAYOUT_NAME]) {
  if (!ink_h5_has_attribute(file, variable, "DIMENSION_LIST")) return -1;
  hvl_t lists[4] = {0};
  hid_t attribute = H5Aopen_by_name(file, variable, "DIMENSION_LIST", H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Aget_space(attribute), type = H5Tvlen_create(H5T_STD_REF_OBJ);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  bool good = count >= 1 && count <= 4 && H5Aread(attribute, type, lists) >= 0;
  for (hssize_t a = 0; a < count && good; a++) {
    char path[INK_LAYOUT_NAME + 1] = "";
    good = lists[a].len > 0 && H5Rget_name(file, H5R_OBJECT, lists[a].p, path, sizeof path) > 0;
    snprintf(names[a], INK_LAYOUT_NAME, "%s", path + (path[0] == '/'));
  }
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  return good ? (int)count : -1;
}

static herr_t add_name(InkH5Names *names, const char *name) {
  if (strlen(name) >= INK_LAYOUT_NAME) return 0;
  char(*grown)[INK_LAYOUT_NAME] = realloc(names->name, (size_t)(names->count + 1) * sizeof *grown);
  if (!grown) return -1;
  names->name = grown;
  snprintf(grown[names->count++], INK_LAYOUT_NAME, "%s", name);
  return 0;
}

static bool is_dataset(hid_t file, const char *name) {
  H5O_info_t object;
  return H5Oget_info_by_name(file, name, &object, H5P_DEFAULT) >= 0 && object.type == H5O_TYPE_DATASET;
}

static herr_t collect_variable(hid_t file, const char *name, const H5L_info_t *link, void *data) {
  (void)link;
  size_t length = strlen(name);
  if (!is_dataset(file, name) || ink_h5_has_attribute(file, name, "CLASS")) return 0;
  if (length > 5 && strcmp(name + length - 5, "_bnds") == 0) return 0;
  return add_name(data, name);
}

static herr_t collect_axis(hid_t file, const char *name, const H5L_info_t *link, void *data) {
  (void)link;
  if (!is_dataset(file, name) || !ink_h5_has_attribute(file, name, "CLASS")) return 0;
  return ink_h5_has_attribute(file, name, "bounds") ? add_name(data, name) : 0;
}

static InkH5Names names_at_root(hid_t file, H5L_iterate_t collect) {
  InkH5Names names = {0};
  if (H5Literate(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, collect, &names) < 0) {
    names.count = 0;
    H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, collect, &names);
  }
  H5Eclear2(H5E_DEFAULT);
  return names;
}

InkH5Names ink_h5_variables(hid_t file) { return names_at_root(file, collect_variable); }
InkH5Names ink_h5_axes(hid_t file) { return names_at_root(file, collect_axis); }

int ink_h5_missing_sources(hid_t file, const char *variable, const char *path, int *total) {
  hid_t dataset = H5Dopen2(file, variable, H5P_DEFAULT);
  if (dataset < 0) return -1;
  hid_t list = H5Dget_create_plist(dataset);
  int missing = -1;
  if (H5Pget_layout(list) == H5D_VIRTUAL) {
    char *copy = ink_text_join(path, ""), *folder = ink_text_join(dirname(copy), "/");
    size_t count = 0;
    H5Pget_virtual_count(list, &count);
    *total = (int)count;
    missing = 0;
    for (size_t i = 0; i < count; i++) {
      char name[256];
      if (H5Pget_virtual_filename(list, i, name, sizeof name) < 0) continue;
      char *source = ink_text_join(folder, name);
      if (access(source, R_OK)) missing++;
      free(source);
    }
    free(folder);
    free(copy);
  }
  H5Pclose(list);
  H5Dclose(dataset);
  return missing;
}
