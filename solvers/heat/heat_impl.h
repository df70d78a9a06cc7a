/* Shared between the files of the heat solver; not for others. */
#ifndef INK_HEAT_IMPL_H
#define INK_HEAT_IMPL_H

#include "../core/evolution.h"
#include "heat.h"

/* keys.c */
extern const InkKey *const ink_heat_tables[];
int ink_heat_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_heat_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                     const InkDim *field_dim);
bool ink_heat_by_diffusivity(const InkDeck *deck);

/* check.c */
void ink_heat_check(const InkDeck *deck, int ranks, InkErrors *errors);

/* problem.c */
extern const InkEvolutionModel ink_heat_model;
/* The type of a side as the deck says it, defaults included ("boundary.x_min.type"). */
InkSideType ink_heat_side_type(const InkDeck *deck, const char *side);

#endif
