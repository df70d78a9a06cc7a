/* The catalogue of kinetics: named reaction systems with their species, reactions, parameters and sources.
 *
 * A deck that says `kinetics: NAME` gets, for what it does not give itself, the species with their reactions,
 * diffusion and units, and the parameters with their defaults; from there on it is a deck like any other. */
#ifndef INK_RD_CATALOGUE_H
#define INK_RD_CATALOGUE_H

#include "../../io/tree.h"

typedef struct InkKineticsSpecies {
  const char *name, *long_name;
  const char *reaction;  /* expression, as in a deck */
  const char *diffusion; /* default; "0": immobile */
  const char *initial;   /* default, or NULL: the deck must give it */
} InkKineticsSpecies;

typedef struct InkKineticsParameter {
  const char *name, *value; /* deck text; may be an expression of the parameters above it */
  const char *doc;
} InkKineticsParameter;

enum { INK_KINETICS_SPECIES = 6, INK_KINETICS_PARAMETERS = 24 };

typedef struct InkKinetics {
  const char *name, *summary, *source;                     /* source: author, year, where */
  InkKineticsSpecies species[INK_KINETICS_SPECIES];        /* ends with a NULL name */
  InkKineticsParameter parameter[INK_KINETICS_PARAMETERS]; /* ends with a NULL name */
} InkKinetics;

extern const InkKinetics ink_kinetics[]; /* ends with a NULL name */
const InkKinetics *ink_kinetics_find(const char *name);

/* InkSchema.expand of reaction_diffusion: adds the nodes that the deck's `kinetics` stands for. An unknown
 * name is an error with a suggestion. A deck without `kinetics` is left alone. */
void ink_kinetics_expand(InkPool *pool, InkNode *root, InkErrors *errors);

/* For `inkdrop list`: name, summary, source, species and default parameters of every set; with `full` also
 * reactions and what the parameters are. */
void ink_kinetics_list(FILE *out, bool full);
#endif
