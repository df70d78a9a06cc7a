/* The store: what is written is read back on any decomposition, nothing unfinished stays, damage is told. */
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../io/checksum.h"
#include "../../io/store.h"

static int rank, size;
static char folder[256]; /* this test's own, on all ranks */

static char *in_folder(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* A box of ny x nx cells with a ghost layer in memory; `columns`: ranks cut x, else y. */
static InkBox cut(hsize_t ny, hsize_t nx, bool columns) {
  InkBox box = {.rank = 2, .size = {ny, nx}, .count = {ny, nx}};
  int a = columns ? 1 : 0;
  hsize_t n = box.size[a], r = (hsize_t)rank, p = (hsize_t)size;
  box.start[a] = n * r / p;
  box.count[a] = n * (r + 1) / p - box.start[a];
  box.stride[1] = 1;
  box.stride[0] = box.count[1] + 2;
  return box;
}

static double value_at(hsize_t j, hsize_t i) { return (double)j * 1000.0 + (double)i + 0.1; }

static double *filled(const InkBox *box) {
  double *values = malloc((box->count[0] * box->stride[0] + 1) * sizeof *values);
  for (hsize_t j = 0; j < box->count[0]; j++)
    for (hsize_t i = 0; i < box->count[1]; i++)
      values[j * box->stride[0] + i] = value_at(box->start[0] + j, box->start[1] + i);
  return values;
}

static void assert_filled(const InkBox *box, const double *values, double tolerance) {
  for (hsize_t j = 0; j < box->count[0]; j++)
    for (hsize_t i = 0; i < box->count[1]; i++) {
      double expect = value_at(box->start[0] + j, box->start[1] + i), got = values[j * box->stride[0] + i];
      assert_true(got >= expect - tolerance && got <= expect + tolerance);
    }
}

static void assert_done(const InkFailure *failure) {
  if (failure->code != INK_DONE) fail_msg("%s", failure->message);
}

/* Writes 37 x 53 cells cut along y, reads them cut along x, for all ways to store. */
static void round_trip(bool single, int compression) {
  InkStore *store;
  InkFailure failure = {0};
  InkBox rows = cut(37, 53, false), columns = cut(37, 53, true);
  double *values = filled(&rows), *back = calloc(columns.count[0] * columns.stride[0] + 1, sizeof *back);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("a.h5"), true, &store), 0);
  assert_int_equal(ink_store_write(store, "/state/T", &rows, values, single, compression), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  assert_int_equal(access(in_folder("a.h5.tmp"), F_OK), -1);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, in_folder("a.h5"), true, &store, &failure), 0);
  assert_done(&failure);
  int axes;
  hsize_t extent[4];
  assert_true(ink_store_has(store, "/state/T"));
  assert_false(ink_store_has(store, "/state/U"));
  assert_false(ink_store_has(store, "/none/U"));
  assert_int_equal(ink_store_size(store, "/state/T", &axes, extent), 0);
  assert_int_equal(axes, 2);
  assert_int_equal(extent[0], 37);
  assert_int_equal(extent[1], 53);
  assert_int_equal(ink_store_read(store, "/state/T", &columns, back), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  assert_filled(&columns, back, single ? 4e-3 : 0);
  free(values);
  free(back);
}

static void test_round_trip(void **state) {
  (void)state;
  round_trip(false, 0);
  round_trip(true, 0);
  round_trip(false, 4);
  round_trip(true, 9);
}

/* Larger than the buffer and the chunk, four axes, the last rank owns nothing. */
static void test_large_and_empty(void **state) {
  (void)state;
  for (int compression = 0; compression < 2; compression++) {
    InkStore *store;
    InkFailure failure = {0};
    InkBox box = {.rank = 4, .size = {1, 5, 700, 500}, .count = {1, 5, 700, 500}};
    int owners = size > 1 ? size - 1 : 1;
    box.start[2] = rank < owners ? (hsize_t)(700 * rank / owners) : 0;
    box.count[2] = rank < owners ? (hsize_t)(700 * (rank + 1) / owners) - box.start[2] : 0;
    hsize_t cells = box.count[1] * box.count[2] * box.count[3];
    double *values = malloc((cells + 1) * sizeof *values), *back = calloc(cells + 1, sizeof *back);
    for (hsize_t k = 0, n = 0; k < box.count[1]; k++)
      for (hsize_t j = 0; j < box.count[2]; j++)
        for (hsize_t i = 0; i < box.count[3]; i++)
          values[n++] = (double)(k * 1000000 + (box.start[2] + j) * 1000 + i);
    assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("b.h5"), false, &store), 0);
    assert_int_equal(ink_store_write(store, "/T", &box, values, false, compression), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    assert_done(&failure);
    assert_int_equal(ink_store_open(MPI_COMM_WORLD, in_folder("b.h5"), false, &store, &failure), 0);
    assert_done(&failure);
    assert_int_equal(ink_store_read(store, "/T", &box, back), 0);
    assert_int_equal(ink_store_close(&store), 0);
    assert_memory_equal(values, back, cells * sizeof *values);
    free(values);
    free(back);
  }
}

static void test_small_objects(void **state) {
  (void)state;
  InkStore *store;
  InkFailure failure = {0};
  const double numbers[3] = {1.5, -2, 1e300};
  const int64_t integers[2] = {INT64_MIN, 7};
  double numbers_back[3];
  int64_t integers_back[2];
  char *text;
  InkBox scalar = {.rank = 0};
  double one = 42, one_back = 0;
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("c.h5"), false, &store), 0);
  assert_int_equal(ink_store_group(store, "/state/deep"), 0);
  assert_int_equal(ink_store_write_numbers(store, "/state/n", 3, numbers), 0);
  assert_int_equal(ink_store_write_integers(store, "/state/i", 2, integers), 0);
  assert_int_equal(ink_store_write_text(store, "/state/text", "µ and\nlines"), 0);
  assert_int_equal(ink_store_write_text(store, "/state/empty", ""), 0);
  assert_int_equal(ink_store_write(store, "/state/one", &scalar, &one, false, 0), 0);
  assert_int_equal(ink_store_attribute_text(store, "/state/n", "units", "K"), 0);
  assert_int_equal(ink_store_attribute_numbers(store, "/", "v", 3, numbers), 0);
  assert_int_equal(ink_store_attribute_integers(store, "/state", "w", 1, integers), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, in_folder("c.h5"), false, &store, &failure), 0);
  assert_done(&failure);
  assert_true(ink_store_has(store, "/state/deep"));
  assert_int_equal(ink_store_read_numbers(store, "/state/n", 3, numbers_back), 0);
  assert_memory_equal(numbers, numbers_back, sizeof numbers);
  assert_int_equal(ink_store_read_integers(store, "/state/i", 2, integers_back), 0);
  assert_memory_equal(integers, integers_back, sizeof integers);
  assert_int_equal(ink_store_read_text(store, "/state/text", &text), 0);
  assert_string_equal(text, "µ and\nlines");
  free(text);
  assert_int_equal(ink_store_read_text(store, "/state/empty", &text), 0);
  assert_string_equal(text, "");
  free(text);
  assert_int_equal(ink_store_read(store, "/state/one", &scalar, &one_back), 0);
  assert_true(one_back == one);
  /* What is not there is a failure of the store, told once at the end, on every rank. */
  assert_int_equal(ink_store_read_numbers(store, "/state/none", 3, numbers_back), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, "/state/none"));
}

/* Closing without commit leaves nothing, and an older file of that name stays as it was. */
static void test_close_keeps_old(void **state) {
  (void)state;
  InkStore *store;
  InkFailure failure = {0};
  double one = 1, two = 2, back = 0;
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("d.h5"), true, &store), 0);
  assert_int_equal(ink_store_write_numbers(store, "/v", 1, &one), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("d.h5"), true, &store), 0);
  assert_int_equal(ink_store_write_numbers(store, "/v", 1, &two), 0);
  assert_int_equal(ink_store_close(&store), 0);
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  assert_int_equal(access(in_folder("d.h5.tmp"), F_OK), -1);
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, in_folder("d.h5"), true, &store, &failure), 0);
  assert_done(&failure);
  assert_int_equal(ink_store_read_numbers(store, "/v", 1, &back), 0);
  assert_int_equal(ink_store_close(&store), 0);
  assert_true(back == one);
}

/* Overwrites `n` bytes at `at`, or cuts the file there when n is 0. Rank 0. */
static void damage(const char *path, off_t at, const void *bytes, size_t n) {
  if (rank == 0) {
    if (n == 0)
      assert_int_equal(truncate(path, at), 0);
    else {
      int fd = open(path, O_RDWR);
      assert_true(fd >= 0);
      assert_int_equal(pwrite(fd, bytes, n, at), (int)n);
      close(fd);
    }
  }
  (void)(MPI_Barrier(MPI_COMM_WORLD));
}

static void write_good(void) {
  InkStore *store;
  InkFailure failure = {0};
  InkBox box = cut(600, 500, false);
  double *values = filled(&box);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("e.h5"), true, &store), 0);
  assert_int_equal(ink_store_write(store, "/T", &box, values, false, 0), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  assert_done(&failure);
  free(values);
}

static void assert_refused(const char *words) {
  InkStore *store;
  InkFailure failure = {0};
  assert_int_equal(ink_store_open(MPI_COMM_WORLD, in_folder("e.h5"), true, &store, &failure), 0);
  assert_null(store);
  assert_int_equal(failure.code, INK_STORAGE);
  if (!strstr(failure.message, words)) fail_msg("'%s' is not in '%s'", words, failure.message);
  assert_null(strchr(failure.message, '\n'));
}

static void test_damage_is_told(void **state) {
  (void)state;
  struct stat status;
  write_good();
  stat(in_folder("e.h5"), &status);
  damage(in_folder("e.h5"), status.st_size - 100, NULL, 0);
  assert_refused("cut short");
  damage(in_folder("e.h5"), 0, NULL, 0);
  assert_refused("cut short");
  write_good();
  damage(in_folder("e.h5"), status.st_size / 2, "\x5a\xa5", 2);
  assert_refused("damaged");
  write_good();
  damage(in_folder("e.h5.sum"), 0, "something else altogether", 25);
  assert_refused("is not a checksum file");
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0) unlink(in_folder("e.h5.sum"));
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  assert_refused("is missing");
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0) unlink(in_folder("e.h5"));
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  assert_refused("No such file");
}

/* The sum of a file of known blocks is the same on one rank and on all. */
static void test_sum_is_of_the_file(void **state) {
  (void)state;
  InkFailure failure = {0};
  InkChecksum all, alone, stored;
  InkStore *store;
  InkBox box = cut(3000, 700, false);
  double *values = filled(&box);
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, in_folder("f.h5"), true, &store), 0);
  assert_int_equal(ink_store_write(store, "/T", &box, values, false, 0), 0);
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  free(values);
  assert_int_equal(ink_checksum_file(MPI_COMM_WORLD, in_folder("f.h5"), NULL, &all, &failure), 0);
  assert_done(&failure);
  assert_true(ink_checksum_serial(in_folder("f.h5"), &alone));
  assert_int_equal(ink_checksum_read(in_folder("f.h5"), &stored), INK_SUM_GOOD);
  assert_true(all.hash == alone.hash && all.bytes == alone.bytes);
  assert_true(all.hash == stored.hash && all.bytes == stored.bytes);
  assert_true(all.bytes > 3000 * 700 * 8);
}

/* What happens when writing a 16 MB array fails somewhere. */
static void write_into(const char *path, const char *words, bool single, int compression) {
  InkStore *store;
  InkFailure failure = {0};
  InkBox box = cut(2048, 1024, false);
  double *values = filled(&box);
  for (hsize_t i = 0; i < box.count[0] * box.stride[0]; i++)
    values[i] = (double)rand(); /* hard to compress */
  assert_int_equal(ink_store_create(MPI_COMM_WORLD, path, true, &store), 0);
  for (int n = 0; n < 3; n++) {
    char name[16];
    snprintf(name, sizeof name, "/T%d", n);
    assert_int_equal(ink_store_write(store, name, &box, values, single, compression), 0);
  }
  assert_int_equal(ink_store_commit(&store, &failure), 0);
  free(values);
  assert_int_equal(failure.code, INK_STORAGE);
  if (!strstr(failure.message, words)) fail_msg("'%s' is not in '%s'", words, failure.message);
  assert_non_null(strstr(failure.message, path));
  char tmp[600];
  snprintf(tmp, sizeof tmp, "%s.tmp", path);
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(access(tmp, F_OK), -1);
  (void)(MPI_Barrier(MPI_COMM_WORLD)); /* before the next one makes it again */
}

static void test_no_such_folder(void **state) {
  (void)state;
  write_into(in_folder("not/there/g.h5"), "No such file", false, 0);
}

static void test_file_size_limit(void **state) {
  (void)state;
  struct rlimit old, low = {5 << 20, 5 << 20};
  getrlimit(RLIMIT_FSIZE, &old);
  low.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_FSIZE, &low);
  write_into(in_folder("h.h5"), "file too large", false, 0);
  write_into(in_folder("h.h5"), "file too large", false, 1);
  setrlimit(RLIMIT_FSIZE, &old);
}

/* A small file system that fills up: needs root to mount. */
static void test_disk_full(void **state) {
  (void)state;
  char mount_point[300];
  snprintf(mount_point, sizeof mount_point, "%s/full", folder);
  int mounted = 0;
  if (rank == 0 && mkdir(mount_point, 0777) == 0)
    mounted = mount("none", mount_point, "tmpfs", 0, "size=6m") == 0;
  (void)(MPI_Bcast(&mounted, 1, MPI_INT, 0, MPI_COMM_WORLD));
  if (!mounted) {
    if (rank == 0) print_message("no right to mount a small file system: skipped\n");
    skip();
  }
  write_into(in_folder("full/i.h5"), "no space left", false, 0);
  write_into(in_folder("full/i.h5"), "no space left", true, 0);
  write_into(in_folder("full/i.h5"), "no space left", false, 1);
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0) umount(mount_point);
}

static void test_agreement(void **state) {
  (void)state;
  InkFailure failure = {0};
  assert_int_equal(ink_failure_agree(MPI_COMM_WORLD, &failure), 0);
  assert_int_equal(failure.code, INK_DONE);
  if (rank == size - 1) ink_fail(&failure, INK_STORAGE, "of rank %d", rank);
  assert_int_equal(ink_failure_agree(MPI_COMM_WORLD, &failure), 0);
  assert_int_equal(failure.code, INK_STORAGE);
  char expect[32];
  snprintf(expect, sizeof expect, "of rank %d", size - 1);
  assert_string_equal(failure.message, expect);
}

static void test_text(void **state) {
  (void)state;
  InkFailure failure = {0};
  if (rank != 0) return;
  ink_write_text(in_folder("t.txt"), "one\n", &failure);
  ink_write_text(in_folder("t.txt"), "two\n", &failure);
  assert_done(&failure);
  char *text = ink_read_text(in_folder("t.txt"));
  assert_string_equal(text, "two\n");
  free(text);
  assert_null(ink_read_text(in_folder("none.txt")));
  assert_null(ink_read_text(folder));
  ink_write_text(in_folder("none/t.txt"), "x", &failure);
  assert_int_equal(failure.code, INK_STORAGE);
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  snprintf(folder, sizeof folder, "/tmp/inkdrop_store_XXXXXX");
  if (rank == 0 && !mkdtemp(folder)) return 1;
  (void)(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD));
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                     cmocka_unit_test(test_large_and_empty),
                                     cmocka_unit_test(test_small_objects),
                                     cmocka_unit_test(test_close_keeps_old),
                                     cmocka_unit_test(test_damage_is_told),
                                     cmocka_unit_test(test_sum_is_of_the_file),
                                     cmocka_unit_test(test_no_such_folder),
                                     cmocka_unit_test(test_file_size_limit),
                                     cmocka_unit_test(test_disk_full),
                                     cmocka_unit_test(test_agreement),
                                     cmocka_unit_test(test_text)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[300];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  (void)(MPI_Barrier(MPI_COMM_WORLD));
  if (rank == 0 && system(command)) failed++;
  PetscFinalize();
  return failed;
}
