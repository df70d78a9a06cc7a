/* Deck files: read, include, merge; and the settings of --set. */
#include "tree_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The files being read, from the deck to the current include. */
typedef struct Chain {
  const struct Chain *up;
  char *real; /* canonical path */
} Chain;

typedef struct Files {
  InkPool *pool;
  InkErrors *errors;
  int nodes, count;
} Files;

/* Reads a regular file of at most one byte more than is allowed. NULL: reported. free() it. */
static char *read_bytes(const char *path, InkPlace place, const char *what, size_t *length,
                        InkErrors *errors) {
  struct stat status;
  FILE *stream = NULL;
  const char *why = NULL;
  if (stat(path, &status))
    why = strerror(errno);
  else if (S_ISDIR(status.st_mode))
    why = "it is a folder";
  else if (!S_ISREG(status.st_mode))
    why = "it is not a regular file";
  else if (!(stream = fopen(path, "rb")))
    why = strerror(errno);
  char *text = NULL;
  if (stream) {
    text = malloc(INK_DECK_MAX_BYTES + 1);
    *length = text ? fread(text, 1, INK_DECK_MAX_BYTES + 1, stream) : 0;
    if (!text || ferror(stream)) why = strerror(errno);
    fclose(stream);
  }
  if (!why) return text;
  free(text);
  ink_error(errors, place, NULL, "%s%scannot be read: %s", what, *what ? " " : "", why);
  return NULL;
}

static InkNode *read_file(Files *files, const char *path, const Chain *up, InkPlace from);

/* `text` relative to the folder of `file`. */
static const char *beside(InkPool *pool, const char *file, const char *text) {
  const char *slash = strrchr(file, '/');
  if (*text == '/' || !slash) return ink_pool_strdup(pool, text);
  size_t folder = (size_t)(slash - file) + 1, size = folder + strlen(text) + 1;
  char *path = ink_pool_alloc(pool, size);
  snprintf(path, size, "%.*s%s", (int)folder, file, text);
  return path;
}

static void include_one(Files *files, const InkNode *value, const char *file, const Chain *chain,
                        InkNode **base) {
  if (value->bad) return;
  if (value->kind != INK_SCALAR || !*value->text) {
    ink_error(files->errors, value->place, "include", "must be a path or a list of paths");
    return;
  }
  InkNode *tree = read_file(files, beside(files->pool, file, value->text), chain, value->place);
  if (!tree) return;
  if (*base)
    ink_node_merge(*base, tree);
  else
    *base = tree;
}

/* Merges what `root` includes under it: the result holds both. */
static InkNode *follow_includes(Files *files, InkNode *root, const char *file, const Chain *chain) {
  InkNode *include = ink_tree_child(root, "include"), *base = NULL;
  if (!include) return root;
  ink_node_remove(include);
  if (include->kind == INK_SEQUENCE)
    for (InkNode *item = include->first; item; item = item->next)
      include_one(files, item, file, chain, &base);
  else
    include_one(files, include, file, chain, &base);
  if (!base) return root;
  ink_node_merge(base, root);
  base->place = root->place;
  return base;
}

static bool is_cycle(const Chain *chain, const char *real) {
  for (const Chain *c = chain; c; c = c->up)
    if (!strcmp(c->real, real)) return true;
  return false;
}

static InkNode *read_file(Files *files, const char *path, const Chain *up, InkPlace from) {
  InkPlace own = {path, 0, 0}, place = from.file ? from : own;
  char what[512] = "";
  if (from.file) snprintf(what, sizeof what, "include: '%s'", path);
  if (++files->count > INK_DECK_MAX_FILES) {
    ink_error(files->errors, place, "include", "more than %d files are included", INK_DECK_MAX_FILES);
    return NULL;
  }
  size_t length = 0;
  char *text = read_bytes(path, place, what, &length, files->errors);
  if (!text) return NULL;
  Chain chain = {up, realpath(path, NULL)};
  InkNode *root = NULL;
  if (!chain.real)
    ink_error(files->errors, place, NULL, "%s cannot be read: %s", what, strerror(errno));
  else if (is_cycle(up, chain.real))
    ink_error(files->errors, place, "include", "'%s' includes itself (a cycle)", path);
  else if (ink_tree_scan(path, text, length, files->errors))
    root = ink_tree_build(files->pool, path, text, length, false, &files->nodes, files->errors);
  if (root) root = follow_includes(files, root, path, &chain);
  free(chain.real);
  free(text);
  return root;
}

InkNode *ink_tree_read(InkPool *pool, const char *path, InkErrors *errors) {
  Files files = {.pool = pool, .errors = errors};
  return read_file(&files, ink_pool_strdup(pool, path), NULL, (InkPlace){NULL, 0, 0});
}

/* One segment of a setting's path: a name, or an index in brackets. */
typedef struct Segment {
  char name[256]; /* "" for an index */
  long index;
} Segment;

/* Takes the next segment off *path. False: malformed. */
static bool next_segment(const char **path, Segment *segment) {
  const char *p = *path;
  segment->name[0] = 0;
  segment->index = -1;
  if (*p == '[') {
    char *end;
    segment->index = strtol(p + 1, &end, 10);
    if (end == p + 1 || *end != ']' || segment->index < 0 || segment->index > INK_DECK_MAX_NODES)
      return false;
    p = end + 1;
  } else {
    size_t length = strcspn(p, ".[");
    if (!length || length >= sizeof segment->name) return false;
    memcpy(segment->name, p, length);
    segment->name[length] = 0;
    p += length;
  }
  if (*p == '.') {
    p++;
    if (!*p) return false;
  } else if (*p && *p != '[')
    return false;
  *path = p;
  return true;
}

/* Walks to the parent of the last segment, making mappings on the way. NULL: reported. */
static InkNode *descend(InkPool *pool, InkNode *root, const char *path, Segment *last, InkErrors *errors) {
  const InkPlace place = {"--set", 0, 0};
  InkNode *node = root;
  const char *rest = path;
  for (int depth = 1;; depth++) {
    if (depth >= INK_DECK_MAX_DEPTH || !next_segment(&rest, last)) {
      ink_error(errors, place, NULL, "'%s' is not a key path such as mesh.x.cells or verify[0].within", path);
      return NULL;
    }
    if (!*rest) return node;
    bool item = last->index >= 0;
    InkNode *child = item ? (node->kind == INK_SEQUENCE ? ink_tree_item(node, (int)last->index) : NULL)
                          : ink_tree_child(node, last->name);
    if (item && !child) {
      ink_error(errors, place, path, "there is no item [%ld] in the deck", last->index);
      return NULL;
    }
    if (!child || (child->kind == INK_SCALAR && *rest != '[')) {
      InkNode *made = ink_node_create(pool, INK_MAPPING,
                                      child ? child->key : ink_pool_strdup(pool, last->name), place, place);
      if (child)
        ink_node_replace(child, made);
      else if (node->kind == INK_MAPPING)
        ink_node_append(node, made);
      else {
        ink_error(errors, place, path, "'%s' is looked for in a list; items are chosen as [0]", last->name);
        return NULL;
      }
      child = made;
    }
    node = child;
  }
}

void ink_tree_set(InkPool *pool, InkNode *root, const char *setting, InkErrors *errors) {
  const InkPlace place = {"--set", 0, 0};
  const char *equals = strchr(setting, '=');
  if (!equals || equals == setting) {
    ink_error(errors, place, NULL, "'%s' is not of the form key.path=value", setting);
    return;
  }
  char *path = ink_pool_strdup(pool, setting);
  path[equals - setting] = 0;
  const char *text = equals + 1;
  int nodes = 0, errors_before = ink_errors_count(errors);
  if (!ink_tree_scan("--set", text, strlen(text), errors)) return;
  InkNode *value = ink_tree_build(pool, "--set", text, strlen(text), true, &nodes, errors);
  if (ink_errors_count(errors) > errors_before) return;
  if (!value || (value->kind == INK_SCALAR && !*value->text)) {
    ink_error(errors, place, path, "has no value");
    return;
  }
  if (!strcmp(path, "include")) {
    ink_error(errors, place, path, "cannot be set on the command line");
    return;
  }
  Segment last;
  InkNode *parent = descend(pool, root, path, &last, errors);
  if (!parent) return;
  bool item = last.index >= 0, fits = parent->kind == (item ? INK_SEQUENCE : INK_MAPPING);
  InkNode *old = !fits  ? NULL
                 : item ? ink_tree_item(parent, (int)last.index)
                        : ink_tree_child(parent, last.name);
  if (!fits || (item && !old)) {
    ink_error(errors, place, path, "there is no such place in the deck");
    return;
  }
  value->key = item ? NULL : ink_pool_strdup(pool, last.name);
  value->key_place = place;
  if (old)
    ink_node_replace(old, value);
  else
    ink_node_append(parent, value);
}
