/* The lock of an output folder: one run at a time, gone with its process however that ends. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../io/lock.h"

static char folder[64];

static const char *in_folder(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* Another process that holds the lock of `out`, until it is killed; *id 0: it did not get it. */
static void start_holder(const char *out, pid_t *id) {
  int told[2];
  char word = 0;
  assert_int_equal(pipe(told), 0);
  *id = fork();
  if (*id == 0) {
    InkFailure failure = {0};
    word = ink_lock_take(out, &failure) ? 'y' : 'n';
    if (write(told[1], &word, 1) != 1) _exit(1);
    for (;;) pause();
  }
  assert_true(*id > 0);
  assert_int_equal(read(told[0], &word, 1), 1);
  close(told[0]);
  close(told[1]);
  assert_int_equal(word, 'y');
}

static void kill_holder(pid_t id) {
  kill(id, SIGKILL);
  waitpid(id, NULL, 0);
}

static void second_process_is_refused(void **state) {
  (void)state;
  char out[256], process[32];
  pid_t holder;
  InkFailure failure = {0};
  snprintf(out, sizeof out, "%s", in_folder("second"));
  start_holder(out, &holder);
  assert_null(ink_lock_take(out, &failure));
  assert_int_equal(failure.code, INK_USAGE);
  snprintf(process, sizeof process, "process %ld on ", (long)holder);
  assert_non_null(strstr(failure.message, process));
  assert_non_null(strstr(failure.message, out));
  assert_null(strchr(failure.message, '\n'));
  kill_holder(holder);
}

static void goes_with_its_process(void **state) {
  (void)state;
  char out[256];
  pid_t holder;
  InkFailure failure = {0};
  snprintf(out, sizeof out, "%s", in_folder("killed"));
  start_holder(out, &holder);
  kill_holder(holder);
  InkLock *lock = ink_lock_take(out, &failure);
  assert_non_null(lock);
  assert_int_equal(failure.code, INK_DONE);
  ink_lock_release(&lock);
  assert_null(lock);
}

/* Two runs of one process, one after the other, may use one folder; at once they may not. */
static void release(void **state) {
  (void)state;
  char out[256];
  InkFailure failure = {0}, refused = {0};
  snprintf(out, sizeof out, "%s", in_folder("again"));
  InkLock *lock = ink_lock_take(out, &failure);
  assert_non_null(lock);
  assert_null(ink_lock_take(out, &refused));
  assert_int_equal(refused.code, INK_USAGE);
  ink_lock_release(&lock);
  lock = ink_lock_take(out, &failure);
  assert_non_null(lock);
  assert_int_equal(failure.code, INK_DONE);
  ink_lock_release(&lock);
}

/* A child that the run starts does not keep the lock after it. */
static void is_not_inherited(void **state) {
  (void)state;
  char out[256];
  InkFailure failure = {0};
  snprintf(out, sizeof out, "%s", in_folder("child"));
  InkLock *lock = ink_lock_take(out, &failure);
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
    _exit(1);
  }
  usleep(200000); /* until sleep runs */
  ink_lock_release(&lock);
  lock = ink_lock_take(out, &failure);
  assert_int_equal(failure.code, INK_DONE);
  assert_non_null(lock);
  ink_lock_release(&lock);
  kill_holder(child);
}

static void folders_are_made(void **state) {
  (void)state;
  InkFailure failure = {0};
  struct stat status;
  InkLock *lock = ink_lock_take(in_folder("a/b/c"), &failure);
  assert_int_equal(failure.code, INK_DONE);
  assert_int_equal(stat(in_folder("a/b/c"), &status), 0);
  assert_true(S_ISDIR(status.st_mode));
  /* What holds nothing but the lock goes with it, what holds more stays. */
  ink_lock_release(&lock);
  assert_int_not_equal(stat(in_folder("a/b/c"), &status), 0);
  lock = ink_lock_take(in_folder("a/b/c"), &failure);
  assert_non_null(lock);
  fclose(fopen(in_folder("a/b/c/deck.yaml"), "w"));
  ink_lock_release(&lock);
  assert_int_equal(stat(in_folder("a/b/c"), &status), 0);
  unlink(in_folder("a/b/c/deck.yaml"));
}

static void file_in_its_place(void **state) {
  (void)state;
  InkFailure failure = {0}, below = {0};
  FILE *file = fopen(in_folder("file"), "w");
  fclose(file);
  assert_null(ink_lock_take(in_folder("file"), &failure));
  assert_int_equal(failure.code, INK_STORAGE);
  assert_non_null(strstr(failure.message, in_folder("file")));
  assert_null(ink_lock_take(in_folder("file/below"), &below));
  assert_int_equal(below.code, INK_STORAGE);
}

int main(void) {
  snprintf(folder, sizeof folder, "/tmp/inkdrop_lock_XXXXXX");
  if (!mkdtemp(folder)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(second_process_is_refused),
                                     cmocka_unit_test(goes_with_its_process),
                                     cmocka_unit_test(release),
                                     cmocka_unit_test(is_not_inherited),
                                     cmocka_unit_test(folders_are_made),
                                     cmocka_unit_test(file_in_its_place)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return failed + (system(command) != 0);
}
