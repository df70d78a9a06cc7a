/* Private to io: making and changing trees. */
#ifndef INK_IO_TREE_IMPL_H
#define INK_IO_TREE_IMPL_H

#include "tree.h"

/* Puts `child` (with its own key) where `old` stands in the same parent. */
void ink_node_replace(InkNode *old, InkNode *child);
/* Merges `own` over `base` (both mappings): own's keys win, mappings merge key by key, all else replaces. */
void ink_node_merge(InkNode *base, InkNode *own);

/* The bytes of a deck before YAML sees them: size, UTF-8, null bytes, tabs. False: not fit to be parsed. */
bool ink_tree_scan(const char *name, const char *text, size_t length, InkErrors *errors);

/* Parses text; *nodes counts on (limit INK_DECK_MAX_NODES). any_root: a scalar or sequence may be the root,
 * and block mappings are refused (for --set). NULL: no tree. */
InkNode *ink_tree_build(InkPool *pool, const char *name, const char *text, size_t length, bool any_root,
                        int *nodes, InkErrors *errors);

/* Applies "key.path=value" to a tree. */
void ink_tree_set(InkPool *pool, InkNode *root, const char *setting, InkErrors *errors);
#endif
