/* The deck as written: places, the traps of YAML, includes, --set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../io/tree_impl.h"

static char folder[] = "/tmp/inkdrop_tree_XXXXXX";

/* The errors as text; free() it. */
static char *printed(const InkErrors *errors) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  return text;
}

/* Parsing `text` must give an error that holds both words. */
static void refuses(const char *text, size_t length, const char *where, const char *word) {
  InkPool *pool = ink_pool_create();
  InkErrors *errors = ink_errors_create();
  ink_tree_parse(pool, "d.yaml", text, length, errors);
  char *messages = printed(errors);
  if (!ink_errors_count(errors)) fail_msg("accepted: %s", text);
  if (!strstr(messages, where) || !strstr(messages, word))
    fail_msg("wanted '%s' and '%s': %s", where, word, messages);
  free(messages);
  ink_errors_destroy(&errors);
  ink_pool_destroy(&pool);
}

#define REFUSES(text, where, word) refuses(text, sizeof(text) - 1, where, word)

static void traps_are_refused(void **state) {
  (void)state;
  REFUSES("a: *x\n", "d.yaml:1:", "'*' needs quotes");
  REFUSES("a: 1\nb: &x 3\n", "d.yaml:2:", "'&' needs quotes");
  REFUSES("a: !x 3\n", "d.yaml:1:", "'!' needs quotes");
  REFUSES("a: *x + 1\nb: 2\n", "d.yaml:1:", "needs quotes");
  REFUSES("a: 1\nb: 2\na: 3\n", "d.yaml:3: a:", "twice (first on line 1)");
  REFUSES("a:\n  b: 1\n  b: 2\n", "d.yaml:3: a.b:", "twice");
  REFUSES("a: 1\n\tb: 2\n", "d.yaml:2:", "tab");
  REFUSES("a: {b: max(0, t)}\n", "d.yaml:1: a.b:", "commas needs quotes");
  REFUSES("a: - b\n", "d.yaml:1:", "'- ' needs quotes");
  REFUSES("a: b: c\n", "d.yaml:1:", "YAML syntax");
  REFUSES("a: [1, 2\nb: 3\n", "d.yaml:", "YAML syntax");
  REFUSES("a: 1\n---\nb: 2\n", "d.yaml:2:", "second YAML document");
  REFUSES("", "d.yaml:", "empty");
  REFUSES("# nothing\n", "d.yaml:", "empty");
  REFUSES("- a\n", "d.yaml:1:", "mapping of keys");
  REFUSES("a: \xFF\n", "d.yaml:1:", "not UTF-8");
  REFUSES("a: 1\nb: \xC0\x80\n", "d.yaml:2:", "not UTF-8");
  REFUSES("a: 1\nb: x\0y\n", "d.yaml:2:", "null byte");
  REFUSES("a: \"x\\0y\"\n", "d.yaml:1:", "null byte");
  REFUSES("a:\n", "d.yaml:1: a:", "has no value");
  REFUSES("? [a]\n: 1\n", "d.yaml:1:", "key must be text");
  REFUSES("a: @b\n", "d.yaml:1:", "needs quotes");
}

static void all_errors_in_one_run(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  InkErrors *errors = ink_errors_create();
  const char *text = "a: *x\nb: 1\nb: 2\nc:\nd: !t 1\n";
  ink_tree_parse(pool, "d.yaml", text, strlen(text), errors);
  assert_int_equal(ink_errors_count(errors), 4);
  ink_errors_destroy(&errors);
  ink_pool_destroy(&pool);
}

static void limits_hold(void **state) {
  (void)state;
  size_t size = INK_DECK_MAX_BYTES + 10;
  char *text = malloc(size + 1);
  memset(text, '#', size);
  refuses(text, size, "d.yaml", "1 MiB");
  char *p = text + sprintf(text, "a: ");
  for (int i = 0; i < 40; i++) *p++ = '[';
  for (int i = 0; i < 40; i++) *p++ = ']';
  refuses(text, (size_t)(p - text), "d.yaml:1", "deeper than 32");
  p = text + sprintf(text, "a: [");
  for (int i = 0; i < INK_DECK_MAX_NODES; i++) p += sprintf(p, "1,");
  *p++ = ']';
  refuses(text, (size_t)(p - text), "d.yaml:1", "more than 100000");
  free(text);
}

static void types_stay_text(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  InkErrors *errors = ink_errors_create();
  const char *text = "y: no\non: 0x10\nt: 7:30\nn: ~\n'q': \"1 m\"\nlist:\n- {k: v}\n- {k: w}\n";
  InkNode *root = ink_tree_parse(pool, "d.yaml", text, strlen(text), errors);
  assert_non_null(root);
  assert_int_equal(ink_errors_count(errors), 0);
  assert_string_equal(ink_tree_find(root, "y")->text, "no");
  assert_string_equal(ink_tree_find(root, "on")->text, "0x10");
  assert_string_equal(ink_tree_find(root, "t")->text, "7:30");
  assert_string_equal(ink_tree_find(root, "q")->text, "1 m");
  InkNode *node = ink_tree_find(root, "list[1].k");
  assert_string_equal(node->text, "w");
  assert_string_equal(ink_tree_path(pool, node), "list[1].k");
  assert_int_equal(node->place.line, 8);
  assert_int_equal(node->place.column, 7);
  assert_null(ink_tree_find(root, "list[2].k"));
  assert_null(ink_tree_find(root, "list.k"));
  assert_null(ink_tree_find(root, "list[x]"));
  ink_errors_destroy(&errors);
  ink_pool_destroy(&pool);
}

static const char *in_folder(InkPool *pool, const char *name) {
  char *path = ink_pool_alloc(pool, 200);
  snprintf(path, 200, "%s/%s", folder, name);
  return path;
}

static void write_deck(InkPool *pool, const char *name, const char *text) {
  FILE *stream = fopen(in_folder(pool, name), "w");
  assert_non_null(stream);
  fputs(text, stream);
  fclose(stream);
}

static void includes_merge_below(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  InkErrors *errors = ink_errors_create();
  write_deck(pool, "base.yaml", "m: {x: 1, y: 2}\nlist: [1, 2]\nonly: base\n");
  write_deck(pool, "second.yaml", "m: {y: 3}\n");
  write_deck(pool, "own.yaml", "include: [base.yaml, second.yaml]\nm: {x: 9}\nlist: [5]\n");
  InkNode *root = ink_tree_read(pool, in_folder(pool, "own.yaml"), errors);
  assert_int_equal(ink_errors_count(errors), 0);
  assert_string_equal(ink_tree_find(root, "m.x")->text, "9");
  assert_string_equal(ink_tree_find(root, "m.y")->text, "3");
  assert_int_equal(ink_tree_find(root, "list")->count, 1);
  assert_string_equal(ink_tree_find(root, "only")->text, "base");
  assert_non_null(strstr(ink_tree_find(root, "only")->place.file, "base.yaml"));
  assert_null(ink_tree_find(root, "include"));
  ink_errors_destroy(&errors);
  ink_pool_destroy(&pool);
}

static void reading_fails(InkPool *pool, const char *name, const char *word) {
  InkErrors *errors = ink_errors_create();
  ink_tree_read(pool, name, errors);
  char *messages = printed(errors);
  if (ink_errors_count(errors) < 1 || !strstr(messages, word))
    fail_msg("%s: wanted '%s': %s", name, word, messages);
  free(messages);
  ink_errors_destroy(&errors);
}

static void unreadable_files(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  write_deck(pool, "a.yaml", "include: b.yaml\n");
  write_deck(pool, "b.yaml", "x: 1\ninclude: a.yaml\n");
  write_deck(pool, "self.yaml", "include: self.yaml\n");
  write_deck(pool, "lost.yaml", "x: 1\ninclude: none.yaml\n");
  reading_fails(pool, in_folder(pool, "a.yaml"), "b.yaml:2: include:");
  reading_fails(pool, in_folder(pool, "a.yaml"), "cycle");
  reading_fails(pool, in_folder(pool, "self.yaml"), "cycle");
  reading_fails(pool, in_folder(pool, "lost.yaml"), "lost.yaml:2:");
  reading_fails(pool, in_folder(pool, "absent.yaml"), "cannot be read");
  reading_fails(pool, folder, "folder");
  reading_fails(pool, "/dev/null", "regular file");
  ink_pool_destroy(&pool);
}

static void settings(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  InkErrors *errors = ink_errors_create();
  const char *text = "a: {b: 1}\nv:\n- {w: 1}\n";
  InkNode *root = ink_tree_parse(pool, "d.yaml", text, strlen(text), errors);
  ink_tree_set(pool, root, "a.b=2", errors);
  ink_tree_set(pool, root, "a.c.d={e: 5, f: [1, 2]}", errors);
  ink_tree_set(pool, root, "v[0].w=1 %", errors);
  ink_tree_set(pool, root, "q=x > 3", errors);
  assert_int_equal(ink_errors_count(errors), 0);
  assert_string_equal(ink_tree_find(root, "a.b")->text, "2");
  assert_string_equal(ink_tree_find(root, "a.b")->place.file, "--set");
  assert_string_equal(ink_tree_find(root, "a.c.d.f[1]")->text, "2");
  assert_string_equal(ink_tree_find(root, "v[0].w")->text, "1 %");
  assert_string_equal(ink_tree_find(root, "q")->text, "x > 3");
  static const char *const bad[] = {"a",      "=1",      "a.b=",   "a..b=1", "v[3].w=1", "v[x]=1",   "v.w=1",
                                    "a[0]=1", "a=[1, 2", "a=b: c", "a=*x",   "a.=1",     "include=x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int before = ink_errors_count(errors);
    ink_tree_set(pool, root, bad[i], errors);
    if (ink_errors_count(errors) == before) fail_msg("accepted: %s", bad[i]);
  }
  ink_errors_destroy(&errors);
  ink_pool_destroy(&pool);
}

static void errors_sort_and_stay_single(void **state) {
  (void)state;
  InkErrors *errors = ink_errors_create();
  ink_error(errors, (InkPlace){"a", 5, 1}, "k", "late");
  ink_error(errors, (InkPlace){"a", 2, 1}, "k", "early");
  ink_error(errors, (InkPlace){"a", 2, 1}, "k", "early");
  ink_warning(errors, (InkPlace){"a", 3, 1}, NULL, "careful");
  assert_int_equal(ink_errors_count(errors), 2);
  char *text = printed(errors);
  assert_string_equal(text, "a:2: k: early\na:3: warning: careful\na:5: k: late\n");
  free(text);
  ink_errors_destroy(&errors);
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state) {
  (void)state;
  char command[100];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(traps_are_refused),
      cmocka_unit_test(all_errors_in_one_run),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(types_stay_text),
      cmocka_unit_test(includes_merge_below),
      cmocka_unit_test(unreadable_files),
      cmocka_unit_test(settings),
      cmocka_unit_test(errors_sort_and_stay_single),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
