/* The group /VTKHDF, which makes a file open in ParaView as a time series of an image.
 *
 * No field is stored twice. With several times the cell data are hard links to the fields at the root;
 * Steps/Values is a copy of /time, as the netCDF library takes a second name of a dimension for its name.
 * NSteps must never be above the number of times in the arrays: VTK reads past their end. With one time VTK
 * expects arrays without the axis of time: they are views (virtual datasets) of the fields in the same file.
 */
#include "layout.h"
#include "store_impl.h"

#include <string.h>

bool ink_layout_is_image(const InkGrid *grid) {
  bool image = strcmp(grid->coordinates, "cartesian") == 0;
  for (int a = 0; a < grid->dim; a++) image = image && grid->axis[a].uniform;
  return image;
}

/* Extent, origin and spacing; an axis that the grid lacks has no cells and unit spacing. */
static bool write_geometry(hid_t group, const InkGrid *grid) {
  int64_t extent[6] = {0};
  double origin[3] = {0}, spacing[3] = {1, 1, 1};
  const double direction[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const int64_t version[2] = {2, 0};
  for (int a = 0; a < grid->dim; a++) {
    const struct InkGridAxis *axis = &grid->axis[a];
    int d = grid->dim - 1 - a; /* the last axis is VTK's x, whatever its name */
    extent[2 * d + 1] = axis->cells;
    origin[d] = axis->face[0];
    spacing[d] = (axis->face[axis->cells] - axis->face[0]) / (double)axis->cells;
  }
  return ink_h5_attribute(group, "Version", H5T_NATIVE_INT64, H5T_NATIVE_INT64, 2, version) &&
         ink_h5_attribute_text(group, "Type", "ImageData") &&
         ink_h5_attribute(group, "WholeExtent", H5T_NATIVE_INT64, H5T_NATIVE_INT64, 6, extent) &&
         ink_h5_attribute(group, "Origin", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 3, origin) &&
         ink_h5_attribute(group, "Spacing", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 3, spacing) &&
         ink_h5_attribute(group, "Direction", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 9, direction);
}

static bool link_to(hid_t file, const char *from, const char *to) {
  return H5Lcreate_hard(file, from, file, to, H5P_DEFAULT, H5P_DEFAULT) >= 0;
}

/* The field without its axis of time, which has one index. */
static bool view_of(hid_t file, const InkGrid *grid, const char *name, const char *to) {
  hsize_t with_time[4] = {1}, size[3] = {0};
  for (int a = 0; a < grid->dim; a++) with_time[a + 1] = size[a] = (hsize_t)grid->axis[a].cells;
  hid_t field = H5Dopen2(file, name, H5P_DEFAULT);
  if (field < 0) return false;
  hid_t type = H5Dget_type(field), list = ink_h5_dataset_creation();
  hid_t source = H5Screate_simple(grid->dim + 1, with_time, NULL),
        space = H5Screate_simple(grid->dim, size, NULL);
  bool good = H5Pset_virtual(list, space, ".", name, source) >= 0;
  hid_t view = good ? H5Dcreate2(file, to, type, space, H5P_DEFAULT, list, H5P_DEFAULT) : H5I_INVALID_HID;
  good = view >= 0 && H5Dclose(view) >= 0;
  H5Sclose(space);
  H5Sclose(source);
  H5Pclose(list);
  H5Tclose(type);
  H5Dclose(field);
  return good;
}

static bool write_steps(hid_t file, int count, const double *times) {
  const int64_t steps = count;
  const hsize_t size = (hsize_t)count;
  if (!ink_h5_group(file, "/VTKHDF/Steps")) return false;
  hid_t group = H5Gopen2(file, "/VTKHDF/Steps", H5P_DEFAULT);
  bool good = group >= 0 && ink_h5_attribute(group, "NSteps", H5T_NATIVE_INT64, H5T_NATIVE_INT64, 1, &steps);
  if (group >= 0) H5Gclose(group);
  return good &&
         ink_h5_small(file, "/VTKHDF/Steps/Values", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &size, times);
}

bool ink_layout_vtk(hid_t file, const InkGrid *grid, int count, const double *times, int nfields,
                    char (*names)[INK_LAYOUT_NAME]) {
  bool good = ink_h5_group(file, "/VTKHDF") && ink_h5_group(file, "/VTKHDF/CellData");
  hid_t group = good ? H5Gopen2(file, "/VTKHDF", H5P_DEFAULT) : H5I_INVALID_HID;
  good = group >= 0 && write_geometry(group, grid);
  if (group >= 0) H5Gclose(group);
  for (int f = 0; f < nfields && good; f++) {
    char to[INK_LAYOUT_NAME + 32];
    snprintf(to, sizeof to, "/VTKHDF/CellData/%s", names[f]);
    good = count == 1 ? view_of(file, grid, names[f], to) : link_to(file, names[f], to);
  }
  return good && (count == 1 || write_steps(file, count, times));
}
