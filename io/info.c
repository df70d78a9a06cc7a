/* The verb `info`: what a file holds, and whether its checksum holds. */
#include "checksum.h"
#include "h5_read.h"
#include "store_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Says whether the checksum holds; false when it does not. */
static bool tell_checksum(const char *path, char *text, size_t size, InkFailure *failure) {
  InkChecksum stored = {0}, found = {0};
  char why[256];
  switch (ink_checksum_read(path, &stored)) {
  case INK_SUM_ABSENT:
    snprintf(text, size, "none");
    return true;
  case INK_SUM_BAD:
    ink_fail(failure, INK_STORAGE, "%s: %s.sum is not a checksum file", path, path);
    return false;
  case INK_SUM_GOOD:
    break;
  }
  if (!ink_checksum_serial(path, &found))
    ink_storage_fail(failure, "read", path, errno);
  else if (!ink_checksum_equal(&stored, &found, why, sizeof why))
    ink_fail(failure, INK_STORAGE, "%s: %s", path, why);
  snprintf(text, size, "holds (xxh3 %016" PRIx64 ")", found.hash);
  return failure->code == INK_DONE;
}

/* Extremes of a dataset, read at most 8 MiB at a time. False: unreadable. */
static bool extremes(hid_t file, const char *name, double *low, double *high) {
  hsize_t size[H5S_MAX_RANK], count[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0}, chunk[H5S_MAX_RANK];
  int rank = ink_h5_size(file, name, size);
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  *low = INFINITY;
  *high = -INFINITY;
  if (dataset < 0 || rank < 0) return false;
  hid_t space = H5Dget_space(dataset);
  bool good = true, more = true;
  hsize_t cells = 1;
  ink_h5_chunk(rank, size, sizeof(double), chunk);
  for (int a = 0; a < rank; a++) cells *= chunk[a];
  double *values = malloc((cells + 1) * sizeof *values);
  for (int a = 0; a < rank; a++) more = more && size[a] > 0;
  while (good && more && values) {
    hsize_t n = 1;
    for (int a = 0; a < rank; a++) {
      count[a] = size[a] - start[a] < chunk[a] ? size[a] - start[a] : chunk[a];
      n *= count[a];
    }
    hid_t memory = H5Screate_simple(1, &n, NULL);
    if (rank > 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    good = H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0;
    H5Sclose(memory);
    for (hsize_t i = 0; good && i < n; i++) {
      if (values[i] < *low || isnan(values[i])) *low = values[i];
      if (values[i] > *high || isnan(values[i])) *high = values[i];
    }
    int a = rank - 1;
    while (a >= 0 && (start[a] += chunk[a]) >= size[a]) start[a--] = 0;
    more = a >= 0;
  }
  free(values);
  H5Sclose(space);
  H5Dclose(dataset);
  return good;
}

/* One line of a dataset: name, size, range, unit, long name. */
static void tell_dataset(hid_t file, const char *name) {
  hsize_t size[H5S_MAX_RANK];
  int rank = ink_h5_size(file, name, size), length = 0;
  char text[128] = "1", unit[64], long_name[256];
  double low, high;
  for (int a = 0; a < rank; a++) {
    int n = snprintf(text + length, sizeof text - (size_t)length, "%s%llu", a ? " x " : "",
                     (unsigned long long)size[a]);
    if (n > 0 && (size_t)(length + n) < sizeof text) length += n;
  }
  ink_h5_attribute_read_text(file, name, "units", unit, sizeof unit);
  ink_h5_attribute_read_text(file, name, "long_name", long_name, sizeof long_name);
  printf("  %-24s %-20s", name, text);
  if (extremes(file, name, &low, &high) && low <= high)
    printf(" %.10g to %.10g%s%s", low, high, strcmp(unit, "1") == 0 || !*unit ? "" : " ",
           strcmp(unit, "1") == 0 ? "" : unit);
  else if (isnan(low) || isnan(high))
    printf(" holds NaN");
  printf("%s%s\n", *long_name ? "  " : "", long_name);
  H5Eclear2(H5E_DEFAULT);
}

static herr_t tell_object(hid_t file, const char *name, const H5O_info_t *object, void *data) {
  (void)data;
  if (object->type != H5O_TYPE_DATASET) return 0;
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT),
        type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
  H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  if (kind == H5T_FLOAT || kind == H5T_INTEGER) tell_dataset(file, name);
  if (type >= 0) H5Tclose(type);
  if (dataset >= 0) H5Dclose(dataset);
  return 0;
}

static void tell_line(const char *key, const char *text) {
  if (*text) printf("%-10s %s\n", key, text);
}

static void tell_run(hid_t file) {
  static const char *const lines[][2] = {
      {"solver", "solver"}, {"method", "method"},      {"version", "version"}, {"commit", "commit"},
      {"host", "host"},     {"date", "date"},          {"hdf5", "hdf5"},       {"petsc", "petsc"},
      {"mpi", "mpi"},       {"cpu", "instruction_set"}};
  char text[512];
  if (H5Lexists(file, "/run", H5P_DEFAULT) <= 0) return;
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    ink_h5_attribute_read_text(file, "/run", lines[i][1], text, sizeof text);
    tell_line(lines[i][0], text);
  }
  printf("%-10s %.0f\n", "ranks", ink_h5_attribute_read_number(file, "/run", "ranks", NAN));
  printf("%-10s %.0f\n", "step", ink_h5_attribute_read_number(file, "/run", "step", NAN));
  printf("%-10s %.3g s\n", "wall", ink_h5_attribute_read_number(file, "/run", "wall_seconds", NAN));
}

/* " s"; "" where no axis has a unit: then times are numbers too. */
static const char *seconds(hid_t file, const InkH5Names *axes) {
  bool any = axes->count == 0;
  char unit[64];
  for (int a = 0; a < axes->count; a++) {
    ink_h5_attribute_read_text(file, axes->name[a], "units", unit, sizeof unit);
    any = any || strcmp(unit, "1") != 0;
  }
  return any ? " s" : "";
}

static void tell_times(hid_t file, const char *unit) {
  hsize_t size[H5S_MAX_RANK];
  if (ink_h5_size(file, "time", size) != 1 || size[0] == 0) return;
  double *times = malloc(size[0] * sizeof *times);
  if (times && ink_h5_read_all(file, "time", times)) {
    if (size[0] == 1)
      printf("%-10s %.10g%s\n", "time", times[0], unit);
    else
      printf("%-10s %llu from %.10g to %.10g%s\n", "times", (unsigned long long)size[0], times[0],
             times[size[0] - 1], unit);
  }
  free(times);
}

/* The axes and the fields; of a checkpoint, all arrays. */
static void tell_contents(hid_t file, const char *path, const char *kind) {
  if (strcmp(kind, "checkpoint") == 0 || !*kind) {
    printf("arrays\n");
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, tell_object, NULL, H5O_INFO_BASIC);
    return;
  }
  InkH5Names axes = ink_h5_axes(file);
  tell_times(file, seconds(file, &axes));
  if (axes.count) printf("axes\n");
  for (int a = axes.count; a-- > 0;) tell_dataset(file, axes.name[a]); /* the slowest was made first */
  free(axes.name);
  InkH5Names names = ink_h5_variables(file);
  if (names.count) printf("%s\n", strcmp(kind, "series") == 0 ? "columns" : "fields");
  for (int i = 0; i < names.count; i++) {
    int total = 0, missing = ink_h5_missing_sources(file, names.name[i], path, &total);
    if (missing > 0)
      printf("  %-24s %d of its %d snapshots are missing\n", names.name[i], missing, total);
    else
      tell_dataset(file, names.name[i]);
  }
  free(names.name);
}

InkExit ink_info(const char *path) {
  InkFailure failure = {0};
  char sum[64], kind[32], title[512];
  hid_t file = H5I_INVALID_HID;
  FILE *there = fopen(path, "rb");
  if (!there)
    ink_storage_fail(&failure, "read", path, errno);
  else {
    fclose(there);
    if (tell_checksum(path, sum, sizeof sum, &failure)) file = ink_h5_open(path, &failure);
  }
  if (failure.code != INK_DONE) {
    fprintf(stderr, "%s\n", failure.message);
    return failure.code;
  }
  ink_h5_attribute_read_text(file, "/", "inkdrop", kind, sizeof kind);
  ink_h5_attribute_read_text(file, "/", "title", title, sizeof title);
  printf("%s: %s\n", path, *kind ? kind : "HDF5 file that inkdrop did not write");
  tell_line("title", title);
  tell_line("checksum", sum);
  tell_run(file);
  tell_contents(file, path, kind);
  H5Fclose(file);
  return INK_DONE;
}
