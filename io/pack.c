/* The verb `pack`: one file that stands alone, from the snapshots that OUT/fields.h5 lists. */
#include "h5_read.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The grid of an index as the layout wants it, with its own memory. */
typedef struct PackedGrid {
  InkGrid grid;
  char coordinates[32], names[3][INK_LAYOUT_NAME], units[3][64];
  double *centroid[3], *face[3];
} PackedGrid;

/* The faces between the cells of an axis of n cells that has bounds. */
static bool read_faces(hid_t file, const char *name, hsize_t n, double *face) {
  char bounds[INK_LAYOUT_NAME + 8];
  snprintf(bounds, sizeof bounds, "%s_bnds", name);
  double *ends = malloc(2 * n * sizeof *ends);
  bool good = ends && ink_h5_read_all(file, bounds, ends);
  for (hsize_t i = 0; good && i < n; i++) face[i] = ends[2 * i];
  if (good) face[n] = ends[2 * n - 1];
  free(ends);
  return good;
}

/* Reads a dimension as axis number `place`. */
static bool read_axis(hid_t file, const char *name, int place, bool uniform, PackedGrid *packed) {
  hsize_t size[H5S_MAX_RANK];
  const bool bounded = ink_h5_has_attribute(file, name, "bounds");
  if (place < 0 || place > 2 || ink_h5_size(file, name, size) != 1 || size[0] == 0) return false;
  packed->centroid[place] = malloc(size[0] * sizeof(double));
  packed->face[place] = bounded ? malloc((size[0] + 1) * sizeof(double)) : NULL;
  bool good = packed->centroid[place] && ink_h5_read_all(file, name, packed->centroid[place]) &&
              (!bounded || (packed->face[place] && read_faces(file, name, size[0], packed->face[place])));
  snprintf(packed->names[place], sizeof packed->names[place], "%s", name);
  ink_h5_attribute_read_text(file, name, "units", packed->units[place], sizeof packed->units[place]);
  packed->grid.axis[place] = (struct InkGridAxis){.name = packed->names[place],
                                                  .unit = packed->units[place],
                                                  .cells = (int64_t)size[0],
                                                  .centroid = packed->centroid[place],
                                                  .face = packed->face[place],
                                                  .uniform = uniform};
  packed->grid.dim++;
  return good;
}

/* The grid of the index: its axes are the dimensions with bounds, in the order of the dimensions after the
 * first, the time. */
static bool read_grid(hid_t file, PackedGrid *packed) {
  const bool uniform = H5Lexists(file, "/VTKHDF", H5P_DEFAULT) > 0;
  ink_h5_attribute_read_text(file, "/", "coordinate_system", packed->coordinates, sizeof packed->coordinates);
  packed->grid.coordinates = packed->coordinates;
  InkH5Names axes = ink_h5_axes(file);
  bool good = axes.count > 0;
  for (int a = 0; good && a < axes.count; a++) {
    int place = (int)ink_h5_attribute_read_number(file, axes.name[a], "_Netcdf4Dimid", 0) - 1;
    good = read_axis(file, axes.name[a], place, uniform, packed);
  }
  free(axes.name);
  return good;
}

/* The grid that a field lies on. */
static bool read_field_grid(hid_t file, const char *field, PackedGrid *packed) {
  char names[4][INK_LAYOUT_NAME];
  int count = ink_h5_dimensions(file, field, names);
  bool good = count > 0;
  for (int a = 1; good && a < count; a++) good = read_axis(file, names[a], a - 1, false, packed);
  return good;
}

static void free_grid(PackedGrid *packed) {
  for (int a = 0; a < 3; a++) {
    free(packed->centroid[a]);
    free(packed->face[a]);
  }
}

/* Copies one time of a field, a slab of about 1 MiB at a time: the values of the dataset `from`, which has
 * one time, to time n of the dataset `to`. */
static bool copy_time(hid_t from, hid_t to, hsize_t n) {
  hsize_t size[H5S_MAX_RANK], chunk[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK], cells = 1;
  hid_t source = H5Dget_space(from), target = H5Dget_space(to), type = H5Dget_type(to);
  int rank = H5Sget_simple_extent_dims(source, size, NULL), a = 0;
  bool good = rank == H5Sget_simple_extent_ndims(target) && rank > 0 && size[0] == 1;
  if (good) ink_h5_chunk(rank, size, sizeof(double), chunk);
  for (int b = 0; good && b < rank; b++) cells *= chunk[b];
  void *values = malloc(cells * sizeof(double));
  good = good && values;
  while (good && a >= 0) {
    for (int b = 0; b < rank; b++) count[b] = size[b] - start[b] < chunk[b] ? size[b] - start[b] : chunk[b];
    hid_t memory = H5Screate_simple(rank, count, NULL);
    H5Sselect_hyperslab(source, H5S_SELECT_SET, start, NULL, count, NULL);
    start[0] = n;
    H5Sselect_hyperslab(target, H5S_SELECT_SET, start, NULL, count, NULL);
    start[0] = 0;
    good = H5Dread(from, type, memory, source, H5P_DEFAULT, values) >= 0 &&
           H5Dwrite(to, type, memory, target, H5P_DEFAULT, values) >= 0;
    H5Sclose(memory);
    for (a = rank - 1; a >= 1 && (start[a] += chunk[a]) >= size[a]; a--) start[a] = 0;
    if (a == 0) a = -1; /* the time itself is one */
  }
  free(values);
  H5Tclose(type);
  H5Sclose(target);
  H5Sclose(source);
  return good;
}

/* The snapshot that holds time n of the index's dataset `from`; free() it. NULL: it is not such a dataset. */
static char *snapshot_of(hid_t from, const char *out, hsize_t n) {
  char name[256];
  hid_t list = H5Dget_create_plist(from);
  size_t count = 0;
  char *path = NULL;
  if (H5Pget_layout(list) == H5D_VIRTUAL && H5Pget_virtual_count(list, &count) >= 0 && n < count &&
      H5Pget_virtual_filename(list, (size_t)n, name, sizeof name) > 0) {
    char *folder = ink_text_join(out, "/");
    path = ink_text_join(folder, name);
    free(folder);
  }
  H5Pclose(list);
  return path;
}

/* Fills a field's dataset from the snapshots. */
static void copy_field(InkStore *store, const char *out, const char *name, hid_t index, hid_t to,
                       hsize_t times, InkFailure *failure) {
  for (hsize_t n = 0; n < times && failure->code == INK_DONE && store->failure.code == INK_DONE; n++) {
    char *path = snapshot_of(index, out, n);
    hid_t file = H5I_INVALID_HID;
    if (!path)
      ink_fail(failure, INK_STORAGE, "%s/fields.h5: is not an index of snapshots", out);
    else
      file = ink_h5_open(path, failure);
    hid_t from = file >= 0 ? H5Dopen2(file, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (file >= 0 && from < 0) ink_fail(failure, INK_STORAGE, "%s: has no field %s", path, name);
    if (from >= 0 && !copy_time(from, to, n)) ink_store_note_h5(store, "write");
    if (from >= 0) H5Dclose(from);
    if (file >= 0) H5Fclose(file);
    free(path);
  }
}

static void pack_field(InkStore *store, InkLayout *layout, hid_t index, const char *out, const char *name,
                       InkFailure *failure) {
  hsize_t size[H5S_MAX_RANK];
  char unit[64], long_name[256];
  PackedGrid own = {0};
  int rank = ink_h5_size(index, name, size);
  hid_t from = H5Dopen2(index, name, H5P_DEFAULT), type = from >= 0 ? H5Dget_type(from) : H5I_INVALID_HID;
  if (from < 0 || rank < 1 || rank > 4 || !read_field_grid(index, name, &own))
    ink_fail(failure, INK_STORAGE, "%s/fields.h5: cannot read %s", out, name);
  else {
    hid_t to = ink_h5_array(store->file, name, rank, size, type, 0);
    if (to < 0)
      ink_store_note_h5(store, "write");
    else {
      copy_field(store, out, name, from, to, size[0], failure);
      H5Dclose(to);
      ink_h5_attribute_read_text(index, name, "units", unit, sizeof unit);
      ink_h5_attribute_read_text(index, name, "long_name", long_name, sizeof long_name);
      if (store->failure.code == INK_DONE) ink_layout_variable(layout, name, long_name, unit, &own.grid);
    }
  }
  free_grid(&own);
  if (type >= 0) H5Tclose(type);
  if (from >= 0) H5Dclose(from);
}

/* Writes everything into an open store. */
static void pack_all(InkStore *store, hid_t index, const char *out, InkFailure *failure) {
  PackedGrid packed = {0};
  InkH5Names names = ink_h5_variables(index);
  hsize_t times[H5S_MAX_RANK] = {0};
  char title[512];
  double *time = NULL;
  if (ink_h5_size(index, "time", times) == 1) time = malloc((times[0] + 1) * sizeof *time);
  ink_h5_attribute_read_text(index, "/", "title", title, sizeof title);
  if (!time || !ink_h5_read_all(index, "time", time) || !read_grid(index, &packed) || names.count == 0)
    ink_fail(failure, INK_STORAGE, "%s/fields.h5: is not an index of snapshots", out);
  else {
    InkLayout *layout = ink_layout_create(store->file, title, (int)times[0], time, &packed.grid);
    for (int f = 0; f < names.count && failure->code == INK_DONE && store->failure.code == INK_DONE; f++)
      pack_field(store, layout, index, out, names.name[f], failure);
    bool good = ink_layout_finish(&layout, NULL);
    if (good && H5Lexists(index, "/run", H5P_DEFAULT) > 0)
      good = H5Ocopy(index, "/run", store->file, "/run", H5P_DEFAULT, H5P_DEFAULT) >= 0;
    if (!good && failure->code == INK_DONE) ink_store_note_h5(store, "write");
  }
  free_grid(&packed);
  free(time);
  free(names.name);
}

/* Returns whether the file was written; failure says why not. */
static PetscErrorCode pack(const char *out, hid_t index, const char *file, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store;
  PetscCall(ink_store_create(MPI_COMM_SELF, file, false, &store));
  PetscCall(ink_store_attribute_text(store, "/", "inkdrop", "packed"));
  if (ink_store_root(store)) pack_all(store, index, out, failure);
  if (failure->code != INK_DONE)
    PetscCall(ink_store_close(&store));
  else
    PetscCall(ink_store_commit(&store, failure));
  PetscFunctionReturn(0);
}

InkExit ink_pack(const char *out, const char *file) {
  InkFailure failure = {0};
  struct stat status;
  char *path = ink_text_join(out, "/fields.h5");
  PetscErrorCode error = 0;
  if (lstat(file, &status) == 0)
    ink_fail(&failure, INK_USAGE, "%s: exists already: remove it or give another name", file);
  else if (stat(out, &status) || !S_ISDIR(status.st_mode))
    ink_fail(&failure, INK_USAGE, "%s: is not a folder: give the output folder of a run", out);
  else if (access(path, F_OK))
    ink_fail(&failure, INK_USAGE,
             "%s: has no fields.h5: give the output folder of a run that wrote snapshots", out);
  else {
    hid_t index = ink_h5_open(path, &failure);
    if (index >= 0) {
      error = pack(out, index, file, &failure);
      H5Fclose(index);
    }
  }
  if (error) ink_fail(&failure, INK_INTERNAL, "%s: could not be packed", out);
  if (failure.code != INK_DONE) fprintf(stderr, "%s\n", failure.message);
  free(path);
  return failure.code;
}
