/* Checkpoints: the newest are kept, damaged ones are passed over, none is lost to a full disk, and any number
 * of ranks reads what any other wrote. */
#include <fcntl.h>
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

#include "../../io/checkpoint.h"

enum { ROWS = 23, COLUMNS = 17 };
static const uint64_t our_deck = 0xfedcba9876543210u;

static int rank, size;
static char folder[256]; /* this test's own, on all ranks */
static char out[300];    /* of the test that is running */

static void wait_for_all(void) { (void)(MPI_Barrier(MPI_COMM_WORLD)); }

static void assert_done(const InkFailure *failure) {
  if (failure->code != INK_DONE) fail_msg("%s", failure->message);
}

/* A fresh output folder. */
static void fresh(const char *name) {
  snprintf(out, sizeof out, "%s/%s", folder, name);
  if (rank == 0) assert_int_equal(mkdir(out, 0777), 0);
  wait_for_all();
}

static const char *path_of(int number, const char *suffix) {
  static char path[400];
  snprintf(path, sizeof path, "%s/checkpoints/%06d.h5%s", out, number, suffix);
  return path;
}

static bool stands(int number, const char *suffix) { return access(path_of(number, suffix), F_OK) == 0; }

static InkBox cut(int part, int parts) {
  InkBox box = {.rank = 2, .size = {ROWS, COLUMNS}, .count = {ROWS, COLUMNS}};
  box.start[0] = (hsize_t)(ROWS * part / parts);
  box.count[0] = (hsize_t)(ROWS * (part + 1) / parts) - box.start[0];
  return box;
}

static double value_at(const InkBox *box, hsize_t i, int number) {
  return 0.1 + (double)(box->start[0] * COLUMNS + i) + 1e6 * number;
}

/* Writes checkpoint `number` of the state that belongs to it. */
static InkFailure write_one(MPI_Comm comm, int number, int keep, uint64_t deck) {
  int part, parts;
  InkStore *store;
  InkFailure failure = {0};
  (void)(MPI_Comm_rank(comm, &part));
  (void)(MPI_Comm_size(comm, &parts));
  const InkBox box = cut(part, parts);
  double values[ROWS * COLUMNS];
  for (hsize_t i = 0; i < box.count[0] * COLUMNS; i++) values[i] = value_at(&box, i, number);
  const int64_t step = 100 + number;
  assert_int_equal(ink_checkpoint_begin(comm, out, number, deck, &store), 0);
  assert_int_equal(ink_store_write(store, "/state/T", &box, values, false, 0), 0);
  assert_int_equal(ink_store_write_integers(store, "/state/step", 1, &step), 0);
  assert_int_equal(ink_checkpoint_commit(comm, out, number, keep, &store, &failure), 0);
  assert_null(store);
  return failure;
}

static void write_three(const char *name) {
  fresh(name);
  for (int n = 0; n < 3; n++) {
    const InkFailure failure = write_one(MPI_COMM_WORLD, n, 5, our_deck);
    assert_done(&failure);
  }
}

/* Opens the newest (or `file`) and compares its state with that of `number`; -1: there must be none. */
static InkFailure read_one(MPI_Comm comm, const char *file, int expect) {
  int part, parts, number;
  int64_t step = 0;
  InkStore *store;
  InkFailure failure = {0}, closing = {0};
  (void)(MPI_Comm_rank(comm, &part));
  (void)(MPI_Comm_size(comm, &parts));
  const InkBox box = cut(part, parts);
  double values[ROWS * COLUMNS];
  assert_int_equal(ink_checkpoint_open(comm, out, file, our_deck, &store, &number, &failure), 0);
  assert_int_equal(number, expect);
  assert_int_equal(store != NULL, expect >= 0);
  if (!store) return failure;
  assert_int_equal(ink_store_read(store, "/state/T", &box, values), 0);
  assert_int_equal(ink_store_read_integers(store, "/state/step", 1, &step), 0);
  assert_int_equal(ink_store_commit(&store, &closing), 0);
  assert_done(&closing);
  assert_int_equal(step, 100 + expect);
  for (hsize_t i = 0; i < box.count[0] * COLUMNS; i++) assert_true(values[i] == value_at(&box, i, expect));
  return failure;
}

/* The same, with what it says on stderr (rank 0), at most size bytes. */
static InkFailure read_saying(int expect, char *text, size_t size_of_text) {
  char name[400];
  snprintf(name, sizeof name, "%s/stderr-%d", folder, rank);
  fflush(stderr);
  const int stderr_copy = dup(STDERR_FILENO), file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0666);
  dup2(file, STDERR_FILENO);
  const InkFailure failure = read_one(MPI_COMM_WORLD, NULL, expect);
  fflush(stderr);
  dup2(stderr_copy, STDERR_FILENO);
  const ssize_t n = pread(file, text, size_of_text - 1, 0);
  text[n > 0 ? n : 0] = '\0';
  close(file);
  close(stderr_copy);
  return failure;
}

static int count_of(const char *text, const char *words) {
  int n = 0;
  for (; (text = strstr(text, words)); text += strlen(words)) n++;
  return n;
}

/* The newest two of three are spoilt in the ways below; number 0 must be taken up, with one line for each
 * of the others on rank 0 and none on other ranks. */
static void assert_falls_back(const char *words) {
  char text[4096];
  wait_for_all();
  const InkFailure failure = read_saying(0, text, sizeof text);
  assert_done(&failure);
  if (rank > 0) {
    assert_string_equal(text, "");
    return;
  }
  if (count_of(text, "000001.h5: ") != 1 || count_of(text, "000002.h5: ") != 1 || count_of(text, "\n") != 2 ||
      count_of(text, words) != 2)
    fail_msg("not one line with '%s' for each: %s", words, text);
}

static void test_keep(void **state) {
  (void)state;
  fresh("keep");
  for (int n = 0; n < 6; n++) {
    const InkFailure failure = write_one(MPI_COMM_WORLD, n, 2, our_deck);
    assert_done(&failure);
    wait_for_all();
    for (int m = 0; m < 6; m++) {
      assert_int_equal(stands(m, ""), m <= n && m > n - 2);
      assert_int_equal(stands(m, ".sum"), m <= n && m > n - 2);
    }
    wait_for_all();
  }
  const InkFailure failure = read_one(MPI_COMM_WORLD, NULL, 5);
  assert_done(&failure);
}

/* A run that took up an older one writes lower numbers again: the higher ones are of a state that is no more.
 */
static void test_abandoned_ones_go(void **state) {
  (void)state;
  write_three("abandoned");
  wait_for_all();
  if (rank == 0) assert_int_equal(truncate(path_of(2, ""), 100), 0);
  wait_for_all();
  const InkFailure failure = write_one(MPI_COMM_WORLD, 1, 2, our_deck);
  assert_done(&failure);
  wait_for_all();
  assert_true(stands(0, "") && stands(1, "") && !stands(2, "") && !stands(2, ".sum"));
}

static void test_none(void **state) {
  (void)state;
  fresh("none");
  InkFailure failure = read_one(MPI_COMM_WORLD, NULL, -1);
  assert_done(&failure);
}

static void flip_bit(int number, off_t at) {
  unsigned char byte;
  const int file = open(path_of(number, ""), O_RDWR);
  assert_int_equal(pread(file, &byte, 1, at), 1);
  byte ^= 4;
  assert_int_equal(pwrite(file, &byte, 1, at), 1);
  close(file);
}

static void test_damaged(void **state) {
  (void)state;
  struct stat status;
  write_three("cut");
  if (rank == 0)
    for (int n = 1; n < 3; n++) assert_int_equal(truncate(path_of(n, ""), 700), 0);
  assert_falls_back("cut short");
  write_three("empty");
  if (rank == 0)
    for (int n = 1; n < 3; n++) assert_int_equal(truncate(path_of(n, ""), 0), 0);
  assert_falls_back("cut short");
  write_three("flipped");
  if (rank == 0) {
    assert_int_equal(stat(path_of(1, ""), &status), 0);
    flip_bit(1, status.st_size / 2); /* one in the values, one in libhdf5's own */
    flip_bit(2, 10);
  }
  assert_falls_back("damaged");
  write_three("longer");
  if (rank == 0)
    for (int n = 1; n < 3; n++) assert_int_equal(truncate(path_of(n, ""), 100000), 0);
  assert_falls_back("bytes");
}

static void test_sums(void **state) {
  (void)state;
  write_three("no_sum");
  if (rank == 0)
    for (int n = 1; n < 3; n++) assert_int_equal(unlink(path_of(n, ".sum")), 0);
  assert_falls_back("missing");
  write_three("foreign_sum");
  if (rank == 0)
    for (int n = 1; n < 3; n++) {
      FILE *sum = fopen(path_of(n, ".sum"), "w");
      fprintf(sum, "d41d8cd98f00b204e9800998ecf8427e  %06d.h5\n", n);
      fclose(sum);
    }
  assert_falls_back("is not a checksum file");
  write_three("other_sum"); /* well formed, but another file's */
  if (rank == 0) {
    char from[400];
    snprintf(from, sizeof from, "%s", path_of(0, ".sum"));
    for (int n = 1; n < 3; n++) {
      assert_int_equal(unlink(path_of(n, ".sum")), 0);
      assert_int_equal(link(from, path_of(n, ".sum")), 0);
    }
  }
  assert_falls_back("damaged");
}

static void test_all_damaged(void **state) {
  (void)state;
  char text[4096];
  write_three("all");
  if (rank == 0)
    for (int n = 0; n < 3; n++) flip_bit(n, 600);
  wait_for_all();
  const InkFailure failure = read_saying(-1, text, sizeof text);
  assert_done(&failure);
  if (rank == 0) assert_int_equal(count_of(text, "damaged"), 3);
}

static void test_other_deck(void **state) {
  (void)state;
  char file[400];
  write_three("other_deck");
  for (int n = 1; n < 3; n++) {
    const InkFailure failure = write_one(MPI_COMM_WORLD, n, 5, our_deck + 1);
    assert_done(&failure);
  }
  assert_falls_back("another deck");
  snprintf(file, sizeof file, "%s", path_of(2, ""));
  InkFailure failure = read_one(MPI_COMM_WORLD, file, -1);
  assert_int_equal(failure.code, INK_USAGE);
  assert_non_null(strstr(failure.message, "another deck"));
}

static void test_given_file(void **state) {
  (void)state;
  char file[400];
  write_three("given");
  snprintf(file, sizeof file, "%s", path_of(1, ""));
  InkFailure failure = read_one(MPI_COMM_WORLD, file, 1);
  assert_done(&failure);
  wait_for_all();
  if (rank == 0) flip_bit(1, 600);
  wait_for_all();
  failure = read_one(MPI_COMM_WORLD, file, -1); /* no other is taken instead */
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, "damaged"));
  failure = read_one(MPI_COMM_WORLD, "/nowhere/000001.h5", -1);
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, "/nowhere/000001.h5"));
}

/* Written on the first `writers` ranks, read on each number of ranks there is. */
static void test_n_to_m(void **state) {
  (void)state;
  fresh("n_to_m");
  for (int writers = 1; writers <= size; writers++) {
    MPI_Comm some;
    (void)(MPI_Comm_split(MPI_COMM_WORLD, rank < writers ? 0 : MPI_UNDEFINED, rank, &some));
    if (rank < writers) {
      const InkFailure failure = write_one(some, writers, 1, our_deck);
      assert_done(&failure);
      (void)(MPI_Comm_free(&some));
    }
    wait_for_all();
    for (int readers = 1; readers <= size; readers++) {
      (void)(MPI_Comm_split(MPI_COMM_WORLD, rank < readers ? 0 : MPI_UNDEFINED, rank, &some));
      if (rank < readers) {
        const InkFailure failure = read_one(some, NULL, writers);
        assert_done(&failure);
        (void)(MPI_Comm_free(&some));
      }
    }
    wait_for_all();
  }
}

/* Large arrays are hashed while they are written, by the ranks that write them: the sum must be that of the
 * file, whatever the cut and the gaps in memory. Opening compares it with the file's. */
static void test_sum_of_large_arrays(void **state) {
  (void)state;
  fresh("large");
  for (int cut_columns = 0; cut_columns < 2; cut_columns++) {
    InkStore *store;
    InkFailure failure = {0};
    int number, a = cut_columns;
    InkBox box = {.rank = 2, .size = {1301, 1103}, .count = {1301, 1103}};
    box.start[a] = box.size[a] * (hsize_t)rank / (hsize_t)size;
    box.count[a] = box.size[a] * (hsize_t)(rank + 1) / (hsize_t)size - box.start[a];
    box.stride[1] = 1;
    box.stride[0] = box.count[1] + 2;
    const hsize_t room = box.stride[0] * box.count[0];
    double *values = malloc(room * sizeof *values), *back = calloc(room, sizeof *back);
    for (hsize_t i = 0; i < room; i++) values[i] = 1.0 / (double)(i + 1);
    assert_int_equal(ink_checkpoint_begin(MPI_COMM_WORLD, out, cut_columns, our_deck, &store), 0);
    assert_int_equal(ink_store_write(store, "/state/a", &box, values, false, 0), 0);
    assert_int_equal(ink_store_write(store, "/state/b", &box, values, true, 0), 0);
    assert_int_equal(ink_store_write(store, "/state/c", &box, values, false, 0), 0);
    assert_int_equal(ink_checkpoint_commit(MPI_COMM_WORLD, out, cut_columns, 2, &store, &failure), 0);
    assert_done(&failure);
    assert_int_equal(ink_checkpoint_open(MPI_COMM_WORLD, out, NULL, our_deck, &store, &number, &failure), 0);
    assert_done(&failure);
    assert_non_null(store);
    assert_int_equal(number, cut_columns);
    assert_int_equal(ink_store_read(store, "/state/c", &box, back), 0);
    assert_int_equal(ink_store_commit(&store, &failure), 0);
    assert_done(&failure);
    for (hsize_t j = 0; j < box.count[0]; j++)
      assert_memory_equal(values + j * box.stride[0], back + j * box.stride[0],
                          box.count[1] * sizeof *values);
    free(values);
    free(back);
  }
}

static void touch(const char *path) { close(open(path, O_WRONLY | O_CREAT, 0666)); }

static void test_leftovers(void **state) {
  (void)state;
  write_three("leftovers");
  wait_for_all();
  if (rank == 0) {
    touch(path_of(1, ".tmp")); /* killed while writing the file, its sum, and between the two */
    touch(path_of(7, ".tmp"));
    touch(path_of(8, ".sum.tmp"));
    touch(path_of(9, ".sum"));
  }
  wait_for_all();
  InkFailure failure = read_one(MPI_COMM_WORLD, NULL, 2);
  assert_done(&failure);
  failure = write_one(MPI_COMM_WORLD, 3, 5, our_deck);
  assert_done(&failure);
  wait_for_all();
  assert_true(!stands(1, ".tmp") && !stands(7, ".tmp") && !stands(8, ".sum.tmp") && !stands(9, ".sum"));
  for (int n = 0; n < 4; n++) assert_true(stands(n, "") && stands(n, ".sum"));
}

/* Number 3 cannot be written; those before it stay and are valid, nothing unfinished is left. */
static void assert_old_ones_stay(const char *words) {
  const InkFailure failure = write_one(MPI_COMM_WORLD, 3, 1, our_deck);
  wait_for_all();
  assert_int_equal(failure.code, INK_STORAGE);
  if (!strstr(failure.message, words)) fail_msg("not '%s' in: %s", words, failure.message);
  for (int n = 0; n < 3; n++) assert_true(stands(n, "") && stands(n, ".sum"));
  assert_true(!stands(3, "") && !stands(3, ".sum") && !stands(3, ".tmp") && !stands(3, ".sum.tmp"));
  const InkFailure reading = read_one(MPI_COMM_WORLD, NULL, 2);
  assert_done(&reading);
}

static void test_file_size_limit(void **state) {
  (void)state;
  struct rlimit old, low;
  write_three("limit");
  getrlimit(RLIMIT_FSIZE, &old);
  low = (struct rlimit){3000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &low);
  const InkFailure failure = write_one(MPI_COMM_WORLD, 3, 1, our_deck);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, "file too large"));
  wait_for_all();
  assert_true(stands(0, "") && stands(2, "") && !stands(3, "") && !stands(3, ".sum") && !stands(3, ".tmp"));
  const InkFailure reading = read_one(MPI_COMM_WORLD, NULL, 2);
  assert_done(&reading);
}

/* Leaves `room` bytes on the file system of OUT: rank 0. */
static void fill_up(size_t room) {
  char name[400];
  snprintf(name, sizeof name, "%s/filler", out);
  const int file = open(name, O_WRONLY | O_CREAT, 0666);
  char block[4096] = {1};
  while (write(file, block, sizeof block) > 0) {
  }
  struct stat status;
  fstat(file, &status);
  assert_int_equal(ftruncate(file, status.st_size - (off_t)room), 0);
  close(file);
}

static void test_disk_full(void **state) {
  (void)state;
  char name[400];
  fresh("full");
  int mounted = rank == 0 && mount("none", out, "tmpfs", 0, "size=4m") == 0;
  (void)(MPI_Bcast(&mounted, 1, MPI_INT, 0, MPI_COMM_WORLD));
  if (!mounted) {
    if (rank == 0) print_message("no right to mount a small file system: skipped\n");
    skip();
  }
  for (int n = 0; n < 3; n++) {
    const InkFailure failure = write_one(MPI_COMM_WORLD, n, 5, our_deck);
    assert_done(&failure);
  }
  wait_for_all();
  for (size_t room = 0; room <= 4096; room += 4096) { /* no file, or not all of it */
    if (rank == 0) fill_up(room);
    wait_for_all();
    assert_old_ones_stay("no space left");
  }
  snprintf(name, sizeof name, "%s/filler", out);
  if (rank == 0) unlink(name);
  wait_for_all();
  InkFailure failure = write_one(MPI_COMM_WORLD, 3, 2, our_deck);
  assert_done(&failure);
  failure = read_one(MPI_COMM_WORLD, NULL, 3);
  assert_done(&failure);
  wait_for_all();
  if (rank == 0) umount(out);
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  snprintf(folder, sizeof folder, "/tmp/inkdrop_checkpoint_XXXXXX");
  if (rank == 0 && !mkdtemp(folder)) return 1;
  (void)(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keep),           cmocka_unit_test(test_abandoned_ones_go),
      cmocka_unit_test(test_none),           cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_sums),           cmocka_unit_test(test_all_damaged),
      cmocka_unit_test(test_other_deck),     cmocka_unit_test(test_given_file),
      cmocka_unit_test(test_n_to_m),         cmocka_unit_test(test_sum_of_large_arrays),
      cmocka_unit_test(test_leftovers),      cmocka_unit_test(test_disk_full),
      cmocka_unit_test(test_file_size_limit)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[300];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  wait_for_all();
  if (rank == 0 && system(command)) failed++;
  PetscFinalize();
  return failed;
}
