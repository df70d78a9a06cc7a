/* Shared between the files of the reaction-diffusion solver; not for others. */
#ifndef INK_REACTION_DIFFUSION_IMPL_H
#define INK_REACTION_DIFFUSION_IMPL_H

#include "../core/evolution.h"
#include "../core/law.h"
#include "reaction_diffusion.h"

enum { INK_MAX_SPECIES = 38 }; /* a few of INK_MAX_FIELDS are left for the operator's own use */

/* ---- keys.c ---- */

extern const InkKey *const ink_species_tables[];
int ink_species_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_species_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                        const InkDim *field_dim);
/* Is it a key of a side's law ("type", "value", ...), which no species can be called? */
bool ink_law_key(const char *name);

/* ---- electrons.c ---- */

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
/* The error of a name where a species should stand. */
void ink_species_unknown(const InkDeck *deck, const char *path, const char *given, InkErrors *errors);
#endif
