/* Shared between the files of the heat solver; not for others. */
#ifndef INK_HEAT_IMPL_H
#define INK_HEAT_IMPL_H

#include "../core/observe.h"
#include "../core/operator.h"
#include "heat.h"

typedef struct InkHeat {
  MPI_Comm comm;
  const InkDeck *deck;
  InkMesh *mesh;
  InkDiffusion *diffusion;
  InkSystem system;
  InkStepper *stepper;
  InkMethod method;
  double *T;
  InkField field;
  InkProgram *exact; /* NULL when the deck has none */
  bool units;        /* temperatures are known to be kelvin: the deck has units */
  InkPlan plan;      /* what `auto` found; method empty when it was not asked */
} InkHeat;

/* keys.c */
extern const InkKey *const ink_heat_tables[];
int ink_heat_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_heat_unit(const InkNode *root, const char *name, const InkDim *field_dim);
bool ink_heat_by_diffusivity(const InkDeck *deck);

/* The choices of a deck, false too where the key is wrong or absent: for checks of decks with errors. */
bool ink_heat_chosen(const InkDeck *deck, const char *path, const char *choice);
bool ink_heat_steady(const InkDeck *deck);
bool ink_heat_manufactured(const InkDeck *deck);

/* check.c */
void ink_heat_check(const InkDeck *deck, int ranks, InkErrors *errors);

/* problem.c: the deck as the operator's equation. Trees are made in `pool`. */
void ink_heat_problem(const InkDeck *deck, InkPool *pool, int dim, InkCoordinates coordinates,
                      InkDiffusionSpec *spec);
/* The type of a side as the deck says it, defaults included ("boundary.x_min.type"). */
InkSideType ink_heat_side_type(const InkDeck *deck, const char *side);
const InkExpr *ink_heat_initial(const InkDeck *deck, InkPool *pool); /* at time.start */
/* Names of the sides of a deck's domain, in the mesh's order; "" where there is none. Rank 0 without a mesh.
 */
void ink_heat_sides(const InkDeck *deck, const char *names[INK_SIDES]);
InkCoordinates ink_heat_coordinates(const InkDeck *deck);
int ink_heat_dimension(const InkDeck *deck);

/* quantity.c */
bool ink_heat_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message, size_t size);
PetscErrorCode ink_heat_quantity(void *self, const InkQuery *query, InkValue *value);

#endif
