/* Shared between the files of the population solver; not for others. */
#ifndef INK_POPULATION_IMPL_H
#define INK_POPULATION_IMPL_H

#include "../core/mesh.h"
#include "chain.h"
#include "population.h"

typedef enum InkPopulationEquation {
  INK_POPULATION_DENSITY,
  INK_POPULATION_STATIONARY,
  INK_POPULATION_TIME,
  INK_POPULATION_HITTING
} InkPopulationEquation;

typedef struct InkPopulationRun {
  MPI_Comm comm;
  const InkDeck *deck;
  InkPopulation population;
  InkPopulationEquation equation;
  int target; /* end; -1: none */
  InkMesh *mesh;
  InkTransitions *transitions; /* only of a density */
  double *value, *next; /* [N + 1] of the field's values in all states, alike on all ranks: of a density, the
                           states' probabilities */
  double *u;            /* the field, an array of the mesh */
  InkField field;
  double now;
  int64_t step;
  bool solved;
} InkPopulationRun;

/* ---- keys.c ---- */
extern const InkKey *const ink_population_tables[];
int ink_population_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
int ink_population_axes(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]);
InkDim ink_population_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time);
InkPopulationEquation ink_population_equation(const InkDeck *deck);
/* The chain of a deck whose section population is sound. */
InkPopulation ink_population_of(const InkDeck *deck);
/* 0 for "x_min", 1 for "x_max", else -1. */
int ink_population_end(const char *name);

/* ---- check.c ---- */
void ink_population_check(const InkDeck *deck, int ranks, InkErrors *errors);
/* Copies at a frequency, when it is a whole number of them to 1e-9. */
bool ink_population_copies(const InkPopulation *population, double frequency, int64_t *copies);

/* ---- quantity.c ---- */
bool ink_population_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                            size_t size);
PetscErrorCode ink_population_quantity(void *self, const InkQuery *query, InkValue *value);

#endif
