/* `inkdrop describe`: the key table for people, and as JSON. The JSON schema is in describe_schema.c. */
#include "keys_impl.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Without "[]" and "[3]", so that verify.expect and verify[].expect both find the row. */
static void strip_brackets(const char *path, char *text, size_t size) {
  size_t used = 0;
  for (const char *p = path; *p && used + 1 < size; p++) {
    if (*p == '[') {
      p += strcspn(p, "]");
      if (!*p) break;
    } else
      text[used++] = *p;
  }
  text[used] = 0;
}

static bool wanted(const InkKey *key, const char *filter) {
  char row[INK_PATH_SIZE], asked[INK_PATH_SIZE];
  if (!filter || !*filter) return true;
  strip_brackets(key->path, row, sizeof row);
  strip_brackets(filter, asked, sizeof asked);
  return ink_key_match(row, asked) || ink_key_begins(row, asked);
}

/* A literal name hides '*': mesh.coordinates is no axis. */
static bool hidden_by_literal(const InkSchema *schema, const InkKey *key, const char *filter) {
  if (!filter || !*filter) return false;
  const InkKey *best = ink_key_find(schema, filter, NULL);
  return best && !strchr(best->path, '*') && strncmp(key->path, best->path, strlen(best->path)) != 0;
}

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format, ...) {
  size_t used = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + used, size - used, format, args);
  va_end(args);
}

/* What an expression may depend on. */
static void add_scope(char *text, size_t size, unsigned flags) {
  static const struct {
    unsigned flag;
    const char *name;
  } scopes[] = {{INK_OF_SPACE, "position"},
                {INK_OF_TIME, "t"},
                {INK_OF_FIELDS, "the fields"},
                {INK_OF_NOISE, "noise(k)"}};
  const char *gap = " of ";
  for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
    if (flags & scopes[i].flag) {
      add(text, size, "%s%s", gap, scopes[i].name);
      gap = ", ";
    }
}

static void add_unit(char *text, size_t size, const char *unit) {
  if (!unit) return;
  if (!strcmp(unit, "1"))
    add(text, size, ", dimensionless");
  else if (!strcmp(unit, "@axes"))
    add(text, size, ", each in the unit of its axis");
  else if (*unit == '@')
    add(text, size, ", in the unit of the %s", unit + 1);
  else
    add(text, size, ", %s", unit);
}

static void add_range(char *text, size_t size, const InkKey *key) {
  if (key->min == 0 && key->max == 0) return;
  if (key->min > -INK_NO_MAX)
    add(text, size, "; %s %g", key->flags & INK_EXCLUSIVE_MIN ? "greater than" : "at least", key->min);
  if (key->max < INK_NO_MAX) add(text, size, "; at most %g", key->max);
}

/* The facts of a row in one line. */
static void facts(const InkKey *key, char *text, size_t size) {
  char words[300];
  text[0] = 0;
  if (key->choices) {
    ink_choices_print(key->choices, " or ", words, sizeof words);
    add(text, size, "%s", words);
  } else if (key->kind == INK_KIND_TOLERANCE)
    add(text, size, "percentage of the expected value, or difference");
  else if (key->kind == INK_KIND_NUMBERS)
    add(text, size, "list of numbers");
  else if (key->kind == INK_KIND_PATHS)
    add(text, size, "path or list of paths");
  else
    add(text, size, "%s", key->kind == INK_KIND_DIFFERENCE ? "number" : ink_kind_name(key->kind));
  add_scope(text, size, key->flags);
  if (key->kind >= INK_KIND_INTEGER) add_unit(text, size, key->unit);
  if (key->flags & INK_REQUIRED) add(text, size, "; required");
  if (key->fallback) add(text, size, "; default %s", *key->fallback ? key->fallback : "''");
  add_range(text, size, key);
  if (key->when) {
    size_t name = strcspn(key->when, "=");
    ink_choices_print(key->when + name + 1, " or ", words, sizeof words);
    add(text, size, "; when %.*s is %s", (int)name, key->when, words);
  }
  if (key->flags & INK_MAY_CHANGE && key->kind != INK_KIND_SECTION)
    add(text, size, "; a restart may change it");
}

static bool new_group(const InkKey *key, const InkKey *previous) {
  size_t n = strcspn(key->path, ".["), m = previous ? strcspn(previous->path, ".[") : 0;
  return n != m || strncmp(key->path, previous->path, n) != 0;
}

bool ink_describe(const InkSchema *schema, const char *solver, const char *filter, FILE *out) {
  enum { INDENT = 4 };
  char path[INK_PATH_SIZE], text[800];
  const InkKey *previous = NULL;
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    if (!wanted(key, filter) || hidden_by_literal(schema, key, filter)) continue;
    if (!previous) fprintf(out, "Keys of a deck with `solver: %s`\n", solver);
    if (new_group(key, previous)) fprintf(out, "\n");
    ink_key_display(key->path, path, sizeof path);
    facts(key, text, sizeof text);
    fprintf(out, "%-32s  %s\n%*s%-28s    %s\n", path, key->doc ? key->doc : "", INDENT, "", "", text);
    previous = key;
  }
  return previous != NULL;
}

static json_t *choices_json(const char *choices) {
  json_t *list = json_array();
  for (const char *p = choices; p && *p;) {
    size_t n = strcspn(p, "|");
    json_array_append_new(list, json_stringn(p, n));
    p += n + (p[n] == '|');
  }
  return list;
}

static void set_text(json_t *object, const char *name, const char *text) {
  if (text) json_object_set_new(object, name, json_string(text));
}

static json_t *row_json(const InkKey *key) {
  json_t *row = json_object(), *of = json_array();
  char path[INK_PATH_SIZE];
  ink_key_display(key->path, path, sizeof path);
  set_text(row, "path", path);
  set_text(row, "pattern", key->path);
  set_text(row, "kind", key->kind == INK_KIND_BOOL ? "boolean" : ink_kind_name(key->kind));
  set_text(row, "unit", key->unit);
  set_text(row, "default", key->fallback);
  set_text(row, "when", key->when);
  bool ranged = key->min != 0 || key->max != 0;
  const char *least = key->flags & INK_EXCLUSIVE_MIN ? "greater_than" : "minimum";
  if (ranged && key->min > -INK_NO_MAX) json_object_set_new(row, least, json_real(key->min));
  if (ranged && key->max < INK_NO_MAX) json_object_set_new(row, "maximum", json_real(key->max));
  if (key->choices) json_object_set_new(row, "choices", choices_json(key->choices));
  json_object_set_new(row, "required", json_boolean(key->flags & INK_REQUIRED));
  json_object_set_new(row, "restart_may_change", json_boolean(key->flags & INK_MAY_CHANGE));
  if (key->flags & INK_OF_SPACE) json_array_append_new(of, json_string("position"));
  if (key->flags & INK_OF_TIME) json_array_append_new(of, json_string("t"));
  if (key->flags & INK_OF_FIELDS) json_array_append_new(of, json_string("fields"));
  if (key->flags & INK_OF_NOISE) json_array_append_new(of, json_string("noise"));
  if (key->kind == INK_KIND_EXPRESSION) json_object_set(row, "of", of);
  json_decref(of);
  set_text(row, "doc", key->doc);
  return row;
}

bool ink_describe_json(const InkSchema *schema, const char *solver, const char *filter, FILE *out) {
  json_t *top = json_object(), *list = json_array();
  set_text(top, "solver", solver);
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));)
    if (wanted(key, filter) && !hidden_by_literal(schema, key, filter))
      json_array_append_new(list, row_json(key));
  bool any = json_array_size(list) > 0;
  json_object_set_new(top, "keys", list);
  if (any) {
    json_dumpf(top, out, JSON_INDENT(2));
    fprintf(out, "\n");
  }
  json_decref(top);
  return any;
}
