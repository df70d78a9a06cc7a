/* Shared between the files of the reaction-diffusion solver; not for others. */
#ifndef INK_REACTION_DIFFUSION_IMPL_H
#define INK_REACTION_DIFFUSION_IMPL_H

#include "../core/evolution.h"
#include "reaction_diffusion.h"

enum { INK_MAX_SPECIES = 38 }; /* a few of INK_MAX_FIELDS are left for the operator's own use */

/* ---- keys.c ---- */

extern const InkKey *const ink_species_tables[];
int ink_species_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_species_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                        const InkDim *field_dim);
/* Is it a key of a side's law ("type", "value", ...), which no species can be called? */
bool ink_law_key(const char *name);

/* ---- law.c: what the deck says of a species at a side ---- */

/* One part of a side for one species. */
typedef struct InkLaw {
  const InkNode *node;  /* the mapping with type, value, ...; NULL: the species is not named, zero flux */
  const InkNode *where; /* its condition; NULL: everywhere else */
} InkLaw;

/* The parts of a side for a species, first to last, in the pool; returns how many: 0 when the deck does not
 * give the side. Works on decks with errors, whose wrong nodes it may return. */
int ink_species_laws(const InkDeck *deck, const char *side, const char *species, InkPool *pool,
                     InkLaw **laws);
/* INK_SIDE_CLOSED for symmetry, periodic, no law, and for a type that is wrong or missing. */
InkSideType ink_law_type(const InkLaw *law);
/* Expression of a law's key, or NULL. */
const InkExpr *ink_law_expression(const InkLaw *law, const char *key);
/* The number of electrons of a law; 0: none. */
double ink_law_electrons(const InkLaw *law);
/* InkEvolutionModel.electrons. */
double ink_species_electrons(const InkDeck *deck, const char *side, int field);

/* ---- problem.c ---- */

extern const InkEvolutionModel ink_species_model;
/* D_sf of the deck as trees, [n * n]; NULL where there is none or it is the number 0. In the pool. */
const InkExpr *const *ink_species_diffusion(const InkDeck *deck, InkPool *pool);
/* The node that says a species' initial state: initial.NAME or species.NAME.initial; NULL: neither. */
const InkNode *ink_species_initial(const InkDeck *deck, const char *species);

/* ---- check.c, check_sides.c ---- */

void ink_species_check(const InkDeck *deck, int ranks, InkErrors *errors);
void ink_species_check_sides(const InkDeck *deck, InkErrors *errors);
#endif
