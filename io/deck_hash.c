/* What a restart may not change: the hash over it, and the keys that differ from another run's deck.
 *
 * Both look at the leaves as sorted lines "path: value", so the order of keys does not matter. */
#include "deck_impl.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct Leaf {
  const char *path, *value;
} Leaf;

typedef struct Leaves {
  InkPool *pool;
  const InkDeck *deck;
  Leaf *leaf;
  int count, room;
} Leaves;

static void add_leaf(Leaves *leaves, const char *path, const char *value) {
  if (leaves->count == leaves->room) {
    leaves->room = 2 * leaves->room + 64;
    Leaf *larger = ink_pool_alloc(leaves->pool, (size_t)leaves->room * sizeof(Leaf));
    if (leaves->count) memcpy(larger, leaves->leaf, (size_t)leaves->count * sizeof(Leaf));
    leaves->leaf = larger;
  }
  leaves->leaf[leaves->count++] = (Leaf){path, value};
}

static void gather(Leaves *leaves, const InkNode *node, const char *path) {
  if (node->type && (node->type->flags & INK_MAY_CHANGE)) return;
  if (node->kind == INK_SCALAR) add_leaf(leaves, path, ink_yaml_value(leaves->pool, leaves->deck, node));
  int i = 0;
  for (const InkNode *child = node->first; child; child = child->next, i++) {
    size_t size = strlen(path) + (child->key ? strlen(child->key) : 0) + 16;
    char *child_path = ink_pool_alloc(leaves->pool, size);
    if (child->key)
      snprintf(child_path, size, "%s%s%s", path, *path ? "." : "", child->key);
    else
      snprintf(child_path, size, "%s[%d]", path, i);
    gather(leaves, child, child_path);
  }
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const Leaf *)a)->path, ((const Leaf *)b)->path);
}

static Leaves leaves_of(const InkDeck *deck, InkPool *pool) {
  Leaves leaves = {.pool = pool, .deck = deck};
  gather(&leaves, deck->root, "");
  if (leaves.count) qsort(leaves.leaf, (size_t)leaves.count, sizeof(Leaf), by_path);
  return leaves;
}

uint64_t ink_deck_hash(const InkDeck *deck) {
  InkPool *scratch = ink_pool_create();
  Leaves leaves = leaves_of(deck, scratch);
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  for (int i = 0; i < leaves.count; i++) {
    XXH64_update(&state, leaves.leaf[i].path, strlen(leaves.leaf[i].path) + 1);
    XXH64_update(&state, leaves.leaf[i].value, strlen(leaves.leaf[i].value) + 1);
  }
  ink_pool_destroy(&scratch);
  return XXH64_digest(&state);
}

typedef struct Names {
  char text[900];
  int count;
} Names;

static void add_name(Names *names, const char *name) {
  enum { SHOWN = 12 };
  size_t used = strlen(names->text);
  if (names->count < SHOWN && used + strlen(name) + 3 < sizeof names->text)
    snprintf(names->text + used, sizeof names->text - used, "%s%s", used ? ", " : "", name);
  else if (names->count == SHOWN && used + 5 < sizeof names->text)
    snprintf(names->text + used, sizeof names->text - used, ", ...");
  names->count++;
}

static void compare(const Leaves *a, const Leaves *b, Names *names) {
  for (int i = 0, j = 0; i < a->count || j < b->count;) {
    int order = i == a->count ? 1 : j == b->count ? -1 : strcmp(a->leaf[i].path, b->leaf[j].path);
    if (order != 0 || strcmp(a->leaf[i].value, b->leaf[j].value))
      add_name(names, order <= 0 ? a->leaf[i].path : b->leaf[j].path);
    i += order <= 0;
    j += order >= 0;
  }
}

const char *ink_deck_difference(const InkDeck *deck, const char *yaml, const InkSchemas *schemas) {
  InkErrors *errors = ink_errors_create();
  InkDeck *other = ink_deck_create("deck.yaml");
  Names names = {.count = 0};
  other->root = ink_tree_parse(other->pool, "deck.yaml", yaml, strlen(yaml), errors);
  if (other->root) ink_deck_resolve(other, schemas, errors);
  if (ink_errors_count(errors))
    snprintf(names.text, sizeof names.text, "(its deck.yaml is not a good deck)");
  else {
    Leaves a = leaves_of(deck, other->pool), b = leaves_of(other, other->pool);
    compare(&a, &b, &names);
  }
  ink_deck_destroy(&other);
  ink_errors_destroy(&errors);
  return *names.text ? ink_pool_strdup(deck->pool, names.text) : NULL;
}
