/* Sums and extrema over ranks: the same bits as on one rank, on every rank. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <petscsys.h>

#include "../../solvers/core/reduction.h"

enum { N = 3001 };

static void ok(PetscErrorCode code) { assert_int_equal(code, 0); }

static double term(int i) { return ldexp(((double)((i * 7919) % 1009) - 504) / 1009, (i * 31) % 200 - 100); }

static void sums_do_not_depend_on_ranks(void **state) {
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  static double x[N];
  InkSum whole, mine[2];
  ink_sum_clear(&whole);
  for (int i = 0; i < N; i++) ink_sum_add(&whole, term(i));
  double wanted = ink_sum_round(&whole), got[2];
  ink_sum_clear(&mine[0]);
  ink_sum_clear(&mine[1]);
  int count = 0;
  for (int i = 0; i < N; i++)
    if ((i * 13) % size == rank) x[count++] = term(i); /* strewn over the ranks */
  ink_sum_add_array(&mine[0], count, x);
  for (int i = rank * N / size; i < (rank + 1) * N / size; i++)
    ink_sum_add(&mine[1], term(i)); /* in blocks */
  ok(ink_sum_reduce(MPI_COMM_WORLD, 2, mine, got));
  assert_memory_equal(&got[0], &wanted, sizeof wanted);
  assert_memory_equal(&got[1], &wanted, sizeof wanted);
  /* What is reduced can be rounded again, and holds the whole sum. */
  double again = ink_sum_round(&mine[0]);
  assert_memory_equal(&again, &wanted, sizeof wanted);
}

static void special_values_come_through(void **state) {
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  InkSum s[4];
  double value[4];
  for (int k = 0; k < 4; k++) {
    ink_sum_clear(&s[k]);
    ink_sum_add(&s[k], -1);
  }
  if (rank == size - 1) ink_sum_add(&s[0], NAN);
  if (rank == 0) ink_sum_add(&s[1], INFINITY);
  if (rank == 0) ink_sum_add(&s[2], INFINITY);
  if (rank == size - 1) ink_sum_add(&s[2], -INFINITY);
  ok(ink_sum_reduce(MPI_COMM_WORLD, 4, s, value));
  assert_true(isnan(value[0]) && value[1] == INFINITY && isnan(value[2]) && value[3] == -size);
}

static void extrema(void **state) {
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  double low = -rank, high = rank, infinite = rank ? 1 : INFINITY;
  ok(ink_reduce_min(MPI_COMM_WORLD, &low));
  ok(ink_reduce_max(MPI_COMM_WORLD, &high));
  ok(ink_reduce_max(MPI_COMM_WORLD, &infinite));
  assert_true(low == 1 - size && high == size - 1 && infinite == INFINITY);
  low = high = rank == size - 1 ? (double)NAN : (double)rank;
  ok(ink_reduce_min(MPI_COMM_WORLD, &low));
  ok(ink_reduce_max(MPI_COMM_WORLD, &high));
  assert_true(isnan(low) && isnan(high));
  low = high = rank % 2 ? 0.0 : -0.0;
  ok(ink_reduce_min(MPI_COMM_WORLD, &low));
  ok(ink_reduce_max(MPI_COMM_WORLD, &high));
  assert_true(low == 0 && !signbit(low) && high == 0 && !signbit(high));
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_do_not_depend_on_ranks),
      cmocka_unit_test(special_values_come_through),
      cmocka_unit_test(extrema),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
