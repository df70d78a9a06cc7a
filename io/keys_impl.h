/* Private to io: walking the key table. */
#ifndef INK_IO_KEYS_IMPL_H
#define INK_IO_KEYS_IMPL_H

#include "keys.h"

enum { INK_PATH_SIZE = 1024 };

/* Calls visit for every row of the schema, first table first. Rows of a path given in an earlier table hide
 * rows of the same path in later ones. */
typedef struct InkRows {
  const InkSchema *schema;
  int table, row;
} InkRows;
InkRows ink_rows(const InkSchema *schema);
const InkKey *ink_rows_next(InkRows *rows); /* NULL at the end */

/* Does the pattern "mesh.*.segments[].to" fit the path "mesh.x.segments[0].to"? 0 no; else more for more
 * literal names. */
int ink_key_match(const char *pattern, const char *path);
/* The same for the first part of the pattern, as long as the path. */
bool ink_key_begins(const char *pattern, const char *path);
/* Does a row's `when` hold for the siblings in `parent`? undecided (may be NULL): the sibling is missing or
 * wrong itself. */
bool ink_key_holds(const InkSchema *schema, const InkKey *key, const char *parent_path, const InkNode *parent,
                   bool *undecided);

/* Is `node` of the form a row's kind asks for: a mapping, a sequence, a scalar? */
bool ink_key_fits(const InkKey *key, const InkNode *node);

/* All names that may follow `parent` (literal segments, without "[]"), each once. Returns the count. */
int ink_key_children(InkPool *pool, const InkSchema *schema, const char *parent, const char ***names);
/* May any name follow `parent` ('*')? */
bool ink_key_any_child(const InkSchema *schema, const char *parent);
/* The last segment of a row's path, "cells" of "mesh.*.cells". */
const char *ink_key_last(const char *path);
/* The path for people: "mesh.AXIS.cells", "parameters.NAME". Written to text. */
void ink_key_display(const char *path, char *text, size_t size);
/* "value, flux or convection" of "value|flux|convection", written to text. */
void ink_choices_print(const char *choices, const char *last_word, char *text, size_t size);
bool ink_choices_have(const char *choices, const char *word, size_t length);
const char *ink_kind_name(InkKind kind);

#endif
