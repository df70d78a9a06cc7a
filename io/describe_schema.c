/* The key table as a JSON schema (draft 2020-12), for editors that check YAML while it is typed. */
#include "keys_impl.h"

#include <jansson.h>
#include <string.h>

static json_t *object_schema(InkPool *pool, const InkSchema *schema, const char *path);

static json_t *typed(const char *type) { return json_pack("{s:s}", "type", type); }

static void set_range(json_t *number, const InkKey *key) {
  if (key->min == 0 && key->max == 0) return;
  const char *least = key->flags & INK_EXCLUSIVE_MIN ? "exclusiveMinimum" : "minimum";
  if (key->min > -INK_NO_MAX) json_object_set_new(number, least, json_real(key->min));
  if (key->max < INK_NO_MAX) json_object_set_new(number, "maximum", json_real(key->max));
}

/* A bare number in range, or a quantity or expression as text. */
static json_t *number_or_text(const InkKey *key) {
  json_t *number = typed("number");
  set_range(number, key);
  return json_pack("{s:[o,o]}", "anyOf", number, typed("string"));
}

static json_t *choices(const char *words) {
  json_t *list = json_array();
  for (const char *p = words; *p;) {
    size_t n = strcspn(p, "|");
    json_array_append_new(list, json_stringn(p, n));
    p += n + (p[n] == '|');
  }
  return json_pack("{s:o}", "enum", list);
}

static const char *join(InkPool *pool, const char *path, const char *name) {
  size_t size = strlen(path) + strlen(name) + 2;
  char *text = ink_pool_alloc(pool, size);
  bool brackets = *name == '[';
  snprintf(text, size, "%s%s%s", path, *path && !brackets ? "." : "", name);
  return text;
}

static json_t *value_schema(InkPool *pool, const InkSchema *schema, const InkKey *key, const char *path) {
  switch (key->kind) {
  case INK_KIND_SECTION:
    return object_schema(pool, schema, path);
  case INK_KIND_LIST:
    return json_pack("{s:s,s:o}", "type", "array", "items",
                     object_schema(pool, schema, join(pool, path, "[]")));
  case INK_KIND_CHOICE:
    return choices(key->choices);
  case INK_KIND_BOOL:
    return typed("boolean");
  case INK_KIND_INTEGER: {
    json_t *integer = typed("integer");
    set_range(integer, key);
    return integer;
  }
  case INK_KIND_NUMBERS:
    return json_pack("{s:s,s:o}", "type", "array", "items", number_or_text(key));
  case INK_KIND_PATHS:
    return json_pack("{s:[o,{s:s,s:o}]}", "anyOf", typed("string"), "type", "array", "items",
                     typed("string"));
  case INK_KIND_TEXT:
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
  case INK_KIND_UNIT:
    return typed("string");
  default:
    return number_or_text(key);
  }
}

static void describe(json_t *value, const InkKey *key) {
  char text[600];
  bool unit = key->unit && *key->unit != '@' && strcmp(key->unit, "1");
  snprintf(text, sizeof text, "%s%s%s%s", key->doc ? key->doc : "", unit ? " [" : "", unit ? key->unit : "",
           unit ? "]" : "");
  json_object_set_new(value, "description", json_string(text));
  if (!key->fallback) return;
  json_t *number = json_loads(key->fallback, JSON_DECODE_ANY, NULL); /* numbers and booleans are themselves */
  json_object_set_new(value, "default", number ? number : json_string(key->fallback));
}

/* All rows of one path: the row, or any of several that hold under different conditions. */
static json_t *path_schema(InkPool *pool, const InkSchema *schema, const char *path) {
  json_t *several = json_array();
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    if (strcmp(key->path, path)) continue;
    json_t *value = value_schema(pool, schema, key, path);
    describe(value, key);
    json_array_append_new(several, value);
  }
  json_t *result;
  if (json_array_size(several) == 0)
    result = object_schema(pool, schema, path);
  else if (json_array_size(several) == 1)
    result = json_incref(json_array_get(several, 0));
  else
    result = json_pack("{s:O}", "anyOf", several);
  json_decref(several);
  return result;
}

/* Any name but those the section has keys for. */
static const char *name_pattern(InkPool *pool, const char **names, int count) {
  static const char *const any = "[A-Za-z_][A-Za-z0-9_]*$";
  size_t size = 64;
  for (int i = 0; i < count; i++) size += strlen(names[i]) + 1;
  char *text = ink_pool_alloc(pool, size), *end = text;
  end += snprintf(end, size, "^");
  for (int i = 0; i < count; i++)
    end += snprintf(end, size - (size_t)(end - text), "%s%s", i ? "|" : "(?!(", names[i]);
  snprintf(end, size - (size_t)(end - text), "%s%s", count ? ")$)" : "", any);
  return text;
}

static bool required(const InkSchema *schema, const char *path) {
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));)
    if (!strcmp(key->path, path) && !key->when && (key->flags & INK_REQUIRED)) return true;
  return false;
}

static json_t *object_schema(InkPool *pool, const InkSchema *schema, const char *path) {
  json_t *object = typed("object"), *properties = json_object(), *needed = json_array();
  const char **names;
  int count = ink_key_children(pool, schema, path, &names);
  for (int i = 0; i < count; i++) {
    const char *child = join(pool, path, names[i]);
    json_object_set_new(properties, names[i], path_schema(pool, schema, child));
    if (required(schema, child)) json_array_append_new(needed, json_string(names[i]));
  }
  json_object_set_new(object, "properties", properties);
  if (ink_key_any_child(schema, path)) {
    json_t *pattern = json_object();
    json_object_set_new(pattern, name_pattern(pool, names, count),
                        path_schema(pool, schema, join(pool, path, "*")));
    json_object_set_new(object, "patternProperties", pattern);
  }
  if (json_array_size(needed)) json_object_set(object, "required", needed);
  json_decref(needed);
  json_object_set_new(object, "additionalProperties", json_false());
  return object;
}

bool ink_describe_json_schema(const InkSchema *schema, const char *solver, FILE *out) {
  InkPool *pool = ink_pool_create();
  char title[100];
  snprintf(title, sizeof title, "inkdrop deck, solver %.60s", solver);
  json_t *top = object_schema(pool, schema, "");
  json_object_set_new(top, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
  json_object_set_new(top, "title", json_string(title));
  json_dumpf(top, out, JSON_INDENT(2));
  fprintf(out, "\n");
  json_decref(top);
  ink_pool_destroy(&pool);
  return true;
}
