/* Decomposition: every cell has one owner, every rank a cell, and cuts go where they cost least. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/mesh.h"

static void parts_cover_all_cells_once(void **state) {
  (void)state;
  for (int cells = 1; cells <= 70; cells++)
    for (int parts = 1; parts <= cells && parts <= 64; parts++) {
      int64_t next = 0, smallest = cells, largest = 0;
      for (int p = 0; p < parts; p++) {
        int64_t start, count;
        ink_decompose_part(cells, parts, p, &start, &count);
        assert_int_equal(start, next);
        assert_true(count >= 1);
        next += count;
        if (count < smallest) smallest = count;
        if (count > largest) largest = count;
      }
      assert_int_equal(next, cells);
      assert_true(largest - smallest <= 1);
    }
}

static void grids_use_all_ranks(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{100, 1, 1}, {64, 64, 1}, {5, 300, 1}, {20, 30, 40}, {4, 4, 4}};
  static const int dims[] = {1, 2, 2, 3, 3};
  for (int s = 0; s < 5; s++)
    for (int ranks = 1; ranks <= 64; ranks++) {
      int grid[3], most = ink_decompose_most(ranks, dims[s], shapes[s], 1);
      assert_true(most >= 1 && most <= ranks);
      assert_true(ink_decompose(most, dims[s], shapes[s], 1, grid));
      assert_int_equal(ink_decompose(ranks, dims[s], shapes[s], 1, grid), most == ranks);
      if (most < ranks) continue;
      assert_int_equal(grid[0] * grid[1] * grid[2], ranks);
      for (int a = 0; a < 3; a++) assert_true(grid[a] >= 1 && grid[a] <= shapes[s][a]);
      for (int a = dims[s]; a < 3; a++) assert_int_equal(grid[a], 1);
    }
}

static void rows_stay_whole_on_few_ranks(void **state) {
  (void)state;
  int grid[3];
  const int64_t square[3] = {512, 512, 1}, cube[3] = {64, 64, 64}, strip[3] = {1000, 2, 1};
  for (int ranks = 2; ranks <= 4; ranks++) {
    assert_true(ink_decompose(ranks, 2, square, 1, grid));
    assert_int_equal(grid[0], 1);
    assert_true(ink_decompose(ranks, 3, cube, 1, grid));
    assert_int_equal(grid[0], 1);
  }
  assert_true(ink_decompose(64, 3, cube, 1, grid)); /* many ranks: blocks, not slabs */
  assert_true(grid[1] > 1 && grid[2] > 1 && grid[2] < 64);
  assert_true(ink_decompose(4, 2, strip, 1, grid)); /* short axes cannot be cut further */
  assert_true(grid[0] >= 2);
}

static void too_many_ranks_are_refused(void **state) {
  (void)state;
  int grid[3];
  const int64_t small[3] = {3, 1, 1}, prime[3] = {4, 4, 1};
  assert_false(ink_decompose(4, 1, small, 1, grid));
  assert_int_equal(ink_decompose_most(4, 1, small, 1), 3);
  assert_false(ink_decompose(5, 2, prime, 1, grid)); /* 5 x 1 does not fit in 4 x 4 */
  assert_int_equal(ink_decompose_most(5, 2, prime, 1), 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_cover_all_cells_once),
      cmocka_unit_test(grids_use_all_ranks),
      cmocka_unit_test(rows_stay_whole_on_few_ranks),
      cmocka_unit_test(too_many_ranks_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
