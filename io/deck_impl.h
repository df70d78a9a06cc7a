/* Private to io: the deck and how it is resolved.
 *
 *     tree (text) -> deck_structure.c: rows of the key table, unknown and missing keys, defaults, texts
 *                 -> deck_resolve.c:   parameters, numbers, fields, expressions, in this order
 *                    deck_value.c:     one value */
#ifndef INK_IO_DECK_IMPL_H
#define INK_IO_DECK_IMPL_H

#include "deck.h"
#include "keys_impl.h"
#include "tree_impl.h"

struct InkDeck {
  InkPool *pool;
  InkNode *root;
  const char *file;
  const InkSchema *schema;
  const char *field[INK_MAX_FIELDS];
  InkDim field_dim[INK_MAX_FIELDS];
  int fields;
  InkDomainAxis axis[3]; /* state variables */
  int axes;              /* -1: the axes are those of `mesh` */
  const char *variable[INK_VARS];
  const char *yaml; /* made when first asked for */
};

typedef struct InkResolver {
  InkDeck *deck;
  InkPool *pool;
  InkErrors *errors;
  bool solver_known; /* false: only the common keys can be checked */
  struct InkSymbol *parameter;
  int parameters;
  InkDim length, time; /* of the coordinates and of t */
} InkResolver;

/* Rows, kinds, required keys, defaults; texts, choices, booleans and integers get their values. */
void ink_resolve_structure(InkResolver *resolver);
/* All else, after the structure. */
void ink_resolve_values(InkResolver *resolver);

/* Typed nodes below `root` in order (depth first), without `bad` ones. */
typedef void InkVisit(InkResolver *resolver, InkNode *node, const InkKey *key);
void ink_resolve_visit(InkResolver *resolver, InkNode *node, InkVisit *visit);

/* One value. `path` is found from the node. An error marks the node bad. */
void ink_resolve_scalar(InkResolver *resolver, InkNode *node,
                        const InkKey *key); /* TEXT CHOICE BOOL INTEGER UNIT */
void ink_resolve_number(InkResolver *resolver, InkNode *node, const InkKey *key, const InkScope *constants);
void ink_resolve_expression(InkResolver *resolver, InkNode *node, const InkKey *key, const InkScope *scope);

__attribute__((format(printf, 3, 4))) void ink_resolve_error(InkResolver *resolver, InkNode *node,
                                                             const char *format, ...);
/* The dimension a key's value must have. */
InkDim ink_resolve_key_dim(const InkResolver *resolver, const InkNode *node, const InkKey *key);

/* Lengths: of the NUMBER at the start of text (0: none), of "NUMBER blanks UNIT" split at the unit. */
size_t ink_number_length(const char *text);
/* The UNIT of a quantity, or NULL when the text is not one. */
const char *ink_quantity_unit(const char *text);
/* Names an expression takes for itself: functions, t, pi, noise; the coordinates where the deck does not name
 * its axes. */
bool ink_reserved_name(const InkDeck *deck, const char *name);
bool ink_identifier(const char *name);

/* The names of an axis's sides, made from its own; text of its dimension. */
void ink_domain_axis_name(InkPool *pool, InkDomainAxis *axis);

/* Builds a deck from a tree: resolves it with the schema its `solver` names. */
void ink_deck_resolve(InkDeck *deck, const InkSchemas *schemas, InkErrors *errors);
InkDeck *ink_deck_create(const char *file);
void ink_deck_name_variables(InkDeck *deck);

/* A leaf's value as YAML text: "1.0e-06", "true", "\"2*x\"". */
const char *ink_yaml_value(InkPool *pool, const InkDeck *deck, const InkNode *node);
const char *ink_yaml_number(InkPool *pool, double value);
#endif
