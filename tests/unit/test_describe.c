/* describe: every key is there, in text, JSON and JSON schema, and suggestions find their key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include "deck_text.h"
#include "../../io/keys_impl.h"

/* What a describe function prints; free() it. NULL: it found nothing. */
static char *described_of(const char *solver,
                          bool describe(const InkSchema *, const char *, const char *, FILE *),
                          const char *filter) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  bool any = describe(ink_schemas.find(solver), solver, filter, stream);
  fclose(stream);
  if (any) return text;
  assert_int_equal(size, 0);
  free(text);
  return NULL;
}

static char *described(bool describe(const InkSchema *, const char *, const char *, FILE *),
                       const char *filter) {
  return described_of("heat", describe, filter);
}

static void text_names_every_key(void **state) {
  (void)state;
  for (int s = 0; ink_solvers[s]; s++) {
    char *text = described_of(ink_solvers[s]->name, ink_describe, NULL), shown[INK_PATH_SIZE];
    assert_non_null(text);
    InkRows rows = ink_rows(&ink_solvers[s]->schema);
    for (const InkKey *key; (key = ink_rows_next(&rows));) {
      ink_key_display(key->path, shown, sizeof shown);
      if (!strstr(text, shown) || !key->doc || !strstr(text, key->doc))
        fail_msg("%s is not described", key->path);
    }
    free(text);
  }
}

static void filters_choose(void **state) {
  (void)state;
  char *text = described(ink_describe, "mesh.x.cells");
  assert_non_null(strstr(text, "mesh.AXIS.cells"));
  assert_null(strstr(text, "mesh.AXIS.to"));
  free(text);
  text = described(ink_describe, "mesh.coordinates");
  assert_non_null(strstr(text, "cylindrical"));
  assert_null(strstr(text, "AXIS"));
  free(text);
  text = described(ink_describe, "verify.within");
  assert_non_null(strstr(text, "verify[].within"));
  free(text);
  assert_null(described(ink_describe, "nonsense"));
  assert_null(described(ink_describe_json, "mesh.x.nonsense"));
}

static void json_holds_the_table(void **state) {
  (void)state;
  char *text = described(ink_describe_json, NULL);
  json_t *top = json_loads(text, 0, NULL), *keys = json_object_get(top, "keys");
  size_t count = 0;
  InkRows rows = ink_rows(ink_schemas.find("heat"));
  for (const InkKey *key; (key = ink_rows_next(&rows)); count++) {
    json_t *row = json_array_get(keys, count);
    assert_string_equal(json_string_value(json_object_get(row, "pattern")), key->path);
    assert_int_equal(json_is_true(json_object_get(row, "required")), (key->flags & INK_REQUIRED) != 0);
  }
  assert_int_equal(json_array_size(keys), count);
  json_decref(top);
  free(text);
}

/* Defaults in the table must be values their own rows accept: a deck with all of them given is good. */
static void defaults_fit_their_rows(void **state) {
  (void)state;
  InkRows rows = ink_rows(ink_schemas.find("heat"));
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    if (!key->fallback || strpbrk(key->path, "*[")) continue;
    char setting[INK_PATH_SIZE], *messages;
    snprintf(setting, sizeof setting, "%s=%s", key->path, key->fallback);
    const char *settings[] = {setting, NULL};
    InkDeck *deck = deck_of_text(deck_good, settings, &messages);
    if (*messages) fail_msg("%s: %s", setting, messages);
    assert_true(ink_deck_has(deck, "%s", key->path));
    free(messages);
    ink_deck_destroy(&deck);
  }
}

static void schema_follows_the_table(void **state) {
  (void)state;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  assert_true(ink_describe_json_schema(ink_schemas.find("heat"), "heat", stream));
  fclose(stream);
  json_t *top = json_loads(text, 0, NULL), *properties = json_object_get(top, "properties");
  assert_non_null(top);
  assert_string_equal(json_string_value(json_object_get(top, "$schema")),
                      "https://json-schema.org/draft/2020-12/schema");
  assert_true(json_is_false(json_object_get(top, "additionalProperties")));
  InkRows rows = ink_rows(ink_schemas.find("heat"));
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(key->path, ".["), key->path);
    if (!json_object_get(properties, name)) fail_msg("%s is not in the schema", key->path);
  }
  json_t *mesh = json_object_get(properties, "mesh"), *axis = json_object_get(mesh, "patternProperties");
  assert_int_equal(json_object_size(axis), 1);
  assert_non_null(strstr(json_object_iter_key(json_object_iter(axis)), "coordinates"));
  json_decref(top);
  free(text);
}

/* A side is a mapping or a list of parts: the schema allows either, and each is described. */
static void rows_of_two_kinds(void **state) {
  (void)state;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  assert_true(ink_describe_json_schema(ink_schemas.find("reaction_diffusion"), "reaction_diffusion", stream));
  fclose(stream);
  json_t *top = json_loads(text, 0, NULL);
  json_t *names =
      json_object_get(json_object_get(json_object_get(top, "properties"), "boundary"), "patternProperties");
  json_t *either = json_object_get(json_object_iter_value(json_object_iter(names)), "anyOf");
  assert_int_equal(json_array_size(either), 2);
  assert_string_equal(json_string_value(json_object_get(json_array_get(either, 0), "type")), "object");
  assert_string_equal(json_string_value(json_object_get(json_array_get(either, 1), "type")), "array");
  json_decref(top);
  free(text);
  text = described_of("reaction_diffusion", ink_describe_json, "species.u.diffusion");
  top = json_loads(text, 0, NULL);
  json_t *keys = json_object_get(top, "keys");
  assert_true(json_array_size(keys) >= 2);
  assert_string_equal(json_string_value(json_object_get(json_array_get(keys, 0), "kind")), "expression");
  assert_string_equal(json_string_value(json_object_get(json_array_get(keys, 1), "kind")), "section");
  json_decref(top);
  free(text);
}

static void suggestions(void **state) {
  (void)state;
  const InkSchema *heat = ink_schemas.find("heat");
  InkPool *pool = ink_pool_create();
  assert_string_equal(ink_key_suggest(pool, heat, "material", "conductvity"), "conductivity");
  assert_string_equal(ink_key_suggest(pool, heat, "", "materail"), "material");
  assert_string_equal(ink_key_suggest(pool, heat, "mesh.x", "Cells"), "cells");
  assert_string_equal(ink_key_suggest(pool, heat, "boundary.x_min", "tpye"), "type");
  assert_string_equal(ink_key_suggest(pool, heat, "time", "max-steps"), "max_steps");
  assert_null(ink_key_suggest(pool, heat, "material", "zebra"));
  ink_pool_destroy(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_names_every_key),     cmocka_unit_test(filters_choose),
      cmocka_unit_test(json_holds_the_table),     cmocka_unit_test(defaults_fit_their_rows),
      cmocka_unit_test(schema_follows_the_table), cmocka_unit_test(suggestions),
      cmocka_unit_test(rows_of_two_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
