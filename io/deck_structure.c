/* The shape of a deck: which row of the key table each node is, unknown keys, missing keys, defaults. */
#include "deck_impl.h"

#include <string.h>

static void walk_mapping(InkResolver *r, InkNode *mapping, const char *path);

static const char *join(InkPool *pool, const char *path, const char *name) {
  size_t size = strlen(path) + strlen(name) + 2;
  char *text = ink_pool_alloc(pool, size);
  snprintf(text, size, "%s%s%s", path, *path ? "." : "", name);
  return text;
}

/* How a kind is asked for: "must be ...". */
static const char *wanted(const InkKey *key) {
  switch (key->kind) {
  case INK_KIND_SECTION:
    return "a section (a mapping of keys)";
  case INK_KIND_LIST:
    return "a list of mappings (items start with '- ')";
  case INK_KIND_TEXT:
    return "text";
  case INK_KIND_CHOICE:
    return "one word";
  case INK_KIND_BOOL:
    return "true or false";
  case INK_KIND_INTEGER:
    return "an integer";
  case INK_KIND_NUMBER:
  case INK_KIND_DIFFERENCE:
    return "a number or quantity";
  case INK_KIND_TOLERANCE:
    return "a percentage or a number";
  case INK_KIND_EXPRESSION:
    return "a number, quantity or expression";
  case INK_KIND_NUMBERS:
    return "a list of numbers such as [0.1, 0.2]";
  case INK_KIND_PATHS:
    return "a path or a list of paths";
  case INK_KIND_UNIT:
    return "a unit";
  }
  return "a value";
}

/* What every row of the path that `key` is a row of asks for: "a number, quantity or expression, or a section
 * (a mapping of keys)". */
static void wanted_here(const InkResolver *r, const InkNode *node, const InkKey *key, const char *path,
                        char *text, size_t size) {
  char parent[INK_PATH_SIZE];
  const size_t length = strlen(path) - strlen(node->key ? node->key : "");
  snprintf(parent, sizeof parent, "%.*s", length && node->key ? (int)length - 1 : 0, path);
  if (key->choices)
    ink_choices_print(key->choices, " or ", text, size);
  else
    snprintf(text, size, "%s", wanted(key));
  InkRows rows = ink_rows(r->deck->schema);
  for (const InkKey *other; (other = ink_rows_next(&rows));) {
    if (!key->path || other == key || strcmp(other->path, key->path) != 0) continue;
    if (!ink_key_holds(r->deck->schema, other, parent, node->parent, NULL)) continue;
    if (strstr(text, wanted(other))) continue;
    size_t used = strlen(text);
    snprintf(text + used, size - used, ", or %s", wanted(other));
  }
}

static void wrong_kind(InkResolver *r, InkNode *node, const InkKey *key, const char *path) {
  char got[100], all[400];
  if (node->kind == INK_SCALAR)
    snprintf(got, sizeof got, "'%.60s'", node->text);
  else
    snprintf(got, sizeof got, "%s", node->kind == INK_MAPPING ? "a mapping" : "a list");
  wanted_here(r, node, key, path, all, sizeof all);
  ink_resolve_error(r, node, "must be %s, got %s", all, got);
}

/* Items of NUMBERS and PATHS are scalars; items of a LIST are mappings, walked in turn. */
static void walk_sequence(InkResolver *r, InkNode *node, const InkKey *key, const char *path) {
  int i = 0;
  for (InkNode *item = node->first; item; item = item->next, i++) {
    if (item->bad) continue;
    bool right = item->kind == (key->kind == INK_KIND_LIST ? INK_MAPPING : INK_SCALAR);
    if (!right)
      ink_resolve_error(r, item, "must be %s, got %s",
                        key->kind == INK_KIND_LIST ? "a mapping" : "a single value",
                        item->kind == INK_SCALAR    ? item->text
                        : item->kind == INK_MAPPING ? "a mapping"
                                                    : "a list");
    else if (key->kind == INK_KIND_LIST) {
      char index[16];
      snprintf(index, sizeof index, "[%d]", i);
      size_t size = strlen(path) + sizeof index;
      char *item_path = ink_pool_alloc(r->pool, size);
      snprintf(item_path, size, "%s%s", path, index);
      walk_mapping(r, item, item_path);
    }
  }
}

static void walk_node(InkResolver *r, InkNode *node, const InkKey *key, const char *path) {
  node->type = key;
  if (node->bad) return;
  if (!ink_key_fits(key, node))
    wrong_kind(r, node, key, path);
  else if (node->kind == INK_MAPPING)
    walk_mapping(r, node, path);
  else if (node->kind == INK_SEQUENCE)
    walk_sequence(r, node, key, path);
  else
    ink_resolve_scalar(r, node, key);
}

/* Where else a name stands: "'cells' belongs under mesh.AXIS". False: nowhere. */
static bool elsewhere(InkResolver *r, const char *name, char *text, size_t size) {
  InkRows rows = ink_rows(r->deck->schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    const char *last = ink_key_last(key->path);
    if (strcmp(last, name)) continue;
    char parent[INK_PATH_SIZE], shown[INK_PATH_SIZE];
    size_t length = (size_t)(last - key->path);
    snprintf(parent, sizeof parent, "%.*s", length ? (int)length - 1 : 0, key->path);
    ink_key_display(parent, shown, sizeof shown);
    if (*shown)
      snprintf(text, size, "'%.60s' belongs under %.200s", name, shown);
    else
      snprintf(text, size, "'%.60s' belongs at the top level", name);
    return true;
  }
  return false;
}

/* Reports a name that is not in the table; the suggestion, when there is one, else NULL. */
static const char *unknown_key(InkResolver *r, InkNode *node, const char *parent, const char *path) {
  const InkSchema *schema = r->deck->schema;
  const char *near = ink_key_suggest(r->pool, schema, parent, node->key);
  char place[400], known[400] = "";
  node->bad = true;
  if (schema->axes && !strcmp(path, "mesh"))
    ink_error(r->errors, node->key_place, path, "is not known for this solver%s",
              ink_key_find(schema, "model.state", NULL) ? ": the state variables of model.state are its axes"
                                                        : "");
  else if (near)
    ink_error(r->errors, node->key_place, path, "unknown key; did you mean '%s'?", near);
  else if (elsewhere(r, node->key, place, sizeof place))
    ink_error(r->errors, node->key_place, path, "unknown key here; %s", place);
  else {
    const char **names;
    int count = ink_key_children(r->pool, schema, parent, &names);
    ink_names_join(names, count, known, sizeof known);
    ink_error(r->errors, node->key_place, path, "unknown key%s%s", count ? "; known here: " : "", known);
  }
  return near;
}

typedef struct Found {
  const InkKey *key; /* the row that holds; NULL: none */
  const InkKey *any; /* a row of this path, holding or not */
  bool undecided;    /* the condition's own key is missing or wrong */
  bool implicit;     /* no row, but rows below it */
} Found;

static Found find_rows(InkResolver *r, const InkNode *node, const char *parent_path, const char *path) {
  Found found = {0};
  int best = 0;
  InkRows rows = ink_rows(r->deck->schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    int score = ink_key_match(key->path, path);
    if (ink_key_begins(key->path, path)) found.implicit = true;
    if (!score || score < best) continue;
    if (score > best) found = (Found){.implicit = found.implicit};
    best = score;
    found.any = key;
    bool undecided;
    bool holds = ink_key_holds(r->deck->schema, key, parent_path, node->parent, &undecided);
    if (undecided) found.undecided = true;
    bool better = !found.key || (!ink_key_fits(found.key, node) && ink_key_fits(key, node));
    if (holds && better) found.key = key;
  }
  return found;
}

/* "applies when type is value or flux; here it is 'symmetry'". */
static void not_applicable(InkResolver *r, InkNode *node, const char *parent_path, const char *path) {
  char when[300] = "", words[300];
  const char *name = NULL;
  size_t name_length = 0;
  InkRows rows = ink_rows(r->deck->schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    if (!ink_key_match(key->path, path) || !key->when) continue;
    name = key->when;
    name_length = strcspn(key->when, "=");
    size_t used = strlen(when);
    snprintf(when + used, sizeof when - used, "%s%s", used ? "|" : "", key->when + name_length + 1);
  }
  ink_choices_print(when, " or ", words, sizeof words);
  char sibling[64];
  snprintf(sibling, sizeof sibling, "%.*s", (int)name_length, name ? name : "");
  const InkNode *chosen = ink_tree_child(node->parent, sibling);
  (void)parent_path;
  node->bad = true;
  ink_error(r->errors, node->key_place, path, "applies only when %s is %s%s%s%s", sibling, words,
            chosen ? "; here it is '" : "", chosen && chosen->text ? chosen->text : "", chosen ? "'" : "");
}

/* A name of the user's own (after '*') must be usable in expressions and files. */
static bool check_name(InkResolver *r, InkNode *node, const InkKey *key, const char *path) {
  if (strcmp(ink_key_last(key->path), "*") || ink_identifier(node->key)) return true;
  node->bad = true;
  ink_error(r->errors, node->key_place, path,
            "'%.60s' is not a name: letters, digits and _, starting with a letter, at most 60", node->key);
  return false;
}

/* Types one child. Returns the name that was likely meant when the key is unknown. */
static const char *walk_child(InkResolver *r, InkNode *child, const char *parent_path) {
  const char *path = join(r->pool, parent_path, child->key);
  Found found = strlen(path) < INK_PATH_SIZE ? find_rows(r, child, parent_path, path) : (Found){0};
  bool brackets = strpbrk(child->key, ".[]") != NULL;
  if (brackets || (!found.any && !found.implicit)) {
    if (r->solver_known || *parent_path) return unknown_key(r, child, parent_path, path);
    return NULL;
  }
  static const InkKey section = {.kind = INK_KIND_SECTION};
  if (!found.any)
    walk_node(r, child, &section, path);
  else if (!check_name(r, child, found.any, path))
    return NULL;
  else if (found.key) {
    /* A misspelt name among names of the user's own: 'mesh.cordinates: cartesian'. */
    const char *near = ink_key_suggest(r->pool, r->deck->schema, parent_path, child->key);
    bool star = !strcmp(ink_key_last(found.key->path), "*");
    bool misfit =
        star && child->kind == INK_SCALAR && found.key->kind == INK_KIND_SECTION && near && !child->bad;
    if (misfit) return unknown_key(r, child, parent_path, path);
    walk_node(r, child, found.key, path);
  } else if (!found.undecided)
    not_applicable(r, child, parent_path, path);
  else
    child->bad = true;
  return NULL;
}

static bool is_child_row(const InkKey *key, const char *path) {
  const char *last = ink_key_last(key->path);
  char parent[INK_PATH_SIZE];
  size_t length = (size_t)(last - key->path);
  if (strcmp(last, "*") == 0 || length >= sizeof parent) return false;
  snprintf(parent, sizeof parent, "%.*s", length ? (int)length - 1 : 0, key->path);
  return *path ? ink_key_match(parent, path) > 0 : !*parent;
}

static void add_default(InkResolver *r, InkNode *mapping, const InkKey *key, const char *path) {
  InkNode *child =
      ink_node_create(r->pool, INK_SCALAR, ink_key_last(key->path), mapping->place, mapping->place);
  child->text = key->fallback;
  child->defaulted = true;
  ink_node_append(mapping, child);
  walk_node(r, child, key, path);
}

/* Required keys and defaults of a mapping. meant: names that misspelt keys stand for. */
static void complete(InkResolver *r, InkNode *mapping, const char *path, const char *const *meant,
                     int count) {
  InkRows rows = ink_rows(r->deck->schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    if (!(key->fallback || (key->flags & INK_REQUIRED)) || !is_child_row(key, path)) continue;
    const char *name = ink_key_last(key->path);
    if (ink_tree_child(mapping, name) || !ink_key_holds(r->deck->schema, key, path, mapping, NULL)) continue;
    bool misspelt = false;
    for (int i = 0; i < count; i++) misspelt = misspelt || !strcmp(meant[i], name);
    if (misspelt) continue;
    const char *child_path = join(r->pool, path, name);
    if (key->fallback)
      add_default(r, mapping, key, child_path);
    else
      ink_error(r->errors, mapping->key ? mapping->key_place : mapping->place, child_path,
                "is required%s%s%s", key->doc ? " (" : "", key->doc ? key->doc : "", key->doc ? ")" : "");
  }
}

/* Does an absent top-level section have keys with defaults? */
static bool has_defaults(const InkSchema *schema, const char *name) {
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));)
    if (key->fallback && *key->fallback && is_child_row(key, name)) return true;
  return false;
}

static bool required(const InkSchema *schema, const char *name) {
  const InkKey *key = ink_key_find(schema, name, NULL);
  return key && (key->flags & INK_REQUIRED);
}

/* Sections that were left out but have defaults. */
static void complete_sections(InkResolver *r, const char *const *meant, int count) {
  InkNode *root = r->deck->root;
  const char **names;
  int n = ink_key_children(r->pool, r->deck->schema, "", &names);
  for (int i = 0; i < n; i++) {
    bool misspelt = false;
    for (int m = 0; m < count; m++) misspelt = misspelt || !strcmp(meant[m], names[i]);
    if (misspelt || ink_tree_child(root, names[i]) || required(r->deck->schema, names[i])) continue;
    if (!has_defaults(r->deck->schema, names[i])) continue;
    InkNode *section = ink_node_create(r->pool, INK_MAPPING, names[i], root->place, root->place);
    section->defaulted = true;
    ink_node_append(root, section);
    walk_child(r, section, "");
  }
}

static void walk_mapping(InkResolver *r, InkNode *mapping, const char *path) {
  enum { MEANT = 16 };
  const char *meant[MEANT];
  int count = 0;
  for (InkNode *child = mapping->first; child; child = child->next) {
    const char *near = walk_child(r, child, path);
    if (near && count < MEANT) meant[count++] = near;
  }
  complete(r, mapping, path, meant, count);
  if (mapping == r->deck->root) complete_sections(r, meant, count);
}

void ink_resolve_structure(InkResolver *r) { walk_mapping(r, r->deck->root, ""); }

void ink_resolve_visit(InkResolver *r, InkNode *node, InkVisit *visit) {
  for (InkNode *child = node->first; child; child = child->next) {
    if (child->bad) continue;
    if (child->type) visit(r, child, child->type);
    bool values =
        child->type && (child->type->kind == INK_KIND_NUMBERS || child->type->kind == INK_KIND_PATHS);
    if (child->kind != INK_SCALAR && !values) ink_resolve_visit(r, child, visit);
  }
}
