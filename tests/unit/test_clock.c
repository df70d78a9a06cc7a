/* The clock's reading of durations and of the scheduler's environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
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

/* A run of steps that take `step` seconds each, polled after every one. */
static InkClock after_steps(double limit, double step, int steps) {
  InkClock clock = {.limit = limit, .checkpoint_cost = 0.1};
  for (int i = 1; i <= steps; i++) ink_clock_note_poll(&clock, i * step);
  return clock;
}

static void the_margin_covers_the_next_step(void **state) {
  (void)state;
  static const double step[] = {0.001, 0.05, 1, 30};
  for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
    InkClock clock = after_steps(3600, step[i], 5);
    assert_true(ink_clock_margin(&clock) >= step[i] + 2 * clock.checkpoint_cost);
    assert_true(ink_clock_margin(&clock) <= 2 * step[i] + 2 * clock.checkpoint_cost + 1);
  }
  /* A short walltime is not eaten by the margin when steps are short. */
  InkClock brief = after_steps(3, 0.001, 100);
  assert_true(ink_clock_margin(&brief) < 0.35);
  /* One slow step among fast ones is remembered at first and forgotten after hundreds. */
  InkClock slow = after_steps(3600, 0.05, 10);
  double quick = ink_clock_margin(&slow);
  ink_clock_note_poll(&slow, slow.last_poll + 2);
  assert_true(ink_clock_margin(&slow) > quick + 2);
  for (int i = 0; i < 10; i++) ink_clock_note_poll(&slow, slow.last_poll + 0.05);
  assert_true(ink_clock_margin(&slow) > quick + 1);
  for (int i = 0; i < 500; i++) ink_clock_note_poll(&slow, slow.last_poll + 0.05);
  assert_true(ink_clock_margin(&slow) < quick + 0.01);
  /* Without a deadline there is nothing to keep. */
  InkClock endless = after_steps(INFINITY, 0.05, 5);
  assert_true(isfinite(ink_clock_margin(&endless)));
}

/* What a child that catches signals comes to when it sends `number` to itself twice: its exit code, or minus
 * the signal that ended it. */
static int twice(int number) {
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    ink_clock_catch_signals();
    raise(number);
    raise(number);
    _exit(17);
  }
  assert_true(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void signals_are_noted(void **state) {
  (void)state;
  assert_int_equal(twice(SIGUSR1), 17);
  assert_int_equal(twice(SIGTERM), 17);
  assert_int_equal(twice(SIGINT), -SIGINT); /* the second Ctrl-C ends it */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations),
      cmocka_unit_test(the_scheduler_is_asked_in_order),
      cmocka_unit_test(the_margin_covers_the_next_step),
      cmocka_unit_test(signals_are_noted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
