/* Snapshots, index and series: the same bytes on any number of ranks, the layout's traps, pack and removal.
 * With INKDROP_KEEP=FOLDER the files are left there for other readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../io/series.h"
#include "../../io/snapshot.h"

static int rank, size;
static char folder[256];

enum { PATHS = 3 }; /* fewer than ranks: some hold none */

/* A grid of its own memory, cut along its slowest axis among `parts`. */
typedef struct Case {
  InkGrid grid, paths; /* paths: a grid of another kind, one axis of PATHS numbers */
  double centroid[3][16], face[3][17], number[PATHS], place[2 * PATHS];
  double *values;
} Case;

static const char *const letters[3] = {"x", "y", "z"}, *const states[3] = {"V", "x", "phase"};
static const char *const *axis_names = letters;

static double value_of(hsize_t global, int number) { return 300 + 0.25 * (double)global + 1000.0 * number; }

static void make_case(Case *c, int dim, bool graded, bool radial, int part, int parts) {
  static const int64_t cells[3] = {7, 5, 3};
  *c = (Case){.grid = {.dim = dim, .coordinates = radial ? "spherical" : "cartesian", .box = {.rank = dim}}};
  for (int a = 0; a < dim; a++) { /* storage order: slowest first */
    int d = dim - 1 - a;
    int64_t n = cells[d];
    for (int64_t i = 0; i <= n; i++) c->face[a][i] = graded ? 0.1 * (double)(i * i) : 0.5 * (double)i - 1;
    for (int64_t i = 0; i < n; i++) c->centroid[a][i] = 0.5 * (c->face[a][i] + c->face[a][i + 1]);
    c->grid.axis[a] = (struct InkGridAxis){.name = radial ? "r" : axis_names[d],
                                           .unit = "m",
                                           .cells = n,
                                           .centroid = c->centroid[a],
                                           .face = c->face[a],
                                           .uniform = !graded};
    c->grid.box.size[a] = c->grid.box.count[a] = (hsize_t)n;
  }
  InkBox *box = &c->grid.box;
  box->start[0] = box->size[0] * (hsize_t)part / (hsize_t)parts;
  box->count[0] = box->size[0] * (hsize_t)(part + 1) / (hsize_t)parts - box->start[0];
}

/* Paths on every second number in memory, as of one of several states. */
static double path_of(int path, int number) { return 0.5 * path - number; }

static void make_paths(Case *c, int part, int parts) {
  InkBox box = {.rank = 1, .size = {PATHS}, .start = {(hsize_t)(PATHS * part / parts)}, .stride = {2}};
  box.count[0] = (hsize_t)(PATHS * (part + 1) / parts) - box.start[0];
  for (int i = 0; i < PATHS; i++) c->number[i] = i;
  c->paths = (InkGrid){.dim = 1, .coordinates = "cartesian", .box = box};
  c->paths.axis[0] = (struct InkGridAxis){
      .name = "path", .unit = "1", .cells = PATHS, .centroid = c->number, .uniform = true};
}

static void fill_case(Case *c, int number) {
  const InkBox *box = &c->grid.box;
  hsize_t cells = 1, below = 1;
  for (int a = 0; a < box->rank; a++) cells *= box->count[a];
  for (int a = 1; a < box->rank; a++) below *= box->count[a];
  free(c->values);
  c->values = malloc((cells + 1) * sizeof *c->values);
  for (hsize_t i = 0; i < cells; i++) c->values[i] = value_of(box->start[0] * below + i, number);
  for (hsize_t i = 0; i < c->paths.box.count[0]; i++)
    c->place[2 * i] = path_of((int)(c->paths.box.start[0] + i), number);
}

static const InkRunRecord record = {.deck = "solver: heat\n",
                                    .title = "a title",
                                    .solver = "heat",
                                    .method = "explicit",
                                    .instruction_set = "avx2+fma",
                                    .ranks = 1,
                                    .wall_seconds = 1.5,
                                    .step = 10};

static void assert_done(const InkFailure *failure) {
  if (failure->code != INK_DONE) fail_msg("%s", failure->message);
}

static bool with_paths; /* also path_x and path_y, on their own grid */

/* Three snapshots, their index and a series into folder/name. */
static void write_case(MPI_Comm comm, const char *name, int dim, bool graded, bool radial,
                       const InkSnapshotOptions *options) {
  char out[512];
  int part, parts;
  const double times[3] = {0, 0.5, 2};
  InkFailure failure = {0};
  Case c;
  (void)(MPI_Comm_rank(comm, &part));
  (void)(MPI_Comm_size(comm, &parts));
  snprintf(out, sizeof out, "%s/%s", folder, name);
  if (part == 0) mkdir(out, 0777);
  (void)(MPI_Barrier(comm));
  make_case(&c, dim, graded, radial, part, parts);
  make_paths(&c, part, parts);
  InkFieldData fields[4] = {{"T", "temperature", "K", NULL, NULL},
                            {"age", "age of the ink", "seconds", NULL, &c.grid},
                            {"path_x", "places of particles", "m", c.place, &c.paths},
                            {"path_y", "places of particles", "m", c.place, &c.paths}};
  const int count = with_paths ? 4 : 2;
  for (int n = 0; n < 3; n++) {
    fill_case(&c, n);
    fields[0].values = fields[1].values = c.values;
    assert_int_equal(
        ink_snapshot_write(comm, out, n, times[n], &c.grid, count, fields, &record, options, &failure), 0);
    assert_done(&failure);
    assert_int_equal(
        ink_index_write(comm, out, n + 1, times, &c.grid, count, fields, &record, options, &failure), 0);
    assert_done(&failure);
  }
  const char *const names[2] = {"probe_centre", "flux.x_min"}, *const units[2] = {"K", "W/m^2"};
  InkSeries *series = ink_series_create(2, names, units, names);
  for (int n = 0; n < 100; n++) ink_series_append(series, 0.1 * n, (double[]){300.0 + n, -n});
  assert_int_equal(ink_series_write(comm, out, series, &record, &failure), 0);
  assert_done(&failure);
  ink_series_destroy(&series);
  free(c.values);
}

static char *bytes_of(const char *name, const char *file, size_t *length) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
  FILE *stream = fopen(path, "rb");
  assert_non_null(stream);
  fseek(stream, 0, SEEK_END);
  *length = (size_t)ftell(stream);
  rewind(stream);
  char *bytes = malloc(*length + 1);
  assert_int_equal(fread(bytes, 1, *length, stream), *length);
  fclose(stream);
  return bytes;
}

/* The date in /run may differ when a second passes between the two, and with it the checksums of the blocks
 * that hold it: a few bytes. */
static bool same_file(const char *a, const char *b, const char *file) {
  size_t length_a, length_b, different = 0;
  char *bytes_a = bytes_of(a, file, &length_a), *bytes_b = bytes_of(b, file, &length_b);
  for (size_t i = 0; length_a == length_b && i < length_a; i++) different += bytes_a[i] != bytes_b[i];
  free(bytes_a);
  free(bytes_b);
  return length_a == length_b && different <= 24;
}

static void compare(int dim, bool graded, bool radial, const InkSnapshotOptions *options) {
  static const char *const files[] = {"snapshots/000000.h5", "snapshots/000002.h5", "fields.h5", "series.h5"};
  write_case(MPI_COMM_WORLD, "all", dim, graded, radial, options);
  if (rank != 0) return;
  write_case(MPI_COMM_SELF, "one", dim, graded, radial, options);
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) assert_true(same_file("all", "one", files[i]));
}

static void test_same_bytes(void **state) {
  (void)state;
  const InkSnapshotOptions plain = {false, 0}, single = {true, 0}, packed = {false, 5};
  for (int dim = 1; dim <= 3; dim++) compare(dim, false, false, &plain);
  compare(2, true, false, &single);
  compare(1, true, true, &plain);
  compare(3, false, false, &packed);
  with_paths = true;
  compare(2, false, false, &plain);
  compare(1, true, false, &single);
  compare(2, false, false, &packed);
  with_paths = false;
}

static hid_t open_file(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

static herr_t no_dots(hid_t file, const char *name, const H5O_info_t *object, void *data) {
  (void)file;
  (void)object;
  (void)data;
  assert_true(strcmp(name, ".") == 0 || !strchr(name, '.'));
  return 0;
}

static herr_t fixed_text(hid_t object, const char *name, const H5A_info_t *info, void *data) {
  (void)info;
  (void)data;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  if (H5Tget_class(type) == H5T_STRING) assert_int_equal(H5Tis_variable_str(type), 0);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

static herr_t visit_attributes(hid_t file, const char *name, const H5O_info_t *info, void *data) {
  (void)info;
  hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, fixed_text, data);
  H5Oclose(object);
  return 0;
}

static void check_traps(const char *name, int steps, int axes) {
  hid_t file = open_file(name), group, attribute, dataset, space;
  int64_t nsteps = -1;
  hsize_t extent[4], block = 1;
  assert_true(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, no_dots, NULL, H5O_INFO_BASIC) >= 0);
  assert_true(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit_attributes, NULL, H5O_INFO_BASIC) >= 0);
  dataset = H5Dopen2(file, "/VTKHDF/CellData/T", H5P_DEFAULT);
  space = H5Dget_space(dataset);
  if (steps == 1) { /* VTK takes it for an image without time: (y, x) */
    assert_int_equal(H5Lexists(file, "/VTKHDF/Steps", H5P_DEFAULT), 0);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), axes);
  } else {
    group = H5Gopen2(file, "/VTKHDF/Steps", H5P_DEFAULT);
    attribute = H5Aopen(group, "NSteps", H5P_DEFAULT);
    assert_true(H5Aread(attribute, H5T_NATIVE_INT64, &nsteps) >= 0);
    H5Aclose(attribute);
    H5Gclose(group);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), axes + 1); /* 2-D is (t, y, x) */
    assert_int_equal(extent[0], steps);
    assert_int_equal(nsteps, steps); /* above the rows VTK reads past the end */
  }
  H5Sclose(space);
  H5Dclose(dataset);
  hid_t list = H5Fget_create_plist(file);
  H5Pget_userblock(list, &block);
  assert_int_equal(block, 0);
  H5Pclose(list);
  H5Fclose(file);
}

static void test_traps(void **state) {
  (void)state;
  const InkSnapshotOptions plain = {false, 0};
  for (int dim = 1; dim <= 3; dim++) {
    write_case(MPI_COMM_WORLD, "traps", dim, false, false, &plain);
    if (rank == 0) {
      check_traps("traps/snapshots/000001.h5", 1, dim);
      check_traps("traps/fields.h5", 3, dim);
      size_t length; /* superblock 2: no mark of an open file */
      char *bytes = bytes_of("traps", "snapshots/000001.h5", &length);
      assert_memory_equal(bytes, "\211HDF\r\n\032\n\002", 9);
      free(bytes);
    }
    (void)(MPI_Barrier(MPI_COMM_WORLD));
  }
  write_case(MPI_COMM_WORLD, "graded", 2, true, false, &plain);
  if (rank == 0) {
    hid_t file = open_file("graded/fields.h5");
    assert_int_equal(H5Lexists(file, "/VTKHDF", H5P_DEFAULT), 0);
    hid_t dataset = H5Dopen2(file, "/T", H5P_DEFAULT);
    double values[3 * 5 * 7];
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (int n = 0; n < 3; n++)
      for (hsize_t i = 0; i < 35; i++) assert_true(values[35 * n + (int)i] == value_of(i, n));
    H5Dclose(dataset);
    H5Fclose(file);
  }
}

static void test_pack(void **state) {
  (void)state;
  const InkSnapshotOptions plain = {false, 0};
  write_case(MPI_COMM_WORLD, "unpacked", 3, false, false, &plain);
  if (rank != 0) return;
  char out[512], file[512], info[600];
  snprintf(out, sizeof out, "%s/unpacked", folder);
  snprintf(file, sizeof file, "%s/packed.h5", folder);
  assert_int_equal(ink_pack(out, file), INK_DONE);
  assert_int_equal(ink_pack(out, file), INK_USAGE); /* never overwrites */
  assert_int_equal(ink_info(file), INK_DONE);
  snprintf(info, sizeof info, "%s/snapshots/000001.h5", out);
  assert_int_equal(ink_info(info), INK_DONE);
  snprintf(info, sizeof info, "%s/series.h5", out);
  assert_int_equal(ink_info(info), INK_DONE);
  snprintf(info, sizeof info, "%s/none.h5", out);
  assert_int_equal(ink_info(info), INK_STORAGE);
  assert_int_equal(ink_info(out), INK_STORAGE);
  ink_snapshot_remove_from(out, 1);
  snprintf(info, sizeof info, "%s/snapshots/000000.h5", out);
  assert_int_equal(access(info, F_OK), 0);
  snprintf(info, sizeof info, "%s/snapshots/000001.h5", out);
  assert_int_equal(access(info, F_OK), -1);
  unlink(file);
  assert_int_equal(ink_pack(out, file), INK_STORAGE); /* snapshots are missing: not NaN in silence */
  assert_int_equal(access(file, F_OK), -1);
}

/* Axes with names of their own: in the packed file too, and VTK takes them for x, y and z in their order. */
static void test_own_axes(void **state) {
  (void)state;
  const InkSnapshotOptions plain = {false, 0};
  static const int64_t cells[3] = {7, 5, 3};
  axis_names = states;
  write_case(MPI_COMM_WORLD, "states", 3, false, false, &plain);
  axis_names = letters;
  if (rank != 0) return;
  char out[512], path[512];
  snprintf(out, sizeof out, "%s/states", folder);
  snprintf(path, sizeof path, "%s/states.h5", folder);
  assert_int_equal(ink_pack(out, path), INK_DONE);
  hid_t file = open_file("states.h5");
  for (int a = 0; a < 3; a++) {
    char bounds[32];
    double faces[14], centroids[7];
    snprintf(bounds, sizeof bounds, "%s_bnds", states[a]);
    hid_t axis = H5Dopen2(file, states[a], H5P_DEFAULT), ends = H5Dopen2(file, bounds, H5P_DEFAULT);
    assert_int_equal(H5Dget_storage_size(axis), cells[a] * 8);
    assert_true(H5Dread(axis, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, centroids) >= 0);
    assert_true(H5Dread(ends, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, faces) >= 0);
    for (int64_t i = 0; i < cells[a]; i++) {
      assert_true(centroids[i] == 0.5 * (double)i - 0.75);
      assert_true(faces[2 * i] == 0.5 * (double)i - 1 && faces[2 * i + 1] == 0.5 * (double)i - 0.5);
    }
    H5Dclose(axis);
    H5Dclose(ends);
  }
  int64_t extent[6];
  hid_t group = H5Gopen2(file, "/VTKHDF", H5P_DEFAULT), whole = H5Aopen(group, "WholeExtent", H5P_DEFAULT);
  assert_true(H5Aread(whole, H5T_NATIVE_INT64, extent) >= 0);
  for (int a = 0; a < 3; a++) assert_true(extent[2 * a] == 0 && extent[2 * a + 1] == cells[a]);
  H5Aclose(whole);
  H5Gclose(group);
  H5Fclose(file);
}

/* path_x(time, path) of n times from the first, where the file has it. */
static void check_paths(const char *name, int first, int times) {
  hid_t file = open_file(name), path = H5Dopen2(file, "/path", H5P_DEFAULT);
  double values[3 * PATHS], numbers[PATHS];
  char scale[32] = "";
  hsize_t extent[2];
  assert_true(H5Dread(path, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
  for (int i = 0; i < PATHS; i++) assert_true(numbers[i] == i);
  assert_int_equal(H5Aexists(path, "bounds"), 0); /* numbers have no ends */
  assert_int_equal(H5Lexists(file, "/path_bnds", H5P_DEFAULT), 0);
  for (int f = 0; f < 2; f++) {
    hid_t dataset = H5Dopen2(file, f ? "/path_y" : "/path_x", H5P_DEFAULT), space = H5Dget_space(dataset);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), 2);
    assert_true(extent[0] == (hsize_t)times && extent[1] == PATHS);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (int n = 0; n < times; n++)
      for (int i = 0; i < PATHS; i++) assert_true(values[PATHS * n + i] == path_of(i, first + n));
    hid_t attribute = H5Aopen(dataset, "DIMENSION_LIST", H5P_DEFAULT), type = H5Aget_type(attribute);
    hid_t lists = H5Aget_space(attribute);
    hvl_t dimension[2];
    assert_true(H5Aread(attribute, type, dimension) >= 0);
    assert_true(H5Rget_name(file, H5R_OBJECT, dimension[1].p, scale, sizeof scale) > 0);
    assert_string_equal(scale, "/path"); /* both of one dimension */
    H5Dvlen_reclaim(type, lists, H5P_DEFAULT, dimension);
    H5Sclose(lists);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Dclose(dataset);
  }
  assert_true(H5Lexists(file, "/VTKHDF/CellData/T", H5P_DEFAULT) > 0);
  assert_int_equal(H5Lexists(file, "/VTKHDF/CellData/path_x", H5P_DEFAULT), 0);
  H5Dclose(path);
  H5Fclose(file);
}

/* Fields on a second grid: in every kind of file, never in VTK's picture. */
static void test_paths(void **state) {
  (void)state;
  const InkSnapshotOptions plain = {false, 0}, packed = {false, 5};
  for (int i = 0; i < 2; i++) {
    with_paths = true;
    write_case(MPI_COMM_WORLD, "paths", 2, false, false, i ? &packed : &plain);
    with_paths = false;
    if (rank == 0) {
      char out[512], path[512];
      snprintf(out, sizeof out, "%s/paths", folder);
      snprintf(path, sizeof path, "%s/paths%d.h5", folder, i);
      assert_int_equal(ink_pack(out, path), INK_DONE);
      check_paths("paths/snapshots/000001.h5", 1, 1);
      check_paths("paths/fields.h5", 0, 3);
      check_paths(i ? "paths1.h5" : "paths0.h5", 0, 3);
      check_traps("paths/fields.h5", 3, 2);
      assert_int_equal(ink_info(path), INK_DONE);
    }
    (void)(MPI_Barrier(MPI_COMM_WORLD));
  }
}

static void test_series_rows(void **state) {
  (void)state;
  const char *const names[1] = {"a"}, *const units[1] = {"1"};
  InkSeries *series = ink_series_create(1, names, units, NULL),
            *back = ink_series_create(1, names, units, NULL);
  InkStore *store;
  InkFailure failure = {0};
  char path[512];
  snprintf(path, sizeof path, "%s/empty", folder);
  if (rank == 0) mkdir(path, 0777);
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  assert_int_equal(ink_series_write(MPI_COMM_WORLD, path, series, &record, &failure), 0); /* no rows yet */
  assert_done(&failure);
  for (int n = 0; n < 200; n++) ink_series_append(series, n, (double[]){n * 0.1});
  snprintf(path, sizeof path, "%s/series_store.h5", folder);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, true, &store), 0);
  assert_int_equal(ink_series_save(series, store), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, path, true, &store, &failure), 0);
  assert_done(&failure);
  ink_series_append(back, -1, (double[]){0}); /* rows from before the restart go */
  assert_int_equal(ink_series_load(back, store), 0);
  assert_int_equal(ink_store_close(&store), 0);
  assert_int_equal(ink_series_rows(back), 200);
  assert_memory_equal(ink_series_times(back), ink_series_times(series), 200 * sizeof(double));
  assert_memory_equal(ink_series_column(back, 0), ink_series_column(series, 0), 200 * sizeof(double));
  ink_series_destroy(&series);
  ink_series_destroy(&back);
}

static void keep_samples(void) {
  const InkSnapshotOptions plain = {false, 0};
  static const char *const names[] = {"", "one", "two", "three"};
  for (int dim = 1; dim <= 3; dim++) write_case(MPI_COMM_WORLD, names[dim], dim, false, false, &plain);
  write_case(MPI_COMM_WORLD, "graded", 2, true, false, &plain);
  write_case(MPI_COMM_WORLD, "radial", 1, true, true, &plain);
  with_paths = true;
  write_case(MPI_COMM_WORLD, "paths", 2, false, false, &plain);
  write_case(MPI_COMM_WORLD, "graded_paths", 2, true, false, &plain);
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const char *keep = getenv("INKDROP_KEEP");
  int failed = 0;
  snprintf(folder, sizeof folder, "%s", keep ? keep : "/tmp/inkdrop_snapshot_XXXXXX");
  if (rank == 0 && !keep && !mkdtemp(folder)) return 1;
  (void)(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD));
  if (keep)
    keep_samples();
  else {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_traps),
                                       cmocka_unit_test(test_pack),       cmocka_unit_test(test_own_axes),
                                       cmocka_unit_test(test_paths),      cmocka_unit_test(test_series_rows)};
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    (void)(MPI_Barrier(MPI_COMM_WORLD));
    if (rank == 0 && system(command)) failed++;
  }
  PetscFinalize();
  return failed;
}
