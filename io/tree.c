/* Trees of nodes: make, change, find, name. */
#include "tree_impl.h"

#include <stdlib.h>
#include <string.h>

InkNode *ink_node_create(InkPool *pool, InkNodeKind kind, const char *key, InkPlace key_place,
                         InkPlace place) {
  InkNode *node = ink_pool_alloc(pool, sizeof *node);
  node->kind = kind;
  node->key = key;
  node->key_place = key_place;
  node->place = place;
  node->factor = 1;
  node->dim = ink_dim_any();
  return node;
}

void ink_node_append(InkNode *parent, InkNode *child) {
  child->parent = parent;
  child->next = NULL;
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
  parent->count++;
}

static InkNode *before(const InkNode *child) {
  InkNode *previous = NULL;
  for (InkNode *n = child->parent->first; n != child; n = n->next) previous = n;
  return previous;
}

void ink_node_remove(InkNode *child) {
  InkNode *parent = child->parent, *previous = before(child);
  if (previous)
    previous->next = child->next;
  else
    parent->first = child->next;
  if (parent->last == child) parent->last = previous;
  parent->count--;
  child->parent = child->next = NULL;
}

void ink_node_replace(InkNode *old, InkNode *child) {
  InkNode *parent = old->parent, *previous = before(old);
  child->parent = parent;
  child->next = old->next;
  if (previous)
    previous->next = child;
  else
    parent->first = child;
  if (parent->last == old) parent->last = child;
  old->parent = old->next = NULL;
}

void ink_node_merge(InkNode *base, InkNode *own) {
  for (InkNode *child = own->first, *next; child; child = next) {
    next = child->next;
    InkNode *old = ink_tree_child(base, child->key);
    if (!old)
      ink_node_append(base, child);
    else if (old->kind == INK_MAPPING && child->kind == INK_MAPPING)
      ink_node_merge(old, child);
    else
      ink_node_replace(old, child);
  }
}

InkNode *ink_tree_child(const InkNode *mapping, const char *key) {
  if (!mapping || mapping->kind != INK_MAPPING) return NULL;
  for (InkNode *child = mapping->first; child; child = child->next)
    if (!strcmp(child->key, key)) return child;
  return NULL;
}

InkNode *ink_tree_item(const InkNode *node, int i) {
  if (!node || i < 0) return NULL;
  InkNode *child = node->first;
  while (child && i-- > 0) child = child->next;
  return child;
}

static InkNode *child_of_length(const InkNode *mapping, const char *key, size_t length) {
  if (mapping->kind != INK_MAPPING) return NULL;
  for (InkNode *child = mapping->first; child; child = child->next)
    if (strlen(child->key) == length && !strncmp(child->key, key, length)) return child;
  return NULL;
}

InkNode *ink_tree_find(const InkNode *root, const char *path) {
  InkNode *node = (InkNode *)root;
  while (node && *path) {
    if (*path == '[') {
      char *end;
      long i = strtol(path + 1, &end, 10);
      if (end == path + 1 || *end != ']' || i > INK_DECK_MAX_NODES) return NULL;
      node = node->kind == INK_SEQUENCE ? ink_tree_item(node, (int)i) : NULL;
      path = end + 1;
    } else {
      size_t length = strcspn(path, ".[");
      node = child_of_length(node, path, length);
      path += length;
    }
    if (*path == '.') path++;
  }
  return node;
}

const char *ink_tree_path(InkPool *pool, const InkNode *node) {
  const InkNode *chain[INK_DECK_MAX_DEPTH + 2];
  int depth = 0;
  size_t length = 1;
  for (const InkNode *n = node; n && n->parent && depth < INK_DECK_MAX_DEPTH + 2; n = n->parent) {
    chain[depth++] = n;
    length += (n->key ? strlen(n->key) : 0) + 16;
  }
  char *path = ink_pool_alloc(pool, length), *end = path;
  while (depth-- > 0) {
    const InkNode *n = chain[depth];
    if (n->key)
      end += snprintf(end, length - (size_t)(end - path), "%s%s", end == path ? "" : ".", n->key);
    else {
      int i = 0;
      for (const InkNode *s = n->parent->first; s && s != n; s = s->next) i++;
      end += snprintf(end, length - (size_t)(end - path), "[%d]", i);
    }
  }
  return path;
}
