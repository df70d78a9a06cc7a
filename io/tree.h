/* The deck as written: a tree of mappings, sequences and scalars with places, built from libyaml events.
 *
 * Nothing is typed here: a scalar is text, and its key decides later what it means. */
#ifndef INK_IO_TREE_H
#define INK_IO_TREE_H

#include "error.h"
#include "expression.h"

enum {
  INK_DECK_MAX_BYTES = 1 << 20, /* of one file */
  INK_DECK_MAX_DEPTH = 32,
  INK_DECK_MAX_NODES = 100000, /* of a deck with all it includes */
  INK_DECK_MAX_FILES = 64,
};

typedef enum InkNodeKind { INK_SCALAR, INK_SEQUENCE, INK_MAPPING } InkNodeKind;

typedef struct InkNode InkNode;
struct InkNode {
  InkNodeKind kind;
  const char *key;    /* in a mapping; NULL in a sequence and at the root */
  InkPlace key_place; /* of the key */
  InkPlace place;     /* of the value */
  const char *text;   /* scalar text */
  InkNode *parent, *first, *last, *next;
  int count; /* children */

  /* Filled by ink_deck_resolve, by the type of the key: */
  const struct InkKey *type; /* row of the key table; NULL before */
  double number; /* NUMBER, DIFFERENCE, TOLERANCE (a percentage as a fraction), INTEGER, BOOL (0/1) */
  bool percent;  /* TOLERANCE given in % */
  InkDim dim;    /* of a number or expression, known when it was given with a unit */
  const InkExpr *expression; /* EXPRESSION */
  bool defaulted;            /* not in the deck: filled in from the key table */
  const char *unit;          /* unit a quantity was given in, as written; NULL: a bare number */
  double factor, offset;     /* of that unit: SI = factor * number + offset (offset 0 in differences) */
  bool bad;                  /* an error about this node has been reported: say no more about it */
};

/* Reads `path` and its includes and merges them (the deck's own keys win). Errors (unreadable, YAML traps,
 * duplicate keys, tabs, size, depth, include cycle) go to `errors`, as many as can be found. Returns the root
 * mapping, or NULL. Not collective. */
InkNode *ink_tree_read(InkPool *pool, const char *path, InkErrors *errors);

/* The same from text in memory (no includes followed): for tests, fuzzing and the broadcast deck. */
InkNode *ink_tree_parse(InkPool *pool, const char *name, const char *text, size_t length, InkErrors *errors);

InkNode *ink_tree_child(const InkNode *mapping, const char *key); /* NULL when absent */
InkNode *ink_tree_item(const InkNode *node, int i);               /* i-th child */
InkNode *ink_tree_find(const InkNode *root, const char *path);    /* "verify[0].expect"; NULL when absent */
const char *ink_tree_path(InkPool *pool, const InkNode *node);    /* "verify[0].expect" */

/* Changing a tree before it is resolved (InkSchema.expand). Keys are not copied. */
InkNode *ink_node_create(InkPool *pool, InkNodeKind kind, const char *key, InkPlace key_place,
                         InkPlace place);
void ink_node_append(InkNode *parent, InkNode *child);
void ink_node_remove(InkNode *child);

/* Nearest of `count` names to `name` by edit distance, or NULL when none is near: for "did you mean". */
const char *ink_nearest(const char *name, const char *const *names, int count);
/* "u, v, w", for messages: the names that are not empty, as many as fit whole into text[size]. */
void ink_names_join(const char *const *names, int count, char *text, size_t size);
#endif
