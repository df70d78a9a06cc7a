/* The netCDF-4/CF side of a file: dimensions, coordinates, bounds and variables, as netCDF-4 writes them into
 * HDF5 (dimension scales with CLASS, NAME, REFERENCE_LIST; DIMENSION_LIST on variables; _Netcdf4Dimid). */
#include "layout.h"
#include "store_impl.h"

#include <stdlib.h>
#include <string.h>

typedef struct Dimension {
  char name[INK_LAYOUT_NAME];
  int64_t size;
} Dimension;

typedef struct Variable {
  char name[INK_LAYOUT_NAME];
  int rank, dims[4]; /* numbers of its dimensions */
} Variable;

struct InkLayout {
  hid_t file;
  bool good;
  const InkGrid *grid;
  int count;           /* times */
  const double *times; /* the caller's, until the layout is finished */
  int ndims;
  Dimension *dims;
  int nvariables, nfields;
  Variable *variables;
  char (*fields)[INK_LAYOUT_NAME];
};

void ink_layout_name(const char *name, char text[INK_LAYOUT_NAME]) {
  snprintf(text, INK_LAYOUT_NAME, "%s", name);
  for (char *c = text; *c; c++)
    if (*c == '/' || *c == '.') *c = '_';
}

/* xarray turns these words, and only these, into time differences; the short forms are left alone. */
static const char *safe_unit(const char *unit) {
  static const char *const words[][2] = {{"seconds", "s"},     {"minutes", "min"},     {"hours", "h"},
                                         {"days", "d"},        {"milliseconds", "ms"}, {"microseconds", "us"},
                                         {"nanoseconds", "ns"}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(unit, words[i][0]) == 0) return words[i][1];
  return unit;
}

static bool text_attribute(InkLayout *l, const char *name, const char *key, const char *text) {
  hid_t object = H5Oopen(l->file, name, H5P_DEFAULT);
  bool good = object >= 0 && ink_h5_attribute_text(object, key, text);
  if (object >= 0) H5Oclose(object);
  return good;
}

/* Makes an existing dataset the next dimension. */
static int add_dimension(InkLayout *l, const char *name, const char *scale_name, int64_t size) {
  Dimension *grown = realloc(l->dims, (size_t)(l->ndims + 1) * sizeof *grown);
  if (!grown) abort();
  int id = l->ndims++;
  l->dims = grown;
  l->dims[id].size = size;
  snprintf(l->dims[id].name, INK_LAYOUT_NAME, "%s", name);
  hid_t object = H5Oopen(l->file, name, H5P_DEFAULT);
  l->good = l->good && object >= 0 && ink_h5_attribute_terminated(object, "CLASS", "DIMENSION_SCALE") &&
            ink_h5_attribute_terminated(object, "NAME", scale_name) &&
            ink_h5_attribute(object, "_Netcdf4Dimid", H5T_NATIVE_INT, H5T_NATIVE_INT, 1, &id);
  if (object >= 0) H5Oclose(object);
  return id;
}

static void add_variable(InkLayout *l, const char *name, int rank, const int *dims) {
  Variable *grown = realloc(l->variables, (size_t)(l->nvariables + 1) * sizeof *grown);
  if (!grown) abort();
  l->variables = grown;
  Variable *v = &l->variables[l->nvariables++];
  *v = (Variable){.rank = rank};
  snprintf(v->name, sizeof v->name, "%s", name);
  for (int a = 0; a < rank; a++) v->dims[a] = dims[a];
}

static const char *axis_long_name(const InkGrid *grid, const char *name) {
  if (strcmp(name, "r") == 0) return "radius of cell centroids";
  return strcmp(grid->coordinates, "cartesian") == 0 ? "cell centroids" : "cell centroids along the axis";
}

/* The two ends of each cell of an axis. */
static void write_bounds(InkLayout *l, const struct InkGridAxis *axis) {
  hsize_t size[2] = {(hsize_t)axis->cells, 2};
  char bounds[INK_LAYOUT_NAME];
  snprintf(bounds, sizeof bounds, "%s_bnds", axis->name);
  double *ends = malloc(2 * size[0] * sizeof *ends);
  if (!ends) abort();
  for (hsize_t i = 0; i < size[0]; i++) {
    ends[2 * i] = axis->face[i];
    ends[2 * i + 1] = axis->face[i + 1];
  }
  l->good = l->good && ink_h5_small(l->file, bounds, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 2, size, ends) &&
            text_attribute(l, axis->name, "bounds", bounds);
  free(ends);
}

/* Writes an axis as the next dimension and returns its number. */
static int write_axis(InkLayout *l, const struct InkGridAxis *axis, const char *long_name) {
  const hsize_t size = (hsize_t)axis->cells;
  l->good = l->good &&
            ink_h5_small(l->file, axis->name, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &size, axis->centroid);
  if (!l->good) return 0;
  int id = add_dimension(l, axis->name, axis->name, axis->cells);
  l->good = l->good && text_attribute(l, axis->name, "units", safe_unit(axis->unit)) &&
            text_attribute(l, axis->name, "long_name", long_name);
  return id;
}

/* An axis of the snapshot's grid: with bounds, and x, y and z are what CF calls X, Y and Z. */
static void write_grid_axis(InkLayout *l, const struct InkGridAxis *axis) {
  write_axis(l, axis, axis_long_name(l->grid, axis->name));
  write_bounds(l, axis);
  const char letter[2] = {(char)(axis->name[0] - 'a' + 'A'), 0};
  if (l->good && strlen(axis->name) == 1 && strchr("xyz", axis->name[0]))
    l->good = text_attribute(l, axis->name, "axis", letter);
}

/* The dimensions of a variable over (time, grid): those that are there already, by name and size, and new
 * ones. True when it lies on the layout's grid. */
static bool find_dimensions(InkLayout *l, const InkGrid *grid, int dims[4]) {
  bool main_grid = l->grid && grid->dim == l->grid->dim;
  dims[0] = 0;
  for (int a = 0; a < grid->dim; a++) {
    const struct InkGridAxis *axis = &grid->axis[a];
    int d = 1;
    while (d < l->ndims && (strcmp(l->dims[d].name, axis->name) || l->dims[d].size != axis->cells)) d++;
    dims[a + 1] = d < l->ndims ? d : write_axis(l, axis, "number");
    main_grid = main_grid && dims[a + 1] == a + 1;
  }
  return main_grid;
}

/* The dimension of the two ends of a cell: netCDF's way to say that it is not a variable. */
static void write_bounds_dimension(InkLayout *l) {
  const hsize_t size = 2;
  const float nothing[2] = {0, 0};
  char text[80];
  snprintf(text, sizeof text, "This is a netCDF dimension but not a netCDF variable.%10d", 2);
  l->good = l->good && ink_h5_small(l->file, "bnds", H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, 1, &size, nothing);
  if (!l->good) return;
  int ends = add_dimension(l, "bnds", text, 2);
  for (int a = 0; a < l->grid->dim; a++) {
    char bounds[INK_LAYOUT_NAME];
    snprintf(bounds, sizeof bounds, "%s_bnds", l->grid->axis[a].name);
    add_variable(l, bounds, 2, (int[]){1 + a, ends});
  }
}

InkLayout *ink_layout_create(hid_t file, const char *title, int count, const double *times,
                             const InkGrid *grid) {
  InkLayout *l = calloc(1, sizeof *l);
  if (!l) abort();
  hsize_t size = (hsize_t)count;
  l->file = file;
  l->grid = grid;
  l->count = count;
  l->times = times;
  l->good = text_attribute(l, "/", "Conventions", "CF-1.8");
  if (title && *title) l->good = l->good && text_attribute(l, "/", "title", title);
  if (grid) l->good = l->good && text_attribute(l, "/", "coordinate_system", grid->coordinates);
  l->good = l->good && ink_h5_small(file, "time", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &size, times);
  if (!l->good) return l;
  add_dimension(l, "time", "time", count);
  l->good = l->good && text_attribute(l, "time", "units", "s") &&
            text_attribute(l, "time", "long_name", "time") && text_attribute(l, "time", "axis", "T");
  for (int a = 0; grid && a < grid->dim && l->good; a++) write_grid_axis(l, &grid->axis[a]);
  if (grid && l->good) write_bounds_dimension(l);
  return l;
}

static void add_field(InkLayout *l, const char *name) {
  char(*grown)[INK_LAYOUT_NAME] = realloc(l->fields, (size_t)(l->nfields + 1) * sizeof *grown);
  if (!grown) abort();
  l->fields = grown;
  snprintf(l->fields[l->nfields++], INK_LAYOUT_NAME, "%s", name);
}

void ink_layout_variable(InkLayout *l, const char *name, const char *long_name, const char *unit,
                         const InkGrid *grid) {
  int dims[4] = {0};
  if (!l->good) return;
  l->good = text_attribute(l, name, "units", safe_unit(unit)) &&
            (!long_name || !*long_name || text_attribute(l, name, "long_name", long_name));
  if (l->good && grid && find_dimensions(l, grid, dims)) add_field(l, name);
  add_variable(l, name, grid ? 1 + grid->dim : 1, dims);
}

/* DIMENSION_LIST of a variable: for each of its dimensions a list with one reference. */
static bool write_dimension_list(const InkLayout *l, const Variable *v) {
  hobj_ref_t references[4];
  hvl_t lists[4];
  hsize_t size = (hsize_t)v->rank;
  bool good = true;
  for (int a = 0; a < v->rank; a++) {
    good = good && H5Rcreate(&references[a], l->file, l->dims[v->dims[a]].name, H5R_OBJECT, -1) >= 0;
    lists[a] = (hvl_t){.len = 1, .p = &references[a]};
  }
  hid_t object = H5Oopen(l->file, v->name, H5P_DEFAULT);
  hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ), space = H5Screate_simple(1, &size, NULL);
  hid_t attribute = good && object >= 0
                        ? H5Acreate2(object, "DIMENSION_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT)
                        : H5I_INVALID_HID;
  good = attribute >= 0 && H5Awrite(attribute, type, lists) >= 0;
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  if (object >= 0) H5Oclose(object);
  return good;
}

typedef struct BackReference {
  hobj_ref_t dataset;
  int dimension;
} BackReference;

/* REFERENCE_LIST of a dimension: the variables that use it, and as which of their axes. */
static bool write_reference_list(const InkLayout *l, int dim) {
  BackReference *list = calloc((size_t)(4 * l->nvariables + 1), sizeof *list);
  hsize_t n = 0;
  bool good = list != NULL;
  for (int v = 0; v < l->nvariables && good; v++)
    for (int a = 0; a < l->variables[v].rank; a++)
      if (l->variables[v].dims[a] == dim) {
        good = good && H5Rcreate(&list[n].dataset, l->file, l->variables[v].name, H5R_OBJECT, -1) >= 0;
        list[n++].dimension = a;
      }
  if (good && n > 0) {
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof *list), space = H5Screate_simple(1, &n, NULL);
    H5Tinsert(type, "dataset", HOFFSET(BackReference, dataset), H5T_STD_REF_OBJ);
    H5Tinsert(type, "dimension", HOFFSET(BackReference, dimension), H5T_NATIVE_INT);
    hid_t object = H5Oopen(l->file, l->dims[dim].name, H5P_DEFAULT);
    hid_t attribute = H5Acreate2(object, "REFERENCE_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT);
    good = attribute >= 0 && H5Awrite(attribute, type, list) >= 0;
    if (attribute >= 0) H5Aclose(attribute);
    if (object >= 0) H5Oclose(object);
    H5Sclose(space);
    H5Tclose(type);
  }
  free(list);
  return good;
}

bool ink_layout_finish(InkLayout **layout, const InkRunRecord *run) {
  InkLayout *l = *layout;
  for (int v = 0; v < l->nvariables && l->good; v++) l->good = write_dimension_list(l, &l->variables[v]);
  for (int d = 0; d < l->ndims && l->good; d++) l->good = write_reference_list(l, d);
  if (l->good && l->grid && ink_layout_is_image(l->grid))
    l->good = ink_layout_vtk(l->file, l->grid, l->count, l->times, l->nfields, l->fields);
  if (l->good && run) l->good = ink_layout_run(l->file, run); /* last: nothing before it may depend on it */
  bool good = l->good;
  free(l->dims);
  free(l->variables);
  free(l->fields);
  free(l);
  *layout = NULL;
  return good;
}
