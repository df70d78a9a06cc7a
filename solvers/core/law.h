/* The laws of a deck's sides, as written: one law for a side, one for each field, or a list of parts of
 * either. Read and checked here for every solver; what a law does to the cells is boundary.h's. Rank 0 or
 * any; no MPI. */
#ifndef INK_CORE_LAW_H
#define INK_CORE_LAW_H

#include "manufactured.h"

/* One part of a side for one field. */
typedef struct InkLaw {
  const InkNode *node;  /* the mapping with type, value, ...; NULL: the field is not named, zero flux */
  const InkNode *where; /* its condition; NULL: everywhere else */
} InkLaw;

/* The parts of a side for a field, first to last, in the pool; returns how many: 0 when the deck does not
 * give the side. Works on decks with errors, whose wrong nodes it may return. */
int ink_side_laws(const InkDeck *deck, const char *side, const char *field, InkPool *pool, InkLaw **laws);
/* INK_SIDE_CLOSED for symmetry, periodic, no law, and for a type that is wrong or missing. */
InkSideType ink_law_type(const InkLaw *law);
/* A law's key, or NULL; and its expression, or NULL. */
const InkNode *ink_law_node(const InkLaw *law, const char *key);
const InkExpr *ink_law_expression(const InkLaw *law, const char *key);
/* Does what passes depend on the field's value at the side, or is that value given? */
bool ink_law_fixes_level(const InkLaw *law);
/* Does a law of any side? A side that a manufactured run leaves out has the exact value. */
bool ink_sides_fix_level(const InkDeck *deck, const char *field);

/* A side of a good deck for a field of the equation, in made->pool. In a manufactured run (made->exact is not
 * NULL) the data come from `made`, and a mobile field that the side does not name has its exact value. */
InkSideParts ink_side_parts(const InkDeck *deck, const InkManufactured *made, int side, const char *name,
                            int field);

/* Errors of one law: data that its type needs, or that come from `exact`. law->node: not NULL. */
void ink_law_check(const InkDeck *deck, const InkLaw *law, InkPool *pool, InkErrors *errors);
/* Errors of a list of parts: all but the last have a condition. */
void ink_law_check_parts(const InkDeck *deck, const InkNode *list, InkPool *pool, InkErrors *errors);
#endif
