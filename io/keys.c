/* The key table: finding rows by path, conditions, suggestions. */
#include "keys_impl.h"
#include "tree_impl.h"

#include <stdlib.h>
#include <string.h>

InkRows ink_rows(const InkSchema *schema) { return (InkRows){schema, 0, 0}; }

/* Rows of `mesh` where the deck names its axes itself; rows that an earlier table has too. */
static bool hidden(const InkSchema *schema, int table, const char *path) {
  if (schema->axes && strncmp(path, "mesh", 4) == 0 && (!path[4] || path[4] == '.')) return true;
  for (int t = 0; t < table; t++)
    for (const InkKey *key = schema->tables[t]; key->path; key++)
      if (!strcmp(key->path, path)) return true;
  return false;
}

const InkKey *ink_rows_next(InkRows *rows) {
  while (rows->schema->tables[rows->table]) {
    const InkKey *key = &rows->schema->tables[rows->table][rows->row];
    if (!key->path) {
      rows->table++;
      rows->row = 0;
      continue;
    }
    rows->row++;
    if (!hidden(rows->schema, rows->table, key->path)) return key;
  }
  return NULL;
}

/* Advances both over one segment; 0 no match, 1 '*', 2 literal. Brackets are segments of their own. */
static int match_segment(const char **pattern, const char **path) {
  const char *p = *pattern, *q = *path;
  int result = 2;
  if (*p == '[' || *q == '[') {
    if (*p != *q) return 0;
    p += strcspn(p, "]");
    q += strcspn(q, "]");
    if (*p) p++;
    if (*q) q++;
  } else {
    size_t m = strcspn(p, ".["), n = strcspn(q, ".[");
    bool star = m == 1 && *p == '*', star_asked = n == 1 && *q == '*';
    if (star)
      result = 1;
    else if (!star_asked && (m != n || strncmp(p, q, n)))
      return 0;
    p += m;
    q += n;
  }
  *pattern = p + (*p == '.');
  *path = q + (*q == '.');
  return result;
}

int ink_key_match(const char *pattern, const char *path) {
  int score = 1;
  while (*pattern && *path) {
    int step = match_segment(&pattern, &path);
    if (!step) return 0;
    score = 2 * score + step - 1;
  }
  return *pattern || *path ? 0 : score;
}

bool ink_key_begins(const char *pattern, const char *path) {
  while (*pattern && *path)
    if (!match_segment(&pattern, &path)) return false;
  return !*path && *pattern;
}

bool ink_choices_have(const char *choices, const char *word, size_t length) {
  for (const char *p = choices; p && *p;) {
    size_t n = strcspn(p, "|");
    if (n == length && !strncmp(p, word, n)) return true;
    p += n + (p[n] == '|');
  }
  return false;
}

/* Text of the sibling a condition asks for: given, or its default. NULL when there is none, or when it is not
 * one of the sibling's choices. */
static const char *sibling_text(const InkSchema *schema, const char *parent_path, const InkNode *parent,
                                const char *name) {
  char path[INK_PATH_SIZE];
  snprintf(path, sizeof path, "%s%s%s", parent_path, *parent_path ? "." : "", name);
  const InkKey *row = ink_key_find(schema, path, NULL);
  const InkNode *sibling = ink_tree_child(parent, name);
  if (!sibling) return row ? row->fallback : NULL;
  if (sibling->kind != INK_SCALAR || sibling->bad) return NULL;
  bool valid = !row || !row->choices || ink_choices_have(row->choices, sibling->text, strlen(sibling->text));
  return valid ? sibling->text : NULL;
}

bool ink_key_holds(const InkSchema *schema, const InkKey *key, const char *parent_path, const InkNode *parent,
                   bool *undecided) {
  if (undecided) *undecided = false;
  if (!key->when || !parent) return true;
  char name[64];
  size_t length = strcspn(key->when, "=");
  snprintf(name, sizeof name, "%.*s", (int)length, key->when);
  const char *text = sibling_text(schema, parent_path, parent, name);
  if (!text) {
    if (undecided) *undecided = true;
    return false;
  }
  return ink_choices_have(key->when + length + 1, text, strlen(text));
}

/* The path without its last segment. */
static void parent_of(const char *path, char *parent, size_t size) {
  snprintf(parent, size, "%s", path);
  char *dot = strrchr(parent, '.'), *bracket = strrchr(parent, '[');
  char *cut = dot > bracket ? dot : bracket;
  if (cut)
    *cut = 0;
  else
    *parent = 0;
}

bool ink_key_fits(const InkKey *key, const InkNode *node) {
  switch (key->kind) {
  case INK_KIND_SECTION:
    return node->kind == INK_MAPPING;
  case INK_KIND_LIST:
  case INK_KIND_NUMBERS:
    return node->kind == INK_SEQUENCE;
  case INK_KIND_PATHS:
    return node->kind != INK_MAPPING;
  default:
    return node->kind == INK_SCALAR;
  }
}

const InkKey *ink_key_find(const InkSchema *schema, const char *path, const InkNode *node) {
  const InkKey *best = NULL;
  int best_score = 0;
  char parent[INK_PATH_SIZE];
  parent_of(path, parent, sizeof parent);
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    int score = ink_key_match(key->path, path);
    bool better =
        score && score == best_score && node && !ink_key_fits(best, node) && ink_key_fits(key, node);
    if (score <= best_score && !better) continue;
    if (node && !ink_key_holds(schema, key, parent, node->parent, NULL)) continue;
    best = key;
    best_score = score;
  }
  return best;
}

const char *ink_key_last(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot + 1 : path;
}

/* The segment of `pattern` that follows `parent`, its length in *length; NULL when it does not begin so. */
static const char *following(const char *pattern, const char *parent, size_t *length) {
  while (*pattern && *parent)
    if (!match_segment(&pattern, &parent)) return NULL;
  if (*parent || !*pattern || *pattern == '[') return NULL;
  *length = strcspn(pattern, ".[");
  return pattern;
}

int ink_key_children(InkPool *pool, const InkSchema *schema, const char *parent, const char ***names) {
  int count = 0, room = 0;
  InkRows rows = ink_rows(schema);
  while (ink_rows_next(&rows)) room++;
  *names = ink_pool_alloc(pool, (size_t)(room + 1) * sizeof **names);
  rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    size_t length;
    const char *name = following(key->path, parent, &length);
    bool known = !name || (length == 1 && *name == '*');
    for (int i = 0; i < count && !known; i++)
      known = strlen((*names)[i]) == length && !strncmp((*names)[i], name, length);
    if (known) continue;
    char *copy = ink_pool_alloc(pool, length + 1);
    memcpy(copy, name, length);
    (*names)[count++] = copy;
  }
  return count;
}

bool ink_key_any_child(const InkSchema *schema, const char *parent) {
  InkRows rows = ink_rows(schema);
  for (const InkKey *key; (key = ink_rows_next(&rows));) {
    size_t length;
    const char *name = following(key->path, parent, &length);
    if (name && length == 1 && *name == '*') return true;
  }
  return false;
}

/* Edit distance with swaps of neighbours (optimal string alignment); capped at `limit` + 1. Lower case. */
static int distance(const char *a, const char *b, int limit) {
  int m = (int)strlen(a), n = (int)strlen(b);
  enum { MAX = 64 };
  if (m >= MAX || n >= MAX || abs(m - n) > limit) return limit + 1;
  int row[MAX + 1][MAX + 1];
  for (int i = 0; i <= m; i++) row[i][0] = i;
  for (int j = 0; j <= n; j++) row[0][j] = j;
  for (int i = 1; i <= m; i++)
    for (int j = 1; j <= n; j++) {
      int change = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      int remove = row[i - 1][j] + 1, insert = row[i][j - 1] + 1;
      int least = change < remove ? change : remove;
      if (insert < least) least = insert;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && row[i - 2][j - 2] + 1 < least) least = row[i - 2][j - 2] + 1;
      row[i][j] = least;
    }
  return row[m][n];
}

static void lower(const char *text, char *out, size_t size) {
  size_t i = 0;
  for (; text[i] && i + 1 < size; i++)
    out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i] == '-' ? '_' : text[i]);
  out[i] = 0;
}

void ink_names_join(const char *const *names, int count, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < count; i++)
    if (*names[i] && used + strlen(names[i]) + 3 < size)
      used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", names[i]);
}

const char *ink_nearest(const char *name, const char *const *names, int count) {
  const char *best = NULL;
  char asked[64], known[64];
  lower(name, asked, sizeof asked);
  size_t length = strlen(asked);
  int limit = length <= 2 ? 1 : length <= 5 ? 2 : 3, best_distance = limit + 1;
  for (int i = 0; i < count; i++) {
    lower(names[i], known, sizeof known);
    int d = distance(asked, known, limit);
    bool resembles = d < (int)length && d < (int)strlen(known); /* something of both is left */
    bool begins = length >= 3 && !strncmp(asked, known, length);
    if (begins && d > limit) d = limit;
    if ((resembles || begins) && d < best_distance) {
      best = names[i];
      best_distance = d;
    }
  }
  return best;
}

const char *ink_key_suggest(InkPool *pool, const InkSchema *schema, const char *parent, const char *name) {
  const char **names;
  int count = ink_key_children(pool, schema, parent, &names);
  return ink_nearest(name, names, count);
}

/* What '*' stands for below each section. */
static const char *placeholder(const char *path, size_t before) {
  static const char *const words[][2] = {
      {"mesh.", "AXIS"},        {"boundary.", "SIDE"},      {"model.boundary.", "SIDE"},
      {"initial.", "FIELD"},    {"exact.", "FIELD"},        {"velocity.", "AXIS"},
      {"boundary.*.", "FIELD"}, {"boundary.*[].", "FIELD"}, {"species.*.diffusion.", "FIELD"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (before == strlen(words[i][0]) && !strncmp(path, words[i][0], before)) return words[i][1];
  return "NAME";
}

void ink_key_display(const char *path, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (const char *p = path; *p && used + 1 < size; p++) {
    if (*p == '*')
      used += (size_t)snprintf(text + used, size - used, "%s", placeholder(path, (size_t)(p - path)));
    else
      used += (size_t)snprintf(text + used, size - used, "%c", *p);
  }
}

void ink_choices_print(const char *choices, const char *last_word, char *text, size_t size) {
  text[0] = 0;
  for (const char *p = choices; *p;) {
    size_t n = strcspn(p, "|"), used = strlen(text);
    bool first = p == choices, last = !p[n];
    snprintf(text + used, size - used, "%s%.*s", first ? "" : last ? last_word : ", ", (int)n, p);
    p += n + (p[n] == '|');
  }
}

const char *ink_kind_name(InkKind kind) {
  static const char *const names[] = {"section", "list",   "text",       "choice",    "true or false",
                                      "integer", "number", "difference", "tolerance", "expression",
                                      "numbers", "paths",  "unit"};
  return names[kind];
}
