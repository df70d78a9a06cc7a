/* Shared between the files of the heat solver; not for others. */
#ifndef INK_HEAT_IMPL_H
#define INK_HEAT_IMPL_H

#include "../core/evolution.h"
#include "../core/law.h"
#include "heat.h"

/* keys.c */
extern const InkKey *const ink_heat_tables[];
int ink_heat_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_heat_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                     const InkDim *field_dim);
/* Do the material or its regions have a diffusivity? Density times heat capacity is then 1. */
bool ink_heat_by_diffusivity(const InkDeck *deck);

/* check.c */
void ink_heat_check(const InkDeck *deck, int ranks, InkErrors *errors);

/* problem.c */
extern const InkEvolutionModel ink_heat_model;

#endif
