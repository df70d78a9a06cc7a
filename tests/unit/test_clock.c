/* The clock's reading of durations and of the scheduler's environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include "../../solvers/clock.h"

static void durations(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds;
  } good[] = {{"90", 90},
              {"1:30", 90},
              {"2:00:00", 7200},
              {"1-00:00:00", 86400},
              {"2-03", 2 * 86400 + 3 * 3600.0},
              {"0:05", 5},
              {"1-01:30", 86400 + 5400},
              {"2.5", 2.5}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_true(ink_clock_duration(good[i].text) == good[i].seconds);
  static const char *const bad[] = {"UNLIMITED", "INVALID", "NOT_SET", "",   "1:2:3:4",
                                    "5 min",     "-3",      "nan",     "1-", "inf"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (ink_clock_duration(bad[i]) >= 0) fail_msg("'%s' was taken for a duration", bad[i]);
}

static void clear_environment(void) {
  unsetenv("SLURM_JOB_END_TIME");
  unsetenv("INKDROP_DEADLINE");
  unsetenv("INKDROP_TIME_LEFT");
  unsetenv("PBS_WALLTIME");
}

static void the_scheduler_is_asked_in_order(void **state) {
  (void)state;
  const double now = 1.7e9;
  const char *source;
  clear_environment();
  assert_true(isinf(ink_clock_limit(now, &source)));
  assert_null(source);
  setenv("PBS_WALLTIME", "3600", 1);
  assert_true(ink_clock_limit(now, &source) == 3600);
  setenv("INKDROP_TIME_LEFT", "1-00:00:00", 1);
  assert_true(ink_clock_limit(now, &source) == 86400);
  assert_string_equal(source, "INKDROP_TIME_LEFT");
  setenv("INKDROP_TIME_LEFT", "UNLIMITED", 1); /* makes no sense: the next one is asked */
  assert_true(ink_clock_limit(now, &source) == 3600);
  setenv("INKDROP_DEADLINE", "1700000060", 1);
  assert_true(ink_clock_limit(now, &source) == 60);
  setenv("SLURM_JOB_END_TIME", "", 1); /* Slurm 22.05 leaves it empty */
  assert_true(ink_clock_limit(now, &source) == 60);
  setenv("SLURM_JOB_END_TIME", "1700000010", 1);
  assert_true(ink_clock_limit(now, &source) == 10);
  assert_string_equal(source, "SLURM_JOB_END_TIME");
  clear_environment();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations),
      cmocka_unit_test(the_scheduler_is_asked_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
